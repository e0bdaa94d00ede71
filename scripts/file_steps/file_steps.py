"""The same done with every file of a folder, a job a file.

    split_files  a folder in storage, or a table of addresses, as parts for jobs
    map_files    the text of each file of a part, a model's answer about it, or what
                 is said in it

The flow map_files_across_workers runs them, and files/join_table joins the answers.
"""

from __future__ import annotations

import json
import re

from ..catalog.budget import Budget
from ..catalog.model_choice import choose_model
from ..catalog.pricing import (
    LOST_UNTOLD,
    bill,
    cost_fields,
    most_cost,
    prefetch,
    spent_on,
    sum_costs,
    sum_usage,
)
from ..client import TogetherError, prepare
from ..client.job import log
from ..client.validate import FileValue
from ..table.table import Flaw, Table, canonical, find, summary
from .storage_steps import rows_of_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from ..shapes import Auth, Json, Members, Step
    from ..table.table import Row

    Worker: TypeAlias = Callable[[str], Members]
    """From an address to {"answer", "usage", "cost_usd", "cost_note"?}."""

ADDRESS = re.compile(r"(?i)https?://\S|s3://[^/]*/.")
INLINE_BYTES = 1 << 20  # of a list of files that goes to the jobs without storage
TASKS = {"ask": "chat", "look": "vision", "transcribe": "transcription"}
# What the answers depend on: the model as it was given, so that a rerun finds them when
# another one is recommended by then.
SETTINGS = (
    "action",
    "question",
    "model",
    "system",
    "max_tokens",
    "language",
    "speakers",
    "column",
)
HOPELESS = (401, 402)  # what is true of every file: key, credit
LONGEST_ERROR = 500  # characters


