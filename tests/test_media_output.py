"""Where bytes go, and what Windmill then shows.

`kind` says how Windmill's page renders a result: what DisplayResult.svelte of
windmill-components 1.655.2 decides.
"""

import base64
import importlib
import json
import struct
import zlib
from urllib.parse import urlsplit

import pytest

from scripts.client import TogetherError, jsonio
from scripts.transfer import file_input, media_output, media_view
from tests.conftest import KEY
from tools.operations import find, operations
from tools.sandbox import Fault, picture, tone

SPEECH = find("audio/create_speech").schema["examples"][0]
PICTURE = find("images/generate_image").schema["examples"][0]
JPEG = b"\xff\xd8\xff\xe0" + b"jpeg" * 5000
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 " + b"webp" * 50
SHOWN_ABOVE_100_KB = {"png", "svg", "jpeg", "gif", "pdf", "file", "filename", "html"}


def size(value):
    """Windmill's own measure: two bytes a character."""
    if isinstance(value, str):
        return 2 * len(value)
    if isinstance(value, bool):
        return 4
    if isinstance(value, int | float):
        return 8
    if isinstance(value, dict):
        return sum(2 * len(k) + size(v) for k, v in value.items())
    return sum(map(size, value)) if isinstance(value, list) else 0


def unsafe(value):
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return any(map(unsafe, inner))
    return isinstance(value, int) and abs(value) > 2**53 - 1


def kind(result):
    """How Windmill's page shows an object."""
    total = size(result)
    large = total > 100_000
    if total > 5_000_000 or (not large and unsafe(result)):
        return "json"
    keys = set(result)
    if len(keys) == 1 and keys <= {"png", "svg", "jpeg", "gif", "html", "pdf", "file"}:
        return keys.pop()
    if keys == {"file", "filename"}:
        return "file"
    if not large and isinstance(result.get("s3"), str):
        return "s3object"
    renderer = result.get("wm_renderer", "json")
    return renderer if not large or renderer in SHOWN_ABOVE_100_KB else "json"


def run(name, auth, **arguments):
    module = importlib.import_module(f"scripts.{name.replace('/', '.')}")
    return module.main(auth, **arguments)


def png(bytes_more):
    """A picture with that many bytes beside its pixels, as a comment."""
    data = picture("x")
    text = b"tEXt" + b"Comment\0" + b"c" * bytes_more
    chunk = (
        struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    )
    return data[:-12] + chunk + data[-12:]


@pytest.fixture
def drawn(sandbox):
    """Says what the API draws: bytes are put at an address, or are in the answer."""

    def draw(*pictures, inline=False):
        data = []
        for index, content in enumerate(pictures):
            item = {"index": index}
            if inline:
                item["b64_json"] = base64.b64encode(content).decode()
            else:
                path = f"/sandbox/objects/{index}"
                sandbox.objects[path] = "application/octet-stream", content
                item["url"] = sandbox.url + path
            data.append(item)
        answer = {"id": "i", "model": "m", "object": "list", "data": data}
        sandbox.answers["generate_image"] = lambda _: json.loads(json.dumps(answer))
        return answer

    yield draw
    sandbox.answers.clear()


# --- pictures -----------------------------------------------------------------------


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize(
    ("content", "shown", "ending"),
    [
        (picture("a"), "png", ".png"),
        (JPEG, "jpeg", ".jpg"),
        (b"GIF89a..", "gif", ".gif"),
    ],
)
def test_a_picture_shows_and_the_answer_stays(
    auth, workspace, drawn, content, shown, ending, inline
):
    answer = drawn(content, inline=inline)
    result = run("images/generate_image", auth, **PICTURE)
    assert {name: result[name] for name in answer} == answer
    assert kind(result) == shown
    assert base64.b64decode(result[shown]["content"]) == content
    assert result[shown]["filename"] == f"picture-1{ending}"


def test_several_pictures_show_side_by_side(auth, workspace, drawn):
    answer = drawn(picture("a"), JPEG, picture("c"))
    result = run("images/generate_image", auth, **PICTURE)
    assert {name: result[name] for name in answer} == answer
    assert kind(result) == "html"
    assert result["html"].count("<img ") == 3
    for content in picture("a"), JPEG, picture("c"):
        assert base64.b64encode(content).decode() in result["html"]


def test_a_picture_of_another_kind_shows_too(auth, workspace, drawn):
    drawn(WEBP)
    result = run("images/generate_image", auth, **PICTURE)
    assert kind(result) == "html"
    assert 'src="data:image/webp;base64,' in result["html"]


