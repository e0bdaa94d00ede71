"""One way to give a file, wherever the pack takes one.

    open    any of the shapes below, as a Source: read lazily, again and again
    uri     the same, for a place where the API wants a URL, a data URI or base64
    url     the URL that a file was given as, for a place where the API fetches it

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
count for nothing. URLs are fetched through fetching.py, without the API key.
"""

import binascii
import io
import json
import os
import re
import tempfile
from urllib.parse import unquote, unquote_to_bytes

from .client import TogetherError
from .filenames import has_ending, kind_of, media_type, safe_name, suffix

__all__ = ["Source", "are_files", "open", "uri", "url"]

BLOCK = 1 << 20  # bytes that are held at once
LIMIT = int(50.1 * 2**30)  # bytes; no operation takes more
EMPTY = "is empty: the file has 0 bytes"
SHAPES = "file, url, s3, text or rows"
# Text of a place for URIs that is shorter is passed on as it is: it may be a name.
LEAST_BASE64 = 64


def open(value, field, auth=None, limit=LIMIT):
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


def _opened(value, field, auth, limit, name=None):
    if isinstance(value, Source):
        return value
    if isinstance(value, dict):
        key, value, given, storage = _told(value, field)
        name = given or name
        if key == "rows":
            return _Rows(value, field, name or "rows.jsonl")
        if key == "text":
            return _Text(value, field, name or "text.txt")
        if key == "s3":
            from .remote import Stored

            return Stored(value, storage, field, name)
        if key == "url" and not _is_url(value):
            raise TogetherError.refused(
                field, "url must begin with http:// or https://"
            )
        return _opened(value, field, auth, limit, name)
    if isinstance(value, bytes | bytearray | memoryview):
        return _Bytes(value, field, name)
    if isinstance(value, os.PathLike):
        return _File(value, field, name)
    if isinstance(value, list):
        if are_files(value):
            if len(value) > 1:
                raise TogetherError.refused(
                    field, f"is a list of {len(value)} files: give one of them"
                )
            return _opened(value[0], field, auth, limit, name)
        return _Rows(value, field, name or "rows.jsonl")
    if not isinstance(value, str):
        raise TogetherError.refused(
            field, f"must be a file: text, or an object with {SHAPES}"
        )
    if value[:1].isspace() and re.match(r"data:|s3://|https?://", value.lstrip(), re.I):
        value = value.strip()
    if _is_url(value):
        from .remote import Address

        return Address(value, field, auth, limit, name)
    if value[:5].lower() == "data:":
        return _data_uri(value, field, name)
    if value.startswith("s3://"):
        from .remote import Stored

        storage, _, key = value[5:].partition("/")
        return Stored(key, storage or None, field, name)
    return _Base64(value, field, name)


def uri(value, field, auth=None, kind="uri"):
    """Return what goes where the API wants a URI: the text, or [prefix, Source].

    http(s) URLs and data URIs, and texts that are neither base64 nor an object in
    storage, are what they are. For all else the source is to be sent in base64 after
    the prefix, which is that of a data URI, or empty for the kind "base64".
    """
    if isinstance(value, dict):
        key, inner, _, _ = _told(value, field)
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
    source = open(value, field, auth).settled()
    return [f"data:{source.media_type()};base64," if kind == "uri" else "", source]


def url(value, field):
    """Return the http(s) URL that a file was given as, or None."""
    if isinstance(value, dict):
        value = _told(value, field)[1]
    value = value.strip() if isinstance(value, str) else value
    return value if _is_url(value) else None


def are_files(value):
    """Say whether a list holds, in place of rows, objects in storage: what a form that
    lets choose several of them, and list_new_objects, give."""
    known = {"s3", "storage", "filename", "presigned"}
    return bool(value) and all(
        isinstance(one, dict) and isinstance(one.get("s3"), str) and one.keys() <= known
        for one in value
    )


def _is_url(value):
    return isinstance(value, str) and re.match(r"https?://", value, re.I) is not None


def _is_content(text):
    """Say whether a text in a place for URIs is meant as a file's content."""
    if text.startswith("s3://"):
        return True
    if len(text) < 24 or ":" in text[:24]:
        return False
    try:
        head = _base64(text[:24])
        known = kind_of(head) != ""
        if not known and len(text) < LEAST_BASE64:
            return False
        return re.fullmatch(r"[A-Za-z0-9+/\s]+={0,2}\s*", text) is not None
    except ValueError:
        return False


