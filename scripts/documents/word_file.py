"""The text of a Word file (.docx), with all tracked changes accepted.

A blank line stands between paragraphs, a line break between the rows of a table, a tab
between cells; a cell that spans several rows has its text in each of them. A numbered
paragraph begins with its number. Footnotes stand in brackets at their references, text
boxes and diagrams where they are anchored. Formulas are written in a line, as those of
web pages: (1)/(2), x^(2). Superscript digits after a digit have a ^ before them; text
that is struck through has ~~ around it. Left out is what Word does not show: deleted and
hidden text, comments, and the codes of fields, but for formulas, which are such codes.
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
    from collections.abc import Callable
    from typing import TypeAlias

    Notes: TypeAlias = dict[tuple[str, str | None], str]
    """By kind, "diagram" too, and id: the text."""
    Begin: TypeAlias = Callable[["_Reader", str, dict[str, str]], None]

XML_BYTES = 64 << 20  # of the document, and of its notes, unpacked
CHARACTERS = 4 << 20  # of text: about 1500 pages
ELEMENTS = 1_500_000
DIAGRAMS, DIAGRAM_BYTES = 50, 2 << 20  # the most diagrams, and bytes of each, unpacked
# The most characters of a cell over several rows that are repeated in each row.
REPEATED = 500
# Elements whose text is passed over: deletions, and readings above characters (ruby).
PASSED = frozenset(("del", "moveFrom", "rt"))
# Namespaces that this reader understands as far as text goes: shapes, and what Word 2010
# and 2013 added. Of several alternatives the first that requires no other one is read.
UNDERSTOOD = frozenset(("wps", "wpg", "wpc", "wp14", "w14", "w15", "a14"))
# Elements of a run that stand for a character.
BREAKS = {"ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
# Properties, of a run or of the mark that ends a paragraph, that matter here.
PROPERTIES = PASSED | {"rStyle", "vanish", "strike", "dstrike", "vertAlign", "rFonts"}
# Elements of formulas (Office Math) that consist of parts. Where MathML has an element
# of the kind: its name, and which parts it takes, in its order.
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
# The parts themselves.
ROLES = frozenset(("e", "num", "den", "sub", "sup", "deg", "lim", "fName"))
# The font Symbol has code points of its own: Greek letters from 0x61, signs from 0xa1.
GREEK = "αβχδεφγηιϕκλμνοπθρστυϖωξψζ"
SIGNS = "ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…|—↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊"  # noqa: RUF001
# Other symbol fonts: what some of their code points stand for, mostly check boxes, ticks
# and arrows.
DINGBATS = {
    font: dict(zip(bytes.fromhex(codes), characters, strict=True))
    for font, codes, characters in (
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
SYMBOL_FONTS = ("Symbol", *DINGBATS)
# The code points of such a font, which stand in texts as they are or from U+F020 on.
_IN_SYMBOL_FONT = re.compile("[!-\xff\uf020-\uf0ff]")
# What other Office files are, by where their main part lies.
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
        # Word reads one part of each kind.
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
    """An open paragraph, and its place in a list."""

    def __init__(self, place: int) -> None:
        self.place = place  # the pieces before it
        self.style: str | None = None
        self.list: str | None = None
        self.level: int | None = None
        self.begun = False  # whether its list has counted it
        self.label = ""  # its number, until that is written


class _Structure:
    """A part of a formula that has parts of its own."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.place = 0  # the pieces before the part that is open
        self.parts: list[tuple[str, str]] = []  # the role and the text of each
        self.signs: dict[str, str] = {}  # its properties

    def line(self) -> str:
        """Return it written in a line, as those of web pages are."""
        signs = self.signs
        texts = [
            "" if signs.get(f"{role}Hide", "off") not in OFF else text
            for role, text in self.parts
        ]
        by = {role: text for (role, _), text in zip(self.parts, texts, strict=True)}
        if self.tag == "d":
            begin, end = signs.get("begChr", "("), signs.get("endChr", ")")
            return fenced(texts, begin, signs.get("sepChr", "|"), end)
        if not any(texts) or (self.tag == "phant" and signs.get("show") in OFF):
            return ""
        first = by.get("e", "")
        if self.tag in ("m", "mr", "eqArr"):
            if self.tag == "eqArr":  # whose lines are aligned at &
                texts = [text.replace("&", "") for text in texts]
            return formula("mtr" if self.tag == "mr" else "mtable", texts)
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
    """Reads one part: the document, a diagram, or all footnotes or endnotes (`kind`)."""

    def __init__(
        self,
        archive: zipfile.ZipFile,
        part: str,
        known: Notes | None = None,
        kind: str | None = None,
        most: int = XML_BYTES,
        lists: WordLists | None = None,
    ) -> None:
        self.lists = None if kind else lists  # in notes nothing is counted
        self.styles = lists
        self.paragraphs: list[_Paragraph] = []  # open ones: text boxes nest them
        # Where the first of several paragraphs begins that are one, since the marks
        # between them were deleted: the pieces before it.
        self.goes_on: int | None = None
        self.known = known or {}
        self.kind = kind
        self.notes: Notes = {}
        self.pieces: list[str] = []
        self.size = self.elements = 0
        self.number: str | None = None  # the id of the open note
        self.passed = 0  # how many elements whose text is passed over are open
        self.cells = 0  # how many cells of tables are open
        self.path: list[str] = []  # the tags of the open elements
        self.joined = False  # whether the paragraph goes on in the next one
        self.reads = False  # whether the open element holds text
        # Of the open run: whether it is hidden, struck through or superscript, and its
        # font if that is a symbol font.
        self.hidden = self.struck = self.raised = False
        self.font: str | None = None
        self.marked = False  # whether ~~ was written that needs its counterpart
        # Of the open form field: the sign of its check box, or the choices of its list;
        # and which of them is chosen.
        self.choices: list[str] = []
        self.choice = 0
        # Of each open field: the pieces before its code, None once its result has begun;
        # and the code.
        self.fields: list[tuple[int | None, list[str]]] = []
        self.codes = 0  # how many of them have not come to their result
        # Of each open row and cell: the pieces before it, and whether it is deleted.
        self.places: list[tuple[int, bool]] = []
        # Of each open table: the next column of its grid, and by columns the text of the
        # cells that span several rows.
        self.grids: list[tuple[int, dict[int, str]]] = []
        # Of each open cell: how many columns it spans, and whether it continues the cell
        # above (True), begins a cell over several rows (False), or neither (None).
        self.spans: list[tuple[int, bool | None]] = []
        self.structures: list[_Structure] = []  # the open ones, in formulas
        self.formulas = 0  # how many formulas are open
        # Of each open AlternateContent: whether one of its alternatives was read; and of
        # each open alternative: whether it is passed over.
        self.chosen: list[bool] = []
        self.unread: list[bool] = []
        for _ in parse(archive, part, self.start, self.end, self.write, most):
            pass

    def text(self) -> str:
        return "".join(self.pieces)

    def add(self, text: str) -> None:
        """Add text to the open paragraph; its number goes before the first of it."""
        if text and not self.formulas:  # at whose beginning the number was written
            self.lead()
        self.put(text)

    def lead(self) -> None:
        """Write the number of the open paragraph, unless it has none, or it is written."""
        if self.paragraphs and not self.passed and not self.hidden:
            one = self.paragraphs[-1]
            if not one.begun:
                self.begin_item()
            if not self.codes:  # else it would be removed with the field's code
                label, one.label = one.label, ""
                self.put(label)

    def put(self, text: str) -> None:
        """Add text where text is shown. Raises BadFileError for too much of it."""
        if not self.passed and not self.hidden:
            self.size += len(text)
            if self.size > CHARACTERS:
                most = f"{CHARACTERS >> 20} Mi characters"
                raise BadFileError(f"holds more than {most} of text: split it")
            self.pieces.append(text)

    def cut_off(self, place: int) -> str:
        """Remove the pieces from a place on; return their text."""
        text = "".join(self.pieces[place:])
        del self.pieces[place:]
        self.size -= len(text)
        return text

    def write(self, text: str) -> None:
        """Take the characters within an element."""
        if self.passed or self.hidden:
            return
        if not self.reads:
            if self.fields and self.path[-1:] == ["instrText"]:
                self.fields[-1][1].append(text)
            return
        if self.font:
            text = _IN_SYMBOL_FONT.sub(self.dingbat, text)
        if self.struck != self.marked:
            self.add("~~")
            self.marked = self.struck
        if self.raised and RAISED.match(text):
            last = self.pieces[-1][-1:] if self.pieces else ""
            self.add("^" if last.isdigit() else "")
            self.raised = False
        self.add(text)

    def dingbat(self, found: re.Match[str]) -> str:
        return _symbol({"font": self.font or "", "char": f"{ord(found[0]):x}"})

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take the start tag of an element. Raises BadFileError."""
        self.elements += 1
        if self.elements > ELEMENTS:
            raise BadFileError(f"has more than {ELEMENTS} elements: split it")
        above = self.path[-1] if self.path else None
        self.path.append(tag)
        if self.formulas:
            self.begin_structure(tag, attributes)
        if above == "rPr" and tag in PROPERTIES:
            self.property(tag, attributes)
        elif begin := BEGINNINGS_OF_ELEMENTS.get(tag):
            begin(self, tag, attributes)
        elif above in ("checkBox", "ddList"):
            self.form_field(tag, attributes)

    def begin_text(self, tag: str, attributes: dict[str, str]) -> None:
        self.reads = True

    def begin_formula(self, tag: str, attributes: dict[str, str]) -> None:
        self.lead()
        self.formulas += 1

    def begin_paragraph(self, tag: str, attributes: dict[str, str]) -> None:
        self.paragraphs.append(_Paragraph(len(self.pieces)))

    def begin_box(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin a text box, whose lists count for themselves."""
        if self.lists:
            self.lists.begin_box()

    def begin_passed(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an element that is passed over, or take note of a deleted row."""
        if self.path[-2:-1] == ["trPr"]:
            self.drop(tag, attributes)
        self.passed += 1

    def begin_note(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin a footnote or endnote, if those are read."""
        if tag == self.kind:
            self.number = attributes.get("id")
            self.pieces = []
            self.fields, self.codes = [], 0

    def frame(self, tag: str, attributes: dict[str, str]) -> None:
        """Take note of a drop cap: the first letters of the next paragraph, which stand
        in one of their own."""
        if "dropCap" in attributes and attributes["dropCap"] != "none":
            self.joined = self.joined or self.path[-3:-1] == ["p", "pPr"]

    def simple_field(self, tag: str, attributes: dict[str, str]) -> None:
        self.add(equation(attributes.get("instr", "")))

    def symbol(self, tag: str, attributes: dict[str, str]) -> None:
        self.add(_symbol(attributes))

    def diagram(self, tag: str, attributes: dict[str, str]) -> None:
        """Add the text of the diagram that is referred to."""
        if text := self.known.get(("diagram", attributes.get("dm"))):
            self.add(f" [{text}] ")

    def note(self, tag: str, attributes: dict[str, str]) -> None:
        """Add the footnote or endnote that is referred to."""
        kind = tag.removesuffix("Reference")
        if text := self.known.get((kind, attributes.get("id"))):
            self.add(f" [{text}]")

    def foreign_part(self, tag: str, attributes: dict[str, str]) -> None:
        raise BadFileError(
            "holds a part in another format, which Word takes over when it saves: "
            "open it in Word, save it and give it again"
        )

    def character(self, tag: str, attributes: dict[str, str]) -> None:
        """Add what an element stands for, such as a line break."""
        self.add(BREAKS[tag])

    def tab(self, tag: str, attributes: dict[str, str]) -> None:
        if self.path[-2:-1] == ["r"]:  # elsewhere it says where tabs stop
            self.add("\t")

    def of_paragraph(self, tag: str, attributes: dict[str, str]) -> None:
        """Take note of the style and the list of a paragraph, but not of those that it
        had before a tracked change."""
        value = attributes.get("val", "")
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

    def begin_table(self, tag: str, attributes: dict[str, str]) -> None:
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

    def begin_run(self, tag: str, attributes: dict[str, str]) -> None:
        self.end_run()
        self.of_style(None)

    def end_run(self) -> None:
        """Forget what the run was like."""
        self.hidden = self.struck = self.raised = False
        self.font = None

    def of_style(self, name: str | None) -> None:
        """Take note of how a run looks by the style of its paragraph and, if it has one,
        its own. Both together cancel each other, as Word has it."""
        if self.styles and self.paragraphs:
            around = self.styles.style(self.paragraphs[-1].style or self.styles.default)
            own = self.styles.style(name)
            self.hidden = bool(around.hidden) != bool(own.hidden)
            self.struck = bool(around.struck) != bool(own.struck)

    def begin_alternatives(self, tag: str, attributes: dict[str, str]) -> None:
        self.chosen.append(False)

    def begin_choice(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin one of several alternatives. It is passed over if an earlier one is read,
        or if it requires what is not understood here."""
        needs = attributes.get("Requires", "")
        alone = not self.chosen  # in no AlternateContent, as only odd files have it
        reads = UNDERSTOOD.issuperset(needs.split()) and not (alone and tag != "Choice")
        reads = reads and (alone or not self.chosen[-1])
        if not alone:
            self.chosen[-1] = self.chosen[-1] or reads
        self.unread.append(not reads)
        self.passed += not reads

    def property(self, tag: str, attributes: dict[str, str]) -> None:
        """Take note of a property of a run, or of the mark that ends a paragraph."""
        value = attributes.get("val", "1")
        on = value not in OFF
        if tag in PASSED:
            # The mark is deleted: the paragraph goes on in the next one.
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
            known = font in SYMBOL_FONTS and "asciiTheme" not in attributes
            self.font = font if known else None

    def form_field(self, tag: str, attributes: dict[str, str]) -> None:
        """Take note of the check box or the choices of a legacy form field."""
        value = attributes.get("val", "")
        if tag == "checkBox":
            self.choices = ["☐"]
        elif tag in ("default", "checked") and self.path[-2] == "checkBox":
            self.choices = ["☐" if value in OFF else "☒"]
        elif tag == "listEntry":
            self.choices.append(value)
        elif tag in ("default", "result") and value.isdecimal():
            self.choice = min(int(value[:3]), 99)

    def merge(self, tag: str, attributes: dict[str, str]) -> None:
        """Take note of the columns and rows that a cell spans, and of the columns that
        a row leaves out at its beginning."""
        value = attributes.get("val", "")
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
        """End a cell with as many tabs as it has columns; one that continues the cell
        above repeats its text."""
        columns, goes_on = self.spans.pop()
        column, above = self.grids[-1] if self.grids else (0, {})
        text = "".join(self.pieces[place:]).strip()
        if deleted:
            del self.pieces[place:]
        elif goes_on is False and len(text) <= REPEATED:
            above[column] = text
        elif goes_on and not text:
            del self.pieces[place:]
            self.put(above.get(column, ""))
        elif goes_on is None:
            above.pop(column, None)
        if not deleted:
            for _ in range(columns):
                self.put("\t")
        if self.grids:
            self.grids[-1] = column + columns, above

    def drop(self, tag: str, attributes: dict[str, str]) -> None:
        """Take note that the open row or cell is deleted."""
        if self.places:
            self.places[-1] = self.places[-1][0], True

    def field(self, tag: str, attributes: dict[str, str]) -> None:
        """Take the begin, the middle or the end of a field. What its code wrote, which may
        be fields with results of their own, is removed; of a formula only the code says
        what it is."""
        kind = attributes.get("fldCharType")
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
        """Take note of an element of a formula: of a structure, a part or a property."""
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
        """Write a structure of a formula once its parts are read, or end a part."""
        if tag in STRUCTURES:
            self.put(self.structures.pop().line())
        if not self.structures or self.path[-1] != self.structures[-1].tag:
            return
        one = self.structures[-1]
        if tag in ROLES or tag == "mr":
            one.parts.append((tag, self.cut_off(one.place)))

    def end(self, tag: str) -> None:
        """Take the end tag of an element."""
        self.path.pop()
        if self.formulas:
            self.end_structure(tag)
        if tag == "t":
            self.reads = False
        elif tag == "r":
            self.end_run()
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


BEGINNINGS_OF_ELEMENTS: dict[str, Begin] = {
    "t": _Reader.begin_text,
    "r": _Reader.begin_run,
    "p": _Reader.begin_paragraph,
    "AlternateContent": _Reader.begin_alternatives,
    "framePr": _Reader.frame,
    "fldSimple": _Reader.simple_field,
    "fldChar": _Reader.field,
    "txbxContent": _Reader.begin_box,
    "cellDel": _Reader.drop,
    "sym": _Reader.symbol,
    "oMath": _Reader.begin_formula,
    "relIds": _Reader.diagram,
    "checkBox": _Reader.form_field,
    "altChunk": _Reader.foreign_part,
    "tab": _Reader.tab,
    **dict.fromkeys(BREAKS, _Reader.character),
    **dict.fromkeys(PASSED, _Reader.begin_passed),
    **dict.fromkeys(("Choice", "Fallback"), _Reader.begin_choice),
    **dict.fromkeys(("pStyle", "numId", "ilvl"), _Reader.of_paragraph),
    **dict.fromkeys(("tbl", "tr", "tc"), _Reader.begin_table),
    **dict.fromkeys(("gridSpan", "vMerge", "gridBefore"), _Reader.merge),
    **dict.fromkeys(("footnoteReference", "endnoteReference"), _Reader.note),
    **dict.fromkeys(("footnote", "endnote"), _Reader.begin_note),
}


def _symbol(attributes: dict[str, str]) -> str:
    """Return the character of a symbol, which is given by a font and a code point."""
    try:
        code = int(attributes.get("char", ""), 16)
    except ValueError:
        return "\ufffd"
    font = attributes.get("font", "")
    if 0x20 < code < 0x100 and font in SYMBOL_FONTS:
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


# In the code of a field EQ: what formats it; switches such as \f, and escaped characters;
# what begins, separates and ends arguments; and text.
_EQ = re.compile(
    r"""\\\*\s*(?:"[^"]*"?|\w*)|\\[lrb]c\\.|\\([a-z]+ ?[0-9]{0,4})|\\(.)|([(),;])"""
    r"""|[^\\(),;]+""",
    re.IGNORECASE | re.DOTALL,
)
EQ_DEPTH = 20  # brackets within one another


def equation(code: str) -> str:
    """Return in a line the formula that a field's code makes, "" of other fields."""
    begin = re.match(r"\s*EQ\b", code, re.IGNORECASE)
    if not begin:
        return ""
    switches: list[str] = []
    # Of each open bracket: the switches before it, and the pieces of its arguments.
    brackets: list[tuple[list[str], list[list[str]]]] = [([], [[]])]
    for found in _EQ.finditer(code + ")" * EQ_DEPTH, begin.end()):
        switch, literal, sign = found.groups()
        if switch:
            switches.append(switch.lower().replace(" ", ""))
        elif sign == "(" and len(brackets) < EQ_DEPTH:
            brackets.append((switches, [[]]))
            switches = []
        elif sign == ")" and len(brackets) > 1:
            before, parts = brackets.pop()
            text = _arguments(before, ["".join(part).strip() for part in parts])
            brackets[-1][1][-1].append(text)
        elif sign in (",", ";") and len(brackets) > 1:
            brackets[-1][1].append([])
        elif literal or (sign != ")" and found[0][0] != "\\"):
            brackets[-1][1][-1].append(literal or found[0])
    return "".join(brackets[0][1][0]).strip()


def _arguments(switches: list[str], parts: list[str]) -> str:
    """Return in a line what a switch of EQ, with those behind it, makes of arguments."""
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
    if kind == "o":  # overstruck: a reading above is left out, as in web pages
        return "".join(part for part in parts if not part.startswith("^("))
    if kind == "a":
        counts = (re.fullmatch(r"co([0-9]+)", one) for one in more)
        columns = next((int(one[1]) for one in counts if one), 1) or 1
        rows = (parts[n : n + columns] for n in range(0, len(parts), columns))
        return formula("mtable", [formula("mtr", row) for row in rows])
    said = ", ".join(parts)
    return f"({said})" if kind in ("", "b") else said
