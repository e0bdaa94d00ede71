"""The text of a web page, in time linear in its size.

Tags, comments and entities are read as the HTML standard says (section 13.2.5), so that
a page is what a browser makes of it. Left out is what a browser does not show: scripts,
styles, the title in the head, hidden elements; and besides deleted text (<del>),
readings above characters (ruby), what is shown only where a film cannot be, and the
source code that stands beside a formula.

A cell that spans several rows has its text in each of them. Items of numbered lists
begin with their numbers. Formulas are written in a line: (1)/(2), x_(1)^(2), root(3)(8),
[1, 2; 3, 4]. Superscript digits after a digit have a ^ before them, text that is struck
through has ~~ around it. Attributes of XML count as text, since they hold data there.

html.parser is not used: up to Python 3.11.13 a page of unclosed tags takes it hours.

    is_page    whether a text is HTML or XML
    declared   the encoding that a page declares
    page_text  the words of a page
    formula    a formula written in a line, as those of Word files are too
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
    """How many pieces, characters and texts there were when a cell began."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Elements whose content is skipped unread, up to their end tag.
RAW = _names("script style title noscript template iframe noframes noembed")
# Elements with a blank line around them, and those that begin a new line.
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
# Never hidden: elements without content; and html and body, which pages hide only until
# a script has run.
NEVER_HIDDEN = VOID | {"html", "body"}
# Elements that are left out: deleted text, readings above characters, source code of
# formulas, and what is shown only where a browser cannot show the element itself.
UNSEEN = _names(
    "del rt rp annotation annotation-xml mphantom video audio canvas datalist"
)
# Elements whose end tag may be missing: they end where one of those named begins, unless
# that is in a list or table within them.
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
# The elements with which a fragment of a page may begin.
BEGINNINGS = APART | LINES | CELLS | RAW | {"head", "meta", "link", "span", "a", "b"}
# Endings of the names of pages, and of texts: a text about pages may begin with a tag.
PAGES = _names("html htm xhtml")
TEXTS = _names("txt text log md markdown mdown rst csv tsv")

# The beginning of a tag or comment. Any other < is text, as in a < b.
_OPEN = re.compile(r"<[a-zA-Z/!?]")
_NAME = re.compile(r"[a-zA-Z][^\s/>]*")
_BEGINNING = re.compile(
    r"\s*(?:<(?:\?xml|!doctype|html|head|body|svg|rss|feed)\b)", re.IGNORECASE
)
# A beginning as JSON has it.
_DATA = re.compile(r"\s*[\[{]")
_XML = re.compile(r"\s*<(?:\?xml|svg|rss|feed)\b", re.IGNORECASE)
# Whether an element is hidden or struck through takes one of these words in its tag.
_LOOKS = re.compile(
    "hidden|none|visible|initial|collapse|line-through|katex-html", re.IGNORECASE
)
SIGHTS = 16  # elements within one another whose visibility is followed
ROWS = CELLS | _names("table tr thead tbody tfoot")
# The most rows and columns that a cell spans in browsers.
ROWSPAN = 65534
COLSPAN = 1000
# The most characters of a cell over several rows that are repeated in each row.
REPEATED_TEXT = 500
HEAD_CHARACTERS = 4096  # of a tag whose attributes are read
# Within a tag: its end, or the value of an attribute. In quotes a > does not end the tag,
# and within a value without quotes a quote begins nothing.
_INSIDE = re.compile(r">|=\s*(?:([\"'])|[^\s>\"'][^\s>]*)")
_BLANKS = re.compile(r"[ \t\n\r\f\v]+")
# A numeric entity beyond any character: html.unescape would fail at one of more than 4300
# digits.
_LONG = re.compile(r"&#(?:[xX][0-9a-fA-F]{9,}|[0-9]{9,});?")
_BREAK = re.compile(r"\n{3,}")
# A superscript that, behind a digit, would be read as a part of its number: 10^6.
RAISED = re.compile("[+\u2212-]?[0-9]")


