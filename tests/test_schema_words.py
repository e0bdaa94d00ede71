"""What check says of a schema that is wrong, in words that say what to do."""

import json
import re
import shutil

import jsonschema
import pytest

from tests.support.nested_places import places
from tools.checks.checks import problems
from tools.checks.schema_checks import schema_problems
from tools.operations import ROOT, Operation
from tools.schemas.schema_words import in_words, misfit

RULES = json.loads((ROOT / "schemas/_operation.json").read_text())


def said(tmp_path, edit):
    place = tmp_path / "schemas/audio/create_speech.json"
    place.parent.mkdir(parents=True)
    shutil.copy(ROOT / "schemas/_models.yaml", tmp_path / "schemas")
    schema = json.loads((ROOT / "schemas/audio/create_speech.json").read_text())
    edit(schema)
    place.write_text(json.dumps(schema))
    return "\n".join(
        schema_problems(Operation(tmp_path, "audio", "create_speech"), RULES)
    )


def body(schema):
    return schema["properties"]["body"]


def member(schema, name="input"):
    return body(schema)["properties"][name]


def exchange(schema):
    return schema["x-operation"]


def query(schema, **words):
    text = {"title": "T", "description": "D.", "type": "string", "x-in": "query"}
    schema["properties"]["more"] = {**text, **words}


