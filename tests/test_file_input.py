"""Every way to give a file, wherever one is taken."""

import base64
import gzip
import io
import json
import random
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.client import TogetherError
from scripts.client.form import checked_arguments
from scripts.table.table import Table
from scripts.transfer import file_input, multipart
from scripts.transfer.file_source import BLOCK
from tests.support.expected_request import main_of
from tests.test_client import KEY, answer, auth_for, server
from tools.operations import ROOT, find, scripts

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3
HERE = {"api_key": KEY, "base_url": "http://127.0.0.1:1"}


def b64(data):
    return base64.b64encode(data).decode()


def read(value, auth=HERE, **more):
    return b"".join(
        map(bytes, file_input.open_file(value, "file", auth, **more).blocks())
    )


# --- shapes ------------------------------------------------------------------------

DATA = bytes(random.Random(1).randbytes(100))
LINES = b'{"a":1}\n{"b":"\xc3\xa9"}\n'
ROWS = [{"a": 1}, {"b": "\xe9"}]


@pytest.mark.parametrize(
    ("value", "content", "name"),
    [
        (DATA, DATA, None),
        (bytearray(DATA), DATA, None),
        (b64(DATA), DATA, None),
        ("\n".join(re.findall(".{1,76}", b64(DATA))) + "\n", DATA, None),
        (f"data:application/octet-stream;base64,{b64(DATA)}", DATA, None),
        (f"data:image/png;base64,{b64(PNG)}", PNG, "file.png"),
        (f"data:text/csv;name=a%20b.csv;base64,{b64(DATA)}", DATA, "a b.csv"),
        ("data:,a%20b%C3%A9", b"a b\xc3\xa9", None),
        ("data:text/plain;charset=utf-8,x", b"x", "file.txt"),
        ({"file": b64(DATA)}, DATA, None),
        ({"file": b64(DATA), "filename": "x.bin"}, DATA, "x.bin"),
        ({"file": {"content": b64(DATA), "filename": "x.bin"}}, DATA, "x.bin"),
        ({"content": b64(DATA), "filename": "x.bin"}, DATA, "x.bin"),
        (
            {"label": "Drop a file", "file": b64(DATA), "url": "", "rows": []},
            DATA,
            None,
        ),
        ({"label": "File", "value": b64(DATA)}, DATA, None),
        ({"text": "h\xe9llo \U0001f600"}, "h\xe9llo \U0001f600".encode(), "text.txt"),
        ({"label": "Text", "text": "x", "s3": {"s3": ""}}, b"x", "text.txt"),
        ({"rows": ROWS, "filename": "r.jsonl"}, LINES, "r.jsonl"),
        (ROWS, LINES, "rows.jsonl"),
        ({"rows": [{"half": "\ud83d"}]}, b'{"half":"\\ud83d"}\n', "rows.jsonl"),
    ],
)
def test_every_shape_is_read_again_and_again(value, content, name):
    source = file_input.open_file(value, "file", HERE).settled()

    assert b"".join(map(bytes, source.blocks())) == content
    assert b"".join(map(bytes, source.blocks())) == content
    assert (source.length, source.name) == (len(content), name)
    for start in (0, 1, 2, 3, 5, len(content) - 1):
        assert b"".join(map(bytes, source.blocks(start))) == content[start:]


def test_a_source_is_a_stream(tmp_path):
    place = tmp_path / "a.jsonl"
    place.write_bytes(LINES)
    for value in (place, ROWS, b64(LINES)):
        source = file_input.open_file(value, "file")
        text = io.TextIOWrapper(io.BufferedReader(source), encoding="utf-8")

        assert [json.loads(line) for line in text] == ROWS
        assert file_input.open_file(source, "file") is source
    assert file_input.open_file(place, "file").name == "a.jsonl"


@given(st.binary(max_size=400), st.randoms())
def test_base64_is_what_the_standard_library_says(data, chance):
    text = b64(data)
    folded = "".join(c + chance.choice(["", "", "", "\n", " "]) for c in text)

    assert read(text) == data
    assert read(folded) == data


