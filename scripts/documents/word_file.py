"""The text of a Word file (.docx), as it is read when every change in it is accepted.

Paragraphs are a blank line apart, rows of tables a line, cells a tab; a cell over
several rows has its text in each of them. A paragraph begins with its number, if it has
one. Footnotes stand in brackets where they are
referred to, text boxes and the text of diagrams where they are anchored, formulas in a
line, as those of web pages: (1)/(2), x^(2). Digits raised after a digit have a ^ before
them, text that is struck out ~~ around it. Invisible text is left out: deleted and
hidden text, codes of fields (but formulas that are such codes), comments.
"""

from __future__ import annotations

import io
import re

from .office_archive import BadFileError, opened, other_kind, parse, related
from .web_page import RAISED, fenced, formula, scripts
from .word_lists import OFF, WordLists

TYPE_CHECKING = False
if TYPE_CHECKING:
    import zipfile
    from typing import TypeAlias

    Notes: TypeAlias = dict[tuple[str, str | None], str]

XML_BYTES = 64 << 20  # of the document and of its notes, unpacked
CHARACTERS = 4 << 20  # of text: about 1500 pages
ELEMENTS = 1_500_000
DIAGRAMS, DIAGRAM_BYTES = 50, 2 << 20  # how many are read, and each at most, unpacked
REPEATED = 500  # characters of a cell over several rows that each of them has
# Elements whose text is not part of the document as it reads.
PASSED = frozenset(("del", "moveFrom", "rt"))
# Kinds of content of which what is read here is understood: shapes with their text, and
# what Word 2010 and 2013 added. Of alternatives the first that needs no others is read.
UNDERSTOOD = frozenset(("wps", "wpg", "wpc", "wp14", "w14", "w15", "a14"))
# What a run's properties, or those of a paragraph's mark, may say here.
BREAKS = {"ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
PROPERTIES = PASSED | {"rStyle", "vanish", "strike", "dstrike", "vertAlign", "rFonts"}
# The elements of formulas that show by their places what their parts are: the kind that
# MathML has for each, and the parts in its order.
STRUCTURES = {
    "f": ("mfrac", "num", "den"),
    "sSub": ("msub", "e", "sub"),
    "sSup": ("msup", "e", "sup"),
    "sSubSup": ("msubsup", "e", "sub", "sup"),
    "limLow": ("munder", "e", "lim"),
    "limUpp": ("mover", "e", "lim"),
    "rad": ("mroot", "e", "deg"),
    **dict.fromkeys(("d", "m", "mr", "eqArr", "nary", "sPre", "func"), ()),
    **dict.fromkeys(("acc", "bar", "phant"), ()),
}
ROLES = frozenset(("e", "num", "den", "sub", "sup", "deg", "lim", "fName"))
# The font Symbol from 0x61, and from 0xa1: its signs have places of their own.
GREEK = "αβχδεφγηιϕκλμνοπθρστυϖωξψζ"
SIGNS = "ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…|—↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊"  # noqa: RUF001
# Signs of the fonts of signs, by their places: what forms are ticked with, arrows.
DINGBATS = {
    name: dict(zip(bytes.fromhex(places), signs, strict=True))
    for name, places, signs in (
        (
            "Wingdings",
            "6f707172a8 78fd fbfcfe dfe0e1e2e7e8 eff0f3d84a4c 282a6c6e769fa7",
            "☐☐☐☐☐ ☒☒ ✗✓☑ ←→↑↓←→ ⇦⇨⇔➢☺☹ ☎✉●■❖•▪".replace(" ", ""),
        ),
        ("Wingdings 2", "2aa3 515354 4f5052", "☐☐☒☒☒✗✓☑"),
        ("Wingdings 3", "66676869 7d", "←→↑↓▶"),
        ("Webdings", "61636772", "✓☐■✗"),
    )
}
FONTS = ("Symbol", *DINGBATS)
_OF_A_FONT = re.compile("[!-\xff\uf020-\uf0ff]")
OTHERS = {
    "xl/": "is an Excel workbook: give its text, or its rows to a step for tables",
    "ppt/": "is a PowerPoint file: give its text",
}


def word_text(content: bytes) -> str:
    """Return the text of a .docx. Raises BadFileError."""
    archive = opened(io.BytesIO(content))
    (main, *_) = [*related(archive, "", "officeDocument").values(), None]
    if main not in archive.NameToInfo:
        main = "word/document.xml"
    for folder, problem in OTHERS.items():
        if main.startswith(folder):
            raise BadFileError(problem)
    if main not in archive.NameToInfo:
        other = other_kind(archive)
        raise BadFileError(other or "is an archive, but no Word file (.docx)")
    lists = WordLists(archive, main)
    notes: Notes = {}
    for kind in ("footnote", "endnote"):
        # Word has one of a kind.
        for part in [*related(archive, main, f"{kind}s").values()][:1]:
            if part in archive.NameToInfo:
                notes |= _Reader(archive, part, kind=kind, lists=lists).notes
    diagrams = related(archive, main, "diagramData")
    if len(diagrams) > DIAGRAMS:
        raise BadFileError(f"has more than {DIAGRAMS} diagrams: split it")
    for name, part in diagrams.items():
        if part in archive.NameToInfo:
            said = _Reader(archive, part, most=DIAGRAM_BYTES).text()
            notes["diagram", name] = "; ".join(filter(None, said.split("\n\n")))
    return _Reader(archive, main, notes, lists=lists).text()


class _Paragraph:
    """What a paragraph says of the list that it is in."""

    def __init__(self, place: int) -> None:
        self.place = place  # how many pieces stand before it
        self.style: str | None = None
        self.list: str | None = None
        self.level: int | None = None
        self.begun = False  # whether it was counted
        self.label = ""  # its number, until it is written before its text


class _Structure:
    """A part of a formula that has parts of its own."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.place = 0  # where the part that is open begins
        self.parts: list[tuple[str, str]] = []  # their roles and what they say
        self.signs: dict[str, str] = {}  # what its properties say

    def line(self) -> str:
        """Return it in a line, as web pages have it."""
        signs = self.signs
        said = [
            "" if signs.get(f"{role}Hide", "off") not in OFF else text
            for role, text in self.parts
        ]
        by = {role: text for (role, _), text in zip(self.parts, said, strict=True)}
        if self.tag == "d":
            begin, end = signs.get("begChr", "("), signs.get("endChr", ")")
            return fenced(said, begin, signs.get("sepChr", "|"), end)
        if not any(said) or (self.tag == "phant" and signs.get("show") in OFF):
            return ""
        first = by.get("e", "")
        if self.tag in ("m", "mr", "eqArr"):
            if self.tag == "eqArr":  # where & marks what stands below one another
                said = [text.replace("&", "") for text in said]
            return formula("mtr" if self.tag == "mr" else "mtable", said)
        if self.tag in ("nary", "sPre"):
            sign = signs.get("chr", "\u222b") if self.tag == "nary" else ""
            return sign + scripts(by.get("sub", ""), by.get("sup", "")) + first
        if self.tag == "func":
            return f"{by.get('fName', '')} {first}"
        if self.tag in ("acc", "bar"):
            line = "\u0305" if signs.get("pos") == "top" else "\u0332"
            sign = signs.get("chr", "\u0302") if self.tag == "acc" else line
            return f"{first}{sign}" if len(first) == 1 else f"({first}){sign}"
        kind, *roles = STRUCTURES[self.tag] or ("mrow", "e")
        kind = "atop" if signs.get("type") == "noBar" else kind
        return formula(kind, [by.get(role, "") for role in roles])


class _Reader:
    """Reads one part: the document, or the notes of a kind."""

    def __init__(
        self,
        archive: zipfile.ZipFile,
        part: str,
        known: Notes | None = None,
        kind: str | None = None,
        most: int = XML_BYTES,
        lists: WordLists | None = None,
    ) -> None:
        self.lists = None if kind else lists  # those of notes are not counted
        self.styles = lists
        self.paragraphs: list[_Paragraph] = []  # that are open: text boxes hold some
        # Where the text begins that goes on in the next paragraph, as the end of its
        # own was deleted.
        self.goes_on: int | None = None
        self.known = known or {}
        self.kind = kind
        self.notes: Notes = {}
        self.pieces: list[str] = []
        self.size = self.elements = 0
        self.passed = 0  # how many elements whose text is passed over are open
        self.cells = 0  # how many cells of tables are
        self.path: list[str] = []
        self.hidden = self.joined = self.reads = False
        # Of the open run: whether it is struck out, raised, and its font if one of FONTS.
        self.struck = self.raised = False
        self.font: str | None = None
        self.marked = False  # whether text that is struck out is open
        # What the form field that is open has: the sign of its box, or its choices.
        self.choices: list[str] = []
        self.choice = 0
        # Where the code of each open field begins, None from its result on; and the code.
        self.fields: list[tuple[int | None, list[str]]] = []
        self.codes = 0  # how many fields are open whose code is read
        self.places: list[tuple[int, bool]] = []  # of open rows and cells; if deleted
        # Of each open table: the column of its grid that comes next, and the text of
        # the cells over several rows by their columns.
        self.grids: list[tuple[int, dict[int, str]]] = []
        # Of each open cell: its columns, and whether it goes on from the row above
        # (True) or is the first of such (False); None for any other.
        self.spans: list[tuple[int, bool | None]] = []
        self.structures: list[_Structure] = []  # of formulas, that are open
        self.formulas = 0  # how many are open
        # Of each place that is open where one of several alternatives is read: whether
        # one was; and of each of those that are open: whether it is passed over.
        self.chosen: list[bool] = []
        self.unread: list[bool] = []
        for _ in parse(archive, part, self.start, self.end, self.write, most):
            pass

    def text(self) -> str:
        return "".join(self.pieces)

    def add(self, text: str) -> None:
        """Add text of the open paragraph, behind its number where it is the first."""
        if text and not self.formulas:  # before which the number stands
            self.lead()
        self.put(text)

    def lead(self) -> None:
        """Write the number of the open paragraph, if it has one that is not written."""
        if self.paragraphs and not self.passed and not self.hidden:
            one = self.paragraphs[-1]
            if not one.begun:
                self.begin_item()
            if not self.codes:  # whose text is left out
                label, one.label = one.label, ""
                self.put(label)

    def put(self, text: str) -> None:
        if not self.passed and not self.hidden:
            self.size += len(text)
            if self.size > CHARACTERS:
                most = f"{CHARACTERS >> 20} Mi characters"
                raise BadFileError(f"holds more than {most} of text: split it")
            self.pieces.append(text)

    def taken(self, place: int) -> str:
        """Return what was written from a place on, which is not there any more."""
        said = "".join(self.pieces[place:])
        del self.pieces[place:]
        self.size -= len(said)
        return said

    def write(self, text: str) -> None:
        if self.passed or self.hidden:
            return
        if not self.reads:
            if self.fields and self.path[-1:] == ["instrText"]:
                self.fields[-1][1].append(text)
            return
        if self.font:
            text = _OF_A_FONT.sub(self.dingbat, text)
        if self.struck != self.marked:
            self.add("~~")
            self.marked = self.struck
        if self.raised and RAISED.match(text):
            last = self.pieces[-1][-1:] if self.pieces else ""
            self.add("^" if last.isdigit() else "")
            self.raised = False
        self.add(text)

    def dingbat(self, found: re.Match[str]) -> str:
        return _sign({"font": self.font or "", "char": f"{ord(found[0]):x}"})

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        if self.elements > ELEMENTS:
            raise BadFileError(f"has more than {ELEMENTS} elements: split it")
        above = self.path[-1] if self.path else None
        self.path.append(tag)
        if self.formulas:
            self.begin_structure(tag, attributes)
        if tag == "t":
            self.reads = True
        elif tag == "r":
            self.begin_run()
            self.of_style(None)
        elif tag == "AlternateContent":
            self.chosen.append(False)
        elif tag in ("Choice", "Fallback"):
            self.begin_choice(tag, attributes.get("Requires", ""))
        elif tag == "framePr":
            if "dropCap" in attributes and attributes["dropCap"] != "none":
                # The first letters of the next paragraph, in a frame of their own.
                self.joined = self.joined or self.path[-3:-1] == ["p", "pPr"]
        elif tag == "fldSimple":
            self.add(equation(attributes.get("instr", "")))
        elif tag == "p":
            self.paragraphs.append(_Paragraph(len(self.pieces)))
        elif tag == "txbxContent" and self.lists:
            self.lists.begin_box()
        elif tag in ("pStyle", "numId", "ilvl"):
            self.of_paragraph(tag, attributes.get("val", ""))
        elif above == "rPr" and tag in PROPERTIES:
            self.property(tag, attributes)
        elif tag in PASSED:
            if above == "trPr":
                self.drop()
            self.passed += 1
        elif tag == "cellDel":
            self.drop()
        elif tag in ("tbl", "tr", "tc"):
            self.begin_table(tag)
        elif tag in ("gridSpan", "vMerge", "gridBefore"):
            self.merge(tag, attributes.get("val", ""))
        elif tag == "fldChar":
            self.field(attributes.get("fldCharType"))
        elif tag == "sym":
            self.add(_sign(attributes))
        elif tag == "oMath":
            self.lead()
            self.formulas += 1
        elif tag == "relIds":
            if said := self.known.get(("diagram", attributes.get("dm"))):
                self.add(f" [{said}] ")
        elif tag == "checkBox" or above in ("checkBox", "ddList"):
            self.form_field(tag, attributes.get("val", ""))
        elif tag == "altChunk":
            raise BadFileError(
                "holds a part in another format, which Word takes over when it saves: "
                "open it in Word, save it and give it again"
            )
        elif tag in BREAKS or (tag == "tab" and above == "r"):
            self.add(BREAKS.get(tag, "\t"))
        elif tag in ("footnoteReference", "endnoteReference"):
            note = self.known.get((tag.removesuffix("Reference"), attributes.get("id")))
            if note:
                self.add(f" [{note}]")
        elif tag == self.kind:
            self.number = attributes.get("id")
            self.pieces = []
            self.fields, self.codes = [], 0

    def of_paragraph(self, tag: str, value: str) -> None:
        """Take note of the list that a paragraph is in, and not of one that it was in
        before a change."""
        if self.path[-3:-1] == ["p", "pPr"]:
            if tag == "pStyle":
                self.paragraphs[-1].style = value
        elif self.path[-4:-1] == ["p", "pPr", "numPr"]:
            if tag == "numId":
                self.paragraphs[-1].list = value
            elif tag == "ilvl" and value.isdecimal():
                self.paragraphs[-1].level = int(value[:3])

    def begin_item(self) -> None:
        """Count a paragraph whose properties were read."""
        one = self.paragraphs[-1]
        one.begun = True
        dropped = self.joined or self.passed or any(gone for _, gone in self.places)
        if self.lists is None or dropped:
            return
        one.label = self.lists.label(one.style, one.list, one.level)
        if one.label and self.goes_on is not None and not self.codes:
            self.pieces.insert(self.goes_on, one.label)
            one.label = ""

    def end_paragraph(self) -> None:
        """End a paragraph. One without text has its number in a cell alone."""
        one = self.paragraphs[-1]
        if not one.begun:
            self.begin_item()
        if one.label and self.cells:
            self.put(one.label.strip())
        self.paragraphs.pop()
        if self.joined and self.goes_on is None and len(self.pieces) > one.place:
            self.goes_on = one.place

    def begin_table(self, tag: str) -> None:
        """Begin a table, a row or a cell."""
        if tag == "tbl":
            self.grids.append((0, {}))
            return
        self.places.append((len(self.pieces), False))
        if tag == "tc":
            self.cells += 1
            self.spans.append((1, None))
        elif self.grids:
            self.grids[-1] = 0, self.grids[-1][1]

    def begin_run(self) -> None:
        self.hidden = self.struck = self.raised = False
        self.font = None

    def of_style(self, name: str | None) -> None:
        """Take note of how the text of a run is seen by the style of its paragraph and
        its own, if it has one. What both say means the contrary."""
        if self.styles and self.paragraphs:
            around = self.styles.style(self.paragraphs[-1].style or self.styles.default)
            own = self.styles.style(name)
            self.hidden = bool(around.hidden) != bool(own.hidden)
            self.struck = bool(around.struck) != bool(own.struck)

    def begin_choice(self, tag: str, needs: str) -> None:
        """Begin one of several alternatives, which is passed over if another one is
        read, or if it needs what is not understood here."""
        alone = not self.chosen  # without any others: only where a file is odd
        reads = UNDERSTOOD.issuperset(needs.split()) and not (alone and tag != "Choice")
        reads = reads and (alone or not self.chosen[-1])
        if not alone:
            self.chosen[-1] = self.chosen[-1] or reads
        self.unread.append(not reads)
        self.passed += not reads

    def property(self, tag: str, attributes: dict[str, str]) -> None:
        """Take note of what a run is like, or the mark of a paragraph."""
        value = attributes.get("val", "1")
        on = value not in OFF
        if tag in PASSED:
            # Of a paragraph's mark: it goes on in the next.
            self.joined = self.joined or tag in ("del", "moveFrom")
            self.passed += 1
        elif self.path[-3:-2] != ["r"]:
            return
        elif tag == "rStyle":
            self.of_style(value)
        elif tag == "vanish":
            self.hidden = on
        elif tag in ("strike", "dstrike"):
            self.struck = on or (self.struck and tag == "dstrike")
        elif tag == "vertAlign":
            self.raised = value == "superscript"
        elif tag == "rFonts":
            font = attributes.get("ascii", attributes.get("hAnsi"))
            known = font in FONTS and "asciiTheme" not in attributes
            self.font = font if known else None

    def form_field(self, tag: str, value: str) -> None:
        """Take note of what a field of an old form has."""
        if tag == "checkBox":
            self.choices = ["☐"]
        elif tag in ("default", "checked") and self.path[-2] == "checkBox":
            self.choices = ["☐" if value in OFF else "☒"]
        elif tag == "listEntry":
            self.choices.append(value)
        elif tag in ("default", "result") and value.isdecimal():
            self.choice = min(int(value[:3]), 99)

    def merge(self, tag: str, value: str) -> None:
        """Note the columns and rows that a cell spans, and the columns that a row
        leaves out."""
        count = min(int(value), 63) if value.isdecimal() and len(value) < 4 else 1
        if tag == "gridBefore" and self.grids:
            for _ in range(count):
                self.put("\t")
            self.grids[-1] = count, self.grids[-1][1]
        elif tag == "gridSpan" and self.spans:
            self.spans[-1] = count, self.spans[-1][1]
        elif tag == "vMerge" and self.spans:
            self.spans[-1] = self.spans[-1][0], value != "restart"

    def close_cell(self, place: int, deleted: bool) -> None:
        """End a cell with as many tabs as it has columns; one that continues a cell of
        the row above repeats its text."""
        columns, goes_on = self.spans.pop()
        column, kept = self.grids[-1] if self.grids else (0, {})
        said = "".join(self.pieces[place:]).strip()
        if deleted:
            del self.pieces[place:]
        elif goes_on is False and len(said) <= REPEATED:
            kept[column] = said
        elif goes_on and not said:
            del self.pieces[place:]
            self.put(kept.get(column, ""))
        elif goes_on is None:
            kept.pop(column, None)
        if not deleted:
            for _ in range(columns):
                self.put("\t")
        if self.grids:
            self.grids[-1] = column + columns, kept

    def drop(self) -> None:
        """Take note that the row or cell that is open is deleted."""
        if self.places:
            self.places[-1] = self.places[-1][0], True

    def field(self, kind: str | None) -> None:
        """Remove the code of a field once its result or its end follows: the code may
        hold fields with results of their own. A formula has only a code."""
        if kind == "begin":
            self.fields.append((len(self.pieces), []))
            self.codes += 1
            self.choices, self.choice = [], 0
        elif self.fields:
            begun, code = self.fields.pop()
            if begun is not None:
                self.codes -= 1
                del self.pieces[begun:]
                self.add(equation("".join(code)))
            if kind == "separate":
                self.fields.append((None, []))
            elif self.choice < len(self.choices):
                self.add(self.choices[self.choice])
            self.choices = []

    def begin_structure(self, tag: str, attributes: dict[str, str]) -> None:
        """Take note of a part of a formula, or of what is said of it."""
        if tag in STRUCTURES:
            self.structures.append(_Structure(tag))
        if not self.structures:
            return
        one = self.structures[-1]
        if tag in STRUCTURES or self.path[-2] == one.tag:
            one.place = len(self.pieces)
        elif self.path[-3:-1] == [one.tag, f"{one.tag}Pr"]:
            one.signs[tag] = attributes.get("val", "")

    def end_structure(self, tag: str) -> None:
        """Write a part of a formula whose own parts are read."""
        if tag in STRUCTURES:
            self.put(self.structures.pop().line())
        if not self.structures or self.path[-1] != self.structures[-1].tag:
            return
        one = self.structures[-1]
        if tag in ROLES or tag == "mr":
            one.parts.append((tag, self.taken(one.place)))

    def end(self, tag: str) -> None:
        self.path.pop()
        if self.formulas:
            self.end_structure(tag)
        if tag == "t":
            self.reads = False
        elif tag == "r":
            self.begin_run()
        elif tag in PASSED:
            self.passed -= 1
        elif tag == "AlternateContent":
            self.chosen.pop()
        elif tag in ("Choice", "Fallback"):
            self.passed -= self.unread.pop()
        elif tag == "pPr" and self.path[-1:] == ["p"]:
            self.begin_item()
        elif tag == "p":
            self.end_paragraph()
            if self.marked:
                self.add("~~")
                self.marked = False
            if not self.joined:
                self.put(" " if self.cells else "\n\n")
                self.goes_on = None
            self.joined = False
        elif tag in ("tr", "tc"):
            self.cells -= tag == "tc"
            place, deleted = self.places.pop()
            if tag == "tc":
                self.close_cell(place, deleted)
            elif deleted:
                del self.pieces[place:]
            else:
                self.put("\n")
        elif tag == "tbl":
            self.put("\n")
            if self.grids:
                self.grids.pop()
        elif tag == "oMath":
            self.formulas -= 1
        elif tag == "txbxContent" and self.lists:
            self.lists.end_box()
        elif tag == self.kind:
            self.notes[self.kind, self.number] = " ".join(self.text().split())


def _sign(attributes: dict[str, str]) -> str:
    """Return the character of a symbol, which is given by a font and a position in
    it."""
    try:
        code = int(attributes.get("char", ""), 16)
    except ValueError:
        return "\ufffd"
    font = attributes.get("font", "")
    if 0x20 < code < 0x100 and font in FONTS:
        code += 0xF000
    if not 0xF000 <= code <= 0xF0FF:
        private = 0xD800 <= code <= 0xF8FF or code > 0xFFFF or code < 32
        return "\ufffd" if private else chr(code)
    place = code - 0xF000
    if font != "Symbol":
        return DINGBATS.get(font, {}).get(place, "\ufffd")
    if 0x61 <= place <= 0x7A:
        return GREEK[place - 0x61]
    if 0x41 <= place <= 0x5A:
        return GREEK[place - 0x41].upper()
    if 0xA1 <= place < 0xA1 + len(SIGNS):
        return SIGNS[place - 0xA1]
    return chr(place) if 0x20 <= place < 0x7F else "\ufffd"


# In the code of a field EQ: how it looks, switches, signs that mean themselves, what
# begins, parts and ends arguments, and text.
_EQ = re.compile(
    r"""\\\*\s*(?:"[^"]*"?|\w*)|\\[lrb]c\\.|\\([a-z]+ ?[0-9]{0,4})|\\(.)|([(),;])"""
    r"""|[^\\(),;]+""",
    re.IGNORECASE | re.DOTALL,
)
EQ_DEPTH = 20  # arguments within one another


