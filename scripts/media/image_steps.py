"""Steps that make pictures."""

from __future__ import annotations

import random
from itertools import zip_longest

from ..catalog.budget import check_budget
from ..catalog.model_choice import choose_model
from ..catalog.pricing import (
    cost_fields,
    cost_members,
    job_unpaid,
    most_cost,
    prefetch,
    sum_costs,
)
from ..chat_steps import check_pictures
from ..client import TogetherError, call, check_words, prepare
from ..client.endings import ending, is_error
from ..client.jsonio import finite
from ..operations import operation
from ..resilience.server_words import reason_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Auth, Counts, Json, Members, Step


GENERATE = operation("images/generate_image")

# Width and height in pixels: multiples of 32, as diffusion models want them, of about
# one megapixel, which is what their prices and their training are made for.
SIZES = {
    "square": (1024, 1024),
    "landscape": (1152, 864),
    "portrait": (864, 1152),
    "wide": (1344, 768),
    "tall": (768, 1344),
}
BRINGS = ("b64_json", "url", "s3")
# Members of an answer that are no part of the result. An error beside pictures is one of
# nulls: with any other the request itself has failed.
NOT_SHOWN = ("index", "type", "b64_json", "id", "object", "error")
MOST_NOTES = 5  # of the jobs that drew the rows
LAST_SEED = 2**31 - 1


