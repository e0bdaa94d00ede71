"""Deploy the pack, or a part of it, to a workspace.

`wmill sync push` does the work, on scripts, flows and the resource type. What a user
sets is made once, by Windmill's API, and left alone afterwards: the folder, and the
schedules, which are created switched off. Around it are the build, a summary of what
will change that a person can read, a question, and care for the token: the command
line finds it in a profile that lives as long as the deployment and that only this user
may read, so that it is on no command line, and it is cut from all that is said.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.cli.terminal import why_no_answer
from tools.operations import ROOT, operations
from tools.target_folder import checked
from tools.tree.locks import PYTHON
from tools.tree.parts import FIRST, Part, of_part, part, runnables
from tools.tree.sync_tree import FOLDER, SUMMARY, build, fit_server
from tools.version import VERSION
from tools.workspace.deployed import (
    DeployError,
    Held,
    check_free,
    check_rights,
    held,
    listed,
    remove,
    timetables,
)
from tools.workspace.windmill_api import ApiError, WindmillApi
from tools.workspace.wmill_profile import profile

TOKEN = "WM_TOKEN"  # the name that the command line itself gives to it
LOG_IN = (
    "give --workspace, --base-url and a token, or log the command line in: "
    "wmill workspace add"
)
MENDED = "the same command again does what is left"
ADVICE = {
    None: "see whether the address is right and the server is up",
    401: f"the token may be wrong, or of another workspace: {LOG_IN}",
    403: "take the token of an admin, or of an owner of the folder",
    404: "see whether --base-url and --workspace are right",
}
SUFFIXES = {
    "/folder.meta.yaml": "folder",
    ".resource-type.yaml": "resource type",
    ".schedule.yaml": "schedule",
    ".script.yaml": "script",
    ".script.lock": "script",
    ".py": "script",
}
AGENTS = "agent"  # the folder of the tools for agents
FEW = 12  # objects that are named rather than counted
FIRST_FEW = 5  # of those that are not asked about


@dataclass(frozen=True)
class Target:
    """Where to: a workspace's address and a token, or a profile of the command line
    (its active one where `workspace` is None)."""

    workspace: str | None = None
    base_url: str | None = None
    token: str | None = field(default=None, repr=False)
    name: str | None = None  # of the profile

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_url", _address(self.base_url))
        object.__setattr__(self, "token", _token(self.token))
        if not self.base_url:
            if self.token:
                raise ValueError("--token needs --base-url and --workspace")
        elif not self.workspace or not self.token:
            raise ValueError(
                "--base-url needs --workspace, and a token: put one into the "
                f"environment as {TOKEN} (or pass --token)"
            )

    def resolved(self) -> "Target":
        """The same with the address and token of its profile. Raises DeployError."""
        if self.base_url:
            return self
        try:
            name, base_url, workspace, token = profile(self.workspace)
        except ValueError as error:
            raise DeployError(f"{error}\n{LOG_IN}") from None
        return Target(workspace, base_url, token, name)

    @contextmanager
    def api(self) -> Iterator[WindmillApi]:
        """Windmill's API there. What it refuses is a DeployError, with what to do."""
        try:
            yield WindmillApi(self.base_url, self.workspace, self.token)
        except ApiError as error:
            raise DeployError(self.explained(error)) from None

    def explained(self, error: ApiError) -> str:
        """What Windmill there refused or why it gave no answer, and what to do."""
        if error.status is None:
            why = why_no_answer(error.words)
            what = f"Windmill at {self.base_url} gave no answer: {why}"
        else:
            what = f"Windmill at {self.base_url} refused {error}"
        # Of one who is known and may not, Windmill says 401 as well.
        known = error.status == 401 and "Not authorized" in error.words
        return f"{what}\n{ADVICE.get(403 if known else error.status, MENDED)}"

    def where(self, user: dict) -> str:
        """The workspace and its user, for people."""
        profiled = (
            f" ({self.name})" if self.name and self.name != self.workspace else ""
        )
        who = user.get("email") or user.get("username")
        return f"workspace {self.workspace}{profiled} on {self.base_url} as {who}"


