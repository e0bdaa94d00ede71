"""What users build upon is listed in tests/interface.txt: what is new must be there,
and what goes missing needs a sentence in the change log."""

import json

import pytest
import yaml

from tests.conftest import STEP
from tools.checks.checks import Problem, problems
from tools.checks.interface import (
    FILE,
    Break,
    Terms,
    breaks,
    interface_problems,
    interface_text,
    promises_in,
    sentences,
)
from tools.checks.interface_lines import offers_of
from tools.flows.expressions import ExpressionError, member_names
from tools.flows.pack_flows import flows
from tools.operations import ROOT, scripts
from tools.pages.raised import known_types

SCRIPT, FLOW = "schemas/chat/ask.json", "flows/ask_all.yaml"
MEMBERS, CLASS = "docs/reference/_members.json", "scripts/client/errors.py"
FINISH = {
    "type": "script",
    "path": "waits/finish_flow",
    "input_transforms": {"details": {"expr": "({asked: results.a.n, ...results.b})"}},
}
SMALL = {
    SCRIPT: {
        "x-step": "script",
        "properties": {
            "prompt": {"type": "string"},
            "more": {
                "type": "object",
                "properties": {"seed": {"type": ["integer", "null"]}},
            },
            "style": {"enum": ["long", "short"]},
        },
        "required": ["prompt"],
    },
    FLOW: {
        "summary": "Ask all",
        "arguments": {"properties": {"rows": {"type": "array"}}},
        "value": {"modules": [{"id": "a", "summary": "End", "value": FINISH}]},
    },
    "schedules/daily.yaml": {"runs": "flows/ask_all"},
    MEMBERS: {"chat/ask": ["model", "text"]},
    "docs/errors.md": "| `rate_limit` | a |\n| `storage` | b |\n",
    CLASS: "class TogetherError:\n    code: str | None = None\n    x = 1\n",
    "resources/key.resource-type.yaml": {
        "schema": {"properties": {"url": {"type": "string"}}, "required": []}
    },
}
LINES = """\
argument chat/ask more.seed: integer | null
argument chat/ask more: object
argument chat/ask prompt: string, required
argument chat/ask style: "long" | "short"
argument flows/ask_all rows: array
attribute code
error rate_limit
error storage
field key url: string
flow flows/ask_all
resource key
result chat/ask model
result chat/ask text
result flows/ask_all asked
result flows/ask_all message
schedule daily
script chat/ask
""".splitlines()


class Pack:
    """A small pack, whose files a test changes."""

    def __init__(self, root):
        self.root = root
        for place, content in SMALL.items():
            self.write(place, content)
        self.log("")
        self.write(FILE, interface_text(self.offers()))

    def write(self, place, content):
        if not isinstance(content, str):
            dump = json.dumps if place.endswith(".json") else yaml.safe_dump
            content = dump(content)
        (self.root / place).parent.mkdir(parents=True, exist_ok=True)
        (self.root / place).write_text(content)

    def edit(self, place, *keys, **members):
        """Change members of an object within a file; None takes one away."""
        content = json.loads(json.dumps(SMALL[place]))
        inner = content
        for key in keys:
            inner = inner[key]
        for name, value in members.items():
            if value is None:
                del inner[name]
            else:
                inner[name] = value
        self.write(place, content)

    def log(self, sentence, heading="1.0.0 (not released yet)"):
        text = f"## {heading}\n\n### Breaking\n\n- {sentence}\n\n### Added\n"
        self.write("CHANGELOG.md", f"# Changelog\n\n{text}")

    def offers(self):
        known_types.cache_clear()
        return offers_of(self.root, scripts(self.root))

    def problems(self):
        known_types.cache_clear()
        found = interface_problems(self.root, scripts(self.root))
        return [Problem(*one) for one in found]

    def fix(self):
        for problem in self.problems():
            problem.fix()
        return (self.root / FILE).read_text().splitlines()


