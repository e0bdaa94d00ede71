"""What follows from each kind of failure: another try or none, and what is said."""

import json
import re
import socket
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

from scripts.client import TogetherError
from scripts.client.request import Request, hear
from scripts.client.request import last_answer as noted
from scripts.client.resource import without_key
from scripts.client.transport import (
    MOST_ERROR_BYTES,
    TOO_LONG,
    Reply,
    TooLargeError,
)
from scripts.operation_calls.descriptor import operation_at
from scripts.resilience import explain, faults, proxy, refusals, retry, server_words
from tests.conftest import KEY

CLASSES = ("read", "inference", "creates", "mutates")
COSTLY = ("creates", "mutates")
STATUSES = (400, 401, 402, 403, 404, 408, 409, 413, 422, 425, 429)
STATUSES += (500, 502, 503, 504, 520, 524)
# After these nobody knows whether the work was done; after all others it was not.
UNCLEAR = {200, 302, 408, 500, 502, 504, 520, 524}


def request(kind="read", tries=1, path="/v1/things", body=None, **words):
    """A request that was sent; words are more of its operation."""
    table = operation_at("POST", path, kind, body=True, **words)
    ids = dict.fromkeys(re.findall(r"{(\w+)}", path), "x")
    given = {"a": 1} if body is None else body
    made = Request({"api_key": KEY}, table, {"body": given, **ids})
    made.tries = tries
    return made


