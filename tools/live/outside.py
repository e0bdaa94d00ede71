"""What comes from outside is data: a reference in it never becomes a secret.

A variable and a resource with secrets are planted in the folder. Rows, documents, a
model's answers, the arguments that it writes for a tool, a service's errors and what a
trigger remembers then name them in Windmill's own words. Each check says where the
secret came out.
"""

import json
import secrets
from functools import cached_property

from tools.live.checks import ShortError, Subject, expect
from tools.live.flow_runs import MODEL
from tools.live.model import CALL, SAY
from tools.live.stage import Stage, step
from tools.models import model
from tools.operations import find
from tools.sandbox import Fault

ECHO = "def main(text: str = '', more: object = None):\n    return [text, more]\n"


class Plant:
    """The secrets, and the words that lead to them."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.secret = f"live-secret-{secrets.token_hex(8)}"
        variable = f"{stage.folder}/planted"
        body = {"path": variable, "value": self.secret, "is_secret": True}
        stage.api.post("variables/create", {**body, "description": ""})
        resource = stage.make_resource("planted_too", {"token": self.secret})
        self.word = f"$var:{variable}"
        self.words = [self.word, f" {self.word}", f"$res:{resource}", "$WM_TOKEN"]

    @property
    def rows(self) -> list[dict]:
        """Rows that hold the words, one in each, and one in a list of a list."""
        found = [{"text": word} for word in self.words]
        return [*found, {"text": "plain", "more": [{"deep": [self.word]}]}]

    def serve(self, name: str, text: str) -> str:
        """Put a file on the sandbox; return its address."""
        path = f"/sandbox/objects/{secrets.token_hex(4)}/{name}"
        self.stage.sandbox.objects[path] = "text/plain", text.encode()
        return self.stage.sandbox.url + path

    @cached_property
    def echo(self) -> str:
        """A script of the user's that returns what it is given."""
        return self.stage.make_script("echo", ECHO)

    def leaks(self, job: str) -> list[str]:
        """Where the secret is, in and after a job."""
        stage, found = self.stage, []
        for request in list(stage.sandbox.requests):
            if self.secret.encode() in request.body:
                found.append(f"sent to the service: {request.method} {request.path}")
        for record, content in list(stage.sandbox.files.values()):
            if self.secret.encode() in content:
                found.append(f"in a file at the service: {record['filename']}")
        for one in stage.jobs(job):
            place = one.get("script_path") or one.get("job_kind")
            if one.get("type") != "CompletedJob":
                continue
            result = stage.api.get(f"jobs_u/completed/get_result/{one['id']}")
            if self.secret in json.dumps(result):
                found.append(f"in the result of {place}")
            if self.secret in str(stage.api.get(f"jobs_u/get_logs/{one['id']}")):
                found.append(f"in the log of {place}")
        return list(dict.fromkeys(found))

    def kept(self, job: str, values: object = ()) -> None:
        """Raise ShortError where the secret came out, or a word became another."""
        found = self.leaks(job)
        text = json.dumps(values, ensure_ascii=False)
        if values and "WM_TOKEN" not in text and "$WM_TOKEN" in self.words:
            found.append("$WM_TOKEN became something else")
        if found:
            self.renew()
            raise ShortError("the secret came out: " + "; ".join(found))

    def renew(self) -> None:
        """Another secret, so that the next check does not find this one."""
        self.secret = f"live-secret-{secrets.token_hex(8)}"
        api, folder = self.stage.api, self.stage.folder
        api.post(f"variables/update/{folder}/planted", {"value": self.secret})
        value = {"token": self.secret}
        api.post(f"resources/update_value/{folder}/planted_too", {"value": value})


def plant(stage: Stage) -> Plant:
    """The stage's own, planted once."""
    if stage.plant is None:
        stage.plant = Plant(stage)
    return stage.plant


def ended(stage: Stage, job: str, path: str) -> object:
    """The result of a job that may fail: what counts is what came out."""
    return stage.wait(job, path).result


def _batch(stage: Stage, rows: object) -> str:
    planted = plant(stage)
    words = {"model": MODEL, "template": f"{SAY}{{{{text}}}}", "rows": rows}
    words["again"] = secrets.token_hex(4)
    job = stage.start_flow("run_batch", **words)
    result = ended(stage, job, "run_batch")
    planted.kept(job, result)
    counted = result.get("done") if isinstance(result, dict) else len(result)
    expect(counted == len(planted.rows), f"{str(result)[:300]}")
    return f"{counted} rows with references came back as text"


def rows_given_to_run_batch(stage: Stage) -> str:
    return _batch(stage, plant(stage).rows)


def rows_of_a_file_in_run_batch(stage: Stage) -> str:
    text = "".join(f"{json.dumps(row)}\n" for row in plant(stage).rows)
    text = text.replace("$var:", "\\u0024var:", 1)
    return _batch(stage, {"url": plant(stage).serve("rows.jsonl", text)})


def rows_given_to_draw_rows(stage: Stage) -> str:
    planted = plant(stage)
    words = {"model": model("image"), "template": "{{text}}"}
    job = stage.start_flow("draw_rows", **words, rows=planted.rows)
    result = ended(stage, job, "draw_rows")
    planted.kept(job, result)
    return "no prompt was a secret"


