"""What Windmill's editor of JSON Schemas adds to one goes, and nothing else."""

import pytest

from scripts.forms.schema_editor import EDITOR_ONLY, plain_schema


@pytest.mark.parametrize("name", [*sorted(EDITOR_ONLY), "x-windmill-order", "format"])
def test_words_of_the_editor_go(name):
    given = {name: "date", "type": "string"}
    kept = {"type": "string"} if name != "format" else given

    assert plain_schema(given) == kept


@pytest.mark.parametrize("empty", [None, ""])
def test_a_word_without_a_value_goes_and_what_follows_stays(empty):
    given = {"description": empty, "format": empty, "type": "string"}

    assert plain_schema(given) == {"type": "string"}


@pytest.mark.parametrize("required", [[], False, True, "name", None])
def test_required_is_a_list_of_names_or_gone(required):
    assert plain_schema({"required": required, "type": "object"}) == {"type": "object"}
    whole = {"required": ["name"], "type": "object"}
    assert plain_schema(whole) == whole


@pytest.mark.parametrize("value", [0, False, [], {}])
def test_a_default_as_the_editor_begins_with_goes_and_a_constant_stays(value):
    given = {"default": value, "const": value, "title": "Kept"}

    assert plain_schema(given) == {"const": value, "title": "Kept"}
    assert plain_schema({"default": 5, "title": "Kept"}) == {
        "default": 5,
        "title": "Kept",
    }


def test_bounds_of_the_editor_are_those_of_json_schema():
    assert plain_schema({"min": 1, "max": 0}) == {"minimum": 1, "maximum": 0}


@pytest.mark.parametrize("place", ["oneOf", "anyOf", "allOf"])
def test_schemas_within_one_are_plain_too(place):
    own, plain = {"type": "string", "order": []}, {"type": "string"}

    assert plain_schema({place: [own, own]}) == {place: [plain, plain]}
    assert plain_schema({"items": own}) == {"items": plain}
    assert plain_schema({"items": True}) == {"items": True}
    assert plain_schema({"properties": {"order": own}}) == {
        "properties": {"order": plain}
    }


def test_other_objects_are_left_as_they_are():
    given = {"examples": [{"order": 1}], "const": {"order": 1, "password": ""}}

    assert plain_schema(given) == given
