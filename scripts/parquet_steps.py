"""Tables as Parquet: read from it, and written to it.

    read_parquet   a Parquet file as JSON Lines, for the other steps to take
    write_parquet  a table as a Parquet file

The two alone need the library arro3, 12 MB, which their locks bring. It runs in a
process of its own: a broken file ends that, not the job, and what a few bytes may
unpack to is bounded there. Rows go through it some hundred at a time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from itertools import islice

from .client import TogetherError, prepare
from .client.job import log
from .client.jsonio import RESULT_LIMIT, mended, noting_decoder
from .table.gzipped import Packed
from .table.table import LOST, Table, summary
from .workspace.markup import inline
from .workspace.storage import check_storage, store_lines, write_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from .shapes import Auth, Json, Members, Step

MOST_BYTES = 16 << 30  # of the rows of a table
MEMORY_BYTES = 2 << 30  # bytes that the library may take
GROUP_BYTES = 32 << 20  # of the rows that are written, or read, together
BLOCK_ROWS = 256
MOST_GROUP = 100_000  # rows
MOST_COLUMNS = 5_000
LARGEST = 2**63
LONGEST = 300  # characters of a reason

# What the process runs: the library's own folder, then what to do.
PROGRAM = r"""
import json, sys
given = json.load(sys.stdin)
sys.path.append(given["path"])
from arro3 import core, io
try:
    import resource
    for limit in ("AS", "FSIZE"):
        resource.setrlimit(getattr(resource, "RLIMIT_" + limit), (given[limit],) * 2)
except (ImportError, ValueError, OSError):
    pass
if "columns" in given:
    kinds = {
        "bool": core.DataType.bool(),
        "int": core.DataType.int64(),
        "float": core.DataType.float64(),
        "text": core.DataType.string(),
        "ints": core.DataType.list(core.Field("item", core.DataType.int64())),
        "floats": core.DataType.list(core.Field("item", core.DataType.float64())),
    }
    fields = [core.Field(name, kinds[kind]) for name, kind in given["columns"]]
    rows = min(1000, given["group"])
    found = io.read_json(given["source"], core.Schema(fields), batch_size=rows)
    more = {"compression": "zstd(3)", "max_row_group_size": given["group"]}
    io.write_parquet(found, given["target"], **more)
else:
    import re
    from decimal import Decimal
    from io import BytesIO

    def has_odd(array):
        # Says whether there may be NaN or Infinity: they become no whole number.
        kind = array.type
        if core.DataType.is_floating(kind):
            return array.cast(core.DataType.int64()).null_count > array.null_count
        if "Float" not in repr(kind):
            return False
        if core.DataType.is_struct(kind):
            fields = range(kind.num_fields)
            return any(has_odd(core.struct_field(array, [n])) for n in fields)
        if re.match(r"\S*<(Large|FixedSize)?List[( ]", repr(kind)):
            return has_odd(core.list_flatten(array))
        return True

    def named(value, seen):
        # Returns a value with the names of NaN and Infinity, which JSON has not.
        global lost
        if value is None and isinstance(seen, float):
            lost += 1
            return "NaN" if seen != seen else "Infinity" if seen > 0 else "-Infinity"
        if isinstance(value, dict):
            seen = dict(seen)
            return {name: named(one, seen.get(name)) for name, one in value.items()}
        if isinstance(value, list):
            return [named(*pair) for pair in zip(value, seen)]
        return value

    def real(digits):
        # Returns a number, as text where a float would be another one.
        number = float(digits)
        return number if Decimal(repr(number)) == Decimal(digits) else digits

    found = io.read_parquet(given["source"], batch_size=given["group"])
    names, lost = given.get("names") or found.schema.names, 0
    precisions = re.findall(r"Decimal[0-9]+\(([0-9]+)", repr(found.schema))
    exact = any(int(digits) > 15 for digits in precisions)
    if len({*names}) == len(names):
        fields = [found.schema.field(n).with_name(name) for n, name in enumerate(names)]
        schema = core.Schema(fields)
        with open(given["target"], "wb") as file:
            for batch in found:
                batch = batch.with_schema(schema)
                columns = zip(names, batch.columns)
                odd = {name: one.to_pylist() for name, one in columns if has_odd(one)}
                if not (odd or exact):
                    io.write_ndjson(batch, file, explicit_nulls=True)
                    continue
                lines = BytesIO()
                io.write_ndjson(batch, lines, explicit_nulls=True)
                for n, line in enumerate(lines.getvalue().splitlines()):
                    row = json.loads(line, parse_float=real)
                    for name, values in odd.items():
                        row[name] = named(row[name], values[n])
                    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
                    file.write(text.encode() + b"\n")
    print(json.dumps({"names": names, "lost": lost}))
