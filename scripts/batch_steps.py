"""A table's questions, or recordings, as one batch: submitted, and collected. Some
models answer a batch for less (BATCH_SHARE of scripts/catalog/known_models.py)."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from contextlib import closing
from pathlib import Path

from .catalog import pricing
from .catalog.budget import UNLIMITED, check_budget
from .catalog.pricing import (
    PARTLY_UNTOLD,
    cost,
    cost_fields,
    most_cost,
    sum_usage,
    usage_of,
)
from .chat_steps import answered
from .client import TogetherError, call, prepare
from .client.job import log
from .client.jsonio import finite, parse_json
from .download.download import open_download
from .job_states import states
from .operations import operation
from .table.row_results import RowResults
from .table.table import Flaw, Table, Template, digest, find, lines_of
from .workspace.create_once import fingerprint, once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import NoReturn, Self, TypeAlias

    from .shapes import Auth, Json, Members, Problem, Readable, Step, Usage
    from .table.table import Row

    Outcome: TypeAlias = tuple[Members | None, str | None]
    """The answer to a row, or why there is none; neither where nothing is said."""


ENDPOINT = operation("chat/create_chat_completion")["path"]
TRANSCRIPTIONS = operation("audio/create_transcription")["path"]
FILES = operation("files/list_files")
PREPROCESS = operation("files/preprocess_file")
DELETE = operation("files/delete_file")
CREATE = operation("batches/create_batch")
BATCH = operation("batches/get_batch")
BATCHES = operation("batches/list_batches")

MOST_ROWS, MOST_BYTES = 50_000, 100_000_000  # of one batch, says the documentation
USELESS = states("batch", "bad")
NAMED = 10  # rows that a message names
UNMEASURED = (
    "nothing says how long the recordings are; collect_rows says what they cost"
)


def submit_rows(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Create one batch that asks a chat model about every row.

    Returns {"batch_id", "input_file_id", "rows": their number, "fingerprint",
    "reattached": whether an earlier run had created it, "estimated_cost_usd",
    "cost_note"?: why that is None}. However often it runs with the same input, one
    batch is created, unless that one failed or `again` says otherwise. Raises
    TogetherError before anything is sent when a row cannot be asked, the table is too
    large for a batch, or its estimated cost is above budget_usd.
    """
    given = prepare(step, arguments)
    table = Table(auth, given["rows"])
    template = Template(given["template"])
    table.require(template.columns, "template")
    if given.get("answer_column"):
        table.keep_free(given["answer_column"], RESERVED)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "rows.jsonl")
        written = _written(place, table, template, given)
        usd, note = _priced(auth, given, written, "tokens")

        def within_budget() -> None:
            advice = "Raise budget_usd, lower max_tokens, or submit fewer rows."
            may_cost = _priced(auth, given, written, "most_tokens", most=True)
            check_budget(given.get("budget_usd"), *may_cost, "the batch", advice)

        made = _made(auth, place, written, "submit_rows", ENDPOINT, within_budget)
    return {**made, **cost_fields(usd, note, "estimated_cost_usd")}


