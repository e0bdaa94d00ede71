"""Deploy the pack to a workspace, with Windmill's own command line.

`wmill sync push` does the work; around it are the build, a summary of what will change
that a person can read, a question, and care for the token: it is written to a profile
that lives as long as the deployment and that only this user may read, so that it is on
no command line, and it is cut from all that the command line says.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.operations import ROOT
from tools.tree import FOLDER, build

TOKEN = "WM_TOKEN"  # the name that the command line itself gives to it
SUFFIXES = {
    "/folder.meta.yaml": "folder",
    ".resource-type.yaml": "resource type",
    ".schedule.yaml": "schedule",
    ".script.yaml": "script",
    ".script.lock": "script",
    ".py": "script",
}
FEW = 12  # objects that are named rather than counted
FIRST = "organization/check_connection"


@dataclass(frozen=True)
class Target:
    """Where to: a workspace's address and a token, or a profile of the command line
    (its active one where `workspace` is None)."""

    workspace: str | None = None
    base_url: str | None = None
    token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.base_url:
            if self.token:
                raise ValueError("--token needs --base-url and --workspace")
        elif not re.match(r"https?://[^/]", self.base_url):
            raise ValueError(f"--base-url {self.base_url!r} is no http(s) address")
        elif not self.workspace or not self.token:
            raise ValueError(
                "--base-url needs --workspace, and a token: put one into the "
                f"environment as {TOKEN} (or pass --token)"
            )


@dataclass(frozen=True)
class Change:
    """One object that a push would write: `create`, `update` or `delete` it."""

    what: str
    kind: str
    path: str


class DeployError(Exception):
    """The command line did not do what it was asked; the message says what it said."""


def deploy(
    target: Target,
    *,
    say: Callable[[str], None],
    ask: Callable[[str], bool],
    folder: str = FOLDER,
    place: Path | None = None,
    dry_run: bool = False,
    root: Path = ROOT,
) -> dict:
    """Build, show what a push would change, ask, push; return what was done.

    `place` keeps the build. Raises ValueError for what cannot be tried, DeployError for
    what went wrong. Nothing is written before `ask` agreed, and nothing is deleted.
    """
    program = command_line()
    with ExitStack() as stack:
        if place is None:
            place = Path(stack.enter_context(TemporaryDirectory(prefix="pack-")))
        build(place, root, folder)
        windmill = stack.enter_context(_windmill(program, place, target))
        say(f"{folder} to {windmill.where()}")
        changes = windmill.changes()
        done = {"folder": folder, "pushed": False}
        done |= dict(Counter(change.what for change in changes))
        if not changes:
            say("nothing to change: the workspace has this version of the pack")
            return done
        for line in summary(changes, folder):
            say(line)
        lost = [change.path for change in changes if change.what == "delete"]
        if lost:
            raise DeployError(
                f"this push would delete {', '.join(lost)}: nothing pushed"
            )
        if dry_run or not ask(f"push these {len(changes)} changes?"):
            say("nothing pushed")
            return done
        windmill.push(say)
        say("done")
        if any(c.what == "create" and c.path == f"{folder}/{FIRST}" for c in changes):
            say(
                "next, in Windmill: add a resource of the type togetherai with your "
                f"API key, and run {folder}/{FIRST}, which says whether it works"
            )
        return {**done, "pushed": True}


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
def _windmill(program: list[str], place: Path, target: Target) -> Iterator["_Windmill"]:
    """The command line in a build, speaking to the target."""
    if not target.base_url:
        words = ["--workspace", target.workspace] if target.workspace else []
        yield _Windmill([*program], words, place, target)
        return
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

    def where(self) -> str:
        """The workspace and the user, as the command line knows them. Raises
        DeployError when it cannot log in."""
        said = self.run("workspace", "whoami")
        name = re.search(r"^Active: (.+)$", said, re.M)
        user = re.search(r'"email": "(.+?)"', said)
        at = f" on {self.target.base_url}" if self.target.base_url else ""
        return (
            f"workspace {name[1] if name else self.target.workspace}{at}"
            f"{f' as {user[1]}' if user else ''}"
        )

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
        advice = (
            "\ngive --workspace, --base-url and a token, or log the command line in: "
            "wmill workspace add"
        )
    text = "\n".join(kept[-15:]).strip()
    return f"wmill {' '.join(words)} failed ({code}): {text}{advice}"


def confirm(question: str) -> bool:
    """Ask a person at the terminal."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
