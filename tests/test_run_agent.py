"""A model that uses scripts and flows as its tools: in one step, and as a flow whose
loop is the engine's own. The sandbox's model makes the calls that its question says.
"""

import copy
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from mcp.server import MCPServer
from starlette.responses import PlainTextResponse

from scripts.client import TogetherError
from scripts.mcp_client import McpServer
from scripts.resilience import retry
from scripts.transfer import public_fetch
from scripts.workspace import conversation
from tests.support.canned_chat import CHAT, MODEL, asked, price, say, usage
from tests.support.expected_request import main_of
from tests.test_flows import answers
from tools.flows.flow_engine import Engine
from tools.local.server_thread import ServerThread, running
from tools.operations import find
from tools.sandbox import Fault

SCHEMA = {
    "type": "object",
    "properties": {"number": {"type": "integer"}},
    "required": ["number"],
}
FIND = {"path": "f/shop/find_order"}
CANCEL = {"path": "f/shop/cancel", "approval": True}
STEPS = ("begin", "ask", "start", "start_asked", "look", "finish")


@pytest.fixture
def engine(kept, workspace, lifecycles, auth):
    return Engine(workspace, auth, lifecycles.advance)


@pytest.fixture(params=["storage", "state"])
def kept(request, workspace):
    """Where conversations are: in storage, and in a workspace without one."""
    workspace.configure(storage=request.param == "storage")
    return request.param


@pytest.fixture
def shop(engine, workspace):
    """Scripts of a workspace, and the numbers that they were called with."""
    called = []

    def find_order(number):
        called.append(number)
        if number == 404:
            raise ValueError("no such order")
        return {"number": number, "state": "sent"}

    def cancel(number):
        called.append(-number)
        return f"cancelled {number}"

    workspace.register(FIND["path"], find_order, schema=SCHEMA)
    workspace.register(CANCEL["path"], cancel, schema=SCHEMA)
    return called


def call(tool, number):
    return {"tool": tool, "arguments": {"number": number}}


def said(*rounds, **more):
    return json.dumps({"rounds": list(rounds), **more})


def in_one_step(engine, auth, **arguments):
    return main_of(find("chat/call_tools"))(auth, **arguments)


def as_a_flow(engine, auth, **arguments):
    run = engine.run("run_agent", **arguments)
    assert run.outcome == "success", run.result
    return run.result


BOTH = pytest.mark.parametrize("use", [in_one_step, as_a_flow])


@BOTH
def test_calls_are_made_round_by_round_and_several_at_once(
    use, engine, shop, auth, sandbox
):
    prompt = said(
        [call("find_order", 1), call("find_order", 2)], [call("find_order", 3)]
    )

    found = use(engine, auth, prompt=prompt, tools=[FIND], model=MODEL)

    assert sorted(shop) == [1, 2, 3]
    assert found["rounds"] == 2
    assert [one["arguments"]["number"] for one in found["calls"]] == [1, 2, 3]
    assert found["text"] == 'The tools say: {"number": 3, "state": "sent"}'
    assert found["cost_usd"] > 0
    last = asked(sandbox)[-1]["messages"]
    roles = ["user", "assistant", "tool", "tool", "assistant", "tool"]
    assert [message["role"] for message in last] == roles


@BOTH
@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (call("find_order", 404), "no such order"),
        (call("nothing", 1), "there is no tool 'nothing'"),
        ({"tool": "find_order", "arguments": "{"}, "the arguments are not JSON"),
        ({"tool": "find_order", "arguments": {}}, "arguments.number is required"),
        (call("find_order", "$var:u/admin/x"), "do not fit"),
    ],
)
def test_what_goes_wrong_is_told_to_the_model(use, wanted, words, engine, shop, auth):
    found = use(engine, auth, prompt=said([wanted]), tools=[FIND], model=MODEL)

    assert words in found["text"]
    assert words in found["calls"][0]["error"]
    assert shop in ([], [404])


def in_a_resolved_step(engine, auth, **arguments):
    """As a job whose arguments Windmill resolved, and keeps as they were given."""
    engine.workspace.arguments = copy.deepcopy(arguments)
    given = engine.workspace.secrets().arguments(copy.deepcopy(arguments))
    return in_one_step(engine, auth, **given)


@pytest.mark.parametrize("use", [in_a_resolved_step, as_a_flow])
def test_a_key_that_a_tool_is_given_is_in_no_job(use, engine, auth, workspace):
    got = []
    path = "f/shop/look_up"
    schema = {"type": "object", "properties": {"shop": {}, "number": {}}}
    workspace.register(path, lambda **given: got.append(given), schema=schema)
    kept = {"api_key": "shop_secret", "region": "eu"}
    workspace.resources["f/shop/key"] = {"value": kept, "resource_type": "shop"}
    wanted = {"tool": "look_up", "arguments": {"number": 5}}
    tools = [{"path": path, "arguments": {"shop": "$res:f/shop/key"}}]

    found = use(engine, auth, prompt=said([wanted]), tools=tools, model=MODEL)

    assert got == [{"number": 5, "shop": kept}]
    (job,) = [job for job in workspace.jobs.values() if job.path == path]
    assert job.arguments == {"number": 5, "shop": "$res:f/shop/key"}
    assert "shop_secret" not in json.dumps(found)


