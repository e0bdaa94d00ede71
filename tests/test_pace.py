"""Requests keep to the account's own limit, which the jobs of a flow share."""

import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from scripts.rows.pace import AIM, LOOK, Pace
from tests.conftest import KEY
from tests.support.exchanges import CHAT
from tests.support.killable_worker import Worker
from tools.local.server_thread import running

LIMIT = 100  # requests a second
JOBS = 16
SETTLED, ENDS = 10.0, 24.0  # seconds


class LimitedServer(ThreadingHTTPServer):
    """Answers a question so often in each second, and refuses the others."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.lock = threading.Lock()
        self.window = self.count = 0
        self.asked = []  # (when, whether it was answered)

    def handle_error(self, *_):
        """A connection that a job gave up is none of the server's faults."""

    def take(self):
        """(Whether a request is answered, what is left, seconds to the next window)."""
        now = time.monotonic()
        with self.lock:
            if int(now) != self.window:
                self.window, self.count = int(now), 0
            self.count += 1
            fits = self.count <= LIMIT
            self.asked.append((now, fits))
            return fits, max(0, LIMIT - self.count), 1 - now % 1


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.reply(200, [])

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        fits, left, reset = self.server.take()
        words = {"error": {"message": "too many requests"}}
        limits = {"x-ratelimit-limit": LIMIT, "x-ratelimit-remaining": left}
        limits["x-ratelimit-reset"] = f"{reset:.3f}"
        self.reply(200 if fits else 429, CHAT if fits else words, limits)

    def reply(self, status, value, headers=()):
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, text in dict(headers).items():
            self.send_header(name, str(text))
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


@pytest.fixture
def limited():
    with LimitedServer() as server, running(server):
        yield server


@pytest.mark.slow
def test_sixteen_jobs_of_a_flow_share_a_limit_without_a_storm(limited, workspace):
    workers = [Worker() for _ in range(JOBS)]
    results = []
    auth = {"api_key": KEY, "base_url": limited.url}
    given = {"auth": auth, "template": "{{n}}", "model": "m", "concurrency": 8}
    given |= {"stop_after_seconds": ENDS, "keep": False, "output": "storage"}
    given["rows"] = [{"n": n} for n in range(2000)]

    def work(worker):
        environment = {**workspace.environment, "WM_JOB_ID": str(uuid.uuid4())}
        results.append(worker.run("chat.map_rows", given, environment))

    for worker in workers:  # until each has loaded what a job needs
        words = {"documents": [{"text": "a"}]}
        worker.run("embeddings.split_documents", {"auth": auth, **words}, {})
    threads = [threading.Thread(target=work, args=(one,)) for one in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for worker in workers:
        worker.close()

    assert len(results) == JOBS
    began = limited.asked[0][0]
    start, end = int(began + SETTLED) + 1, int(began + ENDS) - 3
    settled = [good for at, good in limited.asked if start <= at < end]
    assert settled.count(False) <= 0.05 * len(settled)
    assert settled.count(True) >= 0.9 * LIMIT * (end - start)
    # Each job has its share, and none of them starves.
    done = sorted(result["done"] for result in results)
    assert done[0] > 0.5 * done[-1]
    assert not [path for path in workspace.resources if "togetherai_pace" in path]


def learnt(**headers):
    pace = Pace()
    pace.learn({f"x-ratelimit-{name}": text for name, text in headers.items()})
    return pace


@pytest.mark.parametrize(
    ("headers", "limit"),
    [
        ({"limit": "100"}, 100),
        ({"limit": "100", "reset": "0.4"}, 100),
        ({"limit": "600", "reset": "59"}, 10),
        ({"limit": "600", "reset": "9.5"}, 60),
        ({"limit": "600", "reset": "1764000000"}, 600),
        ({}, None),
        ({"limit": "nan"}, None),
        ({"limit": "-1"}, None),
        ({"limit": "0"}, None),
        ({"limit": "many"}, None),
    ],
)
def test_a_limit_is_a_second_s_or_that_of_the_window_that_is_counted_down(
    headers, limit
):
    assert learnt(**headers).limit == limit


def test_a_window_is_as_long_as_the_longest_reset_seen():
    pace = learnt(limit="600", reset="0.5")
    pace.learn({"x-ratelimit-limit": "600", "x-ratelimit-reset": "60"})
    pace.learn({"x-ratelimit-limit": "600", "x-ratelimit-reset": "0.2"})

    assert pace.limit == 10


def test_requests_start_as_far_apart_as_the_share_asks():
    pace = learnt(limit="10")
    pace.jobs = 2
    starts, now = [], 50.0
    for _ in range(20):
        now += max(0.0, pace.ready(now))
        pace.started(now)
        starts.append(now)

    # The first may make up for one that was late.
    apart = (starts[-1] - starts[1]) / 18
    assert apart == pytest.approx(2 / (10 * AIM))


def test_without_a_limit_nothing_is_held_back():
    pace = learnt()
    pace.started(1.0)

    assert pace.ready(1.0) <= 0


def test_the_jobs_of_a_flow_count_each_other(workspace, monkeypatch):
    paces = []
    for _ in range(3):
        monkeypatch.setenv("WM_JOB_ID", str(uuid.uuid4()))
        paces.append(learnt(limit="10"))
    monkeypatch.setenv("WM_ROOT_FLOW_JOB_ID", str(uuid.uuid4()))
    other = learnt(limit="10")

    assert [pace.jobs for pace in paces] == [1, 2, 3]
    assert other.jobs == 1
    paces[1].end()
    paces[2].looked -= LOOK
    paces[2].learn({"x-ratelimit-limit": "10"})
    assert paces[2].jobs == 2
    # One that was killed counts for a minute.
    for path, kept in workspace.resources.items():
        if path == paces[0].path:
            kept["edited_at"] = "2026-01-01T00:00:00Z"
    paces[2].looked -= LOOK
    paces[2].learn({"x-ratelimit-limit": "10"})
    assert paces[2].jobs == 1


def test_a_lane_that_gives_the_count_up_ends_no_other(workspace, monkeypatch):
    monkeypatch.setenv("WM_JOB_ID", str(uuid.uuid4()))
    monkeypatch.setenv("WM_ROOT_FLOW_JOB_ID", str(uuid.uuid4()))
    pace = learnt(limit="10")

    class Meanwhile(float):
        def __rsub__(self, now):
            """Between two looks at the path another lane could not count."""
            pace.path = None
            return now

    pace.looked = Meanwhile(0)
    pace.learn({"x-ratelimit-limit": "10"})

    assert (pace.jobs, pace.looking.locked()) == (1, False)


def test_a_workspace_that_answers_nothing_holds_nobody_up(workspace, monkeypatch):
    monkeypatch.setenv("WM_JOB_ID", str(uuid.uuid4()))
    monkeypatch.setenv("WM_TOKEN", "another")
    pace = learnt(limit="10")

    assert (pace.jobs, pace.path, pace.limit) == (1, None, 10)
    pace.end()
