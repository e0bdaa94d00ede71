"""Answers as gateways and other servers of models give them: none is taken for more
than it is, and no word that was paid for is lost."""

import base64
import json

import pytest

from scripts.chat_steps import answered, parse_completion
from scripts.client import TogetherError
from scripts.client.endings import ending
from tests.test_client import BATCH, BODY, CHAT, CREATE, answer, auth_for, server
from tests.test_stream import framed, message, piece, streamed, tool_call

WEATHER, ZONE = '{"city":"Paris"}', '{"tz":"CET"}'
TWO = [("get_weather", WEATHER), ("get_time", ZONE)]
ENDED = piece({}, "tool_calls")
ENDINGS = {
    "whole": "stop eos end_turn STOP tool_calls tool_use function_call stop_sequence "
    "COMPLETE eos_token user",
    "cut": "length max_tokens MAX_TOKENS maxTokens model_length incomplete pause_turn "
    "model_context_window_exceeded max_output_tokens max_completion_tokens token_limit",
    "filtered": "content_filter contentFilter content-filter SAFETY IMAGE_SAFETY "
    "refusal RECITATION PROHIBITED_CONTENT BLOCKLIST SPII guardrail_intervened "
    "ERROR_TOXIC sensitive",
    "broken": "error ERROR network_error abort aborted failed cancelled timeout "
    "malformed_function_call MALFORMED_FUNCTION_CALL engine_overloaded "
    "insufficient_system_resource server_error",
}


@pytest.mark.parametrize(
    ("reason", "how"),
    [(r, how) for how, all_of in ENDINGS.items() for r in all_of.split()],
)
def test_how_an_answer_ended_is_known_by_any_servers_name_for_it(reason, how):
    choice = {"index": 0, "message": {"content": "Par"}, "finish_reason": reason}
    text, why, cut = answered({"choices": [choice]})

    assert ending(reason) == how
    assert (why is not None) == (how == "broken")
    assert cut == (how in ("cut", "filtered"))
    assert (text or why).find("Par") >= 0


@pytest.mark.parametrize("reason", [None, "", 5, [], {}, True])
def test_a_reason_that_is_none_ends_nothing(reason):
    assert ending(reason) == "whole"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "odd", [{"error": "no node"}, {"finish_reason": "network_error"}]
)
def test_an_answer_that_broke_off_is_an_error_with_it_streamed_or_not(stream, odd):
    choice = {"index": 0, "finish_reason": None, **odd}
    choice["delta" if stream else "message"] = {"content": "Par"}
    whole = {"choices": [choice]}
    raw = framed(whole) if stream else answer(json.dumps(whole).encode())
    with server(raw) as (url, _):
        with pytest.raises(TogetherError, match=r"no node|network_error") as caught:
            CHAT(auth_for(url), {**BODY, "stream": stream})

    assert caught.value.partial["choices"][0]["message"]["content"] == "Par"


WORDS = [
    {"detail": "kaput"},
    {"detail": [{"loc": ["body", "x"], "msg": "kaput"}]},
    {"errors": [{"message": "kaput"}]},
    {"code": 1305, "msg": "kaput", "success": False},
    {"status": "error", "message": "kaput"},
    {"errorMessage": "kaput", "errorType": "Runtime"},
    {"timestamp": "2026", "status": 500, "error": "Internal", "message": "kaput"},
    {"fault": {"faultstring": "kaput", "detail": {"errorcode": "x"}}},
    {
        "id": "x",
        "choices": None,
        "base_resp": {"status_code": 1, "status_msg": "kaput"},
    },
    {"type": "error", "error": {"type": "overloaded_error", "message": "kaput"}},
]


@pytest.mark.parametrize("body", WORDS, ids=str)
def test_an_error_is_one_in_any_words(body):
    with server(answer(json.dumps(body).encode())) as (url, requests):
        with pytest.raises(TogetherError, match="kaput"):
            CHAT(auth_for(url), BODY)
    assert len(requests) == 1
    with pytest.raises(TogetherError, match="kaput") as caught:
        streamed(framed(piece({"content": "Hel"}), body))
    assert caught.value.partial["choices"][0]["message"]["content"] == "Hel"


