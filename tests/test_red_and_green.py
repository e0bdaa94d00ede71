"""What did nothing of its job is red: looked through for every step that there is."""

import pytest

from scripts.catalog import catalog
from scripts.client import TogetherError
from tests.support.expected_request import main_of
from tools.flows.pack_flows import flows, modules
from tools.operations import steps
from tools.sandbox import Fault

STEPS = list(steps())
# Lists of which a step needs the prices alone: without them a cost is not known.
PRICES = ("/v1/models", "/v2/supported-models")
# Steps whose job is done though the service refused all that they asked of it.
TELLS = {
    "organization/check_connection": "tells that the key does not work, and why",
    "waits/report_failure": "tells of a failure, also where what was left is unknown",
}


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
def test_a_step_is_red_when_all_that_it_asked_was_refused(step, sandbox, auth):
    green = []
    for arguments in step.schema["examples"]:
        sandbox.requests.clear()
        sandbox.faults[:] = [Fault("/", 400, times=10**6)]
        catalog._listings.clear()
        try:
            main_of(step)(auth, **arguments)
        except TogetherError:
            continue
        if any(request.path not in PRICES for request in sandbox.requests):
            green.append(arguments)

    assert bool(green) == (step.id in TELLS)


@pytest.mark.parametrize("name", TELLS)
def test_what_is_green_all_the_same_tells_what_was_refused(name, sandbox, auth):
    (step,) = (step for step in STEPS if step.id == name)
    sandbox.faults[:] = [Fault("/", 400, times=10**6)]
    catalog._listings.clear()
    told = [main_of(step)(auth, **given) for given in step.schema["examples"]]

    if name != "waits/report_failure":
        assert any("400 Bad Request" in str(one) for one in told)
    assert sandbox.requests


def gives_reasons(step):
    """Whether a row of its result may say why it has no answer."""
    return "_error" in step.schema["x-returns"]


def test_what_goes_through_rows_can_be_made_red_by_a_share_of_them():
    over_rows = {step.id for step in STEPS if gives_reasons(step)}

    assert len(over_rows) >= 4
    for step in STEPS:
        assert (step.id in over_rows) == ("fail_when_failed_share" in step.arguments)


@pytest.mark.parametrize("step", [*filter(gives_reasons, STEPS)], ids=lambda s: s.id)
def test_the_first_line_of_such_a_result_says_how_many_failed(step):
    """The tests of each step look at the line itself."""
    assert "markdown" in step.schema["x-returns"]


# Flows that go through rows and need no share: why.
WHOLE = {
    "ask_documents": "is red when a single passage has no vector",
    "collect_finished_batches": "hands on each batch's rows, with what failed in them",
}


@pytest.mark.parametrize("flow", list(flows()), ids=lambda flow: flow.name)
def test_a_flow_that_goes_through_rows_hands_the_share_on(flow):
    over_rows = {step.id for step in STEPS if gives_reasons(step)}
    found = [
        module["value"]
        for module in modules(flow.value)
        if module["value"].get("path") in over_rows
    ]

    # What joins the parts of a table counts the rows of all.
    joins = [one for one in found if one["path"] == "files/join_table"]
    found = joins or found
    handed = [
        one for one in found if "fail_when_failed_share" in one["input_transforms"]
    ]
    if flow.name in WHOLE:
        assert found
        return
    assert handed == found
    assert ("fail_when_failed_share" in flow.arguments) == bool(found)
