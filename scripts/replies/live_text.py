"""Windmill's result stream: text that is shown while a job runs."""

from __future__ import annotations

import sys

from ..client.jsonio import mended
from .harmless_text import HarmlessText


class LiveText:
    """Windmill's result stream: lines on stdout, see wmill.append_to_result_stream."""

    def __init__(self) -> None:
        self.half = ""
        # Windmill keeps the stream beside the result, as `wm_stream`.
        self.out = HarmlessText()

    def add(self, text: str) -> None:
        if self.half:
            text, self.half = self.half + text, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            self.half, text = text[-1], text[:-1]
        if text:
            if not text.isascii() or "\x00" in text:
                text = mended(text, [])
            self.write(self.out.add(text))

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
        self.write(self.out.end())
