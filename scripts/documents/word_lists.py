"""The numbers of a Word file's numbered paragraphs, which are not part of its text.

A paragraph, or its style, names a list and a level of it. word/numbering.xml says how
each level counts and what is written around its number (ECMA-376 part 1, 17.9). Styles
also say whether text is hidden or struck through (17.7.3).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .list_numbers import counted
from .office_archive import BadFileError, parse, related

TYPE_CHECKING = False
if TYPE_CHECKING:
    import zipfile
    from typing import Any

LIST_BYTES = 64 << 20  # of the lists, and of the styles, unpacked
LISTS = 50_000  # the most lists, and styles
LEVELS = 9
STYLES_DEEP = 20  # styles based on one another; Word itself takes 10
LABEL = 60  # the most characters that are written around a number
OFF = ("0", "false", "off")  # the values of a property that is switched off
_NUMBER = re.compile("%([1-9])")  # where the number of a level, from 1, is written


class Level(NamedTuple):
    """How one level of a list counts."""

    start: int = 1
    form: str = "decimal"
    text: str = ""
    restart: int | None = None  # the level, from 1, whose items let it begin anew
    digits: bool = False  # whether numbers of upper levels are written as digits
    style: str | None = None  # a style whose paragraphs are of this level
    blank: str = " "  # what is written behind the number


class WordLists:
    """The lists of a file, and how far each has counted."""

    def __init__(self, archive: zipfile.ZipFile, main: str) -> None:
        # Word's lists share definitions, which are called abstract lists.
        self.levels: dict[str, dict[int, Level]] = {}  # by abstract list and level
        self.linked: dict[str, str] = {}  # abstract list: the style that defines it
        self.lists: dict[str, str] = {}  # list: its abstract list
        # By list and level: what differs from the abstract list, and where it begins.
        self.overrides: dict[str, dict[int, Level]] = {}
        self.restarts: dict[str, dict[int, int]] = {}
        self.styles: dict[str, Style] = {}
        self.default: str | None = None  # the style of paragraphs that name none
        # By abstract list: the last number of each level.
        self.counts: dict[str, list[int | None]] = {}
        self.begun: set[tuple[str, int]] = set()  # (list, level) that began anew
        # Both for the text around each open text box, which counts for itself.
        self.around: list[tuple[dict[str, list[int | None]], set[tuple[str, int]]]] = []
        self.known: dict[
            str | None, Style
        ] = {}  # with what those they are based on say
        for kind, reader in (("numbering", _Lists), ("styles", _Styles)):
            for part in [*related(archive, main, kind).values()][:1]:
                if part in archive.NameToInfo:
                    reader(self, archive, part)

    def begin_box(self) -> None:
        """Count anew, for a text box."""
        self.around.append((self.counts, self.begun))
        self.counts, self.begun = {}, set()

    def end_box(self) -> None:
        """Go on counting as before the text box."""
        if self.around:
            self.counts, self.begun = self.around.pop()

    def label(self, style: str | None, list_id: str | None, level: int | None) -> str:
        """Count a paragraph by the style, list and level that it names, or None; return
        what Word writes before its text, a blank included, "" where that is nothing."""
        style = style or self.default
        if list_id is None or level is None:
            by_style = self.style(style)
            list_id = by_style.list if list_id is None else list_id
            level = by_style.level if level is None else level
        abstract = self._abstract(list_id)
        if list_id is None or abstract is None:
            return ""
        levels = self.levels[abstract] | self.overrides.get(list_id, {})
        if level is None:
            named = (n for n, one in levels.items() if one.style and one.style == style)
            level = next(named, 0)
        level = min(level, LEVELS - 1)
        counts = self._count(list_id, abstract, levels, level)
        return _label_of(levels, level, counts)

    def style(self, name: str | None) -> Style:
        """Return what a style says, or else the styles that it is based on."""
        if name not in self.known:
            whole, at = Style(), name
            for _ in range(STYLES_DEEP):
                found = self.styles.get(at or "", Style())
                pairs = zip(whole, found, strict=True)
                whole = Style._make(a if a is not None else b for a, b in pairs)
                at = found.based_on
            self.known[name] = whole
        return self.known[name]

    def _abstract(self, list_id: str | None) -> str | None:
        """Return the abstract list of a list, None where it has no levels."""
        abstract = self.lists.get(list_id or "")
        if abstract in self.linked:
            style = self.styles.get(self.linked[abstract])
            abstract = self.lists.get((style and style.list) or "")
        return abstract if abstract in self.levels else None

    def _count(
        self, list_id: str, abstract: str, levels: dict[int, Level], level: int
    ) -> list[int | None]:
        """Count an item of a level; return the numbers of all levels."""
        counts = self.counts.setdefault(abstract, [None] * LEVELS)
        anew = self.restarts.get(list_id, {})
        for above in range(level + 1):
            if above in anew and (list_id, above) not in self.begun:
                self.begun.add((list_id, above))
                counts[above] = None
                counts[above + 1 :] = [None] * (LEVELS - above - 1)
        for above in range(level):
            if counts[above] is None:
                counts[above] = anew.get(above, levels.get(above, Level()).start)
        before = counts[level]
        start = anew.get(level, levels.get(level, Level()).start)
        counts[level] = start if before is None else before + 1
        for below in range(level + 1, LEVELS):
            behind = levels.get(below, Level()).restart
            if behind is None or (behind and level < behind):
                counts[below] = None
        return counts


def _label_of(levels: dict[int, Level], level: int, counts: list[int | None]) -> str:
    """Return the label of an item of a level, by the numbers of all levels."""
    one = levels.get(level, Level())
    if one.form == "bullet":
        return ""

    def number(found: re.Match[str]) -> str:
        place = int(found[1]) - 1
        form = levels.get(place, Level()).form
        digits = one.digits and form not in ("none", "decimalZero")
        return counted(counts[place] or 0, "decimal" if digits else form)

    text = _NUMBER.sub(number, one.text).strip()
    return f"{text}{one.blank}" if text else ""


def _whole_number(value: str | None, default: int = 0) -> int:
    return int(value) if value and value.isdecimal() and len(value) < 10 else default


def _check_count(entries: dict[str, Any], what: str) -> None:
    """Raise BadFileError for more entries than any file needs."""
    if len(entries) > LISTS:
        raise BadFileError(f"has more than {LISTS} {what}: split it")


class Style(NamedTuple):
    """What a style says of the list of its paragraphs, and of its text."""

    based_on: str | None = None
    list: str | None = None
    level: int | None = None
    hidden: bool | None = None
    struck: bool | None = None


class _Lists:
    """Reads word/numbering.xml."""

    def __init__(self, lists: WordLists, archive: zipfile.ZipFile, part: str) -> None:
        self.lists = lists
        self.abstract = self.list_id = ""  # that are open
        self.level: int | None = None  # that is open
        for _ in parse(archive, part, self.start, self.end, most=LIST_BYTES):
            pass

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        value = attributes.get("val")
        lists = self.lists
        if tag == "abstractNum":
            self.abstract, self.list_id = attributes.get("abstractNumId", ""), ""
            lists.levels[self.abstract] = {}
            _check_count(lists.levels, "lists")
        elif tag == "num":
            self.list_id = attributes.get("numId", "")
        elif tag == "abstractNumId" and self.list_id:
            lists.lists[self.list_id] = value or ""
            _check_count(lists.lists, "lists")
        elif tag == "numStyleLink" and value:
            lists.linked[self.abstract] = value
        elif tag in ("lvl", "lvlOverride"):
            level = _whole_number(attributes.get("ilvl"), LEVELS)
            self.level = level if level < LEVELS else None
            if tag == "lvl" and self.level is not None:
                self._levels()[self.level] = Level(start=0)
        elif tag == "startOverride" and self.level is not None:
            restarts = lists.restarts.setdefault(self.list_id, {})
            restarts[self.level] = _whole_number(value, 1)
        elif self.level is not None:
            self._set(tag, value)

    def _levels(self) -> dict[int, Level]:
        """Return the levels of the open list, or of the open abstract list."""
        if self.list_id:
            return self.lists.overrides.setdefault(self.list_id, {})
        return self.lists.levels.setdefault(self.abstract, {})

    def _set(self, tag: str, value: str | None) -> None:
        """Take a property of the open level."""
        levels, level = self._levels(), self.level
        if level is None or level not in levels:
            return
        one = levels[level]
        if tag == "start":
            one = one._replace(start=_whole_number(value, 1))
        elif tag == "numFmt":
            one = one._replace(form=value or "decimal")
        elif tag == "lvlText":
            one = one._replace(text=(value or "")[:LABEL])
        elif tag == "suff":
            one = one._replace(blank="" if value == "nothing" else " ")
        elif tag == "lvlRestart":
            one = one._replace(restart=_whole_number(value))
        elif tag == "isLgl":
            one = one._replace(digits=value not in OFF)
        elif tag == "pStyle":
            one = one._replace(style=value)
        levels[level] = one

    def end(self, tag: str) -> None:
        if tag in ("lvlOverride", "abstractNum", "num") or (
            tag == "lvl" and not self.list_id
        ):
            self.level = None


# Elements with properties that are not the style's: what was before a tracked change, and
# what is for parts of tables.
NOT_OF_THE_STYLE = ("pPrChange", "rPrChange", "tblStylePr")


class _Styles:
    """Reads word/styles.xml."""

    def __init__(self, lists: WordLists, archive: zipfile.ZipFile, part: str) -> None:
        self.lists, self.styles = lists, lists.styles
        self.style_id: str | None = None  # of the open style
        self.passed = 0  # how many elements of NOT_OF_THE_STYLE are open
        for _ in parse(archive, part, self.start, self.end, most=LIST_BYTES):
            pass

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        value = attributes.get("val")
        if tag == "style":
            self.style_id = attributes.get("styleId")
            is_default = attributes.get("default") in ("1", "true", "on")
            if is_default and attributes.get("type") == "paragraph":
                self.lists.default = self.style_id
            if self.style_id is not None:
                self.styles[self.style_id] = Style()
            _check_count(self.styles, "styles")
            return
        self.passed += tag in NOT_OF_THE_STYLE
        if self.style_id is None or self.passed:
            return
        one = self.styles[self.style_id]
        if tag == "basedOn":
            one = one._replace(based_on=value)
        elif tag == "numId":
            one = one._replace(list=value)
        elif tag == "ilvl":
            one = one._replace(level=_whole_number(value))
        elif tag == "vanish":
            one = one._replace(hidden=value not in OFF)
        elif tag == "strike":
            one = one._replace(struck=value not in OFF)
        self.styles[self.style_id] = one

    def end(self, tag: str) -> None:
        self.passed -= tag in NOT_OF_THE_STYLE
        if tag == "style":
            self.style_id = None
