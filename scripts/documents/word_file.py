"""The text of a Word file (.docx), as it is read when every change in it is accepted.

Paragraphs are a blank line apart, rows of tables a line, cells a tab; a cell over
several rows has its text in each of them. A paragraph begins with its number, if it has
one. Footnotes stand in brackets where they are
referred to, text boxes and the text of diagrams where they are anchored, formulas in a
line: (1)/(2), x^(2). Digits raised after a digit have a ^ before them, text that is
struck out ~~ around it. Invisible text is left out: deleted and hidden text, codes of
fields, comments.
"""

from __future__ import annotations

import io
import re

from .office_archive import BadFileError, opened, other_kind, parse, related
from .web_page import RAISED
from .word_lists import WordLists

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
PASSED = frozenset(("del", "moveFrom", "Fallback", "rt"))
# What a run's properties, or those of a paragraph's mark, may say here.
BREAKS = {"ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
PROPERTIES = PASSED | {"vanish", "strike", "dstrike", "vertAlign", "rFonts"}
# What is written before and after an element of a formula, whose role Word shows by its
# position.
FORMULA = {
    "num": ("(", ")"),
    "den": ("/(", ")"),
    "sup": ("^(", ")"),
    "sub": ("_(", ")"),
    "rad": ("\u221a(", ")"),
    "d": ("(", ")"),
    "mr": ("", "; "),
}
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
    notes: Notes = {}
    for kind in ("footnote", "endnote"):
        # Word has one of a kind.
        for part in [*related(archive, main, f"{kind}s").values()][:1]:
            if part in archive.NameToInfo:
                notes |= _Reader(archive, part, kind=kind).notes
    diagrams = related(archive, main, "diagramData")
    if len(diagrams) > DIAGRAMS:
        raise BadFileError(f"has more than {DIAGRAMS} diagrams: split it")
    for name, part in diagrams.items():
        if part in archive.NameToInfo:
            said = _Reader(archive, part, most=DIAGRAM_BYTES).text()
            notes["diagram", name] = "; ".join(filter(None, said.split("\n\n")))
    lists = WordLists(archive, main)
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
        self.lists = lists
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
        # Where the code of each open field begins; None from its result on.
        self.fields: list[int | None] = []
        self.codes = 0  # how many fields are open whose code is read
        self.places: list[tuple[int, bool]] = []  # of open rows and cells; if deleted
        # Of each open table: the column of its grid that comes next, and the text of
        # the cells over several rows by their columns.
        self.grids: list[tuple[int, dict[int, str]]] = []
        # Of each open cell: its columns, and whether it goes on from the row above
        # (True) or is the first of such (False); None for any other.
        self.spans: list[tuple[int, bool | None]] = []
        self.closing: list[str] = []  # of open brackets of formulas
        self.formulas = 0  # how many are open
        for _ in parse(archive, part, self.start, self.end, self.write, most):
            pass

    def text(self) -> str:
        return "".join(self.pieces)

    def add(self, text: str) -> None:
        """Add text of the open paragraph, behind its number where it is the first."""
        if self.paragraphs and text and not self.passed and not self.hidden:
            one = self.paragraphs[-1]
            if not one.begun:
                self.begin_item()
            if not self.codes:  # whose text is left out
                label, one.label = one.label, ""
                text = f"{label}{text}"
        self.put(text)

    def put(self, text: str) -> None:
        if not self.passed and not self.hidden:
            self.size += len(text)
            if self.size > CHARACTERS:
                most = f"{CHARACTERS >> 20} Mi characters"
                raise BadFileError(f"holds more than {most} of text: split it")
            self.pieces.append(text)

    def write(self, text: str) -> None:
        if not self.reads or self.passed or self.hidden:
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
            self.formula(tag, attributes)
        if tag == "t":
            self.reads = True
        elif tag == "r":
            self.begin_run()
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

    def property(self, tag: str, attributes: dict[str, str]) -> None:
        """Take note of what a run is like, or the mark of a paragraph."""
        value = attributes.get("val", "1")
        on = value not in ("0", "false", "off")
        if tag in PASSED:
            # Of a paragraph's mark: it goes on in the next.
            self.joined = self.joined or tag in ("del", "moveFrom")
            self.passed += 1
        elif self.path[-3:-2] != ["r"]:
            return
        elif tag == "vanish":
            self.hidden = on
        elif tag in ("strike", "dstrike"):
            self.struck = self.struck or on
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
            self.choices = ["☐" if value in ("0", "false", "off") else "☒"]
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
        hold fields with results of their own."""
        if kind == "begin":
            self.fields.append(len(self.pieces))
            self.codes += 1
            self.choices, self.choice = [], 0
        elif self.fields:
            begun = self.fields.pop()
            if begun is not None:
                self.codes -= 1
                del self.pieces[begun:]
            if kind == "separate":
                self.fields.append(None)
            elif self.choice < len(self.choices):
                self.add(self.choices[self.choice])
            self.choices = []

    def formula(self, tag: str, attributes: dict[str, str]) -> None:
        """Write what stands before an element of a formula."""
        if tag in FORMULA:
            before, behind = FORMULA[tag]
            self.add(before)
            self.closing.append(behind)
        elif tag == "begChr" and self.path[-3:-1] == ["d", "dPr"]:
            if self.pieces[-1:] == ["("]:
                self.pieces[-1] = attributes.get("val", "")
        elif tag == "endChr" and self.path[-3:-1] == ["d", "dPr"]:
            self.closing[-1] = attributes.get("val", "")
        elif tag == "chr" and self.path[-3:-1] == ["nary", "naryPr"]:
            self.add(attributes.get("val", ""))

    def end(self, tag: str) -> None:
        self.path.pop()
        if self.formulas and tag in FORMULA:
            self.add(self.closing.pop())
        if tag == "t":
            self.reads = False
        elif tag == "r":
            self.begin_run()
        elif tag in PASSED:
            self.passed -= 1
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
