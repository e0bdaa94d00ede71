"""What is said of an exchange that failed, and how it is shown."""

import gzip
import json
import re
import time

import pytest

from scripts.client import TogetherError
from scripts.client import request as client_request
from scripts.operations import operation
from scripts.resilience import explain, retry, server_words
from tests.conftest import KEY
from tests.support.expected_request import main_of
from tests.test_client import BODY, CHAT, auth_for, server, sse
from tools.local.job_runner import run
from tools.operations import find, operations
from tools.sandbox import Fault


def refused(script, sandbox, auth, status):
    """The error of a script's least example that the service answers with a status."""
    # Whose key it is, is asked on the way to some operations.
    first = "" if script == "organization/get_identity" else "(?!/v3/whoami)"
    sandbox.faults.append(Fault(f"^{first}", status, times=99))
    with pytest.raises(TogetherError) as caught:
        main_of(find(script))(auth, **find(script).schema["examples"][0])
    return caught.value


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("batches/get_batch", "batches/list_batches shows"),
        ("files/download_file", "files/list_files shows"),
        ("endpoints/get_rollout", "endpoints/list_rollouts shows"),
        ("endpoints/list_rollouts", "endpoints/list_project_endpoints shows"),
        ("chat/create_chat_completion", "models/list_models shows"),
        ("chat/ask_model", "models/list_models shows"),
        ("chat/map_rows", "models/list_models shows"),
        ("fine_tuning/create_fine_tune", "models/list_models shows"),
        ("batches/create_batch", "Check the ids in the request"),
        ("organization/get_identity", "Check auth.base_url"),
        ("models/list_models", "Check auth.base_url"),
    ],
)
def test_a_404_names_the_list_of_its_own_kind(script, words, sandbox, auth):
    error = refused(script, sandbox, auth, 404)

    assert words in error.advice
    assert error.status == 404


WITH_IDS = [o for o in operations() if "{" in o.exchange["path"]]
LISTS = {
    o.exchange["path"]: o.id for o in operations() if o.exchange["method"] == "GET"
}


@pytest.mark.parametrize("operation", WITH_IDS, ids=lambda o: o.id)
def test_every_path_with_an_id_finds_its_nearest_list(operation):
    path = operation.exchange["path"]
    above = [path[: m.start()] for m in re.finditer("/{", path)]
    nearest = next((LISTS[p] for p in reversed(above) if p in LISTS), None)

    request = Request({"path": path, "retry": "read"})

    advice = explain._advice(request, 404)
    assert (nearest or "Check the id.") in advice


class Request:
    """What advice looks at."""

    body = None

    def __init__(self, operation):
        self.operation = operation


@pytest.mark.parametrize(
    ("script", "words", "not_words"),
    [
        ("files/list_files", "organization/check_connection", "shorten"),
        ("chat/create_chat_completion", "so shorten them; or the key may", "\n"),
        # It would send the person to itself.
        ("organization/get_identity", "that the key is active", "check_connection"),
    ],
)
def test_a_403_speaks_of_the_input_only_where_there_is_some(
    script, words, not_words, sandbox, auth
):
    error = refused(script, sandbox, auth, 403)

    assert words in error.advice
    assert not_words not in error.advice


def test_the_path_is_the_one_that_was_asked(sandbox, auth):
    sandbox.faults.append(Fault(".*", 404))

    with pytest.raises(TogetherError, match="GET /v1/batches/b%2F1") as caught:
        main_of(find("batches/get_batch"))(auth, batch_id="b/1")

    assert caught.value.path == "/v1/batches/b%2F1"


def test_a_name_that_does_not_resolve_is_told(monkeypatch):
    monkeypatch.setattr(retry, "backoff", lambda tries, asked: 0.001)
    auth = {"api_key": "tgp_key_of_a_test", "base_url": "http://nowhere.invalid"}

    with pytest.raises(TogetherError, match=r"nowhere\.invalid cannot be resolved"):
        main_of(find("batches/create_batch"))(
            auth, **find("batches/create_batch").schema["examples"][0]
        )


