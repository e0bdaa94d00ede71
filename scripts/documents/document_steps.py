"""Questions about documents: split into passages, the best ranked, cited in an answer.

    split_documents  texts in pieces that a model can take in, each with its source
    rank_passages    of passages, those that suit a question best
    cite_answer      an answer's numbers, as the passages that they stand for

embeddings/embed_rows makes vectors of them; rerank/search_documents and a model come
between the last two. index_steps.py keeps passages in storage, to be found by words.
"""

from __future__ import annotations

import heapq
import json
import math
import re
from bisect import bisect_right

from ..catalog.pricing import bill
from ..client import TogetherError, call, check_words, prepare
from ..client.job import in_job
from ..client.jsonio import RESULT_LIMIT
from ..operations import operation
from ..table.table import Flaw, Table, broken_table
from ..table.vectors import vector_of
from ..workspace.markup import inline, prose
from ..workspace.storage import store_lines
from .office_archive import BadFileError
from .web_page import declared, is_page, page_text
from .word_file import word_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..shapes import Auth, Json, Members, Problem, Step
    from ..table.row import Row
    from ..transfer.file_source import Source


EMBED = operation("embeddings/create_embeddings")
LARGEST_BYTES = 50 << 20  # of one document
MOST = 200  # documents at a time
# What a passage may end with, the best place first: pages, paragraphs, sentences, ...
ENDS = (
    *("\f", "\n\n", "\n", ". ", "! ", "? ", "\u3002", "\uff01", "\uff1f"),
    *("; ", ", ", "\uff1b", "\uff0c", "\u3001", " "),
)
BEGINNING = re.compile("[ \u3002\uff01\uff1f\uff1b\uff0c\u3001]")
START = 1024  # bytes within which the mark of a PDF stands, perhaps behind blanks
INSTEAD = (
    "give its text, which a Python step of yours can make with pypdf, or save it as "
    "Word or HTML"
)
ADVICE = (
    "Windmill installs what a Python script imports: after `from pypdf import "
    'PdfReader`, "\\f".join(page.extract_text() for page in PdfReader(file).pages) '
    "is the text of an open file; give it as text with a filename. Scanned pages have "
    "none: chat/extract_structured reads them as pictures."
)
UNCITED = "No passage is cited: do not take this for what the documents say."
SAVED = "save it as Word (.docx), HTML or text"
NOT_READ = (".rtf", ".xls", ".gz")


