"""Rows in, rows out: the same question to a model for every row of a table.

    map_rows    a chat model's answer to each row
    embed_rows  the vector of each row's text

Both keep the order of the rows and report each row exactly once, with its answer or the
reason why there is none.
"""

from __future__ import annotations

import json

from ..catalog.fallback import Models
from ..catalog.model_choice import choose_model
from ..catalog.pricing import lost_usage, most_tokens, prefetch, usage_of
from ..chat_steps import answered
from ..client import TogetherError, prepare
from ..operations import operation
from ..table.row_counts import RowOutcome
from ..table.row_results import RowResults
from ..table.table import (
    BlankRowError,
    Flaw,
    Table,
    Template,
    filled,
    find,
    nothing_in,
)

# At the top, since a Windmill that fails cannot deliver it once rows were paid for.
from ..workspace.progress import set_progress
from .embedding_answers import fitting_vector, vectors_in
from .sender import Sender, answer_all, chunks_of, lanes_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Auth, Json, Members, Step, Usage
    from ..table.table import Row


CHAT = operation("chat/create_chat_completion")
EMBED = operation("embeddings/create_embeddings")

# Of one request; what the service takes at most is not documented, and a request that
# it finds too large is sent again in halves.
EMBED_TEXTS, EMBED_SIZE = 64, 200_000  # characters


def map_rows(auth: Auth, step: Step, **arguments: Json) -> Json:
    """Ask a chat model about every row.

    Returns {"rows": [{...row, <answer_column>: text or None, <answer_column>_error:
    None or why}], "done", "failed", "cut": how many answers did not come to their end,
    "stopped"?: why rows were left to another run, "usage", "cost_usd", "cost_note"?,
    "markdown": all that in short}; with output "storage" a JSON Lines file, "s3", in
    place of "rows", with output "table" nothing but the rows. A job that ended midway
    goes on where it stopped when it is run again with the same input, where the
    workspace has storage and `keep` is not off. Raises TogetherError before anything is
    sent, when the first answers show that no row can be answered, when the table breaks
    off, when no row was answered, or when more failed than fail_when_failed_share
    allows; what was answered is its `partial`.
    """
    given = prepare(step, arguments)
    table = Table(auth, given["rows"])
    template = Template(given["template"])
    table.require(template.columns, "template")
    table.keep_free(given["answer_column"])
    lanes = lanes_for(auth, CHAT, given)
    prefetch(auth)
    names = ("model", "temperature", "max_tokens")
    body = {name: given[name] for name in names if name in given}
    before = []
    if given.get("system"):
        before.append({"role": "system", "content": given["system"]})
    # The model as it is named: a rerun that chooses another finds what was answered.
    settings = {**body, "before": before, "template": given["template"]}
    kept = settings if given["keep"] else None
    with RowResults("map_rows", kept, table, given, progress=set_progress) as outcome:
        _choose_for_rows(auth, given, outcome)
        body["model"] = given["model"]
        models = Models(given)
        sender = Sender(auth, given, lanes, outcome, models=models)

        def work(row: Row) -> list[RowOutcome]:
            if known := outcome.early(row):
                return [known]
            if why := _unfit(table, row):
                return [RowOutcome(row, why=why)]
            try:
                asked = [*before, {"role": "user", "content": template.fill(row)}]
            except KeyError as error:
                why = f"the row has no column {error.args[0]!r}"
                return [RowOutcome(row, why=why)]
            except BlankRowError as error:
                return [RowOutcome(row, why=str(error))]
            return [_ask_about(sender, row, {**body, "messages": asked})]

        answer_all(lanes, work, outcome.left(), outcome)
    bill = outcome.counts.bill(auth, given["model"])
    facts = {**sender.stopped_member(), **_answering(outcome, models)}
    return outcome.result(bill, "cut", **facts)


def _choose_for_rows(auth: Auth, given: Members, outcome: RowResults) -> None:
    """Put a model into arguments that name none: the one that the flow chose for all
    parts of a table, or that an earlier run took, or the recommended one."""
    if not given.get("model") and outcome.part and outcome.part.get("model"):
        given["model"] = outcome.part["model"]
    choose_model(auth, given, "chat", outcome.counts.model)
    outcome.counts.turn_to(given["model"])


def _ask_about(sender: Sender, row: Row, body: Members) -> RowOutcome:
    """Ask about a row; return what became of it."""
    lost: list[tuple[str | None, Usage]] = []
    try:
        answer, model = sender.ask(body, lost)
    except TogetherError as error:
        sent = sender.was_sent(error)
        return RowOutcome(row, why=str(error), sent=sent, lost=lost)
    text, why, cut = answered(answer)
    used = usage_of(answer) or {}
    # What those that were asked before do not tell is left out, as it is of tries that
    # were repeated: else every bill with another model in it would be unknown.
    lost = [call for call in lost if call[1]]
    return RowOutcome(row, text, why, usage=used, cut=cut, model=model, lost=lost)


