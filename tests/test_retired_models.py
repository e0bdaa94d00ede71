"""Where a workspace names models that are gone, and what to take instead."""

import itertools
import json
from types import SimpleNamespace

import pytest

from scripts.client import TogetherError
from scripts.trigger_steps import retired_model_steps
from tests.support.expected_request import main_of
from tools import models
from tools.operations import find
from tools.sandbox import Fault

GONE = sorted(models.retired())
OLD, OTHER = GONE[0], GONE[-1]
GOOD = models.model("chat")
UNLISTED = f"{GOOD.partition('/')[0]}/never-listed-9"
LOOK = main_of(find("models/find_retired_models"))


@pytest.fixture(autouse=True)
def _in_a_folder(monkeypatch, workspace):
    path = "f/togetherai/models/find_retired_models"
    monkeypatch.setenv("WM_JOB_PATH", path)


def filled(workspace):
    """A workspace in which retired models stand in every kind of place."""
    script = (
        "# asks a model\n"
        f'MODEL = "{OLD}"\n'
        f"def main(judge_model: str = '{UNLISTED}', text='a/b'):\n"
        f'    return ask("{GOOD}", url="https://example.com/{OLD}/x")\n'
    )
    workspace.register("f/sales/ask", len, content=script)
    workspace.register("f/togetherai/chat/ask_model", len, content=f"# {OLD}")
    inputs = {
        "model": {"type": "static", "value": OTHER},
        "base_model": {"type": "javascript", "expr": f"'{UNLISTED}'"},
        "other": {"type": "static", "value": f"{UNLISTED}"},
    }
    inline = {"type": "rawscript", "content": f"one\ntwo {OLD}\n", "language": "bun"}
    value = {
        "modules": [
            {"id": "a", "value": {"type": "script", "input_transforms": inputs}},
            {"id": "b", "value": inline},
        ]
    }
    schema = {"properties": {"model": {"default": OLD}}}
    workspace.register("f/sales/flow", len, "flow", schema=schema, value=value)
    workspace.schedules["u/me/daily"] = {
        "script_path": "f/togetherai/chat/map_rows",
        "is_flow": False,
        "args": {"model": OLD, "rows": [{"text": "a"}]},
    }
    for path, kind, kept in (
        ("u/me/settings", "c_settings", {"models": [GOOD, OTHER], "key": "s3cret"}),
        ("u/me/memory", "state", {"model": OLD}),
    ):
        workspace.resources[path] = {"value": kept, "resource_type": kind}


def places(found):
    return {(r["kind"], r["path"], r["where"], r["id"]): r["why"] for r in found}


ALL = {
    ("script", "f/sales/ask", "content line 2", OLD): "deprecated",
    ("script", "f/sales/ask", "content line 3", UNLISTED): "not listed",
    (
        "flow",
        "f/sales/flow",
        "value.modules[0].value.input_transforms.model.value",
        OTHER,
    ): "deprecated",
    (
        "flow",
        "f/sales/flow",
        "value.modules[0].value.input_transforms.base_model.expr",
        UNLISTED,
    ): "not listed",
    ("flow", "f/sales/flow", "value.modules[1].value.content line 2", OLD): (
        "deprecated"
    ),
    ("flow", "f/sales/flow", "schema.properties.model.default", OLD): "deprecated",
    ("schedule", "u/me/daily", "args.model", OLD): "deprecated",
    ("resource", "u/me/settings", "value.models[1]", OTHER): "deprecated",
}


def test_every_place_is_found_and_nothing_else(workspace, auth):
    filled(workspace)
    result = LOOK(auth)

    assert places(result["rows"]) == ALL
    assert result["looked_at"] == {
        "script": 1,
        "flow": 1,
        "schedule": 1,
        "resource": 1,
    }
    assert result["unread"] == []
    assert "may see" in result["note"]
    assert "s3cret" not in json.dumps(result)


def test_the_replacement_is_served(workspace, auth):
    filled(workspace)
    served = {m["id"] for m in models.known()["models"]}
    found = {row["id"]: row["replacement"] for row in LOOK(auth)["rows"]}

    assert set(found.values()) - {None} <= served
    for name, other in models.retired().items():
        if name in found:
            assert (found[name] is None) == (other is None), name
    # Of its publisher, where the catalogue says no more of it.
    assert found[UNLISTED].partition("/")[0] == UNLISTED.partition("/")[0]


def test_a_model_of_a_known_task_is_replaced_by_the_best_for_it(
    workspace, auth, sandbox
):
    filled(workspace)
    listed = models.supported()
    (old,) = [entry for entry in listed if entry["name"] == OLD]
    old["capabilities"] = ["CAPABILITY_IMAGE_GENERATION"]
    sandbox.answers["list_supported_models"] = lambda _: {"data": listed}
    found = {row["id"]: row["replacement"] for row in LOOK(auth)["rows"]}

    assert found[OLD] == models.model("image")


