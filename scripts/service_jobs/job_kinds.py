"""KINDS: what can be waited for at Together.

The one table of it: how to look at it, where it says why it failed, how it is stopped.
Which of its states are the end stands in job_states.py.
"""

from __future__ import annotations

from ..client import TogetherError, call
from ..client.asked_for import about
from ..client.endings import plain_state
from ..client.job import log
from ..client.jsonio import finite
from ..job_states import states
from ..operations import operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Auth, JobKind, Json, Members, Operation


GROWTH = 1.5  # of the pause from one look to the next
STEPS = 100  # so often at most
HOUR = 3600
# What a training session carries out, by the word that stands for it in a job's id.
TRAINING_LOOKS: dict[str, Operation] = {
    "custom-forward-backward": operation("rl/get_custom_forward_backward", tries=1),
    "forward-backward": operation("rl/get_forward_backward", tries=1),
    "inference-checkpoint": operation("rl/get_inference_checkpoint", tries=1),
    "optim-step": operation("rl/get_optim_step", tries=1),
    "sample": operation("rl/get_sample", tries=1),
    "training-checkpoint": operation("rl/get_training_checkpoint", tries=1),
    "weights-sync": operation("rl/get_weights_sync", tries=1),
}


def _last_of(entries: Json, **wanted: str) -> Members:
    """Return the last of a list of objects that has one of these values, in any case,
    or {}."""
    for entry in reversed(entries if isinstance(entries, list) else []):
        if isinstance(entry, dict) and all(
            str(entry.get(name)).lower() == value for name, value in wanted.items()
        ):
            return entry
    return {}


def _error_words(error: Json) -> str | None:
    """Return what an error says, of whatever shape it is; None where it says nothing."""
    if not error:
        return None
    from ..resilience.server_words import reason_or_code  # only when something failed

    return reason_or_code(error)


def _error(job: Members) -> str | None:
    return _error_words(job.get("error"))


def _tuning_reason(job: Members) -> str | None:
    events = job.get("events")
    found = _last_of(events, type="job_error") or _last_of(events, level="error")
    return _error_words(found.get("message"))


def _evaluation_reason(job: Members) -> str | None:
    results = job.get("results")
    return _error_words(results.get("error")) if isinstance(results, dict) else None


def _deployment_reason(job: Members) -> str | None:
    status = job.get("status")
    return _error_words(status.get("message")) if isinstance(status, dict) else None


def _percent(job: Members) -> float | None:
    percent = finite(job.get("progress"))
    return None if percent is None else percent / 100


def _epochs(job: Members) -> float | None:
    done, wanted = finite(job.get("epochs_completed")), finite(job.get("n_epochs"))
    return (done or 0) / wanted if wanted else None


