"""What Windmill's editor of JSON Schemas adds to one, taken away again."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Members


EDITOR_ONLY = frozenset(
    (
        "$schema",
        "order",
        "showExpr",
        "customErrorMessage",
        "nonEmpty",
        "password",
        "nullable",
        "disabled",
        "placeholder",
        "originalType",
        "dateFormat",
        "currency",
        "currencyLocale",
        "multiselect",
        "propsNames",
        "disableCreate",
    )
)


def plain_schema(schema: Members) -> Members:
    """Return a JSON Schema without the words that only the editor reads."""
    plain = {}
    for name, value in schema.items():
        if name in EDITOR_ONLY or value in (None, "") or name[:10] == "x-windmill":
            continue
        if name == "required" and (not value or not isinstance(value, list)):
            continue
        if name == "default" and not value:  # what the editor's own fields begin with
            continue
        if name == "properties":
            value = {n: plain_schema(member) for n, member in value.items()}
        elif name == "items" and isinstance(value, dict):
            value = plain_schema(value)
        elif name in ("oneOf", "anyOf", "allOf"):
            value = [plain_schema(variant) for variant in value]
        plain[{"min": "minimum", "max": "maximum"}.get(name, name)] = value
    return plain
