"""What must hold for every flow and schedule, without running it."""

import ast
import json
import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from pathlib import Path

import jsonschema

from tools.checks.flow_shape import SCHEDULE, misshapen
from tools.checks.schema_checks import member_problems
from tools.flows import expressions
from tools.flows.flow_source import LONGEST, all_written
from tools.flows.pack_flows import (
    LOOPS,
    Flow,
    Schedule,
    agent_tools,
    is_flow,
    modules,
    parts,
    readable,
    returned,
    schedules,
    taken,
    target,
    unreadable,
)
from tools.operations import ROOT
from tools.pages import recipes
from tools.pages.samples import recorded
from tools.schemas.form_visibility import hints
from tools.schemas.schema_words import (
    MISSHAPEN,
    in_words,
    misfit,
    place,
    senseless,
    unfit,
)
from tools.target_folder import FOLDER

PLAIN = ("summary", "description", "needs", "costs", "leaves")
SOURCE = {*PLAIN, "arguments", "value"}
MODULE = {
    "id",
    "summary",
    "value",
    "stop_after_if",
    "skip_if",
    "sleep",
    "timeout",
    "retry",
    "suspend",
    "continue_on_error",
}
VALUES = {
    "script": {"path", "input_transforms", "is_trigger"},
    "flow": {"path", "input_transforms"},
    "rawscript": {"language", "content", "input_transforms"},
    "identity": set(),
    "forloopflow": {
        "iterator",
        "skip_failures",
        "parallel",
        "parallelism",
        "modules",
    },
    "whileloopflow": {"skip_failures", "modules"},
    "branchone": {"branches", "default"},
    "branchall": {"branches", "parallel"},
    "aiagent": {"input_transforms", "tools", "omit_output_from_conversation"},
}
# What Windmill's step for AI agents takes; it asks for the first three.
AGENT = ("provider", "user_message", "output_type", "system_prompt", "memory")
AGENT = (*AGENT, "max_iterations", "streaming", "output_schema", "user_attachments")
NEEDED = 3
TOOL = {"id", "path", "input_transforms"}
TOOL_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")
GIVEN = "{type: static, value: ...} or {type: javascript, expr: ...}"
RESERVED = {"failure", "preprocessor", "Input"}
# What an expression may use, by its place; Windmill sets nothing else there.
STEP = {"flow_input", "results", "previous_result", "resume", "resumes", "approvers"}
AFTER = {"flow_input", "result", "previous_result"}
CRON = re.compile(r"[\d*/,-]+ [\d*/,-]+ [\d*/,-]+ [\d*/,?-]+ [\d*/,-]+ [\d*/,?-]+")


def flow_problems(root: Path = ROOT, sound: bool = True) -> Iterator[tuple[Path, str]]:
    """Every problem of the flows and schedules: the file, and what is wrong.

    sound   whether all schemas are: else what a flow runs may make no sense
    """
    try:
        broken = list(unreadable(root))
    except (ValueError, KeyError) as error:  # of what all of them share
        yield root / "flows", f"cannot be read: {error}"
        return
    yield from broken
    wrong = len(broken)
    found = list(readable(root))
    for flow in found:
        for problem in _flow(flow, sound):
            wrong += 1
            yield flow.path, f"{flow.name}: {problem}"
    yield from _untested(found, root)
    yield from _recipes(root, sound)
    for schedule in schedules(root):
        try:
            shaped = list(misshapen(schedule.source, SCHEDULE))
        except ValueError as error:
            yield schedule.path, f"cannot be read: {error}"
            continue
        for problem in shaped:
            yield schedule.path, problem
        try:
            for problem in () if shaped else _schedule(schedule):
                yield schedule.path, problem
        except MISSHAPEN as error:
            if sound and not wrong:  # else what it runs tells why
                yield schedule.path, senseless(error)


def _recipes(root: Path, sound: bool) -> Iterator[tuple[Path, str]]:
    yield from recipes.unreadable(root)
    for recipe in recipes.readable(root):
        for problem in _flow(recipe, sound):
            yield recipe.path, problem
        if "gives" not in recipe.source:
            yield recipe.path, "gives is missing"


