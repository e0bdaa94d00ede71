"""Streams in every dress that services and gateways give them."""

import base64
import gzip
import itertools
import json
import threading
import time
import tracemalloc
from types import SimpleNamespace

import pytest

from scripts.client import TogetherError, request, transport
from scripts.replies import accumulators, follow
from scripts.replies import sse as replies_sse
from tests.conftest import KEY
from tests.support.expected_request import main_of
from tests.test_client import BATCH, BODY, CHAT, CREATE, answer, auth_for, server, sse
from tools.operations import find

STREAMED = {**BODY, "stream": True}
ERROR = {"message": "no worker is free", "type": "overloaded", "code": 503}


def piece(delta, finish=None, **more):
    choice = {"index": 0, "delta": delta, "finish_reason": finish, **more}
    return {"id": "a", "model": "m", "choices": [choice]}


def tool_call(name=None, arguments="", **more):
    function = {"name": name, "arguments": arguments}
    return {"function": {k: v for k, v in function.items() if v is not None}, **more}


def framed(*events, done=True):
    """The bytes of a stream; text goes out as it is."""
    texts = [e if isinstance(e, str) else f"data: {json.dumps(e)}\n\n" for e in events]
    return sse(("".join(texts) + ("data: [DONE]\n\n" if done else "")).encode())


def streamed(*answers, **asked):
    with server(*answers) as (url, requests):
        return CHAT(auth_for(url), {**STREAMED, **asked}), requests


def message(*events, done=True):
    return streamed(framed(*events, done=done))[0]["choices"][0]["message"]


@pytest.mark.parametrize(
    "told",
    [
        f"event: error\ndata: {json.dumps(ERROR)}\n\n",
        f"error: {json.dumps(ERROR)}\n\n",
        f"event: stream_exception\ndata: {json.dumps(ERROR)}\n\n",
        f"event: response.failed\ndata: {json.dumps(ERROR)}\n\n",
        {"object": "error", **ERROR},
        {"type": "error", **ERROR},
        {"error": ERROR},
        {"error": "no worker is free"},
        ERROR,
        {"detail": "no worker is free"},
        piece({}, "error", error=ERROR),
    ],
)
@pytest.mark.parametrize("done", [True, False])
def test_an_error_in_a_stream_is_one_however_it_is_told(told, done):
    half = piece({"content": "Hel"})
    with pytest.raises(TogetherError, match="no worker is free") as caught:
        streamed(framed(half, told, done=done))

    kept = caught.value.partial["choices"][0]["message"]
    assert kept["content"] == "Hel"


def test_a_choice_that_ended_with_an_error_is_no_answer():
    with pytest.raises(TogetherError, match="ended with an error"):
        streamed(framed(piece({"content": "Hel"}), piece({}, "error")))


def test_an_error_that_is_all_that_came_is_tried_again():
    failed = framed({"error": {"message": "busy", "code": 503}}, done=False)
    good = framed(piece({"content": "Hello"}, "stop"))

    found, requests = streamed(failed, good)

    assert found["choices"][0]["message"]["content"] == "Hello"
    assert len(requests) == 2


@pytest.mark.parametrize(
    "passing",
    [
        "data:\n\n",
        "data: null\n\n",
        'event: ping\ndata: {"type": "ping"}\n\n',
        ": x\n\n",
    ],
)
def test_a_heartbeat_is_no_event(passing):
    found = message(
        piece({"content": "Hel"}), passing, piece({"content": "lo"}, "stop")
    )

    assert found["content"] == "Hello"


@pytest.mark.parametrize("place", [{"index": 0}, {}, {"index": None}])
def test_calls_of_one_index_are_told_apart_by_their_ids(place):
    one = tool_call("weather", '{"city": "Rome"}', id="a", **place)
    two = tool_call("clock", '{"zone": "CET"}', id="b", **place)

    found = message(
        piece({"tool_calls": [one]}),
        piece({"tool_calls": [two]}),
        piece({}, "tool_calls"),
    )

    names = [c["function"]["name"] for c in found["tool_calls"]]
    assert (names, [c["id"] for c in found["tool_calls"]]) == (
        ["weather", "clock"],
        ["a", "b"],
    )


