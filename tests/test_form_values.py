"""What is meant by what a form or a flow gives, value by value."""

import sys

import pytest

from scripts.client import TogetherError
from scripts.client.form import (
    NOT_GIVEN,
    checked_arguments,
    normalise,
    with_models,
)
from scripts.client.validate import FileValue

STRING, INTEGER = {"type": "string"}, {"type": "integer"}
NUMBER = {"type": ["number", "null"], "x-choice": True}
SETTINGS = {
    "type": "object",
    "properties": {"s": STRING, "n": INTEGER},
    "x-choice": True,
}
UNION = {
    "anyOf": [
        {
            "title": "A",
            "type": "object",
            "properties": {"kind": {"enum": ["a"]}, "n": INTEGER},
            "required": ["kind"],
        },
        {"title": "B", "type": "string"},
        {"title": "C", "enum": ["c"], "type": "string"},
        {"title": "L", "type": "array", "items": INTEGER},
        {"title": "N", "type": "number"},
        {"title": "Y", "type": "boolean"},
        {"title": "V"},
    ],
    "x-choice": True,
}
SCHEMA = {"type": "object", "format": "json-schema", "x-choice": True}
ADDRESS = {"x-file": "uri", "x-choice": True}
BYTES = {"x-file": "bytes", "x-choice": True}
ROWS = {"type": "array", "items": STRING, "x-row": "v"}
GROUPED = {
    "type": "object",
    "properties": {"off": {"type": "object"}, "n": INTEGER},
    "x-groups": {"scaling": {"Off": "off", "Number": "n"}},
}
HIDDEN = {
    "type": "object",
    "properties": {"t": STRING, "kind": STRING},
    "x-hidden": {"kind": ["t", {"A": "a"}]},
}
MESSAGE = {"type": "object", "properties": {"c": {}}, "x-beside": "c"}


class File:
    """Equal to a file of that value, at the field of these tests."""

    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        told = (other.value, other.field, other.kind)
        return isinstance(other, FileValue) and told == (self.value, "a", "uri")


