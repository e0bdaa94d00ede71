"""Bytes arrive whole and once, from nowhere but where they may come from."""

import base64
import gzip
import hashlib
import importlib
import io
import json
import random
import struct
import threading
import time
import zipfile
import zlib

import pytest
import trustme

from scripts.client import TogetherError, transport
from scripts.download.download import byte_count, open_download, open_url
from scripts.download.file_end import FileEnd
from scripts.download.filenames import named, safe_name
from scripts.resilience import retry
from scripts.transfer.file_parts import FileParts
from scripts.workspace.storage import check_storage, write_object
from tests.conftest import KEY
from tests.support.byte_server import ByteServer, Thing
from tests.support.sound import wav
from tests.test_client import server
from tools.bench import bench_transfer

WORDS = random.Random(11).randbytes(3_000_000)
FILE = "/v1/files/file-1/content"


@pytest.fixture(scope="module")
def _api():
    with ByteServer() as server:
        yield server


@pytest.fixture(scope="module")
def _storage():
    with ByteServer() as server:
        yield server


@pytest.fixture
def api(_api):
    """Plays the API."""
    _api.things, _api.asked, _api.sent = {}, [], 0
    return _api


@pytest.fixture
def storage(_storage):
    """Plays the storage that signed addresses lead to."""
    _storage.things, _storage.asked, _storage.sent = {}, [], 0
    return _storage


def main(name):
    return importlib.import_module(f"scripts.{name.replace('/', '.')}").main


def download(server, **arguments):
    auth = {"api_key": KEY, "base_url": server.url}
    return main("files/download_file")(auth, "file-1", **arguments)


def opened(server):
    module = importlib.import_module("scripts.files.download_file")
    auth = {"api_key": KEY, "base_url": server.url}
    return open_download(auth, module.OPERATION, file_id="file-1")


def all_of(source):
    return b"".join(iter(lambda: source.read(100_000), b""))


def picture():
    pieces = [b"\x89PNG\r\n\x1a\n"]
    for name, data in (
        (b"IHDR", struct.pack(">IIBBBBB", 40, 40, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(random.Random(5).randbytes(41 * 40))),
        (b"IEND", b""),
    ):
        check = zlib.crc32(name + data)
        pieces.append(
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)
        )
    return b"".join(pieces)


def archive():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a.txt", "hello " * 50)
    return buffer.getvalue()


def sound():
    return wav(random.Random(6).randbytes(900), 8000)


def box(name, data):
    return struct.pack(">I4s", 8 + len(data), name) + data


FILM = (
    box(b"ftyp", b"isom" + bytes(8))
    + box(b"mdat", bytes(300))
    + box(b"moov", bytes(90))
)
LINES = b'{"custom_id": "0-a"}\n{"custom_id": "1-b"}\n{"custom_id": "2-c"}\n'


# --- whole, and once ----------------------------------------------------------------


@pytest.mark.slow
def test_a_download_that_breaks_twenty_times_is_whole_and_fetches_nothing_twice(
    api, workspace
):
    content = random.Random(3).randbytes(20_000_000) * 10
    points = sorted(random.Random(4).sample(range(1, len(content)), 20))
    cuts = [b - a for a, b in zip([0, *points], points, strict=False)]
    api.things[FILE] = Thing(content, {"etag": '"v1"'}, cuts=[*cuts, None])

    stored = download(api, output="storage")

    kept = workspace.objects["", stored["s3"]].file
    with kept.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    assert digest.digest() == hashlib.sha256(content).digest()
    ranges = [asked.get("range") for asked in api.asked]
    assert ranges == [None, *(f"bytes={point}-" for point in points)]
    assert api.sent == len(content)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_reset_loses_only_what_was_under_way(api, chunked):
    cuts = [500_000, 1, 900_000, 0, 700_000]
    api.things[FILE] = Thing(WORDS, cuts=cuts, resets=True, chunked=chunked)
    source = opened(api)
    seen = []
    while piece := source.read(65536):
        seen.append(piece)

    assert b"".join(seen) == WORDS
    starts = [int(a["range"][6:-1]) for a in api.asked if "range" in a]
    ends = {sum(map(len, seen[:n])) for n in range(len(seen))}
    assert starts
    assert set(starts) <= ends  # just what had come is not asked for again


