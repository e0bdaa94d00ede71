"""A step in which a model uses scripts and flows of the workspace as its tools."""

from __future__ import annotations

import itertools
import json
import re
import time

from ..catalog.budget import Budget, Clock
from ..catalog.model_choice import choose_model
from ..catalog.pricing import bill, prefetch
from ..chat_steps import CHAT, ask, parse_completion, refuses
from ..client import TogetherError, check_words, prepare
from ..client.job import log
from ..client.jsonio import is_deep, parse_json, storable
from ..client.references import is_word
from ..client.resource import credentials
from ..client.validate import TYPES, problem, ref_target
from ..json_schema.checker import check_schema, filled_in, problems, search
from ..json_schema.linear_regex import UnfitError, searcher
from ..workspace.jobs import own_arguments, run, script_schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..mcp_client import McpServer
    from ..shapes import AnySchema, Auth, Json, Members, Problem, Schema, Step


AT_ONCE = 4  # calls of one round
TOOL_SECONDS = 900.0
MOST_SCHEMA_BYTES = 32 << 10  # of a tool of a server: each question pays for it
DESCRIBED = 2000  # characters of what a server says of its tool
RESULT_LENGTH = 50_000  # characters of a result that the model is shown
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
DEEPEST = 60  # levels of what a model may give
REFUSED = (
    "holds a $ that Windmill would take for the name of a variable or resource: write "
    "it without the $"
)


