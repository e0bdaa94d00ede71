"""./dev itself: it runs from anywhere, and makes its environment till that is whole."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools.operations import ROOT

pytestmark = pytest.mark.slow

START = """\
import sys, json, os
from importlib import metadata
import tiny
print(json.dumps({"words": sys.argv[1:], "folder": os.getcwd()}))
"""


@pytest.fixture
def clone(tmp_path):
    """A folder with ./dev, whose one requirement is a package that lies beside it."""
    folder = tmp_path / "a clone"
    (folder / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "dev", folder)
    shutil.copy(ROOT / "tools/environment.py", folder / "tools")
    (folder / "tools/start.py").write_text(START)
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    parts = {
        "tiny.py": "",
        "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\n"
        "Version: 1.0\n",
        "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: x\n"
        "Root-Is-Purelib: true\nTag: py3-none-any\n",
        "tiny-1.0.dist-info/RECORD": "",
    }
    with zipfile.ZipFile(wheel, "w") as file:
        for name, text in parts.items():
            file.writestr(name, text)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = f"tiny==1.0 --hash=sha256:{digest}\n"
    (folder / "requirements-dev.lock").write_text(lock)
    return folder


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="is no clone itself")
def test_a_clone_on_windows_has_the_lines_of_any_other(tmp_path):
    """Git for Windows makes CRLF of LF where nothing forbids it: a shell would not run
    ./dev then, and the built scripts would differ."""
    words = ["-c", "core.autocrlf=true", "clone", "--quiet", "--no-local", str(ROOT)]
    subprocess.run(["git", *words, str(tmp_path / "c")], check=True)

    texts = ("dev", "scripts/client/calls.py", "schemas/files/get_file.json")
    for name in texts:
        assert b"\r" not in (tmp_path / "c" / name).read_bytes(), name
    listed = ["git", "ls-files", "--eol"]
    said = subprocess.run(listed, cwd=tmp_path / "c", capture_output=True, text=True)
    assert not [line for line in said.stdout.splitlines() if "w/crlf" in line]


def dev(clone, *words, program=None, cwd=None, **environment):
    known = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(clone.parent), **environment}
    return subprocess.run(
        [program or clone / "dev", *words],
        cwd=cwd or clone,
        env={**os.environ, **known},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.slow
def test_it_runs_through_links_in_the_caller_s_folder_and_sets_up_once(clone, tmp_path):
    bin = tmp_path / "bin"
    bin.mkdir()
    (bin / "tdev").symlink_to("../middle")
    (tmp_path / "middle").symlink_to(clone / "dev")

    done = dev(clone, "run", "a b", program=bin / "tdev", cwd=bin)

    assert done.returncode == 0, done.stderr
    assert done.stdout == '{"words": ["run", "a b"], "folder": "' + str(bin) + '"}\n'
    assert "setting up" in done.stderr
    assert sorted(p.name for p in bin.iterdir()) == ["tdev"]
    assert dev(clone).stderr == ""


@pytest.mark.slow  # as each environment takes seconds
def test_what_was_interrupted_or_has_lost_its_python_is_begun_again(clone):
    process = subprocess.Popen(
        [clone / "dev"],
        env={**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(clone.parent)},
        cwd=clone,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert b"setting up" in process.stderr.readline()
    while not (clone / ".venv/pyvenv.cfg").exists():
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=300)
    assert process.returncode in (130, -signal.SIGINT)
    assert b"Traceback" not in said

    assert dev(clone).returncode == 0

    python = clone / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    done = dev(clone)
    assert done.returncode == 0, done.stderr
    assert "setting up" in done.stderr

    (clone / ".venv/.stamp").unlink()  # as if pip had been killed
    shutil.rmtree(next((clone / ".venv/lib").glob("*/site-packages/pip")))
    assert dev(clone).returncode == 0


@pytest.mark.slow  # as each environment takes seconds
def test_a_changed_lock_is_installed_into_what_is_there(clone):
    assert dev(clone).returncode == 0
    (clone / ".venv/kept").touch()
    with (clone / "requirements-dev.lock").open("a") as file:
        file.write("# changed\n")

    done = dev(clone)

    assert done.returncode == 0, done.stderr
    assert "up to date" in done.stderr
    assert (clone / ".venv/kept").exists()
    assert dev(clone).stderr == ""


@pytest.mark.slow  # as each environment takes seconds
def test_without_an_index_it_says_so_and_tries_again_next_time(clone):
    away = {"PIP_INDEX_URL": "http://me:secret@127.0.0.1:9/simple", "PIP_RETRIES": "1"}
    done = dev(clone, PIP_NO_INDEX="", PIP_FIND_LINKS="", **away)

    assert done.returncode == 2
    assert "127.0.0.1:9/simple cannot be reached" in done.stderr
    assert "PIP_INDEX_URL" in done.stderr
    assert done.stderr.count("9/simple does not answer; trying again") == 1
    assert "secret" not in done.stderr
    quick = {**away, "PIP_RETRIES": "0"}  # with which pip says nothing of connections
    done = dev(clone, PIP_NO_INDEX="", PIP_FIND_LINKS="", **quick)
    assert done.returncode == 2
    assert "127.0.0.1:9/simple cannot be reached" in done.stderr
    assert "secret" not in done.stderr
    assert dev(clone).returncode == 0


@pytest.mark.slow  # as each environment takes seconds
def test_what_pip_refuses_is_shown(clone):
    lock = clone / "requirements-dev.lock"
    lock.write_text(f"tiny==1.0 --hash=sha256:{'0' * 64}\n")
    done = dev(clone)

    assert done.returncode == 2
    assert "DO NOT MATCH THE HASHES" in done.stderr


@pytest.mark.slow  # as each environment takes seconds
def test_two_that_begin_at_once_both_run(clone):
    known = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(clone.parent)}
    both = [
        subprocess.Popen(
            [clone / "dev"],
            env={**os.environ, **known},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=300)[1] for process in both]

    assert [process.returncode for process in both] == [0, 0], said
    assert sum("(once" in text for text in said) == 1
    assert any("waiting" in text for text in said)


def environment(clone, code, program=sys.executable, **more):
    """What some code around tools/environment.py says and returns."""
    known = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(clone.parent), **more}
    return subprocess.run(
        [program, "-c", f"import environment as e\n{code}"],
        env={**os.environ, "PYTHONPATH": str(clone / "tools"), **known},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture
def locks(clone):
    """Names of optional locks, beside that of the clone."""
    names = ["requirements-a.lock", "requirements-b.lock"]
    for name in names:
        shutil.copy(clone / "requirements-dev.lock", clone / name)
    return names


def test_what_one_command_needs_forgets_nothing_of_another_s(clone, locks):
    for lock in locks:
        done = environment(clone, f"e.main([e.BASE, {lock!r}])")
        assert re.search("setting up|bringing .* up to date", done.stderr)

    for lock in locks:
        done = environment(clone, f"print(e.main([e.BASE, {lock!r}]))")
        assert (done.stdout, done.stderr) == ("0\n", "")


def test_a_command_adds_its_packages_to_the_environment_that_it_runs_in(clone, locks):
    assert dev(clone).returncode == 0
    add = f"e.add({locks[0]!r})"

    elsewhere = environment(clone, add)
    first, second = (
        environment(clone, add, program=clone / ".venv/bin/python") for _ in range(2)
    )

    assert (elsewhere.returncode, elsewhere.stderr) == (0, "")  # its owner's
    assert (first.returncode, second.returncode, second.stderr) == (0, 0, "")
    assert f"up to date: the Python packages of {locks[0]}" in first.stderr


SIDE = "print(e.side_python('aside', 'requirements-a.lock'))"


def test_a_tool_apart_is_set_up_once_and_survives_a_move(clone, locks):
    done = environment(clone, SIDE)
    assert done.stdout == f"{clone}/.venv/aside/bin/python\n", done.stderr
    assert "setting up" in done.stderr
    assert environment(clone, SIDE).stderr == ""

    (clone / ".venv/aside/.stamprequirements-a.lock").unlink()  # as if interrupted
    shutil.rmtree(next((clone / ".venv/aside/lib").glob("*/site-packages/pip")))
    done = environment(clone, SIDE)
    assert (done.returncode, "setting up" in done.stderr) == (0, True), done.stderr

    moved = clone.rename(clone.parent / "elsewhere")
    done = environment(moved, SIDE)
    assert (done.returncode, done.stderr) == (0, "")
    words = [done.stdout.strip(), "-m", "tiny"]
    assert subprocess.run(words, capture_output=True).returncode == 0


def test_a_tool_apart_without_an_index_is_an_error_of_its_own(clone, locks):
    away = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    code = f"try:\n {SIDE}\nexcept e.SetupError as error:\n print(error)"

    done = environment(clone, code, PIP_NO_INDEX="", PIP_FIND_LINKS="", **away)

    assert "127.0.0.1:9/simple cannot be reached" in done.stdout, done.stderr
    assert environment(clone, SIDE).returncode == 0


def test_a_press_of_tab_installs_nothing(clone):
    done = dev(clone, _ARGCOMPLETE="1")

    assert done.returncode == 1
    assert not Path(clone / ".venv").exists()


def test_the_real_start_finds_the_tools_from_elsewhere(tmp_path):
    words = [str(ROOT / "dev"), "--version"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)

    assert done.stdout.startswith("together-ai-for-windmill ")
    assert done.returncode == 0


@pytest.mark.parametrize("words", [("mutate", "--help"), ("probe", "fuzz", "-h")])
def test_to_be_told_of_a_command_installs_nothing_more(words, clone):
    """None of the other locks is there."""
    done = dev(clone, *words)

    assert done.returncode == 0, done.stderr
    assert f'"words": ["{words[0]}"' in done.stdout


def test_ctrl_c_while_modules_load_is_no_traceback(tmp_path):
    """The first second of a command goes into that."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools/start.py", tmp_path / "tools")
    (tmp_path / "tools/__init__.py").touch()
    loading = "import time\nprint('loading', flush=True)\ntime.sleep(60)\n"
    (tmp_path / "tools/__main__.py").write_text(loading)
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "tools/start.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "loading\n"

    process.send_signal(signal.SIGINT)

    _, said = process.communicate(timeout=300)
    assert (process.returncode, said) == (130, "")
