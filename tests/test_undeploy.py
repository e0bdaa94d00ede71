"""`./dev undeploy`, and what it knows the pack by, against a stand-in."""

import copy
import json
import re
import shutil

import pytest

from tests.conftest import STEP
from tests.support.command_line import tool
from tests.support.fake_windmill_api import Remote
from tests.support.talk import Talk
from tools.operations import ROOT
from tools.tree.parts import runnables
from tools.tree.sync_tree import RESOURCE_TYPE, tree
from tools.version import VERSION, mark
from tools.workspace.deploy import DeployError, Target, Wish, deploy
from tools.workspace.deployed import before_marks, record_names, timetables
from tools.workspace.undeploy import undeploy
from tools.yaml_text import load

TOKEN = "wm_secret_0123456789"
MAIN = "def main():\n    return 1\n"
pytestmark = pytest.mark.slow  # each deploys the whole pack

UNMARKED = before_marks()


FEW = ("account_steps", "client", "flows/run_batch", "chat/ask_model", STEP)


@pytest.fixture(scope="module")
def pack():
    """Some of the pack in f/togetherai, as an export has it, and all its schedules."""
    return as_exported(tree(), "f/togetherai")


def as_exported(files, folder):
    found = {}
    for path, file in runnables(files).items():
        name = path.removeprefix(f"{folder}/")
        if name not in FEW and not name.startswith("triggers/"):
            continue
        text = files[file].decode()
        if file.endswith(".py"):
            about = load(files[f"{path}.script.yaml"])
            found |= {f"{path}.py": text, f"{path}.script.json": about}
        else:
            found[f"{path}.flow.json"] = load(text)
    for path, timetable in timetables(folder=folder).items():
        found[f"{path}.schedule.json"] = timetable
    about = load(files[RESOURCE_TYPE])
    found["togetherai.resource-type.json"] = about
    if folder.count("/") == 1:
        found[f"{folder}/folder.meta.json"] = {"summary": "Together AI", "owners": []}
    return found


def state(path):
    return {f"{path}.resource.json": {"resource_type": "state", "value": {}}}


def workspace(files):
    return Remote(copy.deepcopy(files), judge=False)


def run(remote, talk=None, **words):
    talk = talk or Talk()
    with remote.serving() as url:
        target = Target("w", url, TOKEN)
        return undeploy(target, say=talk.say, ask=talk.ask, **words)


def reasons(done):
    return {(s["kind"], s["path"]): s["reason"] for s in done["stays"]}


@pytest.mark.parametrize("admin", [True, False])
def test_everything_of_the_pack_goes_and_nothing_else(pack, admin):
    other = {"f/else/folder.meta.json": {"summary": "mine", "owners": []}}
    records = {
        **state("f/togetherai/togetherai_intents/batch_0"),
        **state("f/team/togetherai_rows/rows_1"),
        **state("f/togetherai/triggers/batch_finished/user"),
        **state("f/togetherai/flows/run_batch/a_user"),
    }
    remote = workspace(pack | other | records)
    remote.admin = admin
    talk = Talk()

    dry = run(remote, talk, dry_run=True)
    assert (remote.writes, talk.asked) == ([], [])
    assert remote.files == pack | other | records
    done = run(remote, talk)

    kinds = {"togetherai.resource-type.json": pack["togetherai.resource-type.json"]}
    assert remote.files == other | ({} if admin else kinds)
    scripts = sum(name.endswith(".py") for name in pack)
    flows = sum(name.endswith(".flow.json") for name in pack)
    counts = {"script": scripts, "flow": flows, "state": 4, "folder": 1}
    counts["schedule"] = len(timetables())
    total = sum(counts.values()) + admin
    assert done["removed"] == counts | ({"resource type": 1} if admin else {})
    assert talk.asked == [f"remove these {total}?"]
    assert dry["stays"] == done["stays"]
    if admin:
        assert done["stays"] == []
        assert remote.archived == {}
    else:
        what = ("resource type", "togetherai")
        assert reasons(done) == {what: "only an admin may delete it"}
        assert len(remote.archived) == 2 * scripts
        assert any("scripts are archived: only an admin" in line for line in talk.said)
    assert run(remote, talk)["removed"] == {}
    assert talk.said[-1] == "nothing to do: the pack is not in this folder"
    assert remote.tokens == {f"Bearer {TOKEN}"}
    assert TOKEN not in "".join(talk.said)