def is_page(text: str, name: str | None = None, media_type: str = "") -> bool:
    """Say whether a text is HTML or XML: by the file's name, the media type that came
    with it, its beginning behind comments, or as a fragment in a file whose name does
    not say that it is something else."""
    ending = name.rpartition(".")[2].lower() if name and "." in name else ""
    if ending in TEXTS:
        return False
    # Servers call much text/html that is none, such as data and the output of scripts.
    may = media_type == "text/html" and not _DATA.match(text)
    if may and _OPEN.search(text, 0, HEAD_OF_PAGE):
        return True
    place = 0
    while (comment := re.compile(r"\s*<!--").match(text, place)) is not None:
        place = text.find("-->", comment.end()) + 3
        if place < 3:
            return False
    if _BEGINNING.match(text, place):
        return True
    if ending in PAGES:
        return True
    tag = re.compile(r"\s*<([a-zA-Z][a-zA-Z0-9]*)[\s/>]").match(text, place)
    return not ending and tag is not None and tag[1].lower() in BEGINNINGS


def declared(content: bytes) -> str | None:
    """Return the encoding that a page or XML declares, by Python's name for it; None
    where it declares none that pages are written in."""
    found = _CHARSET.search(content[:HEAD_OF_PAGE])
    name = found[1].decode("ascii").lower() if found else ""
    name = LABELS.get(name, name)
    return name if _CODE_PAGES.fullmatch(name) else None


HEAD_OF_PAGE = 4096  # bytes, or characters, in which a page says what it is
_CHARSET = re.compile(
    rb"""<(?:meta\s[^>]{0,500}?\bcharset|\?xml\s[^>]{0,100}?\bencoding)\s*=\s*["']?\s*"""
    rb"""([a-z0-9_.:-]{1,40})""",
    re.IGNORECASE,
)
# Names of encodings that browsers read as a larger one, since pages under these names
# have characters that only the larger one has; as Python calls it.
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
# The encodings of pages that are read as declared.
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
    sight = _Sight(found)
    head = page[:HEAD_OF_PAGE].lower()
    xml = _XML.match(page) is not None and "<html" not in head
    drawing = "<svg" in head  # whose attributes are coordinates
    raw = _names("script style") if drawing else frozenset()
    data = xml and not drawing
    most = len(page) if data else HEAD_CHARACTERS
    for kind, value, inside in _tokens(page, raw if xml else RAW, most):
        unseen = ""
        if not xml and (kind == "start" or sight.open):
            unseen = sight.take(kind, value, inside)
        if unseen == "within":
            continue
        may = formulas.open or value.endswith("math")
        if may and formulas.take(kind, value, "/>" if unseen else inside):
            continue
        if kind == "text":
            found.add(value)
            continue
        if kind == "data":
            found.put(value if xml else "")
            continue
        if value in ROWS:
            tables.take(kind, value, inside)
        if value in COUNTED and not xml and not unseen:
            lists.take(kind, value, inside)
        found.tag(kind, value, xml)
        if data and kind == "start" and value not in ROWS:
            found.add(_data(inside))
        if unseen and value == "pre":
            found.break_off("", "end")
    formulas.close(0)
    return found.whole()


def _data(inside: str) -> str:
    """Return the attributes of an element of XML as text, without those for parsers."""
    return "".join(
        f"{one[1]}={one[2]} "
        for one in _ATTRIBUTE.finditer(inside)
        if (one[2] or "").strip("\"'") and not one[1].startswith(("xml", "xsi:"))
    )


def _looks(tag: str, inside: str) -> tuple[str, bool]:
    """Return (visibility, whether it is struck through) of an element, by its tag. The
    visibility is "none" where nothing in it is shown, "hidden" where only what is made
    visible within it is, "visible", or "" where the tag says nothing."""
    if tag in UNSEEN:
        return "" if inside.endswith("/>") else "none", False
    if tag in NEVER_HIDDEN or not (tag == "dialog" or _LOOKS.search(inside)):
        return "", False
    attributes = _attributes(inside)
    style = _style(attributes.get("style", ""))
    struck = "line-through" in _last(style, "text-decoration", "text-decoration-line")
    # Hidden by its attributes, unless its own style says otherwise.
    closed = tag == "dialog" and "open" not in attributes
    closed = closed or attributes.get("hidden", "until-found") != "until-found"
    # KaTeX writes each formula twice, once as MathML.
    repeated = tag == "span" and "katex-html" in attributes.get("class", "")
    gone = style.get("display", "none" if closed else "") == "none"
    if gone or repeated or style.get("content-visibility") == "hidden":
        return "none", struck
    seen = style.get("visibility")
    if seen in ("hidden", "collapse"):
        return "hidden", struck
    return "visible" if seen in ("visible", "initial") else "", struck


