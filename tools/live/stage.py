"""The stage of the live suite: a folder of its own on the server, and the sandbox.

Everything that a check makes stands under one folder, `f/live_` and eight digits, or a
second one beside it; whatever stands there is removed at the end. Nothing else of the
workspace is written, but for the resource type, where the workspace had none.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import yaml

from tools.flows.pack_flows import flows
from tools.live.checks import ShortError, SkippedError, StoppedError
from tools.live.model import CHAT, LIST, METRICS, catalogue, speaks
from tools.operations import ROOT, find
from tools.sandbox import Sandbox
from tools.tree.sync_tree import RESOURCE_TYPE
from tools.workspace.deploy import Target, deploy
from tools.workspace.windmill_api import ApiError, WindmillApi

OLDEST = (1, 713)  # versions of Windmill before this are not looked at
NAME = r"live_[0-9a-f]{8}"  # of the folder; what bears such a name is the suite's
TYPE = RESOURCE_TYPE.partition(".")[0]
KEY = "of-the-live-suite"  # that the suite's resources hold
PATIENCE = 120.0  # seconds after which a job is not waited for any longer
POLLS = (0.03, 1.0)  # seconds between two looks at a job: the first, the longest
GROWTH = 1.3
MOST = 1000  # jobs that are listed at once
CANCELLED = 30.0  # seconds in which what was cancelled is over


@dataclass(frozen=True)
class Job:
    """A job that is over."""

    id: str
    path: str
    success: bool
    result: object

    @property
    def error(self) -> dict:
        """What Windmill keeps of why it failed: name, message, extra."""
        found = self.result.get("error") if isinstance(self.result, dict) else None
        return found if isinstance(found, dict) else {"message": str(self.result)}

    def succeeded(self) -> object:
        """Its result. Raises ShortError where it failed."""
        if self.success:
            return self.result
        error = self.error
        raise ShortError(
            f"{self.path} failed: {error.get('name')}: {error.get('message')} "
            f"(job {self.id})"
        )


class Stage:
    """What checks work with: see `setting`."""

    def __init__(
        self,
        api: WindmillApi,
        target: Target,
        sandbox: Sandbox,
        folder: str,
        say: Callable[[str], None],
        root: Path = ROOT,
    ) -> None:
        self.root = root
        self.api = api
        self.target = target
        self.sandbox = sandbox
        self.folder = folder
        self.second = f"{folder}_b"  # for what needs a deployment of its own
        self.say = say
        self.stop = Event()
        self.deployed: dict = {}  # what the first deployment did
        self.deployed_at = 0.0  # by time.monotonic
        self.plant: object = None  # see outside.py
        self.listed: set[tuple[str, str]] = set()  # see deployment.py
        self.left: list[str] = []  # what could not be removed at the end

    # --- what the server is ----------------------------------------------------------

    @cached_property
    def version(self) -> str:
        return self.api.version()

    @cached_property
    def user(self) -> dict:
        return self.api.get("users/whoami")

    @cached_property
    def storage(self) -> bool:
        """Whether the workspace has object storage."""
        try:
            self.api.get("job_helpers/test_connection")
        except ApiError as error:
            if error.status is None:
                raise
            return False
        return True

    def needs_storage(self) -> None:
        if not self.storage:
            raise SkippedError("the workspace has no object storage")

    # --- the pack --------------------------------------------------------------------

    @property
    def auth(self) -> str:
        """The resource that leads to the sandbox, as a form passes it."""
        return f"$res:{self.folder}/key"

    @cached_property
    def agents_auth(self) -> str:
        """The resource that leads Windmill's own step for AI agents to the sandbox."""
        key = {"api_key": KEY, "base_url": f"{self.sandbox.url}/v1"}
        return f"$res:{self.make_resource('agents', key, TYPE)}"

    def deploy(self, folder: str | None = None) -> dict:
        """Deploy the pack as `./dev deploy --yes` does; return what was done."""
        said: list[str] = []
        folder = folder or self.folder
        done = deploy(
            self.target,
            say=said.append,
            ask=lambda _: True,
            folder=folder,
            root=self.root,
        )
        return {**done, "said": said}

    def script(self, script_id: str) -> str:
        """A script's path here. Raises KeyError where the pack has none of that id."""
        return f"{self.folder}/{find(script_id, self.root).id}"

    def flow(self, name: str) -> str:
        """A flow's path here, whatever folder of the pack it is in."""
        for found in flows(self.root):
            if found.name == name:
                return f"{self.folder}/{found.id}"
        raise KeyError(name)

    # --- jobs ------------------------------------------------------------------------

    def pause(self, seconds: float) -> None:
        """Wait. Raises StoppedError once the suite is to end."""
        if self.stop.wait(seconds):
            raise StoppedError

    def start(self, path: str, arguments: dict, kind: str = "script") -> str:
        """Start a job; return its id."""
        letter = {"script": "p", "flow": "f"}[kind]
        if self.stop.is_set():
            raise StoppedError
        return str(self.api.post(f"jobs/run/{letter}/{path}", arguments)).strip('"')

    def wait(self, job: str, path: str = "job", seconds: float = PATIENCE) -> Job:
        """Wait for a job to end. Raises ShortError where it does not."""
        until = time.monotonic() + seconds
        pause, longest = POLLS
        while True:
            found = self.api.get(f"jobs_u/completed/get_result_maybe/{job}")
            if found.get("completed"):
                return Job(job, path, bool(found.get("success")), found.get("result"))
            if time.monotonic() > until:
                raise ShortError(f"{path} is not done after {seconds:g} s (job {job})")
            self.pause(pause)
            pause = min(pause * GROWTH, longest)

    def run(
        self, script_id: str, arguments: dict | None = None, auth: bool = True
    ) -> Job:
        """Run a script of the pack, with the resource unless `auth` is False."""
        given = {"auth": self.auth, **(arguments or {})} if auth else arguments or {}
        path = self.script(script_id)
        return self.wait(self.start(path, given), script_id)

    def start_flow(self, name: str, **arguments: object) -> str:
        """Start a flow of the pack; return the job's id."""
        return self.start(self.flow(name), {"auth": self.auth, **arguments}, "flow")

    def run_flow(self, name: str, **arguments: object) -> Job:
        """Run a flow of the pack to its end."""
        return self.wait(self.start_flow(name, **arguments), name)

    def jobs(self, root: str) -> list[dict]:
        """A job and all that were started under it, as the server lists them."""
        found, waiting = [self.api.get(f"jobs_u/get/{root}")], [root]
        while waiting:
            # Of jobs there are no pages.
            query = {"parent_job": waiting.pop(), "per_page": MOST}
            for child in self.api.get("jobs/list", **query):
                found.append(child)
                waiting.append(child["id"])
        return found

    def until(self, what: str, look: Callable[[], object], seconds: float) -> object:
        """Look until there is something to see. Raises ShortError."""
        end = time.monotonic() + seconds
        while not (seen := look()):
            if time.monotonic() > end:
                raise ShortError(f"{what}: not within {seconds:g} s")
            self.pause(0.1)
        return seen

    # --- what checks make ------------------------------------------------------------

    def make_script(self, name: str, content: str, lock: str | None = "") -> str:
        """Create a Python script in the folder; return its path. With lock None the
        server resolves what it imports, and is waited for."""
        path = f"{self.folder}/{name}"
        body = {
            "path": path,
            "content": content,
            "language": "python3",
            "summary": "of the live suite",
            "description": "",
            "schema": {"type": "object", "properties": {}, "required": []},
        }
        if lock is not None:
            body["lock"] = lock or "# py: 3.11\n"
        made = str(self.api.post("scripts/create", body)).strip('"')
        if lock is None:

            def status() -> dict | None:
                found = self.api.get(f"scripts/deployment_status/h/{made}")
                return found if found.get("lock") is not None else None

            self.until(f"{name} gets its lock", status, PATIENCE)
        return path

    def make_flow(self, name: str, modules: list[dict], **value: object) -> str:
        """Create a flow in the folder; return its path."""
        path = f"{self.folder}/{name}"
        body = {
            "path": path,
            "summary": "of the live suite",
            "description": "",
            "value": {"modules": modules, **value},
            "schema": {"type": "object", "properties": {}, "required": []},
        }
        self.api.post("flows/create", body)
        return path

    def make_resource(self, name: str, value: object, kind: str = "c_live") -> str:
        """Create a resource in the folder; return its path."""
        path = f"{self.folder}/{name}"
        body = {"path": path, "value": value, "resource_type": kind}
        self.api.post("resources/create", body)
        return path


