"""A file that comes in parts, each at an address of its own."""

from __future__ import annotations

from ..client import TogetherError
from ..client.jsonio import finite
from ..client.transport import byte_count
from ..download.download import Download, Peekable, open_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Auth, Json, Members


class FileParts(Peekable):
    """A readable of such a file; `parts` are as the answer lists them."""

    name = content_type = ""

    def __init__(self, parts: Json, auth: Auth, length: int | None) -> None:
        self.parts = _parts_in_order(parts)
        self.auth, self.length = auth, length
        self.position = 0
        self.note = ""
        self.source: Download | None = None

    def fresh(self, size: int) -> bytes:
        while self.source or self.parts:
            if self.source is None:
                part = self.parts.pop(0)
                headers = part.get("headers") or {}
                if not isinstance(headers, dict):
                    raise _parts_error("The headers of a part are no object.")
                self.source = open_url(
                    part["url"],
                    self.auth,
                    "the address of a part",
                    headers,
                    byte_count(str(part.get("sizeBytes") or "")),
                )
            if piece := self.source.read(size):
                self.position += len(piece)
                return piece
            self.note = self.note or self.source.note
            self.source = None
        if self.length not in (None, self.position):
            raise TogetherError(
                f"The parts have {self.position} bytes where {self.length} were "
                "announced.",
                type="wrong_length",
                advice="Run the step again; if it stays so, tell Together's support.",
            )
        return b""

    def close(self) -> None:
        if self.source is not None:
            self.source.close()


def _parts_in_order(parts: Json) -> list[Members]:
    """Return the parts of a file by their numbers, as they came where they have none.
    Raises TogetherError where one is missing, or there twice."""
    if not isinstance(parts, list) or not parts:
        raise _parts_error("The answer does not list the parts of the file.")
    known = [p for p in parts if isinstance(p, dict) and isinstance(p.get("url"), str)]
    numbers = [finite(part.get("partNumber")) for part in known]
    if len(known) == len(parts) and not any(n is not None for n in numbers):
        return known
    order = sorted(n for n in numbers if n is not None)
    first = order[0] if order and order[0] in (0, 1) else 1
    if order != list(range(int(first), int(first) + len(parts))):
        raise _parts_error(
            f"The {len(parts)} parts of the file do not follow one another: "
            f"{', '.join(f'{n:g}' for n in order[:20]) or 'they have no numbers'}."
        )
    return sorted(known, key=lambda part: finite(part["partNumber"]) or 0)


def _parts_error(words: str) -> TogetherError:
    return TogetherError(
        words,
        type="invalid_answer",
        advice="Run the step again; if it stays so, tell Together's support.",
    )
