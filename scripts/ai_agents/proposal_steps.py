"""What an agent may propose and a person decides.

An agent of Windmill's own cannot wait for a person. So its tools that are dear, or
cannot be undone, carry nothing out: they return a proposal, {"step", "arguments",
"usd": what it may cost, or None, "usd_per_hour"?, "what": in words}. The flow behind
the agent shows it to a person, and carries out that and nothing else.

    propose_batch   a batch; below a limit it is started at once
    propose_change  of fine-tunes and of what is served
    proposal_of     the proposal that a tool returned
    carry_out       does what a proposal says; however often it is asked, once
"""

from __future__ import annotations

import json

from ..agent_tools.agent_steps import (
    begin_batch,
    file_of_rows,
    given_by_model,
    rows_given,
    run_checked,
)
from ..catalog.pricing import money
from ..client import TogetherError, call
from ..operations import operation
from ..service_jobs.job_kinds import KINDS, look, over
from ..service_jobs.wait_steps import cancel_job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Auth, Json, Members, Step

DELETE = operation("fine_tuning/delete_fine_tune")
GET = operation("fine_tuning/get_fine_tune")
LONGEST = 4000  # characters of what a person is to be shown
IDLE_MINUTES = 60  # after which what is served stops by itself
STEPS = (
    "batches/submit_rows",
    "endpoints/deploy_model",
    "fine_tuning/delete_fine_tune",
    "fine_tuning/submit_fine_tune",
    "waits/cancel_job",
)
ASKED = "This is proposed and not done: a person is asked after your answer. Say so."
NEEDED = {
    "cancel_fine_tune": ("id",),
    "delete_fine_tune": ("id",),
    "start_fine_tune": ("model", "training_file"),
    "stop_deployment": ("id",),
    "serve_model": ("model", "name"),
}


