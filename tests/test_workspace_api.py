"""What a job asks its own Windmill, beside the official package that asks the same."""

import io
import json
import random
import threading
from urllib.parse import parse_qsl

import pytest
import requests
import wmill
from starlette.responses import JSONResponse
from wmill.s3_types import S3Object

from scripts.client import TogetherError
from scripts.client.job import in_job
from scripts.workspace import api, jobs, progress, signed_address, state
from scripts.workspace.storage import (
    check_storage,
    list_objects,
    open_object,
    place_for,
    write_object,
)
from tests.support.byte_server import ByteServer, Thing
from tests.test_client import answer, server
from tools.sandbox import Fault

WORDS = random.Random(5).randbytes(3_000_000)


def _as_kept(path):
    """State that somebody else's text is part of must not be resolved on the way: ours
    is read as it was kept, the official package lets the server resolve it."""
    return path.replace("/get_value_interpolated/", "/get_value/")


def wire(workspace) -> list[tuple]:
    """What was asked so far: method, path, query, body."""
    asked = [
        (one.method, _as_kept(one.path), sorted(parse_qsl(one.query)), one.json)
        for one in workspace.requests
    ]
    workspace.requests.clear()
    return asked


@pytest.fixture
def official(workspace):
    return wmill.Windmill()


def _shop(workspace):
    workspace.register("f/shop/price", lambda item: {"price": len(item)})
    workspace.register("f/shop/order", lambda item: item.upper(), kind="flow")


def same(workspace, ours, theirs):
    """Both do the same: what they ask, and what they return."""
    wire(workspace)
    mine = ours()
    asked = wire(workspace)
    official = theirs()
    assert asked == wire(workspace)
    return mine, official


@pytest.mark.parametrize("path", [None, "u/a.b@example.com/what is left", "f/x/y~z"])
def test_state_is_kept_as_the_official_package_keeps_it(workspace, official, path):
    values = [{"seen": [1, 2]}, None, "text", 5, [{"\u00e9": 1.5}]]
    state.set_state("the first creates it", path)
    for value in values:
        same(
            workspace,
            lambda v=value: state.set_state(v, path),
            lambda v=value: official.set_state(v, path),
        )
        # Read as it is, where the package has it resolved; the rest is the same.
        mine = state.get_state(path)
        assert workspace.requests[-1].path.startswith(
            "/api/w/test/resources/get_value/"
        )
        assert mine == official.get_state(path) == value
    (kept,) = workspace.resources.values()
    assert kept["resource_type"] == "state"


def test_the_first_state_is_created_as_the_official_package_creates_it(
    workspace, official
):
    assert state.get_state() is None
    wire(workspace)
    state.set_state({"a": 1})
    mine = wire(workspace)
    workspace.resources.clear()
    official.set_state({"a": 1})
    assert mine == wire(workspace)


HIDDEN = "Not authorized: Resource exists but you don't have access to it"


def test_a_state_that_another_run_creates_meanwhile_is_no_refusal(workspace):
    state.set_state({"a": 1}, "u/a/state")
    fault = Fault("resources/get_value/", 401, body=HIDDEN)
    workspace.faults.append(fault)

    assert state.get_state("u/a/state") == {"a": 1}

    workspace.faults.append(Fault("resources/get/", 404))
    state.set_state({"a": 2}, "u/a/state")  # found to be there when it is created
    assert state.get_state("u/a/state") == {"a": 2}


def test_a_state_that_is_truly_hidden_is_refused(workspace):
    state.set_state({"a": 1}, "u/a/state")
    workspace.faults.append(Fault("resources/", 401, times=9, body=HIDDEN))

    with pytest.raises(TogetherError, match="exists but you don't have access"):
        state.get_state("u/a/state")
    with pytest.raises(TogetherError, match="exists but you don't have access"):
        state.set_state({"a": 2}, "u/a/state")


