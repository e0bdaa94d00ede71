"""The site: made from the pages, complete, and fit for a phone and for everybody."""

import json
import random
import re
import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.probing import seed, whole
from tools.browser import CHROMIUM
from tools.node import PLACE, install
from tools.operations import ROOT
from tools.site import PACKAGES, _link, build


def test_what_is_no_page_of_the_site_is_text_alone():
    page = ROOT / "docs" / "use.md"
    files = {"OPERATIONS.md": ROOT / "OPERATIONS.md"}

    def linked(text):
        found = re.fullmatch(r"\[([^]]*)\]\(([^)]*)\)", text)
        return _link(found, page, files)

    assert linked("[all](../OPERATIONS.md#chat)") == "[all](../OPERATIONS.md#chat)"
    assert linked("[code](../tools/site.py)") == "code"
    assert linked("[steps](reference/)") == "[steps](../OPERATIONS.md)"
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


SAMPLE = 5  # pages of the reference that CI has judged; they have one template


def judged(paths: list[str]) -> list[str]:
    """The pages that axe looks at: those that somebody wrote, and of the rendered ones
    a sample; all in a probe."""
    rendered = [path for path in paths if "/reference/" in path]
    some = random.Random(seed()).sample(rendered, SAMPLE)
    return [path for path in paths if whole() or path not in rendered or path in some]


@pytest.mark.slow
def test_pages_are_sound_in_a_browser(site):
    install()
    chromium = next(filter(None, map(shutil.which, CHROMIUM)))
    pages = sorted(p for p in site.rglob("*.html") if p.name != "404.html")
    handler = partial(SimpleHTTPRequestHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        axe = PACKAGES / "axe-core" / "axe.min.js"
        words = [PLACE / "look_at_site.mjs", chromium, axe]
        words.append(f"http://127.0.0.1:{server.server_address[1]}/")
        paths = [path.relative_to(site).as_posix() for path in pages]
        words += [json.dumps(judged(paths)), *paths]
        done = subprocess.run(["node", *words], capture_output=True, text=True)
        server.shutdown()
        thread.join()
    assert done.returncode == 0, done.stderr
    *seen, search = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(seen) == len(pages) > 50
    wrong = {one["path"]: one["problems"] for one in seen if one["problems"]}
    assert not wrong, json.dumps(wrong, indent=1)
    assert ".html" in search["found"]
