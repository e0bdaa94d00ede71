"""Ask PyPI and npm for known weaknesses of what the tools and tests are made of."""

import argparse

from tools.cli.terminal import say


def run(_: argparse.Namespace) -> int:
    from tools.checks.audit import audit as ask

    return ask(say)
