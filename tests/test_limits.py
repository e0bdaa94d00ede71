"""The page of limits says what the code does."""

import importlib
import re

import pytest

from tools.operations import ROOT

PAGE = (ROOT / "docs/limits.md").read_text(encoding="utf-8")
ROWS = re.findall(
    r"^\| .+ \| (\d+(?:\.\d+)?)( [A-Za-z]+)?( characters)? \| "
    r"`([a-z_/]+)\.([A-Z_]+)(?:\[\"([a-z]+)\"\])?` \|$",
    PAGE,
    re.MULTILINE,
)
UNITS = {"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "KiB": 1 << 10, "MiB": 1 << 20}
# How much is read at a time, or looked at, is no limit; nor is what a step decides by.
PIECES = re.compile(r"((PIECE|HEAD|SAMPLE|PART|PAGE|HEADER|LIST|OBJECT|ITEM|PACE)_)")
NO_LIMITS = {
    "across/file_answers.STATE_BYTES",
    "client/endings.LONGEST_REASON",
    "file_steps/file_steps.LONGEST_ERROR",
    "parquet_steps.LARGEST",
    "parquet_steps.LONGEST",
    "replies/accumulators.MOST_PIECES",
    "resilience/retry.LONGEST_TIME",
    "speech/audio_steps.LONGEST_RECORDING",
    "transfer/media_checks.MOST_WORDS",
    "speech/audio_steps.LONGEST_SECONDS",
    "catalog/model_choice.MOST_USD",
    "catalog/pricing.MOST_ANSWER",
    "catalog/pricing.MOST_TOKENS",
    "client/jsonio.LARGEST",
    "rows/sender.MOST_BARREN",
}
KINDS = r"(?:MOST|LARGEST|LONGEST|DEEPEST)(?:_[A-Z_]+)?"
LIMIT = re.compile(
    rf"^({KINDS}|[A-Z_]+_(?:BYTES|CHARACTERS|SECONDS))(?:: \w+)? = ", re.MULTILINE
)


def test_the_page_has_a_row_for_each_of_its_lines():
    lines = [line for line in PAGE.splitlines() if line.startswith("| ")]

    assert len(ROWS) == len([line for line in lines if "| at most |" not in line])


@pytest.fixture(autouse=True)
def late_prices():
    """The limits are looked at as jobs have them."""


@pytest.mark.parametrize(("number", "unit", "what", "module", "name", "member"), ROWS)
def test_a_limit_is_what_the_page_says(number, unit, what, module, name, member):
    found = importlib.import_module(f"scripts.{module.replace('/', '.')}")

    times = UNITS.get(unit.strip(), 1)
    limit = getattr(found, name)
    assert (limit[member] if member else limit) == float(number) * times
    if unit in (" KiB", " MiB"):
        assert name.endswith("BYTES")
    if what:
        assert name.endswith("CHARACTERS")


def test_each_limit_is_on_the_page():
    places = (ROOT / "scripts").rglob("*.py")
    told = {f"{module}.{name}" for _, _, _, module, name, _ in ROWS}
    for place in places:
        module = place.relative_to(ROOT / "scripts").with_suffix("").as_posix()
        for name in LIMIT.findall(place.read_text(encoding="utf-8")):
            place = f"{module}.{name}"
            assert PIECES.match(name) or place in told | NO_LIMITS, place
