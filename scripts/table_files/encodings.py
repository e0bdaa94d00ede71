"""Text as programs save it: UTF-8, UTF-16 and UTF-32 with or without a byte order mark,
and the code page of Western Europe, Windows-1252, in which Excel saves what it calls
CSV.

    texts         the text of blocks of bytes, block by block
    BadTextError  why bytes are no text

A file does not say which code page it is in, and any bytes are text in most of them:
what reads as no Western language would, is refused rather than read as something else.
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
HEAD_BYTES = 4096  # bytes by which the encoding of a text without a mark is detected
PIECE_BYTES = 1 << 16  # decoded at a time
# Letters beyond ASCII that follow one another. In a Western language most stand alone;
# in what is in fact Cyrillic, Greek or Chinese hardly one does.
_RUN = re.compile(rb"[\x8a\x8c\x8e\x9a\x9c\x9e\xc0-\xff]+")
# How many odd signs within words show, once a text was taken for Western, that it is not;
# and in how many pieces they are looked for.
SURE = 5
LOOKS = 8
_HIGH = re.compile(rb"[\x80-\xff]")
_UPPER, _LOWER = (
    rb"\x8a\x8c\x8e\x9f\xc0-\xd6\xd8-\xde",
    rb"\x9a\x9c\x9e\xdf-\xf6\xf8-\xff",
)
_WORD = b"A-Za-z" + _UPPER + _LOWER
# What no word of a Western language has, so that the text is not in Windows-1252: a
# sign between letters that is no apostrophe, dash or the like; the sign of the guilder
# before a letter; one letter between two low quotation marks (in fact kana); a sign
# before a word that opens none; a capital beyond ASCII within a word; or a sign beside
# a letter or sign, both beyond ASCII.
_SIGNS = rb"\x86-\x89\x98\xa2-\xa6\xa8\xaa\xac\xaf\xb1-\xb3\xb5\xb6\xb8-\xba\xbc-\xbe\xd7\xf7"
# Compiled at its first use: a job whose table is UTF-8 does not need it.
_WITHIN = (
    rb"(?<=[%(word)s])"
    rb"[%(signs)s\x80\x82\x84\x8b\x93-\x95\x99\x9b\xa1\xa7\xa9\xab\xae\xb0\xbb\xbf]"
    rb"(?=[%(word)s])"
    rb"|\x83(?=[%(word)s])|\x82[\x80-\xff]\x82"
    rb"|(?<![0-9%(word)s])[\x88\x98\xa3\xa5\xa8\xaa\xaf\xb2\xb3\xb8\xb9](?=[%(word)s])"
    rb"|(?<=[%(word)s])[%(upper)s](?=[a-z%(lower)s])|(?<=[a-z])[%(upper)s]"
    rb"|[%(signs)s](?=[%(signs)s%(upper)s%(lower)s])|(?<=[%(upper)s%(lower)s])[%(signs)s]"
    % {b"word": _WORD, b"signs": _SIGNS, b"upper": _UPPER, b"lower": _LOWER}
)
# Control characters that no text has: tabs, line ends and separators are not among
# them.
_CONTROLS = re.compile(rb"[\x02-\x08\x0e-\x19\x7f]")
_NO_BEGINNINGS = (*range(0x80, 0xC0), *range(0xF5, 0x100))  # of UTF-8
# Files that are no text, though much of them may read as one.
_NO_TEXT = (
    ".7z",
    ".rar",
    ".bz2",
    ".xz",
    ".tar",
    ".sqlite",
    ".arrow",
    ".avro",
    ".zst",
    ".ps",
    ".xls",
)


class BadTextError(ValueError):
    """Bytes that are no text; str() says why, as what follows a field's name."""


def texts(
    blocks: Iterable[bytes | memoryview],
    told: Callable[[str], None] | None = None,
    line: int = 1,
) -> Iterator[str]:
    """Yield the text of blocks of bytes, without its mark.

    `told` is called with the name of the encoding once it is known not to be UTF-8.
    Raises BadTextError, which names the line; `line` is the number of the first.
    """
    blocks = iter(blocks)
    head = b""
    for block in blocks:
        head += bytes(block)
        if len(head) >= HEAD_BYTES:
            break
    if not head:
        return
    from ..transfer.filetypes import WORDS, file_like  # what opened the file loads it

    if ending := file_like(head, *_NO_TEXT):
        raise BadTextError(f"is {WORDS[ending]}")
    encoding, mark = _encoding_by_mark(head)
    if encoding is None and (problem := _no_text(head[:HEAD_BYTES])):
        raise BadTextError(f"is {problem}")
    if encoding in (None, "utf-8"):
        yield from _bytewise(head[mark:], blocks, encoding, told, line)
        return
    if told:
        told(encoding.upper())
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in _small_pieces(head[mark:], blocks):
            text = decoder.decode(block)
            line += text.count("\n")
            yield text
        yield decoder.decode(b"", True)
    except UnicodeDecodeError:
        raise BadTextError(
            f"is not whole text in {encoding.upper()}: line {line}"
        ) from None