@pytest.fixture
def pack(tmp_path):
    return Pack(tmp_path)


def add_to_file(line):
    """As if the pack that was before had offered it."""

    def change(pack):
        lines = (pack.root / FILE).read_text().splitlines()
        pack.write(FILE, "\n".join(sorted([*lines, line])) + "\n")

    return change


def unlink(place):
    return lambda pack: (pack.root / place).unlink()


def edit(*given, **members):
    return lambda pack: pack.edit(*given, **members)


def write(place, content):
    return lambda pack: pack.write(place, content)


OTHER = {"type": "string"}
NEEDED = {**SMALL[SCRIPT]["properties"], "tone": OTHER}
# What goes missing or is narrower: the change, the sentence that gives it up, and the
# line that stays until then (None: there was none).
BROKEN = {
    "a script": (unlink(SCRIPT), "`chat/ask` is gone", "script chat/ask"),
    "a flow": (unlink(FLOW), "`flows/ask_all` is gone", "flow flows/ask_all"),
    "a schedule": (
        unlink("schedules/daily.yaml"),
        "`daily` is gone",
        "schedule daily",
    ),
    "an argument": (
        edit(SCRIPT, "properties", style=None),
        "`style` of `chat/ask` is gone",
        'argument chat/ask style: "long" | "short"',
    ),
    "an argument of a flow": (
        edit(FLOW, "arguments", properties={}),
        "`rows` of `flows/ask_all` is gone",
        "argument flows/ask_all rows: array",
    ),
    "a member of an argument": (
        edit(SCRIPT, "properties", "more", properties={}),
        "`more.seed` of `chat/ask` is gone",
        "argument chat/ask more.seed: integer | null",
    ),
    "an argument that becomes required": (
        edit(SCRIPT, required=["prompt", "style"]),
        "`style` of `chat/ask` is required now",
        'argument chat/ask style: "long" | "short"',
    ),
    "a member that becomes required": (
        edit(SCRIPT, "properties", "more", required=["seed"]),
        "`more.seed` of `chat/ask` is required now",
        "argument chat/ask more.seed: integer | null",
    ),
    "a new argument that is required": (
        edit(SCRIPT, properties=NEEDED, required=["prompt", "tone"]),
        "`tone` of `chat/ask` is required now",
        None,
    ),
    "a value": (
        edit(SCRIPT, "properties", "style", enum=["long"]),
        "`style` of `chat/ask` takes less",
        'argument chat/ask style: "long" | "short"',
    ),
    "null": (
        edit(SCRIPT, "properties", "more", "properties", seed={"type": "number"}),
        "`more.seed` of `chat/ask` takes less",
        "argument chat/ask more.seed: integer | null",
    ),
    "a member of a result": (
        write(MEMBERS, {"chat/ask": ["text"]}),
        "`model` of the result of `chat/ask` is gone",
        "result chat/ask model",
    ),
    "a member of a flow's result": (
        write(FLOW, yaml.safe_dump(SMALL[FLOW]).replace("asked:", "count:")),
        "`asked` of the result of `flows/ask_all` is gone",
        "result flows/ask_all asked",
    ),
    "a type of error": (
        write("docs/errors.md", "| `storage` | b |\n"),
        "`rate_limit` is gone",
        "error rate_limit",
    ),
    "an attribute of an error": (
        write(CLASS, "class TogetherError:\n    pass\n"),
        "`code` is gone",
        "attribute code",
    ),
    "a field of the resource": (
        edit("resources/key.resource-type.yaml", "schema", properties={}),
        "`url` of `key` is gone",
        "field key url: string",
    ),
    "a command": (
        add_to_file("command fly"),
        "`./dev fly` is gone",
        "command fly",
    ),
    "an option": (
        add_to_file("option run --slowly"),
        "`--slowly` of `./dev run` is gone",
        "option run --slowly",
    ),
}


