"""`wmill sync push` of the build onto a stand-in for a workspace. Needs Node."""

import json
import shutil

import pytest
import yaml

from tests.support import windmill_models
from tests.support.fake_windmill_api import Remote, paths, push
from tests.support.sample_flow import FLOW, SCHEDULE
from tests.support.windmill_cli import wmill
from tools.operations import ROOT, imported, scripts, with_own
from tools.tree.flatten import module_names, sources
from tools.tree.sync_tree import build

pytestmark = pytest.mark.slow
MINE = {
    "f/togetherai/my_script.py": "def main():\n    return 1\n",
    "f/togetherai/my_script.script.json": {
        "summary": "mine",
        "description": "",
        "kind": "script",
        "lock": "",
        "schema": {"type": "object", "properties": {}},
    },
    "f/togetherai/my_flow.flow.json": {"summary": "mine", "value": {"modules": []}},
    "f/togetherai/mine.schedule.json": {
        "schedule": "0 0 3 * * *",
        "timezone": "UTC",
        "script_path": "f/togetherai/my_script",
        "is_flow": False,
        "enabled": True,
        "args": {},
    },
    "f/togetherai/key.resource.json": {
        "value": {"api_key": "$var:f/togetherai/key"},
        "resource_type": "togetherai",
    },
    "f/togetherai/key.variable.json": {"value": "x", "is_secret": True},
    "other.resource-type.json": {"schema": {"type": "object"}, "description": "mine"},
}
SUFFIXES = {
    ".py": "scripts",
    "__flow/flow.yaml": "flows",
}


def created(writes, kind):
    """What was sent to create objects of a kind, by path."""
    return {body["path"]: body for url, body in writes if url == f"/w/w/{kind}/create"}


