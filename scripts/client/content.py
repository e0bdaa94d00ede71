"""What the content of a message says, whatever its form.

read_content   (text, thinking) of a text, of parts, or of data
words_of       the text of a text, of a part, or of a list of them
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Json, Members

DEEPEST_PART = 8  # levels of the parts of a message
SPOKEN = ("text", "thinking", "reasoning", "summary", "content", "refusal", "value")


def read_content(content: Json) -> tuple[str, str | None]:
    """Return (text, thinking or None) of a message's content: parts are joined; data,
    which is no part of a message, is its JSON."""
    if isinstance(content, str):
        return content, None
    if content is None or content == {}:
        return "", None
    parts = content if isinstance(content, list) else [content]
    if isinstance(content, list):
        data = not any(map(_is_part, parts)) and any(parts)
    else:
        data = not _has_kind(content)
    if data:
        return json.dumps(content, ensure_ascii=False), None
    texts: list[str] = []
    thoughts: list[str] = []
    for part in parts:
        thinks = isinstance(part, dict) and _is_thought(part)
        (thoughts if thinks else texts).append(words_of(part))
    return "".join(texts), "".join(thoughts) or None


def _is_part(value: Json) -> bool:
    """Say whether a member of a list is a part of a message, and no data."""
    if isinstance(value, dict) and "type" not in value:
        return "text" in value
    return _has_kind(value) or (isinstance(value, str) and bool(value))


def _has_kind(value: Json) -> bool:
    """Say whether a value is a part that says of what kind it is, however empty."""
    if not isinstance(value, dict):
        return False
    return value.get("type") in TEXTS or _is_thought(value)


TEXTS = ("text", "output_text", "input_text", "refusal")


def _is_thought(part: Members) -> bool:
    kind = str(part.get("type"))
    return "thinking" in kind or "reasoning" in kind


def words_of(value: Json, depth: int = 0) -> str:
    """Return the text of a text, of a part that has one, or of a list of them."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and depth < DEEPEST_PART:
        return "".join(words_of(one, depth + 1) for one in value)
    if isinstance(value, dict) and depth < DEEPEST_PART:
        found = (words_of(value.get(name), depth + 1) for name in SPOKEN)
        return next(filter(None, found), "")
    return ""
