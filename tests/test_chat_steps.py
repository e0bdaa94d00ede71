"""Steps that ask models, against the sandbox."""

import base64
import itertools
import json
import time

import pytest

from scripts import chat_steps
from scripts.client import TogetherError
from tests.support.canned_chat import CHAT, MODEL, asked, price, say, usage
from tests.support.expected_request import main_of
from tools import models
from tools.local.job_runner import run
from tools.operations import find
from tools.sandbox import Fault

ASK = main_of(find("chat/ask_model"))
CLASSIFY = main_of(find("chat/classify_text"))
COMPARE = main_of(find("models/compare_models"))
PICTURE = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()


def test_the_table_by_which_a_model_is_asked_is_the_operation_s():
    for name in ("method", "path", "retry", "host", "stream"):
        assert CHAT.exchange[name] == chat_steps.CHAT[name]


# --- ask_model ---------------------------------------------------------------------


def test_a_question_is_answered_with_usage_and_cost(sandbox, auth):
    found = ASK(auth, "Why is the sky blue?", MODEL)

    text = "The sandbox's answer to: Why is the sky blue?"
    question = {"role": "user", "content": "Why is the sky blue?"}
    assert found == {
        "text": text,
        "reasoning": None,
        "usage": {**usage(), "cached_tokens": 0},
        "cost_usd": pytest.approx(price(21, 27)),
        "model": MODEL,
        "finish_reason": "stop",
        "messages": [question, {"role": "assistant", "content": text}],
    }
    assert [{"model": MODEL, "messages": [question], "stream": True}] == asked(sandbox)


@pytest.mark.parametrize("key", ["id", "model", "value"])
def test_a_model_may_come_as_the_object_that_holds_its_id(key, sandbox, auth):
    """What calls steps as tools is told that a list of choices is an object."""
    ASK(auth, "Why?", model={key: MODEL, "label": "a name"})

    assert asked(sandbox)[-1]["model"] == MODEL


@pytest.mark.parametrize("model", [{}, {"id": ""}, "", []])
def test_an_object_that_names_nothing_is_no_model_and_one_is_recommended(
    model, sandbox, auth
):
    ASK(auth, "Why?", model=model)

    assert asked(sandbox)[-1]["model"] == models.model("chat")


@pytest.mark.parametrize("model", [{"id": 5}, {"name": MODEL}])
def test_an_object_without_a_model_s_id_is_refused_by_name(model, sandbox, auth):
    with pytest.raises(TogetherError) as caught:
        ASK(auth, "Why?", model=model)

    assert [one["field"] for one in caught.value.problems] == ["model"]
    assert not sandbox.requests


def test_settings_instructions_and_pictures_are_sent(sandbox, auth):
    ASK(
        auth,
        "What is it?",
        MODEL,
        system="Be brief.",
        pictures=["https://example.com/a.png", PICTURE],
        temperature=0,
        max_tokens=9,
        reasoning_effort="low",
    )

    parts = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "image_url", "image_url": {"url": PICTURE}},
    ]
    assert asked(sandbox)[-1] == {
        "model": MODEL,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": parts},
        ],
        "temperature": 0,
        "max_tokens": 9,
        "reasoning_effort": "low",
        "stream": True,
    }


def test_the_messages_of_an_answer_are_the_history_of_the_next_question(sandbox, auth):
    first = ASK(auth, "One?", MODEL, system="Count.", pictures=[PICTURE])
    ASK(auth, "Two?", MODEL, history=first["messages"], system="Count on.")

    said = asked(sandbox)[-1]["messages"]
    assert ["system", "user", "assistant", "user"] == [m["role"] for m in said]
    assert "Count on." == said[0]["content"]
    assert first["messages"][1:] == said[1:3]


def test_large_pictures_are_not_handed_back(sandbox, auth, capsys):
    large = PICTURE + "A" * chat_steps.KEPT_PICTURES
    file = {"file": base64.b64encode(PNG * chat_steps.KEPT_PICTURES).decode()}
    pictures = [large, PICTURE, file, "https://example.com/b.png"]
    found = ASK(auth, "What is it?", MODEL, pictures=pictures)

    parts = found["messages"][0]["content"]
    kinds = ["text", "text", "image_url", "text", "image_url"]
    assert kinds == [part["type"] for part in parts]
    assert large == asked(sandbox)[-1]["messages"][0]["content"][1]["image_url"]["url"]
    assert "leaves a picture out" in capsys.readouterr().err


PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)
BASE64 = base64.b64encode(PNG).decode()
SHAPES = {
    "URL": ("https://example.com/a.png", None),
    "URL of a form": ({"url": "https://example.com/a.png"}, None),
    "data URI": (PICTURE, None),
    "base64": (BASE64, {"file": BASE64}),
    "bytes": (PNG, {"file": BASE64}),
    "dropped": ({"file": BASE64}, None),
    "stored": ({"s3": "a/b.png"}, None),
    "stored elsewhere": ({"s3": "a/b.png", "storage": "two"}, None),
    "picked": ({"s3": {"s3": "a/b.png"}}, None),
    "place": ("s3:///a/b.png", {"s3": "s3:///a/b.png"}),
}


@pytest.mark.parametrize(("picture", "kept"), SHAPES.values(), ids=SHAPES)
def test_a_picture_is_given_in_any_shape(picture, kept, sandbox, workspace, auth):
    workspace.put("a/b.png", PNG)
    workspace.put("a/b.png", PNG, "two")

    found = ASK(auth, "What is it?", MODEL, pictures=[picture])
    history = json.loads(json.dumps(found["messages"]))
    again = ASK(auth, "Sure?", MODEL, history=history)

    assert (kept or picture) == history[0]["content"][1]["image_url"]["url"]
    assert history == again["messages"][:2]
    first, second = (body["messages"][0]["content"][1] for body in asked(sandbox))
    assert first == second
    sent = first["image_url"]["url"]
    assert sent in (
        "https://example.com/a.png",
        PICTURE,
        f"data:image/png;base64,{BASE64}",
    )


def in_base64(content):
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        ({"file": in_base64(b"%PDF-1.7 " * 9), "filename": "a.png"}, "application/pdf"),
        ({"file": in_base64(b"<!doctype html><p>Log in")}, "text/html and no"),
        ({"file": in_base64(b"PK\3\4" * 9), "filename": "a.png"}, "archive"),
        (in_base64(b"ID3\4" + bytes(90)), "audio/mpeg and no picture"),
        ({"file": in_base64(b'{"error": "none"}')}, "JSON and no picture"),
        ({"rows": [{"a": 1}]}, "JSON and no picture"),
        ("data:image/png;base64," + in_base64(b"%PDF-1.7 a"), "application/pdf"),
        ("data:image/png;base64,@@@@", "must be a file as base64"),
    ],
)
def test_what_is_no_picture_is_refused_before_it_is_paid(picture, words, sandbox, auth):
    with pytest.raises(TogetherError, match=words) as caught:
        ASK(auth, "What is it?", MODEL, pictures=[PICTURE, picture])

    assert caught.value.problems[0]["field"] == "pictures[1]"
    assert not asked(sandbox)


@pytest.mark.parametrize("picture", [{"s3": "a.png"}, "s3:///a.png"])
def test_what_is_stored_and_no_picture_is_refused_too(
    picture, sandbox, workspace, auth
):
    workspace.put("a.png", b"%PDF-1.7 " * 9)

    with pytest.raises(TogetherError, match="application/pdf and no picture"):
        ASK(auth, "What is it?", MODEL, pictures=[picture])
    assert not asked(sandbox)


@pytest.mark.parametrize("told", ["", "image/png", "application/octet-stream"])
def test_a_data_uri_is_called_what_it_is(told, sandbox, auth):
    jpeg = in_base64(b"\xff\xd8\xff\xe0" + bytes(60))

    ASK(auth, "What is it?", MODEL, pictures=[f"data:{told};base64,{jpeg}"])

    part = asked(sandbox)[-1]["messages"][0]["content"][1]
    assert part["image_url"]["url"] == f"data:image/jpeg;base64,{jpeg}"


@pytest.mark.parametrize(
    ("step", "field", "more"),
    [
        ("chat/ask_model", "prompt", {}),
        ("chat/call_tools", "prompt", {"tools": [{"path": "f/a/b"}]}),
        ("images/create_picture", "prompt", {}),
        ("videos/submit_video", "prompt", {}),
        ("rerank/search_documents", "query", {"documents": ["a"]}),
        ("embeddings/rank_passages", "question", {"rows": [{"text": "a"}]}),
    ],
)
def test_a_blank_question_is_not_asked(step, field, more, sandbox, auth):
    given = {field: " \n", "model": MODEL, **more}
    with pytest.raises(TogetherError, match=f"{field}.* is blank"):
        main_of(find(step))(auth, **given)

    assert not [one for one in sandbox.requests if one.method == "POST"]