def split_documents(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return documents in overlapping passages.

    {"passages": [{"id": number from 1, "source": file name, "start": its first
    character, "page"?, "heading"?, "text"}], "documents": [{"source", "characters",
    "passages"}]}; with output storage, and where they are too many for a result, a JSON
    Lines file, "s3", in place of "passages". Reads text, Markdown, HTML, JSON, CSV and
    Word files. Raises TogetherError, with every document
    that cannot be read in its `problems`.
    """
    given = prepare(step, arguments)
    size, overlap = given["size"], given["overlap"]
    check_sizes(given)
    passages: list[Members] = []
    documents, problems = [], []
    for number, value in enumerate(given["documents"]):
        field = f"documents[{number}]"
        try:
            name, text = text_of(read_document(auth, value, field), field)
        except TogetherError as error:
            known = error.problems
            problems += known or [{"field": field, "problem": str(error)}]
            continue
        count = len(passages)
        place = Places(name, text)
        for start, piece in pieces_of(text, size, overlap):
            entry = {"id": len(passages) + 1, "source": name, "start": start}
            passages.append({**entry, **place.of(start), "text": piece})
        found = {"source": name, "characters": len(text)}
        documents.append({**found, "passages": len(passages) - count})
    if not passages and not problems:
        problems.append({"field": "documents", "problem": "hold no text"})
    check_read(problems)
    shown = {"documents": documents, "count": len(passages)}
    return {**_passages_in_result(passages, given["output"]), **shown}


def rank_passages(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return the passages that suit a question best.

    {"passages": [{...row without its vector, "similarity": cosine or "score": of its
    words}], best first, "note"?: how many rows were left out, "usage", "cost_usd"}.
    With a model, the question is embedded by it, which embedded the rows; with none
    the words of both are compared, which costs nothing. Raises TogetherError.
    """
    given = prepare(step, arguments)
    check_words(given, "question")
    if not given.get("model"):
        from .index_steps import rank_by_words  # only where there are no vectors

        return rank_by_words(auth, given)
    table = Table(auth, given["rows"])
    body = {"model": given["model"], "input": [given["question"]]}
    answer = call(auth, EMBED, body=body)
    best, left_out = _nearest(table, answer, given["top"])
    passages = []
    for similarity, _, row in best:
        kept = {
            n: v for n, v in row.items() if n not in ("embedding", "embedding_error")
        }
        passages.append({**kept, "similarity": round(similarity, 6)})
    costs = bill(auth, given["model"], [answer])
    if left_out:
        words = f"{left_out} rows are left out: what they have is no vector"
        costs = {"note": words, **costs}
    return {"passages": passages, **costs}


def _nearest(
    table: Table, answer: Json, top: int
) -> tuple[list[tuple[float, int, Members]], int]:
    """Return ([(similarity, -number, row)] of the rows whose vectors are nearest to the
    question's in an answer, best first, how many rows have something else in place of
    a vector). Raises TogetherError."""
    wanted = _question_vector(answer)
    left_out = 0
    best: list[tuple[float, int, Members]] = []
    for number, row in enumerate(_rows(table, answer)):
        value = None if isinstance(row, Flaw) else row.get("embedding")
        vector = vector_of(value)
        if vector is None:
            left_out += value is not None
            continue  # embed_rows says in embedding_error why there is none
        if len(vector) != len(wanted):
            problem = f"have {len(vector)} numbers each, the question's {len(wanted)}"
            raise _cannot_rank(f"{problem}: they are of another model", answer)
        size = math.hypot(*vector) or 1.0
        dot = math.fsum(x / size * y for x, y in zip(vector, wanted, strict=True))
        # The earlier of two that are equally near.
        entry = (dot, -number, row)
        if len(best) < top:
            heapq.heappush(best, entry)
        else:
            heapq.heappushpop(best, entry)
    if not best:
        raise _cannot_rank("hold no vectors: embeddings/embed_rows makes them", answer)
    return sorted(best, reverse=True), left_out


def _rows(table: Table, answer: Json) -> Iterator[Row]:
    """Yield the rows, once the question was paid. Raises TogetherError."""
    try:
        yield from table
    except TogetherError as error:
        broken = broken_table(error)
        broken.partial = answer
        raise broken from None


def _question_vector(answer: Json) -> list[float]:
    """Return the vector, of length 1, that an answer has of one text. Raises
    TogetherError."""
    found = answer.get("data") if isinstance(answer, dict) else None
    found = found[0] if isinstance(found, list) and len(found) == 1 else None
    vector = vector_of(found.get("embedding")) if isinstance(found, dict) else None
    if vector is None:
        raise TogetherError(
            "The service gave no usable vector of the question.",
            type="invalid_answer",
            partial=answer,
            advice="Run the step again, or choose another embedding model.",
        )
    length = math.hypot(*vector) or 1.0
    return [x / length for x in vector]


def _cannot_rank(problem: str, answer: Json) -> TogetherError:
    """Return the error for rows that cannot be ranked, once the question was paid."""
    return TogetherError(
        f"The rows {problem}",
        type="invalid_argument",
        problems=[{"field": "rows", "problem": problem}],
        partial=answer,
        may_be_paid=True,
        advice="Correct the field named and run the step again.",
    )


def cite_answer(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return an answer with the passages that it cites.

    {"answer", "citations": [{"number", "source", "start", "page"?, "heading"?,
    "text"}], in the order of the answer, "unknown": numbers that stand for no passage,
    "answered": False when the model found no answer, "markdown": all of it, for
    reading, "note"?, **details}.
    """
    given = prepare(step, arguments)
    answer = given["answer"]
    passages = list(Table(auth, given["passages"], "passages"))
    for number, passage in enumerate(passages):
        if isinstance(passage, Flaw):
            raise _refused(f"passages[{number}]", passage.why)
    numbers = [int(n) for n in re.findall(r"\[(\d{1,9})\]", answer)]
    numbers += [n for n in given.get("cited", []) if isinstance(n, int)]
    citations, unknown = [], []
    for number in dict.fromkeys(numbers):
        if not 1 <= number <= len(passages):
            unknown.append(number)
            continue
        passage = passages[number - 1]
        kept = {n: passage.get(n) for n in ("source", "start", "text")}
        known = {n: passage[n] for n in ("page", "heading") if passage.get(n)}
        citations.append({"number": number, **kept, **known})
    noted = {"note": given["note"]} if "note" in given else {}
    said = list(noted.values()) if citations else [*noted.values(), UNCITED]
    lines = [*(f"**{inline(note)}**\n" for note in said), prose(answer), ""]
    for entry in citations:
        text = " ".join(str(entry["text"]).split())
        short = text if len(text) <= 200 else f"{text[:200].rsplit(' ', 1)[0]} ..."
        mark = f"\\[{entry['number']}\\]"
        place = [str(entry["source"])]
        if "page" in entry:
            place.append(f"page {entry['page']}")
        if "heading" in entry:
            place.append(str(entry["heading"]))
        lines.append(f"- {mark} {inline(', '.join(place))}: {inline(short)}")
    return {
        "wm_renderer": "markdown",
        "markdown": "\n".join(lines),
        "answer": answer,
        "citations": citations,
        "unknown": unknown,
        "answered": bool(citations),
        **noted,
        **given.get("details", {}),
    }


def _passages_in_result(passages: list[Members], output: str) -> Members:
    """Return {"passages"}, or {"s3"} and the like; see store_lines."""
    in_result = {"passages": passages}
    if output == "result" and not in_job():
        return in_result
    lines = (json.dumps(passage, ensure_ascii=False) + "\n" for passage in passages)
    content = "".join(lines).encode("utf-8", "replace")
    if output == "result" and len(content) <= RESULT_LIMIT:
        return in_result
    stored = store_lines(content, "passages.jsonl", output, "passages")
    return in_result if stored is None else stored


# --- texts -------------------------------------------------------------------------


def check_sizes(given: Members) -> None:
    """Raise TogetherError for too many documents, or lengths that make no sense."""
    if given["overlap"] >= given["size"]:
        raise _refused("overlap", "must be less than size")
    if len(given["documents"]) > MOST:
        raise _refused("documents", f"takes at most {MOST} at a time")


def check_read(problems: list[Problem]) -> None:
    """Raise the TogetherError for documents that cannot be read, if there are any."""
    if not problems:
        return
    listed = "; ".join(f"{p['field']} {p['problem']}" for p in problems)
    raise TogetherError(
        f"The documents cannot be read: {listed}",
        type="invalid_argument",
        problems=problems,
        advice=ADVICE if INSTEAD in listed else None,
    )


def read_document(auth: Auth, value: Json, field: str) -> tuple[Source, bytes]:
    """Return a document's (source, content), of a kind that can be read here."""
    from ..transfer.file_input import open_file  # only where a file is given
    from ..transfer.filetypes import WORDS, file_like  # only then, too

    source = open_file(value, field, auth, LARGEST_BYTES)
    blocks = source.blocks()
    content = bytes(next(blocks, b""))
    head = content[:START].lstrip(b"\xef\xbb\xbf \t\r\n")
    if ending := file_like(head, ".pdf", *NOT_READ):
        advice = INSTEAD if ending == ".pdf" else SAVED
        problem = f"is {WORDS[ending]}, which cannot be read here: {advice}"
        raise _refused(field, problem)
    if _is_mail(content):
        problem = "is an e-mail with encoded parts: give its text"
        raise _refused(field, problem)
    return source, content + b"".join(bytes(block) for block in blocks)


def _is_mail(content: bytes) -> bool:
    """Say whether a file is an e-mail or a page saved as one (.eml, .mht): it begins
    with headers that say that its parts, or all of it, are encoded."""
    head = content[: START * 16].replace(b"\r\n", b"\n").lstrip(b"\xef\xbb\xbf \t\n")
    top = head.partition(b"\n\n")[0].lower()
    begins = re.match(rb"[a-z-]+: |from ", top) is not None
    top = b"\n" + top
    coded = (
        rb"\ncontent-(?:type:\s*multipart/|transfer-encoding:\s*(?:base64|quoted-p))"
    )
    mime = b"\nmime-version:" in top and b"\ncontent-t" in top
    return begins and (mime or re.search(coded, top) is not None)


def text_of(document: tuple[Source, bytes], field: str) -> tuple[str, str]:
    """Return the name and the text of what read_document returned."""
    from ..table_files.encodings import BadTextError, texts  # only to read a file

    source, content = document
    name = source.named()
    if content.startswith(b"PK\x03\x04"):
        try:
            return name, _visible(word_text(content)).strip()
        except BadFileError as error:
            raise _refused(field, str(error)) from None
    try:
        text = _as_declared(content, declared(content))
        if text is None:
            text = "".join(texts([content]))
    except BadTextError as error:
        other = ", nor a Word file" if str(error).startswith("is not") else ""
        raise _refused(field, f"{error}{other}") from None
    if is_page(text, source.name, source.media_type(content[:16])):
        text = page_text(text)
    # A form feed ends a page, and an empty page counts too.
    return name, _visible(text).strip(" \t\r\n")


def _visible(text: str) -> str:
    """Return a text without soft hyphens, and without NUL."""
    return text.replace("\x00", "\ufffd").replace("\u00ad", "")


def _as_declared(content: bytes, encoding: str | None) -> str | None:
    """Return the text of a page in the encoding that it declares, None where it does
    not, and where it is UTF-8 in fact. Raises BadTextError."""
    from ..table_files.encodings import BadTextError  # only to read a file

    if encoding is None:
        return None
    if encoding != "iso-2022-jp" or b"\x1b" not in content:
        try:
            content.decode()
        except UnicodeDecodeError:
            pass
        else:
            return None
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = f"is not text in {encoding}, as it says of itself: line {line}"
        raise BadTextError(problem) from None


def pieces_of(text: str, size: int, overlap: int) -> Iterator[tuple[int, str]]:
    """Yield (start, piece): pieces of at most `size` characters, each beginning about
    `overlap` characters before the last one's end."""
    start = 0
    while start < len(text):
        end = _end(text, start, size)
        piece = text[start:end].strip()
        if piece:
            yield start + (len(text[start:end]) - len(text[start:end].lstrip())), piece
        if end >= len(text):
            return
        # A step of a quarter at least, however much overlaps.
        after = max(start + size // 4, end - overlap)
        space = BEGINNING.search(text, after, end) if overlap else None
        start = end if not overlap else (space.end() if space else after)


class Places:
    """Where in its document a passage is, as far as the text tells: Markdown has
    headings, and a form feed ends a page."""

    def __init__(self, name: str, text: str) -> None:
        marked = name.lower().endswith(MARKDOWN)
        fences = [found.start() for found in FENCE.finditer(text)] if marked else []
        heads = list(HEADING.finditer(text)) if marked else []
        # Between two fences is code, whose comments begin as headings do.
        heads = [one for one in heads if bisect_right(fences, one.start()) % 2 == 0]
        self.headings = [found.start() for found in heads]
        self.words = [found[1].rstrip(" \t\r#") for found in heads]
        self.pages = [found.end() for found in re.finditer("\f", text)]

    def of(self, start: int) -> Members:
        """Return {"page"?, "heading"?} of what begins at a character."""
        found: Members = {}
        if self.pages:
            found["page"] = bisect_right(self.pages, start) + 1
        number = bisect_right(self.headings, start)
        if number and self.words[number - 1]:
            found["heading"] = self.words[number - 1]
        return found


MARKDOWN = (".md", ".markdown", ".mdx")
FENCE = re.compile("^(?:```|~~~)", re.MULTILINE)
HEADING = re.compile(r"(?:^|(?<=\f))#{1,6}[ \t]+(\S[^\n]{0,199})", re.MULTILINE)


def _end(text: str, start: int, size: int) -> int:
    """Return where a piece ends: at the last good place in its second half."""
    limit = start + size
    if limit >= len(text):
        return len(text)
    for mark in ENDS:
        place = text.rfind(mark, start + size // 2, limit)
        if place >= 0:
            return place + len(mark)
    return limit


def _refused(field: str, problem: str) -> TogetherError:
    return TogetherError(
        f"{field} {problem}",
        type="invalid_argument",
        problems=[{"field": field, "problem": problem}],
    )