@dataclass(frozen=True)
class Change:
    """One object that is written: `create`, `update` or `delete` it."""

    what: str
    kind: str
    path: str


@dataclass(frozen=True)
class Wish:
    """What is to be deployed: `groups` (None: all of them), without the operations of
    the API for `steps`; `schedules` where the folder has the pack already; `prune` for
    the removal of what this version no longer has; `star` for the tools for agents as
    favourites of who deploys."""

    groups: Collection[str] | None = None
    steps: bool = False
    schedules: bool = False
    prune: bool = False
    star: bool = False

    def __post_init__(self) -> None:
        if self.groups is not None and not (self.groups and all(self.groups)):
            raise ValueError(
                "--groups holds an empty name: name groups with commas between them, "
                "such as chat,batches; without --groups, all are deployed"
            )

    @property
    def partial(self) -> bool:
        return self.groups is not None or self.steps


def _address(given: str | None) -> str | None:
    """A server's address. Raises ValueError for what is none, and for one that holds
    what may be secret, which would be told wherever the address is."""
    address = (given or "").strip()
    if re.search(r"[@?#]", address):
        raise ValueError(
            "the server's address (--base-url, or the profile's) may hold no user, "
            "password, query or fragment: give it as in https://app.windmill.dev"
        )
    if address and not re.match(r"https?://[^/]", address):
        raise ValueError(f"--base-url {address!r} is no http(s) address")
    return address or None


def _token(given: str | None) -> str | None:
    """A token without what stands around it in a file: blanks and line ends. Raises
    ValueError, which does not show it, for what no header can carry."""
    token = (given or "").strip()
    if wrong := re.search("[^!-~]", token):
        raise ValueError(
            f"the token ({TOKEN} of the environment, --token, or the profile's) is "
            f"none: its character {wrong.start() + 1} of {len(token)} is a blank, a "
            "control or no ASCII"
        )
    return token or None


def deploy(
    target: Target,
    wish: Wish = Wish(),
    *,
    say: Callable[[str], None],
    ask: Callable[[str], bool],
    folder: str = FOLDER,
    place: Path | None = None,
    dry_run: bool = False,
    root: Path = ROOT,
    python: str = PYTHON,
) -> dict:
    """Build, show what would change, ask, write; return what was done.

    {"folder", "version", "pushed", "create"?, "update"?, "pruned"?}: how many objects.
    `place` keeps the build, `python` is what the scripts run on. Raises ValueError for
    what cannot be tried, DeployError for what went wrong. Nothing is written before
    `ask` agreed, and only what `wish` says is deleted.
    """
    checked(folder)
    program = command_line()
    target = target.resolved()
    with ExitStack() as stack:
        if place is None:
            place = Path(stack.enter_context(TemporaryDirectory(prefix="pack-")))
        build(place, root, folder, python)
        api = stack.enter_context(target.api())
        user = identified(api)
        fit_server(place, api.version())
        say(f"{folder} to {target.where(user)}")
        found = listed(api, folder)
        ours = held(api, folder, found)
        tree = _runnables(place)
        chosen = _chosen(place, folder, wish, ours, root, say)
        check_free(_runnables(place), found, ours)
        windmill = stack.enter_context(windmill_cli(program, place, target))
        push = _Push(api, windmill, folder, wish, tree, say)
        push.look(ours, root, chosen)
        push.tell()
        tools = _tools(place, folder)
        if not push.changes and not push.pruned:
            say("nothing to do: the workspace has this version of the pack")
            if wish.star and not dry_run:
                push.done["starred"] = _star(api, tools, say)
            return push.done
        if not dry_run:
            check_rights(folder, push.pruned, user)
        if dry_run or not ask(_question(push.changes, push.pruned)):
            say("nothing pushed")
            return push.done
        push.write()
        if wish.star:
            push.done["starred"] = _star(api, tools, say)
        push.tell_of_the_rest()
        return {**push.done, "pushed": True}


