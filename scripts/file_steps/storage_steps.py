"""Rows and stored files as lists, for a flow to go through.

    read_rows         the rows of a file, in the result
    list_folder       objects of a folder in storage, as rows
    split_table       a table as parts, each for a job of its own
    join_table        what these jobs answered, as one table
    list_new_objects  objects of a folder in storage that came since the last run

The last is a trigger: what it returned counts as seen once its run ended well.
"""

from __future__ import annotations

import re

from ..client import TogetherError, prepare
from ..client.job import log
from ..table.table import BlankRowError, Flaw, Table, Template, summary
from ..workspace.markup import inline
from ..workspace.storage import list_objects
from ..workspace.watermark import new_since

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..shapes import Auth, Json, Members, Problem, Step


SHOWN = 20  # columns that the summary names
# Of a folder: marks that it is there, and what systems and programs leave beside files.
_NO_FILE = re.compile(
    r"/$|(?:^|/)(?:\.ds_store|thumbs\.db|desktop\.ini|\.(?:git)?keep|(?:~\$|\._)[^/]*)$"
    r"|(?:^|/)__macosx/",
    re.IGNORECASE,
)


def read_rows(auth: Auth, step: Step, **arguments: Json) -> Json:
    """Return the rows of a file as they are, to loop over.

    {"rows": [objects], "texts"?: what `template` makes of each, None where all of its
    columns are blank, "count", "markdown"},
    with output "table" nothing but the rows. Raises TogetherError, with the rows that
    cannot be read in its `problems`, when there are more than `most`, when they have
    the column `answer_column`, or lack one that the template names.
    """
    given = prepare(step, arguments)
    problems: list[Problem] = []
    rows, columns = [], {}
    table = Table(auth, given["rows"])
    if given.get("answer_column"):
        table.keep_free(given["answer_column"])
    template = Template(given["template"]) if given.get("template") else None
    if template:
        table.require(template.columns, "template")
    texts = []
    for number, row in enumerate(table):
        if number >= given["most"]:
            raise TogetherError(
                f"There are more than {given['most']} rows.",
                type="invalid_argument",
                problems=[{"field": "rows", "problem": "are too many"}],
                advice="Raise `most`, or send them through a batch.",
            )
        if isinstance(row, Flaw):
            problems.append({"field": f"rows[{number}]", "problem": row.why})
        elif own := table.taken(row):
            raise table.not_free(f"but row {number + 1} has a column {own!r} already")
        else:
            columns.update(dict.fromkeys(row))
            try:
                texts.append(template.fill(row) if template else None)
            except KeyError as error:
                why = f"has no column {error.args[0]!r}"
                problems.append({"field": f"rows[{number}]", "problem": why})
            except BlankRowError:
                texts.append(None)
        rows.append(row)
    if problems:
        listed = "; ".join(f"{p['field']} {p['problem']}" for p in problems[:10])
        raise TogetherError(
            f"Rows cannot be read: {listed}",
            type="invalid_argument",
            problems=problems[:100],
        )
    if given["output"] == "table":
        return rows
    named = ", ".join(inline(name) for name in list(columns)[:SHOWN])
    lines = [f"**{len(rows)} rows were read.**", "", f"- Columns: {named}"]
    found = {**summary(lines), "rows": rows, "count": len(rows)}
    return {**found, "texts": texts} if template else found


def list_folder(auth: Auth, step: Step, **arguments: Json) -> Json:
    """Return the objects of a folder in storage as rows.

    {"rows": [{"file": "s3://storage/key", "filename"}], by name, "count", "markdown"}.
    Raises TogetherError when there is none, or more than `most`.
    """
    given = prepare(step, arguments)
    rows = rows_of_folder(given)
    prefix = _prefix(given)
    lines = [f"**{len(rows)} objects are in {inline(prefix)}.**"]
    return {**summary(lines), "rows": rows, "count": len(rows)}


def rows_of_folder(given: Members) -> list[Members]:
    """Return the rows of the objects in a folder, by name. Raises TogetherError when
    there is none, or more than `most`."""
    storage, endings = given.get("storage", ""), given.get("endings") or ()
    prefix = _prefix(given)
    keys = _files(prefix, storage or None, endings)
    if not keys:
        raise TogetherError.refused("folder", f"has no such object: {prefix}")
    if len(keys) > given["most"]:
        raise TogetherError.refused("folder", f"has {len(keys)} objects: raise most")
    return [
        {"file": f"s3://{storage}/{key}", "filename": key.rsplit("/", 1)[-1]}
        for key in keys
    ]


def _prefix(given: Members) -> str:
    """Return what the keys of a folder's objects begin with. Raises TogetherError for
    an address: no key begins so, and a trigger would never find one."""
    folder = given["folder"].strip("/")
    if not folder or "://" in folder or folder.startswith("s3:"):
        problem = "must be a path in the storage, such as inbox/questions"
        raise TogetherError.refused("folder", f"{problem} (got {given['folder']!r})")
    return folder + "/"


def _files(prefix: str, storage: str | None, endings: Iterable[str]) -> list[str]:
    """Return the keys of the files under a prefix, by name: those with one of the
    endings, large or small, or all. Raises TogetherError."""
    ending = tuple(one.lower() for one in endings) or ("",)
    listed = list_objects(prefix, storage)
    keys = [k for k in listed if not _NO_FILE.search(k, len(prefix) - 1)]
    if len(keys) < len(listed):
        log(f"{len(listed) - len(keys)} objects of {prefix} are no files of one's own")
    return sorted(key for key in keys if key.lower().endswith(ending))


def split_table(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Cut a table into parts, each for a job of its own.

    Returns {"parts": [{"rows": what map_rows takes, "budget_usd"?: its share}],
    "count": rows, "slices"?: the state that lists the objects written for it, "model"?:
    the one that was chosen for all parts, "lease"?, "markdown"}. A part is a range of
    bytes of the table's address, or an object in storage. Raises TogetherError for a
    table that cannot be read or split, that lacks a column, or has the answers'
    already.
    """
    from ..across.cutting import split  # each step has its own

    return split(auth, prepare(step, arguments))


def join_table(auth: Auth, step: Step, **arguments: Json) -> Json:
    """Join what the jobs of a flow answered, in the order of the rows.

    Returns what map_rows does, with "parts": how many, "models"?: {model: rows that it
    answered} of several, "lost"?: [which rows no job answered, and why]; each of those
    rows is there with the reason. Once all are there, what the jobs kept is deleted.
    Raises TogetherError when nothing was answered, or more failed than
    fail_when_failed_share allows.
    """
    from ..across.joining import join  # each step has its own

    return join(auth, prepare(step, arguments))


def list_new_objects(auth: Auth, step: Step, **arguments: Json) -> list[Members]:
    """Return the objects of a folder that came since the last run, by name.

    [{"s3": key, "storage"?}]. The first run, and the first one with another folder,
    ending or storage, only notes what is there, unless `existing` says that it is to be
    returned. Raises TogetherError.
    """
    given = prepare(step, arguments)
    storage, ending = given.get("storage"), given.get("ending", "")
    prefix = _prefix(given)
    keys = _files(prefix, storage, [ending])

    def news(before: Json) -> list[Members]:
        more = {"storage": storage} if storage else {}
        return [{"s3": key, **more} for key in keys if key not in before]

    existing = given["existing"]
    return new_since(
        news,
        keys,
        "s3",
        first=[] if existing else None,
        eager=existing,
        # Elsewhere everything would be new, and here again after that.
        about={"folder": prefix, "ending": ending.lower(), "storage": storage or ""},
    )