@pytest.mark.parametrize("content", [b"A", b"AA", b"AAA", bytes(3 * BLOCK + 1)])
@pytest.mark.parametrize("blanks", ["\n" * 10, "\r\n" * 20, " " * 9])
def test_base64_is_as_long_as_its_bytes_whatever_blanks_end_it(content, blanks):
    code = base64.b64encode(content).decode()
    stem = code.rstrip("=")
    broken = stem + "\n".join(code[len(stem) :])
    for text in (code + blanks, broken, broken + blanks):
        source = file_input.open_file(text, "file")
        assert b"".join(map(bytes, source.blocks())) == content
        assert source.length == len(content)


@pytest.mark.parametrize("look", [file_input.open_file, file_input.check_picture])
def test_half_a_character_in_a_data_uri_is_named(look):
    with pytest.raises(TogetherError, match="file holds half of a character"):
        look("data:text/plain,\ud800", "file")


def test_large_content_is_read_in_blocks():
    data = random.Random(2).randbytes(3 * BLOCK + 17)
    folded = re.sub("(.{76})", r"\1\n", b64(data))
    text = "\u00e9" * (BLOCK + 5)
    rows = [{"text": "x" * 1000, "n": n} for n in range(3000)]
    for value, content in (
        (b64(data), data),
        (folded, data),
        (data, data),
        ({"text": text}, text.encode()),
        (rows, "".join(json.dumps(r, separators=(",", ":")) + "\n" for r in rows)),
    ):
        content = content if isinstance(content, bytes) else content.encode()
        source = file_input.open_file(value, "file").settled()

        assert b"".join(map(bytes, source.blocks())) == content
        assert source.length == len(content)
        assert max(len(block) for block in source.blocks()) <= BLOCK * 1.4
        assert bytes(next(iter(source.blocks(BLOCK)))[:9]) == content[BLOCK : BLOCK + 9]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("not base64!", "base64"),
        ("abcde", "base64"),
        ("ab=d", "base64"),
        ("====", "base64"),
        ("YQ==YQ==", "base64"),
        ("YQ==\nYQ==", "base64"),
        ("data:text/plain", "no comma"),
        ("data:text/plain,a\ud800", "half of a character"),
        ("data:;base64,!!!!", "base64"),
        (5, "must be a file"),
        (None, "must be a file"),
        ({}, "is required"),
        ({"label": "URL", "url": ""}, "is required"),
        ({"filename": "x"}, "is required"),
        ({"file": "YQ==", "text": "x"}, "not file and text"),
        ({"text": 5}, "text must be text"),
        ({"rows": {"a": 1}}, "rows must be a list"),
        ({"rows": [{"a": 1}, 2]}, "row 2 must be an object"),
        ([{"a": float("nan")}], "row 1 is no JSON"),
        ([1, 2], "row 1 must be an object"),
        ({"url": "ftp://x/y"}, "http"),
        ({"url": "/etc/passwd"}, "http"),
        ({"text": "\ud83d"}, "half of a character"),
        ({"s3": ""}, "is required"),
        ("s3://storage/", "key of an object"),
        ("file:///etc/passwd", "base64"),
        ("/etc/passwd", "base64"),
    ],
)
def test_what_is_no_file_is_refused_by_name(value, words):
    with pytest.raises(TogetherError, match=words) as caught:
        file_input.open_file(value, "body.file", HERE).settled()

    assert caught.value.problems[0]["field"] == "body.file"
    assert caught.value.ambiguous is False


@pytest.mark.parametrize(
    ("hostile", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\a.txt", "a.txt"),
        ("a\r\nX-Evil: 1.txt", "aX-Evil_ 1.txt"),
        ('a"b.txt', "a_b.txt"),
        ("n\x00l.txt", "nl.txt"),
        ("..", None),
        ("/", None),
        ("   ", None),
        ("\ud83d.txt", "txt"),
        ("x" * 500 + ".jsonl", "x" * 144 + ".jsonl"),
        ("\u00fcber.txt", "\u00fcber.txt"),
        (5, None),
    ],
)
def test_a_hostile_file_name_is_a_plain_one(hostile, safe):
    assert file_input.open_file({"text": "x", "filename": hostile}, "f").name == (
        safe or "text.txt"
    )


def test_a_file_that_is_too_large_is_refused():
    with pytest.raises(TogetherError, match="too large"):
        file_input.open_file(b"12345", "file", limit=4)
    with server(answer(b"12345")) as (url, _):
        with pytest.raises(TogetherError, match="too large"):
            file_input.open_file(f"{url}/x", "file", auth_for(url), limit=4)
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n"
    )
    with server(chunked) as (url, _):
        with pytest.raises(TogetherError, match="too large"):
            read(f"{url}/x", auth_for(url), limit=4)


