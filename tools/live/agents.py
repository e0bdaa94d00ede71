"""The pack as an agent finds it: through the server's MCP endpoint.

The client is the official Python package, so that what it lists and calls is what an
agent does.
"""

import asyncio
import contextlib
import json
import mimetypes
import re
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import jsonschema

from tools.live.agent_flows import serve
from tools.live.checks import ShortError, SkippedError, Subject, expect
from tools.live.flow_runs import answer
from tools.live.stage import KEY, Stage, label
from tools.models import model
from tools.operations import Operation, steps
from tools.pages.samples import FOREIGN, OBJECTS, STORED, recorded
from tools.sandbox import picture, tone
from tools.tree.tool_schema import tool_name
from tools.workspace.windmill_api import ApiError

# The client takes a second to load, and is loaded where it is used.
if TYPE_CHECKING:
    from mcp import Client, types

# A model may write its id so, and gives what is optional as blanks.
ASKED = {"prompt": "Hello", "model": {"id": model("chat")}, "system": ""}
MISTAKEN = {"document": "the file from before"}
SAID = "document must be an address"
PATIENCE = 120.0  # seconds
AT_ONCE = 4  # calls
# What the examples name, by its key; documents of an index are made in _index.
FILES = {
    **OBJECTS,
    "calls/1.mp3": tone(),
    "notes/long.txt": b"A line of a long note.\n" * 1000,
    "scans/1.png": picture("scan"),
}
INDEX = "contracts.json"
NOTES = {"cost_note", "note"}  # members that a result has where there is a reason
PLACES = {"s3", "filename"}  # that a result has where there is object storage
NO_STORAGE = "ask the user to set up object storage"
EXCEPTION = re.compile(r"Traceback|\b[A-Za-z]*(?:Error|Exception)\b|\.py\b")


def starred_tools_are_listed_and_called(stage: Stage) -> dict:
    """With a token that finds the user's favourites alone: every tool for agents is
    listed under its own name, takes a key as a resource, and says what was wrong."""
    with _starred(stage) as paths:
        return asyncio.run(_look(stage, paths))


@contextlib.contextmanager
def _starred(stage: Stage) -> Iterator[dict[str, str]]:
    """The paths of the tools for agents by their ids, while they are the user's
    favourites: by a token for these they are listed, whatever else there is."""
    paths = {step.id: stage.script(step.id) for step in _tools(stage)}
    stars = [{"path": p, "favorite_kind": "script"} for p in paths.values()]
    for star in stars:
        stage.api.post("favorites/star", star)
    try:
        yield paths
    finally:
        for star in stars:
            stage.api.post("favorites/unstar", star)


def _tools(stage: Stage) -> list[Operation]:
    return [step for step in steps(stage.root) if step.group == "agent"]


async def _look(stage: Stage, paths: dict[str, str]) -> dict:
    async with _client(stage, "mcp:favorites") as client:
        tools = {tool.name: tool for tool in await _all(client)}
        names = {id: tool_name(path) for id, path in paths.items()}
        for id, name in names.items():
            expect(name in tools, f"{id} is not {name}, of {', '.join(tools)[:300]}")
            try:
                schema = tools[name].input_schema
                jsonschema.Draft202012Validator.check_schema(schema)
            except jsonschema.SchemaError as error:
                expect(False, f"the schema of {id} is not valid: {error.message[:300]}")
        ask, read = names["agent/consult_model"], names["agent/read_document"]
        done = await client.call_tool(ask, {"auth": stage.auth, **ASKED})
        text = _text(done)
        expect(not done.is_error, f"the call failed: {text[:500]}")
        expect("Hello" in text, f"the call gave {text[:500]}")
        failed = await client.call_tool(read, {"auth": stage.auth, **MISTAKEN})
        words = _text(failed)
        expect(SAID in words, f"the mistaken call gave {words[:500]}")
        server = client.server_info
    said = f"{server.name}: {len(tools)} tools, {len(names)} of them ours; two called"
    marked = "as an error" if failed.is_error else "as a result"
    return {"said": f"{said}, the mistake is told {marked}", "error": words[:2000]}


