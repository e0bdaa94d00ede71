"""Rows in requests: how they are put together, and when fewer are tried."""

from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.client import TogetherError
from scripts.operations import operation
from scripts.rows.sender import (
    MOST_BARREN,
    Sender,
    answer_all,
    chunks_of,
    lanes_for,
)
from scripts.table.row_results import RowResults

SIZES = st.lists(st.integers(min_value=0, max_value=12), max_size=40)


@given(SIZES, st.integers(1, 6), st.integers(1, 20))
def test_chunks_hold_all_items_in_order_and_no_more_than_they_may(sizes, most, largest):
    chunks = list(chunks_of(sizes, int, most, largest))

    assert [size for chunk in chunks for size in chunk] == sizes
    for chunk in chunks:
        assert 1 <= len(chunk) <= most
        assert sum(chunk) <= largest or len(chunk) == 1


@given(SIZES, st.integers(1, 6), st.integers(1, 20))
def test_a_chunk_ends_only_where_the_next_item_does_not_fit(sizes, most, largest):
    chunks = list(chunks_of(sizes, int, most, largest))

    for chunk, after in pairwise(chunks):
        assert len(chunk) == most or sum(chunk) + after[0] > largest


def test_items_are_taken_one_at_a_time_as_they_are_asked_for():
    taken = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    chunks = chunks_of(items(), lambda number: 1, 4, 100)

    assert next(chunks) == [0, 1, 2, 3]
    assert taken == [0, 1, 2, 3, 4]


POOL = {"concurrency": 2, "timeout_seconds": 5, "patience_seconds": 5}


@pytest.fixture
def lanes(auth):
    return lanes_for(auth, operation("chat/create_chat_completion"), POOL)


def test_once_no_row_can_be_answered_no_more_tasks_are_taken(lanes):
    added, checked, taken = [], [], []
    results = SimpleNamespace(add=added.append, fault=None)

    def tasks():
        for number in range(1000):
            taken.append(number)
            yield number

    def work(number):
        if number == 3:
            results.fault = TogetherError("No credit is left.", status=402)
        return [number, -number]

    answer_all(lanes, work, tasks(), results, checked.append)

    count = len(added) // 2
    assert added == checked == [one for n in range(count) for one in (n, -n)]
    assert 4 <= count <= len(taken) < 1000


def test_a_table_of_which_nothing_was_sent_is_refused_as_it_is(lanes):
    def broken():
        raise TogetherError.refused("rows", "is cut off")
        yield

    results = SimpleNamespace(add=None, fault=None)
    with pytest.raises(TogetherError, match="Nothing was sent"):
        answer_all(lanes, None, broken(), results)
    assert results.fault is None


@pytest.mark.parametrize(
    ("status", "texts", "barren", "fewer"),
    [
        (400, 2, 0, True),
        (413, 2, MOST_BARREN, True),
        (422, 9, 0, True),
        (413, 1, 0, False),
        (500, 2, MOST_BARREN - 1, True),
        (500, 2, MOST_BARREN, False),
        (500, 1, 0, False),
        (429, 2, 0, False),
        (401, 2, 0, False),
        (None, 2, 0, False),
    ],
)
def test_fewer_texts_are_tried_where_that_may_help(
    status, texts, barren, fewer, lanes, auth
):
    rows = {"answer_column": "embedding", "output": "result"}
    results = RowResults("embed_rows", None, None, rows)
    sender = Sender(auth, {"model": "m"}, lanes, results, writes=False)
    sender.barren = barren

    error = TogetherError("No.", status=status)
    assert sender.divisible(error, ["a"] * texts) is fewer
