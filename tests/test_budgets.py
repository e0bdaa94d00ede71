"""No step lets more through than its budget_usd says.

The server here charges as dearly as a service could: every byte of a question is a
token, every answer is as long as it may be, and a part of it was thought and stands in
the total alone. Each price of its table is another number, so that none can stand for
another.
"""

import ast
import contextlib
import json
import re
import time

import pytest

from scripts.catalog import pricing
from scripts.client import TogetherError
from tests.support.meter import Meter
from tools.cli.plain_numbers import written
from tools.models import known, model
from tools.operations import ROOT, steps

TOKENS = {"input": 0.31, "output": 1.13, "cachedInput": 0.07}
# What comes from a cache may cost more than what does not; so it is charged here.
CACHED = {"input": 0.31, "output": 1.13, "cachedInput": 0.83}
TEXTS = [f"Text number {n}, in which something is said." for n in range(12)]


def main(name):
    step = next(step for step in steps() if step.name == name)
    return __import__(f"scripts.{step.group}.{name}", fromlist=["main"]).main


def rows_of_table():
    return [{"text": text} for text in TEXTS]


def map_rows(meter, budget, **more):
    given = {"template": "Sum up: {{text}}", "rows": rows_of_table(), **more}
    return main("map_rows")(meter.auth, model=meter.id, budget_usd=budget, **given)


def embed_rows(meter, budget):
    given = {"rows": rows_of_table(), "column": "text", "concurrency": 2}
    return main("embed_rows")(meter.auth, meter.id, budget_usd=budget, **given)


def search_documents(meter, budget):
    given = {"query": "What is said?", "documents": TEXTS}
    return main("search_documents")(meter.auth, meter.id, budget_usd=budget, **given)


def compare_models(meter, budget, **more):
    given = {"models": [meter.id], "prompts": TEXTS, **more}
    return main("compare_models")(meter.auth, budget_usd=budget, **given)


def call_tools(meter, budget, **more):
    tools = [{"path": "f/shop/find", "parameters": {"type": "object"}}]
    given = {"prompt": TEXTS[0], "tools": tools, "max_rounds": 9, **more}
    return main("call_tools")(meter.auth, model=meter.id, budget_usd=budget, **given)


def ask_agent(meter, budget, **more):
    """As flows/run_agent goes round by round."""
    tools = [{"path": "f/shop/find", "parameters": {"type": "object"}}]
    given = {"prompt": TEXTS[0], "tools": tools, "model": meter.id}
    begun = main("begin_agent")(meter.auth, **given)
    own = {"conversation": begun["conversation"]}
    limits = {"budget_usd": budget, "max_rounds": 9, **more}
    while not main("ask_agent")(meter.auth, tools=tools, **own, **limits)["done"]:
        main("start_calls")(meter.auth, tools=tools, **own)
        while not main("watch_calls")(meter.auth, **own)["done"]:
            time.sleep(0.01)
    return main("finish_agent")(meter.auth, **own)


TALKS = {
    "map_rows": (map_rows, {}),
    "map_rows, bounded": (map_rows, {"max_tokens": 50}),
    "embed_rows": (embed_rows, {}),
    "search_documents": (search_documents, {}),
    "compare_models": (compare_models, {}),
    "compare_models, bounded": (compare_models, {"max_tokens": 50}),
    "call_tools": (call_tools, {}),
    "call_tools, bounded": (call_tools, {"max_tokens": 50}),
    "ask_agent": (ask_agent, {}),
    "ask_agent, bounded": (ask_agent, {"max_tokens": 50}),
}
WHOLE = {  # elsewhere than in TALKS
    "speak_text",
    "create_picture",
    "submit_video",
    "submit_rows",
    "start_batch",  # tests/test_agent_steps.py: hands its rows to submit_rows
    "split_table",  # tests/test_across.py: spends nothing, shares it out
    "split_files",  # tests/test_map_files.py: as split_table
    "map_files",  # tests/test_map_files.py: of a part of a list
    "submit_fine_tune",  # tests/test_fine_tune_steps.py: by the service's own estimate
}


def test_every_step_with_a_budget_is_tried():
    names = {step.name for step in steps() if "budget_usd" in step.arguments}

    assert names == WHOLE | {name.partition(",")[0] for name in TALKS}


@pytest.mark.parametrize("prices", [TOKENS, CACHED], ids=["tokens", "cached"])
@pytest.mark.parametrize("budget", [0, 1e-6, 1e-4, 7e-4, 3e-3, 2e-2])
@pytest.mark.parametrize("name", TALKS)
def test_what_talks_costs_no_more_than_its_budget(
    name, budget, prices, sandbox, workspace
):
    workspace.register("f/shop/find", lambda: "found", schema={"type": "object"})
    meter = Meter(sandbox, prices)
    step, more = TALKS[name]
    result = refused = None
    try:
        result = step(meter, budget, **more)
    except TogetherError as error:
        result, refused = getattr(error, "partial", None), str(error)
    told = result.get("cost_usd") if isinstance(result, dict) else None

    assert meter.usd <= budget
    assert refused is None or "budget" in refused
    if told is not None and meter.usd:
        assert told == pytest.approx(meter.usd)


