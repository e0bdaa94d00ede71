"""The text of a Word file (.docx), as it is read when every change in it is accepted.

Paragraphs are a blank line apart, rows of tables a line, cells a tab. Footnotes stand
in brackets where they are referred to, text boxes where they are anchored. What nobody
sees is left out: deleted and hidden text, codes of fields, comments.
"""

from __future__ import annotations

import io

from .office_archive import BadFileError, opened, parse, related

TYPE_CHECKING = False
if TYPE_CHECKING:
    import zipfile
    from typing import TypeAlias

    Notes: TypeAlias = dict[tuple[str, str | None], str]

XML_BYTES = 64 << 20  # of the document and of its notes, unfolded
CHARACTERS = 4 << 20  # of text: about 1500 pages
ELEMENTS = 1_500_000
# Elements whose text is not part of the document as it reads.
PASSED = frozenset(("del", "moveFrom", "Fallback", "rt"))
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
        raise BadFileError("is an archive, but no Word file (.docx)")
    notes: Notes = {}
    for kind in ("footnote", "endnote"):
        for part in related(archive, main, f"{kind}s").values():
            if part in archive.NameToInfo:
                notes |= _Reader(archive, part, kind=kind).notes
    return _Reader(archive, main, notes).text()


class _Reader:
    """Reads one part: the document, or the notes of a kind."""

    def __init__(
        self,
        archive: zipfile.ZipFile,
        part: str,
        known: Notes | None = None,
        kind: str | None = None,
    ) -> None:
        self.known = known or {}
        self.kind = kind
        self.notes: Notes = {}
        self.pieces: list[str] = []
        self.size = self.elements = 0
        self.passed = 0  # how many elements whose text is passed over are open
        self.cells = 0  # how many cells of tables are
        self.path: list[str] = []
        self.hidden = self.joined = self.reads = False
        for _ in parse(archive, part, self.start, self.end, self.write, XML_BYTES):
            pass

    def text(self) -> str:
        return "".join(self.pieces)

    def add(self, text: str) -> None:
        if not self.passed and not self.hidden:
            self.size += len(text)
            if self.size > CHARACTERS:
                most = f"{CHARACTERS >> 20} Mi characters"
                raise BadFileError(f"holds more than {most} of text: split it")
            self.pieces.append(text)

    def write(self, text: str) -> None:
        if self.reads:
            self.add(text)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        if self.elements > ELEMENTS:
            raise BadFileError(f"has more than {ELEMENTS} elements: split it")
        above = self.path[-1] if self.path else None
        self.path.append(tag)
        if tag == "t":
            self.reads = True
        elif tag == "r":
            self.hidden = False
        elif tag in PASSED:
            if above == "rPr":  # of a paragraph's mark: it goes on in the next
                self.joined = self.joined or tag == "del"
            self.passed += 1
        elif tag == "vanish" and self.path[-3:-1] == ["r", "rPr"]:
            self.hidden = attributes.get("val", "1") not in ("0", "false", "off")
        elif tag == "tc":
            self.cells += 1
        elif tag == "tab" and above == "r":
            self.add("\t")
        elif tag in ("br", "cr"):
            self.add("\n")
        elif tag == "noBreakHyphen":
            self.add("-")
        elif tag in ("footnoteReference", "endnoteReference"):
            note = self.known.get((tag.removesuffix("Reference"), attributes.get("id")))
            if note:
                self.add(f" [{note}]")
        elif tag == self.kind:
            self.number = attributes.get("id")
            self.pieces = []

    def end(self, tag: str) -> None:
        self.path.pop()
        if tag == "t":
            self.reads = False
        elif tag == "r":
            self.hidden = False
        elif tag in PASSED:
            self.passed -= 1
        elif tag == "p":
            if not self.joined:
                self.add(" " if self.cells else "\n\n")
            self.joined = False
        elif tag == "tc":
            self.cells -= 1
            self.add("\t")
        elif tag in ("tr", "tbl"):
            self.add("\n")
        elif tag == self.kind:
            self.notes[self.kind, self.number] = " ".join(self.text().split())
