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
    for name, found in schema.items():
        if name in EDITOR_ONLY or found in (None, "") or name[:10] == "x-windmill":
            continue
        if name == "required" and (not found or not isinstance(found, list)):
            continue
        if name == "default" and not found:  # what the editor's own fields begin with
            continue
        if name == "properties":
            found = {n: plain_schema(member) for n, member in found.items()}
        elif name == "items" and isinstance(found, dict):
            found = plain_schema(found)
        elif name in ("oneOf", "anyOf", "allOf"):
            found = [plain_schema(variant) for variant in found]
        plain[{"min": "minimum", "max": "maximum"}.get(name, name)] = found
    return plain
