"""The workspace that a job of `./dev run` finds."""

import argparse
import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tools.cli.terminal import say
from tools.flows.pack_flows import Flow
from tools.local.local_files import GIVEN
from tools.operations import Operation

if TYPE_CHECKING:
    from tools.local.fake_workspace import StoredObject, Workspace


@contextlib.contextmanager
def job_workspace(
    arguments: argparse.Namespace, operation: Operation | Flow
) -> Iterator[tuple["Workspace | None", dict[str, str]]]:
    """The workspace that a job finds, and how it finds it: a stand-in,
    unless there is a real one (None).

    With --storage the objects that the job stores are left in that folder; with
    --workspace all that the workspace holds, for the next run to find.
    """
    from scripts.client.job import in_job
    from tools.local import kept_workspace
    from tools.local.fake_workspace import Workspace, state_path
    from tools.target_folder import FOLDER

    if in_job() and not arguments.dry_run:
        yield None, {}
        return

    storage, kept = arguments.storage, arguments.workspace
    path = f"{FOLDER}/{operation.id}"
    own = {"WM_JOB_PATH": path, "WM_STATE_PATH": state_path(path)}
    with Workspace() as workspace:
        if kept:
            kept_workspace.load(workspace, kept)
        before = set(workspace.objects)
        try:
            yield workspace, {**workspace.environment, **own}
        finally:
            if kept and not arguments.dry_run:
                kept_workspace.keep(workspace, kept)
        if arguments.dry_run:
            return
        for place, stored in workspace.objects.items():
            own = place in before or place[1].startswith(GIVEN) or stored.example
            if not own:
                _hand_over(stored, place[1], storage, kept)


def _hand_over(
    stored: "StoredObject", key: str, storage: Path | None, kept: Path | None
) -> None:
    """Copy an object that the job stored to where --storage says; tell where it is."""
    size = stored.file.stat().st_size
    if storage:
        found = storage / Path(key).name
        shutil.copyfile(stored.file, found)
        say(f"stored {key}, {size} bytes: {found}")
    elif kept:
        say(f"stored {key}, {size} bytes: in {kept}")
    else:
        say(
            f"stored {key}, {size} bytes, for this run: --storage keeps files, "
            "--workspace all"
        )


def make_storage(folder: Path) -> None:
    """Make a folder, and be sure that files can be written to it: before anything is
    paid for. Raises ValueError, OSError."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--storage {folder} is a file: give a folder")
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
