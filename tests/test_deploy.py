"""`./dev deploy`: Windmill's own command line onto a stand-in for a workspace."""

import http.server
import io
import json
import os
import pty
import shutil
import subprocess
import sys
from contextlib import contextmanager

import pytest

from tests.conftest import STEP
from tests.support.command_line import tool
from tests.support.fake_windmill_api import Remote
from tests.support.talk import Talk
from tests.support.windmill_cli import WINDMILL, wmill
from tools.local.server_thread import handling
from tools.operations import ROOT, operations, scripts
from tools.tree.flatten import sources
from tools.version import VERSION, mark
from tools.workspace.deploy import (
    Change,
    DeployError,
    Target,
    Wish,
    _pruning,
    command_line,
    confirm,
    deploy,
    identified,
    named,
    summary,
)
from tools.workspace.deployed import Held, before_marks
from tools.workspace.windmill_api import ApiError, WindmillApi

TOKEN = "wm_secret_0123456789"


def target(url):
    return Target("w", url, TOKEN)


@pytest.mark.slow
def test_a_deployment_shows_asks_pushes_and_then_has_nothing_to_do(one_step, own_path):
    words = own_path()
    remote, talk = Remote(), Talk()
    with remote.serving() as url:
        done = deploy(target(url), say=talk.say, ask=talk.ask, root=one_step)
        first = list(remote.writes)
        again = deploy(target(url), say=talk.say, ask=talk.ask, root=one_step)
        helper = sources(one_step, "client")[-1]
        helper.write_text(helper.read_text() + "\n\nADDED = True\n")
        no = Talk(answer=False)
        third = deploy(target(url), say=no.say, ask=no.ask, root=one_step)

    told = {"folder": "f/togetherai", "version": VERSION}
    assert done == {**told, "pushed": True, "create": len(first)}
    assert talk.asked == [f"push these {len(first)} changes?"]
    assert f"f/togetherai to workspace w on {url} as a@b.c" in talk.said
    assert "  create 1 resource type: togetherai" in talk.said
    assert any(STEP in line and "next, in Windmill" in line for line in talk.said)
    assert again == {**told, "pushed": False}
    assert "nothing to do" in talk.said[-1]
    assert third["update"] == 2
    assert f"f/togetherai/{STEP}" in "".join(no.said)
    assert (no.said[-1], remote.writes) == ("nothing pushed", first)
    assert remote.problems == []
    assert remote.tokens == {f"Bearer {TOKEN}"}
    assert TOKEN not in words.read_text() + "".join(talk.said)


@pytest.mark.slow
def test_a_profile_of_the_command_line_will_do(
    one_step, own_path, tmp_path, monkeypatch
):
    own_path()
    monkeypatch.setenv("WMILL_CONFIG_DIR", str(tmp_path / "config"))
    remote, talk = Remote(), Talk()
    with pytest.raises(DeployError, match="wmill workspace add"):
        deploy(Target(), say=talk.say, ask=talk.ask, root=one_step)
    with remote.serving() as url:
        words = ("workspace", "add", "prod", "w", url, "--token", TOKEN)
        assert wmill(tmp_path, *words).returncode == 0
        active = deploy(Target(), say=talk.say, ask=talk.ask, root=one_step)
        named = deploy(Target("prod"), say=talk.say, ask=talk.ask, root=one_step)
        with pytest.raises(DeployError, match="wmill workspace add"):
            deploy(Target("other"), say=talk.say, ask=talk.ask, root=one_step)

    assert (active["pushed"], named["pushed"]) == (True, False)
    assert f"f/togetherai to workspace w (prod) on {url}/ as a@b.c" in talk.said


@pytest.mark.slow
def test_the_build_is_kept_where_it_is_told_to(one_step, own_path, tmp_path):
    own_path()
    remote, talk, place = Remote(), Talk(), tmp_path / "kept"
    with remote.serving() as url:
        deploy(
            target(url),
            say=talk.say,
            ask=talk.ask,
            root=one_step,
            folder="u/me/together",
            place=place,
            dry_run=True,
        )

    assert (remote.writes, talk.asked) == ([], [])
    assert (place / "u" / "me" / "together" / f"{STEP}.py").exists()
    assert TOKEN not in "".join(
        path.read_text() for path in place.rglob("*") if path.is_file()
    )


