"""What Windmill's form sends becomes what the user filled in, and nothing else."""

import pytest

from scripts.client import TogetherError
from scripts.client.form import checked_arguments, normalise_union
from scripts.client.validate import FileValue
from tests.support.expected_request import descriptor, main_of
from tests.support.form_values import filled
from tools.models import model
from tools.operations import find
from tools.schemas.form import form

CHAT = find("chat/create_chat_completion")


def chat_body(**members):
    messages = [{"role": "user", "content": "hi"}]
    return {"model": "m", "messages": messages, **members}


def prepared(**members):
    body = chat_body(**members)
    return checked_arguments(descriptor(CHAT), {"body": body})["body"]


def filled_form(*rows, **members):
    """The body that a form sends with these rows of messages, or a plain one."""
    fields = form(CHAT)["properties"]["body"]
    sent = filled(fields["properties"], fields["required"], {})
    own = fields["properties"]["messages"]["items"]["properties"]
    given = rows or ({"role": "user", "content": "hi"},)
    messages = [filled(own, ["role"], row) for row in given]
    return {**sent, "model": "m", "messages": messages, **members}


def test_one_picture_need_be_no_list():
    message = {"role": "user", "content": "hi", "pictures": "https://example.com/a.png"}
    (sent,) = prepared(messages=[message])["messages"]
    assert sent["content"] == [
        {"type": "text", "text": "hi"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]
    for odd in (5, True):
        with pytest.raises(TogetherError, match="url"):
            prepared(messages=[{**message, "pictures": odd}])


def test_a_form_s_messages_become_the_wire_s():
    rows = [
        {"role": "system", "content": "system"},
        {"role": "user", "content": "user", "name": "me", "more_options": True},
        {"role": "assistant", "content": "assistant"},
        {"role": "tool", "content": "tool", "tool_call_id": "c"},
        {"role": "function", "content": "function", "name": "f"},
    ]

    found = checked_arguments(descriptor(CHAT), {"body": filled_form(*rows)})["body"]

    del rows[1]["more_options"]
    assert rows == found["messages"]


def test_pictures_and_parts_beside_a_text_become_one_list_of_parts(sandbox, auth):
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    address = "https://example.com/a.png"
    row = {
        "role": "user",
        "content": "What differs?",
        "pictures": [
            {"source": {"label": "Drop a file", "file": pixel}},
            {"source": {"label": "URL", "url": address}},
            {"source": {"label": "Drop a file"}},
        ],
        "more_options": True,
        "parts": [{"type": "input_audio", "input_audio": {"data": "AA", "format": ""}}],
    }
    row["parts"][0]["input_audio"]["format"] = "wav"

    main_of(CHAT)(auth, filled_form(row))

    (message,) = sandbox.requests[-1].json["messages"]
    pictures = [f"data:image/png;base64,{pixel}", address]
    assert message == {
        "role": "user",
        "content": [
            {"type": "text", "text": "What differs?"},
            *({"type": "image_url", "image_url": {"url": url}} for url in pictures),
            {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
        ],
    }


def test_a_conversation_pasted_into_a_form_as_json_passes_unharmed():
    messages = [
        *HUB_BODY["messages"],
        {"role": "assistant", "content": "", "new": ""},
    ]

    sent = filled_form(messages=messages)
    found = checked_arguments(descriptor(CHAT), {"body": sent})["body"]

    assert messages == found["messages"]


def test_an_empty_message_is_refused_by_name():
    sent = filled_form({"role": "user", "content": ""})

    with pytest.raises(TogetherError) as caught:
        checked_arguments(descriptor(CHAT), {"body": sent})

    assert "body.messages[0].content is required" in str(caught.value)


def test_a_schema_from_windmill_s_editor_becomes_plain_json_schema():
    member = {"description": "", "format": "", "default": None, "originalType": "enum"}
    edited = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "order": {"type": "string", **member, "enum": ["a"], "required": False},
            "rows": {
                "type": "array",
                **member,
                "items": {"type": "object", "properties": {"n": {"min": 1, **member}}},
                "default": [],
            },
        },
        "required": ["order"],
        "order": ["order", "rows"],
    }
    json_schema = {"name": "n", "schema": edited, "strict": False, "description": ""}
    json_schema["schema"] = {"label": "Editor", "value": edited}
    choice = {"label": "JSON schema", "json_schema": json_schema}

    sent = filled_form(response_format=choice)
    found = checked_arguments(descriptor(CHAT), {"body": sent})["body"]

    wanted = {
        "type": "object",
        "properties": {
            "order": {"type": "string", "originalType": "enum", "enum": ["a"]},
            "rows": {
                "type": "array",
                "items": {"type": "object", "properties": {"n": {"minimum": 1}}},
            },
        },
        "required": ["order"],
    }
    del wanted["properties"]["order"]["originalType"]
    assert found["response_format"] == {
        "type": "json_schema",
        "json_schema": {**json_schema, "schema": wanted},
    }
    plain = {"label": "JSON", "value": edited}
    choice["json_schema"] = {"name": "n", "schema": plain}
    flow = {"type": "json_schema", "json_schema": {"name": "n", "schema": edited}}
    assert prepared(response_format=choice)["response_format"] == flow
    assert prepared(response_format=flow)["response_format"] == flow


