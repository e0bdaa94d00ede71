"""Take the pack out of a workspace: just what it brought, and what its jobs remember.

What is a user's stays, and is listed with the reason: keys, variables, scripts and
flows of their own, and what of the pack they changed. Each removal stands alone, so
that one that was stopped in the middle is run again.
"""

import io
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from tools.operations import ROOT
from tools.target_folder import checked
from tools.tree.sync_tree import FOLDER, RESOURCE_TYPE, SUMMARY
from tools.version import VERSION
from tools.workspace.changed import changed, imported
from tools.workspace.deploy import Change, Target, identified, missed, named, summary
from tools.workspace.deployed import (
    Held,
    changes_of,
    check_rights,
    held,
    listed,
    other_copies,
    pack_schedules,
    remove,
    states,
)
from tools.workspace.windmill_api import WindmillApi

TYPE = RESOURCE_TYPE.partition(".")[0]


@dataclass(frozen=True)
class Stay:
    """What is not removed, and why."""

    kind: str
    path: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """What would be removed, in the order in which it is. `changed` are those of the
    pack that stay; of some that go, nobody can tell whether a user changed them."""

    schedules: list[str]
    runnables: list[Held]
    changed: list[Held]
    unknown: list[Held]
    states: list[str]
    type: bool
    folder: bool
    stays: list[Stay]

    @property
    def removals(self) -> list[tuple[str, str]]:
        """(kind, path) of each object."""
        found = [("schedule", path) for path in self.schedules]
        found += [(one.kind, one.path) for one in self.runnables]
        found += [("state", path) for path in self.states]
        return found


def undeploy(
    target: Target,
    *,
    say: Callable[[str], None],
    ask: Callable[[str], bool],
    folder: str = FOLDER,
    dry_run: bool = False,
    root: Path = ROOT,
) -> dict:
    """Show what would be removed and what stays, ask, remove; return what was done.

    {"folder", "removed": {kind: how many}, "stays": [{"kind", "path", "reason"}]}.
    Raises ValueError for what cannot be tried, DeployError for what was refused.
    """
    checked(folder)
    target = target.resolved()
    with target.api() as api:
        return _undeploy(api, target, say, ask, folder, dry_run, root)


def _undeploy(
    api: WindmillApi,
    target: Target,
    say: Callable[[str], None],
    ask: Callable[[str], bool],
    folder: str,
    dry_run: bool,
    root: Path,
) -> dict:
    user = identified(api)
    say(f"{folder} from {target.where(user)}")
    plan = planned(api, folder, user, root)
    gone = [Change("remove", kind, path) for kind, path in plan.removals]
    if plan.type:
        gone.append(Change("remove", "resource type", TYPE))
    if plan.folder:
        gone.append(Change("remove", "folder", folder))
    for line in summary(gone, folder):
        say(line)
    for line in _kept(plan.stays):
        say(line)
    stays = [vars(stay) for stay in plan.stays]
    done = {"folder": folder, "removed": {}, "stays": stays}
    for line in _doubts(plan):
        say(line)
    if not gone:
        but = " but what you changed" if plan.changed else ""
        say(f"nothing to do: the pack is not in this folder{but}")
        return done
    for line in _missed(api, folder, plan):
        say(line)
    if not dry_run:
        check_rights(folder, plan.runnables, user)
    if dry_run or not ask(_question(len(gone), len(plan.unknown))):
        say("nothing removed")
        return done
    for path in plan.schedules:
        api.delete(f"schedules/delete/{path}")
    remove(api, folder, plan.runnables, say)
    for path in plan.states:
        api.delete(f"resources/delete/{path}")
    if plan.type:
        api.delete(f"resources/type/delete/{TYPE}")
    if plan.folder:
        api.delete(f"folders/delete/{folder.removeprefix('f/')}")
    say("done")
    for change in gone:
        done["removed"][change.kind] = done["removed"].get(change.kind, 0) + 1
    return done


def planned(api: WindmillApi, folder: str, user: dict, root: Path = ROOT) -> Plan:
    """What of a workspace would be removed, and what would stay. Writes nothing."""
    found = listed(api, folder)
    ours = held(api, folder, found)
    differ, unknown = changed(ours, folder, root)
    needed = imported(differ, ours, folder)
    goes = [one for one in ours if one not in differ and one not in needed]
    unknown = [one for one in unknown if one not in needed]
    paths = [one.path for one in goes]
    schedules, stays = _schedules(api, folder, root)
    for one, names in differ.items():
        stays.append(Stay(one.kind, one.path, f"you changed it ({', '.join(names)})"))
    for one in sorted(needed, key=lambda one: one.path):
        stays.append(Stay(one.kind, one.path, "what you changed imports it"))
    others = other_copies(api, folder)
    remembered = states(api, folder, paths, others, root)
    for kind, path in sorted(found.keys() - {(one.kind, one.path) for one in ours}):
        stays.append(Stay(kind, path, "not of the pack"))
    rest = [
        ("resource", r["path"], r["resource_type"])
        for r in api.entries("resources", f"{folder}/").values()
    ]
    rest = [one for one in rest if one[1] not in remembered]
    stays += [Stay(kind, path, f"a {of}, yours") for kind, path, of in rest]
    for path in api.entries("variables", f"{folder}/"):
        stays.append(Stay("variable", path, "yours"))
    type_goes, stay = _type(api, others, user, root, bool(ours))
    stays += stay
    folder_goes, stay = _folder(api, folder, {*paths, *schedules, *remembered})
    stays += stay
    rest_of_plan = remembered, type_goes, folder_goes, stays
    return Plan(schedules, goes, [*differ], unknown, *rest_of_plan)