def test_a_stored_picture_that_is_not_there_is_named(sandbox, workspace, auth):
    with pytest.raises(TogetherError, match=r"pictures\[0\]"):
        ASK(auth, "What is it?", MODEL, pictures=[{"s3": "a/b.png"}])
    history = [{"role": "user", "content": [{"image_url": {"url": {"s3": "b"}}}]}]
    with pytest.raises(TogetherError, match=r"history\[0\].content"):
        ASK(auth, "What is it?", MODEL, history=history)
    assert not asked(sandbox)


@pytest.mark.parametrize(
    ("message", "text", "reasoning"),
    [
        ({"content": "<think>\nHm.\n</think>\n\nYes."}, "Yes.", "Hm."),
        ({"content": "Hm.</think>Yes."}, "Yes.", "Hm."),
        ({"content": "<think>Hm, and so"}, "", "Hm, and so"),
        ({"content": "<think></think>Yes."}, "Yes.", None),
        ({"content": "Yes.", "reasoning": "Hm."}, "Yes.", "Hm."),
        ({"content": "Yes.", "reasoning_content": "Hm."}, "Yes.", "Hm."),
        ({"content": "<think>Hm.</think>Yes.", "reasoning": "Hm."}, "Yes.", "Hm."),
        ({"content": "I think so."}, "I think so.", None),
        ({"content": None, "refusal": "I must not."}, "I must not.", None),
        ({"content": None}, "", None),
        ({"content": [{"type": "text", "text": "Ye"}, {"text": "s."}]}, "Yes.", None),
        (
            {"content": "Write </think> last.", "reasoning": "A"},
            "Write </think> last.",
            "A",
        ),
        ({"content": "Write `</think>` last."}, "Write `</think>` last.", None),
        ({"content": "```\n</think>\n```"}, "```\n</think>\n```", None),
        ({"content": '{"tag": "a </think> b"}'}, '{"tag": "a </think> b"}', None),
        ({"content": "<think>a `</think>` b</think>Yes."}, "Yes.", "a `</think>` b"),
        (
            {"content": "<think>a <think>b</think> c</think>Yes."},
            "Yes.",
            "a <think>b</think> c",
        ),
        ({"content": "<think>A <think> tag.</think>Yes."}, "Yes.", "A <think> tag."),
        ({"content": "<think>a</think>\n<think>b</think>Yes."}, "Yes.", "a\nb"),
        ({"content": "Hm.</think>A </think> tag."}, "A </think> tag.", "Hm."),
        ({"content": {"name": "Zoë"}}, '{"name": "Zoë"}', None),
        (
            {
                "content": "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant"
                "<|channel|>final <|constrain|>json<|message|>Yes.<|return|>"
            },
            "Yes.",
            "Hm.",
        ),
        ({"content": "<|channel|>analysis<|message|>Hm, and"}, "", "Hm, and"),
        (
            {"content": "It is <|channel|>final<|message|>."},
            "It is <|channel|>final<|message|>.",
            None,
        ),
        ({"content": [{"name": "Ann"}]}, '[{"name": "Ann"}]', None),
        ({"content": {"type": "text", "text": "Yes."}}, "Yes.", None),
        ({"content": [{"type": "text", "text": ""}]}, "", None),
        ({"content": [{"type": "text", "text": {"value": "Yes."}}]}, "Yes.", None),
        ({"content": [{"type": "reasoning", "text": "Hm."}, "Yes."]}, "Yes.", "Hm."),
        ({"content": 42}, "42", None),
        (
            {"content": [{"type": "thinking", "thinking": [{"text": "Hm."}]}, "Yes."]},
            "Yes.",
            "Hm.",
        ),
        ({"content": "Yes.", "reasoning_details": [{"text": "Hm."}]}, "Yes.", "Hm."),
        ({"content": "Yes.", "reasoning": 5, "refusal": 5}, "Yes.", None),
    ],
)
def test_thinking_is_no_part_of_the_text(message, text, reasoning):
    found = chat_steps.parse_completion(
        {"choices": [{"message": message, "finish_reason": "stop"}]}
    )

    assert (text, reasoning) == (found["text"], found["reasoning"])


