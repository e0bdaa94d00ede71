"""Tables as Parquet, with the library that the steps' locks bring to a worker."""

import gzip
import importlib
import json
import math
import os
import random
import subprocess
import sys
from io import BytesIO

import pytest

from scripts import parquet_steps
from scripts.client import TogetherError
from scripts.files.read_parquet import main as read_parquet
from scripts.files.write_parquet import main as write_parquet
from scripts.table.table import Table
from tests.test_client import server
from tests.test_download import trickling
from tools.local.example_things import BY_ENDING
from tools.operations import ROOT


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """The library as a worker installs it."""
    folder = tmp_path_factory.mktemp("parquet")
    lock = ROOT / "requirements-parquet.lock"
    words = [sys.executable, "-m", "pip", "install", "-q", "--no-deps"]
    words += ["--require-hashes", "--only-binary=:all:", "-r", lock, "--target", folder]
    subprocess.run(words, check=True)
    return folder


@pytest.fixture
def library(installed, monkeypatch):
    monkeypatch.syspath_prepend(str(installed))
    importlib.invalidate_caches()
    yield
    # Other tests ask whether the library is installed where the tools run.
    for name in [one for one in sys.modules if one.partition(".")[0] == "arro3"]:
        del sys.modules[name]


def written(auth, workspace, rows):
    """The Parquet file of some rows, and what the step said."""
    made = write_parquet(auth, rows)
    return workspace.content(made["s3"]), made


def rows_in(auth, file):
    return [*Table(auth, {"s3": read_parquet(auth, file)["s3"]})]


# --- without the library -----------------------------------------------------------


def test_a_library_that_is_not_there_is_named(auth, workspace, monkeypatch):
    monkeypatch.setitem(sys.modules, "arro3", None)

    with pytest.raises(TogetherError, match="library for Parquet is not installed"):
        write_parquet(auth, [{"a": 1}])


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"PAR", b"%PDF-1.7"])
def test_what_is_no_parquet_is_refused_before_it_is_read(auth, workspace, content):
    workspace.put("a.parquet", content)

    with pytest.raises(TogetherError, match="is no Parquet file"):
        read_parquet(auth, {"s3": "a.parquet"})


@pytest.mark.parametrize("output", ["storage", "gzip"])
def test_without_storage_nothing_is_read(auth, workspace, output):
    workspace.storage = False

    with pytest.raises(TogetherError, match="storage"):
        read_parquet(auth, {"url": "http://127.0.0.1:9/a.parquet"}, output)
    with pytest.raises(TogetherError, match="storage"):
        write_parquet(auth, [{"a": 1}])


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, None, 2], "int"),
        ([1, 2.5], "float"),
        ([True, False], "bool"),
        (["a", None], "text"),
        ([[1, 2], []], "ints"),
        ([[1, 2], [0.5]], "floats"),
        ([None], "text"),
        ([1, "a"], "text"),
        ([True, 1], "text"),
        ([[True]], "text"),
        ([[[1]]], "text"),
        ([{"a": 1}], "text"),
        ([2**63], "text"),
    ],
)
def test_a_column_s_type_is_what_all_its_values_are(values, kind):
    columns = parquet_steps._Columns()

    for _ in columns.seen([{"v": value} for value in values]):
        pass

    assert columns.kinds() == {"v": kind}


def test_so_many_rows_are_held_as_their_size_allows(tmp_path):
    wide = [{"v": "x" * 2**20}] * 300
    narrow = [{"v": 1}] * 1000

    with open(tmp_path / "a", "wb") as file:
        most = parquet_steps.MOST_GROUP
        assert parquet_steps._write_rows(narrow, file) == (1000, most)
        assert parquet_steps._write_rows(narrow + wide, file)[1] <= 33


def test_a_file_that_comes_byte_by_byte_is_parquet_all_the_same(workspace, tmp_path):
    give = trickling("", b"PA", b"R1 broken")
    with server(give) as (url, _), pytest.raises(TogetherError) as caught:
        read_parquet({"api_key": "k", "base_url": url}, {"url": f"{url}/a.parquet"})
    assert "is no Parquet file" not in str(caught.value)


# --- with it -----------------------------------------------------------------------