def _small_pieces(head: bytes, blocks: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Yield the head and the blocks in small pieces: their text may take four times the
    memory."""
    for block in chain([head], blocks):
        block = memoryview(block)
        for place in range(0, len(block), PIECE_BYTES):
            yield bytes(block[place : place + PIECE_BYTES])


def _encoding_by_mark(head: bytes) -> tuple[str | None, int]:
    """Return (encoding, length of its byte order mark) of a text with such a mark, or
    of one whose zeros show UTF-16 or UTF-32; else (None, 0)."""
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    if b"\0" in head[:HEAD_BYTES] and (wide := _wide_encoding(head[:HEAD_BYTES])):
        return wide, 0
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


def _wide_encoding(head: bytes) -> str | None:
    """Return the encoding of a text in UTF-32 or UTF-16 without a mark, in whatever
    language, by the zeros of its line ends; None for any other."""
    # ASCII with zeros in it is no UTF-16, though it may be read as such.
    names = ["utf-32-le", "utf-32-be"]
    if not head.isascii() or _CONTROLS.search(head):
        names += ["utf-16-le", "utf-16-be"]
    for name in names:
        size = int(name[4:6]) // 8
        cut = head[: len(head) // size * size]
        try:
            text = cut.decode(name)
        except UnicodeDecodeError as error:
            if error.reason != "unexpected end of data" or not error.start:
                continue
            text = cut[: error.start].decode(name)
        ends = text.count("\n") + text.count("\r")
        # Of these bytes some may be halves of other characters.
        seen = cut.count(b"\n") + cut.count(b"\r")
        if ends * 2 >= seen > 0 and not re.search("[\0-\x08\x0e-\x1f]", text):
            return name
    return None


def _no_text(head: bytes) -> str | None:
    """Say what bytes are that are no text, or None."""
    if re.search(rb"\x1b\$[@B]", head):
        return "text in ISO-2022-JP: save it as UTF-8"
    binary = len(_CONTROLS.findall(head)) * 20 > len(head)
    if not binary and head[0] not in _NO_BEGINNINGS:
        return None
    from ..transfer.filetypes import kind_of  # only for what is no text

    kind = kind_of(head)
    if kind:
        return f"no text but {kind}"
    return "a binary file and no text" if binary else None


def _bytewise(
    head: bytes,
    blocks: Iterable[bytes | memoryview],
    encoding: str | None,
    told: Callable[[str], None] | None,
    line: int,
) -> Iterator[str]:
    """Yield the text of UTF-8, or of Windows-1252 where the first character beyond
    ASCII shows that it is that. Before it both are the same."""
    rest, looks = b"", LOOKS
    for block in _small_pieces(head, blocks):
        data = rest + block if rest else block
        rest = b""
        if encoding == "cp1252":
            looks -= looks > 0 and not data.isascii()
            text = _western(data, line, SURE if looks else 0)
        else:
            try:
                text = data.decode()
            except UnicodeDecodeError as error:
                if error.reason == "unexpected end of data" and error.end == len(data):
                    data, rest = data[: error.start], data[error.start :]
                    text = data.decode()
                elif encoding or not data[: error.start].isascii():
                    place = line + data.count(b"\n", 0, error.start)
                    raise _unknown_encoding(place) from None
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
            raise _unknown_encoding(line)
        yield _western(rest, line)
        if told:
            told("Windows-1252")


def _western(data: bytes, line: int, least: int = 1) -> str:
    """Return the text of bytes in Windows-1252, or raise BadTextError."""
    letters = alone = 0
    for run in _RUN.findall(data):
        letters += len(run)
        alone += len(run) if len(run) <= 2 and not _pair(run) else 0
    if (letters and alone * 2 < letters) or (least and _misread(data, least)):
        place = next(_HIGH.finditer(data)).start()
        raise _unknown_encoding(line + data.count(b"\n", 0, place))
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError as error:
        raise _unknown_encoding(line + data.count(b"\n", 0, error.start)) from None


def _misread(data: bytes, least: int) -> bool:
    """Say whether bytes are probably in another code page than Windows-1252: read so,
    they have at least `least` signs within words, or letters side by side that no
    Western language has both of."""
    odd = len(re.findall(_WITHIN, data))
    if odd >= least and odd * 10 > len(_HIGH.findall(data)):
        return True
    letters = b"".join(_RUN.findall(data)).decode("cp1252", "replace").lower()
    if len(letters) < 3:
        return False

    def share(signs: str) -> float:
        return sum(map(letters.count, signs)) / len(letters)

    # What Turkish, Baltic, Czech, Croatian and Hungarian letters look like when they are
    # read as Windows-1252.
    if share("þð") > 0.1:
        return share("çüëèûàâîïê") > 0.1
    if share("šž") > 0.1 or share("ø") > 0.1:
        return share("èìùò") > 0.1 or (share("šž") > 0.1 and share("æðø") > 0.1)
    if share("áéíóúöüõû") < 0.95 or share("áéíóú") < 0.15:
        return False
    # Portuguese has õ before e alone.
    alone = len(re.findall(rb"\xf5(?![e\xeb])|\xd5(?![E\xcb])", data)) / len(letters)
    return alone > 0.08 or (share("õû") > 0.08 and share("öü") > 0.08)


def _pair(run: bytes) -> bool:
    """Say whether two letters are rather one character in a Chinese or Japanese code
    page."""
    return len(run) == 2 and run.decode("cp1252", "replace").lower() not in _PAIRS


# Pairs of letters beyond ASCII that stand side by side in Western words.
_TWO = (
    "ééèéäöööüüåääåááãõçãçõîïôïïéáííáóííóößüßäßßäßüåööååøøåøøææðí"
    "íððóóðæðáððáíþþýýðúðóþþóää"
)
_PAIRS = frozenset(_TWO[n : n + 2] for n in range(0, len(_TWO), 2))


def _unknown_encoding(line: int) -> BadTextError:
    return BadTextError(
        f"is not text in UTF-8: line {line} (in Excel, save it as CSV UTF-8)"
    )
