"""The table by which the helper calls an operation that has no schema."""

import re


def operation_at(method, path, retry, query=(), body=True, **exchange):
    """Return the table by which an operation of the API is called.

    Its arguments are the path's placeholders, those named in query, and, unless it is a
    GET or takes none, body; they are sent as they are, or as the schema says that body
    may be. What brings bytes has `output` too.
    """
    properties = {
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
    table = {"method": method, "path": path, "retry": retry, **exchange}
    return {**table, "arguments": {"properties": properties}}
