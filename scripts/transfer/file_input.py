"""One way to give a file, wherever the pack takes one.

    open_file  any of the shapes below, as a Source: read lazily, again and again
    uri_of     the same, for a place where the API wants a URL, a data URI or base64
    url_of     the URL that a file was given as, for a place where the API fetches it

A file is one of:

- base64 text, a data URI, an http(s) URL, "s3://storage/key" (an object in the
  workspace's storage; "s3:///key" in its default one), bytes
- {"file": base64 or data URI, "filename"?: name}
- {"url": http(s) URL, "filename"?: name}
- {"s3": key, "storage"?: name}, as Windmill's own steps give and take it
- {"text": text, "filename"?: name}
- {"rows": [objects], "filename"?: name}, or the bare list: JSON Lines, one a row
- for callers in Python: a pathlib.Path, or a Source

A form's group of buttons sends such an object too, with `label` and with blanks, which
count for nothing. URLs are fetched through transfer/public_fetch.py, without the API
key.
"""

from __future__ import annotations

import os
import re
from urllib.parse import unquote, unquote_to_bytes

from ..client import TogetherError
from ..client.request import half_character
from ..download.filenames import safe_name
from .file_source import (
    BLOCK,
    EMPTY,
    FILE_LIMIT,
    NOT_BASE64,
    Base64Source,
    BytesSource,
    PathSource,
    RowsSource,
    Source,
    TextSource,
    decode_base64,
)
from .filetypes import WORDS, file_like, kind_of, suffix
from .remote_file import StoredSource, UrlSource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..shapes import Auth, Json, Members

SHAPES = "file, url, s3, text or rows"
# Text of a place for URIs that is shorter is passed on as it is: it may be a name.
LEAST_BASE64 = 64


def open_file(
    value: Json, field: str, auth: Auth | None = None, limit: int = FILE_LIMIT
) -> Source:
    """Return the Source of a file argument, its first bytes not read yet.

    `field` names the argument in messages; `auth`, the resource, says which networks a
    URL may lead to. A URL and a stored object are asked for at once, so that what
    cannot be read is known now. Raises TogetherError.
    """
    source = _opened(value, field, auth, limit)
    if source.length is not None and source.length > limit:
        size = f"{source.length:,}".replace(",", " ")
        raise TogetherError.refused(
            field, f"is too large: {size} bytes, at most {limit} fit"
        )
    return source


def _opened(
    value: Json, field: str, auth: Auth | None, limit: int, name: str | None = None
) -> Source:
    if isinstance(value, Source):
        return value
    if isinstance(value, dict):
        return _of_object(value, field, auth, limit, name)
    if isinstance(value, bytes | bytearray | memoryview):
        return BytesSource(value, field, name)
    if isinstance(value, os.PathLike):
        return PathSource(value, field, name)
    if isinstance(value, list):
        if are_files(value):
            if len(value) > 1:
                raise TogetherError.refused(
                    field, f"is a list of {len(value)} files: give one of them"
                )
            return _opened(value[0], field, auth, limit, name)
        return RowsSource(value, field, name or "rows.jsonl")
    if not isinstance(value, str):
        raise TogetherError.refused(
            field, f"must be a file: text, or an object with {SHAPES}"
        )
    return _of_text(value, field, auth, limit, name)


def _of_object(
    value: Members, field: str, auth: Auth | None, limit: int, name: str | None
) -> Source:
    """Open what an object with one of SHAPES names."""
    key, inner, given, storage = _file_members(value, field)
    name = given or name
    if key == "rows":
        return RowsSource(inner, field, name or "rows.jsonl")
    if key == "text":
        return TextSource(inner, field, name or "text.txt")
    if key == "s3":
        return StoredSource(inner, storage, field, name, limit)
    if key == "url" and not _is_url(inner):
        raise TogetherError.refused(field, "url must begin with http:// or https://")
    return _opened(inner, field, auth, limit, name)


def _of_text(
    value: str, field: str, auth: Auth | None, limit: int, name: str | None
) -> Source:
    """Open what a text is: a URL, a data URI, the place of an object, or base64."""
    if value[:1].isspace() and re.match(r"data:|s3://|https?://", value.lstrip(), re.I):
        value = value.strip()
    if _is_url(value):
        return UrlSource(value, field, auth, limit, name)
    if value[:5].lower() == "data:":
        return _data_uri(value, field, name)
    if value.startswith("s3://"):
        storage, _, key = value[5:].partition("/")
        return StoredSource(key, storage or None, field, name, limit)
    return Base64Source(value, field, name)