def create_picture(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Make pictures from words, shown in the result.

    Returns the members that show or hold them, and {"pictures": [{"filename"?, "s3"?,
    "url"?}], "model", "seed": repeats the picture, "width", "height", "cost_usd"};
    "cost_note" says why a cost is None. Raises TogetherError, before anything is sent
    when the pictures may cost more than budget_usd, and when none came.
    """
    given = prepare(step, arguments)
    check_words(given, "prompt")
    choose_model(auth, given, "image")
    width, height = SIZES[given["size"]]
    if "budget_usd" in given:
        used = _used(given["n"], width, height, given.get("steps"))
        may_cost = most_cost(auth, given["model"], used)
        check_budget(given["budget_usd"], *may_cost, "what is asked for")
    body = _body(given, width, height)
    prefetch(auth)
    answer = call(auth, GENERATE, body=body, output=given["output"])
    entries = answer.pop("data", None) or []
    entries = entries if isinstance(entries, list) else [entries]
    entries = [one if isinstance(one, dict) else {"b64_json": one} for one in entries]
    pictures = [one for one in entries if any(_text(one.get(name)) for name in BRINGS)]
    left_out = [_why_left_out(one) for one in entries if one not in pictures]
    used = _used(len(pictures), width, height, given.get("steps"))
    shown = {name: value for name, value in answer.items() if name not in NOT_SHOWN}
    result = {
        **shown,
        "pictures": [_picture_members(one, "wm_renderer" in shown) for one in pictures],
        "seed": body["seed"],
        "width": width,
        "height": height,
        **cost_members(auth, given["model"], used),
    }
    if notes := _notes(entries, pictures, left_out, given["n"]):
        result["note"] = " ".join(filter(None, [result.get("note"), *notes]))
    if not pictures:
        why = f": {left_out[0]}" if left_out else ""
        raise TogetherError(
            f"The service answered without a picture{why}.",
            type="nothing_done",
            partial=result,
            advice="Change the prompt and run the step again.",
        )
    return result


def _notes(
    found: list[Members], made: list[Members], left_out: list[str], wanted: int
) -> list[str]:
    """Say what is not as it was asked for: of what came, what holds a picture, why the
    rest holds none, and how many were wanted."""
    notes = []
    filtered = sum(ending(one.get("finish_reason")) == "filtered" for one in made)
    if filtered:
        notes.append(f"A filter of the service changed {filtered} of the pictures.")
    if left_out:
        words = f"{len(left_out)} of {len(found)} pictures did not come: "
        notes.append(words + "; ".join(dict.fromkeys(left_out)))
    if made and len(found) < wanted:
        came = f"{len(found)} of {wanted} pictures came"
        notes.append(f"{came}, and no word of the others.")
    return notes


def _body(given: Members, width: int, height: int) -> Members:
    """Return what is asked for. Raises TogetherError for pictures that are none."""
    body = {
        "model": given["model"],
        "prompt": given["prompt"],
        "width": width,
        "height": height,
        "n": given["n"],
        "seed": given.get("seed", random.randint(1, LAST_SEED)),
        "response_format": "url" if given["output"] == "url" else "base64",
        "output_format": given["format"],
    }
    if "steps" in given:
        body["steps"] = given["steps"]
    if given.get("avoid"):
        body["negative_prompt"] = given["avoid"]
    references = given.get("pictures", [])
    check_pictures(references)
    if len(references) == 1:
        body["image_url"] = references[0]
    elif references:
        body["reference_images"] = references
    return body


def _text(value: Json) -> bool:
    return isinstance(value, str) and bool(value)


def _used(count: int, width: int, height: int, steps: int | None) -> Counts:
    """Return what pictures are paid by."""
    used: dict[str, float | None] = {"images": count}
    used["megapixels"] = count * width * height / 1e6
    return {**used, "steps": steps} if steps and count else used


def _why_left_out(entry: Members) -> str:
    """Return why the service sent no picture in its place."""
    reasons = (entry.get(name) for name in ("error", "finish_reason", "message"))
    return next(filter(None, map(reason_in, reasons)), None) or "no reason is given"


def _picture_members(picture: Members, shown: bool) -> Members:
    """Return what a next step needs of a picture; its bytes are in the view, or stay
    where there is none."""
    names = ["index", "url", "s3", "storage", "filename"]
    names += [] if shown or picture.get("s3") else ["b64_json"]
    return {name: picture[name] for name in names if picture.get(name) is not None}


def collect_pictures(auth: Auth, step: Step, **arguments: Json) -> Json:
    """Return the rows of a table, each with the picture that was drawn of it.

    {"rows": [{...row, <answer_column>: {"s3" or "url", "filename"?, "seed"} or None,
    <answer_column>_error: None or why}], "message", "done", "failed", "cost_usd",
    "cost_note"?, "note"?, "markdown"}; with output "storage" a JSON Lines file, "s3",
    in place of "rows", with output "table" nothing but the rows. `drawn` is what
    create_picture gave for each row, or the error of its job. Raises TogetherError when
    no row was drawn, or more failed than fail_when_failed_share allows.
    """
    from ..table.row_counts import RowOutcome  # only where rows are given
    from ..table.row_results import RowResults  # only where rows are given
    from ..table.table import Table  # only where rows are given

    given = prepare(step, arguments)
    table, drawn = Table(auth, given["rows"]), Table(auth, given["drawn"], "drawn")
    table.keep_free(given["answer_column"])
    costs: list[tuple[float | None, str | None]] = []
    notes: dict[str, None] = dict.fromkeys([given["note"]] if given.get("note") else [])
    with RowResults("draw_rows", None, table, given, "drawn") as outcome:
        for row, made in zip_longest(table, drawn):
            if row is None or not isinstance(made, dict):
                raise TogetherError.refused("drawn", "must hold an entry for each row")
            costs.append(_cost_of_job(made))
            error = made.get("error")
            if is_error(error):
                outcome.add(RowOutcome(row, why=_why_failed(error)))
                continue
            pictures = made.get("pictures") or []
            picture = next(iter(pictures), None)
            if len(pictures) > 1:
                notes[f"Of {len(pictures)} pictures of a row the first is kept."] = None
            if made.get("note") and len(notes) < MOST_NOTES:
                notes[str(made["note"])] = None
            why = None if picture else "the service sent no picture"
            answer = picture and {**picture, "seed": made.get("seed")}
            outcome.add(RowOutcome(row, answer, why))
    facts = {"message": outcome.first_line()}
    if notes:
        facts["note"] = " ".join(notes)
    return outcome.result(cost_fields(*sum_costs(costs)), **facts)


def _why_failed(error: Json) -> str:
    """Return why a row's job failed, by the error that is its result."""
    name = error.get("name") if isinstance(error, dict) else None
    return reason_in(error) or str(name or "no reason is given")


def _cost_of_job(made: Members) -> tuple[float | None, str | None]:
    """Return (the USD that a row's job cost, None), or (None, why that is not known), by
    what create_picture returned or the error of its job."""
    error = made.get("error")
    if not is_error(error):
        note = made.get("cost_note") or "what a picture cost is not told"
        return finite(made.get("cost_usd")), str(note)
    if job_unpaid(error):
        return 0.0, None
    return None, "a row that failed may have cost something"