# Within a style: comments, strings and escapes, whose characters separate nothing.
_OPAQUE = re.compile(r"""/\*(?:.*?\*/|.*)|"[^"]*"?|'[^']*'?|\\.?""", re.DOTALL)
_SEPARATORS = re.compile(r"([;()\[\]{}])")


def _style(text: str) -> dict[str, str]:
    """Return {property: value} of a style attribute, in small letters, without strings
    and what is in brackets. Of several declarations of a property the last one counts,
    of those marked !important if there are any."""
    declarations, depth = [""], 0
    for part in _SEPARATORS.split(_OPAQUE.sub(" ", text.lower())):
        if part == ";" and not depth:
            declarations.append("")
        elif part in ("(", "[", "{"):
            depth += 1
        elif part in (")", "]", "}"):
            depth = max(0, depth - 1)
        elif not depth:
            declarations[-1] += part
    found: dict[str, str] = {}
    important = set()
    for one in declarations:
        name, _, value = one.partition(":")
        value, mark, words = value.partition("!")
        name, value, weighs = name.strip(), value.strip(), words.strip() == "important"
        if value and weighs == bool(mark) and (weighs or name not in important):
            found.pop(name, None)
            found[name] = value
            if weighs:
                important.add(name)
    return found


def _last(style: dict[str, str], *names: str) -> str:
    """Return the value of that of some properties which stands last in a style."""
    values = (value for name, value in reversed(style.items()) if name in names)
    return next(values, "")


# MathML elements whose parts mean what their places say: how many they have.
PARTS = {
    **dict.fromkeys(_names("mfrac atop msub msup munder mover mroot"), 2),
    **dict.fromkeys(_names("msubsup munderover"), 3),
}
# A cell that begins with a relation continues the one before: the column only aligns it.
RELATIONS = frozenset("=<>\u2264\u2265\u2260\u2248\u2261\u223c\u2192\u21d2\u21d4")
FORMULA_DEPTH = 250  # elements of a formula within one another


def formula(kind: str, parts: list[str]) -> str:
    """Return a formula written in a line: an element of MathML, by its name and its
    parts, which are lines already. With another number of parts than the element has,
    they are put in a row."""
    if len(parts) == PARTS.get(kind):
        first, second = parts[:2]
        if kind == "mfrac":
            return f"({first})/({second})"
        if kind == "atop":
            return f"({first}) atop ({second})"
        if kind == "mroot":
            return f"root({second})({first})" if second else f"\u221a({first})"
        if kind in ("msup", "mover"):
            return first + scripts("", second)
        return first + scripts(second, *parts[2:])
    if kind == "mtr" and parts:
        rest = (f"{' ' if p[:1] in RELATIONS else ', '}{p}" for p in parts[1:])
        return f"{parts[0]}{''.join(rest)}".strip(" ")
    if kind == "mtable":
        return f"[{'; '.join(parts)}]"
    text = "".join(parts)
    return f"\u221a({text})" if kind == "msqrt" else text


def scripts(low: str, high: str = "") -> str:
    """Return a subscript and a superscript, written in a line."""
    return (f"_({low})" if low else "") + (f"^({high})" if high else "")


def fenced(parts: list[str], begin: str, between: str, end: str) -> str:
    """Return a formula's parts in brackets, with separators between them; the last
    separator also goes between all further parts."""
    signs = between.split() and "".join(between.split())
    text = ""
    for number, part in enumerate(parts):
        sign = signs[min(number - 1, len(signs) - 1)] if number and signs else ""
        text += f"{sign} {part}" if sign in (",", ";") else f"{sign}{part}"
    return f"{begin}{text}{end}"