def uri_of(value: Json, field: str, auth: Auth | None = None, kind: str = "uri") -> Any:
    """Return what goes where the API wants a URI: the text, or [prefix, Source].

    http(s) URLs and data URIs, and texts that are neither base64 nor an object in
    storage, are what they are. For all else the source is to be sent in base64 after
    the prefix, which is that of a data URI, or empty for the kind "base64".
    """
    if isinstance(value, dict):
        key, inner, _, _ = _file_members(value, field)
        given = isinstance(inner, str) and key in ("url", "file")
        if given and (_is_url(inner) or inner[:5].lower() == "data:"):
            value = inner
    if isinstance(value, str) and value[:1].isspace():
        value = value.lstrip()
    if isinstance(value, str) and kind == "uri":
        if value[:5].lower() == "data:" and ";base64," in value[:1024].lower():
            return "".join(value.split())  # as encoders break it into lines
        if _is_url(value) or value[:5].lower() == "data:" or not _is_content(value):
            return value
    elif isinstance(value, str) and not re.match(r"data:|s3://|https?://", value):
        return value
    source = open_file(value, field, auth).settled()
    return [f"data:{source.media_type()};base64," if kind == "uri" else "", source]


def relabelled(picture: Json) -> Json:
    """Return a picture, and a data URI in base64 as what it is: many are called PNG
    that are none, or nothing at all, and services refuse those."""
    if not isinstance(picture, str) or picture[:5].lower() != "data:":
        return picture
    head, _, content = picture.partition(",")
    if not head.lower().endswith(";base64"):
        return picture
    try:
        kind = kind_of(decode_base64(content[:24]))
    except ValueError:
        return picture
    told = head[5:].partition(";")[0].lower()
    other = kind.startswith("image/") and told in UNSURE and told != kind
    return f"data:{kind};base64,{content}" if other else picture


# Media types that programs write without looking at the picture.
UNSURE = (
    *("", "application/octet-stream", "image/*", "image/jpg"),
    *("image/png", "image/jpeg", "image/gif", "image/webp"),
)


def check_picture(value: Json, field: str) -> None:
    """Raise TogetherError for what no picture can be: it would be sent, and be asked
    and paid for. What has to be fetched first is not looked at."""
    if isinstance(value, str) and not value.startswith("s3://"):
        text = value.strip()
        if not (_is_url(text) or text[:5].lower() == "data:" or _is_content(text)):
            problem = "is no picture: give its address (https://...), a file or base64"
            raise TogetherError.refused(field, problem)
    head = _beginning(value, field)
    if head is not None:
        _check_kind(head, field, "picture", "image")
    if isinstance(value, dict) and _file_members(value, field)[0] in ("text", "rows"):
        raise TogetherError.refused(field, "is text, and no picture")


def check_media(source: Source, what: str, *kinds: str) -> None:
    """Raise TogetherError for a file that by its first bytes is of none of these kinds
    (image, audio, video), or text; what is not known by them passes."""
    _check_kind(source.head(START), source.field, what, *kinds)


def _check_kind(head: bytes, field: str, what: str, *kinds: str) -> None:
    kind = kind_of(head)
    if not kind:
        kind = _no_media(head)
    if kind and kind.partition("/")[0] not in kinds:
        raise TogetherError.refused(field, f"is {kind} and no {what}")


def _no_media(head: bytes) -> str:
    """Return what a file is that is surely no sound, picture or film; "" for others."""
    begin = head.lstrip()
    if ending := file_like(begin, ".zip", ".xls", ".rtf"):
        return WORDS[ending]
    if begin.startswith((b'{"', b'[{"')):
        return "JSON"
    return "text" if _begins_as_text(head) else ""


def _begins_as_text(head: bytes) -> bool:
    """Say whether a file begins as no sound or picture does, with signs of a text
    alone; XML may be a drawing."""
    text = head.decode("utf-8", "ignore")
    # The last sign may be cut.
    whole = len(text.encode()) > len(head) - 4 and len(head) == START
    return (
        whole
        and not text.startswith("<?xml")
        and all(sign.isprintable() or sign in "\t\r\n" for sign in text)
    )


START = 64  # bytes of a file that tell what it is


def _stored_beginning(value: Json, field: str) -> bytes:
    with open_file(value, field) as source:
        return source.head(START)


