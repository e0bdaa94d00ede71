"""The tools that are made for agents, as a model calls them."""

import json

import pytest

from scripts.agent_tools.agent_steps import DEFAULTS, LONGEST, run_checked
from scripts.client import TogetherError
from scripts.media.image_steps import create_picture
from tests.support.canned_chat import asked, say
from tests.support.expected_request import main_of
from tools.local.happenings import deployed
from tools.models import model
from tools.operations import find, steps
from tools.sandbox import Fault
from tools.schemas.form import form
from tools.tree import tool_schema

# What is in a batch, or elsewhere, has tests of its own.
ELSEWHERE = ("example.com", "batch-1", "contracts")
EXAMPLES = [
    pytest.param(step.name, example, id=f"{step.name}-{number}")
    for step in steps()
    if step.group == "agent"
    for number, example in enumerate(step.schema["examples"])
    if not any(word in json.dumps(example) for word in ELSEWHERE)
]


def use(name, auth, **arguments):
    return main_of(find(f"agent/{name}"))(auth, **arguments)


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_answer_begins_with_a_text(name, example, sandbox, workspace, auth):
    workspace.put("notes/long.txt", b"word " * 9000)
    workspace.put("scans/1.png", b"\x89PNG\r\n\x1a\n" + b"0" * 64)
    workspace.put("calls/1.mp3", b"ID3" + b"0" * 64)
    workspace.put("shop/orders.csv", b"city,amount\nRome,120\nOslo,80\n")
    say(sandbox, '{"customer": "Ann", "total": 12}')

    found = use(name, auth, **example)

    assert next(iter(found)) == "text"
    assert found["text"]
    assert len(found["text"]) <= LONGEST


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_step_that_a_tool_runs_has_the_defaults_of_its_schema(name):
    members = find(name).schema["properties"].items()

    assert DEFAULTS[name] == {n: m["default"] for n, m in members if "default" in m}


def test_a_tool_may_leave_out_what_has_a_default(sandbox, auth):
    found = run_checked(create_picture, auth, prompt="A cat", model=model("image"))

    (body,) = [json.loads(one.body) for one in sandbox.requests if "images" in one.path]
    assert (body["n"], body["output_format"]) == (1, "png")
    assert len(found["pictures"]) == 1


def test_a_long_answer_is_cut_and_says_so(sandbox, auth):
    say(sandbox, "x" * (LONGEST + 7))

    found = use("consult_model", auth, prompt="Go on.", model={"id": model("chat")})

    assert found["text"] == "x" * LONGEST
    assert found["cut"] == "7 more characters are left out"
    assert asked(sandbox)[0]["model"] == model("chat")


def test_a_document_is_read_piece_by_piece(workspace, auth):
    text = "".join(f"line {n}\n" for n in range(4000)).strip()
    workspace.put("a.txt", text.encode())
    pieces, start = [], 0
    while start is not None:
        found = use("read_document", auth, document={"s3": "a.txt"}, start=str(start))
        pieces.append(found["text"])
        start = found.get("next_start")

    assert len(pieces) == 2
    assert "".join(pieces) == text
    with pytest.raises(TogetherError, match="start is beyond the end"):
        use("read_document", auth, document="s3:///a.txt", start=len(text))


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("read_document", "document"),
        ("look_at_picture", "picture"),
        ("transcribe_audio", "recording"),
    ],
)
def test_what_is_no_address_is_told_to_the_model(name, argument, sandbox, auth):
    with pytest.raises(TogetherError, match=f"{argument} must be an address"):
        use(name, auth, **{argument: "the file from before"})
    assert not sandbox.requests


def test_what_a_document_says_never_becomes_a_secret(workspace, auth):
    workspace.put("a.txt", b"$var:u/admin/secret")

    found = use("read_document", auth, document="s3:///a.txt")

    assert "$var:" not in found["text"]
    assert "u/admin/secret" in found["text"]


def test_a_picture_is_looked_at(sandbox, workspace, auth):
    workspace.put("cat.png", b"\x89PNG\r\n\x1a\n" + b"0" * 64)
    say(sandbox, "A cat.")

    found = use("look_at_picture", auth, picture="s3:///cat.png", question="")

    assert found["text"] == "A cat."
    text, picture = asked(sandbox)[0]["messages"][-1]["content"]
    assert text["text"].startswith("Describe the picture")
    assert picture["image_url"]["url"].startswith("data:image/png;base64,")


def test_sound_and_pictures_go_to_storage(sandbox, workspace, auth):
    for found in (
        use("make_speech", auth, text="Hello."),
        use("draw_picture", auth, prompt="A cat", size=""),
    ):
        assert workspace.content(found["s3"])
        assert found["text"].endswith(f"s3:///{found['s3']}")
        assert len(json.dumps(found)) < 1000


