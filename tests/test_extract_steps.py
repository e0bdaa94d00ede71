"""The step that reads data out of texts, against the sandbox."""

import json

import jsonschema
import pytest

from scripts.catalog.pricing import job_unpaid
from scripts.client import TogetherError
from tests.support.canned_chat import MODEL, asked, fail_after, price, say, usage
from tests.support.expected_request import main_of
from tools.local.job_runner import run
from tools.operations import find
from tools.sandbox import Fault

EXTRACT = main_of(find("chat/extract_structured"))
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
GOOD = '{"name": "Ada", "age": 36}'


def extract(auth, **arguments):
    return EXTRACT(auth, MODEL, **{"text": "Ada, 36", "schema": SCHEMA, **arguments})


def test_data_fits_the_schema(sandbox, auth):
    say(sandbox, GOOD)

    found = extract(auth, instructions="Names in full.", max_tokens=50)

    assert found == {
        "data": {"name": "Ada", "age": 36},
        "repaired": False,
        "text": GOOD,
        "usage": {**usage(), "cached_tokens": 0},
        "cost_usd": pytest.approx(price(21, 27)),
        "model": MODEL,
    }
    (body,) = asked(sandbox)
    wanted = {"name": "data", "schema": SCHEMA}
    assert {"type": "json_schema", "json_schema": wanted} == body["response_format"]
    assert json.dumps(SCHEMA) in body["messages"][0]["content"]
    assert "Names in full." in body["messages"][0]["content"]
    assert "Ada, 36" == body["messages"][1]["content"]
    assert (0, 50) == (body["temperature"], body["max_tokens"])


def test_whole_numbers_beyond_what_javascript_holds_come_as_text(sandbox, auth):
    say(sandbox, '{"name": "Ada", "age": 123456789012345678901}')

    assert extract(auth)["data"] == {"name": "Ada", "age": "123456789012345678901"}


def test_pictures_are_read_with_and_without_text(sandbox, auth):
    say(sandbox, GOOD)
    extract(auth, text=None, pictures=["https://example.com/a.png"])
    extract(auth, pictures=["https://example.com/a.png"])

    only, both = (body["messages"][1]["content"] for body in asked(sandbox))
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    assert [picture] == only
    assert [{"type": "text", "text": "Ada, 36"}, picture] == both


FIELDS = [
    {"name": "name", "type": "string", "description": "in full"},
    {"name": "age", "type": "integer", "required": True},
    {"name": "height", "type": "number", "required": False},
    {"name": "born", "type": "date", "required": False},
    {"name": "member", "type": "boolean"},
    {"name": "tags", "type": "list", "description": ""},
    {"name": "note"},
]


