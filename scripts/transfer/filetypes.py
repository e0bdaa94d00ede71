"""What a file is, told by its content or its name.

suffix      the ending that belongs to content
kind_of     its media type, told by its first bytes
media_type  the same, told by its name where the content does not
file_like   its ending, of those that are asked for; WORDS has what people call it
is_page     whether it is a web page
"""

from __future__ import annotations

import os
import re

# Place and bytes by which content is known, its ending and its media type; "" where more
# kinds of files than one begin so, or nobody asks for the type.
SIGNATURES = (
    (0, b"\x89PNG\r\n\x1a\n", ".png", "image/png"),
    (0, b"\xff\xd8\xff", ".jpg", "image/jpeg"),
    (0, b"GIF8", ".gif", "image/gif"),
    (8, b"WEBP", ".webp", "image/webp"),
    (8, b"WAVE", ".wav", "audio/wav"),
    (0, b"ID3", ".mp3", "audio/mpeg"),
    (0, b"\xff\xfb", ".mp3", "audio/mpeg"),
    (0, b"\xff\xf3", ".mp3", "audio/mpeg"),
    (0, b"OggS", ".ogg", "audio/ogg"),
    (0, b"fLaC", ".flac", "audio/flac"),
    (0, b"\xff\xe3", ".mp3", "audio/mpeg"),
    (0, b"\xff\xf2", ".mp3", "audio/mpeg"),
    (0, b"\xff\xfa", ".mp3", "audio/mpeg"),
    (0, b"\xff\xfc", ".mp3", "audio/mpeg"),
    (0, b"\xff\xfd", ".mp3", "audio/mpeg"),
    (0, b"\xff\xf1", ".aac", "audio/aac"),
    (0, b"\xff\xf9", ".aac", "audio/aac"),
    (8, b"AIFF", ".aiff", "audio/aiff"),
    (8, b"AIFC", ".aiff", "audio/aiff"),
    (0, b"caff", ".caf", "audio/x-caf"),
    (0, b"#!AMR", ".amr", "audio/amr"),
    (4, b"ftypM4A", ".m4a", "audio/mp4"),
    (4, b"ftypM4B", ".m4a", "audio/mp4"),
    (4, b"ftypM4P", ".m4a", "audio/mp4"),
    (4, b"ftyphei", ".heic", "image/heic"),
    (4, b"ftyphev", ".heic", "image/heic"),
    (4, b"ftypmif1", ".heic", "image/heic"),
    (4, b"ftypmsf1", ".heic", "image/heic"),
    (4, b"ftypavif", ".avif", "image/avif"),
    (4, b"ftypavis", ".avif", "image/avif"),
    (4, b"ftypqt  ", ".mov", "video/quicktime"),
    (4, b"moov", ".mov", "video/quicktime"),
    (4, b"mdat", ".mov", "video/quicktime"),
    (4, b"wide", ".mov", "video/quicktime"),
    (4, b"ftyp3g", ".3gp", "video/3gpp"),
    (4, b"ftyp", ".mp4", "video/mp4"),
    (8, b"AVI ", ".avi", "video/x-msvideo"),
    (0, b"II*\0", ".tiff", "image/tiff"),
    (0, b"MM\0*", ".tiff", "image/tiff"),
    (6, b"\0\0\0\0", ".bmp", "image/bmp"),
    (0, b"<svg", ".svg", "image/svg+xml"),
    (0, b"\x1aE\xdf\xa3", ".webm", "video/webm"),
    (0, b"PAR1", ".parquet", "application/vnd.apache.parquet"),
    (0, b"%PDF-", ".pdf", "application/pdf"),
    (0, b"\x28\xb5\x2f\xfd", ".zst", "application/zstd"),
    (0, b"\x1f\x8b", ".gz", "application/gzip"),
    (0, b"PK\x03\x04", ".zip", ""),
    (0, b"\xd0\xcf\x11\xe0", ".xls", ""),
    (0, b"{\\rtf", ".rtf", ""),
    (0, b"7z\xbc\xaf", ".7z", ""),
    (0, b"Rar!\x1a\x07", ".rar", ""),
    (4, b"1AY&SY", ".bz2", ""),
    (0, b"\xfd7zXZ\0", ".xz", ""),
    (257, b"ustar", ".tar", ""),
    (0, b"SQLite format 3\0", ".sqlite", ""),
    (0, b"ARROW1\0", ".arrow", ""),
    (0, b"Obj\x01", ".avro", ""),
    (0, b"%!PS", ".ps", ""),
    (0, b".snd", ".au", ""),
    (0, b"0&\xb2u\x8ef\xcf\x11", ".wma", ""),
    (0, b"riff.\x91\xcf\x11", ".w64", ""),
)
# What people call files of these kinds.
WORDS = {
    ".zip": "an archive or a file of Word or Excel",
    ".xls": "an old or protected Office file",
    ".rtf": "an RTF file",
    ".pdf": "a PDF",
    ".parquet": "a Parquet file",
    ".gz": "a file compressed with gzip",
    ".zst": "a file compressed with zstd",
    ".bz2": "a file compressed with bzip2",
    ".xz": "a file compressed with xz",
    ".7z": "a 7-Zip archive",
    ".rar": "a RAR archive",
    ".tar": "a tar archive",
    ".sqlite": "an SQLite database",
    ".arrow": "an Arrow file (Feather)",
    ".avro": "an Avro file",
    ".ps": "a PostScript file",
    ".au": "a sound file of Sun (AU)",
    ".wma": "a file of Windows Media (WMA)",
    ".w64": "a Wave64 file",
}
TYPES = {
    "audio/x-wav": ".wav",
    "audio/mp3": ".mp3",
    "audio/aac": ".aac",
    "audio/opus": ".opus",
    "text/plain": ".txt",
    "application/json": ".json",
    **{kind: ending for _, _, ending, kind in reversed(SIGNATURES) if kind},
}
# What content alone does not tell.
ENDINGS = {
    ".jpeg": "image/jpeg",
    ".tif": "image/tiff",
    ".aif": "audio/aiff",
    ".html": "text/html",
    ".htm": "text/html",
    ".opus": "audio/ogg",
    ".jsonl": "application/jsonl",
    ".csv": "text/csv",
    ".aac": "audio/aac",
    ".txt": "text/plain",
    ".json": "application/json",
    **{ending: kind for _, _, ending, kind in SIGNATURES if kind},
}


