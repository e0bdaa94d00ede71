"""A table's questions, or recordings, as batches: submitted, and collected. Some models
answer a batch for less (BATCH_SHARE of scripts/catalog/known_models.py)."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from ..catalog import pricing
from ..catalog.budget import UNLIMITED, check_budget
from ..catalog.model_choice import choose_model
from ..catalog.pricing import cost, cost_fields, most_cost
from ..client import TogetherError, call, prepare
from ..client.jsonio import finite
from ..job_states import states
from ..operations import operation
from ..table.row_counts import RowOutcome
from ..table.row_results import RowResults
from ..table.table import BlankRowError, Table, Template, filled, find, nothing_in
from .answers import (
    Bill,
    Lines,
    read_answers,
    reason_of,
    span_at_service,
    with_given_rows,
    without_rows,
)
from .input_files import Body, UnfitRowError, write_input
from .submission import BATCH, ModelChoice, state_of_batch, submit_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from ..shapes import Auth, Json, Members, Step
    from .answers import Said
    from .input_files import InputFile

    Span: TypeAlias = tuple[int, int | None]
    """The first row of a batch and the one after its last, None for all that follow."""


ENDPOINT = operation("chat/create_chat_completion")["path"]
TRANSCRIPTIONS = operation("audio/create_transcription")["path"]
UNMEASURED = (
    "nothing says how long the recordings are; collect_rows says what they cost"
)
RESERVED = ("custom_id",)
ENDED = states("batch")
BAD = states("batch", "bad")


def submit_rows(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Ask a chat model about every row, in one batch, or in as many as the service's
    limits ask for.

    Returns {"batch_id", "input_file_id", "rows": their number, "fingerprint",
    "reattached": whether an earlier run had created it, "blank"?: how many rows were
    not asked, as all columns that the template names are blank in them,
    "estimated_cost_usd", "cost_note"?: why that is None}. Of several batches the ids
    are those of all, with commas between them, and "batches" has [{"batch_id",
    "input_file_id", "first_row": counted from 0, "rows", "blank"?, "fingerprint",
    "reattached"}]. However often it runs with the same input, each batch is created
    once, unless it failed or `again` says otherwise; then it alone is made anew. Raises
    TogetherError before anything is sent when a row cannot be asked, or when all of
    them may cost more than budget_usd.
    """
    given = prepare(step, arguments)
    table = Table(auth, given["rows"])
    template = Template(given["template"])
    table.require(template.columns, "template")
    if given.get("answer_column"):
        table.keep_free(given["answer_column"], RESERVED)
    with tempfile.TemporaryDirectory() as folder:
        files, counts = _write_files(Path(folder), table, template, given)
        usd, note = _price_of(auth, given, counts, "tokens")

        def within_budget() -> None:
            advice = "Raise budget_usd, lower max_tokens, or submit fewer rows."
            may_cost = _price_of(auth, given, counts, "most_tokens", most=True)
            what = "the batch" if len(files) == 1 else f"all {len(files)} batches"
            check_budget(given.get("budget_usd"), *may_cost, what, advice)

        made = submit_files(auth, files, "submit_rows", ENDPOINT, within_budget)
    return {**made, **cost_fields(usd, note, "estimated_cost_usd")}


def price_rows(auth: Auth, given: Members) -> tuple[int, float | None, str | None]:
    """Return (how many rows there are, what submit_rows may cost with these arguments,
    why that is None). Sends nothing; raises TogetherError as submit_rows does."""
    table = Table(auth, given["rows"])
    template = Template(given["template"])
    table.require(template.columns, "template")
    with tempfile.TemporaryDirectory() as folder:
        _, counts = _write_files(Path(folder), table, template, given)
    return counts["rows"], *_price_of(auth, given, counts, "most_tokens", most=True)


