"""Files that go up by signed addresses: whole, once, and nowhere else."""

import base64
import contextlib
import copy
import hashlib
import json
import random
import threading
import tracemalloc
import uuid
import zlib

import pytest
from together.lib.resources.files import _calculate_parts

from scripts.client import TogetherError
from scripts.resilience import retry
from scripts.transfer.file_input import open_file as open_source
from scripts.upload import file_upload, multipart_upload
from scripts.upload.file_upload import part_size, store_file
from scripts.upload.multipart_upload import Part, Progress, put, send_parts
from tests.support.expected_request import main_of
from tests.support.trusted_tls import trusted_tls
from tests.test_client import KEY, answer, server
from tests.test_file_input import Ranged, serving
from tools.operations import find
from tools.sandbox import Fault, Sandbox
from tools.sandbox.signed_storage import SignedStorage, StorageFault, tag_of

MIB = 1 << 20
UPLOAD = main_of(find("files/upload_file"))
ROW = {"text": "hello"}
LINE = b'{"text":"hello"}\n'
BODY = {"purpose": "fine-tune", "file_name": "a.jsonl", "file": [ROW]}


@pytest.fixture
def storage(sandbox):
    return sandbox.uploads.storage


def large(place, size, seed=1):
    """A file of different bytes everywhere; return its SHA-256."""
    block = random.Random(seed).randbytes(MIB)
    digest = hashlib.sha256()
    with place.open("wb") as file:
        for number in range(-(-size // MIB)):
            piece = (number.to_bytes(8, "big") + block[8:])[: size - number * MIB]
            file.write(piece)
            digest.update(piece)
    return digest.hexdigest()


def kept(storage, name):
    """The SHA-256 of an object."""
    digest = hashlib.sha256()
    with storage.place(name).open("rb") as file:
        while block := file.read(MIB):
            digest.update(block)
    return digest.hexdigest()


def paths(sandbox):
    return [
        (r.method, r.path.replace(file_id(sandbox), "ID")) for r in sandbox.requests
    ]


def file_id(sandbox):
    return next(iter(sandbox.files), "none")


# --- at once -----------------------------------------------------------------------


def test_a_file_is_announced_sent_and_looked_at(sandbox, auth, storage):
    stored = UPLOAD(auth, BODY)

    assert stored["id"] == file_id(sandbox)
    assert stored["bytes"] == len(LINE)
    assert stored["processing_status"] == "QUEUED"
    assert stored["reused"] is False
    assert stored["dataset"]["rows"] == 1
    assert paths(sandbox) == [
        ("POST", "/v1/files"),
        ("POST", "/v1/files/ID/preprocess"),
    ]
    assert sandbox.files[stored["id"]][1] == LINE
    announced = sandbox.requests[0].body
    assert hashlib.sha256(LINE).hexdigest().encode() in announced
    [received] = storage.requests
    assert received.headers["content-length"] == str(len(LINE))
    assert "authorization" not in received.headers
    assert KEY not in str(received)


def test_content_that_is_there_already_is_not_sent_again(sandbox, auth, storage):
    first = UPLOAD(auth, BODY)

    again = UPLOAD(auth, {**BODY, "file_name": "other.jsonl"})

    assert again["id"] == first["id"]
    assert again["reused"] is True
    assert again["filename"] == "a.jsonl"
    assert len(storage.requests) == 1
    assert sandbox.requests[-1].method == "GET"


@pytest.mark.parametrize(
    "shape",
    [
        LINE,
        base64.b64encode(LINE).decode(),
        f"data:application/jsonl;base64,{base64.b64encode(LINE).decode()}",
        {"file": base64.b64encode(LINE).decode(), "filename": "other.txt"},
        {"label": "Drop a file", "file": base64.b64encode(LINE).decode()},
        {"text": LINE.decode()},
        {"rows": [ROW]},
        {"s3": "in/train.jsonl"},
        {"label": "Workspace storage", "s3": {"s3": "in/train.jsonl"}},
        "s3:///in/train.jsonl",
        {"url": "SERVER/train.jsonl"},
        "SERVER/train.jsonl",
    ],
    # Without a backslash, which a run of ./dev mutate would not find again.
    ids=lambda shape: str(shape).replace("\\", ""),
)
def test_a_file_of_every_shape_goes_up_and_comes_down(shape, sandbox, auth, workspace):
    workspace.put("in/train.jsonl", LINE)
    with server(answer(LINE)) as (url, seen):
        given = json.loads(json.dumps(shape, default=str).replace("SERVER", url))
        given = shape if isinstance(shape, bytes) else given
        stored = UPLOAD(auth, {**BODY, "file": given})
    found = main_of(find("files/download_file"))(auth, stored["id"])

    assert base64.b64decode(found["file"]) == LINE
    assert found["filename"] == "a.jsonl"
    assert not any(KEY.encode() in request for request in seen)


def test_what_is_wrong_with_it_is_told_before_anything_is_sent(sandbox, auth):
    bad = {**BODY, "file": [ROW, {"txet": "x"}]}
    with pytest.raises(TogetherError, match=r"body\.file line 2 must have text"):
        UPLOAD(auth, bad)
    assert not sandbox.requests

    stored = UPLOAD(auth, bad, check=False)

    assert stored["bytes"] == 30
    assert stored["dataset"] is None


@pytest.mark.parametrize(
    ("name", "given", "sent"),
    [
        ("a.jsonl", None, "jsonl"),
        ("a.PARQUET", None, "parquet"),
        ("a.csv", "csv", "csv"),
        ("train", "jsonl", "jsonl"),
        ("train.data", None, "jsonl"),
        ("train.data", "parquet", "parquet"),
    ],
)
def test_the_type_follows_the_name(name, given, sent, sandbox, auth):
    body = {**BODY, "file_name": name, "file_type": given}

    UPLOAD(auth, {k: v for k, v in body.items() if v}, check=False)

    announced = sandbox.requests[0].body
    assert f'name="file_type"\r\n\r\n{sent}\r\n'.encode() in announced


def test_a_type_that_the_name_denies_is_refused(sandbox, auth):
    with pytest.raises(TogetherError, match=r"'a.jsonl' ends in .jsonl"):
        UPLOAD(auth, {**BODY, "file_type": "csv"})
    assert not sandbox.requests


def test_a_hostile_name_stays_a_name(sandbox, auth, capsys):
    name = 'x"\r\nWM_STREAM: evil\r\n--boundary\r\n../../a.jsonl'

    UPLOAD(auth, {**BODY, "file_name": name})

    assert sandbox.files[file_id(sandbox)][0]["filename"] == name
    captured = capsys.readouterr()
    assert not any(
        line.startswith("WM_STREAM")
        for line in (captured.out + captured.err).split("\n")
    )


def test_a_file_that_is_too_large_is_refused_at_once(tmp_path, sandbox, auth):
    place = tmp_path / "huge.parquet"
    with place.open("wb") as file:
        file.truncate(51 << 30)
    with pytest.raises(TogetherError, match=r"body\.file is too large"):
        UPLOAD(auth, {**BODY, "file_name": "huge.parquet", "file": place})
    assert not sandbox.requests


def test_a_put_that_fails_is_tried_again_with_the_same_bytes(sandbox, auth, storage):
    storage.faults += [
        StorageFault(after=5),
        StorageFault(status=503, headers={"Retry-After": "0"}),
    ]

    stored = UPLOAD(auth, BODY)

    assert sandbox.files[stored["id"]][1] == LINE
    assert [r.status for r in storage.requests] == [None, 503, 200]


@pytest.mark.parametrize(
    ("fault", "words", "tries"),
    [
        (StorageFault(status=403), "403 Forbidden .InternalError: injected", 1),
        (
            StorageFault(status=500, times=9),
            "500 Internal Server Error",
            multipart_upload.TRIES,
        ),
    ],
)
def test_a_put_that_fails_for_good_says_why(fault, words, tries, auth, storage, quick):
    storage.faults.append(copy.copy(fault))  # it counts its times down
    with pytest.raises(TogetherError, match=words) as caught:
        UPLOAD(auth, BODY)

    assert caught.value.type == "storage"
    assert caught.value.tries == tries
    assert len(storage.requests) == tries
    assert "signature" not in str(caught.value)


@pytest.fixture
def quick(monkeypatch):
    """Waits as the helper would choose them, but a thousand times shorter."""
    monkeypatch.setattr(retry, "FIRST_WAIT", retry.FIRST_WAIT / 1000)


def test_the_api_s_refusal_is_passed_on_and_nothing_is_sent(sandbox, auth, storage):
    sandbox.faults.append(Fault("/v1/files", 402))
    with pytest.raises(TogetherError, match="402") as caught:
        UPLOAD(auth, BODY)

    assert caught.value.status == 402
    assert not storage.requests


@pytest.mark.parametrize("times", [1, 2])
def test_an_upload_survives_a_lost_answer_at_its_end(times, sandbox, auth, storage):
    sandbox.faults.append(Fault("preprocess", 500, times))
    if times == 1:
        assert UPLOAD(auth, BODY)["processing_status"] == "QUEUED"
        return
    with pytest.raises(TogetherError) as caught:
        UPLOAD(auth, BODY)
    assert caught.value.file_id == file_id(sandbox)
    assert caught.value.ambiguous
    assert len(storage.requests) == 1


def test_an_answer_that_came_through_is_not_asked_for_twice(sandbox, auth):
    genuine = sandbox.uploads.preprocess

    def lose(arguments):
        genuine(arguments)
        sandbox.uploads.preprocess = genuine
        return client_error()

    sandbox.uploads.preprocess = lose
    try:
        stored = UPLOAD(auth, BODY)
    finally:
        sandbox.uploads.preprocess = genuine

    assert stored["processing_status"] == "COMPLETED"
    assert [p for _, p in paths(sandbox)][-2:] == [
        "/v1/files/ID/preprocess",
        "/v1/files/ID",
    ]


def client_error():
    from starlette.responses import Response

    return Response("lost", 502)


# --- where the bytes may go --------------------------------------------------------


def api(location, file_id="file-1"):
    headers = f"location: {location}\r\nx-together-file-id: {file_id}\r\n"
    return answer(b"", "302 Found", headers)


@pytest.fixture
def secure(monkeypatch, tmp_path):
    """A TLS context for a server here, that the helper trusts."""
    return trusted_tls(monkeypatch, tmp_path, "127.0.0.1")


def test_a_signed_address_of_plain_http_is_refused(secure, storage):
    with server(api(storage.sign("x")), tls=secure) as (url, _):
        with pytest.raises(TogetherError, match="is not https"):
            UPLOAD({"api_key": KEY, "base_url": url}, BODY)
    assert not storage.requests


def test_a_redirect_to_plain_http_is_refused(secure, storage):
    with contextlib.ExitStack() as stack:
        away = answer(b"", "307 T", f"location: {storage.sign('x')}\r\n")
        there, seen = stack.enter_context(server(away, tls=secure))
        url, _ = stack.enter_context(server(api(f"{there}/put"), tls=secure))
        with pytest.raises(TogetherError, match="redirects from https to http"):
            UPLOAD({"api_key": KEY, "base_url": url}, BODY)

    assert not storage.requests
    assert len(seen) == 1


@pytest.mark.parametrize(
    "address",
    ["https://127.0.0.1/x", "https://10.0.0.1/x", "https://169.254.169.254/x"],
)
def test_the_public_service_sends_nobody_to_a_private_network(address):
    body = Part(open_source(LINE, "file"), 0, len(LINE), Progress("a", len(LINE)))
    with pytest.raises(TogetherError, match="the signed address was not used"):
        put({"api_key": KEY}, address, body, {}, "the signed address")


def test_a_redirect_to_a_metadata_service_is_refused_to_all(sandbox, auth, storage):
    storage.faults.append(StorageFault(location="http://169.254.169.254/latest"))
    with pytest.raises(TogetherError, match="no file is fetched from"):
        UPLOAD(auth, BODY)


def test_a_redirect_of_the_storage_is_followed_with_all_bytes(sandbox, auth, storage):
    with SignedStorage() as other:
        storage.faults.append(StorageFault(location=other.sign("moved")))
        with pytest.raises(TogetherError, match="bytes of this file have not come"):
            UPLOAD(auth, BODY)

        assert other.read("moved") == LINE
        assert KEY not in str(other.requests)


@pytest.mark.parametrize("file_id", ["", "../../v1/keys", "a/b", "-x", "a b"])
def test_a_file_id_that_is_none_is_refused(file_id, storage):
    with server(api(storage.sign("x"), file_id)) as (url, seen):
        with pytest.raises(TogetherError, match="is no file id"):
            UPLOAD({"api_key": KEY, "base_url": url}, BODY)
    assert len(seen) == 1
    assert not storage.requests


def test_an_answer_without_an_address_is_refused(auth):
    with server(answer(b'{"file_id": "file-1"}')) as (url, _):
        with pytest.raises(TogetherError, match="where the bytes shall go"):
            UPLOAD({"api_key": KEY, "base_url": url}, BODY)


# --- sources that lie --------------------------------------------------------------


def test_a_length_that_lies_is_known_before_anything_is_sent(sandbox, auth):
    with server(answer(LINE, length=len(LINE) + 5)) as (url, _):
        with pytest.raises(TogetherError, match=r"body\.file cannot be read"):
            UPLOAD(auth, {**BODY, "file": f"{url}/a.jsonl"}, check=False)
    assert not sandbox.requests


def test_a_source_that_changes_between_the_readings_is_not_stored(
    sandbox, auth, storage
):
    other = LINE.replace(b"hello", b"jello")
    with server(answer(LINE), *[answer(other)] * 9) as (url, _):
        with pytest.raises(TogetherError, match="changed while it was uploaded"):
            UPLOAD(auth, {**BODY, "file": f"{url}/a.jsonl"})

    assert not storage.sizes
    assert "preprocess" not in str(paths(sandbox))


def test_a_source_that_shrinks_between_the_readings_is_not_stored(
    tmp_path, sandbox, auth, storage
):
    place = tmp_path / "a.jsonl"
    place.write_bytes(LINE * 1000)
    source = open_source(place, "body.file")
    genuine = sandbox.uploads.request

    def shrink(arguments):
        place.write_bytes(LINE)
        return genuine(arguments)

    sandbox.uploads.request = shrink
    try:
        with pytest.raises(TogetherError, match="16983 of 17000 bytes are missing"):
            UPLOAD(auth, {**BODY, "file": source})
    finally:
        sandbox.uploads.request = genuine
    assert not storage.sizes


# --- in parts ----------------------------------------------------------------------


def test_parts_are_cut_as_the_official_sdk_cuts_them():
    chance = random.Random(5)
    sizes = [1, 250 * MIB, 250 * MIB + 1, 5 << 30, (5 << 30) + 1, 6 << 30, 50 << 30]
    sizes += [chance.randrange(1, 50 << 30) for _ in range(500)]
    for size in sizes:
        found = part_size(size)

        assert (found, -(-size // found)) == _calculate_parts(size)


def by_parts(auth, place, **more):
    return store_file(
        auth, place, "fine-tune", "a.parquet", check=False, over=0, part=5 * MIB, **more
    )


def test_a_file_in_parts_is_the_file(tmp_path, sandbox, auth, storage):
    place = tmp_path / "a.parquet"
    checksum = large(place, 23 * MIB + 7)

    stored = by_parts(auth, place)

    assert kept(storage, f"files/{stored['id']}") == checksum
    assert stored["bytes"] == 23 * MIB + 7
    assert stored["reused"] is False
    assert paths(sandbox) == [
        ("POST", "/v1/files/multipart/initiate"),
        ("POST", "/v1/files/multipart/complete"),
    ]
    begun = sandbox.requests[0].json
    assert begun["num_parts"] == len(storage.requests) == 5
    assert begun["checksum"] == checksum
    assert {r.headers["x-part"] for r in storage.requests} == set("12345")
    assert not any("authorization" in r.headers for r in storage.requests)
    assert by_parts(auth, place)["reused"] is True
    assert len(storage.requests) == 5


@pytest.mark.parametrize(
    ("size", "cuts"),
    [(30 * 10**6, 5), pytest.param(200 * 10**6, 20, marks=pytest.mark.slow)],
)
def test_connections_cut_anywhere_cost_only_the_part_that_they_carried(
    size, cuts, tmp_path, sandbox, auth, storage
):
    place = tmp_path / "a.parquet"
    checksum = large(place, size)
    chance = random.Random(20)
    storage.cuts = sorted(chance.sample(range(size), cuts))

    stored = by_parts(auth, place)

    assert kept(storage, f"files/{stored['id']}") == checksum
    assert [r.status for r in storage.requests].count(None) == cuts
    count = -(-size // part_size(size, 5 * MIB))
    for number in range(1, count + 1):
        *failed, last = [r for r in storage.requests if r.part == number]
        assert last.status == 200
        assert {r.status for r in failed} <= {None}
    assert len(storage.requests) == count + cuts


def test_a_part_that_fails_is_tried_again_alone(
    tmp_path, sandbox, auth, storage, quick
):
    place = tmp_path / "a.parquet"
    checksum = large(place, 18 * MIB)
    storage.faults += [
        StorageFault("partNumber=2", times=3, status=500),
        StorageFault("partNumber=3", status=429, headers={"Retry-After": "0"}),
        StorageFault("partNumber=4", after=100_000),
    ]

    stored = by_parts(auth, place)

    assert kept(storage, f"files/{stored['id']}") == checksum
    tried = [r.part for r in storage.requests]
    assert [tried.count(n) for n in (1, 2, 3, 4)] == [1, 4, 2, 2]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            StorageFault("partNumber=2", 99, status=500),
            "part 2: the storage answers 500",
        ),
        (StorageFault("partNumber=3", status=403), "part 3: the storage answers 403"),
        (StorageFault("partNumber=4", tagless=True), "no ETag came for part 4"),
    ],
)
def test_an_upload_in_parts_that_fails_is_given_up(
    fault, words, tmp_path, sandbox, auth, storage, quick
):
    place = tmp_path / "a.parquet"
    large(place, 60 * MIB)
    storage.faults.append(copy.copy(fault))  # it counts its times down
    with pytest.raises(TogetherError, match=words):
        by_parts(auth, place)

    assert paths(sandbox)[-1] == ("POST", "/v1/files/multipart/abort")
    assert not sandbox.files
    assert not storage.parts
    assert "complete" not in str(paths(sandbox))


def test_an_upload_that_cannot_be_given_up_says_so_and_why_it_failed(
    tmp_path, sandbox, auth, storage, quick, capsys
):
    place = tmp_path / "a.parquet"
    large(place, 6 * MIB)
    storage.faults.append(StorageFault(status=403, times=9))
    sandbox.faults.append(Fault("abort", 400, 9))
    with pytest.raises(TogetherError, match="answers 403"):
        by_parts(auth, place)

    assert "could not be given up" in capsys.readouterr().err


def test_a_completion_that_may_have_happened_is_not_undone(
    tmp_path, sandbox, auth, storage
):
    place = tmp_path / "a.parquet"
    large(place, 6 * MIB)
    sandbox.faults.append(Fault("complete", 500, 9))
    with pytest.raises(TogetherError) as caught:
        by_parts(auth, place)

    assert caught.value.ambiguous
    assert caught.value.file_id == file_id(sandbox)
    assert "abort" not in str(paths(sandbox))


@pytest.mark.parametrize(
    ("tag", "plain"),
    [
        ('"ab"', "ab"),
        ('W/"ab"', "ab"),
        ('w/"ab"', "ab"),
        (' "AB" ', "AB"),
        ("ab", "ab"),
        ("'ab'", "ab"),
        ('""', ""),
        ("", ""),
    ],
)
def test_an_etag_is_what_stands_between_its_marks(tag, plain):
    assert multipart_upload._plain_tag(tag) == plain


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"bytes": 5}, f"has 5 bytes of the {6 * MIB}"),
        ({"success": False, "message": "part 2 is missing"}, "part 2 is missing"),
        ({"status": "error", "message": "kaput"}, "kaput"),
    ],
)
def test_a_completion_of_less_than_was_sent_is_an_error(
    said, words, tmp_path, sandbox, auth
):
    place = tmp_path / "a.parquet"
    large(place, 6 * MIB)
    sandbox.faults.append(Fault("complete", 200, times=9, body=said))
    with pytest.raises(TogetherError, match=words) as caught:
        by_parts(auth, place)

    refused = caught.value.status == 500  # as the client reads `success`: not done
    assert refused or caught.value.type == "invalid_answer"
    assert caught.value.file_id == file_id(sandbox)


