"""What of the pack a workspace holds: whatever says that it is of the pack.

Since 1.0.0 each object is marked (tools/version.py). Those of before are known by what
the build put into them, and where nothing was put, by their path and first line
(unmarked.json, beside this). An object of a user's, a copy of ours under another name
too, is never taken for one of the pack.
"""

import ast
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tools.flows.pack_flows import schedules, timetable
from tools.models import filled_in
from tools.operations import ROOT
from tools.syntax import parsed
from tools.target_folder import FOLDER, moved
from tools.tree.parts import FIRST
from tools.version import mark_of, marked
from tools.workspace.windmill_api import AT_ONCE, WindmillApi

UNMARKED = "before 1.0.0"
RECORDS = "state_folder"  # the function that names the folders of records
GET = {"script": "scripts/get/p", "flow": "flows/get"}
# What a user may set of a schedule beyond what the pack sets, and it leaves empty.
EXTRAS = (
    "on_failure",
    "on_recovery",
    "on_success",
    "retry",
    "tag",
    "paused_until",
    "dynamic_skip",
    "ws_error_handler_muted",
    "labels",
)


class DeployError(Exception):
    """The workspace, or the command line, did not do what it was asked; the message
    says what was asked, why not, and what to do."""


@dataclass(frozen=True)
class Held:
    """A script or flow of the pack in a workspace."""

    kind: str  # "script" or "flow"
    path: str
    version: str
    about: dict = field(default_factory=dict, repr=False, compare=False)  # all of it


def listed(api: WindmillApi, folder: str) -> dict[tuple[str, str], dict]:
    """Every script and flow in a folder, drafts too, by kind and path, as the server
    lists them."""
    found = {}
    for kind in ("script", "flow"):
        for path, about in api.entries(f"{kind}s", f"{folder}/", drafts=True).items():
            found[kind, path] = about
    return found


