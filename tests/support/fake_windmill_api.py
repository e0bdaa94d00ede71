"""A stand-in for the workspace that `wmill sync push` deploys to.

It keeps what is created, answers for it as Windmill's server does, exports it as the
archive that the command line compares with, and records every write. Each write is
judged by Windmill's own models of its API.
"""

import http.server
import io
import json
import re
import tarfile
import threading
import zipfile
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support import windmill_models
from tests.support.server_form import server_form
from tests.support.windmill_cli import wmill
from tools.flows.pack_flows import modules
from tools.local.server_thread import handling

# What a call to create or update an object leaves of it in the archive: the kind of
# the object in URLs, its suffix there, and members that are not written to its file.
KINDS = {
    "flows": ("flow", ("path",)),
    "folders": ("folder.meta", ("name",)),
    "resources/type": ("resource-type", ("name",)),
    "schedules": ("schedule", ("path",)),
    "scripts": ("script", ("path", "content", "language")),
}
# What can be listed, its suffix in the archive, and what a list leaves out of it.
LISTS = {
    "apps": "app",
    "flows": "flow",
    "resources": "resource",
    "schedules": "schedule",
    "scripts": "script",
    "variables": "variable",
}
UNLISTED = ("value", "content", "lock", "schema", "args")
# Of an export, unless the query says otherwise.
OPTIONS = {
    ".resource.json": ("skip_resources", False),
    ".resource-type.json": ("skip_resource_types", False),
    ".variable.json": ("skip_variables", False),
    ".schedule.json": ("include_schedules", True),
    "_trigger.json": ("include_triggers", True),
}
ADMINS = "Bad request: You need to be an admin to do that"
# Instructions to the server, kept nowhere.
UNKEPT = ("skip_draft_deletion", "parent_hash", "auto_parent", "deployment_message")


