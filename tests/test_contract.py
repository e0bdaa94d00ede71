"""Every operation, every example: over the wire as its schema says, and back."""

import base64

import pytest

from scripts.client import TogetherError
from tests.support.expected_request import expected, main_of
from tests.support.form_assertions import asked, project
from tools.local.job_runner import run
from tools.operations import operations
from tools.sandbox import brought, reply, tone

OPERATIONS = list(operations())
CASES = [
    pytest.param(operation, number, id=f"{operation.id}-{number}")
    for operation in OPERATIONS
    for number in range(len(operation.schema["examples"]))
]
# Bytes may go to the workspace's storage: every step is a job of one.
pytestmark = pytest.mark.usefixtures("workspace", "brief_silence")
BY_ID = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.id)


@pytest.mark.parametrize(("operation", "number"), CASES)
def test_request_and_reply_are_what_the_schema_says(
    operation, number, sandbox, auth, workspace
):
    arguments = operation.schema["examples"][number]
    answer_as_documented(operation, sandbox)

    result = main_of(operation)(auth, **arguments)

    if operation.exchange.get("content") == "signed_upload":
        # What it sends in place of one request: test_file_upload.py and test_sdk.py.
        check_result(operation, arguments, result, sandbox, workspace)
        return
    request = asked(sandbox)
    method, path, query, body = expected(operation, arguments, project())
    assert (method, path, query) == (request.method, request.path, request.query)
    assert request.headers["authorization"] == f"Bearer {auth['api_key']}"
    if operation.realtime:
        pass  # its messages are in test_realtime_audio.py
    elif "content" in operation.exchange:
        assert request.headers["content-type"].startswith("multipart/form-data")
    else:
        assert body == request.json
    check_result(operation, arguments, result, sandbox, workspace)


def answer_as_documented(operation, sandbox):
    """Let lists of models be the schema's own, in place of the catalogue that the
    sandbox has of schemas/_models.yaml."""
    if operation.name in ("list_models", "list_supported_models"):
        sandbox.answers[operation.name] = lambda _: operation.schema["x-reply"]


VIEW = ("wm_renderer", "html", "png")


def check_result(operation, arguments, result, sandbox, workspace):
    kind = operation.exchange.get("reply")
    if "brings" in operation.exchange:
        result = {name: found for name, found in result.items() if name not in VIEW}
    if kind == "binary" and "s3" in result:
        came = brought(operation, arguments.get("body") or {})[0]
        assert came == workspace.content(result["s3"])
        assert result["s3"].endswith(result["filename"])
    elif kind == "binary":
        came = brought(operation, arguments.get("body") or {})[0]
        assert came == base64.b64decode(result["file"])
        assert "." in result["filename"]
    elif kind == "speech":
        assert tone() == base64.b64decode(result["file"])
    elif kind == "none":
        assert result is None
    elif kind == "redirect":
        storage = sandbox.uploads.storage.url
        assert result["location"].startswith((storage, "https://"))
    elif operation.name == "upload_file":
        assert arguments["body"]["file_name"] == result["filename"]
        content = sandbox.files[result["id"]][1]
        assert content == base64.b64decode(arguments["body"]["file"])
    elif operation.name == "initiate_multipart_file_upload":
        assert result.keys() == operation.schema["x-reply"].keys()
        assert len(result["parts"]) == arguments["body"]["num_parts"]
    else:
        answer = reply(operation, arguments.get("body") or {})
        if operation.exchange.get("brings", {}).get("kind") == "picture":
            answer = sandbox.hosted(answer)
        assert answer == result


@pytest.mark.slow
@pytest.mark.parametrize(("operation", "number"), CASES)
def test_a_worker_runs_it(operation, number, sandbox, auth, workspace):
    arguments = operation.schema["examples"][number]
    answer_as_documented(operation, sandbox)

    job = run(operation.id, {"auth": auth, **arguments})

    assert not job.failed, job.result
    if operation.exchange.get("reply") == "transcript":
        assert job.result.pop("wm_stream") == job.result["text"]
    check_result(operation, arguments, job.result, sandbox, workspace)


@BY_ID
def test_each_missing_required_argument_is_named(operation, sandbox, auth):
    least = operation.schema["examples"][0]
    for name in operation.required:
        with pytest.raises(TogetherError, match=rf"\b{name}\b") as caught:
            main_of(operation)(auth, **{**least, name: None})
        assert name == caught.value.problems[0]["field"]
    for name in operation.arguments.get("body", {}).get("required", []):
        body = {k: v for k, v in least["body"].items() if k != name}
        with pytest.raises(TogetherError) as caught:
            main_of(operation)(auth, **{**least, "body": body})
        assert f"body.{name}" in [p["field"] for p in caught.value.problems]
    assert not sandbox.requests


def in_path(operation):
    return [n for n, m in operation.arguments.items() if m.get("x-in") == "path"]


@pytest.mark.parametrize(
    "operation", [o for o in OPERATIONS if in_path(o)], ids=lambda o: o.id
)
def test_a_path_argument_cannot_leave_its_place(operation, sandbox, auth):
    least = operation.schema["examples"][0]
    for name in in_path(operation):
        for value in ("..", "."):
            with pytest.raises(TogetherError, match=name):
                main_of(operation)(auth, **{**least, name: value})
        main_of(operation)(auth, **{**least, name: "a/../b c?d#e"})
        assert "a%2F..%2Fb%20c%3Fd%23e" in sandbox.requests[-1].path
