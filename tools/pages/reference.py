"""docs/reference/: a page for every step and operation, with what it takes, costs and
gives back, for each group a list of them, and one page that leads to all, flows too.
Rendered from the schemas, as OPERATIONS.md is, which leads there.
"""

import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.cli.overview import allowed, default, kind, suggested
from tools.cli.plain_numbers import written
from tools.flows.pack_flows import Flow, flows, modules
from tools.operations import Operation, scripts
from tools.pages.raised import own_errors
from tools.pages.samples import recorded
from tools.schemas.shelves import shelves

FOLDER = "docs/reference"
LIST = "README.md"  # of a group, and of all
FORMS = "docs/forms"  # pictures, by ./dev screenshots
MOST = 2500  # characters of an example that are shown
MOST_RELATED = 8
ERRORS = "../../errors.md"
RETRIES = {
    "read": "Sent again, up to four times, after any passing failure.",
    "inference": "Sent again, up to four times, after any passing failure.",
    "creates": "Sent again only if the first try certainly did nothing.",
    "mutates": "Sent again only if the first try certainly did nothing.",
}
HEAD = "<!-- Rendered from schemas/ by `./dev fix`; edit those, not this. -->"


def pages(root: Path, found: Iterable[Operation]) -> dict[str, str]:
    """The texts of the pages, by their paths."""
    groups: dict[str, list[Operation]] = {}
    for one in found:
        groups.setdefault(one.group, []).append(one)
    pictured = {path.stem for path in (root / FORMS).glob("*.png")}
    related = _related(root, groups)
    about = About(_users(root), recorded(root), related, pictured, places(root))
    found_pages = {f"{FOLDER}/{LIST}": _text_of(_index(root, groups))}
    for group, members in groups.items():
        found_pages[f"{FOLDER}/{group}/{LIST}"] = _text_of(_listed(group, members))
        for one in members:
            found_pages[one.page] = _text_of(_page(one, about))
    return found_pages