def test_tools_behind_a_reference_with_keys_are_refused(engine, auth, workspace):
    row = {"path": "f/shop/find_order", "arguments": {"shop": {"key": "shop_secret"}}}
    workspace.register(row["path"], lambda **_: 1)
    workspace.arguments = {"prompt": "x", "tools": "$res:f/shop/tools"}

    with pytest.raises(TogetherError, match="must be the rows themselves") as caught:
        in_one_step(engine, auth, prompt="x", tools=[row], model=MODEL)
    assert "shop_secret" not in str(caught.value)


@BOTH
def test_rounds_have_an_end(use, engine, shop, auth):
    prompt = said(*[[call("find_order", n)] for n in range(9)], answer="Enough.")

    found = use(engine, auth, prompt=prompt, tools=[FIND], model=MODEL, max_rounds=2)

    assert (shop, found["rounds"], found["text"]) == ([0, 1], 2, "Enough.")


@BOTH
@pytest.mark.parametrize(
    ("numbers", "note"),
    [
        ([404], "the only call failed: the answer rests on no tool"),
        ([404, 404], "all 2 calls failed: the answer rests on no tool"),
        ([404, 1], None),
        ([], None),
    ],
)
def test_an_answer_to_which_no_call_helped_says_so(
    use, numbers, note, engine, shop, auth
):
    prompt = said(*[[call("find_order", n)] for n in numbers], answer="No idea.")

    found = use(engine, auth, prompt=prompt, tools=[FIND], model=MODEL)

    assert found["text"] == "No idea."
    assert found.get("note") == note


@BOTH
def test_a_model_that_ends_without_a_word_has_done_nothing(use, engine, shop, auth):
    prompt = said([call("find_order", 1)], answer=" ")
    given = {"prompt": prompt, "tools": [FIND], "model": MODEL}

    if use is in_one_step:
        with pytest.raises(TogetherError, match="gave no text") as caught:
            use(engine, auth, **given)
        extra = vars(caught.value)
    else:
        run = engine.run("run_agent", **given)
        assert run.outcome == "failure"
        extra = run.result["error"]["extra"]

    assert extra["type"] == "nothing_done"
    (made,) = extra["partial"]["calls"]
    assert made["result"]
    assert extra["partial"]["cost_usd"] > 0


def ending(name, message, reason):
    """An answer that ended with this finish_reason; a message may call one tool."""
    if not isinstance(message, str):
        function = {"name": name, "arguments": message["arguments"]}
        calls = [{"id": "c1", "type": "function", "function": function}]
        message = {"role": "assistant", "content": None, "tool_calls": calls}
    else:
        message = {"role": "assistant", "content": message}

    def answer(body, whole):
        [choice] = whole["choices"]
        choice["message"], choice["finish_reason"] = message, reason
        return whole

    return answer


@BOTH
@pytest.mark.parametrize("given", ["", "{}", '{"num'])
@pytest.mark.parametrize("reason", ["length", "stop"])
def test_a_call_within_which_the_answer_was_cut_is_not_made(
    use, given, reason, engine, workspace, auth, sandbox
):
    called = []

    def clear(**given):
        called.append(given)
        return "cleared"

    schema = {"type": "object", "properties": {"number": {"type": "integer"}}}
    workspace.register("f/shop/clear", clear, schema=schema)
    wanted = ending("clear", {"arguments": given}, reason)
    say(sandbox, wanted, ending("", "Done.", "stop"))

    found = use(
        engine, auth, prompt="Hi", tools=[{"path": "f/shop/clear"}], model=MODEL
    )

    [call] = found["calls"]
    may = reason == "stop" and given != '{"num'
    assert called == ([{}] if may else [])
    assert ("the message was cut" in str(call["error"])) == (reason == "length")
    told = asked(sandbox)[-1]["messages"][-1]["content"]
    assert ("the message was cut" in told) == (reason == "length")


def test_nobody_is_asked_about_a_call_that_was_cut(engine, shop, auth, sandbox):
    wanted = ending("cancel", {"arguments": ""}, "length")
    say(sandbox, wanted, ending("", "Done.", "stop"))

    found = as_a_flow(engine, auth, prompt="Hi", tools=[CANCEL], model=MODEL)

    assert (found["text"], shop) == ("Done.", [])