def test_progress_is_set_as_the_official_package_sets_it(workspace, official):
    progress._shown.clear()
    same(
        workspace,
        lambda: progress.set_progress(40),
        lambda: official.set_progress(40),
    )
    progress.set_progress(40.9)
    progress.set_progress(250)
    assert workspace.progress == {workspace.job_id: [40, 40, 99]}


def test_progress_that_cannot_be_shown_fails_nothing(workspace, capsys):
    progress._shown.clear()
    workspace.faults.append(Fault("set_progress", 500))
    progress.set_progress(10)
    assert "The progress cannot be shown" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["script", "flow"])
def test_a_run_is_started_and_read_as_the_official_package_does(
    workspace, official, kind
):
    _shop(workspace)
    path = {"script": "f/shop/price", "flow": "f/shop/order"}[kind]
    theirs = {
        "script": official.run_script_by_path_async,
        "flow": official.run_flow_async,
    }[kind]
    arguments = {"item": "h\u00e9"}
    mine, others = same(
        workspace,
        lambda: jobs.start(path, kind, arguments),
        lambda: theirs(path, arguments),
    )
    for job in mine, others:
        assert workspace.jobs[job].arguments == arguments
    expected = {"script": {"price": 2}, "flow": "H\u00c9"}[kind]
    assert jobs.run(path, kind, arguments) == expected
    assert official.wait_job(others) == expected


def test_a_job_is_cancelled_as_the_official_package_cancels_it(workspace, official):
    workspace.register("f/slow", lambda: threading.Event().wait(30))
    one, two = jobs.start("f/slow"), jobs.start("f/slow")
    wire(workspace)
    jobs.cancel(one, "enough")
    mine = wire(workspace)
    official.cancel_job(two, "enough")
    assert [(m, p.replace(one, two), q, b) for m, p, q, b in mine] == wire(workspace)
    assert workspace.jobs[one].cancelled == workspace.jobs[two].cancelled == "enough"


def test_resume_urls_are_asked_for_as_the_official_package_asks(workspace, official):
    mine, theirs = jobs.resume_urls("ann"), official.get_resume_urls("ann")
    (ours, other) = ((m, p.rsplit("/", 1)[0], q, b) for m, p, q, b in wire(workspace))
    assert ours == other
    assert mine.keys() == theirs.keys() == {"approvalPage", "resume", "cancel"}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"key": "a/b c+d\u00e9.bin"},
        {"key": "k", "storage": "cold", "content_type": "audio/wav"},
    ],
)
def test_objects_are_written_as_the_official_package_writes_them(
    workspace, official, given
):
    official_object = S3Object(s3=given.get("key", ""), storage=given.get("storage"))
    for content in WORDS[:100_000], None:
        mine, theirs = same(
            workspace,
            lambda c=content: write_object(c or io.BytesIO(WORDS), **given),
            lambda c=content: official.write_s3_file(
                official_object,
                c or io.BufferedReader(io.BytesIO(WORDS)),
                None,
                given.get("content_type"),
            ),
        )
        for stored in mine, theirs:
            place = stored["s3"], stored.get("storage") or ""
            assert workspace.content(*place) == (content or WORDS)
        assert ("storage" in mine) == ("storage" in given)


def test_objects_are_read_as_the_official_package_reads_them(workspace, official):
    workspace.put("data/in put.bin", WORDS)
    workspace.put("x", b"cold", "cold")
    for key, storage in (("data/in put.bin", None), ("x", "cold")):
        place = S3Object(s3=key, storage=storage)
        mine, theirs = same(
            workspace,
            lambda k=key, s=storage: open_object(k, s).read(),
            lambda p=place: official.load_s3_file(p, None),
        )
        assert mine == theirs


def test_an_object_is_read_piece_by_piece_and_tells_its_length(workspace):
    workspace.put("a/b.bin", WORDS)
    with open_object("a/b.bin") as source:
        assert (source.name, source.length) == ("b.bin", len(WORDS))
        pieces = iter(lambda: source.read(65_000), b"")
        assert b"".join(pieces) == WORDS
        assert source.read(10) == b""


