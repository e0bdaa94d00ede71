"""The tools: each check trips, fix repairs, run and build do what they say."""

import base64
import hashlib
import importlib.util
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys

import pytest
import yaml

from scripts.client.form import SWITCH
from scripts.forms.form_fields import LEAVE
from tests.support.command_line import tool
from tools import models, yaml_text
from tools.checks.checks import problems
from tools.local.given_arguments import given_arguments
from tools.local.job_runner import run
from tools.local.real_service import graveness
from tools.operations import ROOT, find, scripts
from tools.sandbox import tone
from tools.schemas.form import form
from tools.schemas.form_visibility import hints
from tools.schemas.upstream import differences
from tools.tree.flatten import module_names, sources
from tools.tree.sync_tree import build, tree
from tools.yaml_text import load

ONE = "files/get_file"


@pytest.fixture
def pack(tmp_path):
    """A pack of one sound operation."""
    for path in ("schemas/_operation.json", f"schemas/{ONE}.json", "wmill.yaml"):
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, place)
    shutil.copy(ROOT / "requirements.txt", tmp_path)
    for name in module_names(ROOT):
        # The others call operations that this pack has no schema of.
        own = name in ("client", "realtime_audio")
        for path in sources(ROOT, name):
            place = tmp_path / path.relative_to(ROOT)
            place.parent.mkdir(parents=True, exist_ok=True)
            kept = own or path.stem == "__init__"
            place.write_text(path.read_text() if kept else "")
    shutil.copytree(ROOT / "resources", tmp_path / "resources")
    for problem in problems(tmp_path):
        problem.fix()
    assert not problems(tmp_path)
    return tmp_path


def change(pack, edit):
    path = pack / "schemas" / f"{ONE}.json"
    schema = json.loads(path.read_text())
    edit(schema)
    path.write_text(json.dumps(schema))


BREAKS = {
    "title ends with a stop": lambda s: s.update(title="Get file."),
    "no description": lambda s: s.pop("description"),
    "unknown x-word": lambda s: s.update({"x-mystery": 1}),
    "wrong method": lambda s: s["x-operation"].update(method="FETCH"),
    "placeholder without argument": lambda s: s["x-operation"].update(path="/v1/{a}"),
    "argument without place": lambda s: s["properties"]["file_id"].pop("x-in"),
    "argument without title": lambda s: s["properties"]["file_id"].pop("title"),
    "a TODO": lambda s: s["properties"]["file_id"].update(title="TODO"),
    "example of a wrong type": lambda s: s["examples"][0].update(file_id=5),
    "example of no argument": lambda s: s["examples"][0].update(nothing=5),
    "no example": lambda s: s.update(examples=[]),
    "an example twice": lambda s: s["examples"].append(s["examples"][0]),
    "one example though something may be left out": lambda s: s["properties"].update(
        x={**s["properties"]["file_id"], "x-in": "query"}
    ),
    "nine fields at first": lambda s: with_body(s, *"abcdefghi"),
    "a required field that is advanced": lambda s: with_body(s, "a", a="required"),
    "a condition on no field": lambda s: with_body(s, "a", "b", b={"gone": [1]}),
}


def with_body(schema, *names, **words):
    text = {"type": "string", "title": "T", "description": "D"}
    members = {name: dict(text) for name in names}
    body = {**text, "type": "object", "properties": members}
    for name, word in words.items():
        if word == "required":
            body["required"] = [name]
            members[name]["x-form"] = {"advanced": True}
        else:
            members[name]["x-form"] = {"when": word}
    schema["properties"]["body"] = body


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_schema_is_a_problem_that_fix_leaves_alone(name, pack):
    change(pack, BREAKS[name])

    found = [problem for problem in problems(pack) if not problem.fixable]

    assert found
    assert all("get_file.json" in problem.show(pack) for problem in found)


def test_text_that_is_no_json_is_a_problem(pack):
    (pack / "schemas" / f"{ONE}.json").write_text("{")

    assert "is not JSON" in problems(pack)[0].what


