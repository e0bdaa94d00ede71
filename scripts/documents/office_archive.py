"""Office files are zip archives of XML files; read here within bounds.

    opened        an archive, once it is known to be one
    parse         the XML of one of its members, element by element, without keeping it
    related       the members that a part refers to, by the kind of the relationship
    other_kind    what an archive is, where it is no file of Word or Excel
    BadFileError  why an archive cannot be read

A member may unpack to gigabytes though the archive says that it is small, nest elements
a million deep, or define entities by one another. Reading stops at the limits below.
"""

from __future__ import annotations

import posixpath
import struct
import zipfile
import zlib
from xml.parsers import expat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO, TypeAlias

    Start: TypeAlias = Callable[[str, dict[str, str]], None]

MOST_MEMBERS = 10_000
MEMBER_BYTES = 200 << 20  # of a member, unpacked
PIECE_BYTES = 1 << 20  # unpacked and parsed at a time
TOKEN_BYTES = 4 << 20  # of one tag, comment or the like
DEPTH = 250  # elements within one another
# What zipfile and expat raise for damaged files.
DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    expat.ExpatError,
)


# By a part of the media type: what other archives are, and what to do instead.
OPEN_DOCUMENTS = {
    "opendocument.text": "is an OpenDocument text (.odt): save it as Word (.docx)",
    "opendocument.spreadsheet": "is an OpenDocument table (.ods): save it as .xlsx",
    "opendocument.presentation": "is an OpenDocument presentation: give its text",
    "epub": "is an e-book (EPUB): give its text, or its pages as HTML",
}


class BadFileError(ValueError):
    """An archive that cannot be read. str() says why, in words that follow the file's
    name: "is damaged"."""


def opened(file: IO[bytes], what: str = "archive") -> zipfile.ZipFile:
    """Return the ZipFile of an open binary file. Raises BadFileError, also where the
    directory has more entries than zipfile should read."""
    file.seek(0)
    seam, count = b"", 0
    while block := file.read(PIECE_BYTES):
        count += (seam + block).count(b"PK\x01\x02")
        seam = block[-3:]
    if count > MOST_MEMBERS:
        raise BadFileError(f"is an {what} of more than {MOST_MEMBERS} files")
    try:
        return zipfile.ZipFile(file)
    except DAMAGES:
        raise BadFileError(f"is a damaged {what}, or cut short") from None


def other_kind(archive: zipfile.ZipFile) -> str | None:
    """Say what an archive is that is no file of Word or Excel, None where nothing shows
    it."""
    names = archive.NameToInfo
    if "mimetype" in names and names["mimetype"].file_size < 200:
        try:
            kind = archive.read("mimetype").decode("ascii", "replace")
        except DAMAGES:
            kind = ""
        for part, problem in OPEN_DOCUMENTS.items():
            if part in kind:
                return problem
    if "Index/Document.iwa" in names or "Index.zip" in names:
        return "is a file of Apple's office programs: export it as Word, Excel or CSV"
    if names and not {"[Content_Types].xml", "_rels/.rels"} & names.keys():
        first = min(names)[:60]
        return f"is a zip archive ({first!r} and the like): unpack it, and give a file"
    return None


def _plain(name: str) -> str:
    """Return a member's name as office programs compare names: in small letters, with
    slashes only."""
    return name.replace("\\", "/").lstrip("/").lower()


def related(archive: zipfile.ZipFile, part: str, kind: str) -> dict[str, str]:
    """Return {id of the relationship: name of the member} for the relationships of a
    part ("" for the whole file) whose type ends with `kind`."""
    folder, name = posixpath.split(part)
    found = {}
    members = {_plain(one): one for one in archive.NameToInfo}

    def start(tag: str, attributes: dict[str, str]) -> None:
        kinds = attributes.get("Type", "").endswith(f"/{kind}")
        outside = attributes.get("TargetMode") == "External"
        if tag == "Relationship" and kinds and not outside:
            target = attributes.get("Target", "").replace("\\", "/")
            target = posixpath.normpath(posixpath.join("/", folder, target))
            target = target.lstrip("/")
            if target not in archive.NameToInfo:
                target = members.get(_plain(target), target)
            found[attributes.get("Id", "")] = target

    rels = posixpath.join(folder, "_rels", f"{name}.rels")
    rels = members.get(_plain(rels), rels)
    if rels in archive.NameToInfo:
        for _ in parse(archive, rels, start):
            pass
    return found


def _member(archive: zipfile.ZipFile, member: str) -> zipfile.ZipInfo:
    """Return what an archive says of a member. Raises BadFileError for one that is
    missing, or that no office program packs so."""
    info = archive.NameToInfo.get(member)
    if info is None:
        raise BadFileError(f"is damaged: its part {member[-60:]!r} is missing")
    if info.flag_bits & 1:
        raise BadFileError("is protected with a password")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BadFileError("is packed in a way that office programs do not use")
    return info


def _parser(
    start: Start,
    end: Callable[[str], object] | None,
    text: Callable[[str], None] | None,
) -> expat.XMLParserType:
    """Return a parser that calls these functions, with names without their prefixes.
    It raises BadFileError for elements nested too deep, and for a document type, which
    is where entities are declared."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = 1 << 16
    depth = 0

    def opens(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEPTH:
            raise BadFileError(f"nests elements more than {DEPTH} deep")
        if attributes:
            attributes = {n.rpartition(":")[2]: v for n, v in attributes.items()}
        start(tag.rpartition(":")[2], attributes)

    def closes(tag: str) -> None:
        nonlocal depth
        depth -= 1
        if end:
            end(tag.rpartition(":")[2])

    def refuse(*_: object) -> None:
        raise BadFileError("declares a document type, which office programs do not")

    parser.StartElementHandler = opens
    parser.EndElementHandler = closes
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    return parser


def parse(
    archive: zipfile.ZipFile,
    member: str,
    start: Start,
    end: Callable[[str], object] | None = None,
    text: Callable[[str], None] | None = None,
    most: int = MEMBER_BYTES,
) -> Iterator[None]:
    """Parse a member, and yield after each piece of it.

    start(tag, attributes), end(tag) and text(characters) are called in order; names of
    tags and attributes are without their prefixes. Raises BadFileError and what these
    functions raise.
    """
    info = _member(archive, member)
    parser = _parser(start, end, text)
    size = 0
    try:
        with archive.open(info) as stream:
            while piece := stream.read(PIECE_BYTES):
                size += len(piece)
                if size > most:
                    raise BadFileError(f"unpacks to more than {most >> 20} MiB")
                parser.Parse(piece)
                if size - parser.CurrentByteIndex > TOKEN_BYTES:
                    raise BadFileError(
                        f"has a tag of more than {TOKEN_BYTES >> 20} MiB"
                    )
                yield
        parser.Parse(b"", True)
        yield
    except BadFileError:
        raise
    except DAMAGES:
        raise BadFileError("is damaged, or cut short") from None
