"""What holds for every step above the API, by being there."""

import pytest

from scripts.client import TogetherError, prepare
from scripts.client.form import OTHER
from tests.support.expected_request import main_of
from tools.operations import steps

# With the least arguments these ask nobody, or the job's own Windmill, and need no key.
KEYLESS = {
    "chat/close_agent",
    "chat/review_agent",
    "chat/finish_agent",
    "chat/start_calls",
    "chat/watch_calls",
    "chat/cite_answer",
    "embeddings/index_documents",
    "embeddings/rank_passages",
    "embeddings/split_documents",
    "endpoints/read_metrics",
    "files/join_table",
    "files/list_folder",
    "files/map_files",
    "files/read_parquet",
    "files/read_rows",
    "files/split_files",
    "files/split_table",
    "files/write_parquet",
    "images/collect_pictures",
    "triggers/list_new_objects",
    "waits/ask_approval",
    "waits/choose_output",
    "waits/finish_flow",
    "waits/finish_wait",
    "waits/report_failure",
    "waits/start_flow",
    "waits/start_guard",
    "waits/watch_flow",
}
BY_ID = pytest.mark.parametrize("step", list(steps()), ids=lambda step: step.id)


@BY_ID
def test_each_missing_required_argument_is_named(step, sandbox, auth):
    least = step.schema["examples"][0]
    for name in step.required:
        for nothing in (None, "", []):
            with pytest.raises(TogetherError) as caught:
                main_of(step)(auth, **{**least, name: nothing})
            assert name in [problem["field"] for problem in caught.value.problems]
    assert not sandbox.requests


@pytest.mark.parametrize(
    "step", [s for s in steps() if s.id not in KEYLESS], ids=lambda step: step.id
)
def test_a_missing_resource_is_named(step, sandbox):
    with pytest.raises(TogetherError, match="auth"):
        main_of(step)(None, **step.schema["examples"][0])


PICKERS = pytest.mark.parametrize(
    ("step", "name"),
    [
        pytest.param(step, name, id=f"{step.id}-{name}")
        for step in steps()
        for name, member in step.arguments.items()
        if f"other_{name}" in step.arguments and member["type"] == "string"
    ],
)
MODEL = "me/own-model"


@PICKERS
def test_a_model_is_chosen_or_given_by_its_id(step, name):
    least = step.schema["examples"][0]
    main = main_of(step)
    table = main.__globals__["STEP"]
    listed = prepare(table, {**least, name: MODEL})

    for chosen in (OTHER, "", None, MODEL):
        given = {**least, name: chosen, f"other_{name}": f" {MODEL} "}
        assert prepare(table, given) == listed
    for blank in ("", None):
        assert prepare(table, {**least, name: MODEL, f"other_{name}": blank}) == listed


@PICKERS
def test_an_id_that_is_missing_or_contradicts_the_choice_is_named(
    step, name, sandbox, auth
):
    least = step.schema["examples"][0]
    pairs = [(OTHER, ""), (OTHER, None), (OTHER, " "), ("acme/chat", MODEL)]
    for chosen, typed in pairs:
        with pytest.raises(
            TogetherError, match=rf"Nothing was sent: \w.*\(other_{name}\) "
        ) as no:
            main_of(step)(auth, **{**least, name: chosen, f"other_{name}": typed})
        assert [p["field"] for p in no.value.problems] == [f"other_{name}"]
    assert not sandbox.requests