@dataclass
class _Push:
    """What a deployment changes: looked at, told, and then written."""

    api: WindmillApi
    windmill: "_Windmill"
    folder: str
    wish: Wish
    tree: set[tuple[str, str]]  # the kinds and paths of what is built
    say: Callable[[str], None]
    first: bool = field(init=False)  # nothing of the pack is there
    old: list[Held] = field(init=False)  # no longer of the pack
    pruned: list[Held] = field(init=False)  # those of them that are to go
    absent: dict[str, dict] = field(init=False)  # schedules that are not there
    pushed: list[Change] = field(init=False)  # those that the command line makes
    changes: list[Change] = field(init=False)
    done: dict = field(init=False)

    def look(self, ours: list[Held], root: Path, chosen: set[str] | None) -> None:
        """See what there is of the pack, and what would change. Raises DeployError."""
        self.old = [one for one in ours if (one.kind, one.path) not in self.tree]
        self.first = not ours
        changes = _folder(self.api, self.folder)
        self.absent = _schedules(self.api, root, self.folder, chosen)
        if self.first or self.wish.schedules:
            changes += [Change("create", "schedule", path) for path in self.absent]
        self.pushed = self.windmill.changes()
        changes += self.pushed
        self.changes = sorted(changes, key=lambda c: (c.what, c.kind, c.path))
        self.pruned = self.old if self.wish.prune else []
        self.done = {"folder": self.folder, "version": VERSION, "pushed": False}
        self.done |= dict(Counter(change.what for change in self.changes))

    def tell(self) -> None:
        """Say what would change. Raises DeployError where a push would delete."""
        for line in summary(self.changes, self.folder):
            self.say(line)
        lost = [change.path for change in self.changes if change.what == "delete"]
        if lost:
            raise DeployError(
                f"this push would delete {', '.join(lost)}: nothing pushed"
            )
        if self.old and not self.wish.prune:
            paths = named([one.path for one in self.old], FIRST_FEW)
            them = "it" if len(self.old) == 1 else "them"
            self.say(f"no longer of the pack: {paths}; --prune removes {them}")
        for line in _pruning(self.api, self.pruned, self.folder, self.tree):
            self.say(line)

    def write(self) -> None:
        """Make the changes. Raises DeployError."""
        # Before the scripts: what is stopped in the middle is a first deployment still.
        _create(self.api, self.changes, self.absent)
        if self.pushed:
            self.windmill.push(self.say)
        if self.pruned:
            remove(self.api, self.folder, self.pruned, self.say)
            self.done["pruned"] = len(self.pruned)

    def tell_of_the_rest(self) -> None:
        """Say what is left to the user."""
        self.say("done")
        if not self.first and not self.wish.schedules:
            _tell_of_schedules(self.pushed, self.absent, self.say)
        first = "create", f"{self.folder}/{FIRST}"
        if any((change.what, change.path) == first for change in self.changes):
            self.say(
                "next, in Windmill: add a resource of the type togetherai with your "
                f"API key, and run {first[1]}, which says whether it works"
            )


def identified(api: WindmillApi) -> dict:
    """Who the token is of, in the workspace (users/whoami). Raises DeployError where
    there is no such workspace: who may do all on a server is known in that, too."""
    refusal = None
    try:
        user = api.get("users/whoami")
    except ApiError as error:
        if error.status is None:
            raise
        refusal = error
    try:
        there = api.post("/workspaces/exists", {"id": api.workspace})
    except ApiError:
        there = None  # it does not tell this token, which may be of one workspace
    if there is False:
        raise DeployError(
            f"there is no workspace {api.workspace} at {api.base_url}: its id, which "
            "is not always its name, stands in Windmill under Workspace settings"
        )
    if refusal:
        raise refusal
    return user


def _create(
    api: WindmillApi, changes: list[Change], schedules: dict[str, dict]
) -> None:
    """Create the folder and the schedules that are among the changes."""
    for change in changes:
        if change.kind == "folder":
            name = change.path.removeprefix("f/")
            api.post("folders/create", {"name": name, "summary": SUMMARY})
    for change in changes:
        if change.kind == "schedule":
            timetable = {"path": change.path, **schedules[change.path]}
            api.post("schedules/create", timetable)


