"""Of each operation: what Windmill's form sends becomes what the user filled in, and
what a flow gives is what is sent."""

import copy
import json
import re
from urllib.parse import parse_qs

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts.client import TogetherError
from scripts.client.form import NOT_GIVEN, SWITCH, normalise
from scripts.client.request import Request
from tests.support.expected_request import descriptor, valid
from tests.support.form_assertions import check_sent, check_untouched
from tests.support.form_values import (
    ABSENT,
    fillable,
    filled,
    sent,
    shown,
    untouched,
)
from tools.operations import scripts
from tools.schemas.form import form, is_file
from tools.schemas.form_visibility import hints, opened

SCRIPTS = list(scripts())
BY_ID = pytest.mark.parametrize("operation", SCRIPTS, ids=lambda o: o.id)


@BY_ID
def test_what_a_person_fills_in_is_what_is_sent(operation):
    """Every field of each example, filled in as a person would in the form."""
    for example in operation.schema["examples"]:
        check_round_trip(operation, example)


def check_round_trip(operation, arguments):
    check_sent(operation, arguments, sent(operation, arguments))


@BY_ID
def test_an_untouched_form_is_asked_for_what_it_lacks(
    operation, sandbox, workspace, auth
):
    schema = form(operation)
    schema["properties"].pop("auth")
    sent = filled(schema["properties"], operation.required, {})

    check_untouched(operation, schema, sent, sandbox, workspace, auth)


def objects(field):
    """The fields of every object of a form, those of rows and behind buttons too."""
    if isinstance(field, list):
        for part in field:
            yield from objects(part)
    if isinstance(field, dict):
        if isinstance(field.get("properties"), dict):
            yield field["properties"]
        for part in field.values():
            yield from objects(part)


def test_what_an_advanced_field_holds_untouched_does_not_keep_it_on_the_screen():
    held = [
        (f"{operation.id}: {name}", opened(name, field), {name: untouched(field)})
        for operation in SCRIPTS
        for fields in objects(form(operation))
        for name, field in fields.items()
        if SWITCH in field.get("showExpr", "") and untouched(field) is not ABSENT
    ]

    assert held
    for place, condition, empty in held:
        assert not shown({"showExpr": condition}, {SWITCH: False, **empty}), place


def test_the_name_of_a_file_is_asked_for_once():
    asking = [
        (operation.id, fields)
        for operation in SCRIPTS
        for fields in objects(form(operation))
        if "file_name" in fields
    ]

    assert asking
    for script, fields in asking:
        inner = [name for own in objects(list(fields.values())) for name in own]
        assert "filename" not in inner, script


@BY_ID
def test_an_untouched_form_gives_nothing_but_what_it_must(operation):
    """The required, switches at the service's own default, and main's own defaults."""
    fields = form(operation)["properties"]
    fields.pop("auth")
    table = descriptor(operation)["arguments"]["properties"]

    unasked = []
    for name, value in filled(fields, operation.required, {}).items():
        member = operation.arguments[name]
        meant = normalise(value, table[name], name)
        if name == "body":
            unasked += extra(member, meant)
        elif name not in operation.required:
            unasked += [name] if meant not in (NOT_GIVEN, member.get("default")) else []
    assert unasked == []


def extra(schema, meant):
    """The members that are neither required nor a switch at rest."""
    if "anyOf" in schema:
        yield from min(([*extra(v, meant)] for v in schema["anyOf"]), key=len)
        return
    groups = hints(schema).get("groups", {}).values()
    needed = {n for own in groups if own.get("needed") for n in own["of"].values()}
    for name, value in meant.items() if isinstance(meant, dict) else ():
        member = schema.get("properties", {}).get(name, {})
        if name in {*schema.get("required", ()), *needed}:
            yield from extra(member, value)
        elif member.get("enum") == [value]:
            continue  # what tells the variant
        elif value is not False or member.get("default") is not False:
            yield name


@pytest.mark.slow
@pytest.mark.parametrize(
    "operation", [o for o in SCRIPTS if o.arguments], ids=lambda o: o.id
)
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
@given(data=st.data())
def test_whatever_a_person_fills_in_is_what_is_sent(operation, data):
    """Also what no example shows."""
    check_round_trip(operation, data.draw(fillable(operation.schema)))


# --- one rule for forms and flows --------------------------------------------------


def request(operation, arguments, auth):
    """The request that arguments become; it is not sent."""
    return Request(auth, descriptor(operation), arguments)