@pytest.mark.slow
def test_a_table_comes_back_as_it_was(auth, workspace, library):
    rows = [
        {"z": "ü", "a": 1, "v": [0.5, 1], "b": True, "f": 1e300, "none": None},
        {"z": None, "a": -(2**53) + 1, "v": [], "b": None, "f": 2, "new": "x"},
    ]

    content, made = written(auth, workspace, rows)

    assert content[:4] == content[-4:] == b"PAR1"
    assert (made["count"], [*made["columns"]]) == (2, [*"zavbf", "none", "new"])
    found = rows_in(auth, {"s3": made["s3"]})
    assert [*found[0]] == [*made["columns"]]
    every = dict.fromkeys(made["columns"])
    assert found == [{**every, **row} for row in rows]


@pytest.mark.slow
def test_what_is_mixed_or_nested_is_json_as_text(auth, workspace, library):
    rows = [{"m": 1, "o": {"a": [1]}}, {"m": "ü", "o": None}, {"m": [True]}]

    made = write_parquet(auth, rows)

    found = rows_in(auth, {"s3": made["s3"]})
    assert [row["m"] for row in found] == ["1", "ü", "[true]"]
    assert json.loads(found[0]["o"]) == {"a": [1]}
    assert made["columns"] == {"m": "text", "o": "text"}


@pytest.mark.slow
def test_rows_come_compressed_and_in_the_result_too(auth, workspace, library):
    made = write_parquet(auth, "a,b\n1,x\n2,y\n")

    packed = read_parquet(auth, {"s3": made["s3"]}, "gzip")
    bare = read_parquet(auth, {"s3": made["s3"]}, "result")

    lines = gzip.decompress(workspace.content(packed["s3"])).splitlines()
    expected = [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}]
    assert [json.loads(line) for line in lines] == bare["rows"] == expected
    assert (packed["count"], packed["columns"]) == (2, ["a", "b"])


def file_of(workspace, **columns):
    """A Parquet file of columns: each is Arrow's array, or a list of them that all have
    that name."""
    from arro3 import core, io

    fields, arrays = [], []
    for name, given in columns.items():
        for array in given if isinstance(given, list) else [given]:
            fields.append(core.Field(name, array.type))
            arrays.append(array)
    table = core.RecordBatch.from_arrays(arrays, schema=core.Schema(fields))
    content = BytesIO()
    io.write_parquet(table, content)
    workspace.put("made.parquet", content.getvalue())
    return {"s3": "made.parquet"}


def read_both(auth, file):
    """The rows of a file as a result, which are those that other steps read."""
    bare = read_parquet(auth, file, "result")["rows"]
    assert rows_in(auth, file) == bare
    return bare


@pytest.mark.slow
def test_columns_of_one_name_are_all_there(auth, workspace, library):
    from arro3 import core

    def ints(*values):
        return core.Array(values, core.DataType.int64())

    file = file_of(workspace, a=[ints(1, 4), ints(2, 5)], a_2=ints(3, 6))
    assert read_parquet(auth, file)["columns"] == ["a", "a_3", "a_2"]
    expected = [{"a": 1, "a_3": 2, "a_2": 3}, {"a": 4, "a_3": 5, "a_2": 6}]
    assert read_both(auth, file) == expected

    file = file_of(workspace, **{"": [ints(1), ints(2)]})
    assert read_both(auth, file) == [{"column_1": 1, "column_2": 2}]


@pytest.mark.slow
def test_numbers_that_json_cannot_hold_keep_their_names(
    auth, workspace, library, capsys
):
    from arro3 import core

    double, single = core.DataType.float64(), core.DataType.float32()
    values = core.Array([1.5, math.nan, math.inf, None, -math.inf, 1e300], double)
    texts = core.Array(["é", "NaN", "a\nb", None, "", "x"], core.DataType.string())
    flat = core.Array([0.1, math.nan, 2.0, -math.inf], single)
    lists = core.list_array(
        core.Array([0, 2, 2, 3, 3, 4, 4], core.DataType.int32()), flat
    )
    pair = core.struct_array(
        [values, lists], fields=[core.Field("v", double), core.Field("l", lists.type)]
    )
    file = file_of(workspace, v=values, t=texts, l=lists, s=pair)

    found = read_both(auth, file)

    v = [1.5, "NaN", "Infinity", None, "-Infinity", 1e300]
    wide = [[0.1, "NaN"], [], [2.0], [], ["-Infinity"], []]
    assert [row["v"] for row in found] == v
    assert [row["l"] for row in found] == wide
    assert [row["s"] for row in found] == [
        {"v": one, "l": other} for one, other in zip(v, wide, strict=True)
    ]
    assert [row["t"] for row in found] == ["é", "NaN", "a\nb", None, "", "x"]
    assert "NaN, Infinity" in capsys.readouterr().err

    read_parquet(auth, file_of(workspace, v=core.Array([1.5, None], double)))
    assert "NaN" not in capsys.readouterr().err


