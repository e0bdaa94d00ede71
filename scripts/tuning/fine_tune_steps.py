"""Steps from a training file to a fine-tuned model."""

from __future__ import annotations

from .. import charts
from ..catalog.budget import check_budget
from ..catalog.pricing import money
from ..client import TogetherError, call, prepare
from ..client.asked_for import about, listed, made_id
from ..client.endings import plain_state
from ..client.job import log
from ..client.jsonio import finite
from ..job_states import states
from ..operations import operation
from ..workspace.create_once import fingerprint_of, once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Auth, Json, Members, Step


CREATE = operation("fine_tuning/create_fine_tune")
ESTIMATE = operation("fine_tuning/estimate_fine_tune_price")
LIST = operation("fine_tuning/list_fine_tunes")
GET = operation("fine_tuning/get_fine_tune")
METRICS = operation("fine_tuning/list_fine_tune_metrics")
EVENTS = operation("fine_tuning/list_fine_tune_events")

FAILED = states("fine_tune", "bad")
DONE = states("fine_tune", "good")
KNOWN = states("fine_tune", "every")
LATER = "Try again in some minutes, or leave budget_usd empty."
LESS = "Raise budget_usd, train fewer epochs or on fewer rows."
SUFFIX = 40  # characters that the service takes
SHOWN_EVENTS = 50
NANO = 1e9  # a job's total_price is in billionths of a US dollar


