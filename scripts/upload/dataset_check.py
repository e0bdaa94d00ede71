"""Check a dataset before it is uploaded: whole, in one reading, in constant memory.

Checker   takes the bytes of a file as they pass by, and says at their end what they are
check     the same for a file in any shape that scripts/transfer/file_input.py knows

What is looked at: the file is what its type says; text is UTF-8; each line of JSON
Lines is one object (blank ones are passed over, as the service does). Then, by purpose:

- fine-tune: all lines have one of the shapes `conversation` (messages), `instruction`
  (prompt and completion), `preference` (input, preferred_output and
  non_preferred_output) or `general` (text); messages have known roles and content.
- batch-api: `batch`: a custom_id, unique and at most 64 characters, and a body; at most
  50,000 lines and 100 MB.
- eval: `table`: JSON Lines, or CSV with a header and as many fields in each record.

Members and columns that are not known here are no mistake. The first mistakes are
reported together, each with its line and what to change. Limits and roles are those of
Together's documentation and of its Python library.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from itertools import pairwise

from ..client import TogetherError
from ..transfer.file_input import open_file
from ..transfer.filetypes import WORDS, file_like
from .service_limits import BATCH_BYTES, BATCH_LINES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from ..shapes import Auth, Json, Members, Problem

LINE_BYTES = 160 << 20  # ten pictures of 10 MB, as base64, and text
RECORD_CHARACTERS = 16 << 20  # of a record of CSV
CUT_OFF = "unexpected end of data"  # as csv says of a quotation that is open
REPORTED = 10  # mistakes that are told before the reading ends
MAX_ID = 64  # characters
ROLES = ("system", "user", "assistant", "tool")
NO_TEXT = (".zip", ".gz", ".parquet", ".pdf", ".xls")
COLUMNS = {
    "conversation": ("messages",),
    "instruction": ("prompt", "completion"),
    "preference": ("input", "preferred_output", "non_preferred_output"),
    "general": ("text",),
}


def check(
    file: Json,
    purpose: str,
    file_type: str = "jsonl",
    field: str = "file",
    auth: Auth | None = None,
) -> Members:
    """Read a file and return what it is: {"shape", "rows", "bytes", "columns"}.

    With "warnings", a list of texts, where the service may refuse it all the same.
    Raises TogetherError with its mistakes in `problems`.
    """
    checker = Checker(purpose, file_type, field)
    for block in open_file(file, field, auth).blocks():
        checker.feed(block)
    return checker.finish()


def flaws(row: Members) -> tuple[list[str], list[str]]:
    """Return what is wrong with one row of a fine-tuning file, and what the service's
    guide forbids; [] and [] if all is well."""
    checker = Checker("fine-tune")
    try:
        checker.example(row)
    except TogetherError:
        pass  # so many mistakes that it ends at once
    return [mistake["problem"] for mistake in checker.mistakes], checker.warnings


class Checker:
    """Looks at a file's bytes in order: feed each block, then finish."""

    def __init__(
        self, purpose: str, file_type: str = "jsonl", field: str = "file"
    ) -> None:
        self.purpose = purpose
        self.file_type = file_type
        self.field = field
        self.shape: str | None = None
        self.columns: list[str] | None = None
        self.rows = self.line = self.size = 0
        self.mistakes: list[Problem] = []
        self.warnings: list[str] = []
        self.ids: dict[str, int] = {}
        self.pieces: list[bytes] = []  # of a line that is not complete yet
        self.waiting = 0  # bytes in these pieces
        self.begun = False
        self.held: list[str] = []  # CSV from the start of a record that is not whole
        self.held_size = self.enough = 0  # characters of it, and when to look again
        self.edges = b""  # the first and last bytes of a Parquet file
        self.judge = {"fine-tune": self.example, "batch-api": self.request}.get(
            purpose, self.entry
        )
        if file_type == "csv" and purpose not in ("eval", "eval-sample"):
            problem = "must be JSON Lines or Parquet: CSV is for evaluations only"
            self.mistake(None, problem)
        if file_type == "parquet" and purpose in ("eval", "batch-api"):
            self.mistake(None, f"must be JSON Lines: no Parquet for {purpose}")

    def feed(self, block: bytes | memoryview) -> None:
        """Take the next bytes. Raises TogetherError once there are many mistakes."""
        self.size += len(block)
        if self.purpose == "batch-api" and self.size > BATCH_BYTES:
            problem = f"is larger than the {BATCH_BYTES >> 20} MB that a batch may have"
            self.mistake(None, f"{problem}: split it into several batches")
            self.refuse()
        if self.file_type == "parquet":
            both = self.edges + bytes(block)
            self.edges = both if len(both) <= 8 else both[:4] + both[-4:]
            return
        end = _last_break(block)
        if end < 0:
            self.hold(block)
            return
        whole = bytes(block[: end + 1])
        if self.pieces:
            whole = b"".join([*self.pieces, whole])
            self.pieces.clear()
            self.waiting = 0
        rest = block[end + 1 :]
        if rest:
            self.hold(rest)
        self.lines(whole)

    def hold(self, piece: bytes | memoryview) -> None:
        self.pieces.append(bytes(piece))
        self.waiting += len(piece)
        if self.waiting > LINE_BYTES:
            self.mistake(self.line + 1, f"is longer than {LINE_BYTES >> 20} MiB")
            self.refuse()

    def finish(self) -> Members:
        """Return {"shape", "rows", "bytes", "columns"}: what has been read.

        shape is None where the purpose asks for none; rows is None for Parquet. Raises
        TogetherError with every mistake found.
        """
        if self.pieces:
            self.lines(b"".join(self.pieces))
        if self.file_type == "csv":
            self.records("", True)
        if self.file_type == "parquet":
            marked = self.edges[:4] == b"PAR1" == self.edges[-4:]
            if self.size < 12 or not marked:
                self.mistake(None, "is no whole Parquet file")
        elif not self.rows and not self.mistakes:
            self.mistake(None, "is empty: it has no row")
        if self.mistakes:
            self.refuse()
        found = {
            "shape": self.shape,
            "rows": None if self.file_type == "parquet" else self.rows,
            "bytes": self.size,
            "columns": self.columns,
        }
        return {**found, "warnings": self.warnings} if self.warnings else found

    def mistake(self, line: int | None, problem: str) -> None:
        """Note what is wrong with a line, or with the file."""
        where = f"line {line} " if line else ""
        self.mistakes.append({"field": self.field, "problem": f"{where}{problem}"})
        if line:
            self.mistakes[-1]["line"] = line
        if len(self.mistakes) >= REPORTED:
            self.refuse("These are the first mistakes; there may be more. ")

    def warn(self, problem: str) -> None:
        """Note what the service's guide forbids, and its own library lets pass."""
        if len(self.warnings) < REPORTED:
            where = f"line {self.line} " if self.line else ""
            self.warnings.append(f"{where}{problem}")

    def refuse(self, more: str = "") -> NoReturn:
        listed = "; ".join(mistake["problem"] for mistake in self.mistakes)
        advice = "Correct the lines named, or set check to false to upload them so."
        raise TogetherError.refused_all(
            self.mistakes, f"{self.field} {listed}. {more}{advice}", advice=advice
        )

    # --- lines ---------------------------------------------------------------------

    def lines(self, text: bytes) -> None:
        """Look at whole lines."""
        if not self.begun:
            text = self.begin(text)
        try:
            decoded = text.decode()
        except UnicodeDecodeError as error:
            before = sum(piece.count("\n") for piece in self.held)
            before += text.count(b"\n", 0, error.start)
            start = text.rfind(b"\n", 0, error.start) + 1
            self.mistake(
                self.line + before + 1,
                f"is not UTF-8 at byte {error.start - start + 1}: save the file as "
                "UTF-8",
            )
            decoded = text.decode(errors="replace")
        if self.file_type == "csv":
            self.records(decoded, False)
            return
        for line in decoded.removesuffix("\n").split("\n"):
            self.line += 1
            if not line or line.isspace():
                continue
            try:
                row = _decode(line)
            except (ValueError, RecursionError) as error:
                self.mistake(self.line, _not_json(error, line))
                continue
            if row.__class__ is not dict:
                self.mistake(self.line, "must be a JSON object, such as {...}")
                continue
            self.rows += 1
            self.judge(row)

    def begin(self, text: bytes) -> bytes:
        """Look at how a file begins; return its text without a mark of byte order."""
        self.begun = True
        if ending := file_like(text, *NO_TEXT):
            wanted = "CSV" if self.file_type == "csv" else "JSON Lines"
            self.mistake(None, f"is {WORDS[ending]}: save it as {wanted} in UTF-8")
            self.refuse()
        if not text.startswith(b"\xef\xbb\xbf"):
            return text
        self.mistake(1, "begins with a byte order mark: save it as UTF-8 without")
        return text[3:]

    def records(self, text: str, last: bool) -> None:
        """Look at records of CSV; one may go over several lines, and over blocks.

        A record that is not whole yet is read from its start once there is twice as
        much of it: at every block, a long one would be read over and over.
        """
        self.held.append(text)
        self.held_size += len(text)
        wait = self.held_size < self.enough and self.held_size <= RECORD_CHARACTERS
        if wait and not last:
            return
        text = "".join(self.held)
        rest = text[self.whole_records(text, last) :]
        self.held, self.held_size, self.enough = [rest], len(rest), 2 * len(rest)
        if len(rest) > RECORD_CHARACTERS:
            self.mistake(self.line + 1, "opens a quotation that does not end")
            self.refuse()

    def whole_records(self, text: str, last: bool) -> int:
        """Look at the records of a text, up to one whose quotation goes on behind it;
        return where that begins."""
        csv.field_size_limit(
            RECORD_CHARACTERS
        )  # of the whole process; 128 Ki otherwise
        lines = io.StringIO(text, newline="")
        reader = csv.reader(lines, strict=True)
        first = self.line
        while True:
            start, line = lines.tell(), first + reader.line_num + 1
            try:
                record = next(reader, None)
            except csv.Error as error:
                if str(error) == CUT_OFF and not last:
                    return start
                self.mistake(line, f"is no CSV: {error}")
                self.refuse()
            self.line = first + reader.line_num
            if record is None:
                return len(text)
            if record:
                self.record(record, line)

    def record(self, record: list[str], line: int) -> None:
        """A record of CSV, the first of which names the columns."""
        if self.columns is None:
            self.header(record)
            return
        self.rows += 1
        self.shape = "table"
        if len(record) != len(self.columns):
            wanted = f"{len(self.columns)} fields, as the header has"
            self.mistake(line, f"must have {wanted} (got {len(record)})")

    def header(self, record: list[str]) -> None:
        self.columns = record
        for sign, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if len(record) == 1 and sign in record[0]:
                problem = f"is separated by {name}: the service reads commas only"
                self.mistake(1, problem)
                return
        times = Counter(record)
        for name in record:
            if not name.strip() or times[name] > 1:
                problem = "must give each column a name of its own"
                self.mistake(1, f"{problem} (got {name[:40]!r})")
                return

    # --- rows, by purpose ----------------------------------------------------------

    def entry(self, row: Members) -> None:
        """A row of an evaluation, or of a file for anything else."""
        if not row:
            self.mistake(self.line, "is an empty object: give it columns or remove it")
        if self.columns is None:
            self.columns = list(row)
            self.shape = "table" if self.purpose.startswith("eval") else None
        elif len(row) != len(self.columns) or row.keys() != set(self.columns):
            # A template that names a column meets it in every row only if all have it.
            self.columns = [name for name in self.columns if name in row]

    def request(self, row: Members) -> None:
        """A row of a batch."""
        self.shape, self.columns = "batch", ["custom_id", "body"]
        if self.rows == BATCH_LINES + 1:
            problem = f"is one of more than {BATCH_LINES} that a batch may have"
            self.mistake(self.line, f"{problem}: split the file")
            self.refuse()
        name = row.get("custom_id")
        if not isinstance(name, str) or not name:
            self.mistake(self.line, "must have a custom_id that is text")
        elif len(name) > MAX_ID:
            problem = f"has a custom_id of {len(name)} characters: at most {MAX_ID} fit"
            self.mistake(self.line, problem)
        elif name in self.ids:
            problem = f"has the custom_id {name!r} of line {self.ids[name]}"
            self.mistake(self.line, f"{problem}: each needs its own")
        else:
            self.ids[name] = self.line
        body = row.get("body")
        if body.__class__ is not dict or not body:
            self.mistake(self.line, "must have a body: the request, an object")

    def example(self, row: Members) -> None:
        """A row of a fine-tuning file."""
        shape = self.shape
        if shape is None:
            shape = self.shape_of(row)
            if shape is None:
                return
            self.shape, self.columns = shape, list(row)
        both = [name for name in ("messages", "text") if name in row]
        if len(both) > 1 or ("text" in row and "prompt" in row and "completion" in row):
            self.mistake(self.line, "has two formats in one row: leave one of them out")
            return
        for name in COLUMNS[shape]:
            if name not in row:
                other = self.shape_of(row, quiet=True)
                problem = f"must have {name}" if other is None else f"is {other}"
                self.mistake(self.line, f"{problem}: the first row is {shape}")
                return
        if shape == "conversation":
            self.conversation(row["messages"], "messages")
        elif shape == "preference":
            self.preference(row)
        else:
            for name in COLUMNS[shape]:
                self.text(row[name], name)

    def shape_of(self, row: Members, quiet: bool = False) -> str | None:
        """Return the shape that a row has, by its columns."""
        for shape, names in COLUMNS.items():
            if all(name in row for name in names):
                return shape
        if not quiet:
            ways = " or ".join(" and ".join(names) for names in COLUMNS.values())
            self.mistake(self.line, f"must have the columns {ways}")
        return None

    def text(self, value: Json, name: str) -> None:
        if value.__class__ is not str and not isinstance(value, list):
            self.mistake(self.line, f"must have text in {name}")
        elif not value:
            self.mistake(self.line, f"has an empty {name}")

    def conversation(
        self, messages: Json, name: str, learned: bool | None = True
    ) -> None:
        """Messages; where something is learned from them, an assistant must speak, and
        in turn unless `learned` is None."""
        if messages.__class__ is not list or not messages:
            self.mistake(self.line, f"must have a list of messages in {name}")
            return
        spoken = False
        unlearned = 0
        turns = []
        for number, message in enumerate(messages):
            if message.__class__ is not dict:
                self.mistake(self.line, f"{name}[{number}] must be an object")
                return
            role = message.get("role")
            if role not in ROLES:
                wanted = ", ".join(ROLES)
                problem = f"{name}[{number}].role must be one of {wanted}"
                self.mistake(self.line, f"{problem} (got {json.dumps(role)[:40]})")
                return
            turns.append(role)
            content = message.get("content")
            if content.__class__ is not str:
                self.content(message, content, f"{name}[{number}]")
            calls = message.get("tool_calls")
            if calls and not _are_objects(calls):
                problem = f"{name}[{number}].tool_calls must be a list of objects"
                self.mistake(self.line, problem)
            if role == "assistant":
                spoken = True
                weight = message.get("weight", 1)
                if weight not in (0, 1) or weight.__class__ is bool:
                    self.mistake(self.line, f"{name}[{number}].weight must be 0 or 1")
                unlearned += weight == 0
        if learned:
            self.order(turns, name)
            if spoken and unlearned == turns.count("assistant"):
                self.warn(f"{name} has weight 0 throughout: nothing is learned from it")
        if learned is not False and not spoken:
            problem = f"{name} has no message of the role assistant to learn from"
            self.mistake(self.line, problem)

    def order(self, roles: list[str], name: str) -> None:
        """Who speaks when: the guide wants system or user first, then turn by turn."""
        turns = roles[1:] if roles[0] == "system" else roles
        if turns[:1] == ["assistant"]:
            self.warn(f"{name} begins with the assistant: the guide wants a user first")
            return
        for before, after in pairwise(turns):
            if before == after != "tool":
                self.warn(f"{name} has two messages of the {after} in a row")
                return

    def content(self, message: Members, content: Json, place: str) -> None:
        """Content that is no text: parts, or none beside the calls of tools."""
        if content is None:
            if not message.get("tool_calls"):
                self.mistake(self.line, f"{place} must have content")
        elif content.__class__ is not list:
            problem = f"{place}.content must be text or a list of parts"
            self.mistake(self.line, problem)
        else:
            for number, part in enumerate(content):
                if part.__class__ is not dict or not isinstance(part.get("type"), str):
                    problem = f"{place}.content[{number}] must be an object with a type"
                    self.mistake(self.line, problem)
                    return

    def preference(self, row: Members) -> None:
        given = row["input"]
        if given.__class__ is not dict:
            self.mistake(self.line, 'must have {"messages": [...]} in input')
            return
        self.conversation(given.get("messages"), "input.messages", learned=False)
        for name in ("preferred_output", "non_preferred_output"):
            answers = row[name]
            if answers.__class__ is not list or len(answers) != 1:
                self.mistake(self.line, f"must have one message in {name}")
                continue
            self.conversation(answers, name, learned=None)


def _are_objects(values: Json) -> bool:
    return isinstance(values, list) and all(isinstance(v, dict) for v in values)


def _last_break(block: bytes | memoryview) -> int:
    """Return the place of the last line break in bytes or a memoryview, or -1."""
    if isinstance(block, memoryview):
        # A memoryview has no rfind, and most lines are far shorter than a block.
        for size in (1 << 14, len(block)):
            start = max(0, len(block) - size)
            found = bytes(block[start:]).rfind(b"\n")
            if found >= 0:
                return start + found
        return -1
    return block.rfind(b"\n")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_decode = json.JSONDecoder(parse_constant=_refuse_constant).decode


def _not_json(error: Exception, line: str) -> str:
    told = error if isinstance(error, json.JSONDecodeError) else None
    words = told.msg if told else str(error)
    if isinstance(error, RecursionError):
        words = "it is nested too deeply"
    if line.lstrip().startswith(("[", "{")) and "Expecting" in words:
        words += "; each line must be one whole JSON object"
    place = f" at character {told.colno}" if told else ""
    return f"is no JSON: {words}{place}"
