"""Makes what a request sends of what Windmill's form or a flow gives."""

from __future__ import annotations

from .errors import TogetherError
from .job import log
from .validate import (
    IN_TEXTS,
    UNFIT,
    allows_null,
    file_value,
    fit,
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

# Words that the form adds to what the user fills in; scripts/forms/ has the others.
OTHER = "other"  # the choice of a model by its id, where a list of models is offered
SWITCH = "more_options"  # the switch that shows an object's advanced fields
BESIDE = ("pictures", "parts")  # lists that stand beside a message's text


def with_models(members: dict[str, Schema], arguments: Members) -> Members:
    """Return the arguments with every model as its plain id, in whichever way it was
    given. Raises TogetherError where an id is missing, or contradicts the choice."""
    fields = {n: one["x-id-of"] for n, one in members.items() if "x-id-of" in one}
    for name, picker in fields.items():
        chosen = arguments.get(picker)
        plain = isinstance(chosen, str) and chosen not in ("", OTHER)
        if arguments.get(name) or not (plain or chosen is None):
            from ..forms.typed_models import with_typed_models  # only for other ways

            return with_typed_models(members, arguments)
    return {name: value for name, value in arguments.items() if name not in fields}


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
    values: Members = {}
    problems: list[Problem] = []
    pressed: Pressed = {}
    for name, value in arguments.items():
        value = normalise(value, members[name], name, name in required, pressed)
        if value is not NOT_GIVEN:
            values[name] = value
            problems += schema_problems(value, members[name], name, pressed)
        elif name in required:
            problems.append(problem(name, "is required"))
    problems += [problem(n, "is required") for n in required if n not in arguments]
    if problems:
        from ..resilience.fields import with_reasons  # only when something failed

        with_reasons(problems, arguments, members)
        # A step has neither.
        exchange: Members = {n: operation.get(n) for n in ("method", "path")}
        raise TogetherError.refused_all(problems, **exchange)
    body = values.get("body")
    if isinstance(body, dict):
        known = members["body"].get("properties")
        if known and not body.keys() <= known.keys():
            from ..resilience.fields import unknown_names  # only for unknown names

            for line in unknown_names(body, known):
                log(line)
    return values


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
    if "x-choice" in schema and isinstance(value, dict) and "label" in value:
        from ..forms.form_fields import behind_button  # only what a form sends

        union, (value, schema) = schema, behind_button(value, schema)
        if union is not schema:
            value = normalise(value, schema, field, required, pressed)
            if pressed is not None and isinstance(value, dict):
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
    if kind == "object" and isinstance(value, dict):
        return normalise_object(value, schema, field, pressed)
    if kind == "array" and isinstance(value, list) and "items" in schema:
        return normalise_list(value, schema, field, pressed)
    if isinstance(value, str) and kind in IN_TEXTS:
        return read_text(value, kind)
    return value


def normalise_object(
    value: Members, schema: Schema, field: str, pressed: Pressed | None
) -> Json:
    members = schema.get("properties")
    others = schema.get("additionalProperties")
    if not members and others is None:
        return value  # free: what it holds is the user's
    if FORM_WORDS & schema.keys() and has_form_fields(value, schema):
        from ..forms.form_fields import without_form_fields  # only what a form sends

        value = without_form_fields(value, schema)
    required = schema.get("required", ())
    result = {}
    for name, given in value.items():
        member = (members or {}).get(name, others)
        if member is not None:
            path, needed = f"{field}.{name}", name in required
            given = normalise(given, member, path, needed, pressed)
        if given is not NOT_GIVEN:
            result[name] = given
    return result


FORM_WORDS = {"x-advanced", "x-groups", "x-beside", "x-hidden"}


def has_form_fields(value: Members, schema: Schema) -> bool:
    """Say whether an object may have members that only a form adds."""
    added = {SWITCH, *BESIDE, *schema.get("x-groups", ())}
    hidden = schema.get("x-hidden", {}).values()
    chosen = any(isinstance(value.get(other), dict) for other, _ in hidden)
    return chosen or not added.isdisjoint(value)


def normalise_list(
    value: list[Json], schema: Schema, field: str, pressed: Pressed | None
) -> Json:
    items, row = schema["items"], schema.get("x-row")
    entries = []
    for number, entry in enumerate(value):
        alone = row and isinstance(entry, dict) and entry.keys() == {row}
        given = entry[row] if alone else entry
        given = normalise(given, items, f"{field}[{number}]", pressed=pressed)
        if given is not NOT_GIVEN:
            entries.append(given)
        elif not alone:
            entries.append(None)  # refused later: to drop it would renumber the others
    return entries if entries or not value else NOT_GIVEN  # rows that nobody filled in


def normalise_union(
    value: Json, schema: Schema, field: str, pressed: Pressed | None
) -> Json:
    """Return a value, normalised by the variant that it fits best."""
    # Here, as `check_any` is with the other checks, though few operations have unions:
    # the messages of every chat are one, and another module would be another request.
    variants = schema["anyOf"]
    if surely_file(value):
        variants = [one for one in variants if takes_file(one)] or variants
    fitting = [one for one in variants if fit(value, one) < UNFIT]
    if len(fitting) == 1:
        return normalise(value, fitting[0], field, pressed=pressed)
    best = None
    for variant in fitting:
        normal = normalise(value, variant, field, pressed=pressed)
        if normal is NOT_GIVEN:
            return normal
        faults = len(schema_problems(normal, variant, field, pressed))
        rank = (faults > 0, fit(value, variant), faults)
        if best is None or rank < best[0]:
            best = rank, normal
    return value if best is None else best[1]
