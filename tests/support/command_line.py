"""The pack's command line, run in this process: a start of its own costs a second."""

import contextlib
import io
import os
from dataclasses import dataclass
from unittest import mock

from tools.__main__ import main


@dataclass
class Done:
    """A command that ended: its exit code, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def tool(*words: str, input: str = "", **environment: str) -> Done:
    """Run `./dev WORDS...` with nobody at a terminal; `input` is its standard input.

    The environment is this one without WM_TOKEN, and with what is given.
    """
    known = {name: value for name, value in os.environ.items() if name != "WM_TOKEN"}
    out, said = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, {**known, **environment}, clear=True),
        mock.patch("sys.stdin", io.StringIO(input)),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(said),
    ):
        try:
            code = main(list(words))
        except SystemExit as ended:  # argparse's: wrong words, or --help
            code = ended.code or 0
    return Done(code, out.getvalue(), said.getvalue())