def test_fix_writes_what_check_wanted(pack):
    change(pack, lambda schema: schema.update(title="Get a file"))
    script = pack / "scripts" / f"{ONE}.py"
    orphan = pack / "scripts" / "files" / "gone.py"
    shutil.copy(script, orphan)
    found = problems(pack)
    pages = ["OPERATIONS.md", "README.md", "get_file.md"]
    assert [p.path.name for p in found] == ["get_file.py", *pages, "gone.py"]

    for problem in found:
        problem.fix()

    assert not problems(pack)
    assert "Get a file." in script.read_text()
    assert not orphan.exists()


def test_a_stale_exception_is_a_problem(pack):
    path = pack / "schemas" / "_exceptions.yaml"
    path.write_text("files/get_file:\n  id:\nfiles/gone:\n  id: because\n")

    words = [problem.what for problem in problems(pack)]

    assert any("no reason" in what for what in words)
    assert any("stale" in what for what in words)


def test_upstream_tells_what_is_new_gone_and_changed(pack, tmp_path):
    spec = {
        "servers": [{"url": "https://api.together.ai/v1"}],
        "paths": {
            "/files/{id}": {"get": {"parameters": [{"name": "q", "in": "query"}]}},
            "/brand/new": {
                "post": {"requestBody": {"$ref": "#/components/requestBodies/B"}}
            },
        },
        "components": {"requestBodies": {"B": {"content": {}}}},
    }
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(spec))

    assert differences(path, pack) == [
        "new      POST /v1/brand/new",
        "changed  files/get_file: query q is new",
    ]
    del spec["paths"]["/files/{id}"]
    path.write_text(yaml.safe_dump(spec))
    assert "gone     files/get_file (GET /v1/files/{})" in differences(path, pack)


def test_upstream_tells_changed_members(tmp_path):
    body = {
        "allOf": [{"properties": {"input": {}, "newer": {}}}],
        "anyOf": [{"required": ["model"]}, {"required": ["model", "input"]}],
        "properties": {"model": {}},
    }
    content = {"application/json": {"schema": body}}
    post = {"requestBody": {"content": content}}
    path = tmp_path / "spec.json"
    path.write_text(json.dumps({"paths": {"/v1/embeddings": {"post": post}}}))

    lines = [line for line in differences(path) if "embeddings" in line]

    assert lines == [
        "changed  embeddings/create_embeddings: body.newer is new",
        "changed  embeddings/create_embeddings: body.input is optional now",
    ]


@pytest.mark.parametrize(
    "text",
    [
        *("[]", "paths: [1]", "paths: {/a: 1}", "paths: {/a: {get: 1}}", "paths: null"),
        "paths: {/a: {get: {parameters: [{$ref: '#/none'}]}}}",
        "paths: {/a: {get: {parameters: [{$ref: '#/b'}]}}}\nb: {$ref: '#/b'}",
        "servers: [{}]\npaths: {/a: {get: {}}}",
    ],
)
def test_upstream_says_what_is_no_document(tmp_path, text):
    path = tmp_path / "openapi.yaml"
    path.write_text(text)

    with pytest.raises(ValueError, match="is no OpenAPI document: it has"):
        differences(path)


@pytest.mark.slow
def test_the_tree_is_the_same_every_time_and_only_known_files(tmp_path):
    first = tree()

    # In another process, where sets have another order.
    code = (
        "import sys; sys.path.insert(0, '.'); from tools.tree.sync_tree import tree; "
    )
    code += "import hashlib; print(hashlib.sha256(repr(tree()).encode()).hexdigest())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == hashlib.sha256(repr(first).encode()).hexdigest()
    for path in first:
        known = path in (
            "wmill.yaml",
            "wmill-lock.yaml",
            "togetherai.resource-type.yaml",
        )
        assert known or path.startswith("f/togetherai/"), path
    found = [path for path in first if path.endswith(".py")]
    assert len(found) == len(list(scripts())) + len(module_names(ROOT))
    for path in found:
        name = path.removesuffix(".py")
        settings = load(first[f"{name}.script.yaml"])
        assert settings["lock"] == f"!inline {name}.script.lock"
        assert settings["summary"]
        lock = first[f"{name}.script.lock"].decode().splitlines()
        assert lock[0] == "# py: 3.11"
        assert all("==" in line for line in lock[1:])