def test_a_stored_picture_is_an_object_for_the_next_step(auth, workspace, drawn):
    drawn(JPEG, inline=True)
    result = run("images/generate_image", auth, **PICTURE, output="storage")
    assert workspace.content(result["s3"]) == JPEG
    assert workspace.objects["", result["s3"]].content_type == "image/jpeg"
    assert kind(result) == "s3object"
    assert result["s3"].endswith(".jpg")  # by which Windmill previews it
    (item,) = result["data"]
    assert item == {"index": 0, "s3": result["s3"], "filename": "picture-1.jpg"}


def test_several_stored_pictures_show_from_storage(auth, workspace, drawn):
    drawn(JPEG, picture("b"))
    result = run("images/generate_image", auth, **PICTURE, output="storage")
    contents = [workspace.content(item["s3"]) for item in result["data"]]
    assert contents == [JPEG, picture("b")]
    assert kind(result) == "html"
    assert result["html"].count("/job_helpers/load_image_preview?file_key=") == 2


def test_only_the_addresses_come_when_asked_for(auth, workspace, drawn, sandbox):
    answer = drawn(JPEG)
    answer["data"][0]["url"] = "https://pictures.example.com/a?b=1&c=2"
    sandbox.answers["generate_image"] = lambda _: answer
    result = run("images/generate_image", auth, **PICTURE, output="url")
    assert {name: result[name] for name in answer} == answer
    assert 'src="https://pictures.example.com/a?b=1&amp;c=2"' in result["html"]
    assert len(sandbox.requests) == 1


def test_pictures_too_large_to_show_go_to_storage_and_say_so(
    auth, workspace, drawn, capsys
):
    drawn(png(1_000_000), png(1_000_000))
    result = run("images/generate_image", auth, **PICTURE)
    for item in result["data"]:
        assert workspace.content(item["s3"]) == png(1_000_000)
    assert "in the workspace's storage" in result["note"]
    assert result["note"] in capsys.readouterr().err
    assert kind(result) == "html"


@pytest.mark.parametrize("inline", [False, True])
def test_what_was_paid_for_is_not_lost_without_storage(auth, workspace, drawn, inline):
    workspace.storage = False
    answer = drawn(png(2_000_000), inline=inline)
    result = run("images/generate_image", auth, **PICTURE)
    assert {name: result[name] for name in answer} == answer
    assert "no object storage" in result["note"]


def test_an_address_that_lapsed_leaves_the_answer(auth, workspace, drawn, sandbox):
    answer = drawn(JPEG)
    sandbox.objects.clear()
    result = run("images/generate_image", auth, **PICTURE)
    assert {name: result[name] for name in answer} == answer
    assert "could not be fetched" in result["note"]


def test_storage_that_fails_keeps_the_answer_in_the_error(
    auth, workspace, drawn, sandbox
):
    answer = drawn(JPEG, inline=True)
    workspace.faults.append(Fault("upload_s3_file", 500))
    with pytest.raises(TogetherError) as caught:
        run("images/generate_image", auth, **PICTURE, output="storage")
    assert caught.value.partial == answer


# --- sound and video ----------------------------------------------------------------


def test_sound_plays_and_downloads(auth, workspace):
    result = run("audio/create_speech", auth, **SPEECH)
    assert kind(result) == "html"
    assert '<audio controls src="data:audio/wav;base64,' in result["html"]
    assert base64.b64decode(result["file"]) == tone()
    assert result["filename"] == "speech.wav"


def test_realtime_sound_is_stored_too(auth, workspace, brief_silence):
    name = "audio/connect_speech_websocket"
    least = find(name).schema["examples"][0]
    result = run(name, auth, **least, output="storage")
    assert workspace.content(result["s3"]) == tone()
    assert result["filename"] == "speech.wav"


def test_sound_that_cannot_be_stored_is_in_the_error(auth, workspace):
    workspace.faults.append(Fault("upload_s3_file", 500))
    with pytest.raises(TogetherError, match="cannot be written") as caught:
        run("audio/create_speech", auth, **SPEECH, output="storage")
    assert base64.b64decode(caught.value.partial["file"]) == tone()


def test_long_sound_that_cannot_be_stored_is_in_the_error_too(workspace):
    sound = b"ID3" + bytes(3_000_000)
    workspace.faults.append(Fault("upload_s3_file", 500))
    with pytest.raises(TogetherError, match="cannot be written") as caught:
        media_output.deliver(sound, "speech.mp3", "storage", paid=True)
    assert base64.b64decode(caught.value.partial["file"]) == sound