def test_a_name_with_signs_around_it_is_asked_about_all_the_same(
    engine, shop, auth, sandbox
):
    given = {"arguments": '{"number": 5}'}
    wanted = ending("functions.cancel<|channel|>commentary", given, "stop")
    say(sandbox, wanted, ending("", "Done.", "stop"))
    engine.decide = answers("cancel")

    found = as_a_flow(engine, auth, prompt="Hi", tools=[CANCEL], model=MODEL)

    assert shop == []
    assert "did not allow" in found["calls"][0]["error"]


@BOTH
@pytest.mark.parametrize(
    ("reason", "note"),
    [
        ("length", "the answer was cut: max_tokens"),
        ("content_filter", "the answer was cut: a filter"),
        ("stop", None),
    ],
)
def test_a_last_answer_that_was_cut_says_so(
    use, reason, note, engine, shop, auth, sandbox
):
    say(sandbox, ending("", "The order is", reason))

    found = use(engine, auth, prompt="Hi", tools=[FIND], model=MODEL)

    assert found["text"] == "The order is"
    assert (found.get("note") or "").startswith(note or "")
    assert ("note" in found) == bool(note)


WRITTEN = '{"name": "find_order", "arguments": {"number": 1}}'


@BOTH
@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (f"<tool_call>\n{WRITTEN}\n</tool_call>", True),
        (f"I will look.\n<tool_call>{WRITTEN}", True),
        ("[TOOL_CALLS]find_order{}", True),
        ("<\uff5ctool\u2581calls\u2581begin\uff5c>find_order", True),
        (WRITTEN, True),
        ('{"type": "function", "function": ' + WRITTEN + "}", True),
        (WRITTEN.replace("find_order", "Ann"), False),
        (f"Qwen writes:\n```\n<tool_call>{WRITTEN}\n```", False),
        ("It writes <tool_call> first.", False),
    ],
)
def test_a_call_that_is_written_as_text_is_no_answer(
    use, text, wrong, engine, shop, auth, sandbox
):
    say(sandbox, text)
    given = {"prompt": "Hi", "tools": [FIND], "model": MODEL}

    if not wrong:
        assert use(engine, auth, **given)["text"] == text
        return
    if use is in_one_step:
        with pytest.raises(TogetherError, match="wrote a call") as caught:
            use(engine, auth, **given)
        extra = vars(caught.value)
    else:
        run = engine.run("run_agent", **given)
        assert "wrote a call" in run.result["error"]["message"]
        extra = run.result["error"]["extra"]
    assert extra["type"] == "answer_misfit"
    assert extra["partial"]["text"] == text
    assert extra["partial"]["cost_usd"] > 0


def test_who_wants_more_rounds_than_there_are_is_told_of_them(
    engine, shop, auth, sandbox
):
    say(sandbox, ending("find_order", {"arguments": '{"number": 1}'}, "tool_calls"))
    given = {"prompt": "Hi", "tools": [FIND], "model": MODEL, "max_rounds": 1}

    with pytest.raises(TogetherError) as caught:
        in_one_step(engine, auth, **given)

    assert "max_rounds" in caught.value.advice


@BOTH
def test_a_budget_that_is_used_up_ends_it(use, engine, shop, auth, sandbox):
    prompt = said([call("find_order", 1)])
    given = {"prompt": prompt, "tools": [FIND], "model": MODEL, "budget_usd": 1e-9}

    if use is in_one_step:
        with pytest.raises(TogetherError) as caught:
            use(engine, auth, **given)
        kind = caught.value.type
    else:
        kind = engine.run("run_agent", **given).result["error"]["extra"]["type"]

    assert kind == "budget_reached"
    assert shop == []


@BOTH
def test_a_budget_holds_where_answers_tell_no_usage(use, engine, shop, auth, sandbox):
    """What was set aside for such a question is spent, as far as anybody knows."""

    def untold(body, whole):
        function = {"name": "find_order", "arguments": '{"number": 1}'}
        wanted = {"id": "c", "type": "function", "function": function}
        message = {"role": "assistant", "content": "", "tool_calls": [wanted]}
        choice = {**whole["choices"][0], "message": message}
        whole = {name: value for name, value in whole.items() if name != "usage"}
        return {**whole, "choices": [{**choice, "finish_reason": "tool_calls"}]}

    say(sandbox, untold)
    given = {"prompt": "go", "tools": [FIND], "model": MODEL, "budget_usd": 0.004}
    given |= {"max_rounds": 40, "max_tokens": 1000}

    if use is in_one_step:
        with pytest.raises(TogetherError) as caught:
            use(engine, auth, **given)
        kind, spent = caught.value.type, caught.value.spent_usd
    else:
        told = engine.run("run_agent", **given).result["error"]["extra"]
        kind, spent = told["type"], told["spent_usd"]

    assert kind == "budget_reached"
    assert len(asked(sandbox)) == 5
    assert 0.003 < spent <= 0.004