@pytest.mark.parametrize(
    "body",
    [
        b"<Error><Code>Slow</Code></Error>",
        b'<Error xmlns="x"><Code>Slow</Code></Error>',
        b" <!DOCTYPE html><h1>Login</h1>",
        b'{"error": {"message": "denied"}}',
        b'{"success": false}',
    ],
)
def test_a_success_that_says_an_error_stores_nothing(body, quick, tmp_path):
    place = tmp_path / "a.jsonl"
    place.write_bytes(LINE)
    source = open_source(place, "file", None)
    source.length = len(LINE)
    with server(answer(body)) as (url, seen):
        whole = Part(source, 0, len(LINE), Progress("a", None))
        auth = {"api_key": KEY, "base_url": url}
        with pytest.raises(TogetherError, match="answers 200") as caught:
            put(auth, f"{url}/x", whole, {}, "the address")

    assert caught.value.type == "storage"
    assert len(seen) == multipart_upload.TRIES


@pytest.mark.parametrize(
    "body", [b"", b'{"message": "stored"}', b'{"error": null}', b"<errors>0</errors>"]
)
@pytest.mark.parametrize("length", ["Content-Length", "content-length"])
def test_a_success_stores_the_bytes_under_one_length(body, length, tmp_path):
    place = tmp_path / "a.jsonl"
    place.write_bytes(LINE)
    source = open_source(place, "file", None)
    with server(answer(body)) as (url, seen):
        whole = Part(source, 0, len(LINE), Progress("a", None))
        auth = {"api_key": KEY, "base_url": url}
        put(auth, f"{url}/x", whole, {length: "5", "X-Count": 5, "X": None}, "it")

    (asked,) = seen
    assert asked.lower().count(b"content-length") == 1
    assert b"X-Count: 5\r\n" in asked
    assert asked.endswith(LINE)


