"""The words beyond JSON Schema's that schemas and rendered tables are written in."""

import json
import re

from tools.operations import ROOT

RULES = json.loads((ROOT / "schemas" / "_operation.json").read_text())
MEMBER = RULES["$defs"]["member"]["properties"]
MOST = 38


def own(words):
    return {word.removeprefix("x-") for word in words if word.startswith("x-")}


def in_schemas():
    """The words: those that begin with x-, and those within x-operation and x-form."""
    places = own(RULES["properties"]) | own(MEMBER)
    operation = RULES["properties"]["x-operation"]["properties"]
    form = RULES["$defs"]["form"]["properties"]
    return [*places, *operation, *form]


def in_tables():
    """What rendered tables say besides; a word that a schema has means the same."""
    texts = [path.read_text() for path in (ROOT / "scripts").glob("*/*.py")]
    helper = "".join(p.read_text() for p in (ROOT / "scripts" / "client").glob("*.py"))
    read = set(re.findall(r'"x-([a-z-]+)"', helper))
    found = {word for text in texts for word in re.findall(r'"x-([a-z-]+)": ', text)}
    return (found & read) - {*in_schemas()}


def test_the_vocabulary_stays_small():
    tables = in_tables()

    assert tables == {"choice", "row", "id-of"}
    assert len(in_schemas()) + len(tables) <= MOST


def test_every_word_is_used():
    texts = [path.read_text() for path in (ROOT / "schemas").glob("*/*.json")]
    unused = [w for w in in_schemas() if not any(f'{w}":' in text for text in texts)]

    assert unused == []
