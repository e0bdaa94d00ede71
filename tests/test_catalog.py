"""The catalogue of models: what the form offers, and what a call is said to cost."""

import contextlib
import json
import re
import threading
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.catalog import budget as catalog_budget
from scripts.catalog import catalog, known_models, model_choice, model_picker
from scripts.catalog import pricing as catalog_pricing
from scripts.client import TogetherError
from scripts.client.form import OTHER
from tools.local.server_thread import handling
from tools.operations import ROOT, find, operations, steps
from tools.sandbox import Fault

NEW, OLD = "/v2/supported-models", "/v1/models"
OLD_LIST = (
    f"list of {known_models.AS_OF}, may be out of date: the catalogue cannot be read"
)
PICKERS = [
    pytest.param(step, name, member["x-models"], id=f"{step.id}-{name}")
    for step in steps()
    for name, member in step.arguments.items()
    if "x-models" in member
]


@contextmanager
def serving(answers):
    """A server that answers each path with (status, content type, text) or waits for
    ever on what is an Event. Yields (auth, paths asked for)."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            path = urlsplit(self.path).path
            asked.append(self.path)
            answer = answers.get(path, (404, "text/plain", "nothing here"))
            if isinstance(answer, threading.Event):
                answer.wait()
                return
            if callable(answer):
                answer = answer(self.path)
            status, kind, text = answer
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    with handling(Handler) as url:
        try:
            yield auth_for(url), asked
        finally:
            for answer in answers.values():
                if isinstance(answer, threading.Event):
                    answer.set()


def auth_for(url):
    """A resource whose lists this process has not read yet."""
    return {"api_key": f"tgp_{uuid.uuid4().hex}", "base_url": url}


@pytest.fixture
def fresh(sandbox):
    return auth_for(sandbox.url)


def reply(value, status=200):
    return status, "application/json", json.dumps(value)


def supported(name, **members):
    """An entry of /v2/supported-models."""
    return {
        "id": f"ml_{name}",
        "name": name,
        "displayName": name,
        "displayType": "chat",
        "publisher": "Acme",
        "status": "SUPPORTED_MODEL_STATUS_SUPPORTED",
        "capabilities": ["CAPABILITY_CHAT"],
        "features": [],
        "inputModalities": ["MODALITY_TEXT"],
        "outputModalities": ["MODALITY_TEXT"],
        "products": ["PRODUCT_SERVERLESS"],
        "contextLength": "131072",
        "pricing": {"input": 0.5, "output": 1.5, "cachedInput": 0.1},
        "createdAt": "2026-01-01T00:00:00Z",
        **members,
    }


def listed(name, kind="chat", price=(0.5, 1.5), **members):
    """An entry of /v1/models."""
    pricing = {"hourly": 0, "input": price[0], "output": price[1], "base": 0}
    return {
        "id": name,
        "object": "model",
        "created": 1700000000,
        "type": kind,
        "pricing": {**pricing, "finetune": 0},
        **members,
    }


def values(found):
    """The models offered; the last choice is always the one of another model."""
    *names, last = (choice["value"] for choice in found)
    assert last == OTHER
    return names


MODELS = [
    supported("acme/plain"),
    supported("acme/tools", features=["FEATURE_TOOL_CALLING"]),
    supported("acme/json", features=["FEATURE_STRUCTURED_OUTPUT"]),
    supported("acme/eyes", inputModalities=["MODALITY_TEXT", "MODALITY_IMAGE"]),
    supported("acme/vectors", capabilities=["CAPABILITY_EMBEDDING"]),
    supported("acme/order", capabilities=["CAPABILITY_RERANKING"]),
    supported("acme/paint", capabilities=["CAPABILITY_IMAGE_GENERATION"]),
    supported("acme/film", capabilities=["CAPABILITY_VIDEO_GENERATION"]),
    supported("acme/voice", capabilities=[], outputModalities=["MODALITY_AUDIO"]),
    supported("acme/ears", capabilities=[], inputModalities=["MODALITY_AUDIO"]),
    supported("acme/own-hardware", products=["PRODUCT_DEDICATED"]),
    supported("acme/secret", status="SUPPORTED_MODEL_STATUS_HIDDEN"),
    supported("acme/teachable", products=["PRODUCT_FINE_TUNING"]),
    supported("acme/later", capabilities=["CAPABILITY_NOT_INVENTED_YET"]),
]


# --- what the form offers ----------------------------------------------------------


@pytest.mark.parametrize(("step", "name", "task"), PICKERS)
def test_every_picker_of_every_step_offers_models_for_its_task(
    step, name, task, sandbox, fresh
):
    sandbox.answers["list_supported_models"] = lambda _: {"data": MODELS}
    module = __import__(f"scripts.{step.group}.{step.name}", fromlist=[name])

    found = getattr(module, name)(filterText="", auth=fresh)

    assert found
    assert all(isinstance(c["value"], str) for c in found)
    assert all(isinstance(c["label"], str) for c in found)
    one = step.arguments[name]["type"] == "string"
    built_in = {**known_models.BUILT_IN, model_picker.JUDGE: known_models.JUDGES}
    assert getattr(module, name)() == [
        *(
            {
                "value": id,
                "label": f"{id} - {OLD_LIST}",
            }
            for id in built_in[task]
        ),
        *(
            [{"value": "other", "label": "Another model: give its id below"}]
            if one
            else []
        ),
    ]
    assert (found[-1]["value"] == "other") == one


def test_every_task_has_a_built_in_list():
    rules = json.loads((ROOT / "schemas" / "_operation.json").read_text())
    words = rules["$defs"]["member"]["properties"]["x-models"]["enum"]

    assert words == [*catalog.TASKS, model_picker.JUDGE]
    assert list(catalog.TASKS) == list(known_models.BUILT_IN)
    assert known_models.JUDGES


JUDGING = "/v1/evaluation/model-list"


def told(path, **answer):
    return {path: (200, "application/json", json.dumps(answer))}


def test_judges_come_from_their_own_list():
    models = [
        {
            "name": "acme/judge",
            "products": ["PRODUCT_SERVERLESS"],
            "pricing": {"input": 2},
        },
        {
            "name": "acme/other",
            "products": ["PRODUCT_SERVERLESS"],
            "pricing": {"input": 1},
        },
    ]
    listed = ["acme/judge", "acme/unknown", 7, "acme/judge"]

    with serving(told(NEW, data=models) | told(JUDGING, model_list=listed)) as found:
        auth, asked = found
        offered = model_picker.choices("judge", auth)
        assert [["acme/unknown"]] == [
            values(model_picker.choices("judge", auth, "UNKN"))
        ]

    assert values(offered) == ["acme/judge", "acme/unknown"]
    assert "$2.00 in" in offered[0]["label"]
    assert any("model_source=serverless" in path for path in asked)


@pytest.mark.parametrize(
    "answer", [{}, told(JUDGING, model_list=[]), told(JUDGING, model_list="a")]
)
def test_judges_of_a_day_are_offered_where_their_list_cannot_be_read(answer):
    with serving(answer) as (auth, _):
        offered = model_picker.choices("judge", auth)

    assert values(offered) == known_models.JUDGES, offered
    assert OLD_LIST in offered[0]["label"]


def test_models_fit_the_task_and_answer_serverlessly():
    only = {
        "tools": "acme/tools",
        "structured": "acme/json",
        "vision": "acme/eyes",
        "embedding": "acme/vectors",
        "rerank": "acme/order",
        "image": "acme/paint",
        "video": "acme/film",
        "speech": "acme/voice",
        "transcription": "acme/ears",
        "fine_tuning": "acme/teachable",
    }
    with serving({NEW: reply({"data": MODELS, "next_cursor": None})}) as (auth, _):
        for task, name in only.items():
            assert [name] == values(model_picker.choices(task, auth)), task
        chat = values(model_picker.choices("chat", auth))

    assert {"acme/plain", "acme/tools", "acme/json", "acme/eyes"} == set(chat)


def test_recommended_and_new_models_come_first_and_deprecated_ones_last():
    status = "SUPPORTED_MODEL_STATUS_"
    models = [
        supported("acme/old", createdAt="2024-05-01T00:00:00Z"),
        supported("acme/gone", status=f"{status}DEPRECATED"),
        supported("acme/new", createdAt="2026-05-01T00:00:00Z"),
        supported("acme/good", status=f"{status}RECOMMENDED"),
    ]
    with serving({NEW: reply({"data": models})}) as (auth, _):
        found = model_picker.choices("chat", auth)

    assert ["acme/good", "acme/new", "acme/old", "acme/gone"] == values(found)
    assert found[0]["label"].endswith(" - recommended")
    assert found[-2]["label"].endswith(" - deprecated")


@pytest.mark.parametrize(
    ("members", "label"),
    [
        ({}, "a/b - 128k context - $0.50 in, $1.50 out per 1M tokens"),
        (
            {"displayName": "Bee", "contextLength": "1000000", "pricing": None},
            "a/b (Bee) - 1M context",
        ),
        (
            {"contextLength": None, "pricing": {"input": 0.018, "output": 0}},
            "a/b - $0.018 in per 1M tokens",
        ),
        (
            {"contextLength": "200000", "pricing": {"perImage": 0.003}},
            "a/b - 200k context - $0.003 per image",
        ),
        (
            {"contextLength": "1048576", "pricing": {"per_million_characters": 65}},
            "a/b - 1M context - $65.00 per 1M characters",
        ),
    ],
)
def test_a_label_tells_context_and_price(members, label):
    with serving({NEW: reply({"data": [supported("a/b", **members)]})}) as (auth, _):
        assert label == model_picker.choices("chat", auth)[0]["label"]


def test_every_word_of_the_filter_must_be_there(fresh):
    models = [supported("acme/small-chat"), supported("other/big-chat")]
    with serving({NEW: reply({"data": models})}) as (auth, asked):
        found = model_picker.choices("chat", auth, "CHAT acme")
        assert ["acme/small-chat"] == values(found)
        assert found[-1]["label"] == "Another model: give its id below"
        assert ["other/big-chat"] == values(
            model_picker.choices("chat", auth, "OTHER/big-chat")
        )
        # Windmill shows only choices whose label holds what was typed.
        (lacking,) = model_picker.choices("chat", auth, " me/own-endpoint ")
        assert lacking == {
            "value": OTHER,
            "label": "me/own-endpoint: not in the list, give its id below",
        }

    assert 1 == sum(path.startswith(NEW) for path in asked)


def test_an_older_catalogue_is_understood():
    """A bare array, in which only a price tells that a model answers serverlessly."""
    models = [
        listed("acme/chat"),
        listed("acme/dedicated-only", price=(0, 0)),
        listed("acme/chat-Free", price=(0, 0)),
        listed("acme/vectors", "embedding", (0.02, 0)),
        listed("acme/paint", "image", (0, 0)),
        listed("acme/base", "language"),
        listed("acme/ears", "transcribe", (0, 0)),
        listed("acme/thing", "a-type-not-invented-yet"),
    ]
    offers = {
        "chat": {"acme/chat"},
        "tools": {"acme/chat"},
        "vision": {"acme/chat"},
        "embedding": {"acme/vectors"},
        "image": {"acme/paint"},
        "transcription": {"acme/ears"},
        "video": set(),
    }
    offers["chat"].add("acme/chat-Free")
    offers["tools"] = offers["vision"] = offers["chat"]
    with serving({OLD: reply(models)}) as (auth, _):
        for task, names in offers.items():
            assert names == set(values(model_picker.choices(task, auth))), task


def test_a_server_that_resembles_openai_s_is_understood():
    models = {"object": "list", "data": [{"id": "gemma", "object": "model"}]}
    with serving({OLD: reply(models)}) as (auth, _):
        for task in catalog.TASKS:
            assert ["gemma"] == values(model_picker.choices(task, auth))


def test_five_hundred_models_are_offered():
    models = [supported(f"acme/m{n}", deploymentProfiles=[{}] * 9) for n in range(500)]
    with serving({NEW: reply({"data": models})}) as (auth, _):
        assert 500 == len(values(model_picker.choices("chat", auth)))
        assert 111 == len(values(model_picker.choices("chat", auth, "acme M3")))


def test_all_pages_are_read():
    pages = {
        None: {"data": [supported("acme/one")], "next_cursor": "c2"},
        "c2": {"data": [supported("acme/two")], "next_cursor": "c3"},
        "c3": {"data": [], "next_cursor": "c4"},
    }

    def page(path):
        cursor = dict(p.split("=") for p in urlsplit(path).query.split("&")).get(
            "after"
        )
        return reply(pages[cursor])

    with serving({NEW: page}) as (auth, asked):
        found = values(model_picker.choices("chat", auth))

    assert {"acme/one", "acme/two"} == set(found)
    assert 3 == sum(path.startswith(NEW) for path in asked)


OWN = {
    "/v3/whoami": reply({"project": {"id": "p1"}}),
    "/v2/projects/p1/endpoints": reply(
        {
            "data": [
                {
                    "name": "me/ready",
                    "deployments": [
                        {"state": "DEPLOYMENT_STATE_STOPPED"},
                        {"state": "DEPLOYMENT_STATE_READY"},
                    ],
                },
                {"name": "me/bare", "deployments": []},
                {"name": None},
            ]
        }
    ),
    "/v1/endpoints": reply(
        {
            "object": "list",
            "data": [
                {"name": "me/older", "state": "STOPPED"},
                {"name": "me/ready", "state": "STARTED"},
            ],
        }
    ),
}


def test_the_account_s_own_endpoints_are_offered_after_the_models():
    answers = {NEW: reply({"data": [supported("acme/chat")]}), **OWN}
    with serving(answers) as (auth, asked):
        found = model_picker.choices("chat", auth)
        assert ["me/older"] == values(model_picker.choices("chat", auth, "ME/older"))
        media = values(model_picker.choices("image", auth))

    assert ["acme/chat", "me/ready", "me/bare", "me/older"] == values(found)
    assert [
        "me/ready - your own endpoint, ready",
        "me/bare - your own endpoint, not deployed",
        "me/older - your own endpoint, stopped",
    ] == [choice["label"] for choice in found[1:-1]]
    assert not [value for value in media if value.startswith("me/")]
    assert any("type=dedicated&mine=true" in path for path in asked)


def test_own_endpoints_are_offered_without_a_catalogue_too():
    with serving(OWN) as (auth, _):
        found = values(model_picker.choices("chat", auth))

    assert [*known_models.BUILT_IN["chat"], "me/ready", "me/bare", "me/older"] == found


def test_the_tables_by_which_lists_are_read_are_the_operations():
    for table in (*model_picker.OWN, catalog.SUPPORTED, catalog.LISTED):
        path = table["path"]
        (found,) = (
            o
            for o in operations()
            if (o.exchange["method"], o.exchange["path"]) == ("GET", path)
        )
        assert set(table["arguments"]["properties"]) <= set(found.arguments)


ODD = {
    "HTML": (200, "text/html", "<!DOCTYPE html><title>Sign in</title>"),
    "refused": reply({"error": {"message": "no", "type": "x"}}, 401),
    "missing": (404, "text/plain", "no"),
    "text": reply("models"),
    "null": reply(None),
    "number": reply(3),
    "an error with 200": reply({"error": "quota"}),
    "another list": reply({"things": []}),
}


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD)
def test_an_unreadable_catalogue_still_makes_a_form(answer, capsys):
    with serving({NEW: answer, OLD: answer}) as (auth, _):
        found = model_picker.choices("chat", auth)
        assert found[0]["label"].endswith(OLD_LIST)
        assert known_models.BUILT_IN["chat"] == values(found)
        assert [] == values(model_picker.choices("chat", auth, "x/y"))

    assert "the catalogue cannot be read: " in capsys.readouterr().err


@pytest.mark.parametrize(
    "answer", [reply([]), reply({"data": []}), reply({"data": [3, None, {}, []]})]
)
def test_an_empty_catalogue_offers_nothing(answer):
    with serving({NEW: answer, OLD: answer}) as (auth, _):
        assert [] == values(model_picker.choices("chat", auth))


@pytest.mark.parametrize(
    "auth",
    [
        None,
        "",
        "$res:f/togetherai/key",
        {},
        {"api_key": ""},
        {"api_key": "$var:u/me/key"},
        {"api_key": None, "base_url": 3},
        {"api_key": "k", "base_url": "nonsense"},
        ["k"],
    ],
)
def test_a_form_without_a_resource_has_a_short_list(auth):
    assert known_models.BUILT_IN["chat"] == values(model_picker.choices("chat", auth))


def test_a_slow_catalogue_does_not_hold_the_form_up():
    """The form's own bound is over long before this catalogue answers."""
    ended = threading.Event()

    def slow(_):
        ended.wait(60)
        return reply({"data": MODELS})

    with serving({NEW: slow, OLD: slow}) as (auth, _):
        found = model_picker.choices("chat", auth)
        ended.set()

    assert known_models.BUILT_IN["chat"] == values(found)