def _mathml(kind: str, inside: str, parts: list[tuple[str, str]]) -> str:
    """Return an element of MathML written in a line, by its name, the rest of its tag,
    and the name and line of each of its parts."""
    lines = [text for _, text in parts]
    if kind == "mfrac":
        line = _attributes(inside).get("linethickness", "")
        kind = "atop" if line[:1] == "0" and not re.search("[1-9]", line) else kind
    elif kind == "mfenced":
        given = _attributes(inside)
        begin, end = given.get("open", "("), given.get("close", ")")
        return fenced(lines, begin, given.get("separators", ","), end)
    elif kind == "mmultiscripts":
        names = [*(name for name, _ in parts), "mprescripts"]
        place = names.index("mprescripts")
        behind, before = lines[1:place], lines[place + 1 :]
        pairs = [
            "".join(map(scripts, of[::2], [*of[1::2], ""])) for of in (before, behind)
        ]
        return "".join((pairs[0], *lines[:1], pairs[1]))
    return formula("mtr" if kind == "mlabeledtr" else kind, lines)


class _Formulas:
    """Writes each formula of MathML once it has ended."""

    def __init__(self, found: _PageText) -> None:
        self.found = found
        # Of each open element, the formula's own first: its name, the rest of its tag,
        # and names and lines of its parts.
        self.open: list[tuple[str, str, list[tuple[str, str]]]] = []
        self.seen = False  # whether it has text

    def take(self, kind: str, value: str, inside: str) -> bool:
        """Take a token; say whether it belongs to a formula."""
        if kind in ("text", "data"):
            if self.open:
                self.say(value)
            return bool(self.open)
        tag = value.rpartition(":")[2]
        if not self.open and not (kind == "start" and tag == "math"):
            return False
        if tag in APART or tag in LINES or tag in CELLS:  # which stand in no formula
            self.close(0)
            return False
        if kind == "start":
            if len(self.open) < FORMULA_DEPTH:
                self.open.append((tag, inside, []))
                if inside.endswith("/>"):
                    self.close(len(self.open) - 1)
            return True
        for place in reversed(range(len(self.open))):
            if self.open[place][0] == tag:
                self.close(place)
                break
        return True

    def say(self, text: str) -> None:
        """Take text. Blanks at its ends count in mtext alone."""
        name, _, parts = self.open[-1]
        text = _BLANKS.sub(" ", _unescaped(text))
        if name != "mtext":  # U+2061, invisible, is between a function and its argument
            text = text.strip(" ").replace("\u2061", " ")
        if text:
            parts.append(("", text))
            self.seen = True

    def close(self, place: int) -> None:
        """End the element that is open there, and those in it."""
        while len(self.open) > place:
            name, inside, parts = self.open.pop()
            line = _mathml(name, inside, parts)
            if self.open:
                self.open[-1][2].append((name, line))
            else:
                self.found.put(line if self.seen else "")
                self.seen = False


COUNTED = _names("ol ul menu li")
# How a list counts: its type attribute or style, and what Word calls the same.
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
_ATTRIBUTE = re.compile(
    r"""([^ \t\n\r\f/>][^ \t\n\r\f/>=]*)"""
    r"""(?:[ \t\n\r\f]*=[ \t\n\r\f]*("[^"]*"?|'[^']*'?|[^ \t\n\r\f>]*))?"""
)
_INTEGER = re.compile(r"\s*([-+]?\d{1,10})(?!\d)")
COUNT_MOST = 2**31 - 1
# The most characters of numbers in a row, where lists begin within one another: 1. a. i.
NUMBERS = 40


class _Items:
    """Gives the items of numbered lists their numbers."""

    def __init__(self, found: _PageText) -> None:
        self.found = found
        # Of each open list: its tag, the number that comes next, and how it is written,
        # None for a list without numbers.
        self.open: list[tuple[str, int, str | None]] = []
        self.names = dict.fromkeys(COUNTED, 0)  # how many of each tag are open
        self.depth = 0  # of the last item: how many lists it was within

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
        attributes = _attributes(inside)
        if tag == "li":
            self.number(attributes)
            return
        form = None
        if tag == "ol":
            form = COUNTS.get(attributes.get("type", ""), "decimal")
        style = _style(attributes.get("style", ""))
        if words := _last(style, "list-style", "list-style-type").split():
            form = next((COUNTS[word] for word in words if word in COUNTS), form)
            form = None if "none" in words else form
        if "reversed" in attributes:
            form = None  # its first number would be known at its end only
        self.open.append((tag, _integer(attributes.get("start"), 1), form))
        self.names[tag] += 1

    def number(self, attributes: dict[str, str]) -> None:
        """Begin an item of the open list, with these attributes."""
        if not self.open:
            return
        name, count, form = self.open[-1]
        count = _integer(attributes.get("value"), count)
        self.open[-1] = name, count + 1, form
        if len(self.open) <= self.depth:
            self.found.label = ""  # the item before has no text
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
        value = one[2] or ""
        if value[:1] in ('"', "'"):
            value = value[1:].removesuffix(value[0])
        found.setdefault(one[1].lower(), _unescaped(value))
    return found