# --- elsewhere ---------------------------------------------------------------------


def test_a_stored_object_is_read_with_the_job_s_token(workspace):
    workspace.put("in/a b.jsonl", LINES, "second")
    workspace.put("in/c.jsonl", DATA)
    for value in (
        {"s3": "in/a b.jsonl", "storage": "second"},
        {"s3": {"s3": "in/a b.jsonl", "storage": "second"}},
        {"label": "Workspace storage", "s3": {"s3": "s3://second/in/a b.jsonl"}},
        "s3://second/in/a b.jsonl",
    ):
        source = file_input.open_file(value, "file")

        assert b"".join(map(bytes, source.blocks())) == LINES
        assert b"".join(map(bytes, source.blocks(3))) == LINES[3:]
        assert (source.name, source.length) == ("a b.jsonl", len(LINES))
    assert read("s3:///in/c.jsonl") == DATA
    assert not any(KEY in str(r.headers) for r in workspace.requests)


def test_a_stored_object_that_is_not_there_is_named(workspace, monkeypatch):
    with pytest.raises(TogetherError, match=r"body\.file cannot be read.*'gone'"):
        file_input.open_file({"s3": "gone"}, "body.file")
    monkeypatch.delenv("WM_TOKEN")
    with pytest.raises(TogetherError, match="not a Windmill job"):
        file_input.open_file({"s3": "gone"}, "body.file")


def test_a_url_is_fetched_without_the_key():
    headers = "content-disposition: attachment; filename*=UTF-8''a%20b.csv\r\n"
    with server(answer(DATA, headers=headers)) as (url, seen):
        auth = auth_for(url)
        source = file_input.open_file({"url": f"{url}/x?y=1"}, "file", auth)
        content = b"".join(map(bytes, source.blocks()))
        again = b"".join(map(bytes, source.blocks()))

    assert content == again == DATA
    assert (source.name, source.length) == ("a b.csv", len(DATA))
    assert len(seen) == 2
    assert not any(KEY.encode() in request for request in seen)


@pytest.mark.parametrize(
    ("path", "headers", "name"),
    [
        ("/a/b.jsonl?sig=1", "", "b.jsonl"),
        ("/", "content-type: image/png\r\n", "file.png"),
        ("/..%2f..%2fetc%2fpasswd", "", "passwd"),
        ("/a", "content-type: audio/mpeg; x=y\r\n", "a.mp3"),
        ("/x", 'content-disposition: x; filename="../../b.txt"\r\n', "b.txt"),
    ],
)
def test_a_fetched_file_gets_its_name_from_the_answer_or_the_address(
    path, headers, name
):
    with server(answer(DATA, headers=headers)) as (url, _):
        assert file_input.open_file(url + path, "file", auth_for(url)).named() == name


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([answer(b"gone", "404 Not Found")], "404 Not Found"),
        ([answer(b"12345", length=9)], "broke"),
        ([answer(b"1234"), answer(b"12345")], "5 bytes where 4"),
        ([answer(b"1234", headers=f'etag: "{n}"\r\n') for n in "ab"], "changed"),
    ],
)
def test_a_url_that_lies_is_an_error(answers, words):
    with server(*answers) as (url, _):
        with pytest.raises(TogetherError, match=rf"file cannot be read.*{words}"):
            read_twice(url, auth_for(url))


def read_twice(url, auth):
    source = file_input.open_file(url, "file", auth)
    assert list(source.blocks()) == list(source.blocks())


class Ranged:
    """A server's answers to whole and partial requests, the first ones cut."""

    def __init__(self, data, *cuts, etag='"1"'):
        self.data, self.cuts, self.etag = data, list(cuts), etag
        self.asked = []
        self.after = {}  # what it holds from the request of this number on

    def __call__(self, connection, request):
        found = re.search(rb"Range: bytes=(\d+)-", request)
        start = int(found[1]) if found else 0
        self.asked.append(start)
        self.data = self.after.get(len(self.asked), self.data)
        rest = self.data[start:]
        status = "206 Partial Content" if found else "200 OK"
        end = f"bytes {start}-{len(self.data) - 1}/{len(self.data)}"
        headers = f"etag: {self.etag}\r\naccept-ranges: bytes\r\n"
        if found:
            headers += f"content-range: {end}\r\n"
        sent = rest[: self.cuts.pop(0)] if self.cuts else rest
        connection.sendall(answer(sent, status, headers, len(rest)))


