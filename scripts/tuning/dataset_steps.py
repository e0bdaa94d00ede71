"""From whatever rows there are to files that a fine-tune can be begun with.

A row is turned into one of the shapes that the service trains on
(upload/dataset_check.py says which): conversations as they are or in ShareGPT's form,
questions and answers, instructions with an input, prompts with completions, plain text,
and pairs of a preferred answer and another. Rows are read and written one at a time.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
from collections import Counter
from pathlib import Path

from ..catalog.pricing import tokens
from ..client import TogetherError, prepare
from ..client.jsonio import RESULT_LIMIT
from ..table.table import Flaw, Table, digest, summary
from ..workspace.markup import inline
from ..workspace.storage import write_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO, TypeAlias

    from ..shapes import Auth, Json, Members, Problem, Step

    Converted: TypeAlias = tuple[str, Members, set[str]]
    """The shape of a row, the row itself, the names of the columns it is made of."""


REPORTED = 20  # rows that cannot be used and are told one by one
NAMED = 3  # of them, in the summary
KINDS = {  # of rows, in words
    "conversation": "a conversation",
    "instruction": "a prompt with its completion",
    "preference": "a preferred and another answer",
    "general": "plain text",
}
REMEMBERED = 500_000  # rows among which a repetition is noticed; 16 bytes each
SPEAKERS = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
}
# Columns that hold a question and its answer, the first pair that a row has counts.
PAIRS = (
    ("instruction", "output"),
    ("instruction", "response"),
    ("question", "answer"),
    ("prompt", "response"),
    ("query", "response"),
    ("input", "output"),
)


def prepare_dataset(auth: Auth, step: Step, **arguments: Json) -> Json:
    """Check, convert and split rows, and hand them on as training files.

    Returns {"shape", "statistics", "unused_columns": names of columns that nothing
    was made of, "warnings": rows that the service may refuse, "problems": rows that
    were left out, and by `output`
    "training_file", "validation_file": ids of the uploaded files; "training",
    "validation": stored objects, or the rows themselves}; a validation part without a
    row is None. Raises TogetherError, with the rows in its `problems`, when rows cannot
    be used and skip_bad is off.
    """
    given = prepare(step, arguments)
    with tempfile.TemporaryDirectory(prefix="dataset-") as folder:
        paths = [Path(folder, name) for name in ("training.jsonl", "validation.jsonl")]
        found = _Preparation(given)
        with paths[0].open("wb") as training, paths[1].open("wb") as validation:
            found.work(Table(auth, given["dataset"], "dataset"), training, validation)
        found.judge()
        parts = [path if path.stat().st_size else None for path in paths]
        handed_on = _hand_on(auth, given, parts)
        if given["output"] == "table":
            return handed_on
        report = found.report()
        return {**summary(_lines(report, given)), **report, **handed_on}


PLACES = {
    "upload": "uploaded to the service: `training_file` and `validation_file`",
    "storage": "in the workspace's storage: `training` and `validation`",
    "result": "`training` and `validation` of this result",
}


def _lines(report: Members, given: Members) -> list[str]:
    """Return the lines of the result's summary in Markdown."""
    counts = report["statistics"]
    bad = counts["unusable_rows"]
    head = f"{counts['rows'] - bad} of {counts['rows']} rows can be used"
    lines = [
        f"**{head}{f', {bad} were left out' if bad else ''}.**",
        "",
        f"- Training rows: {counts['training_rows']}, validation rows: "
        f"{counts['validation_rows']}, repeated ones left out: "
        f"{counts['repeated_rows']}",
        f"- About {counts['estimated_tokens']} tokens",
    ]
    if report["unused_columns"]:
        names = ", ".join(map(inline, map(str, report["unused_columns"])))
        lines.append(f"- Columns that are not used: {names}")
    lines += [
        f"- {inline(one['field'])}: {inline(one['problem'])}"
        for one in [*report["problems"], *report["warnings"]][:NAMED]
    ]
    return [*lines, f"- The rows: {PLACES[given['output']]}"]