@pytest.mark.parametrize(
    ("name", "member", "value", "wanted"),
    [
        (
            "endpoints/create_rollout",
            "strategy",
            {"label": "Canary"},
            {"canary": {}},
        ),
        ("endpoints/create_rollout", "strategy", {"label": "Rolling"}, {"rolling": {}}),
        ("rl/create_optim_step", "optimizer", {"label": "Default"}, {}),
        ("rl/create_optim_step", "optimizer", {"label": "Adam"}, {"adam_params": {}}),
        ("deployments/update_deployment", "autoscaling", {"label": "Default"}, {}),
        (
            "deployments/update_deployment",
            "autoscaling",
            {"label": "Off"},
            {"autoscaling": {}},
        ),
    ],
)
def test_what_was_chosen_is_sent_though_nothing_is_filled_in(
    name, member, value, wanted
):
    operation = find(name)
    fields = form(operation)["properties"]["body"]
    sent = filled(fields["properties"], fields.get("required", []), {member: value})
    least = {"sourceDeploymentId": "a", "targetDeploymentId": "b", "session_id": "s"}
    least |= {"endpoint_id": "e", "deployment_id": "d"}
    sent |= {n: v for n, v in least.items() if n in sent}
    given = {n: v for n, v in least.items() if n in operation.arguments}

    given["body"] = sent
    found = checked_arguments(descriptor(operation), given)["body"]

    assert wanted == {n: v for n, v in found.items() if n not in least}


def test_a_form_s_choices_become_the_wire_s():
    sent = filled_form(
        tool_choice="auto",
        response_format={"label": "JSON object", "schema": {"label": "Default"}},
        stop=["END"],
        logprobs={"label": "Number", "number": 3},
        seed=7,
    )
    titles = {
        name: [
            v.get("title") for v in CHAT.arguments["body"]["properties"][name]["anyOf"]
        ]
        for name in ("response_format",)
    }
    sent["response_format"]["label"] = titles["response_format"][2]

    found = checked_arguments(descriptor(CHAT), {"body": sent})["body"]

    assert {
        "tool_choice": "auto",
        "response_format": {"type": "json_object"},
        "stop": ["END"],
        "logprobs": 3,
        "seed": 7,
    }.items() <= found.items()


def test_a_flow_step_s_explicit_false_is_kept():
    assert prepared(stream=False, echo=False)["stream"] is False


def test_numbers_that_came_as_text_are_numbers():
    """A form sends the rows of a list of integers as texts."""
    numbers = {"type": "array", "items": {"type": "integer"}, "x-in": "query"}
    table = {
        "method": "GET",
        "path": "/v1/x",
        "arguments": {"properties": {"ids": numbers}},
    }

    assert prepared(n="3", temperature="0.5") == prepared(n=3, temperature=0.5)
    assert checked_arguments(table, {"ids": ["5", "-7"]}) == {"ids": [5, -7]}
    for text in ("5.5", ""):
        with pytest.raises(TogetherError, match=r"ids\[0\] must be a whole number"):
            checked_arguments(table, {"ids": [text]})


def test_members_newer_than_the_schema_pass():
    found = prepared(brand_new={"a": [None, ""]}, temperature=9.5)

    assert {"a": [None, ""]} == found["brand_new"]


@pytest.mark.parametrize(
    ("members", "field", "words"),
    [
        ({"n": 0}, "body.n", "at least 1"),
        ({"n": 129}, "body.n", "at most 128"),
        ({"max_tokens": "many"}, "body.max_tokens", "whole number"),
        ({"max_tokens": 1.5}, "body.max_tokens", "whole number"),
        ({"temperature": True}, "body.temperature", "number"),
        ({"stop": "END"}, "body.stop", "list"),
        ({"stop": [1]}, "body.stop[0]", "text"),
        ({"model": 5}, "body.model", "text"),
        ({"model": ""}, "body.model", "required"),
        ({"context_length_exceeded_behavior": "x"}, None, "must be one of"),
        ({"messages": [{"role": "bot", "content": ""}]}, "body.messages[0].role", "of"),
        ({"messages": [{"content": "x"}]}, "body.messages[0].role", "required"),
        ({"messages": [{"role": "tool", "content": "x"}]}, None, "tool_call_id"),
        ({"messages": "hi"}, "body.messages", "list"),
        ({"logit_bias": {"5": "x"}}, "body.logit_bias.5", "number"),
        ({"response_format": {"type": "xml"}}, "body.response_format.type", "xml"),
    ],
)
def test_bad_input_is_refused_by_name(members, field, words):
    with pytest.raises(TogetherError) as caught:
        prepared(**members)

    assert words in str(caught.value)
    if field:
        assert field in [problem["field"] for problem in caught.value.problems]


