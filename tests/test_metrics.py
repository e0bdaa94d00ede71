"""Numbers in the text format of Prometheus, as rows."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.client import TogetherError
from scripts.client.jsonio import RESULT_LIMIT
from scripts.metrics import prometheus
from scripts.metrics.metric_steps import metrics_over
from scripts.metrics.prometheus import samples
from tests.support.expected_request import main_of
from tools.operations import find

ORGANIZATION = find("get_identity").schema["x-reply"]["organization"]["id"]
TEXT = """# HELP requests_total Requests that were answered
# TYPE requests_total counter
requests_total{model="a",code="200"} 7 1764338400000
requests_total{ model="b, \\"quoted\\" \\\\ }", code="500", } 1e3

# TYPE wait_seconds histogram
wait_seconds_bucket{le="+Inf"} 9
wait_seconds_sum 4.5 # {trace="1"} 0.5
idle NaN
full +Inf
vllm:waiting -2
"""


def read(auth, **given):
    return main_of(find("read_metrics"))(auth, **given)


def test_each_line_is_a_row():
    rows, unread = samples(TEXT)

    assert unread == 0
    assert [(row["name"], row["value"], row["kind"]) for row in rows] == [
        ("requests_total", 7, "counter"),
        ("requests_total", 1000, "counter"),
        ("wait_seconds_bucket", 9, "histogram"),
        ("wait_seconds_sum", 4.5, "histogram"),
        ("vllm:waiting", -2, None),
    ]
    assert rows[0]["milliseconds"] == 1764338400000
    assert rows[1]["labels"] == {"model": 'b, "quoted" \\ }', "code": "500"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (".5", 0.5),
        ("-.5e1", -5),
        ("5.", 5),
        ("+1E+2", 100),
        ("0x1.8p3", 12),
        (f"0.{'3' * 60}", 1 / 3),
        ("9" * 60, 1e60),
    ],
)
def test_numbers_are_read_as_prometheus_reads_them(text, value):
    rows, unread = samples(f"a {text}\nb +Infinity\nc nan\nd inf 5\n")

    assert ([row["value"] for row in rows], unread) == ([value], 0)


def test_names_may_be_in_quotes():
    text = """# TYPE "my.metric a" counter
{"my.metric a"} 9
{"my \\"b\\"", "la bel"="x"} 8 5
{label="x","c"} 7
d {"any.label"="y",} 6
"""
    rows, unread = samples(text)

    assert unread == 0
    assert [
        (row["name"], row["labels"], row["value"], row["kind"]) for row in rows
    ] == [
        ("my.metric a", {}, 9, "counter"),
        ('my "b"', {"la bel": "x"}, 8, None),
        ("c", {"label": "x"}, 7, None),
        ("d", {"any.label": "y"}, 6, None),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "{} 1",
        '{a="b"} 1',
        '{""} 1',
        '{"a","b"} 1',
        'a{"b"} 1',
        "a{b} 1",
        "a . ",
        "a 1_0",
        "a 1.2.3",
        "a 0x1",
        "a 0x1p99999",
        "a+5",
        "a 1 inf",
        "a 1 2 3",
        "a \u0661",
        "my-metric 1",
    ],
)
def test_lines_that_are_no_numbers_are_counted(line, auth, capsys):
    rows, unread = samples(f"{line}\nb 1\n")
    assert ([row["name"] for row in rows], unread) == (["b"], 1)

    given = {"source": {"text": f"{line}\nb 1\n"}, "limit": 0, "direction": "above"}
    assert [row["name"] for row in metrics_over(auth, given)] == ["b"]
    assert "1 lines could not be read" in capsys.readouterr().err
    found = read(auth, source={"text": f"{line}\nb 1\n"})
    assert (found["unread"], "1 lines could not" in found["markdown"]) == (1, True)


def test_what_is_asked_for_may_be_a_line_that_could_not_be_read(auth):
    with pytest.raises(TogetherError, match="no such number, and 1 lines"):
        read(auth, source={"text": "my-metric 1\nb 1\n"}, names=["my-metric"])


@given(
    st.dictionaries(
        st.from_regex("[a-z_][a-z0-9_]*", fullmatch=True), st.text(), max_size=3
    ),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_what_was_written_is_read(labels, value):
    escaped = {
        name: text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
        for name, text in labels.items()
    }
    inner = ",".join(f'{name}="{text}"' for name, text in escaped.items())

    (row,), unread = samples(f"a{{{inner}}} {value!r}\n")

    assert (row["labels"], row["value"], unread) == (labels, value, 0)


def test_times_of_openmetrics_are_in_seconds():
    (row,), unread = samples("a 1 1520879607.789\n# EOF\n")
    assert (row["milliseconds"], unread) == (1520879607789, 0)


@given(st.text('ab{}="\\,# 1e\n', max_size=60))
def test_no_text_breaks_it(text):
    rows, unread = samples(text)

    lines = [one for one in text.split("\n") if one.strip()]
    assert len(rows) + unread <= len(lines)


def test_the_organization_is_that_of_the_key(auth, sandbox):
    path = f"/organizations/{ORGANIZATION}/metrics"
    sandbox.objects[path] = "text/plain; version=0.0.4", TEXT.encode()

    found = read(auth, names=["requests_total"], labels={"code": 500})

    assert [row["value"] for row in found["rows"]] == [1000]
    assert found["count"] == 1
    (asked,) = (r for r in sandbox.requests if r.path == path)
    assert asked.headers["authorization"] == f"Bearer {auth['api_key']}"


def test_an_address_of_another_is_read_without_the_key(auth, sandbox):
    sandbox.objects["/own"] = "text/plain", TEXT.encode()

    assert read(auth, source={"url": f"{sandbox.url}/own"}, most=2)["count"] == 5

    (asked,) = sandbox.requests
    assert "authorization" not in asked.headers


def test_rows_that_are_left_out_are_counted(auth):
    found = read(auth, source={"text": TEXT}, most=2)

    assert len(found["rows"]) == 2
    assert found["note"].startswith("3 more are left out")


def test_rows_are_as_many_as_a_result_holds(auth):
    """By what they really take: labels may be long, or none."""
    long = "".join(f'm{{a="{n:05}{"x" * 4000}"}} {n}\n' for n in range(1000))
    short = "".join(f"m{n} {n}\n" for n in range(15_000))

    found = read(auth, source={"text": long}, most=1_000_000)
    size = len(json.dumps(found))
    assert 0.9 * RESULT_LIMIT < size <= RESULT_LIMIT
    assert found["note"] == (
        f"{1000 - len(found['rows'])} more are left out: choose by name or label."
    )
    found = read(auth, source={"text": short}, most=1_000_000)
    assert len(found["rows"]) == 15_000
    assert "note" not in found


@pytest.mark.parametrize("answer", [b"<html>no", b'{"error": "no"}', b"[1]"])
def test_an_answer_that_is_no_text_is_an_error(answer, auth, sandbox):
    path = f"/organizations/{ORGANIZATION}/metrics"
    sandbox.objects[path] = "text/html", answer

    with pytest.raises(TogetherError):
        read(auth)


def test_what_is_no_metric_is_refused(auth, monkeypatch):
    with pytest.raises(TogetherError, match="2 lines are none"):
        read(auth, source={"text": "Dear Ada\n7 days"})
    for name in ("MOST_SAMPLES", "METRIC_CHARACTERS"):
        with monkeypatch.context() as patched:
            patched.setattr(prometheus, name, 1)
            with pytest.raises(TogetherError, match=r"source (has|is) more than"):
                read(auth, source={"text": TEXT})