class Remote:
    """The files of the archive by their names, and a list of the writes."""

    def __init__(
        self,
        files: dict[str, object] = (),
        judge: bool = True,
        version: str = "1.713.1",
    ) -> None:
        self.files = dict(files)
        self.version = version  # of Windmill
        self.judge = (
            judge  # for which tests/support/windmill_models.py must be installed
        )
        self.writes: list[tuple[str, dict | None]] = []
        self.problems: list[str] = []
        self.judging = threading.Lock()
        self.tokens: set[str | None] = set()
        self.fetched: list[str] = []
        self.archived: dict[str, object] = {}
        self.admin = self.owner = True
        self.workspaces = {"w"}
        self.readonly: set[str] = set()  # what the user may see and not change
        self.breaks: str | None = None  # the call, METHOD path, that fails
        self.breaks_times = 1

    def export(self, query: dict[str, str]) -> bytes:
        """All files, as a tar where nothing else is asked for."""
        texts = {
            path: content if isinstance(content, str) else json.dumps(content)
            for path, content in self.files.items()
            if not self._left_out(path, query)
        }
        buffer = io.BytesIO()
        if query.get("archive_type", "tar") == "zip":
            with zipfile.ZipFile(buffer, "w") as archive:
                for path, text in texts.items():
                    archive.writestr(path, text)
        else:
            with tarfile.open(fileobj=buffer, mode="w") as archive:
                for path, text in texts.items():
                    about = tarfile.TarInfo(path)
                    about.size = len(text.encode())
                    archive.addfile(about, io.BytesIO(text.encode()))
        return buffer.getvalue()

    def _left_out(self, path: str, query: dict[str, str]) -> bool:
        kind = self.files[path] if path.endswith(".resource.json") else {}
        if kind.get("resource_type") in ("state", "cache"):
            return True
        for suffix, (option, included) in OPTIONS.items():
            if path.endswith(suffix):
                return (query.get(option) == "true") != included
        return False

    def reachable(self, path: str) -> bool:
        """Whether a GET is answered at all; if not, its connection breaks."""
        return True

    def get(self, path: str, query: dict[str, str]) -> tuple[str, bytes] | None:
        """The answer to a GET: content type and body, or None for 404."""
        if path.endswith("/tarball"):
            kind = query.get("archive_type", "tar").replace("tar", "x-tar")
            return f"application/{kind}", self.export(query)
        if path.endswith("whoami"):
            who = {"email": "a@b.c", "username": "a", "folders": []}
            who["is_admin"] = self.admin
            folders = [f.split("/")[1] for f in self.files if f.startswith("f/")]
            who["folders_owners"] = sorted(set(folders)) if self.owner else []
            return "application/json", json.dumps(who).encode()
        if found := re.fullmatch(r"/w/\w+/(\w+)/list", path):
            listed = self._list(found[1], query)
            return "application/json", json.dumps(listed).encode()
        where = r"/w/\w+/flows/list_paths_from_workspace_runnable/(\w+)/(.+)"
        if found := re.fullmatch(where, path):
            below = query["match_path_start"] == "true"
            used = self._users_of(*found.groups(), below)
            return "application/json", json.dumps(used).encode()
        if path.endswith("/version"):
            return "text/plain", f"v{self.version}".encode()
        if "/jobs/" in path or path.endswith("/users"):
            return "application/json", b"[]"
        if found := re.fullmatch(r"/w/\w+/scripts/raw/p/(.+)\.py", path):
            return self._module(found[1])
        found = re.fullmatch(r"/w/\w+/(resources/type|\w+)/get/(?:p/)?(.+)", path)
        if not found or found[1] not in KINDS:
            return None
        file = self._file(found[1], found[2])
        archived = file in self.archived
        files = self.archived if archived else self.files
        if file not in files:
            return None
        about = {**files[file], "path": found[2], "name": found[2]}
        if found[1] == "resources/type":
            about.setdefault("workspace_id", "w")
        if found[1] == "scripts":
            code = files[f"{found[2]}.py"]
            about |= {"content": code, "language": "python3", "hash": "1"}
            about["archived"] = archived
        return "application/json", json.dumps(about).encode()

    def post(self, path: str, body: dict) -> str:
        """Keep what a POST creates or changes; return the answer's text."""
        self.writes.append((path, body))
        if self.judge:
            with self.judging:  # the models are imported as they are needed
                self.problems += windmill_models.problems("POST", path, body)
        if found := re.fullmatch(r"/w/\w+/scripts/(archive|delete)/p/(.+)", path):
            names = [f"{found[2]}.script.json", f"{found[2]}.py"]
            gone = {name: self.files.pop(name) for name in names}
            if found[1] == "archive":
                self.archived |= gone
            return found[2]
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
            self.archived.pop(f"{name}.script.json", None)
            self.archived.pop(f"{name}.py", None)
        return name

    def delete(self, path: str) -> int:
        """Remove what a DELETE names; return the answer's status."""
        self.writes.append((f"DELETE {path}", None))
        found = re.fullmatch(r"/w/\w+/(resources/type|\w+)/delete/(.+)", path)
        if not found:
            return 200
        kind, name = found.groups()
        plain = f"{name}.{LISTS[kind]}.json" if kind in LISTS else None
        file = plain or self._file(kind, name)
        if name in self.readonly:
            # Rows that the user may not write to are no rows of the statement.
            return 200 if kind in ("flows", "resources") else 401
        if kind == "flows":
            self.files.pop(file, None)
        elif file not in self.files:
            return 404
        else:
            del self.files[file]
        return 200

    def refusal(self, method: str, path: str) -> tuple[int, str] | None:
        """The status and words for a call that is not allowed, or that breaks."""
        if self.breaks and f"{method} {path}".startswith(self.breaks):
            self.breaks_times -= 1
            if not self.breaks_times:
                self.breaks = None
            return 500, "Internal: connection to the database was lost"
        admins = ("/scripts/delete/", "/resources/type/delete/")
        if not self.admin and any(part in path for part in admins):
            return 403, ADMINS
        if method == "POST" and "/scripts/archive/p/" in path:
            name = path.partition("/scripts/archive/p/")[2]
            if name in self.readonly:
                return 401, f"Not authorized: You are not owner of {name}"
        return None

    def _list(self, kind: str, query: dict[str, str]) -> list[dict]:
        """A page of the objects of a kind, as the server lists them."""
        suffix, found = f".{LISTS[kind]}.json", []
        start = re.escape(query.get("path_start", "")).replace("_", ".")
        for file, content in sorted(self.files.items()):
            if not file.endswith(suffix):
                continue
            path = file.removesuffix(suffix)
            if not re.match(start, path):
                continue
            about = {k: v for k, v in content.items() if k not in UNLISTED}
            if kind == "scripts":
                code = self.files.get(f"{path}.py")
                about["language"] = "bun" if code is None else "python3"
                library = code is not None and "def main(" not in code
                if library and query.get("include_without_main") != "true":
                    continue
            wanted = query.get("resource_type")
            if wanted and about.get("resource_type") != wanted:
                continue
            found.append({**about, "path": path})
        size = int(query.get("per_page", 1000))
        begin = (int(query.get("page", 1)) - 1) * size
        return found[begin : begin + size]

    def _users_of(self, kind: str, path: str, below: bool) -> list[str]:
        """The flows with a step that is this script or flow, or one below the path."""
        found = []
        for file, flow in self.files.items():
            if file.endswith(".flow.json"):
                steps = [module["value"] for module in modules(flow["value"])]
                used = [step["path"] for step in steps if step["type"] == kind]
                if any(u == path or (below and u.startswith(path)) for u in used):
                    found.append(file.removesuffix(".flow.json"))
        return found

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
        """The name in the archive of an object of KINDS."""
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
                if self.refused():
                    return
                found = remote.get(self.place(), self.query())
                kind, body = found or ("text/plain", b"not found")
                self.reply(200 if found else 404, kind, body)

            def do_POST(self):
                size = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(size) or b"{}")
                if self.refused():
                    return
                if self.place() == "/workspaces/exists":
                    there = json.dumps(body["id"] in remote.workspaces)
                    self.reply(200, "application/json", there.encode())
                    return
                text = remote.post(self.place(), body)
                self.reply(201, "text/plain", text.encode())

            def do_DELETE(self):
                if self.refused():
                    return
                self.reply(remote.delete(self.place()), "text/plain", b"")

            def refused(self):
                found = remote.refusal(self.command, self.place())
                if found:
                    self.reply(found[0], "text/plain", found[1].encode())
                return found is not None

            def query(self):
                return dict(parse_qsl(urlsplit(self.path).query))

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

        with handling(Handler) as url:
            yield url


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
