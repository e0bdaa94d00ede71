"""What steps gave in 1.0.0 they still give, and its types of errors are still there."""

import contextlib
import json
from pathlib import Path

import pytest

from scripts.client import TogetherError
from tests.support.expected_request import main_of
from tests.test_error_types import LISTED
from tests.test_upgrade import breaking
from tools.operations import find

GIVEN = json.loads(Path(__file__).with_name("results_1_0_0.json").read_text())


def members(step, auth):
    """The members at the top of what a step gives for the fullest of its examples that
    needs no file, script or conversation of a workspace."""
    for example in reversed(step.schema["examples"]):
        with contextlib.suppress(TogetherError):
            result = main_of(step)(auth, **example)
            return sorted(result) if isinstance(result, dict) else []
    return []


@pytest.mark.usefixtures("workspace", "lives")
@pytest.mark.parametrize("name", GIVEN["results"])
def test_what_a_step_gave_it_gives_or_the_change_log_names_it(name, auth):
    lost = set(GIVEN["results"][name]) - set(members(find(name), auth))

    assert not lost or f"`{name}`" in breaking()


def test_a_type_of_error_stays_or_the_change_log_names_it():
    lost = set(GIVEN["errors"]) - set(LISTED)

    assert [word for word in lost if f"`{word}`" not in breaking()] == []


def test_most_steps_are_among_them():
    assert len(GIVEN["results"]) >= 50
