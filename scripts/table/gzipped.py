"""Tables compressed with gzip: decompressed while they are read, compressed while they
are sent.

A few bytes may decompress to any number of them, so the output is bounded.
"""

from __future__ import annotations

import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..client import TogetherError
    from ..shapes import Readable

MOST_BYTES = 16 << 30  # of a table
PIECE = 1 << 20  # bytes that are unpacked at a time
PACKED_PIECE = 1 << 15  # compressed bytes that are taken for it


def unpacked(
    blocks: Iterable[bytes | memoryview],
    refused: Callable[[str], TogetherError],
    most: int = MOST_BYTES,
) -> Iterator[bytes]:
    """Yield what blocks of gzip hold, of all its members one after the other. Raises
    what `refused` makes of a reason."""
    unpacker = zlib.decompressobj(wbits=31)
    size = 0
    begun = False  # a member, of which there is more
    for rest in _small_pieces(blocks):
        while rest:
            if unpacker.eof:
                rest = rest.lstrip(b"\0")  # with which some files are filled up
                if not rest:
                    break
                unpacker = zlib.decompressobj(wbits=31)
            try:
                piece = unpacker.decompress(rest, PIECE)
            except zlib.error:
                raise refused("is compressed with gzip and broken") from None
            begun = not unpacker.eof
            rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            size += len(piece)
            if size > most:
                raise refused(f"holds more than {most >> 20} MiB once it is unpacked")
            if piece:
                yield piece
    while begun and (piece := unpacker.decompress(unpacker.unconsumed_tail, PIECE)):
        size += len(piece)
        yield piece
    if begun and not unpacker.eof:
        raise refused("is compressed with gzip and cut off")


def _small_pieces(blocks: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Yield blocks in small pieces: zlib copies what is left of one for each member,
    of which a block may hold many."""
    for block in blocks:
        view = memoryview(block)
        for place in range(0, len(view), PACKED_PIECE):
            yield bytes(view[place : place + PACKED_PIECE])


class Packed:
    """The bytes of a readable, compressed while they are read, so that their number is
    not known before. The same input gives the same bytes: no time or name is in
    them."""

    def __init__(self, source: Readable) -> None:
        self.source = source
        self.packer = zlib.compressobj(wbits=31)
        self.ended = False
        self.left = b""

    def read(self, size: int = PIECE, /) -> bytes:
        """Return up to size bytes, b"" at the end."""
        while not self.left and not self.ended:
            block = self.source.read(PIECE)
            self.ended = not block
            self.left = self.packer.compress(block) if block else self.packer.flush()
        piece, self.left = self.left[:size], self.left[size:]
        return piece