# By kind:
#   names      what the parts of a job_id with slashes are, as the look's path has them
#   look       the operation that shows it, or looks by the operation_type in names; one
#              try each: what fails in passing is looked at again by the flow, later
#   several    a job_id may be those of several jobs, with commas between them
#   id         where the answer holds its id, where that is not "id"
#   state      where the answer holds its state
#   prefix     of its states' names, left out below
#   going, good, bad, late, stopped: its states, as job_states.py has them
#   reason     from the answer to why it failed; progress: to a share of 1
#   first      seconds between the first two looks; longest: the most they become
#   deadline   seconds after which the wait is given up
#   stop       the operation that stops it, and its body
#   left       what it costs when nobody stops it
KINDS: dict[str, JobKind] = {
    "batch": {
        "names": ("batch_id",),
        "several": True,
        "look": operation("batches/get_batch", tries=1),
        "state": ("status",),
        "going": states("batch", "going"),
        "good": states("batch", "good"),
        "bad": states("batch", "bad"),
        "reason": _error,
        "progress": _percent,
        "first": 15,
        "longest": 300,
        "deadline": 25 * HOUR,
        "stop": operation("batches/cancel_batch"),
        "left": "it goes on, and every answer is charged",
    },
    "fine_tune": {
        "names": ("fine_tune_id",),
        "look": operation("fine_tuning/get_fine_tune", tries=1),
        "state": ("status",),
        "going": states("fine_tune", "going"),
        "good": states("fine_tune", "good"),
        "bad": states("fine_tune", "bad"),
        "reason": _tuning_reason,
        "progress": _epochs,
        "first": 30,
        "longest": 600,
        "deadline": 72 * HOUR,
        "stop": operation("fine_tuning/cancel_fine_tune"),
        "left": "it goes on training, and is charged",
    },
    "evaluation": {
        "names": ("evaluation_id",),
        "look": operation("evaluations/get_evaluation", tries=1),
        "id": "workflow_id",
        "state": ("status",),
        "going": states("evaluation", "going"),
        "good": states("evaluation", "good"),
        "bad": states("evaluation", "bad"),
        "reason": _evaluation_reason,
        "first": 15,
        "longest": 300,
        "deadline": 24 * HOUR,
        "left": "it goes on; what its models write is charged",
    },
    "video": {
        "names": ("video_id",),
        "look": operation("videos/get_video", tries=1, without=("brings",)),
        "state": ("status",),
        "going": states("video", "going"),
        "good": states("video", "good"),
        "bad": states("video", "bad"),
        "reason": _error,
        "first": 10,
        "longest": 120,
        "deadline": 2 * HOUR,
        "left": "it is made all the same, and charged",
    },
    "endpoint": {
        "names": ("endpoint_id",),
        "look": operation("endpoints/get_endpoint", tries=1),
        "state": ("state",),
        "going": states("endpoint", "going"),
        "good": states("endpoint", "good"),
        "bad": states("endpoint", "bad"),
        "late": states("endpoint", "late"),
        "first": 10,
        "longest": 120,
        "deadline": 2 * HOUR,
        "stop": operation("endpoints/update_endpoint"),
        "stop_body": {"state": "STOPPED"},
        "stopped": states("endpoint", "stopped"),
        "left": "it is charged for every minute that it is up, used or not",
    },
    "deployment": {
        "names": ("endpoint_id", "deployment_id"),
        "look": operation("endpoints/get_endpoint_deployment", tries=1),
        "state": ("status", "state"),
        "prefix": "DEPLOYMENT_STATE_",
        "going": states("deployment", "going"),
        "good": states("deployment", "good"),
        "bad": states("deployment", "bad"),
        "late": states("deployment", "late"),
        "reason": _deployment_reason,
        "first": 10,
        "longest": 120,
        "deadline": 2 * HOUR,
        "stop": operation("endpoints/update_endpoint_deployment"),
        "stop_body": {"autoscaling": {"minReplicas": 0, "maxReplicas": 0}},
        "stopped": states("deployment", "stopped"),
        "left": "each replica is charged for every minute that it is up, used or not",
    },
    "model_upload": {
        "names": ("job_id",),
        "look": operation("models/get_model_upload_job", tries=1),
        "id": "job_id",
        "state": ("status",),
        "going": states("model_upload", "going"),
        "good": states("model_upload", "good"),
        "bad": states("model_upload", "bad"),
        "reason": lambda job: _error_words(
            _last_of(job.get("status_updates")).get("message")
        ),
        "first": 15,
        "longest": 120,
        "deadline": 12 * HOUR,
        "left": "it goes on; an upload costs nothing",
    },
    "remote_upload": {
        "names": ("upload_id",),
        "look": operation("models/get_model_remote_upload", tries=1),
        "state": ("status",),
        "prefix": "REMOTE_UPLOAD_STATUS_",
        "going": states("remote_upload", "going"),
        "good": states("remote_upload", "good"),
        "bad": states("remote_upload", "bad"),
        "reason": lambda job: _error_words(job.get("statusMessage")),
        "first": 15,
        "longest": 120,
        "deadline": 12 * HOUR,
        "left": "it goes on; an upload costs nothing",
    },
    "training_operation": {
        "names": ("session_id", "operation_type", "operation_id"),
        "looks": TRAINING_LOOKS,
        "state": ("status",),
        "prefix": "TRAINING_OPERATION_STATUS_",
        "going": states("training_operation", "going"),
        "good": states("training_operation", "good"),
        "bad": states("training_operation", "bad"),
        "reason": _error,
        "first": 2,
        "longest": 120,
        "deadline": HOUR,
        "left": "it goes on; its session is charged while it is open",
    },
    "training_session": {
        "names": ("session_id",),
        "look": operation("rl/get_training_session", tries=1),
        "state": ("status",),
        "prefix": "TRAINING_SESSION_STATUS_",
        "going": states("training_session", "going"),
        "good": states("training_session", "good"),
        "bad": states("training_session", "bad"),
        "reason": _error,
        "first": 5,
        "longest": 120,
        "deadline": 2 * HOUR,
        "stop": operation("rl/stop_training_session"),
        "stopped": states("training_session", "stopped"),
        "left": "it is charged until it is stopped",
    },
    "model_resources": {
        "names": ("model_resources_id",),
        "look": operation("rl/get_model_resources", tries=1),
        "state": ("status",),
        "prefix": "MODEL_RESOURCES_STATUS_",
        "going": states("model_resources", "going"),
        "good": states("model_resources", "good"),
        "bad": states("model_resources", "bad"),
        "reason": _error,
        "first": 10,
        "longest": 120,
        "deadline": 4 * HOUR,
        "stop": operation("rl/stop_model_resources"),
        "stopped": states("model_resources", "stopped"),
        "left": "they are charged until they are stopped",
    },
    "shaping_job": {
        "names": ("job_id",),
        "look": operation("shaping/get_shaping_job", tries=1),
        "state": ("status",),
        "going": states("shaping_job", "going"),
        "good": states("shaping_job", "good"),
        "bad": states("shaping_job", "bad"),
        "reason": _tuning_reason,
        "first": 30,
        "longest": 600,
        "deadline": 24 * HOUR,
        "stop": operation("shaping/cancel_shaping_job"),
        "left": "it goes on, and is charged",
    },
}


