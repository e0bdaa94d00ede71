"""KINDS: what can be waited for at Together.

The one table of it: how to look at it, where it says why it failed, how it is stopped.
Which of its states are the end stands in job_states.py.
"""

from __future__ import annotations

from ..client import TogetherError, call
from ..job_states import states
from ..operations import operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Auth, JobKind, Json, Members, Operation


GROWTH = 1.5  # of the pause from one look to the next
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


def _last_of(entries: list[Members] | None, **wanted: tuple[str, ...]) -> Members:
    """Return the last of a list of objects that has one of these values, or {}."""
    for entry in reversed(entries or []):
        if all(entry.get(name) in values for name, values in wanted.items()):
            return entry
    return {}


def _message(job: Members) -> str | None:
    return (job.get("error") or {}).get("message")


def _tuning_reason(job: Members) -> str | None:
    events = job.get("events")
    found = _last_of(events, type=("job_error", "JOB_ERROR")) or _last_of(
        events, level=("error", "Error", "ERROR")
    )
    return found.get("message")


def _epochs(job: Members) -> float | None:
    wanted = job.get("n_epochs")
    return (job.get("epochs_completed") or 0) / wanted if wanted else None


# By kind:
#   names      what the parts of a job_id with slashes are, as the look's path has them
#   look       the operation that shows it, or looks by the operation_type in names; one
#              try each: what fails in passing is looked at again by the flow, later
#   several    a job_id may be those of several jobs, with commas between them
#   state      where the answer holds its state
#   prefix     of its states' names, left out below
#   good, bad, late, stopped: its states, as job_states.py has them
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
        "good": states("batch", "good"),
        "bad": states("batch", "bad"),
        "reason": lambda job: job.get("error"),
        "progress": lambda job: (job.get("progress") or 0) / 100,
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
        "state": ("status",),
        "good": states("evaluation", "good"),
        "bad": states("evaluation", "bad"),
        "reason": lambda job: (job.get("results") or {}).get("error"),
        "first": 15,
        "longest": 300,
        "deadline": 24 * HOUR,
        "left": "it goes on; what its models write is charged",
    },
    "video": {
        "names": ("video_id",),
        "look": operation("videos/get_video", tries=1, without=("brings",)),
        "state": ("status",),
        "good": states("video", "good"),
        "bad": states("video", "bad"),
        "reason": _message,
        "first": 10,
        "longest": 120,
        "deadline": 2 * HOUR,
        "left": "it is made all the same, and charged",
    },
    "endpoint": {
        "names": ("endpoint_id",),
        "look": operation("endpoints/get_endpoint", tries=1),
        "state": ("state",),
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
        "good": states("deployment", "good"),
        "bad": states("deployment", "bad"),
        "late": states("deployment", "late"),
        "reason": lambda job: (job.get("status") or {}).get("message"),
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
        "state": ("status",),
        "good": states("model_upload", "good"),
        "bad": states("model_upload", "bad"),
        "reason": lambda job: _last_of(job.get("status_updates")).get("message"),
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
        "good": states("remote_upload", "good"),
        "bad": states("remote_upload", "bad"),
        "reason": lambda job: job.get("statusMessage"),
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
        "good": states("training_operation", "good"),
        "bad": states("training_operation", "bad"),
        "reason": _message,
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
        "good": states("training_session", "good"),
        "bad": states("training_session", "bad"),
        "reason": _message,
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
        "good": states("model_resources", "good"),
        "bad": states("model_resources", "bad"),
        "reason": _message,
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


def together(
    kind: JobKind, ids: list[str], looks: list[tuple[Members, str]]
) -> tuple[Members, str]:
    """Return several jobs as if they were one: over when all are, good when one is,
    for then there is something to collect."""
    ends = (*kind["good"], *kind["bad"])
    found = [state for _, state in looks]
    state = next((one for one in found if one not in ends), None)
    state = state or next((one for one in found if one in kind["good"]), found[0])
    progress = kind.get("progress", lambda job: None)
    shares = [1 if s in ends else progress(job) or 0 for job, s in looks]
    jobs = [
        {"id": name, "status": one, "error": kind["reason"](job)}
        for name, (job, one) in zip(ids, looks, strict=True)
    ]
    told = (one["error"] for one in jobs if one["status"] in kind["bad"])
    reason = None if state in kind["good"] else next(filter(None, told), None)
    share = 100 * sum(shares) / len(shares)
    shown = {"status": state, "error": reason, "progress": share, "batches": jobs}
    return shown, state


def look_at_one(auth: Auth, name: str, job_id: str) -> tuple[Members, str]:
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
    job = call(auth, table, **words)
    state = state_of(kind, job)
    if not isinstance(state, str):
        raise TogetherError(
            f"The answer names no state of {job_id}.",
            type="invalid_answer",
            advice="Look again; if it stays so, tell Together's support.",
        )
    return job, state


def pause_after(kind: JobKind, attempt: int) -> int:
    """Return the seconds from a look, the first being 0, to the next."""
    return growing(kind["first"], kind["longest"], attempt)


def growing(first: int, longest: int, attempt: int) -> int:
    """Return the seconds between two looks, which grow from the first to the longest;
    attempt is 0 after the first look."""
    return int(min(first * GROWTH**attempt, longest))


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
    for name in kind["state"]:
        job = job.get(name) if isinstance(job, dict) else None
    return job.removeprefix(kind.get("prefix", "")) if isinstance(job, str) else job
