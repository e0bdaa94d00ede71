"""Steps that let a judge model decide how good answers are.

    submit_evaluation  rows and a judge, once: a rerun attaches to what it began
    report_evaluation  what came of it, in one shape for all three types

A flow waits in between, holding no worker.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from .client import TogetherError, call, prepare
from .client.asked_for import about, listed, made_id
from .client.endings import is_error, plain_state
from .client.jsonio import finite
from .job_states import states
from .operations import operation
from .workspace.create_once import fingerprint_of, once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Auth, ErrorType, Json, Members, Problem, Step


FILES = operation("files/list_files")
CONTENT = operation("files/download_file")
CREATE = operation("evaluations/create_evaluation")
EVALUATION = operation("evaluations/get_evaluation")
EVALUATIONS = operation("evaluations/list_evaluations")
RECENT = 200  # evaluations that are searched for one that was begun before
USELESS = states("evaluation", "bad")
DONE = states("evaluation", "good")
KNOWN = states("evaluation", "every")
COST_NOTE = "the service does not say; organization/report_usage shows what a day cost"
MANNERS = "You are a helpful assistant."


def submit_evaluation(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Begin an evaluation; return at once, while it is pending.

    {"evaluation_id", "input_file_id", "rows": their number, "fingerprint",
    "reattached"}. Rows that are conversations, as for a fine-tune, get the columns
    prompt (the last question) and reference (its answer). Raises TogetherError before
    anything is sent when something that the type needs is missing.
    """
    given = prepare(step, arguments)
    parameters = _parameters(given)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "rows.jsonl")
        rows, digest = _write_rows(auth, given, Path(folder, "from"), place)
        body = {"type": given["type"], "parameters": parameters}
        wanted = {**body, "content": digest, "again": given.get("again")}
        fingerprint = fingerprint_of("evaluations/submit_evaluation", wanted)
        begun = _Begun(auth, body, place, f"eval-{fingerprint}.jsonl")
        made, reattached = once(
            "evaluation", fingerprint, begun.create, begun.attach, begun.look
        )
    return {
        "evaluation_id": made["id"],
        "input_file_id": made["input_file_id"],
        "rows": rows,
        "fingerprint": fingerprint,
        "reattached": reattached,
    }


