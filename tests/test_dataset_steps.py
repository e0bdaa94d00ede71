"""From whatever rows there are to files that a fine-tune takes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.client import TogetherError
from scripts.tuning.dataset_steps import conversation
from scripts.upload.dataset_check import check
from tests.support.expected_request import main_of
from tools.operations import find

PREPARE = main_of(find("fine_tuning/prepare_dataset"))
ASKED = {"role": "user", "content": "Q"}
SAID = {"role": "assistant", "content": "A"}
SYSTEM = {"role": "system", "content": "S"}
FIRST = {"role": "user", "content": "First"}
REPLY = {"role": "assistant", "content": "Reply"}
OTHER = {"role": "assistant", "content": "B"}
CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
PREFERENCE = {
    "input": {"messages": [ASKED]},
    "preferred_output": [SAID],
    "non_preferred_output": [OTHER],
}
PAIRS = [{"question": f"Question {n}", "answer": f"Answer {n}"} for n in range(200)]


@pytest.mark.parametrize(
    ("row", "shape", "made"),
    [
        ({"messages": [ASKED, SAID]}, "conversation", {"messages": [ASKED, SAID]}),
        (
            {
                "conversations": [
                    {"from": "human", "value": "Q"},
                    {"from": "gpt", "value": "A"},
                ]
            },
            "conversation",
            {"messages": [ASKED, SAID]},
        ),
        (
            {"messages": json.dumps([ASKED, SAID])},
            "conversation",
            {"messages": [ASKED, SAID]},
        ),
        (
            {"question": "Q", "answer": "A"},
            "conversation",
            {"messages": [ASKED, SAID]},
        ),
        (
            {"instruction": "Q", "input": "I", "output": "A", "system": "S"},
            "conversation",
            {
                "messages": [
                    {"role": "system", "content": "S"},
                    {"role": "user", "content": "Q\n\nI"},
                    SAID,
                ]
            },
        ),
        (
            {"prompt": "Q", "completion": "A", "id": 7},
            "instruction",
            {"prompt": "Q", "completion": "A"},
        ),
        ({"text": "A", "source": "web"}, "general", {"text": "A"}),
        (
            {"prompt": "Q", "chosen": "A", "rejected": "B"},
            "preference",
            {
                "input": {"messages": [ASKED]},
                "preferred_output": [SAID],
                "non_preferred_output": [{"role": "assistant", "content": "B"}],
            },
        ),
        (
            {"chosen": [ASKED, SAID], "rejected": [ASKED, {**SAID, "content": "B"}]},
            "preference",
            {
                "input": {"messages": [ASKED]},
                "preferred_output": [SAID],
                "non_preferred_output": [{"role": "assistant", "content": "B"}],
            },
        ),
        (
            {"system": "S", "conversations": [{"from": "human", "value": "Q"}, SAID]},
            "conversation",
            {"messages": [SYSTEM, ASKED, SAID]},
        ),
        (
            {"system_prompt": "S", "prompt": "Q", "completion": "A"},
            "conversation",
            {"messages": [SYSTEM, ASKED, SAID]},
        ),
        (
            {"system": "S", "prompt": "Q", "chosen": "A", "rejected": "B"},
            "preference",
            {**PREFERENCE, "input": {"messages": [SYSTEM, ASKED]}},
        ),
        (
            {"prompt": "Q", "chosen": "A", "rejected": "B", "messages": [ASKED, SAID]},
            "preference",
            PREFERENCE,
        ),
        (
            {
                "prompt": "First",
                "chosen": [FIRST, REPLY, ASKED, SAID],
                "rejected": [FIRST, REPLY, ASKED, OTHER],
            },
            "preference",
            {**PREFERENCE, "input": {"messages": [FIRST, REPLY, ASKED]}},
        ),
        (
            {
                "conversations": [
                    {"from": "human", "value": "First"},
                    {"from": "gpt", "value": "Reply"},
                    {"from": "human", "value": "Q"},
                ],
                "chosen": {"from": "gpt", "value": "A"},
                "rejected": {"from": "gpt", "value": "B"},
            },
            "preference",
            {**PREFERENCE, "input": {"messages": [FIRST, REPLY, ASKED]}},
        ),
        (
            {
                "prompt": [{"from": "human", "value": "Q"}],
                "chosen": "A",
                "rejected": "B",
            },
            "preference",
            PREFERENCE,
        ),
        (
            {
                "prompt": "Q",
                "chosen": {"role": "Assistant", "content": "A"},
                "rejected": {"content": "B"},
            },
            "preference",
            PREFERENCE,
        ),
        (
            {
                "prompt": json.dumps(ASKED),
                "chosen": json.dumps([SAID]),
                "rejected": json.dumps(OTHER),
            },
            "preference",
            PREFERENCE,
        ),
        (
            {
                "chosen": json.dumps([ASKED, SAID]),
                "rejected": " " + json.dumps([ASKED, OTHER]),
            },
            "preference",
            PREFERENCE,
        ),
        (
            {"prompt": json.dumps([ASKED]), "completion": json.dumps([SAID])},
            "conversation",
            {"messages": [ASKED, SAID]},
        ),
        *(
            (
                {"prompt": "Q", "completion": answer},
                "instruction",
                {"prompt": "Q", "completion": answer},
            )
            for answer in (
                '{"from": "Rome", "value": 1}',
                '[{"role": "user"}]',
                "[]",
                "[1]",
                "{role",
                "[" * 9_999,
            )
        ),
        (
            {**PREFERENCE, "input": {"messages": [ASKED], "tools": [{"type": "x"}]}},
            "preference",
            {**PREFERENCE, "input": {"messages": [ASKED], "tools": [{"type": "x"}]}},
        ),
        (
            {"prompt": [ASKED], "completion": [SAID]},
            "conversation",
            {"messages": [ASKED, SAID]},
        ),
        (
            {"instruction": "Q", "output": "A", "history": [["First", "Reply"]]},
            "conversation",
            {"messages": [FIRST, REPLY, ASKED, SAID]},
        ),
        (
            {"question": "Q", "context": "C", "answer": "A"},
            "conversation",
            {"messages": [{"role": "user", "content": "C\n\nQ"}, SAID]},
        ),
        (
            {"question": "Q", "answer": 4, "label": True},
            "conversation",
            {"messages": [ASKED, {"role": "assistant", "content": "4"}]},
        ),
        *(
            (
                {"prompt": "Q", "completion": "A", "is_correct": good},
                "instruction",
                {"prompt": "Q", "completion": "A"},
            )
            for good in (True, 1, 1.0, "yes", " TRUE ", "Y", "t", "1", "1.0", "", None)
        ),
        (
            {"text": "A", "label": 0, "desirable": "yes"},
            "general",
            {"text": "A"},
        ),
        *(
            (
                {"messages": [ASKED, {**SAID, "weight": weight}, ASKED, SAID]},
                "conversation",
                {"messages": [ASKED, {**SAID, **made}, ASKED, SAID]},
            )
            for weight, made in (
                ("0", {"weight": 0}),
                ("1.0", {"weight": 1}),
                (False, {"weight": 0}),
                ("yes", {"weight": 1}),
                (None, {}),
                (" ", {}),
            )
        ),
        (
            {"prompt": "Q", "completion": 1.5},
            "instruction",
            {"prompt": "Q", "completion": "1.5"},
        ),
        (
            {"messages": [ASKED, CALL, {"role": "tool", "content": ""}, SAID]},
            "conversation",
            {"messages": [ASKED, CALL, {"role": "tool", "content": ""}, SAID]},
        ),
    ],
)
def test_a_row_becomes_what_the_service_trains_on(row, shape, made):
    assert conversation(row) == (shape, made)
    found = check({"rows": [made]}, "fine-tune")
    assert found["shape"] == shape
    assert conversation(made)[1] == made


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"a": 1}, "it has a"),
        ({"messages": []}, "no messages"),
        ({"messages": [ASKED]}, "no message of an assistant"),
        ({"messages": [{"role": "ghost", "content": "x"}]}, "unknown role 'ghost'"),
        ({"messages": [{"content": "x"}]}, r"messages\[0\] has no role"),
        ({"messages": [ASKED, {"role": "assistant"}]}, r"messages\[1\] says nothing"),
        ({"prompt": "Q", "chosen": "A", "rejected": ""}, "preferred answer"),
        (
            {"chosen": [ASKED, SAID], "rejected": [FIRST, OTHER]},
            "differ before their last message",
        ),
        ({"prompt": "Q", "completion": "A", "label": False}, "label: False, of an"),
        ({"question": "Q", "answer": "A", "label": "False"}, "label: 'False', of an"),
        ({"prompt": "Q", "completion": "A", "label": "0"}, "label: '0', of an"),
        ({"prompt": "Q", "completion": "A", "desirable": False}, "desirable: False"),
        ({"question": "Q", "answer": "A", "is_correct": False}, "is_correct: False"),
        ({"messages": [ASKED, SAID], "label": 0}, "label: 0, of an"),
        *(
            ({"question": "Q", "answer": "A", "is_correct": bad}, "not to be learned")
            for bad in ("no", " NO", "n", "f", "FALSE", "0", "0.0", 0, 0.0)
        ),
        ({"prompt": "Q", "completion": "A", "label": "no"}, "label: 'no', of an"),
        ({"text": "A", "is_correct": "no"}, "is_correct: 'no', of an"),
        *(
            (
                {"messages": [ASKED, SAID], name: odd},
                f"says {name}: '{odd}', which is neither yes nor no",
            )
            for name, odd in (
                ("is_correct", "nein"),
                ("is_correct", 0.7),
                ("desirable", -1),
                ("desirable", "maybe"),
            )
        ),
        (
            {"question": "Q", "answer": "", "is_correct": "", "label": ""},
            "has nothing in answer$",
        ),
        ({"prompt": "Q", "chosen": "A", "rejected": "A"}, "same answer twice"),
        (
            {"chosen": [ASKED, SAID, FIRST], "rejected": [ASKED, SAID, SAID]},
            "has chosen that ends with a message of role 'user'",
        ),
        (
            {"prompt": "Q", "chosen": [SAID], "rejected": [FIRST]},
            "has rejected that ends with a message of role 'user'",
        ),
        (
            {"prompt": "Q", "chosen": json.dumps([FIRST]), "rejected": "B"},
            "has chosen that ends with a message of role 'user'",
        ),
        (
            {"prompt": "Q", "chosen": SYSTEM, "rejected": "B"},
            "has chosen that ends with a message of role 'system'",
        ),
        (
            {
                "prompt": "Q",
                "chosen": [{"from": "human", "value": "A"}],
                "rejected": [{"from": "gpt", "value": "B"}],
            },
            "role 'human': its last message must be the assistant's",
        ),
        (
            {**PREFERENCE, "preferred_output": [{"role": "ghost", "content": "A"}]},
            "has preferred_output that ends with a message of role 'ghost'",
        ),
        (
            {"prompt": [ASKED, SAID, ASKED], "completion": [FIRST]},
            "a completion without a message of an assistant",
        ),
        (
            {"prompt": [ASKED], "completion": [{"role": "assistant"}]},
            r"completion\[0\] says nothing",
        ),
        ({"question": "Q", "answer": ["A"]}, r"answer \(no text\)"),
        ({"messages": [ASKED, SAID], "tools": "f"}, "tools that are not JSON"),
        ({"messages": [ASKED, SAID], "tools": "[NaN]"}, "tools that are not JSON"),
        ({"messages": [ASKED, SAID], "tools": "{}"}, "tools that are no list"),
        ({"instruction": "Q", "output": "A", "history": "so"}, "history"),
        ({"instruction": "Q", "output": "A", "history": [["a"]]}, "history"),
        (
            {
                "messages": [
                    ASKED,
                    {"role": "assistant", "function_call": {"name": "f"}},
                ]
            },
            "function_call",
        ),
    ],
)
def test_a_row_that_cannot_be_used_says_why(row, words):
    with pytest.raises(ValueError, match=words):
        conversation(row)


def test_what_tables_and_others_write_is_as_the_service_wants_it():
    call = {"id": "1", "type": "function"}
    made = conversation(
        {
            "messages": [
                {"role": "developer", "content": "S"},
                ASKED,
                {
                    "role": "assistant",
                    "tool_calls": [
                        {
                            **call,
                            "function": {"name": "f", "arguments": {"x": "\u00e9"}},
                        }
                    ],
                },
                SAID,
            ],
            "tools": '[{"type": "function", "function": {"name": "f"}}]',
        }
    )[1]

    assert made["messages"][0] == {"role": "system", "content": "S"}
    assert made["messages"][2]["tool_calls"] == [
        {**call, "function": {"name": "f", "arguments": '{"x": "\u00e9"}'}}
    ]
    assert made["tools"] == [{"type": "function", "function": {"name": "f"}}]


@pytest.mark.parametrize(
    ("row", "names"),
    [
        ({"question": "a", "answer": ""}, "answer"),
        ({"question": None, "answer": "", "note": ""}, "question and answer"),
        ({"prompt": "a", "completion": ""}, "completion"),
        ({"text": "", "id": 4}, "text"),
        ({"question": "Q", "answer": " "}, "answer"),
    ],
)
def test_a_column_that_is_empty_is_named(row, names):
    with pytest.raises(ValueError, match=f"^has nothing in {names}$"):
        conversation(row)


def test_rows_of_two_kinds_are_told_in_words(auth, sandbox):
    rows = [{"messages": [ASKED, SAID]}, {"prompt": "a", "completion": "b"}]

    with pytest.raises(TogetherError) as raised:
        PREPARE(auth, rows)

    assert (
        "dataset[1] is a prompt with its completion, while the rows before it are "
        "a conversation: all of a dataset must be of one kind"
    ) in str(raised.value)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "from", "value", "messages"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
NAMES = ("messages", "conversations", "prompt", "completion", "text", "input", "chosen")


@given(st.dictionaries(st.sampled_from([*NAMES, "rejected", "output"]), ANY))
def test_no_row_however_odd_breaks_the_reading(row):
    made, why = None, ""
    try:
        made = conversation(row)
    except ValueError as refused:  # the only way in which it may
        why = str(refused)
    assert why or made == conversation(made[1])


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": "A", "weight": 0.5},
        {"role": "assistant", "content": 5},
        {"role": "assistant", "content": {"a": 1}},
        {"role": "assistant", "content": ["text"]},
    ],
)
def test_what_the_check_of_an_upload_refuses_is_not_prepared(message, auth, sandbox):
    rows = [{"messages": [ASKED, message]}]

    with pytest.raises(TogetherError, match=r"messages\[1\]"):
        check({"rows": rows}, "fine-tune")
    with pytest.raises(TogetherError, match=r"dataset\[0\].*messages\[1\]"):
        PREPARE(auth, rows)


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85", "\x0b", "\x1e", "\r"])
def test_a_text_may_hold_what_ends_a_line_elsewhere(sign, auth, sandbox):
    row = {"prompt": f"a{sign}b", "completion": "c"}

    assert PREPARE(auth, [row], output="result", validation_share=0)["training"] == [
        row
    ]


def test_columns_that_nothing_is_made_of_are_told(auth, sandbox):
    rows = [{**pair, "id": 1, "label": True} for pair in PAIRS[:3]]
    rows.append({"messages": [SAID, ASKED, SAID], "source": "web"})

    found = PREPARE(auth, rows, output="result", validation_share=0)

    assert found["unused_columns"] == ["id", "source"]
    assert "id, source" in found["markdown"]
    (warning,) = found["warnings"]
    assert warning["field"] == "dataset[3]"
    assert "begins with the assistant" in warning["problem"]


def test_a_label_that_is_no_judgement_is_told_as_unused(auth, sandbox):
    rows = [{**pair, "label": "history"} for pair in PAIRS[:3]]

    found = PREPARE(auth, rows, output="result", validation_share=0)

    assert (len(found["training"]), found["unused_columns"]) == (3, ["label"])


def test_an_answer_of_which_it_is_not_clear_is_refused_by_row_and_name(auth, sandbox):
    said = [{**pair, "is_correct": "yes"} for pair in PAIRS[:3]]
    said[1] = {**said[1], "is_correct": "perhaps"}

    with pytest.raises(TogetherError) as caught:
        PREPARE(auth, said, output="result", validation_share=0)

    (problem,) = caught.value.problems
    assert problem["field"] == "dataset[1]"
    assert "is_correct: 'perhaps', which is neither yes nor no" in problem["problem"]


def test_rows_are_split_by_the_seed_and_lost_nowhere(sandbox, auth):
    def split(**more):
        found = PREPARE(auth, PAIRS, output="result", **more)
        return found["training"], found["validation"]

    training, validation = split(validation_share=0.25)

    assert split(validation_share=0.25) == (training, validation)
    assert split(validation_share=0.25, seed=1) != (training, validation)
    assert split(validation_share=0)[1] is None
    asked = [row["messages"][0]["content"] for row in training + validation]
    assert sorted(asked) == sorted(row["question"] for row in PAIRS)
    assert 25 < len(validation) < 75


def test_the_files_are_uploaded_for_training(sandbox, auth):
    found = PREPARE(auth, PAIRS, system="Be brief.", name="support")

    stored = {name: content for name, (_, content) in sandbox.files.items()}
    assert stored.keys() == {found["training_file"], found["validation_file"]}
    rows = [
        json.loads(line)
        for line in bytes(stored[found["training_file"]]).split(b"\n")
        if line
    ]
    assert len(rows) == found["statistics"]["training_rows"]
    assert rows[0]["messages"][0] == {"role": "system", "content": "Be brief."}
    record = sandbox.files[found["training_file"]][0]
    assert record["filename"] == "support-training.jsonl"
    assert record["purpose"] == "fine-tune"


def test_the_files_can_be_stored(sandbox, auth, workspace):
    found = PREPARE(auth, PAIRS, output="storage")

    assert ("", found["training"]["s3"]) in workspace.objects
    assert ("", found["validation"]["s3"]) in workspace.objects
    assert not sandbox.files


def test_bad_rows_stop_it_unless_they_may_be_left_out(sandbox, auth):
    rows = [*PAIRS[:3], {"a": 1}, PAIRS[0], {"text": "another shape"}]

    with pytest.raises(TogetherError) as caught:
        PREPARE(auth, rows)
    fields = [problem["field"] for problem in caught.value.problems]
    assert fields == ["dataset[3]", "dataset[5]"]
    assert not sandbox.requests

    found = PREPARE(auth, rows, skip_bad=True, output="result", validation_share=0)
    assert len(found["training"]) == 3
    assert found["statistics"]["unusable_rows"] == 2
    assert found["statistics"]["repeated_rows"] == 1
    assert found["statistics"]["estimated_tokens"] > 0


def test_the_rows_can_be_a_bare_table(sandbox, auth):
    rows = PREPARE(auth, PAIRS, output="table", validation_share=0.5)
    found = PREPARE(auth, PAIRS, output="result", validation_share=0.5)

    assert [row.pop("split") for row in rows] == ["training"] * len(
        found["training"]
    ) + ["validation"] * len(found["validation"])
    assert rows == [*found["training"], *found["validation"]]


def test_the_summary_says_how_many_rows_can_be_used(sandbox, auth):
    rows = [*PAIRS[:3], {"<b>": 1}]
    found = PREPARE(auth, rows, skip_bad=True, output="result", validation_share=0)

    lines = found["markdown"].splitlines()
    assert lines[0] == "**3 of 4 rows can be used, 1 were left out.**"
    assert any("must have" in line and "\\<b" in line for line in lines), lines
    assert lines[-1] == "- The rows: `training` and `validation` of this result"


def test_without_a_row_to_train_on_nothing_is_sent(sandbox, auth):
    with pytest.raises(TogetherError, match="no row to train on"):
        PREPARE(auth, [{"a": 1}], skip_bad=True)
    assert not sandbox.requests


def test_csv_is_read_as_well(sandbox, auth):
    text = "prompt,completion\nHi,Hello\nBye,See you\n"
    dataset = {"text": text, "filename": "rows.csv"}

    found = PREPARE(auth, dataset, output="result", validation_share=0)

    assert found["shape"] == "instruction"
    assert found["training"][1] == {"prompt": "Bye", "completion": "See you"}
