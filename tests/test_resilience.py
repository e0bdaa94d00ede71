"""What follows from each kind of failure: another try or none, and what is said."""

import ssl
import time
from types import SimpleNamespace

import pytest
from urllib3.connection import HTTPConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from scripts.client.request import Request
from scripts.client.transport import TOO_LONG, Reply, TooLargeError
from scripts.operation_table import operation_at
from scripts.resilience import explain, retry
from tests.conftest import KEY

CLASSES = ("read", "inference", "creates", "mutates")
COSTLY = ("creates", "mutates")
STATUSES = (400, 401, 402, 403, 404, 408, 409, 413, 422, 425, 429)
STATUSES += (500, 502, 503, 504, 520, 524)
# After these nobody knows whether the work was done; after all others it was not.
UNCLEAR = {200, 302, 408, 500, 502, 504, 520, 524}


def request(kind="read", tries=1, **words):
    """A request that was sent; words are more of its operation."""
    table = operation_at("POST", "/v1/things", kind, body=True, **words)
    made = Request({"api_key": KEY}, table, {"body": {"a": 1}})
    made.tries = tries
    return made


def reply(status, data=b"{}", **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    head = SimpleNamespace(status=status, reason="Some Reason", headers=headers)
    return Reply(head, data)


CONNECTION = HTTPConnection("api.example.com")
CERTIFICATE = ssl.SSLCertVerificationError("self-signed certificate")
# What is raised: its words, whether it surely was never sent, and whether the request
# may be sent again where that harms nothing.
FAULTS = {
    "no proxy": (
        ProxyError("x", NewConnectionError(CONNECTION, "refused")),
        ("the proxy cannot be reached", "proxy settings"),
        (True, True),
    ),
    "a proxy that refuses": (
        ProxyError("x", OSError("Tunnel connection failed: 407")),
        ("the proxy cannot be reached", "proxy settings"),
        (True, True),
    ),
    "a proxy that breaks": (
        ProxyError("x", OSError("broken pipe")),
        ("the proxy cannot be reached", "proxy settings"),
        (False, True),
    ),
    "a certificate": (
        SSLError(CERTIFICATE),
        ("the connection is not trusted", "worker's certificates"),
        (True, False),
    ),
    "a broken record": (
        SSLError(ssl.SSLError("record layer failure")),
        ("the connection is not trusted", "worker's certificates"),
        (False, False),
    ),
    "no name": (
        NameResolutionError("api.example.com", CONNECTION, OSError("unknown")),
        ("no connection: api.example.com cannot be resolved", "network and DNS"),
        (True, True),
    ),
    "no server": (
        NewConnectionError(CONNECTION, "refused"),
        ("no connection", "check the network and auth.base_url"),
        (True, True),
    ),
    "no answer to a connection": (
        ConnectTimeoutError("x"),
        ("no connection within 5 s", "check the network and auth.base_url"),
        (True, True),
    ),
    "silence": (
        ReadTimeoutError(None, None, "x"),
        ("the server fell silent before its answer was complete", "Try again"),
        (False, True),
    ),
    "a drip": (TimeoutError(TOO_LONG), (TOO_LONG, "Try again"), (False, True)),
    "packed wrongly": (
        DecodeError("x"),
        ("the answer's compression cannot be undone", "Check auth.base_url."),
        (False, False),
    ),
    "too much": (
        TooLargeError("the answer has more than 9 MiB"),
        ("the answer has more than 9 MiB", "Ask for less at a time"),
        (False, False),
    ),
    "our own words": (
        ProtocolError("an event has more than 9 MiB"),
        ("an event has more than 9 MiB", "Try again"),
        (False, True),
    ),
    "a break": (
        ProtocolError("Connection aborted.", ConnectionResetError()),
        ("the connection broke before the answer was complete", "Try again"),
        (False, True),
    ),
    "anything else": (
        OSError("x"),
        ("the exchange failed (OSError)", "check the network"),
        (False, True),
    ),
}


# --- what is said ------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 302, *STATUSES])
@pytest.mark.parametrize("kind", CLASSES)
def test_what_costs_is_in_doubt_where_the_work_may_have_been_done(kind, status):
    error = explain.failure(
        request(kind, find="things/list_things"), None, reply(status)
    )

    doubt = "It is not known whether this was carried out: look with things/list_things"
    assert error.ambiguous is (kind in COSTLY and status in UNCLEAR)
    assert (doubt in str(error)) is error.ambiguous
    assert (error.status, error.path, error.tries) == (status, "/v1/things", 1)


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_of_a_connection_has_its_words(name, kind):
    fault, (words, advice), (unsent, _) = FAULTS[name]

    error = explain.failure(request(kind), fault, None)

    assert str(error).startswith(f"{words}")
    assert error.type == "connection"
    assert error.ambiguous is (kind in COSTLY and not unsent)
    assert (advice in error.advice) is not error.ambiguous
    assert error.status is None


def test_where_to_look_and_how_to_repeat_follow_the_operation():
    made = request("creates")
    made.idempotency_key = "key-1"

    error = explain.failure(made, None, reply(500))

    assert "look in the dashboard before running the step again" in error.advice
    assert error.advice.endswith(
        "Running it again with idempotency_key key-1 repeats nothing."
    )


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (302, "what answers there is not the API"),
        (400, "Correct the request"),
        (401, "Check the API key"),
        (402, "Add credit"),
        (403, "The key may not do this"),
        (404, "Check the ids in the request"),
        (405, "Correct the request"),
        (407, "the proxy's user and password"),
        (408, "Try again."),
        (409, "read it again"),
        (413, "The request is too large"),
        (422, "Correct the request"),
        (429, "The rate limit is reached"),
        (500, "Together's service failed"),
        (501, "Together's service failed"),
        (503, "The model is overloaded"),
        (529, "Together's service failed"),
    ],
)
def test_each_status_has_its_advice(status, advice):
    assert advice in explain.failure(request(), None, reply(status)).advice