def _unescaped(text: str) -> str:
    return html.unescape(_LONG.sub("\ufffd", text)) if "&" in text else text


class _Grid:
    """An open table: the next column, and the cells that span several rows, by their
    first columns: (rows to come, columns, text)."""

    def __init__(self) -> None:
        self.column = 0
        self.above: dict[int, tuple[int, int, str]] = {}  # that reach into this row
        self.below: dict[int, tuple[int, int, str]] = {}  # and into the next
        # Of the open cell: its column, how many rows and columns it spans, and where its
        # text begins.
        self.cell: tuple[int, int, int, _Mark] | None = None

    def close(self, found: _PageText) -> None:
        """End the open cell, if there is one."""
        if self.cell:
            column, rows, columns, begins = self.cell
            if rows > 1:
                self.below[column] = rows - 1, columns, found.text_since(begins)
            found.end_cell(begins)
        self.cell = None


class _Tables:
    """Repeats the text of a cell that spans several rows in each of them. All that is
    repeated is together no longer than the page."""

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
            attributes = _attributes(inside)
            rows = _span(attributes.get("rowspan"), ROWSPAN) or ROWSPAN
            columns = _span(attributes.get("colspan"), COLSPAN) or 1
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
        rows, columns, text = grid.above.pop(column)
        self.room -= len(text) + 1
        if self.room > 0:
            self.found.next_cell(grid.column == 0)
            self.found.put(text)
            self.widen(columns)
            if rows > 1:
                grid.below[column] = rows - 1, columns, text
        grid.column = column + columns

    def widen(self, columns: int) -> None:
        """Leave the further columns blank that a cell spans."""
        more = max(0, min(columns - 1, self.room))
        self.room -= more
        self.found.blank += more


def _span(text: str | None, most: int) -> int:
    """Return how many rows or columns a cell spans, by its attribute."""
    count = _integer(text, 1)
    return min(count, most) if count >= 0 else 1


class _Sight:
    """Follows the elements that say whether they are shown, and what is in them."""

    def __init__(self, found: _PageText) -> None:
        self.found = found
        self.page = _Element("", "visible", False)
        self.open: list[_Element] = []

    def take(self, kind: str, tag: str, inside: str) -> str:
        """Take a token; return "begins" for the start tag of an element that is not shown
        at all, "within" for what is in such an element and for invisible text, else
        ""."""
        for place, one in enumerate(self.open):
            if one.ends(kind, tag):
                del self.open[place:]
                above = self.open[-1] if self.open else self.page
                self.found.strike("style", above.struck)
                if one.closed:
                    return "within" if one.sight == "none" else ""
                break
        above = self.open[-1] if self.open else self.page
        sight = above.sight
        if kind == "start" and sight != "none" and len(self.open) < SIGHTS:
            changed, strikes = _looks(tag, inside)
            if changed not in ("", sight) or strikes:
                one = _Element(tag, changed or sight, strikes or above.struck)
                self.open.append(one)
                self.found.strike("style", one.struck)
                if one.sight == "none":
                    return "begins"
        if sight == "none" or (sight == "hidden" and kind in ("text", "data")):
            return "within"
        return ""


class _Element:
    """An open element that says whether it is shown."""

    def __init__(self, tag: str, sight: str, struck: bool) -> None:
        self.tag, self.sight, self.struck = tag, sight, struck
        self.open: dict[str, int] = {}  # how many are open within it, by their tags
        self.closed = False  # whether its own end tag closed it

    def ends(self, kind: str, tag: str) -> bool:
        """Take a token; say whether the element has ended before it, or ends by it."""
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
            else:  # perhaps the end of an element around it
                around = APART | LINES | CELLS | {"ruby", "math"}
                return tag in around and tag != "br"
        return False


