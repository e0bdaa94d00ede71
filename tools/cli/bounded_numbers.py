"""Numbers of the command line, within their bounds: types of arguments."""

import argparse
import math
from collections.abc import Callable

MOST_COUNT = 1e15  # up to which a float tells each whole number


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """What reads a whole number; argparse says why a text is none."""
    return lambda text: int(_bounded(text, int, least, most))


def number(least: float, most: float | None = None) -> Callable[[str], float]:
    """What reads a number that is finite."""
    return lambda text: _bounded(text, float, least, most)


def count(text: str) -> int:
    """How many rows or files, such as 5000, 1e9 or 1,000."""
    such = "give one such as 5000 or 1e9"
    try:
        value = float(text.replace(",", "").replace("_", ""))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number: {such}") from None
    if not value >= 1:  # nan is not, either
        raise argparse.ArgumentTypeError(f"{text} is too small: {such}")
    if value > MOST_COUNT:
        raise argparse.ArgumentTypeError(f"{text} is too large: {MOST_COUNT:g} at most")
    return int(value)


def _bounded(
    text: str, read: Callable[[str], float], least: float, most: float | None
) -> float:
    try:
        value = read(text)
    except ValueError:
        kind = "whole number" if read is int else "number"
        raise argparse.ArgumentTypeError(f"{text!r} is no {kind}") from None
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text} is not finite")
    if value < least:
        raise argparse.ArgumentTypeError(f"{text} is too small: {least:g} at least")
    if most is not None and value > most:
        raise argparse.ArgumentTypeError(f"{text} is too large: {most:g} at most")
    return value
