"""Rows in: a list, JSON Lines, a JSON array or CSV, read one row at a time.

A row is an object, its members are the columns; a text stands for {"text": it}.
"""

import hashlib
import json
import re
from itertools import chain, islice

from .client import TogetherError

__all__ = [
    "Flaw",
    "Table",
    "Template",
    "chat_text",
    "digest",
    "error_column",
    "find",
    "lines_of",
    "summary",
]

BLOCK = 1 << 18
AHEAD = 100  # rows that are looked at before anything is sent
CSV_CELL = 1 << 27  # characters; Python's own limit is 128 KiB
DELIMITERS = ",;\t|"


class Flaw:
    """A row that cannot be read, and why."""

    def __init__(self, why):
        self.why = why


class Table:
    """The rows of a step's argument; iterate over it once, for objects and Flaws.

    auth is the resource. value is a list of rows, or a file in any of the ways that
    scripts/sources.py knows: JSON Lines, a JSON array, or CSV whose first line names
    the columns. `total` is the number of rows where that is known before they are
    read, `first` are the first of them. Raises TogetherError when there is no row, and
    while iterating when the file cannot be read.
    """

    def __init__(self, auth, value, field="rows"):
        self.auth = auth
        self.field = field
        self.total = None
        self.read = 0
        self.size = None  # bytes of the file, where known
        self.position = 0
        self.new = ()  # columns that answers go to
        if isinstance(value, dict) and value.get("rows"):
            value = value["rows"]
        if isinstance(value, list):
            self.total = len(value)
            found = (_row(row, f"row {n}") for n, row in enumerate(value, 1))
        else:
            found = self.parse(value)
        self.first = list(islice(found, AHEAD))
        if not self.first:
            raise TogetherError.refused(field, "holds no row")
        if len(self.first) < AHEAD and self.total is None:
            self.total = len(self.first)
        self.rows = chain(self.first, found)

    def __iter__(self):
        for row in self.rows:
            self.read += 1
            yield row

    def share(self, done):
        """Return which part of all rows `done` rows are, 0 to 1, or None."""
        if self.total:
            return done / self.total
        if self.size and self.read:
            return min(1.0, self.position / self.size) * done / self.read
        return None

    def require(self, columns, field):
        """Raise TogetherError unless each column is in one of the first rows."""
        known = dict.fromkeys(chain.from_iterable(r for r in self.first if _is(r)))
        problems = [
            {"field": field, "problem": f"names the column {name!r}, which no row has"}
            for name in columns
            if not any(_is(row) and find(row, name) is not None for row in self.first)
            and name not in known
        ]
        if problems:
            listed = "; ".join(f"{p['field']} {p['problem']}" for p in problems)
            names = ", ".join(map(str, list(known)[:30])) or "none"
            raise TogetherError.refused_all(
                problems,
                f"{listed}. The columns are: {names}",
                advice="Correct the names of the columns and run the step again.",
            )

    def keep_free(self, column, reserved=(), field="answer_column"):
        """Raise TogetherError where answers in this column would overwrite something.

        It and the one that says why there is no answer must be new; `reserved` are
        names that the step itself gives. Rows after the first ones are looked at as
        they come: see `taken`.
        """
        self.new = (column, error_column(column))
        if column in reserved:
            raise self.not_free("which the step itself fills", field)
        for row in self.first:
            if own := self.taken(row):
                raise self.not_free(
                    f"but the rows have a column {own!r} already", field
                )

    def not_free(self, why, field="answer_column"):
        """Return the error for an answer column that is taken."""
        problem = f"is {self.new[0]!r}, {why}"
        return TogetherError.refused_all(
            [{"field": field, "problem": problem}],
            f"Answer column ({field}) {problem}",
            advice="Choose another name for the column of the answers.",
        )

    def taken(self, row):
        """Return the column of a row that its answer would overwrite, or None."""
        return next((name for name in self.new if _is(row) and name in row), None)

    def parse(self, value):
        """Yield the rows of a file."""
        if isinstance(value, str) and ("\n" in value or value.lstrip()[:1] in "{["):
            name, blocks = None, [value.encode()]  # what no base64 text looks like
        else:
            from . import sources

            source = sources.open(value, self.field, self.auth)
            name, self.size, blocks = source.name, source.length, source.blocks()
        lines = self.decoded(lines_of(self.counted(blocks)))
        head = []
        for line in lines:
            head.append(line)
            if line.strip():
                break
        else:
            return
        lines = chain(head, lines)
        kind = _kind(name, head[-1])
        if kind == "json":
            yield from self.array("".join(lines))
        elif kind == "csv":
            yield from _csv(lines, head[-1])
        else:
            yield from _json_lines(lines)

    def decoded(self, lines):
        """Yield the lines of a text in UTF-8."""
        encoding = "utf-8-sig"
        try:
            for line in lines:
                yield line.decode(encoding)
                encoding = "utf-8"
        except UnicodeDecodeError:
            raise TogetherError.refused(self.field, "is not text in UTF-8") from None

    def counted(self, blocks):
        for block in blocks:
            self.position += len(block)
            yield block

    def array(self, text):
        try:
            found = json.loads(text)
        except ValueError as error:
            raise TogetherError.refused(self.field, f"is not JSON: {error}") from None
        if not isinstance(found, list):
            raise TogetherError.refused(self.field, "must be a list of rows")
        self.total = len(found)
        yield from (_row(row, f"row {n}") for n, row in enumerate(found, 1))


