"""What a job over many rows has answered so far, kept where its next run finds it.

The answered rows go to the workspace's storage, in parts of many rows; a state resource
lists the parts, each with a digest of the rows that it answers. A run with the same
settings takes over the parts whose rows come again, and goes on from there.

Of a table that several jobs answer, the journal of each stays when its job is done: the
flow joins them, and a rerun of the flow finds what is answered. Where the workspace has
no storage, their answers go to states.
"""

from __future__ import annotations

import base64
import hashlib
import time
import zlib
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
# Of a job that answers a part of a table: what a worker that dies has not kept is paid
# for again.
SHARE_ROWS, SHARE_SECONDS = 250, 2.0
JOURNALS, ANSWERS = "parts", "answers"  # folders of states
ANSWERS_BYTES = 1 << 26  # bytes that a state's answers may become


class Checkpoint:
    """The journal of one run; `rows` are the rows that no earlier run answered.

    settings is what the answers depend on, rows a list or an iterator of input rows,
    head the first of them. Without storage nothing is kept, and the log says so. part
    says which part of a table the rows are (part.py): then everything is kept until
    `forget`, and what cannot be kept raises TogetherError.
    """

    def __init__(
        self,
        kind: str,
        settings: Members,
        head: Iterable[Json],
        rows: Iterable[Json],
        part: Members | None = None,
    ) -> None:
        if part:
            settings = {**settings, "part": [part["number"], part["of"], part["rows"]]}
        self.mark = fingerprint(kind, {**settings, "head": _digest(head)})
        self.kind = kind
        self.part = part
        folder = state_folder(JOURNALS if part else "rows")
        self.path: str | None = f"{folder}{kind}_{self.mark}"
        self.rows = iter(rows)
        self.parts: list[Members] = []
        self.rest: list[Members] = []  # rows of a part that were not asked
        self.asked = True
        self.most = SHARE_ROWS if part else PART_ROWS
        self.seconds = SHARE_SECONDS if part else PART_SECONDS
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
        for part in state.get("rest", ()):
            try:
                _delete(part)  # its rows are asked now, or left again
            except TogetherError as error:
                log(f"rows that an earlier run left stay where they are kept: {error}")
        for part in state.get("parts", ()):
            again = list(islice(self.rows, part["rows"]))
            if len(again) == part["rows"] and _digest(again) == part["digest"]:
                try:
                    lines = _content(part).split(b"\n")[:-1]
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
        full = len(self.lines) >= self.most or self.size >= PART_BYTES
        if full or time.monotonic() - self.began > self.seconds:
            self.flush()

    def leave(self) -> None:
        """From now on rows come that nobody asked: they are in the table, but not
        taken over by a rerun."""
        self.flush()
        self.asked = False

    def flush(self) -> None:
        """Write what is not yet kept as one more part."""
        if not self.lines or self.path is None:
            return
        content = b"".join(line + b"\n" for line in self.lines)
        try:
            part = {
                **self.placed(content),
                "rows": len(self.lines),
                "digest": self.hashed.hexdigest(),
                "sums": self.sums,
            }
            (self.parts if self.asked else self.rest).append(part)
            rest = {"rest": self.rest} if self.rest else {}
            set_state({"parts": self.parts, **rest}, self.path)
        except TogetherError as error:
            if self.part:
                raise
            log(f"a run that is repeated begins anew: {error}")
            self.path = None
            return
        self.begin()

    def placed(self, content: bytes) -> Members:
        """Write answered rows; return where."""
        if self.part and self.part["kept"] == "state":
            number = len(self.parts) + len(self.rest)
            place = f"{state_folder(ANSWERS)}{self.kind}_{self.mark}_{number}"
            packed = base64.b64encode(zlib.compress(content)).decode()
            set_state({"zlib": packed}, place)
            return {"state": place}
        stored = storage.write_object(content, filename=f"{self.kind}.part.jsonl")
        return {"object": {"key": stored["s3"], "storage": stored.get("storage")}}

    def finish(self) -> None:
        """Forget everything, as the result is handed over, and what runs that nobody
        repeated left behind a week ago."""
        if not self.parts:
            return
        try:
            if self.path is not None:
                delete_state(self.path)
            for part in self.parts:
                _delete(part)
            if folder := state_folder("rows"):
                sweep(folder, _delete_parts)
        except TogetherError as error:
            log(f"parts of this run's rows stay in storage: {error}")


def kept_rows(path: str) -> int | None:
    """Return how many rows the journal of a part has; None where there is none.

    path is what the job returned: any other than a part's journal is refused. Raises
    TogetherError.
    """
    state = get_state(_journal(path))
    return state and sum(part["rows"] for part in _all(state))


def kept_lines(path: str) -> Iterator[bytes]:
    """Yield the lines that the journal of a part has, in the order of the rows."""
    for part in _all(get_state(_journal(path)) or {}):
        yield from _content(part).split(b"\n")[:-1]


def forget(paths: Iterable[str]) -> None:
    """Delete journals of parts with their answers, and those that no flow joined
    within a week. Raises TogetherError."""
    for path in paths:
        _delete_parts(_journal(path))
        delete_state(path)
    sweep(_folder(), _delete_parts, counted=False)


def _folder() -> str:
    folder = state_folder(JOURNALS)
    if folder is None:
        raise TogetherError(
            "The parts of a table are answered by the jobs of a Windmill flow.",
            advice="Run the flow, or ask about the whole table in one step.",
        )
    return folder


def _journal(path: str) -> str:
    if not path.startswith(_folder()) or path.count("/") != _folder().count("/"):
        raise TogetherError.refused("answered", "names no answers of a part")
    return path


def _all(state: Members) -> list[Members]:
    return [*state.get("parts", ()), *state.get("rest", ())]


def _content(part: Members) -> bytes:
    """Return the lines of a journal's entry. Raises TogetherError."""
    if "object" in part:
        with storage.open_object(**part["object"]) as source:
            return source.read()
    packed = (get_state(part["state"]) or {}).get("zlib")
    if packed is None:
        raise TogetherError(f"The state {part['state']} is not there any more.")
    unpacker = zlib.decompressobj()
    content = unpacker.decompress(base64.b64decode(packed), ANSWERS_BYTES)
    if not unpacker.eof:
        raise TogetherError(f"The state {part['state']} holds no answers.")
    return content


def _delete(part: Members) -> None:
    if "object" in part:
        storage.delete_object(**part["object"])
    else:
        delete_state(part["state"])


def _delete_parts(path: str) -> None:
    """Delete what a journal's state lists."""
    for part in _all(get_state(path) or {}):
        _delete(part)


def _chained(first: Iterable[Json], rest: Iterable[Json]) -> Iterator[Json]:
    yield from first
    yield from rest


def _digest(rows: Iterable[Json]) -> str:
    hashed = hashlib.sha256()
    for row in rows:
        hashed.update(canonical(row))
    return hashed.hexdigest()
