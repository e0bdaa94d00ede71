"""The interpreter of flows keeps to the rules that its first lines give."""

import pytest

from tools.flows.flow_engine import FOLDER, Engine


@pytest.fixture
def engine(workspace, lifecycles, auth):
    return Engine(workspace, auth, lifecycles.advance)


def js(text):
    return {"type": "javascript", "expr": text}


def say(name, details="({})", error="null", **settings):
    """A step that returns details, or fails with error."""
    value = {"type": "script", "path": f"{FOLDER}/waits/finish_flow"}
    value["input_transforms"] = {
        "message": {"type": "static", "value": name},
        "details": js(details),
        "error": js(error),
    }
    return {"id": name, "value": value, **settings}


def loop(name, modules, **more):
    return {"id": name, "value": {"type": "whileloopflow", "modules": modules, **more}}


def each(name, items, modules, **more):
    value = {"type": "forloopflow", "iterator": js(items), "modules": modules, **more}
    return {"id": name, "value": value}


def choose(name, expr, modules, default=()):
    branches = [{"expr": expr, "modules": modules}]
    value = {"type": "branchone", "branches": branches, "default": list(default)}
    return {"id": name, "value": value}


def run(engine, *modules, handler=None, **arguments):
    value = {"modules": list(modules)}
    if handler:
        value["failure_module"] = handler
    engine.add(f"{FOLDER}/flows/mine", value)
    return engine.run("mine", **arguments)


STOP = {"expr": "result.stop", "skip_if_stopped": False}
BAD = "({message: 'bad'})"


def test_a_step_s_state_is_where_windmill_has_it_and_undeploy_looks_for_it(engine):
    run = engine.start("run_batch")
    found = engine._environment(run, {"id": "b"}, "f/togetherai/batches/submit_rows")

    assert found["WM_STATE_PATH"] == f"{run.path}/b_user"
    assert "WM_STATE_PATH_NEW" not in found  # no server sets it


def test_a_sleep_comes_after_its_step_and_knows_that_step_s_result(engine):
    nap = js("result.pause")

    found = run(engine, say("a", "({pause: 50})", sleep=nap), say("b"), say("c"))

    assert [call.at for call in found.calls] == [0, 50, 50]


def test_a_sleep_of_the_last_step_is_none(engine):
    found = run(engine, say("a", sleep={"type": "static", "value": 50}))

    assert found.ended == 0


def test_a_sleep_that_knows_no_number_ends_the_flow(engine):
    found = run(engine, say("a", sleep=js("result.gone")), say("b"))

    assert "Expected an integer" in found.error["message"]


def test_a_stop_in_a_loop_ends_the_loop_alone_through_branches(engine):
    step = say("a", "({stop: flow_input.iter.index === 2})", stop_after_if=STOP)

    found = run(engine, loop("l", [choose("c", "true", [step])]), say("b"))

    assert found.count("waits/finish_flow") == 4
    assert found.result["message"] == "b"


def test_a_stop_in_a_branch_ends_the_flow(engine):
    step = say("a", "({stop: true})", stop_after_if=STOP)

    found = run(engine, choose("c", "true", [step]), say("b"))

    assert (found.outcome, found.result["message"]) == ("success", "a")


def test_a_stop_in_a_flow_that_is_a_step_ends_that_flow_alone(engine):
    inner = [say("a", "({stop: true})", stop_after_if=STOP), say("never")]
    engine.add(f"{FOLDER}/flows/inner", {"modules": inner})
    step = {"type": "flow", "path": f"{FOLDER}/flows/inner", "input_transforms": {}}

    found = run(engine, {"id": "s", "value": step}, say("b", "({got: results.s.stop})"))

    assert found.result["got"] is True


def test_a_loop_s_result_is_a_list_and_steps_see_the_item(engine):
    one = say("one", "({n: flow_input.iter.value, at: flow_input.iter.index})")

    found = run(engine, each("e", "[5, 6]", [one]), say("b", "({all: results.e})"))

    assert [(r["n"], r["at"]) for r in found.result["all"]] == [(5, 0), (6, 1)]


def test_a_branch_that_is_empty_gives_an_empty_list(engine):
    found = run(engine, choose("c", "false", []), say("b", "({got: results.c})"))

    assert found.result["got"] == []


