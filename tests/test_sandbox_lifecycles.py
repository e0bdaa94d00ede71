"""What the sandbox's things live through, driven by the pack's own scripts."""

import json
import urllib.request

import pytest

from scripts.client import TogetherError
from tests.support.expected_request import main_of
from tools.operations import find, operations
from tools.sandbox.lifecycles import KINDS

CHAT = {"messages": [{"role": "user", "content": "Hi"}], "model": "m"}


def run(name, auth, **arguments):
    return main_of(find(name))(auth, **arguments)


def creator(kind):
    """The operation that creates a thing of the kind, and its least arguments."""
    name = next(n for n, m in kind.operations.items() if m in ("create", "once"))
    return name, find(name).schema["examples"][0]


def look(kind, lifecycles, auth):
    """The only thing of the kind, as its operation `get` shows it."""
    (life,) = lifecycles[kind.name].lives.values()
    creating = next(n for n, m in kind.operations.items() if m in ("create", "once"))
    ends = creating.removeprefix("create")
    getting = [n for n, m in kind.operations.items() if m == "get"]
    name = next((n for n in getting if n.endswith(ends)), getting[0])
    operation = find(name)
    own = {key: life.given[key] for key in operation.required if key in life.given}
    if "model" in operation.required:
        own["model"] = life.given["body"]["model"]
    return run(name, auth, **own, **{kind.id_argument: life.id})


def texts(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value]


EACH = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def test_every_answer_of_a_life_is_an_operation_s():
    known = {operation.name for operation in operations()}

    named = [name for kind in KINDS for name in kind.operations]

    assert set(named) <= known
    assert len(set(named)) == len(named)


@pytest.mark.parametrize(
    "kind", [k for k in KINDS if len(dict(k.course)) > 1], ids=lambda kind: kind.name
)
def test_a_thing_passes_through_its_states(kind, lifecycles, auth):
    name, arguments = creator(kind)
    run(name, auth, **arguments)

    seen = []
    for state, seconds in kind.course:
        seen += [state] if state in texts(look(kind, lifecycles, auth)) else []
        lifecycles.advance(seconds)

    assert [state for state, _ in kind.course] == seen


@EACH
def test_an_answer_has_only_members_that_the_api_has(kind, lifecycles, auth):
    name, arguments = creator(kind)
    created = run(name, auth, **arguments)
    lifecycles.advance(10**6)
    shown = look(kind, lifecycles, auth)

    replies = [find(n).schema.get("x-reply") for n in kind.operations]
    entries = [reply["data"] for reply in replies if "data" in keys(reply)]
    known = set().union(*map(keys, replies + entries))
    assert keys(created) | keys(shown) - {"error"} <= known


def keys(value):
    if isinstance(value, list):
        return set().union(*map(keys, value))
    return set(value) if isinstance(value, dict) else set()


@pytest.mark.parametrize(
    "kind", [k for k in KINDS if k.failed], ids=lambda kind: kind.name
)
def test_a_thing_fails_on_demand_with_its_reason(kind, lifecycles, auth):
    lifecycles.fail_next(kind.name, "the cat sat on it")
    name, arguments = creator(kind)
    run(name, auth, **arguments)
    lifecycles.advance(10**6)

    shown = texts(look(kind, lifecycles, auth))

    assert kind.failed in shown
    if kind.name != "endpoint":  # /v1/endpoints has no member for it
        assert any("the cat sat on it" in str(text) for text in shown)


@pytest.mark.parametrize(
    "kind",
    [k for k in KINDS if "cancel" in k.operations.values()],
    ids=lambda k: k.name,
)
def test_a_cancelled_thing_ends_and_cannot_be_cancelled_again(kind, lifecycles, auth):
    name, arguments = creator(kind)
    run(name, auth, **arguments)
    (life,) = lifecycles[kind.name].lives.values()
    cancel = next(n for n, m in kind.operations.items() if m == "cancel")
    own = {kind.id_argument: life.id}
    if "body" in find(cancel).required:
        own = {"body": {**own, "model": arguments["body"]["model"]}}
    run(cancel, auth, **own)
    lifecycles.advance(3600)

    assert kind.cancelled[-1][0] in texts(look(kind, lifecycles, auth))
    with pytest.raises(TogetherError):
        run(cancel, auth, **own)


