"""The scripts against a server that none of us wrote. Needs 300 MB of packages."""

import importlib
import json

import jsonschema
import pytest

from tests.support.expected_request import main_of
from tools.local.job_runner import run
from tools.local.local_model import LocalModel
from tools.operations import find

pytestmark = pytest.mark.slow
CHAT = "chat/create_chat_completion"


@pytest.fixture(scope="module")
def model():
    with LocalModel() as server:
        yield {"api_key": server.key, "base_url": server.url}


def body(**members):
    messages = [{"role": "user", "content": "Count: one, two, three,"}]
    return {
        "model": "gemma",
        "messages": messages,
        "max_tokens": 12,
        "seed": 1,
        **members,
    }


def test_chat(model):
    found = main_of(find(CHAT))(model, body(temperature=0))

    assert found["choices"][0]["message"]["role"] == "assistant"
    assert 0 < found["usage"]["completion_tokens"] <= 12


def test_a_stream_is_the_answer_without_streaming(model):
    plain = main_of(find(CHAT))(model, body(temperature=0))

    job = run(CHAT, {"auth": model, "body": body(temperature=0, stream=True)})

    message = job.result["choices"][0]["message"]
    assert plain["choices"][0]["message"]["content"] == message["content"]
    assert message["content"] == job.result["wm_stream"]
    assert (
        plain["choices"][0]["finish_reason"]
        == job.result["choices"][0]["finish_reason"]
    )


def test_an_answer_that_follows_a_schema(model):
    schema = {
        "type": "object",
        "properties": {
            "respond": {"enum": ["good", "bad"]},
            "sure": {"type": "boolean"},
        },
        "required": ["respond", "sure"],
        "additionalProperties": False,
    }
    response_format = {
        "type": "json_schema",
        "json_schema": {"name": "respond", "schema": schema},
    }

    found = main_of(find(CHAT))(
        model, body(response_format=response_format, max_tokens=60, temperature=0)
    )

    value = json.loads(found["choices"][0]["message"]["content"])
    assert value["respond"] in ("good", "bad")
    assert isinstance(value["sure"], bool)


def test_completion(model):
    found = main_of(find("completions/create_completion"))(
        model, {"model": "gemma", "prompt": "One, two,", "max_tokens": 5}
    )

    assert found["choices"][0]["text"]


def test_embeddings():
    with LocalModel(embedding=True) as server:
        auth = {"api_key": server.key, "base_url": server.url}
        found = main_of(find("embeddings/create_embeddings"))(
            auth, {"model": "gemma", "input": ["one", "two"]}
        )

    vectors = [row["embedding"] for row in found["data"]]
    assert len(vectors) == 2
    assert len(vectors[0]) == len(vectors[1]) > 100


def test_a_wrong_key_is_refused(model):
    job = run(CHAT, {"auth": {**model, "api_key": "wrong"}, "body": body()})

    assert job.result["error"]["extra"]["status"] == 401
    assert "API key" in job.result["error"]["extra"]["advice"]


def test_a_step_asks_it(model):
    job = run(
        "chat/ask_model",
        {
            "auth": model,
            "model": "gemma",
            "prompt": "Count: one, two,",
            "max_tokens": 8,
            "temperature": 0,
        },
    )

    assert not job.failed, job.result
    assert job.result["text"].strip() == job.result["wm_stream"].strip() != ""
    assert job.result["cost_usd"] is None
    assert job.result["cost_note"]
    assert "assistant" == job.result["messages"][-1]["role"]


TREE = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 10},
        "parts": {"type": "array", "maxItems": 2, "items": {"$ref": "#/$defs/leaf"}},
    },
    "required": ["name", "parts"],
    "additionalProperties": False,
    "$defs": {"leaf": {"enum": ["root", "branch", "leaf"]}},
}
SCHEMAS = {
    "flat": {
        "type": "object",
        "properties": {
            "city": {"type": "string", "maxLength": 12},
            "inhabitants": {"type": "integer", "minimum": 0, "maximum": 99999999},
            "capital": {"type": "boolean"},
        },
        "required": ["city", "inhabitants", "capital"],
        "additionalProperties": False,
    },
    "choices": {
        "type": "object",
        "properties": {
            "respond": {"enum": ["good", "bad"]},
            "why": {"type": ["string", "null"], "maxLength": 20},
        },
        "required": ["respond", "why"],
        "additionalProperties": False,
    },
    "rows": {
        "type": "object",
        "properties": {
            "rows": {
                "type": "array",
                "minItems": 1,
                "maxItems": 2,
                "items": {
                    "type": "object",
                    "properties": {
                        "word": {"type": "string", "maxLength": 8},
                        "letters": {"type": "integer", "minimum": 1, "maximum": 20},
                    },
                    "required": ["word", "letters"],
                    "additionalProperties": False,
                },
            }
        },
        "required": ["rows"],
        "additionalProperties": False,
    },
    "dates": {
        "type": "object",
        "properties": {
            "due": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
            "kind": {"anyOf": [{"const": "bill"}, {"const": "letter"}]},
        },
        "required": ["due", "kind"],
        "additionalProperties": False,
    },
    "tree": TREE,
}


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_a_step_extracts_what_fits(schema, model):
    found = main_of(find("chat/extract_structured"))(
        model,
        "gemma",
        text="Berlin is the capital, a bill for its trees is due on 2 May 2026.",
        schema=schema,
        max_tokens=80,
    )

    jsonschema.validate(found["data"], schema)
    assert found["usage"]["completion_tokens"] > 0


def test_a_step_extracts_fields(model):
    fields = [
        {"name": "capital", "type": "boolean"},
        {"name": "year", "type": "integer", "required": False},
        {"name": "due", "type": "date", "required": False},
    ]
    found = main_of(find("chat/extract_structured"))(
        model, "gemma", text="Berlin, 2026.", fields=fields, max_tokens=60
    )

    assert ["capital", "year", "due"] == list(found["data"])
    assert isinstance(found["data"]["capital"], bool)


def test_a_step_offers_it(model):
    script = importlib.import_module("scripts.chat.ask_model")

    assert any("gemma" in choice["value"] for choice in script.model("", model))


def test_a_step_classifies(model):
    labels = [{"name": "yes"}, {"name": "no"}]
    found = main_of(find("chat/classify_text"))(
        model, "yes, yes, yes", labels, model="gemma", max_tokens=5
    )

    assert found["label"] in ("yes", "no")
    assert 0 < found["confidence"] <= 1
    assert found["confidence"] == found["scores"][found["label"]]
