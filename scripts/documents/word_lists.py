"""The numbers of a Word file's paragraphs, which stand in no text of it.

A paragraph names a list and a level, itself or by its style; word/numbering.xml says
how a level counts and what is written around its number. ECMA-376 part 1, 17.9.
Styles also say whether their text is hidden or struck out (17.7.3).
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
LISTS = 50_000  # and as many styles
LEVELS = 9
STYLES_DEEP = 20  # Word itself goes down to 10
LABEL = 60  # characters of what is written around a number
OFF = ("0", "false", "off")  # how a file says no
_NUMBER = re.compile("%([1-9])")


class Level(NamedTuple):
    """How one level of a list counts."""

    start: int = 1
    form: str = "decimal"
    text: str = ""
    restart: int | None = None  # the level, from 1, behind which it begins anew
    digits: bool = False  # whether the numbers of the levels above are digits here
    style: str | None = None  # whose paragraphs are of this level
    blank: str = " "  # what stands behind it


class WordLists:
    """The lists of a file, and how far each has counted."""

    def __init__(self, archive: zipfile.ZipFile, main: str) -> None:
        self.levels: dict[str, dict[int, Level]] = {}  # by their abstract list
        self.linked: dict[str, str] = {}  # abstract lists that are those of a style
        self.lists: dict[str, str] = {}  # the abstract list of each list
        self.overrides: dict[str, dict[int, Level]] = {}
        self.restarts: dict[str, dict[int, int]] = {}
        self.styles: dict[str, Style] = {}
        self.default: str | None = None  # the style of paragraphs that name none
        self.counts: dict[str, list[int | None]] = {}
        self.begun: set[tuple[str, int]] = set()
        # Those of the text around the open text boxes: each counts for itself.
        self.around: list[tuple[dict[str, list[int | None]], set[tuple[str, int]]]] = []
        self.known: dict[str | None, Style] = {}  # with what they are based on
        for kind, reader in (("numbering", _Lists), ("styles", _Styles)):
            for part in [*related(archive, main, kind).values()][:1]:
                if part in archive.NameToInfo:
                    reader(self, archive, part)

    def begin_box(self) -> None:
        self.around.append((self.counts, self.begun))
        self.counts, self.begun = {}, set()

    def end_box(self) -> None:
        if self.around:
            self.counts, self.begun = self.around.pop()

    def label(self, style: str | None, id: str | None, level: int | None) -> str:
        """Count a paragraph of a style that names a list and a level itself, or None;
        return what Word writes before it, with what stands between, or nothing."""
        style = style or self.default
        if id is None or level is None:
            own = self.style(style)
            id = own.list if id is None else id
            level = own.level if level is None else level
        abstract = self._abstract(id)
        if id is None or abstract is None:
            return ""
        levels = self.levels[abstract] | self.overrides.get(id, {})
        if level is None:
            named = (n for n, one in levels.items() if one.style and one.style == style)
            level = next(named, 0)
        level = min(level, LEVELS - 1)
        counts = self._count(id, abstract, levels, level)
        return _written(levels, level, counts)

    def style(self, name: str | None) -> Style:
        """Return what a style says, or one that it is based on."""
        if name not in self.known:
            whole, at = Style(), name
            for _ in range(STYLES_DEEP):
                found = self.styles.get(at or "", Style())
                pairs = zip(whole, found, strict=True)
                whole = Style._make(a if a is not None else b for a, b in pairs)
                at = found.based_on
            self.known[name] = whole
        return self.known[name]

    def _abstract(self, id: str | None) -> str | None:
        """Return the abstract list of a list that has levels, or None."""
        abstract = self.lists.get(id or "")
        if abstract in self.linked:
            style = self.styles.get(self.linked[abstract])
            abstract = self.lists.get((style and style.list) or "")
        return abstract if abstract in self.levels else None

    def _count(
        self, id: str, abstract: str, levels: dict[int, Level], level: int
    ) -> list[int | None]:
        counts = self.counts.setdefault(abstract, [None] * LEVELS)
        anew = self.restarts.get(id, {})
        for above in range(level + 1):
            if above in anew and (id, above) not in self.begun:
                self.begun.add((id, above))
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


def _written(levels: dict[int, Level], level: int, counts: list[int | None]) -> str:
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


def _whole(value: str | None, default: int = 0) -> int:
    return int(value) if value and value.isdecimal() and len(value) < 10 else default


def _bounded(found: dict[str, Any], what: str) -> None:
    """Raises BadFileError where there are more than any file needs."""
    if len(found) > LISTS:
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
        self.abstract = self.id = ""
        self.level: int | None = None
        for _ in parse(archive, part, self.start, self.end, most=LIST_BYTES):
            pass

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        value = attributes.get("val")
        lists = self.lists
        if tag == "abstractNum":
            self.abstract, self.id = attributes.get("abstractNumId", ""), ""
            lists.levels[self.abstract] = {}
            _bounded(lists.levels, "lists")
        elif tag == "num":
            self.id = attributes.get("numId", "")
        elif tag == "abstractNumId" and self.id:
            lists.lists[self.id] = value or ""
            _bounded(lists.lists, "lists")
        elif tag == "numStyleLink" and value:
            lists.linked[self.abstract] = value
        elif tag in ("lvl", "lvlOverride"):
            level = _whole(attributes.get("ilvl"), LEVELS)
            self.level = level if level < LEVELS else None
            if tag == "lvl" and self.level is not None:
                self._of()[self.level] = Level(start=0)
        elif tag == "startOverride" and self.level is not None:
            lists.restarts.setdefault(self.id, {})[self.level] = _whole(value, 1)
        elif self.level is not None:
            self._say(tag, value)

    def _of(self) -> dict[int, Level]:
        """Return the levels of what is open: a list, or an abstract one."""
        if self.id:
            return self.lists.overrides.setdefault(self.id, {})
        return self.lists.levels.setdefault(self.abstract, {})

    def _say(self, tag: str, value: str | None) -> None:
        levels, level = self._of(), self.level
        if level is None or level not in levels:
            return
        one = levels[level]
        if tag == "start":
            one = one._replace(start=_whole(value, 1))
        elif tag == "numFmt":
            one = one._replace(form=value or "decimal")
        elif tag == "lvlText":
            one = one._replace(text=(value or "")[:LABEL])
        elif tag == "suff":
            one = one._replace(blank="" if value == "nothing" else " ")
        elif tag == "lvlRestart":
            one = one._replace(restart=_whole(value))
        elif tag == "isLgl":
            one = one._replace(digits=value not in OFF)
        elif tag == "pStyle":
            one = one._replace(style=value)
        levels[level] = one

    def end(self, tag: str) -> None:
        if tag in ("lvlOverride", "abstractNum", "num") or (
            tag == "lvl" and not self.id
        ):
            self.level = None


NOT_NOW = ("pPrChange", "rPrChange", "tblStylePr")


class _Styles:
    """Reads word/styles.xml."""

    def __init__(self, lists: WordLists, archive: zipfile.ZipFile, part: str) -> None:
        self.lists, self.styles = lists, lists.styles
        self.id: str | None = None
        # How many notes of what was before a change are open, and of parts of tables.
        self.before = 0
        for _ in parse(archive, part, self.start, self.end, most=LIST_BYTES):
            pass

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        value = attributes.get("val")
        if tag == "style":
            self.id = attributes.get("styleId")
            is_default = attributes.get("default") in ("1", "true", "on")
            if is_default and attributes.get("type") == "paragraph":
                self.lists.default = self.id
            if self.id is not None:
                self.styles[self.id] = Style()
            _bounded(self.styles, "styles")
            return
        self.before += tag in NOT_NOW
        if self.id is None or self.before:
            return
        one = self.styles[self.id]
        if tag == "basedOn":
            one = one._replace(based_on=value)
        elif tag == "numId":
            one = one._replace(list=value)
        elif tag == "ilvl":
            one = one._replace(level=_whole(value))
        elif tag == "vanish":
            one = one._replace(hidden=value not in OFF)
        elif tag == "strike":
            one = one._replace(struck=value not in OFF)
        self.styles[self.id] = one

    def end(self, tag: str) -> None:
        self.before -= tag in NOT_NOW
        if tag == "style":
            self.id = None
