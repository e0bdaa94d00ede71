"""When a field of Windmill's form is shown: the JavaScript of its `showExpr`.

It sees the fields beside it in the same object, and hiding a field deletes its value.
"""

from collections.abc import Iterable

from scripts.client.form import SWITCH
from scripts.forms.form_fields import LEAVE


def hints(schema: dict) -> dict:
    """What a schema says to the form alone: its `x-form`."""
    return schema.get("x-form", {})


def has_rows(schema: dict) -> bool:
    """Whether the rows of a list are objects in the form."""
    items = schema.get("items", {})
    unions = [v for v in items.get("anyOf", ()) if "properties" in v]
    files = [v for v in (items, *items.get("anyOf", ())) if "x-file" in v]
    return bool("properties" in items or unions or files or "rows" in hints(items))


def kind_of(schema: dict) -> str | None:
    """The type of a schema, null aside."""
    kind = schema.get("type")
    return next(k for k in kind if k != "null") if isinstance(kind, list) else kind


def closed(schema: dict) -> dict | None:
    """The values of a union that a single select can offer, with what each says; None
    where it needs a group of buttons."""
    found = {}
    for one in schema["anyOf"]:
        if one.get("type") == "boolean":
            found |= {"true": "Yes", "false": "No"}
        elif one.get("type") == "string" and "enum" in one:
            labels = hints(one).get("labels", {})
            only = one.get("title") if len(one["enum"]) == 1 else None
            found |= {v: labels.get(v) or only or v for v in one["enum"]}
        else:
            return None
    return found


def condition(schema: dict, siblings: dict) -> str | None:
    """The values of siblings for which a field is shown, as its `when` says."""
    tests = []
    for name, values in hints(schema).get("when", {}).items():
        other, value = siblings[name], f"fields.{name}"
        if values is True:
            tests.append(f"!!{value}")
            continue
        if "anyOf" in other and not closed(other):
            value = f"fields.{name}?.label"
        if kind_of(other) == "boolean":
            # A switch sends a truth, a select its name.
            value = f"String({value} ?? '')"
            values = [str(found).lower() for found in values if found is not None]
        tests.append(one_of(value, values))
    return both(*tests)


def one_of(value: str, values: Iterable) -> str:
    """Whether a field has one of some values; None stands for one left empty."""
    tests = []
    for found in values:
        if found is None:
            tests.append(f"({value} ?? '') === ''")
        else:
            text = f"'{found}'" if isinstance(found, str) else str(found).lower()
            tests.append(f"{value} === {text}")
    return tests[0] if len(tests) == 1 else f"({' || '.join(tests)})"


def opened(name: str, field: dict) -> str:
    """Whether an advanced field is shown: with the switch on, or while it holds a value
    that hiding it would delete."""
    return f"(fields.{SWITCH} || {_filled(f'fields.{name}', field)})"


def _filled(value: str, field: dict) -> str:
    """Whether a field holds more than the form puts there by itself."""
    if "oneOf" in field:
        first = field["oneOf"][0]
        test = f"({value}?.label ?? '{first['title']}') !== '{first['title']}'"
        if first["title"] == LEAVE:
            return test
        # A file: the first button's field may be filled, too.
        inner = {n: own for n, own in first["properties"].items() if n != "label"}
        tests = (_filled(f"{value}?.{n}", own) for n, own in inner.items())
        return " || ".join([test, *tests])
    if field["type"] == "boolean":
        return f"{value} === true"
    if field["type"] == "array":
        return f"{value}?.length > 0"
    if field.get("properties"):
        inner = field["properties"].items()
        return " || ".join(_filled(f"{value}?.{n}", own) for n, own in inner)
    if field["type"] == "object":
        return f"Object.keys({value} ?? {{}}).length > 0"
    return f"({value} ?? '') !== ''"


def both(*tests: str | None) -> str | None:
    """Tests that must all hold."""
    return " && ".join(filter(None, tests)) or None
