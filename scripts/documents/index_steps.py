"""Passages that are found by their words, without a model: an index in storage.

index_documents  documents in passages, in an index that takes in what changed
rank_by_words    of an index, or of rows, the passages that suit a question best
"""

from __future__ import annotations

import hashlib
import json
import re

from ..client import TogetherError, prepare
from ..table.table import Flaw, Table, summary
from ..workspace.storage import open_object, write_object
from .document_steps import (
    Places,
    check_read,
    check_sizes,
    pieces_of,
    read_document,
    text_of,
)
from .word_index import (
    INDEX_BYTES,
    INDEXED_CHARACTERS,
    MARK,
    MOST_PASSAGES,
    BadIndexError,
    TooMuchError,
    WordIndex,
    read_index,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..shapes import Auth, Json, Members, Problem, Step
    from ..transfer.file_source import Source


def index_documents(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return where the index of documents is, after it took in what changed.

    {"s3", "storage"?, "documents": [{"source", "passages", "change": "added", "changed"
    or "kept"}], "removed": sources of those that were taken out, "count": all its
    passages, "markdown"}. An unchanged document is not split again, and where none
    changed, nothing is written. Raises TogetherError, with every document that cannot
    be read in its `problems`; then the index stays as it was.
    """
    given = prepare(step, arguments)
    check_sizes(given)
    key, storage = given["index"], given.get("storage")
    before = _kept_index(key, storage)
    known = {head["key"]: number for number, head in enumerate(before.heads)}
    after = WordIndex()
    try:
        read, documents = _take_in_documents(auth, given, before, known)
        others = [name for name in known if name not in read]
        if not given["remove_others"]:
            read = {name: (before, known[name]) for name in others} | read
        for there, place in read.values():
            after.keep(*there.document(place))
        content = after.written()
    except TooMuchError as error:
        raise TogetherError.refused("documents", str(error)) from None
    removed = others if given["remove_others"] else []
    if not after.count:
        raise TogetherError.refused("documents", "hold no text")
    object_at = {"s3": key, **({"storage": storage} if storage else {})}
    if removed or any(one["change"] != "kept" for one in documents):
        object_at = write_object(content, key, storage=storage)
    removed = [before.heads[known[name]]["source"] for name in removed]
    told = {**_summary(after, documents, removed), **object_at, "documents": documents}
    return {**told, "removed": removed, "count": after.count}


def _take_in_documents(
    auth: Auth, given: Members, before: WordIndex, known: dict[str, int]
) -> tuple[dict[str, tuple[WordIndex, int]], list[Members]]:
    """Return ({a document's key: the index that it is in, and its place there}, what the
    result tells of each).

    An unchanged one stays in the old index, at the place that `known` has; any other is
    split into an index of its own. Raises TogetherError, with every document that
    cannot be read in its `problems`.
    """
    read: dict[str, tuple[WordIndex, int]] = {}
    documents: list[Members] = []
    problems: list[Problem] = []
    for number, value in enumerate(given["documents"]):
        field = f"documents[{number}]"
        try:
            document = read_document(auth, value, field)
            name = _key(document, value, field)
            if name in read:
                words = f"has the name of another, {name}: give each its own"
                raise TogetherError.refused(field, words)
            there, place = before, known.get(name)
            digest = _digest(document[1], given)
            change = "kept"
            if place is None or before.heads[place]["digest"] != digest:
                change = "added" if place is None else "changed"
                there, place = WordIndex(), 0
                _add(there, name, digest, text_of(document, field), given)
        except TogetherError as error:
            found = error.problems
            problems += found or [{"field": field, "problem": str(error)}]
            continue
        read[name] = there, place
        head = there.heads[place]
        told = {"source": head["source"], "passages": len(head["lengths"])}
        documents.append({**told, "change": change})
    check_read(problems)
    return read, documents


def _summary(index: WordIndex, documents: list[Members], removed: list[str]) -> Members:
    changes = [one["change"] for one in documents]
    counts = [f"{changes.count(n)} {n}" for n in ("added", "changed", "kept")]
    lines = [
        f"**The index has {index.count} passages of {len(index.heads)} documents.**",
        "",
        f"- Of the documents given: {', '.join(counts)}; removed: {len(removed)}",
    ]
    return summary(lines)


def rank_by_words(auth: Auth, given: Members) -> Members:
    """Return {"passages": [{...row, "score"}], best first, "note"?, "usage": None,
    "cost_usd": 0.0}: `given` has the arguments of rank_passages. The score is BM25's,
    0.0 of a passage that has none of the question's words. Raises TogetherError."""
    rows, left_out = given["rows"], 0
    if _is_file(rows):
        from ..transfer.file_input import open_file  # only where a file is given

        rows = open_file(rows, "rows", auth)
        if rows.head(len(MARK)) == MARK:
            return _answer(_read(rows.blocks(), "rows"), given, None, 0)
    kept, texts, size = [], [], 0
    for row in Table(auth, rows):
        text = None if isinstance(row, Flaw) else row.get("text")
        if not isinstance(text, str) or not text:
            left_out += 1
            continue
        kept.append({n: v for n, v in row.items() if n not in VECTOR})
        texts.append(text)
        size += len(text)
        if size > INDEXED_CHARACTERS or len(texts) > MOST_PASSAGES:
            words = "are too many to be ranked at once"
            raise TogetherError.refused("rows", words, advice=IN_AN_INDEX)
    if not texts:
        raise TogetherError.refused("rows", "have no text in a column `text`")
    index = WordIndex()
    try:
        index.add({}, texts)
    except TooMuchError as error:
        raise TogetherError.refused("rows", str(error), advice=IN_AN_INDEX) from None
    return _answer(index, given, kept, left_out)


def _is_file(rows: Json) -> bool:
    """Say whether rows are in a file, which may be an index."""
    if isinstance(rows, dict):
        return not rows.get("rows") and not rows.get("text")
    if isinstance(rows, list):
        from ..transfer.file_input import are_files  # a list may hold one

        return are_files(rows)
    return isinstance(rows, str) and bool(ELSEWHERE.match(rows))


ELSEWHERE = re.compile(r"\s*(?:s3://|https?://|data:)", re.IGNORECASE)
IN_AN_INDEX = "Keep them in an index: embeddings/index_documents makes one."
VECTOR = ("embedding", "embedding_error")


def _answer(
    index: WordIndex, given: Members, rows: list[Members] | None, left_out: int
) -> Members:
    """Return the best of an index, of rows that it was made of, or its own passages."""
    try:
        passages = [
            {**_row(rows[n] if rows else index.passage(n)), "score": round(score, 6)}
            for score, n in index.best(given["question"], given["top"])
        ]
    except BadIndexError as error:
        raise TogetherError.refused("rows", str(error)) from None
    notes = []
    if not any(one["score"] for one in passages):
        notes.append("No passage has a word of the question; these are the first ones")
    if left_out:
        notes.append(f"{left_out} rows are left out: they have no text")
    noted = {"note": ". ".join(notes)} if notes else {}
    return {"passages": passages, **noted, "usage": None, "cost_usd": 0.0}


def _row(row: Members) -> Members:
    """Return a row that keeps a score of its own under another name."""
    return {"row_score": row["score"], **row} if "score" in row else row


def _kept_index(key: str, storage: str | None) -> WordIndex:
    """Return the index that is kept there; one without documents where none is."""
    from ..transfer.file_source import BLOCK  # what reads the documents loads it too

    try:
        stream = open_object(key, storage)
    except TogetherError as error:
        if error.type == "not_found":
            return WordIndex()
        raise
    with stream:
        return _read(iter(lambda: stream.read(BLOCK), b""), "index")


def _read(blocks: Iterable[bytes | memoryview], field: str) -> WordIndex:
    content, size = [], 0
    for block in blocks:
        size += len(block)
        if size > INDEX_BYTES:
            words = f"is larger than {INDEX_BYTES >> 20} MiB"
            raise TogetherError.refused(field, words)
        content.append(bytes(block))
    whole = b"".join(content)
    content.clear()
    try:
        return read_index(whole)
    except (BadIndexError, TooMuchError) as error:
        raise TogetherError.refused(field, str(error)) from None


def _key(document: tuple[Source, bytes], value: Json, field: str) -> str:
    """Return the key by which an index finds a document again: its place, its name or,
    without either, its content."""
    from ..transfer.file_input import url_of  # the document came by it
    from ..transfer.remote_file import StoredSource  # the document came by it

    source, content = document
    if isinstance(source, StoredSource):
        return f"s3://{source.storage or ''}/{source.key}"
    if url := url_of(value, field):
        return url
    if source.name in NAMELESS and not _has_name(value):
        return f"{source.named()} {hashlib.sha256(content).hexdigest()[:16]}"
    return source.named()


NAMELESS = (None, "text.txt", "rows.jsonl")  # what is typed in has these


def _has_name(value: Json) -> bool:
    return isinstance(value, dict) and bool(value.get("filename"))


def _digest(content: bytes, given: Members) -> str:
    """Return a text that stays the same as long as a document gives the same
    passages."""
    sizes = f"{given['size']} {given['overlap']} ".encode()
    return hashlib.sha256(sizes + content).hexdigest()


def _add(
    index: WordIndex, key: str, digest: str, named: tuple[str, str], given: Members
) -> None:
    """Add the passages of a document, of its name and text, to an index."""
    name, text = named
    pieces = list(pieces_of(text, given["size"], given["overlap"]))
    place = Places(name, text)
    lines = [
        json.dumps(
            {"start": start, **place.of(start), "text": piece}, ensure_ascii=False
        )
        + "\n"
        for start, piece in pieces
    ]
    head = {"key": key, "source": name, "digest": digest}
    passages = "".join(lines).encode("utf-8", "replace")
    index.add(head, [piece for _, piece in pieces], passages)