def every_tool_is_called_as_its_examples_say(stage: Stage) -> dict:
    """Each tool for agents with the arguments of each of its examples, its files at an
    address of the sandbox: the result is the tool's own, or says that the workspace has
    no object storage. Neither shows an exception or a key."""
    tools = _tools(stage)
    calls = [
        (f"{tool.id}#{number}", tool, {"auth": stage.auth, **_filled(stage, tool, one)})
        for tool in tools
        for number, one in enumerate(tool.schema["examples"])
    ]
    with _starred(stage) as paths:
        found = asyncio.run(_call_all(stage, paths, calls))
    kept, told, wrong = recorded(stage.root), {}, {}
    for (name, tool, _), text in zip(calls, found, strict=True):
        try:
            told[name] = _own_words(text, set(kept[tool.id]), stage.storage)
        except ShortError as short:
            wrong[name] = str(short)
    lacking = [name for name, text in told.items() if NO_STORAGE in text]
    said = f"{len(tools)} tools, {len(calls)} calls: {len(told) - len(lacking)} results"
    if lacking:
        said += f"; {', '.join(lacking)} told that there is no object storage"
    if wrong:
        short = ShortError(f"{said}; {len(wrong)} fall short: {json.dumps(wrong)}")
        short.details = {"wrong": wrong, "told": told}
        raise short
    return {"said": said, "told": told}


async def _call_all(
    stage: Stage, paths: dict[str, str], calls: list[tuple[str, Operation, dict]]
) -> list[str]:
    """Call tools by the official client; what each call gave, in their order."""
    places = asyncio.Semaphore(AT_ONCE)
    names = {id: tool_name(path) for id, path in paths.items()}
    async with _client(stage, "mcp:favorites") as client:
        listed = [tool.name for tool in await _all(client)]
        missing = [id for id, name in names.items() if name not in listed]

        async def call(tool: Operation, arguments: dict) -> str:
            async with places:
                return _text(await client.call_tool(names[tool.id], arguments))

        if not missing:
            waiting = [call(tool, arguments) for _, tool, arguments in calls]
            found = await asyncio.gather(*waiting)
    # Out here, as the client would hide in a group what is raised in there.
    expect(not missing, f"not listed: {', '.join(missing)}")
    return found


def _own_words(text: str, members: set[str], storage: bool) -> str:
    """What a call said to the model. Raises ShortError where that is not the tool's
    own result, with its members, nor words that help."""
    expect(KEY not in text, "it shows the key")
    try:
        result = json.loads(text)
    except ValueError:
        raise ShortError(f"it is no JSON: {text[:500]}") from None
    expect(isinstance(result, dict), f"it is no object: {text[:500]}")
    if not storage and "s3" in members and "url" not in members:
        error = result.get("error") or {}
        said = str(error.get("message"))
        expect(error.get("name") == "TogetherError", f"no error of ours: {text[:500]}")
        expect(NO_STORAGE in said, f"it does not ask for a storage: {text[:500]}")
        # Windmill adds the lines that raised it: of main and of what main calls.
        expect(str(error.get("stack")).count("File ") <= 2, f"it shows more: {text}")
    else:
        missing = members - NOTES - (set() if storage else PLACES) - result.keys()
        expect(not missing, f"{', '.join(sorted(missing))} is missing: {text[:1000]}")
        said = result["text"]
        expect(isinstance(said, str) and said.strip(), f"it is empty: {text[:500]}")
    shown = EXCEPTION.search(said)
    expect(not shown, f"it shows {shown and shown[0]}: {said[:500]}")
    return said


def _filled(stage: Stage, tool: Operation, example: dict) -> dict:
    """An example, what it names at an address of the sandbox."""
    if tool.id == "agent/fetch_batch":
        return {**example, "batch_id": _finished_batch(stage)}
    return {name: _served(stage, given) for name, given in example.items()}


def _served(stage: Stage, given: object) -> object:
    if isinstance(given, list):
        return [_served(stage, one) for one in given]
    if not isinstance(given, str) or not given.startswith((FOREIGN, STORED)):
        return given
    name = given.removeprefix(FOREIGN).removeprefix(STORED)
    content = _index(stage) if name == INDEX else FILES.get(name)
    if content is None:
        raise ShortError(f"an example names {given}, which FILES does not have")
    kind = mimetypes.guess_type(name)[0] or "text/plain"
    return serve(stage, name, kind, content)


