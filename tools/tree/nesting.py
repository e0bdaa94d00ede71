"""Imports of ours stand one level deep in what is built.

Windmill scans each script for the imports among the statements at module top level,
before `def main`. Of those that name other scripts of the workspace it keeps a list: on
every push of a module, it locks each script anew that imports it, on the user's worker
and against the package index there; and where that fails, the script is gone. It does
not look into statements, and so sees no import under `if True:`, which costs a job
nothing, as Python compiles it away. The sources keep plain imports.
"""

import ast
import re
from collections.abc import Iterator
from itertools import groupby

from tools.kept import kept
from tools.syntax import parsed

WHY = (
    "# Not at top level: Windmill would lock this anew at each push of what it imports."
)


@kept
def nested(text: str) -> str:
    """A module with its imports of ours one level deep.

    Raises ValueError (SyntaxError) for what is no Python, and for such an import on one
    line with something else.
    """
    lines = text.split("\n")
    for first, last in reversed(list(_runs(text))):
        block = [f"    {line}" if line.strip() else line for line in lines[first:last]]
        lines[first:last] = [WHY, "if True:", *block]
    return "\n".join(lines)


@kept
def seen(text: str) -> tuple[int, ...]:
    """The lines of a built module at which Windmill would see an import of ours."""
    return tuple(node.lineno for node in parsed(text).body if _ours(node))


def wrong(text: str) -> Iterator[str]:
    """What would make Windmill lock a built script or module anew on its own."""
    for line in seen(text):
        yield f"line {line}: an import of ours at module top level"
    # Windmill reads the first comment of these that it finds, and what follows it.
    found = re.findall(r"^#[ \t]*((?:extra[_-])?requirements:.*)$", text, re.M)
    if found != ["requirements:"]:
        yield f"`# requirements:` must be there once, and is there as {found}"


def _runs(text: str) -> Iterator[tuple[int, int]]:
    """Neighbouring imports of ours at top level, as slices of the lines."""
    body = parsed(text).body
    for ours, nodes in groupby(body, _ours):
        found = list(nodes)
        if not ours:
            continue
        first, last = found[0].lineno, found[-1].end_lineno
        for node in body:
            if node not in found and first <= node.end_lineno and node.lineno <= last:
                raise ValueError(
                    f"line {node.lineno}: an import of ours shares it with another "
                    "statement; write two lines"
                )
        yield first - 1, last


def _ours(node: ast.stmt) -> bool:
    """Whether Windmill takes a statement for an import of scripts of the workspace."""
    if isinstance(node, ast.ImportFrom):
        return node.level > 0 or _path(node.module)
    return isinstance(node, ast.Import) and any(_path(n.name) for n in node.names)


def _path(module: str) -> bool:
    return module.split(".")[0] in ("f", "u")
