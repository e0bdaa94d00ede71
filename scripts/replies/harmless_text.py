"""A text that leaves piece by piece, without references of Windmill: see
scripts/client/references.py."""

from __future__ import annotations

import re

from ..client.references import JOB, REACH, spaced

# The end of a piece of text that may be the beginning of a reference.
_OPEN = re.compile(rf"[$\\][$\\A-Za-z0-9]{{0,{REACH}}}\Z")


class HarmlessText:
    """A text that leaves piece by piece, harmless as a whole."""

    def __init__(self) -> None:
        self.pending = ""
        self.released = False
        self.count = 0

    def add(self, piece: str) -> str:
        """Return what can leave of the text so far."""
        text = self.pending + piece
        end = len(text)
        if "$" in text or "\\" in text:
            found = _OPEN.search(text, max(0, end - REACH - 1))
            if found:
                end = found.start()
        self.pending = text[end:]
        return self._release(text[:end])

    def end(self) -> str:
        """Return the rest."""
        text, self.pending = self.pending, ""
        return self._release(text)

    def _release(self, text: str) -> str:
        if not text:
            return ""
        whole = text
        if "$" in text or "\\" in text:
            whole = spaced(text)
            if not self.released and whole.startswith(JOB):
                whole = f"$ {whole[1:]}"
            self.count += whole != text
        self.released = True
        return whole
