"""A server of the Model Context Protocol that says odd things."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from scripts.client import TogetherError
from scripts.mcp_client import McpServer
from scripts.tool_calling.tools import McpTool
from tools.local.server_thread import running

TOKEN = "secret-token-12345678"
BEGUN = {"protocolVersion": "2025-03-26"}


class Handler(BaseHTTPRequestHandler):
    """Answers each method as the server's `says` has it: a result, or a function of
    the handler and the message that returns a whole answer."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.paths.append(self.path)
        said = self.server.says.get(asked["method"], {})
        answer = {"jsonrpc": "2.0", "id": asked.get("id"), "result": said}
        if callable(said):
            answer = said(self, asked)
        data = json.dumps(answer).encode()
        if "event-stream" in self.server.kind.lower():
            data = b"data: " + data + b"\n\n"
        self.send_response(self.server.status)
        self.send_header("Content-Type", self.server.kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.says, server.paths = {"initialize": BEGUN}, []
    server.kind, server.status = "application/json", 200
    server.place = f"http://127.0.0.1:{server.server_port}"
    with running(server):
        yield server
    server.server_close()


def reached(server, token=TOKEN, path="/mcp"):
    return McpServer(server.place + path, token, "tools[0].mcp")


def repeats(handler, asked):
    words = "bad token " + handler.headers["Authorization"]
    spelled = "".join(f"\\u{ord(sign):04x}" for sign in TOKEN)
    told = {"code": -1, "message": words, "data": {TOKEN: spelled}}
    return {"jsonrpc": "2.0", "id": asked["id"], "error": told}


def test_a_token_that_an_error_repeats_is_in_no_message(server):
    server.says["initialize"] = repeats

    with pytest.raises(TogetherError) as caught:
        reached(server)

    assert TOKEN not in str(caught.value) + str(vars(caught.value))
    assert "initialize: bad token Bearer ***" in str(caught.value)


@pytest.mark.parametrize("failed", [True, False])
@pytest.mark.parametrize("member", ["content", "structuredContent"])
def test_a_token_that_a_tool_repeats_is_in_no_answer(member, failed, server):
    def said(handler, asked):
        words = "x" * 400 + handler.headers["Authorization"]
        parts = {"content": [{"type": "text", "text": words}]}
        parts["structuredContent"] = {"said": [words]}
        result = {member: parts[member], "isError": failed}
        return {"jsonrpc": "2.0", "id": asked["id"], "result": result}

    server.says["tools/call"] = said
    found = reached(server)
    try:
        told = found.call("say", {})
    except TogetherError as error:
        told = str(error)

    assert "xBearer" in told
    assert "secret" not in told


def test_a_token_that_a_list_repeats_is_in_no_tool(server):
    tool = {"name": "say", "description": f"Use {TOKEN}.", "inputSchema": {}}
    server.says["tools/list"] = {"tools": [tool]}

    (found,), _ = reached(server).tools()

    assert found["description"] == "Use ***."


def test_what_a_refusal_says_is_told_without_the_token(server):
    found = reached(server)
    server.says["tools/call"], server.status = repeats, 400

    with pytest.raises(TogetherError) as caught:
        found.call("say", {})

    assert "status 400: bad token Bearer ***." in str(caught.value)


@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
def test_an_error_that_knows_no_number_is_told(kind, server):
    error = {"code": -32700, "message": "Parse error: nope"}
    server.says["initialize"] = lambda *_: {
        "jsonrpc": "2.0",
        "id": None,
        "error": error,
    }
    server.kind = kind

    with pytest.raises(TogetherError, match="initialize: Parse error: nope"):
        reached(server)


def test_a_kind_of_content_has_no_case(server):
    server.kind = "Text/Event-Stream; charset=UTF-8"
    server.says["tools/list"] = {"tools": [{"name": "say"}]}

    assert reached(server).tools() == ([{"name": "say"}], [])


@pytest.mark.parametrize(
    ("path", "asked"), [("", "/"), ("?a=1", "/?a=1"), ("/mcp", "/mcp")]
)
def test_an_address_needs_no_path(path, asked, server):
    reached(server, path=path)

    assert set(server.paths) == {asked}


def test_a_scheme_has_no_case(server):
    server.place = server.place.replace("http", "HTTP")

    assert reached(server).tools() == ([], [])


@pytest.mark.parametrize(
    "url", ["ftp://h/x", "https://u:p@h/x", "https://a b/x", "https://", "https://?a"]
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(TogetherError, match="must be an address with https://"):
        McpServer(url, None, "tools[0].mcp")


def pages(count, size):
    """What a server lists: so many pages of so many tools."""

    def listed(handler, asked):
        number = int(asked["params"].get("cursor", "0"))
        tools = [{"name": f"t{number}_{n}"} for n in range(size)]
        more = {"nextCursor": str(number + 1)} if number + 1 < count else {}
        return {"id": asked["id"], "result": {"tools": tools, **more}}

    return listed


@pytest.mark.parametrize(
    ("count", "size", "offered", "words"),
    [
        (1, 128, 128, None),
        (20, 1, 20, None),
        (1, 200, 128, "72 tools of tools[0].mcp are left out"),
        (3, 100, 128, "at least 72 tools of tools[0].mcp are left out"),
        (50, 1, 20, "the tools of tools[0].mcp beyond page 20 are left out"),
    ],
)
def test_tools_that_are_left_out_are_told(count, size, offered, words, server):
    server.says["tools/list"] = pages(count, size)

    tools, left_out = reached(server).tools()

    assert len(tools) == offered
    assert left_out == [] if words is None else left_out[0].startswith(words)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"content": [{"type": "text", "text": "a"}, {"text": "b"}]}, "a\nb"),
        ({"content": "a"}, "a"),
        ({"content": {"type": "text", "text": "a"}}, "a"),
        ({"content": {"left": 9}}, '{"left": 9}'),
        ({"content": ["a", {"left": 9}, 5]}, 'a\n{"left": 9}\n5'),
        ({"content": [{"type": "text", "text": 5}]}, '{"type": "text", "text": 5}'),
        ({"content": [{"type": "image", "data": "x"}]}, "(image that is no text)"),
        ({"content": [{"type": "resource", "resource": {"text": "R"}}]}, "R"),
        ({"content": [], "structuredContent": {"a": "\u00fc"}}, '{"a": "\u00fc"}'),
        ({"content": [{"text": "a"}], "structuredContent": {"b": 1}}, "a"),
        ({"toolResult": "old"}, "old"),
        ({"toolResult": {"left": 9}}, '{"left": 9}'),
        # Servers for which there is nothing to say.
        ({"content": []}, ""),
        ({"content": None}, ""),
        ({}, ""),
    ],
)
def test_what_a_tool_gives_is_read_in_any_shape(answer, text, server):
    server.says["tools/call"] = answer

    assert reached(server).call("say", {}) == text


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"content": 5}, "cannot be read: whether it was carried out is not known"),
        ({"content": True}, "cannot be read: whether it was carried out"),
        ([], "tools/call: its answer cannot be read."),
        ("done", "tools/call: its answer cannot be read."),
        (None, "tools/call: no result came."),
        ({"isError": True}, "the tool failed: it does not say why"),
        ({"isError": True, "content": "no such item"}, "the tool failed: no such item"),
    ],
)
def test_an_answer_that_cannot_be_read_is_a_failure(answer, words, server):
    server.says["tools/call"] = answer

    with pytest.raises(TogetherError) as caught:
        reached(server).call("say", {})

    assert words in str(caught.value)


