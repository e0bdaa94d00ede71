"""What stands around Windmill's own step for AI agents, in the flows that ship one.

    brief_agent   before it: the model, the instructions, the addresses of files
    review_agent  behind it: the answer, what it cost, what is proposed, what is cited
    close_agent   the result, once a person has answered where one was asked

Windmill's step has no memory of what its tools proposed, and none of costs: both are
read from the messages of this run, of which only a tool's own job can write one.
"""

from __future__ import annotations

import json
import os
import re

from ..catalog.model_choice import choose_model
from ..catalog.pricing import cost, cost_fields, job_unpaid, money, sum_costs
from ..chat_steps import CHAT
from ..client import TogetherError, prepare
from ..client.jsonio import finite, parse_json
from ..client.resource import credentials
from .proposal_steps import carry_out, proposal_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..shapes import Auth, Json, Members, Step

SHOWN = 1000  # characters of a tool's result in the flow's
MOST_PROPOSALS = 10  # that a person is asked about at once
UNTOLD = "the model's service does not tell its tokens"
BATCH_UNTOLD = "a batch was started, and only fetch_batch tells what it cost"
FETCH = "fetch_batch"
# Tools that cost nothing, however a call of them ends: what one tells is the cost of what
# it looks at.
FREE = (
    *(FETCH, "find_model", "find_passages", "list_work", "look_at_training"),
    *("price_call", "propose_change", "query_table", "read_document"),
    "report_spending",
)


