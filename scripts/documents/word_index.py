"""Passages found by the words of a question, without a model: an inverted index, BM25.

    runs        the words of a text, and its runs of characters that are not in words
    WordIndex   documents with the terms of their passages; ranks and writes them
    read_index  the WordIndex of a file

A term is a word; or, in scripts that put no blanks between words (here: signs), two
characters side by side, and the last character of a run alone. So each occurrence of
such a character begins one term.

A file is a line of JSON that names the documents, then the passages of each as JSON
Lines, then the words of each, a line a word, sorted: "\\nword\\t0 3:2", which is once
in passage 0 and twice in passage 3; then the runs of signs of each, a line a passage,
in UTF-16. Pairs of characters have no lines of their own, since there are nearly as many
of them as characters: the pairs of a question are searched in the runs. Of a large file
only the first line, the runs, the lines of the question's words and the passages found
are decoded; documents that did not change are copied as they are.
"""

from __future__ import annotations

import heapq
import json
import math
import re
import unicodedata
from collections import Counter
from itertools import compress
from operator import and_

from ..client.jsonio import parse_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..shapes import Members

    Part = tuple[bytes, int, int]  # some bytes, and where among them it begins and ends

MARK = b'{"word_index": 2, '
K1, B = 1.2, 0.75  # BM25's: how soon repetition counts no more; how far length counts
MOST_PASSAGES = 200_000
INDEXED_CHARACTERS = 128 << 20  # of all passages that are read in one run
INDEX_BYTES = 256 << 20
MEMBERS = ("start", "page", "heading", "text")  # of a passage, in results
MOST_TERMS = 256  # of a question
LOOKED_THROUGH = 1 << 13  # bytes in which a line is searched, not halved again
DAMAGED = "is damaged: delete it, and index_documents makes it anew"
# Scripts that put no blanks between words, and Korean, whose words carry endings.
UNSPACED = (
    "\u0e01-\u0e4e\u0e81-\u0ece\u1000-\u1049\u1780-\u17d3\u1100-\u11ff\u3005\u3040-\u30ff"
    "\u31f0-\u31ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]")
# Characters that have to be normalised before they are compared. For all others small
# letters are enough.
FOLDED = re.compile(
    "[^\0-\x7f\u3001-\u3003\u3005-\u3029\u3041-\u3096\u30a1-\u30fe\u4e00-\u9fff]"
)
PLAIN = re.compile(r"[^\W_]+")
# In Indian scripts vowel signs and the like are parts of words, though no letters to \w.
ANY = re.compile(
    rf"[{UNSPACED}]+|[^\W_{UNSPACED}]+(?:[\u0900-\u0963\u0966-\u0dff]+[^\W_{UNSPACED}]*)*"
)
IS_UNSPACED = re.compile(f"[{UNSPACED}]")
KINDS = 3  # of parts: passages, words, signs


class BadIndexError(ValueError):
    """What was read is not an index, or a damaged one."""


class TooMuchError(ValueError):
    """More text than is held at once."""


def runs(text: str) -> tuple[list[str], list[str]]:
    """Return (the words of a text, its runs of characters of scripts without blanks), in
    small letters without accents."""
    if text.isascii():
        return PLAIN.findall(text.lower()), []
    if FOLDED.search(text):
        text = unicodedata.normalize(
            "NFD", unicodedata.normalize("NFKC", text).casefold()
        )
        text = unicodedata.normalize("NFC", ACCENTS.sub("", text))
    else:
        text = text.lower()
    words: list[str] = []
    signs: list[str] = []
    for run in ANY.findall(text):
        (signs if IS_UNSPACED.match(run) else words).append(run)
    return words, signs


def _terms_of_question(question: str) -> tuple[list[str], list[str]]:
    """Return (the words of a question, its pairs of signs), at most MOST_TERMS of them;
    of a run of one sign that sign."""
    words, signs = runs(question)
    pairs = [run[n : n + 2] for run in signs for n in range(max(1, len(run) - 1))]
    wanted = list(dict.fromkeys([*words, *pairs]))[:MOST_TERMS]
    known = set(words)
    return [w for w in wanted if w in known], [w for w in wanted if w not in known]


