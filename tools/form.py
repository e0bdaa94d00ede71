"""From an operation's schema to the form that Windmill shows.

Windmill's dialect differs from JSON Schema: it knows `oneOf` with titled objects only,
`min` and `max` instead of `minimum` and `maximum`, `showExpr`, `order`. This is the one
place where the translation is made; scripts/client.py reads what such a form sends.
"""

from scripts.client import LEAVE
from tools.operations import Operation

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PROSE = {"prompt", "content", "input", "text", "query", "system_template", "value"}


def form(operation: Operation) -> dict:
    """The `schema` of <name>.script.yaml, in the state to which the official CLI would
    rewrite it: sorted keys, `default: null` where main gives none."""
    properties = {
        "auth": {
            "type": "object",
            "format": "resource-togetherai",
            "description": "The resource that holds the API key.",
        }
    }
    for name, schema in operation.arguments.items():
        required = name in operation.required
        field = _field(name, schema, required)
        if name != "body" and schema.get("type") == "boolean":
            field = {"type": "boolean", **_texts(schema)}
        if operation.step is not None and "x-models" in schema:
            picker = "dynmultiselect" if field["type"] == "array" else "dynselect"
            field = {"type": "object", "format": f"{picker}-{name}", **_texts(schema)}
        elif name != "body" and "type" in schema:
            field |= _inferred(field)
        properties[name] = field
    for name, field in properties.items():
        field["default"] = None
        if operation.step is not None and name != "auth":
            field["default"] = operation.arguments[name].get("default")
        if name == "body":
            field.pop("format", None)
        properties[name] = dict(sorted(field.items()))
    return {
        "$schema": DIALECT,
        "type": "object",
        "order": list(properties),
        "properties": properties,
        "required": ["auth", *operation.required],
    }


def _inferred(field: dict) -> dict:
    """What Windmill notes of an argument's own type; without it, reading the script
    again would lose the choices of a select."""
    if field["type"] == "string":
        return {"originalType": "string"}
    if field["type"] == "array" and field["items"].get("type") == "string":
        return {"originalType": "string[]"}
    return {}


def _texts(schema: dict) -> dict:
    return {key: schema[key] for key in ("title", "description") if key in schema}


def _field(name: str, schema: dict, required: bool) -> dict:
    """The form's field for a schema."""
    if "anyOf" in schema:
        return _choice(name, schema, required)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next(k for k in kind if k != "null")
    texts = _texts(schema)
    if kind == "string":
        return {"type": "string", **texts, **_text(name, schema)}
    if kind == "boolean":
        return {**texts, **_switch(schema)}
    if kind in ("integer", "number"):
        return {"type": kind, **texts, **_number(schema)}
    if kind == "array":
        field = {"type": "array", **texts, "items": _items(name, schema)}
        if required and schema.get("minItems"):
            field["nonEmpty"] = True
        return field
    if kind == "object" and schema.get("properties"):
        members = _members(schema)
        if not required:
            # A required select fills itself in, and an object nobody touched would be
            # sent for it: the helper asks for it when the object is used.
            selects = {n for n, f in members["properties"].items() if "enum" in f}
            members["required"] = [n for n in members["required"] if n not in selects]
        return {"type": "object", **texts, **members}
    return {"type": "object", **texts}


def _members(schema: dict) -> dict:
    required = schema.get("required", [])
    return {
        "properties": {
            name: _field(name, member, name in required)
            for name, member in schema["properties"].items()
        },
        "order": list(schema["properties"]),
        "required": list(required),
    }


def _text(name: str, schema: dict) -> dict:
    keys = {}
    if "enum" in schema:
        keys["enum"] = [value for value in schema["enum"] if value is not None]
        keys["disableCreate"] = True
    elif schema.get("x-suggestions"):
        keys["enum"] = list(schema["x-suggestions"])
    elif schema.get("format") == "binary":
        keys["contentEncoding"] = "base64"
    elif name in PROSE:
        keys["minRows"] = 3
    if "default" in schema and "enum" not in keys:
        keys["placeholder"] = str(schema["default"])
    if schema.get("format") == "date-time":
        keys["format"] = "date-time"
    return keys