class _PageText:
    """The text so far. Of several breaks in a row, the widest is kept."""

    ORDER = ("", " ", "\t", "\n", "\n\n")

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.between = ""  # the break before the next text
        self.pre = 0  # how many elements are open in which every blank counts
        self.tabs = 0  # columns of the row since its last text
        self.blank = 0  # further columns that the open cell spans
        self.begun = False  # whether the row has begun, and has no text so far
        self.lead = ""  # the tabs before the first text of all
        self.fresh = False  # whether a cell has begun, and has no text so far
        self.size = self.puts = 0  # characters so far, and how many texts were put
        self.broken = 0  # the last of these texts that began a line
        self.raised = False  # whether the next text is a superscript
        self.struck: set[str] = set()  # why the next text is struck through
        self.marked = False  # whether ~~ was written that needs its counterpart
        self.label = ""  # the number of a list item, until its first text comes

    def tag(self, kind: str, name: str, xml: bool) -> None:
        """Take the break that a tag makes, or how it changes text."""
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
            self.strike("tag", kind == "start")

    def strike(self, why: str, on: bool) -> None:
        """Take note that the next text is struck through, or not any longer."""
        if on:
            self.struck.add(why)
            return
        self.struck.discard(why)
        if self.marked and not self.struck:
            self.pieces.append("~~")
            self.marked = False

    def add(self, text: str) -> None:
        """Add text of the page, in which blanks in a row count as one."""
        text = _unescaped(text)
        if self.pre:
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
        """Add text as it is, behind the break that is due."""
        if text:
            if self.tabs and self.begun:  # the row begins with blank cells
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
        """Begin a cell of a row. A cell without text leaves its tab there."""
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

    def text_since(self, mark: _Mark) -> str:
        """Return the text of a cell that began there, "" where that is long."""
        if self.size - mark[1] > 2 * REPEATED_TEXT:
            return ""
        text = " ".join("".join(self.pieces[mark[0] :]).split())
        return text if len(text) <= REPEATED_TEXT else ""

    def end_cell(self, mark: _Mark) -> None:
        """End a cell. If it is of one line, no break follows, whatever elements it has."""
        self.fresh = False
        if self.puts > mark[2] >= self.broken:
            self.between = ""

    def break_off(self, sign: str, pre: str | bool | None = None) -> None:
        """Let a break, one of ORDER, come before the next text. `pre` is "start" or "end"
        where an element begins or ends in which every blank counts."""
        if pre:
            self.pre = max(0, self.pre + (1 if pre == "start" else -1))
        if sign[:1] == "\n":
            if self.fresh:
                return  # the first element in a cell begins no line
            self.tabs, self.begun = 0, False
        if self.ORDER.index(sign) > self.ORDER.index(self.between):
            self.between = sign

    def whole(self) -> str:
        for why in [*self.struck]:
            self.strike(why, False)
        return self.lead + _BREAK.sub("\n\n", "".join(self.pieces)).strip()


def _tokens(
    page: str, raw: frozenset[str], most: int
) -> Iterator[tuple[str, str, str]]:
    """Yield the tokens of a page: ("text", characters, ""), ("data", the content of a
    CDATA section, ""), and ("start" or "end", the tag's name, the rest of the tag up to
    `most` characters). The content of elements named in `raw` is left out."""
    place, size = 0, len(page)
    unclosed: set[str] = set()  # elements of `raw` of which no end tag comes any more
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
        yield ("end" if closes else "start"), tag, page[begun:place][:most]
        shown = tag == "template" and "shadowrootmode" in page[begun:place]
        if tag in raw and not closes and not shown:
            last = None if tag in unclosed else _end_tag(tag).search(page, place)
            if last is None:
                unclosed.add(tag)  # or each such element would look through the rest
            if last or page[place - 2 : place] != "/>":  # which XHTML closes so
                place = last.start() if last else size


def _end_tag(tag: str) -> re.Pattern[str]:
    return re.compile(rf"</{tag}(?=[\s/>])", re.IGNORECASE)


def _behind(page: str, mark: str, place: int) -> int:
    """Return the place behind the next mark; the page's end where none comes."""
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
        if found[0] == ">":
            return found.end()
        place = _behind(page, found[1], found.end()) if found[1] else found.end()