def call_tools(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Let a model answer with the help of tools, in at most max_rounds rounds of calls.

    A tool is {"path", "kind": script or flow, "name", "description", "parameters": JSON
    Schema, "arguments": fixed ones that the model does not see}; what is not given is
    read from the script. It runs as a job of this workspace with this job's own rights.
    What the model gives must be among the tool's parameters at every depth, and nothing
    that Windmill would turn into a secret; else, and when a tool fails, the model is
    told so. After the last round the model answers without tools.

    Returns {"text", "note"?: that the model wanted to go on, or which tools
    of a server are left out, or that no call worked, "calls": [{"tool",
    "arguments", "result", "error", "seconds"}], "rounds", "messages", "usage",
    "cost_usd", "model", "finish_reason"}. Raises TogetherError; `partial` holds the
    same as far as it came.
    """
    given = prepare(step, arguments)
    check_words(given, "prompt")
    choose_model(auth, given, "tools")
    credentials(auth, CHAT["host"])  # a missing key is known before a tool is read
    left_out: list[str] = []
    tools = tools_of(step, given, left_out)
    notes = list(filter(None, [words_of(left_out)]))
    for note in notes:
        log(note)
    body = _body(given)
    messages = body["messages"]
    offered = [tool.offer() for tool in tools.values()]
    budget = Budget(given.get("budget_usd"))
    prefetch(auth)
    answers, calls, rounds = [], [], 0
    used: set[str] = set()
    clock = Clock(given.get("stop_after_seconds"))
    try:
        while True:
            clock.check()
            if rounds < given["max_rounds"]:
                answer = ask(auth, {**body, "tools": offered}, budget)
            else:
                log(f"{rounds} rounds are done: the model answers without tools")
                answer = last_answer(auth, body, offered, budget)
            answers.append(answer)
            found = parse_completion(answer)
            wanted = found["tool_calls"] if rounds < given["max_rounds"] else []
            message, wanted = message_of(answer, found["text"], wanted, rounds, used)
            messages.append(message)
            if not wanted:
                break
            rounds += 1
            clock.check()
            done = _round(rounds, wanted, tools, clock)
            calls += [entry for entry, _ in done]
            messages += [message for _, message in done]
    except TogetherError as error:
        costs = bill(auth, given["model"], answers)
        error.partial = {
            "calls": calls,
            "rounds": rounds,
            "messages": messages,
            **costs,
        }
        raise
    if found["tool_calls"]:
        notes.append("the model wanted more calls than max_rounds allows")
        log(notes[-1])
    notes += note_of_failed(calls)
    result = {
        "text": found["text"],
        **({"note": "; ".join(notes)} if notes else {}),
        "calls": calls,
        "rounds": rounds,
        "messages": messages,
        **bill(auth, given["model"], answers),
        "model": answer.get("model") or given["model"],
        "finish_reason": found["finish_reason"],
    }
    return with_text(result)


def _body(given: Members) -> Members:
    """Return the first question, to which the calls and what they gave are added."""
    messages = []
    if given.get("system"):
        messages.append({"role": "system", "content": given["system"]})
    messages.append({"role": "user", "content": given["prompt"]})
    body = {"model": given["model"], "messages": messages}
    if "max_tokens" in given:
        body["max_tokens"] = given["max_tokens"]
    return body


def note_of_failed(calls: list[Members]) -> list[str]:
    """Return the note that no call worked, as the answer does not show it; or none.

    Such an answer is one all the same: that there is no such order may be what a tool
    that fails has to say.
    """
    if not calls or any(call["error"] is None for call in calls):
        return []
    if len(calls) == 1:
        return ["the only call failed: the answer rests on no tool"]
    return [f"all {len(calls)} calls failed: the answer rests on no tool"]


def with_text(result: Members) -> Members:
    """Return a result whose model answered. Raises TogetherError, with the result in
    `partial`, where it gave no text."""
    if result["text"].strip():
        return result
    raise TogetherError(
        f"The model gave no text (finish_reason {result['finish_reason']}).",
        type="nothing_done",
        partial=result,
        advice="Allow longer messages: a model that thinks first may use them all up.",
    )


def last_answer(
    auth: Auth, body: Members, offered: list[Members], budget: Budget
) -> Json:
    """Ask without letting the model call a tool. They are in the request all the same:
    some services refuse a history of calls without; others know no choice of none."""
    try:
        return ask(auth, {**body, "tools": offered, "tool_choice": "none"}, budget)
    except TogetherError as error:
        if not refuses(error, "tool_choice"):
            raise
        return ask(auth, body, budget)


# --- the tools ---------------------------------------------------------------------


class Tool:
    """A script or flow that the model may call."""

    def __init__(self, given: Members, field: str) -> None:
        self.path = given["path"].strip()
        self.kind = given.get("kind", "script")
        self.fixed = given.get("arguments") or {}
        self.name = given.get("name") or _name(self.path)
        self.description = given.get("description")
        self.approval = given.get("approval") is True
        self.place = self.path
        self.parameters = filled_in(given.get("parameters"))
        if not NAME.fullmatch(self.name):
            raise TogetherError.refused(
                f"{field}.name", "must be of letters, digits, _ and -, at most 64"
            )
        try:
            found = script_schema(self.path, self.kind)
        except TogetherError as error:
            raise TogetherError.refused(
                f"{field}.path", f"cannot be used: {error}"
            ) from None
        if not self.description:
            texts = (found.get("summary"), found.get("description"))
            self.description = ". ".join(t.strip(" .") for t in texts if t)
        self.schema = _schema_of(found, f"{field}.path")
        if self.parameters:
            check_schema(self.parameters, f"{field}.parameters")
            for name in _resources(self.parameters, self.schema):
                raise TogetherError.refused(
                    f"{field}.parameters",
                    f"offers {name}, which is a resource: a model cannot choose one; "
                    "give it in arguments",
                )
        else:
            self.parameters = self.own(self.schema, field)

    def own(self, schema: Schema, field: str) -> Schema:
        """Return the parameters of the script itself, resources and fixed arguments
        left out: the first a model cannot give, the second it shall not."""
        required = schema.get("required") or []
        kept = {}
        for name, member in (schema.get("properties") or {}).items():
            if name in self.fixed:
                continue
            if not _is_resource(member):
                kept[name] = _plain(member)
            elif name in required:
                raise TogetherError.refused(
                    f"{field}.arguments",
                    f"needs {name}: {self.path} takes a resource, which a model cannot "
                    "give; write its path behind $res and a colon",
                )
        needed = [name for name in required if name in kept]
        return {"type": "object", "properties": kept, "required": needed}

    def without_nulls(self, given: Members) -> Members:
        """Leave out what a model gives as null and need not give: so models write that
        they give nothing."""
        needed = self.parameters.get("required") or ()
        alone = {**self.parameters, "required": []}
        return {
            name: value
            for name, value in given.items()
            if value is not None or name in needed or not problems({name: value}, alone)
        }

    def faults(self, given: Members) -> list[Problem]:
        """Return [{"field", "problem"}] of what a model gave and must not."""
        wrong = problems(given, self.parameters, "arguments")
        wrong += _strangers(given, [self.parameters], self.parameters, "arguments")
        wrong += _taken(given, self.schema, "arguments")
        wrong += _words(given, "arguments")
        return wrong

    def call(self, given: Members, seconds: float = TOOL_SECONDS) -> Json:
        """Run it as a job, cancelled after so many seconds, and return its result.
        Raises TogetherError."""
        return run(self.path, self.kind, {**given, **self.fixed}, seconds)

    def offer(self) -> Members:
        """Return the tool as a request offers it."""
        function = {"name": self.name, "parameters": self.parameters}
        if self.description:
            function["description"] = self.description
        return {"type": "function", "function": function}


class McpTool(Tool):
    """A tool of a server of the Model Context Protocol."""

    def __init__(
        self, server: McpServer, found: Members, given: Members, field: str
    ) -> None:
        self.server, self.own_name = server, str(found.get("name"))
        self.place = f"{self.own_name} of {server.field}"
        self.path, self.kind = "", "mcp"
        self.fixed = given.get("arguments") or {}
        before = f"{given['name']}_" if given.get("name") else ""
        self.name = _plain_name(before + self.own_name)
        words = found.get("description")
        self.description = words[:DESCRIBED] if isinstance(words, str) else None
        self.approval = given.get("approval") is True
        self.schema = {}
        parameters = found.get("inputSchema")
        parameters = parameters if isinstance(parameters, dict) else {"type": "object"}
        if len(json.dumps(parameters)) > MOST_SCHEMA_BYTES:
            problem = f"has more than {MOST_SCHEMA_BYTES >> 10} KiB"
            raise TogetherError.refused("inputSchema", problem)
        check_schema(parameters, "inputSchema")
        members = parameters.get("properties") or {}
        kept = {n: m for n, m in members.items() if n not in self.fixed}
        needed = [n for n in parameters.get("required") or () if n in kept]
        self.parameters = {**parameters, "properties": kept, "required": needed}

    def call(self, given: Members, seconds: float = TOOL_SECONDS) -> Json:
        return self.server.call(self.own_name, {**given, **self.fixed})


def tools_of(
    step: Step, given: Members, left_out: list[str] | None = None
) -> dict[str, Tool]:
    """Return the tools of a step's rows by their names. Raises TogetherError. A tool of
    a server that cannot be used is left out: `left_out` gets which, and why."""
    tools: dict[str, Tool] = {}
    for number, row in enumerate(_with_references(step, given["tools"])):
        field = f"tools[{number}]"
        for tool in _of_row(row, field, [] if left_out is None else left_out):
            if tool.name in tools:
                other = tools[tool.name].place
                raise TogetherError.refused(
                    f"{field}.name", f"{tool.name!r} is the tool {other} too"
                )
            tools[tool.name] = tool
    return tools


def _with_references(step: Step, rows: list[Members]) -> list[Members]:
    """Return the rows with their fixed arguments as they were given.

    Windmill has put the key itself in place of `$res:f/shop/key`, and whoever sees the
    tool's job would see it among its arguments: that job gets the reference.
    """
    if not any(row.get("path") and row.get("arguments") for row in rows):
        return rows
    own = own_arguments()
    if not own:
        return rows  # outside a job nothing is put in
    words = {name: own[name] for name in step["arguments"]["properties"] if name in own}
    try:
        written = prepare(step, words)["tools"]
    except TogetherError:
        written = []
    if len(written) != len(rows):
        problem = "must be the rows themselves: a reference to them shows keys"
        raise TogetherError.refused("tools", problem)
    fixed = [row.get("arguments") for row in written]
    return [
        {**row, "arguments": words} if words is not None and row.get("path") else row
        for row, words in zip(rows, fixed, strict=True)
    ]


def _of_row(row: Members, field: str, left_out: list[str]) -> list[Tool]:
    if bool(row.get("path")) == bool(row.get("mcp")):
        problem = "is required, or mcp: give one of them"
        raise TogetherError.refused(f"{field}.path", problem)
    if row.get("path"):
        return [Tool(row, field)]
    from ..mcp_client import McpServer  # only where such a server is given

    server = McpServer(row["mcp"], row.get("token"), f"{field}.mcp")
    tools: dict[str, Tool] = {}
    why: list[str] = []
    for found in server.tools():
        name = str(found.get("name"))[:NAMED]
        try:
            tool = McpTool(server, found, row, field)
        except TogetherError as error:
            why.append(f"{name} of {server.field} is left out: {error}"[:EXPLAINED])
            continue
        if tools.setdefault(tool.name, tool) is not tool:
            words = f"another is called {tool.name} too"
            why.append(f"{name} of {server.field} is left out: {words}")
    if why and not tools:
        raise TogetherError.refused(server.field, f"has no tool of use: {why[0]}")
    left_out += why
    return list(tools.values())


NAMED, EXPLAINED = 64, 400  # characters of a tool's name, and of why it is left out


def words_of(left_out: list[str]) -> str | None:
    """Return which tools were left out, for a result; None for none."""
    shown = left_out[:TOLD]
    if more := len(left_out) - len(shown):
        shown.append(f"and {more} more")
    return str(storable("; ".join(shown), [])) or None


TOLD = 5  # tools that are left out


def _name(path: str) -> str:
    return _plain_name(path.rsplit("/", 1)[-1])


def _plain_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)[:64] or "tool"


def _is_resource(member: Json) -> bool:
    """Say whether a property of Windmill's form takes a resource, or a list of them;
    an object in storage is none."""
    if not isinstance(member, dict):
        return False
    if "resourceType" in member:
        kind = f"resource-{member['resourceType']}"
    else:
        kind = str(member.get("format", ""))
    if kind.startswith("resource-"):
        return not kind.startswith(("resource-s3", "resource-S3"))
    return member.get("type") == "resource" or _is_resource(member.get("items"))


def _resources(parameters: Schema, schema: Schema) -> Iterator[str]:
    """Yield what parameters offer and is a resource, by itself or in the schema."""
    known = schema.get("properties") or {}
    for name, member in (parameters.get("properties") or {}).items():
        own = known.get(name)
        if _is_resource(member) or _is_resource(own):
            yield name
        elif isinstance(member, dict):
            own = own if isinstance(own, dict) else {}
            for inner in _resources(member, own):
                yield f"{name}.{inner}"
            rows = member.get("items")
            if isinstance(rows, dict):
                for inner in _resources(rows, own.get("items") or {}):
                    yield f"{name}[].{inner}"


def _plain(member: Json) -> Schema:
    """Return one property of Windmill's form as JSON Schema."""
    if not isinstance(member, dict):
        return {}
    found = {}
    for name, fits in _KEPT.items():
        if name in member and fits(member[name]):
            found[_STANDARD.get(name, name)] = member[name]
    kind = str(member.get("format", ""))
    if kind.startswith("dynselect"):
        found["type"] = "string"
    elif kind.startswith("dynmultiselect"):
        found |= {"type": "array", "items": {"type": "string"}}
    if isinstance(member.get("properties"), dict):
        found["properties"] = {
            n: _plain(p) for n, p in member["properties"].items() if not _is_resource(p)
        }
        if "required" in found:
            kept = [n for n in found["required"] if n in found["properties"]]
            found["required"] = kept
    if isinstance(member.get("items"), dict):
        found["items"] = _plain(member["items"])
    if isinstance(member.get("oneOf"), list) and member["oneOf"]:
        found["anyOf"] = [_plain(part) for part in member["oneOf"]]
    if "enum" in found:
        values = [v.get("value") if isinstance(v, dict) else v for v in found["enum"]]
        found["enum"] = values
    return found


def _compiles(pattern: Json) -> bool:
    try:
        return isinstance(pattern, str) and pattern != "" and bool(searcher(pattern))
    except UnfitError:  # JavaScript's, where it differs from Python's, or too slow
        return False


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# Of Windmill's form of a schema, what JSON Schema has too, and how it must look.
_STANDARD = {"min": "minimum", "max": "maximum"}
_KEPT = {
    "type": lambda kind: isinstance(kind, str) and kind in TYPES,
    "description": lambda text: isinstance(text, str) and text != "",
    "enum": lambda values: isinstance(values, list) and values != [],
    "required": lambda names: (
        isinstance(names, list) and all(isinstance(name, str) for name in names)
    ),
    "pattern": _compiles,
    "min": _is_number,
    "max": _is_number,
}


# --- one round ---------------------------------------------------------------------


THOUGHTS = ("reasoning", "reasoning_content", "reasoning_details")


def message_of(
    answer: Json, text: str, wanted: list[Json], rounds: int, used: set[str]
) -> tuple[Members, list[Members]]:
    """Return the assistant's message as any API takes it back, and its calls as the
    model wrote them.

    A service that checks the history refuses arguments that are no JSON object, odd
    names and ids that repeat: so those are mended in the message, and the answer to the
    call says what was wrong. `used` holds the ids so far, and gets these.
    """
    message: Members = {"role": "assistant", "content": text}
    calls, sent = [], []
    for number, call in enumerate(wanted):
        call = call if isinstance(call, dict) else {}
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        given, name = function.get("arguments"), function.get("name")
        given = given if isinstance(given, str) else json.dumps(given or {})
        name = name if isinstance(name, str) and name else "unnamed"
        known = call.get("id")
        if not isinstance(known, str) or not known or known in used:
            ids = (f"call_{rounds + 1}_{n}" for n in itertools.count(number + 1))
            known = next(one for one in ids if one not in used)
        used.add(known)
        whole = {"id": known, "index": number, "type": "function"}
        calls.append({**whole, "function": {"name": name, "arguments": given}})
        try:
            read = arguments_of(given)
            if not read or "NaN" in given or "Infinity" in given:  # of Python, no JSON
                given = json.dumps(parse_json(given.encode())[0] or {})
        except TogetherError:
            given = "{}"
        shown = {"name": _name(name), "arguments": given or "{}"}
        sent.append({**whole, "function": shown})
    if calls:
        message["tool_calls"] = sent
        theirs = answer["choices"][0]["message"]
        for name in THOUGHTS:  # models that think between calls want them back
            if theirs.get(name):
                message[name] = theirs[name]
    return message, calls


def _round(
    number: int, wanted: list[Members], tools: dict[str, Tool], clock: Clock
) -> list[tuple[Members, Members]]:
    """Carry out the calls of a round, a few at once; in their own order, return
    [(what the result tells of the call, the message that tells the model)]."""
    from concurrent.futures import ThreadPoolExecutor

    if len(wanted) == 1:
        return [_carry_out(number, wanted[0], tools, clock)]
    with ThreadPoolExecutor(min(AT_ONCE, len(wanted))) as pool:
        return list(
            pool.map(lambda call: _carry_out(number, call, tools, clock), wanted)
        )


def _carry_out(
    number: int, call: Members, tools: dict[str, Tool], clock: Clock
) -> tuple[Members, Members]:
    name, text = call["function"]["name"], call["function"]["arguments"]
    began = time.monotonic()
    given = result = None
    try:
        given = storable(arguments_of(text), [])
        tool, given = fitting_tool(name, given, tools)
        result = tool.call(given, min(TOOL_SECONDS, max(1.0, clock.left())))
        error = None
    except TogetherError as failure:
        error = str(failure)
    seconds = round(time.monotonic() - began, 3)
    outcome = f"failed: {error}" if error else f"answered {_short(result)}"
    log(f"round {number}: {name}({text[:300]}) {outcome} ({seconds} s)")
    entry = {
        "tool": name,
        "arguments": given if given is not None else storable(text, []),
        "result": result,
        "error": error,
        "seconds": seconds,
    }
    return entry, told(call["id"], result, error)


def fitting_tool(
    name: str, given: Members, tools: dict[str, Tool]
) -> tuple[Tool, Members]:
    """Return the tool that a model calls, and its arguments. Raises TogetherError, with
    what the model is to be told, where there is none or they do not fit."""
    tool = tools.get(name)
    if tool is None:
        known = ", ".join(tools)
        raise TogetherError(f"there is no tool {name!r}; there are {known}")
    given = tool.without_nulls(given)
    wrong = tool.faults(given)
    if wrong:
        listed = "; ".join(f"{p['field']} {p['problem']}" for p in wrong[:10])
        raise TogetherError(f"the arguments do not fit: {listed}")
    return tool, given


def told(call: str, result: Json, error: str | None) -> Members:
    """Return the message that tells a model what its call gave, or why it failed."""
    shown = {"error": error} if error else result
    content = shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)
    if len(content) > RESULT_LENGTH:
        left = len(content) - RESULT_LENGTH
        content = f"{content[:RESULT_LENGTH]}... ({left} more characters left out)"
    return {"role": "tool", "tool_call_id": call, "content": content}


