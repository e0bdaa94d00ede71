"""An evaluation is begun once, with what its type needs, and reported in one shape."""

import json

import pytest

from scripts.client import TogetherError
from tests.support.expected_request import main_of
from tools.operations import find
from tools.sandbox.lifecycles import RefusalError

ROWS = [{"prompt": "Hi", "answer": "Ho"}, {"prompt": "How", "answer": "So"}]
CLASSIFY = {
    "type": "classify",
    "labels": ["good", "bad"],
    "pass_labels": ["good"],
    "column_a": "answer",
    "rows": ROWS,
}


def submit(auth, **given):
    words = {"judge_model": "j", "judge_prompt": "Is it good?", **CLASSIFY, **given}
    words = {name: value for name, value in words.items() if value is not None}
    return main_of(find("submit_evaluation"))(auth, **words)


def report(auth, name):
    return main_of(find("report_evaluation"))(auth, name)


def begun(lifecycles):
    return [life.given["body"] for life in lifecycles["evaluation"].lives.values()]


def test_rows_are_uploaded_and_judged(sandbox, lifecycles, auth):
    made = submit(auth)
    lifecycles.advance(3600)

    assert made["rows"] == 2
    content = sandbox.files[made["input_file_id"]][1]
    assert [json.loads(line) for line in content.splitlines()] == ROWS
    (body,) = begun(lifecycles)
    assert body["parameters"]["model_to_evaluate"] == "answer"
    found = report(auth, made["evaluation_id"])
    assert found["label_counts"] == {"good": 1, "bad": 1}
    assert (found["pass_percentage"], found["failed"]) == (50, 0)
    assert found["cost_usd"] is None
    assert "report_usage" in found["cost_note"]


def test_models_to_compare_get_their_settings(lifecycles, auth):
    submit(
        auth,
        type="compare",
        column_a=None,
        model_a="mine",
        source_a="dedicated",
        model_b="base",
        system="Be kind.",
        max_tokens=9,
    )

    (body,) = begun(lifecycles)
    assert body["parameters"]["model_a"] == {
        "model": "mine",
        "model_source": "dedicated",
        "system_template": "Be kind.",
        "input_template": "{{prompt}}",
        "max_tokens": 9,
        "temperature": 0,
    }
    assert body["parameters"]["model_b"]["model_source"] == "serverless"


def test_a_second_run_begins_nothing(sandbox, lifecycles, auth, workspace):
    first, second = submit(auth), submit(auth)

    assert second["reattached"]
    assert first["evaluation_id"] == second["evaluation_id"]
    assert len(begun(lifecycles)) == len(sandbox.files) == 1
    assert submit(auth, again="once more")["evaluation_id"] != first["evaluation_id"]


def test_outside_windmill_too_the_service_tells_what_was_begun(lifecycles, auth):
    first, second = submit(auth), submit(auth)

    assert first["evaluation_id"] == second["evaluation_id"]


def test_one_that_failed_is_begun_anew(lifecycles, auth, workspace):
    first = submit(auth)
    lifecycles.fail(first["evaluation_id"], "no")

    assert submit(auth)["evaluation_id"] != first["evaluation_id"]


def test_a_file_at_together_is_read_and_conversations_get_their_columns(
    sandbox, lifecycles, auth
):
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Ho"},
    ]
    line = json.dumps({"messages": messages}).encode() + b"\n"
    file = sandbox.store_file("valid.jsonl", line, "fine-tune")["id"]

    made = submit(auth, rows=None, file_id=file, column_a="reference")

    (row,) = sandbox.files[made["input_file_id"]][1].splitlines()
    row = json.loads(row)
    assert (row["prompt"], row["reference"]) == ("Hi", "Ho")


ASKED, ANSWERED = {"role": "user"}, {"role": "assistant"}
FIRST = [{**ASKED, "content": "Q1"}, {**ANSWERED, "content": "A1"}]


@pytest.mark.parametrize(
    ("messages", "columns"),
    [
        ([*FIRST, {**ASKED, "content": "Q2"}], {"prompt": "Q2"}),
        (
            [*FIRST, {**ASKED, "content": "Q2"}, {**ANSWERED, "content": "A2"}],
            {"prompt": "Q2", "reference": "A2"},
        ),
        ([*FIRST, {**ANSWERED, "content": "B1"}], {"prompt": "Q1", "reference": "B1"}),
        ([*FIRST, {**ASKED, "content": [{"type": "image_url"}]}], {}),
    ],
)
def test_a_reference_is_the_answer_to_the_question_beside_it(
    messages, columns, sandbox, lifecycles, auth
):
    made = submit(auth, rows=[{"messages": messages, "answer": "x"}])

    (line,) = sandbox.files[made["input_file_id"]][1].splitlines()
    row = json.loads(line)
    assert {n: row[n] for n in ("prompt", "reference") if n in row} == columns


def test_one_that_is_gone_is_begun_anew(sandbox, lifecycles, auth, workspace):
    first = submit(auth)
    lifecycles["evaluation"].lives.clear()

    def gone(arguments):
        raise RefusalError(404, f"{arguments['evaluation_id']} is not there")

    sandbox.answers["get_evaluation"] = gone
    second = submit(auth)
    assert not second["reattached"]
    assert second["evaluation_id"] != first["evaluation_id"]


