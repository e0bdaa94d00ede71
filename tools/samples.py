"""Results of the steps for the reference, recorded: each step's least example, run
against the sandbox. `python -m tools.samples` records them anew in FILE.

A step whose example needs what a sandbox has not (a file of the workspace, an earlier
run) has none.
"""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tools import flow_engine
from tools.fake_workspace import Workspace
from tools.operations import ROOT, steps
from tools.sandbox import Sandbox

FILE = "docs/reference/_results.json"
LONGEST, MOST = 160, 2  # characters of a text, and items of a list, that are kept


def recorded(root: Path = ROOT) -> dict[str, object]:
    """The results by the steps' ids; none where nothing was recorded."""
    place = root / FILE
    return json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}


def record() -> dict[str, object]:
    """Run each step's least example, and return what came of those that succeeded."""
    found = {}
    with Sandbox(pace=0, refuses=False) as sandbox, Workspace() as workspace:
        with _environment(workspace.environment):
            auth = {"api_key": "sandbox", "base_url": sandbox.url}
            for step in steps():
                workspace.job_id = "0b6f7c1e-2a44-4d0c-9f57-1c2f3d4e5a6b"
                result = _result(step.id, {"auth": auth, **step.schema["examples"][0]})
                if result not in (None, [], {}):
                    text = json.dumps(_short(result), default=str)
                    found[step.id] = json.loads(_quiet(text, sandbox, workspace))
    return found


def _result(id: str, arguments: dict) -> object:
    success, result = flow_engine._call(id, arguments, {"WM_FLOW_STEP_ID": "a"})
    return result if success else None


def _short(part: object) -> object:
    if isinstance(part, str):
        return part if len(part) <= LONGEST else f"{part[:LONGEST]} ..."
    if isinstance(part, list):
        return [_short(one) for one in part[:MOST]]
    if isinstance(part, dict):
        return {str(name): _short(one) for name, one in part.items()}
    return part


def _quiet(text: str, sandbox: Sandbox, workspace: Workspace) -> str:
    """Without the addresses of this run."""
    text = text.replace(sandbox.url, "https://api.together.ai")
    return text.replace(workspace.url, "https://windmill.example.com")


@contextlib.contextmanager
def _environment(given: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(given)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


if __name__ == "__main__":
    found = record()
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    (ROOT / FILE).write_text(text, encoding="utf-8")
    print(f"{len(found)} results in {FILE}", file=sys.stderr)
