"""Makes what a request sends of what Windmill's form or a flow gives."""

from __future__ import annotations

from .errors import TogetherError
from .job import log
from .validate import (
    UNFIT,
    allows_null,
    file_value,
    fit,
    has_file,
    kind_of,
    may_be_empty,
    problem,
    read_text,
    schema_problems,
    surely_file,
    takes_file,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Json, Members, Problem, Schema, Step
    from .validate import Pressed

# Words that the form adds to what the user fills in; tools/schemas/form.py makes them.
LEAVE = "Default"  # the first choice of what is optional: send nothing
SET = "Set"  # the other choice of an optional object: send what is filled in
NOTHING = "None"  # of a number that may be null: send null
EDITOR = "Editor"  # of a JSON Schema: made with Windmill's editor, which adds words
OTHER = "other"  # the choice of a model by its id, where a list of models is offered
SWITCH = "more_options"  # the switch that shows an object's advanced fields


def with_typed_models(members: dict[str, Schema], arguments: Members) -> Members:
    """Return the arguments with every model as its plain id. A form may say that the id
    stands in a field of its own; a model that calls a step as a tool may send an object
    or a list that holds it. Raises TogetherError where an id is missing, or contradicts
    the choice."""
    found = dict(arguments)
    for name, member in members.items():
        picker = member.get("x-id-of")
        if picker is None:
            continue
        typed, chosen = found.pop(name, None), found.get(picker)
        if chosen.__class__ is list and len(chosen) == 1:
            chosen = found[picker] = chosen[0]
        if chosen.__class__ is dict:
            ids = [chosen[key] for key in ("id", "model", "value") if key in chosen]
            chosen = next(filter(None, ids), None if ids else chosen)
            found[picker] = chosen
        if chosen in ("", [], {}):
            chosen = found[picker] = None  # no model has such an id
        if isinstance(typed, str):
            typed = typed.strip()
        if typed and chosen in (OTHER, None):
            found[picker] = typed
        elif chosen == OTHER:
            problem = f"is empty, and {picker} is {OTHER!r}: write the model's id here"
            raise TogetherError.refused(name, problem)
        elif typed and typed != chosen:
            problem = f"is {typed!r} and {picker} is {chosen!r}: leave one empty"
            raise TogetherError.refused(name, problem)
    return found


#
# What is absent or null is not given; everything else is meant, empty or not. The form
# keeps to that: its optional texts and lists are nullable, so that one left alone sends
# nothing. What it adds beside the values (buttons, a switch, rows of one field) is
# taken away where the table says that the form has it, and nowhere else.

NOT_GIVEN = object()


def checked_arguments(operation: Step, arguments: Members) -> Members:
    """Return the arguments as they are meant, without those that are not given.

    Raises TogetherError with every mistake found.
    """
    schema = operation["arguments"]
    members, required = schema["properties"], schema.get("required", ())
    meant: Members = {}
    found: list[Problem] = []
    pressed: Pressed = {}
    for name, value in arguments.items():
        value = normalise(value, members[name], name, name in required, pressed)
        if value is not NOT_GIVEN:
            meant[name] = value
            found += schema_problems(value, members[name], name, pressed)
        elif name in required:
            found.append(problem(name, "is required"))
    found += [problem(n, "is required") for n in required if n not in arguments]
    if found:
        from ..resilience.fields import with_reasons  # only when something failed

        with_reasons(found, arguments, members)
        raise TogetherError.refused_all(
            found, method=operation.get("method"), path=operation.get("path")
        )
    body = meant.get("body")
    if body.__class__ is dict:
        known = members["body"].get("properties")
        if known and not body.keys() <= known.keys():
            from ..resilience.fields import unknown_names  # only for unknown names

            for line in unknown_names(body, known):
                log(line)
    return meant


def normalise(
    value: Json,
    schema: Schema,
    field: str,
    required: bool = False,
    pressed: Pressed | None = None,
) -> Json:
    """Return a value as a request sends it: without what only the form needs, with
    numbers in place of texts that hold them, and without members that are not given.
    NOT_GIVEN where nothing is left.

    A required text or list that is empty counts as not given, save where the schema
    says by `minLength` or `minItems` 0 that the service takes it. `pressed` gets each
    object for which a button was pressed, with its variant, by the object's id.
    """
    if "x-choice" in schema and value.__class__ is dict and "label" in value:
        union, (value, schema) = schema, behind_button(value, schema)
        if union is not schema:
            value = normalise(value, schema, field, required, pressed)
            if pressed is not None and value.__class__ is dict:
                pressed[id(value)] = value, schema  # keeps the object, and so its id
            return value
    if value is None:
        return None if allows_null(schema) else NOT_GIVEN
    if required and (value == "" or value == []) and not may_be_empty(schema):
        return NOT_GIVEN
    if value is NOT_GIVEN:
        return value
    if takes_file(schema):
        return file_value(value, schema, field)
    if "anyOf" in schema:
        return normalise_union(value, schema, field, pressed)
    kind = kind_of(schema)
    if kind == "object" and value.__class__ is dict:
        return normalise_object(value, schema, field, pressed)
    if kind == "array" and value.__class__ is list and "items" in schema:
        return normalise_list(value, schema, field, pressed)
    if value.__class__ is str and kind in ("integer", "number", "boolean"):
        return read_text(value, kind)
    return value


def normalise_object(
    value: Members, schema: Schema, field: str, pressed: Pressed | None
) -> Json:
    members = schema.get("properties")
    others = schema.get("additionalProperties")
    if not members and others is None:
        return value  # free: what it holds is the user's
    if schema.keys() & {"x-advanced", "x-groups", "x-beside", "x-hidden"}:
        value = without_form_fields(value, schema)
    required = schema.get("required", ())
    meant = {}
    for name, given in value.items():
        member = (members or {}).get(name, others)
        if member is not None:
            path, needed = f"{field}.{name}", name in required
            given = normalise(given, member, path, needed, pressed)
        if given is not NOT_GIVEN:
            meant[name] = given
    return meant


def normalise_list(
    value: list[Json], schema: Schema, field: str, pressed: Pressed | None
) -> Json:
    items, row = schema["items"], schema.get("x-row")
    meant = []
    for number, entry in enumerate(value):
        alone = row and entry.__class__ is dict and entry.keys() == {row}
        given = entry[row] if alone else entry
        given = normalise(given, items, f"{field}[{number}]", pressed=pressed)
        if given is not NOT_GIVEN:
            meant.append(given)
        elif not alone:
            meant.append(None)  # refused later: to drop it would renumber the others
    return meant if meant or not value else NOT_GIVEN  # rows that nobody filled in


def normalise_union(
    value: Json, schema: Schema, field: str, pressed: Pressed | None
) -> Json:
    """Return a value, normalised by the variant that it fits best."""
    variants = schema["anyOf"]
    if surely_file(value):
        variants = [one for one in variants if takes_file(one)] or variants
    fitting = [one for one in variants if fit(value, one) < UNFIT]
    if len(fitting) == 1:
        return normalise(value, fitting[0], field, pressed=pressed)
    best = None
    for variant in fitting:
        given = normalise(value, variant, field, pressed=pressed)
        if given is NOT_GIVEN:
            return given
        faults = len(schema_problems(given, variant, field, pressed))
        rank = (faults > 0, fit(value, variant), faults)
        if best is None or rank < best[0]:
            best = rank, given
    return value if best is None else best[1]


def behind_button(value: Members, schema: Schema) -> tuple[Json, Schema]:
    """Return (value, its schema) of what stands behind a group of buttons."""
    label = value["label"]
    inner = {name: given for name, given in value.items() if name != "label"}
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
        given = inner.get("value")
        if label == EDITOR and given.__class__ is dict:
            from ..json_schema.schema_editor import plain_schema  # only what it made

            given = plain_schema(given) if given.get("properties") else {}
        return (NOT_GIVEN if given is None else given), schema
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
        chosen = value.pop(group, None) or {}
        name = names.get(chosen.get("label"))
        if name is None:
            continue
        if schema["properties"][name].get("type") == "object":
            value[name] = {n: v for n, v in chosen.items() if n != "label"}
        else:
            value[name] = chosen.get(name)
    if "x-beside" in schema:
        join_parts(value, schema["x-beside"])
    for name, (other, names) in schema.get("x-hidden", {}).items():
        chosen = value.get(other)
        if name not in value and chosen.__class__ is dict:
            value[name] = names.get(chosen.get("label"))
    return value


def _as_list(value: Json) -> list[Json]:
    """Return a list as it is, anything else as a list of one, nothing as []."""
    if not value:
        return []
    return value if value.__class__ is list else [value]


def join_parts(row: Members, name: str) -> None:
    """Join a message's text and the lists that a form has beside it in one list of
    parts. A part comes as the API takes it, a picture as {"source": file}, or as the
    file."""
    parts = []
    for entry in _as_list(row.pop("pictures", None)):
        alone = entry.__class__ is dict and entry.keys() == {"source"}
        given = entry["source"] if alone else entry
        if given.__class__ is dict and "label" in given:
            given, _ = behind_button(given, {"x-file": "uri"})
        if given is not NOT_GIVEN:
            parts.append({"type": "image_url", "image_url": {"url": given}})
    parts += _as_list(row.pop("parts", None))
    text = row.get(name)
    if parts:
        if text and text.__class__ is not list:
            text = [{"type": "text", "text": text}]
        row[name] = (text or []) + parts
