"""From the pack of before 1.0.0 to this one: what a user built upon it goes on.

That pack is here as little as is needed: what its scripts and flows took
(arguments_before_1_0_0.json), and how its files began (tools/workspace/unmarked.json).
"""

import copy
import json
from pathlib import Path

import pytest

from tests.conftest import STEP
from tests.support.fake_windmill_api import Remote
from tests.test_deploy import Talk, rendered, script, target
from tools.flows.pack_flows import flows
from tools.operations import ROOT, scripts
from tools.workspace.deploy import Wish, deploy
from tools.workspace.deployed import before_marks

BEFORE = json.loads(Path(__file__).with_name("arguments_before_1_0_0.json").read_text())
UNMARKED = before_marks()
FOLDER = "f/togetherai"


def breaking():
    text = (ROOT / "CHANGELOG.md").read_text()
    return text.split("### Breaking\n")[1].split("\n### ")[0]


def named(name, text):
    """Whether a text names a script or flow; of several that begin alike, all but the
    first by their ends: `..._video`."""
    return f"{name}`" in text or f"`...{name.removeprefix('flows/wait_for')}`" in text


def test_what_flows_call_takes_what_it_took_or_the_change_log_names_it():
    now = {one.id: one for one in [*scripts(), *flows()]}
    text = breaking()
    missing = []
    for name, (arguments, required) in BEFORE.items():
        if named(name, text):
            continue
        if name not in now:
            missing.append(f"{name} is gone")
            continue
        lost = set(arguments) - set(now[name].arguments)
        missing += [f"{name} takes no {one} any more" for one in sorted(lost)]
        more = set(now[name].required) - set(required)
        missing += [f"{name} needs {one} now" for one in sorted(more)]

    assert missing == []
    assert len(BEFORE) > 280


@pytest.mark.slow
def test_a_flow_and_a_schedule_of_a_user_s_survive_an_upgrade(one_step, own_path):
    own_path()
    remote, talk = Remote(), Talk()
    script(remote, f"{FOLDER}/{STEP}", rendered(STEP))
    for name, line in UNMARKED["modules"].items():
        script(remote, f"{FOLDER}/{name}", f'"""{line}"""\n\nA = 1\n')
    step = {"type": "script", "path": f"{FOLDER}/{STEP}", "input_transforms": {}}
    waiting = {**step, "type": "flow", "path": f"{FOLDER}/flows/wait_for_batch"}
    for path, summary, values in [
        (f"{FOLDER}/flows/wait_for_batch", "Wait for a batch", [step]),
        ("f/team/mine", "Mine", [step, waiting]),
    ]:
        modules = [{"id": f"m{n}", "value": v} for n, v in enumerate(values)]
        about = {"summary": summary, "value": {"modules": modules}}
        remote.files[f"{path}.flow.json"] = about
    for name, timetable in UNMARKED["schedules"].items():
        remote.files[f"{FOLDER}/{name}.schedule.json"] = copy.deepcopy(timetable)
    remote.files[f"{FOLDER}/watch_models_daily.schedule.json"]["enabled"] = True
    remote.files[f"{FOLDER}/folder.meta.json"] = {"summary": "Together AI"}
    mine = {
        name: copy.deepcopy(content)
        for name, content in remote.files.items()
        if name.endswith((".schedule.json", "mine.flow.json", ".meta.json"))
    }

    words = {"say": talk.say, "ask": talk.ask, "root": one_step}
    with remote.serving() as url:
        done = deploy(target(url), **words)
        assert mine.items() <= remote.files.items()
        assert f"{FOLDER}/flows/wait_for_batch.flow.json" in remote.files
        again = deploy(target(url), **words)
        pruned = deploy(target(url), Wish(prune=True), **words)

    assert done["update"] > 1
    assert again["pushed"] is False
    assert any("no longer of the pack: " in line for line in talk.said)
    # What a later version of the pack no longer has goes when it is told to, and not
    # without a word of who misses it.
    assert pruned["pruned"] >= 1
    assert f"{FOLDER}/flows/wait_for_batch.flow.json" not in remote.files
    wait = f"f/team/mine uses {FOLDER}/flows/wait_for_batch, which goes"
    assert any(wait in line for line in talk.said)
    assert mine.items() <= remote.files.items()
