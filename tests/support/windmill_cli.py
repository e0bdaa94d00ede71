"""Windmill's official command line, from tests/windmill/node_modules."""

import subprocess
from pathlib import Path

from tools.pages.node import PLACE as WINDMILL
from tools.pages.node import install

__all__ = ["WINDMILL", "install", "wmill"]


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
