"""What a job over many rows has answered so far, kept where its next run finds it.

The answered rows go to the workspace's storage, in parts of many rows; a state
resource, the journal, lists the parts, each with a digest of the rows that it answers.
A run with the same settings takes over the parts whose rows come again, and goes on
from there.

The journal is written with every part, so it names only the latest ones. The earlier
ones are in lists, which are states of their own and written once:

    {"parts": [a part, ...], "parts_lists": [{"run": "1f2e", "held": 3, "made": 3}]}

Of a run's lists "made" were written, and perhaps one more, by a job that was killed
before the journal counted it; the first "held" of them have parts that are still valid.
"rest" and "rest_lists" are the same for rows that were not asked. The journal of an
earlier version of the pack names all its parts itself.

A run that ends with rows left, which the next one asks, writes two members more: "paid"
is what counts for the bill and the budget, those rows' calls included; "early" is the
place of answers to rows behind the first of them, each with the digest of its row.

Where several jobs answer a table, the journal of each stays when its job is done: the
flow joins them, and a rerun of the flow finds the answers. Without storage in the
workspace, the answers go to states.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
import zlib
from itertools import islice

from .client import TogetherError
from .client.job import log
from .table.row_counts import RowCounts
from .table.table import canonical, digest
from .workspace import storage
from .workspace.api import DOWN
from .workspace.create_once import fingerprint_of, state_folder, sweep
from .workspace.state import create_state, delete_state, get_state, set_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .shapes import Json, Members

PART_ROWS, PART_BYTES = 1000, 2_000_000
PART_SECONDS = 30.0
# The same for a job that answers a part of a table. What a worker has not kept when it
# dies is paid for again.
SHARE_ROWS, SHARE_SECONDS = 250, 2.0
MOST_REFUSALS = 5  # of Windmill, after which a run keeps no more
# Parts that the journal itself names before they go to a list.
LIST_PARTS = 16
EARLY_BYTES = 16 << 20  # of the answers behind a row that is left
JOURNALS, ANSWERS = "parts", "answers"  # folders of states
ANSWERS_BYTES = 1 << 26  # bytes that a state's answers may become


class Checkpoint:
    """The checkpoint of one run; `rows` are those that no earlier run answered.

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
        self.fingerprint = fingerprint_of(kind, {**settings, "head": _digest(head)})
        self.kind = kind
        self.part = part
        folder = state_folder(JOURNALS if part else "rows")
        self.place = f"{folder}{kind}_{self.fingerprint}"
        self.path: str | None = self.place  # None once it cannot be written
        self.rows = iter(rows)
        self.parts = _Listed(self.place, "parts")
        self.rest = _Listed(self.place, "rest")  # rows of a part that were not asked
        self.paid: Members = {}  # by an earlier run, as it ended; see RowCounts
        # Places of early answers, as the journal names them: one, or none.
        self.early: list[Members] = []
        self.early_lines: list[bytes] = []  # of this run
        self.early_size = 0
        # {digest of a row: lines} of an earlier run.
        self.early_found: dict[bytes, Iterator[bytes]] = {}
        # Places of an earlier run's parts that hold no more: its journal names them.
        self.outdated: list[Members] = []
        self.stray: list[Members] = []  # those of parts that no journal names
        self.refusals = 0  # of Windmill, to keep a part, one after the other
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
        """Yield (lines, sums) of each part of an earlier run that is still valid.
        Raises TogetherError."""
        state = get_state(self.place) or {}
        try:
            # Its rows are asked now, or left again.
            _delete_listed(self.place, state, "rest")
        except TogetherError as error:
            log(f"rows that an earlier run left stay where they are kept: {error}")
        self.parts.follow(state)
        self.paid, self.early = state.get("paid", {}), state.get("early", [])
        self.find_early()
        valid = True
        for entry, parts in _lists(self.place, state, "parts"):
            for part in parts:
                lines = self.again(part) if valid else None
                if lines is None:
                    valid = False
                    self.outdated.append(_place_of(part))
                    continue
                self.parts.take(part)
                yield lines, part["sums"]
            if entry is not None and valid:
                self.parts.settle(entry)

    def again(self, part: Members) -> list[bytes] | None:
        """Return the lines of a part whose rows come again; None where they do not, or
        where it is gone: its rows are then asked. Raises TogetherError where it cannot
        be read for now."""
        again = list(islice(self.rows, part["rows"]))
        if len(again) == part["rows"] and _digest(again) == part["digest"]:
            try:
                return _content(part).split(b"\n")[:-1]
            except TogetherError as error:
                if is_down(error):
                    raise  # nothing is sent yet, and its rows are paid for
                log(f"a part of an earlier run is done again: {error}")
        self.rows = _chained(again, self.rows)
        return None

    def find_early(self) -> None:
        """Read the early answers. Raises TogetherError where that cannot be done for
        now."""
        found: dict[bytes, list[bytes]] = {}
        for place in self.early:
            try:
                lines = _content(place).split(b"\n")[:-1]
            except TogetherError as error:
                if is_down(error):
                    raise  # nothing is sent yet, and they are paid for
                log(f"answers of an earlier run are not there any more: {error}")
                continue
            for line in lines:
                found.setdefault(line.partition(b" ")[0], []).append(line)
        # Several threads may take them.
        self.early_found = {name: iter(lines) for name, lines in found.items()}

    def early_answer(self, row: Json) -> Json:
        """Return what was noted of a row as its early answer, each time another one
        where several rows are alike; None for none."""
        if not self.early_found:
            return None
        lines = self.early_found.get(digest(row).encode())
        line = next(lines, None) if lines else None
        return None if line is None else json.loads(line.partition(b" ")[2])

    def add_early(self, row: Json, noted: bytes) -> None:
        """Note the answer to a row behind one that is left, up to EARLY_BYTES of them;
        `noted` is JSON. `close` writes them."""
        if self.path is not None:
            self.note_early(digest(row).encode() + b" " + noted)

    def note_early(self, line: bytes) -> None:
        if self.early_size + len(line) <= EARLY_BYTES:
            self.early_lines.append(line)
            self.early_size += len(line)

    def add(self, row: Json, line: bytes, sums: Members) -> None:
        """Keep the line that answers a row; sums are those of all rows so far."""
        if self.path is None:
            return
        self.lines.append(line)
        self.hashed.update(canonical(row))
        self.sums = sums
        self.size += len(line)
        # Where Windmill refused, a larger part later rather than a try for each row.
        times = 1 << self.refusals
        full = len(self.lines) >= times * self.most or self.size >= times * PART_BYTES
        if full or time.monotonic() - self.began > times * self.seconds:
            self.flush(last=False)

    def leave(self) -> None:
        """Note that the rows from now on are not asked: they are in the result, and a
        rerun asks them."""
        self.flush()
        self.asked = False

    def flush(self, last: bool = True) -> None:
        """Write what is not yet kept as one more part.

        A refusal that may pass is borne MOST_REFUSALS times: the next part holds these
        rows too; where this is the last one, it is tried again at once. After that, no
        more is kept, or of a part of a table TogetherError raised.
        """
        while self.lines and self.path is not None:
            if self.is_over(self.write, last):
                self.begin()
            elif not last:
                self.began = time.monotonic()
                return

    def is_over(self, write: Callable[[], None], last: bool) -> bool:
        """Write; say whether that is done, or given up. Raises TogetherError as
        `flush`."""
        try:
            write()
        except TogetherError as error:
            self.refusals += 1
            if self.refusals < MOST_REFUSALS and may_pass(error):
                log(f"answers are kept later: {error}")
                if last:
                    from .resilience.retry import rest  # only when it failed

                    rest(self.refusals)
                return False
            if self.part:
                raise
            log(f"a run that is repeated begins anew: {error}")
            self.path = None
        self.refusals = 0
        return True

    def close(self, paid: Members) -> None:
        """Write what is not yet kept, as the run ends with rows left to the next one:
        `paid` is for all runs so far. Raises TogetherError as `flush`."""
        self.flush()
        for lines in self.early_found.values():
            for line in lines:  # its row did not come yet
                self.note_early(line)
        if paid == self.paid and not self.early_lines:
            return
        self.paid = paid
        self.outdated += self.early
        self.early = []
        while self.path is not None and not self.is_over(self.write_end, last=True):
            pass

    def write_end(self) -> None:
        """Write the early answers and the journal as the run ends. Raises
        TogetherError."""
        told = {**self.parts.told(), **self.rest.told(), "paid": self.paid}
        place = None
        if self.early_lines:
            content = b"".join(line + b"\n" for line in self.early_lines)
            place = self.placed(content, "early")
            told["early"] = [place]
        self.tell(told, place)

    def tell(self, told: Members, place: Members | None) -> None:
        """Write the journal, which names a new place, and delete what it names no more.
        Raises TogetherError."""
        assert self.path is not None  # or nothing is kept
        try:
            set_state(told, self.path)
        except TogetherError:
            # A state's place is that of the next try, too.
            if place and "object" in place:
                self.stray.append(place)
            raise
        left, self.outdated = [*self.stray, *self.outdated], []
        self.stray = [one for one in left if one != place]  # it has answers again
        self.delete_stray()

    def write(self) -> None:
        """Write one more part, and the journal that names it. Raises TogetherError."""
        content = b"".join(line + b"\n" for line in self.lines)
        listed = self.parts if self.asked else self.rest
        listed.make_room()
        place = self.placed(content)
        part = {
            **place,
            "rows": len(self.lines),
            "digest": self.hashed.hexdigest(),
            "sums": self.sums,
        }
        told = {**self.parts.told(), **self.rest.told(), **listed.told(part)}
        if self.early:
            told["early"] = self.early
        # A rerun has it by the sums of the last part, but not of one of the rest.
        paid = RowCounts(self.sums).paid
        if not self.asked:
            told["paid"] = paid
        self.tell(told, place)
        self.paid = paid
        listed.take(part)
        listed.announced |= listed.own in told.get(listed.lists_name, ())

    def delete_stray(self) -> None:
        """Delete the parts that no journal names. Trouble with Windmill goes to the log
        alone."""
        try:
            while self.stray:
                _delete(self.stray[-1])
                self.stray.pop()
        except TogetherError as error:
            log(f"parts that hold no more stay where they are kept: {error}")

    def placed(self, content: bytes, name: str = "") -> Members:
        """Write answers; return where. `name` is for other ones than the next rows'."""
        if self.part and self.part["kept"] == "state":
            name = name or str(self.parts.count + self.rest.count)
            place = f"{state_folder(ANSWERS)}{self.kind}_{self.fingerprint}_{name}"
            set_state(packed_answers(content), place)
            return {"state": place}
        stored = storage.write_object(content, filename=f"{self.kind}.part.jsonl")
        return {"object": {"key": stored["s3"], "storage": stored.get("storage")}}

    def finish(self) -> None:
        """Delete all that was kept, as the result is handed over, and what is left of
        runs of a week ago that nobody repeated."""
        left = self.parts.count or self.stray or self.outdated or self.early
        if not left and not self.paid:
            return
        self.delete_stray()
        try:
            _delete_parts(self.place)
            delete_state(self.place)
            if folder := state_folder("rows"):
                sweep(folder, _delete_parts)
        except TogetherError as error:
            log(f"parts of this run's rows stay in storage: {error}")