def report_evaluation(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return what came of an evaluation.

    {"type", "state", "pass_percentage", "mean_score", "std_score", "label_counts",
    "a_wins", "b_wins", "ties", "failed": rows without a verdict, "result_file_id",
    "results": as the API gives them, "cost_usd": None and "cost_note": why}; what the
    type does not have is None. Raises TogetherError when it is not done, or done
    without a single verdict.
    """
    given = prepare(step, arguments)
    name = given["evaluation_id"]
    found = call(auth, EVALUATION, evaluation_id=name)
    found = about(name, found, "workflow_id")
    results, state = _results(name, found), _state(found)
    scores = results.get("aggregated_scores")
    scores = scores if isinstance(scores, dict) else {}
    counts = results.get("label_counts")
    if isinstance(counts, str):
        try:
            counts = json.loads(counts)
        except ValueError:
            pass  # shown as it came
    lost = (
        *("generation_fail_count", "judge_fail_count"),
        *("invalid_label_count", "invalid_score_count"),
    )
    counted = [n for name in lost if (n := finite(results.get(name))) is not None]
    report = {
        "type": found.get("type"),
        "state": state,
        "pass_percentage": finite(
            results.get("pass_percentage", scores.get("pass_percentage"))
        ),
        "mean_score": finite(scores.get("mean_score")),
        "std_score": finite(scores.get("std_score")),
        "label_counts": counts,
        "a_wins": finite(results.get("A_wins")),
        "b_wins": finite(results.get("B_wins")),
        "ties": finite(results.get("Ties")),
        "failed": int(sum(counted)) if counted else None,
        "result_file_id": results.get("result_file_id"),
        "results": results,
        "cost_usd": None,
        "cost_note": COST_NOTE,
    }
    if is_error(results.get("error")):
        from .resilience.server_words import reason_or_code  # only when it failed

        reason = reason_or_code(results["error"]) or "without a reason"
        report["note"] = f"The service says of an error too: {reason}."
    if report["failed"] and not _verdicts(report):
        raise TogetherError(
            f"No row got a verdict: {report['failed']} failed.",
            type="nothing_done",
            partial=report,
            advice="The result file, result_file_id, says of each row what went wrong.",
        )
    return report


def _results(name: str, found: Members) -> Members:
    """Return the results of an evaluation that is done. Raises TogetherError."""
    results, state = found.get("results"), _state(found)
    if state in DONE and isinstance(results, dict) and results:
        return results
    from .resilience.server_words import reason_in  # only when something failed

    reason = reason_in(results.get("error") if isinstance(results, dict) else results)
    words = f"is {state}" + (f": {reason}" if reason else "")
    kind: ErrorType = "not_finished"
    advice = "The flow inner/wait_for_job waits until it is done."
    if state in USELESS:
        kind, advice = "job_failed", "Correct what it names and submit it again."
    elif state in DONE:
        words += ", but the answer holds no results"
        kind = "invalid_answer"
        advice = "Report it again; the service may still be storing them."
    raise TogetherError(
        f"The evaluation {name} {words}",
        type=kind,
        state=state,
        partial=found if state in DONE else None,
        advice=advice,
    )


def _verdicts(report: Members) -> bool:
    """Say whether any row of an evaluation got a verdict; the share that passed tells
    it where nothing is counted."""
    counts = report["label_counts"]
    counted = map(finite, counts.values()) if isinstance(counts, dict) else [counts]
    wins = (report[name] for name in ("a_wins", "b_wins", "ties", "mean_score"))
    told = [number for number in (*counted, *wins) if number is not None]
    if not told:
        return bool(report["pass_percentage"])
    return any(told) or report["mean_score"] == 0


def _state(evaluation: Json) -> Json:
    """Return the state of an evaluation, None where an answer does not say it."""
    if not isinstance(evaluation, dict):
        return None
    return plain_state(evaluation.get("status"), KNOWN)


class _Begun:
    """The creation of one evaluation, and the ways to find it again."""

    def __init__(self, auth: Auth, body: Members, place: Path, name: str) -> None:
        self.auth = auth
        self.body = body
        self.place = place
        self.name = name

    def create(self) -> Members:
        file = self.stored() or self.store()
        parameters = {**self.body["parameters"], "input_data_file_path": file}
        body = {**self.body, "parameters": parameters}
        made = call(self.auth, CREATE, body=body)
        name = made_id(made, CREATE, "workflow_id")
        return {"id": name, "input_file_id": file}

    def attach(self, made: Members) -> Members | None:
        found = call(self.auth, EVALUATION, evaluation_id=made["id"])
        found = about(made["id"], found, "workflow_id")
        return None if _state(found) in USELESS else made

    def look(self) -> Members | None:
        file = self.stored()
        if file is None:
            return None
        recent = call(self.auth, EVALUATIONS, limit=RECENT)
        for found in listed(recent, "workflow_id"):
            parameters = found.get("parameters")
            parameters = parameters if isinstance(parameters, dict) else {}
            used = parameters.get("input_data_file_path")
            if used == file and _state(found) not in USELESS:
                return {"id": found["workflow_id"], "input_file_id": file}
        return None

    def stored(self) -> str | None:
        """Return the id of the input file, if an earlier run stored it whole."""
        size = self.place.stat().st_size
        for file in listed(call(self.auth, FILES), "id"):
            if file.get("filename") == self.name and file.get("bytes") == size:
                return file["id"]
        return None

    def store(self) -> str:
        from .upload.file_upload import store_file  # only where a file goes up

        return store_file(self.auth, self.place, "eval", self.name, "jsonl")["id"]


def _parameters(given: Members) -> Members:
    """Return the API's parameters without the file; raise for what is missing."""
    problems: list[Problem] = []

    def need(name: str, problem: str = "is required for this type") -> Json:
        if given.get(name) in (None, "", []):
            problems.append({"field": name, "problem": problem})
        return given.get(name)

    if ("rows" in given) == ("file_id" in given):
        problem = "is required, or file_id in its place; not both"
        problems.append({"field": "rows", "problem": problem})
    judge = {
        "model": given["judge_model"],
        "model_source": given["judge_source"],
        "system_template": given["judge_prompt"],
    }
    parameters: Members = {"judge": judge}
    if given["type"] == "classify":
        parameters["labels"] = need("labels") or []
        parameters["pass_labels"] = need("pass_labels") or []
        if parameters["labels"] and len(parameters["labels"]) < 2:
            problems.append({"field": "labels", "problem": "must be two or more"})
        for label in set(parameters["pass_labels"]) - set(parameters["labels"]):
            problem = f"holds {label!r}, which is no label"
            problems.append({"field": "pass_labels", "problem": problem})
    elif given["type"] == "score":
        names = ("min_score", "max_score", "pass_threshold")
        parameters |= {name: need(name) for name in names}
    sides = ("a", "b") if given["type"] == "compare" else ("a",)
    for side in sides:
        wanted = _side(given, side, problems)
        if wanted is not None:
            name = f"model_{side}" if len(sides) == 2 else "model_to_evaluate"
            parameters[name] = wanted
        elif len(sides) == 2:
            need(f"model_{side}", f"is required, or column_{side} in its place")
    if problems:
        raise TogetherError.refused_all(problems)
    return parameters


def _side(given: Members, side: str, problems: list[Problem]) -> Json:
    """Return what is judged: a column's name, a model's settings, or None."""
    model, column = given.get(f"model_{side}"), given.get(f"column_{side}")
    if model and column:
        problem = f"and model_{side} exclude each other"
        problems.append({"field": f"column_{side}", "problem": problem})
    if column or not model:
        return column
    return {
        "model": model,
        "model_source": given.get(f"source_{side}", "serverless"),
        "system_template": given.get("system", MANNERS),
        "input_template": given["template"],
        "max_tokens": given["max_tokens"],
        "temperature": given["temperature"],
    }


def _write_rows(
    auth: Auth, given: Members, source: Path, place: Path
) -> tuple[int, str]:
    """Write the rows as the API reads them; return their number and a digest."""
    import hashlib  # only to submit one

    from .table.table import Flaw, Table, Template  # only to submit one

    value, field = given.get("rows"), "rows"
    if "file_id" in given:
        from .download.download import open_download  # only where a file is read

        value, field = source, "file_id"
        with source.open("wb") as file:
            stored = open_download(auth, CONTENT, file_id=given["file_id"])
            while block := stored.read(1 << 20):
                file.write(block)
    table = Table(auth, value, field)
    number, hashed = 0, hashlib.sha256()
    flaws: list[Problem] = []
    known: set[str] = set()
    with place.open("wb") as file:
        for number, row in enumerate(table, 1):
            if isinstance(row, Flaw):
                flaws.append({"field": f"{field}[{number - 1}]", "problem": row.why})
                continue
            row = _with_columns(row)
            known |= row.keys()
            line = json.dumps(row, ensure_ascii=False).encode("utf-8", "replace")
            hashed.update(line + b"\n")
            file.write(line + b"\n")
    wanted = [given[n] for n in ("column_a", "column_b") if n in given]
    if given.get("model_a") or given.get("model_b"):
        wanted += Template(given["template"]).columns
    for name in wanted:
        if name not in known:
            names = ", ".join(sorted(known)) or "none"
            problem = f"has no column {name!r}; there are: {names}"
            flaws.append({"field": field, "problem": problem})
    if flaws:
        shown = "; ".join(f"{f['field']} {f['problem']}" for f in flaws[:10])
        raise TogetherError.refused_all(flaws[:100], shown)
    return number, hashed.hexdigest()


def _with_columns(row: Members) -> Members:
    """Return a row; a conversation with the columns prompt, its last question, and
    reference, the answer to that where there is one."""
    messages = row.get("messages")
    if not isinstance(messages, list):
        return row
    columns: Members = {}
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ("user", "assistant"):
            continue
        text = message.get("content")
        if role == "user":
            columns = {}  # what was answered before belongs to another question
        if isinstance(text, str):
            columns["prompt" if role == "user" else "reference"] = text
    return {**columns, **row}
