"""Pictures from words, and videos that are paid for once."""

import base64

import pytest

from scripts.client import TogetherError
from scripts.media.image_steps import SIZES
from tests.support.expected_request import main_of
from tools.models import model
from tools.operations import find
from tools.sandbox import Fault

PICTURE = main_of(find("images/create_picture"))
DRAW_ROWS = main_of(find("images/collect_pictures"))
SUBMIT = main_of(find("videos/submit_video"))
COLLECT = main_of(find("videos/collect_video"))
MODEL = model("image")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.fixture
def paints(sandbox):
    """The sandbox answers with as many small PNGs as are asked for."""

    def paint(arguments):
        body = arguments["body"]
        picture = base64.b64encode(PNG).decode()
        data = [
            {"index": n, "b64_json": picture, "type": "b64_json"}
            for n in range(body["n"])
        ]
        return {"id": "i", "model": body["model"], "object": "list", "data": data}

    sandbox.answers["generate_image"] = paint
    return sandbox


def asked(sandbox, path):
    return [r.json for r in sandbox.requests if r.method == "POST" and path == r.path]


@pytest.mark.parametrize("size", SIZES)
def test_a_picture_shows_itself_and_can_be_repeated(size, paints, auth):
    found = PICTURE(auth, "A lighthouse", MODEL, size=size)

    (body,) = asked(paints, "/v1/images/generations")
    assert (body["width"], body["height"]) == SIZES[size]
    assert body["seed"] == found["seed"]
    assert base64.b64decode(found["png"]["content"]) == PNG
    assert found["wm_renderer"] == "png"
    assert len(found["pictures"]) == 1


def test_several_pictures_are_shown_together_and_stored_one_by_one(
    paints, auth, workspace
):
    shown = PICTURE(auth, "A lighthouse", MODEL, n=3)
    stored = PICTURE(auth, "A lighthouse", MODEL, n=3, output="storage")

    assert shown["html"].count("<img") == 3
    keys = [("", picture["s3"]) for picture in stored["pictures"]]
    assert len(set(keys)) == 3
    assert set(keys) <= set(workspace.objects)


def test_a_reference_picture_goes_along(paints, auth):
    content = base64.b64encode(PNG).decode()
    one = f"data:image/png;base64,{content}"
    PICTURE(auth, "Like this", MODEL, pictures=[{"file": content}])
    PICTURE(auth, "Like these", MODEL, pictures=["https://example.com/a.png", one])

    single, several = asked(paints, "/v1/images/generations")
    assert single["image_url"] == one
    assert several["reference_images"] == ["https://example.com/a.png", one]


def test_an_answer_without_a_picture_is_red(paints, auth):
    paints.answers["generate_image"] = lambda arguments: {"id": "i", "data": []}
    with pytest.raises(TogetherError, match="there is nothing in it") as caught:
        PICTURE(auth, "A lighthouse", MODEL, seed=5)

    assert caught.value.type == "broken_answer"
    assert caught.value.partial == {"id": "i", "data": []}

    paints.answers["generate_image"] = lambda arguments: {"id": "i", "data": [{}]}
    with pytest.raises(TogetherError, match="without a picture") as caught:
        PICTURE(auth, "A lighthouse", MODEL, seed=5)

    assert caught.value.type == "nothing_done"
    assert caught.value.partial["seed"] == 5


def test_the_cost_is_the_catalogue_s_or_a_reason(paints, auth):
    found = PICTURE(auth, "A lighthouse", MODEL)

    assert found["cost_usd"] is None or found["cost_usd"] > 0
    assert (found["cost_usd"] is None) == bool(found.get("cost_note"))


@pytest.mark.parametrize("pricing", [{"perImage": 0.04}, {"perMegapixel": 0.04}])
def test_pictures_that_cost_more_than_their_budget_are_not_made(
    pricing, paints, priced
):
    def refused(auth, budget):
        with pytest.raises(TogetherError, match=r"Budget in USD \(budget_usd\) ") as e:
            PICTURE(auth, "A lighthouse", MODEL, n=3, budget_usd=budget)
        assert not asked(paints, "/v1/images/generations")
        return e.value

    assert refused(priced(MODEL), 1e9).type == "budget_unknown"
    auth = priced(MODEL, **pricing)
    error = refused(auth, 0.1)
    assert error.type == "budget_reached"
    found = PICTURE(auth, "A lighthouse", MODEL, n=3, budget_usd=0.13)
    assert found["cost_usd"] == error.estimated_cost_usd == pytest.approx(0.12, rel=0.1)