def serving(ranged):
    """What tests' server calls: with the connection, after the request was read."""
    requests = []

    def give(connection):
        ranged(connection, requests[0][-1])

    return give, requests


def test_a_broken_fetch_goes_on_where_it_broke():
    data = random.Random(3).randbytes(5 * BLOCK)
    ranged = Ranged(data, 2 * BLOCK + 5, BLOCK + 9)
    give, requests = serving(ranged)
    with server(give) as (url, seen):
        requests.append(seen)
        source = file_input.open_file(url, "file", auth_for(url))
        found = b"".join(map(bytes, source.blocks()))
        tail = b"".join(map(bytes, source.blocks(4 * BLOCK)))

    assert found == data
    assert tail == data[4 * BLOCK :]
    assert source.ranged
    assert ranged.asked == [0, 2 * BLOCK + 5, 3 * BLOCK + 14, 4 * BLOCK]


def test_parts_are_fetched_alone_only_where_a_strong_etag_tells_that_they_fit():
    data = random.Random(3).randbytes(3 * BLOCK)
    ranged = Ranged(data, BLOCK + 5, etag='W/"1"')
    give, requests = serving(ranged)
    with server(give) as (url, seen):
        requests.append(seen)
        source = file_input.open_file(url, "file", auth_for(url))
        before = source.ranged
        found = b"".join(map(bytes, source.blocks()))
        tail = b"".join(map(bytes, source.blocks(2 * BLOCK)))

    assert found == data
    assert tail == data[2 * BLOCK :]
    assert (before, source.ranged) == (False, False)
    assert ranged.asked == [0, BLOCK + 5, 0]


def test_of_what_the_server_compresses_no_part_is_fetched_alone():
    data = gzip.compress(DATA)
    headers = 'content-encoding: gzip\r\naccept-ranges: bytes\r\netag: "1"\r\n'
    with server(answer(data, headers=headers)) as (url, _):
        source = file_input.open_file(url, "file", auth_for(url))
        tails = [b"".join(map(bytes, source.blocks(start))) for start in (0, 5)]

    assert tails == [DATA, DATA[5:]]
    assert not source.ranged


def test_a_file_that_changes_while_it_is_fetched_is_an_error():
    ranged = Ranged(b"x" * 3 * BLOCK, BLOCK + 5)
    give, requests = serving(ranged)
    with server(give) as (url, seen):
        requests.append(seen)
        source = file_input.open_file(url, "file", auth_for(url))
        ranged.etag = '"2"'
        with pytest.raises(TogetherError, match="cannot be continued"):
            list(source.blocks())


def test_a_private_address_is_not_fetched_for_the_public_service():
    with server(answer(DATA)) as (url, seen):
        with pytest.raises(TogetherError, match=r"body\.file was not used") as caught:
            file_input.open_file(
                f"{url}/secret?a=s3cr3t", "body.file", {"api_key": KEY}
            )

    assert not seen
    assert "s3cr3t" not in str(caught.value)


def test_content_of_unknown_length_goes_to_a_temporary_file():
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n"
    )
    with server(chunked) as (url, seen):
        source = file_input.open_file(url, "file", auth_for(url))
        assert source.length is None
        settled = source.settled()

    assert (settled.length, len(seen)) == (5, 1)
    assert b"".join(map(bytes, settled.blocks())) == b"12345"
    place = Path(settled.path)
    assert place.exists()
    del settled
    assert not place.exists()


def test_compressed_content_is_unpacked():
    headers = "content-encoding: gzip\r\n"
    with server(answer(gzip.compress(LINES), headers=headers)) as (url, _):
        source = file_input.open_file(url, "file", auth_for(url))

        assert source.length is None
        assert b"".join(map(bytes, source.settled().blocks())) == LINES


ORDINARY = """
import sys
from scripts.chat.create_chat_completion import main
body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
main({"api_key": "k", "base_url": sys.argv[1]}, body)
main({"api_key": "k", "base_url": sys.argv[1]}, {**body, "stream": True})
own = {name.split(".")[1] for name in sys.modules if name.startswith("scripts.")}
own -= {"operations", "operation_calls"}  # a job has tables in their place
print(sorted(name for name in own if "chat" not in name))
"""


