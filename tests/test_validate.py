"""What is said of a value that does not fit its schema, in whole sentences."""

import math
import re

import pytest

from scripts.client import validate
from scripts.client.validate import (
    UNFIT,
    FileValue,
    allows_null,
    file_value,
    fit,
    has_file,
    is_carried,
    kind_of,
    may_be_empty,
    read_text,
    schema_problems,
    surely_file,
)
from scripts.json_schema.composed import WORDS, ref_target

TYPES = {
    "object": "an object",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}
# A value, its types, and how it is shown.
VALUES = [
    ({"x": 1}, ["object"], "an object"),
    ([1], ["array"], "a list"),
    ("x" * 20, ["string"], f'"{"x" * 20}"'),
    ("x" * 21, ["string"], "text"),
    (1, ["number", "integer"], "1"),
    (1.0, ["number", "integer"], "1.0"),
    (1.5, ["number"], "1.5"),
    (True, ["boolean"], "true"),
    (None, ["null"], "null"),
    (10**70, ["number", "integer"], f"1{'0' * 56}..."),
]


def told(value, schema, **more):
    found = schema_problems(value, schema, "a", words=WORDS, **more)
    return [f"{one['field']} {one['problem']}" for one in found]


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize(("value", "kinds", "shown"), VALUES)
def test_a_value_of_another_type_is_told_by_both(value, kinds, shown, kind):
    wanted = [] if kind in kinds else [f"a must be {TYPES[kind]} (got {shown})"]

    assert told(value, {"type": kind}) == wanted


