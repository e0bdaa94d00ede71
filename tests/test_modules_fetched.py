"""How many modules a job fetches in all: each is a request to Windmill.

tools/checks/layers.py counts what a script loads before it begins; what it imports late
as it runs only shows when it does.
"""

import re

import pytest

from tests.conftest import KEY
from tools.checks.layers import MOST_IN_ALL, MOST_LOADED
from tools.local.example_things import stage
from tools.local.fake_workspace import Workspace
from tools.local.job_runner import run
from tools.operations import ROOT, steps
from tools.sandbox import Sandbox
from tools.target_folder import FOLDER
from tools.tree.flatten import module_texts

STEPS = list(steps())
FETCHED = re.compile(rf"/scripts/raw/p/{FOLDER}/(\w+)\.py$")


def modules_of(step, given):
    """The modules that a job of a step fetches, whether it ends well or not."""
    texts = module_texts(ROOT)
    with Sandbox() as sandbox, Workspace() as workspace:
        for name, text in texts.items():
            workspace.register(f"{FOLDER}/{name}", lambda: None, content=text)
        auth = {"api_key": KEY, "base_url": sandbox.url}
        given = stage(given, step, workspace, sandbox, auth, lambda line: None)
        workspace.requests.clear()
        job = run(
            step.id,
            {"auth": auth, **given},
            environment=workspace.environment,
            fetch=True,
        )
        found = [FETCHED.search(request.path) for request in workspace.requests]
        modules = [match[1] for match in found if match and match[1] in texts]
    if job.failed:
        assert job.result["error"]["name"] == "TogetherError", job.result
    assert len(modules) == len({*modules})
    return modules


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
def test_a_job_fetches_few_modules(step):
    fetched = [modules_of(step, given) for given in step.schema["examples"]]

    assert all("client" in modules for modules in fetched)
    assert [modules for modules in fetched if len(modules) > MOST_IN_ALL] == []


def test_contributing_says_how_many():
    text = " ".join((ROOT / "CONTRIBUTING.md").read_text().split())

    assert f"at most {MOST_LOADED} modules before main begins" in text
    assert f"at most {MOST_IN_ALL} in all" in text
