"""The live suite's own logic: verdicts, order, table, exit codes, and clearing away."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.support.fake_windmill_api import Remote
from tests.support.windmill_cli import WINDMILL
from tests.test_windmill_api import TOKEN, said, serving
from tools.live import SUBJECTS, chosen, remove, run
from tools.live.agents import _own_words
from tools.live.checks import (
    OK,
    SHORT,
    SKIPPED,
    Outcome,
    ShortError,
    SkippedError,
    StoppedError,
    Subject,
    as_json,
    expect,
    line,
    outcome,
    outcomes,
    summary,
)
from tools.live.examples import STORED, expected
from tools.live.model import CALL, CHAT, SAY, speaks
from tools.live.stage import KEY, clear_folders
from tools.operations import ROOT, find, scripts
from tools.workspace.deploy import Target
from tools.workspace.windmill_api import KINDS


def all_is_well(_):
    return "seen"


def counts_are_told(_):
    return {"pushed": 3, "pulled": 3}


def it_falls_short(_):
    expect(1 == 2, "one is not two")


def nothing_to_try_with(_):
    raise SkippedError("no storage")


def it_breaks(_):
    return {}["absent"]


def it_is_stopped(_):
    raise StoppedError


CHECKS = (all_is_well, counts_are_told, it_falls_short, nothing_to_try_with, it_breaks)


def test_each_check_has_its_verdict_and_what_was_seen():
    found = [outcome("s", check, None) for check in CHECKS]

    assert [(o.name, o.verdict, o.evidence) for o in found] == [
        ("all is well", OK, "seen"),
        ("counts are told", OK, "pushed 3, pulled 3"),
        ("it falls short", SHORT, "one is not two"),
        ("nothing to try with", SKIPPED, "no storage"),
        ("it breaks", SHORT, "KeyError: 'absent'"),
    ]
    assert found[1].details == {"pushed": 3, "pulled": 3}


def test_what_falls_short_tells_all_of_it_too():
    def lists_what_failed(_):
        short = ShortError("2 failed")
        short.details = {"failed": ["a", "b"]}
        raise short

    assert outcome("s", lists_what_failed, None).details == {"failed": ["a", "b"]}


def test_a_check_that_is_stopped_has_no_outcome():
    with pytest.raises(StoppedError):
        outcome("s", it_is_stopped, None)
    subjects = [Subject("s", (all_is_well, it_is_stopped))]
    assert len(list(outcomes(subjects, None, threading.Event()))) == 1


def test_checks_run_at_once_and_are_told_in_their_order():
    meeting = threading.Barrier(2, timeout=60)

    def first(_):
        meeting.wait()
        time.sleep(0.05)

    def second(_):
        meeting.wait()

    subjects = [Subject("a", (first, second), at_once=2), Subject("b", (all_is_well,))]
    found = list(outcomes(subjects, None, threading.Event()))
    assert [(o.subject, o.name) for o in found] == [
        ("a", "first"),
        ("a", "second"),
        ("b", "all is well"),
    ]


INTERRUPTED = """
import json, os, signal, threading
from tools.live.checks import Subject, outcomes

# What starts this may have it ignore the signal.
signal.signal(signal.SIGINT, signal.default_int_handler)
stop, ended, begun, seen = threading.Event(), [], [], []

def all_is_well(_):
    return "seen"

def is_interrupted(_):
    os.kill(os.getpid(), signal.SIGINT)
    ended.append(stop.wait(60))

def not_begun(_):
    begun.append(True)

subjects = [Subject("s", (all_is_well, is_interrupted, not_begun))]
try:
    for done in outcomes(subjects, None, stop):
        seen.append(done.name)
except KeyboardInterrupt:
    print(json.dumps([seen, ended, begun]))
