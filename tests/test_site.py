"""The site: made from the pages, complete, and fit for a phone and for everybody."""

import json
import random
import re
import shutil
import subprocess
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from tests.support.probing import seed, whole
from tools.local.server_thread import handling
from tools.operations import ROOT
from tools.pages.browser import CHROMIUM
from tools.pages.node import PLACE, install
from tools.pages.site import PACKAGES, _link, build


def test_what_is_no_page_of_the_site_is_text_alone():
    page = ROOT / "docs" / "use.md"
    names = ("OPERATIONS.md", "docs/reference/README.md")
    files = {name: ROOT / name for name in names}

    def linked(text):
        found = re.fullmatch(r"\[([^]]*)\]\(([^)]*)\)", text)
        return _link(found, page, files)

    assert linked("[all](../OPERATIONS.md#chat)") == "[all](../OPERATIONS.md#chat)"
    assert linked("[code](../tools/pages/site.py)") == "code"
    assert linked("[steps](reference/)") == "[steps](reference/README.md)"
    assert linked("[there](https://example.com)") == "[there](https://example.com)"


def test_every_page_is_in_the_menu():
    menu = (ROOT / "docs" / "site" / "mkdocs.yml").read_text().partition("nav:")[2]
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]

    assert len(pages) > 15
    for page in pages:
        assert page.relative_to(ROOT).as_posix() in menu, page.name


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    place = tmp_path_factory.mktemp("site")
    assert build(place) > 50
    return place


@pytest.mark.slow
def test_nothing_is_fetched_from_elsewhere(site):
    for page in site.rglob("*.html"):
        loaded = re.findall(
            r"<(?:script|img|link)[^>]* (?:src|href)=\"?(\S+)", page.read_text()
        )
        assert loaded
        assert not [one for one in loaded if one.startswith(("http", "//"))], page


class Page(HTMLParser):
    """What of a page's own part can be told without a browser."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.problems: list[str] = []
        self.ids: set[str] = set()
        self.scripts: list[str] = []
        self.pictures: list[str] = []
        self.graphs = 0
        self.inside = 0  # of the article
        self.link: list[str] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        given = dict(attributes)
        if tag == "script":
            self.scripts.append(given.get("src", ""))
        if tag == "article":
            self.inside += 1
        if (id := given.get("id")) in self.ids:
            self.problems.append(f"two elements have the id {id}")
        if id is not None:
            self.ids.add(id)
        if not self.inside:
            return
        if tag in ("script", "iframe", "object", "style") or "style" in given:
            self.problems.append(f"has a {tag} of its own, or a style")
        if tag == "img":
            self.pictures.append(given["src"])
            if not given.get("alt"):
                self.problems.append(f"a picture without words: {given}")
        self.graphs += given.get("class") == "mermaid"
        if tag == "a":
            self.link = []

    def handle_data(self, data: str) -> None:
        if self.link is not None:
            self.link.append(data.strip())

    def handle_endtag(self, tag: str) -> None:
        if tag == "article":
            self.inside -= 1
        if tag == "a":
            if self.link is not None and not any(self.link):
                self.problems.append("a link without words")
            self.link = None


def graphs_of(path: Path) -> int:
    return path.read_text().count('class="mermaid"')


@pytest.mark.slow
def test_every_page_is_sound_without_a_browser(site):
    graphs = 0
    for path in site.rglob("*.html"):
        page = Page(path.read_text())
        assert not page.problems, (path.name, page.problems)
        missing = [one for one in page.pictures if not (path.parent / one).is_file()]
        assert not missing, (path.name, missing)
        graphs += page.graphs
        # It is as large as all else of a page together.
        loads = any(script.endswith("mermaid.min.js") for script in page.scripts)
        assert loads == bool(page.graphs), path.name
    assert graphs > 20


# Of the rendered pages, which have one template, CI opens some, and of all that it
# opens axe judges some; a probe does all of it.
OPENED = 8
JUDGED = 5
ALWAYS = ("index.html", "docs/faq.html", "docs/recipes/index.html")


def opened(paths: list[str]) -> list[str]:
    rendered = [path for path in paths if "/reference/" in path]
    some = random.Random(seed()).sample(rendered, OPENED)
    return [path for path in paths if whole() or path not in rendered or path in some]


def judged(paths: list[str]) -> list[str]:
    some = random.Random(seed()).sample(sorted(set(paths) - set(ALWAYS)), JUDGED)
    return paths if whole() else [*ALWAYS, *some]


NOTHING_TO_FIND = {
    "config": {"lang": ["en"], "separator": r"[\s\-]+", "fields": {}, "pipeline": []},
    "docs": [],
}


class Handler(SimpleHTTPRequestHandler):
    """The site. What a page searches in is made ready when it opens, which costs more
    than all else of it: here only the page that is asked for with ?search has it."""

    def do_GET(self) -> None:
        searched = "?search" in self.headers.get("referer", "")
        if not self.path.endswith("/search_index.json") or searched:
            super().do_GET()
            return
        body = json.dumps(NOTHING_TO_FIND).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        kept = "no-store" if self.path.endswith(".json") else "max-age=3600"
        self.send_header("Cache-Control", kept)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.slow
def test_pages_are_sound_in_a_browser(site):
    install()
    chromium = next(filter(None, map(shutil.which, CHROMIUM)))
    found = sorted(p for p in site.rglob("*.html") if p.name != "404.html")
    paths = opened([path.relative_to(site).as_posix() for path in found])
    handler = partial(Handler, directory=str(site))
    with handling(handler) as url:
        axe = PACKAGES / "axe-core" / "axe.min.js"
        words = [PLACE / "look_at_site.mjs", chromium, axe]
        words.append(f"{url}/")
        drawn = [one.relative_to(site).as_posix() for one in found if graphs_of(one)]
        words += [json.dumps(judged(paths)), json.dumps(drawn), *paths]
        done = subprocess.run(["node", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    *seen, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["path"] for one in seen] == paths
    assert len(paths) > 35
    wrong = {one["path"]: one["problems"] for one in seen if one["problems"]}
    assert not wrong, json.dumps(wrong, indent=1)
    assert last["graphs"]["wrong"] == []
    assert last["graphs"]["count"] == sum(map(graphs_of, found)) > 30
    assert ".html" in last["found"]