@pytest.mark.parametrize(("link", "called"), [("resume", [-5]), ("cancel", [])])
def test_a_tool_so_marked_waits_for_a_person(link, called, engine, shop, auth):
    shown = []

    def decide(links):
        shown.append(links["description"]["markdown"])
        answers(link)(links)

    engine.decide = decide
    prompt = said([call("find_order", 1)], [call("cancel", 5)])
    tools = [FIND, CANCEL]

    found = as_a_flow(engine, auth, prompt=prompt, tools=tools, model=MODEL)

    assert shop == [1, *called]
    assert "May the agent use cancel?" in shown[0]
    assert "5" in shown[0]
    assert len(shown) == 1
    refused = "a person was asked and did not allow this call"
    assert (refused in found["text"]) == (link == "cancel")


def test_nobody_who_answers_is_a_no(engine, shop, auth):
    prompt = said([call("cancel", 5)])

    found = as_a_flow(engine, auth, prompt=prompt, tools=[CANCEL], model=MODEL)

    assert shop == []
    assert "did not allow" in found["text"]


def test_a_conversation_goes_on(kept, engine, shop, auth, sandbox):
    first = as_a_flow(
        engine,
        auth,
        prompt=said([call("find_order", 1)]),
        tools=[FIND],
        model=MODEL,
        system="You work for a shop.",
    )
    name = first["conversation"]
    second = as_a_flow(engine, auth, prompt="And now?", tools=[FIND], conversation=name)

    assert name.startswith(kept)
    assert second["conversation"] == name
    assert second["model"] == MODEL
    messages = asked(sandbox)[-1]["messages"]
    roles = ["system", "user", "assistant", "tool", "assistant", "user", "assistant"]
    assert [message["role"] for message in messages][:6] == roles[:6]
    assert messages[5]["content"] == "And now?"


@pytest.mark.parametrize("name", ["nonsense", "../x", "state-" + "0" * 36])
def test_a_conversation_that_is_not_kept_is_told(name, engine, shop, auth, sandbox):
    run = engine.run("run_agent", prompt="x", tools=[FIND], conversation=name)

    assert run.outcome == "failure"
    assert "conversation" in run.result["message"]
    assert asked(sandbox) == []


@pytest.mark.slow
@pytest.mark.parametrize("heard", [True, False], ids=["kept", "lost"])
@pytest.mark.parametrize("step", STEPS)
def test_killed_in_any_step_it_goes_on(
    step, heard, engine, shop, auth, workspace, monkeypatch
):
    """The step did its work, and runs again: what it kept is there, or it ended before
    it could keep it."""
    killed, execute = [], engine._execute

    def dying(run, module, path, arguments):
        if module["id"] != step or step in killed:
            return execute(run, module, path, arguments)
        killed.append(step)
        before = copy.deepcopy((workspace.objects, workspace.resources))
        execute(run, module, path, arguments)
        if not heard:
            workspace.objects, workspace.resources = before
        return execute(run, module, path, arguments)

    monkeypatch.setattr(engine, "_execute", dying)
    engine.decide = answers("resume")
    prompt = said([call("find_order", 1)], [call("find_order", 3), call("cancel", 2)])

    found = as_a_flow(engine, auth, prompt=prompt, tools=[FIND, CANCEL], model=MODEL)

    assert killed == [step]
    assert sorted(shop) == [-2, 1, 3]
    assert found["rounds"] == 2


@pytest.fixture
def broken_off(engine, workspace, sandbox, monkeypatch):
    """Lets the step that asks the first question end when the service has it, with what
    it had kept by then, and run again. Call it before each run."""
    kept, execute, answer = [None], engine._execute, sandbox.answer

    async def watched(request, path):
        if path == CHAT.exchange["path"] and not kept:
            kept.append(copy.deepcopy((workspace.objects, workspace.resources)))
        return await answer(request, path)

    def dying(run, module, path, arguments):
        result = execute(run, module, path, arguments)
        if kept[-1:] not in ([], [None]):
            workspace.objects, workspace.resources = kept[0]
            kept.append(None)
            result = execute(run, module, path, arguments)
        return result

    monkeypatch.setattr(sandbox, "answer", watched)
    monkeypatch.setattr(engine, "_execute", dying)
    return kept.clear


def test_a_question_that_broke_off_is_asked_again_and_says_so(
    engine, shop, auth, sandbox, broken_off
):
    broken_off()
    prompt = said([call("find_order", 1)], [call("find_order", 3)])

    found = as_a_flow(engine, auth, prompt=prompt, tools=[FIND], model=MODEL)

    assert len(asked(sandbox)) == 4
    assert shop == [1, 3]
    assert found["note"] == (
        "1 question was asked again after the step broke off, and may have been paid "
        "twice: cost_usd counts each once"
    )


