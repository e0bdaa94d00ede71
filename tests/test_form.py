"""What Windmill's form sends becomes what the user filled in, and nothing else."""

import importlib
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts.client import LEAVE, SWITCH, TogetherError, _File, _is_form, _prepare
from tests.arriving import check_untouched
from tests.filled import ABSENT, fillable, filled, sent, shown, untouched
from tests.wire import main_of, valid
from tools.form import form
from tools.form_show import opened
from tools.operations import find, has_own_default, scripts

FILE = {"audio", "file", "filename", "rows", "s3", "text", "url", "video"}

SCRIPTS = list(scripts())
BY_ID = pytest.mark.parametrize("operation", SCRIPTS, ids=lambda o: o.id)


def module_table(operation):
    module = importlib.import_module(f"scripts.{operation.group}.{operation.name}")
    return module.OPERATION if operation.step is None else module.STEP


@BY_ID
def test_what_a_person_fills_in_is_what_is_sent(operation):
    """Every field of each example, filled in as a person would in the form."""
    for example in operation.schema["examples"]:
        check_round_trip(operation, example)


def check_round_trip(operation, arguments):
    check_sent(operation, arguments, sent(operation, arguments))


def check_sent(operation, arguments, given):
    """What the form sends becomes the arguments that were meant, and nothing else."""
    found = _prepare(module_table(operation), given)

    wanted = {**defaults(operation), **arguments}
    # A form without any mark is not told from a flow step: then a switch at rest is
    # sent, which says what the service takes for granted anyway.
    resting = operation.arguments.get("body", {}).get("properties", {})
    for name, value in list(found.get("body", {}).items()):
        if value is False and resting.get(name, {}).get("default") is False:
            del found["body"][name]
    assert plain(without_empty(wanted)) == plain(without_empty(found))


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


@BY_ID
def test_what_an_advanced_field_holds_untouched_does_not_keep_it_on_the_screen(
    operation,
):
    for fields in objects(form(operation)):
        for name, field in fields.items():
            if SWITCH in field.get("showExpr", ""):
                empty = {SWITCH: False, name: untouched(field)}
                if empty[name] is not ABSENT:
                    assert not shown({"showExpr": opened(name, field)}, empty), name


@BY_ID
def test_the_name_of_a_file_is_asked_for_once(operation):
    for fields in objects(form(operation)):
        if "file_name" in fields:
            inner = [n for own in objects(list(fields.values())) for n in own]
            assert "filename" not in inner


def without_empty(arguments):
    return {name: value for name, value in arguments.items() if value != {}}


@pytest.mark.slow
@BY_ID
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
@given(data=st.data())
def test_whatever_a_person_fills_in_is_what_is_sent(operation, data):
    """Also what no example shows."""
    if operation.arguments:
        check_round_trip(operation, data.draw(fillable(operation.schema)))


def defaults(operation):
    """What a form holds at first, and sends."""
    members = operation.arguments.items()
    own = {n: m for n, m in members if has_own_default(operation, m)}
    # A switch in its rest position says nothing, nor does an empty text.
    values = {n: m.get("default") for n, m in own.items()}
    return {
        n: v
        for n, v in values.items()
        if v not in (None, "", []) and v.__class__ is not bool
    }


def plain(value):
    """A value without the differences that the service does not make: a number may be a
    text, a time have milliseconds, a file be named by the way in which it is given, and
    have a name beside."""
    if isinstance(value, _File):
        return plain(value.value)
    if isinstance(value, dict):
        if len(value.keys() - {"filename"}) == 1 and value.keys() <= FILE:
            return plain(next(v for n, v in value.items() if n != "filename"))
        return {n: plain(v) for n, v in value.items() if v is not None}
    if isinstance(value, list):
        match value:
            case [{"type": "text", "text": text}]:  # the same to the service
                return text
        return [plain(item) for item in value]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    text = str(value) if is_number else value
    return text.replace(".000Z", "Z") if isinstance(text, str) else text