def test_a_call_that_goes_well_loads_the_helper_alone(sandbox):
    done = subprocess.run(
        [sys.executable, "-c", ORDINARY, sandbox.url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    loaded = "['client', 'replies']"
    assert done.stdout.splitlines()[-1] == loaded


# --- in requests -------------------------------------------------------------------

CHAT = main_of(find("chat/create_chat_completion"))


def asked(url, kind="image_url"):
    part = {"type": kind, kind: {"url": url}}
    return {"model": "m", "messages": [{"role": "user", "content": [part]}]}


def sent(sandbox, kind="image_url"):
    return sandbox.requests[-1].json["messages"][0]["content"][0][kind]["url"]


@pytest.mark.parametrize(
    "given",
    [
        PNG,
        b64(PNG),
        {"file": b64(PNG)},
        {"label": "Drop a file", "file": b64(PNG), "url": ""},
        {"file": b64(PNG), "filename": "wrong.txt"},
        {"s3": "p.png"},
        {"label": "Workspace storage", "s3": {"s3": "p.png"}},
        "s3:///p.png",
    ],
    ids=str,
)
def test_a_picture_becomes_a_data_uri(given, sandbox, auth, workspace):
    workspace.put("p.png", PNG)

    CHAT(auth, asked(given))

    assert sent(sandbox) == f"data:image/png;base64,{b64(PNG)}"


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        ("https://example.com/a.png", "https://example.com/a.png"),
        ({"url": "https://example.com/a.png"}, "https://example.com/a.png"),
        ({"label": "URL", "url": "HTTPS://x/y", "file": ""}, "HTTPS://x/y"),
        ({"file": "data:image/png;base64,AA=="}, "data:image/png;base64,AA=="),
        ("data:image/png;base64,AA==", "data:image/png;base64,AA=="),
        ("file-1234567890abcdef1234567890", "file-1234567890abcdef1234567890"),
        (
            "together://some/place/of/the/service/1",
            "together://some/place/of/the/service/1",
        ),
        (
            "a picture by its name that is long enough",
            "a picture by its name that is long enough",
        ),
    ],
    ids=str,
)
def test_what_is_an_address_already_is_sent_as_it_is(given, wire, sandbox, auth):
    CHAT(auth, asked(given))

    assert sent(sandbox) == wire


def test_a_recording_in_a_message_is_bare_base64(sandbox, auth, workspace):
    workspace.put("a.wav", DATA)
    for sound in (b64(DATA), {"s3": "a.wav"}, f"data:audio/wav;base64,{b64(DATA)}"):
        part = {"type": "input_audio", "input_audio": {"data": sound, "format": "wav"}}
        message = {"role": "user", "content": [part]}
        CHAT(auth, {"model": "m", "messages": [message]})

        found = sandbox.requests[-1].json["messages"][0]["content"][0]
        assert found["input_audio"]["data"] == b64(DATA)


def test_several_files_keep_their_places(sandbox, auth):
    create = main_of(find("videos/create_video"))
    pictures = [PNG + bytes([n]) for n in range(3)]
    body = {
        "model": "m",
        "prompt": '"quoted" and \u00e9',
        "media": {
            "frame_images": [
                {"input_image": {"file": b64(p)}, "frame": n}
                for n, p in enumerate(pictures)
            ],
            "reference_images": ["https://x/y.png", {"file": b64(PNG)}],
            "source_video": {"text": "clip", "filename": "c.mp4"},
            "audio_inputs": [{"file": b64(b"ID3...")}, {"audio": "https://x/a.mp3"}],
        },
    }

    create(auth, body)

    media = sandbox.requests[-1].json["media"]
    frames = [f["input_image"] for f in media["frame_images"]]
    assert frames == [f"data:image/png;base64,{b64(p)}" for p in pictures]
    assert media["reference_images"][0] == "https://x/y.png"
    assert media["reference_images"][1] == f"data:image/png;base64,{b64(PNG)}"
    assert media["source_video"] == f"data:video/mp4;base64,{b64(b'clip')}"
    assert media["audio_inputs"][0] == f"data:audio/mpeg;base64,{b64(b'ID3...')}"
    assert media["audio_inputs"][1] == {"audio": "https://x/a.mp3"}
    assert sandbox.requests[-1].json["prompt"] == body["prompt"]