def test_a_silent_new_list_gives_way_to_the_old_one():
    answers = {NEW: threading.Event(), OLD: reply([listed("acme/chat")])}
    with serving(answers) as (auth, _):
        assert ["acme/chat"] == values(model_picker.choices("chat", auth))


LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
PRICE = st.sampled_from(["input", "output", "cachedInput", "perImage", "hourly"])
VALUE = LEAF | st.lists(LEAF, max_size=3) | st.dictionaries(PRICE, LEAF, max_size=3)
MEMBER = st.sampled_from(sorted({*supported(""), *listed("")}))


@given(st.dictionaries(MEMBER, VALUE, max_size=8))
def test_no_entry_however_odd_breaks_the_list(entry):
    found = catalog.normalised({"id": "acme/x", **entry})

    if found is not None:
        assert isinstance(found["id"], str)
        for task in catalog.TASKS:
            catalog.fitting([found, found], task)
        assert model_picker._label(found)


# --- the model that is taken when none is named -------------------------------------

CHEAP = {"input": 0.2, "output": 0.5}


def test_the_newest_of_moderate_price_that_is_not_deprecated_is_taken(capsys):
    status = "SUPPORTED_MODEL_STATUS_"
    new = {"createdAt": "2026-09-01T00:00:00Z"}
    models = [
        supported("acme/older"),
        supported("acme/newest", createdAt="2026-06-01T00:00:00Z", pricing=CHEAP),
        supported("acme/gone", status=f"{status}DEPRECATED", **new),
        supported("acme/secret", status=f"{status}HIDDEN", **new),
        supported("acme/dear", pricing={"input": 3, "output": 15}, **new),
        supported("acme/tiny", contextLength="8192", **new),
        supported("acme/unpriced", pricing=None, **new),
        supported("acme/own", products=["PRODUCT_DEDICATED"], **new),
    ]
    with serving({NEW: reply({"data": models})}) as (auth, _):
        assert "acme/newest" == model_choice.recommended(auth, "chat")
        models[0]["status"] = f"{status}RECOMMENDED"
    with serving({NEW: reply({"data": models})}) as (auth, _):
        assert "acme/older" == model_choice.recommended(auth, "chat")
    assert "model acme/older, recommended by the catalogue" in capsys.readouterr().err