def reply(status, data=b"{}", **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    head = SimpleNamespace(status=status, reason="Some Reason", headers=headers)
    return Reply(head, data)


CONNECTION = HTTPConnection("api.example.com")
CERTIFICATE = ssl.SSLCertVerificationError(1, "self-signed certificate")
# What is raised: its words, whether it surely was never sent, and whether the request
# may be sent again where that harms nothing.
AGAIN_LATER = "Try again; if it stays so, check the network and auth.base_url."
NAME = "Check auth.base_url and the worker's network and DNS."
CERTIFICATES = "Check auth.base_url and the worker's certificates."


def because(fault, cause):
    """A fault that another one led to."""
    fault.__cause__ = cause
    return fault


FAULTS = {
    "no proxy": (
        ProxyError("x", NewConnectionError(CONNECTION, "refused")),
        ("the proxy cannot be reached", "Check the worker's proxy settings."),
        (True, True),
    ),
    "a proxy that refuses": (
        ProxyError("x", OSError("Tunnel connection failed: 407")),
        ("the proxy cannot be reached", "Check the worker's proxy settings."),
        (True, True),
    ),
    "a proxy that breaks": (
        ProxyError("x", OSError("broken pipe")),
        ("the proxy cannot be reached", "Check the worker's proxy settings."),
        (False, True),
    ),
    "a certificate": (
        SSLError(CERTIFICATE),
        ("the connection is not trusted: self-signed certificate", CERTIFICATES),
        (True, False),
    ),
    "a broken record": (
        SSLError(ssl.SSLError(1, "record (layer) failure (_ssl.c:99)")),
        ("the connection is not trusted: record (layer) failure", CERTIFICATES),
        (False, False),
    ),
    "no name": (
        NameResolutionError("api.example.com", CONNECTION, OSError("unknown")),
        ("no connection: api.example.com cannot be resolved", NAME),
        (True, True),
    ),
    "no server": (
        NewConnectionError(CONNECTION, "refused"),
        ("no connection", AGAIN_LATER),
        (True, True),
    ),
    "no answer to a connection": (
        ConnectTimeoutError("x"),
        ("no connection within 5 s", AGAIN_LATER),
        (True, True),
    ),
    "silence": (
        ReadTimeoutError(None, None, "x"),
        ("the server fell silent before its answer was complete", AGAIN_LATER),
        (False, True),
    ),
    "a drip": (TimeoutError(TOO_LONG), (TOO_LONG, AGAIN_LATER), (False, True)),
    "packed wrongly": (
        DecodeError("x"),
        ("the answer's compression cannot be undone", "Check auth.base_url."),
        (False, False),
    ),
    "too much": (
        TooLargeError("the answer has more than 9 MiB"),
        (
            "the answer has more than 9 MiB",
            "Ask for less at a time, or check auth.base_url.",
        ),
        (False, False),
    ),
    "our own words": (
        ProtocolError("an event has more than 9 MiB"),
        ("an event has more than 9 MiB", AGAIN_LATER),
        (False, True),
    ),
    "a break": (
        ProtocolError("Connection aborted.", ConnectionResetError()),
        ("the connection broke before the answer was complete", AGAIN_LATER),
        (False, True),
    ),
    "anything else": (
        OSError("x"),
        ("the exchange failed (OSError)", AGAIN_LATER),
        (False, True),
    ),
    "silence of another kind": (
        because(ReadTimeoutError(None, None, "x"), TimeoutError(TOO_LONG)),
        (TOO_LONG, AGAIN_LATER),
        (False, True),
    ),
    "a server that refuses": (
        because(NewConnectionError(CONNECTION, "x"), OSError(111, "Refused")),
        ("no connection: refused", AGAIN_LATER),
        (True, True),
    ),
    "an empty word of the system": (
        because(NewConnectionError(CONNECTION, "x"), OSError(5, "")),
        ("no connection", AGAIN_LATER),
        (True, True),
    ),
    "a long word about a certificate": (
        SSLError(ssl.SSLCertVerificationError(1, f"X{'x' * 300} ((_ssl.c:9)")),
        (f"the connection is not trusted: X{'x' * 199}", CERTIFICATES),
        (True, False),
    ),
    "an odd word about a certificate": (
        SSLError(ssl.SSLCertVerificationError(1, "X failed ( (_ssl.c:9)")),
        ("the connection is not trusted: X failed", CERTIFICATES),
        (True, False),
    ),
    "no words of the system": (
        because(NewConnectionError(CONNECTION, "x"), ValueError("Refused")),
        ("no connection", AGAIN_LATER),
        (True, True),
    ),
    "a name that nobody says": (
        NameResolutionError("", CONNECTION, OSError("unknown")),
        ("no connection: the host's name cannot be resolved", NAME),
        (True, True),
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
    # What a model was asked for may be paid; where it is not, the status tells.
    paid = kind == "inference" and status in UNCLEAR
    assert error.may_be_paid is (paid or None)
    assert (doubt in str(error)) is error.ambiguous
    assert (error.status, error.path, error.tries) == (status, "/v1/things", 1)


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_of_a_connection_has_its_words(name, kind):
    fault, (words, advice), (unsent, _) = FAULTS[name]

    error = explain.failure(request(kind), fault, None)

    assert str(error) == f"{words} (POST /v1/things). {error.advice}"
    assert error.type == "connection"
    assert error.ambiguous is (kind in COSTLY and not unsent)
    assert (advice == error.advice) is not error.ambiguous
    assert (error.status, error.detail) == (None, None)
    assert error.may_be_paid is (not unsent if kind == "inference" else None)


@pytest.mark.parametrize(
    ("fault", "answered"), [("no server", None), (None, 400), (None, 504)]
)
@pytest.mark.parametrize(
    ("first", "status"), [("silence", None), (None, 502), ("no server", None)]
)
def test_what_one_try_may_have_cost_a_later_one_does_not_undo(
    first, status, fault, answered
):
    def ending(fault, status):
        return FAULTS[fault][0] if fault else None, reply(status) if status else None

    asked = request("inference")
    for one in (ending(first, status), ending("no server", None)):
        retry.pause(asked, "inference", *one)
        assert asked.unclear is (first != "no server")
    error = explain.failure(asked, *ending(fault, answered))

    surely_not = first == "no server" and answered != 504
    # Of one that was refused in the end and cost nothing before, the status tells.
    nothing = None if answered else False
    assert error.may_be_paid is (nothing if surely_not else True)


def test_where_to_look_and_how_to_repeat_follow_the_operation():
    made = request("creates")
    made.idempotency_key = "key-1"

    error = explain.failure(made, None, reply(500))

    assert "look in the dashboard before running the step again" in error.advice
    assert error.advice.endswith(
        "Running it again with idempotency_key key-1 repeats nothing."
    )


CORRECT = "Correct the request; the server's words say what it refuses."
FAILED = "Together's service failed: try again later."
LATER = "The model is overloaded: try again later or use another model."
RIGHTS = "The key may not do this; organization/check_connection tells what it may do."


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (302, "Check auth.base_url: what answers there is not the API."),
        (399, "Check auth.base_url: what answers there is not the API."),
        (400, CORRECT),
        (401, "Check the API key in the togetherai resource."),
        (402, "Add credit or raise the spending limit of the Together account."),
        (403, RIGHTS),
        (404, "Check the ids in the request."),
        (405, CORRECT),
        (407, "Give the proxy's user and password in the worker's proxy settings."),
        (408, "Try again."),
        (409, "It exists, is in another state, or was changed since: read it again."),
        (413, "The request is too large: send less, or a URL instead of a file."),
        (422, CORRECT),
        (
            429,
            "The rate limit is reached: wait, send less at once, or use the batch "
            "steps.",
        ),
        (500, FAILED),
        (501, FAILED),
        (503, LATER),
        (529, FAILED),
    ],
)
def test_each_status_has_its_advice(status, advice):
    error = explain.failure(request(), None, reply(status, b'"no"'))

    assert error.advice == advice
    assert str(error).endswith(f" (POST /v1/things). {advice}")


def test_what_every_key_may_ask_is_refused_to_none_that_is_active():
    error = explain.failure(request(path="/v1/whoami"), None, reply(403))

    assert error.advice == (
        "Check auth.base_url, and in Together's dashboard that the key is active."
    )


@pytest.mark.parametrize("kind", COSTLY)
def test_a_refusal_that_is_known_is_no_doubt_whatever_its_status(kind):
    gone = reply(503, b'{"error": {"message": "model_not_available"}}')

    error = explain.failure(request(kind), None, gone)

    assert (error.ambiguous, error.code) == (False, "model_not_available")
    assert "take another one" in error.advice


MODEL = "Check the model's name: models/list_models shows what exists."


@pytest.mark.parametrize(
    ("path", "kind", "body", "advice"),
    [
        ("/v1/batches/{id}", "read", {}, "batches/list_batches shows what exists."),
        ("/v1/batches/{id}/x/{b}", "read", {}, "batches/list_batches shows what"),
        ("/v1/none/{id}", "read", {}, "Check the id."),
        ("/{id}", "read", {}, "Check the id."),
        ("/v1/none", "inference", {}, MODEL),
        ("/v1/none", "read", {"model": "m"}, MODEL),
        ("/v1/none", "read", {"id": "m"}, "Check the ids in the request."),
        ("/v1/none", "read", ["model"], "Check the ids in the request."),
        (
            "/v1/none",
            "read",
            {},
            "Check auth.base_url: what answers there has no such operation.",
        ),
    ],
)
def test_what_is_not_there_is_looked_for_where_its_kind_is(path, kind, body, advice):
    error = explain.failure(request(kind, path=path, body=body), None, reply(404))

    if advice.startswith("Check"):
        assert error.advice == advice
    else:
        assert error.advice.startswith(f"Check the id: {advice}")


def test_a_403_of_a_model_speaks_of_the_input():
    error = explain.failure(request("inference"), None, reply(403))

    assert error.advice == (
        "Either the input and max_tokens are more than the model can take, so shorten "
        "them; or the key may not do this: organization/check_connection tells what it "
        "may do."
    )
    assert explain.failure(request("inference"), None, reply(400)).advice == CORRECT


# What a service answers: what is told of it.
ANSWERS = {
    b"": {"detail": "the answer is empty"},
    b"  ": {"detail": "the answer is empty"},
    b" plain ": {"detail": "plain"},
    b"n\0o\0 \0": {"detail": "no"},
    b"x" * 600: {"detail": "x" * 500},
    b"<p>no": {"detail": "the answer is a web page, not JSON"},
    b"<TITLE> Gone </TITLE>": {
        "detail": "the answer is a web page titled 'Gone', not JSON"
    },
    b"<title></title>": {"detail": "the answer is a web page, not JSON"},
    b"<title>open": {"detail": "the answer is a web page titled 'open', not JSON"},
    b"<title>" + b"y" * 200: {
        "detail": f"the answer is a web page titled '{'y' * 111}, not JSON"
    },
    b"<Error><Message> Denied </Message></Error>": {
        "detail": "the answer is XML, not JSON: Denied"
    },
    b"<a><message>" + b"y" * 600: {
        "detail": f"the answer is XML, not JSON: {'y' * 500}"
    },
    b'[{"message": "a"}, {"message": "b"}]': {"detail": "a; b"},
    b'[{"error": {"message": "m", "type": "t"}}]': {"detail": "m", "type": "t"},
    b'{"error": "Bad Request", "message": "n is missing"}': {
        "detail": "Bad Request: n is missing"
    },
    b'{"error": "Bad Request", "detail": "n is missing"}': {
        "detail": "Bad Request: n is missing"
    },
    b'{"error": "n is missing", "message": "missing"}': {"detail": "n is missing"},
    b'{"error": "Bad Request", "code": 5}': {"detail": "Bad Request"},
    b'{"error": {"message": "why"}, "detail": "beside"}': {"detail": "why"},
    b'{"message": "why", "type": "t"}': {"detail": "why", "type": "t"},
    b" " * (MOST_ERROR_BYTES - 2) + b"{}": {"detail": "{}"},
    b"{" + b" " * MOST_ERROR_BYTES + b"}": {"detail": "{"},
    b'{"error": "a"}' + b" " * MOST_ERROR_BYTES: {"detail": '{"error": "a"}'},
    b'"text"': {"detail": "text"},
    b"[]": {"detail": "[]"},
    b"null": {"detail": "null"},
    b'[{"error": {"message": "m"}}]': {"detail": "m"},
    b'["a", "b", "a"]': {"detail": "a; b"},
    b'{"error": {"message": " m ", "type": "t", "code": 5, "param": "p"}}': {
        "detail": "m",
        "type": "t",
        "code": 5,
        "param": "p",
    },
    b'{"error": {"type": ["t"], "code": null}, "message": "m"}': {"detail": "m"},
    b'{"error": true, "reason": "r", "code": "c"}': {"detail": "r", "code": "c"},
    b'{"file_id": "f"}': {
        "detail": "the same content is stored already as f",
        "file_id": "f",
    },
    b'{"file_id": 5}': {"detail": '{"file_id": 5}'},
    b'{"detail": [{"loc": ["body", 0, "n"], "msg": "bad"}]}': {
        "detail": "body.0.n: bad"
    },
    b'{"errors": [{"field": "n", "message": "bad"}]}': {"detail": "n: bad"},
    b'{"errors": [{"field": {"n": 1}, "message": "bad"}]}': {"detail": "bad"},
    b'{"a": {"message": "deep"}}': {"detail": '{"a": {"message": "deep"}}'},
    b'{"error": {"error": {"error": {"error": "4"}}}}': {"detail": "4"},
    b'{"message": "' + b"z" * 3000 + b'"}': {"detail": "z" * 2000},
    b'{"zz": "' + b"z" * 3000 + b'"}': {"detail": '{"zz": "' + "z" * 492},
}


@pytest.mark.parametrize("data", ANSWERS, ids=range(len(ANSWERS)))
def test_the_server_s_own_words_are_found(data):
    assert server_words.server_words_of(reply(400, data)) == ANSWERS[data]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"message": "why", "code": "c"}, "why"),
        ({"code": "c"}, "c"),
        ({"code": 7}, "7"),
        ({"code": 0}, None),
        ("why", "why"),
        (["a", "b"], "a; b"),
        ("", None),
        ({}, None),
        (None, None),
        (7, None),
        ({"message": "z" * 3000}, "z" * 2000),
        ({"code": "z" * 3000}, "z" * 2000),
    ],
)
def test_the_words_of_an_error_or_its_code_are_told(error, words):
    assert server_words.reason_or_code(error) == words


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<Code>A</Code><Message> b </Message>", " (A: b)"),
        (b"<Message>b</Message>", " (b)"),
        (b"<Code>A</Code><Message> </Message>", " (A)"),
        (b"<Code>caf\xe9</Code>", " (caf\ufffd)"),
        (b" " * 4082 + b"<Code>A</Code>", " (A)"),
        (b" " * 4083 + b"<Code>A</Code>", ""),
        (b"<Error/>", ""),
        (b"", ""),
    ],
)
def test_the_words_of_a_storage_are_told_in_brackets(data, words):
    assert server_words.storage_words(data) == words


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (TimeoutError(TOO_LONG), TOO_LONG),
        (TimeoutError("odd"), "the exchange failed (TimeoutError)"),
        (OSError("odd"), "the exchange failed (OSError)"),
    ],
)
def test_a_body_that_took_too_long_is_told_from_other_time_outs(fault, words):
    assert explain.describe(fault) == (words, AGAIN_LATER)