def _flow(flow: Flow, sound: bool) -> list[str]:
    """Everything that is wrong with a flow, also with one that makes no sense."""
    found = list(misshapen(flow.source))
    sound = sound and not found
    try:
        for problem in _source(flow):
            found.append(problem)
    except MISSHAPEN as error:
        if sound:
            found.append(senseless(error))
    if _walkable(flow):
        found += _Walk(flow, sound).problems()
    return list(dict.fromkeys(found))


def _ends_without_words(flow: Flow) -> bool:
    """Whether nobody says what a flow returns; one that is no flow yet is told so."""
    try:
        return not returned(flow)
    except (KeyError, IndexError, TypeError, AttributeError):
        return False


def _source(flow: Flow) -> Iterator[str]:
    source = flow.source
    more = ("remove", *(recipes.WORDS if flow.recipe else ("returns",)))
    needed = SOURCE if flow.inner else {*SOURCE, "remove"}
    for name in sorted(needed - source.keys()):
        yield f"{name} is missing"
    for name in sorted(source.keys() - SOURCE - {*more}):
        yield f"{name} is unknown"
    if not (flow.inner or flow.recipe) and _ends_without_words(flow):
        yield "returns is missing: what comes back, as its last step only passes it on"
    for name in (*PLAIN, "remove", "returns"):
        text = source.get(name, "")
        if not isinstance(text, str) or not text.isascii():
            yield f"{name} must be plain text"
    if "arguments" in source:
        yield from _arguments(flow)
    if "value" not in source:
        return
    if "failure_module" in source["value"] and flow.inner:
        yield "an inner flow has no failure_module: the outer one's would not run"
    for expr in all_written(source["value"]):
        if len(expr) > LONGEST:
            yield f"an expression is longer than {LONGEST}: {expr[:60]}"
    try:
        flow.value  # noqa: B018, is spelled out
    except ValueError as error:
        yield str(error)


def _arguments(flow: Flow) -> Iterator[str]:
    schema = flow.schema
    rules = _rules(flow.root)
    written = schema.get("properties", {})
    for name, member in written.items():
        where = f"arguments.properties.{name}"
        for error in rules.iter_errors(member):
            inner = place(error.absolute_path)
            for what in in_words(error):
                yield f"{where}{'.' if inner else ''}{inner}: {what}"
        yield from member_problems(where, member)
    names = list(written)
    if sorted(names, key=lambda name: name not in flow.required) != names:
        yield "arguments: required ones come first"
    if len(schema.get("examples", [])) < 2 and not flow.recipe:
        yield "arguments: two examples are needed, the least and the most"
    listed = flow.required if isinstance(flow.required, list) else []
    for name in listed:
        if name not in written:
            yield f"arguments.required: there is no argument {name}"
    required = [name for name in listed if name in written]
    for number, example in enumerate(schema.get("examples", [])):
        where = f"arguments.examples[{number}]"
        yield from unfit(example, flow.arguments, required, where)


def _walkable(flow: Flow) -> bool:
    """Whether a flow's modules can be gone through."""
    try:
        return "modules" in flow.value and isinstance(flow.arguments, dict)
    except MISSHAPEN:
        return False


TESTS = "tests/test_flows.py"


def _untested(found: list[Flow], root: Path) -> Iterator[tuple[Path, str]]:
    """Every flow that people start has two cases at least, one of them in every way."""
    file = root / TESTS
    if not file.exists():
        return
    tests = [
        node
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    ]
    for flow in found:
        name = f"test_{flow.name}_"
        cases = [node for node in tests if node.name.startswith(name)]
        marks = {ast.unparse(mark) for node in cases for mark in node.decorator_list}
        if flow.inner:
            continue
        if len(cases) < 2:
            yield file, f"the flow {flow.name} needs two cases {name}..., at least"
        elif "started_in_every_way" not in marks:
            words = f"one case {name}... at least is @started_in_every_way"
            yield file, f"of the flow {flow.name}, {words}"


