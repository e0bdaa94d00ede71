"""A person's whole way with mouse and keyboard: from the form to the request that goes
out. Needs Node and Chromium."""

import pytest

from tests.wire import main_of
from tools.browser import Browser
from tools.operations import find

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser():
    with Browser() as started:
        yield started


def request(browser, sandbox, auth, operation, *steps):
    """The JSON of the request that a form so filled in makes."""
    script = find(operation)
    browser.show(script)
    sent = browser.act(*steps)["args"]
    main_of(script)(**{**sent, "auth": auth})
    posted = [seen for seen in sandbox.requests if seen.method == "POST"]
    assert len(posted) == 1
    return posted[0].json


def test_a_question_is_asked(browser, sandbox, auth):
    found = request(
        browser,
        sandbox,
        auth,
        "chat/create_chat_completion",
        (["Request", "Model"], "openai/gpt-oss-20b"),
        (["Request", "Messages", 0, "Text"], "Why is the sky blue?"),
        (["Request", "Messages"], None),
        (["Request", "Messages", 1, "Role"], "System message"),
        (["Request", "Messages", 1, "Text"], "Be brief."),
        (["Request", "Max Tokens"], 50),
    )

    assert found == {
        "model": "openai/gpt-oss-20b",
        "messages": [
            {"role": "user", "content": "Why is the sky blue?"},
            {"role": "system", "content": "Be brief."},
        ],
        "max_tokens": 50,
    }


def test_several_texts_are_embedded(browser, sandbox, auth):
    found = request(
        browser,
        sandbox,
        auth,
        "embeddings/create_embeddings",
        (["Request", "Model"], "my/model"),
        (["Request", "Input"], "List of texts"),
        (["Request", "Input", "List Of Texts"], None),
        (["Request", "Input", "List Of Texts"], None),
        (["Request", "Input", "List Of Texts", 0, "Text"], "one"),
        (["Request", "Input", "List Of Texts", 1, "Text"], "two"),
    )

    assert found == {"model": "my/model", "input": ["one", "two"]}


def test_a_picture_is_made(browser, sandbox, auth):
    found = request(
        browser,
        sandbox,
        auth,
        "images/generate_image",
        (["Request", "Model"], "my/painter"),
        (["Request", "Prompt"], "A fox"),
    )

    assert {"model": "my/painter", "prompt": "A fox"} == found


def test_a_batch_is_created(browser, sandbox, auth):
    found = request(
        browser,
        sandbox,
        auth,
        "batches/create_batch",
        (["Request", "Input File ID"], "file-1"),
    )

    assert found["input_file_id"] == "file-1"
    assert found.keys() <= {"input_file_id", "endpoint"}


def test_documents_are_reranked(browser, sandbox, auth):
    found = request(
        browser,
        sandbox,
        auth,
        "rerank/rerank_documents",
        (["Request", "Query"], "What is a fox?"),
        (["Request", "Documents"], "Texts"),
        (["Request", "Documents", "Texts"], None),
        (["Request", "Documents", "Texts", 0, "Text"], "An animal."),
        (["Request", "Top N"], 1),
    )

    assert found == {
        "model": "Salesforce/Llama-Rank-v1",
        "query": "What is a fox?",
        "documents": ["An animal."],
        "top_n": 1,
    }


def test_a_dropped_file_is_uploaded(browser, sandbox, auth):
    script = find("files/upload_file")
    browser.show(script)
    dropped = {"name": "train.jsonl", "content": "eyJ0ZXh0IjogImhpIn0K"}

    sent = browser.act(
        (["Form", "File Name"], "train.jsonl"),
        (["Form", "File", "File"], dropped),
    )["args"]
    main_of(script)(**{**sent, "auth": auth})

    (stored,) = sandbox.files.values()
    assert stored[1] == b'{"text": "hi"}\n'
    assert stored[0]["filename"] == "train.jsonl"