def test_rows_of_fields_make_a_schema(sandbox, auth):
    found = EXTRACT(auth, MODEL, text="Ada", fields=FIELDS)

    schema = asked(sandbox)[0]["response_format"]["json_schema"]["schema"]
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(found["data"], schema)
    assert [field["name"] for field in FIELDS] == list(schema["properties"])
    assert {"type": "string", "description": "in full"} == schema["properties"]["name"]
    assert ["number", "null"] == schema["properties"]["height"]["type"]
    assert {"type": "string"} == schema["properties"]["note"]
    person = {"name": "A", "age": 1, "height": None, "born": None, "member": False}
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid({**person, "tags": ["a"], "note": ""})
    assert validator.is_valid({**person, "tags": [], "note": "", "born": "2026-01-02"})
    assert not validator.is_valid({**person, "tags": [], "note": "", "born": "2 Jan"})


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{GOOD}\n```",
        f"Here it is:\n```\n{GOOD}\n```\nAnything else?",
        f"Sure! {GOOD}",
        f"<think>An age {{of}} 36.</think>{GOOD}",
        f"\n  {GOOD}\n",
    ],
)
def test_json_is_found_in_what_models_put_around_it(text, sandbox, auth):
    say(sandbox, text)

    found = extract(auth)

    assert {"name": "Ada", "age": 36} == found["data"]
    assert not found["repaired"]


def test_an_answer_that_does_not_fit_is_corrected_once(sandbox, auth, capsys):
    bad = '{"name": "Ada", "age": "36", "job": 1}'
    say(sandbox, bad, GOOD)

    found = extract(auth)

    assert found["repaired"]
    assert {"name": "Ada", "age": 36} == found["data"]
    assert 2 * usage()["total_tokens"] == found["usage"]["total_tokens"]
    assert found["cost_usd"] == pytest.approx(2 * price(21, 27))
    messages = asked(sandbox)[1]["messages"]
    assert {"role": "assistant", "content": bad} == messages[2]
    assert 'answer.age must be a whole number (got "36")' in messages[3]["content"]
    assert "answer.job must not be there" in messages[3]["content"]
    assert "does not fit" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "field"),
    [("Ada is 36.", "answer"), ('{"name": "Ada"}', "answer.age"), ("", "answer")],
)
def test_a_second_misfit_is_an_error_that_keeps_the_text(text, field, sandbox, auth):
    say(sandbox, text)

    with pytest.raises(TogetherError, match="No answer of 2 fits") as caught:
        extract(auth)

    error = caught.value
    assert text == error.partial
    assert field == error.problems[0]["field"]
    assert error.cost_usd == pytest.approx(2 * price(21, 27))
    assert not job_unpaid(vars(error))
    assert 2 == len(asked(sandbox))


@pytest.mark.parametrize(
    ("more", "answer", "field"),
    [
        (
            {"if": {"required": ["a"]}, "then": {"required": ["b"]}},
            '{"a": 1}',
            "answer.b",
        ),
        ({"dependentRequired": {"a": ["b"]}}, '{"a": 1}', "answer.b"),
        ({"dependentSchemas": {"a": {"maxProperties": 0}}}, '{"a": 1}', "answer"),
        ({"propertyNames": {"pattern": "^[a-z]$"}}, '{"a\\n": 1}', "answer"),
        (
            {"properties": {"a": {"contains": {"const": "x"}}}},
            '{"a": []}',
            "answer.a",
        ),
        (
            {"properties": {"a": {"pattern": "^[A-Z]{2}$"}}},
            '{"a": "DE\\n"}',
            "answer.a",
        ),
    ],
)
def test_no_answer_is_green_that_the_schema_forbids(more, answer, field, sandbox, auth):
    say(sandbox, answer)

    with pytest.raises(TogetherError) as caught:
        extract(auth, schema={"type": "object", **more})

    assert caught.value.type == "answer_misfit"
    assert caught.value.problems[0]["field"] == field


def test_what_is_told_of_an_answer_is_bounded(sandbox, auth):
    """Else a second question is of many times the first one's size, and paid for."""
    many = {"enum": [f"category-{n:05d}" for n in range(3000)]}
    described = {"type": "string", "pattern": "^a", "description": "d" * 5000}
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "array", "items": many},
            "b": {"type": "array", "items": described},
        },
    }
    say(sandbox, json.dumps({"b": ["no"] * 10, "a": ["nope"] * 100}))

    with pytest.raises(TogetherError) as caught:
        extract(auth, schema=schema)

    first, second = (len(json.dumps(body)) for body in asked(sandbox))
    assert second < first + 30_000
    assert len(json.dumps(caught.value.problems)) < 30_000
    assert len(caught.value.problems) == 21
    last = {"field": "answer", "problem": "has 90 more of what does not fit"}
    assert caught.value.problems[-1] == last
    words = [one["problem"] for one in caught.value.problems]
    assert any("and 2980 more (got" in one for one in words)
    assert any(len(one) == 1000 and one.endswith("ddd...") for one in words)


def test_an_answer_that_was_cut_is_not_asked_for_again(sandbox, auth):
    def cut(body, whole):
        whole["choices"][0]["finish_reason"] = "length"
        whole["choices"][0]["message"]["content"] = '{"name": "Ad'
        return whole

    say(sandbox, cut)

    with pytest.raises(TogetherError, match="Raise max_tokens") as caught:
        extract(auth)

    assert '{"name": "Ad' == caught.value.partial
    assert 1 == len(asked(sandbox))


def test_an_answer_that_was_paid_is_in_the_error_of_the_question_after_it(
    sandbox, auth
):
    fail_after(sandbox, "Ada is 36.")

    with pytest.raises(TogetherError, match="too long") as caught:
        extract(auth)

    error = caught.value
    assert error.status == 400
    assert error.partial == {
        "text": "Ada is 36.",
        "usage": {**usage(), "cached_tokens": 0},
        "cost_usd": pytest.approx(price(21, 27)),
        "model": MODEL,
    }
    assert error.cost_usd == error.partial["cost_usd"]
    assert not job_unpaid(vars(error))


def test_what_a_second_question_may_have_cost_is_not_left_out(sandbox, auth):
    """It broke off: its tokens count, and what it had said is there."""

    def broken(body, whole):
        whole["choices"][0]["finish_reason"] = "abort"
        return whole

    say(sandbox, {"content": None, "reasoning": "Ada, of course."}, broken)
    with pytest.raises(TogetherError, match="broke off") as caught:
        extract(auth)

    partial = caught.value.partial
    assert partial["text"] == "Ada, of course."
    assert partial["cost_usd"] == pytest.approx(2 * price(21, 27))
    assert partial["broken_answer"]["choices"][0]["finish_reason"] == "abort"


def test_what_a_second_question_cost_may_be_unknown(sandbox, auth, monkeypatch):
    monkeypatch.setattr("scripts.resilience.retry.FIRST_WAIT", 0.001)
    fail_after(sandbox, "Ada is 36.", status=500)

    with pytest.raises(TogetherError) as caught:
        extract(auth)

    partial = caught.value.partial
    assert partial["usage"] == {**usage(), "cached_tokens": 0}
    assert (partial["cost_usd"], bool(partial["cost_note"])) == (None, True)


def test_a_first_question_that_fails_has_no_bill(sandbox, auth):
    sandbox.faults.append(Fault("chat/completions", 400, body={"error": "no such"}))

    with pytest.raises(TogetherError, match="no such") as caught:
        extract(auth)

    assert (caught.value.partial, caught.value.may_be_paid) == (None, None)
    assert job_unpaid(vars(caught.value))


def test_a_model_without_schemas_is_told_in_words(sandbox, auth, capsys):
    def choosy(body, whole):
        if "response_format" in body:
            words = "response_format json_schema is not supported by this model"
            return {"error": {"message": words, "type": "invalid_request_error"}}
        whole["choices"][0]["message"]["content"] = GOOD
        return whole

    say(sandbox, choosy)
    with pytest.raises(TogetherError, match="not supported"):
        extract(auth)  # the words came with a success: not the API's refusal

    refusal = {"error": {"message": "json_schema is not supported", "type": "x"}}
    sandbox.faults.append(Fault("chat/completions", 400, body=refusal))

    assert {"name": "Ada", "age": 36} == extract(auth)["data"]
    assert "response_format" not in asked(sandbox)[-1]
    assert "the prompt says it instead" in capsys.readouterr().err


@pytest.mark.parametrize(
    "error",
    [
        {"message": "'additionalProperties' is unknown", "param": "response_format"},
        {"message": "JSON mode is not supported for this model"},
    ],
)
def test_words_about_the_form_of_answers_are_known_by_what_they_name(
    error, sandbox, auth
):
    say(sandbox, GOOD)
    sandbox.faults.append(Fault("chat/completions", 400, body={"error": error}))

    assert extract(auth)["data"] == {"name": "Ada", "age": 36}
    assert "response_format" not in asked(sandbox)[-1]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"content": None, "refusal": "I must not."}, "refused: 'I must not.'"),
        (lambda body, whole: cut(whole, "max_tokens"), "cut before it was complete"),
    ],
)
def test_what_a_second_question_would_not_mend_is_asked_once(
    answer, words, sandbox, auth
):
    say(sandbox, answer)

    with pytest.raises(TogetherError, match=words):
        extract(auth)

    assert len(asked(sandbox)) == 1


def cut(whole, reason):
    whole["choices"][0]["message"]["content"] = GOOD[:9]
    whole["choices"][0]["finish_reason"] = reason
    return whole


def test_an_answer_among_the_thoughts_is_found(sandbox, auth):
    say(sandbox, {"content": None, "reasoning": GOOD})
    assert extract(auth)["data"] == {"name": "Ada", "age": 36}

    say(sandbox, {"content": None, "reasoning": "Ada, of course."})
    with pytest.raises(TogetherError, match="nothing but reasoning"):
        extract(auth)


def test_data_may_be_an_object_already_and_hold_any_words(sandbox, auth):
    say(sandbox, {"content": {"name": "Ada", "age": 36}})
    assert extract(auth)["data"] == {"name": "Ada", "age": 36}

    say(sandbox, '{"name": "A</think>da", "age": 36}')
    assert extract(auth)["data"]["name"] == "A</think>da"


def test_another_refusal_is_the_error(sandbox, auth):
    sandbox.faults.append(Fault("chat/completions", 400, body={"error": "no such"}))

    with pytest.raises(TogetherError, match="no such"):
        extract(auth)


@pytest.mark.parametrize(
    ("schema", "text", "data"),
    [
        ({"type": "array", "items": {"type": "integer"}}, '{"value": [1, 2]}', [1, 2]),
        ({"enum": ["a", "b"]}, '{"value": "a"}', "a"),
        (
            {"$ref": "#/$defs/n", "$defs": {"n": {"type": "number"}}},
            '{"value": 1.5}',
            1.5,
        ),
        (
            {"properties": {"a": {"$ref": "#/$defs/n"}}, "$defs": {"n": {}}},
            '{"a": null}',
            {"a": None},
        ),
    ],
)
def test_a_schema_of_any_kind_is_sent_as_an_object(schema, text, data, sandbox, auth):
    say(sandbox, text)

    assert data == extract(auth, schema=schema)["data"]
    sent = asked(sandbox)[0]["response_format"]["json_schema"]["schema"]
    assert "object" == sent["type"]
    jsonschema.Draft202012Validator(sent).validate(json.loads(text))


NESTED = {"type": "array", "items": {"anyOf": [{"type": "string"}, {"$ref": "#"}]}}
REFERRING = [
    (NESTED, ["a", ["b", ["c"]]], ["a", {"value": ["b"]}]),
    ({**NESTED, "items": {"anyOf": [{"enum": ["a"]}, {"$ref": ""}]}}, [["a"]], ["b"]),
    (
        {"prefixItems": [{"type": "string"}, {"$ref": "#/prefixItems/0"}]},
        ["a", "b"],
        [3],
    ),
    (
        {
            "anyOf": [{"type": "string"}, {"items": {"$ref": "#/anyOf/0"}}],
            "not": {"const": 3},
        },
        ["a"],
        [3],
    ),
    (
        {"items": {"$ref": "#/%24defs/row"}, "$defs": {"row": {"type": "string"}}},
        ["a"],
        [3],
    ),
    (
        {
            "$id": "https://example.com/rows",
            "items": {"$ref": "#/definitions/row"},
            "type": "array",
            "definitions": {"row": {"anyOf": [{"type": "string"}, {"$ref": "#"}]}},
        },
        ["a", ["b"]],
        ["a", {"value": ["b"]}],
    ),
    (
        {
            "items": {"$ref": "#/components/row"},
            "components": {
                "name": {"type": "string"},
                "row": {"properties": {"$ref": {"$ref": "#/components/name"}}},
            },
        },
        [{"$ref": "#"}],
        [{"$ref": 3}],
    ),
    (
        {"items": {"enum": [{"$ref": "#/a"}], "default": {"$ref": "#"}}},
        [{"$ref": "#/a"}],
        [{"$ref": "#/properties/value/a"}],
    ),
]


@pytest.mark.parametrize(("schema", "right", "wrong"), REFERRING)
def test_a_schema_that_refers_to_itself_means_the_same_within_an_object(
    schema, right, wrong, sandbox, auth
):
    say(sandbox, json.dumps({"value": right}))

    found = extract(auth, schema=schema)

    assert (found["data"], found["repaired"]) == (right, False)
    sent = asked(sandbox)[0]["response_format"]["json_schema"]["schema"]
    jsonschema.Draft202012Validator.check_schema(sent)
    by_what_was_sent = jsonschema.Draft202012Validator(sent)
    assert by_what_was_sent.is_valid({"value": right})
    assert not by_what_was_sent.is_valid({"value": wrong})
    say(sandbox, json.dumps({"value": wrong}))
    with pytest.raises(TogetherError) as caught:
        extract(auth, schema=schema)
    assert caught.value.problems[0]["field"].startswith("answer.value[")


@pytest.mark.parametrize("answer", ["[1]", '{"value": [1], "more": 2}', "{}"])
def test_what_is_around_the_data_is_checked_too(answer, sandbox, auth):
    say(sandbox, answer)

    with pytest.raises(TogetherError) as caught:
        extract(auth, schema={"type": "array"})

    assert caught.value.type == "answer_misfit"


def test_what_is_added_for_the_api_binds_no_part_of_the_data(sandbox, auth):
    """Only the whole must be an object: what refers to it may be anything."""
    schema = {"properties": {"next": {"$ref": "#"}}}
    say(sandbox, '{"next": {"next": null}}')

    assert extract(auth, schema=schema)["data"] == {"next": {"next": None}}
    say(sandbox, "null")
    with pytest.raises(TogetherError, match="must be an object"):
        extract(auth, schema=schema)


def test_what_windmill_s_editor_adds_is_not_sent(sandbox, auth):
    edited = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "order": {"type": "string", "description": "", "default": None},
            "rows": {
                "type": "array",
                "items": {"type": "object", "properties": {"a": {"type": "number"}}},
                "pattern": "",
            },
        },
        "required": [],
        "order": ["order", "rows"],
    }
    say(sandbox, '{"order": "x"}')
    extract(auth, schema={"label": "Editor", "value": edited})

    sent = asked(sandbox)[0]["response_format"]["json_schema"]["schema"]
    rows = {"a": {"type": "number"}}
    rows = {"type": "array", "items": {"type": "object", "properties": rows}}
    assert sent == {
        "type": "object",
        "properties": {"order": {"type": "string"}, "rows": rows},
    }


def test_what_the_form_sends_is_what_was_filled_in(sandbox, auth):
    picture = {"label": "URL", "url": "https://example.com/a.png"}
    say(sandbox, '{"name": "Ada", "age": 36}')
    found = EXTRACT(
        auth,
        MODEL,
        pictures=[{"source": picture}],
        schema={"label": "JSON", "value": SCHEMA},
        max_tokens=None,
    )

    assert {"name": "Ada", "age": 36} == found["data"]
    (part,) = asked(sandbox)[0]["messages"][1]["content"]
    assert "https://example.com/a.png" == part["image_url"]["url"]
    say(sandbox, '{"a": "x"}')
    row = {"name": "a", "required": "true"}
    schema = {"label": "Editor", "value": EMPTY}
    found = EXTRACT(auth, MODEL, text="x", fields=[row], schema=schema)
    assert {"a": "x"} == found["data"]


EMPTY = {"type": "object", "properties": {}, "required": [], "order": []}


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"schema": None}, "schema"),
        ({"schema": {}}, "schema"),
        ({"schema": EMPTY}, "schema"),
        ({"schema": {"total": "number"}}, "schema"),
        ({"schema": {"description": "the total"}}, "schema"),
        ({"schema": {"total": ["odd"], "of": {}}}, "schema"),
        ({"schema": '{"total": "number"}'}, "schema"),
        ({"schema": '{"type": '}, "schema"),
        ({"schema": {"label": "Editor", "value": EMPTY}}, "schema"),
        ({"schema": {"label": "JSON", "value": None}}, "schema"),
        ({"fields": [{"name": "a"}]}, "schema"),
        ({"schema": {"type": "text"}}, "schema.type"),
        (
            {"schema": {"properties": {"a": {"$ref": "#/x"}}}},
            "schema.properties.a.$ref",
        ),
        ({"schema": EMPTY, "fields": [{"name": "a"}, {"name": "a"}]}, "fields[1].name"),
        ({"schema": None, "fields": [{"type": "string"}]}, "fields[0].name"),
        ({"schema": None, "fields": [{"name": "a", "type": "x"}]}, "fields[0].type"),
        ({"schema": None, "fields": [{"name": " "}]}, "fields[0].name"),
        ({"schema": None, "fields": ["a", " a "]}, "fields[1].name"),
        ({"schema": None, "fields": [{"name": "a", "kind": "number"}]}, "fields[0]"),
        ({"schema": {"type": "json_schema", "json_schema": {"schema": {}}}}, "schema"),
        ({"schema": {"enum": []}}, "schema.enum"),
        ({"schema": {"type": "string", "enum": [1]}}, "schema.enum"),
        ({"schema": {"items": {"anyOf": []}}}, "schema.items.anyOf"),
        ({"schema": {"type": "number", "multipleOf": 0}}, "schema.multipleOf"),
        ({"schema": {"type": "string", "minLength": -1}}, "schema.minLength"),
        ({"schema": {"type": "number", "minimum": 2, "maximum": 1}}, "schema.minimum"),
        ({"schema": {**SCHEMA, "required": ["nam"]}}, "schema.required"),
        ({"schema": {"properties": {"a": {"$ref": "#a"}}}}, "schema.properties.a.$ref"),
        ({"schema": {"format": "date"}}, "schema"),
        ({"schema": {"type": []}}, "schema.type"),
        ({"schema": {"type": "string", "const": 5}}, "schema.const"),
        (
            {"schema": {**SCHEMA, "unevaluatedProperties": False}},
            "schema.unevaluatedProperties",
        ),
        (
            {"schema": {"properties": {"a": {"title": "x", "$ref": "#/title/y"}}}},
            "schema.properties.a.$ref",
        ),
        ({"text": None}, "text"),
        ({"text": " \n"}, "text"),
        ({"text": "", "pictures": []}, "text"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(arguments, field, sandbox, auth):
    with pytest.raises(TogetherError) as caught:
        extract(auth, **arguments)

    assert field == caught.value.problems[0]["field"]
    assert not asked(sandbox)


def test_what_is_no_schema_is_told_with_one_that_is(sandbox, auth):
    with pytest.raises(TogetherError) as caught:
        extract(auth, schema={"total": "number"})

    meant = json.loads(str(caught.value).partition("For one member write ")[2])
    assert meant == {"type": "object", "properties": {"total": {"type": "number"}}}


def test_a_schema_may_be_in_what_an_api_puts_around_it(sandbox, auth):
    named = {"name": "person", "strict": True, "schema": SCHEMA}
    for schema in (named, {"type": "json_schema", "json_schema": named}):
        say(sandbox, GOOD)
        assert extract(auth, schema=schema)["data"] == {"name": "Ada", "age": 36}
        form = asked(sandbox)[-1]["response_format"]
        assert form["json_schema"]["schema"] == SCHEMA


def test_what_only_lacks_the_object_around_it_is_told_with_it(sandbox, auth):
    total = {"type": "array", "items": {"type": "number"}}
    with pytest.raises(TogetherError) as caught:
        extract(auth, schema={"total": total})

    meant = json.loads(str(caught.value).partition("For one member write ")[2])
    assert meant == {"type": "object", "properties": {"total": total}}


def test_a_schema_may_be_json_text_and_a_field_a_name(sandbox, auth):
    say(sandbox, GOOD)
    assert extract(auth, schema=json.dumps(SCHEMA))["data"] == {
        "name": "Ada",
        "age": 36,
    }

    say(sandbox, '{"name": "Ada"}')
    assert extract(auth, schema=None, fields=["name"])["data"] == {"name": "Ada"}


def test_what_windmill_cannot_keep_is_replaced(sandbox, auth, capsys):
    say(sandbox, '{"name": "A\\u0000", "age": 1}')

    assert "A\ufffd" == extract(auth)["data"]["name"]
    assert "were replaced" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["NaN", "1e999"])
def test_numbers_that_are_none_do_not_fit(number, sandbox, auth):
    say(sandbox, f'{{"name": "A", "age": {number}}}')

    with pytest.raises(TogetherError, match="is not JSON"):
        extract(auth)


@pytest.mark.slow
def test_a_worker_runs_it(sandbox, auth):
    arguments = {"model": MODEL, "text": "Ada", "fields": FIELDS}
    job = run("chat/extract_structured", {"auth": auth, **arguments})

    assert not job.failed, job.result
    assert {field["name"] for field in FIELDS} == set(job.result["data"])
    job = run(
        "chat/extract_structured", {"auth": auth, **arguments, "schema": {"enum": [1]}}
    )
    assert "schema" == job.result["error"]["extra"]["problems"][0]["field"]