def test_a_request_with_a_file_can_be_sent_again(workspace):
    workspace.put("p.png", PNG)
    busy = answer(b"{}", "503 Busy", "retry-after-ms: 1\r\n")
    reply = answer(json.dumps({"choices": [{"text": "a"}]}).encode())
    with server(busy, reply) as (url, seen):
        CHAT(auth_for(url), asked({"s3": "p.png"}))

    bodies_sent = [request.partition(b"\r\n\r\n")[2] for request in seen]
    assert bodies_sent[0] == bodies_sent[1]
    assert b64(PNG).encode() in bodies_sent[1]


def test_a_file_that_cannot_be_read_costs_nothing(sandbox, auth, workspace):
    for picture, words in (
        ({"s3": "gone.png"}, "gone.png"),
        ({"file": "%%%"}, "base64"),
        ({"file": "AA==", "text": "x"}, "not file and text"),
    ):
        with pytest.raises(TogetherError, match=words) as caught:
            CHAT(auth, asked(picture))
        assert "image_url.url" in caught.value.problems[0]["field"]
    assert not sandbox.requests


def test_an_untouched_file_of_a_form_is_not_sent(sandbox, auth):
    generate = main_of(find("images/generate_image"))
    blank = {"label": "Drop a file", "file": "", "filename": ""}
    body = {
        "model": "m",
        "prompt": "p",
        "image_url": blank,
        "reference_images": [{"source": blank}],
    }

    generate(auth, body)

    sent = sandbox.requests[0].json
    assert sent.keys() == {"model", "prompt"}


TRANSCRIBE = main_of(find("audio/create_transcription"))


def test_a_recording_goes_as_a_file_or_as_an_address(sandbox, auth, workspace):
    sound = b"RIFF....WAVE"
    workspace.put("in/talk.mp3", sound)

    TRANSCRIBE(
        auth, {"file": b64(sound), "timestamp_granularities": ["word", "segment"]}
    )
    wire = sandbox.requests[-1].body
    TRANSCRIBE(auth, {"file": {"s3": "in/talk.mp3"}})
    stored = sandbox.requests[-1].body
    TRANSCRIBE(auth, {"file": {"label": "URL", "url": "https://example.com/a.mp3"}})
    linked = sandbox.requests[-1].body

    assert b'filename="file.wav"' in wire
    assert wire.count(b'name="timestamp_granularities[]"') == 2
    assert wire.index(b"timestamp") < wire.index(b'name="file"')
    assert b'filename="talk.mp3"' in stored
    assert sound in stored
    assert b"https://example.com/a.mp3" in linked
    assert b"filename" not in linked
    with pytest.raises(TogetherError, match=r"body\.file"):
        TRANSCRIBE(auth, {"file": "not base64!"})


def test_a_hostile_file_name_cannot_break_out_of_its_header(sandbox, auth):
    name = 'a"\r\nContent-Disposition: form-data; name="model"\r\n\r\nevil\r\n.wav'

    TRANSCRIBE(auth, {"file": {"file": b64(b"RIFF....WAVE"), "filename": name}})

    wire = sandbox.requests[-1].body
    assert wire.count(b"\r\nContent-Disposition") == 1
    assert b'filename="a_Content-Disposition_ form-data; name=_model_evil.wav"' in wire