@pytest.mark.parametrize("value", [{"a": 1}, "a\nb: c", "\u20ac", ["x"]])
def test_a_header_that_cannot_be_sent_is_named(value, tmp_path):
    place = tmp_path / "a.jsonl"
    place.write_bytes(LINE)
    whole = Part(open_source(place, "file", None), 0, 1, Progress("a", None))
    with server(answer()) as (url, seen):
        auth = {"api_key": KEY, "base_url": url}
        with pytest.raises(TogetherError, match="address was not used: its header 'X'"):
            put(auth, f"{url}/x", whole, {"X": value}, "the address")
    assert not seen


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [{"PartNumber": 1, "URL": "https://x/y"}],
        [{"PartNumber": n, "URL": ""} for n in (1, 2)],
        [{"PartNumber": n, "URL": "https://x/y"} for n in (2, 3)],
    ],
)
def test_addresses_that_do_not_match_the_parts_are_refused(parts, tmp_path):
    place = tmp_path / "a.parquet"
    large(place, 6 * MIB)
    begun = {"upload_id": "u", "file_id": "file-1", "parts": parts}
    first = answer(json.dumps(begun).encode(), headers="connection: close\r\n")
    with server(first, answer()) as (url, seen):
        with pytest.raises(TogetherError, match="addresses for 2 parts"):
            by_parts({"api_key": KEY, "base_url": url}, place)

    assert b"/v1/files/multipart/abort" in seen[-1]