def test_of_dear_models_alone_the_newest_is_taken():
    dear = {"input": 3, "output": 15}
    models = [
        supported("acme/old", pricing=dear),
        supported("acme/new", pricing=dear, createdAt="2026-09-01T00:00:00Z"),
    ]
    with serving({NEW: reply({"data": models})}) as (auth, _):
        assert "acme/new" == model_choice.recommended(auth, "chat")


def test_a_model_fits_the_task_that_it_is_taken_for():
    with serving({NEW: reply({"data": MODELS})}) as (auth, _):
        assert "acme/eyes" == model_choice.recommended(auth, "vision")
        assert "acme/paint" == model_choice.recommended(auth, "image")
    with serving({NEW: reply({"data": []}), OLD: reply([])}) as (auth, _):
        with pytest.raises(TogetherError, match="offers no model for rerank"):
            model_choice.recommended(auth, "rerank")


def test_without_a_catalogue_an_old_list_is_taken_and_said_to_be_old(capsys):
    with serving({}) as (auth, _):
        found = model_choice.recommended(auth, "chat")
        assert found == known_models.BUILT_IN["chat"][0]
        told = capsys.readouterr().err
        assert f"from a list of {known_models.AS_OF}, as the catalogue cannot" in told
        with pytest.raises(TogetherError, match="offers no model for embedding"):
            model_choice.recommended(auth, "embedding")


