"""The skeleton of a new operation's schema."""

import json
import re


def scaffold(method: str, path: str) -> str:
    """A schema with a TODO wherever a person must write; `check` refuses each."""
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
        "examples": [example, example],
        "x-reply": {},
    }
    return json.dumps(schema, indent=1) + "\n"
