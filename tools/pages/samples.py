"""Results of the steps for the reference, recorded: each step's least example, run
against the sandbox. `python -m tools.pages.samples` records them anew in FILE, and in
MEMBERS the names at the top of what any of its examples gives.

What an example speaks of (a file in storage, a script of yours, an earlier run) is put
there first: OBJECTS, STAGED.
"""

import importlib
import json
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tools.flows.flow_engine import call_script
from tools.local.fake_workspace import Workspace
from tools.local.happenings import GONE, World, batch, deployed, fine_tune
from tools.operations import ROOT, Operation, steps
from tools.sandbox import Sandbox, picture, tone
from tools.sandbox.lifecycles import Lifecycles

FILE = "docs/reference/_results.json"
MEMBERS = "docs/reference/_members.json"
LONGEST, MOST = 160, 2  # characters of a text, and items of a list, that are kept


JOB = "0b6f7c1e-2a44-4d0c-9f57-1c2f3d4e5a6b"
# Addresses of the examples are of nobody; here they lead to the workspace's storage.
FOREIGN, STORED = "https://example.com/", "s3:///"
OBJECTS = {
    "notes.md": b"# Notes\n\nAnn sends the offer on Friday.\n",
    "bill.md": b"# Bill 12\n\nIt is due on 1 December 2026.\n",
    "cat.png": picture("cat"),
    "call.mp3": tone(),
    "calls/monday.mp3": tone(),
    "meeting.mp3": tone(),
    "shop/orders.csv": b"city,amount\nRome,120\nOslo,80\n",
}


# They need the library of requirements-parquet.lock; without it, what is there stays.
APART = ("files/read_parquet", "files/write_parquet")


def recorded(root: Path = ROOT) -> dict[str, object]:
    """The results by the steps' ids; none where nothing was recorded."""
    place = root / FILE
    return json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}


def recorded_members(root: Path = ROOT) -> dict[str, list[str]]:
    """The names at the top of what each step gives, or of the items of its list as
    `[].name`, by the steps' ids; none where nothing was recorded."""
    place = root / MEMBERS
    return json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}


@dataclass(frozen=True)
class Scene:
    """Where an example is run."""

    sandbox: Sandbox
    workspace: Workspace
    auth: dict

    def run(self, id: str, /, **arguments: object) -> tuple[bool, object]:
        """A step as a job: whether it succeeded, and its result."""
        given = {"auth": dict(self.auth), **arguments}
        self.workspace.arguments = given
        environment = {**self.workspace.environment, "WM_FLOW_STEP_ID": "a"}
        return call_script(id, given, environment)

    def made(self, id: str, /, **arguments: object) -> object:
        """The result of a step that has to succeed. Raises ValueError."""
        success, result = self.run(id, **arguments)
        if not success:
            raise ValueError(f"{id}: {result}")
        return result


def unrecorded(root: Path = ROOT, file: str = FILE) -> list[str]:
    """The ids of the steps that FILE, or MEMBERS, lacks, and of what is there and no
    step any more."""
    mine = {step.id for step in steps(root)}
    return sorted(mine ^ (recorded if file == FILE else recorded_members)(root).keys())


def completed(root: Path = ROOT) -> str:
    """The text of FILE with a result of every step, those that are there as they are.
    Raises ValueError, as `record` does."""
    mine = [step.id for step in steps(root)]
    kept = recorded(root)
    importlib.invalidate_caches()  # a script may have been written this moment
    found = record([id for id in mine if id not in kept])
    return _text({id: kept.get(id, found.get(id)) for id in mine})


def completed_members(root: Path = ROOT) -> str:
    """The text of MEMBERS with the names of every step, those that are there as they
    are. Raises ValueError, as `record` does."""
    mine = [step.id for step in steps(root)]
    kept = recorded_members(root)
    importlib.invalidate_caches()
    new = record_members([id for id in mine if id not in kept])
    return _members_text({id: kept.get(id, new.get(id, [])) for id in mine})


def _text(results: dict[str, object]) -> str:
    return json.dumps(results, indent=1, ensure_ascii=False) + "\n"