def test_a_budget_counts_it_twice(engine, shop, sandbox, broken_off):
    given = {"prompt": said([call("find_order", 1)]), "tools": [FIND], "model": MODEL}

    def spent(budget):
        run = engine.run("run_agent", **given, budget_usd=budget, max_tokens=9)
        return run.result["error"]["extra"].get("spent_usd")

    # The least budget that does for the first question does not do for the second.
    budget = 1e-6
    while not (once := spent(budget)):
        budget *= 1.2
    broken_off()

    assert spent(budget) == pytest.approx(2 * once)


@pytest.mark.parametrize(("status", "count"), [(400, 0), (504, 1)])
def test_a_question_without_an_answer_counts_unless_it_was_refused(
    status, count, engine, shop, sandbox, monkeypatch
):
    monkeypatch.setattr(retry, "FIRST_WAIT", retry.FIRST_WAIT / 1000)
    sandbox.faults.append(Fault(CHAT.exchange["path"], status, times=99))
    engine.workspace.configure(storage=False)
    engine.workspace.register(FIND["path"], lambda number: number, schema=SCHEMA)

    run = engine.run("run_agent", prompt="x", tools=[FIND], model=MODEL)

    assert run.outcome == "failure"
    (state,) = engine.workspace.resources.values()
    assert state["value"].get("asked", 0) == 0
    assert [one["asked"] for one in state["value"]["answers"]] == [1] * count
    extra = run.result["error"]["extra"]
    assert extra["partial"]["cost_usd"] is None
    assert run.result["kept"]["conversation"] == extra["partial"]["conversation"]


USED = {"prompt_tokens": 9000, "completion_tokens": 3000, "total_tokens": 12000}
HUNG = {"faults": [Fault(CHAT.exchange["path"], 504, times=9)]}
BROKEN = {"faults": [], "reason": "error"}
UNTOLD = {**BROKEN, "usage": None}


def second_of_two(sandbox, faults, **ending):
    """Let the model ask for a tool, the next request meet so many faults, and the
    answer to it, of two words, end so."""

    def wanted(_, whole):
        function = {"name": "find_order", "arguments": '{"number": 1}'}
        calls = [{"id": "c", "type": "function", "function": function}]
        whole["choices"][0] |= {"finish_reason": "tool_calls"}
        whole["choices"][0]["message"] = {"role": "assistant", "tool_calls": calls}
        sandbox.faults += faults
        return whole

    def answer(_, whole):
        whole["choices"][0] |= {"finish_reason": ending.get("reason", "stop")}
        whole["choices"][0]["message"] = {"role": "assistant", "content": "It was"}
        return {**whole, "usage": ending.get("usage", USED)}

    say(sandbox, wanted, answer)


@BOTH
@pytest.mark.parametrize("max_rounds", [1, 9])  # the last question is without calls
@pytest.mark.parametrize("how", [HUNG, BROKEN, UNTOLD], ids=["hung", "broken", "bare"])
def test_a_question_that_was_paid_in_vain_is_in_the_bill(
    use, how, max_rounds, engine, shop, auth, sandbox, monkeypatch
):
    monkeypatch.setattr(retry, "FIRST_WAIT", retry.FIRST_WAIT / 1000)
    second_of_two(sandbox, **copy.deepcopy(how))
    given = {"prompt": "x", "tools": [FIND], "model": MODEL, "max_rounds": max_rounds}

    if use is in_one_step:
        with pytest.raises(TogetherError) as caught:
            use(engine, auth, **given)
        extra = vars(caught.value)
    else:
        run = engine.run("run_agent", **given)
        extra = run.result["error"]["extra"]

    assert extra["may_be_paid"] is True
    partial, first = extra["partial"], usage()
    if how == BROKEN:
        tokens = [first[name] + USED[name] for name in USED]
        assert [partial["usage"][name] for name in USED] == tokens
        assert partial["cost_usd"] == pytest.approx(price(*tokens[:2]))
    else:
        assert partial["usage"]["total_tokens"] == first["total_tokens"]
        assert (partial["cost_usd"], bool(partial["cost_note"])) == (None, True)
    assert partial.get("text") == (None if how == HUNG else "It was")
    assert [one["result"] for one in partial["calls"]] != [None]
    assert shop == [1]


@BOTH
def test_a_try_with_a_word_that_a_service_refuses_may_have_been_paid_for(
    use, engine, shop, auth, sandbox, monkeypatch
):
    """It hung at first, and was refused when it was sent again."""
    monkeypatch.setattr(retry, "FIRST_WAIT", retry.FIRST_WAIT / 1000)
    path = CHAT.exchange["path"]
    refusal = {"error": {"message": "tool_choice is not known"}}
    faults = [Fault(path, 504), Fault(path, 400, body=refusal)]
    second_of_two(sandbox, faults)
    given = {"prompt": "x", "tools": [FIND], "model": MODEL, "max_rounds": 1}

    found = use(engine, auth, **given)

    assert [body.get("tool_choice") for body in asked(sandbox)][1:] == (
        ["none", "none", None]
    )
    assert found["text"] == "It was"
    tokens = usage()["total_tokens"] + USED["total_tokens"]
    assert found["usage"]["total_tokens"] == tokens
    assert (found["cost_usd"], bool(found["cost_note"])) == (None, True)