def submit_recordings(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Create one batch that writes down what is said in many recordings.

    Returns what submit_rows does; what it may cost is not known, since nothing says how
    long the recordings are. Raises TogetherError before anything is sent where a row
    has no http(s) address: a batch's file holds no sound, and Together fetches each.
    """
    from .catalog.model_choice import choose_model  # only where none is named

    given = prepare(step, arguments)
    choose_model(auth, given, "transcription")
    table = Table(auth, given["rows"])
    column = given["column"]
    if given.get("answer_column"):
        table.keep_free(given["answer_column"], RESERVED)
    body = {"model": given["model"], "response_format": "verbose_json"}
    body |= {name: given[name] for name in ("language", "prompt") if name in given}

    def asked(row: Members) -> Members:
        address = find(row, column) or find(row, "text")
        if not isinstance(address, str) or not re.match(r"https?://", address.strip()):
            raise _UnfitRowError(f"has no http(s) address in its column {column!r}")
        return {**body, "file": address.strip()}

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "rows.jsonl")
        written = _lines_of_rows(place, table, given, asked)
        made = _made(auth, place, written, "submit_recordings", TRANSCRIPTIONS)
    return {**made, **cost_fields(None, UNMEASURED, "estimated_cost_usd")}


def _made(
    auth: Auth,
    place: Path,
    written: Members,
    step: str,
    endpoint: str,
    check: Callable[[], None] = lambda: None,
) -> Members:
    """Create the batch of an input file, once however often its step runs; return what
    the step tells of it. `check` comes before anything is created."""
    mark = fingerprint(f"batches/{step}", {"content": written["digest"]})
    submission = _Submission(auth, place, f"rows-{mark}.jsonl", endpoint)

    def create() -> Members:
        check()
        return submission.create()

    made, reattached = once("batch", mark, create, submission.attach, submission.look)
    return {
        "batch_id": made["id"],
        "input_file_id": made["input_file_id"],
        "rows": written["rows"],
        "fingerprint": mark,
        "reattached": reattached,
    }


def _written(place: Path, table: Table, template: Template, given: Members) -> Members:
    """Write the batch's input file; return its number of rows, its digest, a guess at
    the tokens that its questions have, and how many they have at most."""
    body = {"model": given["model"], "messages": []}
    if given.get("system"):
        body["messages"].append({"role": "system", "content": given["system"]})
    body |= {k: given[k] for k in ("temperature", "max_tokens") if k in given}
    before = body["messages"]
    counts = {"tokens": 0, "most_tokens": 0}

    def asked(row: Members) -> Members:
        try:
            text = template.fill(row)
        except KeyError as error:
            raise _UnfitRowError(f"has no column {error.args[0]!r}") from None
        messages = [*before, {"role": "user", "content": text}]
        texts = [message["content"] for message in messages]
        counts["tokens"] += sum(map(pricing.tokens, texts))
        counts["most_tokens"] += pricing.most_prompt(texts)
        return {**body, "messages": messages}

    return {**_lines_of_rows(place, table, given, asked), **counts}


class _UnfitRowError(Exception):
    """Why nothing can be asked about a row."""


def _lines_of_rows(
    place: Path, table: Table, given: Members, asked: Callable[[Members], Members]
) -> Members:
    """Write a batch's input file, a line for each row with the body that `asked` makes
    of it; return the number of rows and the digest. Raises TogetherError, with the rows
    of which it makes none."""
    rows = size = 0
    flaws: list[Problem] = []
    hashed = hashlib.sha256()
    with place.open("wb") as file:
        for rows, row in enumerate(table, 1):
            if own := table.taken(row):
                raise table.not_free(f"but a row has a column {own!r} already")
            why = row.why if isinstance(row, Flaw) else None
            try:
                body = asked(row) if why is None else {}
            except _UnfitRowError as error:
                why = str(error)
            if why is not None:
                flaws.append({"field": f"rows[{rows - 1}]", "problem": why})
                continue
            name = _custom_id(rows - 1, row, given.get("again"))
            line = json.dumps(
                {"custom_id": name, "body": body}, ensure_ascii=False
            ).encode("utf-8", "replace")
            size += len(line) + 1
            hashed.update(line)
            if rows > MOST_ROWS or size > MOST_BYTES:
                _too_large(rows)
            file.write(line + b"\n")
    if flaws:
        listed = "; ".join(f"{f['field']} {f['problem']}" for f in flaws[:NAMED])
        more = f" and {len(flaws) - NAMED} more" if len(flaws) > NAMED else ""
        raise TogetherError.refused_all(
            flaws[:100],
            f"{listed}{more}",
            advice="Correct or leave out these rows and run the step again.",
        )
    return {"rows": rows, "digest": hashed.hexdigest()}


def _custom_id(index: int, row: Json, again: str | None = None) -> str:
    """Return a row's name in the batch; the API takes at most 64 characters."""
    parts = [str(index), digest(row)]
    if again:
        parts.append(digest(again))
    return "-".join(parts)


def _too_large(rows: int) -> NoReturn:
    problem = (
        f"are too large for one batch, which takes {MOST_ROWS} rows and {MOST_BYTES} "
        f"bytes; the first {rows - 1} rows fit"
    )
    raise TogetherError.refused(
        "rows",
        problem,
        fitting_rows=rows - 1,
        advice="Submit the table in parts, each as a batch of its own.",
    )


def _priced(
    auth: Auth, given: Members, written: Members, count: str, most: bool = False
) -> tuple[float | None, str | None]:
    """Return (USD, None) that the batch costs where its questions have the tokens of
    that count, and all answers are as long as they may be, or (None, why it is not
    known)."""
    if "max_tokens" not in given:
        return None, UNLIMITED
    completion = given["max_tokens"] * written["rows"]
    usage = {"prompt_tokens": written[count], "completion_tokens": completion}
    return (most_cost if most else cost)(auth, given["model"], usage, batch=True)


class _Submission:
    """One input file and its batch at the service, found by the file's name."""

    def __init__(self, auth: Auth, place: Path, name: str, endpoint: str) -> None:
        self.auth = auth
        self.place = place
        self.name = name
        self.endpoint = endpoint
        self.files: list[str] | None = None  # the whole ones of that name
        self.begun: list[str] = []  # those that were announced, and are not whole

    def look(self) -> Members | None:
        """Return the batch of an earlier run, or None."""
        files = self.uploaded()
        if not files:
            return None
        for batch in _entries(call(self.auth, BATCHES)):
            if batch.get("input_file_id") in files and _useful(batch):
                return _reference(batch)
        return None

    def attach(self, made: Members) -> Members | None:
        batch = call(self.auth, BATCH, batch_id=made["id"])
        return _reference(batch) if _useful(batch) else None

    def create(self) -> Members:
        files = self.uploaded()
        file_id = files[0] if files else self.resumed() or self.upload()
        body = {"input_file_id": file_id, "endpoint": self.endpoint}
        return _reference(_job(call(self.auth, CREATE, body=body)))

    def uploaded(self) -> list[str]:
        """Return the ids of the files of this name that are complete."""
        if self.files is None:
            found = _entries(call(self.auth, FILES))
            named = [file for file in found if file.get("filename") == self.name]
            whole = [file for file in named if self.is_whole(file)]
            self.files = [file["id"] for file in whole]
            self.begun = [file["id"] for file in named if file not in whole]
        return self.files

    def is_whole(self, file: Members) -> bool:
        size = self.place.stat().st_size
        status = file.get("processing_status")
        return file.get("bytes") == size and status not in ("FAILED", "INVALID_FORMAT")

    def resumed(self) -> str | None:
        """Return the id of a file whose bytes an earlier run sent just before it ended,
        and remove what it had only announced; None where the bytes are to be sent."""
        kept = None
        for file_id in self.begun:
            try:
                file = call(self.auth, PREPROCESS, file_id=file_id)
                if kept is None and self.is_whole(file.get("file", file)):
                    kept = file_id
                    continue
            except TogetherError as error:
                if error.status not in (400, 404, 409, 422):
                    raise
            try:
                call(self.auth, DELETE, file_id=file_id)
            except TogetherError as error:
                log(f"the file {file_id} of an earlier run stays: {error}")
        return kept

    def upload(self) -> str:
        from .upload.file_upload import store_file  # only where a file goes up

        stored = store_file(
            self.auth, self.place, "batch-api", self.name, "jsonl", check=False
        )
        return stored["id"]


def _entries(answer: Json) -> list[Members]:
    """Return the objects of a list, bare or as the member data."""
    found = answer.get("data") if isinstance(answer, dict) else answer
    found = found if isinstance(found, list) else []
    return [one for one in found if isinstance(one, dict)]


def _job(answer: Json) -> Members:
    """Return the batch of the answer to its creation, which may be bare. Raises
    TogetherError, `ambiguous`, where none is in it, with the service's words."""
    job = answer.get("job", answer) if isinstance(answer, dict) else None
    if isinstance(job, dict) and isinstance(job.get("id"), str):
        return job
    from .resilience.server_words import reason_in  # only when something failed

    told = isinstance(answer, dict) and answer.get("warning")
    words = reason_in(told) or reason_in(answer) or "it gives no reason"
    raise TogetherError(
        f"The service did not say which batch it made: {words}.",
        type="invalid_answer",
        partial=answer,
        ambiguous=True,
        advice="Look with batches/list_batches before running the step again.",
    )


def _useful(batch: Members) -> bool:
    return str(batch.get("status")).upper() not in USELESS


def _reference(batch: Members) -> Members:
    return {"id": batch["id"], "input_file_id": batch.get("input_file_id")}


CONTENT = operation("files/download_file")
RESERVED = ("custom_id",)
ENDED = states("batch")
BLOCK = 1 << 18
LONGEST_REASON = 2000  # characters
NO_MODEL = "an answer does not say which model it is of"


def collect_rows(auth: Auth, step: Step, **arguments: Json) -> Json:
    """Return what a batch answered, in the order of the rows that it was made of.

    {"rows": [{"custom_id", ...row, <answer_column>: text or None,
    <answer_column>_error: None or why}], "done", "failed", "cut": how many answers
    max_tokens ended, "status", "usage", "cost_usd", "cost_note"?, "markdown": all that
    in short}; with output "storage" a JSON Lines file, "s3", in place of "rows", with
    output "table" nothing but the rows. A batch that failed, expired or was cancelled
    gives what it has, and its state as the reason for the rest. Raises TogetherError
    while the batch is not over, when the rows given are not those that it was made of,
    when none was answered, or more failed than fail_when_failed_share allows.
    """
    given = prepare(step, arguments)
    batch = call(auth, BATCH, batch_id=given["batch_id"])
    status = str(batch.get("status")).upper()
    if status not in ENDED:
        done = finite(batch.get("progress")) or 0
        raise TogetherError(
            f"The batch is {status}, {done:g} % done: collect it when it is over.",
            type="not_finished",
            state=status,
            advice="Wait with the flow that waits for a batch, or run this later.",
        )
    bill = _Bill()
    with _Lines() as lines:
        for member in ("output_file_id", "error_file_id"):
            if batch.get(member):
                lines.read(auth, batch[member])
        if "rows" in given:
            table = Table(auth, given["rows"])
            table.keep_free(given["answer_column"], RESERVED)
            asked = _joined(table, lines)
        else:
            table, asked = None, _named(auth, batch, lines)
        reason = _reason(batch, status, lines.unread)
        with RowResults("collect_rows", None, table, given) as outcome:
            for name, row in asked:
                if own := table and table.taken(row):
                    raise table.not_free(f"but a row has a column {own!r} already")
                answer, why = lines.get(name)
                text, cut = None, False
                if answer is not None:
                    bill.add(answer.get("model") or batch.get("model_id"), answer)
                    text, why, cut = _text(answer)
                if text is None and why is None:
                    why = reason
                outcome.add(row, text, why, cut=cut, custom_id=name)
    return outcome.result(bill.sums(auth), "cut", status=status)


def _reason(batch: Members, status: str, unread: int) -> str:
    """Say why a row of the batch has no answer."""
    why = f"; {unread} lines of its files name no row" if unread else ""
    if status not in USELESS:
        return f"the batch completed without an answer to this row{why}"
    ended = {"EXPIRED": "expired", "CANCELLED": "was cancelled"}.get(status, "failed")
    from .resilience.refusals import known_words  # only when something failed
    from .resilience.server_words import reason_in  # only when something failed

    told = reason_in(batch.get("error"))
    why += f": {told}" if told else ""
    why = f"the batch {ended} before it answered this row{why}"
    return _advised(why, known_words(told))


def _text(answer: Members) -> tuple[str | None, str | None, bool]:
    """Return the text of a chat completion, or of a recording, why there is none, and
    whether it was cut."""
    if "choices" not in answer and isinstance(answer.get("text"), str):
        return answer["text"], None, False
    return answered(answer)


def _joined(table: Table, lines: _Lines) -> Iterator[tuple[str, Row]]:
    """Yield (custom_id, row) of the rows that a person gave."""
    places = lines.places()
    number = -1
    for number, row in enumerate(table):
        own = f"{number}-{digest(row)}"
        name = places.pop(number, own)
        if isinstance(row, Flaw) or not f"{name}-".startswith(f"{own}-"):
            raise _others(f"rows[{number}] is not what the batch was made of")
        yield name, row
    if places:
        raise _others(f"the batch has more rows than the {number + 1} given")


def _others(problem: str) -> TogetherError:
    return TogetherError(
        f"The rows and the batch do not belong together: {problem}.",
        problems=[{"field": "rows", "problem": problem}],
        advice="Give the same rows as to the step that submitted the batch, or none.",
    )


def _named(auth: Auth, batch: Members, lines: _Lines) -> Iterator[tuple[str, Row]]:
    """Yield (custom_id, {}) of all that was asked, as the input file has it; where
    that is gone, of all that was answered."""
    try:
        source = open_download(auth, CONTENT, file_id=batch["input_file_id"])
    except TogetherError as error:
        if error.status != 404:
            raise
        places = lines.places(strict=False)
        names: Iterable[str | None] = [places[number] for number in sorted(places)]
    else:
        names = (_parsed(line).get("custom_id") for line in _read(source))
    yield from ((name, {}) for name in names if name)


def _read(source: Readable) -> Iterator[bytes]:
    return lines_of(iter(lambda: source.read(BLOCK), b""))


def _parsed(line: bytes) -> Members:
    value, problem = parse_json(line)
    return value if not problem and isinstance(value, dict) else {}


def _outcome(line: Members) -> Outcome:
    """Return (answer, None), or (None, why not), of a line of a batch's files."""
    response = line.get("response")
    response = response if isinstance(response, dict) else {"body": response}
    body, code = response.get("body"), finite(response.get("status_code"))
    if isinstance(body, str) and body.lstrip().startswith("{"):
        body = _parsed(body.encode("utf-8", "replace")) or body
    error = line.get("error") or (isinstance(body, dict) and body.get("error"))
    refused = code is not None and not 200 <= code < 300
    whole = isinstance(body, dict) and (
        code is not None or bool(body.keys() & {"choices", "text"})
    )
    if whole and not error and not refused:
        return body, None
    from .resilience.refusals import known_words  # only when something failed
    from .resilience.server_words import reason_in  # only when something failed

    words = [f"{code:g}"] if refused else []
    told = reason_in(error) or reason_in(body) or "the answer is empty"
    objects = [one for one in (error, body) if isinstance(one, dict)]
    named = [str(one.get(name)) for one in objects for name in ("type", "code")]
    known = known_words(" ".join([*named, told]), code)
    return None, _advised(" ".join([*words, told[:LONGEST_REASON]]), known)


def _advised(why: str, known: tuple[int, str, str] | None) -> str:
    """Return why, with what to do where the refusal is known."""
    return f"{why.rstrip('.')}. {known[2]}" if known else why


class _Lines:
    """The lines of a batch's files, kept on disk and found by custom_id."""

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile()  # noqa: SIM115, __exit__ closes it
        # By custom_id: where its line begins, its length, whether it holds an answer.
        self.found: dict[str, tuple[int, int, bool]] = {}
        self.end = 0
        self.unread = 0  # lines that are no JSON or name no row

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def read(self, auth: Auth, file_id: str) -> None:
        """Take a file's lines in; of two with the same name the first counts, save when
        it is of a try that failed and the other of one that did not."""
        with closing(open_download(auth, CONTENT, file_id=file_id)) as source:
            for line in _read(source):
                value = _parsed(line)
                name = value.get("custom_id")
                if not isinstance(name, str):
                    self.unread += bool(line.strip())
                    continue
                good = _outcome(value)[0] is not None
                if name not in self.found or (good and not self.found[name][2]):
                    self.file.write(line)
                    self.found[name] = self.end, len(line), good
                    self.end += len(line)

    def get(self, name: str) -> Outcome:
        """Return (answer, None), (None, why not), or (None, None): nothing is said."""
        if name not in self.found:
            return None, None
        start, length, _ = self.found[name]
        self.file.seek(start)
        return _outcome(_parsed(self.file.read(length)))

    def places(self, strict: bool = True) -> dict[int, str]:
        """Return {place: custom_id}; a name that submit_rows did not give has the place
        at which it was read, or is an error where strict."""
        places = {}
        for number, name in enumerate(self.found):
            place = name.partition("-")[0]
            if place.isdecimal():
                number = int(place)
            elif strict:
                raise _others(f"it has a row named {name!r}, so another step made it")
            places[number] = name
        return places


class _Bill:
    """What the answers used, by model."""

    def __init__(self) -> None:
        # By model: what is known to be used, and how many answers do not say it.
        self.used: dict[str | None, tuple[Usage | None, int]] = {}

    def add(self, model: Json, answer: Json) -> None:
        usage = usage_of(answer)
        seconds = finite(answer.get("duration")) if usage is None else None
        if seconds is not None and seconds > 0:
            usage = {"seconds": seconds}
        model = model if isinstance(model, str) else None
        known, untold = self.used.get(model, (None, 0))
        if known and usage and known.keys() != usage.keys():
            usage = None  # seconds and tokens are no sum
        self.used[model] = sum_usage([known, usage]), untold + (usage is None)

    def sums(self, auth: Auth) -> Members:
        """Return {"usage", "cost_usd", "cost_note"?}, at the price of batches."""
        usd, note = (0.0, None) if self.used else (None, "no answer says what was used")
        for model, (usage, unknown) in self.used.items():
            part: float | None = None
            why: str | None = NO_MODEL
            if model:
                part, why = cost(auth, model, usage, batch=True)
            if unknown:
                part, why = None, PARTLY_UNTOLD
            note = note or why
            usd = None if part is None or usd is None else usd + part
        usage = sum_usage([used for used, _ in self.used.values()])
        return {"usage": usage, **cost_fields(usd, note)}