class _Preparation:
    """Reads the rows of one dataset; what it counts is the report."""

    def __init__(self, given: Members) -> None:
        self.given = given
        self.random = random.Random(given["seed"])
        self.shape: str | None = None
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.bad = self.repeated = self.rows = self.kept = self.held_back = 0
        self.tokens = self.longest = self.turns = 0
        self.seen: set[str] = set()
        # Columns, by the number of rows in which nothing reads them.
        self.unused: Counter[str] = Counter()

    def work(self, table: Table, training: BinaryIO, validation: BinaryIO) -> None:
        from ..upload.dataset_check import flaws  # only where a dataset is prepared

        for row in table:
            self.rows += 1
            try:
                if isinstance(row, Flaw):
                    raise ValueError(row.why)
                shape, example, used = converted(row, self.given.get("system"))
                wrong, warnings = flaws(example)
                if wrong:
                    raise ValueError("; ".join(wrong))
                if self.shape not in (None, shape):
                    raise ValueError(
                        f"is {KINDS[shape]}, while the rows before it are "
                        f"{KINDS[self.shape]}: all of a dataset must be of one kind"
                    )
            except ValueError as error:
                self.bad += 1
                if len(self.problems) < REPORTED:
                    field = f"dataset[{self.rows - 1}]"
                    self.problems.append({"field": field, "problem": str(error)})
                continue
            mark = digest(example)
            if mark in self.seen:
                self.repeated += 1
                continue
            if len(self.seen) < REMEMBERED:
                self.seen.add(mark)
            self.shape = shape
            self.kept += 1
            self.warn(warnings)
            self.unused.update(name for name in row if name not in used)
            line = json.dumps(example, ensure_ascii=False).encode("utf-8", "replace")
            held_back = self.random.random() < self.given["validation_share"]
            self.held_back += held_back
            (validation if held_back else training).write(line + b"\n")
            self.count(example)

    def warn(self, warnings: list[str]) -> None:
        for problem in warnings:
            if len(self.warnings) < REPORTED:
                field = f"dataset[{self.rows - 1}]"
                self.warnings.append({"field": field, "problem": problem})

    def count(self, made: Members) -> None:
        size = tokens("".join(_texts(made)))
        self.tokens += size
        self.longest = max(self.longest, size)
        self.turns += len(made.get("messages", ()))

    def judge(self) -> None:
        """Raise TogetherError when there is nothing, or something bad, to hand on."""
        if self.bad and not self.given.get("skip_bad"):
            listed = "; ".join(
                f"{p['field']} {p['problem']}" for p in self.problems[:5]
            )
            raise TogetherError.refused_all(
                self.problems,
                f"{self.bad} of {self.rows} rows cannot be used: {listed}",
                advice="Correct these rows, or turn on skip_bad to leave them out.",
            )
        if self.kept == self.held_back:
            problem = "has no row to train on"
            raise TogetherError.refused_all(
                [{"field": "dataset", "problem": problem}, *self.problems],
                f"dataset {problem}.",
                advice="Give more rows, or a smaller validation_share.",
            )

    def report(self) -> Members:
        conversations = self.shape in ("conversation", "preference")
        return {
            "shape": self.shape,
            "statistics": {
                "rows": self.rows,
                "training_rows": self.kept - self.held_back,
                "validation_rows": self.held_back,
                "repeated_rows": self.repeated,
                "unusable_rows": self.bad,
                "estimated_tokens": self.tokens,
                "longest_row_tokens": self.longest,
                "average_row_tokens": round(self.tokens / self.kept, 1),
                "average_messages": round(self.turns / self.kept, 2)
                if conversations and self.turns
                else None,
            },
            "unused_columns": [name for name, _ in self.unused.most_common(REPORTED)],
            "warnings": self.warnings,
            "problems": self.problems,
        }