def _switch(schema: dict) -> dict:
    """A switch where its rest position is the service's own; else a choice of three."""
    if "default" in schema:
        return {"type": "boolean", "default": schema["default"]}
    labels = {"true": "Yes", "false": "No"}
    keys = {"type": "string", "enum": list(labels), "enumLabels": labels}
    return {**keys, "disableCreate": True}


def _number(schema: dict) -> dict:
    # Both bounds together would make a slider that rounds, and that crashes the form
    # when it has no default: the helper checks the upper one.
    keys = {}
    if "minimum" in schema:
        keys["min"] = schema["minimum"]
    elif "maximum" in schema:
        keys["max"] = schema["maximum"]
    if "default" in schema:
        keys["placeholder"] = str(schema["default"])
    return keys


def _items(name: str, schema: dict) -> dict:
    items = schema.get("items", {})
    if "anyOf" in items:
        return _merged(items["anyOf"])
    if items.get("type") == "object" and items.get("properties"):
        return {"type": "object", **_members(items)}
    if items.get("type") == "string":
        # Reading a script again, Windmill keeps only the choices of a list's items.
        keys = {k: v for k, v in _text("", items).items() if k != "disableCreate"}
        return {"type": "string", **keys}
    return {"type": items.get("type", "object")}


def _merged(variants: list[dict]) -> dict:
    """Rows that may be one of several objects, told apart by a member such as `role`.

    A list's rows cannot be a oneOf: they become one object whose other fields show for
    the values that have them.
    """
    objects = [v for v in variants if v.get("type") == "object" and "properties" in v]
    shared = [
        name
        for name in (objects[0]["properties"] if objects else ())
        if all(len(v["properties"].get(name, {}).get("enum", ())) == 1 for v in objects)
    ]
    if len(objects) != len(variants) or not shared:
        simple = next(
            (v for v in variants if v.get("type") in ("string", "integer")), None
        )
        return {"type": simple["type"]} if simple else {"type": "object"}
    key = shared[0]
    values = [variant["properties"][key]["enum"][0] for variant in objects]
    labels = {v: o.get("title", v) for v, o in zip(values, objects, strict=True)}
    title = objects[0]["properties"][key].get("title", key)
    select = {"type": "string", "title": title, "enum": values, "enumLabels": labels}
    properties = {key: {**select, "disableCreate": True, "required": True}}
    for variant in sorted(objects, key=lambda v: -len(v["properties"])):
        for name in variant["properties"]:
            if name in properties:
                continue
            owners = [
                value
                for value, other in zip(values, objects, strict=True)
                if name in other["properties"]
            ]
            richest = max(
                (o["properties"][name] for o in objects if name in o["properties"]),
                key=lambda found: "anyOf" in found,
            )
            needed = any(name in other.get("required", []) for other in objects)
            field = _field(name, richest, needed)
            if len(owners) < len(values):
                tests = (f"fields.{key} === '{value}'" for value in owners)
                field["showExpr"] = " || ".join(tests)
            properties[name] = field
    return {"type": "object", "properties": properties, "order": list(properties)}


def _choice(name: str, schema: dict, required: bool) -> dict:
    """A union: a group of buttons, the first of an optional one meaning "as it is"."""
    variants = [] if required else [_variant(LEAVE, {}, [])]
    for variant in schema["anyOf"]:
        if variant.get("type") == "null":
            continue
        title = variant.get("title") or variant["type"].title()
        if variant.get("type") == "object" and variant.get("properties"):
            needed = variant.get("required", [])
            members = {
                n: m
                for n, m in variant["properties"].items()
                if not (n in needed and len(m.get("enum", ())) == 1)
            }
            fields = {n: _field(n, m, n in needed) for n, m in members.items()}
            variants.append(
                _variant(title, fields, [n for n in needed if n in members])
            )
        else:
            value = _field(name, {**variant, "title": title}, True)
            variants.append(_variant(title, {"value": value}, ["value"]))
    return {"type": "object", **_texts(schema), "oneOf": variants}


def _variant(title: str, fields: dict, required: list[str]) -> dict:
    label = {"type": "string", "enum": [title]}
    return {
        "type": "object",
        "title": title,
        "properties": {"label": label, **fields},
        "order": ["label", *fields],
        "required": required,
    }
