"""The types that the modules of scripts/ say: mypy looks whether they are kept to.

pyproject.toml says how strictly; what did not change since the last time comes from
.mypy_cache.
"""

import subprocess
import sys

from tools.flatten import sources
from tools.operations import ROOT


def begin_type_check() -> subprocess.Popen[bytes]:
    """Start looking at all modules; what is wrong goes to stderr, and the exit code is
    0 where nothing is. It takes a core for a second, or for ten the first time."""
    places = [str(path.relative_to(ROOT)) for path in sources(ROOT)]
    words = [
        "--no-error-summary",
        "scripts/shapes.pyi",
        "scripts/operations.py",
        "scripts/job_states.py",
        *places,
    ]
    return subprocess.Popen(
        [sys.executable, "-m", "mypy", *words], cwd=ROOT, stdout=sys.stderr.fileno()
    )
