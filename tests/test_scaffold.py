"""`./dev new` leads to a green check: all that it leaves to do is named at once."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.source_files import source_files
from tools.commands.check import ruff_problems
from tools.operations import ROOT
from tools.schemas.scaffold import flow, operation, step

RENAME = ("files/rename_file", "POST", "/v1/files/{file_id}/rename")
READ = ("audio/read_dialogue", "POST", "/v1/audio/dialogues")
WRONG = [
    (lambda: operation(ROOT, "files/get_file", "GET", "/v1/x"), "get_file.json exists"),
    (lambda: operation(ROOT, "files/getFile", "GET", "/v1/x"), "a verb and a noun"),
    (lambda: operation(ROOT, "files/dialogue", "GET", "/v1/x"), "a verb and a noun"),
    (lambda: operation(ROOT, "Files/get_it", "GET", "/v1/x"), "no name of a group"),
    (lambda: operation(ROOT, "files/get_it", "FETCH", "/v1/x"), "is no method"),
    (lambda: operation(ROOT, "files/get_it", "GET", "v1/x"), "begins with /v1/"),
    (lambda: operation(ROOT, "files/get_it", "GET", "/v1/{a-b}"), "in braces"),
    (lambda: operation(ROOT, "files/get_it", "GET", "/v1/x?a=b"), "no part of it"),
    (lambda: step(ROOT, "chat/write_it", "Elsewhere"), "there are: Start here; Tables"),
    (lambda: step(ROOT, "chat/ask_it", "Tables", "chat_steps"), "chat_steps.py exists"),
    (lambda: step(ROOT, "chat/ask_it", "Tables", "chat"), "named <what>_steps"),
    (lambda: step(ROOT, "chat/ask_it", "Tables", "file_steps"), "file_steps exists"),
    (lambda: flow(ROOT, "run_batch"), "flows/run_batch.yaml exists"),
    (lambda: flow(ROOT, "wait_for_job"), "flows/inner/wait_for_job.yaml exists"),
    (lambda: flow(ROOT, "ask_model"), "schemas/chat/ask_model.json exists"),
    (lambda: flow(ROOT, "ask_a_pdf"), "recipes/ask_a_pdf.yaml exists"),
    (lambda: operation(ROOT, "models/get_file", "GET", "/v1/x"), "files/get_file.json"),
    (lambda: operation(ROOT, "chat/run_batch", "GET", "/v1/x"), "run_batch.yaml exist"),
    (lambda: operation(ROOT, "flows/get_it", "GET", "/v1/x"), "'flows' can be no"),
    (lambda: operation(ROOT, "inner/get_it", "GET", "/v1/x"), "'inner' can be no"),
    (lambda: operation(ROOT, "recipes/get_it", "GET", "/v1/x"), "'recipes' can be no"),
    (lambda: operation(ROOT, "import/get_it", "GET", "/v1/x"), "'import' can be no"),
    (lambda: operation(ROOT, "client/get_it", "GET", "/v1/x"), "scripts/client/__init"),
    (lambda: step(ROOT, "checkpoint/get_it", "Tables"), "scripts/checkpoint.py is a"),
    (
        lambda: operation(ROOT, "files/get_it", "get", "/v1/files/{one}"),
        "GET /v1/files/{one} is files/get_file already",
    ),
    (lambda: flow(ROOT, "batch"), "a verb and a noun"),
]


@pytest.mark.parametrize(("make", "message"), WRONG)
def test_what_cannot_be_begun_is_refused(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


def test_an_operation_s_skeleton_has_its_request_and_arguments():
    (text,) = operation(ROOT, *RENAME).values()

    schema = json.loads(text)
    request = {"method": "POST", "path": RENAME[2], "retry": "creates"}
    assert schema["x-operation"] == request
    assert list(schema["properties"]) == ["file_id", "body"]


def test_a_step_stands_under_its_heading_and_in_its_layer():
    files = step(ROOT, "chat/shorten_text", "Tables")

    tables = files["schemas/_shelves.yaml"].split("Tables:\n")[1].split("\nSearch")[0]
    assert tables.endswith("  - chat/shorten_text")
    lines = files["tools/checks/layers.py"].splitlines()
    at = lines.index('        "shorten_steps",')
    before, after = (lines[n].strip(' ",').split("/")[-1] for n in (at - 1, at + 1))
    assert before < "shorten_steps" < after
    before = (ROOT / "tools" / "checks" / "layers.py").read_text().splitlines()
    assert [*lines[:at], *lines[at + 1 :]] == before, "nothing else moves"


def test_what_ruff_says_is_counted(tmp_path, capsys):
    (tmp_path / "bad.py").write_text("x = {  }\ny = z\n")
    assert ruff_problems(tmp_path) == 2
    said = capsys.readouterr().err.splitlines()
    assert "F821" in said[0]
    assert said[1].endswith("[fix]")

    (tmp_path / "bad.py").write_text("x = {}\n")
    assert ruff_problems(tmp_path) == 0
    assert capsys.readouterr().err == ""


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """What a newcomer has: the pack's own files, and no more."""
    place = tmp_path_factory.mktemp("clone")
    for name in source_files(ROOT):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, place / name)
    return place