"""


def read_parquet(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return the rows of a Parquet file as JSON Lines.

    {"s3", "storage"?, "count", "columns", "markdown"}; with output "result" "rows" in
    place of "s3". Dates and times are texts, bytes are hexadecimal, and so are numbers
    that JSON or JavaScript would change: NaN is its name. Raises TogetherError for a
    file that is no Parquet or broken, and without storage.
    """
    from .transfer.file_input import open_file  # writing needs none

    given = prepare(step, arguments)
    output = given["output"]
    if output != "result":
        check_storage(output=output)
    source = open_file(given["file"], "file", auth)
    if source.head(4) != b"PAR1":
        raise TogetherError.refused("file", "is no Parquet file")
    with tempfile.TemporaryDirectory(prefix="together-") as folder:
        there, target = os.path.join(folder, "in"), os.path.join(folder, "out")
        with open(there, "wb") as file:
            for block in source.blocks():
                file.write(block)
        columns = _read_rows(there, target)
        with open(target, "rb") as lines:
            count = sum(1 for _ in lines)
            result = _given_back(lines, output)
    words = f"**Rows that were read: {count}, in {len(columns)} columns.**"
    shown = ["", "- Columns: " + ", ".join(map(inline, columns[:20]))]
    return {**summary([words, *shown]), **result, "count": count, "columns": columns}


def _read_rows(there: str, target: str) -> list[str]:
    """Write the rows of a Parquet file as JSON Lines, and return the names of its
    columns, each another one. Raises TogetherError."""
    given: Members = {"source": there, "target": target, "group": BLOCK_ROWS}
    told = _run("file", **given)
    names: list[str] = told["names"]
    if len({*names}) < len(names):
        from .table_files.header import Header  # only where a name is there twice

        own = Header(1, [*names, "last"]).names[:-1]  # which all others may lack
        told = _run("file", **given, names=own)
        names = own
    if told["lost"]:
        log(f"file: {LOST}")
    return names


def _given_back(lines: Any, output: str) -> Members:
    """Return {"rows"}, or {"s3"} and the like, of a file of JSON Lines. Raises
    TogetherError."""
    size = lines.tell()
    lines.seek(0)
    if output == "result":
        if size > RESULT_LIMIT:
            problem = f'cannot be "result": the rows have {size} bytes, at most '
            problem += f"{RESULT_LIMIT} fit"
            raise TogetherError.refused("output", problem)
        lost: list[object] = []
        decode = noting_decoder(lost).decode
        rows = [mended(decode(line.decode()), lost) for line in lines]
        if lost:
            log(f"file: {LOST}")
        return {"rows": rows}
    content: Any = Packed(lines) if output == "gzip" else lines
    name = "rows.jsonl.gz" if output == "gzip" else "rows.jsonl"
    return store_lines(content, name, output, "rows") or {}


