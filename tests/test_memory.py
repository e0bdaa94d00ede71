"""What is read from outside takes no more memory than its bound lets it."""

import contextlib
import gzip
import io
import random
import zipfile

import pytest

from tests.conftest import KEY
from tests.support.byte_server import ByteServer, Thing
from tests.support.killable_worker import JobError

pytestmark = pytest.mark.slow
MIB = 1 << 20
ANSWER = 64  # MiB of an answer that is read at all
CHAT = "/v1/chat/completions"


@pytest.fixture(scope="module")
def server():
    with ByteServer() as server:
        yield server


@pytest.fixture(scope="module")
def idle(worker):
    """MiB of a step that has next to nothing to do."""
    call = {"auth": {"api_key": KEY}, "documents": [{"text": "a"}]}
    worker.run("embeddings.split_documents", call, {})
    return worker.peak / 1024


def answer(text):
    return b'{"choices": [], "x": ' + text.encode() + b"}"


BODIES = {
    "a text": lambda: answer('"' + "a" * (60 * MIB) + '"'),
    "lists": lambda: answer("[" + "[]," * (20 * MIB) + "[]]"),
    "objects": lambda: answer("[" + "{}," * (20 * MIB) + "[]]"),
    "members": lambda: answer("[" + '{"a":1},' * (7 * MIB) + "[]]"),
    "numbers": lambda: answer("[" + "1.5," * (15 * MIB) + "1]"),
    "fewer numbers": lambda: answer("[" + "1.5," * (3 * MIB) + "1]"),
    "short texts": lambda: answer("[" + '"a",' * (15 * MIB) + "1]"),
    "commas": lambda: answer("," * (60 * MIB)),
    "brackets": lambda: answer("[" * (60 * MIB)),
    "too much": lambda: answer('"' + "a" * (200 * MIB) + '"'),
    "no JSON": lambda: b"a" * (200 * MIB),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("name", BODIES)
def test_an_answer_takes_thrice_its_bound_at_most(
    name, status, packed, server, worker, idle
):
    content = BODIES[name]()
    headers = {"content-type": "application/json"}
    if packed:
        content = gzip.compress(content, 1)
        headers["content-encoding"] = "gzip"
    server.things[CHAT] = Thing(content, headers, status)
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    auth = {"api_key": KEY, "base_url": server.url}
    try:
        worker.run("chat.create_chat_completion", {"auth": auth, "body": body}, {})
    except JobError:
        pass  # the error that most of them are

    assert worker.peak / 1024 - idle < 3 * ANSWER + 32


def spoken(text):
    message = b'{"role": "assistant", "content": "' + text + b'"}'
    return b'{"id": "c", "choices": [{"index": 0, "message": ' + message + b"}]}"


SPOKEN = {
    "letters": lambda: b"a" * (60 * MIB),
    "chinese": lambda: "\u732b".encode() * (20 * MIB),
    "one sign among letters": lambda: b"a" * (56 * MIB) + "\u732b".encode(),
    "one pair among letters": lambda: b"a" * (40 * MIB) + b"\\ud83d\\ude00",
    "one wide sign among letters": lambda: b"a" * (40 * MIB) + "\U0001f600".encode(),
    "as wide as is read": lambda: b"a" * (19 * MIB) + "\U0001f600".encode(),
}
STEPS = {
    "chat.ask_model": {"prompt": "hi"},
    "chat.map_rows": {"rows": [{"text": "hi"}], "template": "{{text}}", "keep": False},
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("name", SPOKEN)
def test_a_text_of_any_signs_takes_thrice_its_bound_at_most(
    name, step, server, worker, idle
):
    server.things[CHAT] = Thing(
        spoken(SPOKEN[name]()), {"content-type": "application/json"}, 200
    )
    auth = {"api_key": KEY, "base_url": server.url}
    call = {"auth": auth, "model": "m", **STEPS[step]}
    refused = pytest.raises(JobError, match="200 OK")
    with refused if "one" in name else contextlib.nullcontext():
        worker.run(step, call, {})

    assert worker.peak / 1024 - idle < 3 * ANSWER + 32


VECTORS = {
    "/v1/embeddings": (
        "embeddings.embed_rows",
        {"rows": [{"text": "hi"}], "column": "text"},
        lambda: b'{"data": [{"index": 0, "embedding": [' + b"0.123456789," * (5 * MIB),
    ),
    "/v1/rerank": (
        "rerank.search_documents",
        {"query": "hi", "documents": ["hi"]},
        lambda: b'{"results": [' + b'{"index": 0, "relevance_score": 0.5},' * MIB,
    ),
}


@pytest.mark.parametrize("path", VECTORS)
def test_numbers_without_end_take_thrice_the_bound_at_most(path, server, worker, idle):
    step, given, content = VECTORS[path]
    server.things[path] = Thing(content(), {"content-type": "application/json"}, 200)
    auth = {"api_key": KEY, "base_url": server.url}
    with pytest.raises(JobError):
        worker.run(step, {"auth": auth, "model": "m", **given}, {})

    assert worker.peak / 1024 - idle < 3 * ANSWER + 32


def archive(name, text, how=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", how) as file:
        file.writestr(name, text)
    return buffer.getvalue()


def word(inner):
    body = f'<w:document xmlns:w="urn:w"><w:body>{inner}</w:body></w:document>'
    return archive("word/document.xml", body)


def noise(count):
    return bytes(random.Random(1).choices(range(256), k=count))


TWO = 2 * MIB
DOCUMENTS = {
    "a letter": ("a.txt", lambda: b"a" * TWO),
    "blanks": ("a.txt", lambda: b" " * TWO),
    "lines": ("a.txt", lambda: b"\n" * TWO),
    "stops": ("a.txt", lambda: b". " * MIB),
    "chinese": ("a.txt", lambda: "\u3002".encode() * (TWO // 3)),
    "noise": ("a.txt", lambda: noise(TWO)),
    "utf-16": ("a.txt", lambda: ("a\n" * (MIB // 2)).encode("utf-16")),
    "tags": ("a.html", lambda: b"<html>" + b"<" * TWO),
    "comments": ("a.html", lambda: b"<html>" + b"<!--" * (TWO // 4)),
    "scripts": ("a.html", lambda: b"<html>" + b"<script>" * (TWO // 8)),
    "paragraphs": ("a.html", lambda: b"<html>" + b"<p>a" * (TWO // 4)),
    "references": ("a.html", lambda: b"<html>" + b"&amp;" * (TWO // 5)),
    "a bomb": ("a.docx", lambda: word("<w:p/>" * (90 * MIB // 6))),
    "paragraphs of Word": (
        "a.docx",
        lambda: word("<w:p><w:r><w:t>a</w:t></w:r></w:p>" * 300_000),
    ),
    "text of Word": (
        "a.docx",
        lambda: word(f"<w:p><w:r><w:t>{'a ' * TWO}</w:t></w:r></w:p>"),
    ),
    "brackets": ("a.docx", lambda: word("<" * (40 * MIB))),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_takes_200_mib_at_most(name, workspace, worker, idle):
    filename, make = DOCUMENTS[name]
    content = make()
    assert len(content) <= TWO + 9
    workspace.put(f"in/{filename}", content)
    call = {"auth": {"api_key": KEY}, "documents": [{"s3": f"in/{filename}"}]}
    try:
        worker.run("embeddings.split_documents", call, workspace.environment)
    except JobError:
        pass  # a refusal

    assert worker.peak / 1024 < 200