def _answering(outcome: RowResults, models: Models) -> Members:
    """Return {"models": {model: rows it answered}, "fallback_from"?} where several
    were asked or could be, and of a part, whose table may have several."""
    others = outcome.counts.others
    if len(models.names) == 1 and not others and not outcome.part:
        return {}
    rows = {name: one["rows"] for name, one in others.items() if one["rows"]}
    own = outcome.counts.done - sum(rows.values())
    fallback = models.told(*(name for name in rows if name in models.names))
    if own > 0:
        rows = {models.asked: own, **rows}
    return {"models": rows, **fallback}


def embed_rows(auth: Auth, step: Step, **arguments: Json) -> Json:
    """Turn the text of every row into a vector.

    Returns {"rows": [{...row, <answer_column>: numbers or None, <answer_column>_error:
    None or why}], "dimensions", "done", "failed", "stopped"?, "usage", "cost_usd",
    "cost_note"?, "markdown"}; `output`, going on where it stopped, and errors are as
    with map_rows.
    """
    given = prepare(step, arguments)
    table = Table(auth, given["rows"])
    column = given["column"]
    table.require([column], "column")
    table.keep_free(given["answer_column"])
    lanes = lanes_for(auth, EMBED, given)
    prefetch(auth)
    settings = {"model": given["model"], "column": column}
    with RowResults(
        "embed_rows", settings, table, given, "embedded", set_progress
    ) as outcome:
        sender = Sender(auth, given, lanes, outcome, writes=False)

        def work(chunk: list[Row]) -> list[RowOutcome]:
            texts = [_embedded(table, row, column) for row in chunk]
            outcomes = [outcome.early(row) or RowOutcome(row) for row in chunk]
            good: list[tuple[RowOutcome, str]] = []
            for one, text in zip(outcomes, texts, strict=True):
                if isinstance(text, Flaw):
                    one.why = text.why
                elif one.answer is None:
                    good.append((one, text))
            if good:
                _embed(sender, given["model"], good)
            return outcomes

        def check_length(one: RowOutcome) -> None:
            """Take a vector out that has another length than the first: they cannot be
            compared."""
            if one.answer is None:
                return
            usual = outcome.counts.dimensions
            if usual is None:
                outcome.counts.dimensions = len(one.answer)
            else:
                one.answer, one.why = fitting_vector(one.answer, usual)

        chunks = chunks_of(
            outcome.left(),
            lambda row: len(str(_embedded(table, row, column))),
            EMBED_TEXTS,
            EMBED_SIZE,
        )
        answer_all(lanes, work, chunks, outcome, check_length)
    bill = outcome.counts.bill(auth, given["model"])
    return outcome.result(bill, "dimensions", **sender.stopped_member())


def _embed(sender: Sender, model: str, wanted: list[tuple[RowOutcome, str]]) -> None:
    """Fill in what becomes of each row, which comes with its text: in as few requests
    as money and the service allow. What a request used is the first row's."""
    outcomes, texts = zip(*wanted, strict=True)
    first = outcomes[0]
    try:
        reserved, count = sender.reserve([*map(most_tokens, texts)])
        answer = sender.send({"model": model, "input": [*texts[:count]]}, reserved)
    except TogetherError as error:
        divisible = sender.divisible(error, texts)
        usage = lost_usage(error)
        if usage or (usage is not None and not divisible):  # see `_ask_about`
            first.lost = [*first.lost, (None, usage)]
        if divisible:
            half = len(texts) // 2
            _embed(sender, model, wanted[:half])
            _embed(sender, model, wanted[half:])
            return
        for one in outcomes:
            one.why, one.sent = str(error), sender.was_sent(error)
        return
    try:
        found = vectors_in(answer, count)
    except TogetherError as error:
        found = [(None, str(error))] * count
    first.usage = usage_of(answer) or {}
    for one, (vector, why) in zip(outcomes, found, strict=False):
        one.answer, one.why = vector, why
    if wanted[count:]:
        _embed(sender, model, wanted[count:])


def text_in(row: Row, column: str) -> str | Flaw:
    """Return what a row's column says, or a Flaw."""
    if isinstance(row, Flaw):
        return row
    value = find(row, column)
    if value is None or value == "":
        return Flaw(f"the row has no text in its column {column!r}")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _unfit(table: Table, row: Row) -> str | None:
    """Return why a row cannot be worked at, or None."""
    if isinstance(row, Flaw):
        return row.why
    own = table.taken(row)
    return own and f"the row has a column {own!r} of its own, which stays as it was"


def _embedded(table: Table, row: Row, column: str) -> str | Flaw:
    """Return what a row's column says, or a Flaw."""
    why = _unfit(table, row)
    if not why and not filled(text := find(row, column)):
        blank = text is None or text == ""
        why = f"the row has no text in its column {column!r}"
        why = why if blank else nothing_in([column])
    return Flaw(why) if why else text_in(row, column)
