"""What was done with files, kept one by one, where a rerun of the flow finds it.

A record for each file, under a name made of what is asked and of the file's row alone:
a rerun finds it though other files have come since. That of a file that failed says what
its calls may have cost, and has no "answer": a rerun does it again. There is none where
they surely cost nothing. The records are deleted once the flow has joined all files, or
a week later.
"""

from __future__ import annotations

import hashlib
import json
import zlib

from ..checkpoint import (
    MOST_REFUSALS,
    is_down,
    may_pass,
    packed_answers,
    unpacked_answers,
)
from ..client import TogetherError
from ..client.job import log
from ..resilience.retry import rest
from ..table.ordered_threads import in_order
from ..table.table import canonical
from ..workspace import storage
from ..workspace.create_once import fingerprint_of, state_folder, sweep
from ..workspace.state import create_state, delete_state, get_state, set_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from ..shapes import Json, Members
    from ..table.table import Row

FOLDER = "files"
STATE_BYTES = 4096  # of a record; a longer one goes to storage, where there is one
AT_ONCE, AHEAD = 8, 64  # records that are read or deleted at a time


class FileAnswers:
    """The records of files that were asked the same; `place` is their beginning."""

    def __init__(self, place: str) -> None:
        folder = _folder()
        name = place.removeprefix(folder)
        if name == place or "/" in name or not name.startswith("map_files_"):
            raise TogetherError.refused("answered", "names no answers of files")
        self.place = place

    @classmethod
    def of(cls, settings: Members) -> FileAnswers:
        """Return those of what is asked."""
        return cls(f"{_folder()}map_files_{fingerprint_of('map_files', settings)}_")

    def path(self, row: Row) -> str:
        return self.place + hashlib.sha256(canonical(row)).hexdigest()[:32]

    def get(self, row: Row) -> Members | None:
        """Return what was kept of a file, or None. Raises TogetherError."""
        state = get_state(self.path(row))
        return None if state is None else _read(state)

    def keep(self, row: Row, record: Members, stored: bool) -> None:
        """Keep what was done with a file, which may have been paid for: a refusal of
        Windmill that may pass is borne MOST_REFUSALS times. Raises TogetherError."""
        content = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace")
        state, path = _placed(content, stored), self.path(row)
        for refusals in range(1, MOST_REFUSALS + 1):
            try:
                if not create_state(state, path):  # another job had the same file
                    set_state(state, path)
                return
            except TogetherError as error:
                if refusals == MOST_REFUSALS or not may_pass(error):
                    raise
                log(f"what was done with a file is kept later: {error}")
            rest(refusals)

    def forget(self, rows: Iterable[Row], now: float | None = None) -> None:
        """Delete the records of files, and those that no flow joined within a week;
        `now` is the time by which they are old. Raises TogetherError."""
        for _ in each(lambda row: _delete(self.path(row)), rows):
            pass
        sweep(_folder(), _empty, bounded=False, now=now)


def each(work: Callable[[Any], Any], things: Iterable[Any]) -> Iterator[Any]:
    """Yield what is made of each thing, in their order, some at a time."""
    return in_order(work, things, AT_ONCE, AHEAD)


def _folder() -> str:
    folder = state_folder(FOLDER)
    if folder is None:
        raise TogetherError(
            "Files are done one by one by the jobs of a Windmill flow.",
            type="not_in_windmill",
            advice="Run the flow map_files_across_workers.",
        )
    return folder


def _placed(content: bytes, stored: bool) -> Members:
    """Return the state of a record: one that is long is in storage, where there is one
    that takes it."""
    if stored and len(content) > STATE_BYTES:
        try:
            made = storage.write_object(content, filename="map_files.json")
            return {"object": {"key": made["s3"], "storage": made.get("storage")}}
        except TogetherError as error:
            log(f"what was done with a file is kept in a state: {error}")
    return packed_answers(content)


def _read(state: Members) -> Members | None:
    """Return the record that a state holds; None where its object is gone. Raises
    TogetherError where it cannot be read for now."""
    try:
        if "object" in state:
            with storage.open_object(**state["object"]) as source:
                content = source.read()
        else:
            content = unpacked_answers(state) or b""
        record: Json = json.loads(content)
    except (TogetherError, ValueError, KeyError, TypeError, zlib.error) as error:
        if isinstance(error, TogetherError) and is_down(error):
            raise
        log(f"what was kept of a file cannot be read, it is done again: {error}")
        return None
    return record if isinstance(record, dict) else None


def _delete(path: str) -> None:
    _empty(path)
    delete_state(path)


def _empty(path: str) -> None:
    state = get_state(path) or {}
    if "object" in state:
        storage.delete_object(**state["object"])
