"""Every form in Windmill's own component, in a browser. Needs Node and Chromium."""

import json

import pytest

from scripts.catalog.model_picker import ANY
from scripts.client.form import OTHER
from tests.conftest import KEY
from tests.support.form_actions import (
    label,
    revealing,
    row_required,
    row_widget,
    steps,
    widget,
)
from tests.support.form_assertions import check_run, check_sent, check_untouched
from tests.support.form_values import filled, sent
from tools.flows.pack_flows import flows
from tools.operations import find, scripts
from tools.pages.browser import RESOURCE, Browser, FormError, functions
from tools.schemas.form import form

SCRIPTS = list(scripts())
FLOWS = list(flows())
EVERY = pytest.mark.parametrize("script", [*SCRIPTS, *FLOWS], ids=lambda s: s.id)
BY_ID = pytest.mark.parametrize("script", SCRIPTS, ids=lambda s: s.id)
CASES = [
    pytest.param(script, number, id=f"{script.id}-{number}")
    for script in SCRIPTS
    for number in range(len(script.schema["examples"]))
]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser(_server):
    with Browser({"api_key": KEY, "base_url": _server.url}) as started:
        yield started


# --- what is to be seen -----------------------------------------------------------


class Visit:
    """Looks at every field of a form, opening what has to be opened to see it."""

    def __init__(self, browser, script):
        self.browser = browser
        self.script = script
        self.editors = []
        self.choosing = None  # the name of the group of buttons that this is in

    def look(self, path, fields, required):
        """Compare the form at a path with its schema, and everything inside it."""
        hidden = []
        seen = self.seen(path)
        for name in fields:
            if label(name, fields[name]) in seen:
                self.see(path, seen, name, fields, required)
            else:
                hidden.append(name)
        for name in hidden:
            self.reveal(path, fields, required, name)
            self.see(path, self.seen(path), name, fields, required)

    def seen(self, path):
        return {field["label"]: field for field in self.browser.fields(path)}

    def reveal(self, path, fields, required, name):
        """Give its siblings the values that a field waits for."""
        for other, value in revealing(fields, required, name).items():
            told = label(other, fields[other])
            if isinstance(value, dict):
                value = value["label"]
            value = fields[other].get("enumLabels", {OTHER: ANY}).get(value, value)
            if told in self.seen(path) and not isinstance(value, list):
                self.browser.fill(([*path, told], value))

    def see(self, path, seen, name, fields, required):
        """Compare one field that is to be seen."""
        field = fields[name]
        path = [*path, label(name, field)]
        where = f"{self.script.id}: {' > '.join(map(str, path))}"
        assert path[-1] in seen, f"{where} is not there, but: {', '.join(seen)}"
        found = seen[path[-1]]
        assert widget(field) == found["widget"], where
        assert (name in required) is found["required"], where
        assert " ".join(field.get("description", "").split()) == found["help"], where
        if "minRows" in field:
            assert field["minRows"] == found["lines"], where
        if "placeholder" in field:
            assert field["placeholder"] == found["hint"], where
        if found["widget"] == "editor":
            self.editors.append(({name, self.choosing}, path))
        if found["widget"] == "group":
            self.look(path, field["properties"], field.get("required", []))
        if found["widget"] == "choice":
            self.choices(path, name, field, found)
        if found["widget"] == "list":
            self.row(path, name, field["items"])

    def choices(self, path, name, field, found):
        """Press each button of a group and look at what is behind it."""
        outer, self.choosing = self.choosing, name
        assert [variant["title"] for variant in field["oneOf"]] == found["choices"]
        for variant in field["oneOf"]:
            members = {**variant["properties"]}
            members.pop("label")
            self.browser.fill((path, variant["title"]))
            if members:
                self.look(path, members, variant["required"])
        self.choosing = outer

    def row(self, path, name, items):
        """Add a row to a list and look at it."""
        self.browser.fill((path, None))
        rows = self.seen(path[:-1])[path[-1]]["rows"]
        last = [*path, len(rows) - 1]
        assert row_widget(items) == rows[-1]["widget"], (self.script.id, path)
        if rows[-1]["widget"] == "editor":
            self.editors.append(({name, self.choosing}, last))
        if rows[-1]["widget"] == "group":
            self.look(last, items["properties"], row_required(items))


@EVERY
def test_every_field_is_there_as_the_form_s_schema_says(script, browser):
    schema = form(script)
    shown = browser.show(script)
    visit = Visit(browser, script)

    visit.look([], schema["properties"], schema["required"])

    left = browser.fill()
    assert [] == [*shown["errors"], *left["errors"], *left["workspace"]["refused"]]
    for names, path in visit.editors:
        anything = any(free(name, script.schema) for name in names)
        assert anything, f"{script.id}: {path} could be a form"


