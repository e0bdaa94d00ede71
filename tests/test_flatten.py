"""Packages of the source become modules that mean the same."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.operations import scripts
from tools.tree.flatten import (
    FlattenError,
    module_names,
    module_text,
    package_files,
    script_text,
    with_json,
    without_types,
)

INIT = '"""What a shop sells."""\n'
FILES = {
    "shop/__init__.py": INIT,
    "shop/till.py": (
        '"""Sums."""\n\nfrom __future__ import annotations\n\nimport json\n\n'
        "from .goods import PRICES\nfrom ..money import rounded\n\n\n"
        "def total(names):\n    from .receipt import line\n\n"
        "    return line(json.dumps(names), rounded(sum(PRICES[n] for n in names)))\n"
    ),
    "shop/goods.py": "import json\n\nPRICES = json.loads('{\"a\": 1.26}')\n",
    "shop/receipt.py": (
        '"""Paper."""\n\nfrom .till import total\n\n\n'
        'def line(names, sum):\n    return f"{names}: {sum}"\n\n\n'
        "def several(lists):\n    return [total(names) for names in lists]\n"
    ),
    "money.py": "def rounded(value):\n    return round(value, 1)\n",
    "counter.py": (
        "from .shop import goods\n"
        "from .shop.receipt import (  # noqa: F401 (a reason)\n"
        "    line,\n    several,\n)\n\n\n"
        "def names():\n    from .shop.goods import PRICES as known\n\n"
        "    return sorted(known), goods.PRICES\n"
    ),
    "tools_of_shop/sell.py": (
        "from ..money import rounded\nfrom ..shop.till import total\n\n\n"
        "def main():\n    return total(['a']), rounded(1.26)\n"
    ),
}


@pytest.fixture
def pack(tmp_path):
    """Writes the files of a pack, some in place of those above."""

    def write(changed=None, **files):
        changed = {**(changed or {}), **{f"shop/{n}.py": t for n, t in files.items()}}
        for name, text in {**FILES, **changed}.items():
            path = tmp_path / "scripts" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


def deployed(root, place):
    """Write what is deployed of a pack, as a package that can be imported."""
    place.mkdir()
    for name in module_names(root):
        (place / f"{name}.py").write_text(module_text(root, name))
    script = (root / "scripts" / "tools_of_shop" / "sell.py").read_text()
    (place / "group").mkdir()
    text = script_text(script, ("group", "sell"), package_files(root))
    (place / "group" / "sell.py").write_text(text)


def test_a_package_is_one_module_that_does_the_same(pack, tmp_path):
    deployed(pack(), tmp_path / "build")

    code = (
        "from build.group.sell import main; from build import counter, shop\n"
        "print(main(), counter.names(), counter.several([['a', 'a']]), shop.__doc__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )

    assert done.stderr == ""
    said = "('[\"a\"]: 1.3', 1.3) (['a'], {'a': 1.26}) ['[\"a\", \"a\"]: 2.5'] "
    assert done.stdout == f"{said}What a shop sells.\n"


def test_files_stand_behind_what_they_need_and_under_their_names(pack):
    root = pack()

    text = module_text(root, "shop")

    assert module_names(root) == ["counter", "money", "shop"]
    lines = text.split("\n")
    assert lines[0] == '"""What a shop sells."""'
    assert "from __future__ import annotations" not in lines
    banners = [line for line in lines if line.startswith("# --- ")]
    assert banners == [
        "# --- scripts/shop/goods.py ---",
        "# --- scripts/shop/till.py ---",
        "# --- scripts/shop/receipt.py ---",
    ]
    assert text == module_text(root, "shop")


def test_what_starts_a_job_stands_first(pack):
    text = module_text(pack(startup="import gc\n\ngc.disable()\n"), "shop")

    first = text.index("# --- scripts/shop/startup.py ---")
    assert first < text.index("# --- scripts/shop/goods.py ---")


def test_what_stands_beside_an_import_stays_with_it(pack):
    text = module_text(pack(), "counter")

    assert "from . import shop as goods\n" in text
    assert "from .shop import line, several  # noqa: F401 (a reason)\n" in text
    assert "    from .shop import PRICES as known\n" in text


def test_what_is_deployed_says_no_types_and_keeps_its_lines():
    text = Path(__file__).with_name("support").joinpath("typed_module.py").read_text()

    bare = without_types(text)

    assert bare.count("\n") == text.count("\n")
    assert [line for line in bare.split("\n") if line.strip()] == [
        '"""A module that says its types in every way."""',
        "class Shape:",
        "    sides = 3",
        "    def grow(self, by = 1, *more, **others):",
        "        size = by",
        "        return size",
        "def join(",
        "    first, /, *, last = None",
        "):  # é: the place of what follows is counted in bytes",
        '    é = "é"; ä = {}  # fmt: skip  # noqa: E702',
        "    return [é, ä]",
    ]
    compile(bare, "bare.py", "exec")


LONG = """\
from ..client import run

