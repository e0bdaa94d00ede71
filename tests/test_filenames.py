"""What a file is, told by its first bytes and by its name."""

import pytest

from scripts import realtime_audio
from scripts.documents import document_steps
from scripts.table_files import encodings, table_file
from scripts.transfer.filetypes import (
    WORDS,
    file_like,
    has_ending,
    is_page,
    marks_of,
    media_type,
    suffix,
)
from scripts.upload import dataset_check

BOX = bytes(4)


@pytest.mark.parametrize(
    ("head", "name", "kind", "ending"),
    [
        (BOX + b"ftypheic", None, "image/heic", ".heic"),
        (BOX + b"ftypmif1", "a.heic", "image/heic", ".heic"),
        (BOX + b"ftypheim", "a.mp4", "image/heic", ".heic"),
        (b"RF64\xff\xff\xff\xffWAVE", "a.mp3", "audio/wav", ".wav"),
        (b"\xff\xfd\x90\0", None, "audio/mpeg", ".mp3"),
        (b"RIFF\0\0\0\0AVI LIST", "a.mp4", "video/x-msvideo", ".avi"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", None, "video/quicktime", ".mov"),
        (b"all moov", None, "application/octet-stream", ""),
        (BOX + b"ftypavif", None, "image/avif", ".avif"),
        (BOX + b"ftypqt  ", None, "video/quicktime", ".mov"),
        (BOX + b"ftypM4B ", None, "audio/mp4", ".m4a"),
        (BOX + b"ftypisom", None, "video/mp4", ".mp4"),
        (BOX + b"ftypisom", "speech.m4a", "audio/mp4", ".mp4"),
        (BOX + b"ftypheic", "a.mp4", "image/heic", ".heic"),
        (b"\x89PNG\r\n\x1a\n", "a.mp4", "image/png", ".png"),
        (b"BM\x46\x10\0\0\0\0\0\0\x36\0", None, "image/bmp", ".bmp"),
        (b"BM is short", None, "application/octet-stream", ""),
        (b"II*\0\x08\0", None, "image/tiff", ".tiff"),
        (b"MM\0*\0\0", "a.tif", "image/tiff", ".tiff"),
        (b"<svg xmlns=", None, "image/svg+xml", ".svg"),
        (b"\n<!DOCTYPE html>", "a.png", "text/html", ".html"),
        (b"<html><body>", "a.mp3", "text/html", ".html"),
        (b"RIFF\0\0\0\0WAVE", None, "audio/wav", ".wav"),
        (b"text at WAVE", None, "application/octet-stream", ""),
        (b"\xff\xf1\x50\x80", None, "audio/aac", ".aac"),
        (b"\xff\xf9\x50\x80", None, "audio/aac", ".aac"),
        (b"\xff\xe3\x18\xc4", None, "audio/mpeg", ".mp3"),
        (b"FORM\0\0\0\0AIFC", None, "audio/aiff", ".aiff"),
        (b"caff\0\1", None, "audio/x-caf", ".caf"),
        (b"#!AMR\n", None, "audio/amr", ".amr"),
        (b"id,text", "t.csv", "text/csv", ""),
    ],
)
def test_a_file_is_what_its_content_says(head, name, kind, ending):
    assert media_type(head, name) == kind
    assert suffix(head) == ending


@pytest.mark.parametrize(
    ("name", "has"),
    [("a.mp3", True), ("Voice 001", False), ("v1.2 of it", False), (".env", False)],
)
def test_a_name_ends_in_what_tells_its_kind_or_not(name, has):
    assert has_ending(name) is has


def test_each_kind_of_file_that_somebody_refuses_has_marks_and_a_name():
    chosen = {*dataset_check.NO_TEXT, *realtime_audio.NO_SAMPLES, *table_file.NO_TABLES}
    chosen |= {*encodings._NO_TEXT, *document_steps.NOT_READ}

    assert chosen <= WORDS.keys()
    assert all(marks_of(ending) for ending in WORDS)


@pytest.mark.parametrize(
    ("head", "ending"),
    [
        (b"PK\x03\x04\x14\0", ".zip"),
        (bytes(257) + b"ustar\0", ".tar"),
        (b"BZh91AY&SY", ".bz2"),
        (b"\x1f\x8b\x08", ".gz"),
        (b"a,b\n1,2\n", ""),
        (b"", ""),
    ],
)
def test_a_file_is_like_one_of_those_asked_for(head, ending):
    assert file_like(head, *WORDS) == ending
    assert file_like(head, ".pdf") == ""


@pytest.mark.parametrize("head", [b"PK\x03\x04\x14\0", b"\xd0\xcf\x11\xe0\xa1\xb1"])
def test_of_what_begins_as_several_kinds_do_the_name_tells(head):
    assert media_type(head, "a.json") == "application/json"
    assert suffix(head) == ""


@pytest.mark.parametrize(
    ("head", "page"),
    [
        (b"<!DOCTYPE html>", True),
        (b"\xef\xbb\xbf\r\n <html lang=en>", True),
        (b"<title>502 Bad Gateway", True),
        (b"<svg xmlns=", False),
        (b"<?xml version=", False),
        (b"a <html>", False),
    ],
)
def test_a_page_is_known_by_its_first_tag(head, page):
    assert is_page(head) is page
    assert (suffix(head) == ".html") is page
