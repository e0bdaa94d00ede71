"""What a job over many rows has answered so far, kept where its next run finds it.

The answered rows go to the workspace's storage, in parts of many rows; a state resource
lists the parts, each with a digest of the rows that it answers. A run with the same
settings takes over the parts whose rows come again, and goes on from there.
"""

from __future__ import annotations

import hashlib
import time
from itertools import islice

from ..client import TogetherError
from ..client.job import log
from ..workspace import storage
from ..workspace.create_once import fingerprint, state_folder, sweep
from ..workspace.state import delete_state, get_state, set_state
from .table import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..shapes import Json, Members

PART_ROWS, PART_BYTES = 1000, 2_000_000
PART_SECONDS = 30.0


class Checkpoint:
    """The journal of one run; `rows` are the rows that no earlier run answered.

    settings is what the answers depend on, rows a list or an iterator of input rows,
    head the first of them. Without storage nothing is kept, and the log says so.
    """

    def __init__(
        self, kind: str, settings: Members, head: Iterable[Json], rows: Iterable[Json]
    ) -> None:
        mark = fingerprint(kind, {**settings, "head": _digest(head)})
        self.kind = kind
        self.path: str | None = f"{state_folder('rows')}{kind}_{mark}"
        self.rows = iter(rows)
        self.parts: list[Members] = []
        self.begin()

    def begin(self) -> None:
        self.lines: list[bytes] = []
        self.size = 0
        self.sums: Members | None = None
        self.hashed = hashlib.sha256()
        self.began = time.monotonic()

    def earlier(self) -> Iterator[tuple[list[bytes], Members]]:
        """Yield (lines, sums) of each part of an earlier run that still holds."""
        state = get_state(self.path) or {}
        for part in state.get("parts", ()):
            again = list(islice(self.rows, part["rows"]))
            if len(again) == part["rows"] and _digest(again) == part["digest"]:
                try:
                    with storage.open_object(**part["object"]) as source:
                        lines = source.read().split(b"\n")[:-1]
                except TogetherError as error:
                    log(f"a part of an earlier run is done again: {error}")
                else:
                    self.parts.append(part)
                    yield lines, part["sums"]
                    continue
            self.rows = _chained(again, self.rows)
            return

    def add(self, row: Json, line: bytes, sums: Members) -> None:
        """Keep the line that answers a row; sums are those of all rows so far."""
        self.lines.append(line)
        self.hashed.update(canonical(row))
        self.sums = sums
        self.size += len(line)
        full = len(self.lines) >= PART_ROWS or self.size >= PART_BYTES
        if full or time.monotonic() - self.began > PART_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what is not yet kept as one more part."""
        if not self.lines or self.path is None:
            return
        content = b"".join(line + b"\n" for line in self.lines)
        try:
            stored = storage.write_object(content, filename=f"{self.kind}.part.jsonl")
            place = {"key": stored["s3"], "storage": stored.get("storage")}
            part = {
                "object": place,
                "rows": len(self.lines),
                "digest": self.hashed.hexdigest(),
                "sums": self.sums,
            }
            set_state({"parts": [*self.parts, part]}, self.path)
        except TogetherError as error:
            log(f"a run that is repeated begins anew: {error}")
            self.path = None
            return
        self.parts.append(part)
        self.begin()

    def finish(self) -> None:
        """Forget everything, as the result is handed over, and what runs that nobody
        repeated left behind a week ago."""
        if not self.parts:
            return
        try:
            if self.path is not None:
                delete_state(self.path)
            for part in self.parts:
                storage.delete_object(**part["object"])
            if folder := state_folder("rows"):
                sweep(folder, _delete_parts)
        except TogetherError as error:
            log(f"parts of this run's rows stay in storage: {error}")


def _delete_parts(path: str) -> None:
    """Delete the parts in storage that a journal's state lists."""
    for part in (get_state(path) or {}).get("parts", ()):
        storage.delete_object(**part["object"])


def _chained(first: Iterable[Json], rest: Iterable[Json]) -> Iterator[Json]:
    yield from first
    yield from rest


def _digest(rows: Iterable[Json]) -> str:
    hashed = hashlib.sha256()
    for row in rows:
        hashed.update(canonical(row))
    return hashed.hexdigest()