@pytest.mark.parametrize(
    "kind",
    [k for k in KINDS if "entries" in k.operations.values()],
    ids=lambda k: k.name,
)
def test_what_was_created_is_found_in_its_list(kind, lifecycles, auth):
    name, arguments = creator(kind)
    run(name, auth, **arguments)
    (life,) = lifecycles[kind.name].lives.values()
    listing = next(n for n, m in kind.operations.items() if m == "entries")
    own = {k: arguments[k] for k in find(listing).required}

    assert life.id in texts(run(listing, auth, **own))


@EACH
def test_an_unknown_one_is_404_once_there_is_another(kind, lifecycles, auth):
    name, arguments = creator(kind)
    run(name, auth, **arguments)
    (life,) = lifecycles[kind.name].lives.values()
    life.id = "other"

    with pytest.raises(TogetherError) as caught:
        look(kind, lifecycles, auth)
    assert caught.value.status == 404


@EACH
def test_the_id_of_an_example_is_known_beside_those_that_live(kind, lifecycles, auth):
    name, arguments = creator(kind)
    run(name, auth, **arguments)
    getting = [find(n) for n, m in kind.operations.items() if m == "get"]
    example = {o.name: o.schema["examples"][0] for o in getting}

    for operation in getting:
        found = run(operation.name, auth, **example[operation.name])
        assert operation.schema["x-reply"].keys() <= found.keys()


def test_a_file_of_an_example_is_known_beside_those_that_were_stored(lifecycles, auth):
    example = find("get_file").schema["examples"][0]
    stored = lifecycles.kinds["batch"].sandbox.store_file("a.jsonl", b"{}", "batch-api")

    assert run("get_file", auth, **example)["id"] != stored["id"]
    body = find("create_batch").schema["examples"][0]["body"]
    assert run("create_batch", auth, body=body)["job"]["input_file_id"]
    body = {**body, "input_file_id": "file-of-nobody"}
    with pytest.raises(TogetherError, match="file-of-nobody not found"):
        run("create_batch", auth, body=body)


# --- batches -----------------------------------------------------------------------


def batch(sandbox, auth, lines, **more):
    text = "".join(json.dumps(line) + "\n" for line in lines)
    file = sandbox.store_file("in.jsonl", text.encode(), "batch-api")
    body = {"endpoint": "/v1/chat/completions", "input_file_id": file["id"], **more}
    return run("create_batch", auth, body=body)["job"]["id"]


def rows(sandbox, file_id):
    return [json.loads(line) for line in sandbox.files[file_id][1].splitlines()]


def test_a_batch_answers_each_line_as_the_chat_operation_would(
    sandbox, lifecycles, auth
):
    sandbox.answers["create_chat_completion"] = lambda arguments: {
        "said": arguments["body"]["messages"][0]["content"].upper()
    }
    lines = [
        {"custom_id": "a", "body": CHAT},
        {"custom_id": "b", "body": {"model": "m"}},
        {
            "custom_id": "c",
            "body": {**CHAT, "messages": [{"role": "user", "content": "yo"}]},
        },
    ]
    made = batch(sandbox, auth, lines)
    lifecycles.advance(60 + 600)

    assert run("get_batch", auth, batch_id=made)["progress"] == 50

    lifecycles.advance(600)
    done = run("get_batch", auth, batch_id=made)
    out = {r["custom_id"]: r["response"] for r in rows(sandbox, done["output_file_id"])}
    assert out == {
        "a": {"status_code": 200, "body": {"said": "HI"}},
        "c": {"status_code": 200, "body": {"said": "YO"}},
    }
    (error,) = rows(sandbox, done["error_file_id"])
    assert error["custom_id"] == "b"
    assert "messages" in error["error"]["message"]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([{"custom_id": "a", "body": CHAT}, {"body": CHAT}], "line 2 "),
        ([{"custom_id": "a", "body": CHAT}] * 2, "twice"),
        ([{"custom_id": "a" * 65, "body": CHAT}], "64"),
        ([{"custom_id": "a", "body": []}], "object"),
    ],
)
def test_a_batch_of_an_unfit_file_fails_when_it_is_read(
    lines, words, sandbox, lifecycles, auth
):
    made = batch(sandbox, auth, lines)
    lifecycles.advance(61)

    found = run("get_batch", auth, batch_id=made)

    assert found["status"] == "FAILED"
    assert words in found["error"]