@pytest.mark.parametrize("name", TALKS)
def test_what_talks_does_all_of_it_for_money_enough(name, sandbox, workspace):
    workspace.register("f/shop/find", lambda: "found", schema={"type": "object"})
    meter = Meter(sandbox, TOKENS)
    step, more = TALKS[name]
    result = step(meter, 50, **more)

    assert 0 < meter.usd <= 50
    if name.startswith(("map_rows", "embed_rows")):
        assert result["done"] == len(TEXTS)
        assert result["cost_usd"] == pytest.approx(meter.usd)


def test_tokens_that_were_thought_are_paid_as_answer():
    usage = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 100}

    assert pricing.usage_of({"choices": [], "usage": usage})["completion_tokens"] == 90


MEDIA = {
    "perImage": 0.043,
    "perMegapixel": 0.037,
    "perVideo": 0.29,
    "perSecond": 0.061,
    "perMillionCharacters": 13,
}


@pytest.mark.parametrize("unit", ["perImage", "perMegapixel", "all"])
def test_pictures_are_held_to_the_dearest_of_their_prices(unit, sandbox, workspace):
    prices = MEDIA if unit == "all" else {unit: MEDIA[unit]}
    meter = Meter(sandbox, prices)
    size = 1344 * 768 / 1e6
    dear = {"perImage": 0.043, "perMegapixel": 0.037 * size, "all": 0.043}[unit]

    def made(budget):
        sandbox.requests.clear()
        given = {"n": 3, "size": "wide", "output": "url", "budget_usd": budget}
        with contextlib.suppress(TogetherError):
            main("create_picture")(meter.auth, "A fox", meter.id, **given)
        return any(r.method == "POST" for r in sandbox.requests)

    assert made(3 * dear + 1e-9)
    assert not made(3 * dear - 1e-6)


BY_STEPS = {"perMegapixel": 0.037, "defaultSteps": 20}


@pytest.mark.parametrize(
    ("prices", "steps", "usd"),
    [
        (BY_STEPS, None, 0.037),
        (BY_STEPS, 8, 0.037),  # fewer are not cheaper
        (BY_STEPS, 20, 0.037),
        (BY_STEPS, 50, 0.037 * 50 / 20),
        ({"perMegapixel": 0.037}, None, 0.037),
        ({"perMegapixel": 0.037}, 50, None),
        ({"perImage": 0.043}, 50, 0.043),
    ],
)
def test_pictures_are_paid_by_their_size_and_steps(
    prices, steps, usd, sandbox, workspace
):
    meter = Meter(sandbox, prices)
    size = 1 if "perImage" in prices else 1344 * 768 / 1e6
    most = usd and 2 * size * usd
    create = main("create_picture")
    given = {"n": 2, "size": "wide", "output": "url", "steps": steps}
    made = create(meter.auth, "A fox", meter.id, **given)
    sent = [r.json for r in sandbox.requests if r.method == "POST"]

    assert [body.get("steps") for body in sent] == [steps]
    if most is None:
        assert made["cost_usd"] is None
        assert "does not say for how many" in made["cost_note"]
    else:
        assert made["cost_usd"] == pytest.approx(most / 2)  # the sandbox makes one
    for budget in (0, (most or 9) - 1e-6):
        with pytest.raises(TogetherError, match=r"is below|cannot be kept"):
            create(meter.auth, "A fox", meter.id, budget_usd=budget, **given)
    if most:
        create(meter.auth, "A fox", meter.id, budget_usd=most + 1e-9, **given)


def test_both_prices_of_a_picture_bound_it_where_steps_are_asked_for(
    sandbox, workspace
):
    """By the picture it is cheap; by the megapixel nobody knows."""
    meter = Meter(sandbox, {"perImage": 0.043, "perMegapixel": 0.037})
    given = {"output": "url", "steps": 50}
    with pytest.raises(TogetherError, match="cannot be kept"):
        main("create_picture")(meter.auth, "A fox", meter.id, budget_usd=1, **given)


@pytest.mark.parametrize("prices", [MEDIA, {"perSecond": 0.061}])
def test_a_video_of_no_given_length_has_no_bound_by_the_second(
    prices, lifecycles, sandbox, workspace
):
    meter = Meter(sandbox, prices)
    with pytest.raises(TogetherError, match="by the second"):
        main("submit_video")(meter.auth, meter.id, "A boat", budget_usd=100)
    begun = main("submit_video")(meter.auth, meter.id, "A boat")

    assert begun["estimated_cost_usd"] is None
    assert "by the second" in begun["cost_note"]


