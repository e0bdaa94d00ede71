"""The text of a web page, in time linear in its size.

Tags, comments and entities are read as the HTML standard says (section 13.2.5), so that
a page is what a browser makes of it; what it does not show (scripts, styles, the head's
title, what is hidden) is left out, and what is marked as deleted, readings above
characters, and what stands in place of a film or of a formula's code. What a cell over
several rows says stands in each of them, an item's number before it, formulas in a line:
(1)/(2), x^(2). Digits raised behind a digit have a ^ before them, text that is struck
out ~~ around it.
html.parser is not used: up to Python 3.11.13 a page of unclosed tags takes it hours.

    is_page    whether a text is HTML or XML
    declared   the encoding that a page says it is in
    page_text  the words of a page
"""

from __future__ import annotations

import html
import re

from .list_numbers import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    _Mark: TypeAlias = tuple[int, int, int]
    """How many pieces, characters and words there were when a cell began."""


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
STRUCK = _names("s strike")
VOID = _names("area base br col embed hr img input link meta source track wbr")
# A page that hides its html or body is shown by a script.
NEVER_HIDDEN = VOID | {"html", "body"}
# Elements that say again what the page shows otherwise, or nothing where it shows them.
UNSEEN = _names("del rt rp annotation annotation-xml video audio canvas datalist")
# Elements that end where another of these begins, if not within another list or table.
_PARTS = _names("tr tbody tfoot")
ENDED_BY = {
    "p": APART | LINES | CELLS,
    "li": _names("li"),
    "option": _names("option"),
    **dict.fromkeys(("dt", "dd"), _names("dt dd")),
    **dict.fromkeys(("rt", "rp"), _names("rt rp rb rtc")),
    **dict.fromkeys(("td", "th"), _PARTS | CELLS),
    **dict.fromkeys(("tr", "thead", "tbody"), _PARTS),
}
NESTS = ("ul", "ol", "dl", "table", "select")
# A fragment of a page begins with one of these.
BEGINNINGS = APART | LINES | CELLS | RAW | {"head", "meta", "link", "span", "a", "b"}

# Any other < is text, as in a < b.
_OPEN = re.compile(r"<[a-zA-Z/!?]")
_NAME = re.compile(r"[a-zA-Z][^\s/>]*")
_BEGINNING = re.compile(
    r"\s*(?:<(?:\?xml|!doctype|html|head|body|svg|rss|feed)\b)", re.IGNORECASE
)
_XML = re.compile(r"\s*<(?:\?xml|svg|rss|feed)\b", re.IGNORECASE)
# Within a style in small letters: what hides its element.
_UNSEEN = re.compile(r"\b(?:display\s*:\s*none|visibility\s*:\s*hidden)\b")
ROWS = CELLS | _names("table tr thead tbody tfoot")
# The most rows and columns that a cell is over in browsers.
ROWSPAN = 65534
COLSPAN = 1000
REPEATED_TEXT = 500  # characters of a cell over several rows that each of them has
HEAD_CHARACTERS = 4096  # of a tag, that are looked at
# The next sign within a tag that means something: its end, or a value in quotes.
_INSIDE = re.compile(r">|=\s*([\"'])")
_BLANKS = re.compile(r"[ \t\n\r\f\v]+")
# Python refuses to read a number of more than 4300 digits.
_LONG = re.compile(r"&#(?:[xX][0-9a-fA-F]{9,}|[0-9]{9,});?")
_BREAK = re.compile(r"\n{3,}")
# What is raised and, behind a digit, would else be read as a part of its number.
RAISED = re.compile("[+\u2212-]?[0-9]")


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


def declared(content: bytes) -> str | None:
    """Return the encoding that a page or XML says it is in, as Python calls it; None
    where it says none that a page is written in."""
    said = _CHARSET.search(content[:HEAD_OF_PAGE])
    name = said[1].decode("ascii").lower() if said else ""
    name = LABELS.get(name, name)
    return name if _CODE_PAGES.fullmatch(name) else None