def test_a_batch_that_is_too_slow_expires_with_what_was_done(sandbox, lifecycles, auth):
    lines = [{"custom_id": str(n), "body": CHAT} for n in range(10)]
    lifecycles["batch"].plan["IN_PROGRESS"] = 2 * 3600
    made = batch(sandbox, auth, lines, completion_window="1h")
    lifecycles.advance(3 * 3600)

    found = run("get_batch", auth, batch_id=made)

    assert found["status"] == "EXPIRED"
    assert len(rows(sandbox, found["output_file_id"])) == 4
    assert len(rows(sandbox, found["error_file_id"])) == 6


# --- the rest ----------------------------------------------------------------------


def test_three_days_of_fine_tuning_pass_in_no_time(sandbox, lifecycles, auth):
    lifecycles["fine-tune"].plan["running"] = 3 * 86400
    file = sandbox.store_file("t.jsonl", b'{"text": "x"}\n' * 640, "fine-tune")["id"]
    body = {"training_file": file, "model": "meta/base", "suffix": "mine"}
    body |= {"validation_file": file, "n_epochs": 2, "n_checkpoints": 2, "n_evals": 4}
    made = run("create_fine_tune", auth, body=body)["id"]
    lifecycles.advance(360 + 1.5 * 86400)

    half = run("get_fine_tune", auth, fine_tune_id=made)
    assert (half["status"], half["epochs_completed"]) == ("running", 1)
    kinds = [e["type"] for e in half["events"]]
    assert kinds == ["job_pending", "training_start", "checkpoint_save"]
    metrics = run("list_fine_tune_metrics", auth, fine_tune_id=made)["metrics"]
    losses = [row["train/loss"] for row in metrics]
    assert len(losses) == 40
    assert losses == sorted(losses, reverse=True)
    assert sum("eval/loss" in row for row in metrics) == 2

    lifecycles.advance(2 * 86400)
    done = run("get_fine_tune", auth, fine_tune_id=made)
    assert done["status"] == "completed"
    assert done["model_output_name"].startswith("sandbox/base-mine-")
    saved = run("list_fine_tune_checkpoints", auth, fine_tune_id=made)["data"]
    assert [c["step"] for c in saved] == [40, 80]


@pytest.mark.parametrize("type", ["classify", "score", "compare"])
def test_an_evaluation_judges_each_row(type, sandbox, lifecycles, auth):
    file = sandbox.store_file("e.jsonl", b'{"answer": "x"}\n' * 12, "eval")["id"]
    judge = {"model": "m", "system_template": "t", "model_source": "serverless"}
    given = {
        "classify": {"labels": ["good", "bad"], "pass_labels": ["good"]},
        "score": {"min_score": 0, "max_score": 10, "pass_threshold": 5},
        "compare": {},
    }[type]
    parameters = {"judge": judge, "input_data_file_path": file, **given}
    body = {"type": type, "parameters": parameters}
    made = run("create_evaluation", auth, body=body)["workflow_id"]
    lifecycles.advance(3600)

    found = run("get_evaluation_status", auth, evaluation_id=made)

    results = found["results"]
    assert len(rows(sandbox, results["result_file_id"])) == 12
    percent = results.get("aggregated_scores", results).get("pass_percentage")
    assert {"classify": 50, "score": 50, "compare": None}[type] == percent
    assert (type == "compare") == (results.get("A_wins") == 4)