def test_long_sound_downloads_under_its_name(workspace):
    sound = b"ID3" + bytes(1_000_000)
    result = media_output.deliver(sound, "speech.mp3", "result", paid=True)
    assert result.keys() == {"file", "filename"}
    assert kind(result) == "file"


def test_stored_sound_is_an_object(auth, workspace):
    result = run("audio/create_speech", auth, **SPEECH, output="storage")
    assert workspace.content(result["s3"]) == tone()
    assert result["filename"] == "speech.wav"
    assert kind(result) == "s3object"


def test_streamed_sound_goes_where_it_is_told(auth, workspace):
    body = {**SPEECH["body"], "stream": True, "response_format": "raw"}
    result = run("audio/create_speech", auth, body=body, output="storage")
    assert workspace.content(result["s3"]) == tone()


def test_paid_sound_without_storage_comes_in_the_result(workspace):
    workspace.storage = False
    sound = b"ID3" + bytes(3_000_000)
    result = media_output.deliver(sound, "speech.mp3", "result", paid=True)
    assert base64.b64decode(result["file"]) == sound
    assert "no object storage" in result["note"]


def finished_video(sandbox, auth, content):
    sandbox.objects["/sandbox/objects/v.mp4"] = "video/mp4", content
    video = json.loads(json.dumps(find("videos/get_video").schema["x-reply"]))
    video["outputs"]["video_url"] = f"{sandbox.url}/sandbox/objects/v.mp4"
    sandbox.answers["get_video"] = lambda _: json.loads(json.dumps(video))
    return video


CLIP = b"\x00\x00\x00\x18ftypisom" + bytes(60_000)


@pytest.fixture
def video(sandbox, auth):
    yield finished_video(sandbox, auth, CLIP)
    sandbox.answers.clear()


def test_a_video_is_stored_before_its_address_lapses(auth, workspace, video):
    result = run("videos/get_video", auth, video_id="v-1", output="storage")
    assert workspace.content(result["s3"]) == CLIP
    assert result["filename"] == "v.mp4"
    assert result["status"] == "completed"
    assert workspace.objects["", result["s3"]].content_type == "video/mp4"


def test_a_video_shows(auth, workspace, video, sandbox):
    result = run("videos/get_video", auth, video_id="v-1", output="result")
    assert "<video controls " in result["html"]
    assert base64.b64decode(result["file"]) == CLIP
    assert kind(result) == "html"
    video["outputs"]["video_url"] = "https://videos.example.com/v.mp4"
    sandbox.answers["get_video"] = lambda _: video
    result = run("videos/get_video", auth, video_id="v-1")
    assert 'src="https://videos.example.com/v.mp4"' in result["html"]


@pytest.mark.parametrize("output", ["url", "result", "storage"])
def test_a_video_in_the_making_is_only_told_of(auth, workspace, sandbox, output):
    waiting = {"id": "v-1", "status": "in_progress", "outputs": None}
    sandbox.answers["get_video"] = lambda _: waiting
    assert waiting == run("videos/get_video", auth, video_id="v-1", output=output)
    sandbox.answers.clear()


# --- other answers that bring addresses ---------------------------------------------


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        ("text/html", b"<!DOCTYPE html><h1>Log in</h1>", "a web page"),
        ("application/json", b'{"error": {"message": "gone"}}', "an error"),
    ],
)
def test_a_page_or_an_error_is_no_video(kind, content, words, auth, workspace, sandbox):
    place = finished_video(sandbox, auth, content)["outputs"]["video_url"]
    sandbox.objects[urlsplit(place).path] = kind, content

    with pytest.raises(TogetherError, match=f"leads to {words}") as caught:
        run("videos/get_video", auth, video_id="v-1", output="storage")
    assert caught.value.partial["status"] == "completed"
    result = run("videos/get_video", auth, video_id="v-1", output="result")
    assert "file" not in result
    assert words in result["note"]
    assert not workspace.objects


@pytest.mark.parametrize("output", ["result", "storage"])
@pytest.mark.parametrize("odd", [{"url": "http://[x"}, {"filename": {"a": 1}}])
def test_what_an_answer_says_oddly_of_a_picture_loses_none(
    odd, output, auth, workspace, drawn, sandbox
):
    answer = drawn(picture("a"), inline=True)
    answer["data"][0] |= odd
    sandbox.answers["generate_image"] = lambda _: json.loads(json.dumps(answer))

    result = run("images/generate_image", auth, **PICTURE, output=output)

    stored = result.get("filename") or result["png"]["filename"]
    assert stored == "picture-1.png"