def test_a_small_pack_has_a_line_for_each_thing(pack):
    lines = (pack.root / FILE).read_text().splitlines()

    of_tools = ("#", "command ", "option ")
    assert [line for line in lines if not line.startswith(of_tools)] == LINES
    assert "option run --args" in lines
    assert pack.problems() == []


@pytest.mark.parametrize("case", BROKEN)
def test_what_goes_missing_is_a_problem_that_fix_leaves(case, pack):
    change, sentence, line = BROKEN[case]
    change(pack)

    told = [one.what for one in pack.problems() if not one.fixable]
    lines = pack.fix()

    assert len(told) == 1
    assert told[0].endswith(f"say under Breaking in CHANGELOG.md: {sentence}")
    assert line is None or line in lines
    assert [one.what for one in pack.problems()] == told


@pytest.mark.parametrize("case", BROKEN)
def test_a_sentence_in_the_change_log_gives_it_up_once(case, pack):
    change, sentence, line = BROKEN[case]
    change(pack)
    pack.log(f"For whoever used it: {sentence}, as nobody did.")

    (problem,) = pack.problems()
    assert problem.fixable
    lines = pack.fix()

    assert line not in lines
    pack.log("")
    assert pack.problems() == []
    # What has that name again is promised again.
    if case in ("a script", "an argument", "a type of error"):
        for place, content in SMALL.items():
            pack.write(place, content)
        assert line in pack.fix()
        change(pack)
        assert [one.fixable for one in pack.problems()] == [False]


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize(
    ("words", "heading"),
    [
        ("{sentence}", "1.0.0 (2026-11-28)"),
        ("Nobody misses {names}: less `is gone` than `before`.", None),
        ("{other}", None),
    ],
    ids=["in a release", "named for something else", "of another thing"],
)
def test_no_other_words_give_it_up(case, words, heading, pack):
    change, sentence, _ = BROKEN[case]
    change(pack)
    names = ", ".join(sentence.split("`")[1::2])
    other = sentence.replace("`", "`other_", 1)
    text = words.format(sentence=sentence, names=names, other=other)
    pack.log(text, heading or "1.0.0 (not released yet)")

    assert [one.what for one in pack.problems() if not one.fixable] != []


GREATER = {
    "a new argument": (
        edit(SCRIPT, properties=NEEDED),
        ["argument chat/ask tone: string"],
    ),
    "an argument that may be left out": (
        edit(SCRIPT, required=[]),
        ["argument chat/ask prompt: string"],
    ),
    "one more value": (
        edit(SCRIPT, "properties", "style", enum=["long", "short", "odd"]),
        ['argument chat/ask style: "long" | "odd" | "short"'],
    ),
    "any text": (
        edit(SCRIPT, "properties", "style", enum=None, type="string"),
        ["argument chat/ask style: string"],
    ),
    "another type beside it": (
        edit(
            SCRIPT,
            "properties",
            prompt={"anyOf": [OTHER, {"type": "array", "items": OTHER}]},
        ),
        [
            "argument chat/ask prompt: array | string, required",
            "argument chat/ask prompt[]: string",
        ],
    ),
    "a new script": (
        write("schemas/chat/tell.json", {"x-step": "script", **NEEDED}),
        ["script chat/tell"],
    ),
    "a new member of a result": (
        write(MEMBERS, {"chat/ask": ["model", "text", "usage"]}),
        ["result chat/ask usage"],
    ),
    "a new type of error": (
        write("docs/errors.md", SMALL["docs/errors.md"] + "| `proxy` | c |\n"),
        ["error proxy"],
    ),
}


@pytest.mark.parametrize("case", GREATER)
def test_what_is_new_is_listed_by_fix(case, pack):
    change, added = GREATER[case]
    before = (pack.root / FILE).read_text().splitlines()
    change(pack)

    (problem,) = pack.problems()

    assert f" offers: {len(added)} to add, " in problem.show(pack.root)
    assert sorted({*pack.fix()} - {*before}) == added
    assert pack.problems() == []