def look(auth: Auth, name: str, job_id: str) -> tuple[Members, str]:
    """Return a job as the API shows it, and its state without prefix; of several
    batches what `together` makes of them."""
    ids = several(name, job_id)
    if len(ids) > 1:
        return together(kind_of_job(name), ids, [look(auth, name, n) for n in ids])
    return look_at_one(auth, name, ids[0])


def several(name: str, job_id: str) -> list[str]:
    """Return the ids that a job's id is made of: of a batch there may be several, with
    commas between them."""
    if not kind_of_job(name).get("several"):
        return [job_id]
    return [one for one in map(str.strip, job_id.split(",")) if one] or [job_id]


def share_done(kind: JobKind, job: Members) -> float | None:
    """Return how much of a job is done, from 0 to 1; None where it does not say."""
    progress = kind.get("progress")
    share = progress(job) if progress else None
    return None if share is None or share < 0 else min(share, 1.0)


def together(
    kind: JobKind, ids: list[str], looks: list[tuple[Members, str]]
) -> tuple[Members, str]:
    """Return several jobs as if they were one: over when all are, good when one is,
    for then there is something to collect."""
    ends = (*kind["good"], *kind["bad"])
    found = [state for _, state in looks]
    state = next((one for one in found if one not in ends), None)
    state = state or next((one for one in found if one in kind["good"]), found[0])
    shares = [1 if s in ends else share_done(kind, job) or 0 for job, s in looks]
    jobs = [
        {"id": name, "status": one, "error": kind["reason"](job)}
        for name, (job, one) in zip(ids, looks, strict=True)
    ]
    told = (one["error"] for one in jobs if one["status"] in kind["bad"])
    reason = None if state in kind["good"] else next(filter(None, told), None)
    share = 100 * sum(shares) / len(shares)
    shown = {"status": state, "error": reason, "progress": share, "batches": jobs}
    return shown, state


def look_at_one(
    auth: Auth, name: str, job_id: str, patient: bool = False
) -> tuple[Members, str]:
    """Return a job as the API shows it, and its state without prefix; patient: a look
    that fails in passing is tried again at once. Raises TogetherError, also for an
    answer that names no state, or another job."""
    kind, words = kind_of_job(name), parts(name, job_id)
    if "looks" in kind:
        sort = words.pop("operation_type")
        table = kind["looks"].get(sort)
        if table is None:
            known = ", ".join(kind["looks"])
            problem = f"holds {sort!r}, which is none of {known}"
            raise TogetherError.refused("job_id", problem)
    else:
        table = kind["look"]
    if patient:
        table = {**table}
        table.pop("tries", None)
    asked, own = job_id.rsplit("/", 1)[-1], kind.get("id", "id")
    job = about(asked, call(auth, table, **words), own)
    state = state_of(kind, job)
    if not isinstance(state, str) or not state:
        raise TogetherError(
            f"The answer names no state of {job_id}.",
            type="invalid_answer",
            advice="Look again; if it stays so, tell Together's support.",
        )
    if state not in known_states(kind):
        log(f"{job_id} is {state[:100]!r}, {UNKNOWN}")
    return job, state


def stop_job(auth: Auth, name: str, job_id: str) -> Members:
    """Stop a job of that kind unless it is over; see cancel_job."""
    kind, ids = kind_of_job(name), several(name, job_id)
    if len(ids) > 1:
        return _stop_all(auth, name, job_id, ids)
    job_id = ids[0]
    job, state = _look_to_stop(auth, name, job_id)
    shown: Members = {"kind": name, "job_id": job_id, "state": state}
    if state in over(kind):
        return {**shown, "cancelled": False, "note": f"it was {state} already"}
    if "stop" not in kind:
        note = f"the API cannot stop it: {kind['left']}"
        return {**shown, "cancelled": False, "note": note}
    words: Members = {**parts(name, job_id)}
    if "stop_body" in kind:
        tag = {"etag": job["etag"]} if job.get("etag") else {}
        words["body"] = {**kind["stop_body"], **tag}
    cancelled = True
    try:
        after = state_of(kind, call(auth, kind["stop"], **words)) or state
    except TogetherError as error:
        after = _ended_meanwhile(auth, name, job_id, error)
        if after is None:
            raise
        cancelled = False
    if not cancelled or ("stopped" not in kind and after in kind["good"]):
        note = f"it was {after} before it could be stopped"
        return {**shown, "state": after, "cancelled": False, "note": note}
    return {**shown, "state": after, "cancelled": True}