class _Listed:
    """The parts of a journal, in order: the latest in the journal itself, the earlier
    ones in lists, which are never written again."""

    def __init__(self, place: str, name: str) -> None:
        self.place = place
        self.name = name
        self.lists_name = f"{name}_lists"
        # The lists of two runs with the same journal have different names.
        self.run = os.urandom(8).hex()
        self.entries: list[Members] = []
        self.own: Members = {"run": self.run, "held": 0, "made": 0}
        self.announced = False  # whether the journal that is stored names the run
        self.latest: list[Members] = []
        self.count = 0

    def follow(self, state: Members) -> None:
        """Continue the journal of an earlier run, none of whose lists is known to be
        valid yet."""
        self.entries = [{**one, "held": 0} for one in state.get(self.lists_name, ())]

    def take(self, part: Members) -> None:
        self.latest.append(part)
        self.count += 1

    def settle(self, number: int) -> None:
        """Note that all parts of the next list of an earlier run are valid; `number` is
        its place in `entries`."""
        self.entries[number]["held"] += 1
        self.latest = []

    def make_room(self) -> None:
        """Move the latest parts to a list where they are many. The journal names the
        run before it writes a list: so whoever deletes the journal finds the list."""
        if len(self.latest) < LIST_PARTS or not self.announced:
            return
        number = self.own["made"]
        path = _list_path(self.place, self.name, self.run, number)
        create_state({"parts": self.latest}, path)
        self.own = {"run": self.run, "held": number + 1, "made": number + 1}
        self.latest = []

    def told(self, part: Members | None = None) -> Members:
        """Return what the journal says of the parts, and of one more."""
        latest = [*self.latest, *([part] if part else ())]
        entries = list(self.entries)
        if self.own["made"] or len(latest) >= LIST_PARTS:
            entries.append(self.own)
        told: Members = {self.name: latest} if latest or self.name == "parts" else {}
        return {**told, self.lists_name: entries} if entries else told