UNNAMED = [
    step
    for step in steps()
    if step.arguments.get("model", {}).get("x-models") and "model" not in step.required
    if step.name != "rank_passages"  # which compares words where none is named
]


def test_the_steps_that_ask_models_need_none_to_be_named():
    names = {step.name for step in UNNAMED}
    talk = {
        "ask_model",
        "extract_structured",
        "classify_text",
        "map_rows",
        "call_tools",
    }
    media = {"create_picture", "speak_text", "transcribe_recording"}

    assert talk | media <= names


@pytest.mark.parametrize("step", UNNAMED, ids=lambda step: step.id)
def test_a_step_without_a_model_asks_the_recommended_one(
    step, sandbox, fresh, workspace
):
    task = step.arguments["model"]["x-models"]
    module = __import__(f"scripts.{step.group}.{step.name}", fromlist=["main"])
    given = {n: v for n, v in step.schema["examples"][0].items() if n != "model"}
    if "voice" in step.arguments:
        given["voice"] = "any"
    for used in given.get("tools", ()):
        workspace.register(used["path"], lambda **_: 1, schema={"type": "object"})
    if step.name == "brief_agent":  # Windmill's own step asks below the base URL
        fresh = {**fresh, "base_url": fresh["base_url"] + "/v1"}
    asked, result = [], None
    with contextlib.suppress(TogetherError):
        result = module.main(fresh, **given)
    # What is only begun has it in its batch's file, or in what it hands on.
    sent = [request.body for request in sandbox.requests]
    sent += [content for _, content in sandbox.files.values()]
    sent.append(json.dumps(result, default=str).encode())
    for text in sent:
        asked += re.findall(rb'name="model"\r\n\r\n(.*?)\r\n', text)
        asked += re.findall(rb'"model": ?"(.*?)"', text)
    assert asked
    assert {name.decode() for name in asked} == {model_choice.recommended(fresh, task)}