@pytest.mark.parametrize(
    "answer",
    [
        {},
        *({"choices": odd} for odd in ([], None, 5, [None], ["a"], [{}], {"0": 1})),
        *({"choices": [{"message": odd}]} for odd in (None, "a", [], {"content": ""})),
    ],
)
def test_an_answer_that_says_nothing_is_empty(answer):
    found = chat_steps.parse_completion(answer)

    assert ("", None, []) == (found["text"], found["reasoning"], found["tool_calls"])


def test_the_first_choice_is_the_one_that_says_so():
    choices = [{"index": n, "message": {"content": f"No. {n}"}} for n in (2, 0, 1)]
    bare = [{"message": {"content": "No. 0"}}, {"message": {"content": "No. 1"}}]

    assert chat_steps.parse_completion({"choices": choices})["text"] == "No. 0"
    assert chat_steps.answered({"choices": choices}) == ("No. 0", None, False)
    assert chat_steps.parse_completion({"choices": bare})["text"] == "No. 0"


@pytest.mark.parametrize(
    "odd",
    [
        {"model": "m", "message": {"role": "assistant", "content": "Yes."}},
        {"output": [{"content": [{"type": "output_text", "text": "Yes."}]}]},
        {"choices": [None], "id": "a"},
    ],
)
@pytest.mark.parametrize("step", [ASK, CLASSIFY])
def test_an_answer_in_another_shape_is_an_error_that_keeps_it(sandbox, auth, odd, step):
    sandbox.faults.append(Fault("chat/completions", 200, body=odd))
    more = {"text": "x", "labels": ["a", "b"], "model": MODEL}

    with pytest.raises(TogetherError) as caught:
        step(auth, **(more if step is CLASSIFY else {"prompt": "x", "model": MODEL}))

    assert caught.value.type == "broken_answer"
    assert caught.value.partial == odd
    assert len(asked(sandbox)) == 1


CUTS = ["length", "max_tokens", "MAX_TOKENS", "content_filter", "SAFETY"]


@pytest.mark.parametrize("reason", CUTS)
def test_an_answer_is_cut_by_any_name(reason):
    assert chat_steps.parse_completion({"choices": [{"finish_reason": reason}]})["cut"]
    assert not chat_steps.parse_completion({"choices": [{"finish_reason": "stop"}]})[
        "cut"
    ]


@pytest.mark.parametrize(
    ("history", "field"),
    [
        ("hello", "history"),
        (["hello"], "history[0]"),
        ([{"content": "hello"}], "history[0].role"),
        ([{"role": "user", "content": 5}], "history[0].content"),
        ([{"role": "user", "content": "a"}, {"role": 3, "content": "b"}], "[1].role"),
    ],
)
def test_a_history_that_is_none_is_refused_by_name(history, field, sandbox, auth):
    with pytest.raises(TogetherError) as caught:
        ASK(auth, "And?", MODEL, history=history)

    assert caught.value.problems[0]["field"].endswith(field)
    assert not asked(sandbox)


def test_what_the_form_sends_is_what_was_filled_in(sandbox, auth):
    picture = {"label": "URL", "url": "https://example.com/a.png"}
    ASK(
        auth,
        "And?",
        MODEL,
        system=None,
        pictures=[{"source": picture}],
        history=[{"role": "user", "content": "Hi."}, {"role": "", "content": ""}],
        temperature=None,
        reasoning_effort=None,
    )

    first, question = asked(sandbox)[0]["messages"]
    assert {"role": "user", "content": "Hi."} == first
    assert ["text", "image_url"] == [part["type"] for part in question["content"]]
    rows = COMPARE(auth, [MODEL], [{"text": "One?"}], other_models=[])
    assert "One?" == rows[1]["prompt"]