# A schema, what is given, what is meant.
MEANT = [
    (STRING, None, NOT_GIVEN),
    ({"type": ["string", "null"]}, None, None),
    (STRING, "", ""),
    ({"type": "array", "items": STRING}, [], []),
    (INTEGER, "5", 5),
    (INTEGER, "x", "x"),
    ({"type": "boolean"}, "true", True),
    ({"type": "number"}, "1.5", 1.5),
    (STRING, "5", "5"),
    (INTEGER, 5, 5),
    (UNION, {"label": "Default"}, NOT_GIVEN),
    (UNION, {"label": "A", "n": "5"}, {"n": 5, "kind": "a"}),
    (UNION, {"label": "A", "kind": "", "n": None}, {"kind": "a"}),
    (UNION, {"label": "B", "text": "x"}, "x"),
    (UNION, {"label": "B", "text": None}, NOT_GIVEN),
    (UNION, {"label": "B"}, NOT_GIVEN),
    (UNION, {"label": "C"}, "c"),
    (UNION, {"label": "L", "list": ["5"]}, [5]),
    (UNION, {"label": "N", "number": 1.5}, 1.5),
    (UNION, {"label": "Y", "switch": False}, False),
    (UNION, {"label": "V", "value": 7}, 7),
    (UNION, {"label": "A", "kind": "own"}, {"kind": "own"}),
    (UNION, {"label": "Z", "n": 1}, {"label": "Z", "n": 1}),
    (UNION, "x", "x"),
    (UNION, {"kind": "a", "n": "7"}, {"kind": "a", "n": 7}),
    (UNION, ["1"], [1]),
    (SETTINGS, {"label": "Default", "s": "x"}, NOT_GIVEN),
    (SETTINGS, {"label": "Set", "s": "x", "n": None}, {"s": "x"}),
    (SETTINGS, {"label": "Set", "s": "", "n": "5"}, {"s": "", "n": 5}),
    (SETTINGS, {"label": "mine", "s": "x"}, {"label": "mine", "s": "x"}),
    (SETTINGS, {"s": "x"}, {"s": "x"}),
    (NUMBER, {"label": "None"}, None),
    (NUMBER, {"label": "Number", "number": 5}, 5),
    (NUMBER, {"label": "Default"}, NOT_GIVEN),
    (
        {"type": "array", "items": STRING, "x-choice": True},
        {"label": "List", "list": ["a"]},
        ["a"],
    ),
    (
        SCHEMA,
        {"label": "JSON", "value": {"type": "object", "x": 1}},
        {"type": "object", "x": 1},
    ),
    (SCHEMA, {"label": "JSON", "value": None}, NOT_GIVEN),
    (SCHEMA, {"label": "JSON"}, NOT_GIVEN),
    ({**SCHEMA, "type": ["object", "null"]}, {"label": "JSON"}, NOT_GIVEN),
    (
        {"anyOf": [{"title": "B", "type": ["string", "null"]}], "x-choice": True},
        {"label": "B", "text": None},
        NOT_GIVEN,
    ),
    (
        SCHEMA,
        {
            "label": "Editor",
            "value": {
                "properties": {"a": {"type": "string", "description": ""}},
                "order": ["a"],
                "type": "object",
            },
        },
        {"properties": {"a": STRING}, "type": "object"},
    ),
    (SCHEMA, {"label": "Editor", "value": {"type": "object"}}, {}),
    (
        SCHEMA,
        {"label": "A title", "type": "object"},
        {"label": "A title", "type": "object"},
    ),
    (
        ADDRESS,
        {"label": "URL", "url": "https://e.com/a"},
        File({"url": "https://e.com/a"}),
    ),
    (ADDRESS, {"label": "Drop a file", "file": ""}, NOT_GIVEN),
    (ADDRESS, {"label": "Drop a file", "filename": "a.txt"}, NOT_GIVEN),
    (
        BYTES,
        {"label": "Drop a file", "file": "AA", "filename": "a.txt"},
        {"file": "AA", "filename": "a.txt"},
    ),
    (BYTES, {"label": "Drop a file", "file": None}, NOT_GIVEN),
    (
        {"anyOf": [{"x-file": "bytes"}, STRING], "x-choice": True},
        {"label": "x", "text": ""},
        NOT_GIVEN,
    ),
    ({"type": "object"}, {"a": None, "label": "x"}, {"a": None, "label": "x"}),
    (
        {"type": "object", "additionalProperties": STRING},
        {"a": None, "b": "", "c": "x"},
        {"b": "", "c": "x"},
    ),
    (
        {"type": "object", "properties": {"a": STRING}},
        {"a": None, "b": None},
        {"b": None},
    ),
    (
        {"type": "object", "properties": {"a": STRING}, "required": ["a"]},
        {"a": "", "b": ""},
        {"b": ""},
    ),
    (
        {
            "type": "object",
            "properties": {"a": STRING},
            "additionalProperties": INTEGER,
        },
        {"a": "1", "b": "1"},
        {"a": "1", "b": 1},
    ),
    (ROWS, [{"v": "a"}, {"v": None}, {"v": "b"}], ["a", "b"]),
    (ROWS, [{"v": None}], NOT_GIVEN),
    (ROWS, [], []),
    ({"type": "array", "items": INTEGER}, ["1", None], [1, None]),
    (
        {"type": "array", "items": {"type": "object"}, "x-row": "v"},
        [{"v": {"a": 1}}, {"v": 1, "w": 2}],
        [{"a": 1}, {"v": 1, "w": 2}],
    ),
    (ROWS, ["a"], ["a"]),
    ({"type": "array"}, [None, "1"], [None, "1"]),
    ({"anyOf": [INTEGER, {"type": "array", "items": INTEGER}]}, "5", 5),
    (
        {"anyOf": [{"type": "string", "x-file": "uri"}, {"type": "object"}]},
        {"s3": "a"},
        File({"s3": "a"}),
    ),
    (
        {
            "anyOf": [
                {"type": "object", "properties": {"a": INTEGER}, "required": ["a"]},
                {"type": "object", "properties": {"a": STRING}, "required": ["a"]},
            ]
        },
        {"a": "x"},
        {"a": "x"},
    ),
    (
        {
            "anyOf": [
                {"type": "object", "properties": {"a": STRING}},
                {"type": "object", "properties": {"a": INTEGER}},
            ]
        },
        {"a": "5"},
        {"a": "5"},
    ),
    ({"anyOf": [INTEGER, {"type": "boolean"}]}, [1], [1]),
    ({"anyOf": [ROWS, {"type": "array", "items": INTEGER}]}, [{"v": None}], NOT_GIVEN),
    (
        {
            "type": "object",
            "properties": {"a": STRING, "b": STRING},
            "x-advanced": True,
        },
        {"a": "x", "more_options": True},
        {"a": "x"},
    ),
    (
        {"type": "object", "properties": {"more_options": STRING}},
        {"more_options": "x"},
        {"more_options": "x"},
    ),
    (GROUPED, {"n": "5"}, {"n": 5}),
    (GROUPED, {"scaling": {"label": "Off"}}, {"off": {}}),
    (
        {
            "type": "object",
            "properties": {
                "off": {"type": "object", "properties": {"x": INTEGER}},
                "n": INTEGER,
            },
            "x-groups": {"scaling": {"Off": "off", "Number": "n"}},
        },
        {"scaling": {"label": "Off", "x": "5"}},
        {"off": {"x": 5}},
    ),
    (GROUPED, {"scaling": {"label": "Number", "n": "5"}}, {"n": 5}),
    (GROUPED, {"scaling": {"label": "Default", "n": "5"}}, {}),
    (GROUPED, {"scaling": None, "n": "5"}, {"n": 5}),
    (
        {**GROUPED, "x-groups": {"other": {"A": "off"}, **GROUPED["x-groups"]}},
        {"scaling": {"label": "Number", "n": "5"}},
        {"n": 5},
    ),
    (HIDDEN, {"t": {"label": "A"}}, {"t": {"label": "A"}, "kind": "a"}),
    (
        HIDDEN,
        {"t": {"label": "A"}, "kind": "own"},
        {"t": {"label": "A"}, "kind": "own"},
    ),
    (HIDDEN, {"t": "x"}, {"t": "x"}),
    (MESSAGE, {"c": "hi"}, {"c": "hi"}),
    (MESSAGE, {"c": "hi", "pictures": None, "parts": None}, {"c": "hi"}),
    (
        MESSAGE,
        {"c": "hi", "pictures": "u"},
        {
            "c": [
                {"type": "text", "text": "hi"},
                {"type": "image_url", "image_url": {"url": "u"}},
            ]
        },
    ),
    (
        MESSAGE,
        {"c": "", "pictures": ["u"]},
        {"c": [{"type": "image_url", "image_url": {"url": "u"}}]},
    ),
    (
        MESSAGE,
        {"pictures": ["u"]},
        {"c": [{"type": "image_url", "image_url": {"url": "u"}}]},
    ),
    (
        MESSAGE,
        {"c": [{"type": "x"}], "pictures": ["u"]},
        {"c": [{"type": "x"}, {"type": "image_url", "image_url": {"url": "u"}}]},
    ),
    (
        MESSAGE,
        {"c": "hi", "parts": [{"type": "p"}]},
        {"c": [{"type": "text", "text": "hi"}, {"type": "p"}]},
    ),
    (
        MESSAGE,
        {"c": "hi", "parts": {"type": "p"}},
        {"c": [{"type": "text", "text": "hi"}, {"type": "p"}]},
    ),
    (
        MESSAGE,
        {
            "c": "hi",
            "pictures": [
                {"source": "u"},
                {"source": "v", "w": 1},
                {"source": {"label": "URL", "url": "u"}},
                {"source": {"label": "URL", "url": ""}},
                {"source": {"label": "Default"}},
            ],
            "parts": [{"type": "p"}],
        },
        {
            "c": [
                {"type": "text", "text": "hi"},
                {"type": "image_url", "image_url": {"url": "u"}},
                {"type": "image_url", "image_url": {"url": {"source": "v", "w": 1}}},
                {"type": "image_url", "image_url": {"url": {"url": "u"}}},
                {"type": "p"},
            ]
        },
    ),
    (MESSAGE, {"c": None, "parts": [1]}, {"c": [1]}),
    ({**MESSAGE, "x-advanced": True}, {"c": None, "parts": [1]}, {"c": [1]}),
    (
        {"anyOf": [{"title": "V", "type": "object"}, STRING], "x-choice": True},
        {"label": "V", "n": 1},
        {"n": 1},
    ),
    ({"type": "object", "properties": {"n": INTEGER}}, "x", "x"),
    ({"type": "array", "properties": {"n": INTEGER}}, {"n": "3"}, {"n": "3"}),
    (
        {
            "anyOf": [
                {"type": "string", **ADDRESS},
                {"type": "object", "properties": {"n": INTEGER}},
            ]
        },
        {"n": "3"},
        {"n": 3},
    ),
]