@pytest.mark.parametrize("member", [{"error": "boom"}, {"error": {"message": "boom"}}])
def test_the_words_of_a_server_win_over_a_result_that_is_none(member, server):
    server.says["tools/call"] = lambda _, asked: {"id": asked["id"], **member}

    with pytest.raises(TogetherError, match="tools/call: boom"):
        reached(server).call("say", {})


def string(**words):
    return {"type": "string", **words}


def offered(server, schema):
    """The tool that a server lists with this schema; one argument of it is fixed."""
    server.says["tools/list"] = {"tools": [{"name": "a", "inputSchema": schema}]}
    reach = reached(server)
    ((tool,), _) = reach.tools()
    return McpTool(reach, tool, {"arguments": {"fixed": 1}})


@pytest.mark.parametrize(
    "schema",
    [
        None,
        [],
        {"type": "object", "properties": {"x": True}, "required": ["x", "y"]},
        {"$ref": "#/$defs/z", "$defs": {"z": {"properties": {"q": string()}}}},
        {"properties": {"x": {"oneOf": [True, {"properties": {"y": string()}}]}}},
        {"patternProperties": {"^x": string()}},
        {"dependentSchemas": {"x": True}, "additionalProperties": string()},
        {"properties": {"x": {"$ref": "#/properties/fixed"}, "fixed": {}}},
        {"properties": {"x": {"$ref": "#/properties/fixed/not"}, "fixed": {"not": {}}}},
        {"properties": {"x": {"items": {"$ref": "#"}}, "fixed": {}}},
    ],
)
def test_what_is_given_to_a_tool_can_be_checked_by_its_schema(schema, server):
    """Nothing of it may be found out behind a question that is paid for."""
    tool = offered(server, schema)

    for given in ({}, {"x": 1}, {"x": {"y": 5}}, {"q": "s"}, {"x": [1]}, {"z": None}):
        for fault in tool.faults(tool.without_nulls(given)):
            assert fault["field"].startswith("arguments")
    assert "fixed" not in tool.parameters.get("properties", {})


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": None},
        {"required": None},
        {"properties": {"x": None}},
        {"$ref": "#/$defs/z"},
        {"$ref": "#/properties/x", "properties": {"x": {"$ref": "#"}}},
        {"properties": {"x": {"items": [1]}}},
        {"properties": {"a": {"$ref": "#/properties/"}}},
        {"properties": {"a": {"$ref": "#/"}}},
        {"properties": {"x": {"$ref": "#/properties/fixed/x/y"}, "fixed": {"x": {}}}},
        {"properties": {"x": {"$ref": "#", "title": "x" * 20_000}, "fixed": {}}},
    ],
)
def test_a_tool_whose_schema_cannot_be_used_is_refused(schema, server):
    """The last one is short enough as it comes, and not as it would be offered."""
    with pytest.raises(TogetherError, match="inputSchema"):
        offered(server, schema)
