"""Subtitles of a recording: SubRip and WebVTT."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..shapes import Members


SIGNS_A_SECOND = 15  # characters that are spoken, where nothing says when they end
LINE = 84  # characters of a subtitle: two lines of 42


def subtitles(segments: list[Members], kind: str) -> str:
    """Return segments as SubRip ("srt") or WebVTT ("vtt") text.

    A segment too long for two lines is cut into several, its time shared out by length.
    https://www.w3.org/TR/webvtt1/
    """
    mark = "," if kind == "srt" else "."
    blocks = []
    for segment, start, end in _with_times(segments):
        pieces = cut_text(segment["text"], LINE)
        total = sum(map(len, pieces))
        for number, piece in enumerate(pieces):
            share = (end - start) * len(piece) / total
            text = piece
            if "speaker" in segment and number == 0:
                speaker = " ".join(str(segment["speaker"]).split())
                text = f"{speaker}: {piece}"
            if kind == "vtt":
                text = text.replace("&", "&amp;").replace("<", "&lt;")
                # An arrow begins times, wherever in a line it stands.
                text = text.replace("-->", "--&gt;")
            times = f"{_clock(start, mark)} --> {_clock(start + share, mark)}"
            blocks.append(f"{times}\n{text}\n")
            start += share
    if kind == "srt":
        return "\n".join(f"{n}\n{block}" for n, block in enumerate(blocks, 1))
    return "WEBVTT\n\n" + "\n".join(blocks)


def _with_times(segments: list[Members]) -> Iterator[tuple[Members, float, float]]:
    """Yield (segment, start, end) of the segments with words. A missing time is taken
    from the neighbour, or guessed by the length of the words. Where no segment has an
    end, nothing is yielded."""
    spoken = [segment for segment in segments if segment["text"]]
    if all(s["end"] is None for s in spoken):
        return
    last = 0.0
    for number, segment in enumerate(spoken):
        start, end = segment["start"], segment["end"]
        start = last if start is None else start
        if end is None or end < start:
            after = spoken[number + 1]["start"] if number + 1 < len(spoken) else None
            guess = start + len(segment["text"]) / SIGNS_A_SECOND
            end = guess if after is None else max(start, after)
        last = end
        yield segment, start, end


def _clock(seconds: float, mark: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{milliseconds:03}"


def cut_text(text: str, most: int) -> list[str]:
    """Return a text in pieces of at most so many characters, cut between words, or
    within one that is longer than a piece."""
    pieces, line = [], ""
    for word in re.split(r"\s+|(?<=[\uff0c\u3001\uff1b])", text.strip()):
        gap = "" if line[-1:] in ("\uff0c", "\u3001", "\uff1b") else " "
        if line and len(line) + len(gap) + len(word) > most:
            pieces.append(line)
            line = ""
        starts = range(0, max(len(word), 1), most)
        *whole, rest = (word[place : place + most] for place in starts)
        pieces += whole
        line = f"{line}{gap}{rest}" if line else rest
    return [*pieces, line] if line else pieces
