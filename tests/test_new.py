"""./dev new and ./dev fix: what they say of what they write."""

import pytest

from tools.checks.checks import Problem
from tools.commands import fix, new
from tools.operations import ROOT


def test_a_group_much_like_another_is_asked_about(capsys):
    with pytest.raises(ValueError, match=r"no group fils; did you mean files\?"):
        new._check_group("fils", meant=False)
    new._check_group("fils", meant=True)
    new._check_group("files", meant=False)
    assert capsys.readouterr().err == ""

    new._check_group("weather", meant=False)
    assert capsys.readouterr().err == "weather is a new group\n"


def test_a_file_that_is_written_twice_is_told_of_once(capsys):
    wrote = []
    page = ROOT / "docs" / "reference" / "a.md"
    problem = Problem(page, "is old", make=lambda: wrote.append(page))
    told = fix._repair([problem])
    fix._repair([problem], told)

    assert len(wrote) == 2
    assert capsys.readouterr().err == "wrote docs/reference/a.md\n"
