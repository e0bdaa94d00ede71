"""A stream's pieces, however it was cut, make the answer that comes without one."""

import base64
import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.replies.accumulators import accumulator

SIGN = st.characters(codec="utf-8", exclude_characters="\0")  # no result holds that one
TEXT = st.text(SIGN, max_size=30)
CALLS = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["find_order", "send", "f"]),
            "arguments": st.dictionaries(st.text(SIGN, max_size=4), TEXT, max_size=3),
        }
    ),
    max_size=3,
)


def pieces(draw, text):
    """A text in pieces of any length, none among them."""
    places = draw(st.lists(st.integers(0, len(text)), max_size=5))
    ends = [0, *sorted(places), len(text)]
    return [text[start:end] for start, end in pairwise(ends)]


def events(deltas, reason):
    for delta in deltas:
        yield {"choices": [{"index": 0, "delta": delta}], "model": "m"}
    yield {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
    yield {"choices": [], "usage": {"total_tokens": 3}}


def gathered(shape, found):
    gather = accumulator(shape)
    faults = [gather.add(json.dumps(event)) for event in found]
    assert not any(faults)
    assert gather.ended
    return gather


@given(TEXT, TEXT, CALLS, st.data())
def test_an_answer_is_whole_wherever_it_was_cut(content, reasoning, calls, data):
    draw = data.draw
    deltas = [{"role": "assistant"}]
    deltas += [{"reasoning": piece} for piece in pieces(draw, reasoning)]
    deltas += [{"content": piece} for piece in pieces(draw, content)]
    for index, call in enumerate(calls):
        head = {"name": call["name"], "arguments": ""}
        about = {"id": f"call_{index}", "type": "function", "function": head}
        deltas.append({"tool_calls": [{"index": index, **about}]})
        for piece in pieces(draw, json.dumps(call["arguments"])):
            part = {"index": index, "function": {"arguments": piece}}
            deltas.append({"tool_calls": [part]})

    gather = gathered("chat", events(deltas, "stop"))

    answer = gather.whole(None)
    (choice,) = answer["choices"]
    message = choice["message"]
    assert message["content"] == content
    assert message["reasoning"] == reasoning
    assert [
        {
            "name": one["function"]["name"],
            "arguments": json.loads(one["function"]["arguments"]),
        }
        for one in message.get("tool_calls", [])
    ] == calls
    assert gather.take_text() == content
    assert (choice["finish_reason"], answer["object"]) == ("stop", "chat.completion")
    assert (answer["model"], answer["usage"]) == ("m", {"total_tokens": 3})


@given(TEXT, st.data())
def test_a_completion_is_whole_wherever_it_was_cut(text, data):
    cut = pieces(data.draw, text)
    found = [{"choices": [{"index": 0, "text": piece}]} for piece in cut]
    found.append({"choices": [{"index": 0, "text": "", "finish_reason": "length"}]})

    answer = gathered("completion", found).whole(None)

    (choice,) = answer["choices"]
    assert (choice["text"], choice["finish_reason"]) == (text, "length")
    assert (answer["object"], answer["prompt"]) == ("text.completion", [])


@given(st.binary(min_size=1, max_size=60), st.booleans(), st.data())
def test_sound_is_whole_in_parts_of_one_text_and_in_texts_of_their_own(
    sound, own, data
):
    cut = pieces(data.draw, sound)
    whole = base64.b64encode(sound).decode()
    texts = [base64.b64encode(piece).decode() for piece in cut]
    if not own:
        texts = pieces(data.draw, whole)
        if any(len(text) == 1 for text in texts):
            texts = [whole]  # a piece of one sign is none
    gather = accumulator("speech")

    faults = [gather.add(json.dumps({"b64": text})) for text in texts]

    assert not any(faults)
    assert gather.holds

    class Request:
        operation = {"filename": "speech"}  # noqa: RUF012

    answer = gather.whole(Request())
    assert answer == {"file": whole, "filename": "speech.raw"}


@given(st.lists(st.tuples(st.integers(0, 2), TEXT), max_size=20))
def test_choices_that_were_asked_for_are_kept_apart(parts):
    gather = accumulator("chat", 3)
    for index, text in parts:
        choice = {"index": index, "delta": {"content": text}}
        assert gather.add(json.dumps({"choices": [choice]})) is None

    answer = gather.whole(None)

    for choice in answer["choices"]:
        own = [text for index, text in parts if index == choice["index"]]
        assert choice["message"]["content"] == "".join(own)
    assert {choice["index"] for choice in answer["choices"]} == dict(parts).keys()
    assert gather.take_text() == "".join(text for index, text in parts if index == 0)
    assert not gather.ended


@pytest.mark.parametrize("odd", ["no JSON", '"a"', "[]", "7", '{"choices": 5}'])
def test_what_is_no_chunk_is_told_as_what_came(odd):
    gather = accumulator("chat")

    told = gather.add(odd)

    assert told is not None
    assert not gather.started


NUMBERED = [(0, "Hel"), (1, "lo"), (2, " you")]


@pytest.mark.parametrize("pieces", [NUMBERED, [(3, text) for _, text in NUMBERED]])
def test_a_completion_whose_pieces_are_numbered_is_shown_as_one(pieces):
    gather = accumulator("completion")
    for number, (index, text) in enumerate(pieces):
        reason = "stop" if number == 2 else None
        choice = {"index": index, "text": text, "finish_reason": reason}
        assert gather.add(json.dumps({"choices": [choice]})) is None

    assert gather.take_text() == "Hello you"
    (choice,) = gather.whole(None)["choices"]
    assert choice == {"index": 0, "text": "Hello you", "finish_reason": "stop"}


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"text": 5}, "5"),
        ({"delta": {"content": [{"type": "text", "text": "a"}]}}, "a"),
        ({"text": None}, ""),
    ],
)
def test_a_completion_in_another_form_than_text_is_its_text(said, text):
    gather = accumulator("completion")

    assert gather.add(json.dumps({"choices": [{"index": 0, **said}]})) is None

    assert gather.take_text() == text
    assert gather.whole(None)["choices"][0]["text"] == text


def test_what_came_before_a_choice_that_is_none_is_kept():
    gather = accumulator("completion", 2)
    gather.add(json.dumps({"choices": [{"index": 0, "text": "a"}]}))

    assert gather.add(json.dumps({"choices": [{"index": 1, "delta": "b"}]})) is not None

    assert [one["text"] for one in gather.whole(None)["choices"]] == ["a", ""]


@pytest.mark.parametrize("depth", [150, 600, 20_000])
def test_a_chunk_that_no_result_can_hold_is_none(depth):
    """It is nested too deeply: Windmill's server would lose the whole result."""
    gather = accumulator("chat")
    gather.add(json.dumps({"choices": [{"index": 0, "delta": {"content": "a"}}]}))
    deep = '{"x":' * depth + "1" + "}" * depth

    for chunk in ('{"choices": [{"index": 0, "delta": {"x": %s}}]}', '{"error": %s}'):
        assert gather.add(chunk % deep) is not None

    (choice,) = gather.whole(None)["choices"]
    assert choice["message"] == {"role": "assistant", "content": "a"}
