"""The tools of a step's rows: scripts, flows, and what MCP servers offer."""

from __future__ import annotations

import json
import re

from ..client import TogetherError, prepare
from ..client.jsonio import storable
from ..json_schema.checker import check_schema, check_vocabulary, filled_in, problems
from ..workspace.jobs import own_arguments, run, script_schema
from .model_arguments import references_in, resources_chosen, strangers
from .tool_schema import (
    is_resource,
    json_schema_of,
    resources_in,
    schema_of,
    without_fixed,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..mcp_client import McpServer
    from ..shapes import Json, Members, Problem, Schema, Step

TOOL_SECONDS = 900.0
MOST_SCHEMA_BYTES = 32 << 10  # of a tool of a server: each question pays for it
DESCRIBED = 2000  # characters of what a server says of its tool
NAMED, EXPLAINED = 64, 400  # characters of a tool's name, and of why it is left out
TOLD = 5  # tools that are left out
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Tool:
    """A script or flow that the model may call."""

    def __init__(self, given: Members, field: str) -> None:
        self.path = given["path"].strip()
        self.kind = given.get("kind", "script")
        self.fixed = given.get("arguments") or {}
        self.name = given.get("name") or name_of(self.path)
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
        self.schema = schema_of(found, f"{field}.path")
        if self.parameters:
            check_schema(self.parameters, f"{field}.parameters")
            check_vocabulary(self.parameters, f"{field}.parameters")
            for name in resources_in(self.parameters, self.schema):
                raise TogetherError.refused(
                    f"{field}.parameters",
                    f"offers {name}, which is a resource: a model cannot choose one; "
                    "give it in arguments",
                )
        else:
            self.parameters = self.own_parameters(self.schema, field)

    def own_parameters(self, schema: Schema, field: str) -> Schema:
        """Return the parameters of the script itself, resources and fixed arguments
        left out: the first a model cannot give, the second it shall not."""
        required = schema.get("required") or []
        kept = {}
        for name, member in (schema.get("properties") or {}).items():
            if name in self.fixed:
                continue
            if not is_resource(member):
                kept[name] = json_schema_of(member)
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
        """Return [{"field", "problem"}] of what a model gave and must not, and of what
        it did not give and has to: what is fixed is not asked of it."""
        wrong = [
            one
            for one in problems(given, self.parameters, "arguments")
            if one["field"].removeprefix("arguments.") not in self.fixed
        ]
        wrong += strangers(given, [self.parameters], self.parameters, "arguments")
        wrong += resources_chosen(given, self.schema, "arguments")
        wrong += references_in(given, "arguments")
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

    def __init__(self, server: McpServer, found: Members, given: Members) -> None:
        self.server, self.own_name = server, str(found.get("name"))
        self.place = f"{self.own_name} of {server.field}"
        self.path, self.kind = "", "mcp"
        self.fixed = given.get("arguments") or {}
        before = f"{given['name']}_" if given.get("name") else ""
        self.name = plain_name(before + self.own_name)
        words = found.get("description")
        self.description = words[:DESCRIBED] if isinstance(words, str) else None
        self.approval = given.get("approval") is True
        self.schema = {}
        parameters = found.get("inputSchema")
        parameters = parameters if isinstance(parameters, dict) else {"type": "object"}
        _check_offer(parameters)
        self.parameters = without_fixed(parameters, self.fixed)
        # By it calls are checked, and a question is paid for by then.
        _check_offer(self.parameters)

    def call(self, given: Members, seconds: float = TOOL_SECONDS) -> Json:
        """Let the server run it, waiting so many seconds at most, and return the text
        that it gives. Raises TogetherError."""
        return self.server.call(self.own_name, {**given, **self.fixed}, seconds)


def _check_offer(parameters: Schema) -> None:
    """Refuse a server's schema of a tool that cannot be used. Raises TogetherError."""
    if len(json.dumps(parameters)) > MOST_SCHEMA_BYTES:
        problem = f"has more than {MOST_SCHEMA_BYTES >> 10} KiB"
        raise TogetherError.refused("inputSchema", problem)
    check_schema(parameters, "inputSchema")


def tools_of(
    step: Step, given: Members, left_out: list[str] | None = None
) -> dict[str, Tool]:
    """Return the tools of a step's rows by their names. Raises TogetherError. A tool of
    a server that cannot be used is left out: `left_out` gets which, and why."""
    tools: dict[str, Tool] = {}
    members = step["arguments"]["properties"]["tools"]["items"]["properties"]
    for number, row in enumerate(given["tools"]):  # all, before a server is asked
        _check_row(row, members, f"tools[{number}]")
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


def _check_row(row: Members, known: Members, field: str) -> None:
    """Refuse a row with what the step does not know: a tool would run without it, and
    the model would choose what `argument` in place of `arguments` was to fix."""
    if row.get("approval") and "approval" not in known:
        problem = "cannot be had in this step, which asks nobody: use flows/run_agent"
        raise TogetherError.refused(f"{field}.approval", f"{problem}, or leave it out")
    for name, value in row.items():
        if name not in known and name != "approval" and value is not None:
            words = f"has {name[:NAMED]!r}, which is none of {', '.join(known)}"
            raise TogetherError.refused(field, words)
    if bool(row.get("path")) == bool(row.get("mcp")):
        problem = "is required, or mcp: give one of them"
        raise TogetherError.refused(f"{field}.path", problem)
    if row.get("mcp"):
        for name in ("description", "parameters"):
            if filled_in(row.get(name)):
                problem = "is for a path: the tools of an MCP server bring their own"
                raise TogetherError.refused(f"{field}.{name}", problem)


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
    if row.get("path"):
        return [Tool(row, field)]
    from ..mcp_client import McpServer  # only where such a server is given

    server = McpServer(row["mcp"], row.get("token"), f"{field}.mcp")
    tools: dict[str, Tool] = {}
    why: list[str] = []
    listed, unread = server.tools()
    for found in listed:
        name = str(found.get("name"))[:NAMED]
        try:
            tool = McpTool(server, found, row)
        except TogetherError as error:
            why.append(f"{name} of {server.field} is left out: {error}"[:EXPLAINED])
            continue
        if tools.setdefault(tool.name, tool) is not tool:
            words = f"another is called {tool.name} too"
            why.append(f"{name} of {server.field} is left out: {words}")
    if why and not tools:
        raise TogetherError.refused(server.field, f"has no tool of use: {why[0]}")
    left_out += unread + why
    return list(tools.values())


def words_of(left_out: list[str]) -> str | None:
    """Return which tools were left out, for a result; None for none."""
    shown = left_out[:TOLD]
    if more := len(left_out) - len(shown):
        shown.append(f"and {more} more")
    return str(storable("; ".join(shown), [])) or None


def fitting_tool(
    name: str, given: Members, tools: dict[str, Tool]
) -> tuple[Tool, Members]:
    """Return the tool that a model calls, and its arguments. Raises TogetherError, with
    what the model is to be told, where there is none or they do not fit."""
    tool = tools.get(name)
    if tool is None:
        known = ", ".join(tools)
        raise TogetherError(
            f"there is no tool {name!r}; there are {known}", type="answer_misfit"
        )
    given = tool.without_nulls(given)
    wrong = tool.faults(given)
    if wrong:
        listed = "; ".join(f"{p['field']} {p['problem']}" for p in wrong[:10])
        raise TogetherError(f"the arguments do not fit: {listed}", type="answer_misfit")
    return tool, given


def name_of(path: str) -> str:
    return plain_name(path.rsplit("/", 1)[-1])


def plain_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)[:64] or "tool"
