"""Windmill's official command line, from tests/windmill/node_modules."""

import json
import shutil
import subprocess
from pathlib import Path

WINDMILL = Path(__file__).parent / "windmill"


def install() -> None:
    """Install what package.json names, unless it is there in just those versions."""
    npm = shutil.which("npm")
    assert npm, "Node 20 or newer is needed for the slow tests"
    wanted = json.loads((WINDMILL / "package.json").read_text())["dependencies"]
    if any(version != _installed(name) for name, version in wanted.items()):
        subprocess.run([npm, "ci", "--silent"], cwd=WINDMILL, check=True)


def _installed(name: str) -> str | None:
    about = WINDMILL / "node_modules" / name / "package.json"
    return json.loads(about.read_text())["version"] if about.exists() else None


def wmill(place: Path, *words: str) -> subprocess.CompletedProcess:
    """Run `wmill` in a folder."""
    program = WINDMILL / "node_modules" / "windmill-cli" / "esm" / "main.js"
    return subprocess.run(
        ["node", program, *words],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=300,
    )
