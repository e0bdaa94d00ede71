"""How far a suite that looks for unknown faults goes: a sample in CI, all in a probe.

`./dev probe NAME` sets PROBE and, with --seed, PROBE_SEED; see tools/probes/probe.py.
"""

import os
import sys
from collections.abc import Iterable

from tools.operations import ROOT

PLACE = ROOT / ".cache" / "probe"
SEED = 1  # of the sample in CI, so that it is the same each time


def whole() -> bool:
    """Whether all is wanted."""
    return os.environ.get("PROBE") == "whole"


def seed() -> int:
    return int(os.environ.get("PROBE_SEED", SEED))


def report(name: str, lines: Iterable[str]) -> None:
    """Show what was seen; a probe keeps it in .cache/probe, too."""
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text)
    if whole():
        place = PLACE / f"{name}.txt"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