def test_the_first_speaker_may_be_0(sandbox, auth):
    said = [(0, "Hi."), (None, "Hm."), ("B", "Hello.")]
    parts = [
        {"start": n, "end": n + 1, "text": text, "speaker_id": who}
        for n, (who, text) in enumerate(said)
    ]
    sandbox.answers["create_transcription"] = lambda _: {
        "text": "Hi. Hm. Hello.",
        "segments": [],
        "speaker_segments": parts,
        "duration": 3.0,
    }

    found = use(
        "transcribe_audio", auth, recording="https://example.com/a.mp3", speakers=True
    )

    assert found["text"] == "0: Hi.\nunknown: Hm.\nB: Hello."


def test_without_storage_nothing_is_spoken_and_a_picture_has_its_address(sandbox, auth):
    with pytest.raises(TogetherError, match="Nothing was sent"):
        use("make_speech", auth, text="Hello.")
    assert not [r for r in sandbox.requests if "speech" in r.path]

    made = {"url": "http://h/a.png", "finish_reason": "content_filter"}
    sandbox.answers["generate_image"] = lambda _: {"data": [made]}
    found = use("draw_picture", auth, prompt="A cat")
    assert found["url"] in found["text"]
    assert "expires" in found["note"]
    assert "A filter of the service changed" in found["note"]


def test_a_workspace_without_storage_is_told_in_words_for_a_model(
    sandbox, workspace, auth
):
    workspace.storage = False

    with pytest.raises(TogetherError, match="Nothing was sent") as caught:
        use("make_speech", auth, text="Hello.")
    assert not [r for r in sandbox.requests if "speech" in r.path]
    assert "ask the user to set up object storage" in str(caught.value)
    # The tool has no such argument.
    assert "output" not in str(vars(caught.value)) + str(caught.value)
    with pytest.raises(TogetherError, match="no object storage") as caught:
        use("read_document", auth, document="s3:///a.txt")
    assert "or give the file by its https:// address" in str(caught.value)
    assert "output" not in str(caught.value)


def test_data_is_extracted_by_fields_in_words(sandbox, auth):
    say(sandbox, '{"who": "Ann", "total": 12}')
    fields = [{"name": "who"}, "total (number): with tax"]

    found = use("extract_data", auth, fields=fields, text="Ann owes 12.", document="")

    assert found["data"] == {"who": "Ann", "total": 12}
    assert json.loads(found["text"]) == found["data"]
    schema = asked(sandbox)[0]["response_format"]["json_schema"]["schema"]
    total = {"type": ["number", "null"], "description": "with tax"}
    assert schema["properties"]["total"] == total


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"fields": ["a"]}, "text is required, or document"),
        ({"fields": ["a"], "text": "x", "document": "s3:///x"}, "give one of them"),
        ({"fields": ["a (money)"], "text": "x"}, "no kind 'money'"),
        ({"fields": [": what"], "text": "x"}, r"fields\[0\] has no name"),
    ],
)
def test_fields_that_cannot_be_meant_are_named(given, words, sandbox, auth):
    with pytest.raises(TogetherError, match=words):
        use("extract_data", auth, **given)
    assert not asked(sandbox)


def test_passages_are_found_with_their_sources(workspace, auth):
    workspace.put("a.txt", b"The bill is due in May.")
    workspace.put("b.txt", b"Nothing here.")
    documents = ["s3:///a.txt", {"s3": "b.txt"}]

    found = use("find_passages", auth, question="bill due", documents=documents)

    assert [one["source"] for one in found["passages"]] == ["a.txt"]
    assert found["text"] == "[a.txt, 0]\nThe bill is due in May."
    given = {"documents": [{"s3": "a.txt"}], "index": "words.index"}
    index = main_of(find("index_documents"))(auth, **given)
    again = use("find_passages", auth, question="bill due", index=index)
    assert again["text"] == found["text"]
    none = use("find_passages", auth, question="zebra", documents=documents)
    assert none["passages"] == []
    assert "in other words" in none["text"]
    with pytest.raises(TogetherError, match="documents is required, or index"):
        use("find_passages", auth, question="bill")


ROWS = [{"text": "Bonjour"}, {"text": "Hallo"}]


def batch(auth, rows, **more):
    own = {"model": model("chat"), "template": "Which language: {{text}}"}
    own |= {"rows": rows, "max_tokens": "20", "budget_usd": 1, **more}
    return use("start_batch", auth, **own)


