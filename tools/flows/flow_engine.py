"""Run the pack's flows as Windmill does, with virtual time.

The rules are those of Windmill's flow engine as its public source has them, for the
parts of OpenFlow that the pack uses:

- Loops and branches run as flows of their own inside the flow, with its error handler;
  where that ran inside, it does not run again outside. What a step of type `flow` does
  about its own errors is its own: the handler outside runs as well.
- A sleep delays the step after the one that has it; it knows that step's result only.
- stop_after_if ends the innermost loop, through branches, or else the flow; the flow of
  a step of type `flow` ends only itself. It knows `result` and `flow_input` only.
- A cancelled flow runs nothing more.
- A step's arguments are resolved as resolving.py says; a flow's own are not.
- A step for AI agents asks the model, and runs the tools that it calls one after the
  other until it calls none. A tool's own arguments come before the model's; what it
  raises is told to the model; a tool that there is not ends the step. A flow for a chat
  keeps the step's messages for the next one of the same memory.
- A failed step is tried again by its retry; then continue_on_error lets the flow go on,
  unless it is the last step; then the error handler runs, with `error`.

Sleeps, retries and unanswered approvals advance the clock of the engine and of the
sandbox's things: three days pass in no time.
"""

import contextlib
import heapq
import importlib
import inspect
import itertools
import json
import os
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

import requests

from scripts.replies.sse import Events
from tools.flows.expressions import ExpressionError, evaluate
from tools.flows.pack_flows import Flow, flows, rendered_value
from tools.flows.raw_scripts import run_raw
from tools.flows.resolving import UnresolvedError
from tools.local import job_runner
from tools.local.fake_workspace import Job, Workspace, environment_of, state_path
from tools.operations import ROOT, find
from tools.schemas.form import form
from tools.target_folder import FOLDER

RESOURCE = f"{FOLDER}/key"
APPROVAL_SECONDS = 1800


@dataclass
class Call:
    """A step that ran: when, by the engine's clock, and how long it really took."""

    path: str
    arguments: dict
    at: float
    seconds: float
    success: bool
    result: object
    given: dict | None = None  # the arguments as the script got them, resolved


@dataclass
class Run:
    """A flow that runs or ran."""

    path: str
    arguments: dict
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    outcome: str | None = None  # success, failure or cancelled
    result: object = None
    started: float = 0.0
    ended: float = 0.0
    calls: list[Call] = field(default_factory=list)
    work: Iterator | None = None
    done: threading.Event = field(default_factory=threading.Event)
    memory: str | None = None  # of a flow for a chat: which conversation it is

    @property
    def error(self) -> dict:
        assert self.outcome == "failure", self.result
        return self.result.get("error", self.result)

    def count(self, path: str) -> int:
        return Counter(call.path for call in self.calls)[path]

    def of(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]


@dataclass
class End:
    """How a sequence of steps ended."""

    success: bool
    result: object
    stopped: bool = False
    handled: bool = False  # an error handler ran inside


class StepError(Exception):
    """A step failed, with Windmill's result for it."""

    def __init__(self, result: object, handled: bool = False) -> None:
        super().__init__(str(result)[:500])
        self.result = result
        self.handled = handled


@cache
def _values() -> dict[str, dict]:
    """The value of each flow of the pack, by path; engines only read them."""
    return {f"{FOLDER}/{flow.id}": rendered_value(flow) for flow in flows(ROOT)}


