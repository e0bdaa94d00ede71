"""What stands before the sandbox's API: its log, start page and faults by chance."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from scripts.client import TogetherError
from tests.conftest import KEY
from tests.support.expected_request import main_of
from tools.operations import ROOT, find
from tools.sandbox import Chances, Sandbox

CHAT = find("chat/create_chat_completion")
LIST = find("files/list_files")


@pytest.fixture
def told():
    return []


def served(told, *faults, seconds=0.01):
    chances = Chances(faults, seed=1, seconds=seconds)
    return Sandbox(pace=0, lifecycles=False, chances=chances, tell=told.append)


def auth_of(server):
    return {"api_key": KEY, "base_url": server.url}


def test_each_request_is_a_line_without_the_key(told):
    with served(told) as server:
        main_of(CHAT)(auth_of(server), **CHAT.schema["examples"][0])
        urllib.request.urlopen(f"{server.url}/?api_key={KEY}").close()
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{server.url}/v1/files/%0aGET%20x?key={KEY}")

    lines = [re.sub(r"\d+ ms$", "n ms", line.split(" ", 1)[1]) for line in told]
    assert lines == [
        "POST /v1/chat/completions 200 n ms",
        "GET / 200 n ms",
        "GET /v1/files/%0aGET%20x 401 n ms",
    ]
    assert KEY not in "".join(told)


def test_the_start_page_says_what_this_is_and_what_was_asked(told):
    with served(told, "503:0.25") as server:
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{server.url}/<b>x</b>?key={KEY}")
        with urllib.request.urlopen(server.url) as answer:
            page = answer.read().decode()
            kind = answer.headers["content-type"]
        url = server.url

    assert kind.startswith("text/html")
    for words in (
        f"<code>{url}</code>",
        f"curl {url}/v1/chat/completions",
        "25% 503",
        "1 request so far",
        "<td>/&lt;b&gt;x&lt;/b&gt;<td>401",
    ):
        assert words in page, words
    assert "<b>" not in page
    assert KEY not in page


def test_the_page_shows_the_last_requests_and_counts_all(told):
    with served(told) as server:
        for number in range(60):
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(f"{server.url}/v1/n{number}")
        page = urllib.request.urlopen(server.url).read().decode()

    assert "60 requests so far" in page
    assert page.count("<td>GET") == 50
    assert "/v1/n59<" in page
    assert "/v1/n9<" not in page


@pytest.mark.parametrize("status", [400, 402, 403, 429, 500, 503, 529])
def test_a_status_by_chance_is_what_the_service_would_say(status, told):
    with served(told, f"{status}:1") as server:
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{server.url}/v1/files")
        assert caught.value.code == status
        assert b'"message"' in caught.value.read()
        assert urllib.request.urlopen(server.url).status == 200  # not the start page


def test_a_connection_that_is_reset_has_no_answer(told, capfd):
    create = main_of(find("batches/create_batch"))
    body = {"input_file_id": "file-1", "endpoint": "/v1/chat/completions"}
    with served(told, "reset:1") as server, pytest.raises(TogetherError) as caught:
        create(auth_of(server), body)

    assert caught.value.type == "connection"
    assert caught.value.ambiguous
    assert " broken off " in told[-1]
    assert "without" not in capfd.readouterr().err  # what uvicorn would complain of


def test_what_is_slow_is_answered_all_the_same(told):
    with served(told, "slow:1", seconds=0.2) as server:
        assert main_of(LIST)(auth_of(server))["data"]

    assert float(told[0].split()[-2]) >= 200


def test_the_shares_are_those_asked_for_and_a_seed_repeats_them():
    faults = ["429:0.3", "reset:0.1", "slow:0.1"]
    drawn, again = (Chances(faults, seed=5) for _ in range(2))
    found = [drawn.next() for _ in range(5000)]

    assert found == [again.next() for _ in range(5000)]
    for fault, share in (("429", 0.3), ("reset", 0.1), ("slow", 0.1), (None, 0.5)):
        assert abs(found.count(fault) / 5000 - share) < 0.03


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        (["429"], "a share"),
        (["429:x"], "a share"),
        (["429:nan"], "a share"),
        (["429:0"], "a share"),
        (["200:0.1"], "no fault"),
        (["four:0.1"], "no fault"),
        (["429:0.6", "500:0.6"], "more than 1"),
    ],
)
def test_a_fault_that_is_none_is_refused(faults, words):
    with pytest.raises(ValueError, match=words):
        Chances(faults)


def test_rows_meet_the_rate_limit_by_chance_and_are_all_answered(told):
    rows = [{"text": str(number)} for number in range(12)]
    script = main_of(find("chat/map_rows"))
    with served(told, "429:0.2", "slow:0.2") as server:
        result = script(auth_of(server), template="{{text}}", rows=rows, concurrency=4)

    assert result["done"] == 12
    assert {line.split()[3] for line in told} == {"200", "429"}


@pytest.mark.slow
def test_the_command_serves_until_it_is_interrupted():
    command = [sys.executable, "-m", "tools", "sandbox", "--port", "0"]
    with subprocess.Popen(
        [*command, "--fail", "429:1", "--seed", "1"],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        said = process.stderr.readline()
        url = re.search(r"http://127\.0\.0\.1:[1-9]\d*", said)[0]
        with pytest.raises(urllib.error.HTTPError, match="429"):
            urllib.request.urlopen(f"{url}/v1/files")
        assert " GET /v1/files 429 " in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)

    refused = subprocess.run(
        [*command, "--fail", "often"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert "--fail: 'often' is no fault" in refused.stderr
