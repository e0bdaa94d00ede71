"""What of the pack in a workspace is as the pack deployed it, and what is not.

An object's mark tells its version, and the build what that version deploys. So of this
version each change shows; of another one the content differs anyway, and nobody can
tell. Between two releases the version is the same: there the stamp of a script's
modules tells another state of the pack.
"""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tools.operations import ROOT
from tools.syntax import parsed
from tools.tree.locks import PYTHON, PYTHONS
from tools.tree.parts import FLOW, closed, runnables
from tools.tree.sync_tree import tree
from tools.version import VERSION
from tools.workspace.deployed import Held
from tools.yaml_text import load

STAMP = re.compile(r"^# helper [0-9a-f]{12}$", re.MULTILINE)  # tree/sync_tree.py
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
    other = {one for one in own if _is_of_another_state(one, forms)}
    differ, unknown = {}, []
    for one in ours:
        form = forms.get((one.kind, one.path))
        if one.version != VERSION or form is None or one in other:
            unknown.append(one)
        elif names := _differences(one, form):
            # Modules and flows have no stamp: where a script is of another state, so
            # may they be.
            if other and not STAMP.search(str(form.get("content"))):
                unknown.append(one)
            else:
                differ[one] = names
    return differ, unknown


def imported(by: Iterable[Held], ours: Iterable[Held], folder: str) -> set[Held]:
    """The modules among some objects that others of them, as they are deployed, import,
    and those that these import themselves."""
    modules = {
        one.path: one
        for one in ours
        if one.kind == "script" and "/" not in one.path.removeprefix(f"{folder}/")
    }
    scripts = {one.path: one for one in by if one.kind == "script"}
    texts = {path: _text(one).encode() for path, one in {**modules, **scripts}.items()}
    sound = {path: text for path, text in texts.items() if _is_python(text)}
    files = {path: path for path in sound}
    needed = closed(scripts.keys() & sound.keys(), sound, files, folder)
    return {modules[path] for path in needed & modules.keys() - scripts.keys()}


def _is_python(text: bytes) -> bool:
    try:
        parsed(text.decode())
    except (SyntaxError, ValueError):  # as a user may leave it
        return False
    return True


def _is_of_another_state(one: Held, forms: dict[tuple[str, str], dict]) -> bool:
    """Whether a script was deployed with modules other than these sources have."""
    form = forms.get((one.kind, one.path), {})
    stamps = [STAMP.search(text) for text in (_text(one), str(form.get("content")))]
    return all(stamps) and len({stamp[0] for stamp in stamps if stamp}) > 1


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