def submit_recordings(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Write down what is said in many recordings, in a batch or several.

    Returns what submit_rows does, with the rows whose address is blank as "blank",
    which are left out; what it may cost is not known, since nothing says how long the
    recordings are. Raises TogetherError before anything is sent where a row
    has no http(s) address, and is not in storage: a batch's file holds no sound, and
    Together fetches each, from storage by an address that Windmill signs.
    """
    given = prepare(step, arguments)
    table = Table(auth, given["rows"])
    column = given["column"]
    if given.get("answer_column"):
        table.keep_free(given["answer_column"], RESERVED)
    named = {"model": given["model"]} if given.get("model") else {}
    body: Members = {"response_format": "verbose_json"}
    body |= {name: given[name] for name in ("language", "prompt") if name in given}
    known_line = Body({**named, **body, "file": None})
    choice = ModelChoice("submit_recordings", given, table)
    choose_model(auth, given, "transcription", choice.earlier)
    line = Body({"model": given["model"], **body, "file": None})

    def address_of(row: Members) -> str:
        known = column in row or find(row, column) is not None
        address = find(row, column if known else "text")
        if (known or "text" in row) and not str(address or "").strip():
            raise BlankRowError(nothing_in((column,)))
        taken = r"https?://|s3://[^/]*/."
        if not isinstance(address, str) or not re.match(taken, address.strip()):
            raise UnfitRowError(f"has no http(s) address in its column {column!r}")
        return address.strip()

    def asked(row: Members) -> str:
        return known_line.of(address_of(row))

    def sent(row: Members) -> str:
        address = address_of(row)
        if address.startswith("s3://"):
            from ..workspace.signed_address import signed  # only where it is in storage

            storage, _, key = address.removeprefix("s3://").partition("/")
            address = signed(key, storage or None)
        return line.of(address)

    with tempfile.TemporaryDirectory() as folder:
        files = write_input(Path(folder), table, given.get("again"), asked, sent)
        choice.keep(given["model"])
        made = submit_files(auth, files, "submit_recordings", TRANSCRIPTIONS)
    return {**made, **cost_fields(None, UNMEASURED, "estimated_cost_usd")}


def _write_files(
    folder: Path, table: Table, template: Template, given: Members
) -> tuple[list[InputFile], Members]:
    """Write the input files; return them, and the number of rows, a guess at the tokens
    that their questions have, and how many they have at most."""
    body = {"model": given["model"], "messages": []}
    if given.get("system"):
        body["messages"].append({"role": "system", "content": given["system"]})
    body |= {k: given[k] for k in ("temperature", "max_tokens") if k in given}
    fixed = [message["content"] for message in body["messages"]]
    body["messages"].append({"role": "user", "content": None})
    line = Body(body)
    counts = {"rows": 0, "tokens": 0, "most_tokens": 0}

    def asked(row: Members) -> str:
        try:
            text = template.fill(row)
        except KeyError as error:
            raise UnfitRowError(f"has no column {error.args[0]!r}") from None
        texts = [*fixed, text]
        counts["rows"] += 1
        counts["tokens"] += sum(map(pricing.tokens, texts))
        counts["most_tokens"] += pricing.most_prompt(texts)
        return line.of(text)

    return write_input(folder, table, given.get("again"), asked), counts


def _price_of(
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


def collect_rows(auth: Auth, step: Step, **arguments: Json) -> Json:
    """Return what a batch, or several, answered, in the order of the rows that they
    were made of.

    {"rows": [{"custom_id", ...row, <answer_column>: text or None,
    <answer_column>_error: None or why}], "done", "failed", "cut": how many answers
    max_tokens ended, "status", "usage", "cost_usd", "cost_note"?, "markdown": all that
    in short}; with output "storage" a JSON Lines file, "s3", in place of "rows", with
    output "table" nothing but the rows. Of several batches also "batches":
    [{"batch_id", "status", "first_row", "rows", "done", "failed"}] and, where some were
    lost, "lost": a sentence for each. A batch that failed, expired or was cancelled
    gives what it has, and its state as the reason for the rest. Raises TogetherError
    while a batch is not over, when the rows given are not those that it was made of,
    when none was answered, or more failed than fail_when_failed_share allows.
    """
    given = prepare(step, arguments)
    batches = _over(auth, given["batch_id"])
    spans = _spans(auth, batches) if len(batches) > 1 and "rows" in given else {}
    batches.sort(key=lambda batch: spans.get(batch["id"], (0, 0))[0])
    bill = Bill()
    table = Table(auth, given["rows"]) if "rows" in given else None
    if table:
        table.keep_free(given["answer_column"], RESERVED)
    with RowResults("collect_rows", None, table, given) as outcome:
        collected = _Collected(auth, table, spans, outcome, bill)
        told = [collected.take(batch, batch is batches[-1]) for batch in batches]
        outside = sum(1 for _ in collected.rows)
    facts = _facts_of(told)
    if outside:
        facts["outside"] = outside
    return outcome.result(bill.sums(auth), "cut", **facts)


class _Collected:
    """The answers of batches, one batch after another, each beside the row that it is
    about where a table is given."""

    def __init__(
        self,
        auth: Auth,
        table: Table | None,
        spans: dict[str, tuple[int, int]],
        outcome: RowResults,
        bill: Bill,
    ) -> None:
        self.auth, self.table, self.spans = auth, table, spans
        self.outcome, self.bill = outcome, bill
        self.rows = enumerate(table or ())
        self.place = 0  # of the batch's first row in the table

    def take(self, batch: Members, last: bool) -> Members:
        """Add the answers of a batch; return what became of its rows."""
        status = state_of_batch(batch)
        counts = self.outcome.counts
        done, failed = counts.done, counts.failed
        with Lines(_taking(self.bill, batch.get("model_id"))) as lines:
            read_answers(self.auth, batch, lines)
            reason = reason_of(batch, status, lines.unread)
            for name, row in self.asked(batch, lines, last):
                if own := self.table and self.table.taken(row):
                    words = f"but a row has a column {own!r} already"
                    raise self.table.not_free(words)
                text, why, cut = lines.get(name)
                if text is None and why is None:
                    why = reason + _why_not_asked(row, status)
                self.outcome.add(RowOutcome(row, text, why, cut=cut), custom_id=name)
        done, failed = counts.done - done, counts.failed - failed
        first, self.place = self.place, self.place + done + failed
        return {
            "batch_id": batch["id"],
            "status": status,
            "first_row": first,
            "rows": done + failed,
            "done": done,
            "failed": failed,
            "reason": reason,
        }

    def asked(
        self, batch: Members, lines: Lines, last: bool
    ) -> Iterator[tuple[str, Members]]:
        """Return (custom_id, row) of what a batch was asked."""
        if self.table is None:
            return without_rows(self.auth, batch, lines)
        places = lines.places()
        span = _span(self.auth, batch, places, self.spans, self.place, last)
        for _ in range(self.place, span[0]):
            next(self.rows, None)
        self.place = span[0]
        return with_given_rows(self.rows, places, *span)


def _why_not_asked(row: Members, status: str) -> str:
    """Say of a row that an ended batch does not know why that may be."""
    if status in BAD or all(map(filled, row.values())):
        return ""
    return "; a row that is blank in all columns of the template is not asked"


def _over(auth: Auth, batch_id: str) -> list[Members]:
    """Return the batches of an id, or of several with commas between them. Raises
    TogetherError while one is not over."""
    ids = [one for one in map(str.strip, batch_id.split(",")) if one] or [batch_id]
    batches = [{**call(auth, BATCH, batch_id=one), "id": one} for one in ids]
    going = [one for one in batches if state_of_batch(one) not in ENDED]
    if not going:
        return batches
    state = state_of_batch(going[0])
    words = f"The batch is {state}, {finite(going[0].get('progress')) or 0:g} % done"
    if len(batches) > 1:
        ended = len(batches) - len(going)
        words = f"{ended} of {len(batches)} batches are over, one is {state}"
    raise TogetherError(
        f"{words}: collect it when it is over.",
        type="not_finished",
        state=state,
        advice="Wait with the flow that waits for a batch, or run this later.",
    )


def _spans(auth: Auth, batches: list[Members]) -> dict[str, tuple[int, int]]:
    """Return {batch id: (first row, rows)} of those that say it."""
    found = {batch["id"]: span_at_service(auth, batch) for batch in batches}
    return {name: span for name, span in found.items() if span}


def _span(
    auth: Auth,
    batch: Members,
    places: dict[int, str],
    spans: dict[str, tuple[int, int]],
    place: int,
    last: bool,
) -> Span:
    """Return which of the rows given a batch is of; `place` is the next of them, and
    all that are left are those of the `last` batch where nothing else is known."""
    span = spans.get(batch["id"])
    if not span and last and not place and 0 not in places:
        span = span_at_service(auth, batch)
    if span:
        return max(place, span[0]), span[0] + span[1]
    return place, None if last else max([place, *(n + 1 for n in places)])


def _facts_of(batches: list[Members]) -> Members:
    """Return {"status", "batches"?, "lost"?} of the batches that were collected."""
    status = next((b["status"] for b in batches if b["status"] in BAD), None)
    facts: Members = {"status": status or batches[0]["status"]}
    if len(batches) == 1:
        return facts
    lost = [
        f"{one['failed']} of the {one['rows']} rows from row {one['first_row']} on: "
        f"{one['reason']}. Submit the same rows again: this batch alone is made anew."
        for one in batches
        if one["status"] in BAD and one["failed"]
    ]
    shown = [{k: v for k, v in one.items() if k != "reason"} for one in batches]
    return {**facts, "batches": shown, **({"lost": lost} if lost else {})}


def _taking(bill: Bill, model: Json) -> Callable[[Members], Said]:
    """Return what takes the text of a chat completion, or of a recording, and bills it;
    `model` is the batch's own."""
    from ..chat_steps import answered  # only where a batch ended

    def take(answer: Members) -> Said:
        bill.add(answer.get("model") or model, answer)
        if "choices" not in answer and isinstance(answer.get("text"), str):
            return answer["text"], None, False
        return answered(answer)

    return take