def test_a_refusal_is_known_under_its_own_status_alone():
    own, said, code, advice = refusals.KNOWN[-1]
    data = json.dumps({"error": {"message": f"There are {said.upper()}."}}).encode()
    others = {status for status, *_ in refusals.KNOWN} - {own}

    assert refusals.known_refusal(reply(own, data)) == (code, advice)
    assert others
    assert {refusals.known_refusal(reply(status, data)) for status in others} == {None}


def test_words_that_are_known_are_looked_for_in_all_that_is_told():
    words = {"type": "t", "code": 5, "param": "p", "detail": "d"}

    assert refusals.told_by(words) == "t 5 d"
    assert refusals.told_by({"detail": "d"}).split() == ["d"]
    assert refusals.told_by({"type": None}).strip() == ""


@pytest.mark.parametrize("name", server_words.REASONS)
def test_each_usual_name_of_a_reason_is_known(name):
    assert server_words.reason_in({"zz": "no", name: "why"}) == "why"


def test_reasons_are_looked_for_within_bounds():
    deep = "why"
    for _ in range(5):
        deep = {"error": deep}

    assert server_words.reason_in(deep) == "why"
    assert server_words.reason_in({"error": [deep]}) is None
    many = [str(number) for number in range(30)]
    assert server_words.reason_in(many) == "; ".join(many[:20])
    loc = {"loc": list(range(12)), "msg": "m"}
    assert server_words.reason_in(loc) == "0.1.2.3.4.5.6.7.8.9: m"
    page = " " * (server_words.TITLE_WITHIN - 8) + "<title>ab</title>"
    assert server_words._title(page) == "a"
    assert server_words._title("<title>a</title><title>b</title>") == "a"