def _told(value, field):
    """Return (key, value, filename, storage) of a file given as an object."""
    label = value.get("label", value.get("kind"))
    if label is not None and "value" in value:
        value = {"file": value["value"]}
    told = [k for k in ("file", "url", "s3", "text", "rows") if _filled(value.get(k))]
    if "content" in value and not told:  # Windmill's own {"content", "filename"}
        value, told = {**value, "file": value["content"]}, ["file"]
    if not told:
        # The form sends blanks for a file that is not given, but with no name.
        if _filled(value.get("filename")) and any(
            value.get(key) in ("", b"") for key in ("file", "content", "text")
        ):
            raise TogetherError.refused(field, EMPTY)
        raise TogetherError.refused(
            field, f"is required: an object with one of {SHAPES}"
        )
    if "url" in told and ("file" in told or "s3" in told):
        told.remove("url")  # an answer's address, and what was fetched from there
    if len(told) > 1:
        raise TogetherError.refused(
            field, f"must have one of {SHAPES}, not {' and '.join(told)}"
        )
    key = told[0]
    inner, storage = value[key], value.get("storage")
    if key == "url" and isinstance(inner, str):
        inner = inner.strip()
    name = value.get("filename")
    if isinstance(inner, dict) and key in ("file", "s3"):
        # What the form's picker of stored objects gives, and Windmill's file results.
        return _told({"filename": name, **inner}, field)
    if key == "s3" and isinstance(inner, str) and inner.startswith("s3://"):
        storage, _, inner = inner[5:].partition("/")
    wanted = {"rows": list, "text": str, "s3": str, "url": str}.get(key)
    if wanted and not isinstance(inner, wanted):
        words = {list: "a list", str: "text"}
        raise TogetherError.refused(field, f"{key} must be {words[wanted]}")
    name = safe_name(name) if isinstance(name, str) else ""
    return key, inner, name or None, storage or None


def _filled(value):
    if isinstance(value, dict):
        return any(_filled(inner) for inner in value.values())
    return value is not None and value != "" and value != [] and value != b""


# --- sources -----------------------------------------------------------------------


class Source(io.RawIOBase):
    """A file's content, never whole in memory unless it came so.

    blocks()   yields it in pieces of about 1 MiB, from the start at every call
    read()     as any raw binary stream; io.BufferedReader and TextIOWrapper take it
    length     its bytes, or None while they are not known; settled() finds out
    name       its file name, or None
    """

    ranged = False  # whether blocks(start) costs no more than what follows
    remote = False  # whether every reading asks for it anew

    def __init__(self, field, name=None, length=None):
        super().__init__()
        self.field = field
        self.name = name
        self.length = length
        self._reading = None
        self._rest = memoryview(b"")

    def blocks(self, start=0):
        """Yield the bytes from `start` on; a block may be overwritten by the next."""
        for block in self._all():
            if start >= len(block):
                start -= len(block)
                continue
            yield memoryview(block)[start:] if start else block
            start = 0

    def _all(self):
        raise NotImplementedError

    def settled(self):
        """Return a source of known length with the same content: mostly this one."""
        if self.length is None:
            return _spooled(self)
        return self

    def readable(self):
        return True

    def readinto(self, buffer):
        if not self._rest:
            if self._reading is None:
                self._reading = iter(self.blocks())
            self._rest = memoryview(next(self._reading, b""))
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def head(self, size=16):
        """Return the first bytes."""
        return bytes(next(iter(self.blocks()), b"")[:size])

    def media_type(self):
        """Return what kind of file it is, told by its content, then by its name."""
        return media_type(self.head(), self.name)

    def named(self):
        """Return its name, or one made up from its content."""
        if self.name and has_ending(self.name):
            return self.name
        return (self.name or "file") + suffix(self.head())


class _Bytes(Source):
    ranged = True

    def __init__(self, data, field, name):
        data = memoryview(data)
        super().__init__(field, name, data.nbytes)
        self.data = data

    def blocks(self, start=0):
        for place in range(start, self.length, BLOCK):
            yield self.data[place : place + BLOCK]


class _File(Source):
    """A file of this machine: never what a form or flow names, only what code does."""

    ranged = True

    def __init__(self, path, field, name, handle=None):
        self.handle = handle  # of a temporary file, which goes when this does
        self.path = handle.name if handle else path
        super().__init__(field, name or os.path.basename(path or "") or None)
        self.length = os.path.getsize(self.path)

    def close(self):
        if self.handle:
            self.handle.close()
        super().close()

    def blocks(self, start=0):
        buffer = memoryview(bytearray(BLOCK))
        with io.FileIO(self.path) as file:
            file.seek(start)
            while count := file.readinto(buffer):
                yield buffer[:count]