def test_a_large_file_is_never_whole_in_memory(tmp_path):
    place = tmp_path / "talk.wav"
    with place.open("wb") as file:
        file.truncate(64 << 20)
    source = file_input.open_file(place, "file")
    body, _ = multipart.multipart_body([("model", "m")], [("file", None, source)])
    encoded = multipart.Body([b'"', ("base64", source), b'"'])
    tracemalloc.start()
    try:
        sizes = [sum(map(len, whole)) for whole in (body, encoded)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert sizes == [body.length, encoded.length]
    assert peak < 8 << 20


def test_a_source_that_ends_early_fails_the_request(tmp_path, sandbox, auth):
    place = tmp_path / "talk.wav"
    place.write_bytes(b"RIFF" * 1000)
    source = file_input.open_file(place, "body.file")
    place.write_bytes(b"RIFF")

    with pytest.raises(TogetherError, match="3996 of 4000 bytes are missing"):
        TRANSCRIBE(auth, {"file": source})


def _places(members, prefix="", wrap=None):
    """(field, function from a file to the argument that holds it) of each place."""
    for name, member in members.items():
        field = f"{prefix}.{name}" if prefix else name

        def own(value, name=name, wrap=wrap):
            value = {name: value} if wrap else value
            return wrap(value) if wrap else value

        yield from _within(field, member, own)


def _within(field, member, own):
    if "x-file" in member or member.get("format") == "binary":
        yield field, own
    if member.get("properties"):
        yield from _members(field, member, own)
    if "items" in member:
        yield from _within(f"{field}[0]", member["items"], lambda v: own([v]))
    for variant in member.get("anyOf", ()):
        yield from _within(field, variant, own)


def _members(field, member, own):
    fixed = {
        name: found["enum"][0]
        for name, found in member["properties"].items()
        if len(found.get("enum", ())) == 1
    }
    for name, found in member["properties"].items():
        yield from _within(
            f"{field}.{name}", found, lambda v, name=name: own({**fixed, name: v})
        )


TAKING_FILES = [s for s in scripts() if any(_places(s.schema["properties"]))]


@pytest.mark.parametrize("script", TAKING_FILES, ids=lambda script: script.id)
def test_each_place_for_a_file_takes_every_shape(script):
    """Wherever a schema says that a file is taken, the helper lets all shapes pass."""
    for field, build in _places(script.schema["properties"]):
        least = {**script.schema["examples"][0]}
        top = field.split(".")[0].split("[")[0]
        for shape in ({"s3": "key"}, {"url": "https://x/y"}, {"file": "QUJD"}, DATA):
            given_file = build(shape)
            if top == "body":
                given_file = {**least.get("body", {}), **given_file}
            table = _table(script)
            table["arguments"] = {**table["arguments"], "required": []}

            assert field not in refused(table, {top: given_file})


def refused(table, arguments):
    """The fields that the helper finds fault with."""
    try:
        checked_arguments(table, arguments)
    except TogetherError as error:
        return [problem["field"] for problem in error.problems]
    return []


def _table(script):
    module = main_of(script).__globals__
    return dict(module.get("OPERATION") or module.get("STEP"))


def test_there_are_places_for_files():
    found = {
        (script.id, field)
        for script in scripts()
        for field, _ in _places(script.schema["properties"])
    }

    assert len(found) >= 20
    assert ("files/upload_file", "body.file") in found
    assert ("images/generate_image", "body.reference_images[0]") in found
    assert ("audio/create_translation", "body.file") in found


@pytest.mark.parametrize("wrap", [lambda f: f, lambda f: [f], lambda f: {"file": f}])
def test_a_list_of_one_object_in_storage_is_that_object(wrap, workspace, auth):
    workspace.put("talks/a.mp3", b"ID3")
    given = wrap({"s3": "talks/a.mp3"})

    assert b"".join(file_input.open_file(given, "file", auth).blocks()) == b"ID3"


def test_several_files_are_not_one(auth):
    given = [{"s3": "a.csv"}, {"s3": "b.csv", "storage": "x"}]

    with pytest.raises(TogetherError, match="a list of 2 files"):
        file_input.open_file(given, "file", auth)
    with pytest.raises(TogetherError, match="a list of 2 files"):
        Table(auth, given)
    rows = [{"s3": "a.csv", "note": "x"}, {"s3": None}]
    assert list(Table(auth, rows)) == rows


def test_blanks_around_an_address_count_for_nothing(sandbox, auth):
    sandbox.objects["/t.csv"] = "text/csv", b"a\n1\n"
    for place in (f" {sandbox.url}/t.csv\n", {"url": f"\t{sandbox.url}/t.csv "}):
        assert list(Table(auth, place)) == [{"a": "1"}]


def test_a_data_uri_may_be_broken_into_lines(sandbox, auth):
    data = b"\x89PNG\r\n\x1a\n" + bytes(90)
    given = "data:image/png;base64," + base64.encodebytes(data).decode()
    generate = main_of(find("images/generate_image"))

    generate(auth, {"model": "m", "prompt": "p", "image_url": given})

    sent = sandbox.requests[0].json["image_url"]
    assert sent == "".join(given.split())
    assert b"".join(file_input.open_file(f" {given}", "file", auth).blocks()) == data