def test_the_key_is_masked_at_every_depth_unless_it_is_a_few_letters():
    told = {KEY: [f"a {KEY} b", {"x": KEY}, 5]}

    assert without_key(KEY, told) == {"***": ["a *** b", {"x": "***"}, 5]}
    assert without_key("abcdefgh", "abcdefgh") == "***"
    assert without_key("abcdefg", "abcdefg") == "abcdefg"
    escaped = "".join(f"\\u{ord(letter):04X}" for letter in KEY)
    assert without_key(KEY, f'{{"error": "{escaped}"}}') == ('{"error": "***"}')
    assert without_key(KEY, "a \\u0041 b") == "a \\u0041 b"
    assert without_key("sk/0123456789", r"a sk\/0123456789 b") == "a *** b"
    words = server_words.server_words_of(reply(400, KEY.encode()), KEY)
    assert words == {"detail": "***"}
    echoed = f'{{"message": "{KEY}"}}'.encode()
    assert server_words.server_words_of(reply(400, echoed), KEY)["detail"] == "***"


@pytest.mark.parametrize("word", retry.OUT_OF_CREDIT)
@pytest.mark.parametrize("place", ["type", "code", "message"])
def test_a_429_about_money_is_known_by_its_words(word, place):
    told = f'{{"error": {{"message": "x", "{place}": "A {word.upper()} b"}}}}'

    assert retry.out_of_credit(reply(429, told.encode()))
    assert not retry.out_of_credit(reply(429, b'{"error": {"message": "slow"}}'))
    assert retry.about_money("credit", "limit")