def arguments_of(text: str) -> Members:
    """Return the arguments that a model wrote. Raises TogetherError for no object."""
    try:
        given = json.loads(text, strict=False) if text.strip() else {}
    except (ValueError, RecursionError):
        raise TogetherError("the arguments are not JSON") from None
    if given is None:  # so some models write that a tool takes none
        return {}
    if not isinstance(given, dict):
        raise TogetherError("the arguments must be a JSON object")
    if text.count("[") + text.count("{") > DEEPEST and is_deep(given, DEEPEST):
        raise TogetherError("the arguments are nested too deeply")
    return given


def _strangers(
    value: Json,
    schemas: Iterable[AnySchema],
    root: AnySchema,
    field: str,
    depth: int = 0,
) -> Iterator[Problem]:
    """Yield the problem of each member that no schema names.

    The schemas are those by which a value may be; an object for which none names a
    member is free, save for the names that Windmill keeps for itself.
    """
    if depth > DEEPEST:
        yield problem(field, "is nested too deeply")
        return
    parts = _branches(schemas, root)
    if isinstance(value, list):
        for number, item in enumerate(value):
            rows = [part["items"] for part in parts if "items" in part]
            rows += [r for part in parts for r in part.get("prefixItems", ())]
            yield from _strangers(item, rows, root, f"{field}[{number}]", depth + 1)
    if not isinstance(value, dict):
        return
    named = [part["properties"] for part in parts if "properties" in part]
    patterns = [p for part in parts for p in part.get("patternProperties", {}).items()]
    more = [part["additionalProperties"] for part in parts if _says_more(part)]
    free = not (named or patterns or more) or any(one is not False for one in more)
    for name, item in value.items():
        place = f"{field}.{name}"
        own = [members[name] for members in named if name in members]
        own += [part for key, part in patterns if search(key, name)]
        if name.startswith(("_", "wm_")):
            yield problem(place, "is a name that Windmill keeps for itself")
        elif own or free:
            yield from _strangers(item, own or more, root, place, depth + 1)
        else:
            yield problem(place, "is no parameter of the tool")


