"""Answers with one member dropped, nulled, of another type, empty or huge.

For each step and each operation that it calls: another exception than TogetherError is
a fault; so is a success that holds less than the right answer's, and an error that
loses what was paid for.
"""

import contextlib
import copy
import io
import json
import signal
from collections import Counter
from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from starlette.responses import JSONResponse, Response, StreamingResponse

from scripts.catalog import catalog
from scripts.client import TogetherError
from tests.conftest import KEY
from tests.support.expected_request import main_of
from tests.support.probing import report, seed, whole
from tools.operations import Operation, operations, steps
from tools.sandbox import Sandbox, reply

pytestmark = pytest.mark.slow

SECONDS = 60  # for one run of a step, on a busy machine
HUGE = "x" * 300_000
OTHERS = [None, True, 5, -1, 0.5, "", "x", "5", [], {}, [5], [None], {"a": 1}, HUGE]
OTHERS += [10**400, [{}] * 500, "$var:u/a/b", "\ud800", "\0"]
DROP = object()


class Bending(Sandbox):
    """Bends the JSON that one operation answers with."""

    def __init__(self) -> None:
        super().__init__(pace=0, judge=False, lifecycles=False)
        self.bent: tuple | None = None  # (operation's name, path, value)
        self.said: dict[str, object] = {}

    async def serve(self, route: object, *rest: object) -> Response:
        operation: Operation = route.operation
        response = await super().serve(route, *rest)
        if isinstance(response, StreamingResponse):
            arguments, _ = await route.arguments(*rest)
            value = reply(operation, arguments.get("body") or {})
        elif isinstance(response, JSONResponse) and response.status_code == 200:
            value = json.loads(response.body)
        else:
            return response
        self.said[operation.name] = value
        if self.bent is None or self.bent[0] != operation.name:
            return response
        data = json.dumps(bend(value, *self.bent[1:])).encode()
        return Response(data, media_type="application/json")


def bend(value: object, path: tuple, new: object) -> object:
    if not path:
        return new
    value = copy.deepcopy(value)
    place = value
    try:
        for name in path[:-1]:
            place = place[name]
        if new is DROP:
            del place[path[-1]]
        else:
            place[path[-1]] = new
    except (KeyError, IndexError, TypeError):
        pass  # this answer of the operation has no such member
    return value


def paths(value: object, most: int = 60) -> list[tuple]:
    """Where a value can be bent: itself and what is within, at most some of a list."""
    found: list[tuple] = [()]
    inner = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value[:2]))
    for name, member in inner:
        found += [(name, *path) for path in paths(member)]
    return found[:most]


@pytest.fixture(scope="module")
def bending():
    with Bending() as server:
        yield server


CASES = [
    (step.id, number)
    for step in steps()
    for number in range(len(step.schema["examples"]))
]
_retries = {o.name: o.exchange["retry"] for o in operations()}
_steps = {step.id: step for step in steps()}


def run(server: Bending, case: tuple[str, int]) -> object:
    """A step's result, or the exception that it raised."""
    name, number = case
    step = _steps[name]
    catalog._listings.clear()
    server.requests.clear()
    auth = {"api_key": KEY, "base_url": server.url}
    arguments = json.loads(json.dumps(step.schema["examples"][number]))
    sink = io.StringIO()
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(SECONDS)
    try:
        with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
            return main_of(step)(auth, **arguments)
    except Exception as error:
        return error
    finally:
        signal.alarm(0)


class HangError(BaseException):
    """A step that took too long."""


def _too_long(*_: object) -> None:
    raise HangError


@cache
def usual(server: Bending, case: tuple[str, int]) -> tuple[object, dict]:
    """(what the step gives where nothing is bent, what each operation said)."""
    server.bent = None
    server.said = {}
    return run(server, case), dict(server.said)


def test_no_bent_answer_is_a_crash_or_loses_what_was_paid_for(bending, workspace):
    seen: Counter = Counter()

    @seeded(seed())
    @settings(
        max_examples=6000 if whole() else 200,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(st.data())
    def bent(data: st.DataObject) -> None:
        case = data.draw(st.sampled_from(CASES))
        good, said = usual(bending, case)
        if isinstance(good, Exception) or not said:
            seen["asks nothing, or fails by itself"] += 1
            return
        name = data.draw(st.sampled_from(sorted(said)))
        path = data.draw(st.sampled_from(paths(said[name])))
        new = data.draw(st.sampled_from([*OTHERS, DROP] if path else OTHERS))
        bending.bent = name, path, new
        found = run(bending, case)
        shown = "nothing" if new is DROP else repr(new)[:40]
        where = f"{case[0]}#{case[1]}: {name} {'.'.join(map(str, path))} = {shown}"
        problem = judged(good, found)
        paid = path and _retries.get(name) == "inference" and name not in FREE
        failed = paid and not problem and isinstance(found, TogetherError)
        if failed and found.partial is None and found.spent_usd is None:
            problem = f"what was paid for is lost: {str(found)[:80]}"
        if case[0] in AS_SAID:
            problem = None if not isinstance(found, Exception) else problem
        seen["error" if isinstance(found, TogetherError) else "result"] += 1
        if problem:
            wrong.setdefault(problem[:90], f"{where}: {problem}")

    wrong: dict[str, str] = {}
    try:
        bent()
    finally:
        report("bent", [f"{count} x {what}" for what, count in seen.items()])
    assert not wrong, "\n".join(wrong.values())


def judged(good: object, found: object) -> str | None:
    """What is wrong with an outcome, or None."""
    if isinstance(found, TogetherError):
        try:
            json.dumps(vars(found), allow_nan=False)
        except ValueError as error:
            return f"its attributes are no JSON: {error}"
        if KEY in repr(vars(found)) + str(found):
            return "the key is in the error"
        return None
    if isinstance(found, Exception):
        place = found.__traceback__
        while place.tb_next:
            place = place.tb_next
        code = place.tb_frame.f_code
        return f"{type(found).__name__} in {code.co_qualname}: {str(found)[:120]}"
    try:
        json.dumps(found, allow_nan=False)
    except (ValueError, TypeError) as error:
        return f"its result is no JSON: {error}"
    if isinstance(good, dict):
        if not isinstance(found, dict):
            return f"the result is {str(found)[:60]}"
        if found.get("trouble"):
            return None  # told, and looked at again later
        lost = [n for n in good if n not in found and n not in OPTIONAL]
        if lost:
            return f"the result has no {', '.join(lost)}"
    return None


# These hand on what the service says.
AS_SAID = ("organization/call_operation",)
# Operations of this class that cost nothing.
FREE: tuple[str, ...] = ()
# What a result has only where there is something to say.
OPTIONAL = {"note", "cost_note", "more", "warnings", "unused_columns", "markdown"}
OPTIONAL |= {"wm_renderer", "png", "svg", "html"}  # a view of what is there, too