def _ended_meanwhile(
    auth: Auth, name: str, job_id: str, error: TogetherError
) -> str | None:
    """Return the state of a job that ended before it was to be stopped, for which that
    was refused; None for a refusal of any other reason."""
    if error.status not in (400, 409, 410, 422):
        return None
    try:
        _, state = look_at_one(auth, name, job_id, patient=True)
    except TogetherError:
        return None  # the refusal says more
    return state if state in over(kind_of_job(name)) else None


def _look_to_stop(auth: Auth, name: str, job_id: str) -> tuple[Members, str | None]:
    """Return what is to be stopped as the API shows it, and its state; ({}, None) where
    the answer cannot be read, for what is not known to be over is stopped."""
    try:
        return look_at_one(auth, name, job_id, patient=True)
    except TogetherError as error:
        if error.type != "invalid_answer" or "stop" not in kind_of_job(name):
            raise
        log(f"{job_id} is stopped, though what it does cannot be read: {error}")
        return {}, None


def _stop_all(auth: Auth, kind: str, job_id: str, ids: list[str]) -> Members:
    """Stop each of several jobs that is not over; one that cannot be stopped keeps
    none of the others from it. Raises TogetherError, the first one's."""
    found: list[Members] = []
    failed: TogetherError | None = None
    for one in ids:
        try:
            found.append(stop_job(auth, kind, one))
        except TogetherError as error:
            failed = failed or error
    if failed:
        raise failed
    stopped = [one for one in found if one["cancelled"]]
    note = f"{len(stopped)} of {len(ids)} were stopped now"
    state = (stopped or found)[0]["state"]
    shown = {"kind": kind, "job_id": job_id, "state": state}
    return {**shown, "cancelled": bool(stopped), "note": note}


def doubt(job: Members) -> str | None:
    """Return what a job that ended well says against that: an error, or requests that
    were not answered; None for nothing."""
    told = _error(job) or _evaluation_reason(job)
    doubts = [f"it says of an error too: {told}"] if told else []
    counts = job.get("request_counts")
    if isinstance(counts, dict):
        names = ("total", "completed", "failed")
        total, done, failed = (finite(counts.get(name)) for name in names)
        ending = "" if failed is None else f" and {failed:g} failed"
        if total is not None and done is not None and total != done:
            doubts.append(f"of {total:g} requests {done:g} were answered{ending}")
        elif failed and (total is None or done is None):
            doubts.append(f"{failed:g} requests failed")
    return "; ".join(doubts) or None


def pause_after(kind: JobKind, attempt: int) -> int:
    """Return the seconds from a look, the first being 0, to the next."""
    return growing(kind["first"], kind["longest"], attempt)


def growing(first: int, longest: int, attempt: int) -> int:
    """Return the seconds between two looks, which grow from the first to the longest;
    attempt is 0 after the first look."""
    # By the last of these steps every pause is at its longest; a power of some more
    # than 1750 is no number any more.
    return int(min(first * GROWTH ** min(attempt, STEPS), longest))


def planned(kind: JobKind, attempt: int) -> int:
    """Return the seconds that lie before a look by plan."""
    return sum(pause_after(kind, n) for n in range(attempt))


def kind_of_job(name: str) -> JobKind:
    if name not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise TogetherError.refused("kind", f"must be one of {known} (got {name!r})")
    return KINDS[name]


def over(kind: JobKind) -> tuple[str, ...]:
    """Return the states in which nothing is left to stop.

    A running endpoint is what was waited for, not its end.
    """
    return kind.get("stopped", (*kind["good"], *kind["bad"]))


def parts(name: str, job_id: str) -> dict[str, str]:
    """Return the parts of a job's id by the names of their places, or raise."""
    names = kind_of_job(name)["names"]
    found = job_id.split("/")
    if len(found) != len(names) or not all(found):
        wanted = "/".join(names)
        raise TogetherError.refused("job_id", f"must be {wanted} (got {job_id!r})")
    return dict(zip(names, found, strict=True))


def state_of(kind: JobKind, job: Json) -> Json:
    """Return a job's state as the API spells it, without prefix."""
    for name in kind["state"]:
        job = job.get(name) if isinstance(job, dict) else None
    return plain_state(job, known_states(kind), kind.get("prefix", ""))


UNKNOWN = "a state that is not known, and is not taken for an end"


def known_states(kind: JobKind) -> tuple[str, ...]:
    ended = (*kind["good"], *kind["bad"], *kind.get("late", ()))
    return (*kind["going"], *ended, *kind.get("stopped", ()))