def held(
    api: WindmillApi, folder: str, found: dict[tuple[str, str], dict]
) -> list[Held]:
    """Those of the listed scripts and flows that are of the pack, whatever version."""
    asked = [
        (kind, path)
        for (kind, path), about in sorted(found.items())
        if kind == "flow" or about.get("language") == "python3"
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:  # the pack is hundreds of them
        wholes = list(pool.map(lambda one: api.find(f"{GET[one[0]]}/{one[1]}"), asked))
    ours = []
    for (kind, path), whole in zip(asked, wholes, strict=True):
        if whole is None:
            continue  # a draft, which a list may tell of and a server not give
        id = path.removeprefix(f"{folder}/")
        version = mark_of(whole, id)
        if version is None and _unmarked(kind, id, whole, folder):
            version = UNMARKED
        if version is not None:
            ours.append(Held(kind, path, version, whole))
    return ours


def check_free(
    tree: Collection[tuple[str, str]],
    found: Collection[tuple[str, str]],
    ours: Iterable[Held],
) -> None:
    """Raise DeployError where scripts and flows of a user's stand (`found`) at the
    kinds and paths that a push would write (`tree`)."""
    known = {(one.kind, one.path) for one in ours}
    taken = sorted({*found} & {*tree} - known)
    if taken:
        raise DeployError(
            "not of the pack, and a push would overwrite: "
            f"{', '.join(f'{kind} {path}' for kind, path in taken)}\n"
            "nothing pushed: take another --folder, or give yours another path (or "
            "remove it) in Windmill first"
        )


def check_rights(folder: str, objects: Iterable[Held], user: dict) -> None:
    """Raise DeployError where the user (users/whoami) may not remove scripts of a
    folder, which being allowed to write does not include."""
    space, name = folder.split("/")[:2]
    owner = name in user.get("folders_owners", ())
    if space == "u":
        owner = name == user.get("username")
    scripts = any(found.kind == "script" for found in objects)
    if scripts and not owner and not user.get("is_admin"):
        raise DeployError(
            f"only an admin or an owner of {space}/{name} may remove scripts from it: "
            "take the token of one"
        )


def remove(
    api: WindmillApi, folder: str, objects: Iterable[Held], say: Callable[[str], None]
) -> None:
    """Remove scripts and flows, flows first: they call the scripts. Raises
    ApiError for the first that is refused, DeployError for what is there afterwards.

    Only an admin may delete a script (for three days it lies in the workspace's
    trashbin). Whoever else owns the folder archives it, which takes it out of every
    list and every run, and can be undone on its page.
    """
    objects = sorted(objects, key=lambda found: (found.kind, found.path))
    scripts = sum(found.kind == "script" for found in objects)
    admin = api.get("users/whoami").get("is_admin")
    for found in objects:
        if found.kind == "flow":
            api.delete(f"flows/delete/{found.path}")
        elif admin:
            api.post(f"scripts/delete/p/{found.path}")
        else:
            api.post(f"scripts/archive/p/{found.path}")
    # A server deletes no flow that its user may not write to, and does not say so.
    there = listed(api, folder)
    if left := [o.path for o in objects if (o.kind, o.path) in there]:
        raise DeployError(
            f"still there: {', '.join(left[:5])}: the token's user may not remove "
            "them; take an admin's token, or an owner's of the folder"
        )
    if scripts and not admin:
        say(f"  {scripts} scripts are archived: only an admin may delete them")


def _unmarked(kind: str, id: str, whole: dict, folder: str) -> bool:
    """Whether an object without a mark is one of before there were marks."""
    if marked(whole) is not None:
        return False  # a copy of ours
    known = before_marks()
    if kind == "flow":
        name = id.removeprefix("flows/")
        inside = [path for path in _paths(whole) if path.startswith(f"{folder}/")]
        same = whole.get("summary") == known["flows"].get(name, 0)
        return id != name and same and bool(inside)
    content = whole.get("content") or ""
    if re.search(rf"^Rendered\s+from\s+schemas/{re.escape(id)}\.json;", content, re.M):
        return True
    return id in known["modules"] and _first_line(content) == known["modules"][id]


def _first_line(content: str) -> str | None:
    try:
        text = ast.get_docstring(ast.parse(content))
    except (SyntaxError, ValueError):
        return None
    return text.splitlines()[0] if text else None


def _paths(flow: dict) -> list[str]:
    found, waiting = [], [flow.get("value")]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
            found += [value["path"]] if isinstance(value.get("path"), str) else []
        elif isinstance(value, list):
            waiting += value
    return found


@cache
def before_marks() -> dict:
    """What the pack of before 1.0.0, which marked nothing, deployed."""
    file = Path(__file__).with_name("unmarked.json")
    return json.loads(filled_in(file.read_text(encoding="utf-8")))


# --- schedules ---------------------------------------------------------------------


def timetables(root: Path = ROOT, folder: str = FOLDER) -> dict[str, dict]:
    """The pack's schedules for a folder: path and what creates it."""
    return _in_folder({s.name: timetable(s) for s in schedules(root)}, folder)


def _in_folder(found: dict[str, dict], folder: str) -> dict[str, dict]:
    files = {f"{FOLDER}/{name}": json.dumps(body) for name, body in found.items()}
    put = moved({path: text.encode() for path, text in files.items()}, folder)
    return {path: json.loads(content) for path, content in put.items()}


def pack_schedules(root: Path, folder: str) -> dict[str, list[dict]]:
    """The paths of the pack's schedules, and the forms in which they were created."""
    forms: dict[str, list[dict]] = {}
    for known in (
        timetables(root, folder),
        _in_folder(before_marks()["schedules"], folder),
    ):
        for path, body in known.items():
            forms.setdefault(path, []).append(body)
    return forms


def changes_of(schedule: dict, forms: Iterable[dict]) -> list[str]:
    """What a user changed of a schedule since the pack created it in one of some forms;
    nothing: it is as it was."""
    extras = [name for name in EXTRAS if schedule.get(name)]
    found = [_differences(schedule, form) for form in forms]
    return sorted({*min(found, key=len), *extras})


def _differences(schedule: dict, form: dict) -> list[str]:
    differ = []
    for name, value in form.items():
        own = schedule.get(name)
        if name == "description":
            own, value = _unsigned(own), _unsigned(value)
        if own != value:
            differ.append(name)
    return differ


def _unsigned(text: str | None) -> str:
    """A description without the line that marks it, whose version changes."""
    lines = (text or "").splitlines()
    if lines and marked({"description": lines[-1]}):
        del lines[-1]
    return "\n".join(lines).strip()


# --- what jobs left ----------------------------------------------------------------


def states(
    api: WindmillApi,
    folder: str,
    paths: Iterable[str],
    others: Iterable[str],
    root: Path = ROOT,
) -> list[str]:
    """The paths of what the pack's jobs remember: the states of its scripts and flows,
    and the records of what was begun, which lie with each owner of a flow.

    Where the workspace has the pack in other folders too, those records may be of the
    others: then only the ones of the folder's own space, if no other shares it.
    """
    starts = tuple(f"{path}/" for path in paths)
    spaces = {_space(other) for other in others}
    # checkpoint.py puts long lists of a name's records beside them, as NAME_lists.
    names = "|".join(map(re.escape, sorted(record_names(root))))
    where = re.compile(rf"([^/]+/[^/]+)/togetherai_(?:{names})(?:_lists)?/")

    def ours(path: str) -> bool:
        record = where.match(path)
        if path.startswith(starts) or not record:
            return path.startswith(starts)
        return not spaces or (record[1] == _space(folder) and record[1] not in spaces)

    found = api.pages("resources/list", resource_type="state")
    return [state["path"] for state in found if ours(state["path"])]


def record_names(root: Path = ROOT) -> set[str]:
    """The names under which the pack's scripts keep records beside a step's own state,
    read off the scripts: what they give to state_folder (workspace/create_once.py)."""
    found: set[str] = set()
    for path in sorted((root / "scripts").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if f"{RECORDS}(" in text:
            found.update(_given(parsed(text), RECORDS))
    return found


def _given(tree: ast.Module, function: str) -> Iterator[str]:
    """The texts that a module gives to a function, itself or by its constants."""
    constants: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            names, values = ([one] for one in (node.targets[0], node.value))
            if isinstance(node.value, ast.Tuple):  # A, B = "a", "b"
                names, values = getattr(names[0], "elts", []), node.value.elts
            pairs = zip(names, values, strict=False)
            constants |= {getattr(name, "id", ""): value for name, value in pairs}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == function:
            for part in ast.walk(node.args[0]):
                value = constants.get(getattr(part, "id", ""), part)
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield value.value


def other_copies(api: WindmillApi, folder: str) -> list[str]:
    """The other folders of the workspace that hold the pack."""
    mark = f"/{FIRST}"
    paths = api.entries("scripts", drafts=True)
    found = {path.removesuffix(mark) for path in paths if path.endswith(mark)}
    return sorted(found - {folder})


def _space(folder: str) -> str:
    return "/".join(folder.split("/")[:2])