def test_what_is_a_user_s_stays_and_is_named_with_the_reason(pack):
    mine = {
        "f/togetherai/mine.py": MAIN,
        "f/togetherai/mine.script.json": {"summary": "mine", "schema": {}},
        "f/togetherai/chat/copy.py": pack["f/togetherai/chat/ask_model.py"],
        "f/togetherai/chat/copy.script.json": {"summary": "my copy", "schema": {}},
        "f/togetherai/flows/mine.flow.json": {
            "summary": "Run a batch",
            "value": {
                "modules": [
                    {"value": {"type": "script", "path": "f/togetherai/chat/ask_model"}}
                ]
            },
        },
        "f/togetherai/mine.schedule.json": {
            "script_path": "f/togetherai/mine",
            "is_flow": False,
            "enabled": True,
        },
        "f/togetherai/key.resource.json": {"resource_type": "togetherai", "value": {}},
        "f/togetherai/key.variable.json": {"value": "x", "is_secret": True},
        "f/togetherai/notes.app.json": {"summary": "mine", "value": {}},
        **state("f/togetherai/mine/user"),
        **state("u/me/my_state"),
        "other.resource-type.json": {"schema": {}},
    }
    remote = workspace(pack | mine)
    for name in ("watch_spending_hourly", "watch_models_daily"):
        remote.files[f"f/togetherai/{name}.schedule.json"]["enabled"] = True
    changed = remote.files["f/togetherai/watch_spending_hourly.schedule.json"]
    changed["args"]["limit_usd"] = 77
    remote.files["f/togetherai/report_usage_daily.schedule.json"]["tag"] = "big"
    kept = {name for name in remote.files if name in mine}
    kept |= {f"f/togetherai/{n}.schedule.json" for n in CHANGED}
    kept |= {"togetherai.resource-type.json", "f/togetherai/folder.meta.json"}
    talk = Talk()

    done = run(remote, talk)

    assert remote.files.keys() == kept
    found = reasons(done)
    start = "f/togetherai"
    assert (
        found["schedule", f"{start}/watch_models_daily"] == "you changed it (enabled)"
    )
    both = "you changed it (args, enabled)"
    assert found["schedule", f"{start}/watch_spending_hourly"] == both
    assert found["schedule", f"{start}/report_usage_daily"] == "you changed it (tag)"
    assert (
        found["resource type", "togetherai"]
        == f"there are resources of it: {start}/key"
    )
    assert found["folder", start].startswith("it holds f/togetherai/")
    for kind, name in [
        ("script", "mine"),
        ("script", "chat/copy"),
        ("flow", "flows/mine"),
        ("schedule", "mine"),
    ]:
        assert found[kind, f"{start}/{name}"] == "not of the pack"
    assert found["resource", f"{start}/key"] == "a togetherai, yours"
    assert found["variable", f"{start}/key"] == "yours"
    shown = "\n".join(talk.said)
    assert "note: the schedule f/togetherai/watch_models_daily (on) runs" in shown
    assert shown.count("note: the schedule") == 2  # not those that go
    assert "note: f/togetherai/flows/mine uses scripts of f/togetherai" in shown
    assert "  stays: variable f/togetherai/key (yours)" in talk.said


CHANGED = ("watch_spending_hourly", "watch_models_daily", "report_usage_daily")


@pytest.mark.parametrize(
    "call",
    ["POST /w/w/scripts/delete/p/f/togetherai/chat/", "DELETE /w/w/folders/delete/"],
)
def test_stopped_in_the_middle_it_is_run_again(pack, call):
    remote = workspace(pack)
    remote.breaks = call

    with pytest.raises(DeployError, match="same command again"):
        run(remote)
    assert remote.files
    run(remote)

    assert remote.files == {}


def test_what_the_server_does_not_remove_is_an_error(pack):
    remote = workspace(pack)
    remote.readonly = {"f/togetherai/flows/run_batch"}

    with pytest.raises(DeployError, match=r"still there: .*/run_batch.* owner"):
        run(remote)


def test_a_user_who_may_not_remove_is_told_what_is_needed(pack):
    remote = workspace(pack)
    remote.admin = False
    remote.readonly = {"f/togetherai/account_steps"}

    with pytest.raises(DeployError, match="token of an admin, or of an owner"):
        run(remote)


