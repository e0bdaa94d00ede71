"""The skeleton of a new operation's schema."""

import json
import re

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def scaffold(method: str, path: str) -> str:
    """A schema with a TODO wherever a person must write; `check` refuses each.

    Raises ValueError for what is no request.
    """
    if method not in METHODS:
        raise ValueError(f"{method} is no method; there are: {', '.join(METHODS)}")
    if not path.startswith("/"):
        raise ValueError(f"the path {path!r} must begin with a slash")
    properties = {
        name: {
            "title": "TODO",
            "description": "TODO",
            "type": "string",
            "minLength": 1,
            "x-in": "path",
        }
        for name in re.findall(r"{(\w+)}", path)
    }
    required = list(properties)
    if method in ("POST", "PUT", "PATCH"):
        properties["body"] = {
            "title": "Request",
            "description": "TODO",
            "type": "object",
            "properties": {},
        }
    example = dict.fromkeys(required, "TODO")
    retry = {"GET": "read", "POST": "creates"}.get(method, "mutates")
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "TODO",
        "description": "TODO: what it does, when to use it, what must exist first.",
        "x-operation": {"method": method, "path": path, "retry": retry},
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        "x-returns": "TODO: what comes back, and what one needs of it next.",
        "examples": [example],
        "x-reply": {},
    }
    return json.dumps(schema, indent=1) + "\n"