"""


def test_an_interruption_stops_the_checks_that_run_and_starts_no_more():
    # In a process of its own: here the signal may come to whatever runs just then.
    words = [sys.executable, "-c", INTERRUPTED]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300)

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == [["all is well"], [True], []]


def test_the_table_keeps_what_falls_short_whole_and_the_rest_short():
    short = Outcome("s", "a", SHORT, 1.25, "x" * 500)
    fine = Outcome("s", "b", OK, 1.25, "one\ntwo " + "x" * 500)

    assert "x" * 500 in line(short)
    assert line(fine).startswith("ok      s")
    assert "b: one two xxx" in line(fine)
    assert len(line(fine)) < 160


def test_the_counts_are_those_of_the_verdicts():
    found = [outcome("s", check, None) for check in CHECKS]

    assert summary(found) == "2 ok, 2 fall short, 1 skipped"
    told = json.loads(json.dumps(as_json(found)))
    assert (told["ok"], told["short"], told["skipped"]) == (2, 2, 1)
    assert told["checks"][2]["verdict"] == "short"


def test_subjects_are_chosen_by_name_in_their_own_order():
    assert [s.name for s in chosen("flows, deployment")] == ["deployment", "flows"]
    assert chosen(None) == list(SUBJECTS.values())
    with pytest.raises(ValueError, match="no subject nope; there are: deployment"):
        chosen("flows,nope")


# --- the examples, and what the model says -----------------------------------------


def test_a_failure_for_want_of_storage_is_expected_where_there_is_none():
    error = {"name": "TogetherError", "extra": {"type": "no_storage"}}

    assert expected("a/b#1", error, storage=False) == STORED
    assert expected("a/b#1", error, storage=True) is None
    assert expected("a/b#1", {"extra": None}, storage=False) is None


def test_what_is_expected_to_fail_is_an_example_of_the_pack():
    from tools.live.examples import EXPECTED

    known = {s.id for s in scripts()} | {
        f"{s.id}#{n}" for s in scripts() for n in range(len(s.schema["examples"]))
    }
    assert EXPECTED.keys() <= known
    assert all(EXPECTED.values())


def asked(text, **more):
    messages = [{"role": "user", "content": text}]
    answer = speaks({"body": {"model": "m", "messages": messages, **more}})
    return answer["choices"][0]["message"]


def test_the_model_says_what_it_was_asked_or_told_to_say():
    assert asked("Good morning")["content"] == "You said: Good morning"
    assert asked(f"Well. {SAY}$var:a\nb")["content"] == "$var:a\nb"


def test_the_model_calls_a_tool_with_what_it_is_told():
    function = {"name": "f", "parameters": {"type": "object", "properties": {}}}
    tools = [{"type": "function", "function": function}]

    (call,) = asked(f'{CALL}{{"a": 1}}', tools=tools)["tool_calls"]
    assert call["function"] == {"name": "f", "arguments": '{"a": 1}'}


def test_the_model_fits_a_schema_as_it_always_does():
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    schema["required"] = ["a"]
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}

    assert json.loads(asked("x", response_format=wanted)["content"]) == {"a": 1}
    assert find(CHAT).name == "create_chat_completion"


# --- a whole run -------------------------------------------------------------------


class Server(Remote):
    """A workspace to which the pack is deployed; it runs no jobs."""

    def get(self, path, query):
        if path == "/version":
            return "text/plain", b"CE v1.713.1"
        if path in ("/users/tokens/list", "/w/w/jobs/list", "/w/w/jobs/queue/list"):
            return "application/json", b"[]"
        return super().get(path, query)

    def post(self, path, body):
        if path == "/w/w/resources/create":
            self.files[f"{body['path']}.resource.json"] = body
        return super().post(path, body)


@pytest.fixture
def server(node_packages, tmp_path, monkeypatch):
    program = WINDMILL / "node_modules" / "windmill-cli" / "esm" / "main.js"
    (tmp_path / "wmill").write_text(f'#!/bin/sh\nexec node {program} "$@"\n')
    (tmp_path / "wmill").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    server = Server(judge=False)
    server.files["f/shop/mine.variable.json"] = {"value": "x"}
    return server


def play(server, checks, one_step, told=None, **more):
    """Run these checks; what was said, and the exit code."""
    told = [] if told is None else told
    with server.serving() as url:
        subjects = [Subject("s", checks)]
        target = Target("w", url, TOKEN)
        code = run(target, told.append, subjects, root=one_step, **more)
    return told, code


def sees_the_pack(stage):
    there = stage.api.entries("scripts", f"{stage.folder}/")
    expect(stage.script("organization/check_connection") in there, "no pack")
    resource = f"{stage.folder}/key"
    expect(resource in stage.api.entries("resources"), "no resource")
    return stage.folder


@pytest.mark.slow
def test_a_run_deploys_tells_and_clears_away(server, one_step, capsys, tmp_path):
    file = tmp_path / "result.json"
    checks = (sees_the_pack, nothing_to_try_with)
    told, code = play(server, checks, one_step, file=file)

    assert (code, told[-1][:18]) == (0, "1 ok, 1 skipped, i")
    assert server.files == {"f/shop/mine.variable.json": {"value": "x"}}
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads(file.read_text())
    assert found["windmill"] == "1.713.1"
    assert (found["ok"], found["not_removed"]) == (1, [])
    assert found["checks"][0]["evidence"] == found["folder"]


@pytest.mark.slow
def test_a_run_that_falls_short_ends_with_1_and_clears_away(server, one_step):
    told, code = play(server, (it_falls_short, all_is_well), one_step)

    assert code == 1
    assert any(said.endswith("it falls short: one is not two") for said in told)
    assert list(server.files) == ["f/shop/mine.variable.json"]


@pytest.mark.slow
def test_what_a_run_could_not_remove_ends_it_with_1(server, one_step):
    server.breaks, server.breaks_times = "DELETE /w/w/resources/delete/", 2
    told, code = play(server, (all_is_well,), one_step)

    assert code == 1
    assert any(said.startswith("not removed: f/live_") for said in told)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupted_run_clears_away(name, server, one_step):
    def is_interrupted(stage):
        signal.pthread_kill(threading.main_thread().ident, getattr(signal, name))
        stage.pause(20)

    told = []
    with pytest.raises(KeyboardInterrupt):
        play(server, (is_interrupted,), one_step, told=told)
    assert any(said.startswith("interrupted: ") for said in told)
    assert list(server.files) == ["f/shop/mine.variable.json"]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.slow
def test_a_run_that_is_kept_can_be_removed_by_name(server, one_step):
    told, code = play(server, (all_is_well,), one_step, keep=True)

    assert code == 0
    (kept,) = [said for said in told if said.startswith("kept: ")]
    folder = kept.split()[1]
    assert f"{folder}/key.resource.json" in server.files
    with server.serving() as url:
        assert remove(Target("w", url, TOKEN), folder, told.append) == 0
    left = set(server.files) - {"togetherai.resource-type.json"}
    assert left == {"f/shop/mine.variable.json"}


@pytest.mark.slow
def test_another_resource_type_of_the_workspace_is_not_changed(one_step):
    server = Server(judge=False)
    server.files["togetherai.resource-type.json"] = {"schema": {"type": "object"}}
    with pytest.raises(ValueError, match="resource type togetherai is another"):
        play(server, (all_is_well,), one_step)
    assert not server.writes


def test_a_server_that_is_too_old_is_not_looked_at(one_step):
    old = Remote(judge=False, version="1.650.0")
    with pytest.raises(ValueError, match=r"1\.650\.0 is older than 1\.713"):
        play(old, (all_is_well,), one_step)
    assert not old.writes


@pytest.mark.parametrize("url", ["https://a:1", "http://a:1/v1", "a:1"])
def test_the_sandbox_s_address_is_checked(url, one_step):
    server = Server(judge=False)
    with pytest.raises(ValueError, match="not like http://host:port"):
        play(server, (all_is_well,), one_step, sandbox_url=url)
    assert not server.writes


# --- clearing away -----------------------------------------------------------------

OURS, BESIDE = "f/live_0a1b2c3d", "f/live_0a1b2c3d_b"


class Windmill:
    """A server that holds objects of each kind, jobs, folders and tokens."""

    def __init__(self, admin=True, refuses=()):
        self.admin, self.refuses = admin, refuses
        paths = [f"{OURS}/a", f"{BESIDE}/b", "f/liveX0a1b2c3d/c", "f/shop/d"]
        self.objects = {kind: list(paths) for kind in KINDS}
        self.folders = {"live_0a1b2c3d", "live_0a1b2c3d_b", "liveX0a1b2c3d"}
        self.queued = {"q1": f"{OURS}/a", "q2": "f/liveX0a1b2c3d/c"}
        self.jobs = {str(n): f"{OURS}/a" for n in range(250)}
        self.jobs["x"] = "f/liveX0a1b2c3d/c"
        parents = {"e1": "7", "e2": "x"}
        self.empty = [{"id": i, "parent_job": p} for i, p in parents.items()]
        self.tokens = {"aaaa": f"live suite {OURS}", "bbbb": "live suite f/live_other"}
        self.archived = []

    def answer(self, method, path, query, body):
        what = path.removeprefix("/api").removeprefix("/w/w/").strip("/")
        if any(word in f"{method} {what}" for word in self.refuses):
            return 403, "text/plain", b"Not authorized"
        start = query.get("script_path_start", query.get("path_start", ""))
        if what == "users/whoami":
            return said({"is_admin": self.admin})
        if what == "jobs/queue/list":
            return said(self.started(self.queued, start))
        if query.get("job_kinds") == "identity":
            return said(self.empty)
        if what == "jobs/list":
            return said(self.started(self.jobs, start))
        if what == "jobs/delete":
            for job in json.loads(body):
                self.jobs.pop(job, None)
                self.empty = [one for one in self.empty if one["id"] != job]
            return said("deleted")
        if what.startswith("jobs_u/queue/cancel/"):
            del self.queued[what.rpartition("/")[2]]
            return said("cancelled")
        if what == "users/tokens/list":
            listed = self.tokens.items()
            return said([{"token_prefix": t, "label": name} for t, name in listed])
        if what.startswith("users/tokens/delete/"):
            del self.tokens[what.rpartition("/")[2]]
            return said("deleted")
        if what.startswith("folders/"):
            name = what.rpartition("/")[2]
            if name not in self.folders:
                return 404, "text/plain", b"not found"
            if method == "DELETE":
                self.folders.remove(name)
            return said({})
        kind, action, *rest = what.split("/", 2)
        if action == "list":
            page = self.objects[kind] if query["page"] == "1" else []
            return said([{"path": path} for path in page if starts(path, start)])
        if action == "archive":
            self.archived.append(rest[0].removeprefix("p/"))
        self.objects[kind].remove(rest[0].removeprefix("p/"))
        return said("done")

    def started(self, jobs, start):
        found = jobs.items()
        return [{"id": i, "script_path": p} for i, p in found if starts(p, start)]


def starts(path, start):
    """As the server looks: `_` is any letter."""
    return re.match(re.escape(start).replace("_", "."), path)


def test_what_the_suite_made_is_removed_and_nothing_else():
    windmill = Windmill()
    with serving(windmill.answer) as (api, _):
        assert clear_folders(api, OURS) == []

    others = ["f/liveX0a1b2c3d/c", "f/shop/d"]
    assert windmill.objects == dict.fromkeys(KINDS, others)
    assert windmill.folders == {"liveX0a1b2c3d"}
    assert windmill.queued.keys() == {"q2"}
    assert windmill.jobs.keys() == {"x"}
    assert [job["id"] for job in windmill.empty] == ["e2"]
    assert windmill.tokens == {"bbbb": "live suite f/live_other"}
    assert not windmill.archived


def test_who_is_no_admin_archives_scripts_and_leaves_the_runs():
    windmill = Windmill(admin=False)
    with serving(windmill.answer) as (api, _):
        assert clear_folders(api, OURS) == []

    assert sorted(windmill.archived) == [f"{OURS}/a", f"{BESIDE}/b"]
    assert len(windmill.jobs) == 251


def test_what_a_closed_connection_left_is_removed_at_the_second_try():
    windmill, lost = Windmill(), []

    def answer(method, path, query, body):
        if path.endswith(f"scripts/delete/p/{OURS}/a") and not lost:
            lost.append(path)
            raise ConnectionAbortedError
        return windmill.answer(method, path, query, body)

    with serving(answer) as (api, _):
        assert clear_folders(api, OURS) == []
    assert lost
    assert f"{OURS}/a" not in windmill.objects["scripts"]


def test_what_cannot_be_removed_is_named_and_the_rest_goes():
    windmill = Windmill(refuses=[f"DELETE flows/delete/{OURS}/a", "jobs/delete"])
    with serving(windmill.answer) as (api, _):
        left = clear_folders(api, OURS)

    assert len(left) == 2
    assert left[0].startswith(f"{OURS}/a (DELETE flows/delete/{OURS}/a: 403: Not auth")
    assert left[1].startswith(f"the jobs of {OURS} (POST jobs/delete: 403")
    assert f"{OURS}/a" in windmill.objects["flows"]
    assert f"{OURS}/a" not in windmill.objects["scripts"]
    assert not {"live_0a1b2c3d", "live_0a1b2c3d_b"} & windmill.folders


@pytest.mark.parametrize("folder", ["f/togetherai", "f/live_", "live_0a1b2c3d/x", "x"])
def test_only_a_folder_of_the_suite_is_removed_by_name(folder):
    with serving(Windmill().answer) as (api, got):
        target = Target("w", api.base_url, TOKEN)
        with pytest.raises(ValueError, match="no folder of the live suite"):
            remove(target, folder, print)
        assert not got


def test_what_a_killed_run_left_is_removed_by_name():
    windmill, told = Windmill(), []
    with serving(windmill.answer) as (api, _):
        target = Target("w", api.base_url, TOKEN)
        assert remove(target, OURS, told.append) == 0
        windmill.folders.add("live_0a1b2c3d")
        windmill.refuses = ["DELETE folders/"]
        assert remove(target, OURS, told.append) == 1

    assert told == [
        f"not removed: {OURS} (DELETE folders/delete/live_0a1b2c3d: 403: "
        "Not authorized)"
    ]


SOUND, PRICE = {"text", "s3", "filename"}, {"text", "usd"}
LACKS = "Nothing was sent: ask the user to set up object storage."


def no_storage(**changed):
    frames = 'File "main.py"\nFile "client.py"'
    error = {"name": "TogetherError", "message": LACKS, "stack": frames}
    return json.dumps({"error": {**error, **changed}})


def test_what_an_agent_s_call_gave_is_the_tool_s_own():
    assert _own_words('{"text": "One call", "usd": 1}', PRICE, False) == "One call"
    assert _own_words('{"text": "x", "s3": "k", "filename": "f"}', SOUND, True) == "x"
    assert _own_words(no_storage(), SOUND, False) == LACKS


@pytest.mark.parametrize(
    ("text", "members", "words"),
    [
        ("Internal error", PRICE, "no JSON"),
        ("[]", PRICE, "no object"),
        ('{"text": "x"}', PRICE, "usd is missing"),
        ('{"text": " ", "usd": 1}', PRICE, "is empty"),
        ('{"text": "KeyError: 3", "usd": 1}', PRICE, "shows KeyError"),
        (json.dumps({"text": "x", "usd": KEY}), PRICE, "shows the key"),
        (no_storage(), PRICE, "is missing"),
        ('{"text": "x", "s3": "k", "filename": "f"}', SOUND, "no error of ours"),
        (no_storage(name="KeyError"), SOUND, "no error of ours"),
        (no_storage(message="It failed."), SOUND, "does not ask"),
        (no_storage(message=f"{LACKS} Traceback"), SOUND, "shows Traceback"),
        (no_storage(stack="File a\n" * 3), SOUND, "shows more"),
    ],
)
def test_what_falls_short_of_a_tool_s_own_is_named(text, members, words):
    with pytest.raises(ShortError, match=words):
        _own_words(text, members, False)
