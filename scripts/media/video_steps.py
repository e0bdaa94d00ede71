"""Steps that make videos."""

from __future__ import annotations

from ..catalog.budget import check_budget
from ..catalog.pricing import cost_fields, cost_members, most_cost, prefetch
from ..client import TogetherError, call, check_words, prepare
from ..client.jsonio import finite
from ..job_states import states
from ..operations import operation
from ..resilience.server_words import reason_in
from ..workspace.create_once import fingerprint, once
from ..workspace.storage import place_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Auth, Json, Members, Step


CREATE_VIDEO = operation("videos/create_video")
GET_VIDEO = operation("videos/get_video", without=("brings",))
FETCH_VIDEO = operation("videos/get_video")
VIDEO_SIZES = {
    "landscape": (1366, 768),
    "portrait": (768, 1366),
    "square": (1024, 1024),
}
VIDEO_ADVICE = (
    "Raise budget_usd, or leave it empty; fill in seconds for a model that is paid by "
    "the second."
)
ENDED_BADLY = states("video", "bad")
DONE = states("video", "good")
AT_WORK = ("queued", "pending", "in_progress", "processing", "running")


def submit_video(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Begin a video, once: a rerun attaches to the one that it began.

    Returns {"video_id", "state", "fingerprint", "reattached", "estimated_cost_usd"};
    "cost_note" says why there is no estimate. Raises TogetherError, `ambiguous` when an
    earlier run may have begun one and nothing can tell, since the service lists no
    videos; before anything is sent when it may cost more than budget_usd.
    """
    given = prepare(step, arguments)
    check_words(given, "prompt")
    budget = given.pop("budget_usd", None)
    # A file stands for itself in the fingerprint, as it was given.
    mark = fingerprint("video", {**given, "picture": arguments.get("picture")})
    prefetch(auth)
    given.pop("again", None)
    body = {"model": given["model"], "prompt": given["prompt"]}
    if "size" in given:
        body["width"], body["height"] = VIDEO_SIZES[given["size"]]
    if "seconds" in given:
        body["seconds"] = str(given["seconds"])
    if "seed" in given:
        body["seed"] = given["seed"]
    if "picture" in given:
        first = {"input_image": given["picture"], "frame": "first"}
        body["media"] = {"frame_images": [first]}

    estimate = cost_fields(None, "an earlier run began it", "estimated_cost_usd")

    def create() -> Members:
        used = {"videos": 1, "seconds": given.get("seconds")}
        usd, note = most_cost(auth, given["model"], used)
        check_budget(budget, usd, note, "the video", VIDEO_ADVICE, VIDEO_ADVICE)
        estimate.clear()
        estimate.update(cost_fields(usd, note, "estimated_cost_usd"))
        made = call(auth, CREATE_VIDEO, body=body)
        return {"id": made["id"], "state": made.get("status")}

    def attach(made: Members) -> Members | None:
        video = call(auth, GET_VIDEO, video_id=made["id"])
        if str(video.get("status")).lower() in ENDED_BADLY:
            return None
        return {"id": video["id"], "state": video.get("status")}

    made, reattached = once("video", mark, create, attach)
    return {
        "video_id": made["id"],
        "state": made["state"],
        "fingerprint": mark,
        "reattached": reattached,
        **estimate,
    }


def collect_video(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Fetch a finished video before its address expires.

    Returns the members that hold or show it ({"s3", "filename"}, {"file", "filename"}
    or {"url"}), and {"video_id", "model", "seconds", "size", "status", "cost_usd"}.
    Raises TogetherError: type "not_finished" while it is being made, "job_failed"
    with the service's reason.
    """
    given = prepare(step, arguments)
    name = given["video_id"]
    video = call(auth, GET_VIDEO, video_id=name)
    status = _done(video)
    output, note = place_for(given.get("output"), "url")
    video = call(auth, FETCH_VIDEO, video_id=name, output=output)
    address = _address(video)
    if address is None:
        raise TogetherError(
            f"The video is {status}, but the answer holds no address of it.",
            type="invalid_answer",
            partial=video,
            advice="Collect it again; the service may still be storing it.",
            ambiguous=False,
        )
    used = {"videos": 1, "seconds": _number(video.get("seconds"))}
    shown = ("wm_renderer", "html", "s3", "storage", "file", "filename", "note")
    return {
        **{key: video[key] for key in shown if key in video},
        "video_id": name,
        "url": address,
        "model": video.get("model"),
        "seconds": _number(video.get("seconds")),
        "size": video.get("size"),
        "status": status,
        **({"note": note} if note else {}),
        **cost_members(auth, video.get("model"), used),
    }


def _address(video: Members) -> str | None:
    """Return where a video that was made lies, None where nothing says it."""
    outputs = video.get("outputs")
    outputs = outputs[0] if isinstance(outputs, list) and outputs else outputs
    address = outputs.get("video_url") if isinstance(outputs, dict) else None
    return address if isinstance(address, str) and address else None


def _done(video: Members) -> str:
    """Return the status of a video that is made. Raises TogetherError for another."""
    status = str(video.get("status")).lower()
    # A state that nobody knows has ended where there is an address, or an error.
    unknown = status not in AT_WORK
    made = status in DONE or (unknown and _address(video) is not None)
    broke = unknown and not made and _reason(video) is not None
    if status in ENDED_BADLY or broke:
        reason = _reason(video) or "no reason is given"
        raise TogetherError(
            f"The video was not made ({status}): {reason}",
            type="job_failed",
            detail=reason,
            advice="Change the prompt or the settings and submit it again.",
            ambiguous=False,
        )
    if not made:
        raise TogetherError(
            f"The video is not finished yet: {status}.",
            type="not_finished",
            advice="Wait with waits/poll_job, or with the flow that makes videos.",
            ambiguous=False,
        )
    return status


def _number(text: Json) -> float | None:
    number = finite(text)
    return None if number is None else float(number)


def _reason(video: Members) -> str | None:
    """Return the service's words on a video that failed, or its code, or None."""
    error = video.get("error")
    code = error.get("code") if isinstance(error, dict) else error
    return reason_in(error) or (str(code) if code else None)