def _tell_of_schedules(
    pushed: list[Change], absent: dict[str, dict], say: Callable[[str], None]
) -> None:
    """Say which schedules of new flows were not created."""
    new = {change.path for change in pushed if change.what == "create"}
    off = [path for path, body in absent.items() if body["script_path"] in new]
    if off:
        say(f"no schedule was created; --schedules does: {', '.join(off)}")


def _runnables(place: Path) -> set[tuple[str, str]]:
    """The kinds and paths of what is in a build."""
    files = (p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file())
    return {
        ("script" if file.endswith(".py") else "flow", path)
        for path, file in runnables(files).items()
    }


def _tools(place: Path, folder: str) -> set[str]:
    """The paths of the scripts that are made for agents, of those in a build."""
    scripts = {path for kind, path in _runnables(place) if kind == "script"}
    return {path for path in scripts if path.startswith(f"{folder}/{AGENTS}/")}


def _star(api: WindmillApi, tools: set[str], say: Callable[[str], None]) -> int:
    """Make scripts favourites of this user: a token with mcp:favorites lists these."""
    for path in sorted(tools):
        api.post("favorites/star", {"path": path, "favorite_kind": "script"})
    say(f"starred for you: {len(tools)} tools for agents; see docs/agents.md")
    return len(tools)


def _chosen(
    place: Path,
    folder: str,
    wish: Wish,
    ours: list[Held],
    root: Path,
    say: Callable[[str], None],
) -> set[str] | None:
    """Make a part of the build, if a part is wished for, and tell of it; the paths of
    its scripts and flows, or None for all."""
    if not wish.partial:
        return None
    paths = [path for path in place.rglob("*") if path.is_file()]
    files = {path.relative_to(place).as_posix(): path.read_bytes() for path in paths}
    raw = [f"{folder}/{found.id}" for found in operations(root)] if wish.steps else []
    there = [one.path for one in ours]
    chosen = part(files, folder, wish.groups, raw, there)
    kept = of_part(files, chosen.paths)
    for name, content in kept.items():
        if content != files[name]:
            (place / name).write_bytes(content)
    for name in files.keys() - kept.keys():
        (place / name).unlink()
    for line in told(chosen, len(runnables(files))):
        say(line)
    return chosen.paths


def told(chosen: Part, total: int) -> Iterator[str]:
    """What a part is, in two lines at most."""
    needed = f", and {len(chosen.needed)} that these need" if chosen.needed else ""
    yield (
        f"a part of the pack: {len(chosen.chosen)} of its {total} scripts, modules and "
        f"flows"
        f"{needed}"
    )
    if chosen.kept:
        yield (
            f"with {len(chosen.kept)} more that the folder holds already: all steps "
            "share modules, and so their version"
        )


def _folder(api: WindmillApi, folder: str) -> list[Change]:
    """The folder's creation, where it is missing. Raises DeployError for a folder in
    another one that is missing: that one is the user's."""
    space, name, *inner = folder.split("/")
    if space != "f" or api.find(f"folders/get/{name}") is not None:
        return []
    if inner:
        raise DeployError(
            f"there is no folder f/{name} to deploy {folder} into, or you may not see "
            "it: create it in Windmill first"
        )
    return [Change("create", "folder", folder)]


def _schedules(
    api: WindmillApi, root: Path, folder: str, chosen: set[str] | None
) -> dict[str, dict]:
    """The schedules of what is deployed that the workspace has not, and what creates
    them."""
    there = api.entries("schedules", f"{folder}/")
    return {
        path: timetable
        for path, timetable in timetables(root, folder).items()
        if path not in there and (chosen is None or timetable["script_path"] in chosen)
    }


def _question(changes: list[Change], pruned: list[Held]) -> str:
    asked = [f"push these {len(changes)} changes"] if changes else []
    if pruned:
        asked.append(f"remove these {len(pruned)}")
    return f"{' and '.join(asked)}?"