@BY_ID
def test_blank_values_of_every_optional_member_are_left_out(operation, sandbox, auth):
    """Also where the form would not have sent them: an editor of JSON may."""
    body = operation.arguments.get("body")
    if body is None:
        pytest.skip("no body")
    least = operation.schema["examples"][0].get("body", {})
    blank = {"string": "", "boolean": False, "array": [], "object": {}}
    sent = dict(least)
    for name, member in body["properties"].items():
        kind = member.get("type") if isinstance(member.get("type"), str) else None
        if name not in sent and (kind in blank or "anyOf" in member):
            rest = member.get("default") if kind == "boolean" else None
            sent[name] = {"label": LEAVE} if "anyOf" in member else rest or blank[kind]
    arguments = {**operation.schema["examples"][0], "body": sent}

    prepared = _prepare(module_table(operation), arguments)

    if _is_form(sent, module_table(operation)["arguments"]["properties"]["body"]):
        assert least == prepared.get("body", {})


@BY_ID
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
@given(data=st.data())
def test_a_valid_body_passes_unchanged(operation, data):
    schema = operation.arguments.get("body")
    if schema is None:
        pytest.skip("no body")
    table = module_table(operation)
    body = data.draw(valid(schema))
    if _is_form(body, table["arguments"]["properties"]["body"]) or tagged(body):
        return
    least = operation.schema["examples"][0]

    prepared = _prepare(table, {**least, "body": body})

    assert body == prepared["body"]


def tagged(value):
    """Say whether a random object happens to look like a choice in a form."""
    if isinstance(value, dict):
        return bool({"label", "kind"} & value.keys()) or any(
            map(tagged, value.values())
        )
    return isinstance(value, list) and any(map(tagged, value))


CHAT = find("chat/create_chat_completion")


def chat_body(**members):
    messages = [{"role": "user", "content": "hi"}]
    return {"model": "m", "messages": messages, **members}


def prepared(**members):
    body = chat_body(**members)
    return _prepare(module_table(CHAT), {"body": body})["body"]


def filled_form(*rows, **members):
    """The body that a form sends with these rows of messages, or a plain one."""
    fields = form(CHAT)["properties"]["body"]
    sent = filled(fields["properties"], fields["required"], {})
    own = fields["properties"]["messages"]["items"]["properties"]
    given = rows or ({"role": "user", "content": "hi"},)
    messages = [filled(own, ["role"], row) for row in given]
    return {**sent, "model": "m", "messages": messages, **members}


def test_a_form_s_messages_become_the_wire_s():
    rows = [
        {"role": "system", "content": "system"},
        {"role": "user", "content": "user", "name": "me", "more_options": True},
        {"role": "assistant", "content": "assistant"},
        {"role": "tool", "content": "tool", "tool_call_id": "c"},
        {"role": "function", "content": "function", "name": "f"},
    ]

    found = _prepare(module_table(CHAT), {"body": filled_form(*rows)})["body"]

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
    found = _prepare(module_table(CHAT), {"body": sent})["body"]

    assert messages == found["messages"]


def test_an_empty_message_is_refused_by_name():
    sent = filled_form({"role": "user", "content": ""})

    with pytest.raises(TogetherError) as caught:
        _prepare(module_table(CHAT), {"body": sent})

    assert "body.messages[0].content is required" in str(caught.value)