def test_mistakes_are_reported_together(sandbox, auth):
    body = {"messages": [{"role": "user", "content": 5}], "n": 500, "seed": "x"}

    with pytest.raises(TogetherError) as caught:
        main_of(CHAT)(auth, body)

    fields = {problem["field"] for problem in caught.value.problems}
    assert {"body.model", "body.n", "body.seed"} < fields
    assert not sandbox.requests


HUB_BODY = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "What is this?"}]},
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "https://e.com/a.png"}},
                {"type": "video_url", "video_url": {"url": "https://e.com/a.mp4"}},
                {"type": "audio_url", "audio_url": {"url": "https://e.com/a.wav"}},
                {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
            ],
        },
        {"role": "assistant", "content": None, "reasoning": "hm"},
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": "c",
                    "type": "function",
                    "function": {"name": "f", "arguments": "{}"},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c", "content": "42"},
        {"role": "function", "name": "f", "content": ""},
    ],
    "model": model("chat_other"),
    "max_tokens": 5,
    "stop": ["a"],
    "temperature": 0,
    "top_p": 0.5,
    "top_k": 1,
    "repetition_penalty": 1,
    "stream": False,
    "logprobs": 1,
    "echo": True,
    "n": 2,
    "min_p": 0.1,
    "presence_penalty": -0.5,
    "frequency_penalty": 0.5,
    "logit_bias": {"1024": -10.5},
    "seed": 9007199254740993,
    "function_call": {"name": "f"},
    "response_format": {"type": "json_object", "schema": {"type": "object"}},
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
    "tool_choice": {
        "index": 0,
        "id": "c",
        "type": "function",
        "function": {"name": "f", "arguments": "{}"},
    },
    "safety_model": "acme/guard",
}


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"function_call": "auto", "tool_choice": "none"},
        {"tool_choice": {"type": "function", "function": {"name": "f"}}},
        {"logprobs": True, "top_logprobs": 5, "max_tokens": None},
        {"response_format": {"type": "json_schema", "schema": {"type": "object"}}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "n"}}},
        {"response_format": {"type": "regex", "pattern": "a+"}},
        {"response_format": {"type": "text"}, "reasoning": {"enabled": False}},
        {"reasoning_effort": "minimal", "chat_template_kwargs": {"thinking": False}},
        {"compliance": "hipaa", "context_length_exceeded_behavior": "truncate"},
    ],
)
def test_all_that_the_hub_script_took_is_sent_unchanged(members, sandbox, auth):
    body = {**HUB_BODY, **members}

    main_of(CHAT)(auth, body)

    wire = {name: value for name, value in body.items() if value is not None}
    wire["messages"] = body["messages"]
    assert wire == sandbox.requests[-1].json
    assert len(sandbox.requests) == 1


WHOLE = {"type": "integer"}


def united(value, *variants):
    return normalise_union(value, {"anyOf": list(variants)}, "body.a", None)


def test_a_value_is_read_by_the_variant_that_it_fits_without_a_fault():
    large = {"type": "object", "properties": {"n": {**WHOLE, "minimum": 6}}}
    words = {"type": "object", "properties": {"n": {"type": "string"}}}
    named = {"type": "string", "enum": ["cat"]}
    cat = {"type": "object", "properties": {"kind": named, "n": WHOLE}}

    assert united({"n": "5"}, large, words) == {"n": "5"}
    assert united({"n": "7"}, large, words) == {"n": 7}
    assert united("5", {"type": "string", "minLength": 2}, WHOLE) == 5
    # What fits none stays as it is, and is told by the checks.
    assert united({"kind": "dog", "n": "5"}, cat) == {"kind": "dog", "n": "5"}


def test_what_is_surely_a_file_is_one_wherever_there_may_be_one():
    value = {"s3": "a.csv", "n": "5"}
    thing = {"type": "object", "properties": {"n": WHOLE}}
    picture = {"type": "string", "x-file": "uri"}

    found = united(value, thing, picture)

    assert isinstance(found, FileValue)
    assert found.value == value
    assert united(value, thing, {"type": "array"}) == {"s3": "a.csv", "n": 5}