NOTHING = [None, [], {}, "kaput", 5, True, {"choices": []}, {"choices": [None]}]
NOTHING += [
    {"id": "x", "model": "m"},
    {"choices": {"a": 1}},
    {"id": "q", "status": "queued"},
]


@pytest.mark.parametrize("body", NOTHING, ids=str)
@pytest.mark.parametrize("asked", [BODY, {**BODY, "stream": True}])
def test_what_holds_no_answer_is_none(body, asked):
    with server(answer(json.dumps(body).encode())) as (url, _):
        with pytest.raises(TogetherError):
            CHAT(auth_for(url), asked)


@pytest.mark.parametrize("body", [None, [], {}, "kaput", {"message": "kaput"}], ids=str)
def test_what_tells_of_no_thing_made_none(body):
    with server(answer(json.dumps(body).encode())) as (url, _):
        with pytest.raises(TogetherError) as caught:
            CREATE(auth_for(url), BATCH)

    assert caught.value.ambiguous


@pytest.mark.parametrize("status", [202, 204])
def test_a_status_without_an_answer_is_none(status):
    raw = f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n".encode()
    with server(raw) as (url, _), pytest.raises(TogetherError):
        CHAT(auth_for(url), BODY)


# Tool calls in pieces


def called(*parts):
    return piece({"tool_calls": [*parts]})


@pytest.mark.parametrize(
    "events",
    [
        (
            called(tool_call("get_weather", WEATHER, index=0, id="a")),
            called(tool_call("get_time", "", index=0, id="b")),
            called(tool_call(None, ZONE, index=1)),
        ),
        (
            called(tool_call("get_weather", "", id="a")),
            called(tool_call(None, '{"city":')),
            called(tool_call(None, '"Paris"}')),
            called(tool_call("get_time", "", id="b")),
            called(tool_call(None, ZONE)),
        ),
        tuple(called(tool_call(*given)) for given in TWO),
        tuple(called(tool_call(*given, index=0)) for given in TWO),
        (called(*(tool_call(*given) for given in TWO)),),
        (
            called(tool_call("get_weather", '{"city":', index=0, id="a")),
            called(tool_call("get_time", '{"tz":', index=0, id="b")),
            called(tool_call(None, '"Paris"}', index=0, id="a")),
            called(tool_call(None, '"CET"}', index=0, id="b")),
        ),
        (
            called(tool_call("get_weather", '{"city":', index=0, id="a")),
            called(tool_call("get_weather", '"Paris"}', index=0)),
            called(tool_call("get_time", ZONE, index=1, id="b")),
        ),
        (
            called(tool_call("get_", "", index=0, id="a")),
            called(tool_call("weather", WEATHER, index=0)),
            called(tool_call("get_time", ZONE, index=1, id="b")),
        ),
        (
            called(tool_call("get_weather", {}, index=0, id="a")),
            called(tool_call(None, WEATHER, index=0)),
            called(tool_call("get_time", {"tz": "CET"}, index=1, id="b")),
        ),
        (
            *(
                called(tool_call(*given, index=n, id=f"{n}"))
                for n, given in enumerate(TWO)
            ),
            {
                "choices": [
                    {
                        "index": 0,
                        "message": {
                            "tool_calls": [
                                tool_call(*given, id=f"{n}")
                                for n, given in enumerate(TWO)
                            ]
                        },
                    }
                ]
            },
        ),
    ],
    ids=range(10),
)
def test_pieces_of_tool_calls_find_together(events):
    calls = [call["function"] for call in message(*events, ENDED)["tool_calls"]]

    found = [(call["name"], json.loads(call["arguments"])) for call in calls]
    assert found == [(name, json.loads(arguments)) for name, arguments in TWO]


# Texts


def other(**choice):
    return {"choices": [{"index": 0, **choice}]}


