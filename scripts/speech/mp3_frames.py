"""Joins MP3 files to one.

Each may begin with a tag (ID3v2), and then with a frame that is no sound, but says how
many frames follow (Xing, Info): amid a joined file that would be wrong, and a player
would end there.

https://id3.org/id3v2.4.0-structure, http://www.mp3-tech.org/programmer/frame_header.html,
http://gabriel.mp3-tech.org/mp3infotag.html (Xing and Info)
"""

from __future__ import annotations

import struct

from ..download.file_end import id3_size

# kbit/s by the header's index, of layer III of MPEG 1, and of MPEG 2 and 2.5.
RATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
RATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
# Samples a second by version: MPEG 1, 2 and 2.5.
SAMPLES = {
    3: (44100, 48000, 32000),
    2: (22050, 24000, 16000),
    0: (11025, 12000, 8000),
}
TOLD = 3  # flags of an Info frame that has the numbers of frames and bytes


def joined_frames(parts: list[bytes]) -> bytes:
    """Return MP3 files as one, with the first's tag. Where the first says how long it
    is, so does the whole, unless the frames of a part cannot be counted."""
    begin = _tag_size(parts[0])
    sounds: list[bytes] = []
    counts: list[int] = []
    kinds: set[int] = set()
    info = b""
    for part in parts:
        frames = part[_tag_size(part) :]
        size = _info_size(frames)
        if not sounds:
            info = frames[:size]
        frames = frames[size:]
        count, end = _count_frames(frames, kinds)
        # What is cut short behind the last whole frame would take the next part's first.
        sounds.append(frames[:end] if count else frames)
        counts.append(count)
    sound = b"".join(sounds)
    if info and all(counts) and len(kinds) == 1:
        info = _info(info, sum(counts), len(info) + len(sound))
    else:
        info = b""
    return parts[0][:begin] + info + sound


def _tag_size(data: bytes) -> int:
    """Return how many bytes the tag takes that an MP3 begins with; 0 for one that says
    it is longer than the file."""
    size = id3_size(data)
    return size if size < len(data) else 0


def _frame_size(data: bytes, place: int = 0) -> int:
    """Return how many bytes a frame of layer III takes; 0 where none begins there."""
    if len(data) < place + 4 or data[place] != 0xFF or data[place + 1] & 0xE6 != 0xE2:
        return 0
    version = data[place + 1] >> 3 & 3
    rate, samples = data[place + 2] >> 4, data[place + 2] >> 2 & 3
    if version == 1 or rate in (0, 15) or samples == 3:
        return 0
    padding = data[place + 2] >> 1 & 1
    if version == 3:
        return 144_000 * RATES_1[rate] // SAMPLES[version][samples] + padding
    return 72_000 * RATES_2[rate] // SAMPLES[version][samples] + padding


def _info_place(frames: bytes) -> int:
    """Return where the first frame has the word Info or Xing, if it has one."""
    mono = frames[3] >> 6 == 3
    if frames[1] >> 3 & 3 == 3:
        return 21 if mono else 36
    return 13 if mono else 21


def _info_size(frames: bytes) -> int:
    """Return how many bytes a first frame takes that says how many follow."""
    size = _frame_size(frames)
    if not size:
        return 0
    place = _info_place(frames)
    words = {frames[at : at + 4] for at in (place, place + 2)}  # behind a checksum
    tells = words & {b"Info", b"Xing"} or frames[36:40] == b"VBRI"
    return size if tells and size >= place + 16 else 0


def _info(frame: bytes, count: int, size: int) -> bytes:
    """Return such a frame, with the header of another, for so many frames and bytes."""
    header = bytes((frame[0], frame[1] | 1, *frame[2:4]))  # without a checksum
    told = struct.pack(">4sIII", b"Xing", TOLD, count, size)
    return (header.ljust(_info_place(frame), b"\0") + told).ljust(len(frame), b"\0")


def _count_frames(frames: bytes, kinds: set[int]) -> tuple[int, int]:
    """Return (how many whole frames there are, where they end), and add their kinds,
    which differ in how long a frame sounds; (0, 0) where something else stands among
    them. A tag behind them (ID3v1) is left out."""
    place = count = 0
    while place < len(frames) and frames[place : place + 3] != b"TAG":
        size = _frame_size(frames, place)
        if not size and len(frames) - place >= 4:
            return 0, 0
        if not size or place + size > len(frames):
            break
        kinds.add(frames[place + 1] & 0x18 | frames[place + 2] >> 2 & 3)
        place, count = place + size, count + 1
    return count, place
