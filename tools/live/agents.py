"""The pack as an agent finds it: through the server's MCP endpoint.

The client is the official Python package, so that what it lists and calls is what an
agent does.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import httpx2
import jsonschema
from mcp import Client, MCPError, types
from mcp.client.streamable_http import streamable_http_client

from tools.live.checks import SkippedError, Subject, expect
from tools.live.flow_runs import answer
from tools.live.stage import Stage, label
from tools.models import model
from tools.operations import steps
from tools.tool_schema import tool_name
from tools.windmill_api import ApiError

# A model may write its id so, and gives what is optional as blanks.
ASKED = {"prompt": "Hello", "model": {"id": model("chat")}, "system": ""}
MISTAKEN = {"document": "the file from before"}
SAID = "document must be an address"
PATIENCE = 120.0  # seconds


def starred_tools_are_listed_and_called(stage: Stage) -> dict:
    """With a token that finds the user's favourites alone: every tool for agents is
    listed under its own name, takes a key as a resource, and says what was wrong."""
    paths = {s.id: stage.script(s.id) for s in steps() if s.group == "agent"}
    stars = [{"path": p, "favorite_kind": "script"} for p in paths.values()]
    for star in stars:
        stage.api.post("favorites/star", star)
    try:
        return asyncio.run(_look(stage, paths))
    finally:
        for star in stars:
            stage.api.post("favorites/unstar", star)


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


@contextlib.asynccontextmanager
async def _client(stage: Stage, scope: str) -> AsyncIterator[Client]:
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


async def _all(client: Client) -> list[types.Tool]:
    found, cursor = [], None
    while True:
        page = await client.list_tools(cursor=cursor)
        found += page.tools
        cursor = page.next_cursor
        if not cursor:
            return found


def _text(result: types.CallToolResult) -> str:
    return "".join(getattr(part, "text", "") for part in result.content)


def a_token_for_one_folder_shows_no_key(stage: Stage) -> str:
    """What docs/agents.md says of scopes: with one of scripts a tool is called by its
    name, and Windmill's own endpoints, which would show the key, are neither listed nor
    called."""
    return asyncio.run(_look_with_one_folder(stage))


async def _look_with_one_folder(stage: Stage) -> str:
    key = stage.auth.removeprefix("$res:")
    async with _client(stage, f"mcp:scripts:{stage.folder}/agent/*") as client:
        listed = [tool.name for tool in await _all(client)]
        try:
            told = _text(await client.call_tool("getResource", {"path": key}))
        except MCPError as error:
            told = str(error)
        asked = {"auth": stage.auth, "model": CHAT, "input_tokens": 1000}
        price = tool_name(stage.script("agent/price_call"))
        text = _text(await client.call_tool(price, asked))
    # Out here, as the client would hide in a group what is raised in there.
    ours = {tool_name(stage.script(s.id)) for s in steps() if s.group == "agent"}
    other = [name for name in listed if name not in ours]
    expect(not other, f"it lists {', '.join(other)[:300]}")
    expect("of-the-live-suite" not in told, "the key was shown")
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
        a_token_for_one_folder_shows_no_key,
        an_agent_asks_a_person_and_goes_on,
        an_ai_agent_step_uses_the_tools,
    ),
)
