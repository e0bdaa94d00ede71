"""The checker that runs on workers, against the one that everybody trusts."""

import jsonschema
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scripts.client import TogetherError
from scripts.json_schema.checker import check_schema, problems

NAMES = st.sampled_from(["a", "b", "ab", "c/d"])
TEXTS = st.sampled_from(["", "a", "b", "ab", "ba", "abc", "\u00e4\u00e4"])
NUMBERS = st.integers(-4, 4) | st.sampled_from([-1.5, 0.5, 1.0, 2.0, 1e300])
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
    ),
    max_leaves=6,
)
SIZES = st.integers(0, 3)
KINDS = st.sampled_from(
    ["object", "array", "string", "number", "integer", "boolean", "null"]
)
REFS = st.sampled_from(["#/$defs/a", "#/$defs/c~1d", "#/$defs/b/items"])


def words(inner):
    """Schemas made of the words that the checker knows."""
    named = st.dictionaries(NAMES, inner, max_size=3)
    some = st.lists(inner, min_size=1, max_size=2)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": KINDS | st.lists(KINDS, min_size=1, max_size=2, unique=True),
            "enum": st.lists(VALUES, min_size=1, max_size=3),
            "const": SCALARS,
            "properties": named,
            "patternProperties": st.dictionaries(
                st.sampled_from(["^a", "b$"]), inner, max_size=2
            ),
            "required": st.lists(NAMES, max_size=2, unique=True),
            "additionalProperties": inner,
            "items": inner,
            "prefixItems": some,
            "minItems": SIZES,
            "maxItems": SIZES,
            "uniqueItems": st.booleans(),
            "minProperties": SIZES,
            "maxProperties": SIZES,
            "minLength": SIZES,
            "maxLength": SIZES,
            "pattern": st.sampled_from(["^a", "b$", "a.*b", ""]),
            "minimum": NUMBERS,
            "maximum": NUMBERS,
            "exclusiveMinimum": NUMBERS,
            "exclusiveMaximum": NUMBERS,
            "multipleOf": st.sampled_from([1, 2, 0.5]),
            "anyOf": some,
            "oneOf": some,
            "allOf": some,
            "not": inner,
        },
    )


def usable(schema):
    try:
        check_schema(schema, "schema")
    except TogetherError as error:
        return "leads to itself" not in str(error)
    return True


PLAIN = st.recursive(st.booleans() | words(st.booleans()), words, max_leaves=4)
LEADING = st.recursive(
    st.booleans() | REFS.map(lambda ref: {"$ref": ref}), words, max_leaves=4
)


@given(PLAIN, VALUES)
def test_it_says_what_jsonschema_says(schema, value):
    check_schema(schema, "schema")

    found = problems(value, schema)

    assert jsonschema.Draft202012Validator(schema).is_valid(value) == (not found)


@pytest.mark.slow
@given(LEADING, PLAIN, LEADING, VALUES)
def test_it_follows_references_as_jsonschema_does(schema, one, several, value):
    assume(isinstance(schema, dict))
    definitions = {"a": one, "b": {"type": "array", "items": one}, "c/d": several}
    schema = {**schema, "$defs": definitions}
    assume(usable(schema))

    found = problems(value, schema)

    assert jsonschema.Draft202012Validator(schema).is_valid(value) == (not found)


@pytest.mark.parametrize(
    ("value", "schema", "field", "words"),
    [
        (1, {"type": "string"}, "answer", "must be text (got 1)"),
        (True, {"type": "integer"}, "answer", "must be a whole number (got true)"),
        ("x", {"enum": ["a", 1]}, "answer", 'must be one of "a", 1 (got "x")'),
        (1, {"enum": ["a"], "const": 1}, "answer", 'must be one of "a" (got 1)'),
        ({}, {"required": ["a"]}, "answer.a", "is required"),
        (
            {"b": 1},
            {"additionalProperties": False},
            "answer.b",
            "must not be there",
        ),
        (
            {"rows": [{"n": 1}, {"n": "x"}]},
            {
                "properties": {
                    "rows": {"items": {"properties": {"n": {"type": "number"}}}}
                }
            },
            "answer.rows[1].n",
            'must be a number (got "x")',
        ),
        ([1, 1.0], {"uniqueItems": True}, "answer[1]", "is there twice"),
        (0.35, {"multipleOf": 0.1}, "answer", "must be a multiple of 0.1 (got 0.35)"),
        (11, {"maximum": 10}, "answer", "must be at most 10 (got 11)"),
        ("", {"minLength": 2}, "answer", "needs at least 2 characters (got 0)"),
        (
            {"a": 1},
            {"anyOf": [{"type": "string"}, {"properties": {"a": {"type": "null"}}}]},
            "answer.a",
            "must be null (got 1)",
        ),
        (True, {"anyOf": [{"type": "string"}, {"type": "number"}]}, "answer", "or a"),
        (3, {"oneOf": [{"minimum": 1}, {"minimum": 2}]}, "answer", "several"),
    ],
)
def test_a_problem_names_the_place_and_what_is_wanted(value, schema, field, words):
    found = problems(value, schema)

    assert field == found[0]["field"]
    assert words in found[0]["problem"]