def test_a_429_for_money_asks_for_money():
    told = b'{"error": {"message": "x", "code": "insufficient_quota"}}'

    error = explain.failure(request(), None, reply(429, told))

    assert error.advice == explain.ADVICE[402]


def test_what_the_answer_names_is_told():
    told = reply(400, b'"no"', x_together_traceid="t", retry_after="2", cf_ray="c")

    error = explain.failure(request(), None, told)

    assert (error.request_id, error.retry_after) == ("t", 2)
    assert str(error).startswith("400 Some Reason: no (POST /v1/things). ")
    moved = explain.failure(request(), None, reply(301))
    assert moved.detail == "the server redirects, which this operation never does"
    named = reply(400, b'{"error": {"type": "no_such"}}')
    assert explain.failure(request(), None, named).type == "no_such"
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


def test_an_error_in_an_answer_may_have_a_status_without_a_name():
    assert explain.event_error('{"code": 499}').reason == ""
    assert explain.event_error("half \ud800").data == b"half ?"


HEARD = [
    (request("creates", path="/v1/a/{id}", find="a/list_a"), {"id": KEY}),
    (request("mutates"), {"n": [KEY, 5]}),
    (request("read", path="/v1/seen"), {"state": "x"}),
]
MAINTAINERS = "Tell the pack's maintainers; `partial` is what the service said."


