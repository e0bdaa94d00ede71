"""The sandbox's models: what they are asked for is what they give."""

import json

import jsonschema
import pytest

from scripts.client import TogetherError
from tests.support.canned_chat import CHAT, MODEL
from tests.support.expected_request import main_of
from tools.operations import find
from tools.sandbox.canned_answers import fitting

ASK = main_of(CHAT)
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": parameters}}
    for name, parameters in {
        "one": {"type": "object", "properties": {"n": {"type": "integer"}}},
        "two": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    }.items()
]
SCHEMA = {
    "type": "object",
    "properties": {
        "kind": {"enum": ["b", "a"]},
        "count": {"type": "integer", "minimum": 3},
        "share": {"type": "number", "exclusiveMinimum": 0, "maximum": 0.5},
        "due": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
        "code": {"type": "string", "minLength": 6, "maxLength": 6},
        "rows": {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/row"}},
        "other": {"anyOf": [{"type": "null"}, {"type": "string"}]},
        "sure": {"type": ["boolean", "null"]},
    },
    "required": ["kind", "count", "share", "due", "code", "rows", "other", "sure"],
    "additionalProperties": False,
    "$defs": {
        "row": {
            "type": "object",
            "properties": {"v": {"const": 7}},
            "required": ["v"],
        }
    },
}


def ask(auth, **members):
    messages = [{"role": "user", "content": "Well?"}]
    return ASK(auth, {"model": MODEL, "messages": messages, **members})


def test_json_fits_the_schema():
    errors = jsonschema.Draft202012Validator(SCHEMA).iter_errors(
        fitting(SCHEMA, SCHEMA)
    )

    assert [*errors] == []


REQUESTS = {
    "text": {},
    "a schema": {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "x", "schema": SCHEMA},
        }
    },
    "JSON": {"response_format": {"type": "json_object"}},
    "tools": {"tools": TOOLS},
    "a tool": {
        "tools": TOOLS,
        "tool_choice": {"type": "function", "function": {"name": "two"}},
    },
    "no tool": {"tools": TOOLS, "tool_choice": "none"},
    "log probabilities": {"logprobs": True, "top_logprobs": 2},
    "several": {"n": 2, "tools": TOOLS},
}


@pytest.mark.parametrize("members", REQUESTS.values(), ids=REQUESTS)
def test_a_stream_is_the_answer_without_streaming(members, sandbox, auth):
    plain = ask(auth, **members)
    streamed = ask(auth, stream=True, **members)

    for one, other in zip(plain["choices"], streamed["choices"], strict=True):
        assert (one.get("logprobs") or None) == other.get("logprobs")
        assert one["finish_reason"] == other["finish_reason"]
        for name in ("content", "tool_calls"):
            left, right = one["message"].get(name), other["message"].get(name)
            assert (left or None) == (right or None)


def test_tools_are_called_as_asked(sandbox, auth):
    def names(**members):
        (choice,) = ask(auth, tools=TOOLS, **members)["choices"]
        calls = choice["message"].get("tool_calls") or []
        for call in calls:
            json.loads(call["function"]["arguments"])
        return [call["function"]["name"] for call in calls]

    assert ["one"] == names()
    assert ["two"] == names(tool_choice=REQUESTS["a tool"]["tool_choice"])
    assert [] == names(tool_choice="none")


def test_a_tool_without_a_name_is_refused(sandbox, auth):
    with pytest.raises(TogetherError, match=r"tools\.0\.function\.name") as caught:
        ask(auth, tools=[{"type": "function"}])

    assert caught.value.status == 400


TEXTS = ["Goods come back within 30 days.", "We open at nine.", "The shop is closed."]


def test_each_text_has_a_vector_and_shared_words_are_near(sandbox, auth):
    embed = main_of(find("embeddings/create_embeddings"))
    question = "When do you open: at nine?"

    answer = embed(auth, {"model": "m", "input": [question, *TEXTS]})

    asked, *found = [one["embedding"] for one in answer["data"]]
    assert [one["index"] for one in answer["data"]] == [0, 1, 2, 3]
    near = [sum(a * b for a, b in zip(asked, v, strict=True)) for v in found]
    assert near.index(max(near)) == 1