def test_the_handler_gets_the_error_and_its_result_is_the_flow_s(engine):
    handler = say("failure", "({was: error.message})")

    found = run(engine, say("a", error=BAD), say("b"), handler=handler)

    assert found.outcome == "failure"
    assert found.result["was"] == "a: bad"


def test_a_handler_that_ran_in_a_loop_does_not_run_outside_again(engine):
    handler = say("failure", "({was: error.message})")

    found = run(engine, each("e", "[1, 2]", [say("a", error=BAD)]), handler=handler)

    assert found.outcome == "failure"
    assert found.count("waits/finish_flow") == 2  # the step, and the handler once


def test_a_handler_runs_although_that_of_an_inner_flow_did(engine):
    own = say("failure", "({error: error})")
    inner = {"modules": [say("a", error=BAD)], "failure_module": own}
    engine.add(f"{FOLDER}/flows/inner", inner)
    value = {"type": "flow", "path": f"{FOLDER}/flows/inner", "input_transforms": {}}
    outer = say("failure", "({was: error.message})")

    found = run(engine, {"id": "f", "value": value}, handler=outer)
    branch = choose("c", "true", [{"id": "f", "value": value}])
    within = run(engine, branch, handler=outer)

    assert found.result["was"] == within.result["was"] == "a: bad"
    # The step, the inner flow's handler, and the outer one's once.
    assert found.count("waits/finish_flow") == 3
    assert within.count("waits/finish_flow") == 3


def test_a_loop_that_skips_failures_goes_on(engine):
    step = say("a", error="flow_input.iter.index ? null : ({message: 'bad'})")

    found = run(engine, each("e", "[1, 2]", [step], skip_failures=True), say("b"))

    assert found.outcome == "success"


def test_a_failed_step_is_tried_again_and_then_let_go_unless_it_is_the_last(engine):
    settings = {"retry": {"constant": {"attempts": 2, "seconds": 7}}}
    settings["continue_on_error"] = True
    bad = say("a", error=BAD, **settings)

    found = run(engine, bad, say("b", "({got: results.a.error.message})"))
    last = run(engine, bad)

    assert found.result["got"] == "a: bad"
    assert [call.at for call in found.calls] == [0, 7, 14, 14]
    assert last.outcome == "failure"


def test_a_retry_asks_whether_it_is_worth_it(engine):
    retry = {"constant": {"attempts": 2, "seconds": 7}}
    retry["retry_if"] = {"expr": "result.error.name !== 'TogetherError'"}

    found = run(engine, say("a", error=BAD, retry=retry))

    assert len(found.calls) == 1


def test_a_skipped_step_passes_on_what_came_before(engine):
    skipped = say("b", skip_if={"expr": "results.a.x === 1"})

    found = run(engine, say("a", "({x: 1})"), skipped, say("c", "({got: results.b.x})"))

    assert found.result["got"] == 1


def test_an_answer_is_known_to_the_next_step_alone(engine):
    ask = {"type": "script", "path": f"{FOLDER}/waits/ask_approval"}
    ask["input_transforms"] = {"question": {"type": "static", "value": "?"}}
    module = {"id": "ask", "value": ask, "suspend": {"required_events": 1}}

    found = run(engine, module, say("b"), handler=say("failure", "({e: error.name})"))

    assert found.result["e"] == "SuspendedTimedOut"
    assert found.ended == 1800


def test_a_cancelled_flow_runs_nothing_more(engine):
    pause = {"type": "static", "value": 100}
    value = {"modules": [say("a", sleep=pause), say("b")]}
    value["failure_module"] = say("failure")
    engine.add(f"{FOLDER}/flows/mine", value)
    mine = engine.start("mine")
    engine.work(until=50)
    engine.cancel(mine)
    engine.work()

    assert (mine.outcome, len(mine.calls)) == ("cancelled", 1)


def test_steps_get_the_key_by_its_resource(engine, sandbox, auth):
    step = {"type": "script", "path": f"{FOLDER}/models/list_models"}
    step["input_transforms"] = {"auth": js("flow_input.auth")}
    run(engine, {"id": "a", "value": step})

    (request,) = sandbox.requests
    assert request.headers["authorization"] == f"Bearer {auth['api_key']}"