def suffix(head: bytes, content_type: str = "") -> str:
    """Return the ending, with its dot, for content that begins so; "" if unknown."""
    kind = kind_of(head)
    if kind:
        return next((s[2] for s in SIGNATURES if s[3] == kind), ".html")
    return TYPES.get(content_type.lower(), "")


def kind_of(head: bytes) -> str:
    """Return the media type of content that begins so, "" where unknown."""
    for start, mark, _, kind in SIGNATURES:
        if not kind or head[start : start + len(mark)] != mark:
            continue
        first = FIRST.get(kind)
        if first is None or head.startswith(first):
            return kind
    return "text/html" if is_page(head) else ""


def file_like(head: bytes, *endings: str) -> str:
    """Return the ending, of those given, of the files that begin so; "" for none."""
    for start, mark, ending, _ in SIGNATURES:
        if ending in endings and head.startswith(mark, start):
            return ending
    return ""


def marks_of(*endings: str) -> tuple[bytes, ...]:
    """Return the first bytes of files with these endings."""
    return tuple(mark for _, mark, ending, _ in SIGNATURES if ending in endings)


def is_page(head: bytes) -> bool:
    """Say whether content that begins so is a web page."""
    text = head[:PAGE_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip()
    return text[:9].lower().startswith(PAGES)


# What begins content whose signature is further behind, or too short alone.
FIRST: dict[str, tuple[bytes, ...]] = {
    "image/bmp": (b"BM",),
    "image/webp": (b"RIFF",),
    "audio/wav": (b"RIFF", b"RIFX", b"RF64"),
    "audio/aiff": (b"FORM",),
    "video/x-msvideo": (b"RIFF",),
    "video/quicktime": (b"\0", b"\1"),  # the length of the first part
}
PAGE_HEAD = 100  # bytes by which a web page is known
PAGES = (b"<!doctype", b"<html", b"<title")
CONTAINERS = ("audio/mp4", "video/mp4", "video/quicktime", "video/3gpp")


def has_ending(name: str) -> bool:
    """Say whether a name ends in what tells its kind, as "Voice 001" does not."""
    return re.fullmatch(r"\.[A-Za-z0-9_-]{1,10}", os.path.splitext(name)[1]) is not None


def media_type(head: bytes, name: str | None = None) -> str:
    """Return what kind of file it is, "application/octet-stream" where unknown."""
    told = ENDINGS.get(os.path.splitext(name or "")[1].lower())
    found = kind_of(head)
    if told in CONTAINERS and found in ("", *CONTAINERS):
        return told  # sound and films share that container
    return found or told or "application/octet-stream"