DOG = {
    "type": "object",
    "properties": {"kind": {"enum": ["dog"]}, "legs": {"type": "integer"}},
    "required": ["kind"],
}
CAT = {
    "type": "object",
    "properties": {"kind": {"enum": ["cat"]}, "name": {"type": "string"}},
    "required": ["kind", "name"],
}
TWICE = {"kind": {"enum": ["any"]}, "size": {"enum": [1]}}
# A schema, a value, what is said.
TOLD = [
    ({"type": ["string", "null"]}, 5, ["a must be text or null (got 5)"]),
    (
        {"type": ["integer", "array"]},
        "x",
        ['a must be a whole number or a list (got "x")'],
    ),
    (
        {"enum": ["a"], "minLength": 2},
        "b",
        ['a must be one of "a" (got "b")', "a needs at least 2 characters (got 1)"],
    ),
    ({"enum": [1]}, b"x", ["a must be one of 1 (got \"b'x'\")"]),
    ({"x-file": "uri", "pattern": "^h"}, "x", ['a cannot be "x": must match ^h']),
    ({"multipleOf": 0.1}, 3, []),
    ({"uniqueItems": True}, [{"a": 1}, {"a": 2}], []),
    (
        {"anyOf": [{**DOG, "properties": TWICE}, {**CAT, "properties": TWICE}]},
        {"size": 2},
        ["a.kind is required"],
    ),
    (
        {
            "properties": {"s": {"$ref": "#/$defs/s"}, "i": {"$ref": "#/$defs/i"}},
            "$defs": {"s": {"type": "string"}, "i": {"type": "integer"}},
        },
        {"s": 1, "i": "x"},
        ["a.s must be text (got 1)", 'a.i must be a whole number (got "x")'],
    ),
    (
        {
            "allOf": [{"$ref": "#/$defs/s"}, {"$ref": "#/$defs/i"}],
            "$defs": {"s": {"type": "string"}, "i": {"type": "integer"}},
        },
        None,
        ["a must be text (got null)", "a must be a whole number (got null)"],
    ),
    ({"enum": ["a", 1]}, "b", ['a must be one of "a", 1 (got "b")']),
    ({"enum": [1]}, 1.0, []),
    ({"enum": [1]}, True, ["a must be one of 1 (got true)"]),
    ({"enum": [True]}, 1, ["a must be one of true (got 1)"]),
    ({"const": {"a": [1]}}, {"a": [1.0]}, []),
    (
        {"const": {"a": [1]}},
        {"a": [1, 2]},
        ['a must be one of {"a": [1]} (got {"a": [1, 2]})'],
    ),
    ({"const": {"a": 1}}, {"b": 1}, ['a must be one of {"a": 1} (got {"b": 1})']),
    ({"const": None}, 0, ["a must be one of null (got 0)"]),
    ({"const": "a", "enum": ["b"]}, "c", ['a must be one of "a" (got "c")']),
    (
        {"enum": ["x" * 70]},
        "y" * 61,
        ['a must be one of "' + "x" * 56 + '... (got "' + "y" * 56 + "...)"],
    ),
    ({"enum": ["é"]}, "y" * 58, ['a must be one of "é" (got "' + "y" * 58 + '")']),
    ({"minLength": 1}, "", ["a must not be empty"]),
    ({"minLength": 2}, "a", ["a needs at least 2 characters (got 1)"]),
    ({"minLength": 2}, "ab", []),
    ({"maxLength": 2}, "ab", []),
    ({"maxLength": 2}, "abc", ["a takes at most 2 characters (got 3)"]),
    ({"pattern": "^a"}, "b", ['a cannot be "b": must match ^a']),
    ({"pattern": "^a", "description": "An a."}, "b", ['a cannot be "b": An a.']),
    ({"pattern": "^a", "description": 5}, "b", ['a cannot be "b": must match ^a']),
    ({"pattern": "^a"}, "b" * 20, ['a cannot be "' + "b" * 20 + '": must match ^a']),
    ({"pattern": "^a"}, "b" * 21, ["a cannot be such a text: must match ^a"]),
    ({"pattern": "^a"}, "a", []),
    ({"minimum": 1}, 0, ["a must be at least 1 (got 0)"]),
    ({"minimum": 1}, 1, []),
    ({"maximum": 1}, 2, ["a must be at most 1 (got 2)"]),
    ({"maximum": 1}, 1, []),
    ({"exclusiveMinimum": 1}, 1, ["a must be more than 1 (got 1)"]),
    ({"exclusiveMinimum": 1}, 2, []),
    ({"exclusiveMaximum": 1}, 1, ["a must be less than 1 (got 1)"]),
    ({"exclusiveMaximum": 1}, 0.5, []),
    ({"multipleOf": 2}, 3, ["a must be a multiple of 2 (got 3)"]),
    ({"multipleOf": 2}, 4, []),
    ({"multipleOf": 0.1}, 0.3, []),
    ({"multipleOf": 0.1}, 0.35, ["a must be a multiple of 0.1 (got 0.35)"]),
    ({"multipleOf": 2}, 3.0, ["a must be a multiple of 2 (got 3.0)"]),
    ({"multipleOf": 0}, 3, []),
    ({"multipleOf": 0.5}, math.inf, ["a must be a multiple of 0.5 (got inf)"]),
    ({"multipleOf": 1}, math.nan, ["a must be a multiple of 1 (got nan)"]),
    ({"minimum": 1}, True, []),
    ({"minItems": 1}, [], ["a must not be empty"]),
    ({"minItems": 2}, [1], ["a needs at least 2 entries (got 1)"]),
    ({"maxItems": 1}, [1, 2], ["a takes at most 1 entries (got 2)"]),
    ({"items": {"type": "string"}}, ["a", 1], ["a[1] must be text (got 1)"]),
    ({"items": False}, [1], ["a[0] must not be there"]),
    ({"prefixItems": [{"type": "string"}]}, [1, 2], ["a[0] must be text (got 1)"]),
    (
        {"prefixItems": [{"type": "string"}], "items": {"type": "integer"}},
        ["a", "b"],
        ['a[1] must be a whole number (got "b")'],
    ),
    ({"uniqueItems": True}, [1, 2, 1], ["a[2] is there twice"]),
    ({"uniqueItems": True}, [1, True, 1.0], ["a[2] is there twice"]),
    ({"uniqueItems": True}, [{"a": [1]}, {"a": [1.0]}], ["a[1] is there twice"]),
    ({"uniqueItems": True}, [{"a": 1}, {"b": 1}, [1], ["a"]], []),
    ({"uniqueItems": False}, [1, 1], []),
    ({"uniqueItems": True}, [0, False, "0", None], []),
    ({"uniqueItems": True}, [1, 1, 2, 2], ["a[1] is there twice"]),
    ({"minProperties": 1}, {}, ["a must not be empty"]),
    ({"minProperties": 2}, {"a": 1}, ["a needs at least 2 members (got 1)"]),
    ({"maxProperties": 0}, {"a": 1}, ["a takes at most 0 members (got 1)"]),
    ({"required": ["a", "b"]}, {"b": 1}, ["a.a is required"]),
    (
        {"properties": {"a": {"type": "string"}}},
        {"a": 1, "b": 2},
        ["a.a must be text (got 1)"],
    ),
    ({"properties": {"a": False}}, {"a": 1}, ["a.a must not be there"]),
    ({"properties": {"a": True}}, {"a": 1}, []),
    ({"additionalProperties": False}, {"a": 1}, ["a.a must not be there"]),
    (
        {"additionalProperties": {"type": "string"}},
        {"a": 1, "b": "x"},
        ["a.a must be text (got 1)"],
    ),
    (
        {
            "patternProperties": {"^x": {"type": "string"}},
            "additionalProperties": False,
        },
        {"x": 1, "y": 1},
        ["a.x must be text (got 1)", "a.y must not be there"],
    ),
    (
        {
            "properties": {"xa": {"minLength": 2}},
            "patternProperties": {"^x": {"type": "string"}},
        },
        {"xa": "b", "xc": 1},
        ["a.xa needs at least 2 characters (got 1)", "a.xc must be text (got 1)"],
    ),
    ({"anyOf": [DOG, CAT]}, {"kind": "dog"}, []),
    (
        {"anyOf": [DOG, CAT]},
        {"kind": "dog", "legs": "x"},
        ['a.legs must be a whole number (got "x")'],
    ),
    (
        {"anyOf": [DOG, CAT]},
        {"kind": "cow"},
        ['a.kind must be one of "dog", "cat" (got "cow")'],
    ),
    ({"anyOf": [DOG, CAT]}, {}, ["a.kind is required"]),
    ({"anyOf": [DOG, CAT]}, {"kind": None}, ['a.kind must be one of "dog" (got null)']),
    ({"anyOf": [DOG, CAT]}, 5, ["a must be an object or an object (got 5)"]),
    ({"anyOf": [DOG, CAT]}, "5", ['a must be an object or an object (got "5")']),
    ({"anyOf": [DOG, CAT]}, {"kind": "cat"}, ["a.name is required"]),
    ({"anyOf": [DOG]}, {"kind": "cow"}, ['a.kind must be one of "dog" (got "cow")']),
    (
        {"anyOf": [{"type": "string", "title": "A name"}, {"type": "array"}]},
        5,
        ["a must be A name or a list (got 5)"],
    ),
    ({"anyOf": [{"type": "string"}, {}]}, 5, []),
    (
        {
            "anyOf": [
                {"type": "string", "minLength": 3},
                {"type": "string", "minLength": 2, "maxLength": 0},
            ]
        },
        "a",
        ["a needs at least 3 characters (got 1)"],
    ),
    ({"anyOf": [False, {"type": "string"}]}, 5, ["a must not be there"]),
    ({"anyOf": []}, 5, []),
    ({"const": [1]}, 5, ["a must be one of [1] (got 5)"]),
    ({"const": 5}, [1], ["a must be one of 5 (got [1])"]),
    (
        {
            "anyOf": [
                {"type": "integer", "minimum": 5},
                {"type": "string", "minLength": 9},
            ]
        },
        "3",
        ["a needs at least 9 characters (got 1)"],
    ),
    ({"anyOf": [{"enum": [1]}, {"not": {}}]}, 5, ["a must be one of 1 (got 5)"]),
    (
        {"anyOf": [{"type": ["string", "null"]}, {"type": "array"}]},
        5,
        ["a must be text or a list (got 5)"],
    ),
    (
        {"oneOf": [{"type": "string"}, {"minLength": 1}]},
        "a",
        ["a fits several of the variants of oneOf"],
    ),
    (
        {
            "oneOf": [
                {"type": "string", "minLength": 2, "maxLength": 0},
                {"type": "integer"},
            ]
        },
        "a",
        ['a must be a whole number (got "a")'],
    ),
    ({"oneOf": []}, 5, ["a must not be there"]),
    (
        {"const": 1, "oneOf": [{"type": "string"}]},
        5,
        ["a must be one of 1 (got 5)", "a must be text (got 5)"],
    ),
    (
        {"if": {"type": "integer"}, "then": {"minimum": 6}},
        5,
        ["a must be at least 6 (got 5)"],
    ),
    ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, "a", []),
    (
        {"allOf": [{"type": "string"}, {"minLength": 2}]},
        "a",
        ["a needs at least 2 characters (got 1)"],
    ),
    (
        {"allOf": [{"type": "string"}, {"minimum": 2}]},
        1,
        ["a must be text (got 1)", "a must be at least 2 (got 1)"],
    ),
    ({"not": {"type": "string"}}, "a", ["a must not be such a value"]),
    ({"not": {"type": "string"}}, 1, []),
    (
        {"not": {"$ref": "#/$defs/s"}, "$defs": {"s": {"type": "string"}}},
        "a",
        ["a must not be such a value"],
    ),
    (False, 1, ["a must not be there"]),
    (True, 1, []),
    ({"x-file": "base64"}, 5, ["a must be a file (got 5)"]),
    ({"x-file": "bytes"}, "", ['a must be a file (got "")']),
    ({"x-file": "base64"}, "", []),
    (
        {"x-file": "uri", "maxLength": 2},
        "abc",
        ["a takes at most 2 characters (got 3)"],
    ),
    ({"x-file": "bytes", "maxLength": 2}, "abc", []),
    ({"x-file": "uri"}, None, ["a must be a file (got null)"]),
    ({"x-file": "uri"}, {"s3": "a"}, []),
    ({"x-file": "content"}, True, ["a must be a file (got true)"]),
    ({"x-file": "uri", "format": "x"}, "", ['a must be a file (got "")']),
    ({"x-file": "uri"}, 1.5, ["a must be a file (got 1.5)"]),
    (
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}},
        5,
        ["a must be text (got 5)"],
    ),
    (
        {
            "properties": {"p": {"$ref": "#/$defs/a~1b~0c"}},
            "$defs": {"a/b~c": {"type": "string"}},
        },
        {"p": 1},
        ["a.p must be text (got 1)"],
    ),
    (
        {"prefixItems": [{"type": "string"}, {"$ref": "#/prefixItems/0"}]},
        ["a", 1],
        ["a[1] must be text (got 1)"],
    ),
    (
        {"$ref": "#/$defs/a", "type": "integer", "$defs": {"a": False}},
        "x",
        ["a must not be there", 'a must be a whole number (got "x")'],
    ),
    (
        {"$ref": "#/$defs/a", "type": "integer", "$defs": {"a": False}},
        1,
        ["a must not be there"],
    ),
    (
        {"properties": {"next": {"$ref": "#"}}, "required": ["v"]},
        {"v": 1, "next": {"next": {"v": 2}}},
        ["a.next.v is required"],
    ),
]