class Engine:
    """Runs flows; `decide` answers approvals, `advance` is told when time passes,
    `tell` of each step that ran. `jobs` counts what Windmill would have made a job of:
    each flow, round of a loop, branch, and step."""

    def __init__(
        self,
        workspace: Workspace,
        auth: dict,
        advance: Callable[[float], None] = lambda seconds: None,
        in_worker: bool = False,
        by_form: Callable[[Flow, dict], dict] | None = None,
        tell: Callable[[Call], None] = lambda call: None,
    ) -> None:
        self.workspace = workspace
        self.advance = advance
        self.in_worker = in_worker
        self.by_form = by_form
        self.tell = tell
        self.now = 0.0
        self.order = itertools.count()
        self.waiting: list[tuple[float, int, Run]] = []
        self.runs: list[Run] = []
        self.decide: Callable[[dict], None] = lambda links: None
        self.resources = {RESOURCE: auth}
        self.values = {}
        self.spawned = self.jobs = 0
        self.memories: dict[tuple[str, str], list[dict]] = {}
        self.conversations: dict[str, list[tuple[str, str]]] = {}  # (who, what)
        self.lock = threading.Condition()
        for path, value in _values().items():
            self.add(path, value)

    def add(self, path: str, value: dict) -> None:
        """Put a flow into the workspace, where steps can start it."""
        self.values[path] = value
        self.workspace.register(path, self._starter(path), "flow")

    def _starter(self, path: str) -> Callable:
        def start(**arguments: object) -> object:
            run = Run(path, arguments)
            with self.lock:
                self._enqueue(run)
                self.spawned += 1
                self.lock.notify_all()
            run.done.wait()
            if run.outcome != "success":
                raise StepError(run.result)
            return run.result

        return start

    # --- what tests call -----------------------------------------------------------

    def start(self, name: str, **arguments: object) -> Run:
        """Start a flow: as a schedule does, or with all that `by_form` says is sent."""
        flow = next((flow for flow in flows(ROOT) if flow.name == name), None)
        if self.by_form and flow:
            arguments = self.by_form(flow, arguments)
        path = f"{FOLDER}/{flow.id if flow else f'flows/{name}'}"
        return self.start_at(path, **arguments)

    def start_at(self, path: str, **arguments: object) -> Run:
        """Start the flow at a path."""
        run = Run(path, {"auth": f"$res:{RESOURCE}", **arguments})
        self.workspace.jobs[run.id] = Job(run.path, "flow", run.arguments, {})
        self._enqueue(run)
        return run

    def run(self, name: str, **arguments: object) -> Run:
        """Run a flow to its end, and whatever it started."""
        run = self.start(name, **arguments)
        self.work()
        return run

    def chat(self, name: str, memory: str, **arguments: object) -> Run:
        """Send a message to a flow for a chat and run it to its end."""
        run = self.start(name, **arguments)
        run.memory = memory
        said = self.conversations.setdefault(memory, [])
        said.append(("user", str(arguments["user_message"])))
        self.work()
        answer = run.result
        if isinstance(answer, dict) and "windmill_chat_answer" in answer:
            answer = answer["windmill_chat_answer"]
        if answer is not None:
            said.append(
                (
                    "assistant",
                    answer if isinstance(answer, str) else json.dumps(answer, indent=2),
                )
            )
        return run

    def work(self, until: float = float("inf")) -> None:
        """Let everything run, up to a time of the engine's clock."""
        while self.waiting and self.waiting[0][0] <= until:
            at, _, run = heapq.heappop(self.waiting)
            self._pass(at - self.now)
            if run.outcome is None:
                self._turn(run)
        if until != float("inf"):
            self._pass(until - self.now)

    def cancel(self, run: Run) -> None:
        """Cancel a flow as its page does."""
        error = {"name": "Canceled", "message": "Job canceled: no longer wanted by ada"}
        self._end(run, "cancelled", {"error": error})

    # --- time ----------------------------------------------------------------------

    def _enqueue(self, run: Run) -> None:
        run.started = self.now
        run.work = self._flow(run)
        self.runs.append(run)
        self._wait(run, 0)

    def _wait(self, run: Run, seconds: float) -> None:
        heapq.heappush(self.waiting, (self.now + seconds, next(self.order), run))

    def _pass(self, seconds: float) -> None:
        if seconds > 0:
            self.now += seconds
            self.advance(seconds)

    def _turn(self, run: Run) -> None:
        """Let a flow work until it sleeps or ends."""
        try:
            seconds = next(run.work)
        except StopIteration as stop:
            end = stop.value
            self._end(run, "success" if end.success else "failure", end.result)
        else:
            self._wait(run, seconds)

    def _end(self, run: Run, outcome: str, result: object) -> None:
        run.outcome, run.result, run.ended = outcome, result, self.now
        if run.work is not None:
            run.work.close()
        job = self.workspace.jobs.get(run.id)
        if job is not None:
            job.success, job.result = outcome == "success", result
            job.done.set()
        run.done.set()

    # --- flows ---------------------------------------------------------------------

    def _flow(self, run: Run) -> Iterator[float]:
        value = self.values[run.path]
        results: dict[str, object] = {}
        handler = value.get("failure_module")
        return self._frame(run, value["modules"], run.arguments, results, handler)

    def _frame(
        self,
        run: Run,
        modules: list[dict],
        arguments: dict,
        results: dict,
        handler: dict | None,
    ) -> Iterator[float]:
        """A flow job: the whole flow, one round of a loop, a branch."""
        self.jobs += 1
        previous: object = arguments
        for number, module in enumerate(modules):
            place = {"flow_input": arguments, "results": results}
            place["previous_result"] = previous
            before = modules[number - 1] if number else {}
            try:
                if "sleep" in before:
                    yield self._seconds(before["sleep"], previous, arguments)
                if "suspend" in before:
                    place |= yield from self._suspended(before["suspend"], previous)
                end = yield from self._module(run, module, place, handler)
            except StepError as failure:
                result = json.loads(json.dumps(failure.result))
                if module.get("continue_on_error") and number < len(modules) - 1:
                    results[module["id"]] = previous = result
                    continue
                if module.get("continue_on_error") or failure.handled:
                    return End(False, result, handled=failure.handled)
                if handler is None:
                    return End(False, result)
                end = yield from self._handle(run, handler, place, result)
                return end
            except ExpressionError as error:
                # Windmill gives such a flow up at once.
                words = {"name": "ExecutionErr", "message": str(error)}
                return End(False, {"error": words}, handled=True)
            previous = results[module["id"]] = end.result
            if end.stopped or self._stops(module, end.result, arguments):
                return End(True, end.result, stopped=True)
        return End(True, previous)

    def _handle(
        self, run: Run, handler: dict, place: dict, result: object
    ) -> Iterator[float]:
        place = {**place, "previous_result": result}
        try:
            end = yield from self._module(run, handler, place, None)
        except StepError as failure:
            return End(False, failure.result, handled=True)
        recovered = isinstance(end.result, dict) and end.result.get("recover") is True
        return End(recovered, end.result, handled=True)

    def _stops(self, module: dict, result: object, arguments: dict) -> bool:
        if "stop_after_if" not in module or module["value"]["type"] in LOOPS:
            return False
        return self._holds(module["stop_after_if"]["expr"], result, arguments)

    def _holds(self, text: str, result: object, arguments: dict) -> bool:
        place = {"result": result, "previous_result": result, "flow_input": arguments}
        return evaluate(f"Boolean({text})", place)

    def _seconds(self, sleep: dict, result: object, arguments: dict) -> float:
        place = {"result": result, "previous_result": result, "flow_input": arguments}
        found = self._value(sleep, place)
        number = isinstance(found, int | float) and not isinstance(found, bool)
        if not number or found < 0:
            raise ExpressionError(f"Expected an integer, found: {found!r}")
        return found

    def _suspended(self, suspend: dict, links: dict) -> Iterator[float]:
        """Wait for an answer; what it leaves for the next step."""
        job = links["resume"].split("/jobs_u/resume/")[1].split("/")[0]
        self.decide(links)
        answers = [a for a in self.workspace.resumed if a["job"] == job]
        if not answers:
            yield suspend.get("timeout", APPROVAL_SECONDS)
            problem = {"message": "Timed out waiting to be resumed"}
            problem["name"] = "SuspendedTimedOut"
        elif answers[0]["action"] == "cancel":
            problem = {"message": "Disapproved by ada", "name": "SuspendedDisapproved"}
        else:
            payload = answers[0]["payload"]
            return {"resume": payload, "resumes": [payload], "approvers": ["ada"]}
        if not suspend.get("continue_on_disapprove_timeout"):
            raise StepError({"error": problem})
        said = {"error": problem}
        return {"resume": said, "resumes": [said], "approvers": []}

    def _module(
        self, run: Run, module: dict, place: dict, handler: dict | None
    ) -> Iterator[float]:
        skip = module.get("skip_if")
        if skip and evaluate(f"Boolean({skip['expr']})", place):
            return End(True, place["previous_result"])
        tries = 0
        while True:
            try:
                end = yield from self._try(run, module, place, handler)
                return end
            except StepError as failure:
                pause = self._retry(module, tries, failure.result)
                if pause is None:
                    raise
            tries += 1
            yield pause

    def _retry(self, module: dict, tries: int, result: object) -> float | None:
        retry = module.get("retry", {})
        if "retry_if" in retry:
            place = {"result": result, "previous_result": result}
            if not evaluate(f"Boolean({retry['retry_if']['expr']})", place):
                return None
        constant, growing = retry.get("constant"), retry.get("exponential")
        if constant and tries < constant["attempts"]:
            return constant["seconds"]
        if growing and tries < growing["attempts"]:
            return growing["multiplier"] * growing["seconds"] ** (tries + 1)
        return None

    def _try(
        self, run: Run, module: dict, place: dict, handler: dict | None
    ) -> Iterator[float]:
        value = module["value"]
        kind = value["type"]
        self.jobs += kind in ("identity", "script", "rawscript", "aiagent")
        if kind == "identity":
            return End(True, place["previous_result"])
        if kind == "script":
            arguments = self._inputs(value, place)
            return End(True, self._execute(run, module, value["path"], arguments))
        if kind == "rawscript":
            arguments = self._inputs(value, place)
            name = f"{run.path}/{module['id']}"
            return End(True, self._execute(run, module, name, arguments))
        if kind == "aiagent":
            return End(True, self._agent(run, module, place))
        if kind == "flow":
            inner = Run(value["path"], self._inputs(value, place), id=run.id)
            inner.calls = run.calls
            end = yield from self._flow(inner)
            if not end.success:
                raise StepError(end.result)
            return End(True, end.result)
        if kind == "branchone":
            end = yield from self._branch(run, value, place, handler)
            return end
        end = yield from self._loop(run, module, place, handler)
        return end

    def _branch(
        self, run: Run, value: dict, place: dict, handler: dict | None
    ) -> Iterator[float]:
        chosen = value["default"]
        for branch in value["branches"]:
            if evaluate(f"Boolean({branch['expr']})", place):
                chosen = branch["modules"]
                break
        if not chosen:
            return End(True, [])
        inputs, results = place["flow_input"], place["results"]
        end = yield from self._frame(run, chosen, inputs, results, handler)
        if not end.success:
            raise StepError(end.result, end.handled)
        return end

    def _loop(
        self, run: Run, module: dict, place: dict, handler: dict | None
    ) -> Iterator[float]:
        value, done = module["value"], []
        if value["type"] == "whileloopflow":
            items: Iterator = itertools.count()
        else:
            items = iter(self._value(value["iterator"], place))
        for index, item in enumerate(items):
            inputs = dict(place["flow_input"])
            if "iter" in inputs:
                inputs["iter_parent"] = inputs["iter"]
            inputs["iter"] = {"index": index, "value": item}
            steps, results = value["modules"], place["results"]
            end = yield from self._frame(run, steps, inputs, results, handler)
            done.append(end.result)
            if not end.success and not value.get("skip_failures"):
                alone = value["type"] == "whileloopflow"
                raise StepError(end.result if alone else done, end.handled)
            stop = module.get("stop_after_if")
            if end.stopped or (
                stop and self._holds(stop["expr"], end.result, place["flow_input"])
            ):
                break
        return End(True, done)

    # --- steps ---------------------------------------------------------------------

    def _inputs(self, value: dict, place: dict) -> dict:
        given = value.get("input_transforms", {}).items()
        return {name: self._value(transform, place) for name, transform in given}

    def _value(self, transform: dict, place: dict) -> object:
        if transform["type"] == "static":
            return transform["value"]
        return evaluate(transform["expr"], place)

    def _execute(self, run: Run, module: dict, path: str, arguments: dict) -> object:
        """Run a script as a job of the flow."""
        step = path.removeprefix(f"{FOLDER}/")
        environment = self._environment(run, module, path)
        self.workspace.arguments = json.loads(json.dumps(arguments))
        started = time.monotonic()
        given = None
        try:
            secrets = self.workspace.secrets(self.resources)
            given = secrets.arguments(json.loads(json.dumps(arguments)))
        except UnresolvedError as problem:
            words = {"name": "NotFound", "message": str(problem)}
            success, result = False, {"error": {**words, "step_id": module["id"]}}
        else:
            if module["value"]["type"] == "rawscript":
                success, result = run_raw(module["value"], given, environment)
            else:
                success, result = self._work(step, given, environment)
        seconds = time.monotonic() - started
        call = Call(step, arguments, self.now, seconds, success, result, given)
        run.calls.append(call)
        self.tell(call)
        self._gather()
        if not success:
            raise StepError(result)
        return result

    def _agent(self, run: Run, module: dict, place: dict) -> dict:
        """Run Windmill's step for AI agents; what it returns."""
        value, name = module["value"], module["id"]
        secrets = self.workspace.secrets(self.resources)
        given = secrets.arguments(json.loads(json.dumps(self._inputs(value, place))))
        memory = (given.get("memory") or {}).get("kind") == "auto" and run.memory
        kept = self.memories.get((run.memory or "", name), []) if memory else []
        told = given.get("system_prompt")
        messages = [{"role": "system", "content": told}] if told else []
        messages += kept[-given["memory"]["context_length"] :] if kept else []
        messages.append({"role": "user", "content": given["user_message"]})
        agent = Agent(given["provider"], [self._offer(t) for t in value["tools"]])
        tools = {tool["summary"]: tool for tool in value["tools"]}
        for _ in range(given.get("max_iterations") or 10):
            said = agent.ask(messages, name)
            if said.get("content"):
                text = {"role": "assistant", "content": said["content"]}
                messages.append({**text, "agent_action": {"type": "message"}})
                if run.memory:
                    self.conversations[run.memory].append(
                        ("assistant", said["content"])
                    )
            if not said.get("tool_calls"):
                break
            messages.append({"role": "assistant", "tool_calls": said["tool_calls"]})
            for call in said["tool_calls"]:
                tool = tools.get(call["function"]["name"])
                if tool is None:
                    words = f"Tool not found: {call['function']['name']}"
                    raise StepError(_internal(words, name))
                messages.append(self._called(run, tool, call, place))
        else:
            words = "AI agent reached max iterations, you can increase max_iterations"
            error = _internal(words, name)
            error["error"]["result"] = {"messages": messages}
            raise StepError(error)
        if memory:
            bare = [
                {k: v for k, v in m.items() if k != "agent_action"} for m in messages
            ]
            own = [message for message in bare if message["role"] != "system"]
            self.memories[run.memory, name] = own
        output = messages[-1].get("content", "")
        return {"output": output, "messages": messages, "usage": agent.usage}

    def _offer(self, tool: dict) -> dict:
        """A tool as the model is offered it: the stored schema, as it is."""
        value = tool["value"]
        step = find(value["path"].removeprefix(f"{FOLDER}/"))
        schema = json.loads(json.dumps(form(step)))
        for name in value["input_transforms"]:
            schema["properties"].pop(name, None)
            if name in schema["required"]:
                schema["required"].remove(name)
        name = tool["summary"]
        function = {"name": name, "description": name, "parameters": schema}
        return {"type": "function", "function": function}

    def _called(self, run: Run, tool: dict, call: dict, place: dict) -> dict:
        """Run a tool as the model calls it; the message that tells the model."""
        value = {**tool["value"], "type": "script"}
        given = json.loads(call["function"]["arguments"] or "{}")
        given |= self._inputs(value, place)
        try:
            result = self._execute(run, {**tool, "value": value}, value["path"], given)
        except StepError as failure:
            # The model is told the bare error, with its stack and without the step.
            result = {**failure.result["error"], "stack": ""}
            result.pop("step_id", None)
        action = {"type": "tool_call", "module_id": tool["id"]}
        action |= {"job_id": str(uuid.uuid4()), "function_name": tool["summary"]}
        said = {"role": "tool", "content": json.dumps(result)}
        return {**said, "tool_call_id": call["id"], "agent_action": action}

    def _work(self, step: str, given: dict, environment: dict[str, str]) -> tuple:
        if self.in_worker:
            job = job_runner.run(step, given, environment=environment)
            return not job.failed, job.result
        return call_script(step, given, environment)

    def _gather(self) -> None:
        """Wait for the flows that a step started to be in the queue."""
        with self.lock:
            mine = {run.id for run in self.runs}
            wanted = [
                name
                for name, job in self.workspace.jobs.items()
                if job.kind == "flow" and name not in mine
            ]
            self.lock.wait_for(lambda: self.spawned >= len(wanted), 10)

    def _environment(self, run: Run, module: dict, path: str) -> dict[str, str]:
        self.workspace.job_id = str(uuid.uuid4())
        self.workspace.flow_job_id = run.id
        return {
            **self.workspace.environment,
            "WM_JOB_PATH": path,
            "WM_FLOW_STEP_ID": module["id"],
            "WM_STATE_PATH": state_path(run.path, module["id"]),
        }