def _members_text(members: dict[str, list[str]]) -> str:
    """A line for each step."""
    lines = (f"{json.dumps(id)}: {json.dumps(names)}" for id, names in members.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def record(ids: Collection[str] | None = None) -> dict[str, object]:
    """Run the least example of each step, or of these, each in a workspace of its own.

    Raises ValueError with what came of those that gave no result.
    """
    results, missing = {}, {}
    for step, number, success, result in _outcomes(ids, every=False):
        if number is None:
            results[step.id] = recorded()[step.id]
        elif not success or result in (None, [], {}):
            missing[step.id] = result
        else:
            results[step.id] = result
    if missing:
        told = "; ".join(f"{id}: {result}" for id, result in missing.items())
        raise ValueError(
            f"an example that gives no result in the sandbox: {told}. What it speaks "
            "of is put there by STAGED of tools/pages/samples.py"
        )
    return results


def record_members(ids: Collection[str] | None = None) -> dict[str, list[str]]:
    """Run every example of each step, or of these, and see which names its results
    have. What another example than the least speaks of need not be there: such a one
    may fail. Raises ValueError with what came of a least one that failed."""
    members: dict[str, set[str]] = {}
    for step, number, success, result in _outcomes(ids, every=True):
        names = members.setdefault(step.id, set())
        if number is None:
            names |= {
                *recorded_members().get(step.id, ()),
                *_names(recorded()[step.id]),
            }
        elif success:
            names |= _names(result)
        elif number == 0:
            raise ValueError(f"{step.id} gives no result in the sandbox: {result}")
    return {id: sorted(names) for id, names in members.items()}


def _names(result: object) -> set[str]:
    """The names at the top of a result that are words: others are somebody's data."""
    if isinstance(result, list):
        return {f"[].{name}" for item in result for name in _names(item)}
    members = result if isinstance(result, dict) else {}
    return {name for name in members if name.isidentifier()}


# A step, the number of its example, whether it went well, and its result in short. No
# number stands for a step that cannot run here, of which stays what is recorded.
Outcomes = Iterator[tuple[Operation, int | None, bool, object]]


def _outcomes(ids: Collection[str] | None, every: bool) -> Outcomes:
    """What comes of the least example of each step, or of these, or of every one."""
    with Sandbox(pace=0, refuses=False) as sandbox, Workspace() as workspace:
        auth = {"api_key": "sandbox", "base_url": sandbox.url}
        for step in steps():
            if ids is not None and step.id not in ids:
                continue
            if step.id in APART and find_spec("arro3") is None:
                yield step, None, True, None
                continue
            examples = step.schema["examples"]
            for number, example in enumerate(examples if every else examples[:1]):
                workspace.configure()
                workspace.job_id = JOB
                for kept in (sandbox.answers, sandbox.files, sandbox.objects):
                    kept.clear()
                sandbox.lifecycles = Lifecycles(sandbox)
                scene = Scene(sandbox, workspace, auth)
                try:
                    success, result = _staged(step, example, scene)
                except ValueError as error:  # what it speaks of could not be made
                    success, result = False, str(error)
                text = json.dumps(_short(result), default=str)
                quiet = json.loads(_quiet(text, sandbox, workspace))
                yield step, number, success, quiet


def _staged(step: Operation, example: dict, scene: Scene) -> tuple[bool, object]:
    """The outcome of an example, once what the least one speaks of is there."""
    for name, content in OBJECTS.items():
        scene.workspace.put(name, content)
    given = json.loads(json.dumps(example).replace(FOREIGN, STORED))
    if step.step == "trigger":
        world = World(
            scene.sandbox, scene.sandbox.lifecycles, scene.auth, scene.workspace
        )
        world.before(step.name)
        scene.made(step.id, **given)
        world.change(step.name)
    if step.id in STAGED:
        given |= STAGED[step.id](scene) or {}
    return scene.run(step.id, **given)


def _short(part: object) -> object:
    if isinstance(part, str):
        return part if len(part) <= LONGEST else f"{part[:LONGEST]} ..."
    if isinstance(part, list):
        return [_short(one) for one in part[:MOST]]
    if isinstance(part, dict):
        return {str(name): _short(one) for name, one in part.items()}
    return part


def _quiet(text: str, sandbox: Sandbox, workspace: Workspace) -> str:
    """Without the addresses of this run, and the id of a model that is gone."""
    text = text.replace(sandbox.url, "https://api.together.ai")
    text = text.replace(
        GONE, "acme/model-of-last-year"
    )  # no page names one that is gone
    return text.replace(workspace.url, "https://windmill.example.com")


def _shop(scene: Scene) -> None:
    """The script that models of the examples use as a tool."""

    def find_order(number: int = 12) -> dict:
        return {"number": number, "state": "sent"}

    scene.workspace.register("f/shop/find_order", find_order)


def _begun(scene: Scene) -> dict:
    """A conversation in which the model wants the order."""
    _shop(scene)
    call = {"tool": "find_order", "arguments": {"number": 12}}
    prompt = json.dumps({"rounds": [[call]]})  # which the sandbox's model plays
    tools = [{"path": "f/shop/find_order"}]
    model = "openai/gpt-oss-120b"
    made = scene.made("chat/begin_agent", model=model, prompt=prompt, tools=tools)
    return {"conversation": made["conversation"]}


def _asked(scene: Scene) -> dict:
    begun = _begun(scene)
    tools = [{"path": "f/shop/find_order"}]
    scene.made("chat/ask_agent", **begun, tools=tools)
    return begun


def _started(scene: Scene) -> dict:
    asked = _asked(scene)
    tools = [{"path": "f/shop/find_order"}]
    scene.made("chat/start_calls", **asked, tools=tools)
    return asked


def _answered(scene: Scene) -> dict:
    """A conversation whose last word is the model's."""
    _shop(scene)
    tools = [{"path": "f/shop/find_order"}]
    question = {"model": "openai/gpt-oss-120b", "prompt": json.dumps({"rounds": []})}
    made = scene.made("chat/begin_agent", **question, tools=tools)
    begun = {"conversation": made["conversation"]}
    scene.made("chat/ask_agent", **begun, tools=tools)
    return begun


def _training(scene: Scene) -> dict:
    return {"id": fine_tune(scene.auth)}


def _batch(scene: Scene) -> dict:
    made = batch(scene.auth, scene.sandbox)
    scene.sandbox.lifecycles.advance(3600)
    return {"batch_id": made}


def _flow(scene: Scene) -> None:
    scene.workspace.register("f/sales/weekly", lambda **_: {"sold": 12}, "flow")


def _flow_run(scene: Scene) -> dict:
    _flow(scene)
    started = scene.made("waits/start_flow", path="f/sales/weekly")
    return {"flow_job_id": started["flow_job_id"]}


def _versioned(scene: Scene) -> dict:
    """The address as Windmill's own step for agents needs it."""
    return {"auth": {**scene.auth, "base_url": f"{scene.sandbox.url}/v1"}}


def _split(scene: Scene) -> dict:
    """Two parts of a table, each answered by a job of its own."""
    table = {"s3": "shop/orders.csv"}
    parts = scene.made("files/split_table", rows=table, part_rows=1)["parts"]
    asked = {"template": "Where is {{city}}?", "model": "openai/gpt-oss-120b"}
    answered = [scene.made("chat/map_rows", **asked, **part) for part in parts]
    return {"parts": json.dumps(parts), "answered": json.dumps(answered)}


def _files(scene: Scene) -> dict:
    """A document in storage, for the job that takes its text out."""
    scene.workspace.put("letters/ada.txt", b"Dear Charles, the engine is a marvel.")
    return {"folder": "letters"}


def _parquet(scene: Scene) -> dict:
    rows = [{"city": "Rome", "amount": 120}, {"city": "Oslo", "amount": 80}]
    return {"file": {"s3": scene.made("files/write_parquet", rows=rows)["s3"]}}


def _file_part(scene: Scene) -> dict:
    parts = scene.made("files/split_files", **_files(scene))["parts"]
    return {"action": "read", "part": json.dumps(parts[0]["rows"])}


def _idle(scene: Scene) -> None:
    deployed(scene.sandbox, busy=5, idle=0)


STAGED: dict[str, Callable[[Scene], dict | None]] = {
    "agent/fetch_batch": _batch,
    "chat/ask_agent": _begun,
    "chat/begin_agent": _shop,
    "chat/brief_agent": _versioned,
    "chat/call_tools": _shop,
    "chat/finish_agent": _answered,
    "chat/propose_change": _training,
    "chat/start_calls": _asked,
    "chat/watch_calls": _started,
    "endpoints/list_idle_endpoints": _idle,
    "files/join_table": _split,
    "files/map_files": _file_part,
    "files/read_parquet": _parquet,
    "files/split_files": _files,
    "files/split_table": lambda scene: {"rows": {"s3": "shop/orders.csv"}},
    "waits/start_flow": _flow,
    "waits/watch_flow": _flow_run,
}


if __name__ == "__main__":
    found = record()
    (ROOT / FILE).write_text(_text(found), encoding="utf-8")
    members = _members_text(record_members())
    (ROOT / MEMBERS).write_text(members, encoding="utf-8")
    print(f"{len(found)} results in {FILE}", file=sys.stderr)