def step(id: str, path: str, **inputs: object) -> dict:
    """A module of a flow that runs a script; what begins with `=` is an expression."""

    def transform(given: object) -> dict:
        if isinstance(given, str) and given.startswith("="):
            return {"type": "javascript", "expr": given[1:]}
        return {"type": "static", "value": given}

    transforms = {name: transform(given) for name, given in inputs.items()}
    value = {"type": "script", "path": path, "input_transforms": transforms}
    return {"id": id, "value": value}


# --- setting up and clearing away --------------------------------------------------


@contextmanager
def setting(
    target: Target,
    say: Callable[[str], None],
    *,
    sandbox_url: str | None = None,
    listen: str = "127.0.0.1",
    keep: bool = False,
    root: Path = ROOT,
) -> Iterator[Stage]:
    """Set a stage up: look whether the server will do, start the sandbox, deploy the
    pack, create the resource; clear it away at the end, unless it is to be kept.

    Raises ValueError for what cannot be tried at all, ApiError and DeployError.
    """
    api = WindmillApi(target.base_url, target.workspace, target.token)
    port = _port(sandbox_url)
    sandbox = Sandbox(host=listen, port=port, reached_at=sandbox_url)
    folder = f"f/live_{secrets.token_hex(4)}"
    stage = Stage(api, target, sandbox, folder, say, root)
    had_type = _checked(stage)
    with sandbox:
        _quicken(sandbox)
        try:
            began = time.monotonic()
            stage.deployed = stage.deploy()
            stage.deployed_at = time.monotonic()
            stage.deployed["seconds"] = round(stage.deployed_at - began, 1)
            key = {"api_key": KEY, "base_url": sandbox.url}
            stage.make_resource("key", key, TYPE)
            yield stage
        finally:
            stage.stop.set()
            if keep:
                say(f"kept: {folder} and {stage.second}; remove them with --remove")
            else:
                say(f"clearing away (Ctrl-C once more leaves {folder} behind) ...")
                stage.left = clear(stage, had_type)


