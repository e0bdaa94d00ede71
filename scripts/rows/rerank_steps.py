"""Documents in the order in which they answer a query."""

from __future__ import annotations

from ..catalog.budget import check_budget
from ..catalog.pricing import bill, most_cost, most_tokens, prefetch
from ..client import TogetherError, check_words, prepare
from ..client.jsonio import finite
from ..operations import operation
from ..table.table import Flaw, Table
from .row_steps import text_in
from .sender import TOO_MUCH, chunks_of, lanes_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from ..shapes import Auth, Json, Members, Step
    from ..table.table import Row

    Scored: TypeAlias = tuple[list[tuple[int, float | None]], int, list[Members]]
    """(index, score) of documents, how much could not be read, the answers."""


RERANK = operation("rerank/rerank_documents")
# Of one request; one that the service finds too large is sent again in halves.
RERANK_TEXTS, RERANK_SIZE = 500, 1_000_000
UNREAD = "are missing, repeated or no numbers; documents without one come last"


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
    lanes = lanes_for(auth, RERANK, given)
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
    indexes = chunks_of(
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