@pytest.mark.parametrize(("schema", "value", "words"), TOLD)
def test_each_word_of_a_schema_has_its_sentence(schema, value, words):
    assert told(value, schema) == words


def test_a_variant_that_a_button_chose_is_the_one_that_counts():
    schema = {"anyOf": [DOG, CAT]}
    value = {"legs": 4}

    assert told(value, schema) == ["a.kind is required"]
    assert told(value, schema, pressed={id(value): (value, CAT)}) == [
        "a.kind is required",
        "a.name is required",
    ]


def test_a_search_of_another_s_says_why_it_cannot_and_shows_the_pattern():
    def search(pattern, text):
        if pattern == "(":
            raise ValueError("is no pattern")
        return re.search(pattern, text)

    described = {"pattern": "^a", "description": "An a."}
    assert told("b", described, search=search) == [
        'a cannot be "b": must match ^a; An a.'
    ]
    assert told("b", {"pattern": "("}, search=search) == ["a '(' is no pattern"]
    named = {"patternProperties": {"^x": False}}
    assert told({"x": 1, "y": 1}, named, search=search) == ["a.x must not be there"]
    named = {"patternProperties": {"(": False}}
    assert told({"x": 1}, named, search=search) == ["a has a name that is no pattern"]


FLAT = {"allOf": [{}]}


