"""What --args of `./dev run` gives: JSON, a file, or nothing."""

import json
import os
import sys
from pathlib import Path

from scripts.table_files.encodings import BadTextError, texts
from tools.cli.terminal import QUOTED, say
from tools.flows.pack_flows import Flow
from tools.local.examples import example_of
from tools.local.real_service import needed, to_begin_with
from tools.operations import Operation


def given_arguments(text: str | None, operation: Operation | Flow, real: bool) -> dict:
    """Read --args: JSON, a file's path, or - for stdin; else the least example, which
    no real service gets."""
    if text is None and real:
        return needed(operation)
    if text is None:
        return least_example(operation)
    if not text.strip():
        raise ValueError("--args is empty: give JSON, the path of a file, or -")
    source = "--args"
    if text == "-":
        source, text = "--args: stdin", sys.stdin.read()
    elif not text.lstrip().startswith(("{", "[")):
        if not os.path.exists(text):  # which knows that a long text is no path
            raise ValueError(f"--args: {text[:80]}: No such file, and it is no JSON")
        # In the encodings of Windows' editors and shells, too.
        source = f"--args: {text}"
        try:
            text = "".join(texts([Path(text).read_bytes()]))
        except BadTextError as error:
            raise ValueError(f"--args: {text} {error}") from None
    try:
        given = json.loads(text)
    except ValueError as error:
        quoted = f"; {QUOTED}" if source == "--args" else ""
        raise ValueError(f"{source} is no JSON: {error}{quoted}") from None
    if not isinstance(given, dict):
        raise ValueError(f"{source} is no JSON object of main's arguments")
    unknown = set(given) - set(operation.arguments)
    if unknown:
        raise ValueError(_no_argument(sorted(unknown), operation.arguments))
    return given


def least_example(found: Operation | Flow) -> dict:
    """The first of the examples; of a recipe, what it is tried with. Raises ValueError
    where there is none, with what is needed."""
    if examples := example_of(found):
        what = "what the recipe is tried with"
        tried = isinstance(found, Flow) and found.recipe
        say(f"no --args: {what if tried else 'the least example'}")
        return examples[0]
    if not found.required:
        return {}
    why = f"{found.id} needs --args, and has no example:"
    raise ValueError("\n".join([why, *to_begin_with(found)]))


def _no_argument(unknown: list[str], arguments: dict) -> str:
    from difflib import get_close_matches

    for outer, member in arguments.items():
        inner = [one for one in unknown if one in member.get("properties", {})]
        if inner:
            return _within(outer, inner)
    known = list(arguments)
    if not known:
        return f"no argument {', '.join(unknown)}; the step takes none"
    close = [near for one in unknown for near in get_close_matches(one, known, 1)]
    hint = f"; did you mean {' and '.join(close)}?" if close else ";"
    return f"no argument {', '.join(unknown)}{hint} there are: {', '.join(known)}"


def _within(outer: str, inner: list[str]) -> str:
    """What is said of members of an argument that were given in its place."""
    verb = "is a member" if len(inner) == 1 else "are members"
    written = ", ".join(f'"{name}": ...' for name in inner)
    return (
        f"no argument {', '.join(inner)}: {' and '.join(inner)} {verb} of {outer}: "
        f'write {{"{outer}": {{{written}}}}}'
    )
