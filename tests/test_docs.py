"""What the pages name is there: links, headings, commands, their options, and steps."""

import re
import shlex
from functools import cache

import pytest

from tools.cli.command_line import parser_of
from tools.flows.pack_flows import flows
from tools.operations import ROOT, operations, scripts, steps
from tools.pages.recipes import SCRIPTS, recipes
from tools.tree.locks import PYTHON, PYTHONS
from tools.workspace.deployed import record_names

PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if path.name != "CHANGELOG.md" and "node_modules" not in path.parts
)
TEXTS = {path: path.read_text() for path in PAGES}
IDS = {one.id for one in (*scripts(), *flows(), *recipes())}
GROUPS = {id.partition("/")[0] for id in IDS}


@cache
def anchors(text):
    """The headings of a page as GitHub makes addresses of them."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    found = set()
    for heading in re.findall(r"^#+ (.+)$", text, re.M):
        words = re.sub(r"[`*]|\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        found.add(re.sub(r"[^\w\- ]", "", words).strip().replace(" ", "-"))
    return found


def test_links_lead_somewhere():
    for path, text in TEXTS.items():
        for link, source in re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", text):
            place, _, heading = (link or source).partition("#")
            if place.startswith(("http://", "https://", "mailto:")):
                continue
            found = (path.parent / place).resolve() if place else path
            assert found.exists(), (path.name, link)
            if heading and found in TEXTS:
                assert heading in anchors(TEXTS[found]), (path.name, link)


def test_each_row_of_a_table_has_the_cells_of_its_head():
    for path, text in TEXTS.items():
        text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
        for table in re.findall(r"^(?:\|.*\n)+", text, re.M):
            counts = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
            assert len(counts) == 1, (path.name, table)


def commands(text):
    """Every use of ./dev, in blocks and within lines."""
    text = re.sub(r"\\\n\s+", " ", text)
    text += "".join(f"\n    {line}" for line in re.findall(r"`([^`]*)`", text))
    for line in re.findall(r"^ {4,}.*?\./dev (.*)$", text, re.M):
        yield from line.split(" && ./dev ")


def test_commands_have_the_options_that_the_pages_say(capsys):
    parser, count = parser_of(), 0
    for path, text in TEXTS.items():
        if "reference" in path.parts:
            continue
        for line in commands(text):
            words = shlex.split(line, comments=True)
            if words[-1] == "..." and not words[-2].startswith("--"):
                words.pop()  # and so on
            if words[0] in ("test", "COMMAND") or {"--help", "--version"} & {*words}:
                continue
            count += 1
            if any(word.startswith("-") for word in words) or len(words) > 2:
                needed = {"deploy": [], "live": ["--base-url=x", "--workspace=x"]}
                more = needed.get(words[0], [])
                given = [w for w in more if w.partition("=")[0] not in words]
                try:
                    _, rest = parser.parse_known_args([*words, *given])
                except SystemExit:
                    pytest.fail(f"{path.name}: ./dev {line}: {capsys.readouterr().err}")
                assert not rest, (path.name, line)
    assert count > 40


def test_steps_and_flows_that_are_named_exist():
    for path, text in TEXTS.items():
        text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
        for id in re.findall(r"`(?:f/togetherai/)?([a-z_]+/[a-z_]+)`", text):
            if id.partition("/")[0] in GROUPS:
                assert id in IDS or (ROOT / id).exists(), (path.name, id)


COUNTS = [
    # The page, the words of which each group is a number, what there is of it.
    ("docs/faq.md", r"over (\d+) operations and", lambda: len([*operations()]), 20),
    ("docs/faq.md", r"operations and (\d+) steps", lambda: len([*steps()]), 10),
    (
        "docs/agents.md",
        r"there are (?:more than )?(\d+) of them",
        lambda: len([*scripts()]) - len(AGENTS),
        20,
    ),
]
AGENTS = [one for one in scripts() if one.group == "agent"]


@pytest.mark.parametrize(("page", "words", "count", "near"), COUNTS)
def test_a_number_of_things_is_about_what_there_is(page, words, count, near):
    (told,) = re.findall(words, " ".join(TEXTS[ROOT / page].split()))

    assert int(told) <= count() < int(told) + near


def test_the_first_page_says_how_many_recipes_there_are():
    assert len([*recipes()]) == 9
    assert len(SCRIPTS) == 1
    assert "nine flows and a program, " in TEXTS[ROOT / "README.md"]


def test_every_python_of_the_locks_is_named_as_one_of_workers():
    told = f"Python {', '.join(PYTHONS[:-1])} or {PYTHONS[-1]} (`--python`"

    assert told in TEXTS[ROOT / "docs/where.md"]
    assert f"default {PYTHON})" in TEXTS[ROOT / "docs/where.md"]


def test_what_the_pages_make_anew_is_not_there_yet():
    made = [
        shlex.split(line)[1:4]
        for text in TEXTS.values()
        for line in commands(text)
        if line.startswith("new ")
    ]

    assert {kind for kind, *_ in made} == {"operation", "step", "flow"}
    for kind, *words in made:
        id = f"flows/{words[0]}" if kind == "flow" else "/".join(words)
        assert id not in IDS, id


def test_the_tools_for_agents_are_all_named():
    told = " ".join(TEXTS[ROOT / "docs/agents.md"].split()).partition("Their arguments")
    named = re.findall(r"`([a-z_]+)`", told[0])

    assert sorted(named) == sorted(one.name for one in AGENTS)
    assert "holds sixteen tools" in told[0]
    assert len(named) == 16


def test_all_that_jobs_remember_is_named_where_one_deploys():
    told = TEXTS[ROOT / "docs/deploy.md"]
    names = record_names()

    assert {"rows", "intents"} <= names
    assert [name for name in names if f"`togetherai_{name}/`" not in told] == []


def test_files_that_contributors_are_sent_to_exist():
    made = ("build/", ".cache/", "dist/", "f/", "flows/summarize_folder.yaml")
    tops = {path.name for path in ROOT.iterdir()}
    count = 0
    for page in ("CONTRIBUTING.md", "SECURITY.md", "docs/limits.md"):
        for words in re.findall(r"`([\w./<>-]+)`", TEXTS[ROOT / page]):
            place = words.partition("<")[0]
            if place.partition("/")[0] not in tops or place.startswith(made):
                continue
            if "/" in place and place not in IDS:
                assert (ROOT / place).exists(), (page, words)
                count += 1
    assert count > 40


def test_the_first_page_is_short_and_shows_what_one_gets():
    text = TEXTS[ROOT / "README.md"]

    assert len(text.splitlines()) <= 120
    assert "    ./dev test " in text  # as .ci/run does
    shown = re.findall(r'<img src="docs/\S+\.png" .*alt="([A-Z][^"]+)">', text)
    kinds = [words.partition(":")[0] for words in shown]
    assert sorted(kinds) == ["A flow", "A form", "A result", "An approval"]


def test_every_picture_is_small_and_on_a_page():
    pictures = [*(ROOT / "docs").rglob("*.png")]
    pictures = [one for one in pictures if "node_modules" not in one.parts]
    everything = "".join(TEXTS.values())

    assert len(pictures) > 15
    for one in pictures:
        assert one.stat().st_size < 150_000, one.name
        assert f"{one.parent.name}/{one.name}" in everything, one.name