@pytest.mark.parametrize(
    ("heard", "path", "costly", "partial", "advice"),
    [
        (HEARD, "/v1/things", True, {"n": ["***", 5]}, ""),
        (HEARD[:1], "/v1/a/x", True, {"id": "***"}, "with a/list_a "),
        (HEARD[2:], "/v1/seen", False, {"state": "x"}, None),
    ],
)
def test_an_answer_over_which_a_step_stumbles_is_told(
    heard, path, costly, partial, advice
):
    last = heard[1] if len(heard) > 1 else heard[0]
    last[0].target = f"{path}?a=1?b=2"

    noted.clear()
    for one in heard:
        hear(*one)
    error = explain.unread(stumbled(), noted)

    assert len(noted) == 1
    words = f"It was carried out: look {advice}before running the step again. "
    advice = (words if costly else "") + MAINTAINERS
    place = f"KeyError in deeper; POST {path}"
    assert str(error) == (
        f"An answer of the service cannot be read ({place}). {advice}"
    )
    assert vars(error) == {
        "type": "invalid_answer",
        "method": "POST",
        "path": path,
        "ambiguous": costly,
        "partial": partial,
        "advice": advice,
    }


def test_what_was_not_raised_has_no_place():
    error = explain.unread(KeyError("x"), HEARD[2:])

    assert "(KeyError in ?; POST" in str(error)


def stumbled():
    """An error that was raised two calls deep."""

    def deeper():
        return {}["a"]

    try:
        deeper()
    except KeyError as error:
        return error


def test_a_proxy_that_cannot_be_used_is_told_whole(monkeypatch):
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1")

    with pytest.raises(TogetherError) as caught:
        proxy.proxy_of("http://api.example")

    advice = (
        "Name it as http://host:port in the worker's HTTP_PROXY and HTTPS_PROXY, or "
        "except the host in NO_PROXY."
    )
    assert str(caught.value) == (
        "Nothing was sent: the proxy that the worker's environment names for "
        f"http://api.example cannot be used. {advice}"
    )
    told = {"type": "proxy", "ambiguous": False, "advice": advice}
    assert vars(caught.value) == told


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
    asked = request(kind)
    retry.pause(asked, kind, None, reply(status))
    assert asked.unclear is (status in UNCLEAR)
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


def test_a_server_that_is_down_says_how_long_and_is_waited_for():
    down = reply(500, retry_after="7")

    assert retry.pause(request("read"), "read", None, down) == 7


@pytest.mark.parametrize(
    ("status", "passes"),
    [
        *((status, True) for status in (None, 408, 425, 429, 500, 501, 503, 599)),
        *((status, False) for status in (200, 400, 404, 407, 409, 424, 428, 430, 499)),
    ],
)
def test_what_passes_by_itself(status, passes):
    assert retry.passing(status) is passes


def test_a_rest_is_bounded_and_ends_when_it_is_told_to(monkeypatch):
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(retry, "backoff", lambda tries, asked: (asked or 0.0) + tries)

    assert retry.rest(2) is False
    assert retry.rest(3, 4.0) is False
    assert retry.rest(1, 1000.0) is False
    assert slept == [2, 7, retry.MAX_WAIT]

    waited = []
    stop = SimpleNamespace(wait=lambda seconds: waited.append(seconds) or True)

    assert retry.rest(5, None, stop) is True
    assert waited == [5]
    assert len(slept) == 3


def test_faults_say_what_is_wrong_in_the_words_of_what_was_raised():
    refused, cut = OSError(111, "refused"), ConnectionResetError(104, "reset")

    assert "refused" in str(faults.connect_fault(refused, "a.example:443"))
    late = faults.connect_fault(TimeoutError(), "a.example:443")
    assert "a.example:443" in str(late)
    unknown = faults.connect_fault(socket.gaierror(-2, "no name"), "b::1:443")
    assert "b::1'" in str(unknown)
    assert "no name" in str(unknown)
    assert faults.connect_fault(CERTIFICATE, "a.example:443").args == (CERTIFICATE,)
    assert faults.wire_fault(CERTIFICATE).args == (CERTIFICATE,)
    assert faults.wire_fault(cut).args == (f"Connection broken: {cut!r}", cut)
    assert "Read timed out." in str(faults.wire_fault(TimeoutError()))


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
        ({"retry-after": "Wed, 15 Nov 2023 00:13:25 +0200"}, 5),
        ({"retry-after": "2023-11-14T22:13:25"}, 5),
        ({"retry-after": "2023-11-15T00:13:25+02:00"}, 5),
        ({"retry-after": "1000000000"}, 1e9),
        ({"retry-after": "1000000000000"}, 1e12 - NOW),
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


@pytest.mark.parametrize("tries", [100, 1025, 10**6])
def test_a_wait_after_any_number_of_tries_is_the_longest(tries):
    assert retry.LONGEST_WAIT * 0.75 <= retry.backoff(tries, None) <= retry.LONGEST_WAIT
