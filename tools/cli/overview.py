"""What `./dev`, `./dev list` and `./dev run STEP --help` show."""

import json
import shlex
import textwrap
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from scripts.client.form import OTHER
from tools.cli.plain_numbers import written
from tools.flows.pack_flows import INNER, RECIPES, Flow, readable, returned
from tools.operations import ROOT, Operation, operations, scripts, steps
from tools.schemas.shelves import shelves

WIDTH = 88


def listing(words: list[str]) -> Iterator[str]:
    """The lines of `./dev list`: what there is, or what a group has.

    Raises ValueError for a group that there is not.
    """
    if not words:
        for shelf, ids in shelves(ROOT).items():
            yield shelf
            yield from _rows({id: _first(_script(id)) for id in ids})
            yield ""
        yield "flows"
        yield from _flow_rows(flow for flow in readable(ROOT) if not flow.inner)
        yield ""
        yield "Flows to take and change: ./dev list recipes"
        yield ""
        counts: dict[str, int] = {}
        for operation in operations(ROOT):
            counts[operation.group] = counts.get(operation.group, 0) + 1
        yield "The API's own operations, by group (./dev list GROUP shows one):"
        told = ", ".join(f"{group} {count}" for group, count in counts.items())
        yield from textwrap.wrap(
            told, WIDTH, initial_indent="  ", subsequent_indent="  "
        )
        return
    groups = sorted({one.group for one in scripts(ROOT)})
    for word in words:
        group = word.strip("/")
        if group in ("flows", "flow"):
            yield from _flow_rows(readable(ROOT))
        elif group == INNER:
            yield from _flow_rows(flow for flow in readable(ROOT) if flow.inner)
        elif group == RECIPES:
            from tools.pages import recipes  # whose pages are made with this module

            yield from _flow_rows(recipes.readable(ROOT))
        elif group in ("operations", "steps"):
            found = operations(ROOT) if group == "operations" else steps(ROOT)
            yield from _rows({one.id: one.schema["title"] for one in found})
        elif ids := _shelf(group):
            yield from _rows({id: _first(_script(id)) for id in ids})
        elif group in groups:
            mine = [one for one in scripts(ROOT) if one.group == group]
            mine.sort(key=lambda one: one.step is None)
            yield from _rows({one.id: one.schema["title"] for one in mine})
        else:
            close = get_close_matches(group, groups, 2, 0.5)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            raise ValueError(
                f"no group {group}{hint or '.'} There are: flows, inner, recipes, "
                f"steps, operations, {', '.join(groups)}"
            )


def described(found: Operation | Flow) -> Iterator[str]:
    """The lines of `./dev run STEP --help`: what it does, takes and gives back."""
    source = found.schema if isinstance(found, Operation) else found.source
    title = source["title"] if isinstance(found, Operation) else source["summary"]
    yield f"{found.id}: {title}"
    yield ""
    yield from textwrap.wrap(source["description"], WIDTH)
    yield ""
    yield "Arguments:"
    arguments = dict(found.arguments)
    if not arguments:
        yield "  none"
    for name, member in arguments.items():
        yield from _argument(name, member, name in found.required, "  ")
    if isinstance(found, Flow):
        yield from _flow(found)
    else:
        yield ""
        yield from textwrap.wrap(f"Gives: {source['x-returns']}", WIDTH)
        examples = source["examples"]
        yield ""
        yield "Example:" if len(examples) == 1 else "Examples, the least and the most:"
        for example in (examples[0], examples[-1])[: len(examples)]:
            if not example:
                yield f"  ./dev run {found.id}"
                continue
            text = shlex.quote(json.dumps(example, ensure_ascii=False))
            yield f"  ./dev run {found.id} --args {text}"
        yield ""
        yield f"With a result and more: {found.page}"


WORDS = ("gives", "needs", "costs", "leaves", "remove")  # of a flow