def _pruning(
    api: WindmillApi, pruned: list[Held], folder: str, tree: set[tuple[str, str]]
) -> Iterator[str]:
    """What a removal would take, and which schedules and flows would miss it. Those of
    the build do not: the same push brings them up to date."""
    if not pruned:
        return
    yield from summary([Change("remove", p.kind, p.path) for p in pruned], folder)
    yield from missed(api, {(p.kind, p.path) for p in pruned}, ours=tree)


def missed(
    api: WindmillApi,
    gone: set[tuple[str, str]],
    start: str | None = None,
    ours: Collection[tuple[str, str]] = (),
) -> Iterator[str]:
    """A line for each schedule and flow that stays and uses something that goes:
    objects by kind and path, or (`start`) all of a folder that does not stay. Of `ours`
    nothing is said."""
    for schedule in api.entries("schedules").values():
        kind = "flow" if schedule["is_flow"] else "script"
        if ("schedule", schedule["path"]) in gone:
            continue
        if (kind, schedule["script_path"]) in gone:
            state = "on" if schedule["enabled"] else "off"
            yield (
                f"  note: the schedule {schedule['path']} ({state}) runs "
                f"{schedule['script_path']}, which goes"
            )
    asked = [("script", start), ("flow", start)] if start else sorted(gone)
    for kind, path in asked:
        where = f"flows/list_paths_from_workspace_runnable/{kind}/{path}"
        # An older server cannot tell.
        found = api.find(f"{where}", match_path_start=str(bool(start)).lower()) or ()
        told = {("flow", flow) for flow in found} - gone - {*ours}
        if users := sorted(flow for _, flow in told):
            what = f"{kind}s of {path.rstrip('/')}" if start else f"{path}, which goes"
            verb = "uses" if len(users) == 1 else "use"
            yield f"  note: {', '.join(users)} {verb} {what}"


def command_line() -> list[str]:
    """The words that run `wmill`: the one on PATH, as it goes with the user's server;
    else npx and the version that the tests use. Raises ValueError if neither can be."""
    if not shutil.which("node"):
        raise ValueError(
            "Windmill's command line needs Node 20 or newer: install it from "
            "https://nodejs.org or with your system's packages (nodejs and npm)"
        )
    package = f"windmill-cli@{_pinned()}"
    if shutil.which("wmill"):
        return [shutil.which("wmill")]
    if shutil.which("npx"):
        return [shutil.which("npx"), "--yes", package]
    raise ValueError(
        "neither wmill nor npx is on the PATH: install Windmill's command line with "
        f"npm install -g {package}"
    )


def _pinned() -> str:
    about = json.loads((ROOT / "tests" / "windmill" / "package.json").read_text())
    return about["dependencies"]["windmill-cli"]


def named(paths: list[str], most: int = FEW) -> str:
    """The first of some paths, and how many more there are."""
    more = f" and {len(paths) - most} more" if len(paths) > most else ""
    return f"{', '.join(paths[:most])}{more}"


def summary(changes: list[Change], folder: str = FOLDER) -> Iterator[str]:
    """The changes in a few lines: each object by its path, or counted by group where
    there are many."""
    for what, kind in dict.fromkeys((c.what, c.kind) for c in changes):
        paths = sorted(c.path for c in changes if (c.what, c.kind) == (what, kind))
        head = f"  {what} {len(paths)} {kind}{'s' if len(paths) > 1 else ''}: "
        if len(paths) > FEW:
            names = (path.removeprefix(f"{folder}/") for path in paths)
            groups = Counter(name.rpartition("/")[0] or "shared" for name in names)
            paths = [f"{group} {count}" for group, count in groups.items()]
        text = textwrap.fill(", ".join(paths), 80, break_long_words=False)
        yield head + text.replace("\n", "\n      ")


