"""From whatever rows there are to files that a fine-tune can be begun with.

A row is turned into one of the shapes that the service trains on (datasets.py says
which): conversations as they are or in ShareGPT's form, questions and answers,
instructions with an input, prompts with completions, plain text, and pairs of a
preferred answer and another. Rows are read and written one at a time.
"""

import json
import os
import random
import tempfile
from pathlib import Path

from .client import TogetherError, prepare
from .costs import tokens
from .escaping import inline
from .tabular import Flaw, Table, digest, summary

__all__ = ["conversation", "prepare_dataset"]

REPORTED = 20  # rows that cannot be used and are told one by one
NAMED = 3  # of them, in the summary
REMEMBERED = 500_000  # rows among which a repetition is noticed; 16 bytes each
MOST_RESULT = 1_500_000  # bytes of rows that are handed back in the result
SPEAKERS = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "system": "system",
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


def prepare_dataset(auth, step, **arguments):
    """Check, convert and split rows, and hand them on as training files.

    Returns {"shape", "statistics", "problems": rows that were left out, and by `output`
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
        handed_on = _handed_on(auth, given, parts)
        if given["output"] == "table":
            return handed_on
        report = found.report()
        return {**summary(_lines(report, given)), **report, **handed_on}


PLACES = {
    "upload": "uploaded to the service: `training_file` and `validation_file`",
    "storage": "in the workspace's storage: `training` and `validation`",
    "result": "`training` and `validation` of this result",
}


def _lines(report, given):
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
    lines += [
        f"- {inline(one['field'])}: {inline(one['problem'])}"
        for one in report["problems"][:NAMED]
    ]
    return [*lines, f"- The rows: {PLACES[given['output']]}"]


class _Preparation:
    """Reads the rows of one dataset; what it counts is the report."""

    def __init__(self, given):
        self.given = given
        self.random = random.Random(given["seed"])
        self.shape = None
        self.problems = []
        self.bad = self.repeated = self.rows = self.kept = self.held_back = 0
        self.tokens = self.longest = self.turns = 0
        self.seen = set()

    def work(self, table, training, validation):
        for row in table:
            self.rows += 1
            try:
                if isinstance(row, Flaw):
                    raise ValueError(row.why)
                shape, made = conversation(row, self.given.get("system"))
                if self.shape not in (None, shape):
                    raise ValueError(f"is {shape}, while the rows before are not")
            except ValueError as error:
                self.bad += 1
                if len(self.problems) < REPORTED:
                    field = f"dataset[{self.rows - 1}]"
                    self.problems.append({"field": field, "problem": str(error)})
                continue
            mark = digest(made)
            if mark in self.seen:
                self.repeated += 1
                continue
            if len(self.seen) < REMEMBERED:
                self.seen.add(mark)
            self.shape = shape
            self.kept += 1
            line = json.dumps(made, ensure_ascii=False).encode("utf-8", "replace")
            held_back = self.random.random() < self.given["validation_share"]
            self.held_back += held_back
            (validation if held_back else training).write(line + b"\n")
            self.count(made, line)

    def count(self, made, line):
        size = tokens("".join(_texts(made)))
        self.tokens += size
        self.longest = max(self.longest, size)
        self.turns += len(made.get("messages", ()))

    def judge(self):
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

    def report(self):
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
            "problems": self.problems,
        }


def _texts(value):
    """Yield every text within a row: what a model reads of it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _handed_on(auth, given, parts):
    """Return where the two files went."""
    names = ("training", "validation")
    if given["output"] in ("result", "table"):
        if sum(os.path.getsize(path) for path in parts if path) > MOST_RESULT:
            raise TogetherError(
                f'output "{given["output"]}" cannot hold so many rows.',
                problems=[{"field": "output", "problem": "must be another"}],
                ambiguous=False,
                advice="Choose the workspace's storage or an upload.",
            )
        found = {name: _rows(path) for name, path in zip(names, parts, strict=True)}
        if given["output"] == "result":
            return found
        return [{"split": n, **row} for n in names for row in found[n] or ()]
    title = given.get("name") or "dataset"
    handed_on = {}
    for name, path in zip(names, parts, strict=True):
        filename = f"{title}-{name}.jsonl"
        if given["output"] == "storage":
            handed_on[name] = path and _stored(path, filename)
        else:
            handed_on[f"{name}_file"] = path and _uploaded(auth, path, filename)
    return handed_on


def _rows(path):
    if path is None:
        return None
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _stored(path, filename):
    from . import sources
    from .storage import write_object

    kind = "application/jsonl"
    content = sources.open(path, "dataset")
    return write_object(content, filename=filename, content_type=kind)