def test_a_download_that_never_gets_further_ends_in_an_error(api, monkeypatch):
    monkeypatch.setattr(retry, "backoff", lambda tries, asked: 0.001)
    api.things[FILE] = Thing(WORDS, cuts=[1_000_000] + [0] * 20)
    with pytest.raises(TogetherError, match="broke off after 1000000 of 3000000"):
        all_of(opened(api))


def test_another_file_is_never_glued_to_the_first(api, workspace):
    """Under a new ETag all is fetched anew."""
    other = WORDS[::-1]
    thing = api.things[FILE] = Thing(WORDS, {"etag": '"v1"'}, cuts=[1_000_000])

    class Swapped(dict):
        def get(self, path, default=None):
            if api.asked[-1].get("range"):
                thing.content, thing.headers = other, {"etag": '"v2"'}
            return thing

    api.things = Swapped()
    stored = download(api, output="storage")
    assert workspace.content(stored["s3"]) == other


@pytest.mark.parametrize(
    ("etag", "asked"), [('"v1"', 2), ('W/"v1"', 3), (None, 3)], ids=str
)
def test_a_whole_answer_is_no_resume(api, workspace, etag, asked):
    """A server without ranges: a strong ETag proves it is the same, nothing else."""
    headers = {"etag": etag} if etag else {}
    api.things[FILE] = Thing(WORDS, headers, cuts=[1_000_000], ranges=False)
    stored = download(api, output="storage")
    assert workspace.content(stored["s3"]) == WORDS
    assert len(api.asked) == asked


def test_another_part_than_asked_for_is_not_taken(api, workspace):
    wrong = {"content-range": f"bytes 5-{len(WORDS) - 1}/{len(WORDS)}"}
    thing = api.things[FILE] = Thing(WORDS, wrong, cuts=[1_000_000])
    with pytest.raises(TogetherError, match="another part than was asked for"):
        all_of(opened(api))
    thing.cuts = [1_000_000]
    stored = download(api, output="storage")
    assert workspace.content(stored["s3"]) == WORDS


@pytest.mark.parametrize("extra", [10, -10])
@pytest.mark.parametrize("ranges", [True, False])
def test_a_length_that_lies_is_an_error(api, workspace, extra, ranges):
    api.things[FILE] = Thing(WORDS, says=len(WORDS) + extra, ranges=ranges)
    if extra > 0:
        with pytest.raises(TogetherError) as caught:
            download(api, output="storage")
        kinds = ("wrong_length", "changed_download", "connection")
        assert caught.value.type in kinds
        assert not workspace.objects
    else:  # what is past the announced end belongs to no answer
        stored = download(api, output="storage")
        assert workspace.content(stored["s3"]) == WORDS[:extra]


@pytest.mark.parametrize(
    ("text", "count"),
    [("12", 12), ("0", 0), ("", None), ("\u00b2", None), ("9" * 5000, None)],
)
def test_what_is_no_number_of_bytes_is_none(text, count):
    assert byte_count(text) == count


def test_a_size_that_the_api_gives_is_held_against_what_comes(storage):
    storage.things["/a"] = Thing(WORDS)
    storage.things["/b"] = Thing(WORDS, chunked=True)
    auth = {"api_key": KEY, "base_url": storage.url}
    for path in "/a", "/b":
        for size in len(WORDS) - 1, len(WORDS) + 1:
            with pytest.raises(TogetherError, match="were announced"):
                all_of(open_url(storage.url + path, auth, "it", length=size))
        assert all_of(open_url(storage.url + path, auth, "it")) == WORDS


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"error": {"message": "kaput"}}', "application/json"),
        (b'{"detail": "kaput"}', "application/problem+json; charset=utf-8"),
        (b"<!DOCTYPE html><title>kaput</title>", "text/html"),
    ],
)
def test_what_says_that_it_is_an_error_is_no_file(content, kind, api):
    api.things[FILE] = Thing(content, {"content-type": kind})

    with pytest.raises(TogetherError, match="kaput") as caught:
        download(api)
    assert caught.value.type == "invalid_answer"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"error": "kaput", "custom_id": "1"}\n', "application/json"),
        (b'{"error": "a"}\n{"error": "b"}\n', "application/json"),
        (b'{"error": {"message": "kaput"}}', "application/octet-stream"),
        (b"<!DOCTYPE html>", "application/octet-stream"),
        (b'{"text": "kaput"}', "application/json"),
    ],
)
def test_a_file_may_hold_errors_and_pages(content, kind, api):
    api.things[FILE] = Thing(content, {"content-type": kind})

    assert base64.b64decode(download(api)["file"]) == content