@contextmanager
def refusing(status):
    """A server that lets nobody in, and repeats what it was given."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(self.headers["authorization"].encode())

        def log_message(self, *_):
            pass

    with handling(Handler) as url:
        yield url


@pytest.mark.slow
def test_a_wrong_token_is_told_and_not_shown(one_step, own_path):
    own_path()
    talk = Talk()
    with (
        refusing(401) as url,
        pytest.raises(
            DeployError, match=r"401: Bearer \*\*\*\nthe token may"
        ) as caught,
    ):
        deploy(target(url), say=talk.say, ask=talk.ask, root=one_step)

    assert "--token" not in str(caught.value)
    assert TOKEN not in str(caught.value) + "".join(talk.said)
    assert TOKEN not in repr(target(url))


def test_a_workspace_that_is_not_there_is_named():
    """Who may do all on a server is known in any, others are refused in one."""
    remote = Remote()
    remote.workspaces = {"other"}
    call = "GET /w/w/users/whoami"
    with remote.serving() as url:
        api = WindmillApi(url, "w", TOKEN)
        for breaks in (None, call):
            remote.breaks = breaks
            with pytest.raises(DeployError, match=f"no workspace w at {url}: its id"):
                identified(api)
        remote.workspaces = {"w"}
        assert identified(api)["username"] == "a"
        remote.breaks = call
        with pytest.raises(ApiError, match="500: Internal"):
            identified(api)
    assert remote.writes == []


@pytest.fixture
def scheduled(one_step):
    """A pack of one step and three schedules of it."""
    place = one_step / "schedules"
    place.mkdir()
    for name in ("kept", "changed", "deleted"):
        about = {"summary": name, "description": "Once a day.", "runs": STEP}
        about |= {"schedule": "0 0 7 * * *", "timezone": "UTC"}
        (place / f"{name}.yaml").write_text(json.dumps(about))
    return one_step


def upgrade(root, number):
    """The next version of a pack."""
    helper = sources(root, "client")[-1]
    helper.write_text(helper.read_text() + f"\n\nVERSION_{number} = True\n")


def schedule_of(remote, folder, name):
    return remote.files.get(f"{folder}/{name}.schedule.json")


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["f/togetherai", "u/me/together", "f/other/inside"])
def test_schedules_are_created_off_once_and_then_are_the_user_s(
    folder, scheduled, own_path
):
    own_path()
    remote, talk = Remote(), Talk()
    if folder.startswith("f/other/"):
        remote.files["f/other/folder.meta.json"] = {"summary": "mine", "owners": []}
    words = {"say": talk.say, "ask": talk.ask, "root": scheduled, "folder": folder}
    with remote.serving() as url:
        deploy(target(url), **words)
        for name in ("kept", "changed", "deleted"):
            made = schedule_of(remote, folder, name)
            assert (made["enabled"], made["script_path"]) == (False, f"{folder}/{STEP}")
        mine = {"enabled": True, "schedule": "0 0 9 * * *", "args": {"limit": 77}}
        remote.files[f"{folder}/changed.schedule.json"] |= mine
        del remote.files[f"{folder}/deleted.schedule.json"]
        before = {n: schedule_of(remote, folder, n) for n in ("kept", "changed")}
        for number in range(2 if folder == "f/togetherai" else 1):
            upgrade(scheduled, number)
            remote.writes.clear()
            assert deploy(target(url), **words)["update"] == 2
            assert len(remote.writes) == 2
        for name, content in before.items():
            assert schedule_of(remote, folder, name) == content
        assert schedule_of(remote, folder, "deleted") is None

        asked = deploy(target(url), Wish(schedules=True), **words)

    assert asked["create"] == 1
    assert schedule_of(remote, folder, "deleted")["enabled"] is False
    assert schedule_of(remote, folder, "changed") == before["changed"]
    assert remote.problems == []


@pytest.mark.slow
def test_a_deployment_that_broke_off_is_a_first_one_still(scheduled, own_path):
    own_path()
    remote, talk = Remote(), Talk()
    words = {"say": talk.say, "ask": talk.ask, "root": scheduled}
    remote.breaks = "POST /w/w/schedules/create"
    with remote.serving() as url:
        with pytest.raises(DeployError, match="same command again"):
            deploy(target(url), **words)
        assert "f/togetherai/folder.meta.json" in remote.files
        deploy(target(url), **words)

    for name in ("kept", "changed", "deleted"):
        assert schedule_of(remote, "f/togetherai", name)
    creations = [url for url, _ in remote.writes if url == "/w/w/folders/create"]
    assert len(creations) == 1


@pytest.mark.slow
def test_the_folder_is_created_with_a_summary_and_then_left_alone(one_step, own_path):
    own_path()
    remote, talk = Remote(), Talk()
    words = {"say": talk.say, "ask": talk.ask, "root": one_step}
    with remote.serving() as url:
        deploy(target(url), **words)
        file = "f/togetherai/folder.meta.json"
        assert remote.files[file]["summary"] == "Together AI"
        remote.files[file] = {"summary": "Ours", "owners": ["g/all"]}
        upgrade(one_step, 1)
        deploy(target(url), **words)
        assert remote.files[file] == {"summary": "Ours", "owners": ["g/all"]}
        with pytest.raises(DeployError, match=r"no folder f/other .*create it"):
            deploy(target(url), folder="f/other/inside", **words)
    assert "  create 1 folder: f/togetherai" in talk.said


def script(remote, path, content, **about):
    remote.files[f"{path}.py"] = content
    about = {"summary": "", "kind": "script", "lock": "", "schema": {}, **about}
    remote.files[f"{path}.script.json"] = about


@pytest.mark.slow
def test_prune_removes_what_the_pack_no_longer_has_and_nothing_else(one_step, own_path):
    own_path()
    remote, talk, no = Remote(), Talk(), Talk(answer=False)
    (one_step / "scripts" / "realtime.py").unlink(missing_ok=True)
    main = "def main():\n    return 1\n"
    folder = "f/togetherai"
    mine = {
        f"{folder}/mine": main,
        # Copies of ours under other names are a user's.
        f"{folder}/chat/copied": f"{main}# {mark('chat/gone', '0.9.0')}\n",
        f"{folder}/chat/old_copy": rendered("chat/older"),
    }
    gone = {
        f"{folder}/chat/gone": f"{main}# {mark('chat/gone', '0.9.0')}\n",
        f"{folder}/chat/older": rendered("chat/older"),
        f"{folder}/realtime": unmarked_module("realtime"),
    }
    with remote.serving() as url:
        deploy(target(url), say=talk.say, ask=talk.ask, root=one_step)
        for path, content in (mine | gone).items():
            script(remote, path, content)
        remote.files["u/me/daily.schedule.json"] = {
            "script_path": f"{folder}/chat/gone",
            "is_flow": False,
            "enabled": True,
        }
        uses = {"type": "script", "path": f"{folder}/chat/gone"}
        remote.files["u/me/flow.flow.json"] = {"value": {"modules": [{"value": uses}]}}
        before = dict(remote.files)
        plain = deploy(target(url), say=no.say, ask=no.ask, root=one_step)
        assert (plain["pushed"], no.asked) == (False, [])
        some = ", ".join(sorted(gone))
        assert f"no longer of the pack: {some}; --prune removes them" in no.said
        words = {"say": no.say, "ask": no.ask, "root": one_step}
        deploy(target(url), Wish(prune=True), **words)
        assert remote.files == before
        done = deploy(
            target(url), Wish(prune=True), say=talk.say, ask=talk.ask, root=one_step
        )
        again = deploy(
            target(url), Wish(prune=True), say=talk.say, ask=talk.ask, root=one_step
        )

    assert no.asked == ["remove these 3?"]
    shown = "\n".join(no.said).replace("\n      ", " ")
    assert f"  remove 3 scripts: {', '.join(sorted(gone))}\n" in shown
    assert (
        "  note: the schedule u/me/daily (on) runs f/togetherai/chat/gone, w" in shown
    )
    assert "  note: u/me/flow uses f/togetherai/chat/gone, which goes\n" in shown
    assert done["pruned"] == 3
    lost = before.keys() - remote.files.keys()
    assert lost == {f"{path}{end}" for path in gone for end in (".py", ".script.json")}
    assert (again["pushed"], talk.said[-1]) == (False, NOTHING)


def test_of_many_objects_the_first_are_named_and_the_others_counted():
    assert named(["a"], 2) == "a"
    assert named(["a", "b"], 2) == "a, b"
    assert named(["a", "b", "c", "d"], 2) == "a, b and 2 more"


def test_flows_that_the_push_brings_up_to_date_miss_nothing_of_what_goes():
    remote = Remote()
    folder = "f/togetherai"
    old = Held("script", f"{folder}/chat/gone", "0.9.0")
    uses = {"type": "script", "path": old.path}
    for path in ("u/me/flow", f"{folder}/flows/ours", f"{folder}/flows/mine"):
        about = {"value": {"modules": [{"value": uses}]}}
        remote.files[f"{path}.flow.json"] = about
    with remote.serving() as url, target(url).api() as api:
        told = list(_pruning(api, [old], folder, {("flow", f"{folder}/flows/ours")}))

    assert told == [
        f"  remove 1 script: {old.path}",
        f"  note: {folder}/flows/mine, u/me/flow use {old.path}, which goes",
    ]


@pytest.mark.slow
def test_a_user_s_own_at_the_paths_of_the_pack_is_not_overwritten(own_path):
    """A module, steps in any language, a flow, copies of what is elsewhere in it."""
    words = own_path()
    remote, talk = Remote(), Talk()
    main, folder = "def main():\n    return 'MINE'\n", "f/team"
    remote.files["f/team/folder.meta.json"] = {"summary": "Our own", "owners": []}
    script(remote, f"{folder}/client", main)
    script(remote, f"{folder}/chat/ask_model", rendered("chat/other"))
    script(remote, f"{folder}/charts", f"{main}# {mark('table', '0.9.0')}\n")
    script(remote, f"{folder}/table", "export function main() {}")
    del remote.files[f"{folder}/table.py"]  # Bun's
    mine = {"summary": "Mine", "value": {"modules": []}}
    remote.files[f"{folder}/flows/run_batch.flow.json"] = mine
    script(remote, f"{folder}/chat/ask_the_boss", main)  # at no path of the pack
    older = mark("organization/get_identity", "0.9.0")
    script(remote, f"{folder}/organization/get_identity", f"{main}# {older}\n")
    before = dict(remote.files)

    with remote.serving() as url:
        for dry in (True, False):
            with pytest.raises(DeployError, match="another --folder") as caught:
                deploy(
                    target(url),
                    say=talk.say,
                    ask=talk.ask,
                    folder=folder,
                    dry_run=dry,
                )

    kinds = {"flow": ["flows/run_batch"]}
    kinds["script"] = ["charts", "chat/ask_model", "client", "table"]
    taken = [f"{k} {folder}/{name}" for k, names in kinds.items() for name in names]
    assert str(caught.value).splitlines()[0] == (
        f"not of the pack, and a push would overwrite: {', '.join(taken)}"
    )
    assert (remote.files, remote.writes, talk.asked) == (before, [], [])
    assert not words.exists()  # wmill was not begun


@pytest.mark.slow
def test_what_is_not_deployed_is_in_nobody_s_way(own_path):
    own_path()
    remote, talk = Remote(), Talk()
    script(remote, "f/togetherai/chat/ask_model", "def main():\n    return 'MINE'\n")
    before = dict(remote.files)
    wish = Wish(groups=["rerank"])
    with remote.serving() as url:
        deploy(target(url), wish, say=talk.say, ask=talk.ask)

    assert before.items() <= remote.files.items()
    assert "f/togetherai/organization/check_connection.py" in remote.files


NOTHING = "nothing to do: the workspace has this version of the pack"


def rendered(name):
    """A script of before there were marks."""
    text = f"Rendered from schemas/{name}.json; edit that, not this."
    return f'"""Older.\n\n{text}\n"""\n\n\ndef main():\n    return 1\n'


def unmarked_module(name):
    return f'"""{UNMARKED["modules"][name]}\n\nMore.\n"""\n\nA = 1\n'


UNMARKED = before_marks()


@pytest.mark.slow
def test_a_part_comes_with_what_it_needs_and_grows(own_path, node_packages):
    own_path()
    remote, talk = Remote(), Talk()
    words = {"say": talk.say, "ask": talk.ask}

    def there():
        return {f.removesuffix(".py") for f in remote.files if f.endswith(".py")}

    with remote.serving() as url:
        with pytest.raises(ValueError, match="no group rows; there are agent, audio, "):
            deploy(target(url), Wish(groups=["rows"]), **words)
        assert remote.writes == []
        deploy(target(url), Wish(groups=["rerank"]), **words)
        first = there()
        again = deploy(target(url), Wish(groups=["rerank"]), **words)
        deploy(target(url), Wish(groups=["evaluations"], steps=True), **words)

    start = "f/togetherai"
    assert {f"{start}/rerank/{name}" for name in RERANK} <= first
    assert {f"{start}/client", f"{start}/{STEP}"} <= first
    assert not any("/chat/" in path or "/evaluations/" in path for path in first)
    assert (again["pushed"], talk.said.count(NOTHING)) == (False, 1)
    grown = there() - first
    assert any("/evaluations/" in path for path in grown)
    raw = {f"{start}/{o.id}" for o in operations() if o.group == "evaluations"}
    assert not raw & grown
    assert any("more that the folder holds already" in line for line in talk.said)
    # The schedules of what came later are created when they are asked for.
    assert not any(f.endswith(".schedule.json") for f in remote.files)
    assert remote.problems == []


RERANK = [script.name for script in scripts() if script.group == "rerank"]


OLD = {
    "that would delete": (
        'sed -i "/keepDeleted/d" wmill.yaml; '
        'set -- $(echo "$@" | sed "s/--keep-deleted//")',
        "this push would delete f/togetherai/mine: nothing pushed",
    ),
    "that cannot keep": (
        'set -- $(echo "$@" | sed "s/--keep-deleted/--keep-all/")',
        "this wmill is too old: npm install -g windmill-cli@",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OLD)
def test_a_command_line_is_not_used(name, one_step, own_path):
    before, message = OLD[name]
    own_path(before)
    script = {"summary": "", "kind": "script", "lock": "", "schema": {}}
    remote = Remote(
        {
            "f/togetherai/mine.py": "def main():\n    return 1\n",
            "f/togetherai/mine.script.json": script,
        }
    )
    talk = Talk()
    with remote.serving() as url, pytest.raises(DeployError, match=message):
        deploy(target(url), say=talk.say, ask=talk.ask, root=one_step)

    assert (remote.writes, talk.asked) == ([], [])


@pytest.mark.slow
def test_without_wmill_npx_runs_the_pinned_one(tmp_path, monkeypatch):
    for name in ("node", "npx"):
        (tmp_path / name).symlink_to(shutil.which(name))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")

    done = subprocess.run(
        [*command_line(), "--version"], capture_output=True, text=True, timeout=300
    )

    pinned = json.loads((WINDMILL / "package.json").read_text())["dependencies"]
    assert pinned["windmill-cli"] in done.stdout + done.stderr


def test_what_is_missing_is_named_with_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match=r"needs Node 20 .*nodejs\.org"):
        command_line()
    (tmp_path / "node").write_text("#!/bin/sh\n")
    (tmp_path / "node").chmod(0o755)
    with pytest.raises(ValueError, match="npm install -g windmill-cli@"):
        command_line()


def test_the_summary_names_few_and_counts_many():
    few = [Change("update", "flow", "f/a/x"), Change("create", "schedule", "f/a/s")]
    many = [Change("create", "script", f"f/a/chat/s{n}") for n in range(20)]
    shared = [Change("create", "script", "f/a/client")]

    lines = list(summary([*few, *many, *shared], "f/a"))

    assert lines == [
        "  update 1 flow: f/a/x",
        "  create 1 schedule: f/a/s",
        "  create 21 scripts: chat 20, shared 1",
    ]


# --- the command -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "nobody is at a terminal"),
        (["--yes", "--base-url", "http://x"], "WM_TOKEN"),
        (["--yes", "--base-url", "http://x", "--token", "t"], "--base-url needs"),
        (["--yes", "--base-url", "x", "--workspace", "w", "--token", "t"], "no http"),
        (["--yes", "--token", "secret"], "--token needs --base-url"),
        (["--dry-run", "--folder", "f/my-team"], "no name of a Python package"),
        (["--yes", "--groups", ""], "--groups holds an empty name"),
        (["--yes", "--groups", " "], "--groups holds an empty name"),
        (["--yes", "--groups", "chat,,files"], "--groups holds an empty name"),
    ],
)
def test_wrong_usage_is_exit_code_2(words, message, tmp_path):
    # A wmill that would be noticed, and that nothing reaches.
    for name in ("node", "wmill"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 9\n")
        (tmp_path / name).chmod(0o755)
    done = tool("deploy", *words, PATH=str(tmp_path))

    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


PLACE = ("--dry-run", "--workspace", "w", "--base-url")


@pytest.mark.parametrize("command", ["deploy", "undeploy"])
@pytest.mark.parametrize(
    ("token", "at"),
    [("secret\r0123", 7), ("secret 0123", 7), ("s\u0142ecret", 2), ("\ufeffsecret", 1)],
)
def test_a_token_that_can_be_none_is_refused_and_not_shown(command, token, at):
    done = tool(command, *PLACE, "http://127.0.0.1:1", WM_TOKEN=token)

    assert done.returncode == 2
    assert "the token (WM_TOKEN of the environment, --token, " in done.stderr
    assert f"character {at} of {len(token)} is a blank, a control or no" in done.stderr
    for part in ("secret", "ecret", "0123"):
        assert part not in done.stderr + done.stdout


@pytest.mark.parametrize("around", ["{}\r", "{}\r\n", " {}\t", "\n{}"])
def test_a_token_of_a_file_is_taken_without_what_stands_around_it(around):
    remote = Remote()
    with remote.serving() as url:
        found = Target("w", around.format(url), around.format(TOKEN))
        with found.api() as api:
            assert identified(api)["username"] == "a"
    assert found.base_url == url
    assert remote.tokens == {f"Bearer {TOKEN}"}
    with pytest.raises(ValueError, match="and a token: put one into"):
        Target("w", "http://x", around.format(""))


SECRET = (
    "http://me:pw12345@127.0.0.1:1",
    "me:pw12345@127.0.0.1",
    "http://127.0.0.1:1/?token=pw12345",
    "http://127.0.0.1:1/#pw12345",
)


@pytest.mark.parametrize("address", SECRET)
def test_an_address_with_a_secret_in_it_is_refused_and_not_shown(
    address, tmp_path, monkeypatch
):
    done = tool("undeploy", *PLACE, address, WM_TOKEN=TOKEN)
    about = {"name": "w", "remote": address, "workspaceId": "w", "token": TOKEN}
    (tmp_path / "windmill").mkdir()
    (tmp_path / "windmill" / "remotes.ndjson").write_text(json.dumps(about))
    of_profile = tool("undeploy", *PLACE[:3], WMILL_CONFIG_DIR=str(tmp_path))

    for found in (done, of_profile):
        assert found.returncode == 2
        assert "may hold no user, password, query or fragment" in found.stderr
        assert "pw12345" not in found.stderr + found.stdout


@pytest.mark.slow
def test_a_person_at_a_terminal_is_asked(own_path):
    words = own_path()
    remote = Remote()
    keyboard, terminal = pty.openpty()
    os.write(keyboard, b"y\n")
    with remote.serving() as url:
        # What it is of the whole pack, test_push.py tells.
        place = ("--workspace", "w", "--base-url", url, "--groups", "triggers")
        done = subprocess.run(
            [sys.executable, "-m", "tools", "deploy", *place],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=400,
            stdin=terminal,
            env={**os.environ, "WM_TOKEN": TOKEN},
        )
    os.close(keyboard)
    os.close(terminal)

    assert done.returncode == 0, done.stderr
    assert f"push these {len(remote.writes)} changes? [y/N]" in done.stderr
    assert json.loads(done.stdout)["create"] == len(remote.writes)
    made = {f"f/togetherai/{s.id}.py" for s in scripts() if s.group == "triggers"}
    assert made
    assert made <= set(remote.files)
    assert any(path.endswith("schedules/create") for path, _ in remote.writes)
    assert remote.problems == []
    assert TOKEN not in words.read_text() + done.stderr + done.stdout


@pytest.mark.parametrize(
    ("answer", "agreed"),
    [("y", True), ("Yes ", True), ("n", False), ("", False), ("yesterday", False)],
)
def test_only_a_yes_is_one(answer, agreed, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{answer}\n"))

    assert confirm("push?") is agreed


@pytest.mark.slow
def test_tools_for_agents_come_first_and_are_starred(own_path):
    """A server lists the hundred oldest scripts to who may see all by MCP."""
    own_path()
    remote, talk = Remote(), Talk()
    wish = Wish(groups=["agent"], star=True)
    words = {"say": talk.say, "ask": talk.ask}
    with remote.serving() as url:
        done = deploy(target(url), wish, **words)
        first = list(remote.writes)
        again = deploy(target(url), wish, **words)

    made = [body["path"] for path, body in first if path.endswith("scripts/create")]
    tools = {f"f/togetherai/{s.id}" for s in scripts() if s.group == "agent"}
    assert tools < set(made)
    assert max(map(made.index, tools)) < made.index(f"f/togetherai/{STEP}")
    starred = [b["path"] for path, b in first if path.endswith("favorites/star")]
    assert set(starred) == tools
    assert done["starred"] == again["starred"] == len(tools)
    assert not again["pushed"]
    assert remote.problems == []
    assert any("docs/agents.md" in line for line in talk.said)
