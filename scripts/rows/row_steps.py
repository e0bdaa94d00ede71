"""Rows in, rows out: the same question to a model for every row of a table.

    map_rows          a chat model's answer to each row
    embed_rows        the vector of each row's text
    search_documents  the texts, or rows, that answer a query best

The first two keep the order of the rows and report each row exactly once, with its
answer or the reason why there is none.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import partial

from ..catalog.budget import Budget, check_budget
from ..catalog.fallback import Models, dearest, may_help
from ..catalog.model_choice import choose_model
from ..catalog.pricing import (
    answer_room,
    bill,
    cost_by,
    most_cost,
    most_prompt,
    most_tokens,
    prefetch,
    priced,
    spent_on,
    usage_of,
)
from ..chat_steps import answered
from ..client import TogetherError, check_words, prepare
from ..client.jsonio import finite
from ..operations import operation
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
from ..table.vectors import vector_of
from .worker_pool import WorkerPool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, TypeAlias

    from ..shapes import Auth, Counts, Json, Members, Operation, Step, Usage
    from ..table.table import Row

    Scored: TypeAlias = tuple[list[tuple[int, float | None]], int, list[Members]]
    """(index, score) of documents, how much could not be read, the answers."""
    Vector: TypeAlias = list[float]
    Done: TypeAlias = tuple[Any, ...]
    """The arguments of RowResults.add for one row."""


CHAT = operation("chat/create_chat_completion")
EMBED = operation("embeddings/create_embeddings")
RERANK = operation("rerank/rerank_documents")

# Of one request; what the service takes at most is not documented, and a request that
# it finds too large is sent again in halves.
EMBED_TEXTS, EMBED_SIZE = 64, 200_000  # characters
RERANK_TEXTS, RERANK_SIZE = 500, 1_000_000
TOO_MUCH = (400, 413, 422)
UNREAD = "are missing, repeated or no numbers; documents without one come last"
HOPELESS = (401, 402, 404)  # what is true of every row: key, credit, model
MOST_BARREN = 10  # failures in a row after which no request is halved
ROOM = (4, 2, 1)  # times the longest answer so far that the next one may be
HOPELESS_AFTER = 20  # refusals without one answer


def map_rows(auth: Auth, step: Step, **arguments: Json) -> Json:
    """Ask a chat model about every row.

    Returns {"rows": [{...row, <answer_column>: text or None, <answer_column>_error:
    None or why}], "done", "failed", "cut": how many answers did not come to their end,
    "stopped"?: why rows were left to another run, "usage", "cost_usd", "cost_note"?,
    "markdown": all that in short}; with output "storage" a JSON Lines file, "s3", in
    place of "rows", with output "table" nothing but the rows. A job that ended midway
    goes on where it stopped when it is run again with the same input, where the
    workspace has storage and `keep` is not off. Raises TogetherError before anything is
    sent, when the first answers show that no row can be answered, when none was, or
    when more failed than fail_when_failed_share allows.
    """
    given = prepare(step, arguments)
    choose_model(auth, given, "chat")
    table = Table(auth, given["rows"])
    template = Template(given["template"])
    table.require(template.columns, "template")
    table.keep_free(given["answer_column"])
    lanes = _lanes(auth, CHAT, given)
    prefetch(auth)
    models = Models(given)
    names = ("model", "temperature", "max_tokens")
    body = {name: given[name] for name in names if name in given}
    before = []
    if given.get("system"):
        before.append({"role": "system", "content": given["system"]})
    settings = {**body, "before": before, "template": given["template"]}
    kept = settings if given["keep"] else None
    with RowResults("map_rows", kept, table, given) as outcome:
        sender = _Sender(auth, given, lanes, outcome, models=models)

        def work(row: Row) -> list[Done]:
            if why := _unfit(table, row):
                return [(row, None, why)]
            try:
                asked = [*before, {"role": "user", "content": template.fill(row)}]
            except KeyError as error:
                return [(row, None, f"the row has no column {error.args[0]!r}")]
            except BlankRowError as error:
                return [(row, None, str(error))]
            try:
                answer, model = sender.ask({**body, "messages": asked})
            except TogetherError as error:
                return [(row, None, str(error), None, False, sender.sent(error))]
            text, why, cut = answered(answer)
            other = model if model != given["model"] else None
            return [(row, text, why, usage_of(answer) or {}, cut, True, other)]

        _run(lanes, work, outcome.left(), outcome)
    bill = outcome.bill(auth, given["model"])
    return outcome.result(bill, "cut", **sender.told(), **_answering(outcome, models))


def _answering(outcome: RowResults, models: Models) -> Members:
    """Return {"models": {model: rows it answered}, "fallback_from"?} where there were
    several to ask."""
    if len(models.names) == 1:
        return {}
    others = outcome.sums.get("others") or {}
    rows = {name: one["rows"] for name, one in others.items()}
    own = outcome.sums["done"] - sum(rows.values())
    if own > 0:
        rows = {models.asked: own, **rows}
    return {"models": rows, **models.told(*others)}


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
    lanes = _lanes(auth, EMBED, given)
    prefetch(auth)
    settings = {"model": given["model"], "column": column}
    with RowResults("embed_rows", settings, table, given, "embedded") as outcome:
        sender = _Sender(auth, given, lanes, outcome, writes=False)

        def work(chunk: list[Row]) -> list[Done]:
            texts = [_embedded(table, row, column) for row in chunk]
            good = [text for text in texts if not isinstance(text, Flaw)]
            found = iter(_embed(sender, given["model"], good) if good else ())
            done = []
            for row, text in zip(chunk, texts, strict=True):
                if isinstance(text, Flaw):
                    vector, why, usage, sent = None, text.why, None, True
                else:
                    vector, why, usage, sent = next(found)
                done.append((row, vector, why, usage, False, sent))
            return done

        def fitting(done: list[Done]) -> Iterator[Done]:
            """Yield what was done, without vectors that have another length than the
            first: they cannot be compared."""
            for row, vector, why, *rest in done:
                usual = outcome.sums["dimensions"]
                if vector is not None and usual is None:
                    outcome.sums["dimensions"] = len(vector)
                elif vector is not None:
                    vector, why = _judged(vector, usual)
                yield row, vector, why, *rest

        chunks = _chunks(
            outcome.left(),
            lambda row: len(str(_embedded(table, row, column))),
            EMBED_TEXTS,
            EMBED_SIZE,
        )
        _run(lanes, work, chunks, outcome, fitting)
    bill = outcome.bill(auth, given["model"])
    return outcome.result(bill, "dimensions", **sender.told())


def _embed(sender: _Sender, model: str, texts: list[str]) -> list[Done]:
    """Return (vector, why not, usage, sent) for each text, in as few requests as money
    and the service allow."""
    try:
        reserved, count = sender.reserve([*map(most_tokens, texts)])
        answer = sender.send({"model": model, "input": texts[:count]}, reserved)
    except TogetherError as error:
        if sender.divisible(error, texts):
            half = len(texts) // 2
            parts = texts[:half], texts[half:]
            return [done for part in parts for done in _embed(sender, model, part)]
        return [(None, str(error), None, sender.sent(error))] * len(texts)
    try:
        found = _vectors(answer, count)
    except TogetherError as error:
        found = [(None, str(error))] * count
    usages = [usage_of(answer) or {}, *[None] * (count - 1)]
    done = [
        (*vector_or_why, usage, True)
        for vector_or_why, usage in zip(found, usages, strict=True)
    ]
    rest = texts[count:]
    return done + _embed(sender, model, rest) if rest else done


def search_documents(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Sort documents by how well they answer a query.

    Returns {"results": [{"index", "score", "document"}], best first, "note"?, "usage",
    "cost_usd", "cost_note"?}; documents without a score come last, with None for it.
    More documents than fit into a request are sent in several: a rerank model scores
    each document for itself. Raises TogetherError.
    """
    given = prepare(step, arguments)
    check_words(given, "query")
    rows, documents, plain = _documents(auth, given)
    lanes = _lanes(auth, RERANK, given)
    prefetch(auth)
    if "budget_usd" in given:
        # A model reads the query with each document.
        most = sum(map(most_tokens, documents))
        most += len(documents) * most_tokens(given["query"])
        may_cost = most_cost(auth, given["model"], {"prompt_tokens": most})
        check_budget(given["budget_usd"], *may_cost, "the search")
    body = {"model": given["model"], "query": given["query"]}

    def work(chunk: list[int]) -> Scored:
        part = [documents[index] for index in chunk]
        asked = {**body, "documents": part, "return_documents": False}
        if "top_n" in given:
            asked["top_n"] = min(given["top_n"], len(part))
        try:
            answer = lanes.send(asked)
        except TogetherError as error:
            if error.status not in TOO_MUCH or len(chunk) == 1:
                raise
            half = len(chunk) // 2
            scored, unread, answers = work(chunk[:half])
            others, more_unread, more_answers = work(chunk[half:])
            return scored + others, unread + more_unread, answers + more_answers
        return *_scores(answer, chunk, "top_n" not in given), [answer]

    scored: list[tuple[int, float | None]] = []
    answers: list[Members] = []
    odd = 0
    indexes = _chunks(
        range(len(rows)),
        lambda index: len(str(documents[index])),
        RERANK_TEXTS,
        RERANK_SIZE,
    )
    for found, unread, several in lanes.map(work, indexes):
        scored += found
        odd += unread
        answers += several
    scored.sort(key=lambda pair: (pair[1] is None, -(pair[1] or 0), pair[0]))
    results = [
        {
            "index": index,
            "score": score,
            "document": rows[index]["text"] if plain else rows[index],
        }
        for index, score in scored[: given.get("top_n")]
    ]
    noted = {"note": f"{odd} of the answer's scores {UNREAD}"} if odd else {}
    return {"results": results, **noted, **bill(auth, given["model"], answers)}


