"""Text as programs save it: UTF-8, UTF-16 and UTF-32 with or without a mark, and the
code page of Western Europe, Windows-1252, in which Excel saves what it calls CSV.

    texts         the text of blocks of bytes, block by block
    BadTextError  why bytes are no text
"""

from __future__ import annotations

import codecs
import re
from itertools import chain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
HEAD_BYTES = 4096  # what the encoding of a text without a mark is told by
PIECE_BYTES = 1 << 16  # that are decoded at a time
# Letters beyond ASCII that follow one another. In a Western language most stand alone;
# in what is in fact Cyrillic, Greek or Chinese hardly one does.
_RUN = re.compile(rb"[\x8a\x8c\x8e\x9a\x9c\x9e\xc0-\xff]+")


class BadTextError(ValueError):
    """Bytes that are no text; str() says why, to be read behind a field's name."""


def texts(
    blocks: Iterable[bytes | memoryview], told: Callable[[str], None] | None = None
) -> Iterator[str]:
    """Yield the text of blocks of bytes, without its mark.

    `told` is called with the name of the encoding once it is known not to be UTF-8.
    Raises BadTextError, which names the line.
    """
    blocks = iter(blocks)
    head = b""
    for block in blocks:
        head += bytes(block)
        if len(head) >= HEAD_BYTES:
            break
    if not head:
        return
    encoding, mark = _marked(head)
    if encoding in (None, "utf-8"):
        yield from _bytewise(head[mark:], blocks, encoding, told)
        return
    if told:
        told(encoding.upper())
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    try:
        for block in _then(head[mark:], blocks):
            text = decoder.decode(block)
            line += text.count("\n")
            yield text
        yield decoder.decode(b"", True)
    except UnicodeDecodeError:
        raise BadTextError(
            f"is not whole text in {encoding.upper()}: line {line}"
        ) from None


def _then(head: bytes, blocks: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Yield bytes in pieces that are small: their text may take four times as much."""
    for block in chain([head], blocks):
        block = memoryview(block)
        for place in range(0, len(block), PIECE_BYTES):
            yield bytes(block[place : place + PIECE_BYTES])


def _marked(head: bytes) -> tuple[str | None, int]:
    """Return (encoding or None, length of its mark)."""
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    if len(head) < 6 or (len(head) < HEAD_BYTES and len(head) % 2):
        return None, 0
    # Every other byte of UTF-16 is zero where the text is mostly ASCII.
    head = head[: min(len(head), HEAD_BYTES) // 2 * 2]
    even, odd = head[::2].count(0), head[1::2].count(0)
    most = len(head) // 2
    if odd * 2 > most and even * 4 < most:
        return "utf-16-le", 0
    if even * 2 > most and odd * 4 < most:
        return "utf-16-be", 0
    return None, 0


def _bytewise(
    head: bytes,
    blocks: Iterable[bytes | memoryview],
    encoding: str | None,
    told: Callable[[str], None] | None,
) -> Iterator[str]:
    """Yield the text of UTF-8; of Windows-1252 where the first sign beyond ASCII shows
    that it is that. What came before is the same in both."""
    line, rest = 1, b""
    for block in _then(head, blocks):
        data = rest + block if rest else block
        rest = b""
        if encoding == "cp1252":
            text = _western(data, line)
        else:
            try:
                text = data.decode()
            except UnicodeDecodeError as error:
                if error.reason == "unexpected end of data" and error.end == len(data):
                    data, rest = data[: error.start], data[error.start :]
                    text = data.decode()
                elif encoding or not data[: error.start].isascii():
                    place = line + data.count(b"\n", 0, error.start)
                    raise _unknown(place) from None
                else:
                    text = _western(data, line)
                    encoding = "cp1252"
                    if told:
                        told("Windows-1252")
        if encoding is None and not text.isascii():
            encoding = "utf-8"
        line += data.count(b"\n")
        yield text
    if rest:
        if encoding:
            raise _unknown(line)
        yield _western(rest, line)


def _western(data: bytes, line: int) -> str:
    """Return the text of bytes in Windows-1252, or raise BadTextError."""
    letters = alone = 0
    for run in _RUN.findall(data):
        letters += len(run)
        alone += len(run) if len(run) <= 2 and not _pair(run) else 0
    if letters and alone * 2 < letters:
        place = next(_RUN.finditer(data)).start()
        raise _unknown(line + data.count(b"\n", 0, place))
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError as error:
        raise _unknown(line + data.count(b"\n", 0, error.start)) from None


def _pair(run: bytes) -> bool:
    """Say whether two letters are rather one sign of a Chinese or Japanese code."""
    return len(run) == 2 and run.decode("cp1252", "replace").lower() not in _PAIRS


# Letters beyond ASCII that follow one another in Western words, two by two.
_TWO = (
    "ééèéäöööüüåääåááãõçãçõîïôïïéáííáóííóößüßäßßäßüåööååøøåøøææðí"
    "íððóóðæðáððáíþþýýðúðóþþóää"
)
_PAIRS = frozenset(_TWO[n : n + 2] for n in range(0, len(_TWO), 2))


def _unknown(line: int) -> BadTextError:
    return BadTextError(
        f"is not text in UTF-8: line {line} (in Excel, save it as CSV UTF-8)"
    )
