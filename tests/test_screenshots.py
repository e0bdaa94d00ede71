"""Pictures of forms: small, and known to be old without a browser."""

import re
import shutil
import subprocess
import zlib

import pytest

from tests.support.command_line import tool
from tools.operations import ROOT, find
from tools.pages.node import PLACE
from tools.pages.reference import FORMS, pages
from tools.pages.screenshots import KEYWORD, digest, notes, outdated, pictured, shown

STEP = "chat/ask_model"


def chunk(kind, body):
    ends = len(body).to_bytes(4, "big"), zlib.crc32(kind + body).to_bytes(4, "big")
    return ends[0] + kind + body + ends[1]


def picture(pixels, width, height, size):
    """A PNG as a browser writes it, with every kind of filter."""
    rows = b""
    before = bytes(width * size)
    for number in range(height):
        row = pixels[number * width * size : (number + 1) * width * size]
        rows += bytes([number % 5]) + filtered(row, before, size, number % 5)
        before = row
    kind = {3: 2, 4: 6}[size]
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    head += bytes([8, kind, 0, 0, 0])
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def filtered(row, above, size, kind):
    out = bytearray()
    for at, value in enumerate(row):
        left = row[at - size] if at >= size else 0
        corner = above[at - size] if at >= size else 0
        up = above[at]
        guess = left + up - corner
        paeth = min((left, up, corner), key=lambda one: abs(guess - one))
        predicted = (0, left, up, (left + up) // 2, paeth)[kind]
        out.append((value - predicted) % 256)
    return bytes(out)


@pytest.mark.slow
@pytest.mark.parametrize("size", [3, 4])
def test_a_small_picture_shows_the_same_and_says_of_what(size, tmp_path, node_packages):
    path = tmp_path / "a.png"
    colours = [bytes([n * 40, 255 - n * 30, n * n * 7, 255][:size]) for n in range(6)]
    pixels = b"".join(colours[(x * y) % 6] for y in range(10) for x in range(7))
    path.write_bytes(picture(pixels, 7, 10, size))
    text = digest(find(STEP))

    words = ["node", PLACE / "small_picture.mjs", path, KEYWORD, text]
    subprocess.run(words, check=True)

    data = path.read_bytes()
    assert shown(path) == text
    parts = re.search(rb"PLTE(.{18}).{8}IDAT(.*).{4}\0{4}IEND", data, re.S)
    palette, packed = parts.groups()
    rows = zlib.decompress(packed)
    seen = [rows[y * 8 + 1 + x] for y in range(10) for x in range(7)]
    assert [palette[n * 3 : n * 3 + 3] for n in seen] == [
        pixels[at : at + 3] for at in range(0, len(pixels), size)
    ]


def test_a_picture_of_another_form_is_old(tmp_path):
    one = find(STEP)
    path = tmp_path / "ask_model.png"
    assert STEP in outdated(tmp_path)
    path.write_bytes(b"\x89PNG" + chunk(b"tEXt", f"Form\0{digest(one)}".encode()))
    assert STEP not in outdated(tmp_path)
    path.write_bytes(b"\x89PNG" + chunk(b"tEXt", b"Form\x000123456789abcdef"))
    assert STEP in outdated(tmp_path)
    path.write_bytes(b"\x89PNG without")
    assert STEP in outdated(tmp_path)


def test_an_old_picture_is_named_with_what_makes_it_anew(tmp_path):
    root = tmp_path / "pack"
    shutil.copytree(ROOT / "schemas", root / "schemas")
    shutil.copytree(ROOT / FORMS, root / FORMS)
    schema = root / "schemas" / f"{STEP}.json"
    schema.write_text(schema.read_text().replace('"Prompt"', '"Your question"'))
    (root / FORMS / "gone.png").write_bytes(b"")

    old, gone = notes(root)

    assert re.search(rf"today's form: .*\b{STEP}\b.*; `./dev screenshots` makes", old)
    assert gone == "note: pictures of nothing in docs/forms: gone.png"


def test_every_picture_is_on_the_page_of_its_step():
    found = [find(id) for id in pictured()]
    texts = pages(ROOT, found)

    assert len(found) > 60
    assert len({one.name for one in found}) == len(found)
    for one in found:
        assert f"(../../forms/{one.name}.png)" in texts[one.page], one.id
    total = sum(path.stat().st_size for path in (ROOT / FORMS).glob("*.png"))
    assert total < 2_000_000


def test_a_step_that_there_is_not_is_told():
    done = tool("screenshots", "chat/ask_modle")

    assert done.returncode == 2
    assert "no step chat/ask_modle" in done.stderr