HEAD_OF_PAGE = 4096
_CHARSET = re.compile(
    rb"""<(?:meta\s[^>]{0,500}?\bcharset|\?xml\s[^>]{0,100}?\bencoding)\s*=\s*["']?\s*"""
    rb"""([a-z0-9_.:-]{1,40})""",
    re.IGNORECASE,
)
# What browsers take these labels for: their texts have what the label's code lacks.
LABELS = {
    **dict.fromkeys(("iso-8859-1", "latin1", "us-ascii", "ascii"), "windows-1252"),
    **dict.fromkeys(("gb2312", "gbk", "x-gbk"), "gb18030"),
    **dict.fromkeys(("shift_jis", "x-sjis", "shift-jis", "windows-31j"), "cp932"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "windows-949"), "cp949"),
    **dict.fromkeys(("big5", "x-x-big5"), "big5hkscs"),
    **dict.fromkeys(("windows-874", "tis-620", "iso-8859-11"), "cp874"),
    "iso-8859-9": "windows-1254",
    "macintosh": "mac_roman",
}
_CODE_PAGES = re.compile(
    "windows-125[0-8]|iso-8859-(?:[2-8]|10|13|14|15|16)|koi8-[ru]|gb18030|cp932|cp949"
    "|cp874|big5hkscs|euc-jp|iso-2022-jp|ibm866|mac_roman"
)


def page_text(page: str) -> str:
    """Return the words of a web page, paragraphs a blank line apart."""
    found = _PageText()
    tables = _Tables(found, len(page))
    formulas = _Formulas(found)
    lists = _Items(found)
    head = page[:HEAD_OF_PAGE].lower()
    xml = _XML.match(page) is not None and "<html" not in head
    raw = _names("script style") if "<svg" in head else frozenset()
    hidden: _Hidden | None = None
    for kind, value, inside in _tokens(page, raw if xml else RAW):
        if hidden and not hidden.ends(kind, value):
            continue
        if hidden and hidden.closed:
            hidden = None
            continue
        hidden = None
        if kind == "text":
            found.add(value)
            continue
        if kind == "data":
            found.put(value if xml else "")
            continue
        if value in ROWS:
            tables.take(kind, value, inside)
        formulas.take(kind, value)
        hides = kind == "start" and not xml and _hides(value, inside)
        if value in COUNTED and not xml and not hides:
            lists.take(kind, value, inside)
        found.tag(kind, value, xml)
        if hides:
            hidden = _Hidden(value)
            if value == "pre":
                found.break_off("", "end")
    return found.whole()


def _hides(tag: str, inside: str) -> bool:
    """Say whether nobody sees what is in an element, by its tag."""
    if tag in UNSEEN:
        return not inside.endswith("/>")
    if tag == "dialog":
        return "open" not in _attributes(inside)
    inside = inside.lower()
    if tag == "span" and "katex-html" in inside:
        return True  # which shows its formula once more
    if tag in NEVER_HIDDEN or not ("hidden" in inside or "none" in inside):
        return False
    said = _attributes(inside)
    if _UNSEEN.search(said.get("style", "")):
        return True
    return said.get("hidden", "until-found") != "until-found"


# What stands before the parts of a formula in MathML, before the second, and behind.
MATHML: dict[str, tuple[str, str, str]] = {
    "mfrac": ("(", ")/(", ")"),
    "msup": ("", "^(", ")"),
    "msub": ("", "_(", ")"),
    "msqrt": ("\u221a(", "", ")"),
    "mtd": ("", "", " "),
    "mtr": ("", "", "; "),
}
NO_SIGNS = ("", "", "")


class _Formulas:
    """Writes the signs of a formula in MathML that else only the place of its parts
    tells."""

    def __init__(self, found: _PageText) -> None:
        self.found = found
        self.open: list[tuple[str, int]] = []  # in a formula: (name, parts so far)

    def take(self, kind: str, tag: str) -> None:
        if kind == "start" and (self.open or tag == "math"):
            if self.open:
                name, parts = self.open[-1]
                between = MATHML.get(name, NO_SIGNS)[1]
                self.found.put(between if parts == 1 else "")
                self.open[-1] = name, parts + 1
            self.open.append((tag, 0))
            self.found.put(MATHML.get(tag, NO_SIGNS)[0])
        elif kind == "end" and self.open and self.open[-1][0] == tag:
            self.open.pop()
            self.found.put(MATHML.get(tag, NO_SIGNS)[2])
        elif kind == "end" and tag == "math":
            self.open.clear()


