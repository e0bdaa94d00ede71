"""What a fuzzer found and reached, read again: no crash, no hang, no wrong reading.

Made by `./dev probe fuzz`, which needs atheris; this needs nothing.
"""

import pytest

from tests.support.fuzz_targets import TARGETS, BoundError, checked
from tools.probes import fuzz


@pytest.mark.parametrize("target", fuzz.TARGETS)
def test_every_kept_input_is_read_as_it_should(target):
    inputs = list(fuzz.corpus(target))

    assert len(inputs) >= 5
    for data in inputs:
        try:
            checked(target, data)
        except Exception as error:
            raise AssertionError(f"{data!r}: {error!r}") from error


def test_the_targets_are_those_that_are_fuzzed():
    assert list(fuzz.TARGETS) == list(TARGETS)


def test_the_corpus_is_small():
    sizes = [file.stat().st_size for file in fuzz.CORPUS.iterdir()]

    assert sum(sizes) < 1_000_000


def test_too_much_time_or_memory_is_a_finding(monkeypatch):
    import tests.support.fuzz_targets as targets

    monkeypatch.setattr(targets, "MOST_CPU", -1.0)
    with pytest.raises(BoundError, match="of the processor for 2 bytes"):
        checked("json", b"[]")
    monkeypatch.setattr(targets, "MOST_CPU", 5.0)
    monkeypatch.setattr(targets, "MOST_GROWTH", -1)
    with pytest.raises(BoundError, match="MiB more for 2 bytes"):
        checked("json", b"[]")


@pytest.mark.parametrize(
    ("target", "data"),
    [
        ("events", b"\x00\x00\x00\x00data: a\n\n"),
        ("json", b"[1e999]"),
        ("tables", b"\x00a,b\n1,\x00\n"),
        ("documents", b"\x00 a b c"),
        ("forms", b"\x00\x00{}"),
    ],
)
def test_each_target_reads_what_it_is_given(target, data, monkeypatch):
    """A target that never came to its reader would find nothing."""
    import tests.support.fuzz_targets as targets

    reader = {
        "events": "Events",
        "json": "parse_json",
        "tables": "Table",
        "documents": "text_of",
        "forms": "checked_arguments",
    }[target]
    read = []

    def seen(*arguments):
        read.append(arguments)
        raise RuntimeError(reader)

    monkeypatch.setattr(targets, reader, seen)
    with pytest.raises(RuntimeError, match=reader):
        checked(target, data)
    assert read
