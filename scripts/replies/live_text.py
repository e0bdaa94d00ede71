"""Windmill's result stream: text that is shown while a job runs."""

from __future__ import annotations

import sys

from ..client.jsonio import mended
from ..client.resource import SHORTEST_KEY, without_key
from .harmless_text import HarmlessText


class LiveText:
    """Windmill's result stream: lines on stdout, see wmill.append_to_result_stream.

    The API key is not shown, also where it comes in pieces. Only where it does so in
    escapes of JSON, told as text, the lines hold these; the result does not.
    """

    def __init__(self, key: str = "") -> None:
        self.key = key
        self.half = ""
        self.pending = ""  # the end of what came, where the key may begin so
        # Windmill keeps the stream beside the result, as `wm_stream`.
        self.out = HarmlessText()

    def add(self, text: str) -> None:
        if self.half:
            text, self.half = self.half + text, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            self.half, text = text[-1], text[:-1]
        text = self.without_key(text)
        if text:
            if not text.isascii() or "\x00" in text:
                text = mended(text, [])
            self.write(self.out.add(text))

    def without_key(self, text: str) -> str:
        """Return the text so far without the key; an end that the key may begin with
        waits for what comes."""
        if len(self.key) < SHORTEST_KEY:
            return text
        text = str(without_key(self.key, self.pending + text))
        size = len(text)
        at = text.find(self.key[0], max(0, size + 1 - len(self.key)))
        while at >= 0 and not self.key.startswith(text[at:]):
            at = text.find(self.key[0], at + 1)
        self.pending = text[at:] if at >= 0 else ""
        return text[: size - len(self.pending)]

    def write(self, text: str) -> None:
        if text:
            if "\n" in text:
                text = text.replace("\n", "\\n")
            sys.stdout.write(f"WM_STREAM: {text}\n")
            sys.stdout.flush()

    def end(self) -> None:
        if self.half:
            half, self.half = self.half, ""
            self.add(half + "\ufffd")
        self.write(self.out.add(self.pending) + self.out.end())
        self.pending = ""