HARD_TEXTS = (
    *("", " ", "1e-05", "1_000", "0o7", "16:9", "yes", "No", "null", "~", "=", "<<"),
    *("a: b", "- a", "# a", "a #b", "'a'", '"a"', "a\nb", "a\n\nb\n", "\ta", "a\\b"),
    *("\u00e9", "\U0001f600", "a" * 2000, "a b " * 500, "%a", "@a", "2026-11-28", "!a"),
)


def test_yaml_is_written_in_c_as_without_it(monkeypatch):
    monkeypatch.delattr(yaml, "CSafeDumper", raising=False)
    spec = importlib.util.spec_from_file_location("plain", yaml_text.__file__)
    plain = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plain)

    for text in HARD_TEXTS:
        value = {"a": text, "b": [text, {"c": text}], "d": {}, "e": []}
        assert yaml_text.dump(value) == plain.dump(value)
        assert load(yaml_text.dump(value)) == value


def test_a_push_is_told_to_delete_nothing():
    settings = load(tree()["wmill.yaml"])

    assert settings["keepDeleted"] is True
    assert settings["skipVariables"] is True
    assert settings["skipResources"] is True


def test_scripts_are_copied_and_stamped_with_the_helper(pack):
    path = "f/togetherai/files/get_file.py"
    before = tree(pack)[path]
    helper = sources(pack, "client")[-1]
    helper.write_text(helper.read_text() + "# changed\n")
    after = tree(pack)[path]

    source = (pack / "scripts" / f"{ONE}.py").read_bytes()
    _, found, below = source.partition(b"def main(")
    assert found + below in before
    assert before != after


def test_the_folder_can_be_another(tmp_path):
    files = tree(folder="u/me/together")

    assert "u/me/together/files/get_file.py" in files
    assert not any("folder.meta" in path for path in files)
    with pytest.raises(ValueError, match="no Windmill folder"):
        tree(folder="/etc")
    target = tmp_path / "notes"
    target.mkdir()
    (target / "mine.txt").write_text("x")
    with pytest.raises(ValueError, match="not empty"):
        build(target)


@pytest.mark.parametrize("operation", list(scripts()), ids=lambda o: o.id)
def test_a_form_shows_every_member_in_windmill_s_dialect(operation):
    shown = form(operation)

    assert list(shown["properties"]) == ["auth", *operation.arguments]
    assert shown["required"] == ["auth", *operation.required]
    if "body" in operation.arguments:
        wanted = offered(operation.arguments["body"])
        assert wanted == shown["properties"]["body"].get("order", [])
    for field in walk(shown):
        assert not ({"min", "max"} <= field.keys())
        assert not ({"minimum", "maximum", "anyOf", "$ref"} & field.keys())
        assert not isinstance(field.get("type"), list)
        if "oneOf" in field:
            titles = [variant["title"] for variant in field["oneOf"]]
            assert len(set(titles)) == len(titles) >= 2
            kinds = {}
            for variant in field["oneOf"]:
                assert variant["properties"]["label"]["enum"] == [variant["title"]]
                # Pressing another button keeps what has the same name.
                for name, inner in variant["properties"].items():
                    assert kinds.setdefault(name, inner["type"]) == inner["type"]
        # In a row, Windmill takes an empty list as a yes: meant, save of an object.
        if "properties" in field:
            assert field.get("required") != [] or "label" in field["properties"]


def offered(body):
    """The members of a body that its form shows, in order: the advanced ones last."""
    groups = hints(body).get("groups", {})
    owners = {name: g for g, own in groups.items() for name in own["of"].values()}
    members = {
        owners.get(n, n): groups.get(owners.get(n), hints(m))
        for n, m in body["properties"].items()
    }
    asked = [n for n, own in members.items() if "hidden" not in own]
    rest = [name for name in asked if "advanced" in members[name]]
    switch = [SWITCH] if rest else []
    return [name for name in asked if name not in rest] + switch + rest