class _Base64(Source):
    """Base64 text from `start` on; line breaks and blanks in it count for nothing."""

    def __init__(self, text, field, name, start=0):
        super().__init__(field, name)
        self.text, self.start = text, start
        blanks = sum(text.count(blank, start) for blank in " \n\r\t")
        self.ranged = not blanks
        count = len(text) - start - blanks
        tail = text[-8:].rstrip()
        padding = len(tail) - len(tail.rstrip("="))
        if count % 4 or padding > 2:
            raise TogetherError.refused(field, _NOT_BASE64)
        self.length = count // 4 * 3 - padding
        # Nothing may be wrong once the first byte has gone out.
        for _ in self.blocks():
            pass

    def blocks(self, start=0):
        if not self.ranged:
            yield from super().blocks(start)
            return
        step = BLOCK // 3 * 4
        first = self.start + start // 3 * 4
        for place in range(first, len(self.text), step):
            block = self.decoded(self.text[place : place + step])
            if place + step < len(self.text) and len(block) != step // 4 * 3:
                raise TogetherError.refused(self.field, _NOT_BASE64)
            yield memoryview(block)[start % 3 :] if place == first else block

    def _all(self):
        step = BLOCK // 3 * 4
        rest, padded = "", False
        for place in range(self.start, len(self.text), step):
            text = rest + "".join(self.text[place : place + step].split())
            whole = len(text) // 4 * 4
            text, rest = text[:whole], text[whole:]
            if padded and text:
                raise TogetherError.refused(self.field, _NOT_BASE64)
            padded = padded or text.endswith("=")
            yield self.decoded(text)

    def decoded(self, text):
        try:
            return _base64(text)
        except ValueError:
            raise TogetherError.refused(self.field, _NOT_BASE64) from None


_NOT_BASE64 = "must be a file as base64 text, a data URI, an http(s) URL or s3://..."


def _base64(text):
    return binascii.a2b_base64(text, strict_mode=True) if text else b""


def _data_uri(text, field, name):
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
            return _Base64(unquote(text[start:]), field, name)
        return _Base64(text, field, name, start)
    return _Bytes(unquote_to_bytes(text[start:]), field, name)


class _Text(Source):
    def __init__(self, text, field, name):
        super().__init__(field, name)
        self.text = text
        try:
            ascii = text.isascii()
            self.length = len(text) if ascii else sum(map(len, self._all()))
        except UnicodeEncodeError as error:
            problem = f"holds half of a character at {error.start}: it is no text"
            raise TogetherError.refused(field, problem) from None
        self.ranged = ascii

    def blocks(self, start=0):
        if not self.ranged:
            yield from super().blocks(start)
            return
        for place in range(start, len(self.text), BLOCK):
            yield self.text[place : place + BLOCK].encode()

    def _all(self):
        step = BLOCK // 4  # a character has up to four bytes
        for place in range(0, len(self.text), step):
            yield self.text[place : place + step].encode()


class _Rows(Source):
    """JSON Lines, written as they are needed."""

    def __init__(self, rows, field, name):
        super().__init__(field, name)
        self.rows = rows
        for number, row in enumerate(rows, 1):
            if not isinstance(row, dict):
                raise TogetherError.refused(field, f"row {number} must be an object")

    def _all(self):
        lines, size = [], 0
        for number, row in enumerate(self.rows, 1):
            try:
                text = json.dumps(
                    row, ensure_ascii=False, separators=(",", ":"), allow_nan=False
                )
                lines.append(text.encode())
            except UnicodeEncodeError:  # half of a surrogate pair
                lines.append(json.dumps(row, separators=(",", ":")).encode())
            except (ValueError, TypeError, RecursionError) as error:
                raise TogetherError.refused(
                    self.field, f"row {number} is no JSON: {error}"
                ) from None
            size += len(lines[-1]) + 1
            if size >= BLOCK:
                yield b"\n".join([*lines, b""])
                lines, size = [], 0
        if lines:
            yield b"\n".join([*lines, b""])

    def settled(self):
        if self.length is None:
            self.length = sum(map(len, self._all()))
        return self


def _unreadable(field, problem):
    return TogetherError(
        f"{field} cannot be read: {problem}",
        problems=[{"field": field, "problem": f"cannot be read: {problem}"}],
        ambiguous=False,
        advice="Check that the file is there and may be read, then run the step again.",
    )


def _spooled(source):
    """Return the source's content as a temporary file, which goes with the source."""
    handle = tempfile.NamedTemporaryFile(prefix="together-")  # noqa: SIM115 (kept)
    for block in source.blocks():
        handle.write(block)
    handle.flush()
    return temporary(handle, source.field, source.name)


def temporary(handle, field, name=None):
    """Return the Source of a NamedTemporaryFile, which goes when the source does."""
    return _File(None, field, name, handle)
