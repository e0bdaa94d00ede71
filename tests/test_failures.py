"""What is said of an exchange that failed, and how it is shown."""

import json
import re

import pytest

from scripts import failures
from scripts.client import TogetherError
from tests.wire import main_of
from tools.operations import find, operations
from tools.sandbox import Fault
from tools.worker import run


def refused(script, sandbox, auth, status):
    """The error of a script's least example that the service answers with a status."""
    # Whose key it is, is asked on the way to some operations.
    first = "" if script == "organization/get_identity" else "(?!/v3/whoami)"
    sandbox.faults.append(Fault(f"^{first}", status, times=99))
    with pytest.raises(TogetherError) as caught:
        main_of(find(script))(auth, **find(script).schema["examples"][0])
    return caught.value


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("batches/get_batch", "batches/list_batches shows"),
        ("files/download_file", "files/list_files shows"),
        ("endpoints/get_rollout", "endpoints/list_rollouts shows"),
        ("endpoints/list_rollouts", "endpoints/list_project_endpoints shows"),
        ("chat/create_chat_completion", "models/list_models shows"),
        ("chat/ask_model", "models/list_models shows"),
        ("chat/map_rows", "models/list_models shows"),
        ("fine_tuning/create_fine_tune", "models/list_models shows"),
        ("batches/create_batch", "Check the ids in the request"),
        ("organization/get_identity", "Check auth.base_url"),
        ("models/list_models", "Check auth.base_url"),
    ],
)
def test_a_404_names_the_list_of_its_own_kind(script, words, sandbox, auth):
    error = refused(script, sandbox, auth, 404)

    assert words in error.advice
    assert error.status == 404


WITH_IDS = [o for o in operations() if "{" in o.exchange["path"]]


@pytest.mark.parametrize("operation", WITH_IDS, ids=lambda o: o.id)
def test_every_path_with_an_id_finds_its_nearest_list(operation):
    path = operation.exchange["path"]
    lists = {
        o.exchange["path"]: o.id for o in operations() if o.exchange["method"] == "GET"
    }
    above = [path[: m.start()] for m in re.finditer("/{", path)]
    nearest = next((lists[p] for p in reversed(above) if p in lists), None)

    request = Request({"path": path, "retry": "read"})

    advice = failures._advice(request, 404)
    assert (nearest or "Check the id.") in advice


class Request:
    """What advice looks at."""

    body = None

    def __init__(self, operation):
        self.operation = operation


@pytest.mark.parametrize(
    ("script", "words", "not_words"),
    [
        ("files/list_files", "organization/check_connection", "Shorten"),
        ("chat/create_chat_completion", "Shorten the input", "\n"),
    ],
)
def test_a_403_speaks_of_the_input_only_where_there_is_some(
    script, words, not_words, sandbox, auth
):
    error = refused(script, sandbox, auth, 403)

    assert words in error.advice
    assert not_words not in error.advice


def test_the_path_is_the_one_that_was_asked(sandbox, auth):
    sandbox.faults.append(Fault(".*", 404))

    with pytest.raises(TogetherError, match="GET /v1/batches/b%2F1") as caught:
        main_of(find("batches/get_batch"))(auth, batch_id="b/1")

    assert caught.value.path == "/v1/batches/b%2F1"


def test_a_name_that_does_not_resolve_is_told():
    auth = {"api_key": "tgp_key_of_a_test", "base_url": "http://nowhere.invalid"}

    with pytest.raises(TogetherError, match=r"nowhere\.invalid cannot be resolved"):
        main_of(find("batches/create_batch"))(
            auth, **find("batches/create_batch").schema["examples"][0]
        )


def test_a_key_of_a_letter_masks_no_words(sandbox):
    sandbox.faults.append(Fault(".*", 404))

    with pytest.raises(TogetherError, match="shows what exists"):
        main_of(find("batches/get_batch"))(
            {"api_key": "x", "base_url": sandbox.url}, batch_id="b"
        )


@pytest.mark.parametrize(
    "script",
    [
        "batches/get_batch",
        "chat/create_chat_completion",
        "files/download_file",
        "files/upload_file",
        "chat/ask_model",
        "chat/map_rows",
        "batches/submit_rows",
        "audio/speak_text",
    ],
)
def test_the_stack_is_the_script_and_one_frame_of_ours(script, sandbox, auth):
    sandbox.faults.append(Fault(".*", 401, times=99))
    example = find(script).schema["examples"][0]

    job = run(script, {"auth": auth, **example})

    frames = re.findall(r'File "(.+?)"', job.result["error"]["stack"])
    assert job.result["error"]["name"] == "TogetherError", json.dumps(job.result)
    assert [name.endswith(f"{script}.py") for name in frames] == [True, False]
