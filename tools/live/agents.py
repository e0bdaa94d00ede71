"""The pack as an agent finds it: through the server's MCP endpoint.

Model Context Protocol, 2025-03-26, streamable HTTP: JSON-RPC by POST, answered as JSON
or as one event of a stream.
"""

import itertools
import json

import jsonschema

from tools.live.checks import SkippedError, Subject, expect
from tools.live.stage import Stage, label
from tools.models import model
from tools.windmill_api import ApiError, WindmillApi

STEPS = ("chat/ask_model", "models/list_models", "chat/map_rows")
VERSION = "2025-03-26"


class Mcp:
    """A client of the endpoint, with a token that finds the user's favorites alone."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        body = {
            "label": label(stage.folder),
            "scopes": ["mcp:favorites"],
            "workspace_id": stage.api.workspace,
        }
        try:
            token = str(stage.api.post("/users/tokens/create", body)).strip('"')
        except ApiError as error:
            raise SkippedError(f"this token may make none for MCP: {error}") from None
        self.api = WindmillApi(stage.api.base_url, stage.api.workspace, token)
        self.headers = {"Accept": "application/json, text/event-stream"}
        self.ids = itertools.count(1)
        about = {"name": "live-suite", "version": "1"}
        words = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": about}
        self.server = self.call("initialize", **words)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def call(self, method: str, **params: object) -> dict:
        """The result of a call. Raises ShortError for an error of its own."""
        request = {"jsonrpc": "2.0", "id": next(self.ids), "method": method}
        answer = self.send({**request, "params": params})
        expect("error" not in answer, f"{method}: {str(answer.get('error'))[:500]}")
        return answer["result"]

    def send(self, message: dict) -> dict:
        path = f"/mcp/w/{self.stage.api.workspace}/mcp"
        try:
            response = self.api.send("POST", path, message, headers=self.headers)
        except ApiError as error:
            if error.status in (404, 405):
                raise SkippedError("the server has no MCP endpoint") from None
            raise
        if session := response.headers.get("mcp-session-id"):
            self.headers["Mcp-Session-Id"] = session
        kind = response.headers.get("content-type", "")
        if "html" in kind:
            raise SkippedError("the server has no MCP endpoint")
        lines = response.content.decode().splitlines()
        if "event-stream" in kind:
            lines = [ln.removeprefix("data:") for ln in lines if ln.startswith("data:")]
        answers = [json.loads(line) for line in lines if line.strip()]
        return answers[-1] if answers else {}


def starred_steps_are_tools(stage: Stage) -> dict:
    for path in map(stage.script, STEPS):
        star = {"path": path, "favorite_kind": "script"}
        stage.api.post("favorites/star", star)
    try:
        mcp = Mcp(stage)
        tools = {tool["name"]: tool for tool in _all(mcp)}
        own = {id: _tool(stage, tools, id) for id in STEPS}
        for id, tool in own.items():
            expect(tool, f"{id} is not among {', '.join(tools)[:300]}")
            try:
                jsonschema.Draft202012Validator.check_schema(tool["inputSchema"])
            except jsonschema.SchemaError as error:
                expect(False, f"the schema of {id} is not valid: {error.message[:300]}")
        words = {"auth": stage.auth, "model": model("chat"), "prompt": "Hello"}
        tool = own["chat/ask_model"]["name"]
        done = mcp.call("tools/call", name=tool, arguments=words)
        text = "".join(part.get("text", "") for part in done["content"])
        expect(not done.get("isError"), f"the call failed: {text[:500]}")
        expect("Hello" in text, f"the call gave {text[:500]}")
    finally:
        for path in map(stage.script, STEPS):
            star = {"path": path, "favorite_kind": "script"}
            stage.api.post("favorites/unstar", star)
    server = mcp.server["serverInfo"]
    said = f"{server['name']}: {len(tools)} tools, {len(own)} of them ours; one called"
    return {"said": said, "tools": {id: tool["name"] for id, tool in own.items()}}


def _all(mcp: Mcp) -> list[dict]:
    found, cursor = [], {}
    while True:
        page = mcp.call("tools/list", **cursor)
        found += page["tools"]
        if not page.get("nextCursor"):
            return found
        cursor = {"cursor": page["nextCursor"]}


def _tool(stage: Stage, tools: dict[str, dict], id: str) -> dict | None:
    """The tool of a script: its name is made of the path, or where that is too long, of
    its start and a hash."""
    name = f"s-{stage.script(id).replace('_', '__').replace('/', '_')}"
    summary = stage.api.get(f"scripts/get/p/{stage.script(id)}")["summary"]
    for tool in tools.values():
        named = tool["name"] == name or tool["name"].startswith(f"S-{name[2:24]}")
        if named and summary in str(tool.get("description")):
            return tool
    return None


SUBJECT = Subject("mcp", (starred_steps_are_tools,))