def test_a_history_in_which_tools_were_called_is_handed_back(sandbox, auth):
    """A message that calls tools may have no content at all."""
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    history = [
        {"role": "user", "content": "Two and two?"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": "4"},
    ]
    found = ASK(auth, "And?", MODEL, history=history)

    assert found["messages"][:3] == history == asked(sandbox)[-1]["messages"][:3]


def test_rows_of_the_history_left_empty_are_not_sent(sandbox, auth):
    rows = [{"role": "user", "content": ""}, {"role": "", "content": ""}]
    ASK(auth, "And?", MODEL, history=rows)

    assert 1 == len(asked(sandbox)[-1]["messages"])


def test_an_answer_with_an_unknown_price_says_so(sandbox, auth):
    found = ASK(auth, "And?", "me/endpoint")

    assert found["cost_usd"] is None
    assert "does not list me/endpoint" in found["cost_note"]


def test_the_price_list_is_not_needed_for_an_answer(sandbox, auth):
    """What the money was spent for is handed back, whatever happens then."""
    own = {**auth, "api_key": f"{auth['api_key']}-unseen"}
    sandbox.faults += [Fault("/models|/supported", 500, times=99)]
    sandbox.faults[-1].status = 403

    found = ASK(own, "And?", MODEL)

    assert found["text"]
    assert found["cost_usd"] is None
    assert "cannot be read" in found["cost_note"]


def test_an_answer_that_was_cut_says_so(sandbox, auth, capsys):
    def cut(body, whole):
        whole["choices"][0]["finish_reason"] = "length"
        return whole

    say(sandbox, cut)

    assert "length" == ASK(auth, "And?", MODEL)["finish_reason"]
    assert "was cut" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("reason", "advice"), [("length", "longer answer"), ("stop", "other words")]
)
def test_an_answer_without_text_is_red_and_keeps_the_rest(
    sandbox, auth, reason, advice
):
    def empty(body, whole):
        message = {"role": "assistant", "content": "", "reasoning": "Hm."}
        whole["choices"][0] |= {"finish_reason": reason, "message": message}
        return whole

    say(sandbox, empty)
    with pytest.raises(TogetherError, match=f"no text .finish_reason {reason}") as e:
        ASK(auth, "And?", MODEL)

    assert e.value.type == "nothing_done"
    assert e.value.partial["usage"]
    assert advice in e.value.advice


@pytest.mark.slow
def test_a_worker_shows_the_answer_while_it_arrives(sandbox, auth):
    pieces = []
    job = run(
        "chat/ask_model",
        {"auth": auth, "model": MODEL, "prompt": "And?"},
        show=pieces.append,
    )

    assert len(pieces) > 1
    assert "".join(pieces) == job.result["wm_stream"] == job.result["text"]


# --- compare_models ----------------------------------------------------------------


def table(found):
    """The rows of a table, its columns checked."""
    for row in found[1:]:
        assert set(row) == set(found[0])
    return {row["prompt"]: row for row in found[1:]}


def test_models_are_compared_side_by_side(sandbox, auth):
    def echo(body, whole):
        words = " ".join(m["content"] for m in body["messages"])
        whole["choices"][0]["message"]["content"] = f"{body['model']}: {words}"
        return whole

    say(sandbox, echo)
    found = COMPARE(
        auth,
        [MODEL, "a/b"],
        ["One?", "Two?"],
        other_models=["c/d", MODEL],
        system="Brief.",
        temperature=0,
        max_tokens=5,
    )

    assert ["prompt", MODEL, "a/b", "c/d"] == found[0]
    rows = table(found)
    assert "a/b: Brief. One?" == rows["One?"]["a/b"]
    assert "c/d: Brief. Two?" == rows["Two?"]["c/d"]
    assert rows["tokens"][MODEL] == rows["tokens"]["c/d"] == 2 * 48
    assert rows["cost_usd"][MODEL] == pytest.approx(2 * price(21, 27))
    assert rows["cost_usd"]["a/b"] is None
    assert "does not list a/b" in rows["cost_note"]["a/b"]
    assert rows["cost_note"][MODEL] is None
    assert rows["seconds"][MODEL] >= 0
    assert all(b["temperature"] == 0 and b["max_tokens"] == 5 for b in asked(sandbox))


def test_a_prompt_that_is_there_twice_has_answers_of_its_own_each_time(sandbox, auth):
    numbers = itertools.count(1)

    def answer(body, whole):
        whole["choices"][0]["message"]["content"] = f"answer {next(numbers)}"
        return whole

    say(sandbox, answer)

    rows = COMPARE(auth, [MODEL], ["same", "same", "other"])[1:4]

    assert [row["prompt"] for row in rows] == ["same", "same", "other"]
    assert len({row[MODEL] for row in rows}) == 3


def test_a_model_that_would_take_the_prompt_s_column_is_refused(sandbox, auth):
    with pytest.raises(TogetherError, match="models cannot be prompt"):
        COMPARE(auth, ["prompt"], ["One?"])
    assert not sandbox.requests


