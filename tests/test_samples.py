"""The results that the reference shows are what the steps give."""

import pytest

from tools.operations import ROOT, find, steps
from tools.raised import known_types, own_errors
from tools.samples import record, recorded

FREE = {"models/find_retired_models", "organization/call_operation"}


def shape(part):
    """The names of an object, and of what is within."""
    if isinstance(part, dict):
        return {name: shape(one) for name, one in part.items()}
    return [shape(part[0])] if isinstance(part, list) and part else None


@pytest.mark.slow
def test_recorded_results_have_the_members_that_come():
    found = record()

    kept = recorded()
    assert found.keys() == kept.keys(), "record anew: python -m tools.samples"
    for id in found.keys() - FREE:
        assert shape(found[id]) == shape(kept[id]), f"{id}: python -m tools.samples"


def test_the_reference_shows_a_result_of_every_step():
    kept = recorded()

    for step in steps():
        page = (ROOT / "docs" / "reference" / f"{step.id}.md").read_text()
        assert kept.get(step.id) not in (None, [], {}), step.id
        assert "It then gives, where the sandbox answers:\n\n```" in page, step.id


def test_errors_are_read_from_the_functions_that_raise_them():
    errors = own_errors(find("chat/map_rows"))

    assert {"nothing_done", "too_many_failed", "rate_limit"} <= set(errors)
    assert own_errors(find("files/read_rows")) != errors
    listed = {one for step in steps() for one in own_errors(step)}
    assert listed <= known_types(find("chat/map_rows").root)