def test_a_key_of_a_letter_masks_no_words(sandbox):
    sandbox.faults.append(Fault(".*", 404))

    with pytest.raises(TogetherError, match="shows what exists"):
        main_of(find("batches/get_batch"))(
            {"api_key": "x", "base_url": sandbox.url}, batch_id="b"
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    "script",
    [
        "batches/get_batch",
        "chat/create_chat_completion",
        "files/download_file",
        "files/upload_file",
        "chat/ask_model",
        "chat/map_rows",
        "batches/submit_rows",
        "audio/speak_text",
    ],
)
def test_the_stack_is_the_script_and_one_frame_of_ours(script, sandbox, auth):
    sandbox.faults.append(Fault(".*", 401, times=99))
    example = find(script).schema["examples"][0]

    job = run(script, {"auth": auth, **example})

    frames = re.findall(r'File "(.+?)"', job.result["error"]["stack"])
    assert job.result["error"]["name"] == "TogetherError", json.dumps(job.result)
    assert [name.endswith(f"{script}.py") for name in frames] == [True, False]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "3"}, 3),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0),
    ],
)
def test_the_server_names_a_wait(headers, seconds):
    assert retry.retry_after(headers) == seconds


@pytest.mark.parametrize("unit", [1, 1000])
@pytest.mark.parametrize("name", ["retry-after", "x-ratelimit-reset"])
def test_a_wait_may_be_told_as_a_moment(name, unit):
    moment = unit * int(time.time() + 1000)

    wait = retry.retry_after({name: str(moment), "x-ratelimit-remaining": "0"})

    assert 900 < wait <= 1000


@pytest.mark.parametrize("text", ["inf", "nan", "-inf", "", "soon", "1e999"])
def test_what_names_no_wait_is_none(text):
    assert retry.retry_after({"retry-after": text}) is None
    assert retry.retry_after({"retry-after-ms": text}) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1),
        ("2 seconds", 2),
        ("1m30s", 90),
        ("6m0s", 360),
        ("250ms", 0.25),
        ("1d2h", 93_600),
        ("+1", 1),
        ("1e3", 1000),
    ],
)
def test_a_wait_may_be_written_as_a_span(text, seconds):
    assert retry.retry_after({"retry-after": text}) == seconds


@pytest.mark.parametrize(
    "form", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%a, %d %b %Y %H:%M:%S GMT"]
)
def test_a_wait_may_be_written_as_a_moment_in_words(form):
    text = time.strftime(form, time.gmtime(time.time() + 3600))

    assert 3590 < retry.retry_after({"retry-after": text}) < 3610


@pytest.mark.parametrize("asked", [0, 0.001, None])
def test_tries_are_never_a_storm(asked):
    waits = [retry.backoff(tries, asked) for tries in (1, 2, 3)]

    assert sum(waits) >= 1 / 4 * sum((0.5, 1, 2)) * 0.75


@pytest.mark.parametrize(
    "body",
    [
        {"errors": [{"message": "it is too long"}]},
        {"error": {"metadata": {"raw": "it is too long"}}},
        {"error_description": "it is too long"},
        {"detail": [{"loc": ["body", "model"], "msg": "it is too long"}]},
        {"title": "it is too long", "status": 400},
        {"error": {"error": {"message": "it is too long"}}},
        [{"error": "it is too long"}],
        {"error": True, "reason": "it is too long"},
    ],
)
def test_the_reason_is_told_wherever_it_stands(body, sandbox, auth):
    sandbox.faults.append(Fault(".*", 400, body=body))

    with pytest.raises(TogetherError, match="it is too long"):
        main_of(find("batches/get_batch"))(auth, batch_id="b")


def test_the_key_goes_before_words_are_cut(sandbox, auth):
    for length in range(470, 500):
        sandbox.faults.append(Fault(".*", 400, body={"x": "y" * length + KEY}))

        with pytest.raises(TogetherError) as caught:
            main_of(find("batches/get_batch"))(auth, batch_id="b")

        assert KEY[:6] not in json.dumps([str(caught.value), vars(caught.value)])


def test_a_page_of_unclosed_titles_is_read_once():
    assert (
        server_words._title("<title>" * 1_000_000) is None
    )  # squared, that takes days


@pytest.mark.parametrize("script", ["chat/create_chat_completion", "chat/map_rows"])
def test_a_429_for_want_of_credit_is_final(script, sandbox, auth):
    told = {"error": {"message": "nothing left", "code": "insufficient_quota"}}
    sandbox.faults.append(Fault("^/v1/chat", 429, times=99, body=told))

    job = run(script, {"auth": auth, **find(script).schema["examples"][0]})

    asked = [r for r in sandbox.requests if r.path == "/v1/chat/completions"]
    assert len(asked) <= 2  # one for each row
    assert "nothing left" in job.result["error"]["message"]


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_bundle_of_certificates_that_cannot_be_read_is_named(content, tmp_path):
    bundle = tmp_path / "ca.pem"
    if content:
        bundle.write_text(content)

    job = run(
        "batches/get_batch",
        {"auth": {"api_key": KEY, "base_url": "https://127.0.0.1:9"}, "batch_id": "b"},
        environment={"REQUESTS_CA_BUNDLE": str(bundle)},
    )

    message = job.result["error"]["message"]
    assert f"REQUESTS_CA_BUNDLE names {bundle}" in message