@pytest.mark.parametrize("ranges", [False, True])
@pytest.mark.parametrize("start", [0, 1_234_567])
def test_an_object_that_breaks_off_is_read_on(workspace, ranges, start):
    workspace.configure(ranges=ranges)
    workspace.put("k", WORDS)
    workspace.cuts = [1_500_000, 400_000 if ranges else 2_200_000]
    source = open_object("k", start=start)
    pieces = iter(lambda: source.read(100_000), b"")
    assert b"".join(pieces) == WORDS[start:]
    assert not workspace.cuts


def test_an_object_that_changes_while_it_is_read_is_an_error(workspace):
    workspace.put("k", WORDS)
    workspace.cuts = [1_000_000]
    source = open_object("k")
    source.read(900_000)
    workspace.put("k", WORDS[:-5])
    with pytest.raises(TogetherError, match="changed while it was read"):
        source.read()


def chunked(*pieces):
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in pieces)


def part(content, place, total):
    span = f"content-range: bytes {place}-{place + len(content) - 1}/{total}\r\n"
    return answer(content, "206 Partial Content", span)


@pytest.mark.parametrize(
    "later", [chunked(b"01234", b""), chunked(b"0123456789", b""), chunked(b"")]
)
def test_an_object_of_unknown_length_that_shrinks_is_an_error(
    later, workspace, monkeypatch
):
    with server(chunked(b"0123456789ab"), later) as (url, _):
        monkeypatch.setenv("BASE_INTERNAL_URL", url)
        source = open_object("k")
        assert source.read(12) == b"0123456789ab"
        with pytest.raises(TogetherError, match="changed while it was read"):
            source.read()


@pytest.mark.parametrize(("first", "later"), [('"1"', '"2"'), ('W/"1"', 'W/"2"')])
def test_an_object_of_another_tag_is_another_one(first, later, workspace, monkeypatch):
    begun = answer(b"01234", headers=f"etag: {first}\r\n", length=10)
    with server(begun, answer(b"abcdefghij", headers=f"etag: {later}\r\n")) as (url, _):
        monkeypatch.setenv("BASE_INTERNAL_URL", url)
        source = open_object("k")
        assert source.read(5) == b"01234"
        with pytest.raises(TogetherError, match="changed while it was read"):
            source.read()


def test_an_object_that_comes_in_shorter_parts_than_asked_for_comes_whole(
    workspace, monkeypatch
):
    begun = answer(b"01234", length=15)
    with server(begun, part(b"567", 5, 15), part(b"89abcde", 8, 15)) as (url, _):
        monkeypatch.setenv("BASE_INTERNAL_URL", url)
        source = open_object("k")
        assert source.read(5) + source.read() == b"0123456789abcde"


def test_a_readable_that_holds_less_than_it_says_is_not_stored(workspace):
    class Short(io.BytesIO):
        length = len(WORDS) + 1

    class Long(io.BytesIO):
        length = len(WORDS) - 1

    for content in Short(WORDS), Long(WORDS):
        with pytest.raises(TogetherError, match="bytes were announced"):
            write_object(content, "k")
    assert not workspace.objects


def test_a_readable_that_fails_says_so_itself(workspace):
    class Failing(io.BytesIO):
        def read(self, size=-1):
            raise TogetherError("404: it is gone", status=404)

    with pytest.raises(TogetherError, match="it is gone"):
        write_object(Failing(), "k")
    assert not workspace.objects


def test_a_written_object_keeps_the_name_of_its_file(workspace):
    for name in ("sound.mp3", 'a "b".mp3', "\u00fcber.mp3"):
        stored = write_object(b"x", filename=name, content_type="audio/mpeg")
        kept = workspace.objects["", stored["s3"]]
        assert stored["s3"].endswith("_" + name)
        assert kept.content_disposition.startswith("inline; filename")
        assert kept.content_disposition.isascii()