@pytest.mark.parametrize(("schema", "given", "meant"), MEANT)
def test_what_is_given_has_one_meaning(schema, given, meant):
    found = normalise(given, schema, "a")

    assert found is meant if meant is NOT_GIVEN else meant == found
    assert type(meant) in (type(found), File)


REQUIRED = [
    (STRING, "", NOT_GIVEN),
    ({"type": "string", "minLength": 0}, "", ""),
    ({"type": "array", "items": STRING}, [], NOT_GIVEN),
    ({"type": "array", "minItems": 0, "items": STRING}, [], []),
]


@pytest.mark.parametrize(("schema", "given", "meant"), REQUIRED)
def test_what_is_required_and_empty_is_not_given_unless_it_may_be(schema, given, meant):
    assert normalise(given, schema, "a", required=True) == meant
    assert normalise(given, schema, "a") == given


@pytest.mark.parametrize(
    ("schema", "given", "field"),
    [
        ({"type": "object", "properties": {"b": ADDRESS}}, {"b": {"s3": "x"}}, "a.b"),
        ({"type": "array", "items": ADDRESS}, ["x", {"s3": "x"}], "a[1]"),
        ({"anyOf": [ADDRESS, {"type": "object"}]}, {"s3": "x"}, "a"),
        (
            {
                "anyOf": [
                    {"type": "object", "properties": {"b": ADDRESS}},
                    {"type": "object", "properties": {"c": STRING}},
                ]
            },
            {"b": {"s3": "x"}},
            "a.b",
        ),
        (
            {
                "anyOf": [
                    {"title": "A", "type": "object", "properties": {"b": ADDRESS}},
                    {"title": "B", "type": "string"},
                ],
                "x-choice": True,
            },
            {"label": "A", "b": {"s3": "x"}},
            "a.b",
        ),
        ({"type": "object", "additionalProperties": ADDRESS}, {"b": b"x"}, "a.b"),
    ],
)
def test_a_file_knows_where_it_was_given(schema, given, field):
    found = normalise(given, schema, "a")
    while not isinstance(found, FileValue):
        found = list(found.values() if isinstance(found, dict) else found)[-1]

    assert (found.field, found.kind) == (field, "uri")


