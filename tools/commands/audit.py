"""Ask PyPI and npm for known weaknesses of what the tools and tests are made of."""

import argparse

from tools.cli.terminal import say

EXAMPLES = (
    "Exit codes: 0 no weakness is known, 1 some are, 2 wrong usage, 3 none is\n"
    "known and not everything could be asked."
)


def run(_: argparse.Namespace) -> int:
    from tools.checks.audit import audit as ask

    return ask(say)
