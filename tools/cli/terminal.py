"""What the person at the terminal is told, shown and asked."""

import sys
from pathlib import Path

# What is said of JSON that a shell has taken apart.
QUOTED = """in a shell, write --args '{"prompt": "Hi"}', single quotes around all"""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def why_no_answer(words: str) -> str:
    """Why a connection failed, from what the library says of it."""
    known = {
        "certificate": "its certificate is not trusted here (REQUESTS_CA_BUNDLE names "
        "a file of others)",
        "timed out": "it took too long",
        "resolve": "its name does not resolve",
        "refused": "the connection was refused",
    }
    reasons = (reason for word, reason in known.items() if word in words.lower())
    return next(reasons, words[:200])


def agreed(why: str) -> bool:
    """Ask a person at the terminal. Raises ValueError where nobody is there."""
    from tools.workspace.deploy import confirm

    if not sys.stdin.isatty():
        raise ValueError(f"{why} Nobody is at a terminal to be asked: pass --yes")
    return confirm(f"{why} Run it?")


def run_job(name: str, arguments: dict, environment: dict | None = None) -> int:
    """Run a script as a job: its stream and log are shown as they come, then its
    result. Returns its exit code."""
    from tools.local.job_runner import run as work

    line = ""  # of the stream, that is not at its end

    def show(piece: str) -> None:
        nonlocal line
        line = (line + piece).rpartition("\n")[2]
        print(piece, end="", file=sys.stderr, flush=True)

    def tell(text: str) -> None:
        nonlocal line
        print(("\n" if line else "") + text, end="", file=sys.stderr, flush=True)
        line = ""

    job = work(name, arguments, show=show, tell=tell, environment=environment)
    if line:
        say("")
    result = job.result
    if sys.stdout.isatty() and isinstance(result, dict):
        result = for_a_person(result, bool(job.stream))
    show_result(result, name.rpartition("/")[2])
    if job.exit_code:
        say(f"error: {job.result['error']['message']}")
    return job.exit_code


def for_a_person(result: dict, streamed: bool) -> dict:
    """A result without the text that stands above it already, and an error in words
    (of a TogetherError) without the lines of code that it came by."""
    found = dict(result)
    if streamed:
        found.pop("wm_stream", None)
    error = found.get("error")
    if isinstance(error, dict) and error.get("name") == "TogetherError":
        found["error"] = {name: one for name, one in error.items() if name != "stack"}
    return found


def show_result(result: object, name: str) -> None:
    """Print a result: to a person as it reads best, else as JSON."""
    if not sys.stdout.isatty():
        from tools.cli.plain_numbers import written

        print(written(result, indent=2))
        return
    from tools.cli.shown import console, show

    show(result, Path(), name, console())
