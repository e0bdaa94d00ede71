"""A name within a function hides nothing of Python's, nor of its file."""

import pytest

from tools.checks.hidden_names import hidden_names
from tools.operations import ROOT

BEGINS = (
    "from __future__ import annotations\n\nimport json\n\nfrom .names import listed\n"
    "from .operations import operation\n\nMOST = 3\n\n\nclass Kept:\n    pass\n\n\n"
)
PYTHON, FILE = "hides Python's own", "hides the file's"
HIDDEN = {
    "a parameter": ("def f(id):\n    return id\n", f"a id within a function {PYTHON}"),
    "a local": (
        "def f():\n    open = 1\n    return open\n",
        f"a open within a function {PYTHON}",
    ),
    "the variable of a loop": (
        "def f(of):\n    return [id for id in of]\n",
        f"a id within a function {PYTHON}",
    ),
    "a lambda's": ("X = lambda type: type\n", f"a type within a function {PYTHON}"),
    "one within a class": (
        "class A:\n    def f(self, *, format):\n        return format\n",
        f"a format within a function {PYTHON}",
    ),
    "what is imported": (
        "def f():\n    listed = 1\n    return listed\n",
        f"a listed within a function {FILE}",
    ),
    "a constant": (
        "def f(MOST):\n    return MOST\n",
        f"a MOST within a function {FILE}",
    ),
    "a class": (
        "def f():\n    for Kept in ():\n        pass\n",
        f"a Kept within a function {FILE}",
    ),
    "a function, by one within another": (
        "def f():\n    def g():\n        pass\n\n\ndef g():\n    pass\n",
        f"a g within a function {FILE}",
    ),
    "a library": (
        "def f(json):\n    return json\n",
        f"a json within a function {FILE}",
    ),
}
RIGHT = (
    "def f(operation):\n    return operation\n",  # stands in no deployed module
    "def f():\n    from .names import listed  # few have any\n\n    return listed\n",
    "def f():\n    global MOST\n    MOST = 4\n",
    "class A:\n    id = 1\n\n    def type(self):\n        self.open = 1\n",
    "def f(**facts):\n    return dict(id=1, **facts)\n",
)


@pytest.fixture
def hidden(tmp_path):
    def judge(text):
        (tmp_path / "scripts").mkdir()
        (tmp_path / "scripts" / "some.py").write_text(BEGINS + text)
        return [what for _, what in hidden_names(tmp_path)]

    return judge


@pytest.mark.parametrize("case", HIDDEN)
def test_what_hides_another_name_is_found(hidden, case):
    text, words = HIDDEN[case]
    (found,) = hidden(text)

    assert f": {words}: call it otherwise" in found


@pytest.mark.parametrize("text", RIGHT)
def test_what_hides_nothing_is_right(hidden, text):
    assert hidden(text) == []


def test_no_name_of_the_pack_hides_another():
    assert list(hidden_names(ROOT)) == []