def _text_of(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


def catalogue(found: Iterable[Operation], root: Path) -> str:
    """The text of OPERATIONS.md: the steps above the API, as a person looks for them,
    then every operation."""
    rows = list(found)
    steps = {row.id: row for row in rows if row.step is not None}
    operations = [row for row in rows if row.step is None]
    lines = [
        "# Operations",
        "",
        "<!-- Rendered from schemas/ by `./dev fix`; edit those, not this. -->",
        "",
        "Steps do a whole job with operations, which are the API as it is. Either is a "
        "script at the path `f/togetherai/<name>`; the names below lead to arguments, "
        "result and example.",
    ]
    for heading, ids in shelves(root).items():
        listed = [steps[id] for id in ids if id in steps]
        if listed:
            lines += ["", f"## {heading}", "", "| step | what it does |", "|---|---|"]
            lines += [f"| {link(s)} | {s.schema['description']} |" for s in listed]
    lines += [
        "",
        f"## The API, {len(operations)} operations",
        "",
        "The last column links to the page of [Together's reference]"
        "(https://docs.together.ai/reference) where it is known.",
    ]
    group = None
    for operation in operations:
        if operation.group != group:
            group = operation.group
            lines += [
                "",
                f"### {group}",
                "",
                "| operation | what it does | request | reference |",
                "|---|---|---|---|",
            ]
        exchange = operation.exchange
        docs = f"[docs]({exchange['docs']})" if "docs" in exchange else ""
        lines.append(
            f"| {link(operation)} | {operation.schema['title']} "
            f"| `{exchange['method']} {exchange['path']}` | {docs} |"
        )
    return "\n".join(lines) + "\n"


def link(one: Operation, start: str = f"{FOLDER}/") -> str:
    """Where the reference has it, from a page whose way there begins with `start`."""
    return f"[`{one.id}`]({start}{one.id}.md)"


def argument_table(found: Operation | Flow) -> Iterator[str]:
    """The lines of a table of arguments, as the form and as a flow name them."""
    if not found.arguments:
        yield "It takes nothing but `auth`."
        return
    yield "| argument | in the form | type | default | what it is |"
    yield "|---|---|---|---|---|"
    yield from _rows(found.arguments, set(found.required), "")


def _rows(members: dict[str, dict], required: set[str], before: str) -> Iterator[str]:
    for name, member in members.items():
        value = default(member)
        own = f"`{value}`" if value else ""
        if name in required:
            own = "**required**"
        facts = (allowed(member), suggested(member))
        parts = (member.get("description", ""), *(f[:1].upper() + f[1:] for f in facts))
        text = " ".join(f"{part.rstrip('.')}." for part in parts if part)
        cells = (
            f"`{before}{name}`",
            _cell(member.get("title", "")),
            _cell(kind(member)),
            own.replace("|", "\\|"),
            _cell(text),
        )
        yield f"| {' | '.join(cells)} |"
        inner, sign = member, "."
        if member.get("type") == "array":
            inner, sign = member.get("items", {}), "[]."
        if inner.get("properties"):
            needed = set(inner.get("required", []))
            yield from _rows(inner["properties"], needed, f"{before}{name}{sign}")


@dataclass(frozen=True)
class About:
    """What is known of scripts beyond their schemas, by their ids."""

    users: dict[str, set[str]]  # the flows that have it as a step
    results: dict[str, object]
    related: dict[str, list[str]]
    pictured: set[str]  # the names of those whose form has a picture
    places: dict[str, str]  # of steps and flows, from a page of the reference


INDEX = """\
# Reference

{head}

A page for each step, operation and flow: its arguments, an example, the result, the
errors. [OPERATIONS.md](../../OPERATIONS.md) has the steps by what one wants to do, and
says what each does; [the recipes](../recipes/README.md) are whole flows to change."""


def _index(root: Path, groups: dict[str, list[Operation]]) -> Iterator[str]:
    """The page that leads to all others, a group after the other."""
    yield from INDEX.format(head=HEAD).splitlines()
    for group, members in groups.items():
        yield from ("", f"## {group}", "")
        for heading, listed in _parted(members):
            links = [f"[{one.name}]({one.id}.md)" for one in listed]
            yield f"- [{heading}]({group}/{LIST}): {', '.join(links)}"
    known = list(flows(root)) if (root / "flows").exists() else []
    if known:
        yield from ("", "## flows", "")
    for heading, inner in (("Flows", False), ("Inner flows", True)):
        links = [f"[{f.name}](flows/{f.name}.md)" for f in known if f.inner == inner]
        if links:
            yield f"- [{heading}](../../FLOWS.md): {', '.join(links)}"


def _parted(members: list[Operation]) -> Iterator[tuple[str, list[Operation]]]:
    """The steps of a group, and its operations, each with a heading."""
    for heading, is_step in (("Steps", True), ("Operations of the API", False)):
        found = [one for one in members if (one.step is not None) == is_step]
        if found:
            yield heading, found


def _listed(group: str, members: list[Operation]) -> Iterator[str]:
    yield f"# {group}"
    yield ""
    yield HEAD
    yield ""
    yield f"A group of [the reference](../{LIST})."
    for heading, listed in _parted(members):
        yield ""
        yield f"## {heading}"
        yield ""
        for one in listed:
            yield f"- [{one.name}]({one.name}.md): {_text(one.schema['title'])}"


def _page(one: Operation, about: About) -> Iterator[str]:
    schema = one.schema
    yield f"# {one.name}"
    yield ""
    yield HEAD
    yield ""
    yield (
        f"**{_cell(schema['title'])}**, `f/togetherai/{one.id}`, "
        f"of [{one.group}]({LIST})"
    )
    yield ""
    yield prose(schema["description"], about.places, one.id)
    if one.name in about.pictured:
        yield ""
        yield f"![The form of {schema['title']}](../../forms/{one.name}.png)"
    yield ""
    yield "## Arguments"
    yield ""
    if one.arguments:
        yield "Beside `auth`, a resource of the type `togetherai`:"
        yield ""
    yield from argument_table(one)
    yield ""
    gives = prose(_lower(schema["x-returns"]), about.places, one.id)
    yield f"**Gives** {gives}"
    for number, example in enumerate(_examples(schema["examples"])):
        yield ""
        yield "## Example" if not number else "With all it takes:"
        yield ""
        yield from as_json(example)
        if one.id in about.results and not number:
            yield ""
            yield "It then gives, where the sandbox answers:"
            yield ""
            yield from as_json(about.results[one.id])
    if schema.get("x-reply") not in (None, {}, []):
        yield ""
        yield "<details><summary>What the API answers, for example</summary>"
        yield ""
        yield from as_json(schema["x-reply"])
        yield ""
        yield "</details>"
    yield ""
    yield "## Good to know"
    yield ""
    yield from _facts(one, about)


def _facts(one: Operation, about: About) -> Iterator[str]:
    users = about.users.get(one.id, set())
    marked = re.search(r"\((costs money|cannot be undone)\)", one.schema["title"])
    if marked:
        yield f"- This {marked[1]}; `./dev run` asks before it."
    if one.step is None:
        exchange = one.exchange
        request = f"`{exchange['method']} {exchange['path']}`"
        docs = f", [Together's page]({exchange['docs']})" if "docs" in exchange else ""
        yield f"- Request: {request}{docs}"
        yield f"- {RETRIES[exchange['retry']]}"
        if "find" in exchange:
            finder = exchange["find"]
            yield f"- Whether a request that broke off was carried out: `{finder}`"
    elif "budget_usd" in one.arguments:
        yield "- What it cost is in `cost_usd`; `budget_usd` keeps it from more."
    if one.step == "trigger":
        yield "- A trigger: put it on a schedule, as the first step of a flow."
    if one.step == "approval":
        yield "- An approval: the step needs Suspend in its settings."
    if one.step is not None and (types := own_errors(one)):
        named = ", ".join(f"`{name}`" for name in types)
        yield f"- Errors, beside [those of any request]({ERRORS}): {named}"
    else:
        yield f"- Errors, and what to do: [those of any request]({ERRORS})"
    if one.id in about.related:
        named = ", ".join(f"[{id}](../{id}.md)" for id in about.related[one.id])
        yield f"- Related: {named}"
    if users:
        named = ", ".join(f"[{name}](../flows/{name}.md)" for name in sorted(users))
        yield f"- Used by the flows {named}."
    yield f"- By hand: `./dev run {one.id} --help`"


def _examples(examples: list[dict]) -> list[dict]:
    """The least and the most; the most where it can be read."""
    most = examples[-1]
    alone = len(examples) == 1 or len(json.dumps(most)) > MOST
    return examples[:1] if alone else [examples[0], most]


def as_json(value: object) -> Iterator[str]:
    """The lines of a value in Markdown, cut where it is long."""
    text = written(value, indent=2)
    if len(text) > MOST:
        kept = text[:MOST].rpartition("\n")[0]
        text = f"{kept}\n..."
    yield "```json" if not text.endswith("\n...") else "```"
    yield text
    yield "```"


def _users(root: Path) -> dict[str, set[str]]:
    """The flows that have a script as a step, by the script's id."""
    found: dict[str, set[str]] = {}
    if (root / "flows").exists():
        for flow in flows(root):
            for module in modules(flow.value):
                found.setdefault(module["value"].get("path", ""), set()).add(flow.name)
    return found


def _related(root: Path, groups: dict[str, list[Operation]]) -> dict[str, list[str]]:
    """By the id of a script those that its own texts name, and of a step also those
    under the same heading."""
    known = {one.id: one for members in groups.values() for one in members}
    shelf = {id: ids for ids in shelves(root).values() for id in ids}
    found = {}
    for id, one in known.items():
        words = json.dumps(one.schema, ensure_ascii=False)
        named = [
            name for name in re.findall(r"\b[a-z_]+/[a-z_]+\b", words) if name != id
        ]
        near = [name for name in shelf.get(id, []) if name != id]
        all_of_them = dict.fromkeys([*named, *near])
        listed = [name for name in all_of_them if name in known]
        if listed:
            found[id] = listed[:MOST_RELATED]
    return found


def places(root: Path, up: str = "../") -> dict[str, str]:
    """Where a page finds those of steps and flows, by their ids; `up` leads from it to
    the reference, and is that of a page of the reference itself."""
    found: list[Operation | Flow] = list(scripts(root))
    if (root / "flows").exists():
        found += flows(root)
    start = f"{FOLDER}/"
    return {one.id: up + one.page.removeprefix(start) for one in found}


def prose(text: str, places: dict[str, str], own: str = "") -> str:
    """A text as Markdown, in which the name of a step or flow, other than its own,
    leads to its page."""
    parts = re.split(r"\b([a-z_]+/[a-z_]+)\b", text)
    return "".join(
        f"[{part}]({places[part]})" if part in places and part != own else _text(part)
        for part in parts
    )


def linked(markdown: str, places: dict[str, str]) -> str:
    """The same of what is Markdown already, where such a name may be code."""

    def link(found: re.Match[str]) -> str:
        id = found[1]
        return f"[{id}]({places[id]})" if id in places else found[0]

    return re.sub(r"`?\b([a-z_]+/[a-z_]+)\b`?", link, markdown)


def _text(text: str) -> str:
    return html.escape(text, quote=False).replace("*", "\\*").replace("_", "\\_")


def _cell(text: str) -> str:
    return _text(text).replace("|", "\\|")


def _lower(text: str) -> str:
    """A sentence that goes on another one."""
    first = text.split(" ")[0]
    return text if first.isupper() and len(first) > 1 else text[:1].lower() + text[1:]
