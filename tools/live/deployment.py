"""What a deployment brings, changes and takes away again."""

import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.live.checks import Subject, expect
from tools.live.stage import TYPE, Stage
from tools.tree.sync_tree import build, fit_server
from tools.workspace.deploy import command_line, windmill_cli
from tools.workspace.undeploy import undeploy
from tools.workspace.windmill_api import KINDS
from tools.yaml_text import load

SETTLED = 30.0  # seconds after a push in which Windmill starts what the push causes
USED = "organization/report_usage"


def a_push_brings_all_of_it(stage: Stage) -> str:
    with TemporaryDirectory(prefix="live-") as folder:
        build(Path(folder), folder=stage.folder)
        wanted = _runnables(Path(folder))
    there = {
        path
        for kind in ("scripts", "flows")
        for path in stage.api.entries(kind, f"{stage.folder}/")
    }
    missing = sorted(wanted - there)
    expect(not missing, f"{len(missing)} are not there: {', '.join(missing[:5])}")
    return f"{len(wanted)} scripts and flows in {stage.deployed['seconds']} s"


def _runnables(place: Path) -> set[str]:
    names = [p.relative_to(place).as_posix() for p in place.rglob("*")]
    found = {n.removesuffix(".py") for n in names if n.endswith(".py")}
    mark = "__flow/flow.yaml"
    return found | {n.removesuffix(mark) for n in names if n.endswith(mark)}


def a_second_push_changes_nothing(stage: Stage) -> str:
    done = stage.deploy()
    said = "; ".join(line.strip() for line in done["said"])
    expect(not done["pushed"], f"it changes something: {said}")
    return done["said"][-1]


def a_pull_brings_what_was_pushed(stage: Stage) -> str:
    with TemporaryDirectory(prefix="live-") as folder:
        place, before = Path(folder, "pulled"), Path(folder, "built")
        build(before, folder=stage.folder)
        fit_server(before, stage.version)
        shutil.copytree(before, place)
        with windmill_cli(command_line(), place, stage.target) as program:
            program.run("sync", "pull", "--yes")
        found = _differences(_parsed(before), _parsed(place))
    listed = "; ".join(found[:20])
    expect(not found, f"{len(found)} files differ: {listed}")
    return "no file differs, as parsed YAML"


def _parsed(place: Path) -> dict[str, object]:
    """What the files say: YAML parsed, other text without its last line break."""
    found = {}
    for path in sorted(place.rglob("*")):
        name = path.relative_to(place).as_posix()
        if not path.is_file() or name in ("wmill.yaml", "wmill-lock.yaml"):
            continue
        text = path.read_text(encoding="utf-8")
        found[name] = load(text) if name.endswith(".yaml") else text.rstrip()
    return found


def _differences(before: dict, after: dict) -> list[str]:
    found = [f"{name} is gone" for name in sorted(before.keys() - after.keys())]
    found += [f"{name} is new" for name in sorted(after.keys() - before.keys())]
    for name in sorted(before.keys() & after.keys()):
        found += [f"{name}: {d}" for d in _unequal(before[name], after[name])][:3]
    return found