def _quicken(sandbox: Sandbox) -> None:
    """Let everything at the sandbox be done in seconds of the clock on the wall, and
    its model say what shows that it was asked."""
    sandbox.answers |= {find(CHAT).name: speaks, find(LIST).name: catalogue}
    sandbox.objects |= METRICS
    sandbox.lifecycles.clock.set_speed(1)
    for kind in sandbox.lifecycles.kinds.values():
        for state in kind.plan:
            kind.plan[state] = 0.3
    # A batch takes longer than the first look at it, so that a flow waits.
    sandbox.lifecycles["batch"].plan["IN_PROGRESS"] = 5.0


def _port(url: str | None) -> int:
    if url is None:
        return 0
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or parts.path.strip("/"):
        raise ValueError(f"--sandbox-url {url!r} is not like http://host:port")
    return parts.port or 80


def _checked(stage: Stage) -> bool:
    """Whether the workspace has the resource type already. Raises ValueError where the
    suite cannot run without changing what is not its own."""
    # A server that was built by hand may not know its version.
    numbers = re.match(r"(\d+)\.(\d+)", stage.version)
    if numbers and tuple(map(int, numbers.groups())) < OLDEST:
        least = ".".join(map(str, OLDEST))
        raise ValueError(f"Windmill {stage.version} is older than {least}")
    there = stage.api.find(f"resources/type/get/{TYPE}")
    own = yaml.safe_load((stage.root / "resources" / RESOURCE_TYPE).read_text())
    if there and there.get("schema") != own["schema"]:
        raise ValueError(
            f"the workspace's resource type {TYPE} is another than the pack's, and a "
            "deployment would change it: take another workspace"
        )
    return there is not None


def clear(stage: Stage, had_type: bool) -> list[str]:
    """Remove all that the suite made; return what could not be removed, each with the
    reason."""
    api = stage.api
    left = clear_folders(api, stage.folder)

    def drop_type() -> None:
        used = next(api.pages("resources/list", resource_type=TYPE), None)
        if used is None and api.find(f"resources/type/get/{TYPE}"):
            api.delete(f"resources/type/delete/{TYPE}")

    return left if had_type else left + _tried(drop_type, f"resource type {TYPE}")


