"""The steps of flows/run_agent: a model that works with tools while no worker waits.

    begin_agent    a conversation, new or continued, with the next question
    ask_agent      the model's answer, or the calls that it wants
    start_calls    a job for each call
    watch_calls    one look at these jobs; what they gave goes into the conversation
    finish_agent   the result

Between them the conversation is kept by its name, and each step finds out what it did
before it broke. No job runs twice. A question has nothing by which the service would
know it again: one whose answer was not kept is asked anew, and the result says so.
"""

from __future__ import annotations

import os
import time
import uuid
from contextlib import contextmanager

from ..catalog.budget import Budget
from ..catalog.model_choice import choose_model
from ..catalog.pricing import bill, usage_of
from ..chat_steps import CHAT, parse_completion
from ..client import TogetherError, prepare
from ..client.job import log
from ..client.jsonio import storable
from ..client.resource import credentials
from ..workspace import conversation, jobs
from .model_arguments import arguments_of
from .tool_steps import (
    CUT,
    WANTED_MORE,
    ask_counted,
    last_answer,
    message_of,
    note_of_cut,
    note_of_failed,
    tell_paid,
    tool_message,
    with_text,
    written_call,
)
from .tools import TOOL_SECONDS, fitting_tool, tools_of, words_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..shapes import Auth, Json, Members, Step
    from .tools import Tool

FIRST, LONGEST = 1, 30  # seconds between two looks
MOST_CALLS = 16  # of one round
SHOWN = 2000  # characters of an argument on an approval page


