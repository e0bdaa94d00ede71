"""The page of limits says what the code does."""

import importlib
import re

import pytest

from tools.operations import ROOT

PAGE = (ROOT / "docs/limits.md").read_text(encoding="utf-8")
ROWS = re.findall(
    r"^\| .+ \| (\d+)( [A-Za-z]+)?( characters)? \| `([a-z_/]+)\.([A-Z_]+)` \|$",
    PAGE,
    re.MULTILINE,
)
UNITS = {"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "KiB": 1 << 10, "MiB": 1 << 20}
# How much is read at a time, or looked at, is no limit.
PIECES = re.compile(r"(PIECE|HEAD|SAMPLE|PART|PAGE)_")
LIMIT = re.compile(r"^(MOST_[A-Z_]+|[A-Z_]+_(?:BYTES|CHARACTERS)) = ", re.MULTILINE)


def test_the_page_has_a_row_for_each_of_its_lines():
    lines = [line for line in PAGE.splitlines() if line.startswith("| ")]

    assert len(ROWS) == len([line for line in lines if "| at most |" not in line])


@pytest.mark.parametrize(("number", "unit", "what", "module", "name"), ROWS)
def test_a_limit_is_what_the_page_says(number, unit, what, module, name):
    found = importlib.import_module(f"scripts.{module.replace('/', '.')}")

    times = UNITS.get(unit.strip(), 1)
    assert getattr(found, name) == int(number) * times
    if unit in (" KiB", " MiB"):
        assert name.endswith("BYTES")
    if what:
        assert name.endswith("CHARACTERS")


def test_each_limit_of_a_reader_is_on_the_page():
    places = [*(ROOT / "scripts/table").glob("*.py")]
    places += (ROOT / "scripts/documents").glob("*.py")
    places += (ROOT / "scripts/replies").glob("*.py")
    names = ("document_steps", "linear_regex", "client/transport", "client/validate")
    places += [ROOT / f"scripts/{name}.py" for name in names]
    told = {f"{module}.{name}" for _, _, _, module, name in ROWS}
    for place in places:
        module = place.relative_to(ROOT / "scripts").with_suffix("").as_posix()
        for name in LIMIT.findall(place.read_text(encoding="utf-8")):
            assert PIECES.match(name) or f"{module}.{name}" in told, (module, name)
