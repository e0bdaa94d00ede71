"""What models send in their own way is taken as it is meant, and nothing else is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.agent_tools.tool_arguments import understood
from scripts.client import TogetherError, prepare
from tests.support.expected_request import main_of
from tools.operations import steps

TOOLS = {s.name: main_of(s).__globals__["STEP"] for s in steps() if s.group == "agent"}
BY_NAME = pytest.mark.parametrize("name", TOOLS)
EXAMPLES = {
    s.name: {k: v for e in s.schema["examples"] for k, v in e.items()}
    for s in steps()
    if s.group == "agent"
}
# What holds a text in place of it, and what says a number, truth or list.
WRAPPINGS = {
    "string": [
        lambda text: [text],
        lambda text: {"value": text},
        lambda text: {"id": text, "name": "Its name"},
        lambda text: {"model": text},
    ],
    "integer": [str, lambda number: f" {number} ", lambda number: [number]],
    "number": [str, lambda number: {"value": number}],
    "boolean": [lambda truth: str(truth), lambda truth: [truth]],
    "array": [json.dumps, lambda items: [{"value": one} for one in items]],
}
EMPTIES = ["", [], {}, 0, None]


def told(step, arguments):
    return prepare(step, understood(step, arguments))


@BY_NAME
@given(data=st.data())
def test_a_value_in_any_wrapping_is_the_value(name, data):
    step, example = TOOLS[name], EXAMPLES[name]
    wrapped = {}
    for argument, value in example.items():
        kind = step["arguments"]["properties"][argument]["type"]
        ways = [lambda plain: plain, *WRAPPINGS[kind]]
        wrapped[argument] = data.draw(st.sampled_from(ways))(value)

    assert told(step, wrapped) == prepare(step, example)


@BY_NAME
@given(data=st.data())
def test_an_empty_that_cannot_be_meant_is_not_given(name, data):
    step, example = TOOLS[name], EXAMPLES[name]
    members = step["arguments"]["properties"]
    required = step["arguments"].get("required", ())
    least = {n: v for n, v in example.items() if n in required}
    blank = {
        n: data.draw(st.sampled_from(EMPTIES))
        for n, member in members.items()
        if n not in required and member["type"] != "boolean" and n != "start"
    }

    assert told(step, {**least, **blank}) == prepare(step, least)


@pytest.mark.parametrize(
    "name", [n for n in TOOLS if "required" in TOOLS[n]["arguments"]]
)
@given(data=st.data())
def test_what_must_be_given_is_never_made_up(name, data):
    step, example = TOOLS[name], EXAMPLES[name]
    for missing in step["arguments"]["required"]:
        nothing = data.draw(st.sampled_from([v for v in EMPTIES if v != 0]))
        given = {**example, missing: nothing}
        with pytest.raises(TogetherError) as refused:
            told(step, given)
        assert missing in [p["field"] for p in refused.value.problems]


@BY_NAME
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["id", "value", "s3", "url", "x"]), inner, max_size=3
            )
        ),
        max_leaves=6,
    ),
    data=st.data(),
)
def test_anything_is_taken_or_refused_by_name(name, value, data):
    step, example = TOOLS[name], EXAMPLES[name]
    members = step["arguments"]["properties"]
    argument = data.draw(st.sampled_from(list(members)))
    try:
        given = told(step, {**example, argument: value})
    except TogetherError as error:
        fields = [p["field"] for p in error.problems]
        assert all(field.startswith(argument) for field in fields)
    else:
        kinds = {"string": str, "integer": int | float, "number": int | float}
        kinds |= {"boolean": bool, "array": list}
        if argument in given:
            assert isinstance(given[argument], kinds[members[argument]["type"]])


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"s3": "a/b.txt"}, "s3:///a/b.txt"),
        ({"s3": "a.txt", "storage": "big", "filename": "a.txt"}, "s3://big/a.txt"),
        ({"s3": "s3://big/a.txt"}, "s3://big/a.txt"),
        ({"url": "https://example.com/a", "filename": "a"}, "https://example.com/a"),
    ],
)
def test_what_another_tool_returned_is_an_address(given, meant):
    step = TOOLS["read_document"]

    assert told(step, {"document": given})["document"] == meant


def test_several_where_one_is_meant_are_refused():
    with pytest.raises(TogetherError, match="document must be text"):
        told(TOOLS["read_document"], {"document": ["https://a.b", "https://c.d"]})


def test_a_single_value_is_a_list_of_one():
    given = {"fields": "total", "text": "12 USD"}

    assert told(TOOLS["extract_data"], given)["fields"] == ["total"]


PICKERS = [
    (step, name)
    for step in steps()
    for name in step.arguments
    if f"other_{name}" in step.arguments and step.arguments[name]["type"] == "string"
]


@pytest.mark.parametrize(
    ("step", "name"), PICKERS, ids=[f"{s.id}-{n}" for s, n in PICKERS]
)
def test_every_step_takes_a_model_as_models_write_it(step, name):
    table = main_of(step).__globals__["STEP"]
    least = step.schema["examples"][0]
    plain = prepare(table, {**least, name: "me/model"})

    forms = [["me/model"], *({n: "me/model"} for n in ("id", "model", "value"))]
    for form in forms:
        assert prepare(table, {**least, name: form}) == plain
    for blank in ("", [], {}, [""], {"id": ""}):
        if name in step.required:
            with pytest.raises(TogetherError, match=f"{name} "):
                prepare(table, {**least, name: blank})
        else:
            unnamed = {n: v for n, v in least.items() if n != name}
            assert prepare(table, {**unnamed, name: blank}) == prepare(table, unnamed)