WRONG = {
    "labels": {"labels": None},
    "pass_labels": {"pass_labels": ["good", "fine"]},
    "rows": {"rows": None},
    "min_score": {"type": "score", "max_score": 2, "pass_threshold": 1},
    "model_b": {"type": "compare"},
    "column_a": {"model_a": "m"},
}


@pytest.mark.parametrize("field", WRONG)
def test_what_the_type_needs_is_asked_for_before_anything_is_sent(
    field, sandbox, lifecycles, auth
):
    with pytest.raises(TogetherError, match=field) as caught:
        submit(auth, **WRONG[field])
    assert field in [problem["field"] for problem in caught.value.problems]
    assert not sandbox.requests


def test_a_column_that_no_row_has_is_refused(sandbox, lifecycles, auth):
    with pytest.raises(TogetherError, match="'reply'; there are: answer, prompt"):
        submit(auth, column_a="reply")
    with pytest.raises(TogetherError, match="'question'"):
        submit(auth, column_a=None, model_a="m", template="{{question}}?")
    assert not sandbox.files


def test_an_evaluation_without_a_verdict_is_red(sandbox, lifecycles, auth):
    made = submit(auth)["evaluation_id"]
    lifecycles.advance(3600)
    found = report(auth, made)["results"]
    zero = dict.fromkeys(found["label_counts"], 0)
    lost = {**found, "label_counts": zero, "judge_fail_count": 2}
    shown = {"workflow_id": made, "status": "completed", "type": "classify"}
    sandbox.lifecycles = None
    sandbox.answers["get_evaluation"] = lambda arguments: {**shown, "results": lost}

    with pytest.raises(TogetherError, match="No row got a verdict: 2") as caught:
        report(auth, made)
    assert caught.value.partial["failed"] == 2
    lost |= {"label_counts": {"good": 1}}
    assert report(auth, made)["failed"] == 2
    lost["error"] = {"code": None, "message": None}
    assert "note" not in report(auth, made)
    lost["error"] = {"code": None, "message": "two rows were too long"}
    assert "two rows were too long" in report(auth, made)["note"]


@pytest.mark.parametrize(
    ("results", "judged"),
    [
        ({"aggregated_scores": {"pass_percentage": 80}}, True),
        ({"aggregated_scores": {"mean_score": "0.0"}}, True),
        ({"pass_percentage": 12.5}, True),
        ({"A_wins": "0", "B_wins": "2", "Ties": "0"}, True),
        ({"A_wins": "0", "B_wins": "0", "Ties": "0"}, False),
        ({"label_counts": {"good": "0", "bad": None}}, False),
        ({"label_counts": '{"good": 0}'}, False),
    ],
)
def test_verdicts_are_counted_in_whichever_numbers_tell_them(
    results, judged, sandbox, auth
):
    shown = {"workflow_id": "w", "status": "completed", "type": "score"}
    lost = {**results, "judge_fail_count": "3"}
    sandbox.answers["get_evaluation"] = lambda _: {**shown, "results": lost}

    if judged:
        assert report(auth, "w")["failed"] == 3
    else:
        with pytest.raises(TogetherError, match="No row got a verdict: 3"):
            report(auth, "w")


@pytest.mark.parametrize("lost", [{}, {"judge_fail_count": None}])
def test_failures_that_are_not_told_are_not_0(lost, sandbox, auth):
    shown = {"workflow_id": "w", "status": "completed", "type": "compare"}
    results = {"A_wins": 1, **lost}
    sandbox.answers["get_evaluation"] = lambda _: {**shown, "results": results}

    assert report(auth, "w")["failed"] is None


@pytest.mark.parametrize("shown", [[], {}, {"status": None}, {"status": "queued"}])
def test_one_that_shows_itself_oddly_is_not_paid_for_again(
    shown, lifecycles, auth, workspace
):
    made = submit(auth)
    lifecycles.answers["get_evaluation"] = lambda _: shown

    again = submit(auth)

    assert (again["evaluation_id"], again["reattached"]) == (
        made["evaluation_id"],
        True,
    )


@pytest.mark.parametrize("parameters", ["text", [1], None, 5])
def test_an_odd_entry_keeps_no_evaluation_from_being_found(
    parameters, lifecycles, auth
):
    made = submit(auth)
    real = lifecycles.answers["list_evaluations"]
    odd = {"workflow_id": "odd", "status": "pending", "parameters": parameters}
    lifecycles.answers["list_evaluations"] = lambda given: [odd, *real(given)]

    assert submit(auth)["evaluation_id"] == made["evaluation_id"]


def test_a_report_of_what_is_not_done_says_its_state(lifecycles, auth):
    made = submit(auth)["evaluation_id"]

    with pytest.raises(TogetherError, match="is pending"):
        report(auth, made)
    lifecycles.fail(made, "the judge is gone")
    with pytest.raises(TogetherError, match="is error: the judge is gone"):
        report(auth, made)