class KeptPart:
    """The answers of a table's part, as the journal that its job kept has them: none
    where there is no journal.

    path is what the job returned: any other than a part's journal is refused. Raises
    TogetherError.
    """

    def __init__(self, path: str) -> None:
        state = get_state(_journal(path))
        self.parts = list(_all(path, state or {}))
        self.rows: int = sum(part["rows"] for part in self.parts)

    def lines(self) -> Iterator[bytes]:
        """Yield the lines in the order of the rows. Raises TogetherError."""
        for part in self.parts:
            yield from _content(part).split(b"\n")[:-1]


def forget(paths: Iterable[str], now: float | None = None) -> None:
    """Delete journals of parts with their answers, and those that no flow joined
    within a week; `now` is the time by which they are old. Raises TogetherError."""
    for path in paths:
        _delete_parts(_journal(path))
        delete_state(path)
    sweep(_folder(), _delete_parts, bounded=False, now=now)


def _folder() -> str:
    folder = state_folder(JOURNALS)
    if folder is None:
        raise TogetherError(
            "The parts of a table are answered by the jobs of a Windmill flow.",
            type="not_in_windmill",
            advice="Run the flow, or ask about the whole table in one step.",
        )
    return folder


def _journal(path: str) -> str:
    if not path.startswith(_folder()) or path.count("/") != _folder().count("/"):
        raise TogetherError.refused("answered", "names no answers of a part")
    return path


