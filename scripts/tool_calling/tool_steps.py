"""A step in which a model uses scripts and flows of the workspace as its tools."""

from __future__ import annotations

import itertools
import json
import re
import time

from ..catalog.budget import Budget, Clock
from ..catalog.model_choice import choose_model
from ..catalog.pricing import bill, lost_usage, prefetch
from ..chat_steps import (
    CHAT,
    ask,
    first_choice,
    parse_completion,
    refuses,
    why_cut,
)
from ..client import TogetherError, check_words, prepare
from ..client.job import log
from ..client.jsonio import parse_json, storable
from ..client.resource import credentials
from .model_arguments import arguments_of
from .tools import TOOL_SECONDS, fitting_tool, name_of, tools_of, words_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from ..shapes import Auth, Completion, Json, Members, Step
    from .tools import Tool


AT_ONCE = 4  # calls of one round
RESULT_LENGTH = 50_000  # characters of a result that the model is shown
THOUGHTS = ("reasoning", "reasoning_content", "reasoning_details")
WANTED_MORE = "the model wanted more calls than max_rounds allows"
CUT = (
    "the message was cut before the arguments of this call were whole, so it was not "
    "carried out: make it again, in fewer words"
)


def call_tools(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Let a model answer with the help of tools, in at most max_rounds rounds of calls.

    A tool is {"path", "kind": script or flow, "name", "description", "parameters": JSON
    Schema, "arguments": fixed ones that the model does not see}; what is not given is
    read from the script. It runs as a job of this workspace with this job's own rights.
    What the model gives must be among the tool's parameters at every depth, and nothing
    that Windmill would turn into a secret; else, and when a tool fails, the model is
    told so. After the last round the model answers without tools.

    Returns {"text", "note"?: that the model wanted to go on, or was cut, or which tools
    of a server are left out, or that no call worked, "calls": [{"tool",
    "arguments", "result", "error", "seconds"}], "rounds", "messages", "usage",
    "cost_usd", "model", "finish_reason"}. Raises TogetherError; `partial` holds the
    same as far as it came.
    """
    given = prepare(step, arguments)
    check_words(given, "prompt")
    choose_model(auth, given, "tools")
    credentials(auth, CHAT["host"])  # a missing key is known before a tool is read
    left_out: list[str] = []
    tools = tools_of(step, given, left_out)
    notes = list(filter(None, [words_of(left_out)]))
    for note in notes:
        log(note)
    prefetch(auth)
    talk = _Talk(auth, given, tools)
    try:
        answer = talk.hold()
    except TogetherError as error:
        tell_paid(error, talk.so_far(), talk.answers)
        raise
    completion = parse_completion(answer)
    if completion["tool_calls"]:
        notes.append(WANTED_MORE)
        log(notes[-1])
    notes += note_of_cut(completion["finish_reason"])
    notes += note_of_failed(talk.calls)
    result = {
        "text": completion["text"],
        **({"note": "; ".join(notes)} if notes else {}),
        **talk.so_far(),
        "model": answer.get("model") or given["model"],
        "finish_reason": completion["finish_reason"],
    }
    return with_text(
        result,
        written=written_call(completion["text"], tools),
        wanted_more=bool(completion["tool_calls"]),
    )


class _Talk:
    """The messages between a model and its tools, and what they cost."""

    def __init__(self, auth: Auth, given: Members, tools: dict[str, Tool]) -> None:
        self.auth, self.given, self.tools = auth, given, tools
        self.body = _body(given)
        self.messages: list[Members] = self.body["messages"]
        self.budget = Budget(given.get("budget_usd"))
        self.clock = Clock(given.get("stop_after_seconds"))
        self.answers: list[Json] = []
        self.calls: list[Members] = []
        self.rounds = 0

    def hold(self) -> Json:
        """Return the answer of the model that wants no more calls, or may make none.
        Raises TogetherError."""
        used: set[str] = set()
        while True:
            self.clock.check()
            may_call = self.rounds < self.given["max_rounds"]
            answer = self.ask(may_call)
            self.answers.append(answer)
            completion = parse_completion(answer)
            wanted = completion["tool_calls"] if may_call else []
            message, wanted = message_of(answer, completion, wanted, self.rounds, used)
            self.messages.append(message)
            if not wanted:
                return answer
            self.rounds += 1
            self.clock.check()
            done = _round(self.rounds, wanted, self.tools, self.clock)
            self.calls += [entry for entry, _ in done]
            self.messages += [message for _, message in done]

    def ask(self, may_call: bool) -> Json:
        """Return the model's next answer. Raises TogetherError; a question that failed
        and may have been paid for is among the answers then."""
        offered = [tool.offer() for tool in self.tools.values()]
        if may_call:
            body = {**self.body, "tools": offered}
            return ask_counted(self.auth, body, self.budget, self.answers)
        log(f"{self.rounds} rounds are done: the model answers without tools")
        return last_answer(self.auth, self.body, offered, self.budget, self.answers)

    def so_far(self) -> Members:
        """Return the members of the result that are known at any time."""
        return {
            "calls": self.calls,
            "rounds": self.rounds,
            "messages": self.messages,
            **bill(self.auth, self.given["model"], self.answers),
        }


def _body(given: Members) -> Members:
    """Return the first question, to which the calls and what they gave are added."""
    messages = []
    if given.get("system"):
        messages.append({"role": "system", "content": given["system"]})
    messages.append({"role": "user", "content": given["prompt"]})
    body = {"model": given["model"], "messages": messages}
    if "max_tokens" in given:
        body["max_tokens"] = given["max_tokens"]
    return body


def note_of_failed(calls: list[Members]) -> list[str]:
    """Return the note that no call worked, as the answer does not show it; or none.

    Such an answer is one all the same: that there is no such order may be what a tool
    that fails has to say.
    """
    if not calls or any(call["error"] is None for call in calls):
        return []
    if len(calls) == 1:
        return ["the only call failed: the answer rests on no tool"]
    return [f"all {len(calls)} calls failed: the answer rests on no tool"]


def note_of_cut(reason: Json) -> list[str]:
    """Return the note that the answer is not whole, by its finish_reason; or none."""
    why = why_cut(reason)
    return [f"the answer was cut: {why}"] if why else []


def with_text(
    result: Members, written: bool = False, wanted_more: bool = False
) -> Members:
    """Return a result whose model answered. Raises TogetherError, with the result in
    `partial`, where it gave no text, or wrote a call of a tool as one."""
    if written:
        raise TogetherError(
            "The model wrote a call of a tool as text, and the service made no call of "
            "it.",
            type="answer_misfit",
            partial=result,
            advice="Run the step again, or choose another model.",
        )
    if result["text"].strip():
        return result
    advice = "Allow longer messages: a model that thinks first may use them all up."
    if wanted_more:
        advice = "Raise max_rounds: the model wanted to go on with its tools."
    raise TogetherError(
        f"The model gave no text (finish_reason {result['finish_reason']}).",
        type="nothing_done",
        partial=result,
        advice=advice,
    )


def written_call(text: str, names: Collection[str]) -> bool:
    """Say whether a text has a call of a tool that its server did not make one of: in
    the words of a model's template, or as JSON that names one of the tools."""
    fences, seen = 0, 0
    for found in CALL.finditer(text):
        fences += text.count("```", seen, found.start())
        seen = found.end()
        if fences % 2 == 0:  # else it is shown, in a block of code
            return True
    if not text.lstrip().startswith("{"):
        return False
    given, _ = parse_json(text.encode("utf-8", "replace"))
    given = given if isinstance(given, dict) else {}
    inner = given.get("function")
    given = inner if isinstance(inner, dict) else given
    return given.get("name") in [*names] and bool(given.keys() & ARGUMENTS)


ARGUMENTS = frozenset(("arguments", "parameters"))
CALL = re.compile(
    r"(?m)^(?:<tool_calls?>|<function_calls>|<function=|<invoke name=|<\|tool_call"
    r"|<\|python_tag\|>|\[TOOL_CALLS\]|<\uff5ctool\u2581call)"
)


def ask_counted(auth: Auth, body: Members, budget: Budget, answers: list[Json]) -> Json:
    """Ask once; what a question came to that failed and may have been paid for goes to
    `answers`, of which the bill is made. Raises TogetherError."""
    try:
        return ask(auth, body, budget)
    except TogetherError as error:
        if lost_usage(error) is not None:
            answers.append(error.partial)
        raise


def tell_paid(error: TogetherError, so_far: Members, answers: list[Json]) -> None:
    """Put what there is so far into the `partial` of an error, and the text that a model
    had written as its answer broke off. Whatever the last question cost, the error says
    that something was paid for where there are answers."""
    text = parse_completion(error.partial)["text"]
    error.partial = {"text": text, **so_far} if text else so_far
    if answers:
        error.may_be_paid = True


def last_answer(
    auth: Auth,
    body: Members,
    offered: list[Members],
    budget: Budget,
    answers: list[Json],
) -> Json:
    """Ask without letting the model call a tool. They are in the request all the same:
    some services refuse a history of calls without; others know no choice of none. What
    is paid for in vain goes to `answers`. Raises TogetherError."""
    without_calls = {**body, "tools": offered, "tool_choice": "none"}
    try:
        return ask_counted(auth, without_calls, budget, answers)
    except TogetherError as error:
        if not refuses(error, "tool_choice"):
            raise
        return ask_counted(auth, body, budget, answers)


# --- one round ---------------------------------------------------------------------


def message_of(
    answer: Json,
    completion: Completion,
    wanted: list[Json],
    rounds: int,
    used: set[str],
) -> tuple[Members, list[Members]]:
    """Return the assistant's message as any API takes it back, and its calls as the
    model wrote them; one has "cut" where the answer ended within it.

    A service that checks the history refuses arguments that are no JSON object, odd
    names and ids that repeat: so those are mended in the message, and the answer to the
    call says what was wrong. `used` holds the ids so far, and gets these.
    """
    message: Members = {"role": "assistant", "content": completion["text"]}
    calls, sent_calls = [], []
    for number, call in enumerate(wanted):
        call = call if isinstance(call, dict) else {}
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        given, name = function.get("arguments"), function.get("name")
        given = given if isinstance(given, str) else json.dumps(given or {})
        name = _bare_name(name) if isinstance(name, str) else ""
        name = name or "unnamed"
        known = call.get("id")
        if not isinstance(known, str) or not known or known in used:
            ids = (f"call_{rounds + 1}_{n}" for n in itertools.count(number + 1))
            known = next(one for one in ids if one not in used)
        used.add(known)
        whole = {"id": known, "index": number, "type": "function"}
        calls.append({**whole, "function": {"name": name, "arguments": given}})
        read = None
        try:
            read = arguments_of(given)
            if not read or "NaN" in given or "Infinity" in given:  # of Python, no JSON
                given = json.dumps(parse_json(given.encode())[0] or {})
        except TogetherError:
            given = "{}"
        if completion["cut"] and call is wanted[-1] and not read:
            calls[-1]["cut"] = True  # what came of it may read as a call of nothing
        shown = {"name": name_of(name), "arguments": given or "{}"}
        sent_calls.append({**whole, "function": shown})
    if calls:
        message["tool_calls"] = sent_calls
        _, theirs = first_choice(answer)
        for name in THOUGHTS:  # models that think between calls want them back
            if theirs.get(name):
                message[name] = theirs[name]
    return message, calls


def _bare_name(name: str) -> str:
    """Return the name of a tool without what some servers leave around it: the model's
    own signs, and the name of the group that its template puts all tools into."""
    return name.partition("<|")[0].strip().removeprefix("functions.")


def _round(
    number: int, wanted: list[Members], tools: dict[str, Tool], clock: Clock
) -> list[tuple[Members, Members]]:
    """Carry out the calls of a round, a few at once; in their own order, return
    [(what the result tells of the call, the message that tells the model)]."""
    if len(wanted) == 1:
        return [_carry_out(number, wanted[0], tools, clock)]
    from concurrent.futures import ThreadPoolExecutor  # only for several calls at once

    # Not through the gate of rows/admission.py, which spaces requests to the service: a
    # tool is a job of the workspace, or asks somebody else's server.
    with ThreadPoolExecutor(min(AT_ONCE, len(wanted))) as pool:
        return list(
            pool.map(lambda call: _carry_out(number, call, tools, clock), wanted)
        )


def _carry_out(
    number: int, call: Members, tools: dict[str, Tool], clock: Clock
) -> tuple[Members, Members]:
    name, text = call["function"]["name"], call["function"]["arguments"]
    began = time.monotonic()
    given = result = None
    try:
        if call.get("cut"):
            raise TogetherError(CUT, type="broken_answer")
        given = storable(arguments_of(text), [])
        tool, given = fitting_tool(name, given, tools)
        result = tool.call(given, min(TOOL_SECONDS, max(1.0, clock.left())))
        error = None
    except TogetherError as failure:
        error = str(failure)
    seconds = round(time.monotonic() - began, 3)
    outcome = f"failed: {error}" if error else f"answered {_short(result)}"
    log(f"round {number}: {name}({text[:300]}) {outcome} ({seconds} s)")
    entry = {
        "tool": name,
        "arguments": given if given is not None else storable(text, []),
        "result": result,
        "error": error,
        "seconds": seconds,
    }
    return entry, tool_message(call["id"], result, error)


def tool_message(call: str, result: Json, error: str | None) -> Members:
    """Return the message that tells a model what its call gave, or why it failed."""
    shown = {"error": error} if error else result
    content = shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)
    if len(content) > RESULT_LENGTH:
        left = len(content) - RESULT_LENGTH
        content = f"{content[:RESULT_LENGTH]}... ({left} more characters left out)"
    return {"role": "tool", "tool_call_id": call, "content": content}


def _short(result: Json) -> str:
    text = json.dumps(result, ensure_ascii=False, default=str)
    return text if len(text) <= 300 else f"{text[:300]}..."
