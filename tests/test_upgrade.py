"""From the pack of before 1.0.0 to this one: what a user built upon it goes on.

That pack is here as little as is needed: how its files began
(tools/workspace/unmarked.json).
"""

import copy

import pytest

from tests.conftest import STEP
from tests.support.fake_windmill_api import Remote
from tests.test_deploy import Talk, rendered, script, target
from tools.workspace.deploy import Wish, deploy
from tools.workspace.deployed import before_marks

UNMARKED = before_marks()
FOLDER = "f/togetherai"


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