def test_the_replacement_does_most_of_what_the_old_one_did(workspace, auth, sandbox):
    filled(workspace)
    listed = models.supported()
    (old,) = [entry for entry in listed if entry["name"] == OLD]
    old["capabilities"] = ["CAPABILITY_CHAT"]
    old["inputModalities"] = ["MODALITY_IMAGE"]
    sandbox.answers["list_supported_models"] = lambda _: {"data": listed}
    found = {row["id"]: row["replacement"] for row in LOOK(auth)["rows"]}
    (taken,) = [m for m in models.known()["models"] if m["id"] == found[OLD]]

    assert {"vision", "chat"} <= set(taken["tasks"])


def test_ids_that_are_asked_for_are_found_too_and_kinds_are_chosen(workspace, auth):
    filled(workspace)
    result = LOOK(
        auth, path_start="f/sales/", kinds=["script"], models=["a/b", "c/d", GOOD]
    )

    assert {row["why"] for row in result["rows"] if row["id"] == "a/b"} == {"asked for"}
    (still,) = {row["replacement"] for row in result["rows"] if row["id"] == GOOD}
    assert still not in (None, GOOD)  # of a notice that the catalogue does not show yet
    assert result["looked_at"] == {"script": 1}
    assert {row["path"] for row in result["rows"]} == {"f/sales/ask"}


def test_a_longer_name_is_another_model(workspace, auth):
    words = f'"{OLD}-2" "x/{OLD}" "{OLD}/y" "{OLD}.5" "x{OLD}" "{OLD}_x"'
    workspace.register("f/a/b", len, content=words)
    assert LOOK(auth)["rows"] == []

    workspace.register("f/a/b", len, content=f"{words} see {OLD}.")
    assert [row["id"] for row in LOOK(auth)["rows"]] == [OLD]


def test_what_may_not_be_read_is_told(workspace, auth):
    filled(workspace)
    workspace.faults.append(
        Fault("flows/get/f/sales/flow", 403, 9, body="Not authorized")
    )
    workspace.faults.append(Fault("schedules/list", 403, 9, body="Operators may not"))
    result = LOOK(auth)

    told = {(one["kind"], one["path"]): one["why"] for one in result["unread"]}
    assert set(told) == {("flow", "f/sales/flow"), ("schedule", None)}
    assert "Not authorized" in told["flow", "f/sales/flow"]
    assert {row["kind"] for row in result["rows"]} == {"script", "resource"}


@pytest.mark.parametrize("path", ["scripts/list", "scripts/get/p/f/sales/ask"])
def test_a_windmill_that_fails_is_an_error(path, workspace, auth):
    filled(workspace)
    workspace.faults.append(Fault(path, 500, 9))
    with pytest.raises(TogetherError, match="injected fault"):
        LOOK(auth)


def test_all_pages_are_read(workspace, auth, monkeypatch):
    monkeypatch.setattr("scripts.workspace.api.PAGE_ENTRIES", 3)
    for number in range(10):
        workspace.register(f"f/a/s{number}", len, content=OLD)
    assert len(LOOK(auth, kinds=["script"])["rows"]) == 10

    monkeypatch.setattr(retired_model_steps, "MOST_ENTRIES", 6)
    result = LOOK(auth, kinds=["script"])
    assert len(result["rows"]) == 6
    assert result["unread"] == [
        {"kind": "script", "path": None, "why": "there may be more than 6"}
    ]


def test_a_list_whose_pages_do_not_move_on_is_no_list(workspace, auth, monkeypatch):
    monkeypatch.setattr("scripts.workspace.api.PAGE_ENTRIES", 3)
    for number in range(3):
        workspace.register(f"f/a/s{number}", len, content=OLD)
    real = workspace.answer

    async def first_page(request, path):
        if path.endswith("/scripts/list"):
            request.scope["query_string"] = b"page=1&per_page=3"
            request.__dict__.pop("_query_params", None)
        return await real(request, path)

    monkeypatch.setattr(workspace, "answer", first_page)
    with pytest.raises(TogetherError, match="there again"):
        LOOK(auth, kinds=["script"])


def test_when_the_time_is_over_the_rest_is_told(workspace, auth, monkeypatch):
    filled(workspace)
    clock = SimpleNamespace(monotonic=itertools.count(step=400).__next__)
    monkeypatch.setattr(retired_model_steps, "time", clock)
    result = LOOK(auth, kinds=["script"], seconds=300)

    assert result["rows"] == []
    assert [one["why"] for one in result["unread"]] == [retired_model_steps.LATE]


def test_an_empty_catalogue_condemns_no_model(workspace, auth, sandbox):
    filled(workspace)
    sandbox.answers["list_supported_models"] = lambda _: {"data": []}
    with pytest.raises(TogetherError, match="catalogue is empty"):
        LOOK(auth)


def test_a_catalogue_of_many_pages_and_a_text_without_end_take_no_time(workspace, auth):
    words = 'model = "' * 50_000 + "a/" * 100_000 + f' "{OLD}"'
    workspace.register("f/a/long", len, content=words)
    result = LOOK(auth, kinds=["script"])

    assert [row["id"] for row in result["rows"]] == [OLD]


def test_only_a_job_can_look(auth, monkeypatch):
    monkeypatch.delenv("WM_TOKEN")
    with pytest.raises(TogetherError) as caught:
        LOOK(auth)

    assert caught.value.type == "not_in_windmill"
