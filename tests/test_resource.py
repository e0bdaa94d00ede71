"""The togetherai resource: what is refused, in which words, and where requests go."""

import pytest

from scripts.client import TogetherError
from scripts.client.resource import HOST, credentials, may_hold_key
from tests.support.expected_request import main_of
from tools.operations import find

NONE = (
    "auth must be a togetherai resource: choose one in the form; a flow or schedule "
    "passes its path behind $res and a colon"
)
EMPTY = "auth.api_key is empty: open the togetherai resource and paste the API key"
ODD = "auth.api_key holds characters that no API key has: paste it again"
BASE = (
    "auth.base_url must look like https://host or https://host/v1; leave it empty for "
    "Together's own service"
)
UNRESOLVED = (
    " is a reference that Windmill did not resolve: choose the resource itself, and "
    "make sure that its variable exists and that whoever runs this may read it; "
    "auth.api_key must be the API key"
)
SECRET = "$" + "var:u/me/key"  # none for Windmill to resolve in this file


@pytest.mark.parametrize(
    ("auth", "words"),
    [
        (None, NONE),
        ("f/x/y", NONE),
        ([{"api_key": "k"}], NONE),
        ({}, EMPTY),
        ({"api_key": ""}, EMPTY),
        ({"api_key": " \n"}, EMPTY),
        ({"api_key": 5}, EMPTY),
        ({"api_key": "a b"}, ODD),
        ({"api_key": "k\nX: y"}, ODD),
        ({"api_key": "k\x7f"}, ODD),
        ({"api_key": "\u00e9"}, ODD),
        ({"api_key": SECRET}, f"auth.api_key{UNRESOLVED}"),
        ({"api_key": "k", "base_url": SECRET}, f"auth.base_url{UNRESOLVED}"),
        ({"api_key": "k", "base_url": "host"}, BASE),
        ({"api_key": "k", "base_url": "ftp://127.0.0.1"}, BASE),
        ({"api_key": "k", "base_url": "https://u:p@127.0.0.1"}, BASE),
        ({"api_key": "k", "base_url": "https://127.0.0.1:port"}, BASE),
        ({"api_key": "k", "base_url": "https://127.0.0.1:0"}, BASE),
        ({"api_key": "k", "base_url": "https://"}, BASE),
        ({"api_key": "k", "base_url": "https://127.0.0.1/v1/files"}, BASE),
        ({"api_key": "k", "base_url": 5}, BASE),
        ({"api_key": "k", "base_url": ["https://127.0.0.1"]}, BASE),
    ],
)
def test_a_wrong_resource_is_refused_and_says_what_to_do(auth, words):
    with pytest.raises(TogetherError) as caught:
        main_of(find("files/get_file"))(auth, "f")

    assert str(caught.value) == f"Nothing was sent: {words}"
    field, _, problem = words.partition(" ")
    assert vars(caught.value)["problems"] == [{"field": field, "problem": problem}]
    assert caught.value.type == "invalid_argument"
    assert caught.value.advice == "Correct the resource and run the step again."
    assert caught.value.ambiguous is False


@pytest.mark.parametrize(
    ("base_url", "base"),
    [
        (None, HOST),
        ("", HOST),
        ("  ", HOST),
        ("/", HOST),
        (" https://host/v1 ", "https://host"),
        ("https://host/v1", "https://host"),
        ("https://host/v2/", "https://host"),
        ("https://host/v3", "https://host"),
        ("https://host/v4", "https://host/v4"),
        ("https://host:1/PATHX//", "https://host:1/PATHX"),
        ("https://host/path/v1", "https://host/path"),
        ("https://host/path//v1", "https://host/path"),
        ("http://[::1]:65535", "http://[::1]:65535"),
        ("http://host:1", "http://host:1"),
        ("HTTPS://Host/v1", "https://Host"),
        ("Http://host:1", "http://host:1"),
    ],
)
def test_requests_go_where_the_resource_says(base_url, base):
    auth = {"api_key": " k\n", "base_url": base_url}

    assert credentials(auth, HOST) == ("k", base)


def test_models_are_asked_at_a_host_of_their_own():
    table = main_of(find("chat/create_chat_completion")).__globals__["OPERATION"]

    assert HOST == "https://api.together.ai"
    assert table["host"] == "https://api-inference.together.ai"
    assert credentials({"api_key": "k"}, table["host"]) == ("k", table["host"])


@pytest.mark.parametrize(
    ("key", "data", "may"),
    [
        ("sk/0123456789", b'{"a": "b"}', False),
        ("sk/0123456789", b'{"a": "Bearer sk/0123456789"}', True),
        ("sk/0123456789", rb'"a \n b"', False),
        ("sk/0123456789", rb'"sk\/0123456789"', True),
        ("sk/0123456789", rb'"\u0073k/0123456789"', True),
        ('s"\\0123456789', rb'"s\"\\0123456789"', True),
        ('s"\\0123456789', rb'"s\"0123456789"', False),
        ("sk/0123456789", '"a"'.encode("utf-16-be"), True),
        ("sk/0123456789", '"a"'.encode("utf-32-be"), True),
        ("sk/0123456789", b'"abc\0"', False),
    ],
)
def test_where_the_key_may_be_is_told_from_the_bytes(key, data, may):
    assert may_hold_key(key, data) is may