def _texts(value: Json) -> Iterator[str]:
    """Yield every text within a row: what a model reads of it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _hand_on(auth: Auth, given: Members, parts: list[Path | None]) -> Json:
    """Return where the two files went."""
    names = ("training", "validation")
    if given["output"] in ("result", "table"):
        found = None
        if sum(os.path.getsize(path) for path in parts if path) <= RESULT_LIMIT:
            found = _in_result(given["output"], dict(zip(names, parts, strict=True)))
        if len(json.dumps(found, ensure_ascii=False).encode()) > RESULT_LIMIT:
            found = None
        if found is None:
            raise TogetherError(
                f'output "{given["output"]}" cannot hold so many rows.',
                type="invalid_argument",
                problems=[{"field": "output", "problem": "must be another"}],
                ambiguous=False,
                advice="Choose the workspace's storage or an upload.",
            )
        return found
    title = given.get("name") or "dataset"
    handed_on: Members = {}
    for name, path in zip(names, parts, strict=True):
        filename = f"{title}-{name}.jsonl"
        if given["output"] == "storage":
            handed_on[name] = path and _store(path, filename)
        else:
            handed_on[f"{name}_file"] = path and _upload(auth, path, filename)
    return handed_on


def _in_result(output: str, parts: dict[str, Path | None]) -> Json:
    """Return the rows of the files by their names, as the result holds them."""
    found = {name: _rows(path) for name, path in parts.items()}
    if output == "result":
        return found
    return [{"split": name, **row} for name in found for row in found[name] or ()]


def _rows(path: Path | None) -> list[Members] | None:
    if path is None:
        return None
    # Not splitlines, which ends a line at U+2028 too, within a text.
    with path.open(encoding="utf-8", newline="\n") as lines:
        return [json.loads(line) for line in lines]


def _store(path: Path, filename: str) -> Members:
    from ..transfer.file_input import open_file  # only where it is stored

    kind = "application/jsonl"
    content = open_file(path, "dataset")
    return write_object(content, filename=filename, content_type=kind)


def _upload(auth: Auth, path: Path, filename: str) -> str:
    from ..upload.file_upload import store_file  # only where a file goes up

    return store_file(auth, path, "fine-tune", filename, "jsonl")["id"]


# --- one row -----------------------------------------------------------------------


EMPTY: tuple[Json, ...] = ("", [], {}, None)


def conversation(row: Members, system: str | None = None) -> tuple[str, Members]:
    """Return (shape, row as the service trains on it) of any row that is known.

    `system` is put before conversations that have no system message. Raises ValueError
    that says what the row lacks.
    """
    return converted(row, system)[:2]


def converted(row: Members, system: str | None = None) -> Converted:
    """Return (shape, row, the names of the columns that went into it); see above."""
    own = _words(row, "system") or _words(row, "system_prompt")
    used = {"system" if _words(row, "system") else "system_prompt"} if own else set()
    for read in READERS:
        found = read(row, own or system)
        if found:
            shape, made, names = found
            return shape, made, used | names
    if empty := _empty(row):
        raise ValueError(f"has nothing in {' and '.join(empty)}")
    shown = list(row)[:8]
    known = ", ".join(f"{n}{_lacking(row[n])}" for n in shown) or "nothing"
    raise ValueError(
        "must have messages, a question and an answer, prompt and completion, a "
        f"preferred and another answer, or text that is not empty (it has {known})"
    )


def _lacking(value: Json) -> str:
    """Say why a column is no text that is read, "" where it is one."""
    if value in EMPTY or (isinstance(value, str) and not value.strip()):
        return " (empty)"
    text = isinstance(value, str | int | float) and not isinstance(value, bool)
    return "" if text else " (no text)"


def _empty(row: Members) -> list[str]:
    """Return the columns that are empty, where with words in them the row would do."""
    blank = {
        name: one in EMPTY or (isinstance(one, str) and not one.strip())
        for name, one in row.items()
        if name not in LABELS
    }
    filled = {name: "words" if blank.get(name) else row[name] for name in row}
    for read in READERS:
        try:
            found = read(filled, None)
        except ValueError:
            continue
        if found:
            return [name for name in row if name in found[2] and blank.get(name)]
    return []


def _words(row: Members, name: str) -> str | None:
    """Return the text of a column, of a number too; None where there is none."""
    value = row.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return json.dumps(value)
    return value if isinstance(value, str) and value.strip() else None


def _conversation(row: Members, system: str | None) -> Converted | None:
    name = "messages" if row.get("messages") else "conversations"
    if "messages" not in row and "conversations" not in row:
        return None
    made = {"messages": _with_system(_messages(row.get(name)), system)}
    if not any(message["role"] == "assistant" for message in made["messages"]):
        raise ValueError("has no message of an assistant to learn from")
    used = {"messages", "conversations", "tools", *_refuse_bad(row)}
    if row.get("tools"):
        made["tools"] = _tools(row["tools"])
    return "conversation", made, used


def _tools(value: Json) -> Json:
    """Return the tools of a conversation, which a table may hold as JSON."""
    tools = _json_of_cell(value, "tools") if isinstance(value, str) else value
    if not isinstance(tools, list):
        raise ValueError("has tools that are no list")
    return tools


def _pair(row: Members, system: str | None) -> Converted | None:
    """A prompt and its completion: texts, or the messages of one conversation."""
    names = ("prompt", "completion")
    row = {**row, **{name: _with_messages(row.get(name)) for name in names}}
    if all(isinstance(row.get(name), list) for name in names):
        completion = _messages(row["completion"], "completion")
        if not any(message["role"] == "assistant" for message in completion):
            raise ValueError("has a completion without a message of an assistant")
        messages = _messages(row["prompt"], "prompt") + completion
        used = {*names, *_refuse_bad(row)}
        return "conversation", {"messages": _with_system(messages, system)}, used
    texts = {name: _words(row, name) for name in names}
    if not all(texts.values()):
        return None
    used = {*names, *_refuse_bad(row)}
    if _words(row, "system") or _words(row, "system_prompt"):
        asked = [{"role": "user", "content": texts["prompt"]}]
        said = [{"role": "assistant", "content": texts["completion"]}]
        made = {"messages": _with_system([*asked, *said], system)}
        return "conversation", made, used
    return "instruction", texts, used


# Columns that say whether an answer is a good one. A label may be anything else, too,
# such as the subject of a question: then it is a column that nothing is made of.
LABELS = ("label", "desirable", "is_correct")
YES = ("true", "t", "yes", "y", "1", "1.0", "desirable")
NO = ("false", "f", "no", "n", "0", "0.0", "undesirable")


def _yes_or_no(value: Json) -> bool | None:
    """Return what a cell says that may be written as text or number, too; None for what
    is neither yes nor no."""
    text = str(value).strip().lower()
    return True if text in YES else False if text in NO else None


def _refuse_bad(row: Members, names: tuple[str, ...] = LABELS) -> set[str]:
    """Return the columns that say of an answer whether it is a good one.

    One that says that it is a bad one must not be learned from, nor one of which that
    cannot be told: a ValueError.
    """
    told = {name for name in names if name in row}
    for name in [name for name in names if name in told]:
        value = row[name]
        good = _yes_or_no(value)
        if good is False:
            raise ValueError(
                f"says {name}: {value!r}, of an answer not to be learned: give such "
                "rows as pairs of a chosen and a rejected answer, or leave that column out"
            )
        if good or value in EMPTY or (isinstance(value, str) and not value.strip()):
            continue
        if name != "label":
            raise ValueError(
                f"says {name}: {str(value)[:40]!r}, which is neither yes nor no: write "
                "true or false, or leave that column out"
            )
        told.remove(name)
    return told


def _question_and_answer(row: Members, system: str | None) -> Converted | None:
    """A question and its answer, with what belongs to them."""
    for question, answer in PAIRS:
        asked, said = _words(row, question), _words(row, answer)
        if not asked or not said:
            continue
        used = {question, answer, *_refuse_bad(row)}
        more = _words(row, "input") if question == "instruction" else None
        if more:
            asked = f"{asked}\n\n{more}"
            used.add("input")
        context = _words(row, "context")
        if context:
            asked = f"{context}\n\n{asked}"
            used.add("context")
        before = _history(row.get("history"))
        if before:
            used.add("history")
        messages = [
            *before,
            {"role": "user", "content": asked},
            {"role": "assistant", "content": said},
        ]
        return "conversation", {"messages": _with_system(messages, system)}, used
    return None


def _history(turns: Json) -> list[Members]:
    """Return the messages of earlier questions, each with its answer."""
    if isinstance(turns, str):
        turns = _json_of_cell(turns, "history") if turns.strip() else None
    if not turns:
        return []
    messages = []
    for turn in turns if isinstance(turns, list) else [None]:
        if (
            not isinstance(turn, list)
            or len(turn) != 2
            or not all(isinstance(text, str) and text.strip() for text in turn)
        ):
            raise ValueError("has a history that is no list of questions with answers")
        messages.append({"role": "user", "content": turn[0]})
        messages.append({"role": "assistant", "content": turn[1]})
    return messages


def _text_alone(row: Members, system: str | None) -> Converted | None:
    text = _words(row, "text")
    if not text:
        return None
    # The label of a text alone is what kind of text it is: 0 is one of the kinds.
    judged = _refuse_bad(row, ("desirable", "is_correct"))
    return "general", {"text": text}, {"text", *judged}


def _with_system(messages: list[Members], system: str | None) -> list[Members]:
    if system and messages[0]["role"] != "system":
        return [{"role": "system", "content": system}, *messages]
    return messages


def _json_of_cell(text: str, name: str) -> Json:
    """Return what a cell of CSV holds."""
    try:
        return json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError):
        raise ValueError(f"has {name} that are not JSON") from None


def _no_json(name: str) -> Json:
    raise ValueError(name)


def _messages(found: Json, name: str = "messages") -> list[Members]:
    """Return messages as the API has them, ShareGPT's from and value translated."""
    if isinstance(found, str):
        found = _json_of_cell(found, name)
    if not isinstance(found, list) or not found:
        raise ValueError(f"has no {name}")
    messages = []
    for number, message in enumerate(found):
        place = f"{name}[{number}]"
        if not isinstance(message, dict):
            raise ValueError(f"{place} must be an object")
        said = _role_of(message)
        if said not in SPEAKERS:
            problem = f"has the unknown role {said[:40]!r}" if said else "has no role"
            raise ValueError(f"{place} {problem}")
        if "from" in message:
            content = message.get("value")
            message = {k: v for k, v in message.items() if k not in ("from", "value")}
            message["content"] = content
        if message.get("function_call"):
            raise ValueError(f"{place} has a function_call: write it as tool_calls")
        if isinstance(message.get("tool_calls"), list):
            calls = [_call_of(one) for one in message["tool_calls"]]
            message = {**message, "tool_calls": calls}
        if "weight" in message:
            message = _weighed(message)
        silent = SPEAKERS[said] == "tool" and message.get("content") == ""
        if not message.get("content") and not message.get("tool_calls") and not silent:
            raise ValueError(f"{place} says nothing")
        messages.append({**message, "role": SPEAKERS[said]})
    return messages