class WordIndex:
    """Documents with the terms of their passages, which are numbered through from 0.

    Of each document `heads` has {"key": by which it is found again, "source": its name,
    "digest": of its content, "lengths": how many terms each passage has}.
    """

    def __init__(self) -> None:
        self.heads: list[Members] = []
        # Parts of the file that was read: copies would take as much memory again.
        self.passages: list[Part] = []
        self.terms: list[Part] = []
        self.signs: list[Part] = []
        self.count = 0
        self.characters = 0

    def add(self, head: Members, texts: Iterable[str], passages: bytes = b"") -> None:
        """Add a document by the texts of its passages. Raises TooMuchError."""
        lengths: list[int] = []
        terms: dict[
            str, str
        ] = {}  # lines as text: lists of places take thrice the time
        lines: list[str] = []
        for number, text in enumerate(texts):
            self.characters += len(text)
            if self.characters > INDEXED_CHARACTERS:
                raise TooMuchError(
                    f"are more than {INDEXED_CHARACTERS >> 20} Mi characters"
                )
            words, signs = runs(text)
            lengths.append(len(words) + sum(map(len, signs)))
            lines.append(" ".join(signs))
            once, more = f"{number}", f" {number}"
            for term, count in Counter(words).items():
                if term in terms:
                    terms[term] += more if count == 1 else f"{more}:{count}"
                else:
                    terms[term] = once if count == 1 else f"{once}:{count}"
        known = "".join([f"\n{term}\t{terms[term]}" for term in sorted(terms)])
        runs_of = "\n".join(lines) if any(lines) else ""
        parts = (
            passages,
            known.encode("utf-8", "replace") + b"\n",
            runs_of.encode("utf-16-le"),
        )
        self.keep({**head, "lengths": lengths}, *((p, 0, len(p)) for p in parts))

    def keep(self, head: Members, passages: Part, terms: Part, signs: Part) -> None:
        """Add a document that another index has. Raises TooMuchError."""
        self.count += len(head["lengths"])
        if self.count > MOST_PASSAGES:
            raise TooMuchError(f"are more than {MOST_PASSAGES} passages")
        self.heads.append(head)
        self.passages.append(passages)
        self.terms.append(terms)
        self.signs.append(signs)

    def document(self, number: int) -> tuple[Members, Part, Part, Part]:
        """Return what `keep` takes of a document."""
        parts = self.passages[number], self.terms[number], self.signs[number]
        return self.heads[number], *parts

    def best(self, question: str, top: int) -> list[tuple[float, int]]:
        """Return (score, number) of the passages that suit a question best: by BM25,
        the earlier of two that are equal first; 0.0 for those with none of its words.
        Raises BadIndexError."""
        lengths = [length for head in self.heads for length in head["lengths"]]
        usual = sum(lengths) / (len(lengths) or 1) or 1.0
        long = [K1 * (1 - B + B * length / usual) for length in lengths]
        scores = [0.0] * len(lengths)
        words, pairs = _terms_of_question(question)
        for found in [*map(self._places, words), *self._sign_places(pairs)]:
            rarity = (len(lengths) - len(found) + 0.5) / (len(found) + 0.5)
            weight = math.log1p(rarity) * (K1 + 1)
            for place, count in found.items():
                scores[place] += weight * count / (count + long[place])
        order = heapq.nlargest(top, range(len(scores)), lambda n: (scores[n], -n))
        return [(scores[number], number) for number in order]

    def _places(self, word: str) -> dict[int, int]:
        """Return how often each passage has a word."""
        found: dict[int, int] = {}
        beginning = f"\n{word}\t".encode("utf-8", "replace")
        base = 0
        for head, part in zip(self.heads, self.terms, strict=True):
            terms, _, stop = part
            start, count = _first(*part, beginning), len(head["lengths"])
            end = terms.find(b"\n", start + 1, stop) if start >= 0 else 0
            if end < 0:
                raise BadIndexError(DAMAGED)
            line = terms[start + len(beginning) : end] if end else b""
            for entry in line.split(b" ") if end else []:
                number, _, times = entry.partition(b":")
                try:
                    place, often = int(number), int(times) if times else 1
                except ValueError:
                    raise BadIndexError(DAMAGED) from None
                if not (0 <= place < count and 0 < often <= INDEXED_CHARACTERS):
                    raise BadIndexError(DAMAGED)
                found[base + place] = often
            base += count
        return found

    def _sign_places(self, pairs: list[str]) -> list[dict[int, int]]:
        """Return how often each passage has each two signs, or one."""
        found: list[dict[int, int]] = [{} for _ in pairs]
        counts = [_twice if pair[1:] == pair[0] else str.count for pair in pairs]
        signs = set("".join(pairs))
        base = 0
        for head, (content, start, end) in zip(self.heads, self.signs, strict=True):
            if pairs and start < end:
                lines = content[start:end].decode("utf-16-le", "replace").split("\n")
                if len(lines) != len(head["lengths"]):
                    raise BadIndexError(DAMAGED)
                having = {  # one sign is found ten times as soon as two
                    sign: [sign in line for line in lines] for sign in signs
                }
                for pair, count, places in zip(pairs, counts, found, strict=True):
                    both = map(and_, having[pair[0]], having[pair[-1]])
                    for place in compress(range(len(lines)), both):
                        often = count(lines[place], pair)
                        if often:
                            places[base + place] = often
            base += len(head["lengths"])
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
                members = {name: found[name] for name in MEMBERS if name in found}
                return {"id": number + 1, "source": head["source"], **members}
            base += len(head["lengths"])
        raise BadIndexError(DAMAGED)

    def parts(self) -> Iterator[Part]:
        yield from self.passages
        yield from self.terms
        yield from self.signs

    def written(self) -> bytes:
        """Return its file. Raises TooMuchError."""
        kinds = zip(self.passages, self.terms, self.signs, strict=True)
        heads = [
            {**head, "bytes": [end - start for _, start, end in parts]}
            for head, parts in zip(self.heads, kinds, strict=True)
        ]
        listed = json.dumps(heads).encode()
        first = MARK + b'"documents": ' + listed + b"}\n"
        parts = (memoryview(part[0])[part[1] : part[2]] for part in self.parts())
        content = b"".join([first, *parts])
        if len(content) > INDEX_BYTES:
            raise TooMuchError(f"make an index of more than {INDEX_BYTES >> 20} MiB")
        return content