def propose_batch(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Start a batch that costs ask_above_usd at most, else propose it. {"text",
    "batch_id"...} as start_batch, or {"text", "proposal"}; raises TogetherError."""
    from ..batch_files.batch_steps import price_rows  # each tool has its own

    given = rows_given(auth, step, arguments)
    limit = given.pop("ask_above_usd")
    rows = file_of_rows(given["rows"])
    count, usd, note = price_rows(auth, {**given, "rows": rows})
    if usd is not None and usd <= limit:
        return begin_batch(auth, {**given, "budget_usd": usd})
    words = {"model": given["model"], "template": given["template"], "rows": rows}
    words["max_tokens"] = given["max_tokens"]
    if usd is not None:
        words["budget_usd"] = usd  # more than was shown is never spent
    what = f"Ask {given['model']} about {count} rows"
    return _proposal("batches/submit_rows", words, what, usd, note)


def propose_change(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Propose to start, cancel or delete a fine-tune, or to serve a model or stop that.
    {"text", "proposal"}; raises TogetherError where that cannot be done."""
    given = given_by_model(auth, step, arguments)
    action = given["action"]
    lacking = [name for name in NEEDED[action] if not given.get(name)]
    if lacking:
        raise TogetherError.refused(lacking[0], f"is required for {action}")
    if action == "serve_model":
        return _serve(auth, given)
    if action == "start_fine_tune":
        return _train(auth, given)
    return _end(auth, action, given["id"].strip())


def _serve(auth: Auth, given: Members) -> Members:
    from ..deployment_steps import plan_deployment  # each change has its own

    words = {
        "model": given["model"],
        "replicas": given["replicas"],
        "endpoint_name": given["name"],
        "deployment_name": "main",
    }
    plan = run_checked(plan_deployment, auth, **words)
    if plan["running"]:
        problem = f"serves {given['model']} already: there is nothing to do"
        raise TogetherError.refused("name", problem)
    words["inactive_minutes"] = IDLE_MINUTES
    if plan["config"]:
        words["config"] = plan["config"]
    what = f"Serve {given['model']} as {given['name']}"
    what += f" until it has no request for {IDLE_MINUTES} minutes"
    hour = plan["usd_per_hour"]
    proposed = _proposal("endpoints/deploy_model", words, what, None, "by the hour")
    proposed["proposal"]["usd_per_hour"] = hour
    told = "an amount that is not listed" if hour is None else f"{money(hour)} USD"
    proposed["text"] += f" An hour costs {told}."
    return proposed


def _train(auth: Auth, given: Members) -> Members:
    from ..tuning.fine_tune_steps import estimate_price  # each change has its own

    words = {
        "model": given["model"],
        "training_file": given["training_file"],
        "n_epochs": given["epochs"],
        "n_checkpoints": 1,
        "lora": True,
    }
    _, usd = estimate_price(auth, words)
    note = "the service cannot tell it yet"
    if usd is not None:
        words["budget_usd"] = usd
    what = f"Fine-tune {given['model']} with {given['training_file']}"
    return _proposal("fine_tuning/submit_fine_tune", words, what, usd, note)


def _end(auth: Auth, action: str, job_id: str) -> Members:
    kind = "fine_tune"
    if action == "stop_deployment":
        kind = "deployment" if "/" in job_id else "endpoint"
    job, state = look(auth, kind, job_id)
    about = f"{job.get('model')}, {state}"
    if action == "delete_fine_tune":
        what = f"Delete the fine-tune {job_id} ({about}); this cannot be undone"
        words = {"fine_tune_id": job_id}
        return _proposal("fine_tuning/delete_fine_tune", words, what, 0.0, None)
    if state in over(KINDS[kind]):
        raise TogetherError.refused("id", f"is {state} already: there is nothing to do")
    what = f"Cancel the fine-tune {job_id} ({about}); what it has trained is lost"
    if action == "stop_deployment":
        what = f"Stop the {kind} {job_id} ({about}); it answers no requests then"
    words = {"kind": kind, "job_id": job_id}
    return _proposal("waits/cancel_job", words, what, 0.0, None)


def _proposal(
    step: str, words: Members, what: str, usd: float | None, note: str | None
) -> Members:
    if len(json.dumps(words)) > LONGEST:
        raise TogetherError(
            f"This is more than {LONGEST} characters, which a person cannot be shown "
            "whole: give the rows as an address.",
            type="invalid_argument",
        )
    limit = f"at most {money(usd)} USD" if usd else "nothing"
    if usd is None:
        limit = f"an amount that is not known: {note}"
    proposal: Members = {"what": what, "step": step, "arguments": words, "usd": usd}
    return {"text": f"{what}. It costs {limit}. {ASKED}", "proposal": proposal}


# --- carrying out -------------------------------------------------------------------


def proposal_of(result: Json) -> Members | None:
    """Return the proposal that a tool's result holds, or None."""
    found = result.get("proposal") if isinstance(result, dict) else None
    if not isinstance(found, dict) or found.get("step") not in STEPS:
        return None
    return found if isinstance(found.get("arguments"), dict) else None


def carry_out(auth: Auth, proposal: Members) -> Members:
    """Do what a proposal says; what its step returns.

    Each of these steps finds what an earlier run of it did, so that what broke off is
    carried out again without being paid twice. Raises TogetherError.
    """
    from ..batch_files.batch_steps import (
        submit_rows,
    )  # only where something is carried out
    from ..deployment_steps import deploy_model  # only then
    from ..tuning.fine_tune_steps import submit_fine_tune  # only then

    step, words = proposal["step"], proposal["arguments"]
    if step == "fine_tuning/delete_fine_tune":
        return _delete(auth, words["fine_tune_id"])
    functions = {
        "batches/submit_rows": submit_rows,
        "endpoints/deploy_model": deploy_model,
        "fine_tuning/submit_fine_tune": submit_fine_tune,
        "waits/cancel_job": cancel_job,
    }
    if step not in functions:
        raise TogetherError.refused("proposals", f"{step!r} is nothing to carry out")
    return run_checked(functions[step], auth, **words)


def _delete(auth: Auth, fine_tune_id: str) -> Members:
    try:
        call(auth, DELETE, fine_tune_id=fine_tune_id)
    except TogetherError as error:
        if error.status != 404:
            raise
        note = "it was gone already"
        return {"fine_tune_id": fine_tune_id, "deleted": True, "note": note}
    return {"fine_tune_id": fine_tune_id, "deleted": True}