def _documents(auth: Auth, given: Members) -> tuple[list[Row], list[Json], bool]:
    """Return (the rows, what the model reads of each, whether they are plain texts).
    Raises TogetherError for one that cannot be read."""
    table = Table(auth, given["documents"], "documents")
    column = given.get("column")
    rows = list(table)
    plain = column is None and all(_is_text(row) for row in rows)
    if plain:
        column = "text"
    elif column is not None:
        table.require([column], "column")
    documents = [row if column is None else _text(row, column) for row in rows]
    flaw = next((one for one in documents if isinstance(one, Flaw)), None)
    if flaw is not None:
        field = f"documents[{documents.index(flaw)}]"
        raise TogetherError.refused(field, f"cannot be read: {flaw.why}")
    return rows, documents, plain


def _lanes(auth: Auth, operation: Operation, given: Members) -> WorkerPool:
    return WorkerPool(
        auth,
        operation,
        given["concurrency"],
        given["timeout_seconds"],
        given["patience_seconds"],
        given.get("stop_after_seconds"),
    )


def _run(
    lanes: WorkerPool,
    work: Callable[[Any], list[Done]],
    tasks: Iterable[Any],
    outcome: RowResults,
    last: Callable[[list[Done]], Iterable[Done]] = iter,
) -> None:
    """Let the lanes do the tasks; each yields a list of arguments of outcome.add, which
    `last` looks through in the order of the rows."""
    try:
        for done in lanes.map(work, tasks):
            for one in last(done):
                outcome.add(*one)
    except _HopelessError as stop:
        raise stop.error from None