@pytest.mark.parametrize("upload_id", [None, "", 5, ["u"]])
def test_no_part_goes_up_for_an_upload_without_a_name(upload_id, tmp_path):
    place = tmp_path / "a.parquet"
    large(place, 6 * MIB)
    parts = [{"PartNumber": n, "URL": "https://x/y"} for n in (1, 2)]
    begun = {"upload_id": upload_id, "file_id": "file-1", "parts": parts}
    first = answer(json.dumps(begun).encode(), headers="connection: close\r\n")
    with server(first, answer()) as (url, seen):
        with pytest.raises(TogetherError, match="it names no upload"):
            by_parts({"api_key": KEY, "base_url": url}, place)

    assert len(seen) == 1


def test_either_spelling_of_the_parts_is_understood():
    old = [{"part_number": 1, "UploadURL": "https://x/1"}]
    new = [{"PartNumber": 1, "URL": "https://x/1", "Headers": {"a": "b"}}]

    assert file_upload._places(old, 1) == {1: ("https://x/1", {})}
    assert file_upload._places(new, 1) == {1: ("https://x/1", {"a": "b"})}


def test_a_stored_object_goes_up_in_parts_of_temporary_files(
    tmp_path, sandbox, auth, storage, workspace, monkeypatch
):
    """Windmill sends an object from its start only: it is read twice, not six times."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    checksum = large(workspace.file("a.parquet"), 23 * MIB + 7)
    storage.cuts = [3 * MIB, 9 * MIB]

    stored = by_parts(auth, {"s3": "a.parquet"})

    assert kept(storage, f"files/{stored['id']}") == checksum
    read = [r for r in workspace.requests if "download_s3_file" in r.path]
    assert len(read) == 2
    assert not list(tmp_path.iterdir())


def test_a_web_address_goes_up_in_parts_by_ranges(tmp_path, sandbox, auth, storage):
    place = tmp_path / "a.parquet"
    checksum = large(place, 12 * MIB)
    with SignedStorage() as elsewhere:
        elsewhere.place("a.parquet").write_bytes(place.read_bytes())
        elsewhere.sizes["a.parquet"] = 12 * MIB
        address = elsewhere.sign("a.parquet")
        stored = by_parts(auth, address)

        assert kept(storage, f"files/{stored['id']}") == checksum
        ranges = [r.headers.get("range") for r in elsewhere.requests]
    assert sorted(filter(None, ranges)) == [f"bytes={10 * MIB}-", f"bytes={5 * MIB}-"]
    assert not any(KEY in str(r) for r in elsewhere.requests)


def test_a_web_address_without_a_strong_etag_that_changes_is_not_stored(
    tmp_path, sandbox, auth
):
    place = tmp_path / "a.parquet"
    large(place, 6 * MIB)
    ranged = Ranged(place.read_bytes(), 5 * MIB, etag='W/"1"')
    give, requests = serving(ranged)
    with server(give) as (url, seen):
        requests.append(seen)
        data = ranged.data
        ranged.after[3] = data[: 5 * MIB] + bytes(len(data) - 5 * MIB)
        with pytest.raises(TogetherError, match="it changed while it was uploaded"):
            by_parts(auth, url)

    assert ranged.asked == [0, 5 * MIB, 0]
    assert not any("complete" in path for _, path in paths(sandbox))


def test_parts_stop_when_the_source_fails(tmp_path, storage):
    place = tmp_path / "a.parquet"
    large(place, 40 * MIB)
    source = open_source(place, "file")
    large(place, 12 * MIB)
    addresses = storage.sign_parts("x", "u", 8)
    places = {n: (a, {}) for n, a in enumerate(addresses, 1)}
    auth = {"api_key": KEY, "base_url": storage.url}
    with pytest.raises(TogetherError, match="bytes are missing"):
        send_parts(auth, source, 5 * MIB, places)


@pytest.mark.slow
def test_six_gibibytes_go_up_in_the_parts_of_the_protocol(tmp_path):
    """A sparse file and a storage that only counts: no disk, little memory."""
    size = 6 << 30
    place = tmp_path / "a.parquet"
    with place.open("wb") as file:
        file.truncate(size)
    with Sandbox(pace=0, lifecycles=False) as sandbox:
        sandbox.uploads.keep = False
        auth = {"api_key": KEY, "base_url": sandbox.url}

        stored = store_file(auth, place, "fine-tune", "a.parquet", check=False)

        storage = sandbox.uploads.storage
        assert stored["bytes"] == size
        sizes = {r.part: r.size for r in storage.requests}
        part, count = _calculate_parts(size)
        assert count == 25
        assert sizes == {n + 1: min(part, size - n * part) for n in range(count)}
        assert sum(sizes.values()) == size
        zeros = {n: zeros_checksum(n) for n in set(sizes.values())}
        assert all(r.checksum == zeros[r.size] for r in storage.requests)
        begun = next(r for r in sandbox.requests if "initiate" in r.path).json
        sent = next(r for r in sandbox.requests if "complete" in r.path).json
    assert begun["num_parts"] == count
    assert [p["part_number"] for p in sent["parts"]] == list(range(1, count + 1))
    assert {p["etag"] for p in sent["parts"]} == {tag_of(r) for r in storage.requests}


def zeros_checksum(count):
    block, found = bytes(MIB), 0
    for start in range(0, count, MIB):
        found = zlib.crc32(block[: count - start], found)
    return found


# --- progress and memory -----------------------------------------------------------


def test_the_progress_of_a_large_file_is_shown(
    tmp_path, sandbox, auth, storage, workspace, monkeypatch, capsys
):
    monkeypatch.setattr(multipart_upload, "PAUSE", 0.0)
    place = tmp_path / "a.parquet"
    large(place, 20 * MIB)
    for over in (1 << 30, 0):
        large(place, 20 * MIB, seed=over)
        store_file(auth, place, "fine-tune", check=False, over=over, part=5 * MIB)

    [shown] = workspace.progress.values()
    assert len(shown) > 10
    assert set(shown) <= set(range(100))
    assert max(shown) == 99
    assert "20 of 20 MiB sent" in capsys.readouterr().err


def test_a_sender_waits_for_nobody_who_tells_of_the_progress(monkeypatch):
    asked, go_on = threading.Event(), threading.Event()

    def slow(connection):
        asked.set()
        go_on.wait(60)
        connection.sendall(answer())

    with server(slow) as (url, _):
        monkeypatch.setenv("BASE_INTERNAL_URL", url)
        monkeypatch.setenv("WM_TOKEN", "t")
        monkeypatch.setenv("WM_WORKSPACE", "w")
        monkeypatch.setenv("WM_JOB_ID", str(uuid.uuid4()))
        monkeypatch.setattr(multipart_upload, "PAUSE", 0.0)
        progress = Progress("a", 100 * MIB)
        teller = threading.Thread(target=progress.add_sent, args=(50 * MIB,))
        other = threading.Thread(target=progress.add_sent, args=(1,))
        try:
            teller.start()
            assert asked.wait(60)
            other.start()
            other.join(60)
            assert not other.is_alive()
            assert (progress.count, teller.is_alive()) == (50 * MIB + 1, True)
        finally:
            go_on.set()
            teller.join()


def test_a_small_file_makes_no_call_for_its_progress(sandbox, auth, workspace):
    UPLOAD(auth, BODY)

    assert not workspace.requests


@pytest.mark.parametrize("over", [1 << 30, 0])
def test_a_large_file_is_sent_in_constant_memory(over, tmp_path):
    place = tmp_path / "a.parquet"
    with place.open("wb") as file:
        file.truncate(64 * MIB)
    with Sandbox(pace=0, lifecycles=False) as sandbox:
        sandbox.uploads.keep = False
        auth = {"api_key": KEY, "base_url": sandbox.url}
        UPLOAD(auth, BODY)
        tracemalloc.start()
        try:
            by_parts_or_whole = {"over": over, "part": 8 * MIB, "check": False}
            store_file(auth, place, "fine-tune", **by_parts_or_whole)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # The storage's own block for each connection is in it, too.
    assert peak < 16 * MIB
