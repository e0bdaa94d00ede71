"""The words that a shell completes behind ./dev, as whoever presses Tab sees it."""

import argparse
import os
import pty
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tools.cli.command_line import parser_of
from tools.cli.completions import (
    attach,
    file_words,
    groups,
    ids,
    parts_of_a_push,
    shell_code,
)
from tools.operations import ROOT

DEV = f"{ROOT}/dev"
WORDS = [
    ("unde", "undeploy"),
    ("completion f", "fish"),
    ("run chat/ask_mo", "chat/ask_model"),
    ("run flows/run_b", "flows/run_batch"),
    ("run recipes/classi", "recipes/classify_csv"),
    ("run chat/ask_model --works", "--workspace"),
    ("run chat/map_rows --file ro", "rows="),
    ("run chat/map_rows --file rows=own", "rows=own_table.csv"),
    ("run chat/map_rows --args own", "own_table.csv"),
    ("run classify_c", "classify_csv"),
    ("list bat", "batches"),
    ("list rec", "recipes"),
    ("help depl", "deploy"),
    ("probe fau", "faults"),
    ("deploy --groups chat,batc", "chat,batches"),
    ("live --only flows,acr", "flows,across"),
]
SHELLS = {
    "bash": (["--norc", "--noprofile", "-i"], "{}"),
    "zsh": (["-f", "-i"], "autoload -Uz compinit; compinit -u -D; {}"),
}


def test_steps_flows_and_recipes_complete_by_their_groups():
    assert {"chat/", "flows/", "inner/", "recipes/"} <= set(ids(""))
    assert {"chat/ask_model", "flows/run_batch", "recipes/failover"} <= set(ids("c/"))
    assert {"chat", "batches", "flows", "recipes", "steps"} <= set(groups())


def test_a_step_or_flow_completes_by_its_name_alone():
    assert {"map_rows", "map_rows_across_workers"} <= set(ids("map_r"))
    assert "chat/" in ids("map")
    assert "map_rows" not in ids("ma")  # else a letter would show a hundred


def test_groups_of_a_push_complete_one_behind_the_other():
    assert {"chat", "batches", "flows"} <= set(parts_of_a_push("ch"))
    found = parts_of_a_push("chat,b")
    assert "chat,batches" in found
    assert "chat,chat" not in found


def test_a_file_argument_completes_by_name_then_by_file(tmp_path):
    (tmp_path / "a.csv").touch()
    (tmp_path / "folder").mkdir()

    def given(prefix, operation="chat/map_rows"):
        return file_words(prefix, argparse.Namespace(operation=operation))

    assert given("") == ["rows="]
    assert given("", "audio/create_transcription") == ["body.file="]
    assert given("", "nothing/there") == []
    assert given(f"rows={tmp_path}/") == [
        f"rows={tmp_path}/a.csv",
        f"rows={tmp_path}/folder/",
    ]
    assert given(f"rows={tmp_path}/none/x") == []


def test_every_completer_is_of_an_argument_that_there_is():
    from tools.cli.completions import COMPLETERS

    parser = parser_of()
    attach(parser)
    found = set()

    def walk(parser, command=""):
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for name, inner in action.choices.items():
                    walk(inner, command or name)
            elif completer := getattr(action, "completer", None):
                found.add((command, action.dest))
                assert completer is COMPLETERS[command, action.dest]

    walk(parser)
    assert found == set(COMPLETERS)


def installed(shell):
    found = shutil.which(shell)
    if not found:
        pytest.skip(f"{shell} is not installed")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_what_is_begun(shell, tmp_path):
    (tmp_path / "own_table.csv").touch()
    words, begin = SHELLS[shell]
    code = begin.format(f'eval "$({DEV} completion {shell})"')
    with Terminal([installed(shell), *words], tmp_path) as terminal:
        terminal.say(f"{code}; echo rea''dy\n")
        terminal.wait_for("ready\r\n")
        for begun, whole in WORDS:
            *before, _ = begun.split(" ")
            terminal.say(f"{DEV} {begun}\t")
            terminal.wait_for(" ".join(["dev", *before, whole]))
            terminal.say("\x15")  # Ctrl-U: a new line


@pytest.mark.slow
def test_fish_completes_what_is_begun(tmp_path):
    fish = installed("fish")
    (tmp_path / "own_table.csv").touch()
    # As `./dev completion fish --help` says where to put it.
    place = tmp_path / ".config/fish/conf.d/dev.fish"
    place.parent.mkdir(parents=True)
    place.write_text(shell_code("fish"))
    lines = [f"complete -C '{DEV} {begun}'; echo ---" for begun, _ in WORDS]
    done = subprocess.run(
        [fish, "-c", "\n".join(lines)],
        cwd=tmp_path,
        env={
            **os.environ,
            "HOME": str(tmp_path),
            "XDG_CONFIG_HOME": f"{tmp_path}/.config",
        },
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    *said, _ = done.stdout.split("---\n")
    assert len(said) == len(WORDS)
    for (_, whole), told in zip(WORDS, said, strict=True):
        assert whole in [line.split("\t")[0] for line in told.splitlines()], told


class Terminal:
    """A shell at a terminal of its own."""

    PATIENCE = 120  # seconds, where a machine has much else to do

    def __init__(self, words, folder: Path):
        self.words, self.folder, self.heard = words, folder, ""

    def __enter__(self):
        self.id, self.file = pty.fork()
        if self.id == 0:
            os.chdir(self.folder)
            plain = {"HOME": str(self.folder), "TERM": "dumb", "PS1": "$ "}
            os.execvpe(self.words[0], self.words, {**os.environ, **plain})
        return self

    def __exit__(self, *_):
        os.kill(self.id, signal.SIGKILL)
        os.waitpid(self.id, 0)
        os.close(self.file)

    def say(self, text: str) -> None:
        self.heard = ""
        os.write(self.file, text.encode())

    def wait_for(self, text: str) -> None:
        end = time.monotonic() + self.PATIENCE
        # What a terminal of 80 columns breaks into lines.
        while text not in self.heard.replace(" \r", "").replace("\r\n\r", ""):
            assert time.monotonic() < end, self.heard
            if select.select([self.file], [], [], 1)[0]:
                self.heard += os.read(self.file, 65536).decode(errors="replace")