def nested(depth, within=lambda value: [value]):
    value = 1
    for _ in range(depth):
        value = within(value)
    return value


def test_what_is_nested_deeper_than_is_looked_at_is_told():
    lists = {"items": {"$ref": "#"}}

    assert told(nested(50), lists) == []
    assert told(nested(51), lists) == [f"a{'[0]' * 51} is nested too deeply"]
    objects = {"additionalProperties": {"$ref": "#"}}
    members = nested(51, lambda value: {"n": value})
    assert told(members["n"], objects) == []
    assert told(members, objects) == [f"a{'.n' * 51} is nested too deeply"]
    either = {"anyOf": [{"type": "array", "items": {"$ref": "#"}}, {"type": "integer"}]}
    assert told(nested(20), either) == []
    (deep,) = told(nested(60), either)
    assert deep.endswith(" is nested too deeply")


@pytest.mark.parametrize(
    ("value", "schema", "places"),
    [
        ([[1], [2, [3]], [[4]]], {}, ["a[1][1][0]", "a[2][0][0]"]),
        (
            {"p": {"q": 1}, "r": {"s": {"t": 1}, "u": {"v": {"w": 1}}}},
            {},
            ["a.r.s.t", "a.r.u.v"],
        ),
        (1, {"allOf": [FLAT, FLAT, {"allOf": [FLAT, {}, FLAT]}]}, ["a"] * 2),
        (1, {"allOf": [{}], "oneOf": [{}]}, []),
        ({"p": {"l": [], "m": {"n": 1}}}, {}, ["a.p.m.n"]),
    ],
    ids=["lists", "objects", "words", "word by word", "behind a list"],
)
def test_only_what_is_around_counts_as_depth(value, schema, places, monkeypatch):
    monkeypatch.setattr(validate, "MAX_DEPTH", 2)
    every = {"items": {}, "additionalProperties": {}}
    for name in every:
        every[name] = every if value != 1 else {}

    assert told(value, {**every, **schema}) == [
        f"{place} is nested too deeply" for place in places
    ]


