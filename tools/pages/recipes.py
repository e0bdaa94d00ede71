"""The recipes: whole flows to take and change, from recipes/<name>.yaml.

A recipe is written as a flow of flows/ is, and has scripts of its own within
(Windmill's `rawscript`, in Python or SQL). Beside a flow's texts it says `resources`,
arguments that are resources of a type; `try`, arguments to try it with; `gives`, what
it results in, or some members of that, which the tests hold it to, with `try` by that
very command; and `notes`. From it come a page under
docs/recipes/ and the flow as a file that Windmill imports: no part of what is deployed.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import yaml

from tools.flows.pack_flows import (
    Flow,
    Tried,
    all_of,
    broken_of,
    defaults,
    modules,
    read,
    rendered,
    tried,
)
from tools.operations import ROOT
from tools.pages.flow_docs import graph
from tools.pages.reference import argument_table, as_json, linked, places
from tools.version import SCHEMA_KEY

SOURCES = "recipes"
PAGES = "docs/recipes"
WORDS = ("resources", "try", "gives", "notes")  # beside those of a flow
SCRIPTS = ("call_from_typescript",)  # pages written by hand, of what is no flow


def recipes(root: Path = ROOT) -> Iterator[Flow]:
    """Every recipe that is a flow, sorted by name. Raises ValueError for what cannot be
    read."""
    return all_of(_tried(root))


def unreadable(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """The files of recipes that cannot be read, and why."""
    return broken_of(_tried(root))


def readable(root: Path = ROOT) -> Iterator[Flow]:
    """Like `recipes`, without those that are `unreadable`."""
    return (recipe for _, recipe in _tried(root) if isinstance(recipe, Flow))


def _tried(root: Path) -> Tried:
    shared = defaults(root)
    paths = sorted((root / SOURCES).glob("*.yaml"))
    return tried(paths, lambda path: _with_resources(read(path, root, shared)))


def _with_resources(recipe: Flow) -> Flow:
    """The recipe with an argument for each of its resources. One of another shape stays
    as it is: `check` says what is wrong with it."""
    source = json.loads(recipe.text)
    arguments = source.get("arguments")
    resources = source.get("resources", {})
    if not isinstance(arguments, dict) or not isinstance(resources, dict):
        return recipe
    members, required = arguments.get("properties", {}), arguments.get("required", [])
    if not isinstance(members, dict) or not isinstance(required, list):
        return recipe
    for name, kind in resources.items():
        members[name] = {
            "title": name.capitalize(),
            "description": f"A resource of the type {kind}.",
            "type": "object",
        }
        required.append(name)
    names = sorted(members, key=required.__contains__)
    names.reverse()
    arguments["properties"] = {name: members[name] for name in names}
    arguments["required"] = required
    return replace(recipe, text=json.dumps(source))


def importable(recipe: Flow) -> str:
    """The flow as YAML that Windmill imports and `wmill flow push` takes."""
    found = rendered(recipe)
    del found["schema"][SCHEMA_KEY]  # it is nobody's who takes the pack away
    for name, kind in recipe.source.get("resources", {}).items():
        found["schema"]["properties"][name]["format"] = f"resource-{kind}"
    return yaml.dump(
        found, Dumper=_Readable, sort_keys=False, allow_unicode=True, width=100
    )


class _Readable(yaml.SafeDumper):
    """Writes texts of several lines as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Readable.add_representer(str, _text)


def files(root: Path = ROOT) -> dict[str, str]:
    """What is rendered of the recipes: the text of each file, by its place."""
    found = {}
    known = places(root, "../reference/")
    for recipe in recipes(root):
        found[f"{PAGES}/{recipe.name}.flow.yaml"] = importable(recipe)
        found[f"{PAGES}/{recipe.name}.md"] = "\n".join(_page(recipe, known)) + "\n"
    if found:
        found[f"{PAGES}/README.md"] = "\n".join(_index(root)) + "\n"
    return found


HEAD = "<!-- Rendered from recipes/ by `./dev fix`; edit that, not this. -->"
INDEX = """\
# Recipes

{head}

{flows} whole flows and a program to take and change. Each runs in the tests of the pack
as it stands here, from beginning to end. Their steps come from the pack, so deploy that
first ([how](../deploy.md)); a recipe is deployed by nobody but you.

**Take a flow**: in Windmill, next to *New flow*, choose *Import from YAML* and paste
the file `<name>.flow.yaml` that its page links to. With the command line: put the file
as `flow.yaml` into a folder `x__flow`, then `wmill flow push x__flow f/mine/<name>`.

**Try a flow here**, with no key and no Windmill: the sandbox answers.

    ./dev run recipes/{first} --fast

| recipe | what it does |
|---|---|"""


def _index(root: Path) -> Iterator[str]:
    found = list(recipes(root))
    intro = INDEX.format(head=HEAD, first="failover", flows=len(found))
    yield from intro.splitlines()
    rows = {
        one.name: (one.source["summary"], one.source["description"]) for one in found
    }
    for name in SCRIPTS:
        title, _, text = (root / PAGES / f"{name}.md").read_text().partition("\n\n")
        rows[name] = (title.removeprefix("# "), text.partition("\n\n")[0])
    for name, (title, text) in sorted(rows.items()):
        words = " ".join(text.split())
        yield f"| [{title}]({name}.md) | {words} |"


def _page(recipe: Flow, known: dict[str, str]) -> Iterator[str]:
    source = recipe.source
    yield f"# {source['summary']}"
    yield ""
    yield HEAD
    yield ""
    yield linked(source["description"], known)
    yield ""
    for label in ("needs", "costs", "leaves", "remove"):
        yield f"- **{label.capitalize()}**: {linked(source[label], known)}"
    yield ""
    name = f"{recipe.name}.flow.yaml"
    yield f"The flow to import: [{name}]({name}) ([how](README.md))."
    yield ""
    yield from ("## Arguments", "")
    yield from argument_table(recipe)
    yield from ("", "## Graph", "")
    yield from graph(recipe)
    if "try" in source:
        yield from ("", "## Try it", "")
        given = json.dumps(source["try"], ensure_ascii=False).replace("'", "'\\''")
        yield f"    ./dev run {recipe.id} --fast --args '{given}'"
        yield from ("", "The sandbox answers, without a key. It gives, in short,", "")
    else:
        yield from ("", "## What it gives", "", "For example, in short,", "")
    yield from as_json(source["gives"])
    for module in modules(recipe.value):
        value = module["value"]
        if value["type"] == "rawscript":
            language = {"python3": "python", "postgresql": "sql"}[value["language"]]
            yield from ("", f"## {module['summary']}", "", f"```{language}")
            yield value["content"].rstrip("\n")
            yield "```"
    if source.get("notes"):
        yield from ("", "## To change it", "")
        yield from (f"- {linked(note, known)}" for note in source["notes"])