def walk(field):
    if isinstance(field, dict):
        if "type" in field:
            yield field
        for value in field.values():
            yield from walk(value)
    elif isinstance(field, list):
        for value in field:
            yield from walk(value)


def test_the_first_choice_of_an_optional_union_sends_nothing():
    body = form(find("chat/create_chat_completion"))["properties"]["body"]

    assert body["properties"]["response_format"]["oneOf"][0]["title"] == LEAVE


# --- the worker --------------------------------------------------------------------


def write_script(root, text):
    place = root / "scripts" / "t" / "script.py"
    place.parent.mkdir(parents=True)
    place.write_text(text)
    (root / "scripts" / "client.py").write_text("")
    return "t/script"


WORKS = {
    "missing is None or the default": (
        "def main(a, b=5, c=None): return [a, b, c]",
        {"unknown": 1, "b": None},
        [None, 5, None],
    ),
    "bytes in, bytes out": (
        "def main(a: bytes): return a + b'!'",
        {"a": base64.b64encode(b"hi").decode()},
        base64.b64encode(b"hi!").decode(),
    ),
    "bytes in an object": ("def main(): return {'a': b'x'}", {}, {"a": "eA=="}),
    "a stream beside an object": (
        "def main():\n print('WM_STREAM: a\\\\nb')\n print('log')\n return {'c': 1}",
        {},
        {"c": 1, "wm_stream": "a\nb"},
    ),
    "a stream alone": ("def main():\n yield 'a'\n yield 'b'", {}, "ab"),
}


@pytest.mark.parametrize("name", WORKS)
def test_a_worker_does_as_windmill_s(name, tmp_path):
    text, arguments, result = WORKS[name]
    script = write_script(tmp_path, text)

    job = run(script, arguments, root=tmp_path)

    assert (0, result) == (job.exit_code, job.result)


def test_a_worker_reports_an_error_with_its_attributes(tmp_path):
    text = "def main():\n e = ValueError('no')\n e.status = 7\n raise e"

    job = run(write_script(tmp_path, text), {}, root=tmp_path)

    error = job.result["error"]
    assert job.exit_code == 1
    assert (error["message"], error["name"], error["extra"]) == (
        "no",
        "ValueError",
        {"status": 7},
    )
    assert "in main" in error["stack"]


# --- the command line --------------------------------------------------------------


def test_run_uses_the_sandbox_and_says_so():
    done = tool("run", "list_models")

    assert done.returncode == 0
    assert json.loads(done.stdout) == models.listed()
    assert "sandbox" in done.stderr


def test_run_takes_arguments_from_stdin_and_shows_the_stream():
    body = find("chat/create_chat_completion").schema["examples"][0]["body"]
    text = json.dumps({"body": {**body, "stream": True}})

    done = tool("run", "chat/create_chat_completion", "--args", "-", input=text)

    result = json.loads(done.stdout)
    assert result["wm_stream"] == result["choices"][0]["message"]["content"]
    assert result["wm_stream"] in done.stderr


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_run_reads_arguments_as_editors_save_them(encoding, tmp_path):
    place = tmp_path / "given.json"
    given = {"body": {"model": "m", "prompt": "Grüß Gott"}}
    place.write_bytes(json.dumps(given, ensure_ascii=False).encode(encoding))

    operation = find("images/generate_image")
    assert given_arguments(str(place), operation, real=False) == given


def test_run_plays_windmill_and_keeps_what_is_stored(tmp_path):
    name = "fine_tuning/download_fine_tune_model"
    done = tool("run", name, "--storage", str(tmp_path / "kept"))

    stored = json.loads(done.stdout)
    (kept,) = (tmp_path / "kept").iterdir()
    assert stored["s3"].endswith(f"/{kept.name}")
    assert kept.read_bytes() == tone()
    assert str(kept) in done.stderr
    assert "--storage" in tool("run", name).stderr


