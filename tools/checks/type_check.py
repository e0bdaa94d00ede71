"""The types that the modules of scripts/ say: mypy looks whether they are kept to.

pyproject.toml says how strictly; what did not change since the last time comes from
.mypy_cache.
"""

import subprocess
import sys
from dataclasses import dataclass

from tools.operations import ROOT
from tools.tree.flatten import sources


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
    """Start looking at all modules. It takes a core for a second, or for ten the first
    time."""
    places = [str(path.relative_to(ROOT)) for path in sources(ROOT)]
    words = [
        "--no-error-summary",
        "scripts/shapes.pyi",
        "scripts/operations.py",
        "scripts/job_states.py",
        *places,
    ]
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
