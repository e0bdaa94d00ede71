"""What is built is in the form in which Windmill's server keeps it, so that neither a
second push nor a pull finds anything to change."""

import copy
import json
import shutil

import pytest
import yaml

from tests.support.fake_windmill_api import Remote, push
from tests.support.sample_flow import SCHEDULE
from tests.support.server_form import server_form
from tests.support.windmill_cli import WINDMILL, wmill
from tools.flows import pack_flows
from tools.flows.pack_flows import schedules, timetable
from tools.operations import ROOT
from tools.target_folder import FOLDER
from tools.tree.sync_tree import build, fit_server, tree
from tools.yaml_text import load

RECORDED = json.loads((WINDMILL / "server_form.json").read_text())
KINDS = {"__flow/flow.yaml": "flow", ".resource-type.yaml": "resource-type"}


def objects():
    for path, content in tree().items():
        for suffix, kind in KINDS.items():
            if path.endswith(suffix):
                yield path, kind, load(content)


def exactly(value):
    """Text that tells true from 1, and does not depend on the order of members."""
    return json.dumps(value, sort_keys=True)


def test_the_stand_in_makes_of_a_flow_what_the_server_made_of_it():
    given = copy.deepcopy(RECORDED["pushed"])

    found = server_form("flow", {"value": given})["value"]

    assert exactly(found) == exactly(RECORDED["given"])
    assert exactly(found) != exactly(RECORDED["pushed"])


@pytest.mark.slow
def test_the_server_finds_nothing_to_change_in_what_is_built():
    found = list(objects())

    assert {kind for _, kind, _ in found} == set(KINDS.values())
    for path, kind, content in found:
        assert exactly(server_form(kind, content)) == exactly(content), path


def test_a_schedule_is_created_as_the_server_keeps_it():
    for schedule in schedules():
        found = timetable(schedule)
        assert exactly(server_form("schedule", found)) == exactly(found)


def test_a_flow_as_its_source_has_it_would_be_changed():
    """So that the tests above can fail."""
    changed = [
        flow.id
        for flow in pack_flows.flows()
        if exactly(server_form("flow", {"value": flow.value})["value"])
        != exactly(flow.value)
    ]

    assert len(changed) > 10


STOPS = "f/togetherai/flows/stop_idle_endpoints__flow/flow.yaml"


