"""The same request as the official SDK's, for every operation that both know.

Both send the schema's examples to one recording server.
"""

import contextlib
import inspect
import re

import pytest
import together

from tests.conftest import KEY
from tests.wire import main_of
from tools.operations import operations
from tools.sandbox import Sandbox

# Header members that differ on purpose.
OURS = {
    "user-agent": "names this pack, not the SDK",
    "accept-encoding": "only what urllib3 decodes without another package",
    "x-stainless-*": "the SDK's own telemetry",
    "connection": "kept alive by both; only the SDK says so",
}
# operation: (the SDK's method, our argument: its name there, where they differ).
CALLS = {
    "chat/create_chat_completion": ("chat.completions.create", {}),
    "completions/create_completion": ("completions.create", {}),
    "embeddings/create_embeddings": ("embeddings.create", {}),
    "rerank/rerank_documents": ("rerank.create", {}),
    "images/generate_image": ("images.generate", {}),
    "audio/create_speech": ("audio.speech.create", {}),
    "batches/create_batch": ("batches.create", {}),
    "batches/get_batch": ("batches.retrieve", {"batch_id": "id"}),
    "batches/list_batches": ("batches.list", {}),
    "batches/cancel_batch": ("batches.cancel", {"batch_id": "id"}),
    "files/list_files": ("files.list", {}),
    "files/get_file": ("files.retrieve", {"file_id": "id"}),
    "files/download_file": ("files.content", {"file_id": "id"}),
    "files/delete_file": ("files.delete", {"file_id": "id"}),
    "videos/create_video": ("videos.create", {}),
    "videos/get_video": ("videos.retrieve", {"video_id": "id"}),
    "fine_tuning/list_fine_tunes": ("fine_tuning.list", {}),
    "fine_tuning/get_fine_tune": ("fine_tuning.retrieve", {"fine_tune_id": "id"}),
    "fine_tuning/cancel_fine_tune": ("fine_tuning.cancel", {"fine_tune_id": "id"}),
    "fine_tuning/list_fine_tune_events": (
        "fine_tuning.list_events",
        {"fine_tune_id": "id"},
    ),
    "fine_tuning/list_fine_tune_metrics": (
        "fine_tuning.list_metrics",
        {"fine_tune_id": "id"},
    ),
    "fine_tuning/list_fine_tune_checkpoints": (
        "fine_tuning.list_checkpoints",
        {"fine_tune_id": "id"},
    ),
    "evaluations/list_evaluations": ("evals.list", {}),
    "evaluations/get_evaluation": ("evals.retrieve", {"evaluation_id": "id"}),
    "evaluations/create_evaluation": ("evals.create", {}),
    "queue/submit_queue_job": ("beta.jig.queue.submit", {}),
    "endpoints/update_project_endpoint": ("endpoints.update", {"endpoint_id": "id"}),
    "endpoints/list_project_endpoints": ("endpoints.list", {}),
    "rl/create_optim_step": (
        "post_training.operations.optim_step",
        {"idempotency_key": "idempotency_key"},
    ),
}
BY_ID = {operation.id: operation for operation in operations()}


@pytest.fixture(scope="module")
def recorder():
    with Sandbox(judge=False) as server:
        yield server


def snake(name):
    return re.sub(r"(?<!^)([A-Z])", lambda m: "_" + m[1].lower(), name)


def sdk_arguments(method, arguments, names):
    """Our arguments under the SDK's names: members of the body at the top."""
    flat = {**arguments.get("body", {})}
    flat |= {k: v for k, v in arguments.items() if k != "body"}
    known = inspect.signature(method).parameters
    given, extra = {}, {}
    for name, value in flat.items():
        own = names.get(name, name)
        own = own if own in known else snake(own)
        if own in known:
            given[own] = value
        elif name in arguments.get("body", {}):
            extra[name] = value
        else:
            pytest.fail(f"the SDK has no argument for {name}")
    if extra:
        given["extra_body"] = extra
    return given


def find_method(client, path):
    for part in path.split("."):
        client = getattr(client, part)
    return client


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("name", CALLS)
def test_the_wire_is_the_sdk_s(name, number, recorder):
    operation = BY_ID[name]
    path, names = CALLS[name]
    arguments = dict(operation.schema["examples"][number])
    for argument in operation.arguments:
        if argument == "project_id":
            arguments[argument] = "proj-1"
        if argument == "idempotency_key":
            arguments[argument] = "key-1"
    sdk = together.Together(api_key=KEY, base_url=recorder.url, max_retries=0)
    method = find_method(sdk, path)

    main_of(operation)({"api_key": KEY, "base_url": recorder.url}, **arguments)
    ours = recorder.requests[-1]
    # The answer may be no model of the SDK's: only its request counts.
    with contextlib.suppress(together.TogetherError, ValueError, TypeError):
        method(**sdk_arguments(method, arguments, names))
    theirs = recorder.requests[-1]
    assert theirs is not ours

    assert (theirs.method, theirs.path) == (ours.method, ours.path)
    assert sorted(theirs.query.split("&")) == sorted(ours.query.split("&"))
    empty = (None, {})
    assert theirs.json == ours.json or (theirs.json in empty and ours.json in empty)
    for header in ("authorization", "idempotency-key"):
        assert theirs.headers.get(header) == ours.headers.get(header)
    if ours.json:
        assert theirs.headers["content-type"] == ours.headers["content-type"]
    assert theirs.headers["accept"] == ours.headers["accept"]
    unexplained = {
        header
        for header in theirs.headers.keys() ^ ours.headers.keys()
        if header not in OURS and not header.startswith("x-stainless")
    }
    assert unexplained <= {"content-length", "content-type"}