def test_a_data_uri_is_one_in_capitals_too(auth, workspace, sandbox):
    place = "DATA:image/png;base64," + base64.b64encode(picture("a")).decode()
    sandbox.answers["generate_image"] = lambda _: {"data": [{"url": place}]}

    result = run("images/generate_image", auth, **PICTURE, output="storage")

    assert workspace.content(result["s3"]) == picture("a")
    sandbox.answers.clear()


def test_files_named_in_an_answer_are_stored(auth, workspace, sandbox):
    for name, content in {"a": b"A" * 1000, "b": b"B" * 2000}.items():
        sandbox.objects[f"/sandbox/objects/{name}"] = "application/x", content
    entries = [
        {
            "filename": f"weights/{name}.safetensors",
            "size": str(length),
            "url": f"{sandbox.url}/sandbox/objects/{name}",
        }
        for name, length in (("a", 1000), ("b", 2000))
    ]
    sandbox.answers["download_rl_checkpoint"] = lambda _: {"data": entries}
    least = find("rl/download_rl_checkpoint").schema["examples"][0]
    result = run("rl/download_rl_checkpoint", auth, **least, output="storage")
    for entry, given in zip(result["data"], entries, strict=True):
        assert given.items() <= {**entry, "filename": given["filename"]}.items()
        assert len(workspace.content(entry["s3"])) == int(given["size"])
        assert entry["s3"].endswith(".safetensors")
    entries[1]["size"] = "1999"
    with pytest.raises(TogetherError, match="were announced") as caught:
        run("rl/download_rl_checkpoint", auth, **least, output="storage")
    assert caught.value.partial["data"][1]["url"] == entries[1]["url"]
    sandbox.answers.clear()


def test_parts_are_joined_in_order(auth, workspace, sandbox):
    pieces = [b"1" * 70_000, b"2" * 70_000, b"3" * 10]
    for number, piece in enumerate(pieces, 1):
        sandbox.objects[f"/sandbox/objects/{number}"] = "application/x", piece
    parts = [
        {
            "partNumber": number,
            "sizeBytes": len(piece),
            "url": f"{sandbox.url}/sandbox/objects/{number}",
            "headers": {"x-part": str(number)},
        }
        for number, piece in enumerate(pieces, 1)
    ]
    total = sum(map(len, pieces))
    answer = {"files": [{"path": "m/a.bin", "sizeBytes": total, "parts": parts[::-1]}]}
    sandbox.answers["create_project_model_download"] = lambda _: answer
    least = find("models/create_project_model_download").schema["examples"][0]
    result = run(
        "models/create_project_model_download", auth, **least, output="storage"
    )
    assert workspace.content(result["s3"]) == b"".join(pieces)
    fetched = [r for r in sandbox.requests if r.path.startswith("/sandbox/")]
    assert [r.headers["x-part"] for r in fetched] == ["1", "2", "3"]
    assert KEY not in str(fetched)
    sandbox.answers.clear()


@pytest.mark.parametrize("output", ["storage", "result"])
def test_a_file_behind_an_address_is_brought(auth, workspace, sandbox, output):
    name = "fine_tuning/get_fine_tune_tokenized_dataset"
    content = b"PAR1" + bytes(5000) + b"PAR1"
    sandbox.objects["/sandbox/objects/d"] = "application/x", content
    address = f"{sandbox.url}/sandbox/objects/d"
    answer = {"filename": "tokens.parquet", "size": len(content), "url": address}
    sandbox.answers[name.partition("/")[2]] = lambda _: dict(answer)
    least = find(name).schema["examples"][0]
    result = run(name, auth, **least, output=output)
    sandbox.answers.clear()
    assert answer.items() <= result.items()
    source = file_input.open_file(result, "file")  # the next step takes it as a file
    assert source.read() == content
    assert source.name == "tokens.parquet"


@pytest.mark.parametrize("inline", [False, True])
def test_a_next_step_takes_what_was_drawn(auth, workspace, drawn, inline):
    drawn(JPEG, inline=inline)
    shown = run("images/generate_image", auth, **PICTURE)
    stored = run("images/generate_image", auth, **PICTURE, output="storage")
    for given in shown["jpeg"], stored, stored["data"][0]:
        assert file_input.open_file(given, "picture").read() == JPEG