@pytest.mark.parametrize("unit", ["perVideo", "perSecond", "all"])
def test_a_video_is_held_to_the_dearest_of_its_prices(
    unit, lifecycles, sandbox, workspace
):
    meter = Meter(sandbox, MEDIA if unit == "all" else {unit: MEDIA[unit]})
    dear = {"perVideo": 0.29, "perSecond": 6 * 0.061, "all": 6 * 0.061}[unit]
    submit = main("submit_video")
    with pytest.raises(TogetherError, match="is below"):
        submit(meter.auth, meter.id, "A boat", seconds=6, budget_usd=dear - 1e-6)

    made = submit(meter.auth, meter.id, "A boat", seconds=6, budget_usd=dear + 1e-9)

    assert made["estimated_cost_usd"] == pytest.approx(dear)


def test_a_text_is_held_to_its_characters(sandbox):
    meter = Meter(sandbox, MEDIA)
    exact = 13 * len("Hello there.") / 1e6
    speak = main("speak_text")
    for short in (exact - 1e-9, 0):
        with pytest.raises(TogetherError, match=r"is below 0\.000156"):
            speak(meter.auth, "Hello there.", meter.id, voice="x", budget_usd=short)
    told = speak(meter.auth, "Hello there.", meter.id, voice="x", budget_usd=exact)

    assert told["cost_usd"] == pytest.approx(exact)


HALF = {entry["id"]: entry["batch"] for entry in known()["models"] if "batch" in entry}


@pytest.mark.parametrize("id", ["acme/meter", model("chat"), *HALF])
def test_a_batch_is_held_to_the_price_that_the_model_has_in_batches(
    id, lifecycles, sandbox, workspace
):
    meter = Meter(sandbox, TOKENS, id)
    share = HALF.get(id, 1)
    for text in TEXTS:
        meter.charge(text, 50, share)
    submit = main("submit_rows")
    given = {"template": "{{text}}", "rows": rows_of_table(), "max_tokens": 50}
    with pytest.raises(TogetherError, match="may cost"):
        submit(meter.auth, id, budget_usd=meter.usd, **given)

    made = submit(meter.auth, id, budget_usd=meter.usd * 1.3, **given)

    most = share * (12 * 50 * TOKENS["output"]) / 1e6
    assert most < made["estimated_cost_usd"] < meter.usd


def test_two_models_are_cheaper_in_batches_all_others_cost_the_same(sandbox):
    usage = {"prompt_tokens": 1000, "completion_tokens": 100}
    for id in (model("chat"), "acme/meter", *HALF):
        auth = Meter(sandbox, TOKENS, id).auth
        full, _ = pricing.cost(auth, id, usage)
        assert pricing.cost(auth, id, usage, batch=True)[0] == pytest.approx(
            full * HALF.get(id, 1)
        )
    assert len(HALF) == 2


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0, "0.00"),
        (1e-7, "0.0000001"),
        (0.00001234, "0.00001234"),
        (0.3, "0.30"),
        (1234567.5, "1234567.50"),
        (12, "12.00"),
    ],
)
def test_money_is_written_without_an_exponent(usd, text):
    assert pricing.money(usd) == text


def test_a_refusal_for_a_small_budget_tells_money(sandbox):
    meter = Meter(sandbox, {**TOKENS, "perMillionCharacters": 0.01})
    with pytest.raises(TogetherError) as caught:
        main("speak_text")(meter.auth, "Hello", meter.id, voice="x", budget_usd=0)

    assert "is below 0.00000005, what" in str(caught.value)


# Texts already: by `money`, or of what is left running, in words.
IN_WORDS = ("money(", "_dollars(", "_cost(", "entry['costs']")
MONEY = re.compile(r"(usd|price|prices|cost|costs|budget|spent|dollars)\b")


def test_money_is_put_into_no_text_but_as_money():
    """In every f-string of the helper: by `money`, or with decimals that are fixed."""
    wrong, right = [], 0
    for path in sorted((ROOT / "scripts").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FormattedValue):
                continue
            text = ast.unparse(node.value)
            spec = ast.unparse(node.format_spec) if node.format_spec else ""
            if not MONEY.search(text):
                continue
            fixed = re.fullmatch(r"f'\.\d+f'", spec)
            if fixed or text.startswith(IN_WORDS):
                right += 1
            else:
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {text}")

    assert wrong == []
    assert right > 8


def test_a_model_s_line_tells_prices_as_money(sandbox):
    meter = Meter(sandbox, {"perMinute": 0.0015})
    sandbox.answers["list_models"] = lambda _: [
        {"id": "acme/meter", "type": "transcribe", "pricing": {"perMinute": 0.0015}}
    ]
    found = main("find_model")(meter.auth, task="transcription")

    assert "acme/meter, 0.000025 USD a second" in found["text"]


def test_a_result_on_the_command_line_has_money_without_an_exponent():
    told = 'a text that says "cost_usd": 1e-05'
    result = {"cost_usd": 1.935e-05, "rows": [{"limit_usd": 2.5}], "text": told}
    text = written({**result, "usage": 1e-07})

    assert '"cost_usd": 0.00001935' in text
    assert json.loads(text) == {**result, "usage": 1e-07}