@pytest.mark.parametrize(
    "ask",
    [lambda: open_object("a\ud800").read(), lambda: state.get_state("f/a/b\ud800")],
)
def test_a_name_with_half_of_a_character_is_refused(workspace, ask):
    with pytest.raises(TogetherError, match="half of a character") as caught:
        ask()

    str(caught.value).encode()


def test_a_missing_object_is_named(workspace):
    with pytest.raises(TogetherError, match=r"'nowhere\.bin'.*not found") as caught:
        open_object("nowhere.bin")
    assert (caught.value.type, caught.value.status) == ("not_found", 404)


@pytest.mark.parametrize("missing", ["storage", "helpers"])
def test_a_workspace_without_storage_says_what_to_do(workspace, missing):
    setattr(workspace, missing, False)
    for ask in (
        lambda: list_objects("k"),
        lambda: open_object("k"),
        lambda: write_object(b"x", "k"),
        lambda: write_object(io.BytesIO(WORDS), "k"),
        check_storage,
    ):
        with pytest.raises(TogetherError, match="no object storage") as caught:
            ask()
        assert caught.value.type == "no_storage"
        assert "workspace's settings" in caught.value.advice
    setattr(workspace, missing, True)
    assert check_storage() is None


@pytest.mark.parametrize("missing", ["storage", "helpers"])
def test_where_bytes_go_is_decided_by_whether_there_is_storage(
    workspace, missing, capsys
):
    assert place_for(None, "url") == place_for("storage", "url") == ("storage", None)
    setattr(workspace, missing, False)

    for instead in ("url", "result"):
        output, note = place_for(None, instead)
        assert output == instead
        assert "the workspace has no object storage" in note
        assert note in capsys.readouterr().err
    assert place_for("result", "url") == ("result", None)
    with pytest.raises(TogetherError, match=r"Pictures \(pictures\)") as caught:
        place_for("storage", "url", "Pictures (pictures)")
    assert str(caught.value).startswith("Nothing was sent")
    assert caught.value.problems[0]["field"] == "pictures"


def test_the_free_edition_s_limit_is_named(workspace):
    workspace.limit = 1_000_000
    with pytest.raises(TogetherError, match="50 MB") as caught:
        write_object(WORDS, "k")
    assert caught.value.type == "too_large"


def test_a_job_that_fails_raises_what_it_raised(workspace):
    def refuse():
        raise TogetherError("no such model", status=404)

    workspace.register("f/refuse", refuse)
    with pytest.raises(TogetherError, match="f/refuse failed: no such model") as caught:
        jobs.run("f/refuse")
    assert caught.value.error["extra"] == {"status": 404}
    assert caught.value.job_id in workspace.jobs


@pytest.mark.parametrize("updates", [True, False])
def test_a_run_that_takes_too_long_is_cancelled(workspace, updates):
    workspace.configure(updates=updates)
    workspace.register("f/slow", lambda: threading.Event().wait(30))
    with pytest.raises(TogetherError, match=r"not done within 0\.3 s") as caught:
        jobs.run("f/slow", timeout=0.3)
    job = workspace.jobs[caught.value.job_id]
    assert job.cancelled == "not done within 0.3 seconds"


def answering(workspace, part, value):
    """Whatever asks for a path with that part is answered with this."""
    real = workspace.answer

    async def answer(request, path):
        return JSONResponse(value) if part in path else await real(request, path)

    workspace.answer = answer


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"completed": "false"},
        {"completed": True, "result": 1},
        {"completed": True, "success": "false", "result": 1},
        {"completed": True, "success": None, "result": 1},
    ],
)
def test_an_answer_that_does_not_tell_how_a_job_ended_is_no_result(workspace, odd):
    workspace.register("f/price", lambda: 1)
    job = jobs.start("f/price")
    answering(workspace, "get_result_maybe", odd)
    try:
        for ask in (jobs.outcome, jobs.wait_for):
            with pytest.raises(TogetherError, match="not what it must be") as caught:
                ask(job)
            assert caught.value.type == "invalid_answer"
    finally:
        del workspace.answer