def test_an_endpoint_stops_and_starts_again(lifecycles, auth):
    _, arguments = creator(next(k for k in KINDS if k.name == "endpoint"))
    made = run("create_endpoint", auth, **arguments)["id"]
    lifecycles.advance(400)
    states = [lifecycles.state(made)]
    for wanted in ("STOPPED", "STARTED"):
        shown = run("update_endpoint", auth, endpoint_id=made, body={"state": wanted})
        states.append(shown["state"])
        lifecycles.advance(400)
        states.append(lifecycles.state(made))

    assert states == ["STARTED", "STOPPING", "STOPPED", "PENDING", "STARTED"]
    run("delete_endpoint", auth, endpoint_id=made)
    assert not lifecycles["endpoint"].lives


def test_a_deployment_stops_without_replicas_and_knows_a_stale_etag(lifecycles, auth):
    endpoint = run("create_project_endpoint", auth, body={"name": "e"})["id"]
    body = {"name": "blue", "autoscaling": {"minReplicas": 1, "maxReplicas": 1}}
    body["model"] = "projects/p/models/m"
    made = run("create_endpoint_deployment", auth, endpoint_id=endpoint, body=body)
    place = {"endpoint_id": endpoint, "deployment_id": made["id"]}
    lifecycles.advance(400)
    shown = run("get_project_endpoint", auth, endpoint_id=endpoint)
    assert shown["deployments"][0]["state"] == "DEPLOYMENT_STATE_READY"

    none = {"autoscaling": {"minReplicas": 0, "maxReplicas": 0}, "etag": made["etag"]}
    run("update_endpoint_deployment", auth, **place, body=none)
    lifecycles.advance(400)
    assert lifecycles.state(made["id"]) == "DEPLOYMENT_STATE_STOPPED"

    with pytest.raises(TogetherError) as caught:
        run("update_endpoint_deployment", auth, **place, body=none)
    assert caught.value.status == 409


def test_a_deployment_without_numbers_of_replicas_is_stopped(lifecycles, auth):
    body = {"name": "blue", "autoscaling": {}}

    made = run("create_endpoint_deployment", auth, endpoint_id="ep_1", body=body)

    assert made["status"]["state"] == "DEPLOYMENT_STATE_STOPPED"
    assert made["status"]["scheduledReplicas"] == 0


def test_a_fine_tune_without_an_epoch_is_refused(lifecycles, auth):
    body = {"training_file": "file-1", "model": "m", "n_epochs": 0}

    with pytest.raises(TogetherError, match="n_epochs must be 1 or more") as caught:
        run("create_fine_tune", auth, body=body)

    assert caught.value.status == 400


def test_a_training_operation_is_made_once_for_a_key(lifecycles, auth):
    given = find("create_sample").schema["examples"][0]
    first = run("create_sample", auth, **given, idempotency_key="k1")
    again = run("create_sample", auth, **given, idempotency_key="k1")

    assert first == again
    with pytest.raises(TogetherError):
        run("create_sample", auth, **{**given, "session_id": "s"}, idempotency_key="k1")


def test_a_finished_video_is_fetched_without_a_key(sandbox, lifecycles, auth):
    body = {"model": "m", "prompt": "p"}
    made = run("create_video", auth, body=body)["id"]
    lifecycles.advance(200)
    outputs = run("get_video", auth, video_id=made)["outputs"]

    with urllib.request.urlopen(outputs["video_url"]) as answer:
        assert answer.read(12)[4:] == b"ftypisom"
        assert answer.headers["content-type"] == "video/mp4"


def test_time_is_moved_and_things_fail_over_http(sandbox, lifecycles, auth):
    def control(**orders):
        request = urllib.request.Request(
            f"{sandbox.url}/sandbox/lifecycles", json.dumps(orders).encode()
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["now"]

    start = control(fail_next={"kind": "video", "reason": "no"})
    made = run("create_video", auth, body={"model": "m", "prompt": "p"})["id"]
    assert control(advance=100) - start == 100
    assert lifecycles.state(made) == "failed"

    control(advance_per_poll=50)
    other = run("create_video", auth, body={"model": "m", "prompt": "p"})["id"]
    shown = [run("get_video", auth, video_id=other)["status"] for _ in range(3)]
    assert shown == ["in_progress", "in_progress", "completed"]
    control(fail={"id": other, "reason": "late", "state": "cancelled"})
    assert lifecycles.state(other) == "cancelled"