def _prompt(messages: list[Members]) -> int:
    """Return the most tokens that the messages of a request may have."""
    return most_prompt(one["content"] for one in messages)


class _HopelessError(Exception):
    """No row can be answered."""

    def __init__(self, error: TogetherError) -> None:
        super().__init__()
        self.error = error


class _Sender:
    """Sends for the rows, until the budget is used up or nothing can be answered.

    What a request may cost and which failures are true of every row is known here; when
    a request may go is the gate's to say.
    """

    def __init__(
        self,
        auth: Auth,
        given: Members,
        lanes: WorkerPool,
        outcome: RowResults,
        writes: bool = True,
        models: Models | None = None,
    ) -> None:
        self.auth = auth
        self.given = given
        self.lanes = lanes
        self.gate = lanes.gate
        self.outcome = outcome
        self.writes = writes  # answers have tokens of their own
        self.models = models or Models({"model": given["model"]})
        self.refused = 0  # requests, as long as none was answered
        self.answered = outcome.sums["done"] > 0
        self.barren = 0  # failures of the service since it last answered
        self.longest = 0.0  # tokens of an answer so far
        self.bound = given.get("max_tokens", 0) if writes else 0
        self.money: Budget | None = None
        if "budget_usd" in given:
            self.money = Budget(given["budget_usd"])
            # Once: a list that cannot be read again later ends nothing.
            self.prices_of = {name: priced(auth, name) for name in self.models.names}
            self.prices = dearest([*self.prices_of.values()])
            usage: Usage = {"prompt_tokens": 1, "completion_tokens": int(writes)}
            may_cost = cost_by(self.prices, usage)
            if may_cost[0] is None:
                check_budget(self.money.limit, *may_cost, "a row")
            self.money.spent = self.cost(outcome.sums["usage"]) or 0.0

    def ask(self, body: Members) -> tuple[Members, str]:
        """Return (answer, model) of the first model that answers a body. Money is set
        aside for each that is asked. Raises TogetherError."""
        most = _prompt(body["messages"])

        def send(model: str, last: bool) -> Members:
            reserved, _ = self.reserve([most])
            return self.send({**body, "model": model}, reserved, last)

        return self.models.first(send, self.another)

    def another(self, error: TogetherError) -> bool:
        """Say whether the next model is asked for the row, now that one failed."""
        return self.sent(error) and not self.gate.stopped and may_help(error)

    def send(self, body: Members, reserved: float | None, last: bool = True) -> Members:
        """Return the answer, with what `reserve` gave; `last` where no other model
        could be asked. Raises TogetherError."""
        usd = None
        try:
            answer = self.lanes.send(self.bounded(body, reserved))
            self.answered, self.barren = True, 0
            if self.money:
                usd = self.spent(answer, body)
            return answer
        except TogetherError as error:
            usd = spent_on(error)
            self.barren += error.status == 500
            passed_on = not last and self.another(error)
            if not passed_on and not self.divisible(error, body.get("input", ())):
                self.judge(error, error.status)
            raise
        finally:
            if self.money and reserved is not None:
                self.gate.release(partial(self.money.settle, reserved, usd))

    def bounded(self, body: Members, reserved: float | None) -> Members:
        """Return a body whose answer costs no more than what was set aside for it."""
        if reserved is None or not self.writes or "max_tokens" in body:
            return body
        room = self.room(_prompt(body["messages"]), reserved)
        return {**body, "max_tokens": max(1, room)}

    def spent(self, answer: Members, body: Members) -> float | None:
        """Return the USD that an answer to a body cost: where neither it nor max_tokens
        says how long it is, what it can have cost at most; None: what was set aside."""
        usage, prices = usage_of(answer), self.prices_of[body["model"]]
        usd = cost_by(prices, usage)[0]
        if not self.writes:
            return usd
        if usage and usd is not None:
            self.longest = max(self.longest, usage["completion_tokens"])
        elif "max_tokens" not in self.given:
            asked, most = _prompt(body["messages"]), most_tokens(answer)
            self.longest = max(self.longest, most)
            usage = {"prompt_tokens": asked, "completion_tokens": most}
            return cost_by(prices, usage, most=True)[0]
        return usd

    def divisible(self, error: TogetherError, texts: list[str]) -> bool:
        """Say whether fewer of the texts may be taken where so many were refused."""
        status = error.status
        # One text may be more than the service bears; when it is down, all are.
        broken = status == 500 and self.barren < MOST_BARREN
        return len(texts) > 1 and (status in TOO_MUCH or broken)

    def sent(self, error: TogetherError) -> bool:
        return error.type != "not_sent"

    def told(self) -> Members:
        """Return {"stopped": why} where rows were left to another run."""
        return {"stopped": self.gate.stopped} if self.outcome.unsent else {}

    def not_sent(self) -> TogetherError:
        return TogetherError(f"not sent: {self.gate.stopped}", type="not_sent")

    def judge(self, error: TogetherError, status: int | None) -> None:
        """Stop when a failure is true of every row, and when there is no time left."""
        if not self.sent(error):
            self.gate.stop(str(error))
            raise self.not_sent() from None
        if status == 429 and self.lanes.exhausted:
            self.gate.stop(str(error))
            self.outcome.given_up = self.outcome.given_up or error
            raise self.not_sent() from None
        from ..resilience.retry import (
            about_money,
            passing,
        )  # only when something failed

        words = error.type, error.code, error.detail
        spent = status == 429 and about_money(*words)
        passes = status is None or status < 400 or (passing(status) and not spent)
        if passes and not error.final:
            return
        self.refused += 1
        hopeless = status in HOPELESS or spent or bool(error.final)
        if not self.answered and (hopeless or self.refused >= HOPELESS_AFTER):
            raise _HopelessError(error)
        if hopeless:
            self.gate.stop(str(error))
            raise self.not_sent() from None

    def reserve(self, prompts: list[int]) -> tuple[float | None, int]:
        """Set money aside for a request whose texts have at most so many tokens each.

        Returns (USD, how many of the texts may go): all, save when the rest of the
        budget is enough for some alone. Waits while others may leave money over. Raises
        TogetherError of type "not_sent" for what another run may send.
        """
        if not self.money and not self.gate.stopped:
            return None, len(prompts)
        reserved = self.gate.reserve(partial(self.take, prompts))
        if reserved is None:
            raise self.not_sent()
        return reserved

    def take(self, prompts: list[int]) -> tuple[float, int] | None:
        """Do so without waiting; None: not now, or never when the gate is stopped."""
        assert self.money is not None  # what nothing bounds is not set aside
        if self.writes and not self.longest and self.gate.reserved and not self.bound:
            return None  # how long an answer is, the first one tells
        for count in range(len(prompts), 0, -1):
            for longest in self.lengths(sum(prompts[:count])):
                usage: Usage = {"prompt_tokens": sum(prompts[:count])}
                if self.writes:
                    usage["completion_tokens"] = longest
                usd = cost_by(self.prices, usage, most=True)[0]
                try:
                    self.money.reserve(usd)
                except TogetherError as error:
                    if self.gate.reserved:
                        return None
                    why = str(error)
                else:
                    return usd or 0.0, count
            self.gate.stopped = self.gate.stopped or why
        return None

    def lengths(self, prompt: int) -> Iterator[float]:
        """Yield how many tokens an answer may have, the most that one would let it
        have first: what max_tokens says; else some times as many as the longest had
        so far, or as many as the rest of the budget pays for."""
        if not self.writes or self.bound:
            yield self.bound
        elif not self.longest:
            assert self.money is not None  # as in `take`
            yield max(1, self.room(prompt, self.money.left()))
        else:
            yield from (self.longest * times for times in ROOM)

    def room(self, prompt: int, usd: float) -> int:
        """Return how many tokens an answer may have so that all costs no more USD."""
        assert isinstance(self.prices, dict)  # else check_budget has refused
        return answer_room(self.prices, prompt, usd)

    def cost(self, usage: Counts | None) -> float | None:
        """Return the USD by the prices of the beginning, or None."""
        return cost_by(self.prices, usage)[0]