WRONG = [
    # words of the file
    (lambda s: s.update({"x-retruns": "x"}), "did you mean x-returns?"),
    (lambda s: s.pop("x-returns"), "x-returns is missing"),
    (lambda s: s.pop("x-operation"), "x-operation or x-step is missing"),
    (lambda s: s.update({"x-step": "script"}), "x-operation and x-step: one of them"),
    (lambda s: s.update({"$schema": "x"}), '$schema: must be "https://json-schema'),
    (lambda s: s.update(properties=[]), "properties: must be an object (got a list)"),
    (lambda s: s.update(required="body"), "required: must be a list (got text)"),
    (lambda s: s.pop("properties"), "properties is missing"),
    # texts
    (lambda s: s.update(title="TODO"), "title: is still a TODO"),
    (lambda s: s.update(title="read"), "a title begins with a capital letter"),
    (lambda s: s.update(title="Read it."), "and has no full stop"),
    (lambda s: s.update(title="Read Together"), "goes without saying"),
    (lambda s: s.update(title="R\u00e9ad"), "title: has 'é': one line of letters"),
    (lambda s: s.update(title="Read \\ it"), "title: has a backslash"),
    (lambda s: s.update(description="Short."), "at least 20 characters (got 6)"),
    (lambda s: s.update(description="a" * 20 + "\n"), "description: has a line break"),
    (lambda s: member(s).update(description="a…"), "has '…': one line of letters"),
    (lambda s: member(s).update(description=""), "input.description: is empty"),
    (lambda s: member(s).pop("title"), "properties.body.properties.input has no title"),
    (lambda s: member(s).pop("description"), "input has no description"),
    # the request
    (
        lambda s: exchange(s).update(path="v1/x"),
        "a path begins with /v1/, /v2/ or /v3/",
    ),
    (lambda s: exchange(s).update(path="/v1/x?y=z"), "the query are no part of it"),
    (lambda s: exchange(s).update(path="/v1/{a-b}"), "its arguments in braces"),
    (lambda s: exchange(s).update(path="/v1/{a}"), "properties has no a with"),
    (lambda s: exchange(s).update(method="get"), '"get" is none of: GET, POST'),
    (lambda s: exchange(s).update(method="GET"), "a GET sends no body"),
    (lambda s: exchange(s).pop("retry"), "x-operation: retry is missing"),
    (lambda s: exchange(s).update(find="a/b"), "there is no operation a/b"),
    (lambda s: exchange(s).update(docs="http://x"), "with https://docs.together.ai/"),
    (lambda s: exchange(s).update(filename="a/b"), "no folder"),
    (
        lambda s: (
            member(s, "stream").update(title="S") or body(s)["properties"].pop("stream")
        ),
        "x-operation.stream: the body has no member stream",
    ),
    (lambda s: exchange(s).pop("reply"), "output is for what brings bytes"),
    (lambda s: exchange(s).pop("reply"), "x-reply is missing"),
    # arguments
    (lambda s: query(s, **{"x-in": "boddy"}), "is none of: path, query"),
    (lambda s: query(s, **{"x-in": "path"}), "the path has no {more}"),
    (lambda s: s["properties"].update({"max-n": {}}), "such as max_n; "),
    (lambda s: s["properties"].update({"from": {}}), "such as from_; "),
    (
        lambda s: s["properties"].update({"auth": {}}),
        "properties.auth: comes by itself",
    ),
    (lambda s: s["required"].append("promt"), "there is no argument promt"),
    (lambda s: s.pop("required"), "body has required members, so it is required"),
    (lambda s: body(s).update(properties={}), "properties.body: has no members"),
    (
        lambda s: body(s)["required"].append("promt"),
        "required: there is no member promt",
    ),
    (lambda s: s["properties"].pop("output"), "it needs the argument output"),
    (lambda s: s["properties"]["output"].pop("default"), "output has no default"),
    (lambda s: s["properties"]["output"].update(enum=["a"]), "result, storage and url"),
    # a member
    (lambda s: member(s).update(zzz=1), "allowed are: additionalProperties"),
    (lambda s: member(s).update(nullable=True), 'says so: "type": ["string", "null"]'),
    (lambda s: member(s).update({"$ref": "#/x"}), "write out what it leads to"),
    (lambda s: member(s).update(type="str"), '"str" is none of: string'),
    (lambda s: member(s).update(type=["string"]), "a list of types has two or more"),
    (lambda s: member(s).update(type="null"), "nothing but null is no value"),
    (lambda s: member(s).pop("type"), "properties.input has no type"),
    (lambda s: member(s).update(type="array"), "input has no items"),
    (lambda s: member(s).update(items="string"), "items: must be an object (got text)"),
    (lambda s: member(s).update(enum=[]), "enum: must not be empty"),
    (lambda s: member(s).update(minimum="1"), "minimum: must be a number (got text)"),
    (lambda s: member(s).update(pattern="[a-"), "is no regular expression: untermin"),
    (lambda s: member(s).update(default=5), "input.default: must be text (got 5)"),
    (lambda s: member(s).update({"x-models": "chat"}), "say x-suggestions"),
    (lambda s: member(s).update({"format": "email"}), "is none of: binary, date-time"),
    (lambda s: member(s).update({"format": "binary"}), 'a file goes up as "multipart"'),
    (lambda s: member(s).update({"x-form": {}}), "x-form: must not be empty"),
    (lambda s: member(s).update({"x-form": {"row": 4}}), "did you mean rows?"),
    (lambda s: member(s).update({"x-form": {"rows": 1}}), "must be at least 2 (got 1)"),
    (lambda s: member(s).update({"x-form": {"labels": {"a": "A"}}}), "a is in neither"),
    (lambda s: member(s).update({"x-form": {"when": {"x": "a"}}}), "true or a list"),
    (lambda s: member(s).update({"x-form": {"when": {"no": [1]}}}), "no"),
    (
        lambda s: body(s).update(
            {
                "x-form": {
                    "groups": {
                        "g": {
                            "title": "G",
                            "description": "D.",
                            "of": {"A": "voice", "B": "no"},
                        }
                    }
                }
            }
        ),
        "x-form.groups: there is no member no",
    ),
    # examples
    (lambda s: s.update(examples=[]), "examples: must not be empty"),
    (lambda s: s.update(examples={}), "examples: must be a list (got an object)"),
    (lambda s: s["examples"].pop(), "examples: give two, the least and the most"),
    (lambda s: s["examples"].append(s["examples"][0]), "examples: one is there twice"),
    (lambda s: s["examples"][0].update(auth={}), "examples[0]: holds no auth"),
    (lambda s: s["examples"][0].update(outptu=1), "did you mean output?"),
    (lambda s: s["examples"][0]["body"].update(inptu="a"), "did you mean input?"),
    (lambda s: s["examples"][0]["body"].pop("input"), "examples[0].body.input: is req"),
    (lambda s: s["examples"][0]["body"].update(input=1), "must be text (got 1)"),
    (lambda s: s["examples"][0]["body"].update(model="m"), "say <model:word>"),
    (
        lambda s: member(s).update({"x-file": "uri"}),
        "examples[0].body.input: a file is base64 here, a data URI, or an address",
    ),
]