def write_parquet(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Write a table to a Parquet file in storage.

    Returns {"s3", "storage"?, "count", "columns": {name: type}, "markdown"}. A column
    is of numbers, of truth values, of lists of numbers or of texts; what is mixed, or
    nested deeper, is JSON as text. Raises TogetherError for a table that cannot be
    read, and without storage.
    """
    given = prepare(step, arguments)
    check_storage(field="The file")
    table = Table(auth, given["rows"])
    with tempfile.TemporaryDirectory(prefix="together-") as folder:
        there, target = os.path.join(folder, "in"), os.path.join(folder, "out")
        columns = _Columns()
        with open(there, "wb") as file:
            count, group = _write_rows(columns.seen(table.sound()), file)
        kinds = columns.kinds()
        if columns.mixed:
            with open(there, "rb") as lines, open(f"{there}2", "wb") as file:
                rows = (json.loads(line) for line in lines)
                _, group = _write_rows(map(columns.fitted, rows), file)
            there += "2"
        named = [*kinds.items()]
        _run("rows", source=there, target=target, columns=named, group=group)
        content: Any
        with open(target, "rb") as content:
            kind = "application/vnd.apache.parquet"
            stored = write_object(content, filename="rows.parquet", content_type=kind)
    words = f"**Rows in {inline(stored['s3'])}: {count}, in {len(kinds)} columns.**"
    return {**summary([words]), **stored, "count": count, "columns": kinds}


def _write_rows(rows: Iterable[Members], file: Any) -> tuple[int, int]:
    """Write rows as JSON Lines; return how many there are, and how many may be held at
    a time, wherever in the file they stand."""
    count = largest = 0
    pending = iter(rows)
    while block := [*islice(pending, BLOCK_ROWS)]:
        before = file.tell()
        for row in block:
            line = json.dumps(row, ensure_ascii=False).encode("utf-8", "replace")
            file.write(line + b"\n")
        count += len(block)
        largest = max(largest, file.tell() - before)
    group = BLOCK_ROWS * GROUP_BYTES // max(1, largest)
    return count, min(MOST_GROUP, max(1, group))


class _Columns:
    """What the values of each column are, as they are seen."""

    def __init__(self) -> None:
        self.found: dict[str, set[str]] = {}
        self.mixed: set[str] = set()

    def seen(self, rows: Iterable[Members]) -> Iterator[Members]:
        for row in rows:
            for name, value in row.items():
                known = self.found.setdefault(name, set())
                if value is not None:
                    known.add(_kind(value))
            if len(self.found) > MOST_COLUMNS:
                problem = f"has more than {MOST_COLUMNS} columns"
                raise TogetherError.refused("rows", problem)
            yield row

    def kinds(self) -> dict[str, str]:
        """Return {name: type}, in the order in which they came."""
        kinds = {}
        for name, known in self.found.items():
            (kind,) = known if len(known) == 1 else ("text",)
            for number in ("int", "ints"):
                if known == {number, number.replace("int", "float")}:
                    kind = number.replace("int", "float")
            if kind == "json" or (kind == "text" and known - {"text"}):
                kind = "text"
                self.mixed.add(name)
            kinds[name] = kind
        return kinds

    def fitted(self, row: Members) -> Members:
        """Return a row in which the values of mixed columns are texts."""
        for name in self.mixed & row.keys():
            value = row[name]
            if value is not None and not isinstance(value, str):
                row[name] = json.dumps(value, ensure_ascii=False)
        return row


def _kind(value: Json) -> str:
    kind = value.__class__
    if kind is str:
        return "text"
    if kind is bool:
        return "bool"
    if kind is int:
        return "int" if -LARGEST <= value < LARGEST else "json"
    if kind is float:
        return "float"
    if kind is list:
        inner = {_kind(one) if type(one) in (int, float) else "json" for one in value}
        if inner <= {"int"}:
            return "ints"
        return "floats" if inner <= {"int", "float"} else "json"
    return "json"


def _run(field: str, **given: Json) -> Json:
    """Run the library; return what it said. Raises TogetherError."""
    try:
        import arro3.io  # from the step's own lock
    except ImportError as error:
        raise TogetherError(
            f"The library for Parquet is not installed: {error}.",
            type="no_library",
            advice="On Windmill the step's lock brings it: push the pack again. "
            "Elsewhere: .venv/bin/pip install -r requirements-parquet.lock",
        ) from None
    library = os.path.dirname(os.path.dirname(os.path.dirname(arro3.io.__file__)))
    given |= {"path": library, "AS": MEMORY_BYTES, "FSIZE": MOST_BYTES}
    with tempfile.TemporaryFile() as told:
        # Nothing of the job's environment is needed there, its token least of all.
        words = [sys.executable, "-I", "-c", PROGRAM]
        sent = json.dumps(given).encode()
        out = subprocess.PIPE
        done = subprocess.run(words, input=sent, stdout=out, stderr=told, env={})
        if done.returncode:
            told.seek(max(0, told.tell() - 4096))
            said = told.read().decode("utf-8", "replace").strip().splitlines()
            errors = [line for line in said if "Err" in line or "rror" in line]
            why = (errors or said or [f"it ended with {done.returncode}"])[-1].strip()
            problem = f"cannot be read or written as Parquet: {why[:LONGEST]}"
            raise TogetherError.refused(field, problem)
    return json.loads(done.stdout) if done.stdout else None
