"""The descriptor by which the helper calls an operation, made of what it is."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from ..shapes import Exchange, Method, Operation, RetryClass, Schema


def operation_at(
    method: Method,
    path: str,
    retry: RetryClass,
    query: Sequence[str] = (),
    body: bool | Schema = True,
    **exchange: Unpack[Exchange],
) -> Operation:
    """Return the descriptor by which an operation of the API is called.

    Its arguments are the path's placeholders, those named in query, and, unless it is a
    GET or takes none, body; they are sent as they are, or as the schema says that body
    may be. What brings bytes has `output` too.
    """
    properties: dict[str, Schema] = {
        name: {"type": "string", "x-in": "path"}
        for name in re.findall(r"{(\w+)}", path)
    }
    if "pages" in exchange:
        properties["max_pages"] = {"type": "integer", "x-in": "pages"}
        query = (*query, "after")
    properties |= {name: {"x-in": "query"} for name in query}
    if "brings" in exchange or exchange.get("reply") == "binary":
        properties["output"] = {"type": "string", "default": "result", "x-in": "result"}
    if body is not False and method != "GET":
        properties["body"] = body if isinstance(body, dict) else {}
    return {
        "method": method,
        "path": path,
        "retry": retry,
        **exchange,
        "arguments": {"properties": properties},
    }