def test_a_compressed_answer_is_unpacked(api):
    content = b"line\n" * 100_000
    headers = {"content-encoding": "gzip"}
    api.things[FILE] = Thing(gzip.compress(content), headers)
    assert base64.b64decode(download(api)["file"]) == content


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("x-gzip", lambda data: gzip.compress(data[:7]) + gzip.compress(data[7:])),
        ("gzip", lambda data: gzip.compress(data) + bytes(512)),
        ("deflate", zlib.compress),
        ("Deflate", lambda data: zlib.compress(data, wbits=-15)),
    ],
)
def test_a_compressed_answer_may_be_packed_in_several_ways(coding, packed, api):
    content = WORDS[:50_000] + b"line\n" * 500_000
    api.things[FILE] = Thing(packed(content), {"content-encoding": coding})

    assert all_of(opened(api)) == content


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("lost", [1, 20, 3_000])
def test_a_compressed_answer_that_is_cut_short_is_no_answer(lost, chunked, api):
    content = gzip.compress(WORDS[:100_000])[:-lost]
    headers = {"content-encoding": "gzip"}
    api.things[FILE] = Thing(content, headers, chunked=chunked)

    with pytest.raises(TogetherError, match="broke off"):
        download(api)


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip"])
def test_a_compression_that_is_not_known_is_named(coding, api):
    api.things[FILE] = Thing(b"\x0b\x02\x80", {"content-encoding": coding})

    with pytest.raises(TogetherError, match=f"compressed with '{coding}'"):
        download(api)


@pytest.mark.parametrize("status", [204, 206, 416])
def test_a_part_that_nobody_asked_for_is_not_the_file(status, api, storage):
    api.things[FILE] = storage.things["/a"] = Thing(b"", status=status)
    auth = {"api_key": KEY, "base_url": storage.url}

    for work in (
        lambda: download(api),
        lambda: open_url(f"{storage.url}/a", auth, "it"),
    ):
        with pytest.raises(TogetherError, match=str(status)):
            work()


# --- no length, and the connection ends ---------------------------------------------