def _with_messages(cell: Json) -> Json:
    """Return the list of messages that a table's cell holds as JSON, also of one alone,
    and any other cell as it is: an answer may itself be JSON."""
    if not isinstance(cell, str) or cell.lstrip()[:1] not in ("[", "{"):
        return cell
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        return cell
    messages = value if isinstance(value, list) else [value]
    are_messages = messages and all(
        isinstance(one, dict)
        and _role_of(one) in SPEAKERS
        and ("content" in one or "value" in one)
        for one in messages
    )
    return messages if are_messages else cell


def _role_of(message: Members) -> str:
    """Return the word by which a message says whose it is, in small letters, "" where
    none does."""
    role = message.get("role", message.get("from"))
    return "" if role is None else str(role).lower()


def _weighed(message: Members) -> Members:
    """Return a message whose weight, whether it is learned from, is 0 or 1: a table may
    hold it as text, or as yes and no, and null where a message has none."""
    weight = message["weight"]
    learned = _yes_or_no(weight)
    if learned is not None:
        return {**message, "weight": int(learned)}
    if weight is None or (isinstance(weight, str) and not weight.strip()):
        return {name: value for name, value in message.items() if name != "weight"}
    return message  # which the check of the row refuses


def _call_of(call: Json) -> Json:
    """Return a call of a tool, whose arguments are JSON as text."""
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(
        function.get("arguments"), dict
    ):
        return call
    arguments = json.dumps(function["arguments"], ensure_ascii=False)
    return {**call, "function": {**function, "arguments": arguments}}