def test_the_variant_of_a_button_that_was_pressed_is_kept():
    pressed = {}
    fields = {"type": "object", "properties": {"u": UNION, "l": {"type": "array"}}}
    fields["properties"]["l"]["items"] = UNION
    given = {"u": {"label": "A"}, "l": [{"label": "B", "text": "x"}, {"label": "A"}]}

    found = normalise(given, fields, "a", pressed=pressed)

    assert found == {"u": {"kind": "a"}, "l": ["x", {"kind": "a"}]}
    kept = {id(found["u"]): found["u"], id(found["l"][1]): found["l"][1]}
    assert pressed == {key: (own, UNION["anyOf"][0]) for key, own in kept.items()}


@pytest.mark.parametrize(
    "other", [STRING, {"type": "object", "properties": {"v": STRING}}]
)
def test_a_button_within_a_variant_is_kept_too(other):
    """Whether one variant fits or the best of several is taken."""
    pressed = {}
    one = {"type": "object", "properties": {"u": UNION}, "required": ["u"]}

    found = normalise(
        {"u": {"label": "A"}}, {"anyOf": [one, other]}, "a", pressed=pressed
    )

    assert found == {"u": {"kind": "a"}}
    assert pressed[id(found["u"])] == (found["u"], UNION["anyOf"][0])


