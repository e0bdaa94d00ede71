"""The words beyond JSON Schema's of schemas and rendered descriptors."""

import json
import re

from tools.operations import ROOT

RULES = json.loads((ROOT / "schemas" / "_operation.json").read_text())
MEMBER = RULES["$defs"]["member"]["properties"]
MOST = 38


def own(words):
    return {word.removeprefix("x-") for word in words if word.startswith("x-")}


FORM = RULES["$defs"]["form"]["properties"]


def in_schemas():
    """The words: those that begin with x-, and those within x-operation and x-form."""
    places = own(RULES["properties"]) | own(MEMBER)
    operation = RULES["properties"]["x-operation"]["properties"]
    return [*places, *operation, *FORM]


def in_descriptors():
    """What begins with x- in rendered descriptors and is read by the helper."""
    texts = [path.read_text() for path in (ROOT / "scripts").glob("*/*.py")]
    helper = "".join(p.read_text() for p in (ROOT / "scripts" / "client").glob("*.py"))
    read = set(re.findall(r'"x-([a-z-]+)"', helper))
    found = {word for text in texts for word in re.findall(r'"x-([a-z-]+)": ', text)}
    return found & read


def test_the_vocabulary_stays_small():
    rendered = in_descriptors()

    assert rendered - {*in_schemas()} == {"choice", "row", "id-of"}
    # Hints of the form, handed on under their names: they count once.
    assert rendered & {*FORM} == {"advanced", "groups", "beside", "hidden"}
    assert len(in_schemas()) + len(rendered - {*in_schemas()}) <= MOST


def test_contributing_says_how_they_are_counted():
    text = " ".join((ROOT / "CONTRIBUTING.md").read_text().split())
    again = in_descriptors() & {*FORM}

    assert f"at most {MOST} words of our own" in text
    assert f"written out, they are {len(again)} more" in text


def test_every_word_is_used():
    texts = [path.read_text() for path in (ROOT / "schemas").glob("*/*.json")]
    unused = [w for w in in_schemas() if not any(f'{w}":' in text for text in texts)]

    assert unused == []