def _unequal(one: object, other: object, where: str = "") -> list[str]:
    """Where two values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        found = []
        for key in dict.fromkeys([*one, *other]):
            place = f"{where}.{key}".lstrip(".")
            if key not in one or key not in other:
                found.append(f"{place} {'added' if key in other else 'left out'}")
            else:
                found += _unequal(one[key], other[key], place)
        return found
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [d for n, (a, b) in pairs for d in _unequal(a, b, f"{where}[{n}]")]
    if one == other:
        return []
    return [f"{where or 'text'} {str(one)[:60]!r} became {str(other)[:60]!r}"]


def no_script_is_locked_again(stage: Stage) -> dict:
    passed = time.monotonic() - stage.deployed_at
    stage.pause(max(0.0, SETTLED - passed))
    query = {"script_path_start": f"{stage.folder}/", "per_page": 1000}
    kinds = ("dependencies", "flowdependencies")
    found = {
        kind: [
            j["script_path"]
            for j in stage.api.get("jobs/list", job_kinds=kind, **query)
        ]
        for kind in kinds
    }
    counts = {kind: len(paths) for kind, paths in found.items()}
    locked = found["dependencies"]
    said = f"{len(locked)} jobs of kind dependencies, 30 s after a push"
    expect(not locked, f"{said}: {', '.join(sorted(set(locked))[:5])}")
    return {"said": f"{said}; {counts['flowdependencies']} flowdependencies", **counts}


def what_a_user_set_stays(stage: Stage) -> str:
    """In a folder of its own, which undeploying then empties."""
    api, folder = stage.api, stage.second
    stage.listed = listed(stage)
    stage.deploy(folder)
    changed, gone = sorted(api.entries("schedules", f"{folder}/"))[:2]
    # A user switches one schedule on, at another time, and deletes another.
    own = {"schedule": "0 7 3 1 1 *", "timezone": "Europe/Vienna", "args": {"a": 77}}
    api.post(f"schedules/update/{changed}", {**own, "summary": "mine"})
    api.post(f"schedules/setenabled/{changed}", {"enabled": True})
    api.delete(f"schedules/delete/{gone}")
    # Gives a group rights to the folder, has a key and a script there.
    rights = api.get(f"folders/get/{folder[2:]}")["extra_perms"]
    rights = {"extra_perms": {**rights, "g/all": False}}
    api.post(f"folders/update/{folder[2:]}", rights)
    key = {"api_key": "of-a-user", "base_url": ""}
    api.post(
        "resources/create",
        {"path": f"{folder}/mine", "value": key, "resource_type": TYPE},
    )
    script = {
        "path": f"{folder}/chat/mine",
        "content": "def main():\n    return 1\n",
        "language": "python3",
        "lock": "# py: 3.11\n",
        "summary": "",
        "description": "",
    }
    api.post("scripts/create", script)
    before = _users(stage, changed)
    # So that the next deployment has something to write.
    _delete_script(stage, f"{folder}/{USED}")
    done = stage.deploy(folder)
    expect(done["pushed"], "nothing was pushed, though a script was missing")
    found = _unequal(before, _users(stage, changed))
    expect(not found, f"changed: {'; '.join(found)}")
    back = api.find(f"schedules/get/{gone}")
    expect(back is None, f"{gone} was deleted by the user, and is back")
    return "a schedule, the folder, a key and a script are as the user left them"


def _delete_script(stage: Stage, path: str) -> None:
    if stage.user.get("is_admin"):
        stage.api.post(f"scripts/delete/p/{path}")
    else:
        stage.api.post(f"scripts/archive/p/{path}")


def _users(stage: Stage, schedule: str) -> dict:
    """What a user set in the second folder, as the server tells it."""
    api, folder = stage.api, stage.second
    about = api.get(f"schedules/get/{schedule}")
    names = ("schedule", "timezone", "args", "enabled", "summary", "script_path")
    return {
        "schedule": {name: about.get(name) for name in names},
        "folder": {
            name: api.get(f"folders/get/{folder[2:]}").get(name)
            for name in ("owners", "extra_perms", "summary")
        },
        "key": api.get(f"resources/get_value/{folder}/mine"),
        "script": api.get(f"scripts/get/p/{folder}/chat/mine")["hash"],
    }


def undeploying_leaves_what_was_there(stage: Stage) -> str:
    folder = stage.second
    done = undeploy(stage.target, say=lambda _: None, ask=lambda _: True, folder=folder)
    mine = {f"{folder}/mine", f"{folder}/chat/mine"}
    expect(done["removed"], "nothing was removed")
    left = listed(stage)
    here = {(k, path) for k, path in left if path.startswith(f"{folder}/")}
    kept = {path for _, path in here}
    expect(mine <= kept, f"the user's own is gone: {', '.join(mine - kept)}")
    # The schedule that the user changed stays too.
    more = {path for kind, path in here if kind != "schedules"} - mine
    expect(not more, f"left behind: {', '.join(sorted(more)[:5])}")
    lost = {p for p in stage.listed if not p[1].startswith(stage.folder)} - left
    expect(not lost, f"of others, gone: {sorted(lost)[:5]}")
    counts = ", ".join(f"{n} {kind}" for kind, n in done["removed"].items())
    return f"removed {counts}; all else is there"


def listed(stage: Stage) -> set[tuple[str, str]]:
    """The kind and path of everything in the workspace."""
    api = stage.api
    found = {(kind, path) for kind in KINDS for path in api.entries(kind)}
    found |= {("folders", name) for name in api.get("folders/listnames")}
    return found | {("types", name) for name in api.get("resources/type/listnames")}


SUBJECT = Subject(
    "deployment",
    (
        a_push_brings_all_of_it,
        a_second_push_changes_nothing,
        a_pull_brings_what_was_pushed,
        what_a_user_set_stays,
        undeploying_leaves_what_was_there,
        no_script_is_locked_again,
    ),
)