def _twice(text: str, pair: str) -> int:
    """Return how often a character is followed by itself: three in a row are two
    pairs."""
    return len(re.findall(f"{pair[0]}(?={pair[0]})", text))


def _first(terms: bytes, low: int, high: int, beginning: bytes) -> int:
    """Return the position of the first line that begins so, or -1. Lines are sorted, so
    a binary search narrows the range first."""
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
    parts: list[list[Part]] = [[] for _ in heads]
    for kind in range(KINDS):
        for head, known in zip(heads, parts, strict=True):
            size = head["bytes"][kind]
            known.append((content, place, place + size))
            place += size
    index = WordIndex()
    for head, known in zip(heads, parts, strict=True):
        del head["bytes"]
        index.keep(head, *known)
    if place != len(content):
        raise BadIndexError(DAMAGED)
    return index


def _is_head(head: object) -> bool:
    if not isinstance(head, dict):
        return False
    texts = all(isinstance(head.get(n), str) for n in ("key", "source", "digest"))
    sizes, lengths = head.get("bytes"), head.get("lengths")
    good = isinstance(sizes, list) and len(sizes) == KINDS and _are_counts(sizes)
    return texts and good and isinstance(lengths, list) and _are_counts(lengths)


def _are_counts(values: list[object]) -> bool:
    return all(value.__class__ is int and value >= 0 for value in values)
