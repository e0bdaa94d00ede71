"""Several threads do the tasks; the results come in the order of the tasks."""

import itertools
import threading
import time

import pytest

from scripts.table.ordered_threads import ClosedError, in_order

WAIT = 60.0  # seconds that no test needs


def ended(before):
    """Whether there are as many threads as before again, within a while."""
    until = time.monotonic() + WAIT
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.005)
    return threading.active_count() <= before


def test_results_come_in_the_order_of_the_tasks_whichever_ends_first():
    second = threading.Event()

    def work(number):
        if number == 0:
            assert second.wait(WAIT)
        elif number == 1:
            second.set()
        return number * 10

    assert list(in_order(work, range(6), 2, 4)) == [0, 10, 20, 30, 40, 50]


def test_without_tasks_no_thread_is_started():
    before = threading.active_count()

    assert list(in_order(str, [], 4, 4)) == []
    assert threading.active_count() == before


def test_there_are_as_many_threads_as_tasks_at_the_most():
    threads = set()
    meet = threading.Barrier(3)

    def work(number):
        meet.wait(WAIT)
        threads.add(threading.get_ident())
        return number

    assert list(in_order(work, range(3), 8, 8)) == [0, 1, 2]
    assert len(threads) == 3


def test_no_more_results_wait_than_the_window_holds():
    taken = []
    too_many = threading.Event()

    def tasks():
        for number in range(1000):
            taken.append(number)
            if len(taken) > 5:
                too_many.set()
            yield number

    def work(number):
        # The first result is what the others wait behind.
        return too_many.wait(0.2) if number == 0 else number

    results = in_order(work, tasks(), 2, 5)

    assert next(results) is False
    assert list(itertools.islice(results, 50)) == list(range(1, 51))
    results.close()


def test_an_endless_iterator_is_not_read_on_once_nobody_waits():
    before = threading.active_count()
    results = in_order(str, itertools.count(), 3, 6)

    assert list(itertools.islice(results, 4)) == ["0", "1", "2", "3"]
    results.close()

    assert ended(before)


@pytest.mark.parametrize("where", ["work", "tasks"])
def test_what_is_raised_ends_all_and_is_raised_behind_the_results_before_it(where):
    before = threading.active_count()

    def tasks():
        for number in itertools.count():
            if where == "tasks" and number == 7:
                raise ZeroDivisionError
            yield number

    def work(number):
        if where == "work" and number == 7:
            raise ZeroDivisionError
        return number

    found = []
    with pytest.raises(ZeroDivisionError):
        found.extend(in_order(work, tasks(), 1, 3))

    assert found == list(range(7))
    assert ended(before)


def test_a_thread_whose_result_nobody_waits_for_ends_without_a_word():
    """As one does that waits for its turn to send when the step is over."""
    closed = threading.Event()
    before = threading.active_count()

    def work(number):
        if number == 1:
            assert closed.wait(WAIT)
            raise ClosedError
        return number

    results = in_order(work, range(2), 2, 4)
    assert next(results) == 0
    results.close()
    closed.set()

    assert ended(before)