def test_a_call_whose_id_changes_on_the_way_stays_one():
    found = message(
        piece({"tool_calls": [tool_call("f", '{"a": ', id="a", index=0)]}),
        piece({"tool_calls": [tool_call(None, "1}", id="b", index=0)]}, "tool_calls"),
    )

    [call] = found["tool_calls"]
    assert (call["id"], call["function"]["arguments"]) == ("a", '{"a": 1}')


def test_what_is_empty_later_takes_nothing_back():
    first = piece({"role": "assistant", "content": "a"}, "stop")
    later = {**piece({"role": ""}, ""), "id": "", "model": ""}

    found, _ = streamed(framed(first, later))

    choice = found["choices"][0]
    assert (found["id"], found["model"]) == ("a", "m")
    assert (choice["finish_reason"], choice["message"]["role"]) == ("stop", "assistant")


@pytest.mark.parametrize("null", [None, [None]])
def test_nulls_are_left_out(null):
    found = message(
        {**piece({}), "choices": null},
        piece({"content": "a", "tool_calls": null}),
        piece({"content": None}, "stop"),
    )

    assert found["content"] == "a"
    assert not found.get("tool_calls")


@pytest.mark.parametrize(
    "content",
    [
        {"type": "text", "text": "Yes"},
        [{"type": "reasoning", "text": "hm"}, {"type": "text", "text": "Yes"}],
        [{"type": "text", "text": {"value": "Yes"}}],
        [{"type": "text", "text": ""}, "Yes"],
    ],
)
def test_a_part_of_any_kind_is_read_as_where_nothing_is_streamed(content):
    found = message(piece({"content": content}, "stop"))

    assert found["content"] == "Yes"


def test_content_in_parts_is_text_and_thoughts():
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Yes"}]

    found = message(piece({"content": parts}), piece({"content": "."}, "stop"))

    assert (found["content"], found["reasoning"]) == ("Yes.", "hm")


def test_arguments_that_are_an_object_become_its_text():
    call = {"index": 0, "id": "a", "function": {"name": "f", "arguments": {"a": [1]}}}

    found = message(piece({"tool_calls": [call]}, "tool_calls"))

    assert json.loads(found["tool_calls"][0]["function"]["arguments"]) == {"a": [1]}


def test_lists_and_sound_grow():
    found = message(
        piece({"annotations": [1], "audio": {"data": "QQ==", "transcript": "He"}}),
        piece({"annotations": [2], "audio": {"data": "Qg==", "transcript": "llo"}}),
        piece({}, "stop"),
    )

    assert found["annotations"] == [1, 2]
    assert base64.b64decode(found["audio"]["data"]) == b"AB"
    assert found["audio"]["transcript"] == "Hello"


