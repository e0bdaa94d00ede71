"""Submit a table's questions as one batch, at half the price.

A flow waits for the batch, holding no worker, and collects it with collecting.py. The
custom_id of a line is the row's place and a digest of what it holds, so that rows and
answers cannot be mixed up.
"""

import hashlib
import json
import pathlib
import tempfile

from . import costs
from .client import TogetherError, call, operation, prepare
from .intents import fingerprint, once, say
from .tabular import Flaw, Table, Template, digest
from .uploads import store_file

ENDPOINT = "/v1/chat/completions"
FILES = operation("GET", "/v1/files", "read")
PREPROCESS = operation("POST", "/v1/files/{file_id}/preprocess", "mutates", body=False)
DELETE = operation("DELETE", "/v1/files/{file_id}", "mutates", body=False)
CREATE = operation("POST", "/v1/batches", "creates", find="batches/list_batches")
BATCH = operation("GET", "/v1/batches/{batch_id}", "read")
BATCHES = operation("GET", "/v1/batches", "read")

MOST_ROWS, MOST_BYTES = 50_000, 100_000_000  # of one batch, says the documentation
USELESS = ("FAILED", "EXPIRED", "CANCELLED")
NAMED = 10  # rows that a message names


def submit_rows(auth, step, **arguments):
    """Create one batch that asks a chat model about every row.

    Returns {"batch_id", "input_file_id", "rows": their number, "fingerprint",
    "reattached": whether an earlier run had created it, "estimated_cost_usd",
    "cost_note"?: why that is None}. However often it runs with the same input, one
    batch is created, unless that one failed or `again` says otherwise. Raises
    TogetherError before anything is sent when a row cannot be asked, the table is too
    large for a batch, or its estimated cost is above budget_usd.
    """
    given = prepare(step, arguments)
    table = Table(auth, given["rows"])
    template = Template(given["template"])
    table.require(template.columns, "template")
    if given.get("answer_column"):
        table.keep_free(given["answer_column"])
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder, "rows.jsonl")
        written = _written(place, table, template, given)
        usd, note = _estimate(auth, given, written)
        mark = fingerprint("batches/submit_rows", {"content": written["digest"]})
        submission = _Submission(auth, place, f"rows-{mark}.jsonl")

        def create():
            advice = "Raise budget_usd, lower max_tokens, or submit fewer rows."
            costs.afford(given.get("budget_usd"), usd, note, "the batch", advice)
            return submission.create()

        made, reattached = once(
            "batch", mark, create, submission.attach, submission.look
        )
    return {
        "batch_id": made["id"],
        "input_file_id": made["input_file_id"],
        "rows": written["rows"],
        "fingerprint": mark,
        "reattached": reattached,
        **costs.told(usd, note, "estimated_cost_usd"),
    }


def _written(place, table, template, given):
    """Write the batch's input file; return its number of rows, its digest and a guess
    at the tokens that its questions have."""
    body = {"model": given["model"], "messages": []}
    if given.get("system"):
        body["messages"].append({"role": "system", "content": given["system"]})
    body |= {k: given[k] for k in ("temperature", "max_tokens") if k in given}
    before = body["messages"]
    rows = size = tokens = 0
    flaws, hashed = [], hashlib.sha256()
    with place.open("wb") as file:
        for rows, row in enumerate(table, 1):
            try:
                text = template.fill(row) if not isinstance(row, Flaw) else None
                why = row.why if text is None else None
                if own := table.taken(row):
                    raise table.not_free(f"but a row has a column {own!r} already")
            except KeyError as error:
                why = f"has no column {error.args[0]!r}"
            if why is not None:
                flaws.append({"field": f"rows[{rows - 1}]", "problem": why})
                continue
            messages = [*before, {"role": "user", "content": text}]
            asked = {**body, "messages": messages}
            name = _custom_id(rows - 1, row, given.get("again"))
            line = json.dumps(
                {"custom_id": name, "body": asked}, ensure_ascii=False
            ).encode("utf-8", "replace")
            tokens += sum(costs.tokens(message["content"]) for message in messages)
            size += len(line) + 1
            hashed.update(line)
            if rows > MOST_ROWS or size > MOST_BYTES:
                _too_large(rows)
            file.write(line + b"\n")
    if flaws:
        listed = "; ".join(f"{f['field']} {f['problem']}" for f in flaws[:NAMED])
        more = f" and {len(flaws) - NAMED} more" if len(flaws) > NAMED else ""
        raise TogetherError.refused_all(
            flaws[:100],
            f"{listed}{more}",
            advice="Correct or leave out these rows and run the step again.",
        )
    return {"rows": rows, "digest": hashed.hexdigest(), "tokens": tokens}


