"""What the build's functions returned is there again in the next process."""

import importlib.util

import pytest

from tools import kept


@pytest.fixture
def process(tmp_path):
    """Begins a process: (ask, save), and what was really worked out in it."""

    def begin(tools="1"):
        spec = importlib.util.spec_from_file_location("kept_anew", kept.__file__)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.FILE = tmp_path / "made" / "kept.pickle"
        module._tools = lambda: tools
        worked = []

        @module.kept
        def louder(text, names=frozenset()):
            worked.append(text)
            return f"{text}! {sorted(names)}"

        return louder, module.save, worked

    return begin


def test_what_was_worked_out_is_kept_once_it_is_saved(process):
    louder, save, worked = process()
    assert louder("a") == louder("a") == "a! []"
    assert worked == ["a"]
    process()[0]("a")
    save()

    louder, save, worked = process()
    assert louder("a") == "a! []"
    assert louder("b", frozenset({"y", "x"})) == "b! ['x', 'y']"
    assert worked == ["b"]
    save()

    louder, _, worked = process()
    assert louder("b", frozenset({"x", "y"})) == "b! ['x', 'y']"
    assert louder("a") == "a! []"
    assert worked == []


def test_other_tools_work_it_out_anew(process):
    louder, save, _ = process()
    louder("a")
    save()

    louder, save, worked = process(tools="2")
    louder("a")
    assert worked == ["a"]


@pytest.mark.parametrize("content", [b"", b"no pickle", b"\x80\x04", b"\x80\x04N."])
def test_a_broken_file_is_made_anew(content, process, tmp_path):
    louder, save, _ = process()
    louder("a")
    save()
    (tmp_path / "made" / "kept.pickle").write_bytes(content)

    louder, save, worked = process()
    assert louder("a") == "a! []"
    assert worked == ["a"]
    save()
    louder, _, worked = process()
    louder("a")
    assert worked == []


def test_what_nobody_asks_for_any_more_goes(process, tmp_path, monkeypatch):
    louder, save, _ = process()
    for n in range(kept.MOST + 1):
        louder(f"old {n}")
    save()
    louder, save, _ = process()
    louder("new")
    save()

    louder, _, worked = process()
    louder("new")
    louder("old 1")
    assert worked == ["old 1"]


def test_what_cannot_be_put_in_its_place_leaves_nothing_beside_it(process, tmp_path):
    place = tmp_path / "made" / "kept.pickle"
    (place / "in its place").mkdir(parents=True)
    louder, save, _ = process()

    louder("a")
    save()
    assert list(place.parent.iterdir()) == [place]


def test_a_place_where_nothing_can_be_written_is_no_error(process, tmp_path):
    (tmp_path / "made").write_text("a file in its place")
    louder, save, worked = process()

    louder("a")
    save()
    assert worked == ["a"]
