"""Collect what a batch answered, joined with the rows that it was made of."""

import tempfile
from contextlib import closing

from . import costs
from .batching import BATCH
from .client import TogetherError, _loads, call, operation, prepare
from .downloads import open_download
from .outcome import Outcome
from .tabular import Flaw, Table, chat_text, digest, lines_of

CONTENT = operation("GET", "/v1/files/{file_id}/content", "read", reply="binary")
RESERVED = ("custom_id",)
ENDED = ("COMPLETED", "FAILED", "EXPIRED", "CANCELLED")
BLOCK = 1 << 18


def collect_rows(auth, step, **arguments):
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
        raise TogetherError(
            f"The batch is {status}, {batch.get('progress') or 0:g} % done: collect it "
            "when it is over.",
            type="not_ended",
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
        reason = _reason(batch, status)
        with Outcome("collect_rows", None, table, given) as outcome:
            for name, row in asked:
                if own := table and table.taken(row):
                    raise table.not_free(f"but a row has a column {own!r} already")
                answer, why = lines.get(name)
                text = finish = None
                if answer is not None:
                    bill.add(answer.get("model") or batch.get("model_id"), answer)
                    text, finish = _text(answer)
                    if text is None:
                        why = f"the model gave no text (finish_reason {finish})"
                if text is None and why is None:
                    why = reason
                cut = text is not None and finish == "length"
                outcome.add(row, text, why, cut=cut, custom_id=name)
    return outcome.result(bill.sums(auth), "cut", status=status)


def _reason(batch, status):
    """Say why a row of the batch has no answer."""
    if status == "COMPLETED":
        return "the batch completed without an answer to this row"
    ended = {"EXPIRED": "expired", "CANCELLED": "was cancelled"}.get(status, "failed")
    why = f": {batch['error']}" if batch.get("error") else ""
    return f"the batch {ended} before it answered this row{why}"


def _text(answer):
    """Return the text of a chat completion, or of a recording, and why it ended."""
    if "choices" not in answer and isinstance(answer.get("text"), str):
        return answer["text"], None
    return chat_text(answer)


def _joined(table, lines):
    """Yield (custom_id, row) of the rows that a person gave."""
    places = lines.places()
    number = -1
    for number, row in enumerate(table):
        own = f"{number}-{digest(getattr(row, 'why', row))}"
        name = places.pop(number, own)
        if isinstance(row, Flaw) or not f"{name}-".startswith(f"{own}-"):
            raise _others(f"rows[{number}] is not what the batch was made of")
        yield name, row
    if places:
        raise _others(f"the batch has more rows than the {number + 1} given")


def _others(problem):
    return TogetherError(
        f"The rows and the batch do not belong together: {problem}.",
        problems=[{"field": "rows", "problem": problem}],
        advice="Give the same rows as to the step that submitted the batch, or none.",
    )


def _named(auth, batch, lines):
    """Yield (custom_id, {}) of all that was asked, as the input file has it; where
    that is gone, of all that was answered."""
    try:
        source = open_download(auth, CONTENT, file_id=batch["input_file_id"])
    except TogetherError as error:
        if getattr(error, "status", None) != 404:
            raise
        places = lines.places(strict=False)
        names = [places[number] for number in sorted(places)]
    else:
        names = (_parsed(line).get("custom_id") for line in _read(source))
    yield from ((name, {}) for name in names if name)


def _read(source):
    return lines_of(iter(lambda: source.read(BLOCK), b""))


def _parsed(line):
    value, problem = _loads(line)
    return value if not problem and isinstance(value, dict) else {}


class _Lines:
    """The lines of a batch's files, kept on disk and found by custom_id."""

    def __init__(self):
        self.file = tempfile.TemporaryFile()  # noqa: SIM115, __exit__ closes it
        self.found = {}
        self.end = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def read(self, auth, file_id):
        """Take a file's lines in; of two with the same name the first counts."""
        with closing(open_download(auth, CONTENT, file_id=file_id)) as source:
            for line in _read(source):
                name = _parsed(line).get("custom_id")
                if isinstance(name, str) and name not in self.found:
                    self.file.write(line)
                    self.found[name] = self.end, len(line)
                    self.end += len(line)

    def get(self, name):
        """Return (answer, None), (None, why not), or (None, None): nothing is said."""
        if name not in self.found:
            return None, None
        start, length = self.found[name]
        self.file.seek(start)
        line = _parsed(self.file.read(length))
        response = line.get("response") or {}
        body = response.get("body")
        code = response.get("status_code", 200)
        error = line.get("error")
        if isinstance(body, dict):
            error = error or body.get("error")
            if not error and 200 <= code < 300:
                return body, None
        if isinstance(error, dict):
            error = error.get("message") or error.get("code")
        words = [str(code)] if code >= 300 else []
        return None, " ".join([*words, str(error or "the answer is empty")])

    def places(self, strict=True):
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

    def __init__(self):
        self.used = {}

    def add(self, model, answer):
        usage = costs.usage_of(answer)
        known = self.used.setdefault(model, [None, 0])
        known[0] = costs.added([known[0], usage])
        known[1] += usage is None

    def sums(self, auth):
        """Return {"usage", "cost_usd", "cost_note"?}, at the batch's half price."""
        usd, note = (0.0, None) if self.used else (None, "no answer says what was used")
        for model, (usage, unknown) in self.used.items():
            part, why = costs.cost(auth, model, usage, batch=True)
            if unknown:
                part, why = None, costs.PARTLY_UNTOLD
            note = note or why
            usd = None if part is None or usd is None else usd + part
        usage = costs.added([used for used, _ in self.used.values()])
        return {"usage": usage, **costs.told(usd, note)}