@pytest.mark.parametrize(("edit", "words"), WRONG)
def test_a_wrong_schema_is_answered_in_words(edit, words, tmp_path):
    assert words in said(tmp_path, edit)


def test_all_is_told_in_one_wave(tmp_path):
    def edit(schema):
        schema["title"] = "read."
        exchange(schema)["retry"] = "yes"
        member(schema)["type"] = "str"
        member(schema, "voice").pop("title")
        schema["properties"].pop("output")
        schema["examples"][1]["body"]["inptu"] = "a"

    told = said(tmp_path, edit).splitlines()

    for words in ("a title", "retry", '"str"', "voice has no title", "output", "inptu"):
        assert any(words in line for line in told), words


ODD = (None, 5, "text", [], {}, [None])


@pytest.mark.parametrize("first", [0, 3])
def test_whatever_stands_in_a_schema_is_answered_in_words(first, tmp_path):
    """Each place is tried with one odd value, the next place with the next."""
    text = (ROOT / "schemas/audio/create_speech.json").read_text()
    paths = list(places(json.loads(text)))
    rough = r"Error|attribute|subscript|iterable|is not valid under|is not of type"
    assert len(paths) > 100
    for number, path in enumerate(paths, first):
        odd = ODD[number % len(ODD)]
        told = said(
            tmp_path / str(number),
            lambda schema, at=path, odd=odd: _set(schema, at, odd),
        )
        assert not re.search(rough, told), (path, told)


def _set(schema, path, value):
    for name in path[:-1]:
        schema = schema[name]
    schema[path[-1]] = value


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"title": "x",}'])
def test_what_is_no_json_object_is_answered_in_words(text, tmp_path):
    place = tmp_path / "schemas/audio/create_speech.json"
    place.parent.mkdir(parents=True)
    place.write_text(text)
    shutil.copy(ROOT / "schemas/_models.yaml", tmp_path / "schemas")

    (told,) = schema_problems(Operation(tmp_path, "audio", "create_speech"), RULES)

    assert told.startswith("is not JSON: ")


def test_a_member_that_is_required_and_not_described_is_told_once(tmp_path):
    def edit(schema):
        schema["properties"]["body"]["required"].append("inputt")

    assert said(tmp_path, edit) == (
        "properties.body.required: there is no member inputt; did you mean input?"
    )


def test_a_constant_is_held_to_every_word_that_a_schema_may_have():
    kinds = {"type": "array", "uniqueItems": True, "items": {"type": "string"}}

    assert misfit(["word", "word"], kinds, "f") == ["f[1]: is there twice"]
    assert misfit(["word", "segment"], kinds, "f") == []


def test_a_sound_schema_has_nothing_said_of_it(tmp_path):
    assert said(tmp_path, lambda schema: None) == ""


def test_what_has_no_words_of_its_own_keeps_the_validator_s():
    (error,) = jsonschema.Draft202012Validator({"multipleOf": 2}).iter_errors(3)

    assert in_words(error) == ["3 is not a multiple of 2"]


@pytest.mark.slow
def test_a_file_that_is_no_schema_hides_nothing_else(tmp_path):
    for name in ("schemas", "scripts"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "schemas/audio/create_speech.json").write_text("[]")
    (tmp_path / "schemas/files/get_file.json").write_text("{}")

    found = {problem.path.name: problem.what for problem in problems(tmp_path)}

    assert found["create_speech.json"].startswith("is not JSON")
    assert "is missing" in found["get_file.json"]
    assert "_shelves.yaml" not in found