def begin_agent(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Begin a conversation, or go on with one; {"conversation": its name, "model"}.

    Raises TogetherError, before anything is asked: for tools that cannot be used, for a
    conversation that is not kept, and outside a flow.
    """
    given = prepare(step, arguments)
    credentials(auth, CHAT["host"])
    left_out: list[str] = []
    tools_of(step, given, left_out)
    note = words_of(left_out)
    if note:
        log(note)
    run = _flow()
    name = given.get("conversation") or conversation.new_name(run)
    talk = conversation.read(name)
    if talk is None and given.get("conversation"):
        problem = "is not kept in this workspace"
        raise TogetherError.refused("conversation", problem)
    if talk is not None and talk.get("run") == run:
        return {"conversation": name, "model": talk["model"]}  # a step that ran again
    messages = talk["messages"] if talk is not None else []
    if talk is not None and not given.get("model"):
        given["model"] = talk["model"]
    choose_model(auth, given, "tools")
    if given.get("system"):
        messages = [m for m in messages if m["role"] != "system"]
        messages.insert(0, {"role": "system", "content": given["system"]})
    # Calls without an answer, of a run that broke, would be refused.
    while messages and messages[-1].get("tool_calls"):
        messages.pop()
    messages.append({"role": "user", "content": given["prompt"]})
    begun = {"run": run, "model": given["model"], "messages": messages, "rounds": 0}
    begun |= {"calls": [], "pending": [], "answers": [], "final": None, "note": note}
    conversation.write(name, begun)
    return {"conversation": name, "model": given["model"]}


def ask_agent(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Ask the model once. {"done": it has answered, "calls": [{"tool", "arguments"}],
    "approve": those of them that a person is to be asked about, "question"}. Raises
    TogetherError, also when the budget does not do for another question; `partial`
    holds what finish_agent returns, as far as it came."""
    given = prepare(step, arguments)
    credentials(auth, CHAT["host"])  # a missing key is known before anything is read
    name, talk = _conversation_of(given)
    with _so_far_told(auth, name, talk):
        tools = tools_of(step, given)
        if not talk["pending"] and talk["final"] is None:
            _ask_noted(auth, given, name, talk, list(tools.values()))
    calls = [
        {"tool": call["name"], "arguments": call["text"][:SHOWN]}
        for call in talk["pending"]
    ]
    asked = [
        c
        for c, call in zip(calls, talk["pending"], strict=True)
        if c["tool"] in tools and tools[c["tool"]].approval and "error" not in call
    ]
    names = ", ".join(dict.fromkeys(call["tool"] for call in asked))
    question = f"May the agent use {names}?" if asked else None
    done = talk["final"] is not None
    return {"done": done, "calls": calls, "approve": asked, "question": question}


def _ask_noted(
    auth: Auth, given: Members, name: str, talk: Members, tools: list[Tool]
) -> None:
    """Ask, and keep what came of it. Raises TogetherError."""
    # How often this question was asked: what is kept before it is, outlives a kill.
    talk["asked"] = talk.get("asked", 0) + 1
    conversation.write(name, talk)
    try:
        _ask(auth, given, talk, tools)
    except TogetherError:
        if "asked" in talk:  # nothing is counted: it was refused, and not asked
            talk["asked"] -= 1
        try:
            conversation.write(name, talk)
        except TogetherError as refusal:  # the first error says more
            log(f"what the question cost is not kept: {refusal}")
        raise
    conversation.write(name, talk)


def _ask(auth: Auth, given: Members, talk: Members, tools: list[Tool]) -> None:
    body: Members = {"model": talk["model"], "messages": talk["messages"]}
    if "max_tokens" in given:
        body["max_tokens"] = given["max_tokens"]
    budget = Budget(given.get("budget_usd"))
    budget.spent = before = _spent(talk)
    offered = [tool.offer() for tool in tools]
    may_call = talk["rounds"] < given["max_rounds"]
    answers: list[Json] = []  # to this question, with those of tries that failed
    try:
        if may_call:
            answer = ask_counted(auth, {**body, "tools": offered}, budget, answers)
        else:
            answer = last_answer(auth, body, offered, budget, answers)
        answers.append(answer)
    finally:
        _count(talk, answers, budget.spent - before)
    completion = parse_completion(answer)
    wanted = completion["tool_calls"] if may_call else []
    used = {call["id"] for m in talk["messages"] for call in m.get("tool_calls") or ()}
    message, calls = message_of(answer, completion, wanted, talk["rounds"], used)
    talk["messages"].append(message)
    talk["pending"] = [
        {
            "id": call["id"],
            "name": call["function"]["name"],
            "text": call["function"]["arguments"],
            **({"arguments": {}, "error": CUT} if call.get("cut") else {}),
        }
        for call in calls
    ]
    if not calls:
        talk["final"] = {
            "text": completion["text"],
            "finish_reason": completion["finish_reason"],
            "model": answer.get("model") or talk["model"],
            "wanted_more": bool(completion["tool_calls"]),
            "written": written_call(completion["text"], [tool.name for tool in tools]),
        }


def _count(talk: Members, answers: list[Json], counted_usd: float) -> None:
    """Add to a conversation what the answers to a question used, and what the budget
    counted for it: of one that tells no usage, what was set aside for it. Where there
    are none, nothing is counted, and "asked" stays."""
    for number, answer in enumerate(answers):
        entry = {"usage": usage_of(answer), "counted_usd": 0.0}
        if number == 0:
            entry |= {"counted_usd": counted_usd, "asked": talk.pop("asked")}
        talk["answers"].append(entry)


def start_calls(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Start a job for each call that the model wants; {"started", "refused"}: how many.

    What does not fit, and what a person refused, is told to the model instead. However
    often this runs, each job is started once. Raises TogetherError, with `partial` as
    ask_agent has it where the tools cannot be used any more.
    """
    given = prepare(step, arguments)
    name, talk = _conversation_of(given)
    with _so_far_told(auth, name, talk):
        tools = tools_of(step, given)
    for number, call in enumerate(talk["pending"]):
        if "job" in call or "error" in call or "result" in call:
            continue
        call["arguments"] = call["text"]
        try:
            call["arguments"] = storable(arguments_of(call["text"]), [])
            tool, call["arguments"] = fitting_tool(
                call["name"], call["arguments"], tools
            )
            if number >= MOST_CALLS:
                raise TogetherError(
                    f"at most {MOST_CALLS} calls are made at once", type="not_allowed"
                )
            if tool.approval and not given["approved"]:
                raise TogetherError(
                    "a person was asked and did not allow this call", type="not_allowed"
                )
            if tool.approval and len(call["text"]) > SHOWN:
                raise TogetherError(
                    f"its arguments have more than {SHOWN} characters, which a person "
                    "cannot be shown whole: make them shorter",
                    type="not_allowed",
                )
            if tool.kind == "mcp":
                _ask_server(name, talk, call, tool)
                continue
            words = {**call["arguments"], **tool.fixed}
            mark = f"{talk['run']}/{talk['rounds']}/{number}"
            job = str(uuid.uuid5(uuid.NAMESPACE_URL, mark))
            call["job"] = jobs.start(tool.path, tool.kind, words, job)
        except TogetherError as error:
            call["error"] = str(error)
        call.setdefault("began", time.time())
    conversation.write(name, talk)
    refused = sum("error" in call for call in talk["pending"])
    return {"started": len(talk["pending"]) - refused, "refused": refused}


def _ask_server(name: str, talk: Members, call: Members, tool: Tool) -> None:
    """Carry a call out here: a job's arguments would show the server's token. Raises
    TogetherError, also where an earlier run of the step may have carried it out."""
    if "began" in call:
        raise TogetherError(
            "it broke off: whether it was carried out is not known", type="job_failed"
        )
    call["began"] = time.time()
    conversation.write(name, talk)
    call["result"] = tool_message(call["id"], tool.call(call["arguments"]), None)[
        "content"
    ]
    call["seconds"] = round(time.time() - call["began"], 3)


def watch_calls(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Look at the jobs of the calls once; {"done", "wait_seconds", "running"}.

    Once all are over, what they gave is told to the model. A job that takes too long is
    cancelled. Raises TogetherError.
    """
    given = prepare(step, arguments)
    name, talk = _conversation_of(given)
    running = 0
    for call in talk["pending"]:
        if "error" in call or "result" in call:
            continue
        ended = jobs.outcome(call["job"])
        if ended is None and time.time() - call["began"] > TOOL_SECONDS:
            jobs.cancel(call["job"], "the agent waited too long for it")
            call["error"] = f"not done within {TOOL_SECONDS:g} s, and cancelled"
        elif ended is None:
            running += 1
        elif ended["outcome"] == "success":
            message = tool_message(call["id"], ended["result"], None)
            call["result"] = message["content"]
        else:
            call["error"] = _reason(ended["result"])
        if "error" in call or "result" in call:
            call["seconds"] = round(time.time() - call["began"], 3)
    if running:
        from ..service_jobs.job_kinds import (
            growing,
        )  # a module that no other step of these needs

        conversation.write(name, talk)
        pause = growing(FIRST, LONGEST, given["attempt"])
        return {"done": False, "wait_seconds": pause, "running": running}
    for call in talk["pending"]:
        result, error = call.get("result"), call.get("error")
        talk["messages"].append(tool_message(call["id"], result, error))
        entry = {"tool": call["name"], "arguments": call["arguments"]}
        entry |= {"result": result, "error": error, "job": call.get("job")}
        talk["calls"].append({**entry, "seconds": call.get("seconds")})
    if talk["pending"]:
        talk["rounds"] += 1
        talk["pending"] = []
        conversation.write(name, talk)
    return {"done": True, "wait_seconds": 0, "running": 0}


def finish_agent(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return {"text", "note"?, "calls", "rounds", "conversation", "usage", "cost_usd",
    "model", "finish_reason"} of an agent that has answered. Raises TogetherError, with
    the same in `partial` where it ended without a word."""
    given = prepare(step, arguments)
    name, talk = _conversation_of(given)
    final = talk["final"]
    if final is None:
        raise TogetherError("The agent has not answered.", type="not_finished")
    notes = [talk["note"]] if talk.get("note") else []
    if final["wanted_more"]:
        notes.append(WANTED_MORE)
    notes += note_of_cut(final["finish_reason"])
    notes += note_of_failed(talk["calls"])
    if again := sum(one.get("asked", 1) - 1 for one in talk["answers"]):
        words = "question was" if again == 1 else "questions were"
        notes.append(
            f"{again} {words} asked again after the step broke off, and may have been "
            "paid twice: cost_usd counts each once"
        )
    result = {
        "text": final["text"],
        **({"note": "; ".join(notes)} if notes else {}),
        **_so_far(auth, name, talk),
        "model": final["model"],
        "finish_reason": final["finish_reason"],
    }
    return with_text(result, final.get("written", False), final["wanted_more"])


def _so_far(auth: Auth, name: str, talk: Members) -> Members:
    """Return the members of the result that are known at any time."""
    return {
        "calls": talk["calls"],
        "rounds": talk["rounds"],
        "conversation": name,
        **bill(auth, talk["model"], talk["answers"]),
    }


@contextmanager
def _so_far_told(auth: Auth, name: str, talk: Members) -> Iterator[None]:
    """Put what there is so far into the `partial` of a TogetherError within `with`."""
    try:
        yield
    except TogetherError as error:
        final = {"text": talk["final"]["text"]} if talk["final"] else {}
        tell_paid(error, {**final, **_so_far(auth, name, talk)}, talk["answers"])
        raise


def _conversation_of(given: Members) -> tuple[str, Members]:
    """Return the name of a conversation and what is kept of it."""
    name = given["conversation"]
    talk = conversation.read(name)
    if talk is None:
        problem = "is not kept in this workspace"
        raise TogetherError.refused("conversation", problem)
    return name, talk


def _spent(talk: Members) -> float:
    """Return the USD that the questions so far may have cost, as the budget counted
    them, each as often as it was asked."""
    counted = [
        one.get("counted_usd", 0.0) * one.get("asked", 1) for one in talk["answers"]
    ]
    return sum(counted)


def _reason(result: Json) -> str:
    """Return why a job failed, in few words."""
    error = result.get("error", result) if isinstance(result, dict) else result
    words = error.get("message") if isinstance(error, dict) else error
    return f"it failed: {str(words)[:SHOWN]}"


def _flow() -> str:
    """Return the id of the flow that this step is in, or of the step's job."""
    names = ("WM_ROOT_FLOW_JOB_ID", "WM_FLOW_JOB_ID", "WM_JOB_ID")
    found = next(filter(None, map(os.environ.get, names)), None)
    if found is None:
        raise TogetherError(
            "Conversations are kept within Windmill jobs alone.", type="not_in_windmill"
        )
    return found
