"""Whether a file comes to its own end, told by what it holds.

Some servers do not say how many bytes they send and end them by closing the connection,
which a cut does as well. Many kinds of file say themselves where they end.
"""

from __future__ import annotations

import json
import struct
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HEAD = 16  # bytes by which the kind of file is known
TAIL = 66_000  # bytes: a zip archive's end with the longest comment fits
PIECE = 1 << 20  # bytes that are unpacked at a time
SLICE = 1 << 13  # bytes given to unpack: what a short member leaves of them is copied
# How a kind begins, and what stands near its end.
MARKS = (
    (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"),
    (b"\xff\xd8\xff", b"\xff\xd9"),
    (b"GIF8", b";"),
    (b"%PDF-", b"%%EOF"),
    (b"PAR1", b"PAR1"),
)
NEAR = 1024  # bytes at the end in which a mark stands, where it is not at the very end
PNG, JPEG = MARKS[0][0], MARKS[1][0]
BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")  # of MP4 and its like
TELLING = (b"mdat", b"moov", b"meta", b"moof")  # boxes that tell what is there
UNSURE = 0x7FFF0000  # a size from which on it was not known when it was written


class FileEnd:
    """Told a file's bytes as they come, it knows at the end whether all were there."""

    def __init__(self) -> None:
        self.size = 0
        self.head = self.tail = b""
        self.begun = b""  # as much of the beginning as of the end
        self.ends: int | None = None  # of the boxes, or the chunk, so far
        self.box = b""  # the head of one that has not come whole
        self.boxes: set[bytes] = set()
        self.picture: Any = None
        self.unpacker: Any = None

    def take(self, piece: bytes) -> None:
        """Note the next bytes."""
        if len(self.begun) < TAIL:
            self.begun += piece[: TAIL - len(self.begun)]
        if len(self.head) < HEAD:
            first = self.head
            self.head = (first + piece)[:HEAD]
            if len(self.head) < HEAD:
                self.size += len(piece)
                self.tail += piece
                return
            self.begin()
            piece = self.tail + piece
            self.size, self.tail = 0, b""
        if self.unpacker:
            self.unpack(piece)
        if self.head[4:8] in BOXES:
            self.walk(piece)
        if self.picture:
            self.picture.take(piece)
        self.size += len(piece)
        self.tail = piece[-TAIL:] if len(piece) >= TAIL else (self.tail + piece)[-TAIL:]

    def begin(self) -> None:
        if self.head.startswith(b"\x1f\x8b"):
            self.unpacker = zlib.decompressobj(wbits=31)
        elif self.head.startswith((PNG, JPEG)):
            self.picture = PictureEnd(self.head.startswith(PNG))
        elif self.head.startswith((b"RIFF", b"FORM")):
            (size,) = struct.unpack(
                "<I" if self.head[:1] == b"R" else ">I", self.head[4:8]
            )
            self.ends = size + 8 if 0 < size < UNSURE else None

    def unpack(self, whole: bytes) -> None:
        """Follow a gzip file to the end of its last member."""
        for start in range(0, len(whole), SLICE):
            if self.unpacker:
                self.unpack_slice(whole[start : start + SLICE])

    def unpack_slice(self, piece: bytes) -> None:
        try:
            while piece:
                if self.unpacker.eof:
                    piece = piece.lstrip(b"\0")
                    if not piece:
                        return
                    self.unpacker = zlib.decompressobj(wbits=31)
                self.unpacker.decompress(piece, PIECE)
                piece = self.unpacker.unconsumed_tail or self.unpacker.unused_data
        except zlib.error:  # whether it is whole, a broken file does not tell
            self.unpacker = None

    def walk(self, piece: bytes) -> None:
        """Go from box to box: each begins with its size."""
        start = self.size - len(self.box)
        piece = self.box + piece
        self.box = b""
        place = (self.ends or 0) - start
        while 0 <= place < len(piece):
            left = len(piece) - place
            size, name = (
                struct.unpack_from(">I4s", piece, place) if left >= 8 else (1, b"")
            )
            if size == 1 and left < 16:  # the size stands behind the name
                self.box = piece[place:]
                break
            if size == 1:
                (size,) = struct.unpack_from(">Q", piece, place + 8)
            if name in TELLING:
                self.boxes.add(name)
            # 0: up to the end of the file, wherever that is.
            place = place + size if size >= 8 else -1 - start
        self.ends = start + place

    def is_whole(self) -> bool | None:
        """Say whether the file came to its end; None: it does not tell."""
        if self.unpacker:
            return bool(self.unpacker.eof)
        if self.head[4:8] in BOXES:
            return self.is_boxed()
        if self.head.startswith(b"PK\x03\x04"):
            last = self.tail[max(0, self.tail.rfind(b"PK\x05\x06")) :]
            found = last.startswith(b"PK\x05") and len(last) >= 22
            return found and len(last) >= 22 + struct.unpack("<H", last[20:22])[0]
        if self.ends is not None:
            return self.size >= self.ends
        if self.picture and not self.picture.lost:
            return self.picture.ended  # whatever follows: phones put a clip there
        for begins, mark in MARKS:
            if self.head.startswith(begins):
                near = self.tail[-NEAR:]
                if mark == b";":
                    return near.rstrip(b"\0\r\n").endswith(mark)
                return self.size > len(begins) and mark in near
        return self.is_json()

    def is_boxed(self) -> bool | None:
        """Say whether MP4 or its like is whole: the facts and the media, in boxes."""
        if self.ends == -1 or b"moof" in self.boxes:
            return None  # fragments may follow one another without end
        media = b"mdat" in self.boxes and self.boxes & {b"moov", b"meta"}
        return bool(media) and not self.box and self.ends == self.size

    def is_json(self) -> bool | None:
        """Say whether JSON, or the last of its lines, is whole."""
        if self.size <= len(self.tail) and _is_json(self.tail):
            # Lines of JSON may have ended behind the first; a text over lines has not.
            lines = self.tail.strip().count(b"\n")
            return True if lines or self.head.lstrip()[:1] == b"[" else None
        first, _, more = self.begun.partition(b"\n")
        if not more or not _is_json(first):
            return None
        last = self.tail.rstrip().rpartition(b"\n")[2]
        # A line that is longer than what was kept of it does not tell.
        told = len(last) < len(self.tail)
        return False if told and not _is_json(last) else None


class PictureEnd:
    """Told the bytes of a PNG or JPEG as they come, it knows whether its end was among
    them, however much follows.

    Both are made of parts that say how long they are. What may be a picture of a
    picture within one, a preview, is passed over with it.
    """

    def __init__(self, is_png: bool) -> None:
        self.is_png = is_png
        self.ended = False
        self.skip = len(PNG) if is_png else 2  # bytes up to the next part
        self.kept = b""  # the beginning of a part that has not come whole
        self.lost = self.in_scan = False

    def take(self, piece: bytes) -> None:
        """Note the next bytes."""
        piece, place = self.kept + piece, self.skip
        self.kept = b""
        part = self.chunk if self.is_png else self.segment
        while place < len(piece) and not (self.ended or self.lost):
            if self.in_scan:
                # In the coded picture itself nothing but the end is written so.
                self.ended = piece.find(b"\xff\xd9", place) >= 0
                self.kept = b"\xff" if piece.endswith(b"\xff") else b""
                place = len(piece)
            elif len(piece) - place < (12 if self.is_png else 4):
                self.kept = piece[place:]
                place = len(piece)
            else:
                place += part(piece, place)
        self.skip = place - len(piece)

    def chunk(self, piece: bytes, place: int) -> int:
        """Return the length of a part of a PNG, which begins with it."""
        size, name = struct.unpack_from(">I4s", piece, place)
        self.ended = name == b"IEND"
        self.lost = not name.isalpha()
        return int(size) + 12

    def segment(self, piece: bytes, place: int) -> int:
        """Return the length of a part of a JPEG, which begins with its mark."""
        begin, mark, size = struct.unpack_from(">BBH", piece, place)
        self.lost = begin != 0xFF
        if mark == 0xFF:  # to fill
            return 1
        self.in_scan = mark == 0xDA
        alone = mark in (0x01, *range(0xD0, 0xDA))
        return 2 if alone else int(size) + 2


def is_soundless(data: bytes) -> bool:
    """Say whether a whole file of sound has none in it: a WAV without samples, an MP3
    that is only its tag."""
    if tag := id3_size(data):
        return not data[tag:].removeprefix(b"3DI" + data[3:10])
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return False
    place = 12
    while place + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, place)
        if name == b"data":
            # Who writes it while it is made may leave its size 0.
            return len(data) == place + 8
        place += 8 + size + size % 2
    return True


def id3_size(data: bytes) -> int:
    """Return how many bytes the tag takes, by its own word, that an MP3 begins with; 0
    where it has none."""
    if data[:3] != b"ID3" or len(data) < 10:
        return 0
    size = 0
    for byte in data[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _is_json(text: bytes) -> bool:
    """Say whether a text is a JSON object or list."""
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False
