"""What batches answered: the lines of their files, found again by custom_id."""

from __future__ import annotations

import marshal
import re
import tempfile
from contextlib import closing
from functools import partial
from itertools import islice
from sys import getsizeof

from ..catalog.pricing import (
    PARTLY_UNTOLD,
    add_usage,
    cost,
    cost_fields,
    sum_costs,
    sum_usage,
    usage_of,
)
from ..client import TogetherError, call
from ..client.endings import is_error, tells_error
from ..client.jsonio import finite, parse_json
from ..client.resource import HOST, credentials, may_hold_key, without_key
from ..download.download import anew_where_changed, open_download
from ..operations import operation
from ..table.table import Flaw, digest, lines_of
from .input_files import span_of
from .submission import USELESS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, Self, TypeAlias

    from ..shapes import Auth, Json, Members, Readable, Usage
    from ..table.table import Row

    Outcome: TypeAlias = tuple[Members | None, str | None]
    """The answer to a row, or why there is none."""
    Said: TypeAlias = tuple[str | None, str | None, bool]
    """(The text of an answer, why there is none, whether max_tokens cut it)."""
    _Place: TypeAlias = tuple[int, int]
    """Where in a file something is, and its length."""


CONTENT = operation("files/download_file")
FILE = operation("files/get_file")
BLOCK = 1 << 18
IN_MEMORY = 16 << 20  # bytes that are kept of a batch's answers before they go to disk
LONGEST_REASON = 2000  # characters
NO_MODEL = "an answer does not say which model it is of"


def reason_of(batch: Members, status: str, unread: int) -> str:
    """Say why a row of the batch has no answer."""
    why = f"; {unread} lines of its files name no row" if unread else ""
    if status not in USELESS:
        return f"the batch completed without an answer to this row{why}"
    ended = "was cancelled" if status.startswith("CANCEL") else "failed"
    ended = "expired" if status == "EXPIRED" else ended
    from ..resilience.refusals import known_words  # only when something failed
    from ..resilience.server_words import reason_in  # only when something failed

    told = reason_in(batch.get("error"))
    why += f": {told}" if told else ""
    why = f"the batch {ended} before it answered this row{why}"
    return _with_advice(why, known_words(told))


def with_given_rows(
    rows: Iterator[tuple[int, Row]],
    places: dict[int, str],
    start: int,
    stop: int | None,
) -> Iterator[tuple[str, Row]]:
    """Yield (custom_id, row) for the rows that a person gave, from the place `start`, at
    which `rows` is, up to `stop`; None: to the end. `places` are those of the batch's
    lines; each is removed once its row came. Raises TogetherError for rows that the
    batch is not made of."""
    number = start - 1
    for number, row in islice(rows, None if stop is None else stop - start):
        expected = f"{number}-{digest(row)}"
        name = places.pop(number, expected)
        same = name == expected or name.startswith(f"{expected}-")
        if isinstance(row, Flaw) or not same:
            raise _others(f"rows[{number}] is not what the batch was made of")
        yield name, row
    if places:
        raise _others(f"the batch has more rows than the {number + 1} given")


def _others(problem: str) -> TogetherError:
    return TogetherError(
        f"The rows and the batch do not belong together: {problem}.",
        type="invalid_argument",
        problems=[{"field": "rows", "problem": problem}],
        advice="Give the same rows as to the step that submitted the batch, or none.",
    )


def without_rows(auth: Auth, batch: Members, lines: Lines) -> Iterator[tuple[str, Row]]:
    """Yield (custom_id, {}) for all that was asked, in the order of the input file; where
    that is gone, for all that was answered."""
    try:
        source = open_download(auth, CONTENT, file_id=batch["input_file_id"])
    except TogetherError as error:
        if error.status != 404:
            raise
        names: Iterable[str | None] = lines.names()
    else:
        names = (_json_object(line).get("custom_id") for line in _read(source))
    yield from ((name, {}) for name in names if name)


