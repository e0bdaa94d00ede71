"""The results that the reference shows are what the steps give."""

import json

import pytest

from tools.operations import ROOT, find, steps
from tools.pages.raised import known_types, own_errors
from tools.pages.samples import (
    FILE,
    MEMBERS,
    STAGED,
    completed,
    completed_members,
    record,
    record_members,
    recorded,
    recorded_members,
    unrecorded,
)

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
    assert found.keys() == kept.keys(), "record anew: python -m tools.pages.samples"
    for id in found.keys() - FREE:
        assert shape(found[id]) == shape(kept[id]), (
            f"{id}: python -m tools.pages.samples"
        )


def test_recorded_members_are_those_that_come_with_any_example():
    found = record_members()

    assert found == recorded_members(), "record anew: python -m tools.pages.samples"
    assert [id for id in found if not found[id]] == []
    assert set(recorded()["chat/map_rows"]) < {*found["chat/map_rows"]}  # `models` too
    assert "[].batch_id" in found["triggers/batch_finished"]


def test_a_new_step_s_result_is_made_by_fix_and_those_of_others_stay(tmp_path):
    place = tmp_path / FILE
    place.parent.mkdir(parents=True)
    kept = recorded()
    (tmp_path / "schemas").symlink_to(ROOT / "schemas")
    lacking = {**kept, "chat/gone": {"text": "a"}, "chat/ask_model": {"text": "mine"}}
    del lacking["chat/classify_text"]
    place.write_text(json.dumps(lacking))

    assert unrecorded(tmp_path) == ["chat/classify_text", "chat/gone"]
    place.write_text(completed(tmp_path))

    assert unrecorded(tmp_path) == []
    found = recorded(tmp_path)
    assert found["chat/ask_model"] == {"text": "mine"}
    assert shape(found["chat/classify_text"]) == shape(kept["chat/classify_text"])


def test_a_new_step_s_members_are_made_by_fix_and_those_of_others_stay(tmp_path):
    place = tmp_path / MEMBERS
    place.parent.mkdir(parents=True)
    kept = recorded_members()
    (tmp_path / "schemas").symlink_to(ROOT / "schemas")
    lacking = {**kept, "chat/gone": ["text"], "chat/ask_model": ["mine"]}
    del lacking["chat/map_rows"]
    place.write_text(json.dumps(lacking))

    assert unrecorded(tmp_path, MEMBERS) == ["chat/gone", "chat/map_rows"]
    place.write_text(completed_members(tmp_path))

    assert recorded_members(tmp_path) == {**kept, "chat/ask_model": ["mine"]}
    assert len(place.read_text().splitlines()) == len(kept) + 2


def test_an_example_that_fails_is_told_where_it_is_the_least(monkeypatch):
    monkeypatch.delitem(STAGED, "waits/start_flow")

    with pytest.raises(ValueError, match="waits/start_flow gives no result in the"):
        record_members(["waits/start_flow"])


def test_an_example_without_a_result_is_told_with_what_to_do(monkeypatch):
    monkeypatch.delitem(STAGED, "waits/start_flow")

    with pytest.raises(
        ValueError, match=r"waits/start_flow: .*STAGED of tools/pages/samples"
    ):
        record(["waits/start_flow"])


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
