"""What a person types: help, lists, names of steps, completion, and what is refused."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.support.command_line import tool
from tools.cli.command_line import NAMES, parser_of
from tools.cli.naming import runnable_named
from tools.commands.test import placed
from tools.operations import ROOT, scripts
from tools.pages.recipes import recipes
from tools.schemas.shelves import misplaced, shelves


@pytest.mark.parametrize("words", [[], ["help"], ["--help"], ["-h"]])
def test_alone_it_shows_what_there_is(words):
    done = tool(*words)

    assert done.returncode == 0
    assert "Use the pack:" in done.stdout
    assert "./dev run chat/ask_model --help" in done.stdout


def test_help_names_every_command_and_no_other():
    shown = re.findall(r"^  ([a-z]+) +[A-Z]", tool("help").stdout, re.M)
    modules = [path.stem for path in (ROOT / "tools/commands").glob("[!_]*.py")]

    assert sorted(shown) == sorted(modules) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_command_needs_no_other_s_arguments(name):
    """Only the module of the first word is loaded."""
    whole = parser_of()._subparsers._group_actions[0].choices[name]
    alone = parser_of([name])._subparsers._group_actions[0].choices[name]

    assert alone.format_help() == whole.format_help()


def test_a_list_shows_every_step_and_what_a_group_has():
    whole = tool("list").stdout
    batches = tool("list", "batches").stdout

    assert all(step.id in whole for step in scripts(ROOT) if step.step is not None)
    assert "flows/run_batch" in whole
    mine = [one.id for one in scripts(ROOT) if one.group == "batches"]
    assert sorted(line.split()[0] for line in batches.splitlines()) == mine
    assert "chat/map_rows" in tool("list", "tables").stdout
    assert "inner/wait_for_job" in tool("list", "flows").stdout
    assert "flows/" not in tool("list", "inner").stdout
    assert {one.id for one in recipes()} == {
        line.split()[0] for line in tool("list", "recipes").stdout.splitlines()
    }
    assert "./dev list recipes" in whole


def test_a_group_that_there_is_not_is_told_with_those_that_there_are():
    done = tool("list", "batch")

    assert done.returncode == 2
    assert "did you mean batches?" in done.stderr


def test_a_list_may_be_cut_off():
    words = f"{sys.executable} -m tools list | head -1"
    done = subprocess.run(words, shell=True, cwd=ROOT, capture_output=True, text=True)

    assert done.stdout == "Start here\n"
    assert done.stderr == ""


def test_every_step_has_its_place_in_the_lists(tmp_path):
    assert misplaced(ROOT) == []
    assert next(iter(shelves(ROOT))) == "Start here"

    step = tmp_path / "schemas/chat/one.json"
    step.parent.mkdir(parents=True)
    step.write_text('{"x-step": "script"}')
    (tmp_path / "schemas/_shelves.yaml").write_text("A: [chat/two, chat/two]\n")
    assert misplaced(tmp_path) == [
        "chat/one is a step: write it under a heading",
        "there is no step chat/two",
        "chat/two stands there twice",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "chat/ask_model",
        "ask_model",
        "f/togetherai/chat/ask_model",
        "u/me/together/chat/ask_model",
        "schemas/chat/ask_model.json",
        "./scripts/chat/ask_model.py",
        str(ROOT / "schemas/chat/ask_model.json"),
    ],
)
def test_a_step_is_named_in_many_ways(text):
    assert runnable_named(text).id == "chat/ask_model"


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("flows/run_batch", "flows/run_batch"),
        ("flows/run_batch.yaml", "flows/run_batch"),
        ("f/togetherai/flows/run_batch", "flows/run_batch"),
        ("build/f/togetherai/flows/run_batch__flow/flow.yaml", "flows/run_batch"),
        ("run_batch", "flows/run_batch"),
        ("flows/inner/wait_for_job.yaml", "inner/wait_for_job"),
    ],
)
def test_a_flow_is_named_in_many_ways(text, id):
    assert runnable_named(text).id == id


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("chat/ask_modle", "did you mean chat/ask_model"),
        ("maprows", "did you mean chat/map_rows"),
        ("audio/ask_model", "did you mean chat/ask_model"),
        ("", "`./dev list` shows all"),
        ("/", "`./dev list` shows all"),
        ("qqqqqqq", "`./dev list` shows all"),
    ],
)
def test_what_no_step_is_called_is_answered_with_those_near(text, hint):
    with pytest.raises(ValueError, match="no script or flow") as raised:
        runnable_named(text)
    assert hint in str(raised.value)


@pytest.mark.parametrize("text", ["chat", "flows/", "recipes", "batches/"])
def test_a_group_that_is_run_is_told_as_one(text):
    group = text.rstrip("/")
    with pytest.raises(ValueError, match=f"{group} is a group: `./dev list {group}`"):
        runnable_named(text)


def test_a_flow_that_cannot_be_read_is_in_the_way_of_itself_alone(
    tmp_path, monkeypatch
):
    for name in ("flows", "schemas", "recipes"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "flows" / "draw_rows.yaml").write_text("a: [")
    (tmp_path / "recipes" / "failover.yaml").write_text("- a")
    monkeypatch.setattr("tools.cli.naming.ROOT", tmp_path)

    assert runnable_named("map_rows").id == "chat/map_rows"
    assert runnable_named("flows/run_batch").id == "flows/run_batch"
    for text in ("draw_rows", "flows/draw_rows", "recipes/failover"):
        name = text.rpartition("/")[2]
        with pytest.raises(ValueError, match=f"{name}.yaml cannot be read: "):
            runnable_named(text)


@pytest.mark.parametrize(
    "words", [["--args", "{prompt:", "Hi}"], ["--args", "{'prompt': 'Hi'}"], ["{}"]]
)
def test_json_that_a_shell_took_apart_is_told_how_to_be_quoted(words):
    done = tool("run", "chat/ask_model", *words)

    assert done.returncode == 2
    assert """--args '{"prompt": "Hi"}', single quotes around all""" in done.stderr


def test_help_tells_of_a_step_too():
    assert (
        tool("help", "chat/ask_model").stdout
        == tool("run", "chat/ask_model", "--help").stdout
    )


@pytest.mark.parametrize("name", ["run", "sandbox", "completion"])
def test_help_of_a_command_is_that_command_s_help(name):
    asked = tool("help", name)

    assert asked.returncode == 0
    assert asked.stdout == tool(name, "--help").stdout
    assert f"usage: ./dev {name}" in asked.stdout


def test_a_step_s_help_shows_what_it_takes_and_gives():
    shown = tool("run", "ask_model", "--help").stdout

    assert "prompt (text, required): Prompt" in shown
    assert "max_tokens (integer): Longest answer" in shown
    assert "own setting. At least 0." in " ".join(shown.split())
    assert '--args \'{"prompt"' in shown
    assert "Gives: The answer as text" in shown


def test_a_flow_s_help_shows_what_it_needs_and_how_to_try_it():
    shown = tool("run", "run_batch", "--help").stdout

    assert "rows (file, required): Rows" in shown
    for word in ("Needs: Patience", "Costs: Half", "Leaves: ", "Remove: Delete"):
        assert word in shown
    assert "  ./dev run flows/run_batch --fast --args '{" in shown
    recipe = tool("run", "recipes/failover", "--help").stdout
    assert 'Gives: {"text"' in recipe
    assert "  ./dev run recipes/failover --fast --args '{" in recipe


def test_help_of_a_step_s_name_alone_is_the_step_s():
    whole = tool("help", "chat/ask_model").stdout

    assert tool("help", "ask_model").stdout == whole
    assert whole.startswith("chat/ask_model: ")
    assert tool("help", "run_batch").stdout.startswith("flows/run_batch: ")


def test_rarely_used_options_are_told_of():
    assert "3 none is\nknown and not everything" in tool("audit", "--help").stdout
    text = " ".join(tool("simulate", "--help").stdout.split())
    assert "--json JSON in place of lines" in text
    assert "--no-storage of a workspace without object storage" in text


def test_a_build_says_what_comes_first_first(tmp_path):
    said = tool("build", "--target", str(tmp_path / "b")).stderr

    assert said.index("wmill folder push") < said.index("wmill sync push")


def test_help_tells_of_each_command_in_whole_sentences():
    commands = parser_of()._subparsers._group_actions[0]

    assert all(one.help.endswith(".") for one in commands._choices_actions)


def test_every_step_and_flow_has_such_help():
    from tools.cli.overview import described
    from tools.flows.pack_flows import flows

    for found in [*scripts(ROOT), *flows(ROOT)]:
        text = "\n".join(described(found))
        assert all(f"  {name} (" in text for name in found.arguments), found.id
        if "inner/" not in found.id:
            assert "\nGives: " in text, found.id


def test_what_run_wants_is_told():
    assert "the name of a step" in tool("run").stderr
    assert "--key-env" in tool("run", "--help").stdout


CLOSED = "http://127.0.0.1:9"
NOWHERE = ("--workspace", "w", "--base-url", CLOSED, "--token", "t")
NOWHERE = (*NOWHERE, "--dry-run")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sandbox", "--port", "99999"], "99999 is no port"),
        (["sandbox", "--port", "-1"], "-1 is no port"),
        (["run", "ask_model", "--args", ""], "--args is empty"),
        (["run", "ask_model", "--args", '{"promt": "x"}'], "did you mean prompt?"),
        (["run", "get_identity", "--args", '{"x": 1}'], "the step takes none"),
        (["run", "ask_model", "--args", "prompt"], "No such file, and it is no JSON"),
        (["run", "ask_model", "--args", "prompt" * 999], "and it is no JSON"),
        (["lst"], "no command lst; did you mean list? ./dev help lists all"),
        (["--mystery"], "required: COMMAND"),
        (["list", "batch"], "or the beginning of a heading: Start here, Tables"),
        (["list", "chat/ask_model"], "is no group: ./dev run chat/ask_model --help"),
        (["help", "lst"], "no command lst; did you mean list?"),
        (["help", "ask_modl"], "no command ask_modl, and no script or flow ask_modl; "),
        (["simulate", "--rows", "abc"], "--rows: 'abc' is no number: give one such as"),
        (["simulate", "--rows", "nan"], "--rows: nan is too small: give one such as"),
        (["simulate", "--rows", "1e18"], "--rows: 1e18 is too large: 1e+15 at most"),
        (["simulate", "--files", "-1"], "--files: -1 is too small: give one such as"),
        (["simulate", "--files", "5", "--way", "batch"], "--way is for --rows: files"),
        *(
            (["simulate", "--rows=9", f"--{name}", value], f"--{name}: {value} {why}")
            for name, value, why in [
                ("latency", "inf", "is not finite"),
                ("latency", "nan", "is not finite"),
                ("latency", "0", "is too small"),
                ("batch-share", "5", "is too large: 1 at most"),
                ("at-once", "-1", "is too small: 0 at least"),
                ("workers", "0", "is too small: 1 at least"),
                ("usd-per-row", "-1", "is too small: 0 at least"),
            ]
        ),
        (["bench", "--rounds", "-1"], "--rounds: -1 is too small: 1 at least"),
        (["bench", "--rows", "x"], "--rows: 'x' is no number"),
        (["screenshots", "--workspace", "w"], "--workspace needs --base-url"),
        (["screenshots", "--target", "x", "nope"], "there is no step nope"),
        (["upstream", "--models", CLOSED], f"{CLOSED} gave no answer: the connection"),
        (["simulate", "--rows", "9", "--rate", "x/y"], "--rate 'x/y' is none: give"),
        (["probe", "nope"], "invalid choice: 'nope'"),
        (["probe", "load", "--keep"], "unrecognized arguments: --keep"),
        (["probe", "prism"], "the following arguments are required: document"),
        (["probe", "fuzz", "--seconds", "9", "nope"], "no target nope; there are: ev"),
        (["probe", "fuzz", "nope", "--seconds", "9"], "no target nope; there are: ev"),
        (["probe", "fuzz", "--seconds", "0"], "0 is too small: 1 at least"),
        (["probe", "fuzz", "--seconds", "x"], "'x' is no whole number"),
        (["mutate", "nope"], "no mutant is called nope: give such as"),
        (["mutate", "scripts.client.form"], "no mutant is called scripts.client.form"),
        (["deploy", *NOWHERE, "--groups", "chat,nope"], "no group nope; there are ag"),
        (["sandbox", "--fail", "foo"], "error: --fail: 'foo' is no fault"),
        (
            ["new", "operation", "fils", "get_it", "GET", "/v1/x"],
            "no group fils; did you mean files? --new-group makes a new one",
        ),
    ],
)
def test_wrong_words_are_answered_in_words(words, said):
    done = tool(*words)

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_windmill_that_does_not_answer_is_told_in_words():
    words = ("live", "--base-url", CLOSED, "--workspace", "w")

    done = tool(*words, WM_TOKEN="t")

    assert done.returncode == 1
    assert f"Windmill at {CLOSED} gave no answer: the connection was" in done.stderr
    assert "HTTPConnectionPool" not in done.stderr


def test_paths_of_tests_are_the_caller_s_or_the_pack_s(tmp_path, monkeypatch):
    (tmp_path / "pack" / "tests").mkdir(parents=True)
    (tmp_path / "pack" / "tests" / "test_a.py").touch()
    pack = tmp_path / "pack"
    here = pack / "tests" / "test_a.py"

    def of(folder, *words):
        monkeypatch.chdir(folder)
        return placed(list(words), pack)

    assert of(pack, "./tests/test_a.py::test_b") == ([f"{here}::test_b"], True)
    assert of(pack / "tests", "-x", "test_a.py") == (["-x", str(here)], True)
    assert of(tmp_path, "tests/test_a.py", "-x") == (["tests/test_a.py", "-x"], True)
    values = ["-k", "tests", "-m", "slow"]
    assert of(pack, *values) == (values, False)
    assert of(tmp_path, "none.py") == (["none.py"], False)


def test_a_mistake_of_the_tools_is_no_wrong_usage(monkeypatch):
    def run(_):
        raise KeyError("a member that the tools expected")

    monkeypatch.setattr("tools.commands.list.run", run)

    with pytest.raises(KeyError, match="expected"):
        tool("list")


def test_a_port_that_is_taken_is_named(sandbox):
    port = sandbox.url.rpartition(":")[2]
    done = tool("sandbox", "--port", port)

    assert done.returncode == 2
    assert f"port {port} is taken" in done.stderr


def test_storage_is_looked_at_before_anything_is_sent(sandbox, tmp_path):
    (tmp_path / "file").touch()
    words = ["run", "chat/ask_model", "--args", '{"prompt": "x"}']
    words += ["--base-url", sandbox.url, "--storage", str(tmp_path / "file")]
    done = tool(*words)

    assert done.returncode == 2
    assert str(tmp_path / "file") in done.stderr
    assert not sandbox.requests


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_are_told_how_to_complete(shell):
    done = tool("completion", shell)

    assert done.returncode == 0
    assert "_ARGCOMPLETE" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("./dev undep", "undeploy "),
        ("./dev run ch", "chat/"),
        ("./dev run chat/map", "chat/map_rows "),
        ("./dev run chat/ask_model --dry", "--dry-run "),
        ("./dev completion z", "zsh "),
    ],
)
def test_words_are_completed(typed, offered, tmp_path):
    answer = tmp_path / "answer"
    environment = {
        **os.environ,
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": typed,
        "COMP_POINT": str(len(typed)),
    }
    words = [sys.executable, "-m", "tools"]
    subprocess.run(words, cwd=ROOT, env=environment, timeout=300)

    assert answer.read_text() == offered
