"""The togetherai resource: the API key, and where the requests go."""

from __future__ import annotations

import re
from typing import NotRequired, TypedDict
from urllib.parse import urlsplit

from .errors import TogetherError
from .references import is_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Json

HOST = "https://api.together.ai"
SHORTEST_KEY = 8  # characters; a sandbox takes any key, "x" too


class togetherai(TypedDict):
    """The Windmill resource that holds the API key, and an optional base URL."""

    api_key: str
    base_url: NotRequired[str]


def credentials(auth: Json, host: str) -> tuple[str, str]:
    """Return the key and the base: scheme, host and path before /v1, /v2 or /v3."""
    if not isinstance(auth, dict):
        raise _refusal(
            "auth",
            "must be a togetherai resource: choose one in the form; a flow or schedule "
            "passes its path behind $res and a colon",
        )
    for name in ("api_key", "base_url"):
        if isinstance(auth.get(name), str) and is_word(auth[name]):
            raise _refusal(
                f"auth.{name}",
                "is a reference that Windmill did not resolve: choose the resource "
                "itself, and make sure that its variable exists and that whoever runs "
                "this may read it; auth.api_key must be the API key",
            )
    key = auth.get("api_key")
    key = key.strip() if isinstance(key, str) else ""
    if not key:
        words = "is empty: open the togetherai resource and paste the API key"
        raise _refusal("auth.api_key", words)
    if not (key.isascii() and key.isprintable()) or " " in key:
        words = "holds characters that no API key has: paste it again"
        raise _refusal("auth.api_key", words)
    base = auth.get("base_url") or ""
    base = base.strip().rstrip("/") or host if isinstance(base, str) else ""
    if not _is_base(base):
        raise _refusal(
            "auth.base_url",
            "must look like https://host or https://host/v1; leave it empty for "
            "Together's own service",
        )
    scheme, _, rest = base.partition(":")  # which tells whether the key goes by TLS
    base = f"{scheme.lower()}:{rest}"
    return key, re.sub(r"/v[123]$", "", base).rstrip("/")


def _refusal(field: str, words: str) -> TogetherError:
    return TogetherError.refused(
        field, words, advice="Correct the resource and run the step again."
    )


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
        named = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    written = url.isascii() and url.isprintable() and not set(url) & set(" @?#\\")
    # What comes behind the version is an operation's own path.
    whole = not re.search(r"/v[123]/", parts.path)
    return bool(named) and parts.scheme in ("http", "https") and written and whole


def without_key(key: str, value: Json) -> Json:
    """Take the API key out of what a server echoed, at every depth, also where JSON that
    is told as text spells it with escapes.

    A few letters are no key: to mask them everywhere would spoil the words.
    """
    if len(key) < SHORTEST_KEY:
        return value
    if isinstance(value, str):
        if "\\u00" in value or "\\/" in value:
            return re.sub(_spellings(key), "***", value)
        return value.replace(key, "***")
    if isinstance(value, list):
        return [without_key(key, item) for item in value]
    if isinstance(value, dict):
        return {without_key(key, k): without_key(key, v) for k, v in value.items()}
    return value


def _spellings(key: str) -> str:
    """Return the pattern of all that JSON, told as text, may write for the key: each
    time that it is told as text once more doubles the backslashes before a character.
    """
    return "".join(
        rf"(?>\\{{0,8}}u00(?i:{ord(c):02x})|\\{{0,8}}?{re.escape(c)})" for c in key
    )


def may_hold_key(key: str, data: bytes) -> bool:
    """Say whether a value of these JSON bytes may hold the key: plainly, or in escapes
    that could stand for its characters, or in UTF-16, see parse_json."""
    if b"\\" in data and (b"\\u00" in data or b"\\/" in data):
        return True
    written = key.replace("\\", "\\\\").replace('"', '\\"')
    return b"\0" in data[:4] or written.encode() in data