def _vectors(answer: Members, count: int) -> list[tuple[Vector | None, str | None]]:
    """Return (vector, None) or (None, why not) for each text of a request, in order.

    A vector is usable when it has as many numbers as most of them. Raises TogetherError
    where it cannot be told whose vectors they are.
    """
    found = answer.get("data")
    found = [found] if isinstance(found, dict) else found
    found = found if isinstance(found, list) else []
    found = [one if isinstance(one, dict) else {"embedding": one} for one in found]
    places = _places(found) if len(found) == count else _told_places(found, count)
    vectors: list[Vector | None] = [None] * count
    for place, one in zip(places, found, strict=True):
        if place < count:
            vectors[place] = vector_of(one.get("embedding"))
    lengths = Counter(len(vector) for vector in vectors if vector)
    usual = lengths.most_common(1)[0][0] if lengths else 0
    return [_judged(vector, usual) for vector in vectors]


def _told_places(found: list[Members], count: int) -> list[int]:
    """Return whose vector each one is, of fewer or more than there are texts: each must
    say it. Raises TogetherError where one does not."""
    indexes = [finite(one.get("index")) for one in found]
    told = [int(index) for index in indexes if index is not None and index >= 0]
    if not found or len({*told}) < len(found) or told != indexes:
        raise TogetherError(
            f"the answer does not hold {count} vectors", type="invalid_answer"
        )
    return told


