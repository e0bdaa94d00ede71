"""What --args of `./dev run` gives: JSON, a file, or nothing."""

import json
import os
import sys
from pathlib import Path

from scripts.table_files.encodings import BadTextError, texts
from tools.cli.terminal import QUOTED, say
from tools.flows.pack_flows import Flow
from tools.operations import Operation


def given_arguments(text: str | None, operation: Operation | Flow, real: bool) -> dict:
    """Read --args: JSON, a file's path, or - for stdin; else the least example, which
    no real service gets."""
    if text is None and real:
        from tools.local.real_service import needed

        return needed(operation)
    if text is None:
        say("no --args: the schema's least example")
        return operation.schema["examples"][0]
    if not text.strip():
        raise ValueError("--args is empty: give JSON, the path of a file, or -")
    if text == "-":
        text = sys.stdin.read()
    elif not text.lstrip().startswith(("{", "[")):
        if not os.path.exists(text):  # which knows that a long text is no path
            raise ValueError(f"--args: {text[:80]}: No such file, and it is no JSON")
        # In the encodings of Windows' editors and shells, too.
        try:
            text = "".join(texts([Path(text).read_bytes()]))
        except BadTextError as error:
            raise ValueError(f"--args: {text} {error}") from None
    try:
        given = json.loads(text)
    except ValueError as error:
        raise ValueError(f"--args is no JSON: {error}; {QUOTED}") from None
    if not isinstance(given, dict):
        raise ValueError("--args is no JSON object of main's arguments")
    unknown = set(given) - set(operation.arguments)
    if unknown:
        raise ValueError(_no_argument(sorted(unknown), list(operation.arguments)))
    return given


def _no_argument(unknown: list[str], known: list[str]) -> str:
    from difflib import get_close_matches

    if not known:
        return f"no argument {', '.join(unknown)}; the step takes none"
    close = [near for one in unknown for near in get_close_matches(one, known, 1)]
    hint = f"; did you mean {' and '.join(close)}?" if close else ";"
    return f"no argument {', '.join(unknown)}{hint} there are: {', '.join(known)}"
