"""The same request as the official SDK's, for arguments that nobody thought of.

Both ways: what our schema allows is given to the SDK, and what the SDK's types allow is
given to us. The seed is shown; `./dev probe sdk` gives each operation 50 of each.
"""

import base64
import functools
import inspect
import json
import random
import re
import sys
import typing
from collections import Counter
from urllib.parse import parse_qsl, unquote

import pytest
import together
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from scripts.client import TogetherError
from tests.conftest import KEY
from tests.support.expected_request import main_of, parts, valid
from tests.support.probing import report, seed, whole
from tests.support.sdk_types import pairs
from tests.test_sdk import HEADERS, METHODS, SDK, sdk_arguments, snake
from tools.operations import Operation
from tools.sandbox import Recorded, Sandbox
from tools.sandbox.server import Fault

pytestmark = pytest.mark.slow

INPUTS = 50  # for each operation and way, of a probe
IN_CI = 3
SHARE_IN_CI = 5  # one operation in so many
LEFT_OUT = {
    "files/upload_file": "several requests: tests/test_sdk.py compares them",
    "fine_tuning/create_fine_tune": "the SDK asks for a model's limits and adds to it",
}
COMPARED = [
    name
    for name, operation in SDK.items()
    if name not in LEFT_OUT and "protocol" not in operation.exchange
]
if not whole():
    COMPARED = random.Random(seed()).sample(COMPARED, len(COMPARED) // SHARE_IN_CI)
# What differs on purpose, and why; `differences` and `compare` look past it.
KNOWN = {
    "a character of a path": "the SDK sends some as they are that we send as %XX",
    "an empty text of a query": "the SDK drops it; what a flow gives is meant here",
    "an empty field of a form with a file": "the SDK drops it, as above",
    "nothing for what is required": "we refuse it before it is sent",
}
REFUSED = re.compile(
    r"Nothing was sent: .* is required(, and is empty| \(there is .*\))?$"
)
SOUND = base64.b64encode(b"RIFF a sound").decode()
NO_VALUES = ("extra_headers", "extra_query", "extra_body", "timeout", "return")


@pytest.fixture(scope="module")
def recorder():
    with Sandbox(judge=False) as server:
        # Only requests are compared: whatever the answer, both are content with this.
        server.faults.append(Fault(path="", status=400, times=sys.maxsize))
        yield server


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize("name", COMPARED)
def test_what_our_schema_allows_is_sent_as_the_sdk_sends_it(name, recorder):
    operation = SDK[name]

    def both(found: dict) -> tuple[dict, dict]:
        arguments = {n: v for n, v in found.items() if n in operation.arguments}
        with_project(operation, arguments)
        if "content" in operation.exchange:
            arguments["body"]["file"] = SOUND
        arguments = without_addresses(arguments)
        return arguments, sdk_arguments(operation, method_of(name), arguments)

    compare(name, recorder, valid(operation.schema).map(both), "ours")


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize("name", COMPARED)
def test_what_the_sdk_s_types_allow_is_sent_as_the_sdk_sends_it(name, recorder):
    compare(name, recorder, of_sdk_types(SDK[name], method_of(name)), "theirs")


def compare(
    name: str, recorder: Sandbox, inputs: st.SearchStrategy, origin: str
) -> None:
    """Send each of the inputs, (ours, the SDK's), in both ways."""
    wrong: dict[str, str] = {}
    counts: Counter = Counter()

    @seeded(seed())
    @settings(
        max_examples=INPUTS if whole() else IN_CI,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs)
    def same(both: tuple[dict, dict]) -> None:
        counts["inputs"] += 1
        ours = sent_by_us(recorder, SDK[name], both[0])
        theirs = sent_by_sdk(recorder, name, both[1])
        if isinstance(theirs, str):
            counts["refused by the SDK: " + theirs] += 1
        elif isinstance(ours, str) and REFUSED.match(ours):
            counts["refused by us as empty"] += 1
        elif isinstance(ours, str):
            wrong.setdefault("refused", f"refused by us: {ours} of {both[0]!r:.300}")
        else:
            for what, one, other in differences(ours, theirs):
                words = f"{what}: ours {one!r:.300}, theirs {other!r:.300}"
                wrong.setdefault(what, words)

    same()
    said = "; ".join(f"{count} {what}" for what, count in counts.items())
    line = f"{name}, inputs of {origin}, seed {seed()}: {said}; {len(wrong)} differ"
    report(f"sdk-{origin}-{name.replace('/', '-')}", [line, *wrong.values()])
    assert not wrong, "\n".join(wrong.values())


def differences(ours: Recorded, theirs: Recorded) -> list[tuple]:
    """(what, ours, theirs) of all that is not the same."""
    multipart = ours.headers.get("content-type", "").startswith("multipart/")
    said = filled_parts if multipart else in_json
    names = {
        header
        for header in ours.headers.keys() ^ theirs.headers.keys()
        if header not in HEADERS and "stainless" not in header
    } | {"authorization", "idempotency-key", "accept"}
    told = [{n: r.headers[n] for n in names if n in r.headers} for r in (ours, theirs)]
    queries = [sorted(parse_qsl(r.query)) for r in (ours, theirs)]
    pairs = [
        ("method", ours.method, theirs.method),
        ("path", segments(ours), segments(theirs)),
        ("query", *queries),
        ("headers", *told),
        ("body", said(ours), said(theirs)),
    ]
    return [(what, one, other) for what, one, other in pairs if one != other]


def filled_parts(request: Recorded) -> list[tuple]:
    return [part for part in parts(request) if part[2]]


def without_addresses(value: object) -> object:
    """A sound as it is sent: we would fetch one that is an address, the SDK cannot."""
    if isinstance(value, list):
        return [without_addresses(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {name: without_addresses(item) for name, item in value.items()}
    if isinstance(sound := found.get("input_audio"), dict) and "data" in sound:
        found["input_audio"] = {**sound, "data": SOUND}
    return found


def segments(request: Recorded) -> list[str]:
    """A path as a server reads it: whether %26 or & stands for & is all the same."""
    return [unquote(part) for part in request.path.split("/")]


def in_json(request: Recorded) -> object:
    return json.loads(request.body) if request.body.strip() not in (b"", b"{}") else {}


def sent_by_us(
    recorder: Sandbox, operation: Operation, arguments: dict
) -> Recorded | str:
    """Our request, or why there is none. The answer may be no right one."""
    recorder.requests.clear()
    said = ""
    try:
        main_of(operation)({"api_key": KEY, "base_url": recorder.url}, **arguments)
    except TogetherError as error:
        said = str(error)
    return recorder.requests[0] if recorder.requests else said


def sent_by_sdk(recorder: Sandbox, name: str, arguments: dict) -> Recorded | str:
    recorder.requests.clear()
    said = ""
    try:
        found = method_of(name, recorder.url)(**arguments)
        if hasattr(found, "__next__"):
            next(found)
    except Exception as error:  # of any kind: it may know none for such an answer
        said = f"{type(error).__name__}: {error}"
    return recorder.requests[0] if recorder.requests else said


@functools.cache
def method_of(name: str, url: str | None = None) -> typing.Callable:
    sdk = together.Together(api_key=KEY, base_url=url, max_retries=0)
    return functools.reduce(getattr, METHODS[name].split("."), sdk)


def with_project(operation: Operation, arguments: dict) -> None:
    """Name what we would else find out or make up."""
    for argument in ("project_id", "idempotency_key"):
        if argument in operation.arguments:
            arguments[argument] = f"{argument}-1"


def of_sdk_types(operation: Operation, method: typing.Callable) -> st.SearchStrategy:
    """(our arguments, the SDK's) for what the types of its method allow."""
    plain = inspect.unwrap(method)
    hints = typing.get_type_hints(plain, include_extras=True)
    needed = {
        name
        for name, parameter in inspect.signature(method).parameters.items()
        if parameter.default is parameter.empty
    }
    top = operation.arguments
    body = top.get("body", {})
    members = body.get("properties", {})
    inside = {snake(name): name for name in members}
    free = [n for n in top if top[n].get("x-in") == "path"]
    places: dict = {}
    for name in hints:
        if name in NO_VALUES:
            continue
        if name in top or name in {snake(n) for n in top}:
            own = next(n for n in top if name in (n, snake(n)))
            places[name] = (own, top[own])
            free = [n for n in free if n != own]
        elif name in inside:
            places[name] = (("body", inside[name]), members[inside[name]])
    for name in hints:
        if name not in places and name not in NO_VALUES:
            if name in needed and free and "body" not in places:
                own = free.pop(0)
                places[name] = (own, top[own])
            else:
                places[name] = (("body", name), {})
    wanted = {
        name
        for name, (own, _) in places.items()
        if name in needed
        or own in operation.required
        or (isinstance(own, tuple) and own[1] in body.get("required", []))
    }
    drawn = {
        name: (
            st.just((("file.wav", b"RIFF"), base64.b64encode(b"RIFF").decode()))
            if name == "file"
            else pairs(hints[name], schema)
        )
        for name, (_, schema) in places.items()
    }
    values = st.fixed_dictionaries(
        {name: drawn[name] for name in drawn if name in wanted},
        optional={name: drawn[name] for name in drawn if name not in wanted},
    )

    def both(found: dict) -> tuple[dict, dict]:
        ours: dict = {"body": {}} if "body" in operation.required else {}
        for name, (_, value) in found.items():
            own = places[name][0]
            if isinstance(own, tuple):
                ours.setdefault("body", {})[own[1]] = value
            else:
                ours[own] = value
        theirs = {name: one for name, (one, _) in found.items()}
        with_project(operation, ours)
        for argument in ("project_id", "idempotency_key"):
            if argument in ours and argument in places:
                theirs[argument] = ours[argument]
            elif argument in ours:
                own = [n for n, (o, _) in places.items() if o == argument]
                if own:
                    theirs[own[0]] = ours[argument]
                elif top[argument].get("x-in") == "header":
                    wire = top[argument].get("x-wire", argument)
                    theirs["extra_headers"] = {wire: ours[argument]}
        return ours, theirs

    return values.map(both)