def test_a_button_behind_a_button_is_kept_too():
    pressed = {}
    one = {"title": "One", "type": "object", "properties": {"u": UNION}}
    outer = {"anyOf": [one, {"title": "Other", **STRING}], "x-choice": True}

    found = normalise(
        {"label": "One", "u": {"label": "A"}}, outer, "a", pressed=pressed
    )

    assert found == {"u": {"kind": "a"}}
    assert pressed == {
        id(found): (found, one),
        id(found["u"]): (found["u"], UNION["anyOf"][0]),
    }


def test_a_file_that_is_an_argument_knows_its_name():
    step = {"arguments": {"properties": {"photo": ADDRESS}}}

    assert checked_arguments(step, {"photo": {"s3": "x"}})["photo"].field == "photo"


def test_what_stands_behind_a_button_and_is_required_may_not_be_empty():
    empty = {"label": "B", "text": ""}

    assert normalise(empty, UNION, "a", required=True) is NOT_GIVEN
    assert normalise(empty, UNION, "a") == ""


def test_the_button_that_was_pressed_says_what_is_lacking():
    """Though another variant would have nothing against the value."""
    one = {"title": "One", "type": "object", "properties": {"n": INTEGER}}
    other = {"title": "Other", "type": "object", "properties": {"s": STRING}}
    union = {"anyOf": [{**one, "required": ["n"]}, other], "x-choice": True}
    step = {"arguments": {"properties": {"u": union}}}

    assert checked_arguments(step, {"u": {"label": "Other"}}) == {"u": {}}
    with pytest.raises(TogetherError) as caught:
        checked_arguments(step, {"u": {"label": "One"}})
    assert [one["field"] for one in caught.value.problems] == ["u.n"]


MEMBERS = {"model": STRING, "model_id": {"x-id-of": "model"}, "x": INTEGER}
MODELS = [
    ({}, {}),
    ({"x": 1}, {"x": 1}),
    ({"model": "a"}, {"model": "a"}),
    ({"model": "a", "model_id": ""}, {"model": "a"}),
    ({"model": "a", "model_id": " a "}, {"model": "a"}),
    ({"model": "other", "model_id": " b "}, {"model": "b"}),
    ({"model_id": "b"}, {"model": "b"}),
    ({"model": None, "model_id": "b"}, {"model": "b"}),
    ({"model": "", "model_id": "b"}, {"model": "b"}),
    ({"model": [], "model_id": "b"}, {"model": "b"}),
    ({"model": {}, "model_id": "b"}, {"model": "b"}),
    ({"model": ""}, {"model": None}),
    ({"model": ["a"]}, {"model": "a"}),
    ({"model": ["a", "b"]}, {"model": ["a", "b"]}),
    ({"model": {"id": "a"}}, {"model": "a"}),
    ({"model": {"id": "", "model": "a"}}, {"model": "a"}),
    ({"model": {"value": "a"}}, {"model": "a"}),
    ({"model": {"id": "", "value": None}}, {"model": None}),
    ({"model": {"x": 1}}, {"model": {"x": 1}}),
    ({"model": [{"id": "a"}]}, {"model": "a"}),
]


