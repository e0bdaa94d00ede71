"""What a file is called, where somebody else says it.

named      the name that a content-disposition header tells
safe_name  a name that somebody else chose, made harmless
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote_to_bytes

HEADER_CHARACTERS = 4096  # of content-disposition that are looked at
NAME_END = 8192  # characters of a name with its folders that are looked at, the last
LONGEST = 150  # bytes of a file name; file systems end at 255, and prefixes come
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_PARAMETER = re.compile(r';\s*(filename\*?)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)', re.I)


def named(disposition: str) -> str:
    """Return the safe file name of a content-disposition header. RFC 6266."""
    found: dict[str, str] = {}
    for name, value in _PARAMETER.findall(";" + disposition[:HEADER_CHARACTERS]):
        value = value.strip()
        if value.startswith('"'):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        found.setdefault(name.lower(), value)
    # RFC 8187: charset'language'percent-encoded.
    charset, _, rest = found.get("filename*", "").partition("'")
    if rest and charset.lower() in ("utf-8", "iso-8859-1"):
        name = unquote_to_bytes(rest.partition("'")[2]).decode(charset, "replace")
        if safe_name(name):
            return safe_name(name)
    name = found.get("filename", "")
    try:  # headers are read as Latin-1; many servers mean UTF-8
        name = name.encode("latin-1").decode()
    except UnicodeError:
        pass
    return safe_name(name)


def safe_name(text: str) -> str:
    """Return a file name without folders, control characters or reserved words.

    "" when nothing is left. A long one keeps its ending.
    """
    # To compose many accents of one letter takes the square of their number.
    text = text[-NAME_END:]
    name = unicodedata.normalize("NFC", text).replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C")
    name = re.sub(r'[<>:"|?*\u2028\u2029]', "_", name).strip(". ")
    if _RESERVED.fullmatch(name):
        name = f"_{name}"
    if len(name.encode()) > LONGEST:
        stem, dot, ending = name.rpartition(".")
        ending = dot + ending if dot and len(ending.encode()) <= 16 else ""
        kept = (stem if ending else name).encode()[: LONGEST - len(ending.encode())]
        name = kept.decode(errors="ignore").rstrip(". ") + ending
    return name