@pytest.mark.parametrize(
    "odd",
    [
        {"choices": "x"},
        {"choices": ["x"]},
        {"choices": [{"delta": "x"}]},
        {"choices": [{"index": "x", "delta": {}}]},
        {"choices": [{"delta": {"tool_calls": "x"}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": "x"}]}}]},
        {"choices": [{"delta": {"audio": {"data": 5}}}]},
        [1],
        5,
        "data: {broken\n\n",
        "data: " + "[" * 100_000 + "\n\n",
    ],
)
@pytest.mark.parametrize("before", [(), (piece({"content": "a"}),)])
def test_an_event_of_another_shape_is_an_error_that_keeps_what_came(odd, before):
    with pytest.raises(TogetherError) as caught:
        streamed(framed(*before, odd))

    assert caught.value.type == "invalid_answer"
    assert bool(before) == (caught.value.partial is not None)


def choice(index, text, finish=None):
    part = {"index": index, "delta": {"content": text}, "finish_reason": finish}
    return {"choices": [part]}


def said(found):
    return [one["message"]["content"] for one in found["choices"]]


def test_answers_that_come_one_after_another_are_all_waited_for(monkeypatch):
    monkeypatch.setattr(follow, "LAST_EVENTS", 0.2)

    def slow(connection):
        connection.sendall(framed(choice(0, "A", "stop"), done=False))
        time.sleep(0.6)
        connection.sendall(framed(choice(1, "B", "stop")).partition(b"\r\n\r\n")[2])

    found, _ = streamed(slow, n=2)

    assert said(found) == ["A", "B"]


def test_fewer_answers_than_were_asked_for_are_told(capsys):
    found, _ = streamed(framed(choice(0, "A", "stop")), n=3)

    assert said(found) == ["A"]
    assert "1 of the 3 answers" in capsys.readouterr().err
    with pytest.raises(TogetherError, match=r"without \[DONE\]") as caught:
        streamed(framed(choice(0, "A", "stop"), done=False), n=3)
    assert said(caught.value.partial) == ["A"]
    whole = {"choices": [{"index": 0, "message": {"content": "A"}}]}
    with server(answer(json.dumps(whole).encode())) as (url, _):
        CHAT(auth_for(url), {**BODY, "n": 2})
    assert "1 of the 2 answers" in capsys.readouterr().err


def test_pieces_that_count_themselves_by_index_are_one_answer():
    """As text-generation-inference wrote them: one choice, its tokens numbered."""
    found, _ = streamed(framed(choice(1, "A"), choice(2, "B"), choice(3, "C", "stop")))

    assert said(found) == ["ABC"]
    assert found["choices"][0]["finish_reason"] == "stop"


def both(*texts, finish=None):
    """One event with a piece of each choice."""
    parts = [choice(n, text, finish)["choices"][0] for n, text in enumerate(texts)]
    return {"choices": parts}


TWO = [
    [choice(0, "Yes"), choice(1, "No"), choice(0, ", A."), choice(1, ", B.")],
    [choice(0, "Yes"), choice(0, ", A."), choice(1, "No"), choice(1, ", B.")],
    [both("Yes", "No"), both(", A.", ", B.", finish="stop")],
    [choice(0, "Yes, A.", "stop"), choice(1, "No, B.", "stop")],
    [choice(None, "Yes"), choice(1, "No"), choice(None, ", A.", "stop")],
    [choice(0, "Yes"), choice(1, "No", "stop"), choice(0, ", A.", "stop")],
    [choice(2, "Yes"), choice(0, "No"), choice(2, ", A."), choice(0, ", B.", "stop")],
]


@pytest.mark.parametrize("events", TWO)
def test_of_two_answers_where_one_was_asked_for_the_first_is_taken(events, capsys):
    found, _ = streamed(framed(*events))

    assert said(found) == ["Yes, A."]
    assert [one["index"] for one in found["choices"]] == [0]
    shown = capsys.readouterr().out.replace("WM_STREAM: ", "").replace("\n", "")
    assert shown == "Yes, A."
    assert len(said(streamed(framed(*events), n=2)[0])) == 2


def test_of_two_answers_another_may_fail():
    events = [choice(0, "Yes"), choice(1, "No", "error"), choice(0, ", A.", "stop")]

    assert said(streamed(framed(*events))[0]) == ["Yes, A."]


@pytest.mark.parametrize("start", [0, 1, 7])
@pytest.mark.parametrize("count", [2, 3, 9])
def test_numbered_pieces_are_one_answer_wherever_the_numbers_begin(
    start, count, capsys
):
    texts = [f"{n}." for n in range(count)]
    events = [choice(start + n, text) for n, text in enumerate(texts)]
    events[-1]["choices"][0]["finish_reason"] = "stop"

    found, _ = streamed(framed(*events, done=False))

    assert said(found) == ["".join(texts)]
    shown = capsys.readouterr().out.replace("WM_STREAM: ", "").replace("\n", "")
    # Of two pieces, 0 and 1, the second is not shown: it might be another answer's.
    assert shown == ("0." if (start, count) == (0, 2) else "".join(texts))


HELLO = (piece({"content": "Hel"}), piece({"content": "lo"}, "stop"))
LINES = [json.dumps(one) for one in HELLO]
DONE = "data: [DONE]"


@pytest.mark.parametrize(
    "text",
    [
        f"data: {LINES[0]}\n\ndata: {LINES[1]}",  # no blank line behind the last
        f"data: {LINES[0]}\n\ndata: {LINES[1]}\n\n{DONE}",
        f"data: {LINES[0]}\ndata: {LINES[1]}\n{DONE}\n",  # none at all
        f"data: {LINES[0]}\ndata: {LINES[1]}\n\n{DONE}\n\n",  # two in one event
        f"{LINES[0]}\n\n{LINES[1]}\n\n",  # no field before them
        f"{LINES[0]}\n{LINES[1]}\n",  # lines of JSON
        f"data: {LINES[0]}\n\ndata: {LINES[1]}\n\ndata: DONE\n\n",
        f"data: {LINES[0]}\n\ndata: {LINES[1]}\n\ndata: [END]\n\n",
        f"id: 1\ndata: {LINES[0]}\n\nid: 2\ndata: {LINES[1]}\n\n",
        f"\ufeffdata: {LINES[0]}\n\ndata: {LINES[1]}\n\n",
        f"retry: 9\n\ndata: {LINES[0]}\n\ndata: {LINES[1]}\n\n",
    ],
)
@pytest.mark.parametrize("kind", ["text/event-stream", "application/json"])
def test_a_stream_framed_in_another_way_is_read(text, kind):
    head = f"content-type: {kind}\r\n"

    found, requests = streamed(answer(text.encode(), headers=head))

    assert said(found) == ["Hello"]
    assert len(requests) == 1


def test_done_without_a_line_behind_it_ends_an_answer_that_does_not_say_why():
    first = piece({"content": "Hello"})

    assert message(first, DONE, done=False)["content"] == "Hello"


@pytest.mark.parametrize("before", [(), (piece({"content": "a"}),)])
def test_an_error_that_is_bare_json_is_told(before):
    bare = json.dumps({"error": {"message": "too long", "code": 400}})

    with pytest.raises(TogetherError, match=r"400 .*too long"):
        streamed(framed(*before, f"{bare}\n\n", done=False))


def test_an_error_of_nothing_is_none():
    """Some gateways put the member into every answer."""
    empty = {"code": 0, "message": "", "details": {"reason": None}}
    chunk = {**piece({"content": "Hello"}, "stop"), "error": empty}

    found, requests = streamed(framed(chunk))
    assert (said(found), len(requests)) == (["Hello"], 1)

    whole = {"choices": [{"message": {"content": "A"}, "error": empty}], "error": empty}
    with server(answer(json.dumps(whole).encode())) as (url, _):
        assert said(CHAT(auth_for(url), BODY)) == ["A"]


def test_news_of_the_queue_are_no_error():
    news = 'event: status\ndata: {"status": "queued", "message": "2 before you"}\n\n'

    found, requests = streamed(framed(news, *HELLO))

    assert (said(found), len(requests)) == (["Hello"], 1)
    assert "status" not in found


def test_a_stream_without_done_counts_when_every_choice_ended():
    assert (
        message(piece({"content": "Hello"}, "stop"), done=False)["content"] == "Hello"
    )


@pytest.mark.parametrize("cut", ["", 'data: {"choices": [{"del'])
def test_a_stream_that_is_cut_is_told_as_that(cut):
    with pytest.raises(TogetherError, match=r"without \[DONE\]") as caught:
        streamed(framed(piece({"content": "Hel"}), cut, done=False))

    assert caught.value.status is None
    assert caught.value.partial["choices"][0]["message"]["content"] == "Hel"


@pytest.mark.parametrize("events", [(), (": hello\n\n",)])
@pytest.mark.parametrize("done", [True, False])
def test_a_stream_with_nothing_in_it_is_an_error(events, done):
    with pytest.raises(TogetherError, match="without an answer"):
        streamed(framed(*events, done=done))


@pytest.mark.parametrize("more", [b"", b": ping\n\n"])
def test_nobody_waits_for_what_follows_done(more):
    answered, ended = threading.Event(), threading.Event()

    def hold(connection):
        connection.sendall(framed(piece({"content": "Hello"}, "stop")))
        try:
            for _ in range(300):
                if answered.wait(0.1):
                    return
                connection.sendall(more)
            ended.set()
        except OSError:
            pass

    found, _ = streamed(hold)
    answered.set()

    assert found["choices"][0]["message"]["content"] == "Hello"
    assert not ended.is_set()


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("application/json", b'{"error": {"message": "too long"}}', "too long"),
        ("text/event-stream", b'{"error": {"message": "too long"}}', "too long"),
        ("text/html", b"<html><title>Sign in</title>", "web page titled 'Sign in'"),
    ],
)
def test_what_is_no_stream_is_told(kind, body, words):
    with pytest.raises(TogetherError, match=words):
        streamed(answer(body, headers=f"content-type: {kind}\r\n"))


def test_events_under_the_name_of_json_are_read():
    raw = framed(piece({"content": "Hello"}, "stop"))
    raw = raw.replace(b"text/event-stream", b"application/json")

    assert streamed(raw)[0]["choices"][0]["message"]["content"] == "Hello"


@pytest.mark.parametrize("kind", ["text/event-stream", "application/json"])
def test_a_whole_answer_in_place_of_a_stream_is_the_answer(kind):
    whole = {"choices": [{"index": 0, "message": {"content": "Hello"}}]}

    found, _ = streamed(
        answer(json.dumps(whole).encode(), headers=f"content-type: {kind}\r\n")
    )

    assert found["choices"][0]["message"]["content"] == "Hello"


def test_an_event_is_read_in_linear_time_and_bounded():
    def seconds(size):
        data = b"data: " + b"x" * size
        pieces = [data[n : n + 4096] for n in range(0, len(data), 4096)] + [b"\n\n"]
        took = []
        for _ in range(3):
            began = time.process_time()
            assert len(list(replies_sse.Events(pieces))) == 1
            took.append(time.process_time() - began)
        return min(took)

    # 7.5 times the size: in squared time, that takes 56 times as long, each time; what
    # disturbs the machine does not.
    assert any(seconds(15 << 20) < 24 * max(seconds(2 << 20), 0.01) for _ in range(5))
    with pytest.raises(transport.TooLargeError):
        list(replies_sse.Events(itertools.repeat(b"x" * (1 << 16))))


def test_a_stream_is_bounded_and_what_came_is_kept(monkeypatch):
    monkeypatch.setattr(follow, "MOST_STREAM_BYTES", 5000)
    events = [piece({"content": "x" * 900}) for _ in range(9)]
    with pytest.raises(TogetherError, match="the stream has more than") as caught:
        streamed(framed(*events))

    assert caught.value.partial["choices"][0]["message"]["content"] == "x" * 3600


def test_the_key_is_in_no_part_of_a_stream_that_broke():
    with pytest.raises(TogetherError) as caught:
        streamed(framed(piece({"content": f"you said {KEY}"}), done=False))

    assert KEY not in json.dumps(vars(caught.value))
    assert "you said ***" in json.dumps(caught.value.partial)


def test_the_key_is_in_no_part_of_a_stream_that_ended(capsys):
    debug = {**piece({"content": f"you said {KEY}"}), "debug": {"headers": [KEY]}}
    found, _ = streamed(framed(debug, piece({}, "stop")))

    assert found["choices"][0]["message"]["content"] == "you said ***"
    assert KEY not in json.dumps(found) + "".join(capsys.readouterr())


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


# --- answers that are read whole ---------------------------------------------------


@pytest.mark.parametrize("status", ["100 Continue", "102 Processing", "103 Hints"])
def test_an_interim_answer_is_not_taken_for_the_final_one(status):
    early = f"HTTP/1.1 {status}\r\n\r\n".encode()

    with server(early + answer(b'{"n": 1}'), answer(b'{"n": 2}')) as (url, requests):
        found = CHAT(auth_for(url), BODY)

    # http.client itself reads on after 100; after others the helper asks anew.
    assert found == {"n": 1 if status.startswith("100") else 2}
    assert len(requests) == found["n"]


@pytest.mark.parametrize(
    "raw",
    [
        answer(b"{}", length=10**30),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        + b"f" * 16
        + b"\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-5\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    ],
)
def test_a_length_that_none_can_have_is_a_broken_answer(raw):
    with server(raw) as (url, requests):
        with pytest.raises(TogetherError) as caught:
            CREATE(auth_for(url), BATCH)

    assert caught.value.ambiguous
    assert len(requests) == 1


def test_an_answer_is_bounded_after_it_is_unpacked():
    bomb = gzip.compress(b" " * (transport.MOST_ANSWER_BYTES + (1 << 20)), 9)
    packed = answer(bomb, headers="content-encoding: gzip\r\n")
    with server(packed) as (url, requests):
        tracemalloc.start()
        with pytest.raises(TogetherError, match="more than 64 MiB"):
            CHAT(auth_for(url), BODY)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert most < 3 * transport.MOST_ANSWER_BYTES
    assert len(requests) == 1


def test_of_an_error_only_the_beginning_is_read():
    with server(answer(b"x" * (8 << 20), "400 Bad")) as (url, _):
        tracemalloc.start()
        with pytest.raises(TogetherError, match="400 Bad: xxx"):
            CHAT(auth_for(url), BODY)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert most < 2 << 20


def test_an_answer_that_drips_ends(monkeypatch):
    monkeypatch.setitem(request.MOST_SECONDS, "creates", 0.5)

    def drip(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n")
        for _ in range(200):
            connection.sendall(b" ")
            time.sleep(0.05)

    with server(drip) as (url, _):
        with pytest.raises(TogetherError, match=r"silent|too long") as caught:
            CREATE(auth_for(url), BATCH)

    assert caught.value.ambiguous


@pytest.mark.parametrize(
    "body",
    [
        {"error": "it did not work", "model": "m"},
        {"error": {"message": "it did not work"}, "id": "a"},
        {"error": {"message": "it did not work", "code": 429}},
        {"object": "error", "message": "it did not work"},
        [{"error": {"message": "it did not work"}}],
        {"error_code": 17, "error_msg": "it did not work"},
        {"errcode": 17, "errmsg": "it did not work"},
        {"success": False, "errors": [{"code": 9, "message": "it did not work"}]},
    ],
)
def test_an_error_under_status_200_is_one(body):
    with server(answer(json.dumps(body).encode())) as (url, requests):
        with pytest.raises(TogetherError, match="it did not work") as caught:
            CHAT(auth_for(url), BODY)

    assert "base_url" not in caught.value.advice
    assert len(requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"error": "it did not work"},
        {"error": "it did not work", "code": 9, "request_id": "r"},
        {"object": "error", "message": "it did not work"},
        [{"error": "it did not work"}],
        {"success": False, "errors": ["it did not work"], "result": None},
    ],
)
def test_an_error_in_place_of_a_thing_is_one(body):
    with server(answer(json.dumps(body).encode())) as (url, _):
        with pytest.raises(TogetherError, match="it did not work") as caught:
            CREATE(auth_for(url), BATCH)

    assert caught.value.ambiguous  # nobody says whether there is a batch now


@pytest.mark.parametrize(
    "body",
    [
        {"id": "a", "status": "failed", "error": {"message": "x"}},
        {"error": None},
        {"error": ""},
    ],
)
def test_a_thing_may_tell_of_an_error_of_its_own(body):
    with server(answer(json.dumps(body).encode())) as (url, _):
        assert CREATE(auth_for(url), BATCH) == body


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("embeddings/create_embeddings", {"object": "list", "data": []}),
        ("embeddings/create_embeddings", {"data": None, "model": "m"}),
        ("rerank/rerank_documents", {"results": [], "usage": {"total_tokens": 5}}),
        ("images/generate_image", {"id": "a", "data": []}),
        ("chat/create_chat_completion", {"id": "a", "choices": []}),
        ("completions/create_completion", {"requestId": "a", "status": "pending"}),
    ],
)
def test_an_answer_with_nothing_of_what_was_asked_for_is_an_error(name, body):
    found = find(name)
    with server(answer(json.dumps(body).encode())) as (url, requests):
        with pytest.raises(TogetherError) as caught:
            main_of(found)(auth_for(url), **found.schema["examples"][0])

    assert caught.value.partial == body
    assert len(requests) == 1


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b'{"choices": [{"message": {"content": "A long', True),
        (b'{"choices": []}{"choices": []}', True),
        (b"<html>Sign in", False),
        (b"\x89PNG\0\0", False),
    ],
)
def test_what_came_of_an_answer_that_is_no_json_is_kept(body, kept):
    with server(answer(body)) as (url, _):
        with pytest.raises(TogetherError) as caught:
            CHAT(auth_for(url), BODY)

    assert caught.value.partial == (body.decode() if kept else None)