def test_a_dry_run_shows_the_api_s_request_and_no_other():
    done = tool("run", "images/generate_image", "--dry-run")

    assert json.loads(done.stdout)[-1]["url"].endswith("/v1/images/generations")


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("images/create_picture", "https://api.together.ai/v1/images/generations"),
        ("chat/ask_model", "https://api-inference.together.ai/v1/chat/completions"),
        ("batches/submit_rows", "https://api.together.ai/v1/batches"),
        ("rerank/search_documents", "https://api.together.ai/v1/rerank"),
        ("videos/collect_video", "https://api.together.ai/v2/videos/"),
    ],
)
def test_a_dry_run_of_a_step_shows_what_it_is_about(name, url):
    done = tool("run", name, "--dry-run")

    urls = [request["url"] for request in json.loads(done.stdout)]
    assert any(found.startswith(url) for found in urls), urls
    assert "stored" not in done.stderr


def test_a_failed_job_is_exit_code_1():
    done = tool("run", "get_file", "--args", '{"file_id": ""}')

    assert done.returncode == 1
    assert "file_id is required" in json.loads(done.stdout)["error"]["message"]
    assert (
        done.stderr.splitlines()[-1]
        == "error: Nothing was sent: file_id is required, and is empty"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "get_fil"], "did you mean files/get_file"),
        (["run", "flows/run_batch", "--args", "{}"], "flows/run_batch needs "),
        (["run", "get_file", "--args", '{"id": 1'], "--args is no JSON: "),
        (["run", "get_file", "--args", "[1]"], "--args is no JSON object"),
        (["run", "get_file", "--args", "none.json"], "none.json: No such file"),
        (
            ["new", "operation", "files", "get_it", "FETCH", "/v1/x"],
            "there are: GET, POST",
        ),
        (
            ["new", "operation", "files", "get_it", "GET", "v1/x"],
            "a path begins with /v1/",
        ),
        (["run", "get_file", "--args", '{"id": 1}'], "there are: file_id"),
        (["run", "get_file", "--key-env", "NO_SUCH"], "NO_SUCH is not set"),
        (["build", "--folder", "x"], "no Windmill folder"),
        (["new", "operation", "files", "get_file", "GET", "/v1/x"], "exists"),
        (["fly"], "no command fly"),
    ],
)
def test_wrong_usage_is_exit_code_2(words, message):
    done = tool(*words)

    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "name", ["clusters/create_cluster", "chat/ask_model", "files/get_file"]
)
def test_no_example_is_sent_to_a_real_service(name, sandbox):
    done = tool("run", name, "--base-url", sandbox.url, "--yes")

    assert done.returncode == 2
    assert not sandbox.requests
    example = shlex.split(done.stderr.rpartition("An example: --args ")[2])[0]
    assert json.loads(example) == find(name).schema["examples"][0]
    assert not done.stdout


def test_what_needs_no_arguments_gets_none(sandbox):
    done = tool("run", "files/list_files", "--base-url", sandbox.url)

    assert done.returncode == 0
    assert [request.query for request in sandbox.requests] == [""]


GRAVE = [
    ("clusters/create_cluster", "costs money"),
    ("endpoints/deploy_model", "costs money"),
    ("fine_tuning/submit_fine_tune", "costs money"),
    ("files/delete_file", "cannot be undone"),
    ("queue/clear_queue", "cannot be undone"),
]


@pytest.mark.parametrize(("name", "words"), GRAVE)
def test_what_is_grave_is_asked_or_wants_yes(name, words, sandbox):
    example = json.dumps(find(name).schema["examples"][0])
    given = ("run", name, "--base-url", sandbox.url, "--args", example)
    done = tool(*given)

    assert done.returncode == 2
    assert f"{name} {words}. Nobody is at a terminal to be asked" in done.stderr
    assert not sandbox.requests
    assert "Nobody" not in tool(*given, "--yes").stderr
    assert sandbox.requests


def test_a_person_at_the_terminal_is_asked(sandbox):
    command = [sys.executable, "-m", "tools", "run", "files/delete_file"]
    command += ["--base-url", sandbox.url, "--args", '{"file_id": "file-1"}']
    for answer, code in ((b"no\n", 1), (b"y\n", 0)):
        person, terminal = os.openpty()
        os.write(person, answer)
        done = subprocess.run(command, cwd=ROOT, stdin=terminal, capture_output=True)
        os.close(person)
        os.close(terminal)
        assert done.returncode == code, done.stderr
        assert b"cannot be undone. Run it? [y/N]" in done.stderr
        assert bool(sandbox.requests) is (answer == b"y\n")