def test_messages_of_a_form_saved_when_their_text_had_buttons_are_understood():
    """A row's content was a choice, and plain text for most roles."""
    blank = {"name": "", "reasoning": "", "reasoning_content": "", "tool_calls": []}
    rows = [
        {"role": role, "content": {"label": "Text", "value": role}, **blank}
        for role in ("system", "user", "assistant", "tool", "function")
    ]
    rows[3]["tool_call_id"] = "c"
    rows[4]["name"] = "f"
    part = {
        "type": "image_url",
        "image_url": {"url": "https://e.com/a.png"},
        "text": "",
    }
    rows[1]["content"] = {"label": "List of parts", "value": [part]}

    sent = filled_form(messages=rows)
    found = _prepare(module_table(CHAT), {"body": sent})["body"]["messages"]

    del part["text"]
    assert found == [
        {"role": "system", "content": "system"},
        {"role": "user", "content": [part]},
        {"role": "assistant", "content": "assistant"},
        {"role": "tool", "content": "tool", "tool_call_id": "c"},
        {"role": "function", "content": "function", "name": "f"},
    ]


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
    choice = {"label": "JSON schema", "json_schema": json_schema}

    sent = filled_form(response_format=choice)
    found = _prepare(module_table(CHAT), {"body": sent})["body"]

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
        "json_schema": {"name": "n", "schema": wanted},
    }
    flow = {"type": "json_schema", "json_schema": {"name": "n", "schema": edited}}
    assert prepared(response_format=flow)["response_format"] == flow


@pytest.mark.parametrize(
    ("name", "member", "value", "wanted"),
    [
        (
            "endpoints/create_rollout",
            "strategy",
            {"label": "Canary", "stepInterval": "", "steps": []},
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

    found = _prepare(module_table(operation), {**given, "body": sent}).get("body", {})

    assert wanted == {n: v for n, v in found.items() if n not in least}


@BY_ID
def test_more_options_off_again_leaves_the_form_as_it_was(operation):
    """Unless something was filled in: hiding it would delete it."""
    for fields, required in switched(form(operation)):
        on = filled(fields, required, {SWITCH: True})
        off = filled(fields, required, {**on, SWITCH: False})

        assert filled(fields, required, {}) == off


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


@BY_ID
def test_keys_of_other_services_are_masked(operation):
    for name, field in named_fields(form(operation)["properties"]):
        if re.search(r"(^|_)(key|token|password)$", name) and name not in NO_SECRETS:
            assert field.get("password") is True, name


def named_fields(fields):
    for name, field in fields.items():
        yield name, field
        for inner in (field, field.get("items") or {}, *field.get("oneOf", ())):
            yield from named_fields(inner.get("properties", {}))


def test_a_form_s_choices_become_the_wire_s():
    sent = filled_form(
        tool_choice={"label": "Mode or name", "value": "auto"},
        response_format={"label": "JSON object", "schema": {}},
        stop=["", "END"],
        logprobs={"label": "Number", "value": 3},
        seed=7,
    )
    titles = {
        name: [
            v.get("title") for v in CHAT.arguments["body"]["properties"][name]["anyOf"]
        ]
        for name in ("tool_choice", "response_format")
    }
    sent["tool_choice"]["label"] = titles["tool_choice"][0]
    sent["response_format"]["label"] = titles["response_format"][2]

    found = _prepare(module_table(CHAT), {"body": sent})["body"]

    assert {
        "tool_choice": "auto",
        "response_format": {"type": "json_object"},
        "stop": ["END"],
        "logprobs": 3,
        "seed": 7,
    }.items() <= found.items()


def test_a_form_saved_before_the_schema_grew_is_still_a_form():
    """It had no switch, so it sent every field, and buttons for the text of a row."""
    fields = form(CHAT)["properties"]["body"]["properties"]
    for field in fields.values():
        field.pop("showExpr", None)
    sent = filled(fields, [], {"model": "m"})
    row = {"role": "user", "content": {"label": "Text", "value": "hi"}, "name": ""}
    sent["messages"] = [row]
    del sent[SWITCH], sent["user"], sent["prompt_cache_key"]

    found = _prepare(module_table(CHAT), {"body": sent})["body"]

    assert chat_body() == found


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
    assert _prepare(table, {"ids": ["5", "-7", ""]}) == {"ids": [5, -7]}
    with pytest.raises(TogetherError, match=r"ids\[0\] must be a whole number"):
        _prepare(table, {"ids": ["5.5"]})


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
    "model": "meta-llama/Llama-3.3-70B-Instruct-Turbo",
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
    "safety_model": "Meta-Llama/Llama-Guard-7b",
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