def _places(found: list[Members]) -> list[int]:
    """Return whose vector each one is: by its index; in their order where none has one
    of its own. A single index that is lacking is the one that is left."""
    order = list(range(len(found)))
    indexes = [finite(one.get("index")) for one in found]
    lacking = indexes.count(None)
    if not lacking and len({*indexes}) == 1:
        return order
    left = {*order} - {*indexes}
    if lacking == len(left) == 1:
        (rest,) = left
        indexes = [rest if index is None else index for index in indexes]
    elif lacking:
        known = zip(order, indexes, strict=True)
        indexes = [place if index is None else index for place, index in known]
    places = [int(index) for index in indexes if index is not None]
    if sorted(places) != order or places != indexes:
        raise TogetherError(
            "the answer does not say which text each of its vectors is of",
            type="invalid_answer",
        )
    return places


def _judged(vector: Vector | None, usual: int) -> tuple[Vector | None, str | None]:
    if vector is None:
        return None, "the answer holds no usable vector for it"
    if len(vector) != usual:
        return None, f"its vector has {len(vector)} numbers, the others {usual}"
    return vector, None


def _scores(
    answer: Members, chunk: list[int], all_of: bool
) -> tuple[list[tuple[int, float | None]], int]:
    """Return ([(index, score)], how much of the answer could not be read): chunk holds
    the indexes of the documents. A document whose score is no number has None for it;
    so has one that is not named, where `all_of` them were asked for."""
    found = answer.get("results") or answer.get("data")
    if not isinstance(found, list):
        words = "the answer holds no scores"
        raise TogetherError(words, type="invalid_answer", partial=answer)
    told_places = [finite(one.get("index")) for one in found if isinstance(one, dict)]
    if sorted(n for n in told_places if n is not None) == [*range(1, len(chunk) + 1)]:
        words = (
            "the answer counts the documents from 1: whose its scores are, is not sure"
        )
        raise TogetherError(words, type="invalid_answer", partial=answer)
    scores: dict[int, float | None] = {}
    odd = 0
    for one in found:
        one = one if isinstance(one, dict) else {}
        told = one.get("relevance_score", one.get("score"))
        place, score = finite(one.get("index")), finite(told)
        if place is None or place not in range(len(chunk)):
            odd += 1
            continue
        index = chunk[int(place)]
        if index in scores:
            odd += 1
            continue
        scores[index] = score
        odd += score is None
    if all(score is None for score in scores.values()):
        words = "the answer holds no scores"
        raise TogetherError(words, type="invalid_answer", partial=answer)
    if all_of:
        missing = [index for index in chunk if index not in scores]
        odd += len(missing)
        scores |= dict.fromkeys(missing)
    return list(scores.items()), odd


def _text(row: Row, column: str) -> str | Flaw:
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
    return Flaw(why) if why else _text(row, column)


def _is_text(row: Row) -> bool:
    return not isinstance(row, Flaw) and row.keys() == {"text"}


def _chunks(
    items: Iterable[Any], size: Callable[[Any], int], most: int, largest: int
) -> Iterator[list[Any]]:
    """Yield lists of at most so many items, and of about that size in all."""
    chunk: list[Any] = []
    total = 0
    for item in items:
        own = size(item)
        if chunk and (len(chunk) >= most or total + own > largest):
            yield chunk
            chunk, total = [], 0
        chunk.append(item)
        total += own
    if chunk:
        yield chunk