def test_each_document_has_a_score_and_shared_words_make_it_high(sandbox, auth):
    rank = main_of(find("rerank/rerank_documents"))
    body = {"model": "m", "query": "open at nine", "documents": TEXTS}

    assert [r["index"] for r in rank(auth, body)["results"]] == [1, 0, 2]
    objects = [{"name": "open at nine", "text": text} for text in TEXTS]
    body |= {"documents": objects, "rank_fields": ["text"], "top_n": 1}
    (best,) = rank(auth, {**body, "return_documents": True})["results"]
    assert best["document"] == objects[1]


def told(script, *since, **more):
    """What the model says to a script, in an exchange with these messages behind it."""
    asked = {"role": "user", "content": json.dumps(script)}
    body = {"model": MODEL, "messages": [asked, *since], "tools": TOOLS, **more}
    return body


SCRIPT = {
    "rounds": [
        [{"tool": "two", "arguments": {"city": "Bonn"}}, {"tool": "one"}],
        [{"tool": "one", "arguments": "no JSON"}],
    ],
    "answer": "Done.",
}


@pytest.mark.parametrize("stream", [False, True])
def test_a_script_in_the_question_says_what_is_called(stream, sandbox, auth):
    since, called = [], []
    for _ in range(3):
        answer = ASK(auth, told(SCRIPT, *since, stream=stream))
        message = answer["choices"][0]["message"]
        calls = message.get("tool_calls") or []
        called.append([tuple(call["function"].values()) for call in calls])
        since.append(message)
        for call in calls:
            since.append({"role": "tool", "tool_call_id": call["id"], "content": "x"})

    given = [[("two", '{"city": "Bonn"}'), ("one", "{}")], [("one", "no JSON")], []]
    assert called == given
    assert message["content"] == "Done."


def test_a_script_without_tools_says_what_they_said(sandbox, auth):
    script = {"rounds": SCRIPT["rounds"]}
    call = {"id": "c", "type": "function", "function": {"name": "one", "arguments": ""}}
    since = [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "7"},
    ]

    answer = ASK(auth, told(script, *since, tool_choice="none"))

    assert answer["choices"][0]["message"]["content"] == "The tools say: 7"


def offered(**properties):
    schema = {"type": "object", "properties": properties, "required": [*properties]}
    function = {"name": "look", "parameters": schema}
    return [{"type": "function", "function": function}]


def called(auth, question, tools, **members):
    messages = [{"role": "user", "content": question}]
    answer = ASK(
        auth, {"model": MODEL, "messages": messages, "tools": tools, **members}
    )
    (choice,) = answer["choices"]
    calls = choice["message"].get("tool_calls")
    return json.loads(calls[0]["function"]["arguments"]) if calls else None


@pytest.mark.parametrize(
    ("member", "given"),
    [
        ({"type": "string", "default": None}, "What of s3:///a/b.csv, then?"),
        ({"type": "string", "default": "mine"}, "mine"),
        ({"type": "string", "enum": ["x", "y"], "default": None}, "x"),
        ({"type": "string", "examples": ["as here"]}, "as here"),
        ({"type": "integer", "default": None, "minimum": 4}, 4),
        (
            {"type": "string", "default": None, "description": "Address of a table."},
            "s3:///a/b.csv",
        ),
    ],
)
def test_a_call_has_arguments_that_fit(member, given, auth):
    """A form says null where there is no default, which no tool takes."""
    found = called(auth, "What of s3:///a/b.csv, then?", offered(word=member))

    assert found == {"word": given}


def test_a_tool_that_wants_an_address_nobody_named_is_not_called(auth):
    table = {"type": "string", "description": "Address of a table."}
    word = {"type": "string"}
    other = {"type": "object", "properties": {"n": word}, "required": ["n"]}
    second = {"type": "function", "function": {"name": "b", "parameters": other}}

    assert called(auth, "Well?", offered(table=table)) is None
    assert called(auth, "Well?", [*offered(table=table), second]) == {"n": "Well?"}
    forced = {"type": "function", "function": {"name": "look"}}
    assert called(auth, "Well?", offered(table=table), tool_choice=forced) == {}
