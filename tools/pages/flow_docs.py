"""FLOWS.md, the list of flows and schedules, and a page for every flow with its
arguments, what it returns, needs and leaves, and its graph."""

import textwrap
from collections.abc import Generator, Iterator
from pathlib import Path

from tools.flows.pack_flows import (
    LOOPS,
    Flow,
    flows,
    is_flow,
    modules,
    parts,
    returned,
    schedules,
)
from tools.operations import ROOT
from tools.pages.reference import argument_table, as_json, places, prose

PAGE = "FLOWS.md"
HEAD = """\
# Flows

Ready flows for Windmill, deployed with the scripts. The path of a flow is
`f/togetherai/flows/<name>`; each has a form. Run one as it is, use it as a step of your
own, or fork it. Those marked *inner* are steps for other flows, at
`f/togetherai/inner/<name>`: they have no error handler, so that the outer flow's runs
when they fail.

A flow that is cancelled in Windmill runs nothing more, not even its error handler. A
flow that makes something costly at Together therefore starts a guard first: a flow of
its own that watches, and stops it.

Rendered from flows/ and schedules/ by `./dev fix`; edit those, not this.
"""


def page(root: Path = ROOT) -> str:
    """The text of FLOWS.md."""
    found = sorted(flows(root), key=lambda flow: (flow.inner, flow.name))
    known = places(root, "docs/reference/")
    lines = [HEAD]
    for flow in found:
        inner = " *Inner.*" if flow.inner else ""
        told = prose(_first(flow), known, flow.id)
        summary = flow.source["summary"].rstrip(".")
        lines.append(f"- [{flow.name}]({flow.page}): **{summary}**. {told}{inner}")
    planned = list(schedules(root))
    if planned:
        lines += ["", "## Schedules", "", *_paragraph(SCHEDULES), ""]
        lines += ["| schedule | when | runs | what for |", "|---|---|---|---|"]
        for schedule in planned:
            source = schedule.source
            when = f"`{source['schedule']}` {source['timezone']}"
            cells = (f"`{schedule.name}`", when, f"`{source['runs']}`")
            lines.append(f"| {' | '.join(cells)} | {source['description']} |")
    return "\n".join(lines) + "\n"


def _first(flow: Flow) -> str:
    """The first sentence of what a flow does."""
    return flow.source["description"].partition(". ")[0].rstrip(".") + "."


SCHEDULES = (
    "They are deployed switched off. Before you switch one on, see to its arguments: "
    "`auth` points to a resource `key` of type `togetherai` in the pack's folder."
)


def pages(root: Path = ROOT) -> dict[str, str]:
    """The texts of the flows' own pages, by their paths."""
    known = places(root)
    return {flow.page: "\n".join(_entry(flow, known)) + "\n" for flow in flows(root)}


def _entry(flow: Flow, known: dict[str, str]) -> Iterator[str]:
    source = flow.source
    yield f"# {flow.name}"
    yield ""
    yield "<!-- Rendered from flows/ by `./dev fix`; edit those, not this. -->"
    yield ""
    inner = ", an inner one" if flow.inner else ""
    yield (
        f"**{source['summary'].rstrip('.')}**, `f/togetherai/{flow.id}`, "
        f"of [the flows](../../../{PAGE}){inner}"
    )
    yield ""
    yield from _paragraph(prose(source["description"], known, flow.id))
    yield ""
    if returns := returned(flow):
        yield from _item(f"Returns: {prose(returns, known, flow.id)}")
    for name in ("needs", "costs", "leaves", "remove"):
        if name in source:
            told = prose(source[name], known, flow.id)
            yield from _item(f"{name.capitalize()}: {told}")
    if steps := sorted(path for path in _paths(flow) if not is_flow(path)):
        links = ", ".join(f"[{path}](../{path}.md)" for path in steps)
        yield f"- Steps: {links}"
    if inner_flows := sorted(path for path in _paths(flow) if is_flow(path)):
        names = (path.rpartition("/")[2] for path in inner_flows)
        yield f"- Flows in it: {', '.join(f'[{name}]({name}.md)' for name in names)}"
    yield f"- By hand: `./dev run {flow.id} --help`"
    yield ""
    yield "## Arguments"
    yield ""
    yield from argument_table(flow)
    yield ""
    yield "## Example"
    yield ""
    yield from as_json(source["arguments"]["examples"][0])
    yield ""
    yield "## Graph"
    yield ""
    yield from graph(flow)


