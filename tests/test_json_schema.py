"""The checker that runs on workers, against the one that everybody trusts."""

import jsonschema
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scripts.client import TogetherError
from scripts.json_schema.checker import (
    check_possible,
    check_schema,
    check_vocabulary,
    problems,
)

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
REFS = st.sampled_from(
    ["#/$defs/a", "#/$defs/c~1d", "#/$defs/c%7E1d", "#/%24defs/b/items"]
)


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
            "if": inner,
            "then": inner,
            "else": inner,
            "dependentRequired": st.dictionaries(
                NAMES, st.lists(NAMES, max_size=2, unique=True), max_size=2
            ),
            "dependentSchemas": named,
            "contains": inner,
            "minContains": SIZES,
            "maxContains": SIZES,
            "propertyNames": inner,
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
        (
            {"paid": True},
            {
                "if": {"properties": {"paid": {"const": True}}},
                "then": {"required": ["when"]},
            },
            "answer.when",
            "is required",
        ),
        (5, {"if": {"type": "string"}, "else": {"minimum": 6}}, "answer", "at least 6"),
        (
            {"a": 1},
            {"dependentRequired": {"a": ["b"], "c": ["d"]}},
            "answer.b",
            "is required where a is given",
        ),
        (
            {"a": 1},
            {"dependentSchemas": {"a": {"required": ["b"]}, "c": False}},
            "answer.b",
            "is required",
        ),
        ([1], {"contains": {"const": 2}}, "answer", "needs an entry that fits"),
        (
            [2],
            {"contains": {"const": 2}, "minContains": 2},
            "answer",
            "needs 2 entries that fit contains (got 1)",
        ),
        (
            [2, 2],
            {"contains": {"const": 2}, "maxContains": 1},
            "answer",
            "takes at most 1 entries that fit contains (got 2)",
        ),
        (
            {"b": 1},
            {"propertyNames": {"enum": ["a"]}},
            "answer",
            'has the name "b", which must be one of "a" (got "b")',
        ),
        ("x", {"anyOf": [{"type": ["null"]}]}, "answer", "must be null"),
        ("x", {"anyOf": [{"type": "null", "title": 5}]}, "answer", "must be 5"),
    ],
)
def test_a_problem_names_the_place_and_what_is_wanted(value, schema, field, words):
    found = problems(value, schema)

    assert field == found[0]["field"]
    assert words in found[0]["problem"]


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        ([2], {"contains": {"const": 2}}),
        ([2, 2], {"contains": {"const": 2}, "minContains": 2, "maxContains": 2}),
        ([1], {"contains": {"const": 2}, "minContains": 0}),
        ({"b": 1}, {"dependentRequired": {"a": ["c"]}}),
        ("word", {"propertyNames": {"maxLength": 0}}),
        (["word"], {"propertyNames": {"maxLength": 0}}),
        ({"b": 1}, {"dependentSchemas": {"a": False}}),
        (5, {"if": {"type": "string"}, "then": False}),
    ],
)
def test_what_just_fits_is_no_problem(value, schema):
    assert problems(value, schema) == []


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
        ({"type": []}, "schema.type", "must be of object"),
        ({"title": "x", "$ref": "#/title/y"}, "schema.$ref", "leads nowhere"),
        ({"minimum": 3, "$ref": "#/minimum/y"}, "schema.$ref", "leads nowhere"),
        ({"enum": [{}], "$ref": "#/enum/-1"}, "schema.$ref", "leads nowhere"),
        ({"x": {"type": "text"}, "$ref": "#/x"}, "schema.$ref.type", "must be of"),
        (
            {"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": 5}}},
            "schema.$defs.a.anyOf",
            "",
        ),
        ({"then": 5}, "schema.then", "must be an object"),
        ({"contains": {"type": "text"}}, "schema.contains.type", "must be of object"),
        ({"dependentSchemas": {"a": 5}}, "schema.dependentSchemas.a", "an object"),
        (
            {"dependentRequired": {"a": "b"}},
            "schema.dependentRequired.a",
            "a list of names",
        ),
        ({"if": {"$ref": "#"}}, "schema.if.$ref", "leads to itself"),
        (
            {"dependentSchemas": {"a": {"$ref": "#"}}},
            "schema.dependentSchemas.a.$ref",
            "leads to itself",
        ),
    ],
)
def test_a_schema_that_is_none_is_refused_by_name(schema, field, words):
    with pytest.raises(TogetherError) as caught:
        check_schema(schema, "schema")

    assert field == caught.value.problems[0]["field"]
    assert words in caught.value.problems[0]["problem"]