def split_files(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Cut a list of files into parts, each for a job of its own.

    Returns what split_table does; a row is {"file": address, "filename"} of a folder,
    and as it came otherwise. Each row is in it once. Raises TogetherError for an empty
    folder, one of more than `most` files, and a table that cannot be read.
    """
    import hashlib  # only where files are split

    from ..across import cutting  # only where files are split

    given = prepare(step, arguments)
    if ("folder" in given) == ("files" in given):
        problem = "or files is required" if "files" not in given else "excludes files"
        raise TogetherError.refused("folder", f"{problem}: give one of them")
    seen: set[bytes] = set()
    source = cutting.as_lines(_once(_listed(auth, given), seen, given["most"]))
    hashed = hashlib.sha256()
    made = cutting.cuts_of(source, given["job_files"], hashed)
    assert made is not None  # JSON Lines of our own
    stored = cutting.has_storage()
    found = cutting.numbered(*made, stored)

    def tables() -> tuple[list[Members], str | None]:
        if stored:
            return cutting.stored_slices(source, found)
        return _inline(source, found), None

    words = f"**{len(seen)} files are in {len(found)} parts.**"
    whole = cutting.handed_out(auth, given, hashed.hexdigest(), tables)
    return {**summary([words]), **whole}


def _listed(auth: Auth, given: Members) -> Iterator[Members]:
    """Yield the rows of the files. Raises TogetherError."""
    if "folder" in given:
        yield from rows_of_folder(given)
        return
    table = Table(auth, given["files"], "files")
    table.keep_free(given["answer_column"])
    if not any(_address(row, given["column"]) for row in table.first):
        table.require([given["column"]], "column")
        problem = f"has no address (https://... or s3://...) in {given['column']!r}"
        raise TogetherError.refused("files", problem)
    for row in table.sound():
        if own := table.taken(row):
            raise table.not_free(f"but a row has a column {own!r} already")
        yield row


def _once(rows: Iterator[Members], seen: set[bytes], most: int) -> Iterator[Members]:
    """Yield each row once: two jobs at the same file would both be paid for."""
    import hashlib  # only where files are split

    count = 0
    for row in rows:
        count += 1
        mark = hashlib.sha256(canonical(row)).digest()
        if mark in seen:
            continue
        seen.add(mark)
        if len(seen) > most:
            raise TogetherError.refused(
                "most", f"is {most}, and there are more files: raise it"
            )
        yield row
    if count > len(seen):
        log(f"{count - len(seen)} files are left out, which are there more than once")


def _inline(source: Json, parts: list[Members]) -> list[Members]:
    """Return parts that hold their own rows. Raises TogetherError for too many."""
    if source.length > INLINE_BYTES:
        problem = f"has {source.length} bytes of addresses: without object storage in "
        problem += f"the workspace at most {INLINE_BYTES} go to the jobs"
        raise TogetherError.refused("files", problem)
    content = source.read()
    tables: list[Members] = []
    for part in parts:
        piece = content[part["start"] : part["end"]]
        own = {"start": 0, "end": len(piece), "size": len(piece), "tag": None}
        tables.append({"text": piece.decode(), "part": {**part, **own}})
    return tables


def map_files(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Do the same with every file of a part.

    Returns {"answers": where they are kept, "done", "failed", "errors": {number of the
    row in the part: why it has none}, "unknown": how many of these may have been paid
    for, also by a run before, "usage", "cost_usd", "cost_note"?, "markdown"}. A file
    that an earlier run did is not done again. Raises TogetherError when nothing can be
    done with any: no key, no credit, or the only file failed.
    """
    from ..across.file_answers import FileAnswers  # only where files are done

    given = prepare(step, arguments)
    if given["action"] in ("ask", "look") and not given.get("question"):
        problem = "is required where a model is asked about each file"
        raise TogetherError.refused("question", problem)
    table, part = _part(auth, given)
    kept = FileAnswers.of({name: given.get(name) for name in SETTINGS})
    if part.get("model") and not given.get("model"):
        given["model"] = part["model"]
    stored = part["kept"] == "storage"
    budget = Budget(given.get("budget_usd"))
    work: Worker | None = None
    records: list[Members] = []
    errors: dict[str, str] = {}
    unknown = 0
    rows = [(row, kept.get(row) or {}) for row in table]
    for _, earlier in rows:  # before anything is spent
        budget.settle(0.0, _counted_usd(earlier))
    for number, (row, earlier) in enumerate(rows, 1):
        if "answer" in earlier:
            records.append(earlier)
            continue
        before = budget.spent - _counted_usd(earlier)
        try:
            address = _address(row, given["column"])
            if address is None:
                why = row.why if isinstance(row, Flaw) else "has no address"
                raise TogetherError.refused(given["column"], why)
            work = work or _worker(auth, given, budget)
            record = work(address)
        except TogetherError as error:
            lost = spent_on(error) is None
            if lost or earlier:  # by this call, or by one of a run before
                unknown += 1
            if lost:
                kept.keep(row, {"counted_usd": budget.spent - before}, stored)
            if error.status in HOPELESS or part["rows"] == 1:
                raise
            errors[str(number)] = str(error)[:LONGEST_ERROR]
            continue
        if given["action"] in TASKS:
            record["model"] = given["model"]
        record["counted_usd"] = budget.spent - before
        if earlier:  # an earlier call for it failed
            record |= cost_fields(None, LOST_UNTOLD)
        kept.keep(row, record, stored)
        records.append(record)
    return _outcome(kept.place, records, errors, unknown)


def _counted_usd(record: Members) -> float:
    """Return the USD that a file's calls count as, by its record: what they cost, and
    what was set aside for one of which that is not known. 0.0 where no budget was."""
    return max(record.get("counted_usd") or 0.0, record.get("cost_usd") or 0.0)


def _part(auth: Auth, given: Members) -> tuple[Table, Members]:
    """Return the rows of a part, and what split_files said of it. Raises
    TogetherError."""
    try:
        value = json.loads(given["part"])
    except ValueError as error:
        raise TogetherError.refused("part", f"is no JSON: {error}") from None
    if not isinstance(value, dict) or "part" not in value:
        problem = "is none that files/split_files cut: run the flow"
        raise TogetherError.refused("part", problem)
    table = Table(auth, value, "part")
    assert table.part is not None  # as it was looked at
    return table, table.part


def _outcome(
    place: str, records: list[Members], errors: dict[str, str], unknown: int
) -> Members:
    """Return the result of a part; place is where the answers are kept."""
    costs = [(one.get("cost_usd"), one.get("cost_note")) for one in records]
    if unknown:
        costs.append((None, LOST_UNTOLD))
    result = {
        "answers": place,
        "done": len(records),
        "failed": len(errors),
        "errors": errors,
        "unknown": unknown,
        "usage": sum_usage(one.get("usage") for one in records),
        **cost_fields(*sum_costs(costs)),
    }
    words = f"**{len(records)} of {len(records) + len(errors)} files are done.**"
    return {**summary([words, *(f"- {why}" for why in errors.values())]), **result}


def _address(row: Row, column: str) -> str | None:
    """Return the address in a row; a bare list of them has it as the text."""
    if isinstance(row, Flaw):
        return None
    for name in (column, "text"):
        value = find(row, name)
        if isinstance(value, dict) and isinstance(value.get("s3"), str):
            value = f"s3://{value.get('storage') or ''}/{value['s3']}"
        if isinstance(value, str) and ADDRESS.match(value.strip()):
            return value.strip()
    return None


def _worker(auth: Auth, given: Members, budget: Budget) -> Worker:
    """Return what does with a file what is asked."""
    action = given["action"]
    if action in TASKS:
        choose_model(auth, given, TASKS[action])
        prefetch(auth)
    if action == "transcribe":
        return lambda address: _said(auth, given, address, budget)
    if action == "read":
        free = {"usage": None, "cost_usd": 0.0}
        return lambda address: {"answer": _text(auth, address)[1], **free}
    return lambda address: _answered(auth, given, address, budget)


def _text(auth: Auth, address: str) -> tuple[str, str]:
    """Return a document's name and its text."""
    from ..documents import document_steps  # only where a document is read

    found = document_steps.read_document(auth, address, "file")
    name, text = document_steps.text_of(found, "file")
    if not text:
        raise TogetherError.refused("file", "has no text")
    return name, text


def _answered(auth: Auth, given: Members, address: str, budget: Budget) -> Members:
    """Return what a model answers about a document, or a picture."""
    from ..chat_steps import answered, ask, user_message  # only where a model is asked

    body: Members = {"model": given["model"]}
    if "max_tokens" in given:
        body["max_tokens"] = given["max_tokens"]
    system = given.get("system")
    before = [{"role": "system", "content": system}] if system else []
    looks = given["action"] == "look"
    if looks:
        picture = FileValue(address, "file", "uri")
        question = user_message(given["question"], [picture])
    else:
        name, text = _text(auth, address)
        content = f"{given['question']}\n\nThe document {name}:\n\n{text}"
        question = user_message(content, None)
    body["messages"] = [*before, question]
    answer = ask(auth, body, budget, pictures=looks)
    told, why, cut = answered(answer)
    if told is None:
        why = why or "The model gave no text."
        raise TogetherError(why, type="nothing_done", partial=answer)
    costs = bill(auth, given["model"], [answer])
    return {"answer": told, "cut": cut, **costs}


def _said(auth: Auth, given: Members, address: str, budget: Budget) -> Members:
    """Return what is said in a recording."""
    from ..speech.audio_steps import (  # where it is sound
        LONGEST_RECORDING,
        dialogue,
        transcribed,
    )

    most = None
    if budget.limit is not None:  # else no price is waited for
        longest = {"seconds": LONGEST_RECORDING}
        most, _ = most_cost(auth, given["model"], longest)
    names = ("model", "language", "speakers")
    asked = {name: given[name] for name in names if name in given}
    with budget.spending(most) as spent:
        said = transcribed(auth, {**asked, "recording": address}, "file")
        spent.usd = said["cost_usd"]
    text = dialogue(said) if given["speakers"] else said["text"]
    costs = cost_fields(said["cost_usd"], said.get("cost_note"))
    return {"answer": text, "usage": {"seconds": said["duration"] or 0.0}, **costs}