def attempt(operation, arguments, auth):
    """(The request, None), or (None, the refusal)."""
    try:
        return request(operation, arguments, auth), None
    except TogetherError as error:
        return None, error


def check_given(operation, given, auth):
    """What is given, without any null, is what is sent, or it is refused: just where
    jsonschema finds fault, also for a required text or list that is empty."""
    schema = {**strict(operation.schema), "required": []}
    wrong = list(jsonschema.Draft202012Validator(schema).iter_errors(given))
    made, refusal = attempt(operation, given, auth)
    assert bool(wrong) == (made is None), refusal or wrong
    if made is None:
        return
    assert {n: v for n, v in given.items() if n != "body"} == {
        n: v for n, v in made.arguments.items() if n in given and n != "body"
    }
    if "content" in operation.exchange:
        assert given["body"] == made.body
    elif "body" in operation.arguments and not operation.realtime:
        assert json.dumps(given.get("body", {})) == json.dumps(wire_body(made))
    query = parse_qs(made.target.partition("?")[2], keep_blank_values=True)
    for name, member in operation.arguments.items():
        if member.get("x-in") == "query" and name in given:
            assert [query_text(given[name])] == query[member.get("x-wire", name)]


def wire_body(made):
    data = made.data if isinstance(made.data, bytes) else b"".join(made.data)
    return json.loads(data)


def query_text(value):
    items = value if isinstance(value, list) else [value]
    return ",".join(i if isinstance(i, str) else json.dumps(i) for i in items)


def strict(schema, required=False):
    """A schema that says of what is required that it is not empty, unless it says
    itself how short it may be."""
    strict_one = {**schema}
    if "anyOf" in schema:
        strict_one["anyOf"] = [strict(variant, required) for variant in schema["anyOf"]]
    elif required:
        strict_one = {"minLength": 1, "minItems": 1, **schema}
    needed = schema.get("required", ())
    if "properties" in schema:
        strict_one["properties"] = {
            name: strict(member, name in needed)
            for name, member in schema["properties"].items()
        }
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), dict):
            strict_one[word] = strict(schema[word])
    return strict_one


def places(schema, value, path=()):
    """(path, schema) of every member that a value has, at any depth."""
    if "anyOf" in schema:
        variants = [
            v
            for v in schema["anyOf"]
            if jsonschema.Draft202012Validator(v).is_valid(value)
        ]
        schema = variants[0] if variants else {}
    if isinstance(value, dict):
        for name, inner in value.items():
            member = schema.get("properties", {}).get(name)
            member = member or schema.get("additionalProperties") or {}
            yield (*path, name), member
            yield from places(member, inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from places(schema.get("items", {}), inner, (*path, number))


def with_value(arguments, path, value):
    """A copy of arguments with another value at a path."""
    changed = copy.deepcopy(arguments)
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return changed


def no_files(schema, value):
    """An example as a flow sends it that has its files as texts."""
    if is_file(schema) and isinstance(value, dict | str):
        return "https://example.com/a.png"
    if "anyOf" in schema:
        return next(
            no_files(v, value)
            for v in schema["anyOf"]
            if jsonschema.Draft202012Validator(v).is_valid(value)
        )
    if isinstance(value, dict):
        members = schema.get("properties", {})
        return {n: no_files(members.get(n, {}), v) for n, v in value.items()}
    if isinstance(value, list):
        return [no_files(schema.get("items", {}), v) for v in value]
    return value


def fullest(operation):
    """The fullest example, with its files as texts."""
    example = no_files(operation.schema, operation.schema["examples"][-1])
    return at_once(operation, without_nulls(example))


def at_once(operation, arguments):
    """Arguments for which nothing is asked before the request is made."""
    known = {"project_id": "p", "output": "result"}
    known = {n: v for n, v in known.items() if n in operation.arguments}
    return {**arguments, **known}


OPERATIONS = [o for o in SCRIPTS if o.step is None and o.arguments]
EACH_OPERATION = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.id)


@EACH_OPERATION
def test_what_a_flow_empties_is_sent_empty(operation, auth):
    """Each member of the fullest example, at any depth, by every empty value."""
    example = fullest(operation)
    check_given(operation, example, auth)

    for path, member in places(operation.schema, example):
        place = member.get("x-in")
        if place in ("pages", "result", "upload", "message", "path") or is_file(member):
            continue
        for empty in ("", [], {}, 0, False):
            if place is None or empty not in ({}, []):
                check_given(operation, with_value(example, path, empty), auth)