@pytest.fixture
def copy(tmp_path):
    """The sources, to change."""
    for name in ("schemas", "scripts", "resources", "flows", "schedules"):
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("wmill.yaml", "requirements.txt", "requirements-parquet.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_a_push_creates_everything_once_and_touches_nothing_else(built):
    remote = Remote(MINE)

    first = push(built, remote)

    for suffix, kind in SUFFIXES.items():
        assert created(first, kind).keys() == paths(built, suffix), kind
    pushed = created(first, "scripts")
    wanted = {f"f/togetherai/{script.id}" for script in scripts()}
    wanted |= {f"f/togetherai/{name}" for name in module_names(ROOT)}
    assert wanted <= pushed.keys()
    for name, script in pushed.items():
        assert script["content"] == (built / f"{name}.py").read_text()
        assert script["lock"] == (built / f"{name}.script.lock").read_text()
        assert script["summary"]
        assert script["language"] == "python3"
    others = [url for url, _ in first if url.split("/")[3] not in SUFFIXES.values()]
    assert others == ["/w/w/resources/type/create"]
    assert remote.files.items() >= MINE.items()

    assert push(built, remote) == []
    for name in MINE:
        del remote.files[name]
    assert_a_pull_changes_nothing(built, remote)


def assert_a_pull_changes_nothing(place, remote):
    before = {p: p.read_bytes() for p in place.rglob("*") if p.is_file()}
    with remote.serving() as url:
        words = ("--base-url", url, "--token", "t", "--workspace", "w")
        done = wmill(place, "sync", "pull", "--yes", *words)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert before == {p: p.read_bytes() for p in place.rglob("*") if p.is_file()}


def test_a_changed_helper_reaches_every_script_that_may_load_it(copy, node_packages):
    build(copy / "build", copy)
    remote = Remote()
    push(copy / "build", remote)
    helper = sources(copy, "client")[-1]
    helper.write_text(helper.read_text() + "\n\nADDED = True\n")

    build(copy / "build", copy)
    second = push(copy / "build", remote)

    wanted = {
        f"f/togetherai/{script.id}"
        for script in scripts(copy)
        if "client" in with_own(imported(script.script_path), copy)
    }
    assert len(wanted) > 200
    assert created(second, "scripts").keys() == wanted | {"f/togetherai/client"}
    assert len(second) == len(wanted) + 1


@pytest.fixture
def small(one_step, node_packages):
    """A pack of one step, built."""
    build(one_step / "build", one_step)
    return one_step / "build"


def test_only_the_pack_s_settings_keep_a_push_from_deleting(small):
    """So that the tests above can fail."""
    settings = small / "wmill.yaml"
    settings.write_text(settings.read_text().replace("keepDeleted: true\n", ""))

    writes = push(small, Remote(MINE))

    lost = {url.removeprefix("DELETE ") for url, _ in writes}
    assert "/w/w/scripts/archive/p/f/togetherai/my_script" in lost
    assert any("my_flow" in url for url in lost)
    assert any("other" in url for url in lost)
    assert not any("schedules" in url or "folders" in url for url in lost)


@pytest.fixture
def with_flow(small):
    """The build, and a flow of its own folder and a schedule for it beside."""
    place = small / "f" / "togetherai" / "flows" / "ask__flow"
    place.mkdir(parents=True)
    (place / "flow.yaml").write_text(FLOW)
    (place / "sure.py").write_text("def main():\n    return {}\n")
    (place / "sure.lock").write_text("# py: 3.11\n")
    (small / "f" / "togetherai" / "morning.schedule.yaml").write_text(SCHEDULE)
    assert wmill(small, "generate-metadata", "rehash").returncode == 0
    return small


def test_flows_are_pushed_once_too_and_schedules_beside_them_never(with_flow):
    assert wmill(with_flow, "lint", "--locks-required").returncode == 0
    remote = Remote(MINE)

    first = push(with_flow, remote)

    flow = created(first, "flows")["f/togetherai/flows/ask"]
    assert flow["value"]["modules"][2]["value"]["content"].startswith("def main()")
    assert not any("schedules" in url or "folders" in url for url, _ in first)
    assert push(with_flow, remote) == []


SCRIPT = {"path": "f/a/b", "summary": "", "content": "", "language": "python3"}
WRONG = {
    "an unknown member": ("flows", FLOW, ("retry:", "retries:"), "retries is unknown"),
    "a number for a transform": (
        "flows",
        FLOW,
        ("{type: static, value: 60}", "60"),
        "given 60",
    ),
    "text for a switch": (
        "flows",
        FLOW,
        ("parallel: true", "parallel: 'yes'"),
        "valid boolean",
    ),
    "an unknown kind of step": (
        "flows",
        FLOW,
        ("type: identity", "type: same"),
        "no kind of step",
    ),
    "a missing member": (
        "flows",
        FLOW,
        ("skip_failures: true", "parallel: true"),
        "skip_failures",
    ),
    "a schedule without a zone": (
        "schedules",
        SCHEDULE,
        ("timezone", "timezones"),
        "'timezone'",
    ),
    "a kind of script that is not": (
        "scripts",
        json.dumps({**SCRIPT, "kind": "script"}),
        ('"kind": "script"', '"kind": "job"'),
        "'job' is not a valid",
    ),
    "a lock of lines": (
        "scripts",
        json.dumps({**SCRIPT, "lock": "# py: 3.11"}),
        ('"# py: 3.11"', '["# py: 3.11"]'),
        "valid string",
    ),
    "a name of a folder beside its own": (
        "folders",
        "name: a",
        ("name: a", "{name: a, display_name: A}"),
        "display_name is unknown",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_windmill_s_models_tell_what_is_wrong_with_a_payload(name, node_packages):
    kind, text, change, message = WRONG[name]

    def judged(text):
        body = {"path": "f/a/b"} if kind in ("flows", "schedules") else {}
        body |= yaml.safe_load(text)
        return windmill_models.problems("POST", f"/w/w/{kind}/create", body)

    assert judged(text) == []
    [problem] = judged(text.replace(*change, 1))
    assert message in problem


# --- beside the workspace's own repository -----------------------------------------


@pytest.fixture
def repository(tmp_path, node_packages):
    """A repository of the user's, as the command line sets it up."""
    place = tmp_path / "repository"
    place.mkdir()
    done = wmill(place, "init", "--use-default")
    assert done.returncode == 0, done.stdout + done.stderr
    script = place / "f" / "mine" / "hello"
    script.parent.mkdir(parents=True)
    (script.parent / "folder.meta.yaml").write_text("summary: mine\n")
    script.with_suffix(".py").write_text("def main():\n    return 1\n")
    script.with_suffix(".script.lock").write_text("# py: 3.11\n")
    script.with_suffix(".script.yaml").write_text(
        "summary: hello\nlock: '!inline f/mine/hello.script.lock'\nkind: script\n"
        "schema: {type: object, properties: {}}\n"
    )
    assert wmill(place, "generate-metadata", "rehash").returncode == 0
    return place


@pytest.fixture
def deployed(small):
    """A workspace with a pack of one step, and the build that it came from."""
    about = {"summary": "Together AI", "owners": [], "extra_perms": {}}
    remote = Remote({"f/togetherai/folder.meta.json": about})
    push(small, remote)
    return remote, small


KEPT = {
    "nothing": ("", {"archive", "resources"}),
    "excluding the folder": ('excludes: ["f/togetherai/**"]', {"resources"}),
    "and skipping types": (
        'excludes: ["f/togetherai/**"]\nskipResourceTypes: true',
        set(),
    ),
    "keeping what is deleted": ("keepDeleted: true", set()),
}


@pytest.mark.parametrize("name", KEPT)
def test_a_repository_without_the_pack_deletes_it_but_for(name, deployed, repository):
    more, lost = KEPT[name]
    remote, _ = deployed
    settings = repository / "wmill.yaml"
    lines = settings.read_text().splitlines(keepends=True)
    assert "excludes: []\n" in lines
    own = [word.split(":")[0] for word in more.splitlines()]
    kept = [line for line in lines if line.split(":")[0] not in own]
    settings.write_text("".join(kept) + more + "\n")

    writes = push(repository, remote)

    gone = [url for url, _ in writes if "togetherai" in url]
    assert {
        word for word in ("archive", "resources") for u in gone if word in u
    } == lost
    assert len(writes) - len(gone) == 2  # the user's folder and script


def test_the_pack_can_live_in_a_repository_of_the_user_s(deployed, repository):
    remote, place = deployed
    shutil.copytree(place / "f", repository / "f", dirs_exist_ok=True)
    shutil.copy(place / "togetherai.resource-type.yaml", repository)
    assert wmill(repository, "generate-metadata", "rehash").returncode == 0

    writes = push(repository, remote)

    assert [body["path"] for _, body in writes if "path" in body] == ["f/mine/hello"]
    assert len(writes) == 2


def test_a_pull_after_a_push_changes_no_file(deployed):
    remote, place = deployed

    assert_a_pull_changes_nothing(place, remote)