def test_a_value_is_repeated_up_to_sixty_characters():
    (whole,) = told("x" * 58, {"enum": ["a"]})
    (cut,) = told("x" * 59, {"enum": ["a"]})

    assert whole.endswith(f'(got "{"x" * 58}")')
    assert cut.endswith(f'(got "{"x" * 56}...)')


def test_of_many_faults_behind_a_reference_the_first_twenty_are_told():
    lists = {"$ref": "#/$defs/all", "$defs": {"all": {"items": {"type": "string"}}}}

    found = told(list(range(30)), lists)

    assert found == [f"a[{n}] must be text (got {n})" for n in range(20)]


@pytest.mark.parametrize(
    ("schema", "kind", "null"),
    [
        ({"type": "string"}, "string", False),
        ({"type": ["string", "null"]}, "string", True),
        ({"type": ["null", "integer"]}, "integer", True),
        ({"type": ["string", "integer"]}, "string", False),
        ({"type": "null"}, "null", True),
        ({"type": ["null"]}, "null", True),
        ({}, None, False),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, None, True),
        ({"anyOf": [{"type": "string"}]}, None, False),
    ],
)
def test_a_schema_has_one_type_beside_null(schema, kind, null):
    assert kind_of(schema) == kind
    assert allows_null(schema) == null


