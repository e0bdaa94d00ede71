"""The site: the pages of this repository with search, graphs and pictures. Made by
MkDocs with its Material theme, in an environment of its own; once that is there,
nothing is fetched, and nothing of the site is from elsewhere.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import yaml

from tools.environment import SetupError, side_python
from tools.flows.pack_flows import PAGES as FLOWS
from tools.operations import ROOT
from tools.pages.node import install
from tools.pages.reference import LIST

SOURCE = ROOT / "docs" / "site"  # its settings, and the packages of its pages
WORK = ROOT / ".cache" / "site"
LOCK = "requirements-docs.lock"
KINDS = (".md", ".png", ".svg", ".yaml", ".ts")
LINK = re.compile(r"(?<!!)\[([^]\n]*)\]\(([^)\s]+)\)")
PACKAGES = SOURCE / "node_modules"
ASSETS = {
    "mermaid.min.js": PACKAGES / "mermaid" / "dist" / "mermaid.min.js",
    "site.css": SOURCE / "site.css",
    "site.js": SOURCE / "site.js",
}


class SiteError(Exception):
    """The site cannot be made, and why."""


def build(target: Path) -> int:
    """Write the site to a folder, in place of what is there; how many pages.

    Raises SiteError with what is wrong, such as a link that leads nowhere.
    """
    install(SOURCE)
    try:
        python = side_python("site", LOCK)
    except SetupError as error:
        raise SiteError(str(error)) from None
    shutil.rmtree(WORK, ignore_errors=True)
    pages = _stage(WORK / "pages")
    config = WORK / "mkdocs.yml"
    text = (SOURCE / "mkdocs.yml").read_text(encoding="utf-8")
    text = text.replace("{recipes}", _listed(pages, "docs/recipes"))
    text = text.replace("{reference}", _reference(pages).strip("[]"))
    text = text.replace("{flows}", _listed(pages, FLOWS).strip("[]"))
    config.write_text(text, encoding="utf-8")
    shutil.copytree(SOURCE / "theme", WORK / "theme")
    words = ["build", "--quiet", "--strict", "--config-file", str(config)]
    done = subprocess.run(
        [python, "-m", "mkdocs", *words, "--site-dir", str(target.resolve())],
        cwd=WORK,
        env={
            **os.environ,
            "NO_MKDOCS_2_WARNING": "1",
            "DISABLE_MKDOCS_2_WARNING": "true",
        },
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SiteError((done.stderr or done.stdout).strip()[-3000:])
    return len(pages)


def _stage(place: Path) -> list[str]:
    """Copy the pages, with links that lead within the site; their names."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*")]
    files = {
        path.relative_to(ROOT).as_posix(): path
        for path in sorted(found)
        if path.suffix in KINDS and SOURCE not in path.parents
    }
    for name, path in files.items():
        copy = place / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix != ".md":
            shutil.copy(path, copy)
            continue
        text = path.read_text(encoding="utf-8")
        text = LINK.sub(lambda found, at=path: _link(found, at, files), text)
        text = text.replace("<details>", '<details markdown="1">')
        copy.write_text(text, encoding="utf-8")
    (place / "assets").mkdir()
    for name, path in ASSETS.items():
        shutil.copy(path, place / "assets" / name)
    return [name for name in files if name.endswith(".md")]


def _link(found: re.Match[str], page: Path, files: dict[str, Path]) -> str:
    """A link as the site has it: what is not of the site is text alone."""
    words, target = found.groups()
    place, _, heading = target.partition("#")
    if not place or re.match(r"[a-z]+:", place):
        return found[0]
    there = os.path.normpath(page.parent / place)
    name = Path(there).relative_to(ROOT).as_posix()
    if name in files:
        return found[0]
    if f"{name}/{LIST}" in files and not heading:  # a folder with a page of its own
        return f"[{words}]({os.path.relpath(ROOT / name / LIST, page.parent)})"
    return words


def _listed(pages: list[str], folder: str) -> str:
    """The pages of a folder as a list in YAML, its README first."""
    own = sorted(name for name in pages if name.startswith(f"{folder}/"))
    own.sort(key=lambda name: not name.endswith(f"/{LIST}"))
    return yaml.safe_dump(own, default_flow_style=True, width=10**6).strip()


def _reference(pages: list[str]) -> str:
    """The pages of the reference as a list in YAML, a member for each group."""
    start = "docs/reference/"
    names = (n.removeprefix(start) for n in pages if n.startswith(start))
    groups = sorted({n.partition("/")[0] for n in names if "/" in n} - {"flows"})
    listed = [f"{{{group}: {_listed(pages, start + group)}}}" for group in groups]
    return f"[{', '.join(listed)}]"
