"""Make .venv, with what the locks say: ./dev runs this with the Python it found.

An environment is whole when its .stamp is written, which is done last. One without a
stamp was interrupted and is begun again; one whose Python is gone, too. Only the
standard library is used: nothing else is there yet.

    python tools/environment.py requirements-dev.lock [MORE.lock ...]

A tool whose packages are not those of the rest has an environment of its own within it
(`side_python`). What it installs is run as `python -m PROGRAM`: the programs that pip
writes hold the path of their Python, and break when the folder is moved.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BASE = "requirements-dev.lock"
# What pip says, in the midst of much else, where nobody answers.
UNREACHABLE = (
    "connection broken by",
    "Max retries exceeded",
    "ConnectionError",
    "ConnectTimeout",
    "ProxyError",
    "SSLError",
)


class SetupError(Exception):
    """The environment cannot be made, and why."""


def main(locks: list[str]) -> int:
    """Make the environment; the exit code is 0 when it is whole."""
    try:
        _ensure(VENV, locks, "the Python packages of ./dev")
    except SetupError as error:
        _say(f"error: {error}")
        return 2
    except OSError as error:
        _say(f"error: {error.filename}: {error.strerror}")
        _say(f"The environment of ./dev is made in {VENV}, which must be possible.")
        return 2
    except KeyboardInterrupt:
        _say("\ninterrupted; the next ./dev begins again")
        return 130
    return 0


def add(lock: str) -> None:
    """Install what a lock says into the environment that ./dev runs in; into no other,
    whose packages are its owner's. Raises SetupError and OSError."""
    if Path(sys.prefix).resolve() == VENV.resolve():
        _ensure(VENV, [BASE, lock], f"the Python packages of {lock}")


def side_python(name: str, lock: str) -> Path:
    """The Python of an environment with just what a lock says, made on first use.
    Raises SetupError and OSError."""
    place = VENV / name
    _ensure(place, [lock], f"the Python packages of {lock}")
    return place / "bin" / "python"


def _ensure(place: Path, locks: list[str], what: str) -> None:
    """Make an environment with what some locks say, unless it is there. Whether it is
    whole tells the stamp of the first."""
    with _alone():
        if not _installed(place, locks):
            _make(place, locks, what)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Let two that begin at once do it one after the other."""
    with (ROOT / ".venv.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            _say(f"another ./dev is setting up {VENV}: waiting for it ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(place: Path, locks: list[str], what: str) -> None:
    if not _sound(place, locks[0]):
        _say(f"setting up {place}: {what}, from PyPI (once, about half a minute) ...")
        _remove(place)
        words = [sys.executable, "-m", "venv", str(place)]
        if _follow(words).returncode:
            _remove(place)
            raise SetupError(
                "this Python makes no environments; Debian and Ubuntu have that in a "
                "package of its own: apt install python3-venv"
            )
    else:
        _say(f"bringing {place} up to date: {what} ...")
    for lock in locks:  # what others have installed stays: no two locks disagree
        _stamp(place, lock).unlink(missing_ok=True)
    words = ["-m", "pip", "install", "--disable-pip-version-check", "--require-hashes"]
    words += ["--progress-bar", "off"]
    for lock in locks:
        words += ["-r", str(ROOT / lock)]
    done = _follow([str(place / "bin/python"), *words])
    if done.returncode:
        raise SetupError(_why(done.stdout))
    for lock in locks:
        _stamp(place, lock).write_text(_sum(lock))


def _sound(place: Path, lock: str) -> bool:
    """Whether there is an environment that was whole and whose Python still runs."""
    if not _stamp(place, lock).exists():
        return False
    try:
        words = [place / "bin/python", "-c", "import pip"]
        return subprocess.run(words, capture_output=True).returncode == 0
    except OSError:
        return False


def _remove(place: Path) -> None:
    if place.is_symlink() or place.is_file():
        place.unlink()
    elif place.exists():
        shutil.rmtree(place)


def _follow(words: list[str]) -> subprocess.CompletedProcess:
    """Run a command and keep what it says; at a terminal, tell how far it has come."""
    heard, count, told = [], 0, False
    with subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        # The answer to what pip would ask: nobody is there.
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PIP_NO_INPUT": "1"},
    ) as process:
        try:
            for line in process.stdout:
                heard.append(line)
                if "Retrying (" in line and not told:
                    # pip goes on for a while before it says that it cannot.
                    told = True
                    _say(f"{_index()} does not answer; trying again ...")
                if line.startswith("Collecting ") and sys.stderr.isatty():
                    count += 1
                    name = line.split()[1].partition("==")[0]
                    print(f"\r\x1b[K  {count}: {name}", end="", file=sys.stderr)
        except BaseException:
            process.terminate()
            raise
        finally:
            if count:
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    return subprocess.CompletedProcess(words, process.returncode, "".join(heard))


def _index() -> str:
    """Where packages come from, without a password."""
    return os.environ.get("PIP_INDEX_URL", "PyPI").rpartition("@")[2]


NONE = " (from versions: none)"


def _why(said: str) -> str:
    # Without retries pip says nothing of connections: only that no version was found.
    nothing = NONE in said
    if nothing or any(word in said for word in UNREACHABLE):
        what = "cannot be reached"
        if nothing and not any(word in said for word in UNREACHABLE):
            what = f"{what}, or has no {said.partition(NONE)[0].split()[-1]}"
        return (
            f"{_index()} {what}, and ./dev installs from it once. Set PIP_INDEX_URL "
            "to the address of a mirror, HTTPS_PROXY to a proxy's, or PIP_CERT to the "
            "file of an authority of your own."
        )
    lines = [line for line in said.splitlines() if line.strip()]
    return "pip could not install the requirements:\n" + "\n".join(lines[-8:])


def _installed(place: Path, locks: list[str]) -> bool:
    stamps = {_stamp(place, lock): _sum(lock) for lock in locks}
    return (place / "bin/python").exists() and all(
        stamp.exists() and stamp.read_text() == text for stamp, text in stamps.items()
    )


def _stamp(place: Path, lock: str) -> Path:
    return place / (".stamp" if lock == BASE else f".stamp{lock}")


def _sum(lock: str) -> str:
    """What the shell script compares with: the standard's checksum of a file."""
    with (ROOT / lock).open("rb") as file:
        return subprocess.run(
            ["cksum"], stdin=file, capture_output=True, text=True
        ).stdout


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
