"""The types that the modules of scripts/ and the tools say: mypy looks whether they are
kept to.

pyproject.toml says how strictly; what did not change since the last time comes from
.mypy_cache.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.operations import ROOT
from tools.tree.flatten import RESOLVED, sources


@dataclass
class TypeCheck:
    """A run of mypy that is under way."""

    process: subprocess.Popen[str]

    def wait(self) -> int:
        """Say what is wrong, a line each, once it is known; how many problems."""
        said, _ = self.process.communicate()
        print(said, end="", file=sys.stderr, flush=True)
        wrong = sum(": error: " in line for line in said.splitlines())
        return wrong or int(self.process.returncode != 0)


def begin_type_check() -> TypeCheck:
    """Start looking at all modules, and at the tools. It takes a core for some seconds,
    or for twenty the first time."""
    words = ["--no-error-summary", *(str(path.relative_to(ROOT)) for path in checked())]
    command = [sys.executable, "-m", "mypy", *words]
    return TypeCheck(
        subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    )


def checked() -> list[Path]:
    """The files that are looked at."""
    stub = ROOT / "scripts" / "shapes.pyi"
    resolved = [ROOT / "scripts" / f"{name}.py" for name in RESOLVED]
    return [stub, *resolved, *sources(ROOT), *sorted((ROOT / "tools").rglob("*.py"))]
