"""The server's own words, from any of the shapes of its errors."""

from __future__ import annotations

import json
import re

from ..client.jsonio import parse_json
from ..client.resource import without_key
from ..client.transport import MOST_ERROR_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..client.transport import Reply
    from ..shapes import Json, Members

TITLE_WITHIN = 20_000  # characters of a web page
REASONS = (
    "message",
    "detail",
    "msg",
    "errorMessage",
    "error_message",
    "error_msg",
    "errmsg",
    "err_msg",
    "error_description",
    "error",
    "errors",
    "reason",
    "base_resp",
    "status_msg",
    "fault",
    "faultstring",
    "description",
    "title",
    "status",
    "metadata",
    "raw",
)


def server_words_of(reply: Reply, key: str = "") -> Members:
    """Return detail, type, code and param from any shape of an error, without the key,
    which must go before anything is cut."""
    data = reply.data[:MOST_ERROR_BYTES]
    larger = len(data) < len(reply.data)  # than any error, and so none
    found, problem = (None, None) if larger else parse_json(data)
    if problem or larger:
        # In UTF-16 a NUL stands between the letters.
        text = data.decode("utf-8", "replace").replace("\0", "").strip()
        text = without_key(key, text)
        if not text:
            return {"detail": "the answer is empty"}
        if text.startswith("<"):
            if said := _within(text, "<message>"):
                return {"detail": f"the answer is XML, not JSON: {said[:500]}"}
            title = _title(text)
            name = f" titled {title!r}" if title else ""
            return {"detail": f"the answer is a web page{name[:120]}, not JSON"}
        return {"detail": text[:500]}
    found = without_key(key, found)
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    error = found.get("error", found) if isinstance(found, dict) else found
    if isinstance(found, dict) and not isinstance(error, dict | str | list):
        error = found
    words = {}
    if isinstance(error, dict):
        words = {
            name: error[name]
            for name in ("type", "code", "param")
            if isinstance(error.get(name), str | int)
        }
        if isinstance(error.get("file_id"), str):
            words["file_id"] = error["file_id"]
    told = reason_in(error) or reason_in(found)
    if isinstance(error, str) and isinstance(found, dict):
        # Some servers give the name of the status as the error, and the words beside it.
        more = reason_in({name: found.get(name) for name in ("message", "detail")})
        told = f"{told}: {more}" if told and more and more not in told else told
    if not told and "file_id" in words:
        told = f"the same content is stored already as {words['file_id']}"
    words["detail"] = (told or json.dumps(found))[: 2000 if told else 500]
    return words


def _title(page: str) -> str | None:
    return _within(page, "<title>") or _within(page, "<h1>")


def _within(page: str, tag: str) -> str | None:
    """Return the text behind a tag, or None; its end need not be there."""
    found = re.search(re.escape(tag), page[:TITLE_WITHIN], re.IGNORECASE)
    if found is None:
        return None
    return found.string[found.end() :].split("<", 1)[0].strip() or None


def reason_in(error: Json, depth: int = 0) -> str | None:
    """Return the words of an error of any shape: a text, an object with a text under
    one of the usual names, or a list of either; None where there is none."""
    if isinstance(error, str):
        return error.strip() or None
    if depth > 4:
        return None
    if isinstance(error, list):
        all_told = [reason_in(one, depth + 1) for one in error[:20]]
        return "; ".join(dict.fromkeys(filter(None, all_told))) or None
    if not isinstance(error, dict):
        return None
    for name in REASONS:
        told = reason_in(error.get(name), depth + 1)
        if told:
            where = error.get("loc") or error.get("field")
            if isinstance(where, list):
                where = ".".join(map(str, where[:10]))
            return f"{where}: {told}" if isinstance(where, str) else told
    return None


def reason_or_code(error: Json) -> str | None:
    """Return the words of an error of any shape, its code where it has none, or None;
    no more of them than of a refusal."""
    code = error.get("code") if isinstance(error, dict) else None
    told = reason_in(error) or (str(code) if code else None)
    return told and told[:2000]


def storage_words(data: bytes) -> str:
    """Return what a storage's XML says of an error, in brackets, or ""."""
    text = data[:4096].decode("utf-8", "replace")
    found = [re.search(rf"<{tag}>([^<]*)</{tag}>", text) for tag in ("Code", "Message")]
    told = ": ".join(match[1].strip() for match in found if match and match[1].strip())
    return f" ({told})" if told else ""
