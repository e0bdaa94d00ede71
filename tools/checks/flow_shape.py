"""The shape of a flow's source, before its words are judged: what is an object, what a
list, and what a step of each kind cannot do without."""

from collections.abc import Iterator

import jsonschema

from tools.schemas.schema_words import in_words, place

_TEXT = {"type": "string"}
_MODULES = {"type": "array", "items": {"$ref": "#/$defs/module"}}
_WHEN = {"type": "object", "required": ["expr"], "properties": {"expr": _TEXT}}
_NEEDED = {
    "script": ["path"],
    "flow": ["path"],
    "rawscript": ["language", "content"],
    "forloopflow": ["iterator", "modules"],
    "whileloopflow": ["modules"],
    "branchone": ["branches", "default"],
    "branchall": ["branches"],
    "aiagent": ["tools"],
}
_STEP = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": _TEXT,
        "path": _TEXT,
        "content": _TEXT,
        "language": _TEXT,
        "input_transforms": {"type": "object"},
        "modules": _MODULES,
        "default": _MODULES,
        "tools": {"type": "array", "items": {"type": "object", "required": ["id"]}},
        "branches": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["modules"],
                "properties": {"modules": _MODULES, "expr": _TEXT},
            },
        },
    },
    "allOf": [
        {
            "if": {"properties": {"type": {"const": kind}}, "required": ["type"]},
            "then": {"required": needed},
        }
        for kind, needed in _NEEDED.items()
    ]
    + [
        {
            "if": {
                "properties": {"type": {"const": "branchone"}},
                "required": ["type"],
            },
            "then": {"properties": {"branches": {"items": {"required": ["expr"]}}}},
        }
    ],
}
_MODULE = {
    "type": "object",
    "required": ["id", "value"],
    "properties": {
        "id": {"type": ["string", "number"]},
        "value": _STEP,
        "retry": {"type": ["string", "object"]},
        "stop_after_if": _WHEN,
        "skip_if": _WHEN,
        "suspend": {"type": "object"},
    },
}
_TRANSFORM = {
    "type": "object",
    "properties": {
        "expr": _TEXT,
        "use": _TEXT,
        "of": _TEXT,
        "object": {"type": "object", "additionalProperties": _TEXT},
        "with": {"type": "object", "additionalProperties": _TEXT},
    },
    "dependentRequired": {"use": ["of"], "of": ["use"]},
}
_NAMES = {"type": "array", "items": _TEXT}
SHAPE = {
    "type": "object",
    "properties": {
        "arguments": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "properties": {
                    "type": "object",
                    "additionalProperties": {"type": "object"},
                },
                "required": _NAMES,
                "examples": {"type": "array", "items": {"type": "object"}},
                "x-form": {"type": "object"},
            },
        },
        # Of a recipe.
        "resources": {"type": "object", "additionalProperties": _TEXT},
        "try": {"type": "object"},
        "notes": _NAMES,
        "value": {
            "type": "object",
            "required": ["modules"],
            "additionalProperties": False,
            "properties": {
                "modules": {**_MODULES, "minItems": 1},
                "failure_module": {"type": "object"},
                "chat_input_enabled": {"type": "boolean"},
            },
        },
    },
    "$defs": {"module": _MODULE},
}
_WORDS = ("summary", "description", "schedule", "timezone", "runs")
SCHEDULE = {
    "type": "object",
    "required": [*_WORDS],
    "additionalProperties": False,
    "properties": {**dict.fromkeys(_WORDS, _TEXT), "args": {"type": "object"}},
}


def misshapen(source: object, shape: dict = SHAPE) -> Iterator[str]:
    """What is not of the shape of a flow, or of a schedule, in words."""
    for error in jsonschema.Draft202012Validator(shape).iter_errors(source):
        where = place(error.absolute_path)
        for what in in_words(error):
            yield f"{where}: {what}" if where else what
    value = source.get("value") if isinstance(source, dict) else None
    yield from _transforms(value, "value")


def _transforms(part: object, where: str) -> Iterator[str]:
    """The same of every input of a step, wherever it is."""
    if isinstance(part, list):
        for number, inner in enumerate(part):
            yield from _transforms(inner, f"{where}[{number}]")
    if not isinstance(part, dict):
        return
    if part.get("type") == "javascript":
        for error in jsonschema.Draft202012Validator(_TRANSFORM).iter_errors(part):
            inner = place(error.absolute_path)
            for what in in_words(error):
                yield f"{where}{'.' if inner else ''}{inner}: {what}"
    for name, one in part.items():
        yield from _transforms(one, f"{where}.{name}")
