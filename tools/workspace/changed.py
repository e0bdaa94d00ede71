"""What of the pack in a workspace is as the pack deployed it, and what is not.

An object's mark tells its version, and the build what that version deploys. So of this
version each change shows; of another one the content differs anyway, and nobody can
tell.
"""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tools.operations import ROOT
from tools.tree.locks import PYTHON, PYTHONS
from tools.tree.parts import FLOW, runnables
from tools.tree.sync_tree import tree
from tools.version import VERSION
from tools.workspace.deployed import Held
from tools.yaml_text import load

# Of what a server tells, what a deployment writes and a person may edit. No lock: the
# server may compute one anew.
COMPARED = {
    "script": ("content", "description", "schema", "summary"),
    "flow": ("description", "schema", "summary", "value"),
}


def changed(
    ours: Iterable[Held], folder: str, root: Path = ROOT
) -> tuple[dict[Held, list[str]], list[Held]]:
    """Those of this version that are not as it deploys them, each with the names of
    what differs; and those of which this cannot be told. Raises ValueError for sources
    that cannot be built."""
    ours = list(ours)
    own = [one for one in ours if one.version == VERSION]
    forms = _forms(root, folder, _python(own)) if own else {}
    differ, unknown = {}, []
    for one in ours:
        form = forms.get((one.kind, one.path))
        if one.version != VERSION or form is None:
            unknown.append(one)
        elif names := _differences(one, form):
            differ[one] = names
    return differ, unknown


def _forms(root: Path, folder: str, python: str) -> dict[tuple[str, str], dict]:
    """What this version deploys, by kind and path."""
    files = tree(root, folder, python)
    forms = {}
    for path, file in runnables(files).items():
        if file.endswith(FLOW):
            forms["flow", path] = load(files[file])
        else:
            about = load(files[f"{path}.script.yaml"])
            forms["script", path] = {**about, "content": files[file].decode()}
    return forms


def _python(own: list[Held]) -> str:
    """The version of Python that a deployment was made for, as its scripts say it."""
    first = (re.match(r"# py: ==([\d.]+)\.\*", _text(one)) for one in own)
    found = Counter(line[1] for line in first if line and line[1] in PYTHONS)
    return found.most_common(1)[0][0] if found else PYTHON


def _text(one: Held) -> str:
    return str(one.about.get("content") or "")


def _differences(one: Held, form: dict) -> list[str]:
    return [
        name
        for name in COMPARED[one.kind]
        if _plain(one.about.get(name)) != _plain(form.get(name))
    ]


def _plain(value: object) -> object:
    """A value without what servers add or leave out: members that are null, the last
    line break of a text, and a text that is empty."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, str):
        return value.rstrip()
    return "" if value is None else value
