"""Every example of every script, run as a job against the sandbox."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tools.live.checks import ShortError, Subject
from tools.live.stage import Stage
from tools.operations import scripts

AT_ONCE = 16
SHARE = 450 / 523  # of the examples has to succeed, at least
# What needs a storage that the workspace does not have says so.
NO_STORAGE = "no_storage"
STORED = "needs object storage, which the workspace does not have"
# The examples that cannot succeed against the sandbox, and why; by script, and where
# that is not all of them, by their number.
EXPECTED = {
    "agent/extract_data#1": "names an address where nothing is",
    "agent/find_passages#0": "names an address where nothing is",
    "agent/find_passages#1": "names an object in a user's storage",
    "agent/look_at_picture#1": "names an object in a user's storage",
    "agent/query_table": "names an object in a user's storage",
    "agent/read_document#0": "names an address where nothing is",
    "agent/read_document#1": "names an object in a user's storage",
    "agent/transcribe_audio#1": "names an object in a user's storage",
    "batches/collect_rows#0": "names a batch that another example cancels",
    "batches/collect_rows#1": "names a batch that holds no answer to its rows",
    "chat/ask_agent": "names a conversation of another run",
    "chat/begin_agent": "names a script of a user's",
    "chat/call_tools#0": "names a script of a user's",
    "chat/call_tools#1": "names a resource of a user's",
    "chat/finish_agent": "names a conversation of another run",
    "chat/propose_change#0": "would cancel what is over",
    "chat/start_calls": "names a conversation of another run",
    "chat/watch_calls": "names a conversation of another run",
    "embeddings/index_documents#1": "names an object in a user's storage",
    "embeddings/rank_passages#2": "names an object in a user's storage",
    "embeddings/split_documents#1": "names an object in a user's storage",
    "endpoints/create_endpoint": "is refused, as Together closed it",
    "files/join_table": "names objects in a user's storage",
    "files/list_folder": "names a folder in a user's storage",
    "files/map_files": "names an address where nothing is, or an object of a user's",
    "files/read_parquet": "names an object in a user's storage",
    "files/read_rows#1": "names an object in a user's storage",
    "files/split_files": "names a folder in a user's storage, or needs one",
    "files/split_table#0": "names an address where nothing is",
    "files/split_table#1": "names an object in a user's storage",
    "files/write_parquet": "writes to storage",
    "waits/poll_job#1": "looks at a job whose deadline is over",
    "waits/start_flow": "names a flow of a user's",
    "waits/watch_flow": "names a job of a user's",
}
# These fail before they begin: Windmill looks for their resource.
BEFORE = ("chat/call_tools#1",)
# These want the resource that leads Windmill's own step for AI agents.
FOR_AGENTS = ("chat/brief_agent",)


def expected(name: str, error: dict, storage: bool) -> str | None:
    """Why an example's failure was to be expected; None where it was not."""
    extra = error.get("extra") or {}
    if not storage and extra.get("type") == NO_STORAGE:
        return STORED
    return EXPECTED.get(name) or EXPECTED.get(name.partition("#")[0])


def every_example_runs(stage: Stage) -> dict:
    reasons, wrong, foreign = {}, {}, []
    ended = _run_all(stage)
    for name, error in ended:
        if error is None:
            continue
        if error.get("name") != "TogetherError" and name not in BEFORE:
            foreign.append(name)
        reason = expected(name, error, stage.storage)
        if reason:
            reasons[name] = reason
        else:
            words = str(error.get("message"))[:300]
            wrong[name] = f"{error.get('name')}: {words}"
    succeeded = len(ended) - len(reasons) - len(wrong)
    details = {
        "examples": len(ended),
        "succeeded": succeeded,
        "expected_failures": reasons,
        "unexpected_failures": wrong,
    }
    counts = Counter(reasons.values())
    said = f"{succeeded} of {len(ended)} examples succeed"
    said += "".join(f"; {count} fail: {reason}" for reason, count in counts.items())
    if wrong or foreign or succeeded < SHARE * len(ended):
        listed = json.dumps(wrong, indent=1, ensure_ascii=False)
        named = f"; not a TogetherError: {', '.join(foreign)}" if foreign else ""
        short = ShortError(f"{said}; {len(wrong)} unexpected: {listed}{named}")
        short.details = details
        raise short
    return {"said": said, **details}


def _run_all(stage: Stage) -> list[tuple[str, dict | None]]:
    """Run every example; return its name, and its error where it failed."""
    examples = [
        (f"{script.id}#{number}", script.id, example)
        for script in scripts()
        for number, example in enumerate(script.schema.get("examples", []))
    ]
    agents_auth = stage.agents_auth

    def run(case: tuple[str, str, dict]) -> tuple[str, dict | None]:
        name, script_id, example = case
        if script_id in FOR_AGENTS:
            example = {**example, "auth": agents_auth}
        job = stage.run(script_id, example)
        return name, None if job.success else job.error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(run, case) for case in examples]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


SUBJECT = Subject("examples", (every_example_runs,))