def _flow(flow: Flow) -> Iterator[str]:
    """What a flow needs, costs, leaves and gives, and how to try it."""
    source = flow.source
    told = {name: source[name] for name in WORDS if name in source}
    if not flow.recipe and (gives := returned(flow)):
        told = {"gives": gives, **told}
    yield ""
    for name, said in told.items():
        text = said if isinstance(said, str) else json.dumps(said)
        yield from textwrap.wrap(f"{name.capitalize()}: {text}", WIDTH)
    if flow.recipe:
        examples = [source["try"]] if "try" in source else []
    else:
        examples = source["arguments"].get("examples", [])
    if examples:
        yield ""
        yield "Example:" if len(examples) == 1 else "Examples, the least and the most:"
    for example in (examples[0], examples[-1])[: len(examples)] if examples else ():
        text = shlex.quote(json.dumps(example, ensure_ascii=False))
        given = f" --args {text}" if example else ""
        yield f"  ./dev run {flow.id} --fast{given}"
    if not flow.recipe:
        yield ""
        yield f"With its graph: {flow.page}"


def kind(member: dict) -> str:
    """What an argument takes, in a word or two: of a file, a list, a choice."""
    if "x-file" in member or member.get("format") == "binary":
        return "file"
    if "anyOf" in member:
        return " or ".join(dict.fromkeys(kind(one) for one in member["anyOf"]))
    kinds = member.get("type", "anything")
    named = {"string": "text", "array": "list"}
    listed = kinds if isinstance(kinds, list) else [kinds]
    words = [named.get(one, one) for one in listed]
    if kinds == "array" and "items" in member:
        words = [f"list of {kind(member['items'])}"]
    if member.get("format") in ("date-time", "json-schema"):
        words = [{"date-time": "time", "json-schema": "JSON Schema"}[member["format"]]]
    return " or ".join(words)


def allowed(member: dict) -> str:
    """The values of a closed choice, or the bounds of a number; else nothing."""
    if member.get("enum"):
        return "one of " + ", ".join(_plain(value) for value in member["enum"])
    low, high = member.get("minimum"), member.get("maximum")
    if low is not None and high is not None:
        return f"{_plain(low)} to {_plain(high)}"
    if low is not None:
        return f"at least {_plain(low)}"
    return f"at most {_plain(high)}" if high is not None else ""


def suggested(member: dict) -> str:
    """The values that the form of an argument, or of a list's items, suggests."""
    for one in (member, member.get("items", {}), *member.get("anyOf", ())):
        if listed := one.get("x-suggestions"):
            return f"such as {', '.join(listed)}"
    return ""


def default(member: dict) -> str | None:
    """The default of an argument as one would write it; None where there is none."""
    value = member.get("default")
    return None if value is None or value == OTHER else _plain(value)


def _argument(name: str, member: dict, needed: bool, indent: str) -> Iterator[str]:
    facts = [kind(member)]
    if needed:
        facts.append("required")
    if own := default(member):
        facts.append(f"default {own}")
    title = member.get("title")
    heading = f"{name} ({', '.join(facts)})"
    yield indent + (f"{heading}: {title}" if title else heading)
    text = ". ".join(
        part[:1].upper() + part[1:].rstrip(".")
        for part in (member.get("description"), allowed(member), suggested(member))
        if part
    )
    if text:
        inner = indent + "    "
        yield from textwrap.wrap(
            f"{text}.", WIDTH, initial_indent=inner, subsequent_indent=inner
        )
    members = member.get("properties") or member.get("items", {}).get("properties", {})
    required = member.get("required") or member.get("items", {}).get("required", [])
    for inner_name, inner_member in members.items():
        yield from _argument(
            inner_name, inner_member, inner_name in required, indent + "    "
        )


def _plain(value: object) -> str:
    return value if isinstance(value, str) and value else written(value)


def _shelf(word: str) -> list[str]:
    """The steps under the heading that begins so, or none."""
    found = [ids for shelf, ids in shelves(ROOT).items() if _starts(shelf, word)]
    return found[0] if len(found) == 1 else []


def _starts(shelf: str, word: str) -> bool:
    return shelf.lower().startswith(word.lower().replace("_", " ").replace("-", " "))


def _script(id: str) -> Operation:
    group, name = id.split("/")
    return Operation(ROOT, group, name)


def _first(step: Operation) -> str:
    """The first sentence of what a step does."""
    return step.schema["description"].partition(". ")[0].rstrip(".") + "."


def _flow_rows(found: Iterable[Flow]) -> Iterator[str]:
    # One without a title is told of by `check`.
    return _rows({flow.id: str(flow.source.get("summary", "")) for flow in found})


def _rows(found: dict[str, str]) -> Iterator[str]:
    width = max((len(id) for id in found), default=0)
    for id, text in found.items():
        yield f"  {id:<{width}}  {text}"
