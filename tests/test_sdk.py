"""The same request as the official SDK's, for every operation that both know.

The methods of the SDK are found by walking its client, ours by sdk_methods.json. Both
send the schema's examples to one recording server.
"""

import base64
import contextlib
import functools
import inspect
import json
import re
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import together
from together.lib.resources import files as sdk_files

from scripts.upload.file_upload import store_file
from tests.conftest import KEY
from tests.support.expected_request import main_of, parts
from tools.operations import operations
from tools.sandbox import Sandbox

# Headers that differ on purpose; the x-stainless-* ones are the SDK's own telemetry.
HEADERS = {
    "connection": "both keep it alive; only the SDK says so",
    "content-length": "only says that a body follows, which is compared itself",
    "content-type": "a body that the SDK leaves out, we send as {}",
    "together-organization": "not part of the pack's resource",
}
NOT_OURS = {
    "beta.realtime.connect": "a connection, not a request",
    "beta.realtime.transcription": "a connection, not a request",
}
# Methods that add to what they are given; ours must be a part of theirs.
ADDS = {"fine_tuning/create_fine_tune": "the SDK writes its own defaults into the body"}
METHODS = json.loads(Path(__file__).with_name("sdk_methods.json").read_text())
SDK = {o.id: o for o in operations() if o.id in METHODS}


def methods(resource, path=()):
    """Every public method of the SDK that belongs to a resource, by its path."""
    for name in dir(type(resource)):
        found = inspect.getattr_static(type(resource), name)
        if name.startswith("_") or "with_" in name:
            continue
        if isinstance(found, functools.cached_property):
            yield from methods(getattr(resource, name), (*path, name))
        elif inspect.isfunction(found) and path:
            yield ".".join((*path, name))


def test_every_method_of_the_sdk_is_compared_or_excused():
    known = set(methods(together.Together(api_key=KEY)))
    ours = {*METHODS.values()}
    assert METHODS.keys() == SDK.keys()

    assert known == (ours - {"whoami"}) | NOT_OURS.keys()
    assert len(known) > 150


@pytest.fixture(scope="module")
def recorder():
    with Sandbox(judge=False) as server:
        yield server


@pytest.fixture(scope="module")
def sdk(recorder):
    return together.Together(api_key=KEY, base_url=recorder.url, max_retries=0)


def snake(name):
    return re.sub(r"(?<!^)([A-Z])", lambda match: "_" + match[1].lower(), name)


def sdk_arguments(operation, method, arguments):
    """Our arguments as the SDK takes them: the body's members at the top."""
    known = inspect.signature(method).parameters
    free = [
        name
        for name, parameter in known.items()
        if parameter.default is parameter.empty
    ]
    given, body, query = {}, {}, {}
    for name, value in arguments.items():
        place = operation.arguments[name].get("x-in")
        if name == "body":
            continue
        if name in known or snake(name) in known:
            given[name if name in known else snake(name)] = value
        elif place == "path":
            taken = next(n for n in free if n not in arguments and n not in given)
            given[taken] = value
        elif place in ("query", "header"):  # the others ask for a form of result
            query[name] = value
    for name, value in arguments.get("body", {}).items():
        own = next((n for n in (name, snake(name)) if n in known), None)
        if own and own not in given:
            given[own] = value
        else:
            body[name] = value
    if "content" in operation.exchange and "file" in given:
        given["file"] = ("file.wav", base64.b64decode(given["file"]))
    if body:
        given["extra_body"] = body
    if query:
        given["extra_query"] = query
    return given


def sendable(name, operation, number):
    """Whether the SDK sends an example, and in one request."""
    if operation.exchange.get("content") == "signed_upload":
        return False  # several requests: compared below, one by one
    if name in ADDS and number:
        return False
    # It cannot send an address, though it says so.
    file = operation.schema["examples"][number].get("body", {}).get("file", "")
    return not ("content" in operation.exchange and "://" in file)