def documents_of_ask_documents(stage: Stage) -> str:
    planted = plant(stage)
    documents: list[dict] = [
        {"text": word, "filename": f"{number}.txt"}
        for number, word in enumerate(planted.words)
    ]
    text = json.dumps(planted.rows)
    documents.append({"url": planted.serve("rows.json", text)})
    words = {"question": "What is $var said?", "documents": documents, "model": MODEL}
    words["embedding_model"] = model("embedding")
    job = stage.start_flow("ask_documents", **words)
    result = ended(stage, job, "ask_documents")
    planted.kept(job)
    expect("answer" in str(result), f"it gave {str(result)[:300]}")
    return f"{len(documents)} documents with references were read as text"


def _handed_on(stage: Stage, name: str, first: dict, **more: object) -> object:
    """Run a flow of the user's whose second step gets the whole result of its first."""
    planted = plant(stage)
    second = step("b", planted.echo, text="=results.a", more="=[results.a]")
    flow = stage.make_flow(name, [first, second], **more)
    job = stage.start(flow, {}, "flow")
    result = ended(stage, job, flow)
    planted.kept(job)
    return result


def an_answer_handed_to_the_next_step(stage: Stage) -> str:
    planted = plant(stage)
    ask = stage.script("chat/ask_model")
    prompt = f"{SAY}{planted.word}"
    first = step("a", ask, auth=stage.auth, model=MODEL, prompt=prompt)
    result = _handed_on(stage, "handed_answer", first)
    expect("var:" in str(result), f"the answer did not come: {str(result)[:300]}")
    return "a model's answer reached the next step as text"


def rows_handed_to_the_next_step(stage: Stage) -> str:
    planted = plant(stage)
    text = "".join(f"{json.dumps(row)}\n" for row in planted.rows)
    rows = {"url": planted.serve("rows.jsonl", text)}
    words = {"model": MODEL, "template": f"{SAY}{{{{text}}}}", "rows": rows}
    first = step("a", stage.script("chat/map_rows"), auth=stage.auth, **words)
    result = _handed_on(stage, "handed_rows", first)
    expect("var:" in str(result), f"the rows did not come: {str(result)[:300]}")
    expect("WM_TOKEN" in str(result), "$WM_TOKEN became something else")
    return "rows and answers reached the next step as text"


def an_error_handed_to_the_handler(stage: Stage) -> str:
    planted = plant(stage)
    failing = "code_interpreter/list_code_sessions"
    path = find(failing).exchange["path"]
    body = {"error": {"message": planted.word, "type": planted.word, "param": None}}
    fault = Fault(f"^{path}$", 400, times=99, body=body)
    stage.sandbox.faults.append(fault)
    first = step("a", stage.script(failing), auth=stage.auth)
    handler = step("failure", planted.echo, text="=error", more="=[error.extra]")
    result = _handed_on(stage, "handed_error", first, failure_module=handler)
    fault.times = 0
    expect("var:" in str(result), f"the error did not come: {str(result)[:300]}")
    return "an error's own words reached the handler as text"


def what_a_model_writes_for_a_tool(stage: Stage) -> str:
    planted = plant(stage)
    tool = {
        "path": planted.echo,
        "name": "echo",
        "parameters": {
            "type": "object",
            "properties": {"text": {"type": "string"}, "more": {"type": "object"}},
        },
    }
    told = []
    for word in planted.words:
        more = {"a": [word], "b": {"c": word}}
        written = json.dumps({"text": word, "more": more})
        words = {"model": MODEL, "prompt": f"{CALL}{written}", "tools": [tool]}
        path = stage.script("chat/call_tools")
        job = stage.start(path, {"auth": stage.auth, **words, "max_rounds": 1})
        result = ended(stage, job, path)
        planted.kept(job)
        calls = result.get("calls") if isinstance(result, dict) else None
        expect(calls, f"no tool was called: {str(result)[:300]}")
        answer = calls[0].get("result")
        token = word == "$WM_TOKEN" and answer and "WM_TOKEN" not in str(answer)
        expect(not token, "$WM_TOKEN reached the tool as the job's token")
        told.append(str(calls[0].get("error") or "passed as text")[:60])
    return f"{len(told)} calls with references: {'; '.join(dict.fromkeys(told))}"


def what_a_trigger_remembers(stage: Stage) -> str:
    planted = plant(stage)
    operation = find("models/list_supported_models")
    canned = operation.schema["x-reply"]
    (first, *_) = canned["data"]
    names = ("id", "name", "displayName", "serverlessEndpoint")
    new = {**first, **dict.fromkeys(names, planted.word)}
    more = {**canned, "data": [*canned["data"], new]}
    trigger = "triggers/model_changed"
    path = stage.script(trigger)
    jobs, found = [], []
    for listed in (canned, more, canned, canned):
        stage.sandbox.answers[operation.name] = lambda _, shown=listed: shown
        jobs.append(stage.start(path, {"auth": stage.auth}))
        found.append(ended(stage, jobs[-1], trigger))
    del stage.sandbox.answers[operation.name]
    for job in jobs:
        planted.kept(job)
    text = json.dumps(found)
    expect("var:" in text, f"the news did not come: {text[:300]}")
    return "what was remembered came back as text"


SUBJECT = Subject(
    "outside",
    (
        rows_given_to_run_batch,
        rows_of_a_file_in_run_batch,
        rows_given_to_draw_rows,
        documents_of_ask_documents,
        an_answer_handed_to_the_next_step,
        rows_handed_to_the_next_step,
        an_error_handed_to_the_handler,
        what_a_model_writes_for_a_tool,
        what_a_trigger_remembers,
    ),
)