def test_a_429_for_money_asks_for_money():
    told = b'{"error": {"message": "x", "code": "insufficient_quota"}}'

    error = explain.failure(request(), None, reply(429, told))

    assert error.advice == explain.ADVICE[402]


def test_what_the_answer_names_is_told():
    told = reply(400, b'"no"', x_together_traceid="t", retry_after="2", cf_ray="c")

    error = explain.failure(request(), None, told)

    assert (error.request_id, error.retry_after) == ("t", 2)
    assert str(error).startswith("400 Some Reason: no (POST /v1/things). ")
    assert "never does" in str(explain.failure(request(), None, reply(301)))
    assert explain.failure(request(), None, reply(200)).type == "invalid_answer"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ('{"error": {"status": 429}}', 429),
        ('{"error": {"code": "503"}}', 503),
        ('[{"error": {"code": 401}}]', 401),
        ('{"code": 404}', 404),
        ('{"error": {"status": 200}}', 500),
        ('{"error": {"code": "4040"}}', 500),
        ('{"error": {"code": "E404"}}', 500),
        ('{"error": "no"}', 500),
        ("[]", 500),
        ("no JSON", 500),
        ("[" * 100_000, 500),
    ],
)
def test_an_error_in_an_answer_has_the_status_that_it_names(data, status):
    found = explain.event_error(data)

    assert (found.status, found.text()) == (status, data)
    assert explain.event_error(data, 418).status == (418 if status == 500 else status)
    assert found.reason


# --- whether it is tried again -----------------------------------------------------

# The statuses after which a request of each class is sent again.
AGAIN = {
    "read": {408, 425, 429, 500, 502, 503, 504, 520, 524},
    "inference": {408, 425, 429, 500, 502, 503, 504, 520, 524},
    "creates": {429},
    "mutates": {429},
}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("kind", CLASSES)
def test_each_class_is_tried_again_after_what_leaves_no_trace(kind, status):
    wait = retry.pause(request(kind), kind, None, reply(status))

    assert (wait is not None) is (status in AGAIN[kind])
    assert retry.pause(request(kind, tries=4), kind, None, reply(status)) is None


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_tried_again_where_that_harms_nothing(name, kind):
    fault, _, (unsent, again) = FAULTS[name]

    wait = retry.pause(request(kind), kind, fault, None)

    assert (wait is not None) is (again and (unsent or kind not in COSTLY))
    assert retry.never_sent(fault) is unsent


@pytest.mark.parametrize("kind", CLASSES)
def test_a_server_s_word_on_another_try_counts(kind):
    harmless = kind not in COSTLY

    def tried(status, data=b"{}", **headers):
        return retry.pause(request(kind), kind, None, reply(status, data, **headers))

    assert tried(429, x_should_retry="false") is None
    assert (tried(400, x_should_retry="true") is not None) is harmless
    assert tried(503, x_should_retry="true") is not None
    assert tried(503, retry_after="1") == 1
    assert tried(503, b"The model is Overloaded") is not None
    assert tried(429, retry_after="60") == 60
    assert tried(429, retry_after="60.1") is None
    assert tried(429, b'{"error": {"message": "billing"}}') is None


def test_an_operation_may_say_how_often_it_is_tried():
    once = request("read", tries=1)
    once.operation = {**once.operation, "tries": 1}

    assert retry.pause(once, "read", None, reply(500)) is None
    assert retry.pause(request("read", tries=3), "read", None, reply(500)) is not None


def test_waits_double_up_to_ten_seconds_and_vary():
    for tries, most in ((1, 0.5), (2, 1), (3, 2), (5, 8), (6, 10), (9, 10)):
        waits = [retry.backoff(tries, None) for _ in range(50)]
        assert most * 0.75 <= min(waits) < max(waits) <= most
        assert most * 0.375 <= retry.backoff(tries, 0) <= most / 2
    assert retry.backoff(1, 30) == 30


NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": " 7 "}, 7),
        ({"retry-after": "-7"}, 0),
        ({"retry-after": "0"}, 0),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "Wed, 21 Oct 2025 07:28:00 GMT"}, None),
        ({"retry-after": str(NOW + 5)}, 5),
        ({"retry-after": str(NOW * 1000 + 5000)}, 5),
        ({"retry-after-ms": str(NOW * 1000 + 5000)}, 5),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:25 GMT"}, 5),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:15 GMT"}, 0),
        ({"retry-after": "1000000000"}, 1e9),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "3"}, 3),
        ({"x-ratelimit-remaining": "1", "x-ratelimit-reset": "3"}, None),
        ({"x-ratelimit-remaining": "0"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Tue, 99 Nov 2023"}, None),
    ],
)
def test_the_wait_that_headers_ask_for(headers, seconds, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: NOW)

    assert retry.retry_after(headers) == seconds