def test_who_may_only_write_removes_nothing_rather_than_a_part(pack):
    remote, talk = workspace(pack), Talk()
    remote.admin = remote.owner = False

    run(remote, talk, dry_run=True)
    with pytest.raises(DeployError, match="only an admin or an owner of f/togetherai"):
        run(remote, talk)

    assert (remote.writes, talk.asked) == ([], [])


def test_no_is_no(pack):
    remote, talk = workspace(pack), Talk(answer=False)

    assert run(remote, talk)["removed"] == {}
    assert (remote.writes, talk.said[-1]) == ([], "nothing removed")


def test_another_copy_of_the_pack_keeps_what_both_share(pack):
    mine = as_exported(tree(folder="u/me/together"), "u/me/together")
    records = {
        **state("f/team/togetherai_intents/batch_0"),
        **state("f/togetherai/togetherai_intents/batch_1"),
        **state("u/me/togetherai_intents/batch_2"),
    }
    remote = workspace(pack | mine | records)

    done = run(remote, folder="u/me/together")

    assert remote.files == pack | {
        name: content for name, content in records.items() if "u/me" not in name
    }
    reason = reasons(done)["resource type", "togetherai"]
    assert reason == "f/togetherai holds the pack too"


@pytest.mark.parametrize("own", [True, False])
def test_a_shared_resource_type_and_a_folder_of_the_user_s_stay(pack, own):
    remote = workspace(pack)
    remote.files["f/togetherai/folder.meta.json"]["summary"] = "Our own"
    about = remote.files["togetherai.resource-type.json"]
    if own:
        about["schema"] = {"type": "object", "properties": {"key": {}}}
    else:
        about["workspace_id"] = "admins"

    done = run(remote)

    kept = {"togetherai.resource-type.json", "f/togetherai/folder.meta.json"}
    assert remote.files.keys() == kept
    folder = {("folder", "f/togetherai"): "not created by the pack"}
    changed = {("resource type", "togetherai"): "it is not as the pack has it"}
    assert reasons(done) == (folder | changed if own else folder)


def test_what_had_no_marks_yet_is_known_by_what_the_build_put_into_it():
    """The pack before 1.0.0: paths and texts as they were then."""
    text = f"Rendered from schemas/{STEP}.json; edit that, not this."
    old = {f"{STEP}.py": f'"""Check connection.\n\n{text}\n"""\n\n{MAIN}'}
    for name, line in UNMARKED["modules"].items():
        old[f"{name}.py"] = f'"""{line}\n\nMore.\n"""\n\nA = 1\n'
    files = {f"f/togetherai/{name}": content for name, content in old.items()}
    files |= {
        name.replace(".py", ".script.json"): {"summary": "", "schema": {}}
        for name in list(files)
    }
    step = {"type": "script", "path": f"f/togetherai/{STEP}", "input_transforms": {}}
    for name, summary in UNMARKED["flows"].items():
        flow = {"summary": summary, "value": {"modules": [{"id": "a", "value": step}]}}
        files[f"f/togetherai/flows/{name}.flow.json"] = flow
    for name, timetable in UNMARKED["schedules"].items():
        files[f"f/togetherai/{name}.schedule.json"] = timetable
    mine = {
        "f/togetherai/chat/client.py": '"""Send one operation."""\n',
        "f/togetherai/chat/client.script.json": {"summary": "", "schema": {}},
        "f/togetherai/chat/connection.py": old[f"{STEP}.py"],
        "f/togetherai/chat/connection.script.json": {"summary": "", "schema": {}},
    }
    remote = workspace(files | mine)

    done = run(remote)

    assert remote.files == mine
    assert done["removed"]["script"] == len(old)


START = "f/togetherai"
RUN, ASK = f"{START}/flows/run_batch", f"{START}/chat/ask_model"


def edit(files):
    """What a user may change of the pack in Windmill."""
    flow = files[f"{RUN}.flow.json"]
    mail = {"id": "mine", "value": {"type": "script", "path": "u/me/mail"}}
    flow["value"]["modules"].append(mail)
    flow["summary"] = "My nightly run"
    files[f"{ASK}.py"] = files[f"{ASK}.py"].replace("def main(", "MINE = 1\ndef main(")
    files[f"{START}/{STEP}.script.json"]["schema"]["properties"]["auth"]["default"] = 1