def _uploaded(auth, path, filename):
    from .uploads import store_file

    return store_file(auth, path, "fine-tune", filename, "jsonl")["id"]


# --- one row -----------------------------------------------------------------------


def conversation(row, system=None):
    """Return (shape, row as the service trains on it) of any row that is known.

    `system` is put before conversations that have no system message. Raises ValueError
    that says what the row lacks.
    """
    if "messages" in row or "conversations" in row:
        messages = _messages(row.get("messages") or row.get("conversations"), system)
        kept = {name: row[name] for name in ("tools",) if row.get(name)}
        return "conversation", {"messages": messages, **kept}
    pair = _preference(row, system)
    if pair:
        return "preference", pair
    if _text(row, "prompt") and _text(row, "completion"):
        return "instruction", {n: row[n] for n in ("prompt", "completion")}
    for question, answer in PAIRS:
        if _text(row, question) and _text(row, answer):
            asked = row[question]
            if question == "instruction" and _text(row, "input"):
                asked = f"{asked}\n\n{row['input']}"
            messages = [
                {"role": "user", "content": asked},
                {"role": "assistant", "content": row[answer]},
            ]
            own = row["system"] if _text(row, "system") else system
            return "conversation", {"messages": _opened(messages, own)}
    if _text(row, "text"):
        return "general", {"text": row["text"]}
    known = ", ".join(map(str, list(row)[:8])) or "nothing"
    raise ValueError(
        "must have messages, a question and an answer, prompt and completion, a "
        f"preferred and another answer, or text (it has {known})"
    )


def _text(row, name):
    return isinstance(row.get(name), str) and bool(row[name].strip())


def _opened(messages, system):
    if system and messages[0]["role"] != "system":
        return [{"role": "system", "content": system}, *messages]
    return messages


def _messages(found, system):
    """Return messages as the API has them, ShareGPT's from and value translated."""
    if isinstance(found, str):
        try:
            found = json.loads(found)  # a cell of CSV
        except ValueError:
            raise ValueError("has messages that are not JSON") from None
    if not isinstance(found, list) or not found:
        raise ValueError("has no messages")
    messages = []
    for number, message in enumerate(found):
        if not isinstance(message, dict):
            raise ValueError(f"messages[{number}] must be an object")
        said = str(message.get("role", message.get("from"))).lower()
        if said not in SPEAKERS:
            raise ValueError(f"messages[{number}] has the unknown role {said!r}")
        if "from" in message:
            content = message.get("value")
            message = {k: v for k, v in message.items() if k not in ("from", "value")}
            message["content"] = content
        if not message.get("content") and not message.get("tool_calls"):
            raise ValueError(f"messages[{number}] says nothing")
        messages.append({**message, "role": SPEAKERS[said]})
    if not any(message["role"] == "assistant" for message in messages):
        raise ValueError("has no message of an assistant to learn from")
    return _opened(messages, system)


def _preference(row, system):
    """Return a pair of answers to one question as the service wants it, or None."""
    if "preferred_output" in row and "non_preferred_output" in row:
        question, better, worse = (
            row.get("input"),
            row["preferred_output"],
            row["non_preferred_output"],
        )
    elif "chosen" in row and "rejected" in row:
        question, better, worse = row.get("prompt"), row["chosen"], row["rejected"]
    else:
        return None
    if isinstance(question, dict):
        question = question.get("messages")
    if question is None and isinstance(better, list):
        question = better[:-1]  # whole conversations that differ in their last word
    answers = [_answer(better), _answer(worse)]
    if isinstance(question, str) and question.strip():
        question = [{"role": "user", "content": question}]
    if not isinstance(question, list) or not question or not all(answers):
        raise ValueError("must have a question, a preferred answer and another one")
    asked = [
        {"role": SPEAKERS.get(str(m.get("role")).lower(), "user"), **m, **_role(m)}
        for m in question
        if isinstance(m, dict)
    ]
    return {
        "input": {"messages": _opened(asked, system)},
        "preferred_output": [answers[0]],
        "non_preferred_output": [answers[1]],
    }


def _role(message):
    said = str(message.get("role")).lower()
    return {"role": SPEAKERS[said]} if said in SPEAKERS else {}


def _answer(value):
    """Return the assistant's message that a preference speaks of, or None."""
    if isinstance(value, list):
        value = value[-1] if value else None
    if isinstance(value, dict):
        value = value.get("content")
    if isinstance(value, str) and value.strip():
        return {"role": "assistant", "content": value}
    return None