@pytest.mark.parametrize(
    "tail", ["/v1?x=1", "/v1#x", "/v1/chat/completions", "/v1\u200b", "/a b", "\\x"]
)
def test_a_base_url_that_cannot_work_is_refused(tail, sandbox, auth):
    with pytest.raises(TogetherError, match=r"auth\.base_url must look like"):
        main_of(find("batches/get_batch"))(
            {**auth, "base_url": sandbox.url + tail}, batch_id="b"
        )
    assert not sandbox.requests


# The service's own words in the shapes that it uses, as status, body, the code that is
# told, and a word of what to do.
REFUSALS = [
    (
        400,
        {"error": {"message": "Unable to access non-serverless model a/b."}},
        "model_not_available",
        "deploy_model",
    ),
    (
        503,
        {"error": {"message": "gone", "code": "model_not_available"}},
        "model_not_available",
        "deploy_model",
    ),
    (
        400,
        {"error": {"message": "no", "type": "endpoint_not_ready"}},
        "endpoint_not_ready",
        "start one",
    ),
    (
        400,
        {"code": "endpoint_not_configured", "message": "no"},
        "endpoint_not_configured",
        "traffic split",
    ),
    (
        402,
        {"error": {"message": "Insufficient balance"}},
        "insufficient_balance",
        "Add credit",
    ),
    (
        403,
        {"error": {"message": "no", "code": "third_party_data_sharing_blocked"}},
        "third_party_data_sharing_blocked",
        "partner",
    ),
    (
        403,
        {"error": {"message": "x", "type": "endpoints_v1_create_access_disabled"}},
        "endpoints_v1_create_access_disabled",
        "deploy_model",
    ),
    (400, {"error": "No fields to update"}, "no_fields_to_update", "fill in"),
]


@pytest.mark.parametrize(("status", "body", "code", "words"), REFUSALS)
def test_a_known_refusal_is_final_and_says_what_to_do(
    status, body, code, words, sandbox, auth
):
    script = find("chat/create_chat_completion")
    sandbox.faults.append(Fault("chat/completions", status, times=99, body=body))
    with pytest.raises(TogetherError) as caught:
        main_of(script)(auth, **script.schema["examples"][0])

    error = caught.value
    assert (error.final, error.code, error.tries) == (True, code, 1)
    assert words in error.advice
    assert error.advice in str(error)


@pytest.mark.parametrize("status", [400, 402, 403, 503])
def test_a_refusal_of_that_status_for_another_reason_is_not_known(
    status, sandbox, auth, monkeypatch
):
    monkeypatch.setattr(retry, "FIRST_WAIT", 0.001)
    error = refused("chat/create_chat_completion", sandbox, auth, status)

    assert error.final is None
    assert error.tries == (1 if status < 500 else retry.MAX_TRIES)


@pytest.mark.parametrize(("status", "body", "code", "words"), REFUSALS[:6])
def test_rows_stop_at_the_first_refusal_that_is_final(
    status, body, code, words, sandbox, auth
):
    script = find("chat/map_rows")
    sandbox.faults.append(Fault("chat/completions", status, times=999, body=body))
    rows = [{"text": str(number)} for number in range(200)]
    with pytest.raises(TogetherError) as caught:
        main_of(script)(
            auth, template="{{text}}", rows=rows, model="a/b", concurrency=2
        )

    assert (caught.value.code, caught.value.final) == (code, True)
    sent = [r for r in sandbox.requests if "completions" in r.path]
    assert 1 <= len(sent) <= 4


def event_of(body):
    """A refusal as an event of a stream, where no status stands."""
    return f"data: {json.dumps({'error': body.get('error', body)})}\n\n"


@pytest.mark.parametrize(("status", "body", "code", "words"), REFUSALS)
def test_a_known_refusal_in_a_stream_is_final_though_no_status_is_told(
    status, body, code, words, sandbox, auth
):
    with (
        server(sse(event_of(body).encode())) as (url, requests),
        pytest.raises(TogetherError) as caught,
    ):
        CHAT(auth_for(url), {**BODY, "stream": True})

    error = caught.value
    assert (error.final, error.code, error.status) == (True, code, status)
    assert words in error.advice
    assert len(requests) == 1


