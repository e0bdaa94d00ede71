"""The text of a web page, in time that grows with its size and no faster.

Tags, comments and entities are read as the HTML standard says (section 13.2.5), so that
a page is what a browser makes of it; what it does not show (scripts, styles, the head's
title) is left out. html.parser is not used: up to Python 3.11.13 a page of unclosed
tags takes it hours.
"""

from __future__ import annotations

import html
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Elements whose content is no text that is read.
RAW = _names("script style title noscript template iframe noframes noembed")
# Elements with a blank line around them, and those that begin a line.
APART = _names(
    "p h1 h2 h3 h4 h5 h6 ul ol dl table blockquote pre figure hr article section "
    "header footer main nav aside form fieldset address details"
)
LINES = _names(
    "br div li dt dd tr caption figcaption legend summary option body html center "
    "thead tbody tfoot"
)
CELLS = _names("td th")
# A fragment of a page begins with one of these.
BEGINNINGS = APART | LINES | CELLS | RAW | {"head", "meta", "link", "span", "a", "b"}

# Any other < is text, as in a < b.
_OPEN = re.compile(r"<[a-zA-Z/!?]")
_NAME = re.compile(r"[a-zA-Z][^\s/>]*")
_BEGINNING = re.compile(r"\s*(?:<(?:\?xml|!doctype|html|head|body)\b)", re.IGNORECASE)
# The next sign within a tag that means something: its end, or a value in quotes.
_INSIDE = re.compile(r">|=\s*([\"'])")
_BLANKS = re.compile(r"[ \t\n\r\f\v]+")
# Python refuses to read a number of more than 4300 digits.
_LONG = re.compile(r"&#(?:[xX][0-9a-fA-F]{9,}|[0-9]{9,});?")
_BREAK = re.compile(r"\n{3,}")


def is_page(text: str, name: str | None = None) -> bool:
    """Say whether a text is HTML or XML: by its beginning, behind comments, or as a
    fragment in a file whose name does not say that it is something else."""
    place = 0
    while (comment := re.compile(r"\s*<!--").match(text, place)) is not None:
        place = text.find("-->", comment.end()) + 3
        if place < 3:
            return False
    if _BEGINNING.match(text, place):
        return True
    ending = name.rpartition(".")[2].lower() if name and "." in name else ""
    if ending in ("html", "htm", "xhtml"):
        return True
    tag = re.compile(r"\s*<([a-zA-Z][a-zA-Z0-9]*)[\s/>]").match(text, place)
    return not ending and tag is not None and tag[1].lower() in BEGINNINGS


def page_text(page: str) -> str:
    """Return the words of a web page, paragraphs a blank line apart."""
    found = _PageText()
    xml = page.lstrip()[:5].lower() == "<?xml" and "<html" not in page[:4096].lower()
    for kind, value in _tokens(page):
        if kind == "text":
            found.add(value)
        elif kind == "data":
            found.put(value if xml else "")
        elif value in APART:
            found.break_off("\n\n", value == "pre" and kind)
        elif value in LINES:
            found.break_off("\n")
        elif value in CELLS and kind == "start":
            found.break_off("\t")
        elif xml and value not in CELLS:
            found.break_off(" ")
    return found.whole()


class _PageText:
    """Words as they come, with the widest of the breaks between them."""

    ORDER = ("", " ", "\t", "\n", "\n\n")

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.between = ""
        self.kept = 0  # how many elements are open in which every blank counts

    def add(self, text: str) -> None:
        if "&" in text:
            text = html.unescape(_LONG.sub("\ufffd", text))
        if self.kept:
            self.put(text)
            return
        words = _BLANKS.sub(" ", text)
        if words[:1] == " ":
            self.break_off(" ")
            words = words[1:]
        if words:
            open_end = words[-1] == " "
            self.put(words[:-1] if open_end else words)
            if open_end:
                self.break_off(" ")

    def put(self, text: str) -> None:
        if text:
            if self.pieces:
                self.pieces.append(self.between)
            self.between = ""
            self.pieces.append(text)

    def break_off(self, sign: str, pre: str | bool | None = None) -> None:
        if pre:
            self.kept = max(0, self.kept + (1 if pre == "start" else -1))
        if self.ORDER.index(sign) > self.ORDER.index(self.between):
            self.between = sign

    def whole(self) -> str:
        return _BREAK.sub("\n\n", "".join(self.pieces)).strip()


def _tokens(page: str) -> Iterator[tuple[str, str]]:
    """Yield ("text", characters), ("data", what XML keeps apart as it is), and
    ("start", name) and ("end", name) of tags."""
    place, size = 0, len(page)
    while place < size:
        found = _OPEN.search(page, place)
        start = found.start() if found else size
        if start > place:
            yield "text", page[place:start]
        if found is None:
            return
        place = start + 1
        mark = page[place]
        if page.startswith("![CDATA[", place):
            end = _behind(page, "]]>", place)
            yield "data", page[place + 8 : end].removesuffix("]]>")
            place = end
            continue
        if mark == "!":
            place = _behind_comment(page, place + 1)
            continue
        closes = mark == "/"
        name = _NAME.match(page, place + closes)
        if name is None:
            place = _behind(page, ">", place)
            continue
        tag = name[0].lower()
        place = _behind_tag(page, name.end())
        yield ("end" if closes else "start"), tag
        if tag in RAW and not closes:
            last = re.compile(rf"</{tag}(?=[\s/>])", re.IGNORECASE).search(page, place)
            place = last.start() if last else size


def _behind(page: str, mark: str, place: int) -> int:
    """Return the place behind the next mark, or the end: what is open goes that far."""
    found = page.find(mark, place)
    return found + len(mark) if found >= 0 else len(page)


def _behind_comment(page: str, place: int) -> int:
    if not page.startswith("--", place):
        return _behind(page, ">", place)
    for short in (">", "->"):
        if page.startswith(short, place + 2):
            return place + 2 + len(short)
    found = re.compile("--!?>").search(page, place + 2)
    return found.end() if found else len(page)


def _behind_tag(page: str, place: int) -> int:
    while True:
        found = _INSIDE.search(page, place)
        if found is None:
            return len(page)
        if found[1] is None:
            return found.end()
        place = _behind(page, found[1], found.end())