def _read(source: Readable) -> Iterator[bytes]:
    return lines_of(iter(lambda: source.read(BLOCK), b""))


def _json_object(line: bytes) -> Members:
    value, problem = parse_json(line)
    return value if not problem and isinstance(value, dict) else {}


def outcome_of(line: Members) -> Outcome:
    """Return (answer, None), or (None, why not), of a line of a batch's files."""
    response = line.get("response")
    if isinstance(response, dict) and response.get("status_code") == 200:
        usual = response.get("body")
        if (
            isinstance(usual, dict)
            and not (is_error(line.get("error")) or is_error(usual.get("error")))
            and (usual.get("choices") or not tells_error(usual))
        ):
            return usual, None
    response = response if isinstance(response, dict) else {"body": response}
    body, code = response.get("body"), finite(response.get("status_code"))
    if isinstance(body, str) and body.lstrip().startswith("{"):
        body = _json_object(body.encode("utf-8", "replace")) or body
    errors = [one.get("error") for one in (line, body) if isinstance(one, dict)]
    error = next(filter(is_error, errors), None)
    refused = code is not None and not 200 <= code < 300
    whole = isinstance(body, dict) and (
        (code is not None and not tells_error(body))
        or any(body.get(name) for name in ("choices", "text"))
    )
    if whole and not error and not refused:
        return body, None
    from ..resilience.refusals import known_words  # only when something failed
    from ..resilience.server_words import (  # only when something failed
        reason_in,
        reason_or_code,
    )

    words = [f"{code:g}"] if refused else []
    told = reason_in(error) or reason_in(body) or reason_or_code(error)
    told = told or "the answer is empty"
    objects = [one for one in (error, body) if isinstance(one, dict)]
    labels = [str(one.get(name)) for one in objects for name in ("type", "code")]
    known = known_words(" ".join([*labels, told]), code)
    return None, _with_advice(" ".join([*words, told[:LONGEST_REASON]]), known)


def _with_advice(why: str, known: tuple[int, str, str] | None) -> str:
    """Return why, and what to do where the refusal is known."""
    return f"{why.rstrip('.')}. {known[2]}" if known else why


class Lines:
    """The lines of a batch's files, by custom_id. Each is read once; of its answer only
    what `said` returns is kept, on disk where that is much."""

    def __init__(self, said: Callable[[Members], Said]) -> None:
        self.said = said
        self.found: dict[str, Said | _Place] = {}  # by custom_id
        self.failed: set[str] = set()  # custom_ids of rows that have no answer
        self.file: Any = None  # for what is kept on disk
        self.held = self.end = 0  # bytes in memory, and on disk
        self.unread = 0  # lines that are no JSON, or have no custom_id

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.file:
            self.file.close()

    def read(self, auth: Auth, file_id: str) -> None:
        """Take a file's lines in; of two with the same name the first counts, save when
        it is of a try that failed and the other of one that did not."""
        found, failed, unread = self.found, self.failed, 0
        key, _ = credentials(auth, HOST)
        with closing(open_download(auth, CONTENT, file_id=file_id)) as source:
            for line in _read(source):
                value, _ = parse_json(line)
                name = value.get("custom_id") if isinstance(value, dict) else None
                if not isinstance(name, str):
                    unread += bool(line.strip())
                    continue
                again = name in found
                if again and name not in failed:
                    continue
                if may_hold_key(key, line):
                    value = without_key(key, value)
                answer, why = outcome_of(value)
                if answer is not None:
                    failed.discard(name)
                    found[name] = self.keep(self.said(answer))
                elif not again:
                    failed.add(name)
                    found[name] = self.keep((None, why, False))
        self.unread += unread  # once, though the download may have begun several times

    def keep(self, outcome: Said) -> Said | _Place:
        """Return what became of a row, or where on disk it was put."""
        size = getsizeof(outcome[0]) + getsizeof(outcome[1])
        if self.held + size <= IN_MEMORY:
            self.held += size
            return outcome
        if self.file is None:
            self.file = tempfile.TemporaryFile()  # noqa: SIM115, closed on leaving
        content = marshal.dumps(outcome)
        self.file.write(content)
        self.end += len(content)
        return self.end - len(content), len(content)

    def get(self, name: str) -> Said:
        """Return what became of a row: no text and no reason where the files do not say."""
        known = self.found.get(name, (None, None, False))
        if len(known) == 3:
            return known
        self.file.seek(known[0])
        outcome: Said = marshal.loads(self.file.read(known[1]))  # what `keep` wrote
        return outcome

    def names(self) -> list[str]:
        """Return the custom_ids: by the places of their rows where submit_rows gave all
        of them, else in the order in which they were read."""
        known = ((name, _place_of(name)) for name in self.found)
        places = {name: place for name, place in known if place is not None}
        if len(places) < len(self.found):
            return [*self.found]
        return sorted(places, key=places.__getitem__)

    def places(self) -> dict[int, str]:
        """Return {place: custom_id} of the rows. Raises TogetherError for a name that
        submit_rows did not give, and for two of one row."""
        places: dict[int, str] = {}
        for name in self.found:
            place = _place_of(name)
            if place is None:
                raise _others(f"it has a row named {name!r}, so another step made it")
            if place in places:
                raise _others(f"it has two rows {place}: {places[place]} and {name}")
            places[place] = name
        return places


