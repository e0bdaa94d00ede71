"""Numbers of dedicated inference, as rows.

read_metrics  what Together, or any server, tells in the text format of Prometheus
metrics_over  those of them that are above or below a limit
"""

from __future__ import annotations

import json

from ..client import TogetherError, call, prepare
from ..client.job import log
from ..client.jsonio import RESULT_LIMIT
from ..operation_calls.descriptor import operation_at
from ..operations import operation
from ..table.table import summary
from ..table_files.encodings import BadTextError, texts
from ..workspace.markup import inline
from .prometheus import METRIC_CHARACTERS, TooManyError, samples

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Auth, Json, Members, Step

# In none of the API's descriptions: a beta, whose host and path may change.
METRICS = operation_at(
    "GET",
    "/organizations/{organization_id}/metrics",
    "read",
    host="https://o11y-de2-metrics.cloud.together.ai",
    accept="text/plain",
    reply="text",
)
IDENTITY = operation("organization/get_identity")
BESIDE = 1 << 10  # bytes of a result that its other members take, but for its lines
SHOWN = 20  # rows of the summary


def read_metrics(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return the numbers that a text in the format of Prometheus holds.

    {"rows": [{"name", "labels": {name: text}, "value", "kind", "milliseconds"?}],
    "count", "unread": lines that are none, "markdown", "note"?}. Without `source` those
    of the organization's dedicated inference. Raises TogetherError.
    """
    given = prepare(step, arguments)
    rows, unread = _rows(auth, given)
    lines = [f"**{len(rows)} numbers were read.**", ""]
    for row in rows[:SHOWN]:
        labels = ", ".join(f"{name}={text}" for name, text in row["labels"].items())
        lines.append(f"- {inline(row['name'])} {inline(labels)}: {row['value']:g}")
    if unread:
        lines += ["", f"{unread} lines could not be read."]
    told = summary(lines)
    kept, size = [], len(json.dumps(told)) + BESIDE
    for row in rows[: given["most"]]:
        size += len(json.dumps(row)) + 2
        if size > RESULT_LIMIT:
            break
        kept.append(row)
    told |= {"rows": kept, "count": len(rows), "unread": unread}
    if more := len(rows) - len(kept):
        told["note"] = f"{more} more are left out: choose by name or label."
    return told


def metrics_over(auth: Auth, given: Members) -> list[Members]:
    """Return the rows, as read_metrics does, whose value is beyond the limit of a
    trigger's arguments. Raises TogetherError."""
    rows, unread = _rows(auth, given)
    if unread:
        log(f"{unread} lines could not be read: no number of theirs is looked at")
    if not rows:
        log("no number has these names and labels")
    below, limit = given["direction"] == "below", given["limit"]
    return [
        row for row in rows if (row["value"] < limit if below else row["value"] > limit)
    ]


def _rows(auth: Auth, given: Members) -> tuple[list[Members], int]:
    """Return the rows of the names and labels that are asked for, and how many lines
    could not be read."""
    try:
        rows, unread = samples(_text(auth, given))
    except TooManyError as error:
        raise TogetherError.refused("source", str(error)) from None
    if not rows and unread:
        raise TogetherError.refused(
            "source", f"is not in the format of Prometheus: {unread} lines are none"
        )
    names, labels = given.get("names") or (), given.get("labels") or {}
    wanted = [(str(name), str(text)) for name, text in labels.items()]
    rows = [
        row
        for row in rows
        if (not names or row["name"] in names)
        and all(row["labels"].get(name) == text for name, text in wanted)
    ]
    if not rows and unread:  # one of which may be what is asked for
        problem = f"has no such number, and {unread} lines that could not be read"
        raise TogetherError.refused("source", problem)
    return rows, unread


def _text(auth: Auth, given: Members) -> str:
    if given.get("source"):
        from ..transfer.file_input import open_file  # only where a file is given

        source = open_file(given["source"], "source", auth, METRIC_CHARACTERS)
        pieces, size = [], 0
        try:
            for piece in texts(source.blocks()):
                size += len(piece)
                pieces.append(piece)
                if size > METRIC_CHARACTERS:
                    break
        except BadTextError as error:
            raise TogetherError.refused("source", str(error)) from None
        return "".join(pieces)
    organization = given.get("organization_id")
    if not organization:
        identity = call(auth, IDENTITY)
        found = identity.get("organization") if isinstance(identity, dict) else None
        organization = found.get("id") if isinstance(found, dict) else None
        if not isinstance(organization, str) or not organization:
            advice = "Give organization_id, which the dashboard shows."
            raise TogetherError(
                "The service does not say which organization the key is of.",
                type="invalid_answer",
                partial=identity,
                advice=advice,
            )
    answer = call(auth, METRICS, organization_id=organization)
    if not isinstance(answer, str):
        raise TogetherError(
            "The service's numbers are not in the format of Prometheus.",
            type="invalid_answer",
            partial=answer,
            advice="They are a beta: see Together's pages on dedicated inference.",
        )
    return answer