def test_decimals_are_multiples_as_people_count():
    assert not problems(19.99, {"multipleOf": 0.01})
    assert not problems(0.3, {"multipleOf": 0.1})


def test_what_leads_back_to_itself_may_nest():
    tree = {
        "$ref": "#/$defs/node",
        "$defs": {
            "node": {
                "type": "object",
                "properties": {"next": {"$ref": "#/$defs/node"}},
                "additionalProperties": False,
            }
        },
    }
    deep = {}
    for _ in range(1000):
        deep = {"next": deep}
    check_schema(tree, "schema")

    assert not problems({"next": {"next": {}}}, tree)
    assert problems({"next": {"other": 1}}, tree)
    assert "nested too deeply" in problems(deep, tree)[0]["problem"]


@pytest.mark.parametrize(
    ("schema", "field", "words"),
    [
        ("object", "schema", "must be an object"),
        ({"type": "text"}, "schema.type", "must be of object"),
        ({"type": ["string", None]}, "schema.type", "(got None)"),
        ({"type": {"a": 1}}, "schema.type", "must be of object"),
        ({"properties": []}, "schema.properties", "must be an object"),
        ({"properties": {"a": 3}}, "schema.properties.a", "must be an object"),
        ({"required": [1]}, "schema.required", "a list of names"),
        ({"items": {"pattern": "("}}, "schema.items.pattern", "no regular expression"),
        ({"$ref": "#/$defs/a"}, "schema.$ref", "leads nowhere"),
        ({"$ref": "other.json#/a"}, "schema.$ref", "leads nowhere"),
        ({"$ref": "#"}, "schema.$ref", "leads to itself"),
        (
            {"anyOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"$ref": "#/$defs/a"}}},
            "schema.$defs.a.$ref",
            "leads to itself",
        ),
        ({"minimum": "1"}, "schema.minimum", "must be a number"),
    ],
)
def test_a_schema_that_is_none_is_refused_by_name(schema, field, words):
    with pytest.raises(TogetherError) as caught:
        check_schema(schema, "schema")

    assert field == caught.value.problems[0]["field"]
    assert words in caught.value.problems[0]["problem"]


def test_references_that_lead_there_in_a_million_ways_are_followed_once():
    definitions = {
        f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)
    }
    definitions["d40"] = {"type": "string"}
    for word in ("anyOf", "allOf", "oneOf"):
        for n in range(40):
            (parts,) = definitions[f"d{n}"].values()
            definitions[f"d{n}"] = {word: parts}
        schema = {"$defs": definitions, "$ref": "#/$defs/d0"}

        check_schema(schema, "schema")
        assert 0 < len(problems(1, schema)) <= 40


def test_twice_the_same_is_found_among_many():
    schema = {"uniqueItems": True}
    values = [*range(50_000), "0", True, {"a": [1, {}]}, [1], None]

    assert problems(values, schema) == []
    assert problems([*values, 7.0], schema)[0]["field"] == f"answer[{len(values)}]"
    assert problems([*values, {"a": [1.0, {}]}], schema)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "must match ^[A-Z]+$"),
        ({"description": "A country's sign"}, "must match ^[A-Z]+$; A country's sign"),
        ({"description": 5}, "must match ^[A-Z]+$"),
    ],
)
def test_a_pattern_that_a_user_gives_is_told_beside_what_describes_it(more, words):
    schema = {"type": "string", "pattern": "^[A-Z]+$", **more}

    (found,) = problems("de", schema)

    assert found["problem"] == f'cannot be "de": {words}'


def test_a_pattern_that_takes_for_ever_is_matched_all_the_same():
    schema = {"pattern": "^(a+)+$", "patternProperties": {"^(a|a)*$": True}}

    check_schema(schema, "schema")
    assert problems("a" * 40, schema) == []
    assert "must match" in problems("a" * 40 + "!", schema)[0]["problem"]
    assert problems({"a" * 40 + "!": 1}, schema) == []
    assert "at most" in problems("a" * 9_000_000, schema)[0]["problem"]
    with pytest.raises(TogetherError, match="looks around or back"):
        check_schema({"pattern": "(a)\\1+"}, "schema")