@pytest.mark.parametrize(
    "events",
    [
        (other(text="Hel"), other(text="lo", finish_reason="stop")),
        (other(text="Hel", delta={}), other(text="lo", delta={}, finish_reason="stop")),
        (
            piece({"content": "Hel"}),
            piece({"content": "lo"}),
            other(message={"content": "Hello"}, finish_reason="stop"),
        ),
        (piece({"content": "Hel"}), other(message={"content": "lo"})),
        (piece({"content": False}), piece({"content": "Hello"}, "stop")),
        (piece({"content": [{"type": "text", "text": {"value": "Hello"}}]}, "stop"),),
        (
            'data: {"type": "heartbeat"}\n\n',
            "event: keepalive\ndata: {}\n\n",
            piece({"content": "Hello"}),
        ),
        ("\0\0data: " + json.dumps(piece({"content": "Hello"})) + "\n\n",),
        ("Data: " + json.dumps(piece({"content": "Hello"})) + "\n\n",),
    ],
    ids=range(9),
)
def test_no_word_is_lost_and_none_comes_twice(events):
    found = streamed(framed(*events))[0]

    assert found["choices"][0]["message"]["content"] == "Hello"
    assert "text" not in found["choices"][0]
    assert "type" not in found


@pytest.mark.parametrize(
    ("texts", "whole"),
    [
        (["ha", "ha", "ha"], "hahaha"),
        (["Good day", "Good day to", "Good day to you"], "Good day to you"),
        (["a", "ab"], "aab"),
    ],
)
def test_messages_in_place_of_pieces_are_pieces_or_all_so_far(texts, whole):
    found = message(*(other(message={"content": text}) for text in texts))

    assert found["content"] == whole


@pytest.mark.parametrize(
    "end", ["data:\t[DONE]\n\n", 'data: "[DONE]"\n\n', "data: [done] \n\n"]
)
def test_the_end_of_a_stream_is_known_in_other_dress(end):
    assert message(piece({"content": "Hello"}), end, done=False)["content"] == "Hello"


@pytest.mark.parametrize(
    "event", ["", 'data: {"type": "ping"}\n\n', "data: {}\n\n", {"choices": []}]
)
def test_a_stream_without_an_answer_is_none(event):
    with pytest.raises(TogetherError):
        streamed(framed(event))


@pytest.mark.parametrize(
    "pieces", [("QUI=", "QUI="), ("QU", "JBQg=="), ("QUJB\n", "Qg=="), ("Q", "UJBQg==")]
)
def test_sound_in_pieces_of_any_length_is_joined(pieces):
    events = (piece({"audio": {"data": one}}) for one in pieces)

    assert base64.b64decode(message(*events)["audio"]["data"]) == b"ABAB"


# Thinking


@pytest.mark.parametrize(
    ("content", "text", "thought"),
    [
        ("<THINK>Hm.</THINK>Yes.", "Yes.", "Hm."),
        ('<think a="1">Hm.</think>\nYes.', "Yes.", "Hm."),
        ("\n<thinking>Hm.</thinking>Yes.", "Yes.", "Hm."),
        ("[THINK]Hm.[/THINK]Yes.", "Yes.", "Hm."),
        ("<seed:think>Hm.</seed:think>Yes.", "Yes.", "Hm."),
        ("<think>a</think>Yes.\n<think>b</think>\nNo.", "Yes.No.", "a\nb"),
        (
            "<think>a</think>Write <think> and </think>.",
            "Write <think> and </think>.",
            "a",
        ),
        (
            "Use:\n```\n<think>a</think>\n```\nok",
            "Use:\n```\n<think>a</think>\n```\nok",
            None,
        ),
        ("[1] the think tank", "[1] the think tank", None),
        ("<think>\n\n</think>\n\nYes.", "Yes.", None),
    ],
)
def test_thinking_is_apart_in_any_tag(content, text, thought):
    whole = {"choices": [{"message": {"content": content}, "finish_reason": "stop"}]}
    found = parse_completion(whole)

    assert (found["text"], found["reasoning"]) == (text, thought)
    assert answered(whole)[0] == text
