"""Steps call operations by their names, and what is deployed holds the tables."""

import ast
import re

import pytest

from scripts.job_states import STATES, states
from scripts.operations import operation
from scripts.step_defaults import step_defaults
from tools.checks.checks import NOT_DESCRIBED, problems
from tools.operations import ROOT, find, operations, steps
from tools.tree.flatten import (
    RESOLVED,
    FlattenError,
    module_names,
    module_text,
    sources,
)

ASKED = {
    (path, node.lineno): ast.literal_eval(node.args[0])
    for path in sources(ROOT)
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.Call)
    and isinstance(node.func, ast.Name)
    and node.func.id == "operation"
}


def test_many_operations_are_asked_for_by_name():
    assert len(ASKED) > 50
    for name in ASKED.values():
        assert find(name).id == name


@pytest.mark.parametrize("name", sorted(set(ASKED.values())))
def test_a_table_says_of_an_exchange_what_its_schema_says(name):
    said, table = find(name).exchange, operation(name)

    for word in said.keys() - {"docs", "sdk"}:
        assert said[word] == table[word]
    members = table["arguments"]["properties"]
    assert set(re.findall(r"{(\w+)}", said["path"])) == {
        name for name, member in members.items() if member.get("x-in") == "path"
    }
    schema = find(name).schema["properties"]
    for place in ("query", "header"):
        own = {n for n, m in schema.items() if m.get("x-in") == place}
        known = {n for n, m in members.items() if m.get("x-in") == place}
        assert place == "header" or own == known
    assert ("body" in schema) == ("body" in members)


def test_what_is_deployed_asks_for_nothing_by_name():
    texts = {name: module_text(ROOT, name) for name in module_names(ROOT)}

    assert not RESOLVED.keys() & texts.keys()
    for text in texts.values():
        for module, function in RESOLVED.items():
            assert not re.search(rf"(?<![.\w]){function}\(", text)
            assert f"{module} import" not in text
    assert re.search(
        r"^DOWN = \('STOPPING', 'STOPPED', 'FAILED'\)$", texts["deployment_steps"], re.M
    )
    looks = [o.exchange for o in operations() if o.exchange["method"] == "GET"]
    paths = [said["path"] for said in looks if "/operations/" in said["path"]]
    assert paths
    assert all(f"'{path}'" in texts["service_jobs"] for path in paths)


def test_a_deployed_table_is_the_one_of_the_source():
    space: dict = {}
    tree = ast.parse(module_text(ROOT, "trigger_steps"))
    tables = [n for n in tree.body if isinstance(n, ast.Assign)]
    for node in tables:
        if ast.unparse(node.targets[0]) == "ANALYTICS":
            space["found"] = ast.literal_eval(node.value)

    assert operation("endpoints/get_project_endpoint_analytics") == space["found"]


@pytest.mark.parametrize("kind", STATES)
def test_every_state_of_a_kind_is_named_once(kind):
    found = states(kind, "every")

    assert set(found) == {state for ends in STATES[kind].values() for state in ends}
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ('operation("batches/get_batches")', "there is no such schema"),
        ("operation(NAME)", "malformed"),
        ('states("bach")', "bach"),
        ('states("batch", "over")', "over"),
        ('operation("batches/get_batch", without=MORE)', "malformed"),
        ("operation()", "not enough values"),
        ('step_defaults("images/create_pictures")', "there is no such schema"),
        ('step_defaults("batches/get_batch")', "is no step"),
    ],
)
def test_an_operation_that_cannot_be_resolved_is_named(tmp_path, call, words):
    (tmp_path / "scripts").mkdir()
    text = "from .job_states import states\nfrom .operations import operation\n"
    text += "from .step_defaults import step_defaults\n"
    text += f"NAME = MORE = ()\nX = {call}\n"
    (tmp_path / "scripts" / "steps.py").write_text(text)

    with pytest.raises(FlattenError, match=words) as caught:
        module_text(tmp_path, "steps")

    assert (caught.value.file, caught.value.line) == ("steps", 5)


def test_what_is_deployed_holds_the_defaults_of_steps(tmp_path):
    (tmp_path / "scripts").mkdir()
    text = "from .step_defaults import step_defaults\n\nX = step_defaults({!r})\n"
    for step in steps():
        (tmp_path / "scripts" / "here.py").write_text(text.format(step.id))
        members = step.schema["properties"].items()
        wanted = {n: one["default"] for n, one in members if "default" in one}
        found = {}
        exec(module_text(tmp_path, "here"), found)
        assert found["X"] == step_defaults(step.id) == wanted


def test_a_path_of_the_api_in_a_step_is_a_problem(one_step):
    steps = one_step / "scripts/batch_files/batch_steps.py"
    steps.write_text(f'{steps.read_text()}\nHERE = "/v1/batches"\n')

    found = [str(problem) for problem in problems(one_step)]

    assert any("/v1/batches is a path of the API" in text for text in found)


def test_a_table_with_a_path_of_its_own_is_a_problem(one_step):
    steps = one_step / "scripts/batch_files/batch_steps.py"
    made = [
        f'operation_at("GET", "{path}", "read")' for path in ("/new", *NOT_DESCRIBED)
    ]
    made.append('operation_at("GET", path="/newer", retry="read")')
    steps.write_text("\n".join([steps.read_text(), *made, ""]))

    found = [str(problem) for problem in problems(one_step)]

    assert [text for text in found if "/new is a path of the API" in text]
    assert [text for text in found if "/newer is a path of the API" in text]
    assert sum("is a path of the API" in text for text in found) == 2


def test_what_no_schema_describes_is_called_by_one_module():
    texts = [path.read_text() for path in sources(ROOT)]

    assert {path: sum(path in text for text in texts) for path in NOT_DESCRIBED} == (
        dict.fromkeys(NOT_DESCRIBED, 1)
    )


V1_HARDWARE = ("/v1/endpoints", "/v1/hardware", "/v1/clusters/availability-zones")
CLOSED = [o for o in operations() if o.exchange["path"].startswith(V1_HARDWARE)]


@pytest.mark.parametrize("name", [o.id for o in CLOSED])
def test_an_operation_of_version_1_endpoints_says_what_takes_its_place(name):
    schema = find(name).schema
    title, told = schema["title"], f"{schema['title']} {schema['description']}"
    assert title.endswith(("(closed: use Deploy model)", "(ends with 2026)"))

    named = [find(step) for step in re.findall(r"[a-z_]+/[a-z_]+", told)]
    assert named
    for step in named:
        path = "/v2/" if step.step else step.exchange["path"]
        assert path.startswith("/v2/")


def test_nothing_that_is_made_here_creates_or_starts_an_endpoint_of_version_1():
    created = find("endpoints/create_endpoint").id
    assert created not in ASKED.values()
    for path in [*(ROOT / "flows").rglob("*.yaml"), *(ROOT / "schedules").iterdir()]:
        assert created not in path.read_text()
    examples = find("endpoints/update_endpoint").schema["examples"]
    assert all(e["body"].get("state") != "STARTED" for e in examples)
