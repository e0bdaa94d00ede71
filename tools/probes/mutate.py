"""Mutants of the modules that most jobs load: does a test notice each of them?

mutmut changes one thing in one function at a time and runs the tests that reach it;
pyproject.toml says which files are changed and which tests, those that mirror them, are
run. What became of each stays in mutants/: a second run tries what changed since.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch

import yaml

from tools.environment import add
from tools.operations import ROOT

KNOWN = ROOT / "tests" / "known_mutants.yaml"
# As its own program does: with -m, its main module would be loaded twice.
MUTMUT = (sys.executable, "-c", "from mutmut.__main__ import cli; cli()")
LEAST = 0.9  # of the mutants that are not known to change nothing
NOTICED = ("killed", "timeout", "segfault")
UNNOTICED = ("survived", "no tests", "suspicious")


@dataclass(frozen=True)
class Change:
    """What a mutant changes: in which function, which line, and what that becomes."""

    function: str
    line: str
    becomes: str

    def __str__(self) -> str:
        return f"{self.function}\n  - {self.line}\n  + {self.becomes}"


@dataclass
class Score:
    """What became of the mutants that were tried."""

    noticed: int
    known: int  # unnoticed, as known_mutants.yaml says
    missed: list[Change]  # unnoticed, and nothing says why
    stale: list[Change]  # in known_mutants.yaml, and no such mutant was unnoticed

    @property
    def share(self) -> float:
        """The noticed among those that are not known."""
        total = self.noticed + len(self.missed)
        return self.noticed / total if total else 1.0

    @property
    def good(self) -> bool:
        return self.share >= LEAST and not self.stale


def run(names: list[str]) -> Score:
    """Try the mutants of functions or modules, such as scripts.resilience.retry.*, or
    all of them. Raises ValueError for a name that no mutant can have, and where the
    tests fail without any mutant; SetupError where mutmut cannot be installed."""
    check_names(names)
    add("requirements-mutate.lock")
    if subprocess.run([*MUTMUT, "run", *names], cwd=ROOT).returncode:
        raise ValueError("mutmut came to no end: its words are above")
    tried = [
        (state, name)
        for name, state in states()
        if not names or any(fnmatch(name, pattern) for pattern in names)
    ]
    if not tried:
        raise ValueError(f"no mutant is called {' or '.join(names) or 'anything'}")
    unnoticed = [change(name) for state, name in tried if state in UNNOTICED]
    known = known_of((name for _, name in tried) if names else None)
    return score(sum(state in NOTICED for state, _ in tried), unnoticed, known)


def check_names(names: Iterable[str]) -> None:
    """Raise ValueError for a name or pattern that fits no mutant of the modules that
    are changed: <module>.x_<function>__mutmut_<number>."""
    known = mutated_modules()
    for name in names:
        head = re.split(r"[*?[]", name, maxsplit=1)[0]
        starts = [f"{module}.x" for module in known]
        fits = any(start.startswith(head) for start in starts) and head != name
        if not fits and not any(head.startswith(start) for start in starts):
            raise ValueError(
                f"no mutant is called {name}: give such as 'scripts.client.form.*'; "
                f"changed are {', '.join(known)}"
            )


def mutated_modules() -> list[str]:
    """The modules that mutmut changes, by pyproject.toml."""
    about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = about["tool"]["mutmut"]["only_mutate"]
    files = {path for pattern in patterns for path in ROOT.glob(pattern)}
    places = sorted(path.relative_to(ROOT).with_suffix("") for path in files)
    return [".".join(place.parts) for place in places if place.name != "__init__"]


def score(noticed: int, unnoticed: Iterable[Change], known: set[Change]) -> Score:
    unnoticed = list(unnoticed)
    missed = [one for one in unnoticed if one not in known]
    stale = sorted(known - set(unnoticed), key=str)
    return Score(noticed, len(unnoticed) - len(missed), missed, stale)


def known_changes() -> list[Change]:
    """Those that no test can notice, each for a reason that stands beside it."""
    listed = yaml.safe_load(KNOWN.read_text(encoding="utf-8")) or []
    return [
        Change(one["function"], one["line"], becomes)
        for one in listed
        for becomes in (
            one["becomes"] if isinstance(one["becomes"], list) else [one["becomes"]]
        )
    ]


def known_of(tried: Iterable[str] | None = None) -> set[Change]:
    """Those known, or those of them in the functions of these mutants."""
    functions = None if tried is None else {function_of(name) for name in tried}
    return {
        one for one in known_changes() if functions is None or one.function in functions
    }


def states() -> list[tuple[str, str]]:
    """Every mutant by its name, and what became of it."""
    words = [*MUTMUT, "results", "--all", "true"]
    told = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    found = (line.strip().rpartition(": ") for line in told.stdout.splitlines())
    return [(name, state) for name, _, state in found if name]


def change(name: str) -> Change:
    """What the mutant of that name changes."""
    from mutmut.mutation.diff_apply import find_mutant, get_diff_for_mutant

    return read_change(name, get_diff_for_mutant(name, path=find_mutant(name).path))


def read_change(name: str, diff: str) -> Change:
    """The same from a unified diff; of several lines, each without its indent."""
    taken, put = (
        " ".join(
            line[1:].strip()
            for line in diff.splitlines()
            if line.startswith(sign) and not line.startswith(sign * 3)
        )
        for sign in "-+"
    )
    return Change(function_of(name), taken, put)


def function_of(name: str) -> str:
    """The function that a mutant is of, by mutmut's name of it:
    module.x_function__mutmut_3, module.xǁClassǁmethod__mutmut_3."""
    place, _, function = name.rpartition("__mutmut_")[0].rpartition(".")
    function = function.removeprefix("x").lstrip("_ǁ") if "ǁ" in function else function
    function = function.removeprefix("x_").replace("ǁ", ".")
    return f"{place}.{function}"