def _paths(flow: Flow) -> set[str]:
    """What it runs, by id."""
    return {m["value"]["path"] for m in modules(flow.value) if "path" in m["value"]}


def graph(flow: Flow) -> Iterator[str]:
    """The lines of a flow's graph, for a page in Markdown."""
    yield "```mermaid"
    yield "flowchart TD"
    yield from _Graph(flow).lines()
    yield "```"


def _paragraph(text: str) -> list[str]:
    return textwrap.wrap(text, 92, break_on_hyphens=False)


def _item(text: str) -> list[str]:
    return textwrap.wrap(
        text, 92, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False
    )


class _Graph:
    """The steps of a flow as a Mermaid flowchart."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def lines(self) -> Iterator[str]:
        yield from self.sequence(self.flow.value["modules"], "  ", [])
        handler = self.flow.value.get("failure_module")
        if handler:
            yield f"  {self.node(handler)}{self.label(handler)}"

    def sequence(
        self, listed: list[dict], indent: str, ends: list[tuple[str, str]]
    ) -> Generator[str, None, list[tuple[str, str]]]:
        """The lines of steps that follow one another. `ends` are the nodes from which
        the first is reached, each with the label of its edge; returned are those from
        which what follows is reached: none where the flow has ended."""
        for module in listed:
            name = self.node(module)
            kind = module["value"]["type"]
            if kind in LOOPS:
                yield f'{indent}subgraph {name}["{self.text(module)}"]'
                inner = module["value"]["modules"]
                yield from self.sequence(inner, indent + "  ", [])
                yield f"{indent}end"
            elif kind == "aiagent":
                yield from self.agent(module, indent)
            else:
                yield f"{indent}{name}{self.label(module)}"
            for before, label in ends:
                yield f"{indent}{before} -->{label} {name}"
            ends = [(name, "")]
            if kind in ("branchone", "branchall"):
                ends = yield from self.branches(module, indent)
            if module.get("stop_after_if", {}).get("expr", "").strip() == "true":
                ends = []
        return ends

    def agent(self, module: dict, indent: str) -> Iterator[str]:
        """An agent, and the tools that it may use at its side."""
        name = self.node(module)
        yield f'{indent}{name}{{{{"{self.text(module)}"}}}}'
        tools = "<br/>".join(tool["path"] for tool in module["value"]["tools"])
        yield f'{indent}{name}_tools["<i>{tools}</i>"]'
        yield f'{indent}{name} -. "as often as it needs" .- {name}_tools'

    def branches(
        self, module: dict, indent: str
    ) -> Generator[str, None, list[tuple[str, str]]]:
        """The branches of a step side by side; what follows is reached from the end of
        each, or from the step itself where a branch is empty."""
        value, name = module["value"], self.node(module)
        labels = [branch["summary"] for branch in value["branches"]]
        if value["type"] == "branchone":
            labels.append("otherwise")
        ends: list[tuple[str, str]] = []
        for label, inner in zip(labels, parts(module), strict=True):
            ends += yield from self.sequence(
                inner, indent, [(name, f'|"{self.plain(label)}"|')]
            )
        return ends

    def node(self, module: dict) -> str:
        """A step's name in the graph; Mermaid has words of its own, such as end."""
        return f"s_{module['id']}"

    def label(self, module: dict) -> str:
        value = module["value"]
        text = self.text(module)
        if value["type"] == "branchone":
            return f'{{"{text}"}}'
        if "path" in value:
            text = f"{text}<br/><i>{value['path']}</i>"
        if module["id"] == "failure":
            return f'[["{text}"]]'
        if value["type"] == "flow":
            return f'[["{text}"]]'
        return f'(["{text}"])' if "suspend" in module else f'["{text}"]'

    def text(self, module: dict) -> str:
        return self.plain(module["summary"])

    def plain(self, text: str) -> str:
        return text.replace('"', "'")