@pytest.mark.parametrize("content", [WORDS, LINES * 100], ids=["bytes", "lines"])
def test_where_the_connection_alone_ends_the_rest_is_asked_for(content, api):
    """The server says no length, but knows ranges."""
    cuts = [len(content) // 3, len(content) // 5]
    api.things[FILE] = Thing(content, cuts=cuts, open_ended=True)
    source = opened(api)
    assert all_of(source) == content
    assert source.note == ""


def test_the_service_knows_how_many_bytes_a_file_has(api):
    """Asked for the file's facts where the server of its bytes knows no ranges."""
    api.things[FILE] = Thing(
        LINES, {"etag": '"v1"'}, cuts=[21], ranges=False, open_ended=True
    )
    api.things["/v1/files/file-1"] = Thing(json.dumps({"bytes": len(LINES)}).encode())
    answer = download(api)
    assert base64.b64decode(answer["file"]) == LINES
    assert "note" not in answer


def test_what_nobody_knows_is_said(api, workspace, capsys):
    api.things[FILE] = Thing(WORDS, cuts=[70_000], ranges=False, open_ended=True)
    answer = download(api)
    assert base64.b64decode(answer["file"]) == WORDS[:70_000]
    assert "these are all cannot be told" in answer["note"]
    assert answer["note"] in capsys.readouterr().err
    assert answer["note"] in download(api, output="storage")["note"]


def test_a_file_that_breaks_off_is_fetched_anew_or_an_error(api, monkeypatch):
    monkeypatch.setattr(retry, "backoff", lambda tries, asked: 0.001)
    thing = Thing(picture(), cuts=[900], ranges=False, open_ended=True)
    api.things[FILE] = thing
    answer = download(api)
    assert base64.b64decode(answer["file"]) == thing.content
    assert "note" not in answer
    thing.cuts = [900] * 9
    with pytest.raises(TogetherError, match="does not say how many bytes") as caught:
        download(api)
    assert caught.value.type == "changed_download"


@pytest.mark.parametrize(
    "content",
    [picture(), archive(), gzip.compress(WORDS[:500]), sound(), FILM, b"[1, {}, 3]"],
    ids=["png", "zip", "gzip", "wav", "mp4", "json"],
)
@pytest.mark.parametrize("step", [None, 7, 10_000])
def test_a_file_tells_where_it_ends(content, step):
    """A file of each size comes in pieces of `step` bytes; None: one file, byte by
    byte."""
    end = FileEnd()
    for size in range(1, len(content) + 1):
        if step is None:
            end.take(content[size - 1 : size])
        else:
            end = FileEnd()
            for start in range(0, size, step):
                end.take(content[start : min(size, start + step)])
        whole = end.is_whole()
        assert whole is True if size == len(content) else not whole


def photo(preview=b""):
    """A JPEG with a preview in its head, two scans, and its end mark."""
    head = b"\xff\xe1" + struct.pack(">H", len(preview) + 2) + preview
    scan = b"\xff\xda\x00\x04\x01\x00" + b"coded\xff\x00\xff\xd0more"
    table = b"\xff\xff\xc4\x00\x05abc"
    return b"\xff\xd8\xff\xe0\x00\x04JF" + head + scan + table + scan + b"\xff\xd9"


@pytest.mark.parametrize("step", [1, 3, 10_000])
@pytest.mark.parametrize("content", [photo(), photo(photo()), picture()])
def test_what_stands_behind_a_picture_makes_it_no_part_of_one(content, step):
    """Phones put a clip there, cameras another picture."""
    for size in (*range(17, len(content), 11), len(content) - 1):
        assert ended(content[:size], step) is False
    for trailer in (b"", bytes(9000), b"\0\0\0\x18ftypmp42" + bytes(9000)):
        assert ended(content + trailer, step) is True


def ended(content, step):
    end = FileEnd()
    for start in range(0, len(content), step):
        end.take(content[start : start + step])
    return end.is_whole()


def test_many_small_parts_of_a_picture_take_no_long_time():
    part = b"\0\0\0\0teXt" + bytes(4)
    end = FileEnd()
    end.take(b"\x89PNG\r\n\x1a\n" + part * 200_000)
    assert end.is_whole() is False


def test_lines_of_json_tell_whether_the_last_is_whole():
    for size in range(len(LINES) + 1):
        end = FileEnd()
        end.take(LINES[:size])
        last = LINES[:size].rpartition(b"\n")[2]
        amid = size > 21 and last.strip() and not last.endswith(b"}")
        assert end.is_whole() is (False if amid else None), LINES[:size]


@pytest.mark.parametrize("text", [b"[1] A book\n[2] An", b"{{name}}\nx", b"", b"id,te"])
def test_a_text_does_not_tell_where_it_ends(text):
    end = FileEnd()
    end.take(text)
    assert end.is_whole() is None


def speak(api):
    auth = {"api_key": KEY, "base_url": api.url}
    body = {"model": "m", "input": "x", "voice": "v", "response_format": "wav"}
    return main("audio/create_speech")(auth, body)


def test_a_sound_that_breaks_off_is_no_sound(api):
    """It is paid for: what came is in the error."""
    path = "/v1/audio/speech"
    headers = {"content-type": "audio/wav"}
    api.things[path] = Thing(sound(), headers, open_ended=True)
    assert base64.b64decode(speak(api)["file"]) == sound()
    api.things[path] = Thing(sound(), headers, cuts=[500], open_ended=True)
    with pytest.raises(TogetherError, match="broke off after 500 bytes") as caught:
        speak(api)
    assert base64.b64decode(caught.value.partial["file"]) == sound()[:500]


@pytest.mark.parametrize("cut", [500, 45])
def test_a_sound_that_ends_before_its_own_header_says_is_cut(api, cut):
    """Its server made it so: the length that it names is right."""
    said = {"content-type": "audio/wav"}
    api.things["/v1/audio/speech"] = Thing(sound()[:cut], said)
    with pytest.raises(TogetherError, match=f"broke off after {cut} bytes") as caught:
        speak(api)
    assert base64.b64decode(caught.value.partial["file"]) == sound()[:cut]


@pytest.mark.parametrize("unknown", [0, 0x7FFFF000, 0xFFFFFFFF])
def test_a_sound_whose_length_was_not_known_is_one(api, unknown):
    whole = sound()
    size = struct.pack("<I", unknown)
    whole = whole[:4] + size + whole[8:40] + size + whole[44:]
    api.things["/v1/audio/speech"] = Thing(whole, {"content-type": "audio/wav"})
    assert base64.b64decode(speak(api)["file"]) == whole


TAG = b"ID3\x04\0\0\0\0\x01\x03" + bytes(131)


@pytest.mark.parametrize(
    "content",
    [
        sound()[:4] + struct.pack("<I", 36) + sound()[8:40] + bytes(4),
        sound()[:4] + struct.pack("<I", 28) + sound()[8:36],
        TAG,
        TAG + b"3DI" + TAG[3:10],
        TAG[:50],
    ],
    ids=["no samples", "no data", "a tag", "a tag with a footer", "half a tag"],
)
@pytest.mark.parametrize("open_ended", [True, False])
def test_a_file_of_sound_without_any_is_no_answer(api, content, open_ended):
    said = {"content-type": "audio/mpeg"}
    thing = Thing(content, said, open_ended=open_ended)
    api.things["/v1/audio/speech"] = thing
    with pytest.raises(TogetherError, match=f"The {len(content)} bytes") as caught:
        speak(api)
    assert caught.value.type == "broken_answer"
    thing.content = content + b"\xff\xfb\x90\x44" * 20
    if content.startswith(b"ID3") and len(content) > 100:
        assert base64.b64decode(speak(api)["file"]) == thing.content


def test_parts_that_are_fewer_than_said_are_an_error(storage):
    storage.things["/part"] = Thing(WORDS[:1000])
    parts = [{"url": storage.url + "/part", "sizeBytes": "1000", "partNumber": 1}]
    auth = {"api_key": KEY, "base_url": storage.url}
    assert all_of(FileParts(parts, auth, 1000)) == WORDS[:1000]
    with pytest.raises(TogetherError, match="have 1000 bytes where 3000"):
        all_of(FileParts(parts, auth, 3000))


@pytest.mark.parametrize(
    ("numbers", "whole"),
    [
        (["2", "10", "1", *"3456789"], True),
        ([1, 0], True),
        ([None, None], True),
        ([1], True),
        ([1, 3], False),
        ([2], False),
        ([1, 1], False),
        ([1, None], False),
        ([2, 3], False),
    ],
)
def test_the_parts_of_a_file_follow_one_another(numbers, whole, storage):
    auth = {"api_key": KEY, "base_url": storage.url}
    parts = []
    for place, number in enumerate(numbers):
        storage.things[f"/{place}"] = Thing(f"<{number or place}>".encode())
        parts.append({"url": f"{storage.url}/{place}", "partNumber": number})
    if not whole:
        with pytest.raises(TogetherError, match="do not follow one another"):
            FileParts(parts, auth, None)
        return
    found = all_of(FileParts(parts, auth, None)).decode().strip("<>").split("><")

    assert found == sorted(found, key=int)
    assert len(found) == len(numbers)


def test_an_empty_file_is_a_file(api, workspace):
    api.things[FILE] = Thing(b"")
    assert download(api)["file"] == ""
    assert workspace.content(download(api, output="storage")["s3"]) == b""


# --- where it comes from ------------------------------------------------------------


def test_the_key_stays_with_the_api(api, storage, workspace):
    place = f"{storage.url}/signed?sig=1"
    api.things[FILE] = Thing(status=302, headers={"location": place})
    storage.things["/signed?sig=1"] = Thing(WORDS, cuts=[1_000_000, 500_000])

    stored = download(api, output="storage")

    assert workspace.content(stored["s3"]) == WORDS
    assert all("authorization" in asked for asked in api.asked)
    assert [a.get("range") for a in storage.asked] == [
        None,
        "bytes=1000000-",
        "bytes=1500000-",
    ]
    assert KEY not in json.dumps(storage.asked)


@pytest.mark.parametrize("output", ["url", "storage", "result"])
def test_a_file_of_a_deployment_is_behind_a_redirect(api, storage, workspace, output):
    location = {"location": f"{storage.url}/weights.bin?sig=1"}
    path = "/v1/deployments/storage/weights.bin"
    api.things[path] = Thing(status=307, headers=location)
    storage.things["/weights.bin?sig=1"] = Thing(WORDS[:9000])
    auth = {"api_key": KEY, "base_url": api.url}
    name = "deployments/download_deployment_storage_file"
    result = main(name)(auth, filename="weights.bin", output=output)
    assert result["location"] == location["location"]
    if output == "storage":
        assert workspace.content(result["s3"]) == WORDS[:9000]
        assert result["filename"] == "weights.bin"
    elif output == "result":
        assert base64.b64decode(result["file"]) == WORDS[:9000]
    assert len(storage.asked) == (output != "url")
    assert KEY not in json.dumps(storage.asked)


def test_a_signed_address_that_lapsed_is_asked_for_again(api, storage):
    old, new = f"{storage.url}/old", f"{storage.url}/new"
    thing = api.things[FILE] = Thing(status=302, headers={"location": old})
    storage.things["/old"] = Thing(WORDS, cuts=[1_000_000])
    storage.things["/new"] = Thing(WORDS)
    source = opened(api)
    first = source.read(100_000)
    del storage.things["/old"]
    thing.headers = {"location": new}
    assert first + all_of(source) == WORDS


def trickling(kind, *pieces):
    """A whole answer whose body comes in these pieces, of a length nobody says."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n"
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b"")]

    def give(connection):
        connection.sendall(f"{head}transfer-encoding: chunked\r\n\r\n".encode())
        for chunk in chunks:
            time.sleep(0.01)  # or the pieces come together
            connection.sendall(chunk)

    return give


@pytest.mark.parametrize(
    ("kind", "pieces"),
    [
        ("text/html", [b"<", b"html>Log in</html>"]),
        ("application/json", [b'{"error": {"message": "Log in"}}']),
        ("application/json", [b'{"err', b'or": {"message": "Log in"}}']),
    ],
)
def test_what_is_no_file_is_known_however_it_comes(kind, pieces):
    give = trickling(kind, *pieces)
    with server(give) as (url, _):
        auth = {"api_key": KEY, "base_url": url}
        with pytest.raises(TogetherError, match=r"Log in|is a web page"):
            main("files/download_file")(auth, "file-1")


def test_a_file_that_comes_byte_by_byte_is_named_by_what_it_is():
    content = picture()
    with server(trickling("", content[:3], content[3:])) as (url, _):
        auth = {"api_key": KEY, "base_url": url}
        found = main("files/download_file")(auth, "file-1")

    assert base64.b64decode(found["file"]) == content
    assert found["filename"].endswith(".png")


@pytest.mark.parametrize("status", [200, 206])
def test_what_is_compressed_is_not_put_behind_what_was_not(status, storage):
    packed = gzip.compress(WORDS)
    tagged = {"etag": '"1"'}
    thing = storage.things["/x"] = Thing(WORDS, tagged, cuts=[50_000], chunked=True)
    source = open_url(f"{storage.url}/x", {"base_url": storage.url}, "the address")
    first = source.read(1000)
    assert first == WORDS[:1000]
    thing.content, thing.ranges = packed, status == 206
    thing.headers = {**tagged, "content-encoding": "gzip"}

    with pytest.raises(TogetherError, match="the server compresses it") as caught:
        all_of(source)
    assert caught.value.type == "changed_download"


@pytest.mark.parametrize(
    ("first", "later", "same"),
    [
        ('W/"1"', 'W/"2"', False),
        ("1", "2", False),
        ('W/"1"', 'W/"1"', True),
        ('W/"1"', '"1"', True),
        ('"1"', 'W/"1"', False),
        ('W/"1"', "", True),
        ("", '"2"', True),
    ],
)
def test_a_part_of_another_content_is_none_however_weak_its_tag(
    first, later, same, storage
):
    tagged = {"etag": first} if first else {}
    thing = storage.things["/x"] = Thing(WORDS, tagged, cuts=[50_000])
    source = open_url(f"{storage.url}/x", {"base_url": storage.url}, "the address")
    begun = source.read(1000)
    thing.headers = {"etag": later} if later else {}
    if same:
        assert begun + all_of(source) == WORDS
        return
    with pytest.raises(TogetherError, match=r"another part|cannot send the rest"):
        all_of(source)


@pytest.mark.parametrize("parts", [{"0": {"url": "https://x/y"}}, "x", {}, None])
def test_parts_that_are_no_list_are_no_empty_file(parts):
    with pytest.raises(TogetherError, match="does not list the parts"):
        FileParts(parts, {}, None)


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        (["x"], "headers of a part are no object"),
        ({"X": "a\r\nb: c"}, "its header 'X' cannot be sent"),
        ({"X": {"a": 1}}, "its header 'X' cannot be sent"),
        ({"X": "\u20ac"}, "its header 'X' cannot be sent"),
        ({"X y": "a"}, "its header 'X y' cannot be sent"),
    ],
)
def test_headers_of_a_part_that_cannot_be_sent_are_named(headers, words, storage):
    parts = [{"url": f"{storage.url}/x", "headers": headers}]
    with pytest.raises(TogetherError, match=words):
        FileParts(parts, {"base_url": storage.url}, None).read()
    assert not storage.asked


def test_headers_of_a_part_are_sent_as_texts(storage):
    storage.things["/x"] = Thing(b"abc")
    named = {"X-Count": 5, "X-None": None, "X-Odd": "\xe9"}
    parts = [{"url": f"{storage.url}/x", "headers": named}]
    assert FileParts(parts, {"base_url": storage.url}, None).read() == b"abc"
    (asked,) = storage.asked
    assert (asked["x-count"], asked["x-odd"]) == ("5", "\xe9")
    assert "x-none" not in asked


def test_of_boxes_only_those_are_kept_that_tell_something():
    names = (number.to_bytes(4, "big") for number in range(1000))
    end = FileEnd()
    end.take(FILM[:24] + b"".join(b"\0\0\0\x08" + name for name in names))
    assert len(end.boxes) < 5


def test_a_refusal_of_the_storage_says_what_it_is(api, storage):
    place = f"{storage.url}/gone"
    api.things[FILE] = Thing(status=302, headers={"location": place})
    storage.things["/gone"] = Thing(b"<Error>expired</Error>", status=403)
    with pytest.raises(TogetherError, match="link has expired") as caught:
        download(api)
    assert (caught.value.type, caught.value.status) == ("unreachable", 403)
    assert "asks the API for a new address" in caught.value.advice


def test_a_redirect_to_this_machine_is_refused(api, storage, monkeypatch):
    """The API is reached through a proxy, so that its own address opens nothing."""
    storage.things["/secret"] = Thing(b"secret")
    location = {"location": f"{storage.url}/secret"}
    api.things[FILE] = Thing(status=302, headers=location)
    monkeypatch.setenv("http_proxy", api.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    auth = {"api_key": KEY, "base_url": "http://api.example.com"}
    with pytest.raises(TogetherError, match="this machine itself"):
        main("files/download_file")(auth, "file-1")
    assert not storage.asked
    assert api.asked


def test_a_redirect_from_https_to_http_is_refused(storage, tmp_path, monkeypatch):
    authority = trustme.CA()
    pem, trusted = tmp_path / "server.pem", tmp_path / "ca.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(pem)
    authority.cert_pem.write_to_path(trusted)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    monkeypatch.setattr(transport, "_tls", {})
    storage.things["/plain"] = Thing(b"secret")
    with ByteServer(pem) as api:
        location = {"location": f"{storage.url}/plain"}
        api.things[FILE] = Thing(status=302, headers=location)
        with pytest.raises(TogetherError, match="not https"):
            download(api)
    assert not storage.asked


@pytest.mark.parametrize(
    "url",
    [
        "http://files.example.com/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://10.1.2.3/x",
        "https://169.254.169.254/latest",
        "file:///etc/passwd",
    ],
)
def test_an_address_in_an_answer_is_checked_too(url):
    with pytest.raises(TogetherError, match="the address was not used"):
        open_url(url, {"api_key": KEY}, "the address")


# --- names --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="results.jsonl"', "results.jsonl"),
        ("attachment; filename=results.jsonl", "results.jsonl"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="..\\\\..\\\\windows\\\\win.ini"', "win.ini"),
        ('attachment; filename="C:\\\\temp\\\\a.txt"', "a.txt"),
        ('attachment; filename="a\\"b.txt"', "a_b.txt"),
        (
            "attachment; filename=\"x\"; filename*=UTF-8''na%C3%AFve.txt",
            "na\u00efve.txt",
        ),
        ("attachment; filename*=iso-8859-1'en'%A3.txt", "\u00a3.txt"),
        ("attachment; filename*=UTF-8''..%2F..%2Fa.txt; filename=b.txt", "a.txt"),
        ("attachment; filename*=utf-16''x; filename=b.txt", "b.txt"),
        ('attachment; filename="\u00c3\u00bcber.txt"', "\u00fcber.txt"),
        ('attachment; filename="con.txt"', "_con.txt"),
        ('attachment; filename="NUL"', "_NUL"),
        ('attachment; filename="a\x00\x1bb.txt"', "ab.txt"),
        ('attachment; filename="a\r\nset-cookie: x"', "aset-cookie_ x"),
        ('attachment; filename="..."', ""),
        ('attachment; filename=".bashrc"', "bashrc"),
        ('attachment; filename=""', ""),
        ("attachment", ""),
        ('attachment; filename="semi;colon.txt"', "semi;colon.txt"),
        ('attachment; xfilename="no.txt"', ""),
        ('inline; FileName = "cased.txt"', "cased.txt"),
    ],
)
def test_a_name_from_a_server_is_made_harmless(header, name):
    assert named(header) == name


def test_no_character_turns_a_name_around_or_hides_in_it():
    assert safe_name("report\u202etxt.exe") == "reporttxt.exe"
    assert safe_name("a\u200bb\u2028c.txt") == "ab_c.txt"


@pytest.mark.parametrize("letter", ["a", "\u00e9", "\U0001f600"])
def test_a_long_name_keeps_its_ending(letter):
    name = safe_name(letter * 300 + ".jsonl")
    assert len(name.encode()) <= 150
    assert name.endswith(letter + ".jsonl")
    assert len(safe_name(letter * 300).encode()) <= 150


def test_the_server_s_name_is_the_object_s(api, workspace):
    headers = {"content-disposition": 'attachment; filename="../out.jsonl"'}
    api.things[FILE] = Thing(b"{}\n", headers)
    assert download(api)["filename"] == "out.jsonl"
    stored = download(api, output="storage")
    assert stored["filename"] == "out.jsonl"
    assert stored["s3"].endswith("_out.jsonl")


@pytest.mark.parametrize(
    ("kind", "arguments", "name"),
    [
        ("application/octet-stream", {}, "model.tar.zst"),
        ("application/x-tar", {}, "model.tar.gz"),
        ("", {"checkpoint_step": 120}, "model-checkpoint-120.tar.zst"),
    ],
)
def test_a_model_s_archive_is_named_by_its_kind(api, workspace, kind, arguments, name):
    query = "ft_id=ft-1" + "".join(f"&{k}={v}" for k, v in arguments.items())
    thing = Thing(WORDS, {"content-type": kind})
    api.things[f"/v1/finetune/download?{query}"] = thing
    auth = {"api_key": KEY, "base_url": api.url}
    stored = main("fine_tuning/download_fine_tune_model")(auth, "ft-1", **arguments)
    assert stored["filename"] == name
    assert workspace.content(stored["s3"]) == WORDS


# --- the bench's own server ---------------------------------------------------------


def test_the_bench_moves_whole_bytes(monkeypatch, workspace):
    monkeypatch.setattr(bench_transfer, "SIZE", 3_000_000)
    pipe = bench_transfer.Pipe(None)
    threading.Thread(target=pipe.serve, daemon=True).start()
    source = open_url(f"{pipe.url}/x", {"api_key": KEY, "base_url": pipe.url}, "it")
    assert source.length == 3_000_000
    assert all_of(source) == (bench_transfer.BLOCK * 3)[:3_000_000]
    monkeypatch.setenv("BASE_INTERNAL_URL", pipe.url)
    for content in WORDS, io.BytesIO(WORDS):  # announced, and in chunks
        assert write_object(content, "k") == {"s3": "bench"}
    assert check_storage() is None