def without_nulls(value):
    if isinstance(value, dict):
        return {n: without_nulls(v) for n, v in value.items() if v is not None}
    return [*map(without_nulls, value)] if isinstance(value, list) else value


ASKED = {"project_id", "output"}  # what is not given is asked for, or made a result of
WITH_ARGUMENTS = [o for o in OPERATIONS if o.schema["examples"][-1].keys() - ASKED]


@pytest.mark.parametrize("operation", WITH_ARGUMENTS, ids=lambda o: o.id)
def test_null_is_not_given_save_where_the_schema_has_it(operation, auth):
    example = fullest(operation)

    for path, member in places(operation.schema, example):
        if len(path) == 1 and path[0] in ASKED:
            continue
        nulled = with_value(example, path, None)
        if jsonschema.Draft202012Validator(member).is_valid(None):
            wanted = nulled  # null by its type, or of no type at all
        else:
            wanted = with_value(example, path, ABSENT)
        if isinstance(path[-1], int):
            wanted = nulled  # refused, unless it may be null
        made, refusal = attempt(operation, nulled, auth)
        if made is None:
            assert is_needed(operation.schema, path, example), (path, refusal)
            continue
        given = stripped(wanted)
        assert given == {n: made.arguments[n] for n in example if n in made.arguments}


def stripped(value):
    """Without the members that are ABSENT."""
    if isinstance(value, dict):
        return {n: stripped(v) for n, v in value.items() if v is not ABSENT}
    return [*map(stripped, value)] if isinstance(value, list) else value


def is_needed(schema, path, example):
    """Whether jsonschema misses what is at a path, or it is an entry of a list."""
    if isinstance(path[-1], int):
        return True
    without = stripped(with_value(example, path, ABSENT))
    return not jsonschema.Draft202012Validator(schema).is_valid(without)


@EACH_OPERATION
@settings(
    max_examples=settings.default.max_examples // 5,  # of each operation
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
@given(data=st.data())
def test_what_a_flow_gives_is_what_is_sent(operation, auth, data):
    values = {n: flow_value(n, m) for n, m in operation.arguments.items()}
    needed = {n: values.pop(n) for n in operation.required}
    drawn = st.fixed_dictionaries(needed, optional=values)
    given = without_nulls(data.draw(drawn))
    check_given(operation, at_once(operation, given), auth)


def flow_value(name, schema):
    """What a flow may give for an argument."""
    if schema.get("x-in") in ("path", "header"):
        return st.sampled_from(["x", "a b", "1"])
    if schema.get("x-in") == "pages":
        return st.just(1)
    return valid(schema, required=True) if name == "body" else valid(schema)


def test_more_options_off_again_leaves_the_form_as_it_was():
    """Unless something was filled in: hiding it would delete it."""
    found = [(o.id, *own) for o in SCRIPTS for own in switched(form(o))]

    assert found
    for script, fields, required in found:
        on = filled(fields, required, {SWITCH: True})
        off = filled(fields, required, {**on, SWITCH: False})
        assert filled(fields, required, {}) == off, script


def switched(field):
    """The fields of each object of a form that has a switch."""
    inner = field.get("properties", {})
    if SWITCH in inner:
        fields = {name: own for name, own in inner.items() if name != "label"}
        required = field.get("required", [])
        yield fields, required if isinstance(required, list) else []
    below = (*inner.values(), field.get("items"), *field.get("oneOf", ()))
    for other in filter(None, below):
        yield from switched(other)


NO_SECRETS = {
    "prompt_cache_key",  # names a cache
    "routed_experts_key",  # names a choice of experts
    "idempotency_key",  # names a request
    "page_token",  # names a place in a list
    "key",  # names a member of a request
}


def test_keys_of_other_services_are_masked():
    secrets = [
        (f"{operation.id}: {name}", field)
        for operation in SCRIPTS
        for name, field in named_fields(form(operation)["properties"])
        if re.search(r"(^|_)(key|token|password)$", name) and name not in NO_SECRETS
    ]

    assert secrets
    for place, field in secrets:
        assert field.get("password") is True, place


def named_fields(fields):
    for name, field in fields.items():
        yield name, field
        for inner in (field, field.get("items") or {}, *field.get("oneOf", ())):
            yield from named_fields(inner.get("properties", {}))