LOOPS = ("forloopflow", "whileloopflow")
ELDER = "https://api.together.xyz/v1"  # where Windmill asks without a base_url


class Agent:
    """The model behind a step for AI agents: asked as Windmill asks it."""

    def __init__(self, provider: dict, tools: list[dict]) -> None:
        self.model, self.tools = provider["model"], tools
        key, base = (
            provider["resource"]["api_key"],
            provider["resource"].get("base_url"),
        )
        self.url = f"{base or ELDER}/chat/completions"
        self.headers = {"Authorization": f"Bearer {key}"}
        self.usage: dict[str, int] = {}

    def ask(self, messages: list[dict], step: str) -> dict:
        """What it says: content, tool_calls. Raises StepError."""
        body = {"model": self.model, "stream": True}
        body["messages"] = [
            {k: v for k, v in message.items() if k != "agent_action"}
            for message in messages
        ]
        body |= {"tools": self.tools} if self.tools else {}
        body["stream_options"] = {"include_usage": True}
        reply = requests.post(self.url, json=body, headers=self.headers, timeout=60)
        if reply.status_code >= 300:
            words = f"API error: HTTP status {reply.status_code} - {reply.text}"
            raise StepError(_internal(words, step))
        text, calls = "", {}
        for data, _ in Events([reply.content]):
            if data == "[DONE]":
                continue
            part = json.loads(data)
            for kind, own in USAGE.items():
                count = (part.get("usage") or {}).get(own, 0)
                if count:
                    self.usage[kind] = self.usage.get(kind, 0) + count
            delta = (part.get("choices") or [{}])[0].get("delta") or {}
            text += delta.get("content") or ""
            for piece in delta.get("tool_calls") or ():
                call = calls.setdefault(piece["index"], {"id": "", "type": "function"})
                call["id"] = call["id"] or piece.get("id") or ""
                function = call.setdefault("function", {"name": "", "arguments": ""})
                for word in function:
                    function[word] += (piece.get("function") or {}).get(word) or ""
        return {"content": text, "tool_calls": list(calls.values())}


USAGE = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens"}


def _internal(words: str, step: str) -> dict:
    error = {"name": "ExecutionErr", "message": words, "step_id": step}
    return {"error": error}


def call_script(
    step: str, arguments: dict, environment: dict[str, str]
) -> tuple[bool, object]:
    """Call a script's main in this process: (success, Windmill's result)."""
    main = importlib.import_module(f"scripts.{step.replace('/', '.')}").main
    given = {}
    for name, parameter in inspect.signature(main).parameters.items():
        if arguments.get(name) is not None or parameter.default in (
            None,
            inspect.Parameter.empty,
        ):
            given[name] = arguments.get(name)
    try:
        with (
            environment_of(environment),
            open(os.devnull, "w") as nothing,
            contextlib.redirect_stdout(nothing),
        ):
            result = main(**json.loads(json.dumps(given)))
        return True, json.loads(json.dumps(result, default=str))
    except Exception as error:  # whatever a script raises is its job's error
        words = {"name": type(error).__name__, "message": str(error)}
        words["step_id"] = environment["WM_FLOW_STEP_ID"]
        if vars(error):
            words["extra"] = vars(error)
        return False, json.loads(json.dumps({"error": words}, default=str))