def free(name, schema):
    """Whether a member of that name may hold anything, so that JSON has to be typed."""
    if isinstance(schema, list):
        return any(free(name, part) for part in schema)
    if not isinstance(schema, dict):
        return False
    if is_anything(schema.get("properties", {}).get(name, {"enum": []})):
        return True
    return any(free(name, part) for part in schema.values())


def is_anything(member):
    """Whether a schema allows objects of any members, or a file of any rows."""
    if not isinstance(member, dict) or member.keys() & {"properties", "enum"}:
        return False
    if "anyOf" in member:
        return any(map(is_anything, member["anyOf"]))
    if member.get("type") == "array":
        return is_anything(member.get("items", {}))
    is_file = "x-file" in member or member.get("format") == "binary"
    return is_file or member.get("type", "object") == "object"


# --- what is sent -----------------------------------------------------------------


@BY_ID
def test_an_untouched_form_sends_what_the_emulation_says_and_asks_for_the_rest(
    script, browser, sandbox, workspace, auth
):
    schema = form(script)

    sent = browser.show(script)["args"]

    expected = filled(schema["properties"], schema["required"], {})
    assert {"auth": RESOURCE, **expected} == sent
    check_untouched(script, schema, expected, sandbox, workspace, auth)


@pytest.mark.parametrize(("script", "number"), CASES)
def test_what_is_filled_in_is_what_arrives(
    script, number, browser, sandbox, workspace, auth
):
    """Every field of each example through its widget, up to the service."""
    example = script.schema["examples"][number]
    example = {**example, **offered(script, example, auth)}
    given = fill_in(browser, script, example)

    check_sent(script, example, given)
    check_run(script, example, given, sandbox, workspace, auth)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.id)
def test_a_flow_s_form_sends_what_the_emulation_says(flow, browser, auth):
    """By which tests/test_flows.py runs the flow."""
    untouched = browser.show(flow)["args"]
    assert {"auth": RESOURCE, **sent(flow, {})} == untouched

    for example in flow.schema["examples"]:
        fill_in(browser, flow, {**example, **offered(flow, example, auth)})


def fill_in(browser, script, example):
    """Fill in a form through its widgets; return what it sends, save auth, which is
    what the emulation says."""
    schema = form(script)
    expected = sent(script, example)
    browser.show(script)

    left = browser.fill(*steps(schema["properties"], schema["required"], expected))

    given = left["args"]
    assert RESOURCE == given.pop("auth")
    for path, value in left["workspace"]["secrets"].items():
        given = json.loads(json.dumps(given).replace(f"$var:{path}", value))
    assert as_typed(expected) == as_typed(given)
    return given


def as_typed(value):
    """Without what the editor of JSON Schemas adds to one: the order of the properties,
    and what a property that it showed holds at first."""
    if isinstance(value, list):
        return [as_typed(item) for item in value]
    if not isinstance(value, dict):
        return value
    members = {name: as_typed(found) for name, found in value.items()}
    if isinstance(members.get("properties"), dict):
        members.pop("order", None)
        for member in members["properties"].values():
            for name in ("description", "default"):
                if not member.get(name, True):
                    del member[name]
    return members


def offered(script, example, auth):
    """The first models that its pickers offer, which know no others."""
    found = {}
    for name in example:
        member = script.arguments[name]
        if script.step is not None and "x-models" in member:
            first = functions(script)[name](auth=auth)[0]["value"]
            found[name] = [first] if member.get("type") == "array" else first
    return found


def test_an_id_that_no_list_has_stays_when_another_field_changes(browser):
    """Windmill asks for the choices anew then, and forgets one that is not there."""
    browser.show(find("chat/ask_model"))
    browser.fill((["Model"], ANY), (["Model (id)"], "me/own-model"))

    browser.fill((["Prompt"], "Who are you?"))
    while browser.asked.get(timeout=60).get("prompt") != "Who are you?":
        pass

    left = browser.fill()["args"]
    chosen = {name: left[name] for name in ("model", "other_model", "prompt")}
    assert chosen == {
        "model": OTHER,
        "other_model": "me/own-model",
        "prompt": "Who are you?",
    }


def test_an_id_that_only_the_list_was_given_is_forgotten(browser):
    """So the list offers none: this would tell if Windmill learned to keep it."""
    browser.show(find("chat/ask_model"))
    with pytest.raises(FormError, match="no list offers"):
        browser.fill((["Model"], "me/own-model"))


def test_a_slider_without_a_default_crashes_the_form(browser):
    """So the test above would catch one: Windmill's component shows nothing at all."""
    fields = {"n": {"type": "number", "min": 0, "max": 2}, "x": {"type": "string"}}
    broken = {"type": "object", "properties": fields, "required": []}
    page = {"title": "Broken", "path": "f/x/broken", "schema": broken}

    with pytest.raises(FormError, match="props_invalid_value"):
        browser.show(page)

    del fields["n"]["max"]
    assert len(browser.show(page)["fields"]) == 2