def submit_fine_tune(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Begin a fine-tune, once: a rerun attaches to the one that it began.

    The suffix of the new model's name ends in the first digits of the input's
    fingerprint, by which the service can be searched. Returns {"fine_tune_id", "state",
    "model_name", "fingerprint", "reattached", "estimated_cost_usd"}; "cost_note" says
    why there is no estimate. Raises TogetherError, before anything is created, when the
    price is over budget_usd or the account's limit.
    """
    given = prepare(step, arguments)
    budget = given.pop("budget_usd", None)
    fingerprint = fingerprint_of("fine_tune", given)
    again, lora = given.pop("again", None), given.pop("lora")
    body = {**given, "suffix": _suffix(given.get("suffix"), fingerprint)}
    if not lora:  # left out, the service takes LoRA with the model's own settings
        body["training_type"] = {"type": "Full"}
    priced = {"estimated_cost_usd": None, "cost_note": "an earlier run began it"}

    def create() -> Members:
        priced.clear()
        priced.update(_price(auth, body, budget))
        job = call(auth, CREATE, body=body)
        return _fine_tune_members(made_id(job, CREATE), job)

    def attach(job: Members) -> Members | None:
        found = about(job["id"], call(auth, GET, fine_tune_id=job["id"]))
        if not isinstance(found, dict):
            found = {}  # it was made, whatever the answer is: nothing says it failed
        return None if _state(found) in FAILED else _fine_tune_members(job["id"], found)

    def look() -> Members | None:
        for found in listed(call(auth, LIST), "id"):
            alike = all(found.get(n) == body[n] for n in ("training_file", "suffix"))
            if alike and _state(found) not in FAILED:
                return _fine_tune_members(found["id"], found)
        return None

    job, reattached = once("fine_tune", fingerprint, create, attach, look)
    if again:
        log(f"begun anew because again is {again!r}")
    return {
        "fine_tune_id": job["id"],
        "state": job["state"],
        "model_name": job["model_name"],
        "fingerprint": fingerprint,
        "reattached": reattached,
        **priced,
    }


def _suffix(text: str | None, fingerprint: str) -> str:
    """Return the suffix that a person wants with the fingerprint behind it."""
    short = fingerprint[:8]
    return f"{text[: SUFFIX - len(short) - 1].rstrip('-')}-{short}" if text else short


def _fine_tune_members(job_id: str, found: Members) -> Members:
    """Return what is to be known of a fine-tune that exists."""
    return {
        "id": job_id,
        "state": _state(found),
        "model_name": found.get("model_output_name"),
    }


def _state(job: Members) -> Json:
    return plain_state(job.get("status"), KNOWN)


def _price(auth: Auth, body: Members, budget: float | None) -> Members:
    """Return {"estimated_cost_usd"} of a fine-tune, {"cost_note"} beside None.

    Raises TogetherError when it must not be begun for that price.
    """
    found, price = estimate_price(auth, body)
    if price is None:
        note = "the service cannot estimate it yet: the file may not be validated"
        check_budget(budget, None, note, "the fine-tune", None, LATER)
        return {"estimated_cost_usd": None, "cost_note": note}
    check_budget(budget, price, None, "the fine-tune", LESS)
    if found.get("allowed_to_proceed") is False:
        limit = found.get("user_limit")
        raise TogetherError(
            "Nothing was begun: the account may not spend the estimated "
            f"{money(price)} USD (its limit: {limit}).",
            type="budget_reached",
            estimated_cost_usd=price,
            advice="Add credit or raise the spending limit of the Together account.",
            ambiguous=False,
        )
    return {"estimated_cost_usd": price}


def estimate_price(auth: Auth, body: Members) -> tuple[Members, float | None]:
    """Return (what the service estimates for a fine-tune, the USD or None)."""
    asked = ("training_file", "validation_file", "model", "n_epochs", "training_type")
    found = call(auth, ESTIMATE, body={n: body[n] for n in asked if n in body})
    return found, estimated_price(found)


def estimated_price(estimate: Json) -> float | None:
    """Return the USD that an answer of ESTIMATE names, or None where it names none."""
    estimate = estimate if isinstance(estimate, dict) else {}
    usd = finite(estimate.get("estimated_total_price"))
    available = estimate.get("estimation_available", True)
    return usd if available and usd is not None and usd >= 0 else None


def report_fine_tune(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return where a fine-tune stands, with its loss as a chart.

    {"fine_tune_id", "state", "model_name", "progress": 0 to 1 or None,
    "seconds_remaining", "cost_usd", "metrics": [{"step", "train_loss", "eval_loss",
    "learning_rate"}], "events": the newest, "reason": the service's own for a failure}.
    Raises TogetherError.
    """
    given = prepare(step, arguments)
    name = given["fine_tune_id"]
    job = about(name, call(auth, GET, fine_tune_id=name))
    events = _newest(listed(call(auth, EVENTS, fine_tune_id=name)))
    metrics, lost = _metrics(auth, name)
    price, note = _cost(job)
    report = {
        "fine_tune_id": name,
        "state": _state(job),
        "model": job.get("model"),
        "model_name": job.get("model_output_name"),
        "progress": _progress(job, events),
        "seconds_remaining": _remaining(job),
        "training_tokens": finite(job.get("token_count")),
        "cost_usd": price,
        "metrics": metrics,
        "events": events,
    }
    if note:
        report["cost_note"] = note
    if lost:
        report["note"] = lost
    if report["state"] in FAILED:
        report["reason"] = next(
            (e["message"] for e in events if e["level"] in ("error", "fatal")),
            events[0]["message"] if events else None,
        )
    series = {
        title: [(row["step"], row[name]) for row in metrics if row[name] is not None]
        for title, name in (("training", "train_loss"), ("evaluation", "eval_loss"))
    }
    series = {title: line for title, line in series.items() if line}
    if series:
        title = f"Loss of {job.get('model_output_name') or name}: {report['state']}"
        report["wm_renderer"] = "svg"
        report["svg"] = charts.lines(title, series, across="step")
    return report


def _metrics(auth: Auth, name: str) -> tuple[list[Members], str]:
    """Return the rows of a fine-tune's metrics, and what is to be said of them."""
    try:
        answer = call(auth, METRICS, fine_tune_id=name)
    except TogetherError as error:
        if error.status not in (400, 404):
            raise
        return [], ""  # none are kept before the first step
    held = isinstance(answer, dict) and "metrics" in answer
    found = listed({"data": answer["metrics"]} if held else answer)
    rows = [
        {
            "step": finite(row.get("train/global_step", row.get("global_step"))),
            "train_loss": finite(row.get("train/loss")),
            "eval_loss": finite(row.get("eval/loss")),
            "learning_rate": finite(row.get("train/learning_rate")),
        }
        for row in found
    ]
    losses = [row.get(n) for row in found for n in ("train/loss", "eval/loss")]
    lost = sum(loss is not None and finite(loss) is None for loss in losses)
    notes = []
    if lost:
        notes.append(f"{lost} losses are no numbers: the run may have diverged")
    placed = [row for row in rows if row["step"] is not None]
    if left := len(rows) - len(placed):
        notes.append(f"{left} rows of metrics name no step and are left out")
    return sorted(placed, key=lambda row: row["step"]), "; ".join(notes)


def _newest(events: list[Members]) -> list[Members]:
    """Return the newest events first: when, how grave, what."""
    found = [
        {
            "at": event.get("created_at"),
            "level": str(event.get("level") or "info").lower(),
            "message": event.get("message") or event.get("type") or "",
            "step": finite(event.get("step")),
            "total_steps": finite(event.get("total_steps")),
        }
        for event in events
    ]
    found.sort(key=lambda event: str(event["at"]), reverse=True)
    return found[:SHOWN_EVENTS]


def _progress(job: Members, events: list[Members]) -> float | None:
    """Return the share that is done, from 0 to 1, or None where nothing says it."""
    if _state(job) in DONE:
        return 1.0
    totals = [(e["step"], e["total_steps"]) for e in events if e["total_steps"]]
    done = max((e["step"] for e in events if e["step"]), default=0)
    if totals:
        return _share(done, totals[0][1])
    done, all_of = finite(job.get("epochs_completed")), finite(job.get("n_epochs"))
    return _share(done, all_of) if done and all_of else None


def _share(done: float, whole: float) -> float | None:
    """Return a part of a whole, from 0 to 1; None where that makes no sense."""
    share = done / whole
    return None if share < 0 else round(min(share, 1.0), 4)


def _remaining(job: Members) -> float | None:
    progress = job.get("progress")
    found = progress.get("seconds_remaining") if isinstance(progress, dict) else None
    return finite(found)


def _cost(job: Members) -> tuple[float | None, str | None]:
    """Return (USD, None) of a job, or (None, why it is not known)."""
    price = finite(job.get("total_price"))
    if price is not None and price > 0:
        return price / NANO, None
    if _state(job) not in DONE:
        return None, "the service says it when the job is done"
    return None, "the service does not say what the job cost"
