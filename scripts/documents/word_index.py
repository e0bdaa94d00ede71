"""Passages found by the words of a question, without a model: an inverted index, BM25.

    words       the terms of a text, whatever its script
    WordIndex   documents with the terms of their passages: rank them, write them
    read_index  the same from its file

A file is a line of JSON that names the documents, then the passages of each as JSON
Lines, then the terms of each, a line a term, sorted: "\\nterm\\t0 3:2", which is once in passage
0 and twice in passage 3. Of a large file only the first line is decoded, the question's
terms and the passages that were found; what did not change is copied as it is.
"""

from __future__ import annotations

import heapq
import json
import math
import re
import unicodedata
from collections import Counter
from operator import add

from ..client.jsonio import parse_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..shapes import Members

    Part = tuple[bytes, int, int]  # what it is part of, where it begins and ends

MARK = b'{"word_index": 1, '
K1, B = 1.2, 0.75  # BM25's: how soon repetition counts no more; how far length counts
MOST_PASSAGES = 200_000
INDEXED_CHARACTERS = 128 << 20  # of all passages that are read in one run
INDEX_BYTES = 256 << 20
TOLD = ("start", "page", "heading", "text")  # of a passage
MOST_TERMS = 256  # of a question
LOOKED_THROUGH = 1 << 13  # bytes
DAMAGED = "is damaged: delete it, and index_documents makes it anew"
# Scripts that put no blanks between words, and Korean, whose words carry endings.
UNSPACED = (
    "\u0e01-\u0e4e\u0e81-\u0ece\u1000-\u1049\u1780-\u17d3\u1100-\u11ff\u3005\u3040-\u30ff"
    "\u31f0-\u31ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]")
# All but these signs are in the form in which they are compared, but for A to Z.
FOLDED = re.compile(
    "[^\0-\x7f\u3001-\u3003\u3005-\u3029\u3041-\u3096\u30a1-\u30fe\u4e00-\u9fff]"
)
PLAIN = re.compile(r"[^\W_]+")
# The signs of Indian scripts are parts of words, though no letters.
ANY = re.compile(
    rf"[{UNSPACED}]+|[^\W_{UNSPACED}]+(?:[\u0900-\u0963\u0966-\u0dff]+[^\W_{UNSPACED}]*)*"
)
IS_UNSPACED = re.compile(f"[{UNSPACED}]")


class BadIndexError(ValueError):
    """What was read is no index that this can use."""


class TooMuchError(ValueError):
    """More text than is held at once."""


def words(text: str) -> list[str]:
    """Return the terms of a text: words in small letters without accents; of scripts
    without blanks each two signs that stand side by side, and the last one alone. So
    each sign begins as many terms as it is there times."""
    found: list[str] = []
    for run in _runs(text):
        if IS_UNSPACED.match(run):
            found += map(add, run, run[1:])
            run = run[-1]
        found.append(run)
    return found


def _runs(text: str) -> list[str]:
    if text.isascii():
        return PLAIN.findall(text.lower())
    if not FOLDED.search(text):
        return ANY.findall(text.lower())
    text = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    return ANY.findall(unicodedata.normalize("NFC", ACCENTS.sub("", text)))


def _wanted(question: str) -> list[str]:
    """Return how the lines begin of the terms that a question asks for."""
    found = []
    for run in _runs(question):
        if not IS_UNSPACED.match(run):
            found.append(f"\n{run}\t")
        elif len(run) == 1:
            found.append(f"\n{run}")
        else:
            found += [f"\n{pair}\t" for pair in map(add, run, run[1:])]
    return list(dict.fromkeys(found))[:MOST_TERMS]