@pytest.mark.parametrize(
    ("schema", "field", "words"),
    [
        (
            {"unevaluatedProperties": False},
            "schema.unevaluatedProperties",
            "one object",
        ),
        (
            {"properties": {"a": {"unevaluatedItems": {"type": "string"}}}},
            "schema.properties.a.unevaluatedItems",
            "prefixItems",
        ),
        ({"then": {"$dynamicRef": "#a"}}, "schema.then.$dynamicRef", "write $ref"),
        ({"$recursiveRef": "#"}, "schema.$recursiveRef", "write $ref"),
        ({"dependencies": {"a": ["b"]}}, "schema.dependencies", "dependentRequired"),
        (
            {"prefixItems": [True], "additionalItems": False},
            "schema.additionalItems",
            "write items",
        ),
        (
            {"$ref": "#/x", "x": {"unevaluatedItems": False}},
            "schema.$ref.unevaluatedItems",
            "prefixItems",
        ),
    ],
)
def test_a_word_that_is_not_checked_is_refused_by_name(schema, field, words):
    check_schema(schema, "schema")
    with pytest.raises(TogetherError) as caught:
        check_vocabulary(schema, "schema")

    assert field == caught.value.problems[0]["field"]
    assert words in caught.value.problems[0]["problem"]


def test_what_such_a_word_allows_anyway_is_no_fault():
    tree = {"properties": {"next": {"$ref": "#"}}, "unevaluatedProperties": True}
    for schema in (tree, {"additionalItems": False}, {"dependencies": {}}, True):
        check_vocabulary(schema, "schema")

    assert problems({"next": {"next": 1}}, tree) == []


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        ({"type": "string", "const": 5}, "schema.const"),
        ({"enum": [1, 2], "const": 3}, "schema.const"),
        ({"exclusiveMinimum": 1, "maximum": 1}, "schema.exclusiveMinimum"),
        ({"minimum": 1, "exclusiveMaximum": 1}, "schema.minimum"),
        (
            {"exclusiveMinimum": 1, "exclusiveMaximum": 1},
            "schema.exclusiveMinimum",
        ),
        ({"contains": True, "minContains": 2, "maxContains": 1}, "schema.minContains"),
        ({"items": {"type": "null", "const": 0}}, "schema.items.const"),
    ],
)
def test_what_no_value_can_fit_is_refused_by_name(schema, field):
    check_schema(schema, "schema")
    with pytest.raises(TogetherError) as caught:
        check_possible(schema, "schema")

    assert field == caught.value.problems[0]["field"]


@pytest.mark.parametrize(
    "schema",
    [
        {"if": {"enum": []}, "then": {"enum": []}, "else": {"type": "string"}},
        {"propertyNames": {"type": "integer"}, "not": {"enum": []}},
        {"dependentSchemas": {"a": {"enum": []}}, "const": 1.0, "enum": [1]},
        {"type": ["string", "null"], "const": None},
    ],
)
def test_what_need_not_fit_may_be_impossible(schema):
    check_possible(schema, "schema")

    assert usable(schema)


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
    (long,) = problems({"a" * 9_000_000: 1}, schema)
    assert "has a name that can be matched against at most" in long["problem"]
    with pytest.raises(TogetherError, match="looks around or back"):
        check_schema({"pattern": "(a)\\1+"}, "schema")


@pytest.mark.parametrize("pattern", ["^[A-Z]{2}$", "^([A-Z]+)+$"])
def test_the_end_of_a_pattern_is_the_very_end(pattern):
    schema = {"pattern": pattern, "patternProperties": {pattern: False}}

    check_schema(schema, "schema")
    assert problems("DE", schema) == []
    assert problems("DE\n", schema)
    assert problems({"DE\n": 1}, schema) == []


def test_what_is_compared_whole_and_nested_too_deeply_is_told():
    deep = []
    for _ in range(3000):
        deep = [deep]

    (found,) = problems([deep, deep], {"uniqueItems": True})
    assert found["problem"] == "is nested too deeply"


def test_of_many_choices_the_first_twenty_are_told():
    (few,) = problems("x", {"enum": list(range(20))})
    (many,) = problems("x", {"enum": list(range(3000))})

    assert few["problem"].endswith('18, 19 (got "x")')
    assert many["problem"].endswith('18, 19 and 2980 more (got "x")')
