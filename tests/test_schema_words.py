"""What check says of a schema that is wrong, in words that say what to do."""

import json
import shutil

import jsonschema
import pytest

from tools.checks import _schema
from tools.operations import ROOT, Operation
from tools.schema_words import in_words

RULES = json.loads((ROOT / "schemas/_operation.json").read_text())


def said(tmp_path, edit):
    place = tmp_path / "schemas/audio/create_speech.json"
    place.parent.mkdir(parents=True)
    shutil.copy(ROOT / "schemas/_models.yaml", tmp_path / "schemas")
    schema = json.loads((ROOT / "schemas/audio/create_speech.json").read_text())
    edit(schema)
    place.write_text(json.dumps(schema))
    found = _schema(Operation(tmp_path, "audio", "create_speech"), RULES)
    return "\n".join(problem.what for problem in found)


def body(schema):
    return schema["properties"]["body"]["properties"]["input"]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda s: s.update({"x-retruns": "x"}), "did you mean x-returns?"),
        (lambda s: body(s).update({"zzz": 1}), "allowed are: additionalProperties"),
        (
            lambda s: body(s).update({"type": "str"}),
            "'str' is none of: string",
        ),
        (lambda s: body(s).update({"x-in": "boddy"}), "is none of: path, query"),
        (lambda s: body(s).update({"description": "a…"}), "has '…': letters, digits"),
        (lambda s: s.update({"title": "TODO"}), "title: is still a TODO"),
        (lambda s: s.pop("x-returns"), "x-returns is missing"),
        (lambda s: s["properties"].pop("output"), "it needs the argument output"),
        (lambda s: s["x-operation"].pop("reply"), "output is for what brings bytes"),
        (lambda s: s["required"].append("promt"), "there is no argument promt"),
    ],
)
def test_a_wrong_schema_is_answered_in_words(edit, words, tmp_path):
    assert words in said(tmp_path, edit)


def test_a_sound_schema_has_nothing_said_of_it(tmp_path):
    assert said(tmp_path, lambda schema: None) == ""


def test_what_has_no_words_of_its_own_keeps_the_validator_s():
    (error,) = jsonschema.Draft202012Validator({"minimum": 3}).iter_errors(1)

    assert in_words(error) == ["1 is less than the minimum of 3"]
