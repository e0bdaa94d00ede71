"""Steps that make videos."""

from __future__ import annotations

from ..catalog.budget import check_budget
from ..catalog.pricing import cost_fields, cost_members, most_cost, prefetch
from ..client import TogetherError, call, check_words, prepare
from ..client.asked_for import about, made_id
from ..client.endings import plain_state
from ..client.job import log
from ..client.jsonio import finite
from ..job_states import states
from ..operations import operation
from ..resilience.server_words import reason_or_code
from ..workspace.create_once import fingerprint_of, once
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
AT_WORK = states("video", "going")
KNOWN = states("video", "every")
HELD = ("s3", "storage", "file", "filename")  # members of what holds a video


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
    fingerprint = fingerprint_of(
        "video", {**given, "picture": arguments.get("picture")}
    )
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
        return {"id": made_id(made, CREATE_VIDEO), "state": made.get("status")}

    def attach(made: Members) -> Members | None:
        video = call(auth, GET_VIDEO, video_id=made["id"])
        state = plain_state(video.get("status"), KNOWN)
        if state in ENDED_BADLY:
            return None
        return {"id": made["id"], "state": state}

    made, reattached = once("video", fingerprint, create, attach)
    return {
        "video_id": made["id"],
        "state": made["state"],
        "fingerprint": fingerprint,
        "reattached": reattached,
        **estimate,
    }


def collect_video(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Fetch a finished video before its address expires.

    Returns the members that hold or show it ({"s3", "filename"}, {"file", "filename"}
    or {"url"}), and {"video_id", "model", "seconds", "size", "status", "cost_usd",
    "more"?: where the service made several, the same members of each but the first,
    "note"?}. Raises TogetherError: type "not_finished" while it is being made,
    "job_failed" with the service's reason, "unreachable" where its address has expired.
    """
    from ..transfer.media_output import with_notes  # only to collect a video

    given = prepare(step, arguments)
    name = given["video_id"]
    _done(about(name, call(auth, GET_VIDEO, video_id=name)))
    output, note = place_for(given.get("output"), "url")
    video = about(name, call(auth, FETCH_VIDEO, video_id=name, output=output))
    status, videos = _done(video)
    if not videos:
        raise TogetherError(
            f"The video is {status}, but the answer holds no address of it.",
            type="invalid_answer",
            partial=video,
            advice="Collect it again; the service may still be storing it.",
            ambiguous=False,
        )
    more = [_video_members(one) for one in videos[1:]]
    seconds = _length(video.get("seconds"))
    all_seconds = None if seconds is None else seconds * len(videos)
    used = {"videos": len(videos), "seconds": all_seconds}
    notes = [note, _doubt(video)]
    if more:
        notes.append(f"The service made {len(videos)} videos: `more` has the others.")
    said = with_notes({"note": video.get("note")}, filter(None, notes))["note"]
    shown = ("wm_renderer", "html", *HELD)
    return {
        **_video_members(videos[0]),
        **{key: video[key] for key in shown if key in video},
        "video_id": name,
        "model": video.get("model"),
        "seconds": seconds,
        "size": video.get("size"),
        "status": status,
        **({"more": more} if more else {}),
        **({"note": said} if said else {}),
        **cost_members(auth, video.get("model"), used),
    }


def _video_members(made: Members) -> Members:
    """Return the members of one video that say where it is."""
    from ..transfer.media_output import address_of  # only to collect a video

    kept = {key: made[key] for key in HELD if key in made}
    return {**kept, "url": address_of(made)}


def _doubt(video: Members) -> str | None:
    """Return what the service says against a video that was made, in a sentence."""
    told = reason_or_code(video.get("error"))
    if told is None:
        return None
    note = f"The service says of an error too: {told}."
    log(note)
    return note


def _done(video: Members) -> tuple[str, list[Members]]:
    """Return the status of a video that is made, and what was made. Raises
    TogetherError for one that is not."""
    from ..transfer.media_output import items_of  # only to collect a video

    status = plain_state(video.get("status"), KNOWN)
    videos, reason = items_of(video, "outputs"), reason_or_code(video.get("error"))
    # A state that nobody knows has ended where there is a video, or an error.
    ended = status in DONE or (status not in AT_WORK and bool(videos or reason))
    if status in ENDED_BADLY or (ended and reason and not videos):
        reason = reason or "no reason is given"
        raise TogetherError(
            f"The video was not made ({status}): {reason}",
            type="job_failed",
            detail=reason,
            partial=video if videos else None,
            advice="Change the prompt or the settings and submit it again.",
            ambiguous=False,
        )
    if not ended:
        known = "" if status in AT_WORK else ", a state that is not known"
        raise TogetherError(
            f"The video is not finished yet: {status or 'it names no state'}{known}.",
            type="not_finished",
            advice="Wait with waits/poll_job, or with the flow that makes videos.",
            ambiguous=False,
        )
    return status, videos


def _length(text: Json) -> float | None:
    """Return the seconds of a video as the service tells them, None for none."""
    number = finite(text)
    return None if number is None or number <= 0 else float(number)
