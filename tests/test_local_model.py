"""The scripts against a server that none of us wrote. Needs 300 MB of packages."""

import json

import pytest

from tests.wire import main_of
from tools.local_model import LocalModel
from tools.operations import find
from tools.worker import run

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
        "properties": {"mood": {"enum": ["good", "bad"]}, "sure": {"type": "boolean"}},
        "required": ["mood", "sure"],
        "additionalProperties": False,
    }
    response_format = {
        "type": "json_schema",
        "json_schema": {"name": "mood", "schema": schema},
    }

    found = main_of(find(CHAT))(
        model, body(response_format=response_format, max_tokens=60, temperature=0)
    )

    value = json.loads(found["choices"][0]["message"]["content"])
    assert value["mood"] in ("good", "bad")
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
