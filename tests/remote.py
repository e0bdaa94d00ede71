"""A stand-in for the workspace that `wmill sync push` deploys to.

It keeps what is created, answers for it as Windmill's server does, exports it as the
archive that the command line compares with, and records every write. Each write is
judged by Windmill's own models of its API.
"""

import http.server
import io
import json
import re
import threading
import zipfile
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

from tests import payloads
from tests.server_form import server_form
from tests.wmill import wmill

# What a call to create or update an object leaves of it in the archive: the kind of
# the object in URLs, its suffix there, and members that are not written to its file.
KINDS = {
    "flows": ("flow", ("path",)),
    "folders": ("folder.meta", ("name",)),
    "resources/type": ("resource-type", ("name",)),
    "schedules": ("schedule", ("path",)),
    "scripts": ("script", ("path", "content", "language")),
}
# Instructions to the server, kept nowhere.
UNKEPT = ("skip_draft_deletion", "parent_hash", "auto_parent", "deployment_message")


class Remote:
    """The files of the archive by their names, and a list of the writes."""

    def __init__(self, files: dict[str, object] = ()) -> None:
        self.files = dict(files)
        self.writes: list[tuple[str, dict | None]] = []
        self.problems: list[str] = []
        self.judging = threading.Lock()
        self.tokens: set[str | None] = set()
        self.fetched: list[str] = []

    def export(self) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for path, content in self.files.items():
                text = content if isinstance(content, str) else json.dumps(content)
                archive.writestr(path, text)
        return buffer.getvalue()

    def reachable(self, path: str) -> bool:
        """Whether a GET is answered at all; if not, its connection breaks."""
        return True

    def get(self, path: str) -> tuple[str, bytes] | None:
        """The answer to a GET: content type and body, or None for 404."""
        if path.endswith("/tarball"):
            return "application/zip", self.export()
        if path.endswith("whoami"):
            who = {"email": "a@b.c", "username": "a", "is_admin": True, "folders": []}
            return "application/json", json.dumps(who).encode()
        if path.endswith("/version"):
            return "text/plain", b"v1.650.0"
        if "/jobs/" in path or path.endswith("/users"):
            return "application/json", b"[]"
        if found := re.fullmatch(r"/w/\w+/scripts/raw/p/(.+)\.py", path):
            return self._module(found[1])
        found = re.fullmatch(r"/w/\w+/(resources/type|\w+)/get/(?:p/)?(.+)", path)
        if not found or found[1] not in KINDS:
            return None
        file = self._file(found[1], found[2])
        if file not in self.files:
            return None
        about = {**self.files[file], "path": found[2], "name": found[2]}
        if found[1] == "scripts":
            code = self.files[f"{found[2]}.py"]
            about |= {"content": code, "language": "python3", "hash": "1"}
        return "application/json", json.dumps(about).encode()

    def post(self, path: str, body: dict) -> str:
        """Keep what a POST creates or changes; return the answer's text."""
        self.writes.append((path, body))
        with self.judging:  # the models are imported as they are needed
            self.problems += payloads.problems("POST", path, body)
        if found := re.fullmatch(r"/w/\w+/schedules/setenabled/(.+)", path):
            self.files[f"{found[1]}.schedule.json"]["enabled"] = body["enabled"]
        found = re.fullmatch(r"/w/\w+/(resources/type|\w+)/(create|update/(.+))", path)
        if not found or found[1] not in KINDS:
            return "ok"
        suffix, elsewhere = KINDS[found[1]]
        name = found[3] or body["path" if "path" in elsewhere else "name"]
        kept = {k: v for k, v in body.items() if k not in (*elsewhere, *UNKEPT)}
        file = self._file(found[1], name)
        self.files[file] = server_form(suffix, kept, self.files.get(file))
        if suffix == "script":
            self.files[f"{name}.py"] = body["content"]
        return name

    def _module(self, name: str) -> tuple[str, bytes] | None:
        """What a job that imports gets: a script's text, or word of a folder."""
        self.fetched.append(name)
        if f"{name}.py" in self.files:
            return "text/plain", self.files[f"{name}.py"].encode()
        if any(file.startswith(f"{name}/") for file in self.files):
            return "text/plain", b"WINDMILL_IS_FOLDER"
        return None

    @staticmethod
    def _file(kind: str, name: str) -> str:
        place = f"f/{name}/" if kind == "folders" else f"{name}."
        return f"{place}{KINDS[kind][0]}.json"

    @contextmanager
    def serving(self):
        """Serve on a port of this machine; yields the base URL."""
        remote = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if not remote.reachable(self.place()):
                    self.close_connection = True
                    return
                found = remote.get(self.place())
                kind, body = found or ("text/plain", b"not found")
                self.reply(200 if found else 404, kind, body)

            def do_POST(self):
                size = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(size) or b"{}")
                text = remote.post(self.place(), body)
                self.reply(201, "text/plain", text.encode())

            def do_DELETE(self):
                remote.writes.append((f"DELETE {self.place()}", None))
                self.reply(200, "text/plain", b"")

            def place(self):
                if "authorization" in self.headers:
                    remote.tokens.add(self.headers["authorization"])
                return unquote(self.path.split("?")[0].removeprefix("/api"))

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


def paths(place: Path, suffix: str) -> set[str]:
    """The Windmill paths of the built files with such a name, inline ones left out."""
    names = (path.relative_to(place).as_posix() for path in place.rglob("*"))
    return {
        n.removesuffix(suffix)
        for n in names
        if n.endswith(suffix) and ("__flow/" not in n.removesuffix(suffix))
    }


def push(place: Path, remote: Remote) -> list[tuple[str, dict | None]]:
    """Push a folder with the official command line; return the writes, each of which
    Windmill's models know."""
    remote.writes.clear()
    with remote.serving() as url:
        words = ("--base-url", url, "--token", "t", "--workspace", "w")
        done = wmill(place, "sync", "push", "--yes", *words)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-2000:]
    assert "Stale" not in output, output[-2000:]
    assert not remote.problems, "\n".join(remote.problems[:20])
    return list(remote.writes)