@pytest.mark.parametrize(
    ("schema", "empty"),
    [
        ({"minLength": 0}, True),
        ({"minItems": 0}, True),
        ({"minLength": 1}, False),
        ({}, False),
        ({"anyOf": [{"minItems": 0}, {"minLength": 1}]}, True),
        ({"anyOf": [{}, {"minLength": 1}]}, False),
    ],
)
def test_the_schema_says_what_may_be_empty(schema, empty):
    assert may_be_empty(schema) == empty


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("true", "boolean", True),
        ("false", "boolean", False),
        ("True", "boolean", "True"),
        ("1", "boolean", "1"),
        ("5", "integer", 5),
        (" -7 ", "integer", -7),
        ("+7", "integer", 7),
        ("5.0", "integer", 5),
        ("1e3", "integer", 1000),
        ("1e30", "integer", "1e30"),
        ("1e30", "number", 1e30),
        ("1e400", "number", "1e400"),
        ("9" * 5_000, "integer", "9" * 5_000),
        ("5.5", "integer", "5.5"),
        ("9007199254740991.0", "integer", 2**53 - 1),
        ("9007199254740992.0", "integer", "9007199254740992.0"),
        ("9007199254740992.0", "number", 2.0**53),
        ("5.5", "number", 5.5),
        ("-1.5E-3", "number", -0.0015),
        ("5.", "number", "5."),
        ("x5", "number", "x5"),
        ("5x", "number", "5x"),
        ("", "number", ""),
        ("inf", "number", "inf"),
        ("0x10", "integer", "0x10"),
    ],
)
def test_a_number_or_a_truth_that_came_as_text_is_read(text, kind, value):
    found = read_text(text, kind)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("schema", "file", "carried"),
    [
        ({"x-file": "bytes"}, True, True),
        ({"x-file": "content"}, True, True),
        ({"x-file": "uri"}, True, False),
        ({"x-file": "base64"}, True, False),
        ({"x-file": "uri", "format": "x"}, True, True),
        ({"anyOf": [{"type": "string"}, {"x-file": "uri"}]}, True, None),
        ({"anyOf": [{"type": "string"}]}, False, None),
        ({"type": "string"}, False, None),
    ],
)
def test_the_schema_says_what_is_a_file(schema, file, carried):
    assert has_file(schema) == file
    if carried is not None:
        assert is_carried(schema) == carried


@pytest.mark.parametrize(
    ("value", "sure"),
    [
        *(({name: "x"}, True) for name in ("s3", "file", "url", "text", "rows")),
        ({"name": "x"}, False),
        ({}, False),
        *((value, False) for value in ("x", 5, 1.5, ["x"], True)),
        (b"x", True),
        (None, True),
    ],
)
def test_some_values_can_be_nothing_but_files(value, sure):
    assert surely_file(value) == sure


LONG = "A" * 24
FILES = [
    ("uri", f"https://e.com/{LONG}", f"https://e.com/{LONG}"),
    ("uri", f"http://e.com/{LONG}", f"http://e.com/{LONG}"),
    ("uri", "data:image/png;base64,AA", "data:image/png;base64,AA"),
    ("uri", "data:image/png;base64,AA\nAA", FileValue),
    ("uri", LONG, FileValue),
    ("uri", LONG[1:], LONG[1:]),
    ("uri", "s3://a/b", FileValue),
    ("uri", {"s3": "a"}, FileValue),
    ("uri", b"x", FileValue),
    ("uri", True, True),
    ("uri", 5, 5),
    ("uri", 1.5, 1.5),
    ("bytes", LONG, LONG),
    ("base64", "https://e.com/a", FileValue),
    ("base64", "data:image/png;base64,AA\nAA", FileValue),
    ("base64", LONG, LONG),
    ("base64", "s3://a/b", FileValue),
]