def test_what_is_new_is_listed_beside_what_is_missing(pack):
    pack.edit(SCRIPT, properties={"prompt": OTHER, "tone": OTHER})

    lines = pack.fix()

    assert "argument chat/ask tone: string" in lines
    assert 'argument chat/ask style: "long" | "short"' in lines
    told = [one.what.partition(";")[0] for one in pack.problems()]
    assert told == [
        "argument chat/ask more is gone",
        "argument chat/ask style is gone",
    ]


def test_a_number_takes_what_an_integer_took_and_not_the_other_way_round():
    def found(before, now):
        old, new = (Terms(frozenset(kinds)) for kinds in (before, now))
        return [*breaks({"argument a b": old}, {"argument a b": new})]

    less = [Break("argument a b", "takes less")]
    for before, now in [
        (["integer"], ["number"]),
        (["1", "2"], ["integer"]),
        (["1.5"], ["number"]),
        (["true"], ["boolean"]),
        (["array", "string"], ["anything"]),
    ]:
        assert found(before, now) == []
        assert found(now, before) == less


def test_a_sentence_names_several_over_a_line_s_end():
    log = """\
# Changelog

## Unreleased

### Breaking

- `a/b`, `c/d` and `flows/e` are gone: `x/y` is in their place.
- `one` and
  `two` of `g/h` are gone, `three` of `g/h` is required now, and `four` of the
  result of `g/h` is gone.

### Added

- `no/thing` is gone

## 0.9.0 (not released yet)

### Breaking

- `old/one` is gone
"""
    assert sentences(log) == {
        "`a/b` is gone",
        "`c/d` is gone",
        "`flows/e` is gone",
        "`one` of `g/h` is gone",
        "`two` of `g/h` is gone",
        "`three` of `g/h` is required now",
        "`four` of the result of `g/h` is gone",
    }
    assert sentences("") == sentences("# Changelog\n") == set()


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("({a: results.x.y + 1, b: [flow_input.z]})", {"a", "b"}),
        ("((one) => ({a: one.map((n) => n.b)}))(results.x?.rows ?? [])", {"a"}),
        ("({...results.x, ...(result.c ? {c: 1} : {d: 2})})", {"c"}),
        ("const n = results.x; return {n}", {"n"}),
    ],
)
def test_the_names_of_an_object_are_known_without_its_values(expression, names):
    assert member_names(expression) == names


def test_an_expression_without_an_object_is_named():
    with pytest.raises(ExpressionError, match="null"):
        member_names("null")


def test_a_flow_gives_what_the_step_gives_that_ends_it():
    now = offers_of(ROOT, scripts())

    def given(id):
        start = f"result {id} "
        return {name.removeprefix(start) for name in now if name.startswith(start)}

    assert given("flows/run_batch") == given("batches/collect_rows") > {"rows"}
    assert given("inner/guard_job") == given("waits/cancel_job")
    # Behind a branch, a step that ends it, and one that always does.
    assert given("flows/assistant") == given("chat/close_agent") > {"cost_usd"}
    assert {"approved", "plan", "usd_per_hour"} < given("flows/serve_model")
    assert [flow.id for flow in flows() if not given(flow.id)] == []


def test_the_pack_s_own_file_is_kept_by_check_and_fix(one_step):
    assert (ROOT / FILE).exists()
    assert not (one_step / FILE).exists()
    (one_step / FILE).parent.mkdir()
    (one_step / FILE).write_text("script chat/ask_model\n")

    told = [one for one in problems(one_step) if one.path == one_step / FILE]

    assert [one.fixable for one in told] == [False, True]
    assert "script chat/ask_model is gone; if" in told[0].show(one_step)
    told[1].fix()
    assert f"script {STEP}" in (one_step / FILE).read_text().splitlines()
    assert f"script {STEP}" in promises_in((ROOT / FILE).read_text())