@cache
def _rules(root: Path) -> jsonschema.Draft202012Validator:
    """The rules for one argument, as schemas/_operation.json has them."""
    rules = json.loads((root / "schemas" / "_operation.json").read_text())
    return jsonschema.Draft202012Validator(
        {"$ref": "#/$defs/member", "$defs": rules["$defs"]}
    )


class _Walk:
    """One flow's modules in the order in which they run, and what each can see."""

    def __init__(self, flow: Flow, sound: bool) -> None:
        self.flow = flow
        self.sound = sound  # of its shape; else that is told already
        self.found: list[str] = []
        self.at = "value"  # the step that is looked at

    def problems(self) -> list[str]:
        try:
            self.walk()
        except MISSHAPEN as error:
            if self.sound:
                self.found.append(f"{self.at}: {senseless(error)}")
        return self.found

    def walk(self) -> None:
        ids = [module.get("id") for module in modules(self.flow.value)]
        ids += [tool.get("id") for tool in agent_tools(self.flow.value)]
        for name in sorted({str(name) for name in ids if ids.count(name) > 1}):
            self.found.append(f"the id {name} is there twice")
        self.sequence(self.flow.value["modules"], set(), False)
        handler = self.flow.value.get("failure_module")
        if handler:
            if handler.get("id") != "failure":
                self.found.append("the id of failure_module must be failure")
            everything = {name for name in ids if name != "failure"}
            self.module(handler, everything, False, {*STEP, "error"})

    def sequence(self, listed: list[dict], seen: set[str], looped: bool) -> None:
        seen = set(seen)
        asked = False
        for module in listed:
            allowed = STEP if asked else STEP - {"resume", "resumes", "approvers"}
            self.module(module, seen, looped, allowed)
            seen.add(module["id"])
            asked = "suspend" in module

    def module(
        self, module: dict, seen: set[str], looped: bool, allowed: set[str]
    ) -> None:
        name, value = str(module.get("id")), module.get("value", {})
        self.at = name
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            self.found.append(f"{name}: the id must be a name in lower case")
        if name in RESERVED and "failure" not in name:
            self.found.append(f"{name} is a reserved id")
        for key in sorted(module.keys() - MODULE):
            self.found.append(f"{name}: {key} is unknown")
        if not module.get("summary"):
            self.found.append(f"{name} has no summary")
        kind = value.get("type")
        if kind not in VALUES:
            self.found.append(f"{name}: {kind!r} is no kind of step here")
            return
        for key in sorted(value.keys() - VALUES[kind] - {"type"}):
            self.found.append(f"{name}: {key} is unknown")
        if kind == "rawscript" and not self.flow.recipe:
            self.found.append(f"{name}: only recipes have scripts within")
        self.settings(name, module, looped, seen, allowed)
        if kind == "rawscript":
            for argument, transform in value.get("input_transforms", {}).items():
                place = f"{name}.{argument}"
                self.transform(place, transform, seen, looped, allowed)
        if kind in ("script", "flow"):
            self.call(name, value, seen, looped, allowed)
        if kind == "aiagent":
            self.agent(name, value, seen, looped, allowed)
        if "iterator" in value:
            self.transform(f"{name}.iterator", value["iterator"], seen, looped, allowed)
        for branch in value.get("branches", ()):
            if kind == "branchone":
                place = f"{name}.branches"
                self.expression(place, branch["expr"], seen, looped, allowed)
            if not branch.get("summary"):
                self.found.append(f"{name}: a branch has no summary")
        for inner in parts(module):
            self.sequence(inner, seen, looped or kind in LOOPS)

    def settings(
        self,
        name: str,
        module: dict,
        looped: bool,
        seen: set[str],
        allowed: set[str],
    ) -> None:
        if "sleep" in module:
            self.transform(f"{name}.sleep", module["sleep"], set(), looped, AFTER)
        if "stop_after_if" in module:
            place, expr = f"{name}.stop_after_if", module["stop_after_if"]["expr"]
            self.expression(place, expr, set(), looped, AFTER)
        if "skip_if" in module:
            expr = module["skip_if"]["expr"]
            self.expression(f"{name}.skip_if", expr, seen, looped, allowed)
        retry = module.get("retry", {})
        if "retry_if" in retry:
            expr = retry["retry_if"]["expr"]
            self.expression(f"{name}.retry_if", expr, set(), looped, AFTER)
        handled = "continue_on_disapprove_timeout"
        if "suspend" in module and not module["suspend"].get(handled):
            self.found.append(f"{name}.suspend: a refusal is not handled ({handled})")

    def call(
        self,
        name: str,
        value: dict,
        seen: set[str],
        looped: bool,
        allowed: set[str],
    ) -> None:
        """A step that runs a script or a flow passes what that takes."""
        path = value.get("path", "")
        try:
            called = target(path, self.flow.root)
        except ValueError:  # its own file is told
            return
        except KeyError:
            self.found.append(f"{name}: there is no {path}{_near(path, self.flow)}")
            return
        if (value["type"] == "flow") != isinstance(called, Flow) or called.id != path:
            words = "" if called.id == path else f"; write {called.id}"
            what = f"{path} is not of type {value['type']}{words}"
            self.found.append(f"{name}: {what}")
            return
        if isinstance(called, Flow) and agent_tools(called.value):
            words = "has an agent, whose tools would get this flow's arguments"
            self.found.append(f"{name}: {path} {words}")
        given = value.get("input_transforms", {})
        for argument in sorted(given.keys() - called.arguments.keys() - {"auth"}):
            self.found.append(f"{name}: {path} takes no {argument}")
        for argument in called.required:
            if argument not in given:
                self.found.append(f"{name}: {path} needs {argument}")
        for argument, transform in given.items():
            place = f"{name}.{argument}"
            self.transform(place, transform, seen, looped, allowed)
            member = called.arguments.get(argument)
            self.passed(place, transform, member or {})
            if member and isinstance(transform, dict) and "value" in transform:
                self.found += misfit(transform["value"], member, place)

    def agent(
        self,
        name: str,
        value: dict,
        seen: set[str],
        looped: bool,
        allowed: set[str],
    ) -> None:
        """Windmill's step for AI agents. A model is told a tool's name and arguments
        alone, so a text of the flow says what it is for."""
        given = value.get("input_transforms", {})
        for word in sorted(given.keys() - set(AGENT)):
            self.found.append(f"{name}: an agent takes no {word}")
        for word in AGENT[:NEEDED]:
            if word not in given:
                self.found.append(f"{name}: an agent needs {word}")
        for word, transform in given.items():
            self.transform(f"{name}.{word}", transform, seen, looped, allowed)
        if looped:
            self.found.append(f"{name}: within a loop its tools would know no results")
        said = _texts(self.flow.source["value"])
        for tool in value.get("tools", ()):
            place, path = f"{name}.{tool.get('id')}", tool.get("path", "")
            if tool.keys() - TOOL or not TOOL_NAME.fullmatch(str(tool.get("id"))):
                self.found.append(f"{place}: a tool is of {', '.join(sorted(TOOL))}")
                continue
            if not any(tool["id"] in text for text in said):
                self.found.append(f"{place}: no instructions say what it is for")
            self.tool(place, path, tool, seen, looped, allowed)

    def tool(
        self,
        place: str,
        path: str,
        tool: dict,
        seen: set[str],
        looped: bool,
        allowed: set[str],
    ) -> None:
        if is_flow(path):
            self.found.append(f"{place}: a tool is a script, Windmill refuses flows")
            return
        # What is required and not given the model gives.
        step = {"type": "script", "path": path}
        step["input_transforms"] = tool.get("input_transforms", {})
        before = len(self.found)
        self.call(place, step, seen, looped, allowed)
        needs = f"{place}: {path} needs "
        kept = [one for one in self.found[before:] if not one.startswith(needs)]
        self.found[before:] = kept

    def passed(self, place: str, transform: dict, member: dict) -> None:
        """What the flow passes on as it is: its default is the form's alone, so that
        who starts the flow without the form, and without the argument, gets the step's;
        a file may be given in the same ways."""
        if not isinstance(transform, dict):
            return
        text = str(transform.get("expr"))
        whole = re.fullmatch(r"flow_input\.(\w+)", text)
        own = self.flow.arguments.get(whole[1], {}) if whole else {}
        if "default" in own and own["default"] != member.get("default"):
            said = json.dumps(own["default"])
            self.found.append(f"{place}: without the form there is no {said}; write ??")
        # A table is handed on within an expression.
        names = sorted(set(re.findall(r"\bflow_input\.(\w+)", text)))
        files = [_ways(self.flow.arguments.get(name, {})) for name in names]
        ways = _ways(member)
        handed = [given for given in files if ways is not None and given is not None]
        if (own and _ways(own) != ways) or any(given != ways for given in handed):
            self.found.append(f"{place}: the step's form takes a file in other ways")

    def transform(
        self,
        place: str,
        transform: dict,
        seen: set[str],
        looped: bool,
        allowed: set[str],
    ) -> None:
        kind = transform.get("type") if isinstance(transform, dict) else None
        wanted = {"static": "value", "javascript": "expr"}.get(str(kind))
        if wanted is None or set(transform) != {"type", wanted}:
            self.found.append(f"{place}: must be {GIVEN}")
        elif kind == "javascript":
            self.expression(place, transform["expr"], seen, looped, allowed)

    def expression(
        self, place: str, text: str, seen: set[str], looped: bool, allowed: set[str]
    ) -> None:
        if not isinstance(text, str):
            self.found.append(f"{place}: an expression is text")
            return
        problem = expressions.problem(text)
        if problem:
            self.found.append(f"{place}: {problem} in `{text}`")
        for word in sorted(expressions.names(text) - allowed):
            self.found.append(f"{place}: there is no {word} here")
        for name in sorted(expressions.results_used(text) - seen):
            self.found.append(f"{place}: no step {name} comes before")
        for name, member in sorted(expressions.members_used(text)):
            if near := self.misspelt(name, member):
                self.found.append(
                    f"{place}: {name} returns no {member}; did you mean {near}?"
                )
        known = {*self.flow.arguments, "auth"} | ({"iter"} if looped else set())
        for name in sorted(expressions.inputs_used(text) - known):
            self.found.append(f"{place}: the flow has no argument {name}")

    def misspelt(self, name: str, member: str) -> str | None:
        """The member of a step's recorded result that is meant, where neither that nor
        the step's description has the name. More may come than was recorded, so only a
        near miss counts."""
        path = next(
            (
                module["value"].get("path")
                for module in modules(self.flow.value)
                if module.get("id") == name and module["value"].get("type") == "script"
            ),
            None,
        )
        result = _recorded(self.flow.root).get(path)
        if not isinstance(result, dict) or member in result:
            return None
        if member in re.findall(
            r"\w+", target(path, self.flow.root).schema["x-returns"]
        ):
            return None
        return next(iter(get_close_matches(member, list(result), 1, 0.7)), None)


