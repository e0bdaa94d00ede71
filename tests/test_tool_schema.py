"""As tools of a model, all scripts and flows have schemas that are JSON Schema."""

import pytest

from tools.flows.pack_flows import flows
from tools.operations import scripts
from tools.schemas.form import form
from tools.tree import tool_schema

FORMS = {one.id: form(one) for one in scripts()}
FORMS |= {f"flows/{flow.name}": form(flow) for flow in flows()}


@pytest.mark.parametrize("name", FORMS)
def test_a_tool_of_the_pack_is_valid(name):
    assert list(tool_schema.faults(FORMS[name])) == []
    assert tool_schema.tool_schema(FORMS[name])["properties"].keys() == (
        FORMS[name]["properties"].keys()
    )


def listed(**member):
    schema = {"type": "object", "properties": {"a": member}, "required": []}
    return tool_schema.tool_schema(schema)["properties"]["a"]


@pytest.mark.parametrize(
    ("stored", "seen"),
    [
        ({"type": "integer"}, {"type": "number"}),
        ({"type": ["integer", "null"]}, {"type": ["number", "null"]}),
        ({"type": "string", "default": None}, {"type": "string"}),
        ({"type": ["null"], "default": None}, {"type": ["null"], "default": None}),
        ({"type": "string", "enum": None}, {"type": "string"}),
        ({"type": "string", "originalType": "bytes"}, {"type": "string"}),
        ({"type": "resource", "resourceType": "x"}, {"type": "string"}),
        ({"type": "object", "format": "resource-x"}, {"type": "object"}),
        ({"type": "object", "format": "dynselect-a"}, None),
        ({"title": "A"}, {"title": "A", "type": "object"}),
        (
            {"type": "string", "properties": {"b": {"type": "integer"}}},
            {"type": "object", "properties": {"b": {"type": "number"}}},
        ),
        (
            {"type": "array", "items": {"type": "integer"}},
            {"type": "array", "items": {"type": "number"}},
        ),
        (
            {"type": "object", "oneOf": [{"type": "integer"}]},
            {"type": "object", "oneOf": [{"type": "number"}]},
        ),
    ],
)
def test_the_server_s_changes_are_made(stored, seen):
    assert listed(**stored) == (stored if seen is None else seen)


def test_a_schema_that_lacks_a_word_counts_as_empty():
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}

    assert tool_schema.tool_schema(schema)["properties"] == {}
    [fault] = tool_schema.faults(schema)
    assert "required is missing" in fault


def test_a_schema_that_is_none_is_refused_and_its_place_named():
    row = {"type": "object", "properties": {"b": {"type": "string", "required": True}}}
    rows = {"a": {"type": "array", "items": row}}
    schema = {"type": "object", "properties": rows, "required": []}

    [fault] = tool_schema.faults(schema)

    assert "properties.a.items.properties.b.required" in fault
