"""Documents in the order in which they answer a query."""

from __future__ import annotations

import threading

from ..catalog.budget import check_budget
from ..catalog.pricing import bill, lost_usage, most_cost, most_tokens, prefetch
from ..client import TogetherError, check_words, prepare
from ..client.jsonio import finite
from ..operations import operation
from ..table.table import Flaw, Table
from .row_steps import text_in
from .sender import TOO_MUCH, chunks_of, lanes_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Auth, Json, Members, Step
    from ..table.table import Row
    from .worker_pool import WorkerPool


RERANK = operation("rerank/rerank_documents")
# Of one request; one that the service finds too large is sent again in halves.
RERANK_TEXTS, RERANK_SIZE = 500, 1_000_000
UNREAD = "are missing, repeated or no numbers; documents without one come last"


def search_documents(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Sort documents by how well they answer a query.

    Returns {"results": [{"index", "score", "document"}], best first, "note"?, "usage",
    "cost_usd", "cost_note"?}; documents without a score come last, with None for it.
    More documents than fit into a request are sent in several: a rerank model scores
    each document for itself. Raises TogetherError; where some were scored, its
    `partial` is the result so far.
    """
    given = prepare(step, arguments)
    check_words(given, "query")
    rows, documents, plain = _documents(auth, given)
    lanes = lanes_for(auth, RERANK, given)
    prefetch(auth)
    if "budget_usd" in given:
        # A model reads the query with each document.
        most = sum(map(most_tokens, documents))
        most += len(documents) * most_tokens(given["query"])
        may_cost = most_cost(auth, given["model"], {"prompt_tokens": most})
        check_budget(given["budget_usd"], *may_cost, "the search")
    search = _Search(lanes, given, documents)
    chunks = chunks_of(
        range(len(rows)),
        lambda index: len(str(documents[index])),
        RERANK_TEXTS,
        RERANK_SIZE,
    )
    shown = [row["text"] for row in rows] if plain else rows
    try:
        for _ in lanes.map(search.score, chunks):
            pass
    except TogetherError as error:
        if search.scored:
            error.partial = search.result(auth, shown)
            error.may_be_paid = True  # whatever its own request cost
        raise
    return search.result(auth, shown)


class _Search:
    """What the requests of a search brought, which several threads send."""

    def __init__(
        self, lanes: WorkerPool, given: Members, documents: list[Json]
    ) -> None:
        self.lanes, self.given, self.documents = lanes, given, documents
        self.scored: list[tuple[int, float | None]] = []  # (index, score) of documents
        self.odd = 0  # scores that could not be read
        # Of calls that failed and may have been paid for, what there is of an answer.
        self.paid_answers: list[Json] = []
        self.under_way = 0  # requests
        self.lock = threading.Lock()

    def score(self, chunk: list[int]) -> None:
        """Let the documents with these indexes be scored; where they are too many for
        one request, in halves. Raises TogetherError."""
        try:
            answer = self.send(chunk)
        except TogetherError as error:
            if error.status not in TOO_MUCH or len(chunk) == 1:
                raise
            half = len(chunk) // 2
            self.score(chunk[:half])
            self.score(chunk[half:])
            return
        found, odd = _scores(answer, chunk, "top_n" not in self.given)
        with self.lock:
            self.scored += found
            self.odd += odd

    def send(self, chunk: list[int]) -> Members:
        """Return the answer about some documents. Raises TogetherError."""
        asked: Members = {name: self.given[name] for name in ("model", "query")}
        asked["documents"] = [self.documents[index] for index in chunk]
        asked["return_documents"] = False
        if "top_n" in self.given:
            asked["top_n"] = min(self.given["top_n"], len(chunk))
        paid: list[Json] = []
        with self.lock:
            self.under_way += 1
        try:
            answer = self.lanes.send(asked)
            paid = [answer]
            return answer
        except TogetherError as error:
            paid = [] if lost_usage(error) is None else [error.partial]
            raise
        finally:
            with self.lock:
                self.paid_answers += paid
                self.under_way -= 1

    def result(self, auth: Auth, shown: list[Json]) -> Members:
        """Return the step's result so far; shown are the documents as it has them."""
        with self.lock:
            scored, odd = [*self.scored], self.odd
            # What requests under way will use is not told.
            paid = [*self.paid_answers, *([None] if self.under_way else [])]
        scored.sort(key=lambda pair: (pair[1] is None, -(pair[1] or 0), pair[0]))
        results = [
            {"index": index, "score": score, "document": shown[index]}
            for index, score in scored[: self.given.get("top_n")]
        ]
        noted = {"note": f"{odd} of the answer's scores {UNREAD}"} if odd else {}
        return {"results": results, **noted, **bill(auth, self.given["model"], paid)}


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
    documents = [row if column is None else text_in(row, column) for row in rows]
    flaw = next((one for one in documents if isinstance(one, Flaw)), None)
    if flaw is not None:
        field = f"documents[{documents.index(flaw)}]"
        raise TogetherError.refused(field, f"cannot be read: {flaw.why}")
    return rows, documents, plain


def _is_text(row: Row) -> bool:
    return not isinstance(row, Flaw) and row.keys() == {"text"}


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
    places = {finite(one.get("index")) for one in found if isinstance(one, dict)}
    if len(chunk) in places and 0 not in places:
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