@pytest.mark.parametrize("odd", [None, "a", {}, {"path": None}, {"path": 5}])
def test_an_odd_entry_among_states_is_told(workspace, odd):
    answering(workspace, "resources/list", [{"path": "u/a/b"}, odd])
    try:
        with pytest.raises(TogetherError, match="states cannot be listed"):
            state.list_states("u/a/")
    finally:
        del workspace.answer


def test_a_list_of_the_workspace_is_all_of_it(workspace, monkeypatch):
    monkeypatch.setattr(api, "PAGE_ENTRIES", 2)
    for name in "abcd":
        state.create_state(name, f"u/test/many/{name}")
    state.create_state("x", "u/test/other")

    assert [*state.list_states("u/test/many/")] == [f"u/test/many/{n}" for n in "abcd"]

    listed = [{"path": "u/test/many/a"}, {"path": "u/test/many/b"}]
    answering(workspace, "resources/list", listed)
    try:
        with pytest.raises(TogetherError, match="is there again"):
            state.list_states("u/test/many/")
    finally:
        del workspace.answer


@pytest.mark.parametrize("updates", [True, False])
def test_waiting_asks_rarely(workspace, updates):
    """Two questions where the server tells of updates; else ever fewer."""
    workspace.configure(updates=updates)
    go = threading.Event()
    workspace.register("f/slow", lambda: go.wait(60) and "done")
    threading.Timer(1.0, go.set).start()
    assert jobs.run("f/slow") == "done"
    asked = [one for one in workspace.requests if "get_result_maybe" in one.path]
    assert len(asked) == 2 if updates else len(asked) < 8


def test_a_schema_describes_a_tool(workspace):
    schema = {"type": "object", "properties": {"item": {"type": "string"}}}
    workspace.register(
        "f/shop/price", lambda item: 1, "flow", schema, "Price", "Of an item"
    )
    found = jobs.script_schema("f/shop/price", "flow")
    assert found["schema"] == schema
    assert (found["summary"], found["description"]) == ("Price", "Of an item")
    with pytest.raises(TogetherError, match="script f/shop/price cannot be read"):
        jobs.script_schema("f/shop/price")


def test_outside_a_job_every_function_says_so(monkeypatch):
    for name in ("WM_TOKEN", "WM_WORKSPACE", "BASE_INTERNAL_URL", "WM_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for ask in (
        lambda: open_object("k"),
        lambda: write_object(b"", "k"),
        lambda: state.get_state("u/a/b"),
        lambda: state.set_state(1, "u/a/b"),
        state.get_state,
        jobs.resume_urls,
        lambda: jobs.run("f/x"),
        lambda: jobs.script_schema("f/x"),
    ):
        with pytest.raises(TogetherError, match="not a Windmill job"):
            ask()
    assert progress.set_progress(5) is None
    assert not in_job()


def test_the_token_stays_out_of_every_error(workspace):
    workspace.storage = False
    with pytest.raises(TogetherError) as caught:
        write_object(b"x", "k")
    shown = json.dumps([str(caught.value), vars(caught.value)])
    assert workspace.environment["WM_TOKEN"] not in shown


@pytest.fixture
def answers(workspace, monkeypatch):
    """Let the workspace answer one path so: answers(path, value)."""
    with ByteServer() as server:
        monkeypatch.setenv("BASE_INTERNAL_URL", server.url)

        def at(path, *values):
            things = [Thing(json.dumps(value).encode()) for value in values]
            found = iter(things)

            class Things(dict):
                def get(self, asked, default=None):
                    fits = path in asked
                    return next(found, things[-1]) if fits else default

            server.things = Things()
            return server

        yield at