# What `custom_id` of input_files gives: a place, digests of its row and of `again`.
_OF_A_ROW = re.compile("([0-9]{1,9})(?:-[0-9a-f]{16}){1,2}")


def _place_of(name: str) -> int | None:
    """Return the place of the row that has a custom_id, None where submit_rows did not
    give it."""
    found = _OF_A_ROW.fullmatch(name)
    return int(found[1]) if found else None


def read_answers(auth: Auth, batch: Members, lines: Lines) -> None:
    """Take in what a batch's files say."""
    for member in ("output_file_id", "error_file_id"):
        if batch.get(member):
            anew_where_changed(partial(lines.read, auth, batch[member]))


def span_at_service(auth: Auth, batch: Members) -> tuple[int, int] | None:
    """Return (first row, rows) of a batch that is one of several, as the name of its
    input file says; None where it does not, or is gone."""
    try:
        file = call(auth, FILE, file_id=batch["input_file_id"])
    except TogetherError as error:
        if error.status != 404:
            raise
        return None
    return span_of(file.get("filename"))


class Bill:
    """What the answers used, by model."""

    def __init__(self) -> None:
        # By model: what is known to be used, and how many answers do not say it.
        self.used: dict[str | None, tuple[Usage | None, int]] = {}

    def add(self, model: Json, answer: Json) -> None:
        usage = usage_of(answer)
        if usage is None:
            seconds = finite(answer.get("duration"))
            if seconds is not None and seconds > 0:
                usage = {"seconds": seconds}
        model = model if isinstance(model, str) else None
        known, untold = self.used.get(model, (None, 0))
        if usage is None or (known and known.keys() != usage.keys()):
            self.used[model] = known, untold + 1  # seconds and tokens are no sum
        else:
            self.used[model] = add_usage(known, usage), untold

    def sums(self, auth: Auth) -> Members:
        """Return {"usage", "cost_usd", "cost_note"?}, at the price of batches."""
        costs = [_cost_of(auth, model, *used) for model, used in self.used.items()]
        costs = costs or [(None, "no answer says what was used")]
        usage = sum_usage([used for used, _ in self.used.values()])
        return {"usage": usage, **cost_fields(*sum_costs(costs))}


def _cost_of(
    auth: Auth, model: str | None, usage: Usage | None, untold: int
) -> tuple[float | None, str | None]:
    """Return what `pricing.cost` does of one model's answers, of which so many do not
    tell what was used."""
    if untold or not model:
        return None, PARTLY_UNTOLD if untold else NO_MODEL
    return cost(auth, model, usage, batch=True)