def _list_path(place: str, name: str, run: str, number: int) -> str:
    """Return where a list of a journal is kept: beside the journals' folder, whose
    number of records is bounded."""
    folder, _, journal = place.rpartition("/")
    return f"{folder}_lists/{journal}_{name}_{run}_{number}"


def _lists(
    place: str, state: Members, name: str
) -> Iterator[tuple[int | None, list[Members]]]:
    """Yield (number of the run, parts) of each list and last (None, the latest parts).

    Nothing is yielded after a list that is not there.
    """
    for entry, run in enumerate(state.get(f"{name}_lists", ())):
        for number in range(run["held"]):
            path = _list_path(place, name, run["run"], number)
            found = get_state(path)
            if found is None:
                log(f"the state {path} is not there any more: its rows are done again")
                return
            yield entry, found["parts"]
    yield None, state.get(name, [])


def _all(place: str, state: Members) -> Iterator[Members]:
    for name in ("parts", "rest"):
        for _, parts in _lists(place, state, name):
            yield from parts


def _content(part: Members) -> bytes:
    """Return the lines of a journal's entry. Raises TogetherError."""
    if "object" in part:
        with storage.open_object(**part["object"]) as source:
            return source.read()
    state = get_state(part["state"]) or {}
    if state.get("zlib") is None:
        raise TogetherError(
            f"The state {part['state']} is not there any more.", type="not_found"
        )
    content = unpacked_answers(state)
    if content is None:
        raise TogetherError(
            f"The state {part['state']} holds no answers.", type="not_found"
        )
    return content


def packed_answers(content: bytes) -> Members:
    """Return answers as a state keeps them."""
    return {"zlib": base64.b64encode(zlib.compress(content)).decode()}


def unpacked_answers(state: Members) -> bytes | None:
    """Return the answers of a state; None where they are cut, or too many."""
    unpacker = zlib.decompressobj()
    content = unpacker.decompress(base64.b64decode(state["zlib"]), ANSWERS_BYTES)
    return content if unpacker.eof else None


def may_pass(error: TogetherError) -> bool:
    """Say whether what Windmill refused so may be done a little later."""
    from .resilience.retry import passing  # only when it failed

    return error.type in ("connection", "windmill") and passing(error.status)


def is_down(error: TogetherError) -> bool:
    """Say whether what is kept cannot be read for now, by how Windmill failed."""
    return error.type == "connection" or error.status in DOWN


def _place_of(part: Members) -> Members:
    """Return where a part's answers are kept, as `placed` does."""
    return {name: part[name] for name in ("object", "state") if name in part}


def _delete(part: Members) -> None:
    if "object" in part:
        storage.delete_object(**part["object"])
    else:
        delete_state(part["state"])


def _delete_parts(path: str) -> None:
    """Delete what a journal's state lists."""
    state = get_state(path) or {}
    for name in ("early", "rest", "parts"):
        _delete_listed(path, state, name)


def _delete_listed(place: str, state: Members, name: str) -> None:
    """Delete parts and their lists, the latest first: when that is ended midway, those
    that are left still hold."""
    for part in reversed(state.get(name, ())):
        _delete(part)
    for run in reversed(state.get(f"{name}_lists", ())):
        for number in range(run["made"], -1, -1):
            path = _list_path(place, name, run["run"], number)
            # Of a list that does not hold the parts are in another, or were left.
            if number < run["held"]:
                for part in reversed((get_state(path) or {}).get("parts", ())):
                    _delete(part)
            delete_state(path)


def _chained(first: Iterable[Json], rest: Iterable[Json]) -> Iterator[Json]:
    yield from first
    yield from rest


def _digest(rows: Iterable[Json]) -> str:
    hashed = hashlib.sha256()
    for row in rows:
        hashed.update(canonical(row))
    return hashed.hexdigest()