@pytest.mark.parametrize("depth", [150, 900, 100_000])
def test_what_windmill_could_not_read_is_an_error(depth):
    raw = b'{"x": ' + b"[" * depth + b'"\\u0000"' + b"]" * depth + b"}"
    with server(answer(raw)) as (url, _):
        with pytest.raises(TogetherError) as caught:
            CHAT(auth_for(url), BODY)

    assert caught.value.type == "invalid_answer"


def test_a_mark_at_the_beginning_and_a_number_of_5000_digits_are_read():
    raw = b"\xef\xbb\xbf" + b'{"n": ' + b"1" * 5000 + b"}"
    with server(answer(raw)) as (url, _):
        assert CHAT(auth_for(url), BODY) == {"n": "1" * 5000}


@pytest.mark.parametrize(
    "pieces", [["YWI=", "Y2Q"], ["YWI=", "Y2", "Q="], ["YW", "JjZA"], ["YWJj", "ZA=="]]
)
def test_sound_in_base64_goes_on_behind_a_piece_that_was_filled_up(pieces):
    speech = accumulators.SpeechAccumulator()
    for piece in pieces:
        assert speech.add(json.dumps({"b64": piece})) is None

    found = speech.whole(SimpleNamespace(operation={"filename": "speech"}))

    assert base64.b64decode(found["file"]) == b"abcd"


def test_speech_that_is_no_base64_is_an_error():
    spoken = accumulators.SpeechAccumulator()

    assert spoken.add('{"b64": "A"}').status == 200


@pytest.mark.parametrize("blank", ["data: \n\n", "data:\n\n", "data:  \n\n", "\n\n"])
def test_an_event_of_blanks_is_none(blank):
    """Some gateways send such ones so that nobody takes the line for dead."""
    events = (blank, piece({"content": "a"}), blank, piece({"content": "b"}), blank)

    assert message(*events)["content"] == "ab"