# --- what a call cost --------------------------------------------------------------

TEXT = {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200}


@pytest.mark.parametrize(
    ("usage", "batch", "usd"),
    [
        (TEXT, False, (1000 * 0.5 + 200 * 1.5) / 1e6),
        (TEXT, True, (1000 * 0.5 + 200 * 1.5) / 1e6),  # no discount is known
        ({**TEXT, "cached_tokens": 400}, False, (600 * 0.5 + 400 * 0.1 + 300) / 1e6),
        ({"prompt_tokens": 10, "total_tokens": 10}, False, 5 / 1e6),
        ({"total_tokens": 10}, False, 5 / 1e6),
    ],
)
def test_tokens_cost_what_the_catalogue_says(usage, batch, usd):
    with serving({NEW: reply({"data": [supported("a/b")]})}) as (auth, asked):
        assert catalog_pricing.cost(auth, "a/b", usage, batch) == (
            pytest.approx(usd),
            None,
        )
        assert catalog_pricing.cost(auth, "A/B", usage, batch)[1] is None

    assert 1 == sum(path.startswith(NEW) for path in asked)


@pytest.mark.parametrize(
    ("pricing", "usage", "usd"),
    [
        ({"perImage": 0.04}, {"images": 3, "megapixels": 3.1}, 0.12),
        ({"per_megapixel": 0.01}, {"images": 3, "megapixels": 3.0}, 0.03),
        ({"perMinute": 0.006}, {"seconds": 90}, 0.009),
        ({"perSecond": "0.1"}, {"videos": 1, "seconds": 5}, 0.5),
        ({"perVideo": 0.28}, {"videos": 1, "seconds": 5}, 0.28),
        ({"perMillionCharacters": 65}, {"characters": 1000}, 0.065),
        ({"perCharacter": 0.00001}, {"characters": 1000}, 0.01),
    ],
)
def test_media_cost_what_the_catalogue_says(pricing, usage, usd):
    model = supported("a/b", pricing=pricing)
    with serving({NEW: reply({"data": [model]})}) as (auth, _):
        assert catalog_pricing.cost(auth, "a/b", usage) == (pytest.approx(usd), None)


