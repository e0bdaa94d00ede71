"""What a file is, told by its content or its name.

suffix      the ending that belongs to content
kind_of     its media type, told by its first bytes
media_type  the same, told by its name where the content does not
"""

from __future__ import annotations

import os
import re

# Place and bytes by which content is known, its ending and its media type.
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
)
TYPES = {
    "audio/x-wav": ".wav",
    "audio/mp3": ".mp3",
    "audio/aac": ".aac",
    "audio/opus": ".opus",
    "text/plain": ".txt",
    "application/json": ".json",
    **{kind: ending for _, _, ending, kind in reversed(SIGNATURES)},
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
    **{ending: kind for _, _, ending, kind in SIGNATURES},
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
        if head[start : start + len(mark)] != mark:
            continue
        first = FIRST.get(kind)
        if first is None or head.startswith(first):
            return kind
    return "text/html" if PAGE.match(head) else ""


# What begins content whose signature is further behind, or too short alone.
FIRST: dict[str, tuple[bytes, ...]] = {
    "image/bmp": (b"BM",),
    "image/webp": (b"RIFF",),
    "audio/wav": (b"RIFF", b"RIFX", b"RF64"),
    "audio/aiff": (b"FORM",),
    "video/x-msvideo": (b"RIFF",),
    "video/quicktime": (b"\0", b"\1"),  # the length of the first part
}
PAGE = re.compile(rb"\s{0,8}<(!doctype |html)", re.IGNORECASE)
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