def clear_folders(api: WindmillApi, folder: str) -> list[str]:
    """Remove a folder of the suite and the one beside it, with all that is in them,
    their jobs, and the tokens that were made for it; return what could not be. What a
    lost connection left is tried again."""
    return _clear_folders(api, folder) and _clear_folders(api, folder)


def _clear_folders(api: WindmillApi, folder: str) -> list[str]:
    admin = api.get("users/whoami").get("is_admin")
    left: list[str] = []
    for one in (f"{folder}_b", folder):
        left += _clear_folder(api, one, admin)

    def drop_tokens() -> None:
        for token in api.pages("/users/tokens/list"):
            if token.get("label") == label(folder):
                api.delete(f"/users/tokens/delete/{token['token_prefix']}")

    return left + _tried(drop_tokens, "tokens")


def label(folder: str) -> str:
    """By what a token that a run makes is known."""
    return f"live suite {folder}"


def _clear_folder(api: WindmillApi, folder: str, admin: bool) -> list[str]:
    start, left = f"{folder}/", []
    # Schedules first, then what is queued: nothing new begins.
    for kind in ("schedules", "jobs", "flows", "scripts", "resources", "variables"):
        if kind == "jobs":
            left += _tried(lambda: _cancel(api, start), f"the queue of {folder}")
            continue
        paths: list[str] = []
        list_all = partial(_collect, api, kind, start, paths)
        left += _tried(list_all, f"the {kind} of {folder}")
        for path in paths:
            left += _tried(partial(_remove, api, kind, path, admin), path)
    name = folder.removeprefix("f/")
    if api.find(f"folders/get/{name}") is not None:
        left += _tried(partial(api.delete, f"folders/delete/{name}"), folder)
    if admin:
        left += _tried(partial(_forget_jobs, api, start), f"the jobs of {folder}")
    return left


def _collect(api: WindmillApi, kind: str, start: str, paths: list[str]) -> None:
    paths += api.entries(kind, start)


def _remove(api: WindmillApi, kind: str, path: str, admin: bool) -> None:
    if kind != "scripts":
        api.delete(f"{kind}/delete/{path}")
    elif admin:
        api.post(f"scripts/delete/p/{path}")
    else:
        api.post(f"scripts/archive/p/{path}")  # to delete them is an admin's


def _cancel(api: WindmillApi, start: str) -> None:
    """Cancel whatever of a folder is queued or runs, and wait until it is over."""
    end = time.monotonic() + CANCELLED
    while found := _jobs(api, "jobs/queue/list", start):
        for job in found:
            reason = {"reason": "the live suite ends"}
            api.post(f"jobs_u/queue/cancel/{job}", reason)
        if time.monotonic() > end:
            words = f"{len(found)} jobs still run"
            raise ApiError("POST", "jobs_u/queue/cancel", None, words)
        time.sleep(0.3)


def _forget_jobs(api: WindmillApi, start: str) -> None:
    """Delete the folder's jobs from the list of runs."""
    before: list[str] = []
    while found := _jobs(api, "jobs/list", start):
        if found == before:
            raise ApiError("POST", "jobs/delete", None, f"{len(found)} jobs stay")
        # A flow's steps that run nothing have no path.
        empty = api.get("jobs/list", job_kinds="identity", per_page=MOST)
        gone = found + [j["id"] for j in empty if j.get("parent_job") in found]
        for first in range(0, len(gone), 100):
            api.post("jobs/delete", gone[first : first + 100])
        before = found


def _jobs(api: WindmillApi, which: str, start: str) -> list[str]:
    """The ids of the jobs of a folder; some of them, where there are very many."""
    found = api.get(which, script_path_start=start, per_page=MOST)
    # In what the server looks for, `_` may be any letter.
    return [j["id"] for j in found if str(j.get("script_path")).startswith(start)]


def _tried(action: Callable[[], object], what: str) -> list[str]:
    """Nothing, or what could not be done and why."""
    try:
        action()
    except ApiError as error:
        return [f"{what} ({error})"]
    return []