def test_other_methods_than_get_are_grave():
    cancel, operation = find("waits/cancel_job"), find("organization/call_operation")

    assert graveness(cancel, {}) == "waits/cancel_job cannot be undone."
    assert graveness(operation, {"method": "GET", "path": "/v1/x"}) is None
    why = graveness(operation, {"method": "DELETE", "path": "/v1/x"})
    assert why == "organization/call_operation sends DELETE /v1/x."


@pytest.mark.parametrize(
    "key", ["tgp_v1_SECRET0123456789abcdef", "0123456789abcdef" * 4, "A1" * 32]
)
def test_a_key_in_place_of_its_name_is_not_repeated(key):
    done = tool("run", "list_models", "--key-env", key)

    assert done.returncode == 2
    assert key not in done.stdout + done.stderr
    assert "not the key" in done.stderr or "the key itself" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)]
)
def test_a_run_that_is_ended_leaves_no_job_behind(number, code, tmp_path):
    listener = socket.create_server(("127.0.0.1", 0))
    command = [sys.executable, "-m", "tools", "run", "files/get_file", "--base-url"]
    command += [f"http://127.0.0.1:{listener.getsockname()[1]}"]
    command += ["--args", '{"file_id": "f"}']
    with listener:
        environment = {**os.environ, "TMPDIR": str(tmp_path)}
        process = subprocess.Popen(command, cwd=ROOT, env=environment)
        asked, _ = listener.accept()  # by the job, which now waits for an answer
        process.send_signal(number)
        ended = process.wait(120)
        with asked:
            asked.settimeout(60)
            while asked.recv(65536):
                pass  # until the job, too, has gone

    assert ended == code
    assert not list(tmp_path.iterdir())


def test_the_log_comes_while_the_job_is_at_work():
    listener = socket.create_server(("127.0.0.1", 0))
    command = [sys.executable, "-m", "tools", "run", "files/get_file", "--base-url"]
    command += [f"http://127.0.0.1:{listener.getsockname()[1]}"]
    command += ["--args", '{"file_id": "f"}']
    with listener:
        process = subprocess.Popen(
            command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        answer = b"HTTP/1.1 503 Busy\r\ncontent-length: 2\r\n\r\n{}"
        with listener.accept()[0] as asked:
            asked.recv(65536)
            asked.sendall(answer)
            said = process.stderr.readline()  # the answer to the second try is due
        process.terminate()
        process.communicate(timeout=120)

    assert b"together: 503 Busy (GET /v1/files/f): try 2 in " in said


def test_a_dry_run_shows_the_request_without_the_key():
    done = tool("run", "chat/create_chat_completion", "--dry-run")

    (shown,) = json.loads(done.stdout)
    assert shown["url"] == "https://api-inference.together.ai/v1/chat/completions"
    assert shown["headers"]["authorization"] == "Bearer ***"
    assert shown["body"]["model"]


@pytest.mark.parametrize(
    "command",
    [
        "check",
        "fix",
        "new",
        "migrate",
        "site",
        "release",
        "build",
        "deploy",
        "run",
        "sandbox",
        "demo",
        "bench",
        "test",
    ],
)
def test_every_command_has_help(command):
    done = tool(command, "--help")

    assert done.returncode == 0
    assert "usage" in done.stdout


@pytest.mark.slow
def test_the_demo_shows_text_then_the_result():
    done = subprocess.run(
        [sys.executable, "-m", "tools", "demo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )

    result = json.loads(done.stdout)
    assert result["wm_stream"] in done.stderr
    assert result["choices"][0]["message"]["content"] == result["wm_stream"]


def test_scripts_import_only_what_a_worker_has():
    code = (
        "import sys; sys.path.insert(0, '.'); import scripts.files.get_file;"
        "print({'jsonschema', 'yaml', 'requests', 'httpx'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )

    assert done.stdout.strip() == "set()"
