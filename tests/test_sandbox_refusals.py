"""The sandbox refuses what the service refuses, and its answers tell rows apart."""

import json

import pytest

from scripts.client import TogetherError
from tests.conftest import KEY
from tests.support.expected_request import main_of
from tools import models
from tools.operations import find, operations
from tools.sandbox import Sandbox

CHAT = main_of(find("chat/create_chat_completion"))
CREATE = find("endpoints/create_endpoint")
GONE = sorted(models.retired())


@pytest.fixture(scope="module")
def _strict():
    with Sandbox(pace=0) as server:
        server.lifecycles.control({"speed": 0})
        yield server


@pytest.fixture
def strict(_strict):
    for kind in _strict.lifecycles.kinds.values():
        kind.lives.clear()
    _strict.files.clear()
    _strict.requests.clear()
    return _strict


@pytest.fixture
def auth(strict):
    return {"api_key": KEY, "base_url": strict.url}


def body(model, **more):
    return {"model": model, "messages": [{"role": "user", "content": "Hi"}], **more}


def refused(auth, script, **arguments):
    with pytest.raises(TogetherError) as caught:
        main_of(find(script))(auth, **arguments)
    return caught.value


@pytest.mark.parametrize("stream", [True, False])
def test_a_retired_model_is_refused_for_good(stream, auth):
    error = refused(
        auth, "chat/create_chat_completion", body=body(GONE[0], stream=stream)
    )

    assert (error.status, error.code, error.final) == (400, "model_not_available", True)
    assert "deploy_model" in error.advice


def test_a_model_that_nobody_knows_is_not_found(auth):
    error = refused(auth, "chat/create_chat_completion", body=body("a/" + "b" * 9999))

    assert error.status == 404
    assert "models/list_models" in error.advice
    assert len(str(error)) < 1000


@pytest.mark.parametrize(
    "operation",
    [o for o in operations() if o.exchange["retry"] == "inference"],
    ids=lambda o: o.id,
)
@pytest.mark.usefixtures("workspace")  # one may ask for storage
def test_every_example_names_a_model_that_is_served(operation, auth):
    for example in operation.schema["examples"]:
        if operation.realtime or "model" not in example.get("body", {}):
            assert operation.realtime or "model" not in operation.arguments["body"]
            continue
        main_of(operation)(auth, **example)
        gone = {**example, "body": {**example["body"], "model": GONE[-1]}}
        assert refused(auth, operation.id, **gone).final


def test_a_row_of_a_batch_is_refused_as_the_single_request_is(strict, auth):
    rows = [{"text": "a"}, {"text": "b"}]
    submit = main_of(find("batches/submit_rows"))
    made = submit(auth, model=GONE[0], template="{{text}}", rows=rows)
    strict.lifecycles.advance(3600)
    with pytest.raises(
        TogetherError, match=r"non-serverless model \S+\. Together .*/deploy_model"
    ):
        main_of(find("batches/collect_rows"))(auth, made["batch_id"], rows)


def test_version_1_endpoints_are_not_created_and_not_started_again(strict, auth):
    error = refused(auth, CREATE.id, **CREATE.schema["examples"][0])
    code = "endpoints_v1_create_access_disabled"
    assert (error.status, error.code, error.final) == (403, code, True)

    living = strict.lifecycles["endpoint"]
    made = living.create(CREATE.schema["examples"][0])["id"]
    update = main_of(find("endpoints/update_endpoint"))
    assert update(auth, made, {"state": "STOPPED"})["state"] == "STOPPING"
    error = refused(
        auth,
        "endpoints/update_endpoint",
        endpoint_id=made,
        body={"state": "STARTED"},
    )
    assert (error.status, error.code) == (403, code)


@pytest.mark.parametrize("sent", [{}, {"etag": "W/1"}])
def test_an_update_of_nothing_is_refused(sent, auth):
    operation = find("endpoints/update_project_endpoint")
    example = {**operation.schema["examples"][0], "body": sent}
    error = refused(auth, operation.id, **example)

    assert (error.status, error.code) == (400, "no_fields_to_update")


def test_an_endpoint_answers_once_it_is_ready_and_gets_requests(strict, auth):
    deploy = main_of(find("endpoints/deploy_model"))
    made = deploy(auth, model=models.model("chat"), endpoint_name="mine")
    error = refused(auth, "chat/create_chat_completion", body=body(made["model"]))
    assert error.code == "endpoint_not_ready"

    strict.lifecycles.advance(3600)
    assert CHAT(auth, body(made["model"]))["model"] == made["model"]

    route = main_of(find("endpoints/update_project_endpoint"))
    route(auth, made["endpoint_id"], {"trafficSplit": []})
    error = refused(auth, "chat/create_chat_completion", body=body(made["model"]))
    assert (error.code, error.final) == ("endpoint_not_configured", True)


def test_a_table_stops_at_a_model_that_is_gone(strict, auth):
    rows = [{"text": str(number)} for number in range(100)]
    error = refused(
        auth, "chat/map_rows", model=GONE[0], template="{{text}}", rows=rows
    )

    assert error.final
    asked = [r for r in strict.requests if r.path.endswith("completions")]
    assert len(asked) < 40


def test_answers_repeat_the_question_so_that_rows_are_told_apart(auth):
    rows = [{"text": text} for text in ("one", "two", "x" * 1000)]
    found = main_of(find("chat/map_rows"))(auth, template="Say {{text}}", rows=rows)
    answers = [row["answer"] for row in found["rows"]]

    assert "Say one" in answers[0]
    assert "Say two" in answers[1]
    assert len(answers[2]) < 400
    picture = {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}
    content = [{"type": "text", "text": "What is it?"}, picture]
    asked = {**body(models.model("vision")), "messages": [{"role": "user"}]}
    asked["messages"][0]["content"] = content
    message = CHAT(auth, asked)["choices"][0]["message"]
    assert "What is it?" in message["content"]
    assert "a.example" not in json.dumps(message)
