"""Forms as they are sent: fields first, then files."""

import pytest

from scripts.client import TogetherError
from tests.support.expected_request import main_of
from tools.operations import find

TRANSCRIBE = main_of(find("audio/create_transcription"))
REQUEST_UPLOAD = main_of(find("files/request_file_upload"))
ASKED = {"purpose": "eval", "file_type": "jsonl"}
SOUND = {"file": "UklGRi4uLi5XQVZF", "filename": "a.wav"}


@pytest.mark.parametrize(
    ("main", "body", "field"),
    [
        (TRANSCRIBE, {"file": SOUND, "prompt": "a\ud800"}, "body.prompt"),
        (TRANSCRIBE, {"file": SOUND, "tags": ["b", "\udc00"]}, "body.tags"),
        (TRANSCRIBE, {"file": SOUND, "n\ud800": "b"}, r"body.n\ud800"),
        (TRANSCRIBE, {"file": SOUND, "file_name": "\ud83d.wav"}, "body.file_name"),
        (REQUEST_UPLOAD, {**ASKED, "file_name": "\ud83d"}, "body.file_name"),
    ],
)
def test_half_a_character_is_refused_by_its_field(main, body, field, sandbox, auth):
    with pytest.raises(TogetherError) as caught:
        main(auth, body)

    problem = "holds half of a character: it is no text"
    assert caught.value.problems == [{"field": field, "problem": problem}]
    assert sandbox.requests == []


def test_a_whole_pair_is_sent_as_one_character(sandbox, auth):
    TRANSCRIBE(auth, {"file": SOUND, "prompt": "\U0001f600"})

    assert "\U0001f600".encode() in sandbox.requests[-1].body