@pytest.mark.slow
def test_a_newcomer_comes_to_a_green_check(clone):
    def dev(*words):
        done = subprocess.run(
            [sys.executable, "-m", "tools", *words],
            cwd=clone,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stderr

    assert dev("new", "step", "chat", "shorten_text")[0] == 0
    assert dev("new", "flow", "shorten_folder")[0] == 0
    assert dev("new", "operation", *RENAME[0].split("/"), *RENAME[1:])[0] == 0
    assert dev("new", "operation", *READ[0].split("/"), *READ[1:])[0] == 0
    made = [
        Path("schemas/chat/shorten_text.json"),
        Path("schemas/files/rename_file.json"),
        Path("schemas/audio/read_dialogue.json"),
        Path("scripts/shorten_steps.py"),
        Path("tests/test_shorten_steps.py"),
        Path("flows/shorten_folder.yaml"),
    ]

    code, said = dev("check")
    assert code == 1
    for file in made:  # all in one wave
        left = len(re.findall("TODO", (clone / file).read_text()))
        assert said.count(f"{file}: ") >= left > 0, said
    last = said.splitlines()[-1]
    left = re.search(r", (\d+) problems: \1 of the pack's own checks$", last)
    assert left, said
    assert len(re.findall(r"(?m)^\S+: ", said)) == int(left[1])

    code, said = dev("release", "--target", "out")
    assert (code, "error: nothing released, these sources" in said) == (1, True), said
    assert not (clone / "out").exists()

    for file in made:
        text = (clone / file).read_text()
        text = text.replace('"title": "TODO"', f'"title": "Try {file.stem}"')
        text = text.replace('"TODO"', '"Something of it"')
        text = text.replace("TODO: its title", "Try a flow")
        text = text.replace("TODO:", "This is said about it:")
        (clone / file).write_text(text)
    schema = json.loads((clone / made[1]).read_text())
    schema["required"] = ["file_id", "body"]
    schema["properties"]["body"]["properties"] = {
        "name": {"title": "Name", "description": "The new one.", "type": "string"}
    }
    schema["properties"]["body"]["required"] = ["name"]
    schema["examples"] = [{"file_id": "file-1", "body": {"name": "a.jsonl"}}]
    schema["x-reply"] = {"id": "file-1", "filename": "a.jsonl"}
    (clone / made[1]).write_text(json.dumps(schema))
    schema = json.loads((clone / made[2]).read_text())
    (clone / made[2]).write_text(json.dumps(dialogue(schema)))

    code, said = dev("run", "files/rename_file", "--dry-run")
    assert code == 2
    assert "files/rename_file is not rendered yet: ./dev fix writes it" in said

    code, said = dev("fix")
    assert code == 0, said
    assert "wrote scripts/chat/shorten_text.py" in said
    code, said = dev("check")
    assert (code, said.splitlines()[-1].split(",")[1]) == (0, " 0 problems"), said
    words = ["-n0", "-q", "tests/test_shorten_steps.py", "tests/test_flows.py"]
    words += [f"tests/test_{name}.py" for name in ("contract", "form", "media_output")]
    words += ["tests/test_sandbox_refusals.py"]
    mine = "(shorten or rename_file or read_dialogue) and not worker"
    done = dev("test", *words, "-k", mine)
    assert done[0] == 0, done


def dialogue(schema):
    """A request with a file, a text that may be null, a list and an object within an
    object; bytes come back."""
    text = {"title": "T", "description": "What is said.", "type": "string"}
    word = {**text, "type": "object", "properties": {"word": text}}
    accents = {**text, "type": ["array", "null"], "items": word}
    voice = {"name": text, "speed": {**text, "type": "number"}, "accents": accents}
    schema["x-operation"] |= {
        "retry": "inference",
        "content": "multipart",
        "reply": "binary",
        "filename": "dialogue",
    }
    schema["properties"]["body"]["properties"] = {
        "model": text,
        "script": {**text, "format": "binary", "x-file": "uri"},
        "hint": {**text, "type": ["string", "null"]},
        "names": {**text, "type": "array", "items": {"type": "string"}},
        "voice": {**text, "type": "object", "properties": voice},
    }
    schema["properties"]["body"]["required"] = ["model", "script"]
    speech = json.loads((ROOT / "schemas/audio/create_speech.json").read_text())
    schema["properties"]["output"] = speech["properties"]["output"]
    schema["required"] = ["body"]
    least = {"model": "<model:speech>", "script": "data:text/plain;base64,aGk="}
    voice = {"name": "a", "speed": 1.5, "accents": [{"word": "b"}]}
    most = {**least, "hint": None, "names": ["a", "b"], "voice": voice}
    schema["examples"] = [{"body": least}, {"body": most, "output": "storage"}]
    del schema["x-reply"]
    return schema
