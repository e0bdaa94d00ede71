"""Steps that make pictures and videos."""

import random
from itertools import zip_longest

from .client import TogetherError, call, operation, prepare
from .costs import afford, cost, prefetch, told
from .intents import fingerprint, once
from .storage import place_for

GENERATE = operation(
    "POST",
    "/v1/images/generations",
    "inference",
    brings={"at": "data/*", "kind": "picture"},
)
CREATE_VIDEO = operation("POST", "/v2/videos", "creates")
GET_VIDEO = operation("GET", "/v2/videos/{video_id}", "read")
FETCH_VIDEO = operation(
    "GET", "/v2/videos/{video_id}", "read", brings={"at": "outputs", "kind": "video"}
)

# Width and height in pixels: multiples of 32, as diffusion models want them, of about
# one megapixel, which is what their prices and their training are made for.
SIZES = {
    "square": (1024, 1024),
    "landscape": (1152, 864),
    "portrait": (864, 1152),
    "wide": (1344, 768),
    "tall": (768, 1344),
}
VIDEO_SIZES = {
    "landscape": (1366, 768),
    "portrait": (768, 1366),
    "square": (1024, 1024),
}
VIDEO_ADVICE = (
    "Raise budget_usd, or leave it empty; fill in seconds for a model that is paid by "
    "the second."
)
LAST_SEED = 2**31 - 1
ENDED_BADLY = ("failed", "cancelled")


def create_picture(auth, step, **arguments):
    """Make pictures from words, shown in the result.

    Returns the members that show or hold them, and {"pictures": [{"filename"?, "s3"?,
    "url"?}], "model", "seed": repeats the picture, "width", "height", "cost_usd"};
    "cost_note" says why a cost is None. Raises TogetherError, before anything is sent
    when the pictures may cost more than budget_usd, and when none came.
    """
    given = prepare(step, arguments)
    width, height = SIZES[given["size"]]
    if "budget_usd" in given:
        may_cost = cost(auth, given["model"], _used(given["n"], width, height))
        afford(given["budget_usd"], *may_cost, "what is asked for")
    seed = given.get("seed", random.randint(1, LAST_SEED))
    body = {
        "model": given["model"],
        "prompt": given["prompt"],
        "width": width,
        "height": height,
        "n": given["n"],
        "seed": seed,
        "response_format": "url" if given["output"] == "url" else "base64",
        "output_format": given["format"],
    }
    if given.get("avoid"):
        body["negative_prompt"] = given["avoid"]
    references = given.get("pictures", [])
    if len(references) == 1:
        body["image_url"] = references[0]
    elif references:
        body["reference_images"] = references
    prefetch(auth)
    answer = call(auth, GENERATE, body=body, output=given["output"])
    made = answer.pop("data", None) or []
    kept = ("index", "type", "b64_json", "id", "object")
    shown = {name: value for name, value in answer.items() if name not in kept}
    result = {
        **shown,
        "pictures": [_kept(picture) for picture in made],
        "seed": seed,
        "width": width,
        "height": height,
        **_priced(auth, given["model"], _used(len(made), width, height)),
    }
    if not made:
        raise TogetherError(
            "The service answered without a picture.",
            type="nothing_done",
            partial=result,
            advice="Change the prompt and run the step again.",
        )
    return result


def _used(count, width, height):
    """Return what pictures are paid by."""
    return {"images": count, "megapixels": count * width * height / 1e6}


def _kept(picture):
    """Return what a next step needs of a picture; its bytes are in the view."""
    names = ("index", "url", "s3", "storage", "filename")
    return {name: picture[name] for name in names if picture.get(name) is not None}


def _priced(auth, model, used):
    return told(*cost(auth, model, used))