def _custom_id(index, row, again=None):
    """Return a row's name in the batch; the API takes at most 64 characters."""
    parts = [str(index), digest(row)]
    if again:
        parts.append(digest(again))
    return "-".join(parts)


def _too_large(rows):
    problem = (
        f"are too large for one batch, which takes {MOST_ROWS} rows and {MOST_BYTES} "
        f"bytes; the first {rows - 1} rows fit"
    )
    raise TogetherError.refused(
        "rows",
        problem,
        fitting_rows=rows - 1,
        advice="Submit the table in parts, each as a batch of its own.",
    )


def _estimate(auth, given, written):
    """Return (USD, None) that the batch may cost, or (None, why it is not known)."""
    if "max_tokens" not in given:
        return None, costs.UNLIMITED
    completion = given["max_tokens"] * written["rows"]
    usage = {"prompt_tokens": written["tokens"], "completion_tokens": completion}
    return costs.cost(auth, given["model"], usage, batch=True)


class _Submission:
    """One input file and its batch at the service, found by the file's name."""

    def __init__(self, auth, place, name):
        self.auth = auth
        self.place = place
        self.name = name
        self.files = self.begun = None

    def look(self):
        """Return the batch of an earlier run, or None."""
        if not self.uploaded():
            return None
        found = call(self.auth, BATCHES)
        entries = found.get("data", ()) if isinstance(found, dict) else found or ()
        for batch in entries:
            if batch.get("input_file_id") in self.files and _useful(batch):
                return _reference(batch)
        return None

    def attach(self, made):
        batch = call(self.auth, BATCH, batch_id=made["id"])
        return _reference(batch) if _useful(batch) else None

    def create(self):
        files = self.uploaded()
        file_id = files[0] if files else self.resumed() or self.upload()
        body = {"input_file_id": file_id, "endpoint": ENDPOINT}
        return _reference(call(self.auth, CREATE, body=body)["job"])

    def uploaded(self):
        """Return the ids of the files of this name that are complete."""
        if self.files is None:
            found = call(self.auth, FILES).get("data") or ()
            named = [file for file in found if file.get("filename") == self.name]
            whole = [file for file in named if self.is_whole(file)]
            self.files = [file["id"] for file in whole]
            self.begun = [file["id"] for file in named if file not in whole]
        return self.files

    def is_whole(self, file):
        size = self.place.stat().st_size
        status = file.get("processing_status")
        return file.get("bytes") == size and status not in ("FAILED", "INVALID_FORMAT")

    def resumed(self):
        """Return the id of a file whose bytes an earlier run sent just before it ended,
        and remove what it had only announced; None where the bytes are to be sent."""
        kept = None
        for file_id in self.begun:
            try:
                file = call(self.auth, PREPROCESS, file_id=file_id)
                if kept is None and self.is_whole(file.get("file", file)):
                    kept = file_id
                    continue
            except TogetherError as error:
                if getattr(error, "status", None) not in (400, 404, 409, 422):
                    raise
            try:
                call(self.auth, DELETE, file_id=file_id)
            except TogetherError as error:
                say(f"the file {file_id} of an earlier run stays: {error}")
        return kept

    def upload(self):
        stored = store_file(
            self.auth, self.place, "batch-api", self.name, "jsonl", check=False
        )
        return stored["id"]


def _useful(batch):
    return str(batch.get("status")).upper() not in USELESS


def _reference(batch):
    return {"id": batch["id"], "input_file_id": batch.get("input_file_id")}