@pytest.mark.parametrize(("given", "meant"), MODELS)
def test_a_model_is_chosen_from_a_list_or_named(given, meant):
    before = dict(given)

    assert with_models(MEMBERS, given) == meant
    assert given == before


def test_what_no_form_sends_loads_nothing_of_forms(monkeypatch):
    for name in ("typed_models", "form_fields"):
        monkeypatch.setitem(sys.modules, f"scripts.forms.{name}", None)
    plain = {"type": "object", "properties": {"parts": {"type": "array"}}}

    assert with_models(MEMBERS, {"model": "a", "model_id": None}) == {"model": "a"}
    assert with_models(MEMBERS, {"model": None, "model_id": ""}) == {"model": None}
    assert normalise({"parts": [1]}, plain, "a") == {"parts": [1]}
    assert normalise({"c": "x"}, MESSAGE, "a") == {"c": "x"}
    with pytest.raises(ImportError):
        with_models(MEMBERS, {"model": "other", "model_id": "b"})
    with pytest.raises(ImportError):
        normalise({"c": "x", "parts": [1]}, MESSAGE, "a")


NOWHERE = "is empty, and model is 'other': write the model's id here"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"model": "other"}, NOWHERE),
        ({"model": "other", "model_id": " "}, NOWHERE),
        (
            {"model": "a", "model_id": "b"},
            "is 'b' and model is 'a': leave one empty",
        ),
        ({"model": "a", "model_id": 5}, "is 5 and model is 'a': leave one empty"),
    ],
)
def test_a_model_that_cannot_be_meant_is_refused(given, words):
    with pytest.raises(TogetherError) as caught:
        with_models(MEMBERS, given)

    assert caught.value.problems == [{"field": "model_id", "problem": words}]


def test_a_model_chosen_and_named_is_a_model_after_another_argument():
    members = {"x": INTEGER, **MEMBERS}

    assert with_models(members, {"model": "other", "model_id": "b"}) == {"model": "b"}


OPERATION = {
    "method": "POST",
    "path": "/v1/things",
    "arguments": {
        "properties": {
            "id": STRING,
            "n": INTEGER,
            "body": {
                "type": "object",
                "properties": {"temperature": {"type": "number"}, "u": UNION},
            },
        },
        "required": ["id", "body"],
    },
}


def test_arguments_are_what_they_mean_without_those_that_are_not_given(capsys):
    body = {"temperature": "0.5", "u": {"label": "Default"}}
    given = {"id": "a", "n": None, "body": body}

    found = checked_arguments(OPERATION, given)

    assert found == {"id": "a", "body": {"temperature": 0.5}}
    assert capsys.readouterr().err == ""
    assert checked_arguments({"arguments": {"properties": {"n": INTEGER}}}, {}) == {}


def test_all_that_is_wrong_with_arguments_is_told_at_once():
    given = {"id": "", "n": "x", "body": {"temperature": "warm", "u": {"label": "A"}}}
    given["body"]["u"]["n"] = "y"

    with pytest.raises(TogetherError) as caught:
        checked_arguments(OPERATION, given)
    with pytest.raises(TogetherError) as nothing:
        checked_arguments(OPERATION, {})

    told = [(one["field"], one["problem"]) for one in caught.value.problems]
    assert told == [
        ("id", "is required, and is empty"),
        ("n", 'must be a whole number (got "x")'),
        ("body.temperature", 'must be a number (got "warm")'),
        ("body.u.n", 'must be a whole number (got "y")'),
    ]
    assert (caught.value.method, caught.value.path) == ("POST", "/v1/things")
    assert nothing.value.problems == [
        {"field": "id", "problem": "is required"},
        {"field": "body", "problem": "is required"},
    ]


def test_a_member_of_a_body_that_is_nearly_known_is_told_in_the_log(capsys):
    checked_arguments(OPERATION, {"id": "a", "body": {"temprature": 1}})

    (line,) = capsys.readouterr().err.splitlines()
    assert "temprature" in line
    assert "temperature" in line