def _index(stage: Stage) -> bytes:
    """The passages of a contract."""
    document = serve(stage, "contract.md", "text/markdown", b"# Rent\n\nAnn pays.\n")
    given = {"documents": [document], "output": "result"}
    found = stage.run("embeddings/split_documents", given).succeeded()
    return json.dumps(found["passages"]).encode()


def _finished_batch(stage: Stage) -> str:
    """A batch whose answers are there."""
    given = {"model": CHAT, "template": "Repeat {{text}}", "rows": '[{"text": "x"}]'}
    bounds = {"max_tokens": 20, "budget_usd": 1}
    made = stage.run("agent/start_batch", {**given, **bounds}).succeeded()
    number, lives = made["batch_id"], stage.sandbox.lifecycles

    def is_done() -> bool:
        return lives.state(number) == "COMPLETED"

    stage.until("the batch is done", is_done, PATIENCE)
    return number


@contextlib.asynccontextmanager
async def _client(stage: Stage, scope: str) -> "AsyncIterator[Client]":
    import httpx2
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    body = {
        "label": label(stage.folder),
        "scopes": [scope],
        "workspace_id": stage.api.workspace,
    }
    try:
        token = str(stage.api.post("/users/tokens/create", body)).strip('"')
    except ApiError as error:
        raise SkippedError(f"this token may make none for MCP: {error}") from None
    url = f"{stage.api.base_url}/api/mcp/w/{stage.api.workspace}/mcp"
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=PATIENCE) as http:
        found = await http.get(url)
        if found.status_code == 404 or "html" in found.headers.get("content-type", ""):
            raise SkippedError("the server has no MCP endpoint")
        async with Client(streamable_http_client(url, http_client=http)) as client:
            yield client


async def _all(client: "Client") -> "list[types.Tool]":
    found, cursor = [], None
    while True:
        page = await client.list_tools(cursor=cursor)
        found += page.tools
        cursor = page.next_cursor
        if not cursor:
            return found


def _text(result: "types.CallToolResult") -> str:
    return "".join(getattr(part, "text", "") for part in result.content)


async def _text_or_refusal(client: "Client", name: str, arguments: dict) -> str:
    from mcp import MCPError

    try:
        return _text(await client.call_tool(name, arguments))
    except MCPError as error:
        return str(error)


RUNS = "runScriptByPath"


def a_token_for_one_folder_shows_no_key(stage: Stage) -> str:
    """What docs/agents.md says of scopes: with one of scripts a tool is called by its
    name, and Windmill's own endpoints, which would show the key, are neither listed nor
    called. What newer servers list beside, runs the scripts of the folder alone."""
    return asyncio.run(_look_with_one_folder(stage))


async def _look_with_one_folder(stage: Stage) -> str:
    key = stage.auth.removeprefix("$res:")
    async with _client(stage, f"mcp:scripts:{stage.folder}/agent/*") as client:
        listed = [tool.name for tool in await _all(client)]
        told = await _text_or_refusal(client, "getResource", {"path": key})
        asked = {"auth": stage.auth, "model": CHAT, "input_tokens": 1000}
        price = tool_name(stage.script("agent/price_call"))
        text = _text(await client.call_tool(price, asked))
        refused = None
        if RUNS in listed:
            elsewhere = {"path": stage.script("organization/report_usage"), "args": {}}
            refused = await _text_or_refusal(client, RUNS, elsewhere)
    # Out here, as the client would hide in a group what is raised in there.
    ours = {tool_name(stage.script(tool.id)) for tool in _tools(stage)}
    other = [name for name in listed if name not in {*ours, RUNS}]
    scoped = refused is None or "not in token scope" in refused
    expect(scoped, f"{RUNS} runs a script elsewhere: {str(refused)[:300]}")
    expect(not other, f"it lists {', '.join(other)[:300]}")
    expect(KEY not in told, "the key was shown")
    expect("at most" in text, f"the tool gave {text[:500]}")
    return f"{len(listed)} listed, one called; getResource: {told[:150]}"


