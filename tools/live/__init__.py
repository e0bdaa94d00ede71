"""The live suite: the pack on a real Windmill server, against the local sandbox.

What the tests prove against stand-ins is seen here on a server that somebody names:
deployed to a folder of its own, run, and taken away again. One module for each subject;
checks.py runs them, stage.py sets up and clears away.
"""

import json
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tools.live import (
    across,
    agent_flows,
    agents,
    deployment,
    durations,
    examples,
    flow_runs,
    forms,
    outside,
    schedules,
    stored,
    streams,
)
from tools.live.checks import SHORT, Outcome, Subject, as_json, line, outcomes, summary
from tools.live.stage import NAME, clear_folders, setting
from tools.operations import ROOT
from tools.workspace.deploy import Target
from tools.workspace.windmill_api import WindmillApi

__all__ = ["SUBJECTS", "chosen", "remove", "run"]

SUBJECTS = {
    found.SUBJECT.name: found.SUBJECT
    for found in (
        deployment,
        examples,
        flow_runs,
        across,
        streams,
        forms,
        schedules,
        outside,
        agents,
        agent_flows,
        stored,
        durations,
    )
}


def chosen(names: str | None) -> list[Subject]:
    """The subjects of a list with commas, in their own order; all without one. Raises
    ValueError for a name that there is not."""
    if not names:
        return list(SUBJECTS.values())
    wanted = {name.strip() for name in names.split(",") if name.strip()}
    if unknown := wanted - SUBJECTS.keys():
        known = ", ".join(SUBJECTS)
        raise ValueError(f"no subject {', '.join(sorted(unknown))}; there are: {known}")
    return [subject for name, subject in SUBJECTS.items() if name in wanted]


def run(
    target: Target,
    say: Callable[[str], None],
    subjects: list[Subject],
    *,
    sandbox_url: str | None = None,
    listen: str = "127.0.0.1",
    file: Path | None = None,
    keep: bool = False,
    root: Path = ROOT,
) -> int:
    """Run subjects: the table by `say`, JSON to stdout and to `file`; return 0, or 1
    where something falls short or could not be removed.

    Raises ValueError for what cannot be tried, and KeyboardInterrupt after clearing
    away; then nothing is written.
    """
    began, started = time.monotonic(), datetime.now(UTC)
    with _interruptible(say):
        place = {"sandbox_url": sandbox_url, "listen": listen}
        with setting(target, say, **place, keep=keep, root=root) as stage:
            where = f"{target.workspace} on {target.base_url}"
            say(f"{stage.folder} in {where}, Windmill {stage.version}")
            say(f"deployed in {stage.deployed['seconds']} s")
            found = list(_told(outcomes(subjects, stage, stage.stop), say))
    for what in stage.left:
        say(f"not removed: {what}")
    seconds = round(time.monotonic() - began)
    say(f"{summary(found)}, in {seconds // 60} min {seconds % 60} s")
    result = {
        "base_url": target.base_url,
        "workspace": target.workspace,
        "windmill": stage.version,
        "object_storage": stage.storage,
        "folder": stage.folder,
        "started_at": started.isoformat(timespec="seconds"),
        "seconds": seconds,
        **as_json(found),
        "not_removed": stage.left,
    }
    text = json.dumps(result, indent=2, ensure_ascii=False)
    print(text)
    if file:
        file.write_text(f"{text}\n", encoding="utf-8")
    fallen = any(done.verdict == SHORT for done in found)
    return 1 if fallen or stage.left else 0


def _told(found: Iterator[Outcome], say: Callable[[str], None]) -> Iterator[Outcome]:
    for done in found:
        say(line(done))
        yield done


def remove(target: Target, folder: str, say: Callable[[str], None]) -> int:
    """Remove what a run that was kept, or killed, has left. Raises ValueError for a
    folder that is none of the suite's."""
    name = folder.removeprefix("f/")
    if not re.fullmatch(NAME, name):
        raise ValueError(f"{folder!r} is no folder of the live suite (f/live_...)")
    api = WindmillApi(target.base_url, target.workspace, target.token)
    left = clear_folders(api, f"f/{name}")
    for what in left:
        say(f"not removed: {what}")
    return 1 if left else 0


@contextmanager
def _interruptible(say: Callable[[str], None]) -> Iterator[None]:
    """Let being told to end (SIGTERM) be what Ctrl-C is, and answer at once: what runs
    may need a moment to end."""

    def interrupt(*_: object) -> None:
        say("interrupted: waiting for what runs to end ...")
        raise KeyboardInterrupt

    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(one, interrupt) for one in signals]
    try:
        yield
    finally:
        for one, handler in zip(signals, before, strict=True):
            signal.signal(one, handler)