def _changes(found: list[dict]) -> list[Change]:
    """From the files that the command line names to the objects that they are of."""
    states: dict[tuple[str, str], dict[str, str]] = {}
    for change in found:
        kind, path = _object(change["path"])
        states.setdefault((kind, path), {})[change["path"]] = change["type"]
    changes = []
    for (kind, path), files in states.items():
        code = files.get(f"{path}.py") if kind == "script" else None
        types = {code} if code else set(files.values())
        if types == {"added"}:
            what = "create"
        else:
            what = "delete" if types == {"deleted"} else "update"
        changes.append(Change(what, kind, path))
    return sorted(changes, key=lambda c: (c.what, c.kind, c.path))


def _object(file: str) -> tuple[str, str]:
    flow, mark, _ = file.partition("__flow/")
    if mark:
        return "flow", flow
    for suffix, kind in SUFFIXES.items():
        if file.endswith(suffix):
            return kind, file.removesuffix(suffix)
    return "file", file


@contextmanager
def windmill_cli(
    program: list[str], place: Path, target: Target
) -> Iterator["_Windmill"]:
    """The command line in a build, speaking to the target."""
    with TemporaryDirectory(prefix="profile-") as config:
        remotes = Path(config) / "windmill" / "remotes.ndjson"
        remotes.parent.mkdir()
        profile = {
            "name": target.workspace,
            "remote": target.base_url.rstrip("/") + "/",
            "workspaceId": target.workspace,
            "token": target.token,
        }
        with open(os.open(remotes, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(json.dumps(profile) + "\n")
        words = ["--workspace", target.workspace, "--config-dir", config]
        yield _Windmill([*program], words, place, target)


@dataclass(frozen=True)
class _Windmill:
    program: list[str]
    words: list[str]
    place: Path
    target: Target

    def changes(self) -> list[Change]:
        said = self.run("sync", "push", "--keep-deleted", "--dry-run", "--json-output")
        try:
            return _changes(json.loads(said[said.index("{") :])["changes"])
        except (ValueError, KeyError) as error:
            raise DeployError(
                f"wmill sync push --dry-run said: {said[-2000:]}"
            ) from error

    def push(self, say: Callable[[str], None]) -> None:
        applying = False

        def show(line: str) -> None:
            nonlocal applying
            if applying and not line.startswith("Creating"):
                say(f"  {line}")
            applying = applying or line.startswith("Applying changes")

        try:
            self.run("sync", "push", "--keep-deleted", "--yes", show=show)
        except DeployError as failure:
            raise DeployError(
                f"{failure}\npart of the changes may be in the workspace; the same "
                "command again pushes the rest"
            ) from failure

    def run(self, *words: str, show: Callable[[str], None] | None = None) -> str:
        """What the command line says to stdout and stderr, without colours and token.
        Raises DeployError with it when it fails."""
        with subprocess.Popen(
            [*self.program, *words, *self.words],
            cwd=self.place,
            # What npx says of its own versions is nothing of the deployment's.
            env={**os.environ, "NPM_CONFIG_UPDATE_NOTIFIER": "false"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process:
            lines = []
            for line in process.stdout:
                line = re.sub(r"\x1b\[[\d;]*m", "", line).rstrip()
                if self.target.token:
                    line = line.replace(self.target.token, "***")
                lines.append(line)
                if show:
                    show(line)
        said = "\n".join(lines)
        if process.returncode:
            raise DeployError(_explained(words, said, process.returncode))
        return said


def _explained(words: tuple[str, ...], said: str, code: int) -> str:
    """Why the command line failed, in its words, and what to do."""
    kept = [line for line in said.splitlines() if not line.startswith("    at ")]
    advice = ""
    if "Unknown option" in said:
        kept = [line for line in kept if "Unknown option" in line]
        advice = f"\nthis wmill is too old: npm install -g windmill-cli@{_pinned()}"
    elif re.search("No workspace|Workspace .* not found|Unauthorized", said):
        advice = f"\n{LOG_IN}"
    text = "\n".join(kept[-15:]).strip()
    return f"wmill {' '.join(words)} failed ({code}): {text}{advice}"


def confirm(question: str) -> bool:
    """Ask a person at the terminal."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