@pytest.mark.slow
def test_a_number_that_a_float_would_change_is_text(auth, workspace, library):
    from arro3 import core

    kind, text = core.DataType, core.DataType.string()
    digits = ["12345678901234567.123", "1.500", None, "-0.001", "0.001"]
    wide = core.Array(digits, text).cast(kind.decimal128(38, 3))
    whole = core.Array([2**53 + 1, -(2**60), 5, None, 0], kind.int64())
    file = file_of(workspace, d=wide, i=whole)

    found = read_both(auth, file)

    expected = ["12345678901234567.123", 1.5, None, -0.001, 0.001]
    assert [row["d"] for row in found] == expected
    assert [row["i"] for row in found] == [str(2**53 + 1), str(-(2**60)), 5, None, 0]


@pytest.mark.slow
def test_more_rows_than_fit_into_a_result_are_told(auth, workspace, library):
    made = write_parquet(auth, [{"v": f"{n} {'x' * 1000}"} for n in range(3000)])

    with pytest.raises(TogetherError, match="at most"):
        read_parquet(auth, {"s3": made["s3"]}, "result")


@pytest.mark.slow
def test_a_broken_file_ends_no_job(auth, workspace, library):
    rows = [{"n": n, "text": f"text {n}", "v": [n / 3] * 4} for n in range(500)]
    content, _ = written(auth, workspace, rows)
    draw = random.Random(3)
    broken = [content[:-1], content[:200], content[:4] + content[-300:], b"PAR1PAR1"]
    for _ in range(12):
        other = bytearray(content)
        for _ in range(5):
            other[draw.randrange(4, len(other))] = draw.randrange(256)
        broken.append(bytes(other))
    told = []
    for number, one in enumerate(broken):
        workspace.put(f"{number}.parquet", one)
        try:
            read_parquet(auth, {"s3": f"{number}.parquet"})
        except TogetherError as error:
            told.append(str(error))
    assert len(told) >= 4
    for words in told:
        assert "cannot be read or written as Parquet" in words
        assert len(words) < 600


@pytest.mark.slow
def test_what_unpacks_to_too_much_is_refused(auth, workspace, library, monkeypatch):
    made = write_parquet(auth, [{"v": "x" * 1000}] * 20_000)
    assert len(workspace.content(made["s3"])) < 100_000

    monkeypatch.setattr(parquet_steps, "MOST_BYTES", 1 << 20)
    with pytest.raises(TogetherError, match="File too large"):
        read_parquet(auth, {"s3": made["s3"]})


@pytest.mark.slow
def test_the_library_s_process_gets_nothing_of_the_job_s_environment(
    auth, workspace, library, monkeypatch
):
    told = parquet_steps.PROGRAM.replace(
        "import json, sys",
        "import json, os, sys\nassert not {*os.environ} - {'LC_CTYPE'}",
    )
    assert told != parquet_steps.PROGRAM
    monkeypatch.setattr(parquet_steps, "PROGRAM", told)
    assert os.environ["WM_TOKEN"]

    assert write_parquet(auth, [{"a": 1}])["count"] == 1


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(
    auth, workspace, library, monkeypatch, tmp_path
):
    log = tmp_path / "memory"
    most = "open('/proc/self/status').read().split('VmHWM:')[1].split()[0]"
    noting = f"open({str(log)!r}, 'a').write({most} + '\\n')\n"
    monkeypatch.setattr(parquet_steps, "PROGRAM", parquet_steps.PROGRAM + noting)
    monkeypatch.setattr(parquet_steps, "GROUP_BYTES", 1 << 20)
    for count in (8_000, 80_000):
        lines = "".join(f'{{"n": {n}, "t": "{n:0400}"}}\n' for n in range(count))
        workspace.put("rows.jsonl", lines.encode())
        made = write_parquet(auth, {"s3": "rows.jsonl"})
        assert read_parquet(auth, {"s3": made["s3"]})["count"] == count

    # KiB, of this program alone: rusage would count what this process has.
    written, read, written_ten, read_ten = map(int, log.read_text().split())
    assert written_ten < written + (8 << 10)
    assert read_ten < read + (8 << 10)


@pytest.mark.slow
def test_the_file_of_an_example_is_one_that_the_step_reads(auth, workspace, library):
    workspace.put("orders.parquet", BY_ENDING["parquet"]())

    found = read_parquet(auth, {"s3": "orders.parquet"}, "result")["rows"]

    assert found == [{"number": 17, "city": "Oslo"}, {"number": 18, "city": "Lima"}]