@pytest.mark.parametrize("step", ["ask", "start"])
def test_tools_that_are_gone_midway_lose_nothing_that_was_paid_for(
    step, engine, shop, auth, workspace, monkeypatch
):
    """The second question is asked no more, or what it wants is not started."""
    execute, steps = engine._execute, []

    def removing(run, module, path, arguments):
        steps.append(module["id"])
        if steps.count(step) == 2:
            workspace.runnables.pop(("script", FIND["path"]), None)
        return execute(run, module, path, arguments)

    monkeypatch.setattr(engine, "_execute", removing)
    prompt = said([call("find_order", 1)], [call("find_order", 2)])

    run = engine.run("run_agent", prompt=prompt, tools=[FIND], model=MODEL)

    assert run.outcome == "failure"
    extra = run.result["error"]["extra"]
    assert "cannot be used" in extra["problems"][0]["problem"]
    assert [one["result"] for one in extra["partial"]["calls"]] != [None]
    assert extra["partial"]["cost_usd"] > 0
    assert extra["may_be_paid"] is True
    assert shop == [1]


def test_an_answer_that_cannot_be_kept_is_told(
    engine, shop, auth, sandbox, workspace, kept
):
    place = {"storage": "upload_s3_file", "state": "resources/update"}[kept]

    def answer(_, whole):
        workspace.faults.append(Fault(place, 400, times=99))
        whole["choices"][0]["message"] = {"role": "assistant", "content": "It was."}
        return whole

    say(sandbox, answer)

    run = engine.run("run_agent", prompt="x", tools=[FIND], model=MODEL)

    assert run.outcome == "failure"
    partial = run.result["error"]["extra"]["partial"]
    assert partial["text"] == "It was."
    assert partial["usage"] is not None


# --- servers of tools ---------------------------------------------------------------


@pytest.fixture(scope="module")
def _tool_server():
    made = MCPServer("stock")
    seen = []

    @made.tool(description="How many are left.")
    def count_stock(item: str) -> str:
        seen.append(item)
        if item == "none":
            raise ValueError("no such item")
        return f"{len(item)} of {item}"

    class Guarded:
        """The server behind a token."""

        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            sent = dict(scope.get("headers", ())).get(b"authorization")
            app = self.app
            if scope["type"] == "http" and sent != b"Bearer mcp_secret":
                app = PlainTextResponse("who are you?", 401)
            await app(scope, receive, send)

    app = Guarded(made.streamable_http_app())
    server = ServerThread(app, log_level="critical")
    server.server.config.lifespan = "on"
    with server:
        yield f"http://127.0.0.1:{server.port}/mcp", seen


@pytest.fixture
def stock(_tool_server):
    url, seen = _tool_server
    seen.clear()
    return {"mcp": url, "token": "mcp_secret"}, seen


@BOTH
def test_the_tools_of_an_mcp_server_are_tools(use, engine, shop, auth, stock, sandbox):
    row, seen = stock
    wanted = [{"tool": "count_stock", "arguments": {"item": "nails"}}]
    prompt = said([*wanted, call("find_order", 1)])

    found = use(engine, auth, prompt=prompt, tools=[row, FIND], model=MODEL)

    assert seen == ["nails"]
    assert shop == [1]
    assert "5 of nails" in found["text"]
    offered = asked(sandbox)[0]["tools"][0]["function"]
    assert offered["description"] == "How many are left."
    assert offered["parameters"]["required"] == ["item"]
    assert "mcp_secret" not in json.dumps(found)


@BOTH
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"item": "none"}, "the tool failed: Error executing tool"),
        ({}, "arguments.item is required"),
    ],
)
def test_what_an_mcp_server_refuses_is_told(
    use, given, words, engine, shop, auth, stock
):
    wanted = [{"tool": "stock_count_stock", "arguments": given}]
    row = {**stock[0], "name": "stock"}

    found = use(engine, auth, prompt=said(wanted), tools=[row], model=MODEL)

    assert words in found["calls"][0]["error"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"token": "wrong"}, "answered with status 401"),
        ({"mcp": "ftp://example.com/mcp"}, "must be an address with https://"),
        ({"mcp": "http://8.8.8.8/mcp"}, "is not https"),
        ({"mcp": "http://169.254.169.254/latest/"}, "an address that no"),
        ({"mcp": "https://100.100.100.200/mcp"}, "an address that no"),
        ({"token": "two words"}, "must be a token"),
        ({"token": "mcp_secret\nX-Other: 1"}, "must be a token"),
        ({"mcp": "http://127.0.0.1:9/mcp"}, "cannot be reached"),
        ({"path": "f/shop/find_order"}, "give one of them"),
    ],
)
def test_an_mcp_server_that_cannot_be_used_is_told(
    changed, words, engine, shop, auth, stock, sandbox
):
    row = {**stock[0], **changed}
    with pytest.raises(TogetherError, match=words) as caught:
        in_one_step(engine, auth, prompt="x", tools=[row], model=MODEL)

    assert "mcp_secret" not in str(caught.value)
    assert asked(sandbox) == []


