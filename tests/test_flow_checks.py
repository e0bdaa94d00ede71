"""Each check of flows and schedules trips; expressions mean what Windmill's do."""

import copy
import itertools
import json
import re
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.nested_places import places
from tools.checks.checks import problems
from tools.checks.flow_checks import flow_problems
from tools.flows.expressions import ExpressionError, evaluate, problem
from tools.flows.flow_source import all_written, expanded
from tools.flows.pack_flows import (
    defaults,
    files,
    flows,
    modules,
    rendered,
    schedules,
    taken,
    timetable,
)
from tools.operations import ROOT
from tools.pages.browser import functions
from tools.pages.flow_docs import page, pages
from tools.pages.recipes import recipes
from tools.yaml_text import load

FLOW = "collect_finished_batches"


@pytest.fixture
def pack(tmp_path):
    """The pack's schemas and scripts, with flows and schedules to change."""
    for name in ("schemas", "scripts", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name in ("flows", "schedules"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def alone(pack, name):
    """The file of a flow, with which the pack keeps its schedules, and of the other
    flows what it runs and run_batch: each check then reads these few."""
    (path,) = (pack / "flows").rglob(f"{name}.yaml")
    waiting, kept = [path, pack / "flows" / "run_batch.yaml"], set()
    while waiting:
        kept.add(flow := waiting.pop())
        for called in re.findall(r"path: (flows|inner)/(\w+)", flow.read_text()):
            folder = "" if called[0] == "flows" else called[0]
            waiting += {pack / "flows" / folder / f"{called[1]}.yaml"} - kept
    for other in {*(pack / "flows").rglob("*.yaml")} - kept:
        other.unlink()
    for schedule in (pack / "schedules").iterdir():
        if not schedule.stem.startswith(name):
            schedule.unlink()
    return path


def found(pack):
    return [what for _, what in flow_problems(pack)]


BREAKS = {
    "no such step": ("path: batches/collect_rows", "path: batches/none", "there is no"),
    "a step with a typo": (
        "path: batches/collect_rows",
        "path: f/togetherai/batches/colect_rows",
        "did you mean batches/collect_rows?",
    ),
    "a step without its group": (
        "path: batches/collect_rows",
        "path: collect_rows",
        "write batches/collect_rows",
    ),
    "no modules": ("  modules:\n", "  module:\n", "value: modules is missing"),
    "no path": ("path: batches/collect_rows", "paths: x", "path is missing"),
    "a condition that is text": (
        '{expr: "!result || result.length === 0", skip_if_stopped: true}',
        "result",
        "stop_after_if: must be an object (got text)",
    ),
    "a retry by number": ("retry: crash_thrice", "retry: 3", "retry: must be text or"),
    "names that are a list": (
        "            with:\n              news: results.news\n",
        "            with:\n            - results.news\n            withs:\n",
        "with: must be an object (got a list)",
    ),
    "a model that is none": (
        "- {states",
        "- {states: [<model:no>]}\n    - {s",
        "yaml: <",
    ),
    "an argument without a type": (
        "    states: {title",
        "    more: {title: T, description: D.}\n    states: {title",
        "arguments.properties.more has no type",
    ),
    "a word that there is not": (
        'description: "Which ends',
        'minLenght: 1, description: "Which ends',
        "there is no word minLenght; did you mean minLength?",
    ),
    "required that is not there": (
        "  examples:\n",
        "  required: [stats]\n  examples:\n",
        "arguments.required: there is no argument stats",
    ),
    "an example of no argument": (
        "- {states: [COMPLETED]}",
        "- {stats: [COMPLETED]}",
        "stats is no argument; did you mean states?",
    ),
    "a flow as a script": (
        "path: batches/collect_rows",
        "path: flows/run_batch",
        "not of type",
    ),
    "no such argument": ("batch_id: {type: java", "id: {type: java", "takes no id"),
    "a missing argument": (
        "                batch_id: {type: javascript, expr: flow_input.iter"
        ".value.batch_id}\n",
        "",
        "needs batch_id",
    ),
    "a static value of a wrong kind": (
        "output: {type: static, value: storage}",
        "output: {type: static, value: nowhere}",
        '(got "nowhere")',
    ),
    "a transform that is none": (
        "output: {type: static, value: storage}",
        "output: storage",
        "must be {type: static, value: ...} or {type: javascript, expr: ...}",
    ),
    "a later step's result": ("expr: results.news}", "expr: results.table}", "no step"),
    "an unknown input": (
        "flow_input.iter.value.batch_id",
        "flow_input.batch",
        "no argument batch",
    ),
    "an item outside a loop": ("expr: results.news}", "expr: flow_input.iter}", "iter"),
    "an expression that does not parse": (
        "flow_input.iter.value.batch_id",
        "flow_input.iter..value",
        "SyntaxError",
    ),
    "results where there are none": (
        "!result || result.length === 0",
        "results.news.length === 0",
        "there is no results here",
    ),
    "results that are spread where there are none": (
        "!result || result.length === 0",
        "[...results.news].length === 0",
        "there is no results here",
    ),
    "an id twice": ("- id: table", "- id: each", "twice"),
    "no summary": ("      summary: List them\n", "", "no summary"),
    "an unknown member": (
        "retry: crash_thrice",
        "retries: crash_thrice",
        "retries is unknown",
    ),
    "an unknown retry": ("retry: crash_thrice", "retry: often", "no retry often"),
    "an unknown function": (
        "type: javascript\n            with:\n              news: results.news",
        "type: javascript\n            use: nothing\n            of: results.news\n"
        "            with:\n              news: results.news",
        "no function nothing",
    ),
    "a long expression": (
        "got: results.each\n",
        f"got: results.each ?? '{'x' * 160}'\n",
        "an expression is longer than 160",
    ),
    "an unknown kind of step": ("type: forloopflow", "type: loop", "no kind of step"),
    "a handler of another name": (
        "value:\n  modules:",
        "value:\n  failure_module: {id: failed}\n  modules:",
        "must be failure",
    ),
    "an argument without a description": (
        'description: "Which ends',
        'descriptions: "Which ends',
        "arguments.properties.states has no description",
    ),
    "an example of a wrong type": (
        "- {states: [COMPLETED]}",
        "- {states: 1}",
        "examples[1]",
    ),
    "one example": ("    - {states: [COMPLETED]}\n", "", "two examples"),
    "no costs": ("costs: Nothing", "cost: Nothing", "costs is missing"),
    "no word of what comes back": ("returns: ", "# ", "returns is missing"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_flow_is_a_problem(name, pack):
    old, new, message = BREAKS[name]
    place = alone(pack, FLOW)
    text = place.read_text()
    assert old in text
    place.write_text(text.replace(old, new))

    assert any(message in problem for problem in found(pack)), found(pack)


OTHERS = {
    "a refusal that nobody handles": (
        "serve_model",
        ", continue_on_disapprove_timeout: true",
        "",
        "a refusal is not handled",
    ),
    "a member of a result that is misspelt": (
        "write_meeting_notes",
        "results.listen.text",
        "results.listen.txet",
        "listen returns no txet; did you mean text?",
    ),
    "an answer read too late": (
        "serve_model",
        "message: {type: static, value: The model was compared.}",
        "message: {type: javascript, expr: resume.comment}",
        "there is no resume here",
    ),
    "a default that only the form knows": (
        "draw_rows",
        "flow_input.most ?? 100",
        "flow_input.most",
        "without the form there is no 100",
    ),
    "a file that the form takes in fewer ways": (
        "run_batch",
        ", x-form: {give: [file, storage, rows, text, url]}",
        "",
        "takes a file in other ways",
    ),
    "a handler in an inner flow": (
        "inner/guard_job",
        "value:\n  modules:",
        "value:\n  failure_module: {id: failure, summary: x, value: {type: identity}}\n"
        "  modules:",
        "inner flow has no failure_module",
    ),
    "a result inside a function": (
        "stop_idle_endpoints",
        "got.filter((one) => one.cancelled)",
        "got.filter((one) => results.idle)",
        "SyntaxError",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_trap_of_windmill_s_is_a_problem(name, pack):
    flow, old, new, message = OTHERS[name]
    place = alone(pack, flow.split("/")[-1])
    text = place.read_text()
    assert old in text
    place.write_text(text.replace(old, new))

    assert any(message in problem for problem in found(pack)), found(pack)


def test_whatever_stands_in_a_flow_is_answered_in_words(pack):
    """Each place is tried with one odd value, the next place with the next."""
    place = alone(pack, FLOW)
    for other in {*(pack / "flows").rglob("*.yaml")} - {place}:
        other.unlink()
    source = load(place.read_text())
    paths = list(places(source))
    assert len(paths) > 40
    odd = itertools.cycle((None, 5, "text", [], {}, [None]))
    for path, value in zip(paths[:: max(1, len(paths) // 50)], odd, strict=False):
        place.write_text(json.dumps(_with(source, path, value)))
        for what in found(pack):
            assert not re.search(r"Error|attribute|subscript|iterable", what), what


def _with(part, path, value):
    if not path:
        return value
    changed = copy.copy(part)
    changed[path[0]] = _with(part[path[0]], path[1:], value)
    return changed


TIMES = {
    "five fields": ("0 5 * * * *", "5 * * * *", "six fields"),
    "an unknown target": ("flows/collect_f", "flows/f", "there is no"),
    "an argument of a wrong type": (
        "timezone:",
        "args: {states: 1}\ntimezone:",
        "args",
    ),
    "an unknown argument": ("timezone:", "args: {x: 1}\ntimezone:", "x is no argument"),
    "no zone": ("timezone: UTC\n", "", "timezone is missing"),
}


@pytest.mark.parametrize("name", TIMES)
def test_a_broken_schedule_is_a_problem(name, pack):
    old, new, message = TIMES[name]
    alone(pack, FLOW)
    place = pack / "schedules" / f"{FLOW}_hourly.yaml"
    place.write_text(place.read_text().replace(old, new))

    assert any(message in problem for problem in found(pack)), found(pack)


def test_a_flow_that_is_no_yaml_is_a_problem(pack):
    (pack / "flows" / f"{FLOW}.yaml").write_text("summary: {")

    assert "is not YAML" in found(pack)[0]


UNREADABLE = {
    "no yaml": (b'summary: "x\n  a: [\n', "is not YAML: line 3, column 1: found"),
    "wrong indentation": (b"a: b\n c: d\n", "is not YAML: line 2, column 3: mapping"),
    "a sign of control": (b"a: \x00", "is not YAML: unacceptable character"),
    "a list": (b"- a\n", "is a list: names with values belong there"),
    "one word": (b"a\n", "is a single value: names with values belong there"),
    "nothing": (b"", "is empty: names with values belong there"),
    "a day": (b"summary: 2026-11-12\n", "a text such as 2026-01-31 wants quotes"),
    "no day": (b"summary: 2026-13-45\n", "a text such as 2026-01-31 wants quotes"),
    "itself": (b"a: &x [*x]\n", "Circular reference"),
    "another encoding": (b"a: \xff\n", "is not text in UTF-8"),
}


@pytest.mark.parametrize("file", [f"flows/{FLOW}", f"schedules/{FLOW}_hourly"])
@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_cannot_be_read_is_named_in_a_line(name, file, pack):
    content, message = UNREADABLE[name]
    alone(pack, FLOW)
    (pack / f"{file}.yaml").write_bytes(content)

    told = list(flow_problems(pack))

    (own,) = [what for path, what in told if path == pack / f"{file}.yaml"]
    assert own.startswith(f"cannot be read: {file.rpartition('/')[2]}.yaml")
    assert message in own
    assert "\n" not in own


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_recipe_that_cannot_be_read_is_named_in_a_line(name, pack):
    content, message = UNREADABLE[name]
    alone(pack, FLOW)
    shutil.copytree(ROOT / "recipes", pack / "recipes")
    other = pack / "recipes" / "ask_a_pdf.yaml"
    other.write_text(f"{other.read_text()}more: 1\n")
    (pack / "recipes" / "failover.yaml").write_bytes(content)

    told = list(flow_problems(pack))

    (own,) = [what for path, what in told if path.name == "failover.yaml"]
    assert own.startswith("cannot be read: failover.yaml")
    assert message in own
    assert "\n" not in own
    assert (other, "more is unknown") in told
    with pytest.raises(ValueError, match=r"failover\.yaml"):
        list(recipes(pack))


MISSHAPEN = {
    "schedules/collect_finished_batches_hourly": (
        "schedule: 5\nruns: [a]\nsumary: x\nargs: 3\n",
        "schedule: must be text (got 5)",
        "runs: must be text (got a list)",
        "args: must be an object (got 3)",
        "there is no word sumary; did you mean summary?",
        "timezone is missing",
    ),
    "recipes/failover": (
        "resources: [a]\narguments: {properties: 1}\ntry: 1\nnotes: a\n",
        "resources: must be an object (got a list)",
        "arguments.properties: must be an object (got 1)",
        "try: must be an object (got 1)",
        "notes: must be a list (got text)",
        "summary is missing",
        "gives is missing",
    ),
}


@pytest.mark.parametrize("file", MISSHAPEN)
def test_what_a_schedule_or_recipe_lacks_is_told_at_once(file, pack):
    text, *messages = MISSHAPEN[file]
    alone(pack, FLOW)
    other = pack / "flows" / "run_batch.yaml"
    other.write_text(f"{other.read_text()}more: 1\n")
    shutil.copytree(ROOT / "recipes", pack / "recipes")
    (pack / f"{file}.yaml").write_text(text)

    told = list(flow_problems(pack))

    own = [what for path, what in told if path == pack / f"{file}.yaml"]
    assert {*messages} <= {*own}
    assert "run_batch: more is unknown" in [what for _, what in told]


def test_a_flow_that_is_no_yaml_hides_nothing_of_the_others(one_step):
    folder = one_step / "flows"
    (folder / "inner").mkdir(parents=True)
    for name in ("_defaults.yaml", "run_batch.yaml"):
        shutil.copy(ROOT / "flows" / name, folder)
    with (folder / "run_batch.yaml").open("a") as other:
        other.write("more: 1\n")
    (folder / "broken.yaml").write_text("summary: {")
    (folder / "inner" / "broken_too.yaml").write_text("\t- x: {")

    told = found(one_step)
    shown = [problem.show(one_step) for problem in problems(one_step)]

    for name in ("broken", "broken_too"):
        assert sum(f"{name}.yaml is not YAML" in problem for problem in told) == 1
        assert sum(f"{name}.yaml is not YAML" in problem for problem in shown) == 1
    assert "run_batch: more is unknown" in told
    assert "flows/run_batch.yaml: run_batch: more is unknown" in shown


# --- what is rendered --------------------------------------------------------------

EACH = pytest.mark.parametrize("flow", list(flows()), ids=lambda flow: flow.name)


@EACH
def test_every_step_gets_the_key_and_runs_what_is_built(flow):
    built = {f"f/togetherai/{script}" for script in taken()}

    for module in modules(rendered(flow)["value"]):
        value = module["value"]
        if "path" in value:
            assert value["path"] in built
            auth = {"type": "javascript", "expr": "flow_input.auth"}
            assert value["input_transforms"]["auth"] == auth


@EACH
def test_a_flow_s_form_asks_for_the_key_and_offers_models(flow):
    form = rendered(flow)["schema"]

    assert form["required"][0] == "auth"
    code = form.get("x-windmill-dyn-select-code", "")
    for name, member in flow.arguments.items():
        if "x-models" in member:
            assert form["properties"][name]["format"] == f"dynselect-{name}"
            assert f"def {name}(filterText" in code
    compile(code, "picker", "exec")


def test_the_code_behind_a_flow_s_models_gives_choices(sandbox, auth):
    flow = next(flow for flow in flows() if flow.name == "run_batch")

    choices = functions(flow)["model"](filterText="", auth=auth)

    assert any("gpt-oss" in str(choice) for choice in choices)


@pytest.mark.parametrize(
    "schedule", list(schedules()), ids=lambda schedule: schedule.name
)
def test_a_schedule_is_off_and_names_a_resource_not_a_key(schedule):
    content = timetable(schedule)

    assert content["enabled"] is False
    assert content["args"]["auth"] == "$res:f/togetherai/key"
    assert content["no_flow_overlap"]


def test_the_page_shows_every_flow_every_step_and_every_schedule():
    text, own = page(), pages()

    for flow in flows():
        assert f"[{flow.name}]({flow.page})" in text
        graph = own[flow.page].split("```mermaid")[1].split("```")[0]
        for module in modules(flow.value):
            assert module["id"] in graph
            assert module["summary"].replace('"', "'") in graph
        assert flow.source["leaves"].split()[0] in own[flow.page]
    for schedule in schedules():
        assert f"`{schedule.name}`" in text


def test_steps_of_other_flows_are_kept_apart_from_what_people_start():
    inner = {flow.id for flow in flows() if flow.inner}

    assert inner == {"inner/guard_job", "inner/wait_for_job"}
    assert {f"f/togetherai/{name}__flow/flow.yaml" for name in inner} < files(
        ROOT
    ).keys()


# --- expressions -------------------------------------------------------------------

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(-(2**53), 2**53)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.mark.slow
@given(VALUES)
def test_a_value_passes_through_an_expression_unharmed(value):
    assert evaluate("flow_input.x", {"flow_input": {"x": value}}) == value


@pytest.mark.parametrize(
    ("text", "variables", "value"),
    [
        ('results.a.b + results["a"].b', {"results": {"a": {"b": 1}}}, 2),
        ("results.gone?.x ?? 5", {"results": {}}, 5),
        ("flow_input.gone", {"flow_input": {}}, None),
        ("error.message", {"previous_result": {"error": {"message": "no"}}}, "no"),
        ("error.message", {"previous_result": [1, {"error": {"message": "x"}}]}, "x"),
        ("({a: 1})", {}, {"a": 1}),
        ("const x = 2; return x + 1", {}, 3),
        ("'a;b'", {}, "a;b"),
    ],
)
def test_an_expression_means_what_windmill_s_does(text, variables, value):
    assert evaluate(text, variables) == value


@pytest.mark.parametrize("text", ["a b", "(", "results.a.map(x => results.b)", "if ("])
def test_an_expression_that_some_server_cannot_read_is_found(text):
    assert problem(text)


@pytest.mark.parametrize(
    "text", ["result.done", "`${result.x}`", "!result || result[0]"]
)
def test_a_good_expression_has_no_problem(text):
    assert problem(text) is None


def test_an_expression_that_fails_or_never_ends_is_an_error():
    with pytest.raises(ExpressionError, match="TypeError"):
        evaluate("result.a.b", {"result": {}})


def test_steps_named_in_the_texts_of_flows_exist():
    known = taken()
    for flow in flows():
        texts = " ".join(
            flow.source[name] for name in ("needs", "costs", "leaves", "description")
        )
        for name in re.findall(r"\b[a-z_]+/[a-z_]+\b", texts):
            assert name in known, f"{flow.name}: {name}"


@pytest.mark.parametrize("flow", list(flows()), ids=lambda flow: flow.name)
def test_every_flow_but_an_inner_one_has_the_handler_of_failures(flow):
    handler = flow.value.get("failure_module")

    assert (handler is None) == flow.inner
    if handler:
        shared = json.loads(defaults())["failure_module"]
        assert handler["id"] == shared["id"]
        inputs = handler["value"]["input_transforms"]
        assert inputs.items() >= shared["value"]["input_transforms"].items()


SHORT = {
    "an expression": ({"expr": "a.b"}, "a.b"),
    "a function": ({"use": "twice", "of": "a.b"}, "((n) => 2 * n)(a.b)"),
    "an object": (
        {"object": {"n": "a ?? 1", "...m": "a.m"}},
        "({n: a ?? 1, ...(a.m)})",
    ),
    "an empty object": ({"object": {}}, "({})"),
    "names": (
        {"with": {"x": "a", "y": "b"}, "expr": "x + y"},
        "((x, y) => x + y)(a, b)",
    ),
    "an object of names": (
        {"with": {"x": "a"}, "object": {"n": "x"}},
        "((x) => ({n: x}))(a)",
    ),
}


@pytest.mark.parametrize(("given", "said"), SHORT.values(), ids=SHORT)
def test_what_a_source_says_in_short_is_spelled_out(given, said):
    shared = {
        "functions": {"twice": "(n) => 2 * n"},
        "retry": {"often": {"constant": {"attempts": 9, "seconds": 1}}},
        "failure_module": {"id": "failure", "value": {"path": "waits/report_failure"}},
    }
    inputs = {"n": {"type": "javascript", **given}}
    module = {"id": "a", "retry": "often", "value": {"input_transforms": inputs}}
    own = {"modules": [module], "failure_module": {"value": {"kept": 1}}}

    value = expanded(own, shared, False)

    (found,) = value["modules"]
    transform = {"type": "javascript", "expr": said}
    assert found["value"] == {"input_transforms": {"n": transform}}
    assert found["retry"] == shared["retry"]["often"]
    handler = {"path": "waits/report_failure", "kept": 1}
    assert value["failure_module"] == {"id": "failure", "value": handler}
    assert "failure_module" not in expanded({"modules": []}, shared, True)
    assert set(all_written(own)) == {*given.get("object", {}).values()} | {
        *given.get("with", {}).values()
    } | {given[n] for n in ("expr", "of") if n in given}