class Template:
    """A text with {{column}} where a row's value goes."""

    def __init__(self, text, field="template"):
        parts = re.split(r"{{\s*([^{}]+?)\s*}}", text)
        self.texts, self.columns = parts[::2], parts[1::2]
        if not self.columns:
            raise TogetherError.refused(
                field, "names no column: write {{column}} where a row's value goes"
            )

    def fill(self, row):
        """Return the text for a row. Raises KeyError with a column that it lacks."""
        parts = [self.texts[0]]
        for name, text in zip(self.columns, self.texts[1:], strict=True):
            value = find(row, name)
            if value is None:
                if name not in row:
                    raise KeyError(name)
                value = ""
            elif value.__class__ is not str:
                value = json.dumps(value, ensure_ascii=False)
            parts += value, text
        return "".join(parts)


def lines_of(blocks):
    """Yield the lines of some blocks of bytes, each with its end."""
    rest = []
    for block in blocks:
        first, *more = bytes(block).split(b"\n")
        rest.append(first)
        for line in more:
            yield b"".join(rest) + b"\n"
            rest = [line]
    if rest := b"".join(rest):
        yield rest


def error_column(column):
    """Return the column that says why a row has nothing in its answer column."""
    return f"{column}_error"


def summary(lines):
    """Return the members by which Windmill shows a short text above a result."""
    return {"wm_renderer": "markdown", "markdown": "\n".join(lines)}


def digest(value):
    """Return 16 hexadecimal digits that stand for a JSON value."""
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def chat_text(answer):
    """Return the text of a chat completion, or None, and why it ended."""
    choices = answer.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        return None, "none given"
    message = choice.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    content = content if isinstance(content, str) else None
    return content or None, choice.get("finish_reason")


def find(row, name):
    """Return a column's value, or that of a member of a member named a.b; or None."""
    if name in row:
        return row[name]
    for part in name.split("."):
        if not isinstance(row, dict) or part not in row:
            return None
        row = row[part]
    return row


def _is(row):
    return not isinstance(row, Flaw)


def _row(value, where):
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        return {"text": value}
    return Flaw(f"{where} is no object")


def _kind(name, line):
    """Tell the format by the file's name, else by its first line."""
    ending = name.rsplit(".", 1)[-1].lower() if name and "." in name else ""
    start = line.lstrip()[:1]
    if start == "[":
        return "json"
    if ending in ("csv", "tsv") or start != "{":
        return "csv"
    return "jsonl"


def _json_lines(lines):
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            yield Flaw(f"line {number} is not JSON")
        else:
            yield _row(row, f"line {number}")


def _csv(lines, header):
    import csv

    csv.field_size_limit(CSV_CELL)
    delimiter = max(DELIMITERS, key=header.count)
    reader = csv.DictReader(lines, delimiter=delimiter)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Flaw(f"line {reader.line_num} is not CSV: {error}")
            continue
        if None in row:
            yield Flaw(f"line {reader.line_num} has more cells than columns")
        else:
            yield row