EXAMPLES = [
    pytest.param(name, number, id=f"{name}-{number}")
    for name, operation in SDK.items()
    for number in range(len(operation.schema["examples"]))
    if sendable(name, operation, number)
]


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize(("name", "number"), EXAMPLES)
def test_the_wire_is_the_sdk_s(name, number, recorder, sdk):
    operation = SDK[name]
    arguments = dict(operation.schema["examples"][number])
    for argument in ("project_id", "idempotency_key"):
        if argument in operation.arguments:
            arguments[argument] = f"{argument}-1"
    multipart = "content" in operation.exchange
    method = functools.reduce(getattr, METHODS[operation.id].split("."), sdk)

    main_of(operation)({"api_key": KEY, "base_url": recorder.url}, **arguments)
    # What an answer's address leads to is fetched after, and not by the SDK.
    api = [r for r in recorder.requests if not r.path.startswith("/sandbox/")]
    ours = api[-1]
    # The answer may be no model of the SDK's: only its request counts.
    with contextlib.suppress(together.TogetherError, ValueError, AttributeError):
        found = method(**sdk_arguments(operation, method, arguments))
        if hasattr(found, "__next__"):
            next(found)
    theirs = recorder.requests[-1]

    assert theirs is not ours, "the SDK sent nothing"
    assert (theirs.method, theirs.path) == (ours.method, ours.path)
    assert sorted(parse_qsl(theirs.query)) == sorted(parse_qsl(ours.query))
    if name in ADDS:
        assert ours.json.items() <= theirs.json.items()
    elif multipart:
        assert parts(theirs) == parts(ours)
    else:
        empty = (None, {})
        assert theirs.json == ours.json or {ours.body, theirs.body} <= {b"", b"{}"}
        assert theirs.json == ours.json or ours.json in empty
    for header in ("authorization", "idempotency-key", "accept"):
        assert theirs.headers.get(header) == ours.headers.get(header)
    different = theirs.headers.keys() ^ ours.headers.keys()
    unexplained = {h for h in different - HEADERS.keys() if "stainless" not in h}
    assert not unexplained


@pytest.mark.parametrize("again", [False, True], ids=["new", "known"])
@pytest.mark.parametrize("over", [False, True], ids=["whole", "in parts"])
def test_an_upload_is_the_sdk_s_request_by_request(over, again, tmp_path, monkeypatch):
    """Also to the storage: the same bytes in the same parts, and no key."""
    place = tmp_path / "train.jsonl"
    place.write_bytes(b'{"text": "%s"}\n' % (b"x" * 6_000_000) * 2)
    part = 5 << 20
    monkeypatch.setattr(sdk_files, "MULTIPART_THRESHOLD_GB", 0 if over else 5)
    monkeypatch.setattr(sdk_files, "TARGET_PART_SIZE_MB", 5)

    def ours(url):
        auth = {"api_key": KEY, "base_url": url}
        limits = {"over": 0 if over else 5 << 30, "part": part}
        return store_file(auth, place, "fine-tune", **limits)["id"]

    def theirs(url):
        sdk = together.Together(api_key=KEY, base_url=url, max_retries=0)
        return sdk.files.upload(place, purpose="fine-tune").id

    found = []
    for upload in (ours, theirs):
        with Sandbox(judge=False) as recorder:
            for _ in range(1 + again):
                name = upload(recorder.url)
            assert name in recorder.files
            found.append(conversation(recorder, name))

    assert found[0] == found[1]
    assert len(found[0][1]) == (3 if over else 1)
    assert ("GET" in str(found[0][0])) is again


def conversation(recorder, file_id):
    """What was sent to the API and to the storage, but for names made up here."""
    said = []
    for request in recorder.requests:
        if request.headers.get("content-type", "").startswith("multipart/"):
            body = parts(request)
        else:
            body = json.loads(request.body.replace(file_id.encode(), b"ID") or b"null")
            if body:
                body.pop("upload_id", None)
        path = request.path.replace(file_id, "ID")
        said.append((request.method, path, request.headers["authorization"], body))
    put = sorted(
        (
            request.part or 0,
            request.headers["content-length"],
            request.headers.get("x-part"),
            request.headers.get("authorization"),
            request.checksum,
        )
        for request in recorder.uploads.storage.requests
    )
    return said, put