def _says_more(part: Schema) -> bool:
    return "additionalProperties" in part


def _branches(schemas: Iterable[AnySchema], root: AnySchema) -> list[Schema]:
    """Return the schemas with all those that they consist of."""
    found: list[Schema] = []
    left = list(schemas)
    while left:
        part = left.pop()
        if not isinstance(part, dict) or any(part is one for one in found):
            continue
        found.append(part)
        for name in ("allOf", "anyOf", "oneOf"):
            left += part.get(name, ())
        if "$ref" in part:
            left.append(ref_target(part, root))
    return found


def _taken(value: Json, schema: Json, field: str) -> Iterator[Problem]:
    """Yield the problem of each member that is a resource in the script's schema."""
    if not isinstance(schema, dict):
        return
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _taken(item, schema.get("items"), f"{field}[{number}]")
    if isinstance(value, dict):
        known = [schema.get("properties")]
        known += [one.get("properties") for one in schema.get("oneOf") or ()]
        for members in filter(None, known):
            for name in members.keys() & value.keys():
                if _is_resource(members[name]):
                    words = "is a resource, which is not yours to choose"
                    yield problem(f"{field}.{name}", words)
                yield from _taken(value[name], members[name], f"{field}.{name}")


def _words(value: Json, field: str) -> Iterator[Problem]:
    """Yield the problem of each text that Windmill would resolve, or that would make it
    resolve others."""
    left = [(field, value)]
    while left:
        place, item = left.pop()
        if isinstance(item, str):
            if is_word(item) or re.match(r"\$[A-Za-z_]", item):
                yield problem(place, REFUSED)
        elif isinstance(item, list):
            left += [(f"{place}[{number}]", one) for number, one in enumerate(item)]
        elif isinstance(item, dict):
            for name, one in item.items():
                left += [(f"the name in {place}", name), (f"{place}.{name}", one)]


def _short(result: Json) -> str:
    text = json.dumps(result, ensure_ascii=False, default=str)
    return text if len(text) <= 300 else f"{text[:300]}..."


def _schema_of(found: Members, field: str) -> Schema:
    """Return the schema of a script's arguments, {} where it has none. Raises
    TogetherError where it is none."""
    schema = found.get("schema") or {}
    if isinstance(schema, dict) and isinstance(schema.get("properties") or {}, dict):
        return schema
    raise TogetherError.refused(field, "names a script whose schema cannot be read")