@cache
def _recorded(root: Path) -> dict:
    return recorded(root)


def _near(path: str, flow: Flow) -> str:
    """What may have been meant."""
    close = get_close_matches(path.removeprefix(f"{FOLDER}/"), taken(flow.root), 1)
    return f"; did you mean {close[0]}?" if close else ""


def _texts(part: object) -> list[str]:
    """The texts of several words that are given to steps as they are."""
    if isinstance(part, dict):
        found = [text for inner in part.values() for text in _texts(inner)]
        value = part.get("value")
        return [*found, value] if isinstance(value, str) and " " in value else found
    if isinstance(part, list):
        return [text for inner in part for text in _texts(inner)]
    return []


def _ways(member: dict) -> list[str] | None:
    """By which buttons a file, or each of several, is given; None: it is no file."""
    file = member.get("items", member)
    return hints(file).get("give", []) if "x-file" in file else None


def _schedule(schedule: Schedule) -> Iterator[str]:
    source = schedule.source
    if not CRON.fullmatch(source["schedule"]):
        yield "schedule: six fields, seconds first, day of the week 0 to 6"
    try:
        called = target(source["runs"], schedule.root)
    except KeyError:
        yield f"runs: there is no {source['runs']}"
        return
    given = source.get("args", {})
    # Its resource is added to what it says.
    required = [name for name in called.required if name != "auth"]
    yield from unfit(given, called.arguments, required, "args")
