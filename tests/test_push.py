"""`wmill sync push` of the build onto a stand-in for a workspace. Needs Node."""

import http.server
import io
import json
import re
import threading
import zipfile
from contextlib import contextmanager

import pytest

from tests.wmill import wmill
from tools.operations import helper_modules, scripts

pytestmark = pytest.mark.slow
MINE = {
    "f/togetherai/my_script.py": "def main():\n    return 1\n",
    "f/togetherai/my_script.script.json": {
        "summary": "mine",
        "description": "",
        "kind": "script",
        "lock": "",
        "schema": {"type": "object", "properties": {}},
    },
    "f/togetherai/key.resource.json": {
        "value": {"api_key": "$var:f/togetherai/key"},
        "resource_type": "togetherai",
    },
    "f/togetherai/key.variable.json": {"value": "x", "is_secret": True},
    "other.resource-type.json": {"schema": {"type": "object"}, "description": "mine"},
}


class Workspace:
    """What a push reads and writes: files of the export, and a list of the writes."""

    def __init__(self, files=()):
        self.files = dict(files)
        self.writes = []

    def export(self):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for path, content in self.files.items():
                text = content if isinstance(content, str) else json.dumps(content)
                archive.writestr(path, text)
        return buffer.getvalue()

    def get(self, path):
        """The answer to a GET: (content type, body), or None for 404."""
        if path.endswith("/tarball"):
            return "application/zip", self.export()
        if path.endswith("whoami"):
            who = {"email": "a@b.c", "username": "a", "is_admin": True, "folders": []}
            return "application/json", json.dumps(who).encode()
        if path.endswith("/version"):
            return "text/plain", b"v1.650.0"
        if "/jobs/" in path or path.endswith("/users"):
            return "application/json", b"[]"
        found = re.search(r"/scripts/get/p/(.*)", path)
        if found and f"{found[1]}.script.json" in self.files:
            about = self.files[f"{found[1]}.script.json"]
            code = self.files[f"{found[1]}.py"]
            script = {**about, "path": found[1], "content": code, "hash": "1"}
            script |= {"language": "python3"}
            return "application/json", json.dumps(script).encode()
        found = re.search(r"/resources/type/get/(.*)", path)
        if found and f"{found[1]}.resource-type.json" in self.files:
            about = self.files[f"{found[1]}.resource-type.json"]
            return "application/json", json.dumps({"name": found[1], **about}).encode()
        found = re.search(r"/folders/get/(.*)", path)
        if found and f"f/{found[1]}/folder.meta.json" in self.files:
            about = self.files[f"f/{found[1]}/folder.meta.json"]
            return "application/json", json.dumps({"name": found[1], **about}).encode()
        return None

    def post(self, path, body):
        """Keep what a POST creates; return the answer's text."""
        self.writes.append((path, body))
        if path.endswith("/scripts/create"):
            name = body["path"]
            kept = ("summary", "description", "kind", "lock", "schema")
            self.files[f"{name}.py"] = body["content"]
            self.files[f"{name}.script.json"] = {key: body[key] for key in kept}
            return "1"
        if path.endswith("/folders/create"):
            kept = {k: body[k] for k in ("summary", "display_name")}
            kept |= {"owners": [], "extra_perms": {}}
            self.files[f"f/{body['name']}/folder.meta.json"] = kept
        if path.endswith("/resources/type/create"):
            kept = {key: body[key] for key in ("schema", "description")}
            self.files[f"{body['name']}.resource-type.json"] = kept
        return body.get("name", "ok")


@contextmanager
def serving(workspace):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            found = workspace.get(self.path.split("?")[0])
            kind, body = found or ("text/plain", b"not found")
            self.reply(200 if found else 404, kind, body)

        def do_POST(self):
            size = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(size) or b"{}")
            text = workspace.post(self.path.split("?")[0], body)
            self.reply(201, "text/plain", text.encode())

        def do_DELETE(self):
            workspace.writes.append((f"DELETE {self.path}", None))
            self.reply(200, "text/plain", b"")

        def reply(self, status, kind, body):
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


def push(place, workspace):
    with serving(workspace) as url:
        words = ("--base-url", url, "--token", "t", "--workspace", "w")
        done = wmill(place, "sync", "push", "--yes", *words)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    writes, workspace.writes = workspace.writes, []
    return writes


def test_a_push_creates_everything_once_and_touches_nothing_else(built):
    workspace = Workspace(MINE)

    first = push(built, workspace)

    pushed = {b["path"]: b for path, b in first if path.endswith("/scripts/create")}
    wanted = {f"f/togetherai/{operation.id}" for operation in scripts()}
    wanted |= {f"f/togetherai/{name}" for name in helper_modules()}
    assert pushed.keys() == wanted
    for name, script in pushed.items():
        assert script["content"] == (built / f"{name}.py").read_text()
        assert script["lock"] == (built / f"{name}.script.lock").read_text()
        assert script["summary"]
        assert script["language"] == "python3"
    others = [path for path, _ in first if not path.endswith("/scripts/create")]
    assert sorted(path.split("/w/w/")[1] for path in others) == [
        "folders/create",
        "resources/type/create",
    ]
    assert workspace.files.items() >= MINE.items()

    assert push(built, workspace) == []


def test_a_changed_helper_reaches_every_script(built):
    workspace = Workspace()
    push(built, workspace)
    for script in built.rglob("*.py"):
        stamp = script.read_text().rpartition("# helper ")
        if stamp[1]:
            script.write_text(stamp[0] + "# helper 000000000000\n")

    second = push(built, workspace)

    assert len(second) == len(list(scripts()))


def test_only_the_pack_s_settings_keep_a_push_from_deleting(built):
    """So that the tests above can fail."""
    settings = built / "wmill.yaml"
    settings.write_text(settings.read_text().replace("keepDeleted: true\n", ""))

    writes = push(built, Workspace(MINE))

    assert any("my_script" in path or "other" in path for path, _ in writes)