# fmt: off
STEP = {
  "on": True, "off": False, "none": None, "text": "None \\\\ \\u20ac",
  "quoted": 'a "True" b'}
"""


def test_the_long_table_of_a_script_is_read_as_json_in_its_place():
    text = script_text(LONG, ("group", "sell"), frozenset())

    assert text.split("\n")[2:6] == [
        "from json import loads  # a job reads JSON sooner than it compiles Python",
        'STEP = loads(r"""{',
        '  "on": true, "off": false, "none": null, "text": "None \\\\ \\u20ac",',
        '  "quoted": "a \\"True\\" b"}""")',
    ]
    *_, table = ast.parse(text).body
    written = ast.literal_eval(table.value.args[0])
    *_, before = ast.parse(LONG).body
    assert json.loads(written) == ast.literal_eval(before.value)


def test_every_long_table_can_be_json_and_short_ones_stay():
    texts = [one.script_path.read_text(encoding="utf-8") for one in scripts()]
    long = [text for text in texts if "\n# fmt: off\n" in text]

    assert len(long) > 100
    assert all('= loads(r"""{' in with_json(text) for text in long)
    assert all(with_json(text) == text for text in texts if text not in long)


@pytest.mark.parametrize("table", ["{1: 2}", '{"a": (1,)}', '{"a": 1,}'])
def test_a_table_that_is_no_json_is_refused(table):
    with pytest.raises(FlattenError, match="line 2: a descriptor that is no JSON"):
        script_text(f"# fmt: off\nSTEP = {table}\n", ("group", "sell"), frozenset())


REFUSED = [
    ({"wraps": "PRICES = 1\n"}, "PRICES is in shop/goods too"),
    ({"wraps": "from math import floor as json\n"}, "json is in shop/goods too"),
    ({"wraps": "from math import floor as open\n"}, "open is Python's own"),
    ({"wraps": "def till():\n    pass\n"}, "till is a file too"),
    ({"wraps": "from . import goods\n"}, "goods is a file, which is no object"),
    ({"wraps": "from . import PRICES\n"}, "PRICES comes through the package"),
    ({"wraps": "from .goods import PRICES as known\n"}, "PRICES must keep its name"),
    ({"wraps": "from .goods import COSTS\n"}, "COSTS is nothing that goods.py makes"),
    ({"wraps": "from .till import PRICES\n"}, "PRICES is nothing that till.py makes"),
    ({"wraps": "from .goods import json as prices\n"}, "json must keep its name"),
    ({"goods": "from .till import total\n\nPRICES = {}\n"}, "make a circle"),
    ({"wraps": "from .... import x\n"}, "leads out of scripts/"),
    ({"__init__": ""}, "begins with a docstring"),
    ({"__init__": f"{INIT}from .till import total\n"}, "loads a file at once"),
]


@pytest.mark.parametrize(("files", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_would_mean_something_else_in_one_module_is_refused(pack, files, said):
    root = pack(**files)

    with pytest.raises(FlattenError, match=said) as caught:
        module_text(root, "shop")

    assert caught.value.file == f"shop/{next(iter(files))}"
