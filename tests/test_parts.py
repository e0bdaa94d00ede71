"""A part of the pack holds all that it needs, and grows."""

from functools import cache

import pytest

from tools.flows.pack_flows import flows, modules
from tools.operations import imported, scripts, with_own
from tools.tree.parts import FIRST, groups, of_part, part, runnables
from tools.tree.sync_tree import tree
from tools.yaml_text import load

FOLDER = "u/me/together"


@pytest.fixture(scope="module")
def files():
    return tree(folder=FOLDER)


def loaded(script):
    return _loaded(frozenset(imported(script.script_path)))


@cache
def _loaded(modules):
    return with_own(modules)


def ids(paths):
    return {path.removeprefix(f"{FOLDER}/") for path in paths}


@pytest.mark.slow
def test_every_group_comes_with_the_modules_that_its_scripts_may_load(files):
    for group in groups(runnables(files), FOLDER):
        found = ids(part(files, FOLDER, [group]).paths)
        own = [script for script in scripts() if script.group == group]
        for script in own:
            assert script.id in found
            assert loaded(script) <= found, script.id
        assert FIRST in found


def test_a_flow_comes_with_what_it_calls_and_what_its_form_needs(files):
    found = ids(part(files, FOLDER, ["flows"]).paths)

    for flow in flows():
        called = {
            m["value"]["path"] for m in modules(flow.value) if "path" in m["value"]
        }
        assert flow.inner or {flow.id, *called} <= found
    for script in scripts():
        if script.id in found:
            assert loaded(script) <= found
    assert "catalog" in found


def test_what_a_step_starts_by_its_path_comes_too(files):
    chosen = part(files, FOLDER, ["waits"])

    assert f"{FOLDER}/inner/guard_job" in chosen.needed


def test_steps_come_without_raw_operations_unless_a_flow_calls_one(files):
    raw = {f"{FOLDER}/{s.id}" for s in scripts() if s.step is None}
    called = {
        f"{FOLDER}/{module['value']['path']}"
        for flow in flows()
        for module in modules(flow.value)
        if "path" in module["value"]
    }

    chosen = part(files, FOLDER, None, raw)

    steps = {f"{FOLDER}/{s.id}" for s in scripts() if s.step is not None}
    assert steps <= set(chosen.chosen)
    assert raw & chosen.paths == raw & called
    assert len(raw & called) < 20


def test_what_the_folder_holds_comes_along_with_what_that_needs(files):
    held = [f"{FOLDER}/chat/ask_model", f"{FOLDER}/mine", f"{FOLDER}/client"]

    chosen = part(files, FOLDER, ["rerank"], held=held)

    assert f"{FOLDER}/chat/ask_model" in chosen.kept
    ask = next(s for s in scripts() if s.id == "chat/ask_model")
    assert loaded(ask) <= ids(chosen.paths)
    assert f"{FOLDER}/mine" not in chosen.paths
    assert not set(chosen.kept) & {*chosen.chosen, *chosen.needed}


def test_the_files_of_a_part_are_those_and_what_belongs_to_all(files):
    chosen = part(files, FOLDER, ["rerank"])

    found = of_part(files, chosen.paths)

    assert set(runnables(found)) == chosen.paths
    assert {"wmill.yaml", "togetherai.resource-type.yaml"} <= found.keys()
    locks = load(found["wmill-lock.yaml"])["locks"]
    assert locks.keys() == {p for p in chosen.paths if f"{p}.py" in found}
    for name in found.keys() - {"wmill-lock.yaml"}:
        assert found[name] == files[name]


def test_an_unknown_group_is_named_with_those_that_there_are(files):
    with pytest.raises(ValueError, match=r"no group chats, x; there are agent, audio"):
        part(files, FOLDER, ["chats", "chat", "x"])