COUNTED = _names("ol ul menu li")
# How a list counts, by its type or style and as Word calls it.
COUNTS = {
    "1": "decimal",
    "decimal": "decimal",
    "decimal-leading-zero": "decimalZero",
    **dict.fromkeys(("a", "lower-alpha", "lower-latin"), "lowerLetter"),
    **dict.fromkeys(("A", "upper-alpha", "upper-latin"), "upperLetter"),
    "i": "lowerRoman",
    "lower-roman": "lowerRoman",
    "I": "upperRoman",
    "upper-roman": "upperRoman",
}
_LIST_STYLE = re.compile(r"\blist-style(?:-type)?\s*:([^;]{0,60})", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""([^\s"'>/=]{1,40})(?:\s{0,20}=\s{0,20}("[^"]*"?|'[^']*'?|[^\s>]{0,200}))?"""
)
_INTEGER = re.compile(r"\s*([-+]?\d{1,10})(?!\d)")
COUNT_MOST = 2**31 - 1
NUMBERS = 40  # characters of the numbers of lists that begin within one another


class _Items:
    """Gives the items of lists that count their numbers."""

    def __init__(self, found: _PageText) -> None:
        self.found = found
        # Of each open list: its name, the number that comes next, and its form, None
        # for one without numbers.
        self.open: list[tuple[str, int, str | None]] = []
        self.names = dict.fromkeys(COUNTED, 0)  # how many are open
        self.depth = 0  # of the item whose number stands before nothing yet

    def take(self, kind: str, tag: str, inside: str) -> None:
        """Take a tag of a list or an item."""
        if kind == "end":
            self.found.label = ""
            while tag != "li" and self.names[tag]:
                name, _, _ = self.open.pop()
                self.names[name] -= 1
                if name == tag:
                    break
            return
        said = _attributes(inside)
        if tag == "li":
            self.number(said)
            return
        form = COUNTS.get(said.get("type", ""), "decimal") if tag == "ol" else None
        if style := _LIST_STYLE.search(said.get("style", "")):
            words = style[1].lower().split()
            form = next((COUNTS[word] for word in words if word in COUNTS), form)
            form = None if "none" in words else form
        if "reversed" in said:
            form = None  # from how many on is known at its end
        self.open.append((tag, _integer(said.get("start"), 1), form))
        self.names[tag] += 1

    def number(self, said: dict[str, str]) -> None:
        """Begin an item of the list that is open."""
        if not self.open:
            return
        name, count, form = self.open[-1]
        count = _integer(said.get("value"), count)
        self.open[-1] = name, count + 1, form
        if len(self.open) <= self.depth:
            self.found.label = ""  # of an item of which nothing is seen
        self.depth = len(self.open)
        if form and len(self.found.label) < NUMBERS:
            self.found.label += f"{counted(count, form, letters=_letters)}. "


def _letters(count: int) -> str:
    """Return a number in letters as browsers write it: z is followed by aa, ab."""
    text = ""
    while count:
        count, letter = divmod(count - 1, 26)
        text = chr(ord("a") + letter) + text
    return text


def _integer(text: str | None, default: int) -> int:
    """Return the whole number that a text begins with."""
    found = _INTEGER.match(text or "")
    count = int(found[1]) if found else default
    return count if abs(count) <= COUNT_MOST else default


def _attributes(inside: str) -> dict[str, str]:
    """Return the attributes of a tag by their names, the first of each name."""
    found: dict[str, str] = {}
    for one in _ATTRIBUTE.finditer(inside):
        found.setdefault(one[1].lower(), (one[2] or "").strip("\"'"))
    return found


class _Grid:
    """An open table: the column that comes next, and the cells over several rows, by
    their first columns: (rows to come, columns, what it says)."""

    def __init__(self) -> None:
        self.column = 0
        self.above: dict[int, tuple[int, int, str]] = {}  # of rows above, for this one
        self.below: dict[int, tuple[int, int, str]] = {}  # for the next
        # Of the open cell: its column, its rows and columns, where its text begins.
        self.cell: tuple[int, int, int, _Mark] | None = None

    def close(self, found: _PageText) -> None:
        """End the open cell, if there is one."""
        if self.cell:
            column, rows, columns, begins = self.cell
            if rows > 1:
                self.below[column] = rows - 1, columns, found.said(begins)
            found.end_cell(begins)
        self.cell = None


class _Tables:
    """Repeats the text of a cell over several rows in each of them. All repetitions
    together are no longer than the page."""

    def __init__(self, found: _PageText, room: int) -> None:
        self.found = found
        self.room = room
        self.open: list[_Grid] = []

    def take(self, kind: str, tag: str, inside: str) -> None:
        """Take a tag of a table, a row or a cell, before it breaks the text."""
        begins = kind == "start"
        if tag == "table" and begins:
            self.open.append(_Grid())
            self.found.fresh = False
        if not self.open:
            return
        grid = self.open[-1]
        grid.close(self.found)
        if tag in CELLS and begins:
            while grid.column in grid.above:
                self.repeat(grid, grid.column)
            said = _attributes(inside)
            rows = _span(said.get("rowspan"), ROWSPAN) or ROWSPAN
            columns = _span(said.get("colspan"), COLSPAN) or 1
            self.found.next_cell(grid.column == 0)
            grid.cell = grid.column, rows, columns, self.found.mark()
            grid.column += columns
            self.widen(columns)
        elif tag not in CELLS and grid.column:  # the end of a row that has cells
            for column in sorted(grid.above):
                if column >= grid.column:
                    self.repeat(grid, column)
            grid.above, grid.below, grid.column = grid.below, {}, 0
        if tag not in CELLS and tag != "tr":
            grid.above = {}
        if tag == "table" and not begins:
            self.open.pop()

    def repeat(self, grid: _Grid, column: int) -> None:
        """Write a cell that began in a row above."""
        rows, columns, said = grid.above.pop(column)
        self.room -= len(said) + 1
        if self.room > 0:
            self.found.next_cell(grid.column == 0)
            self.found.put(said)
            self.widen(columns)
            if rows > 1:
                grid.below[column] = rows - 1, columns, said
        grid.column = column + columns

    def widen(self, columns: int) -> None:
        """Leave the columns blank that a cell is over beside its first."""
        more = max(0, min(columns - 1, self.room))
        self.room -= more
        self.found.blank += more


def _span(text: str | None, most: int) -> int:
    """Return how many rows or columns a cell is over, as its tag says."""
    count = _integer(text, 1)
    return min(count, most) if count >= 0 else 1


class _Hidden:
    """An element that is not seen, until it ends."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.open: dict[str, int] = {}  # within it, by name
        self.closed = False  # by its own tag

    def ends(self, kind: str, tag: str) -> bool:
        """Take what is next; say whether it stands behind the element, or closes it."""
        if kind == "start":
            nested = any(self.open.get(name) for name in NESTS)
            if not nested and tag in ENDED_BY.get(self.tag, ()):
                return True
            if tag not in VOID:
                self.open[tag] = self.open.get(tag, 0) + 1
        elif kind == "end":
            if self.open.get(tag):
                self.open[tag] -= 1
            elif tag == self.tag:
                self.closed = True
                return True
            else:  # of what the element is in
                around = APART | LINES | CELLS | {"ruby", "math"}
                return tag in around and tag != "br"
        return False


class _PageText:
    """Words as they come, with the widest of the breaks between them."""

    ORDER = ("", " ", "\t", "\n", "\n\n")

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.between = ""
        self.kept = 0  # how many elements are open in which every blank counts
        self.tabs = 0  # since the last words of the row, one for each of its columns
        self.blank = 0  # columns of the cell at hand beside its first
        self.begun = False  # whether nothing has been said in the row so far
        self.lead = ""  # the tabs before all words
        self.fresh = False  # whether a cell has begun and said nothing so far
        self.size = self.puts = 0  # how much has been said, and in how many pieces
        self.broken = 0  # the last of them that began a line
        self.raised = False  # whether what comes stands above the line
        self.struck = self.marked = False  # whether what comes is struck out, and open
        self.label = ""  # the number of the item whose first words come

    def tag(self, kind: str, name: str, xml: bool) -> None:
        """Take the break that a tag makes."""
        if name in APART:
            self.break_off("\n\n", name == "pre" and kind)
        elif name in LINES:
            self.break_off("\n")
        elif name in CELLS and kind == "start":
            self.break_off("\t")
        elif xml and name not in CELLS:
            self.break_off(" ")
        elif name == "sup":
            self.raised = kind == "start"
        elif name in STRUCK:
            if kind == "end" and self.marked:
                self.pieces.append("~~")
            self.struck, self.marked = kind == "start", False

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
            if self.tabs and self.begun:  # blank cells begin the row
                self.between = self.between.removesuffix("\t") + "\t" * self.tabs
            elif self.tabs and self.between == "\t":
                self.between *= self.tabs
            if self.raised:
                self.raised = False
                behind = not self.between and self.pieces and self.pieces[-1][-1:]
                if behind and behind.isdigit() and RAISED.match(text):
                    text = f"^{text}"
            if self.struck and not self.marked:
                text, self.marked = f"~~{text}", True
            if self.label:
                text, self.label = f"{self.label}{text}", ""
            if self.between[:1] == "\n":
                self.broken = self.puts
            if self.pieces:
                self.pieces.append(self.between)
            elif self.begun:
                self.lead = "\t" * self.tabs
            self.between = ""
            self.tabs, self.begun, self.fresh = 0, False, False
            self.pieces.append(text)
            self.size += len(text) + 1
            self.puts += 1
            if "\n" in text:
                self.broken = self.puts

    def next_cell(self, first: bool) -> None:
        """Begin a cell of a row; one that says nothing leaves its tab there."""
        if first:
            self.tabs, self.begun = 0, True
        else:
            self.tabs += 1 + self.blank
            self.break_off("\t")
        self.blank = 0
        self.fresh = True

    def mark(self) -> _Mark:
        """Return where a cell begins."""
        return len(self.pieces), self.size, self.puts

    def said(self, mark: _Mark) -> str:
        """Return what a cell says that began there, "" where that is much."""
        if self.size - mark[1] > 2 * REPEATED_TEXT:
            return ""
        said = " ".join("".join(self.pieces[mark[0] :]).split())
        return said if len(said) <= REPEATED_TEXT else ""

    def end_cell(self, mark: _Mark) -> None:
        """End a cell. One of a single line ends none, whatever elements it is of."""
        self.fresh = False
        if self.puts > mark[2] >= self.broken:
            self.between = ""

    def break_off(self, sign: str, pre: str | bool | None = None) -> None:
        if pre:
            self.kept = max(0, self.kept + (1 if pre == "start" else -1))
        if sign[:1] == "\n":
            if self.fresh:
                return  # of the first element in a cell
            self.tabs, self.begun = 0, False
        if self.ORDER.index(sign) > self.ORDER.index(self.between):
            self.between = sign

    def whole(self) -> str:
        return self.lead + _BREAK.sub("\n\n", "".join(self.pieces)).strip()


def _tokens(page: str, raw: frozenset[str]) -> Iterator[tuple[str, str, str]]:
    """Yield ("text", characters, ""), ("data", what XML keeps apart as it is, ""), and
    ("start", name, the rest of it) and ("end", name, the rest of it) of tags. What is in
    the elements named by `raw` is left out."""
    place, size = 0, len(page)
    while place < size:
        found = _OPEN.search(page, place)
        start = found.start() if found else size
        if start > place:
            yield "text", page[place:start], ""
        if found is None:
            return
        place = start + 1
        mark = page[place]
        if page.startswith("![CDATA[", place):
            end = _behind(page, "]]>", place)
            yield "data", page[place + 8 : end].removesuffix("]]>"), ""
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
        begun, place = name.end(), _behind_tag(page, name.end())
        yield ("end" if closes else "start"), tag, page[begun:place][:HEAD_CHARACTERS]
        shown = tag == "template" and "shadowrootmode" in page[begun:place]
        if tag in raw and not closes and not shown:
            last = re.compile(rf"</{tag}(?=[\s/>])", re.IGNORECASE).search(page, place)
            if last or page[place - 2 : place] != "/>":  # which XHTML closes so
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