@pytest.mark.parametrize(
    ("pricing", "usage", "reason"),
    [
        (None, TEXT, "no price"),
        ({"input": 0, "output": 0}, TEXT, "no price"),
        ({"input": None, "output": None}, TEXT, "no price"),
        ({"input": 0.5}, TEXT, "no price"),
        ({"input": 0.5, "output": 1}, {"images": 1}, "no price of a/b for images"),
        ({"hourly": 3, "base": 2}, {"images": 1}, "no price"),
        ({"input": 0.5, "output": 1}, None, "does not say what was used"),
        ({"input": 0.5, "output": 1}, {"prompt_tokens": 0}, "does not say"),
        ({"input": -1, "output": True}, TEXT, "no price"),
    ],
)
def test_an_unknown_cost_is_none_with_a_reason(pricing, usage, reason):
    model = supported("a/b", pricing=pricing)
    with serving({NEW: reply({"data": [model]})}) as (auth, _):
        usd, note = catalog_pricing.cost(auth, "a/b", usage)

    assert usd is None
    assert reason in note


def test_a_free_model_costs_nothing():
    with serving({OLD: reply([listed("acme/chat-Free", price=(0, 0))])}) as (auth, _):
        assert (0, None) == catalog_pricing.cost(auth, "acme/chat-Free", TEXT)
        assert "free" in model_picker.choices("chat", auth)[0]["label"]