@pytest.mark.parametrize(("kind", "value", "wanted"), FILES)
def test_what_is_no_text_of_the_wire_is_read_as_a_file(kind, value, wanted):
    found = file_value(value, {"x-file": kind}, "body.a")

    if wanted is FileValue:
        assert (found.value, found.field, found.kind) == (value, "body.a", kind)
    else:
        assert found == wanted


FITS = [
    # what says so itself, then what has the type, lacks something, could be read
    ({"kind": "dog"}, DOG, 0),
    ({"legs": 4, "kind": "dog"}, {**DOG, "type": ["object", "null"]}, 0),
    ({"kind": "cat"}, DOG, UNFIT),
    ({"kind": None}, DOG, 2),
    ({}, DOG, 2),
    ({}, {"type": "object"}, 1),
    ({"x": None}, {"type": "object", "required": ["x"]}, 2),
    ({"x": 1}, {"type": "object", "required": ["x"]}, 1),
    ("5", {"type": "integer"}, 3),
    ("5", {"type": ["integer", "null"]}, 3),
    ("x", {"type": "integer"}, UNFIT),
    ("true", {"type": "boolean"}, 3),
    (5, {"type": "integer"}, 1),
    (None, {"type": ["integer", "null"]}, 1),
    (None, {"type": "integer"}, UNFIT),
    (5, {}, 1),
    (5, True, 1),
    ({"s3": "a"}, {"type": "string", "x-file": "uri"}, 1),
    ({"a": "a"}, {"type": "string", "x-file": "uri"}, UNFIT),
    ({"s3": "a"}, {"type": "string"}, UNFIT),
]


@pytest.mark.parametrize(("value", "schema", "rank"), FITS)
def test_a_variant_is_chosen_by_how_well_a_value_fits(value, schema, rank):
    assert fit(value, schema) == rank


@pytest.mark.parametrize(
    ("ref", "target"),
    [
        ("#", {"a": [True, 5], "#/a": False}),
        ("", {"a": [True, 5], "#/a": False}),
        ("#/a/0", True),
        ("#/#~1a", False),
        ("#/%23~1a", False),
    ],
)
def test_a_reference_leads_to_a_place_of_the_schema(ref, target):
    root = {"a": [True, 5], "#/a": False}

    assert ref_target(ref, root) == target


@pytest.mark.parametrize(
    "ref",
    ["other#/a/0", "other", "#name", "#/b", "#/a/7", "#/a/0/x", "#/a/-1", "#/a/00"],
)
def test_a_reference_that_leads_elsewhere_is_none(ref):
    with pytest.raises(LookupError):
        ref_target(ref, {"a": [True]})


@pytest.mark.parametrize("ref", ["#/a/1", "#/a"])
def test_a_reference_leads_to_a_schema_or_is_none(ref):
    with pytest.raises(LookupError, match=ref[1:]):
        ref_target(ref, {"a": [True, 5]})


WIDE = [
    ({"items": {"type": "array", "items": {"type": "integer"}}}, [[1]] * 300),
    ({"items": {"properties": {"n": {"type": "integer"}}}}, [{"n": 1}] * 300),
    ({"items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}}, [1] * 300),
    ({"items": {"not": {"type": "string"}}}, [1] * 300),
    ({"items": {"$ref": "#/$defs/n"}, "$defs": {"n": {"type": "integer"}}}, [1] * 300),
]


@pytest.mark.parametrize(("schema", "value"), WIDE)
def test_what_stands_beside_each_other_is_not_nested(schema, value):
    assert told(value, {"type": "array", **schema}) == []
