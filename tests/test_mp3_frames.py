"""MP3 files made one, whose length a player still finds.

The headers, the places and the sizes are those of files that LAME and ffmpeg wrote.
"""

import struct

import pytest

from scripts.speech.mp3_frames import joined_frames

# (header, where "Info" stands, the frame's size), for MPEG 2.5, 2 and 1.
FIRST_FRAMES = [
    ("ffe388c0", 13, 576),
    ("ffe38800", 21, 576),
    ("ffe384c0", 13, 384),
    ("ffe38400", 21, 384),
    ("fff388c0", 13, 288),
    ("fff38800", 21, 288),
    ("fff380c0", 13, 208),
    ("fff38000", 21, 208),
    ("fff384c0", 13, 192),
    ("fff38400", 21, 192),
    ("fffb58c0", 21, 288),
    ("fffb5800", 36, 288),
    ("fffb50c0", 21, 208),
    ("fffb5000", 36, 208),
    ("fffb54c0", 21, 192),
    ("fffb5400", 36, 192),
]
TAG = b"ID3\x03\x00\x00\x00\x00\x01\x01" + b"t" * 129
TAG_BEHIND = b"TAG" + b" " * 125


def info(header, place, size, count, word=b"Info"):
    """A first frame that tells of so many others, with its table of where they are."""
    told = struct.pack(">4sIII", word, 7, count, size * (count + 1)) + bytes(range(100))
    return (bytes.fromhex(header).ljust(place, b"\0") + told).ljust(size, b"\0")


def sounds(header, size, count):
    return bytes.fromhex(header).ljust(size, b"s") * count


@pytest.mark.parametrize("word", [b"Info", b"Xing"])
@pytest.mark.parametrize(("header", "place", "size"), FIRST_FRAMES)
def test_the_whole_tells_its_own_length(header, place, size, word):
    first = info(header, place, size, 3, word) + sounds(header, size, 3)
    second = info(header, place, size, 4, word) + sounds(header, size, 4)

    found = joined_frames([first, TAG + second, first + TAG_BEHIND])

    assert found[size:] == sounds(header, size, 10)
    assert struct.unpack_from(">4sIII", found, place) == (b"Xing", 3, 10, len(found))
    assert found[:4] == bytes.fromhex(header)
    assert found[4:place].strip(b"\0") == found[place + 16 : size].strip(b"\0") == b""


def test_padding_and_the_rate_of_each_frame_count_into_its_size():
    frames = [
        ("fff384c0", 192),
        ("fff386c0", 193),
        ("fff364c0", 144),
        ("fff3e4c0", 480),
    ]
    sound = b"".join(sounds(header, size, 1) for header, size in frames)
    first = info("fff384c0", 13, 192, 4) + sound

    found = joined_frames([first, first])

    assert struct.unpack_from(">II", found, 21) == (8, len(found))


def test_a_tag_before_the_first_stays_and_others_go():
    first = info("fff384c0", 13, 192, 2) + sounds("fff384c0", 192, 2)

    found = joined_frames([TAG + first, TAG + first])

    assert found == TAG + joined_frames([first, first])


def test_files_that_do_not_say_their_length_follow_one_another():
    sound = sounds("fff384c0", 192, 2)

    assert joined_frames([sound, sound]) == sound + sound
    told = info("fff384c0", 13, 192, 2) + sound
    assert joined_frames([sound, told]) == sound + sound


def test_a_length_behind_a_checksum_is_found_and_written_without_one():
    header = "fff284c0"
    place = 15
    first = info(header, place, 192, 2) + sounds(header, 192, 2)

    found = joined_frames([first, first])

    assert found[:4].hex() == "fff384c0"
    assert struct.unpack_from(">4sII", found, 13) == (b"Xing", 3, 4)


def test_a_length_in_fraunhofer_s_words_is_told_anew():
    frame = bytes.fromhex("fffb50c0").ljust(36, b"\0") + b"VBRI"
    first = frame.ljust(208, b"v") + sounds("fffb50c0", 208, 2)

    found = joined_frames([first, first])

    assert struct.unpack_from(">4sII", found, 21) == (b"Xing", 3, 4)
    assert found[208:] == sounds("fffb50c0", 208, 4)


@pytest.mark.parametrize(
    "other",
    [
        b"none",
        b"",
        b"\xff\xf3",
        b"\xff\xeb\x84\xc0" * 9,  # of no version
        b"\xff\xf5\x84\xc0" * 9,  # of layer II
        b"\xff\xf3\x04\xc0" * 9,  # of any rate
        b"\xff\xf3\xf4\xc0" * 9,
        b"\xff\xf3\x8c\xc0" * 9,
    ],
)
def test_a_length_that_cannot_be_known_is_not_told(other):
    first = info("fff384c0", 13, 192, 2) + sounds("fff384c0", 192, 2)

    assert joined_frames([first, other]) == sounds("fff384c0", 192, 2) + other
    assert joined_frames([other, first]) == other + sounds("fff384c0", 192, 2)


def test_parts_whose_frames_sound_for_other_times_tell_no_length():
    first = info("fffb50c0", 21, 208, 2) + sounds("fffb50c0", 208, 2)
    second = info("fff384c0", 13, 192, 2) + sounds("fff384c0", 192, 2)

    found = joined_frames([first, second])

    assert found == sounds("fffb50c0", 208, 2) + sounds("fff384c0", 192, 2)


@pytest.mark.parametrize("cut", [1, 100, 190])
def test_a_frame_that_is_cut_short_does_not_take_the_next_part_s_first(cut):
    first = info("fff384c0", 13, 192, 3) + sounds("fff384c0", 192, 3)

    found = joined_frames([first[:-cut], first[:-cut]])

    assert found[192:] == sounds("fff384c0", 192, 4)
    assert struct.unpack_from(">II", found, 21) == (4, len(found))


def test_a_tag_that_says_it_is_longer_than_the_file_is_no_tag():
    first = sounds("fff384c0", 192, 2)
    second = b"ID3\x03\x00\x00\x7f\x7f\x7f\x7f" + first

    assert joined_frames([first, second]) == first + second
