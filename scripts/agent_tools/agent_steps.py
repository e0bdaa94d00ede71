"""Tools for agents: thin steps over others, made for a model that calls them.

Their arguments are plain texts, numbers and lists, read as tool_arguments.py says. A
result begins with `text`, of a length that fits a context: what is cut is said in
`cut`, and what is no text goes to storage or stays at an address. Costs are in USD.
"""

from __future__ import annotations

import csv
import io
import json
import re

from ..client import TogetherError, call, prepare
from ..client.asked_for import listed
from ..client.endings import plain_state
from ..client.jsonio import finite, storable
from ..client.references import is_word
from ..client.resource import HOST, credentials
from ..operations import operation
from ..step_defaults import step_defaults
from ..workspace.jobs import own_arguments
from ..workspace.storage import place_for, store_lines
from .tool_arguments import understood

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..shapes import Auth, Json, Members, Step

LONGEST = 20_000  # characters of a text for a model
ADDRESS = re.compile(r"(?i)https?://|s3://|data:")
PICTURES = {"type": "array", "items": {"type": "string", "x-file": "uri"}}
SHOWN = ("s3", "storage", "url", "filename")


def consult_model(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Ask another model. {"text", "cut"?, "model", "cost_usd"}; or TogetherError."""
    from ..chat_steps import ask_model  # each tool has its own

    given = given_by_model(auth, step, arguments)
    found = run_checked(ask_model, auth, **given)
    return {
        **_text_members(found["text"]),
        **_result_members(found, "model", "finish_reason"),
    }


def look_at_picture(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Ask about a picture. {"text", "cut"?, "model", "cost_usd"}; raises
    TogetherError."""
    from ..chat_steps import ask_model  # each tool has its own

    given = given_by_model(auth, step, arguments, "picture")
    asked = {"prompt": given["question"], "pictures": [given["picture"]]}
    found = run_checked(ask_model, auth, **asked, model=given.get("model"))
    return {**_text_members(found["text"]), **_result_members(found, "model")}


def read_document(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return a piece of a document's text: {"text", "source", "characters": of all,
    "next_start"?}. Raises TogetherError."""

    given = given_by_model(auth, step, arguments, "document")
    source, text = _document(auth, given["document"])
    start = given["start"]
    if start and start >= len(text):
        problem = f"is beyond the end: the document has {len(text)} characters"
        raise TogetherError.refused("start", problem)
    piece = text[start : start + LONGEST]
    found = {"text": storable(piece, []), "source": source, "characters": len(text)}
    end = start + len(piece)
    return {**found, "next_start": end} if end < len(text) else found


def transcribe_audio(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Write down a recording. {"text", "cut"?, "language", "duration" in seconds,
    "model", "cost_usd"}; raises TogetherError."""
    from ..speech.audio_steps import (  # each tool has its own
        dialogue,
        transcribe_recording,
    )

    given = given_by_model(auth, step, arguments, "recording")
    found = run_checked(transcribe_recording, auth, **given)
    text = dialogue(found) if given["speakers"] else found["text"]
    return {
        **_text_members(text),
        **_result_members(found, "language", "duration", "model"),
    }


def make_speech(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Read a text aloud, into storage. {"text": what was done, "s3", "filename",
    "model", "voice", "cost_usd"}; raises TogetherError, before anything is spent where
    there is no storage."""
    from ..speech.audio_steps import speak_text  # each tool has its own

    given = given_by_model(auth, step, arguments)
    fixed = {"format": "mp3", "output": "storage"}
    try:
        found = run_checked(speak_text, auth, **given, **fixed)
    except TogetherError as error:
        if not error.problems or error.type != "no_storage":
            raise
        # A model has no argument for where the sound goes, which its words name.
        raise TogetherError(
            f"Nothing was sent: {NO_PLACE}. {ASK_FOR_ONE}",
            type="no_storage",
            ambiguous=False,
            advice=ASK_FOR_ONE,
        ) from None
    text = f"{found['characters']} characters are spoken: {_place(found)}"
    return {"text": text, **_result_members(found, *SHOWN, "model", "voice")}


def draw_picture(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Draw a picture, into storage where there is one. {"text": what was done, "s3" or
    "url", "seed", "model", "cost_usd", "note"?}; raises TogetherError."""
    from ..media.image_steps import create_picture  # each tool has its own

    given = given_by_model(auth, step, arguments)
    output, note = place_for(None, "url")
    fixed = {"n": 1, "format": "png", "output": output}
    found = run_checked(create_picture, auth, **given, **fixed)
    picture = found["pictures"][0]
    note = " ".join(filter(None, [note, found.get("note")]))
    told = {"note": note} if note else {}
    return {
        "text": f"The picture is drawn: {_place(picture)}",
        **{name: picture[name] for name in SHOWN if name in picture},
        **_result_members(found, "seed", "model"),
        **told,
    }


def extract_data(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Read named facts out of a text. {"text": the data as JSON, "cut"?, "data" unless
    it was cut, "model", "cost_usd"}; raises TogetherError."""
    from ..structured.extract_steps import extract_structured  # each tool has its own

    fields = arguments.get("fields")
    if isinstance(fields, list):
        fields = [_field_text(one) for one in fields]
    given = given_by_model(auth, step, {**arguments, "fields": fields}, "document")
    _one_of(given, "text", "document")
    text = given.get("text")
    if text is None:
        _, text = _document(auth, given["document"])
    fields = [_field(one, f"fields[{n}]") for n, one in enumerate(given["fields"])]
    asked = {"text": text, "fields": fields, "model": given.get("model")}
    found = run_checked(extract_structured, auth, **asked)
    shown = _text_members(json.dumps(found["data"], ensure_ascii=False))
    data = {} if "cut" in shown else {"data": found["data"]}
    return {**shown, **data, **_result_members(found, "model")}


def find_passages(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return the passages that suit a question best. {"text": all of them, "cut"?,
    "passages": [{"source", "start", "score"}]}; raises TogetherError."""
    from ..documents.document_steps import (  # each tool has its own
        rank_passages,
        split_documents,
    )

    given = given_by_model(auth, step, arguments, "documents", "index")
    _one_of(given, "documents", "index")
    if "index" in given:
        storage, _, key = given["index"].removeprefix("s3://").partition("/")
        rows = {"s3": key, **({"storage": storage} if storage else {})}
        if not given["index"].startswith("s3://"):
            rows = {"url": given["index"]}
    else:
        found = run_checked(split_documents, auth, documents=given["documents"])
        rows = {"s3": found["s3"]} if "s3" in found else found["passages"]
    asked = {"question": given["question"], "rows": rows, "top": given["most"]}
    best = run_checked(rank_passages, auth, **asked)["passages"]
    best = [one for one in best if one["score"]]
    texts = [f"[{one['source']}, {one['start']}]\n{one['text']}" for one in best]
    if not best:
        texts = ["No passage holds a word of the question: ask in other words."]
    places = [{n: one[n] for n in ("source", "start", "score")} for one in best]
    return {**_text_members("\n\n".join(texts)), "passages": places}


def start_batch(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Ask a model about every row, as one batch. {"text": what was done, "batch_id",
    "rows", "estimated_cost_usd"}; raises TogetherError, before anything is sent where
    the rows may cost more than budget_usd."""
    return begin_batch(auth, rows_given(auth, step, arguments))


def rows_given(auth: Auth, step: Step, arguments: Members) -> Members:
    """Return the arguments of a batch as a model means them. Raises TogetherError."""
    if isinstance(arguments.get("rows"), list):
        text = json.dumps(arguments["rows"], ensure_ascii=False)
        arguments = {**arguments, "rows": text if arguments["rows"] else ""}
    return given_by_model(auth, step, arguments)


def file_of_rows(text: str) -> Json:
    """Return rows that a model gives, an address or themselves, as steps take them."""
    rows = text.strip()
    if ADDRESS.match(rows):
        return rows
    name = "rows.json" if rows[:1] in ("[", "{") else "rows.csv"
    return {"text": rows, "filename": name}


def begin_batch(auth: Auth, given: Members) -> Members:
    """Start a batch, once; what start_batch returns. Raises TogetherError."""
    from ..batch_files.batch_steps import submit_rows  # each tool has its own

    rows = file_of_rows(given["rows"])
    found = run_checked(submit_rows, auth, **{**given, "rows": rows})
    number = found["batch_id"]
    begun = "was started before" if found["reattached"] else "is started"
    text = f"The batch {number} of {found['rows']} rows {begun}."
    text += " fetch_batch gets its answers, which may take hours."
    names = ("batch_id", "rows", "reattached", "estimated_cost_usd")
    return {"text": text, **_result_members(found, *names)}


def fetch_batch(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return a batch's answers, or how far it is. {"text", "cut"?, "batch_id", "status",
    "done"?, "failed"?, "cost_usd"?, "s3"?}; raises TogetherError."""
    from ..batch_files.batch_steps import collect_rows  # each tool has its own

    given = given_by_model(auth, step, arguments)
    fixed = {"output": "result", "answer_column": "answer"}
    try:
        found = run_checked(collect_rows, auth, **given, **fixed)
    except TogetherError as error:
        if error.type != "not_finished":
            raise
        told = {"text": f"{error} Call again later.", "batch_id": given["batch_id"]}
        return {**told, "status": error.state}
    found["batch_id"] = given["batch_id"]
    names = ("batch_id", "status", "done", "failed", "s3", "storage")
    kept = _result_members(found, *names)
    if "rows" not in found:
        return {"text": f"The answers are in storage: {_place(found)}", **kept}
    lines = [json.dumps(row, ensure_ascii=False) for row in found["rows"]]
    shown = _text_members("\n".join(lines))
    if "cut" in shown:
        content = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
        stored = store_lines(content, "answers.jsonl", None, "answers")
        kept |= _result_members(stored or {}, "s3", "storage")
    return {**shown, **kept}


def price_call(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return what calls of a model cost at most. {"text", "usd": None where it is not
    known, "note"?: why not}; raises TogetherError."""
    from ..catalog.pricing import money, most_cost  # only where prices are asked for

    given = given_by_model(auth, step, arguments)
    times = given["times"]
    words = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens"}
    names = ("images", "seconds", "characters", "videos")
    words |= {name: name for name in names}
    used = {word: given[n] * times for n, word in words.items() if n in given}
    if not used:
        choices = ", ".join(words)
        raise TogetherError.refused("input_tokens", f"is required, or one of {choices}")
    if "images" in used:
        used["megapixels"] = used["images"] * 1.05
    usd, note = most_cost(auth, given["model"], used)
    if usd is None:
        return {"text": f"The price is not known: {note}", "usd": None, "note": note}
    calls = "One call" if times == 1 else f"{times} calls"
    text = f"{calls} of {given['model']}: at most {money(usd)} USD."
    return {"text": text, "usd": usd}


def find_model(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return the models for a task, best first. {"text": a line each, "models": their
    ids}; raises TogetherError."""
    from ..catalog.catalog import (  # only where models are looked for
        SERVERLESS,
        fitting,
        listing,
    )

    given = given_by_model(auth, step, arguments)
    found: list[Members] = []
    problem = None
    for product in (SERVERLESS, None):
        read = listing(auth, product)
        read.wait(CATALOGUE_SECONDS)
        problem = problem or read.problem()
        found = found or fitting(read.models, given["task"])
    if not found and problem:
        raise TogetherError(
            f"The catalogue cannot be read: {problem}", type="invalid_answer"
        )
    words = given.get("words", "").lower()
    names = ("id", "name", "publisher")
    fits = [m for m in found if words in " ".join(str(m[n]) for n in names).lower()]
    best = fits[: given["most"]]
    lines = [_model_line(model) for model in best]
    if not best:
        lines = [f"The catalogue has no such model for {given['task']}."]
        if given["task"] in ("embedding", "rerank"):
            lines.append("Such models run on endpoints of one's own.")
    elif len(fits) > len(best):
        lines.append(f"{len(fits) - len(best)} more are left out.")
    return {
        **_text_members("\n".join(lines)),
        "models": [model["id"] for model in best],
    }


def report_spending(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return what the account spent. {"text", "total_usd", "products", "days"}; raises
    TogetherError."""
    from ..account_steps import report_usage  # each tool has its own

    found = run_checked(report_usage, auth, **given_by_model(auth, step, arguments))
    total = f"{found['total_usd']:.2f} USD from {found['since']} to {found['until']}."
    lines = [f"- {p['product']}: {p['cost_usd']:.2f} USD" for p in found["products"]]
    if found["unreadable"]:
        lines.append(f"More was spent: {found['unreadable']} costs cannot be read.")
    days = {one["date"]: one["cost_usd"] for one in found["days"][-MOST_DAYS:]}
    shown = _text_members("\n".join([total, *lines]))
    return {**shown, "total_usd": found["total_usd"], "days": days}


def query_table(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Answer a question to a table. {"text": the answer as CSV with what it was made
    of, "cut"?, "rows": how many the table has, "matched"}; raises TogetherError."""
    from ..table.table import Table  # each tool has its own
    from ..table_query.description import describe  # each tool has its own
    from ..table_query.query import Query, ask  # each tool has its own

    given = given_by_model(auth, step, arguments)
    address = _one_among(given["table"], given.get("among", []))
    asked = Query(
        given.get("where", ()),
        given.get("group_by", ()),
        given.get("measures", ()),
        given.get("sort"),
        given.get("columns", ()),
    )
    table = Table(auth, address, "table")
    if asked.is_empty:
        asked.check(table)
        found = describe(table, min(given["most"], SAMPLE))
    else:
        found = ask(table, asked, given["most"])
    lines = [f"{found['matched']} of {found['read']} rows match."]
    if asked.is_empty:
        lines = [f"{found['read']} rows. Columns:"]
    if found["unreadable"]:
        lines.append(f"{found['unreadable']} rows cannot be read.")
    lines += found["words"]
    if found["found"] > len(found["rows"]):
        lines.append(f"The first {len(found['rows'])} of {found['found']}:")
    shown = _text_members("\n".join([*lines, _as_csv(found["rows"])]))
    return {**shown, "rows": found["read"], "matched": found["matched"]}


def list_work(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return what trains and what is served. {"text": a line each, "cut"?,
    "fine_tunes": how many, "deployments"}; raises TogetherError."""
    from ..trigger_steps.trigger_steps import (  # each tool has its own
        PROJECT_ENDPOINTS,
        idle_endpoints,
    )

    given = given_by_model(auth, step, arguments)
    tunes = listed(call(auth, FINE_TUNES))
    tunes = sorted(tunes, key=lambda one: str(one.get("created_at")), reverse=True)
    lines = [f"{len(tunes)} fine-tunes, the newest first:"]
    for one in tunes[: given["most"]]:
        name = one.get("model_output_name") or "no name yet"
        words = f"{one.get('id')}: {one.get('status')}, {one.get('model')} to {name}"
        lines.append(f"{words}, created {str(one.get('created_at'))[:16]}")
    endpoints = listed(call(auth, PROJECT_ENDPOINTS, limit=100, max_pages=10))
    served = [(e, d) for e in endpoints for d in listed(e.get("deployments") or [])]
    idle = {one["job_id"] for one in idle_endpoints(auth, {"minutes": IDLE_MINUTES})}
    lines.append(f"{len(served)} deployments:")
    for endpoint, one in served[: given["most"]]:
        number = f"{endpoint.get('id')}/{one.get('id')}"
        state = plain_state(one.get("state"), (), "DEPLOYMENT_STATE_")
        words = f"{number}: {state}, {one.get('name')} with {one.get('model')}"
        ready = finite(one.get("readyReplicas"))
        replicas = "an unknown number of" if ready is None else f"{ready:g}"
        words += f" on {one.get('hardware')}, {replicas} replicas"
        if number in idle:
            words += f", no request for {IDLE_MINUTES} minutes"
        lines.append(words)
    left = max(len(tunes), len(served)) - given["most"]
    if left > 0:
        lines.append(f"Older ones are left out: raise most ({given['most']}).")
    shown = _text_members("\n".join(lines))
    return {**shown, "fine_tunes": len(tunes), "deployments": len(served)}


def look_at_training(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return how a fine-tune goes. {"text", "state", "progress", "cost_usd": None where
    it is not known, "cost_note"?}; raises TogetherError."""
    from ..tuning.fine_tune_steps import report_fine_tune  # each tool has its own

    given = given_by_model(auth, step, arguments)
    found = run_checked(report_fine_tune, auth, **given)
    lines = [f"{found['fine_tune_id']} is {found['state']}: {found['model']}"]
    if found["model_name"]:
        lines[0] += f", to become {found['model_name']}"
    if found["progress"] is not None:
        lines.append(f"Done: {found['progress']:.0%}.")
    if found.get("reason"):
        lines.append(f"Why it failed: {found['reason']}")
    for title, name in (("Training", "train_loss"), ("Evaluation", "eval_loss")):
        told = [one for one in found["metrics"] if one[name] is not None]
        if told:
            first, last = told[0], told[-1]
            words = f"{first[name]:g} at step {first['step']}"
            words += f" to {last[name]:g} at step {last['step']}"
            lines.append(f"{title} loss: {words}.")
    lines += [f"{one['level']}: {one['message']}" for one in found["events"][:5]]
    shown = _text_members("\n".join(lines))
    return {**shown, **_result_members(found, "state", "progress")}


# --- what they share ---------------------------------------------------------------

CATALOGUE_SECONDS = 10.0
REFUSED = (
    "holds a $ that Windmill takes for the name of a variable or resource: write it "
    "without the $"
)
NO_PLACE = (
    "a sound is kept in the workspace's object storage, and the workspace has none"
)
ASK_FOR_ONE = (
    "Do not try again: answer in text, or ask the user to set up object storage in the "
    "workspace's settings."
)
SAMPLE = 5  # rows of a table that is described
CELL = 200  # characters of a cell that a model is shown
IDLE_MINUTES = 60
FINE_TUNES = operation("fine_tuning/list_fine_tunes")
MOST_DAYS = 31
UNITS = {
    "input": "USD a million tokens in",
    "output": "out",
    "image": "USD a picture",
    "megapixel": "USD a megapixel",
    "second": "USD a second",
    "character": "USD a million characters",
    "video": "USD a film",
}


def given_by_model(
    auth: Auth, step: Step, arguments: Members, *addresses: str
) -> Members:
    """Return the arguments as a model means them; some are addresses of files. Raises
    TogetherError."""
    _refuse_references(step)
    given = prepare(step, understood(step, arguments))
    credentials(auth, HOST)  # a missing key is told first
    for name in addresses:
        value = given.get(name, [])
        several = isinstance(value, list)
        for number, one in enumerate(value if several else [value]):
            if not ADDRESS.match(one.strip()):
                field = f"{name}[{number}]" if several else name
                problem = "must be an address: https://... or s3://<storage>/<key>"
                raise TogetherError.refused(field, problem)
    return given


def _refuse_references(step: Step) -> None:
    """Refuse an argument in which Windmill found one of its references, and put in what
    it leads to: what a model writes, perhaps as a document told it, must not become a
    secret. Raises TogetherError."""
    own = own_arguments()
    for name in step["arguments"]["properties"]:
        if is_word(json.dumps(own.get(name), ensure_ascii=False)):
            raise TogetherError.refused(name, REFUSED)


def _one_of(given: Members, name: str, other: str) -> None:
    """Refuse arguments that name neither or both of two. Raises TogetherError."""
    if name not in given and other not in given:
        raise TogetherError.refused(name, f"is required, or {other}: give one of them")
    if name in given and other in given:
        problem = f"and {other} exclude each other: give one of them"
        raise TogetherError.refused(name, problem)


def _document(auth: Auth, address: str) -> tuple[str, str]:
    """Return a document's name and its text."""
    from ..documents import document_steps  # only where a document is given

    found = document_steps.read_document(auth, address, "document")
    return document_steps.text_of(found, "document")


# Of the steps that are run here and in proposals, by the names of their functions.
DEFAULTS = {
    "ask_model": step_defaults("chat/ask_model"),
    "cancel_job": step_defaults("waits/cancel_job"),
    "collect_rows": step_defaults("batches/collect_rows"),
    "create_picture": step_defaults("images/create_picture"),
    "deploy_model": step_defaults("endpoints/deploy_model"),
    "extract_structured": step_defaults("chat/extract_structured"),
    "plan_deployment": step_defaults("endpoints/plan_deployment"),
    "rank_passages": step_defaults("embeddings/rank_passages"),
    "report_fine_tune": step_defaults("fine_tuning/report_fine_tune"),
    "report_usage": step_defaults("organization/report_usage"),
    "speak_text": step_defaults("audio/speak_text"),
    "split_documents": step_defaults("embeddings/split_documents"),
    "submit_fine_tune": step_defaults("fine_tuning/submit_fine_tune"),
    "submit_rows": step_defaults("batches/submit_rows"),
    "transcribe_recording": step_defaults("audio/transcribe_recording"),
}


def run_checked(function: Any, auth: Auth, **values: Json) -> Members:
    """Return what another step does with arguments that are checked already; those that
    are None or missing have the step's defaults. Raises TogetherError."""
    given = {name: value for name, value in values.items() if value is not None}
    given = DEFAULTS[function.__name__] | given
    members = {name: PICTURES if name == "pictures" else {} for name in given}
    return function(auth, {"arguments": {"properties": members}}, **given)


def _one_among(name: str, among: list[str]) -> str:
    """Return the address that is meant, of those that may be read; any where there are
    none. Raises TogetherError."""
    wanted = name.strip()
    if not among:
        if not ADDRESS.match(wanted):
            problem = "must be an address: https://... or s3://<storage>/<key>"
            raise TogetherError.refused("table", problem)
        return wanted
    fitting = [one for one in among if wanted in (one, one.rsplit("/", 1)[-1])]
    if len(fitting) != 1:
        raise TogetherError.refused("table", f"must be one of {', '.join(among)}")
    return fitting[0]


def _as_csv(rows: list[Members]) -> str:
    """Return rows as CSV, long cells cut."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        cells = (row.get(name) for name in names)
        writer.writerow(["" if c is None else _cell(c)[:CELL] for c in cells])
    return file.getvalue().rstrip("\n")


def _cell(value: Json) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _text_members(text: str) -> Members:
    """Return {"text", and "cut": what was left out} of a text for a model."""
    if len(text) <= LONGEST:
        return {"text": text}
    left = len(text) - LONGEST
    return {"text": text[:LONGEST], "cut": f"{left} more characters are left out"}


def _result_members(found: Members, *names: str) -> Members:
    """Return what a model needs of a step's result beside its text."""
    members = {name: found[name] for name in names if name in found}
    members = {n: v for n, v in members.items() if v is not None or n not in SHOWN}
    cost = {"cost_usd": found["cost_usd"]} if "cost_usd" in found else {}
    notes = {name: found[name] for name in ("cost_note", "note") if found.get(name)}
    return {**members, **cost, **notes}


def _place(found: Members) -> str:
    """Say where something is, as other tools take it."""
    if "s3" in found:
        return f"s3://{found.get('storage') or ''}/{found['s3']}"
    return found.get("url") or "in the result"


def _field_text(one: Json) -> Json:
    """Return a field that a model gives as an object as the text that says it."""
    if not isinstance(one, dict) or not isinstance(one.get("name"), str):
        return one
    kind, said = one.get("type") or one.get("kind"), one.get("description")
    return one["name"] + (f" ({kind})" if kind else "") + (f": {said}" if said else "")


def _field(text: str, place: str) -> Members:
    """Return what `name (kind): description` says of a field that may be absent."""
    from ..structured.extract_steps import KINDS  # loaded already

    head, _, said = text.partition(":")
    name, _, kind = head.partition("(")
    kind = kind.partition(")")[0].strip().lower() or "string"
    kind = {"text": "string", "array": "list", "float": "number"}.get(kind, kind)
    if kind not in KINDS:
        known = ", ".join(KINDS)
        raise TogetherError.refused(place, f"is of no kind {kind!r}: known are {known}")
    if not name.strip():
        raise TogetherError.refused(place, "has no name")
    found = {"name": name.strip(), "type": kind, "required": False}
    if said.strip():
        found["description"] = said.strip()
    return found


def _model_line(model: Members) -> str:
    """Say in a line what a model is and costs."""
    from ..catalog.pricing import money  # only where prices are asked for

    facts = [model["id"]]
    if model["context_length"]:
        facts.append(f"context {model['context_length']} tokens")
    prices = model["prices"]
    facts += [f"{money(prices[n])} {unit}" for n, unit in UNITS.items() if n in prices]
    if model["status"] in ("recommended", "deprecated"):
        facts.append(model["status"])
    return ", ".join(facts)