def _schedules(
    api: WindmillApi, folder: str, root: Path
) -> tuple[list[str], list[Stay]]:
    """The paths of the schedules that are as the pack created them, and the others."""
    forms = pack_schedules(root, folder)
    goes, stays = [], []
    for path in sorted(api.entries("schedules", f"{folder}/")):
        if path not in forms:
            stays.append(Stay("schedule", path, "not of the pack"))
        elif changed := changes_of(api.get(f"schedules/get/{path}"), forms[path]):
            names = ", ".join(changed)
            stays.append(Stay("schedule", path, f"you changed it ({names})"))
        else:
            goes.append(path)
    return goes, stays


def _type(
    api: WindmillApi, others: list[str], user: dict, root: Path, ours: bool
) -> tuple[bool, list[Stay]]:
    """Whether the resource type goes."""
    found = api.find(f"resources/type/get/{TYPE}")
    if found is None or found.get("workspace_id", api.workspace) != api.workspace:
        return False, []  # one for all workspaces is of no deployment to this one
    built = yaml.safe_load((root / "resources" / RESOURCE_TYPE).read_text())
    users = [r["path"] for r in api.pages("resources/list", resource_type=TYPE)]
    if users:
        reason = f"there are resources of it: {', '.join(sorted(users)[:5])}"
    elif others:
        reason = f"{', '.join(others)} holds the pack too"
    elif api.workspace == "admins":
        reason = "all workspaces share it"
    elif found.get("schema") != built["schema"]:
        reason = "it is not as the pack has it"
    elif not user.get("is_admin"):
        reason = "only an admin may delete it"
    else:
        return True, []
    return False, [Stay("resource type", TYPE, reason)] if ours else []


def _folder(api: WindmillApi, folder: str, gone: set[str]) -> tuple[bool, list[Stay]]:
    """Whether the folder goes: one that the pack created, and that is empty then."""
    space, name, *inner = folder.split("/")
    about = api.find(f"folders/get/{name}") if space == "f" and not inner else None
    if about is None:
        return False, []
    if about.get("summary") != SUMMARY:
        return False, [Stay("folder", folder, "not created by the pack")]
    start = f"{folder}/"
    left = {path for _, path in listed(api, folder)} - gone
    for kind in ("apps", "schedules", "resources", "variables"):
        left |= api.entries(kind, start, drafts=True).keys() - gone
    # Triggers are of many kinds, which an export knows all of.
    for file in _exported(api):
        path = file.split(".")[0]
        if file.startswith(start) and not file.endswith("/folder.meta.json"):
            left |= {path.removesuffix("__flow")} - gone
    if left:
        some = ", ".join(sorted(left)[:3])
        return False, [Stay("folder", folder, f"it holds {some}")]
    return True, []


def _exported(api: WindmillApi) -> list[str]:
    """The names of the workspace's files as an export has them, f/a/b.script.json;
    resources and variables are left out, as their values would come along."""
    left_out = ("skip_resources", "skip_resource_types", "skip_variables")
    words = dict.fromkeys((*left_out, "include_triggers"), "true")
    # Not every server is built with zip.
    reply = api.send("GET", "workspaces/tarball", archive_type="tar", **words)
    with tarfile.open(fileobj=io.BytesIO(reply.content)) as archive:
        return archive.getnames()


def _kept(stays: list[Stay]) -> Iterator[str]:
    """What stays, each with its reason; many with the same are counted."""
    reasons = dict.fromkeys((stay.kind, stay.reason) for stay in stays)
    for kind, reason in reasons:
        paths = [s.path for s in stays if (s.kind, s.reason) == (kind, reason)]
        yield f"  stays: {kind} {named(paths)} ({reason})"


def _question(total: int, unknown: int) -> str:
    if not unknown:
        return f"remove these {total}?"
    return f"remove these {total}, of which {unknown} may hold changes of yours?"


def _doubts(plan: Plan) -> Iterator[str]:
    """What is said of what is the pack's and not as this version deploys it."""
    if plan.changed:
        yield (
            f"  note: {len(plan.changed)} differ from what {VERSION} deploys and stay, "
            "with the modules that they import, though what they call goes; to remove "
            "these too, ./dev deploy first, which writes them anew"
        )
    versions = sorted({one.version for one in plan.unknown})
    if versions:
        yield (
            f"  note: {len(plan.unknown)} of those that go are of another state of the "
            f"pack ({', '.join(versions)}), so that it cannot be told whether you "
            "changed them"
        )


def _missed(api: WindmillApi, folder: str, plan: Plan) -> Iterator[str]:
    """What stays and uses something that goes."""
    gone = {(kind, path) for kind, path in plan.removals}
    yield from missed(api, gone, f"{folder}/")
