"""Files that lie elsewhere: how often they are asked for, and what is read of them."""

import random

import pytest

from scripts.client import TogetherError
from scripts.transfer.file_input import open_file
from scripts.transfer.file_source import BLOCK
from scripts.transfer.remote_file import HEAD_BYTES, StoredSource, UrlSource
from tests.conftest import KEY
from tests.support.byte_server import ByteServer, Thing
from tests.test_client import server
from tests.test_download import trickling

DATA = random.Random(7).randbytes(2 * BLOCK + 17)
PARTS = {"accept-ranges": "bytes", "etag": '"1"'}


@pytest.fixture
def service():
    with ByteServer() as server:
        yield server


@pytest.fixture
def source(service):
    """Makes a source of what is served at /a.bin."""

    def make(thing, limit=10 * BLOCK, name=None, path="/a.bin"):
        service.things[path.partition("?")[0]] = service.things[path] = thing
        auth = {"api_key": KEY, "base_url": service.url}
        return UrlSource(service.url + path, "file", auth, limit, name)

    return make


def whole(source, start=0):
    return b"".join(map(bytes, source.blocks(start)))


def test_the_beginning_is_looked_at_without_a_request_of_its_own(source, service):
    file = source(Thing(DATA, PARTS))

    assert file.head(4) == DATA[:4]
    assert file.head(40) == DATA[:40]
    assert file.head(4) == DATA[:4]
    assert whole(file) == DATA
    assert len(service.asked) == 1
    # The reading that waited is used up; from here on each is a request.
    assert file.head(9) == DATA[:9]
    assert whole(file) == DATA
    assert len(service.asked) == 3


def test_a_beginning_that_comes_byte_by_byte_is_waited_for():
    give = trickling("", b"\x89P", b"NG\r\n\x1a\n more")
    with server(give, give) as (url, _):
        source = UrlSource(f"{url}/x", "file", {"base_url": url}, 1 << 20, None)
        assert source.head(8) == b"\x89PNG\r\n\x1a\n"
        assert b"".join(source.blocks()) == b"\x89PNG\r\n\x1a\n more"
        assert source.head(8) == b"\x89PNG\r\n\x1a\n"  # by a request of its own


def test_a_file_that_is_shorter_than_its_beginning_is_all_there_is(source, service):
    file = source(Thing(b"abc", PARTS))

    assert file.head(16) == b"abc"
    assert whole(file) == b"abc"
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    ("headers", "ranged"),
    [
        (PARTS, True),
        ({**PARTS, "etag": 'W/"1"'}, False),
        ({"accept-ranges": "bytes"}, False),
        ({"etag": '"1"'}, False),
    ],
)
def test_a_later_part_is_asked_for_alone_where_it_is_of_the_same_file(
    headers, ranged, source, service
):
    file = source(Thing(DATA, headers))
    assert file.head(4) == DATA[:4]

    for start in (BLOCK + 5, 1, len(DATA)):
        assert whole(file, start) == DATA[start:]

    assert file.ranged is ranged
    starts = [asked.get("range") for asked in service.asked]
    assert starts[:2] == [None, f"bytes={BLOCK + 5}-" if ranged else None]


@pytest.mark.parametrize("thing", [Thing(DATA), Thing(DATA, open_ended=True)])
def test_a_file_over_the_limit_is_refused_before_or_as_it_comes(thing, source):
    with pytest.raises(TogetherError, match="file is too large: ") as caught:
        whole(source(thing, limit=BLOCK))

    told = f"over {BLOCK} bytes" if thing.open_ended else f"{len(DATA)} bytes"
    assert str(caught.value).endswith(told)
    assert caught.value.type == "invalid_argument"


def test_a_file_that_is_another_one_at_the_next_reading_is_no_mixture(source, service):
    file = source(Thing(DATA, PARTS))
    assert whole(file) == DATA
    service.things["/a.bin"] = Thing(DATA[::-1], {**PARTS, "etag": '"2"'})

    with pytest.raises(TogetherError, match="changed"):
        whole(file)


@pytest.mark.parametrize(
    ("given", "path", "headers", "name"),
    [
        ("mine.csv", "/a%20b.txt", {}, "mine.csv"),
        (None, "/a%20b.txt?x=1", {}, "a b.txt"),
        (None, "/", {"content-type": "image/png"}, "file.png"),
        (
            None,
            "/a.bin",
            {"content-disposition": 'attachment; filename="c.json"'},
            "c.json",
        ),
    ],
)
def test_the_name_is_the_given_one_or_the_servers_or_the_addresses(
    given, path, headers, name, source
):
    assert source(Thing(b"x", headers), name=given, path=path).named() == name


def test_what_is_not_there_is_told_of_the_argument(service):
    auth = {"api_key": KEY, "base_url": service.url}

    with pytest.raises(TogetherError, match=r"file cannot be read: .* 404") as caught:
        UrlSource(f"{service.url}/none", "file", auth, BLOCK, None)

    assert KEY not in str(caught.value)


# --- objects of the workspace's storage --------------------------------------------


def test_an_object_is_asked_for_once_for_its_beginning_and_its_bytes(workspace):
    workspace.put("in/a.bin", DATA)
    file = StoredSource("in/a.bin", None, "file", None)

    assert (file.name, file.length, file.ranged) == ("a.bin", len(DATA), False)
    workspace.put("in/a.bin", b"another one")
    assert file.head(4) == DATA[:4]
    assert whole(file) == DATA  # of the reading that had begun
    assert whole(file) == b"another one"
    assert whole(file, 8) == b"one"


def test_an_object_of_unknown_length_is_read_up_to_the_limit(workspace, monkeypatch):
    data = bytes(5 * HEAD_BYTES)
    give = trickling("", data[:7], data[7:HEAD_BYTES], data[HEAD_BYTES:])
    with server(give, give, give) as (url, _):
        monkeypatch.setenv("BASE_INTERNAL_URL", url)
        for limit in (len(data), len(data) - 1):
            file = open_file({"s3": "a"}, "file", None, limit)
            assert file.length is None
            if limit == len(data):
                blocks = list(file.blocks())
                assert b"".join(blocks) == data
                assert len(blocks[0]) >= HEAD_BYTES
                continue
            with pytest.raises(TogetherError, match="file is too large"):
                list(file.blocks())


def test_the_first_block_tells_what_an_address_has_though_it_comes_byte_by_byte():
    data = b"%PDF-1.7 " + bytes(2 * HEAD_BYTES)
    give = trickling("", data[:1], data[1:2], data[2:])
    with server(give) as (url, _):
        source = UrlSource(f"{url}/x", "file", {"base_url": url}, 1 << 20, None)
        first, *rest = source.blocks()
        assert len(first) >= HEAD_BYTES
        assert first + b"".join(rest) == data


def test_an_object_is_a_file_of_its_ending_before_any_byte_is_read(workspace):
    workspace.put("in/a.csv", b"%PDF-1.7")
    workspace.put("in/b", b"%PDF-1.7")

    assert StoredSource("in/a.csv", None, "file", None).media_type() == "text/csv"
    assert StoredSource("in/b", None, "file", None).media_type() == "application/pdf"


def test_an_object_without_a_key_or_that_is_not_there_is_told_of_the_argument(
    workspace,
):
    with pytest.raises(TogetherError, match="file s3 must be the key of an object"):
        StoredSource("", None, "file", None)
    with pytest.raises(TogetherError, match=r"file cannot be read: .*'gone'"):
        StoredSource("gone", None, "file", None)
