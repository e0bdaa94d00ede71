"""What a form adds to an object, and what stands behind its buttons.

behind_button         what is given behind the button that was pressed
without_form_fields   an object without the members that only the form has
"""

from __future__ import annotations

from ..client.form import NOT_GIVEN, SWITCH
from ..client.validate import has_file, kind_of
from .schema_editor import plain_schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Json, Members, Schema

# What the buttons of a form say; tools/schemas/form.py makes them.
LEAVE = "Default"  # the first choice of what is optional: send nothing
SET = "Set"  # the other choice of an optional object: send what is filled in
NOTHING = "None"  # of a number that may be null: send null
EDITOR = "Editor"  # of a JSON Schema: made with Windmill's editor, which adds words


def behind_button(value: Members, schema: Schema) -> tuple[Json, Schema]:
    """Return (value, its schema) of what stands behind a group of buttons."""
    label = value["label"]
    inner = {name: content for name, content in value.items() if name != "label"}
    if label == LEAVE:
        return NOT_GIVEN, schema
    if has_file(schema):
        filled = {n: v for n, v in inner.items() if v is not None and v != ""}
        return (filled if filled.keys() - {"filename"} else NOT_GIVEN), schema
    if "anyOf" in schema:
        for variant in schema["anyOf"]:
            if variant.get("title") == label:
                return behind_variant(inner, variant), variant
        return value, schema
    if schema.get("format") == "json-schema":
        if label not in (EDITOR, "JSON"):
            return value, schema  # a member of the schema itself
        content = inner.get("value")
        if label == EDITOR and isinstance(content, dict):
            content = plain_schema(content) if content.get("properties") else {}
        return (NOT_GIVEN if content is None else content), schema
    if kind_of(schema) == "object":
        return (inner if label == SET else value), schema
    return (None if label == NOTHING else behind_variant(inner, schema)), schema


def behind_variant(inner: Members, variant: Schema) -> Json:
    """Return what is given behind the button for one variant of a union."""
    allowed = variant.get("enum", ())
    if kind_of(variant) != "object":
        if len(allowed) == 1:
            return allowed[0]
        given = inner.get(BEHIND.get(kind_of(variant), "value"))
        return NOT_GIVEN if given is None else given
    for name, member in variant.get("properties", {}).items():
        if len(member.get("enum", ())) == 1 and not inner.get(name):
            inner[name] = member["enum"][0]
    return inner


# What the form calls the field behind a button, by the type of what it takes: the same
# name for two types would carry a text over to where a list is expected.
BEHIND = {
    "string": "text",
    "array": "list",
    "integer": "number",
    "number": "number",
    "boolean": "switch",
}


def without_form_fields(value: Members, schema: Schema) -> Members:
    """Return an object of a form as the API takes it: without its switch and its groups
    of buttons, with the parts beside a text joined to it in one list, and with the
    members that a choice implies."""
    value = dict(value)
    if "x-advanced" in schema:
        value.pop(SWITCH, None)
    for group, names in schema.get("x-groups", {}).items():
        choice = value.pop(group, None) or {}
        name = names.get(choice.get("label"))
        if name is None:
            continue
        if schema["properties"][name].get("type") == "object":
            value[name] = {n: v for n, v in choice.items() if n != "label"}
        else:
            value[name] = choice.get(name)
    if "x-beside" in schema:
        join_parts(value, schema["x-beside"])
    for name, (other, names) in schema.get("x-hidden", {}).items():
        choice = value.get(other)
        if name not in value and isinstance(choice, dict):
            value[name] = names.get(choice.get("label"))
    return value


def _as_list(value: Json) -> list[Json]:
    """Return a list as it is, anything else as a list of one, nothing as []."""
    if not value:
        return []
    return value if isinstance(value, list) else [value]


def join_parts(row: Members, name: str) -> None:
    """Join a message's text and the lists that a form has beside it in one list of
    parts. A part comes as the API takes it, a picture as {"source": file}, or as the
    file."""
    parts = []
    for entry in _as_list(row.pop("pictures", None)):
        alone = isinstance(entry, dict) and entry.keys() == {"source"}
        given = entry["source"] if alone else entry
        if isinstance(given, dict) and "label" in given:
            given, _ = behind_button(given, {"x-file": "uri"})
        if given is not NOT_GIVEN:
            parts.append({"type": "image_url", "image_url": {"url": given}})
    parts += _as_list(row.pop("parts", None))
    text = row.get(name)
    if parts:
        if text and not isinstance(text, list):
            text = [{"type": "text", "text": text}]
        row[name] = (text or []) + parts