@pytest.mark.parametrize("pricing", [{"perVideo": 0.3}, {"perSecond": 0.05}])
def test_a_video_that_costs_more_than_its_budget_is_not_begun(
    pricing, lifecycles, workspace, sandbox, priced
):
    def submit(auth, **more):
        return SUBMIT(auth, model("video"), "A boat", seconds=6, **more)

    with pytest.raises(TogetherError, match="cannot be kept") as caught:
        submit(priced(model("video")), budget_usd=1e9)
    assert caught.value.type == "budget_unknown"
    auth = priced(model("video"), **pricing)
    with pytest.raises(
        TogetherError, match=r"is below 0\.30, what the video"
    ) as caught:
        submit(auth, budget_usd=0.29)
    assert caught.value.type == "budget_reached"
    assert not asked(sandbox, "/v2/videos")

    made = submit(auth, budget_usd=0.3)

    assert (made["estimated_cost_usd"], made["reattached"]) == (0.3, False)
    assert submit(auth)["video_id"] == made["video_id"]
    again = submit(auth, budget_usd=0)
    assert again["video_id"] == made["video_id"]
    assert again["estimated_cost_usd"] is None
    assert again["cost_note"] == "an earlier run began it"


def test_what_the_jobs_said_of_their_pictures_is_told():
    pictures = [{"url": "http://h/a.png"}, {"url": "http://h/b.png"}]
    drawn = [
        {"pictures": pictures, "note": "A filter changed one.", "cost_usd": 0.1},
        {"pictures": pictures[:1], "note": "A filter changed one."},
    ]
    rows = [{"animal": "a fox"}, {"animal": "an owl"}]
    found = DRAW_ROWS(None, rows, drawn, note="They stay at their addresses.")

    assert found["note"] == (
        "They stay at their addresses. Of 2 pictures of a row the first is kept. "
        "A filter changed one."
    )


DRAWN = {"pictures": [{"url": "https://x/1.png"}], "cost_usd": 0.1}


@pytest.mark.parametrize(
    ("error", "usd"),
    [
        ({"message": "400 Bad Request", "extra": {"status": 400}}, 0.1),
        ({"message": "400 Bad Request", "status": 400}, 0.1),
        ({"message": "no", "extra": {"problems": [{"field": "size"}]}}, 0.1),
        ({"message": "no", "extra": {"may_be_paid": False}}, 0.1),
        ({"message": "no", "extra": {"status": 503, "may_be_paid": True}}, None),
        ({"message": "Nothing was sent, says a server", "extra": {}}, None),
        ({"message": "504 Gateway Timeout", "extra": {"status": 504}}, None),
        ({"name": "ExecutionErr"}, None),
    ],
)
def test_a_row_that_failed_cost_nothing_where_it_was_refused(error, usd):
    rows = [{"animal": "a fox"}, {"animal": "an owl"}]
    drawn = [DRAWN, {"error": error}]

    found = DRAW_ROWS({}, rows=rows, drawn=drawn)

    assert found["cost_usd"] == usd
    assert found.get("cost_note") == (
        None if usd else "a row that failed may have cost something"
    )


@pytest.mark.parametrize(
    "error", [{"code": None, "message": None}, {"code": 0, "message": ""}, {}, None]
)
def test_an_error_of_nulls_loses_no_picture(error, paints, auth):
    paint = paints.answers["generate_image"]
    paints.answers["generate_image"] = lambda asked: {**paint(asked), "error": error}

    made = PICTURE(auth, "A fox", MODEL)
    assert "error" not in made
    # Also where it was drawn by a script that left the error in.
    for drawn, usd in ((made, made["cost_usd"]), ({**DRAWN, "error": error}, 0.1)):
        found = DRAW_ROWS(auth, [{"animal": "a fox"}], [drawn])
        assert (found["done"], found["failed"]) == (1, 0)
        assert found["cost_usd"] == usd
        (row,) = found["rows"]
        assert row["picture"] == {**drawn["pictures"][0], "seed": drawn.get("seed")}
        assert row["picture_error"] is None


@pytest.mark.parametrize(
    ("error", "why"),
    [
        ({"message": "it is full", "name": "TogetherError"}, "it is full"),
        ({"name": "ExecutionErr"}, "ExecutionErr"),
        ({"message": None, "code": 137}, "no reason is given"),
        ("cancelled", "cancelled"),
    ],
)
def test_a_row_whose_job_failed_says_why(error, why):
    rows = [{"animal": "a fox"}, {"animal": "an owl"}]
    found = DRAW_ROWS({}, rows, [{"error": error}, DRAWN])

    assert [row["picture_error"] for row in found["rows"]] == [why, None]


def test_the_costs_of_pictures_are_added_as_money_is():
    rows = [{"animal": "a fox"}, {"animal": "an owl"}]
    drawn = [DRAWN, {**DRAWN, "cost_usd": 0.2}]

    found = DRAW_ROWS({}, rows=rows, drawn=drawn)

    assert found["cost_usd"] == 0.3


