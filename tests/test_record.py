"""What the bench writes down, and the page that is rendered from it."""

import pytest

from tools.bench import bench
from tools.bench.record import Row, records, write
from tools.pages.measurements import page

ROWS = [
    Row("rows", "ours", 2.0, 500.0, 0.5, 50.0),
    Row("rows", "sdk", 4.0, 250.0, 2.5, 100.0),
]
COLD = [
    Row("cold step", "requests.post", 0.1, None, 0.08),
    Row("cold step", "chat, fetched", 0.07, None, 0.04, modules=1),
]


@pytest.fixture
def place(tmp_path):
    return tmp_path / "measured.json"


def test_a_workload_replaces_its_own_figures_alone(place):
    assert write([*ROWS, *COLD], place) == []
    write([Row("rows", "ours", 1.0), Row("rows", "sdk", 2.0)], place)

    kept = records(place)
    assert [row.seconds for row in kept["rows"].rows] == [1.0, 2.0]
    assert kept["cold step"].rows == COLD


def test_what_became_worse_beside_another_is_told(place):
    write([*ROWS, *COLD], place)
    slower_hour = [
        Row("rows", "ours", 4.0, 250.0, 1.0, 60.0),
        Row("rows", "sdk", 8.0, 125.0, 5.0, 100.0),
        Row("cold step", "requests.post", 0.2, None, 0.16),
        Row("cold step", "chat, fetched", 0.16, None, 0.08, modules=1),
    ]

    assert write(slower_hour, place) == [
        "rows, sdk, peak_mib: 0.50, now 0.60",
        "cold step, chat, fetched, seconds: 0.70, now 0.80",
    ]


def test_a_run_prints_the_shares_that_the_page_shows():
    shown = bench.table([*ROWS, *COLD, Row("warm", "ours", None, 9.0, 0.1)])
    lines = [" ".join(line.split()) for line in shown.splitlines()]

    assert "ours 2000.0 ms 500000 us 50 MiB" in lines
    assert "sdk 4000.0 ms 0.50x 2500000 us 0.20x 100 MiB" in lines
    assert "requests.post 100.0 ms 1.00x 80.0 ms 1.00x 0" in lines
    assert "chat, fetched 70.0 ms 0.70x 40.0 ms 0.50x 1" in lines
    assert "ours 9 calls/s 100000 us" in lines


@pytest.fixture
def nothing_runs(monkeypatch):
    """The real workloads take minutes, and what they measure would be written down."""

    def run(*_):
        raise AssertionError("a workload was run")

    monkeypatch.setattr(bench, "WORKLOADS", dict.fromkeys(bench.WORKLOADS, (run, 1)))


@pytest.mark.parametrize("workload", [None, "rows"])
def test_a_number_of_rows_is_for_workloads_of_any_size(workload, nothing_runs):
    with pytest.raises(ValueError, match="large table, batches"):
        bench.report(workload, size=9)


def test_figures_of_another_size_than_the_page_says_are_not_kept(nothing_runs):
    with pytest.raises(ValueError, match="--write keeps figures of the usual size"):
        bench.report("batches", keep=True, size=9)


def test_the_page_shows_what_was_measured_and_the_shares(place):
    write([*ROWS, *COLD], place)
    text = page(records(place))

    assert "| ours | 2 s |  | 500 |  | 500 ms |  | 50 MiB |" in text
    assert "| sdk | 4 s | 0.50 | 250 | 0.50 | 2.5 s | 0.20 | 100 MiB |" in text
    assert "| chat, fetched | 1 | 70 ms | 0.70 | 40 ms | 0.50 |" in text
    assert text.count("\n## ") == 2


def test_a_pipe_in_a_name_is_no_cell_of_its_own(place):
    write([Row("rows", "ours", 2.0), Row("rows", "curl | curl", 4.0)], place)

    assert "| curl \\| curl | 4 s | 0.50 |" in page(records(place))