def test_what_of_the_pack_a_user_changed_stays(pack):
    remote, talk = workspace(pack), Talk()
    edit(remote.files)
    remote.files |= state(f"{ASK}/user")
    edited = copy.deepcopy(remote.files)

    done = run(remote, talk)
    again = run(remote, talk)

    names = {f"{RUN}.flow.json", f"{START}/folder.meta.json"}
    modules = [f"{START}/client", f"{START}/account_steps"]  # which they import
    paths = (ASK, AT, *modules)
    names |= {f"{path}{e}" for path in paths for e in (".py", ".script.json")}
    names |= {f"{ASK}/user.resource.json"}
    assert remote.files == {name: edited[name] for name in names}
    found = reasons(done)
    assert found["flow", RUN] == "you changed it (summary, value)"
    assert found["script", ASK] == "you changed it (content)"
    assert found["script", AT] == "you changed it (schema)"
    for module in modules:
        assert found["script", module] == "what you changed imports it"
    assert found["folder", START].startswith("it holds ")
    note = f"  note: 3 differ from what {VERSION} deploys and stay"
    assert any(line.startswith(note) for line in talk.said)
    assert (again["removed"], again["stays"]) == ({}, done["stays"])
    nothing = "nothing to do: the pack is not in this folder but what you changed"
    assert talk.said[-1] == nothing
    assert "cannot be told" not in "".join(talk.said)


AT = f"{START}/{STEP}"


def of_another_commit(files):
    """The same version of the pack, in which a module had another text."""
    said = json.dumps(files)
    for stamp in set(re.findall(r"# helper ([0-9a-f]{12})", said)):
        said = said.replace(f"# helper {stamp}", f"# helper {stamp[::-1]}")
    return json.loads(said)


def test_of_another_commit_all_goes_though_the_version_is_the_same(pack):
    remote, talk = workspace(of_another_commit(pack)), Talk()
    client = f"{START}/client.py"
    remote.files[client] = remote.files[client].replace("\n\n", "\nA = 1\n\n", 1)
    remote.files[f"{RUN}.flow.json"]["summary"] = "As it was called then"
    scripts = [f for f in pack if f.endswith(".py") and "/" in f[len(START) + 1 :]]

    done = run(remote, talk)

    assert (remote.files, done["stays"]) == ({}, [])
    count = len(scripts) + 2
    note = f"  note: {count} of those that go are of another state of the pack"
    assert any(line.startswith(note) for line in talk.said), talk.said


def test_a_stamp_that_a_user_took_out_is_a_change(pack):
    remote = workspace(pack)
    code = remote.files[f"{ASK}.py"]
    remote.files[f"{ASK}.py"] = re.sub("# helper .*\n", "", code)

    assert reasons(run(remote))["script", ASK] == "you changed it (content)"


def test_what_a_user_broke_stays_without_what_nobody_can_read_off_it(pack):
    remote = workspace(pack)
    remote.files[f"{ASK}.py"] += "\ndef main(:\n"

    done = run(remote)

    assert set(reasons(done)) == {("script", ASK), ("folder", START)}


def test_of_another_version_all_goes_and_the_question_says_what_may_be_lost(pack):
    remote, talk = workspace(pack), Talk()
    edit(remote.files)
    newest = remote.files[f"{START}/client.py"]  # as a push that broke off leaves it
    older = json.dumps(remote.files).replace(f"windmill {VERSION} ", "windmill 0.9.0 ")
    remote.files = json.loads(older) | {f"{START}/client.py": newest}
    objects = sum(f.endswith((".py", ".flow.json")) for f in pack) - 1

    done = run(remote, talk)

    assert (remote.files, done["stays"]) == ({}, [])
    total = sum(done["removed"].values())
    maybe = f"of which {objects} may hold changes of yours"
    assert talk.asked == [f"remove these {total}, {maybe}?"]
    note = (
        f"  note: {objects} of those that go are of another state of the pack (0.9.0)"
    )
    assert any(line.startswith(note) for line in talk.said)