# --- the choice, and its limits -----------------------------------------------------


CHOICES = [o for o in operations() if "output" in o.arguments]


def test_every_operation_that_brings_bytes_lets_one_choose():
    for operation in operations():
        exchange = operation.exchange
        bytes_come = exchange.get("reply") in ("binary", "speech")
        if bytes_come or "brings" in exchange:
            choice = operation.arguments["output"]
            assert choice["x-in"] == "result", operation.id
            assert "storage" in choice["enum"], operation.id
            assert ("url" in choice["enum"]) == ("brings" in exchange), operation.id
        else:
            assert "output" not in operation.arguments, operation.id


@pytest.mark.parametrize("operation", CHOICES, ids=lambda o: o.id)
def test_without_storage_nothing_is_sent(operation, sandbox, auth, workspace):
    workspace.storage = False
    least = {**operation.schema["examples"][0], "output": "storage"}
    with pytest.raises(TogetherError, match="no object storage") as caught:
        run(operation.id, auth, **least)
    assert caught.value.problems[0]["field"] == "output"
    asked = [r.path for r in sandbox.requests if "whoami" not in r.path]
    assert not asked


@pytest.mark.parametrize("operation", CHOICES, ids=lambda o: o.id)
def test_another_choice_is_refused(operation, sandbox, auth):
    least = {**operation.schema["examples"][0], "output": "disk"}
    with pytest.raises(TogetherError, match=r'output must be one of .*"storage"'):
        run(operation.id, auth, **least)
    assert not sandbox.requests


def test_a_file_larger_than_a_result_goes_to_storage_and_says_so(
    auth, workspace, sandbox, capsys
):
    record = sandbox.store_file("big.jsonl", b"{}\n" * 1_000_000, "batch-api")
    result = run("files/download_file", auth, file_id=record["id"])
    assert workspace.content(result["s3"]) == b"{}\n" * 1_000_000
    assert "big.jsonl has 3.0 MB" in result["note"]
    assert result["note"] in capsys.readouterr().err
    assert kind(result) == "s3object"


def test_a_file_larger_than_a_result_without_storage_names_output(
    auth, workspace, sandbox
):
    workspace.storage = False
    record = sandbox.store_file("big.jsonl", b"{}\n" * 1_000_000, "batch-api")
    with pytest.raises(TogetherError, match=r"has 3\.0 MB") as caught:
        run("files/download_file", auth, file_id=record["id"])
    assert caught.value.problems[0]["field"] == "output"


def test_a_file_just_small_enough_is_the_result(auth, workspace, sandbox):
    content = b"x" * (jsonio.RESULT_LIMIT * 3 // 4)
    record = sandbox.store_file("a.jsonl", content, "batch-api")
    result = run("files/download_file", auth, file_id=record["id"])
    assert base64.b64decode(result["file"]) == content
    assert kind(result) == "file"
    assert len(json.dumps(result)) < 2_000_000


def test_outside_windmill_nothing_limits_a_result(auth, sandbox, monkeypatch):
    monkeypatch.delenv("WM_TOKEN", raising=False)
    record = sandbox.store_file("big.jsonl", b"{}\n" * 1_000_000, "batch-api")
    result = run("files/download_file", auth, file_id=record["id"])
    assert len(base64.b64decode(result["file"])) == 3_000_000


def test_a_name_cannot_break_out_of_a_view():
    name = '"><script>alert(1)</script>.png'
    shown = media_view.pictures([(picture("a"), name), (picture("b"), name)])
    assert "<script" not in shown["html"]
    assert '"><' not in shown["html"].replace('"><img', "")


@pytest.mark.parametrize(
    ("seed", "kept"),
    [
        (2**53 - 1, 2**53 - 1),
        (2**53, "9007199254740992"),
        (-(2**53), "-9007199254740992"),
        (13567432945869867008, "13567432945869867008"),
        (1.5, 1.5),
    ],
)
def test_whole_numbers_that_javascript_would_round_are_text(auth, sandbox, seed, kept):
    chat = find("chat/create_chat_completion")
    answer = json.loads(json.dumps(chat.schema["x-reply"]))
    answer["seed"] = seed
    answer["choices"][0]["seed"] = seed
    sandbox.answers["create_chat_completion"] = lambda _: answer
    result = run("chat/create_chat_completion", auth, **chat.schema["examples"][0])
    sandbox.answers.clear()
    assert result["seed"] == kept
    assert result["choices"][0]["seed"] == kept