def brief_agent(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return {"model", "system": all instructions, "addresses": of the files}.

    Raises TogetherError, before anything is asked, where the agent cannot work: without
    a key, with an address that Windmill's step would not reach, within another flow.
    """
    given = prepare(step, arguments)
    credentials(auth, CHAT["host"])
    base = auth.get("base_url") or ""
    if base.strip() and not base.strip().rstrip("/").endswith("/v1"):
        problem = "must end in /v1 for agents: Windmill's own step asks there"
        raise TogetherError.refused("auth.base_url", problem)
    whole, own = (os.environ.get(n) for n in ("WM_ROOT_JOB_ID", "WM_ROOT_FLOW_JOB_ID"))
    if whole and own and whole != own:
        raise TogetherError(
            "This flow runs within another one, whose arguments Windmill would give to "
            "the agent's tools.",
            type="not_allowed",
            advice="Start it by itself, such as with waits/start_flow.",
        )
    choose_model(auth, given, "tools")
    addresses = [
        _address(f, f"files[{n}]") for n, f in enumerate(given.get("files", ()))
    ]
    texts = [given["instructions"]]
    if addresses:
        texts.append("\n".join(["The files:", *(f"- {one}" for one in addresses)]))
    if given.get("own"):
        texts.append(given["own"])
    system = "\n\n".join(texts)
    return {"model": given["model"], "system": system, "addresses": addresses}


def _address(file: Json, field: str) -> str:
    """Return a file as the tools take it. Raises TogetherError."""
    if isinstance(file, dict) and isinstance(file.get("s3"), dict):
        file = file["s3"]  # of the form
    if isinstance(file, dict) and isinstance(file.get("s3"), str) and file["s3"]:
        return f"s3://{file.get('storage') or ''}/{file['s3']}"
    if isinstance(file, dict):
        file = file.get("url")
    if isinstance(file, str) and re.match(r"(?i)https?://|s3://", file.strip()):
        return file.strip()
    raise TogetherError.refused(field, "must be in storage, or an address of https")


def review_agent(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return {"text", "cost_usd", "cost_note"?, "proposals", "question", "details",
    "calls": [{"tool", "arguments", "ok", "result": its beginning}], "citations"?,
    "note"?} of what Windmill's step returned.

    Proposals are those of the tools named in `proposing` alone, and of this run alone.
    Raises TogetherError, with calls in `partial`, where the agent came to no answer:
    one that proposes something may do so without a word.
    """
    given = prepare(step, arguments)
    agent, _ = parse_json(given["agent"].encode("utf-8", "replace"))
    agent = agent if isinstance(agent, dict) else {}
    error = agent.get("error")
    if isinstance(error, dict):
        kept = error.get("result")
        agent = kept if isinstance(kept, dict) else {}
    messages = agent.get("messages")
    calls = list(_calls(messages if isinstance(messages, list) else []))
    summaries = [
        {**call, "result": call["result"][:SHOWN]} for call in map(_call_summary, calls)
    ]
    paid = _costs_of_run(auth, given["model"], agent.get("usage"), calls)
    if isinstance(error, dict):
        raise _no_answer(error, {"calls": summaries, **paid})
    proposals = list(_proposals(calls, given.get("proposing", ())))
    notes = []
    if calls and not any(call["ok"] for call in summaries):
        notes.append("No call of a tool worked: the answer rests on none.")
    if len(proposals) > MOST_PROPOSALS:
        notes.append(f"More than {MOST_PROPOSALS} were proposed: the rest is dropped.")
        proposals = proposals[:MOST_PROPOSALS]
    output = agent.get("output", "")
    text = output if isinstance(output, str) else json.dumps(output)
    if output is None or not text.strip():
        if not proposals:
            why = {"message": "it ended without a word"}
            raise _no_answer(why, {"calls": summaries, **paid})
        text = "The agent said nothing about what it proposes."
    cited: Members = {}
    if given.get("citing"):
        cited, note = _citations(text, calls, given["citing"])
        notes += [note] if note else []
    question = f"Carry out {len(proposals)} proposals of an agent?"
    if len(proposals) == 1:
        question = f"{proposals[0]['what']}?"
    return {
        "text": text,
        **cited,
        **({"note": " ".join(notes)} if notes else {}),
        **paid,
        "proposals": proposals,
        "question": question,
        "details": {f"proposal_{n}": p for n, p in enumerate(proposals, 1)},
        "calls": summaries,
    }


def close_agent(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Carry out what was approved; the flow's result: what review_agent returned, each
    proposal with its "outcome": done, failed or refused, and "result" or "error".

    However often this runs, nothing is done twice. A proposal that fails does not keep
    the others back: the text begins with how many failed. Raises TogetherError, also
    where all failed, with the result in `partial`.
    """
    given = prepare(step, arguments)
    review, _ = parse_json(given["review"].encode("utf-8", "replace"))
    if not isinstance(review, dict) or not isinstance(review.get("proposals"), list):
        raise TogetherError.refused("review", "must be what review_agent returned")
    proposals = review["proposals"]
    if proposals:
        credentials(auth, CHAT["host"])
    outcomes = [_decide(auth, one, given.get("approved") is True) for one in proposals]
    lines = [_line(one) for one in outcomes]
    failed = sum(one["outcome"] == "failed" for one in outcomes)
    if failed:
        first = f"{failed} of {len(outcomes)} proposals could not be carried out."
        if failed == len(outcomes):
            first = "Nothing of what was allowed could be carried out."
        lines.insert(0, first)
    kept = {n: v for n, v in review.items() if n not in ("question", "details")}
    words = str(review.get("text"))
    text = "\n\n".join([*lines[:1], words, *lines[1:]] if failed else [words, *lines])
    # The agent's own words are in the chat already; null says nothing more there.
    chat = "\n\n".join(lines) or None
    result = {**kept, "text": text, "proposals": outcomes, "windmill_chat_answer": chat}
    if failed and failed == len(outcomes):
        raise TogetherError(
            " ".join(lines),
            type="nothing_done",
            partial=result,
            advice="Correct what each failed for, or ask the agent again.",
        )
    return result


def _decide(auth: Auth, proposal: Members, approved: bool) -> Members:
    if not approved:
        return {**proposal, "outcome": "refused"}
    try:
        return {**proposal, "outcome": "done", "result": carry_out(auth, proposal)}
    except TogetherError as error:
        return {**proposal, "outcome": "failed", "error": str(error)}


def _line(proposal: Members) -> str:
    words = {"done": "Done", "refused": "Not done, as nobody allowed it"}
    words["failed"] = f"Failed ({proposal.get('error')})"
    usd = finite(proposal.get("usd"))
    limit = f" (at most {money(usd)} USD)" if usd else ""
    return f"{words[proposal['outcome']]}: {proposal.get('what')}{limit}."


# --- what Windmill's step returned ---------------------------------------------------


def _calls(messages: list[Json]) -> Iterator[Members]:
    """Yield {"tool", "id", "arguments", "content", "result"} of each tool's message of
    this run; "result" is what the content holds as JSON, else None."""
    asked: dict[str, str] = {}
    for message in messages:
        if not isinstance(message, dict):
            continue
        for call in message.get("tool_calls") or ():
            function = call.get("function") or {}
            asked[str(call.get("id"))] = str(function.get("arguments"))
        action = message.get("agent_action")
        if message.get("role") != "tool" or not isinstance(action, dict):
            continue
        content = message.get("content")
        content = content if isinstance(content, str) else json.dumps(content)
        result, _ = parse_json(content.encode("utf-8", "replace"))
        yield {
            "tool": str(action.get("function_name")),
            "id": action.get("module_id"),
            "arguments": asked.get(str(message.get("tool_call_id")), ""),
            "content": content,
            "result": result,
        }


def _call_summary(call: Members) -> Members:
    """Return what a result tells of a call. Every tool's result has a text; of one that
    failed Windmill tells the model the bare error, with its message, or only words."""
    result = call["result"] if isinstance(call["result"], dict) else {}
    ok = isinstance(result.get("text"), str)
    text = result["text"] if ok else result.get("message")
    text = text if isinstance(text, str) else call["content"]
    given = call["arguments"][:SHOWN]
    return {"tool": call["tool"], "arguments": given, "ok": ok, "result": text}


def _proposals(calls: list[Members], proposing: list[str]) -> Iterator[Members]:
    """Yield each proposal once, of the tools that may make some."""
    seen = set()
    for call in calls:
        found = proposal_of(call["result"]) if call["id"] in proposing else None
        mark = json.dumps(found, sort_keys=True)
        if found is not None and mark not in seen:
            seen.add(mark)
            yield found


def _costs_of_run(auth: Auth, model: str, usage: Json, calls: list[Members]) -> Members:
    """Return {"cost_usd", "cost_note"?} of the model's answers and of all tools."""
    usage = usage if isinstance(usage, dict) else {}
    tokens = {
        "prompt_tokens": usage.get("input_tokens"),
        "completion_tokens": usage.get("output_tokens"),
    }
    costs: list[tuple[float | None, str | None]] = [(None, UNTOLD)]
    if all(isinstance(count, int) for count in tokens.values()):
        costs = [cost(auth, model, tokens)]
    return cost_fields(*sum_costs([*costs, *_costs_of_tools(calls)]))


def _costs_of_tools(calls: list[Members]) -> Iterator[tuple[float | None, str | None]]:
    """Yield (USD or None, why it is not known) of each call that may have cost something,
    and of each batch that was started: what the call says that fetched its answers."""
    batches_begun: dict[frozenset[str], None] = {}
    costs_fetched: dict[frozenset[str], tuple[float | None, str]] = {}
    for call in calls:
        tool = call["tool"]
        result = call["result"] if isinstance(call["result"], dict) else {}
        note = str(result.get("cost_note") or f"{tool} does not tell its cost")
        if tool == FETCH and "cost_usd" in result:
            costs_fetched[_batches_of(result)] = finite(result["cost_usd"]), note
        if tool in FREE:
            continue
        if batches := _batches_of(result):
            batches_begun[batches] = None
        elif "cost_usd" in result:
            yield finite(result["cost_usd"]), note
        elif _has_failed(call) and not job_unpaid(result):
            yield None, f"what {tool} cost, which failed, is not told"
    for batches in batches_begun:
        yield costs_fetched.get(batches, (None, BATCH_UNTOLD))


def _batches_of(result: Members) -> frozenset[str]:
    """Return the ids of the batches that a tool started or fetched, also where it failed
    behind the first of them."""
    extra = result.get("extra")
    facts = {**result, **(extra if isinstance(extra, dict) else {})}
    ids = facts.get("batch_id")
    if facts.get("kind") == "batch":
        ids = facts.get("job_id")
    return frozenset(filter(None, map(str.strip, str(ids or "").split(","))))


def _has_failed(call: Members) -> bool:
    """Say whether a call failed: Windmill tells its error, or only words."""
    result = call["result"]
    if isinstance(result, dict):
        return "message" in result and "text" not in result
    return result is None and call["content"] != "null"


def _no_answer(error: Members, partial: Members) -> TogetherError:
    words = str(error.get("message"))[:SHOWN]
    if "max iterations" in words:
        advice = "Raise the number of rounds, or ask for less at once."
        return TogetherError(
            "The agent wanted more rounds of tools than it may have.",
            type="nothing_done",
            advice=advice,
            partial=partial,
        )
    return TogetherError(
        f"The agent came to no answer: {words}", type="nothing_done", partial=partial
    )


# --- citations -----------------------------------------------------------------------

CITATION = re.compile(r"\[([^\[\]]{1,300}), ?(\d{1,9})\]")


def _citations(
    text: str, calls: list[Members], tool: str
) -> tuple[Members, str | None]:
    """Return {"citations": [{"source", "start", "text"}]} of the passages that were
    read and are named in a text as [source, start], and what is wrong with others."""
    known: dict[tuple[str, str], str] = {}
    for call in calls:
        result = call["result"]
        if call["id"] != tool or not isinstance(result, dict):
            continue
        places = [
            (str(one.get("source")), str(one.get("start")))
            for one in result.get("passages") or ()
            if isinstance(one, dict)
        ]
        known |= _passages(str(result.get("text")), places)
    named = dict.fromkeys(CITATION.findall(text))
    found = [place for place in named if place in known]
    lost = [
        f"[{source}, {start}]"
        for source, start in named
        if (source, start) not in known
    ]
    note = None
    if lost:
        note = f"Named in the answer, but never read: {', '.join(lost[:10])}."
    elif not found:
        note = "The answer names no passage: nothing shows where it is from."
    citations = [
        {"source": source, "start": int(start), "text": known[source, start]}
        for source, start in found
    ]
    return {"citations": citations}, note


def _passages(text: str, places: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return the text of each passage of what find_passages wrote, one after the other,
    each under a line with its place."""
    found, end = {}, len(text)
    for source, start in reversed(places):
        head = f"[{source}, {start}]\n"
        begin = text.rfind(head, 0, end)
        if begin < 0:
            continue  # cut off with the end of the text
        found[source, start] = text[begin + len(head) : end].strip()
        end = begin
    return found