def an_agent_asks_a_person_and_goes_on(stage: Stage) -> dict:
    """The sandbox's model wants two calls at once, then one that a person allows; the
    conversation goes on in a second run."""
    price, models = (stage.script(f"agent/{n}") for n in ("price_call", "find_model"))
    calls = [
        {"tool": "price_call", "arguments": {"model": model("chat"), "input_tokens": 9}}
    ]
    wanted = [{"tool": "find_model", "arguments": {"most": 1}}]
    tools = [
        {"path": price, "arguments": {"auth": stage.auth}, "parameters": ANY},
        {
            "path": models,
            "arguments": {"auth": stage.auth},
            "parameters": ANY,
            "approval": True,
        },
    ]
    words = {"tools": tools, "model": model("chat"), "max_rounds": 3}
    prompt = json.dumps({"rounds": [calls, [*calls, *wanted]]})
    job = stage.start_flow("run_agent", prompt=prompt, **words)
    answer(stage, job, "resume")
    result = stage.wait(job, "run_agent").succeeded()
    expect(result["rounds"] == 2, f"{result['rounds']} rounds: {str(result)[:800]}")
    done = [one["tool"] for one in result["calls"]]
    expect(done == ["price_call", "price_call", "find_model"], f"called {done}")
    last = result["calls"][-1]
    expect(last["error"] is None, f"the allowed call failed: {last['error']}")
    name = result["conversation"]
    again = stage.run_flow("run_agent", prompt="Hello", conversation=name, **words)
    text = again.succeeded()["text"]
    place = name.partition("-")[0]
    told = f"3 calls in 2 rounds, one allowed by a person, kept in {place}; then {text}"
    return {"said": told, "calls": result["calls"]}


def an_ai_agent_step_uses_the_tools(stage: Stage) -> dict:
    """Windmill's own AI agent step, with its provider for Together led to the sandbox:
    the model sees what is not fixed, and calls a tool with it."""
    key = {"api_key": "tgp_live_suite", "base_url": f"{stage.sandbox.url}/v1"}
    resource = stage.make_resource("provider", key, "togetherai")
    tool = {
        "id": "price",
        "summary": "price_call",
        "value": {
            "tool_type": "flowmodule",
            "type": "script",
            "path": stage.script("agent/price_call"),
            "input_transforms": {"auth": _fixed(stage.auth)},
        },
    }
    wanted = {"model": {"id": model("chat")}, "input_tokens": "1000", "images": 0}
    script = {"rounds": [[{"tool": "price_call", "arguments": wanted}]]}
    kind = {"kind": "togetherai", "resource": f"$res:{resource}", "model": CHAT}
    inputs = {"provider": kind, "output_type": "text"}
    inputs["user_message"] = json.dumps(script)
    value = {
        "type": "aiagent",
        "tools": [tool],
        "input_transforms": {name: _fixed(given) for name, given in inputs.items()},
    }
    path = stage.make_flow("assistant", [{"id": "a", "value": value}])
    done = stage.wait(stage.start(path, {}, "flow"), path)
    if "ALLOW_PRIVATE_AI_BASE_URLS" in str(done.result):
        raise SkippedError("its workers may not ask an AI in a private network")
    text = json.dumps(done.succeeded())
    expect("at most" in text and "USD" in text, f"it gave {text[:800]}")
    paths = [r for r in stage.sandbox.requests if r.path == "/v1/chat/completions"]
    offered = [t for r in paths for t in r.json.get("tools") or ()]
    mine = [t["function"] for t in offered if t["function"]["name"] == "price_call"]
    expect(mine, "the tool was not offered to the model")
    members = mine[-1]["parameters"]["properties"]
    expect("auth" not in members, "the model is asked for auth")
    return {"said": f"the tool was called: {text[:200]}", "offered": mine[-1]}


def _fixed(value: object) -> dict:
    return {"type": "static", "value": value}


CHAT = model("chat")
ANY = {"type": "object", "properties": {"model": {}, "input_tokens": {}, "most": {}}}
SUBJECT = Subject(
    "mcp",
    (
        starred_tools_are_listed_and_called,
        every_tool_is_called_as_its_examples_say,
        a_token_for_one_folder_shows_no_key,
        an_agent_asks_a_person_and_goes_on,
        an_ai_agent_step_uses_the_tools,
    ),
)