class OddServer(BaseHTTPRequestHandler):
    """Answers in a stream that it leaves open, and lists the tools that it is given."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.tokens.append(self.headers["Authorization"])
        if self.server.leads_to:
            self.send_response(307)
            self.send_header("Location", self.server.leads_to)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        kind = {"initialize": {"protocolVersion": "2025-03-26"}}
        kind["tools/list"] = {"tools": self.server.tools}
        kind["tools/call"] = {"content": [{"type": "text", "text": "9 left"}]}
        if asked["method"] == "tools/call":
            self.server.given.append(asked["params"]["arguments"])
        if self.server.silent and asked["method"] == "tools/call":
            self.server.over.wait(60)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if "id" in asked:
            answer = {"id": asked["id"], "result": kind[asked["method"]]}
            for message in ({"method": "notifications/progress"}, answer):
                text = f"data: {json.dumps({'jsonrpc': '2.0', **message})}\n\n"
                self.wfile.write(f"{len(text):x}\r\n{text}\r\n".encode())
        self.wfile.flush()
        self.server.over.wait(60)  # the answer is there, the stream stays


GOOD_TOOL = {"name": "count", "inputSchema": {"type": "object", "properties": {}}}


@pytest.fixture
def odd():
    server = ThreadingHTTPServer(("127.0.0.1", 0), OddServer)
    server.daemon_threads = True
    server.tools, server.tokens, server.leads_to = [GOOD_TOOL], [], None
    server.given = []  # to its tools
    server.silent = False  # when a tool is called
    server.over = threading.Event()
    with running(server):
        yield server, {"mcp": f"http://127.0.0.1:{server.server_port}/mcp"}
        server.over.set()
    server.server_close()


def test_the_answer_ends_a_stream_that_stays_open(odd, engine, shop, auth):
    """Read to its end, each of the five would take 120 seconds, and fail."""
    server, row = odd
    row["token"] = "\n mcp_secret\n"
    prompt = said([{"tool": "count", "arguments": {}}])

    found = in_one_step(engine, auth, prompt=prompt, tools=[row], model=MODEL)

    assert found["calls"][0]["result"] == "9 left"
    assert set(server.tokens) == {"Bearer mcp_secret"}
    assert not server.over.is_set()


def test_a_tool_of_a_server_has_the_time_that_is_left(odd, engine, shop, auth):
    server, row = odd
    server.silent = True
    prompt = said([{"tool": "count", "arguments": {}}])

    with pytest.raises(TogetherError, match="2 s of the step") as caught:
        in_one_step(
            engine,
            auth,
            prompt=prompt,
            tools=[row],
            model=MODEL,
            stop_after_seconds=2,  # enough until the call, on a busy machine too
        )

    (call_made,) = caught.value.partial["calls"]
    assert "it did not answer within" in call_made["error"]
    assert call_made["seconds"] < 30  # not the 120 that an exchange may take
    assert not server.over.is_set()


@BOTH
@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ({"inputSchema": {"type": "nonsense"}}, "nonsense"),
        ({"inputSchema": {"title": "x", "$ref": "#/title/y"}}, "leads nowhere"),
        ({"inputSchema": {"description": "x" * 40_000}}, "more than 32 KiB"),
        ({**GOOD_TOOL, "name": "count"}, "another is called count too"),
    ],
)
def test_a_tool_that_cannot_be_used_is_left_out_alone(
    use, tool, words, odd, engine, shop, auth, sandbox
):
    server, row = odd
    server.tools.append({"name": "other", **tool})
    prompt = said([{"tool": "count", "arguments": {}}])

    found = use(engine, auth, prompt=prompt, tools=[row], model=MODEL)

    offered = [tool["function"]["name"] for tool in asked(sandbox)[0]["tools"]]
    assert offered == ["count"]
    assert found["calls"][0]["result"] == "9 left"
    assert "is left out" in found["note"]
    assert words in found["note"]


@BOTH
@pytest.mark.parametrize(
    ("to", "result"), [("Bern", "9 left"), ("B", "arguments.to needs at least 2")]
)
def test_a_parameter_may_refer_to_one_that_is_fixed(
    use, to, result, odd, engine, shop, auth, sandbox
):
    """As zod writes schemas in which a type is used twice."""
    server, row = odd
    members = {"from": {"type": "string", "minLength": 2}}
    members["to"] = {"$ref": "#/properties/from"}
    schema = {"type": "object", "properties": members, "required": [*members]}
    server.tools.append({"name": "route", "inputSchema": schema})
    prompt = said([{"tool": "route", "arguments": {"to": to}}])
    row["arguments"] = {"from": "Rome"}

    found = use(engine, auth, prompt=prompt, tools=[row], model=MODEL)

    told = found["calls"][0]
    assert result in (told["result"] or told["error"])
    assert server.given == ([{"from": "Rome", "to": "Bern"}] if to == "Bern" else [])
    offered = asked(sandbox)[0]["tools"][1]["function"]["parameters"]
    assert offered["properties"].keys() == {"to"}
    assert "note" not in found or "left out" not in found["note"]


@BOTH
def test_tools_that_are_too_many_are_told(use, odd, engine, shop, auth, sandbox):
    server, row = odd
    server.tools += [{**GOOD_TOOL, "name": f"t{n}"} for n in range(199)]
    prompt = said([{"tool": "count", "arguments": {}}])

    found = use(engine, auth, prompt=prompt, tools=[row], model=MODEL)

    assert len(asked(sandbox)[0]["tools"]) == 128
    assert "72 tools of tools[0].mcp are left out" in found["note"]


def test_an_agent_refuses_what_a_row_has_and_the_step_does_not_know(
    engine, shop, auth, sandbox
):
    row = {**CANCEL, "aproval": True}

    run = engine.run("run_agent", prompt="x", tools=[row], model=MODEL)

    assert run.outcome == "failure"
    assert "tools[0] has 'aproval'" in run.result["error"]["message"]
    assert asked(sandbox) == []


def test_a_server_without_a_tool_of_use_is_refused(odd, engine, shop, auth, sandbox):
    server, row = odd
    server.tools[:] = [{"name": "odd", "inputSchema": {"type": "nonsense"}}]
    with pytest.raises(TogetherError, match="has no tool of use: odd"):
        in_one_step(engine, auth, prompt="x", tools=[row], model=MODEL)

    assert asked(sandbox) == []


def test_a_redirect_of_an_mcp_server_is_not_followed(odd, stock, engine, shop, auth):
    server, row = odd
    server.leads_to = stock[0]["mcp"]
    with pytest.raises(TogetherError, match="redirects, and is not followed"):
        in_one_step(
            engine,
            auth,
            prompt="x",
            tools=[{**row, "token": "mcp_secret"}],
            model=MODEL,
        )

    assert len(server.tokens) == 1


@pytest.mark.parametrize(
    ("address", "url", "words"),
    [
        ("10.1.2.3", "http://windmill:8000/api/mcp", None),
        ("192.168.7.7", "https://windmill/api/mcp", None),
        ("93.184.215.14", "http://windmill/api/mcp", "is not https"),
        ("169.254.169.254", "http://windmill/api/mcp", "an address that no"),
    ],
)
def test_where_an_mcp_server_may_be(address, url, words, monkeypatch):
    """Names are looked up, so that one for such an address is none the better."""
    connected = []

    def getaddrinfo(host, port, *_, **__):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def exchange(place, *_, **__):
        connected.extend(place.addresses)
        raise OSError("nobody is there")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(public_fetch._Place, "exchange", exchange)
    with pytest.raises(TogetherError, match=words or "cannot be reached"):
        McpServer(url, None, "tools[0].mcp")

    assert connected == ([] if words else [address])


def test_a_call_of_a_server_that_broke_off_is_not_made_again(
    engine, shop, auth, stock, workspace, monkeypatch
):
    """The step ends behind the call, and before it could keep what came."""
    execute, broken = engine._execute, []

    def dying(run, module, path, arguments):
        result = execute(run, module, path, arguments)
        if module["id"] == "start" and not broken:
            broken.append(module)
            name = arguments["conversation"]
            kept = conversation.read(name)
            for one in kept["pending"]:
                del one["result"]
            conversation.write(name, kept)
            return execute(run, module, path, arguments)
        return result

    monkeypatch.setattr(engine, "_execute", dying)
    row, seen = stock
    prompt = said([{"tool": "count_stock", "arguments": {"item": "nails"}}])

    found = as_a_flow(engine, auth, prompt=prompt, tools=[row], model=MODEL)

    assert seen == ["nails"]
    assert "whether it was carried out is not known" in found["text"]


def test_the_service_s_failure_says_where_the_conversation_is(
    engine, shop, auth, sandbox
):
    sandbox.faults.append(Fault("/v1/chat/completions", 400, times=99))

    run = engine.run("run_agent", prompt="x", tools=[FIND], model=MODEL)

    assert run.outcome == "failure"
    assert run.result["kept"]["conversation"]