def test_notes_of_pictures_stand_beside_that_of_their_table(workspace):
    rows = [{"text": "x" * 1000}] * 2500
    drawn = [{"pictures": [{"url": "http://h/a.png"}], "note": "One was changed."}]
    found = DRAW_ROWS(None, rows, drawn * 2500)

    assert workspace.content(found["s3"])
    assert "One was changed." in found["note"]
    assert "too many for a result" in found["note"]


def test_a_video_without_a_known_price_says_so(priced, lifecycles, workspace):
    made = SUBMIT(priced(model("video")), model("video"), "A boat")

    assert made["estimated_cost_usd"] is None
    assert "names no price" in made["cost_note"]


def test_a_video_is_begun_once_and_collected_when_it_is_done(
    auth, lifecycles, workspace, sandbox
):
    first = SUBMIT(auth, model("video"), "A boat", seconds=6, size="portrait")
    second = SUBMIT(auth, model("video"), "A boat", seconds=6, size="portrait")
    third = SUBMIT(auth, model("video"), "A boat", seconds=6, again="more")

    assert first["video_id"] == second["video_id"] != third["video_id"]
    assert (first["reattached"], second["reattached"]) == (False, True)
    body = asked(sandbox, "/v2/videos")[0]
    assert body["seconds"] == "6"
    assert (body["width"], body["height"]) == (768, 1366)
    with pytest.raises(TogetherError, match="not finished") as caught:
        COLLECT(auth, first["video_id"])
    assert caught.value.type == "not_finished"

    lifecycles.advance(3600)
    found = COLLECT(auth, first["video_id"])

    assert ("", found["s3"]) in workspace.objects
    assert found["status"] == "completed"
    assert found["seconds"] == 6
    linked = COLLECT(auth, first["video_id"], output="url")
    assert linked["url"].endswith(".mp4")


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("6", 6), (-6, None), ("six", None), (None, None), ("0", None)],
)
def test_a_video_is_paid_by_seconds_that_are_some(told, seconds, lifecycles, priced):
    auth = priced(model("video"), perSecond=0.5)
    made = SUBMIT(auth, model("video"), "A boat")
    lifecycles.advance(3600)
    real = lifecycles.answers["get_video"]
    lifecycles.answers["get_video"] = lambda given: {**real(given), "seconds": told}

    found = COLLECT(auth, made["video_id"], output="url")

    assert found["seconds"] == seconds
    assert found["cost_usd"] == (3.0 if seconds else None)


@pytest.mark.parametrize(("odd", "note"), [(["x"], '["x"]'), (5, "5"), ("so", "so")])
def test_a_note_of_the_service_s_own_stands_before_ours(
    odd, note, lifecycles, auth, workspace
):
    made = SUBMIT(auth, model("video"), "A boat")
    lifecycles.advance(3600)
    real = lifecycles.answers["get_video"]
    lifecycles.answers["get_video"] = lambda given: {
        **real(given),
        "note": odd,
        "error": "odd",
    }

    found = COLLECT(auth, made["video_id"], output="url")

    assert found["note"] == f"{note} The service says of an error too: odd."
    assert found["url"].endswith(".mp4")


def test_a_video_without_storage_is_told_by_its_address(auth, lifecycles, workspace):
    made = SUBMIT(auth, model("video"), "A boat")
    lifecycles.advance(3600)
    workspace.helpers = False

    found = COLLECT(auth, made["video_id"])

    assert found["url"].endswith(".mp4")
    assert "expires after a while" in found["note"]
    with pytest.raises(TogetherError, match=r"Output \(output\) cannot be"):
        COLLECT(auth, made["video_id"], output="storage")


def test_a_video_that_was_not_made_says_why(auth, lifecycles, workspace):
    name = SUBMIT(auth, model("video"), "A boat")["video_id"]
    lifecycles.fail(name, "the prompt is refused")

    with pytest.raises(TogetherError, match="the prompt is refused") as caught:
        COLLECT(auth, name)
    assert caught.value.type == "job_failed"
    assert SUBMIT(auth, model("video"), "A boat")["video_id"] != name


def test_a_first_picture_begins_the_video(auth, lifecycles, workspace, sandbox):
    SUBMIT(auth, model("video"), "A boat", picture="https://example.com/b.png")

    (body,) = asked(sandbox, "/v2/videos")
    frame = {"input_image": "https://example.com/b.png", "frame": "first"}
    assert body["media"] == {"frame_images": [frame]}


def test_a_lost_answer_is_not_paid_for_twice(auth, lifecycles, workspace, sandbox):
    """Nothing lists videos: the next run says so in place of making another."""
    sandbox.faults.append(Fault("/v2/videos", 502))

    for _ in range(2):
        with pytest.raises(TogetherError) as caught:
            SUBMIT(auth, model("video"), "A boat")
        assert caught.value.ambiguous
    assert len(asked(sandbox, "/v2/videos")) == 1