@pytest.mark.parametrize(("status", "body", "code", "words"), REFUSALS)
def test_a_known_refusal_that_follows_half_a_stream_is_final(
    status, body, code, words, sandbox, auth
):
    half = {"choices": [{"index": 0, "delta": {"content": "Hel"}}]}
    told = f"data: {json.dumps(half)}\n\n{event_of(body)}"
    with (
        server(sse(told.encode())) as (url, requests),
        pytest.raises(TogetherError) as caught,
    ):
        CHAT(auth_for(url), {**BODY, "stream": True})

    error = caught.value
    assert (error.final, error.status, len(requests)) == (True, status, 1)
    assert words in error.advice
    assert error.partial["choices"][0]["message"]["content"] == "Hel"


def test_an_event_that_names_a_status_is_judged_by_it():
    event = {"error": {"message": "insufficient balance of workers", "code": 500}}
    reply = explain.event_error(json.dumps(event))

    assert reply.status == 500
    assert explain.known_refusal(reply) is None


CUT_OR_PACKED = {
    "cut": (b"x-nothing: 1", b'{"error": {"message": "no such key'),
    "gzip": (b"content-encoding: gzip", gzip.compress(b'{"error": "no such key"}')),
    "gzip that is none": (b"content-encoding: gzip", b'{"error": "no such key"}'),
    "gzip, cut": (
        b"content-encoding: gzip",
        gzip.compress(b'{"error": "no such key"}')[:-6],
    ),
    "a coding nobody asked for": (b"content-encoding: zstd", b"\x28\xb5\x2f\xfdabc"),
}


@pytest.mark.parametrize("how", CUT_OR_PACKED)
def test_a_refusal_keeps_its_status_whatever_became_of_its_words(how):
    """It is final: no try with the same key goes better."""
    header, body = CUT_OR_PACKED[how]
    head = b"HTTP/1.1 401 X\r\ncontent-length: 900\r\n" + header + b"\r\n\r\n"
    with server(head + body) as (url, requests):
        with pytest.raises(TogetherError) as caught:
            CHAT(auth_for(url), BODY)

    assert caught.value.status == 401
    assert len(requests) == 1
    assert ("no such key" in str(caught.value)) == (how != "a coding nobody asked for")


PAGE = "<html><body><h1>kaput</h1></body></html>"
XML = "<?xml version='1.0'?><Error><Message>kaput</Message></Error>"
REFUSAL = '{"error": {"message": "kaput"}}'


@pytest.mark.parametrize(
    ("body", "words", "coding"),
    [
        (XML, "XML", "utf-8"),
        (PAGE, "web page", "utf-8"),
        *((REFUSAL, "", c) for c in ("utf-16", "utf-16-le", "utf-32", "utf-8-sig")),
    ],
)
def test_the_words_of_a_refusal_are_read_in_any_dress(body, words, coding):
    data = body.encode(coding)
    raw = b"HTTP/1.1 400 X\r\ncontent-length: %d\r\n\r\n" % len(data)
    with server(raw + data) as (url, _):
        with pytest.raises(TogetherError, match="kaput") as caught:
            CHAT(auth_for(url), BODY)

    assert words in str(caught.value)


USUAL = "Run the step again, or choose another model."


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"data": []}, "The model gave no answer: there is nothing in it"),
        ({"choices": None}, "The model gave no answer: there is no choice in it"),
        ({"choices": "none"}, "The model gave no answer: there is no choice in it"),
        ({"choices": [5, {}]}, "The model gave no answer: there is no choice in it"),
        (
            {"choices": [{"finish_reason": "stop"}, {"finish_reason": "error"}]},
            "The model's answer broke off: finish_reason error",
        ),
        (
            {"choices": [{"error": {"message": f"full, {KEY}"}}, {"error": 5}]},
            "The model's answer broke off: full, ***",
        ),
        (
            {"choices": [{"error": {"code": 0, "message": ""}}]},
            "The model gave no answer: there is no choice in it",
        ),
    ],
)
def test_an_answer_that_broke_off_or_has_nothing_says_so_and_is_kept(answer, words):
    chat = operation("chat/create_chat_completion")
    request = client_request.Request({"api_key": KEY}, chat, {"body": BODY})
    request.tries = 2
    request.target += "?a=b"

    error = explain.broken_answer(request, answer)

    path = "/v1/chat/completions"
    assert str(error) == f"{words} (POST {path}). {USUAL}"
    kept = json.loads(json.dumps(answer).replace(KEY, "***"))
    assert vars(error) == {
        **vars(TogetherError("")),
        "type": "broken_answer",
        "method": "POST",
        "path": path,
        "tries": 2,
        "partial": kept,
        "advice": USUAL,
    }