class WordIndex:
    """Documents with the terms of their passages, which are numbered through from 0.

    Of each document `heads` has {"key": by what it is known again, "source": its name,
    "digest": what changes when it does, "lengths": how many terms each passage has}.
    """

    def __init__(self) -> None:
        self.heads: list[Members] = []
        # Where they stand in the file that was read: a copy of each would be another.
        self.passages: list[Part] = []
        self.terms: list[Part] = []
        self.count = 0
        self.characters = 0

    def add(self, head: Members, texts: Iterable[str], passages: bytes = b"") -> None:
        """Add a document by the texts of its passages. Raises TooMuchError."""
        lengths: list[int] = []
        terms: dict[str, str] = {}  # texts: lists of places take thrice the time
        for number, text in enumerate(texts):
            self.characters += len(text)
            if self.characters > INDEXED_CHARACTERS:
                raise TooMuchError(
                    f"are more than {INDEXED_CHARACTERS >> 20} Mi characters"
                )
            found = words(text)
            lengths.append(len(found))
            once, more = f"{number}", f" {number}"
            for term, count in Counter(found).items():
                if term in terms:
                    terms[term] += more if count == 1 else f"{more}:{count}"
                else:
                    terms[term] = once if count == 1 else f"{once}:{count}"
        lines = [f"\n{term}\t{terms[term]}" for term in sorted(terms)]
        known = "".join(lines).encode("utf-8", "replace") + b"\n"
        whole = (passages, 0, len(passages)), (known, 0, len(known))
        self.keep({**head, "lengths": lengths}, *whole)

    def keep(self, head: Members, passages: Part, terms: Part) -> None:
        """Add a document that another index has. Raises TooMuchError."""
        self.count += len(head["lengths"])
        if self.count > MOST_PASSAGES:
            raise TooMuchError(f"are more than {MOST_PASSAGES} passages")
        self.heads.append(head)
        self.passages.append(passages)
        self.terms.append(terms)

    def document(self, number: int) -> tuple[Members, Part, Part]:
        """Return what `keep` takes of a document."""
        return self.heads[number], self.passages[number], self.terms[number]

    def best(self, question: str, top: int) -> list[tuple[float, int]]:
        """Return (score, number) of the passages that suit a question best: by BM25,
        the earlier of two that are equal first; 0.0 for those with none of its words.
        Raises BadIndexError."""
        lengths = [length for head in self.heads for length in head["lengths"]]
        usual = sum(lengths) / (len(lengths) or 1) or 1.0
        long = [K1 * (1 - B + B * length / usual) for length in lengths]
        scores = [0.0] * len(lengths)
        for beginning in _wanted(question):
            found = self._places(beginning.encode("utf-8", "replace"))
            rarity = (len(lengths) - len(found) + 0.5) / (len(found) + 0.5)
            weight = math.log1p(rarity) * (K1 + 1)
            for place, count in found.items():
                scores[place] += weight * count / (count + long[place])
        order = heapq.nlargest(top, range(len(scores)), lambda n: (scores[n], -n))
        return [(scores[number], number) for number in order]

    def _places(self, beginning: bytes) -> dict[int, int]:
        """Return how often each passage has the terms whose lines begin so."""
        found: dict[int, int] = {}
        base = 0
        for head, part in zip(self.heads, self.terms, strict=True):
            terms, _, stop = part
            start, last = _first(*part, beginning), base + len(head["lengths"]) - 1
            while start >= 0:
                end = terms.find(b"\n", start + 1, stop)
                if end < 0:
                    raise BadIndexError(DAMAGED)
                line = terms[start:end].decode("utf-8", "replace")
                for entry in line.rpartition("\t")[2].split(" "):
                    number, _, times = entry.partition(":")
                    try:
                        place, often = base + int(number), int(times) if times else 1
                    except ValueError:
                        raise BadIndexError(DAMAGED) from None
                    if not (base <= place <= last and 0 < often <= INDEXED_CHARACTERS):
                        raise BadIndexError(DAMAGED)
                    found[place] = found.get(place, 0) + often
                start = end if terms.startswith(beginning, end, stop) else -1
            base = last + 1
        return found

    def passage(self, number: int) -> Members:
        """Return {"id": from 1, "source", "start", "page"?, "heading"?, "text"} of a
        passage. Raises BadIndexError."""
        base = 0
        for head, (content, start, end) in zip(self.heads, self.passages, strict=True):
            if number - base < len(head["lengths"]):
                split = content[start:end].split(b"\n")
                if number - base >= len(split) - 1:
                    raise BadIndexError(DAMAGED)
                found, problem = parse_json(bytes(split[number - base]))
                if problem or not isinstance(found, dict):
                    raise BadIndexError(DAMAGED)
                if not isinstance(found.get("text"), str):
                    raise BadIndexError(DAMAGED)
                kept = {name: found[name] for name in TOLD if name in found}
                return {"id": number + 1, "source": head["source"], **kept}
            base += len(head["lengths"])
        raise BadIndexError(DAMAGED)

    def parts(self) -> Iterator[Part]:
        yield from self.passages
        yield from self.terms

    def written(self) -> bytes:
        """Return its file. Raises TooMuchError."""
        heads = [
            {**head, "bytes": [lines[2] - lines[1], terms[2] - terms[1]]}
            for head, lines, terms in zip(
                self.heads, self.passages, self.terms, strict=True
            )
        ]
        listed = json.dumps(heads).encode()
        first = MARK + b'"documents": ' + listed + b"}\n"
        parts = (memoryview(part[0])[part[1] : part[2]] for part in self.parts())
        content = b"".join([first, *parts])
        if len(content) > INDEX_BYTES:
            raise TooMuchError(f"make an index of more than {INDEX_BYTES >> 20} MiB")
        return content


def _first(terms: bytes, low: int, high: int, beginning: bytes) -> int:
    """Return where the first line stands that begins so, or -1. Lines are sorted, so
    that of many a part is looked through."""
    stop = high
    while high - low > LOOKED_THROUGH:
        middle = terms.rfind(b"\n", low, (low + high) // 2)
        if middle <= low:
            break  # a line as long as this
        if terms[middle : middle + len(beginning)] < beginning:
            low = middle
        else:
            high = middle
    return terms.find(beginning, low, min(stop, high + len(beginning)))


def read_index(content: bytes) -> WordIndex:
    """Return the index that a file holds, which it keeps. Raises BadIndexError,
    TooMuchError."""
    if not content.startswith(MARK):
        raise BadIndexError("is no index that embeddings/index_documents made")
    end = content.find(b"\n")
    found, problem = parse_json(content[: max(end, 0)])
    heads = found.get("documents") if isinstance(found, dict) else None
    if problem or not isinstance(heads, list) or not all(map(_is_head, heads)):
        raise BadIndexError(DAMAGED)
    place = end + 1
    passages = []
    for head in heads:
        passages.append((place, place + head["bytes"][0]))
        place += head["bytes"][0]
    index = WordIndex()
    for head, (first, last) in zip(heads, passages, strict=True):
        size = head.pop("bytes")[1]
        index.keep(head, (content, first, last), (content, place, place + size))
        place += size
    if place != len(content):
        raise BadIndexError(DAMAGED)
    return index


def _is_head(head: object) -> bool:
    if not isinstance(head, dict):
        return False
    texts = all(isinstance(head.get(n), str) for n in ("key", "source", "digest"))
    sizes, lengths = head.get("bytes"), head.get("lengths")
    good = isinstance(sizes, list) and len(sizes) == 2 and _are_counts(sizes)
    return texts and good and isinstance(lengths, list) and _are_counts(lengths)


def _are_counts(values: list[object]) -> bool:
    return all(value.__class__ is int and value >= 0 for value in values)