@pytest.mark.parametrize(
    ("version", "null"),
    [
        ("1.713.1", True),
        ("1.725.0", True),
        ("1.725.1", False),
        ("1.788.0+source", False),
        ("unknown-version", False),
    ],
)
def test_flows_are_what_the_server_s_version_gives_back(version, null, tmp_path):
    built = tree()
    for path in (STOPS, "wmill.yaml", "f/togetherai/flows/make_video__flow/flow.yaml"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(built[path])

    fit_server(tmp_path, version)

    changed = [
        path
        for path in built
        if (tmp_path / path).exists() and (tmp_path / path).read_bytes() != built[path]
    ]
    assert changed == ([STOPS] if null else [])
    before, after = load(built[STOPS]), load((tmp_path / STOPS).read_bytes())
    stops = before["value"]["modules"][0]["stop_after_if"]
    assert "error_message" not in stops
    if null:
        stops["error_message"] = None
    assert exactly(after) == exactly(before)


WHOLE = {"expr": "", "skip_failure": True, "parallel": True}
LEAF = {"id": "x", "value": {"type": "identity"}}
ADDED = {
    "a retry": ({**LEAF, "retry": {"exponential": {"attempts": 2}}}, "retry"),
    "a time limit": ({**LEAF, "timeout": 5}, "timeout"),
    "a loop": (
        {
            "id": "x",
            "value": {
                "type": "forloopflow",
                "iterator": {"type": "javascript", "expr": "[1]"},
                "modules": [{**LEAF, "id": "y", "retry": {}}],
                "parallelism": 2,
            },
        },
        "value",
    ),
    "branches": (
        {"id": "x", "value": {"type": "branchall", "branches": [{"modules": []}]}},
        "value",
    ),
    "a choice": (
        {
            "id": "x",
            "value": {
                "type": "branchone",
                "branches": [WHOLE | {"modules": []}],
                "default": [LEAF | {"id": "y", "retry": {}}],
            },
        },
        "value",
    ),
}


@pytest.mark.parametrize("name", ADDED)
def test_every_kind_of_step_is_completed_as_the_server_does(name):
    module, changed = ADDED[name]
    value = {"modules": [module], "failure_module": {**LEAF, "retry": {}}}
    stored = server_form("flow", {"value": copy.deepcopy(value)})["value"]

    found = pack_flows.as_stored(copy.deepcopy(value))

    assert exactly(server_form("flow", {"value": found})["value"]) == exactly(found)
    assert exactly(without_delays(found)) == exactly(without_delays(stored))
    assert found["modules"][0][changed] != module[changed]


def without_delays(value):
    """A flow without the delays that have no attempts: which members those have is
    said in one way by the server, and in another by its linter."""
    if isinstance(value, list):
        return [without_delays(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    return {
        name: without_delays(inner)
        for name, inner in value.items()
        if not (name in ("constant", "exponential") and inner["attempts"] == 0)
    }


def test_what_the_server_does_not_know_of_is_gone():
    value = {"modules": [{**LEAF, "retries": 1}], "same_worker": False}

    assert server_form("flow", {"value": value})["value"] == {"modules": [LEAF]}


def test_an_update_leaves_whether_a_schedule_is_on():
    before = server_form("schedule", {"enabled": True, "args": {"a": 1}})

    found = server_form("schedule", {"enabled": False, "args": {"a": 2}}, before)

    assert (found["enabled"], found["args"]) == (True, {"a": 2})


# --- the official command line onto the stand-in -----------------------------------


@pytest.fixture
def place(one_step, node_packages):
    """A pack of one step and one flow, built."""
    (one_step / "flows").mkdir()
    shutil.copy(ROOT / "flows" / "stop_idle_endpoints.yaml", one_step / "flows")
    build(one_step / "build", one_step)
    return one_step / "build"


def changed(place, remote):
    """What a pull would write into a build that was pushed."""
    with remote.serving() as url:
        words = ("--base-url", url, "--token", "t", "--workspace", "w")
        words = ("sync", "pull", "--dry-run", "--json-output", *words)
        done = wmill(place, *words)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    found = json.loads(done.stdout[done.stdout.index("{") :])
    return {change["path"] for change in found["changes"]}


@pytest.mark.slow
def test_a_second_push_and_a_pull_find_nothing_to_do(place):
    remote = Remote()
    push(place, remote)

    assert push(place, remote) == []
    assert changed(place, remote) == set()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flow", "resource type"])
def test_what_is_not_in_the_server_s_form_changes_at_every_push(kind, place):
    """As all flows and the resource type did in builds before this form."""
    remote = Remote()
    if kind == "flow":
        name = f"{FOLDER}/flows/stop_idle_endpoints__flow/flow.yaml"
        content = load((place / name).read_text())
        del content["value"]["modules"][0]["retry"]["exponential"]
    else:
        name = "togetherai.resource-type.yaml"
        content = load((place / name).read_text())
        del content["is_fileset"]
    (place / name).write_text(yaml.safe_dump(content))
    push(place, remote)

    assert changed(place, remote) == {name}


MINE = {
    "schedule": "0 0 9 * * *",
    "timezone": "Europe/Berlin",
    "script_path": f"{FOLDER}/flows/stop_idle_endpoints",
    "is_flow": True,
    "enabled": True,
    "args": {"auth": "$res:u/me/key", "minutes": 5},
}


@pytest.mark.slow
@pytest.mark.parametrize("pushed", [False, True])
def test_a_push_of_schedules_sets_the_user_s_back(pushed, place):
    """Which is why the build has none."""
    remote = Remote({f"{FOLDER}/morning.schedule.json": MINE})
    settings = load((place / "wmill.yaml").read_text())
    settings |= {"includeSchedules": pushed}
    (place / "wmill.yaml").write_text(yaml.safe_dump(settings))
    (place / FOLDER / "morning.schedule.yaml").write_text(SCHEDULE)

    push(place, remote)

    found = remote.files[f"{FOLDER}/morning.schedule.json"]
    if pushed:
        wanted = load(SCHEDULE)
        assert found["enabled"] is False
        assert (found["args"], found["schedule"]) == (wanted["args"], "0 0 6 * * *")
        assert found["script_path"] == MINE["script_path"]
    else:
        assert found == MINE
