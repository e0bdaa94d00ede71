"""The one place where the ids of models stand, and what is made of it."""

import json
import shutil
import subprocess
import sys

import pytest

from scripts.catalog.catalog import TASKS
from tests.support.source_files import source_files
from tools import models
from tools.checks.checks import problems
from tools.operations import ROOT
from tools.schemas.upstream import model_differences

GONE = sorted(models.retired())


def tool(*words):
    return subprocess.run(
        [sys.executable, "-m", "tools", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_a_word_gets_its_id_and_an_unknown_one_is_named():
    assert models.filled_in("<model:chat>, x") == f"{models.model('chat')}, x"
    with pytest.raises(ValueError, match="<model:nobody>"):
        models.filled_in("a <model:nobody>")


def test_no_retired_model_is_named_or_recommended():
    listed = models.known()
    names = [entry["id"] for entry in listed["models"]]

    assert len(names) == len(set(names))
    assert not set(names) & set(GONE)
    assert {task for entry in listed["models"] for task in entry["tasks"]} <= set(TASKS)
    for name, other in models.retired().items():
        assert other is None or other in names, name


def test_an_id_is_told_from_a_longer_one():
    assert models.retired_in(models.model("speech_other")) == []
    assert models.retired_in(f"{GONE[0]}.") == [GONE[0]]
    assert models.retired_in(f'"{GONE[0]}"') == [GONE[0]]


def test_no_file_of_the_project_names_a_retired_model():
    """As grep would find it, whatever the ending of the file; but where they are
    listed, and in what is told of earlier versions."""
    names = source_files(ROOT)
    bare = [name.rpartition("/")[2] for name in GONE]
    words = [*GONE, *(name for name in bare if any(sign.isdigit() for sign in name))]
    found = {}
    for name in names:
        text = (ROOT / name).read_bytes().lower()
        # An id of today may begin with one that is gone.
        for other in models.known()["models"]:
            text = text.replace(other["id"].lower().encode(), b"")
        if any(word.lower().encode() in text for word in words):
            found[name] = models.retired_in(text.decode())

    assert models.NAMED_HERE in found
    assert {*found} <= {"CHANGELOG.md", models.NAMED_HERE}, found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("as {} does", True),
        ("an acme/my-{}", False),
        ("{}-of-mine", False),
        ("with sonic speed", False),
    ],
)
def test_a_retired_model_is_told_without_its_publisher_too(text, told):
    bare = models.model("chat_before_1_0_0").rpartition("/")[2]

    assert bool(models.retired_in(text.format(bare))) is told
    assert bool(models.retired_in(text.format(bare.upper()))) is told


def test_check_finds_a_retired_id_wherever_it_stands(one_step):
    places = ("schemas/x.yaml", "tests/test_x.py", "README.md", "docs/more.md")
    for place in places:
        path = one_step / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"such as {name}, say\n" for name in GONE))
    found = problems(one_step)
    told = {(str(p.path.relative_to(one_step)), p.what.split()[1]) for p in found}

    assert {(place, f"{name},") for place in places for name in GONE} <= told


def test_check_wants_a_word_where_a_source_names_an_id(one_step):
    (one_step / "flows").mkdir()
    (one_step / "flows" / "x.md").write_text(models.model("chat"))
    found = [p.what for p in problems(one_step) if p.path.name == "x.md"]

    assert found
    assert "say <model:word>" in found[0]


def test_the_catalogue_of_the_sandbox_agrees_with_the_list(sandbox):
    """Both of its answers, from a file and from an address, page by page."""
    for answer in (models.listed(), {"data": models.supported()}):
        assert list(models.differences(answer)) == []
    for path in ("/v1/models", "/v2/supported-models"):
        assert model_differences(sandbox.url + path, "k") == []
    asked = [r for r in sandbox.requests if r.path == "/v2/supported-models"]
    assert asked[0].headers["authorization"] == "Bearer k"


def test_pages_of_a_catalogue_are_joined(sandbox):
    sandbox.answers["list_supported_models"] = lambda given: models.supported_page(
        {**given, "limit": 4}
    )

    assert model_differences(f"{sandbox.url}/v2/supported-models", "k") == []
    assert len(sandbox.requests) > 3


@pytest.mark.slow
def test_what_a_catalogue_no_longer_offers_is_told(tmp_path):
    served = models.supported()
    chat, vision = models.model("chat"), models.model("vision")
    for entry in served:
        if entry["name"] == vision:
            entry["status"] = "SUPPORTED_MODEL_STATUS_DEPRECATED"
        if entry["name"] == models.model("speech"):
            entry |= {"products": ["PRODUCT_DEDICATED"], "serverlessEndpoint": ""}
        if entry["name"] == GONE[0]:
            entry["status"] = "SUPPORTED_MODEL_STATUS_SUPPORTED"
            entry["products"] = ["PRODUCT_SERVERLESS"]
    served = [entry for entry in served if entry["name"] != chat]
    file = tmp_path / "catalogue.json"
    file.write_text(json.dumps({"data": served}))

    done = tool("upstream", "--models", str(file))

    assert done.returncode == 1
    told = {line.split()[1].rstrip(":"): line for line in done.stdout.splitlines()}
    assert set(told) == {chat, vision, models.model("speech"), GONE[0]}
    assert told[chat].startswith("gone ")
    assert told[vision].startswith("deprecated ")
    assert told[models.model("speech")].startswith("dedicated ")
    assert told[GONE[0]].startswith("back ")
    file.write_text(json.dumps(models.listed()))
    assert tool("upstream", "--models", str(file)).returncode == 0


@pytest.mark.parametrize("text", ["<html>", '"text"', '{"error": "no"}'])
def test_what_is_no_catalogue_is_said_to_be_none(text, tmp_path):
    file = tmp_path / "catalogue.json"
    file.write_text(text)

    with pytest.raises(ValueError):  # noqa: PT011, of three kinds
        model_differences(str(file))


@pytest.mark.slow
def test_the_list_that_forms_fall_back_to_is_rendered(one_step):
    place = one_step / "scripts" / "catalog" / "known_models.py"
    place.write_text(place.read_text().replace("20", "19"))
    shutil.copy(ROOT / models.NAMED_HERE, one_step / models.NAMED_HERE)

    (found,) = [p for p in problems(one_step) if p.path == place]

    assert found.fixable
    found.fix()
    assert not [p for p in problems(one_step) if p.path == place]