def test_a_price_that_the_new_list_lacks_comes_from_the_old_one():
    answers = {
        NEW: reply({"data": [supported("a/b", pricing=None)]}),
        OLD: reply([listed("a/b", price=(1, 2))]),
    }
    with serving(answers) as (auth, _):
        assert catalog_pricing.cost(auth, "a/b", TEXT)[0] == pytest.approx(1400 / 1e6)


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD)
def test_a_failed_look_up_of_a_price_never_raises(answer):
    with serving({NEW: answer, OLD: answer}) as (auth, _):
        usd, note = catalog_pricing.cost(auth, "a/b", TEXT)

    assert usd is None
    assert note.startswith("the catalogue cannot be read: ")
    assert auth["api_key"] not in note


def test_a_silent_catalogue_is_waited_for_once(monkeypatch):
    monkeypatch.setattr(catalog_pricing, "PRICE_SECONDS", 0.2)
    silent = {NEW: threading.Event(), OLD: threading.Event()}
    with serving(silent) as (auth, asked):
        for _ in range(200):
            usd, note = catalog_pricing.cost(auth, "a/b", TEXT)
        assert len(asked) <= 2  # of either list, once

    assert usd is None
    assert "takes too long" in note


def test_a_model_that_is_not_listed_has_no_cost(sandbox, fresh):
    usd, note = catalog_pricing.cost(fresh, "me/endpoint", TEXT)

    assert usd is None
    assert "does not list me/endpoint" in note


def test_an_account_s_lists_are_its_own(sandbox):
    one, two = auth_for(sandbox.url), auth_for(sandbox.url)
    for account in (one, one, two):
        assert values(model_picker.choices("chat", account))

    asked = [r.headers["authorization"] for r in sandbox.requests if r.path == NEW]
    assert [f"Bearer {a['api_key']}" for a in (one, two)] == asked


def test_a_failed_list_is_read_again_when_it_is_stale(sandbox, fresh, monkeypatch):
    sandbox.faults.append(Fault(NEW, 403))
    sandbox.faults.append(Fault(OLD, 403))

    def is_built_in():
        first = model_picker.choices("image", fresh)[0]["label"]
        return first.endswith(OLD_LIST)

    assert is_built_in()
    assert is_built_in()
    monkeypatch.setattr(catalog, "MAX_AGE_FAILED", -1)

    assert not is_built_in()


@pytest.mark.parametrize(
    ("usage", "wanted"),
    [
        (
            {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
            (5, 2, 7, 0),
        ),
        (
            {"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 3}},
            (5, 0, 5, 3),
        ),
        (
            {"prompt_tokens": 5, "cached_tokens": 4, "prompt_tokens_details": None},
            (5, 0, 5, 4),
        ),
        ({"prompt_tokens": 5, "prompt_tokens_details": [3]}, (5, 0, 5, 0)),
    ],
)
def test_usage_is_read_in_all_its_forms(usage, wanted):
    assert wanted == tuple(catalog_pricing.usage_of({"usage": usage}).values())


@pytest.mark.parametrize(
    ("usage", "wanted"),
    [
        ({"prompt_tokens": 10, "total_tokens": 1010}, (10, 1000, 1010, 0)),
        ({"completion_tokens": 1000, "total_tokens": 1010}, (10, 1000, 1010, 0)),
        ({"prompt_tokens": 10, "completion_tokens": 1000}, (10, 1000, 1010, 0)),
        (
            {"prompt_tokens": 10, "completion_tokens": 0, "total_tokens": 10},
            (10, 0, 10, 0),
        ),
        ({"prompt_tokens": 10, "completion_tokens": 0}, (10, 0, 10, 0)),
        ({"prompt_tokens": 10, "total_tokens": 0}, None),
        ({"prompt_tokens": 300}, None),
        ({"prompt_tokens": 300, "completion_tokens": None}, None),
        ({"completion_tokens": 300}, None),
        ({"total_tokens": 300}, None),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 300}, None),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, None),
    ],
)
def test_of_what_a_chat_used_two_counts_tell_the_third_and_one_tells_nothing(
    usage, wanted
):
    found = catalog_pricing.usage_of({"choices": [], "usage": usage})

    assert wanted == (found and tuple(found.values()))