@pytest.mark.parametrize(
    ("base", "kind", "words"),
    [
        ("", "text/html; charset=utf-8", "a web page is there"),
        ("windmill.example.com", "audio/mpeg", "no http"),
    ],
)
def test_an_address_without_the_object_is_not_handed_on(
    base, kind, words, workspace, monkeypatch
):
    signed_address.tried.clear()
    with ByteServer() as service:
        root = f"/api/w/{workspace.environment['WM_WORKSPACE']}"
        service.things[f"{root}/apps/sign_s3_objects"] = Thing(
            b'[{"presigned": "s=1"}]'
        )
        page = Thing(b"<html>Log in</html>", {"content-type": kind})
        service.things[f"{root}/s3_proxy/_default_/a.mp3?s=1"] = page
        monkeypatch.setenv("BASE_INTERNAL_URL", service.url)
        monkeypatch.setenv("WM_BASE_URL", base or service.url)
        with pytest.raises(TogetherError, match=words) as caught:
            signed_address.signed("a.mp3")
        assert caught.value.type == "unsigned"
        page.headers["content-type"] = "audio/mpeg"
        monkeypatch.setenv("WM_BASE_URL", service.url)
        address = signed_address.signed("a.mp3")
    assert address == f"{service.url}{root}/s3_proxy/_default_/a.mp3?s=1"


ANSWER = "/api/w/t/jobs_u/resume/1"


@pytest.mark.parametrize("odd", [None, "", " ", 7, "javascript:alert(1)", "http://[x"])
@pytest.mark.parametrize("name", jobs.RESUME_URLS)
def test_a_link_to_answer_that_leads_nowhere_is_an_error(
    name, odd, answers, monkeypatch
):
    monkeypatch.setenv("WM_BASE_URL", "https://windmill.example.com")
    urls = dict.fromkeys(jobs.RESUME_URLS, f"https://windmill.example.com{ANSWER}")
    answers("/resume_urls/", {**urls, name: odd})

    with pytest.raises(TogetherError, match=f"no address for {name}") as caught:
        jobs.resume_urls()
    assert caught.value.type == "invalid_answer"


def test_a_link_to_answer_has_the_host_of_windmill(answers, monkeypatch, capsys):
    monkeypatch.setenv("WM_BASE_URL", "https://windmill.example.com")
    answers("/resume_urls/", dict.fromkeys(jobs.RESUME_URLS, ANSWER))
    found = jobs.resume_urls()
    quiet = capsys.readouterr().err
    answers(
        "/resume_urls/", dict.fromkeys(jobs.RESUME_URLS, f"http://localhost{ANSWER}")
    )
    other = jobs.resume_urls()

    assert set(found.values()) == {f"https://windmill.example.com{ANSWER}"}
    assert "lead to" not in quiet
    assert set(other.values()) == {f"http://localhost{ANSWER}"}
    assert "lead to localhost, not to https://windmill" in capsys.readouterr().err


def objects(*keys, marker=None):
    return {"windmill_large_files": [{"s3": k} for k in keys], "next_marker": marker}


@pytest.mark.parametrize(
    "pages",
    [
        [objects("f/a", marker="m"), objects("f/b", marker="m")],
        [objects("f/a", marker=7)],
        [objects("f/a", None)],
        [{"windmill_large_files": [None]}],
        [{"windmill_large_files": ["f/a"]}],
        [{"windmill_large_files": {"s3": "f/a"}}],
    ],
)
def test_objects_that_cannot_all_be_listed_are_no_list(pages, answers):
    server = answers("/list_stored_files", *pages)

    with pytest.raises(TogetherError) as caught:
        list_objects("f/")
    assert caught.value.type == "invalid_answer"
    assert len(server.asked) <= 2


def test_objects_are_listed_once_and_under_their_prefix(answers):
    answers("/list_stored_files", objects("f/a", "g/x", marker="m"), objects("f/a"))
    assert list_objects("f/") == ["f/a"]
    answers("/list_stored_files", {"windmill_large_files": None})
    assert list_objects("f/") == []


def test_resume_urls_work(workspace):
    urls = jobs.resume_urls("ann")
    requests.post(urls["resume"], json={"n": 1}, timeout=60).raise_for_status()
    assert workspace.resumed == [
        {
            "action": "resume",
            "job": workspace.job_id,
            "payload": {"n": 1},
            "approver": "ann",
        }
    ]