def equation(code: str) -> str:
    """Return the formula that a field shows, in a line, by its code; "" where it shows
    something else."""
    begin = re.match(r"\s*EQ\b", code, re.IGNORECASE)
    if not begin:
        return ""
    switches: list[str] = []
    # Of each open bracket: the switches before it, and the pieces of its arguments.
    open: list[tuple[list[str], list[list[str]]]] = [([], [[]])]
    for found in _EQ.finditer(code + ")" * EQ_DEPTH, begin.end()):
        switch, literal, sign = found.groups()
        if switch:
            switches.append(switch.lower().replace(" ", ""))
        elif sign == "(" and len(open) < EQ_DEPTH:
            open.append((switches, [[]]))
            switches = []
        elif sign == ")" and len(open) > 1:
            before, parts = open.pop()
            said = _arguments(before, ["".join(part).strip() for part in parts])
            open[-1][1][-1].append(said)
        elif sign in (",", ";") and len(open) > 1:
            open[-1][1].append([])
        elif literal or (sign != ")" and found[0][0] != "\\"):
            open[-1][1][-1].append(literal or found[0])
    return "".join(open[0][1][0]).strip()


def _arguments(switches: list[str], parts: list[str]) -> str:
    """Return in a line what a switch of EQ and those behind it make of arguments."""
    kind, *more = switches or [""]
    if kind == "f":
        return formula("mfrac", parts)
    if kind == "r":
        return formula("mroot", [parts[-1], parts[0] if parts[1:] else ""])
    if kind == "s":
        below = any(one.startswith("do") for one in more)
        return scripts(*parts[:1]) if below else scripts("".join(parts[1:]), parts[0])
    if kind == "i":
        sign = "\u2211" if "su" in more else "\u220f" if "pr" in more else "\u222b"
        return sign + scripts(*parts[:2]) + "".join(parts[2:])
    if kind == "o":  # over one another: a reading above is left out, as in web pages
        return "".join(part for part in parts if not part.startswith("^("))
    if kind == "a":
        named = (one[2:] for one in more if one.startswith("co"))
        columns = int(next(named, "") or 1) or 1
        rows = (parts[n : n + columns] for n in range(0, len(parts), columns))
        return formula("mtable", [formula("mtr", row) for row in rows])
    said = ", ".join(parts)
    return f"({said})" if kind in ("", "b") else said