def _preference(row: Members, system: str | None) -> Converted | None:
    """A pair of answers to one question."""
    for names in (("preferred_output", "non_preferred_output"), ("chosen", "rejected")):
        if all(row.get(name) is not None for name in names):
            break
    else:
        return None
    used = {*names}
    better, worse = (_with_messages(row[name]) for name in names)
    wanted = "must have a question, a preferred answer and another one"
    before = _before(better)
    if before and before != _before(worse):
        raise ValueError("has two conversations that differ before their last message")
    tools = row.get("tools")
    if before:
        # Whole conversations that differ in their last word.
        question = before
        used |= {"prompt", "messages", "conversations"}
    else:
        name = next((n for n in QUESTIONS if row.get(n)), "prompt")
        used.add(name)
        asked = _with_messages(row.get(name))
        if isinstance(asked, dict):
            tools = asked.get("tools") or tools
            asked = asked.get("messages")
        if isinstance(asked, str) and name not in ("messages", "conversations"):
            asked = [{"role": "user", "content": asked}] if asked.strip() else None
        if not asked:
            raise ValueError(wanted)
        question = _messages(asked, name)
        if question[-1]["role"] == "assistant":
            question = question[:-1]  # one of the two answers
    answers = [_answer(better, names[0]), _answer(worse, names[1])]
    if not question or not all(answers):
        raise ValueError(wanted)
    if answers[0] == answers[1]:
        raise ValueError("has the same answer twice, of which none is better")
    answered_to: Members = {"messages": _with_system(question, system)}
    if tools:
        answered_to["tools"] = _tools(tools)
        used.add("tools")
    made = {
        "input": answered_to,
        "preferred_output": [answers[0]],
        "non_preferred_output": [answers[1]],
    }
    return "preference", made, used


# Columns that hold what the two answers of a pair are to.
QUESTIONS = ("input", "prompt", "question", "instruction", "messages", "conversations")


def _before(answer: Json) -> list[Members]:
    """Return what a whole conversation has before its last message."""
    if not isinstance(answer, list) or len(answer) < 2:
        return []
    return _messages(answer[:-1])


def _answer(value: Json, name: str) -> Members | None:
    """Return the assistant's message that a column of a preference ends with, or None.
    Raises ValueError where that message is somebody else's."""
    if isinstance(value, list):
        value = value[-1] if value else None
    if isinstance(value, dict):
        role = _role_of(value)
        # A message that does not say whose it is stands where an answer is given.
        if role and SPEAKERS.get(role) != "assistant":
            raise ValueError(
                f"has {name} that ends with a message of role {role[:40]!r}: its last "
                "message must be the assistant's"
            )
        value = value.get("content", value.get("value"))
    if isinstance(value, str) and value.strip():
        return {"role": "assistant", "content": value}
    return None


# What reads a row, in this order.
READERS = (_preference, _conversation, _pair, _question_and_answer, _text_alone)