def test_a_bill_adds_the_answers_up(sandbox, fresh):
    model = find("models/list_supported_models").schema["x-reply"]["data"][0]
    answer = {"usage": TEXT}
    price = model["pricing"]

    found = catalog_pricing.bill(fresh, model["name"], [answer, answer])

    assert 2400 == found["usage"]["total_tokens"]
    wanted = 2 * (1000 * price["input"] + 200 * price["output"]) / 1e6
    assert found["cost_usd"] == pytest.approx(wanted)
    assert "cost_note" not in found
    found = catalog_pricing.bill(fresh, model["name"], [answer, {"usage": None}])
    assert found["cost_usd"] is None
    assert "does not say" in found["cost_note"]


def test_a_list_whose_last_page_comes_while_it_is_looked_through_is_not_kept(auth):
    """What is known by name would lack that page as long as the list is kept."""
    listing = catalog.Listing(auth, catalog.SERVERLESS)
    first, last = ({"id": name, "aliases": [], "name": name} for name in ("a", "b"))

    class Arriving(list):
        def __iter__(self):
            yield from [first]
            listing.models, listing.complete = [first, last], True

    listing.models = Arriving([first])
    assert listing.find("a") is first
    assert listing.find("b") is last


# --- a budget ----------------------------------------------------------------------


def test_a_budget_stops_before_it_is_exceeded():
    budget = catalog_budget.Budget(1.0)
    budget.reserve(0.6)
    with pytest.raises(TogetherError, match="budget_usd is used up"):
        budget.reserve(0.6)
    budget.settle(0.6, 0.3)
    budget.reserve(0.6)
    with pytest.raises(TogetherError) as caught:
        budget.reserve(0.2)

    assert caught.value.spent_usd == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("facts", "usd"),
    [
        ({"status": 400}, 0.0),
        ({"status": 429}, 0.0),
        ({"status": 503}, 0.0),
        ({"problems": [{"field": "body", "problem": "is not JSON"}]}, 0.0),
        ({"status": 504}, None),
        ({"status": 200}, None),
        ({}, None),
    ],
)
def test_only_a_call_that_was_refused_surely_cost_nothing(facts, usd):
    assert catalog_pricing.spent_on(TogetherError("failed", **facts)) == usd


@pytest.mark.parametrize(
    ("error", "usd"),
    [
        (None, 0.3),
        (TogetherError("refused", status=400), 0.0),
        (TogetherError("hung"), 0.6),
        (KeyError("a mistake of ours"), 0.6),
    ],
)
def test_a_call_leaves_in_its_budget_what_it_did_not_cost(error, usd):
    budget = catalog_budget.Budget(1.0)

    def made():
        with budget.spending(0.6) as spent:
            assert budget.left() == pytest.approx(0.4)
            if error:
                raise error
            spent.usd = 0.3

    if error:
        with pytest.raises(type(error)):
            made()
    else:
        made()

    assert budget.spent == pytest.approx(usd)
    assert budget.left() == pytest.approx(1 - usd)


def test_a_call_that_is_not_paid_for_is_not_made():
    budget = catalog_budget.Budget(1.0)
    for usd in (None, 1.1):
        with pytest.raises(TogetherError, match="budget_usd"), budget.spending(usd):
            raise AssertionError("it was made")

    assert (budget.spent, budget.reserved) == (0, 0)


def test_a_budget_needs_a_price():
    with pytest.raises(TogetherError, match="price is not known"):
        catalog_budget.Budget(1.0).reserve(None)


def test_no_budget_allows_everything():
    budget = catalog_budget.Budget(None)
    budget.reserve(None)
    budget.settle(None, 1e9)
    budget.reserve(1e9)

    assert (budget.spent, budget.reserved) == (0, 0)  # nothing is counted


def test_threads_share_a_budget():
    budget = catalog_budget.Budget(1.0)
    refused = []

    def work():
        for _ in range(50):
            try:
                budget.reserve(0.01)
            except TogetherError:
                refused.append(1)
            else:
                budget.settle(0.01, 0.01)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert budget.spent == pytest.approx(1.0, abs=0.011)
    assert budget.spent <= 1.0 + 1e-9
    assert len(refused) >= 300


@given(st.text())
def test_tokens_are_estimated_for_any_text(text):
    assert 0 <= catalog_pricing.tokens(text) <= len(text) + 1