def test_what_failed_answers_used_is_on_the_bill_of_a_comparison(sandbox, auth):
    used = {"prompt_tokens": 4000, "completion_tokens": 2000, "total_tokens": 6000}

    def respond(body, whole):
        text = body["messages"][-1]["content"]
        if text == "empty":
            return {"choices": [], "usage": used}
        return {"choices": []} if text == "untold" else whole

    say(sandbox, respond)
    rows = table(COMPARE(auth, [MODEL], ["One?", "empty"]))
    assert rows["tokens"][MODEL] == usage()["total_tokens"] + 6000
    both = [
        usage()[name] + used[name] for name in ("prompt_tokens", "completion_tokens")
    ]
    assert rows["cost_usd"][MODEL] == pytest.approx(price(*both))

    rows = table(COMPARE(auth, [MODEL], ["One?", "untold"]))
    assert rows["cost_usd"][MODEL] is None
    assert "does not say" in rows["cost_note"][MODEL]


def test_a_model_that_fails_does_not_lose_the_others(sandbox, auth, capsys):
    def only_one(body, whole):
        return whole if body["model"] == MODEL else {"error": "model not available"}

    say(sandbox, only_one)
    rows = table(COMPARE(auth, [MODEL, "a/b"], ["One?"]))

    assert rows["One?"][MODEL].startswith("Cut them")
    assert rows["One?"]["a/b"].startswith("error: ")
    assert "model not available" in rows["One?"]["a/b"]
    assert rows["tokens"]["a/b"] is rows["cost_usd"]["a/b"] is None
    assert rows["cost_note"]["a/b"] == "no question was answered"
    assert "a/b: " in capsys.readouterr().err


def test_a_model_that_breaks_off_is_told_of_and_the_others_stay(sandbox, auth):
    def answer(body, whole):
        if body["model"] == "broken":
            whole["choices"][0]["error"] = {"message": "the node is gone"}
        elif body["model"] == "mute":
            whole["choices"] = [None]
        return whole

    say(sandbox, answer)

    row = COMPARE(auth, ["broken", "mute", MODEL], ["Hi"])[1]

    assert "error: the model's answer broke off after 'Cut them" in row["broken"]
    assert "the node is gone" in row["broken"]
    assert "error: the answer holds no choice" in row["mute"]
    assert row[MODEL].startswith("Cut them")


def test_a_comparison_says_which_answer_was_cut(sandbox, auth):
    def answer(body, whole):
        whole["choices"][0]["finish_reason"] = body["model"]
        return whole

    say(sandbox, answer)

    row = COMPARE(auth, ["length", "stop"], ["Hi"])[1]

    assert row["length"].startswith(row["stop"])
    assert row["length"].endswith("max_tokens or the model's context is used up.)")
    assert "cut:" not in row["stop"]


def test_a_comparison_without_any_answer_fails(sandbox, auth):
    sandbox.faults += [Fault("chat/completions", 401, times=9)]

    with pytest.raises(TogetherError, match="401"):
        COMPARE(auth, [MODEL, "a/b"], ["One?"])


def test_a_comparison_keeps_to_its_budget(sandbox, auth):
    one = price(10, 5)
    rows = table(
        COMPARE(
            auth,
            [MODEL],
            [f"Question {n}?" for n in range(6)],
            max_tokens=5,
            budget_usd=price(190, 5) + one,
        )
    )

    refused = [r for r in rows.values() if "budget_usd" in str(r[MODEL])]
    assert refused
    assert 6 - len(refused) == len(asked(sandbox))
    with pytest.raises(TogetherError, match="price is not known"):
        COMPARE(auth, ["a/b"], ["One?"], budget_usd=1)


@pytest.mark.slow
def test_a_worker_compares(sandbox, auth):
    arguments = {"models": [MODEL], "prompts": ["One?"]}
    job = run("models/compare_models", {"auth": auth, **arguments})

    assert not job.failed, job.result
    assert ["prompt", MODEL] == job.result[0]


def test_what_there_is_no_time_for_says_so_in_its_cell(sandbox, auth):
    def slow(body, whole):
        time.sleep(0.15)
        return whole

    say(sandbox, slow)
    prompts = [f"Question {number}?" for number in range(20)]
    rows = table(COMPARE(auth, [MODEL], prompts, stop_after_seconds=1))

    cells = [rows[prompt][MODEL] for prompt in prompts]
    missing = [cell for cell in cells if "stop_after_seconds" in cell]
    assert 0 < len(missing) < len(cells)
    assert len(asked(sandbox)) == len(cells) - len(missing)