def test_what_a_server_adds_or_leaves_out_is_no_change(pack):
    remote, talk = workspace(pack), Talk()
    for file, about in remote.files.items():
        if file.endswith((".flow.json", ".script.json")):
            about |= {"tag": None, "lock": "", "edited_by": "a", "extra_perms": {}}
            about["schema"]["x-null"] = None
        if file.endswith(".flow.json"):
            about["value"]["modules"][0]["error_message"] = None
        if file.endswith(".py"):
            remote.files[file] = about.rstrip("\n")

    assert run(remote, talk)["stays"] == []
    assert remote.files == {}


def test_another_python_is_no_change():
    """Not even of the flows, whose forms hold code that says it."""
    remote = workspace(as_exported(tree(python="3.12"), START))

    assert run(remote)["stays"] == []
    assert remote.files == {}


def test_what_wmill_pushed_goes_again(own_path):
    own_path()
    remote, talk = Remote(), Talk()
    words = {"say": talk.say, "ask": talk.ask}
    with remote.serving() as url:
        target = Target("w", url, TOKEN)
        deploy(target, Wish(groups=["inner"]), **words)
        there = [file for file in remote.files if file.endswith(".flow.json")]
        done = undeploy(target, **words)

    assert len(there) > 1
    assert done["stays"] == []
    assert remote.files == {}


def test_only_records_that_the_pack_s_scripts_keep_go(pack):
    names = record_names()
    assert {"agents", "intents", "pace", "rows"} <= names
    kept = [f"togetherai_{name}" for name in names]
    kept += ["togetherai_rows_lists", "togetherai_parts_lists"]
    ours = [state(f"u/me/{name}/a") for name in kept]
    mine = state("u/me/togetherai_notes/mine") | state("u/me/togetherai_rowses/a")
    mine |= state("u/me/togetherai_my_rows/a") | state("u/me/mine/togetherai_rows/a")
    remote = workspace(pack | mine)
    for one in ours:
        remote.files |= one

    done = run(remote)

    assert remote.files == mine
    assert done["removed"]["state"] == len(ours)


def test_names_of_records_are_read_off_whatever_names_them(tmp_path):
    files = {
        "a.py": 'A, B = "one", "two"\nx, y = f()\nstate_folder(A if p else B)\n',
        "b/c.py": 'FOLDER = "three"\n\ndef f():\n    return state_folder(FOLDER)\n',
        "d.py": "path = f\"{state_folder('four')}x\"\n",
        "e.py": 'OTHER = "five"\nfolder(OTHER)  # no state_folder(\n',
    }
    for name, text in files.items():
        (tmp_path / "scripts" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "scripts" / name).write_text(text)

    assert record_names(tmp_path) == {"one", "two", "three", "four"}


def test_every_script_that_keeps_records_says_under_which_name(tmp_path):
    """Each alone, or one that says it in another way would be lost among the others."""
    asking = [
        path
        for path in (ROOT / "scripts").rglob("*.py")
        if re.search(r"(?<!def )\bstate_folder\(", path.read_text())
    ]
    for number, path in enumerate(asking):
        place = tmp_path / str(number) / "scripts"
        place.mkdir(parents=True)
        shutil.copy(path, place)
        assert record_names(place.parent), path
    assert len(asking) > 5


def test_a_schedule_of_an_older_version_is_unchanged(pack):
    remote = workspace(pack)
    file = "f/togetherai/watch_models_daily.schedule.json"
    about = remote.files[file]
    line = about["description"].splitlines()[-1]
    assert line == mark("watch_models_daily")
    older = mark("watch_models_daily", "0.9.0")
    about["description"] = about["description"].replace(line, older)

    run(remote)

    assert file not in remote.files


# --- the command -------------------------------------------------------------------


def test_the_command_says_what_it_did_as_json(pack):
    remote = workspace(pack)
    with remote.serving() as url:
        place = ("--workspace", "w", "--base-url", url)
        unasked = tool("undeploy", *place, WM_TOKEN=TOKEN)
        done = tool("undeploy", *place, "--yes", WM_TOKEN=TOKEN)
        down = tool("undeploy", *place[:3], "http://127.0.0.1:1", "--yes", WM_TOKEN="t")

    assert (unasked.returncode, done.returncode, down.returncode) == (2, 0, 1)
    assert "nobody is at a terminal" in unasked.stderr
    assert json.loads(done.stdout)["removed"]["folder"] == 1
    assert remote.files == {}
    assert TOKEN not in done.stderr + done.stdout
    assert "gave no answer: the connection was refused\n" in down.stderr
    assert "Traceback" not in down.stderr