def _beginning(value: Json, field: str) -> bytes | None:
    """Return the first bytes of a file that is given here or in storage, None where it
    is at an address."""
    if isinstance(value, dict):
        given = value
        key, value, _, _ = _file_members(value, field)
        if key == "s3":
            return _stored_beginning(given, field)
        if key == "text":
            return value[:START].encode("utf-8", "replace")
    if isinstance(value, list):
        return None if are_files(value) else b'[{"'
    if not isinstance(value, str):
        return open_file(value, field).head(START)
    text = value[: 1 << 12].lstrip()
    if text.startswith("s3://"):
        return _stored_beginning(value, field)
    if _is_url(text):
        return None
    if text[:5].lower() == "data:":
        told, _, text = text.partition(",")
        if not told.lower().endswith(";base64"):
            return _unquoted(text[:START], field)
    # Up to the first sign that is none; whether all of it is base64 is seen later.
    code = re.match("[A-Za-z0-9+/]*", "".join(text.split())[:START])
    signs = code[0] if code else ""
    if not signs:
        raise TogetherError.refused(field, NOT_BASE64)
    return decode_base64(signs[: len(signs) // 4 * 4])


def url_of(value: Json, field: str) -> str | None:
    """Return the http(s) URL that a file was given as, or None."""
    if isinstance(value, dict):
        value = _file_members(value, field)[1]
    value = value.strip() if isinstance(value, str) else value
    return value if _is_url(value) else None


def are_files(value: list[Json]) -> bool:
    """Say whether a list holds, in place of rows, objects in storage: what a form that
    lets choose several of them, and list_new_objects, give."""
    known = {"s3", "storage", "filename", "presigned"}
    return bool(value) and all(
        isinstance(one, dict) and isinstance(one.get("s3"), str) and one.keys() <= known
        for one in value
    )


def _is_url(value: Json) -> bool:
    return isinstance(value, str) and re.match(r"https?://", value, re.I) is not None


def _is_content(text: str) -> bool:
    """Say whether a text in a place for URIs is meant as a file's content."""
    if text.startswith("s3://"):
        return True
    if len(text) < 24 or ":" in text[:24]:
        return False
    try:
        head = decode_base64(text[:24])
        known = kind_of(head) != ""
        if not known and len(text) < LEAST_BASE64:
            return False
        return re.fullmatch(r"[A-Za-z0-9+/\s]+", text.rstrip().rstrip("=")) is not None
    except ValueError:
        return False


def _file_members(
    value: Members, field: str
) -> tuple[str, Any, str | None, str | None]:
    """Return (key, value, filename, storage) of a file given as an object."""
    label = value.get("label", value.get("kind"))
    if label is not None and "value" in value:
        value = {"file": value["value"]}
    ways = [k for k in ("file", "url", "s3", "text", "rows") if _filled(value.get(k))]
    if "content" in value and not ways:  # Windmill's own {"content", "filename"}
        value, ways = {**value, "file": value["content"]}, ["file"]
    if not ways:
        # The form sends blanks for a file that is not given, but with no name.
        if _filled(value.get("filename")) and any(
            value.get(key) in ("", b"") for key in ("file", "content", "text")
        ):
            raise TogetherError.refused(field, EMPTY)
        others = value.keys() - {"filename", "storage", "label", "kind", "presigned"}
        if has := ", ".join(
            repr(n) for n in value if n in others and _filled(value[n])
        ):
            raise TogetherError.refused(
                field,
                f"has none of {SHAPES}, of which one must be there (it has {has})",
            )
        raise TogetherError.refused(
            field, f"is required: an object with one of {SHAPES}"
        )
    if "url" in ways and ("file" in ways or "s3" in ways):
        ways.remove("url")  # an answer's address, and what was fetched from there
    if len(ways) > 1:
        raise TogetherError.refused(
            field, f"must have one of {SHAPES}, not {' and '.join(ways)}"
        )
    key = ways[0]
    inner, storage = value[key], value.get("storage")
    if key == "url" and isinstance(inner, str):
        inner = inner.strip()
    name = value.get("filename")
    if isinstance(inner, dict) and key in ("file", "s3"):
        # What the form's picker of stored objects gives, and Windmill's file results.
        return _file_members({"filename": name, **inner}, field)
    if key == "s3" and isinstance(inner, str) and inner.startswith("s3://"):
        storage, _, inner = inner[5:].partition("/")
    wanted = {"rows": list, "text": str, "s3": str, "url": str}.get(key)
    if wanted and not isinstance(inner, wanted):
        words = {list: "a list", str: "text"}
        raise TogetherError.refused(field, f"{key} must be {words[wanted]}")
    name = safe_name(name) if isinstance(name, str) else ""
    return key, inner, name or None, storage or None


def _filled(value: Json) -> bool:
    if isinstance(value, dict):
        return any(_filled(inner) for inner in value.values())
    return value is not None and value != "" and value != [] and value != b""


def _data_uri(text: str, field: str, name: str | None) -> Source:
    head, comma, _ = text[: 1 << 12].partition(",")
    if not comma:
        raise TogetherError.refused(field, "is no data URI: it has no comma")
    kind, *parameters = head[5:].split(";")
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() in ("name", "filename"):
            name = name or safe_name(unquote(value)) or None
    start = len(head) + 1
    ending = suffix(b"", kind.strip())
    if name is None and ending:
        name = f"file{ending}"
    if parameters and parameters[-1].strip().lower() == "base64":
        if "%" in text[start : start + BLOCK]:
            return Base64Source(unquote(text[start:]), field, name)
        return Base64Source(text, field, name, start)
    return BytesSource(_unquoted(text[start:], field), field, name)


def _unquoted(text: str, field: str) -> bytes:
    try:
        return unquote_to_bytes(text)
    except UnicodeEncodeError:
        raise half_character(field) from None
