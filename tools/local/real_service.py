"""What `./dev run` makes sure of before a script reaches a service that is no sandbox.

key_from    the API key, from the environment variable that was named
needed      that arguments were given: nobody means an example to be carried out
to_begin_with   which arguments there are, where none were given
graveness   why a person should say yes first, where one should
"""

import json
import os
import re
import shlex
from collections.abc import Collection, Iterator

from tools.flows.pack_flows import Flow
from tools.local.examples import example_of
from tools.operations import Operation

# Of operations whose title does not say it: what these take away does not come back.
TAKES_AWAY = ("abort", "cancel", "clear", "delete", "remove", "stop")


def key_from(name: str) -> str:
    """Return what the environment variable holds. Raises ValueError, which names it
    unless it may be the key itself, given in place of the name."""
    key = os.environ.get(name, "")
    if key:
        return key
    if re.fullmatch(r"[A-Z][A-Z0-9_]{0,30}", name):
        raise ValueError(
            f"--key-env: {name} is not set, or is empty: export {name}=... first"
        )
    raise ValueError(
        "--key-env takes the name of an environment variable that holds the API key, "
        "such as TOGETHER_API_KEY, and there is none of the name given. If that was "
        "the key itself: it may stand in your shell's history now, so make a new one."
    )


def needed(operation: Operation) -> dict:
    """Return the arguments of a script for which none were given. Raises ValueError,
    with an example to begin with, where it needs some."""
    if not operation.schema.get("required"):
        return {}
    why = f"{operation.id} needs --args: no example is sent to a real service."
    raise ValueError("\n".join([why, *to_begin_with(operation)]))


def to_begin_with(
    found: Operation | Flow, names: Collection[str] | None = None
) -> Iterator[str]:
    """The lines that tell somebody who gave no arguments which there are, or who gave
    some which are lacking (`names`)."""
    for name, member in found.arguments.items():
        if names is not None and name not in names:
            continue
        mark = ", required" if name in found.required else ""
        yield f"  {name}{mark}: {member.get('title', '')}"
    for example in example_of(found)[:1]:
        text = shlex.quote(json.dumps(example, ensure_ascii=False))
        yield f"An example: --args {text}"


def graveness(operation: Operation, given: dict) -> str | None:
    """Return what a script does that costs much or cannot be undone, or None."""
    title = operation.schema["title"]
    if marked := re.search(r"\((costs money|cannot be undone)\)", title):
        return f"{operation.id} {marked[1]}."
    if operation.id.rpartition("/")[2].partition("_")[0] in TAKES_AWAY:
        return f"{operation.id} cannot be undone."
    method = str(given.get("method", "GET")).upper()
    if operation.id == "organization/call_operation" and method != "GET":
        return f"{operation.id} sends {method} {given.get('path')}."
    return None