def submit_video(auth, step, **arguments):
    """Begin a video, once: a rerun attaches to the one that it began.

    Returns {"video_id", "state", "fingerprint", "reattached", "estimated_cost_usd"};
    "cost_note" says why there is no estimate. Raises TogetherError, `ambiguous` when an
    earlier run may have begun one and nothing can tell, since the service lists no
    videos; before anything is sent when it may cost more than budget_usd.
    """
    given = prepare(step, arguments)
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

    estimate = told(None, "an earlier run began it", "estimated_cost_usd")

    def create():
        used = {"videos": 1, "seconds": given.get("seconds")}
        usd, note = cost(auth, given["model"], used)
        afford(budget, usd, note, "the video", VIDEO_ADVICE, VIDEO_ADVICE)
        estimate.clear()
        estimate.update(told(usd, note, "estimated_cost_usd"))
        made = call(auth, CREATE_VIDEO, body=body)
        return {"id": made["id"], "state": made.get("status")}

    def attach(made):
        video = call(auth, GET_VIDEO, video_id=made["id"])
        if video.get("status") in ENDED_BADLY:
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


def collect_video(auth, step, **arguments):
    """Fetch a finished video before its address lapses.

    Returns the members that hold or show it ({"s3", "filename"}, {"file", "filename"}
    or {"url"}), and {"video_id", "model", "seconds", "size", "status", "cost_usd"}.
    Raises TogetherError: type "not_finished" while it is being made, "video_failed"
    with the service's reason.
    """
    given = prepare(step, arguments)
    name = given["video_id"]
    video = call(auth, GET_VIDEO, video_id=name)
    status = video.get("status")
    if status in ENDED_BADLY:
        reason = (video.get("error") or {}).get("message") or "no reason is given"
        raise TogetherError(
            f"The video was not made ({status}): {reason}",
            type="video_failed",
            detail=reason,
            advice="Change the prompt or the settings and submit it again.",
            ambiguous=False,
        )
    if status != "completed":
        raise TogetherError(
            f"The video is not finished yet: {status}.",
            type="not_finished",
            advice="Wait with waits/poll_job, or with the flow that makes videos.",
            ambiguous=False,
        )
    output, note = place_for(given.get("output"), "url")
    video = call(auth, FETCH_VIDEO, video_id=name, output=output)
    outputs = video.get("outputs") or {}
    used = {"videos": 1, "seconds": _number(video.get("seconds"))}
    shown = ("wm_renderer", "html", "s3", "storage", "file", "filename", "note")
    return {
        **{key: video[key] for key in shown if key in video},
        "video_id": name,
        "url": outputs.get("video_url"),
        "model": video.get("model"),
        "seconds": _number(video.get("seconds")),
        "size": video.get("size"),
        "status": status,
        **({"note": note} if note else {}),
        **_priced(auth, video.get("model"), used),
    }


def collect_pictures(auth, step, **arguments):
    """Return the rows of a table, each with the picture that was drawn of it.

    {"rows": [{...row, <answer_column>: {"s3" or "url", "filename"?, "seed"} or None,
    <answer_column>_error: None or why}], "message", "done", "failed", "cost_usd",
    "cost_note"?, "note"?, "markdown"}; with output "storage" a JSON Lines file, "s3",
    in place of "rows", with output "table" nothing but the rows. `drawn` is what
    create_picture gave for each row, or the error of its job. Raises TogetherError when
    no row was drawn, or more failed than fail_when_failed_share allows.
    """
    from .outcome import Outcome
    from .tabular import Table

    given = prepare(step, arguments)
    table, drawn = Table(auth, given["rows"]), Table(auth, given["drawn"], "drawn")
    table.keep_free(given["answer_column"])
    usd, note = 0.0, None
    with Outcome("draw_rows", None, table, given, "drawn") as outcome:
        for row, made in zip_longest(table, drawn):
            if row is None or not isinstance(made, dict):
                raise TogetherError.refused("drawn", "must hold an entry for each row")
            error = made.get("error")
            if error:
                words = str(error.get("message") or error.get("name") or "no reason")
                outcome.add(row, None, words)
                if not words.startswith("Nothing was sent"):
                    note = note or "a row that failed may have cost something"
                continue
            picture = next(iter(made.get("pictures") or ()), None)
            why = None if picture else "the service sent no picture"
            outcome.add(row, picture and {**picture, "seed": made.get("seed")}, why)
            usd += made.get("cost_usd") or 0.0
            note = note or made.get("cost_note")
    facts = {"message": outcome.first_line()}
    if given.get("note"):
        facts["note"] = given["note"]
    return outcome.result(told(None if note else usd, note), **facts)


def _number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return None