def test_a_batch_is_started_once_and_fetched(lifecycles, sandbox, auth):
    begun = batch(auth, json.dumps(ROWS))
    again = batch(auth, ROWS)

    assert begun["batch_id"] == again["batch_id"]
    assert again["reattached"]
    waiting = use("fetch_batch", auth, batch_id=begun["batch_id"])
    assert "Call again later" in waiting["text"]
    assert waiting["status"]
    assert waiting["batch_id"] == begun["batch_id"]
    lifecycles.control({"advance": 1e6})
    found = use("fetch_batch", auth, batch_id=[begun["batch_id"]])
    rows = [json.loads(line) for line in found["text"].splitlines()]
    assert [bool(row["answer"]) for row in rows] == [True, True]
    assert found["done"] == 2
    assert found["batch_id"] == begun["batch_id"]


def test_rows_may_be_csv(lifecycles, sandbox, auth):
    assert batch(auth, "text\nBonjour\nHallo\n")["rows"] == 2


@pytest.mark.parametrize("missing", ["budget_usd", "max_tokens"])
def test_a_batch_without_a_bound_is_not_started(missing, lifecycles, sandbox, auth):
    for nothing in (None, "", [], 0):
        with pytest.raises(TogetherError, match=missing):
            batch(auth, ROWS, **{missing: nothing})
    assert not [r for r in sandbox.requests if r.method == "POST"]


def test_a_batch_that_may_cost_more_than_its_budget_is_not_started(
    lifecycles, sandbox, auth
):
    with pytest.raises(TogetherError, match=r"\(budget_usd\) is below"):
        batch(auth, ROWS, budget_usd=1e-9)
    assert not [r for r in sandbox.requests if r.method == "POST"]


def test_calls_are_priced(priced, sandbox):
    auth = priced("me/model", input=1, output=2)

    found = use(
        "price_call",
        auth,
        model="me/model",
        input_tokens="1000",
        output_tokens=500,
        times=1000,
        images=0,
    )

    assert found["usd"] == 2.0
    assert "1000 calls of me/model: at most 2.00" in found["text"]
    unknown = use("price_call", auth, model="none", images=1)
    assert unknown["usd"] is None
    assert unknown["note"] in unknown["text"]
    with pytest.raises(TogetherError, match=r"\(input_tokens\) is required"):
        use("price_call", auth, model="me/model")


@pytest.mark.parametrize(
    ("ready", "words"),
    [(1, " 1 replicas"), ("2", " 2 replicas"), (None, "an unknown number of replicas")],
)
def test_replicas_that_are_not_told_are_not_0(ready, words, sandbox, auth):
    deployed(sandbox, a=3)
    answer = sandbox.answers["list_project_endpoints"](None)
    answer["data"][0]["deployments"][0]["readyReplicas"] = ready
    sandbox.answers["list_project_endpoints"] = lambda _: answer

    assert words in main_of(find("agent/list_work"))(auth)["text"]


def test_models_are_found(sandbox, auth):
    found = use("find_model", auth, task="chat", most=1)

    assert found["models"]
    assert found["models"][0] in found["text"]
    assert "more are left out" in found["text"]
    none = use("find_model", auth, task="rerank", words="nobody")
    assert none["models"] == []
    assert "endpoints of one's own" in none["text"]


def test_a_catalogue_that_cannot_be_read_is_no_empty_one(sandbox, auth):
    sandbox.faults += [
        Fault(path, 401) for path in ("/v1/models", "/v2/supported-models")
    ]
    with pytest.raises(TogetherError, match="catalogue cannot be read"):
        use("find_model", auth, task="chat")


def good(**changes):
    seen = {"type": "string"}
    return {
        "type": "object",
        "properties": {"auth": {"type": "object"}, "a": seen, **changes},
        "required": ["auth"],
    }


@pytest.mark.parametrize(
    ("path", "schema", "words"),
    [
        ("f/togetherai/agent/ask_a_very_long_question", good(), "too long"),
        ("f/t/a", good(b={"type": "string", "description": "x" * 1500}), "more than"),
        ("f/t/a", good(b={"type": "object", "format": "dynselect-b"}), "b is no plain"),
        ("f/t/a", good(b={"type": "string", "format": "date"}), "b is no plain"),
        ("f/t/a", good(b={"type": "array", "items": {"type": "object"}}), "b is no"),
    ],
)
def test_what_is_no_good_tool_is_told(path, schema, words):
    assert any(words in fault for fault in tool_schema.agent_faults(path, schema))
    assert list(tool_schema.agent_faults("f/t/a", good())) == []


def test_names_are_as_windmill_builds_them():
    step = find("agent/look_at_picture")

    assert tool_schema.tool_name(f"f/togetherai/{step.id}") == (
        "s-f_togetherai_agent_look__at__picture"
    )
    hashed = tool_schema.tool_name("f/togetherai/fine_tuning/create_fine_tune")
    assert hashed.startswith("S-f_togetherai_fine__tun")
    assert len(hashed) == 40
    assert list(tool_schema.agent_faults(f"f/togetherai/{step.id}", form(step))) == []
