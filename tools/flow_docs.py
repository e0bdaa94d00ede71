"""FLOWS.md: every flow with its arguments, what it needs, costs and leaves, and its
graph; every schedule."""

import textwrap
from collections.abc import Iterator
from pathlib import Path

from tools.flows import Flow, flows, parts, schedules
from tools.operations import ROOT

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
    lines = [HEAD]
    lines += [
        f"- [{flow.name}](#{flow.name}): {flow.source['summary']}" for flow in found
    ]
    for flow in found:
        lines += ["", *_entry(flow)]
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


SCHEDULES = (
    "They are deployed switched off. Before you switch one on, see to its arguments: "
    "`auth` points to a resource `key` of type `togetherai` in the pack's folder."
)


def _entry(flow: Flow) -> Iterator[str]:
    source = flow.source
    yield f"## {flow.name}"
    yield ""
    inner = " *Inner.*" if flow.inner else ""
    yield from _paragraph(f"{source['description']}{inner}")
    yield ""
    for label, name in (("Needs", "needs"), ("Costs", "costs"), ("Leaves", "leaves")):
        yield from _item(f"{label}: {source[name]}")
    yield ""
    yield "| argument | | what it is |"
    yield "|---|---|---|"
    for name, member in flow.arguments.items():
        needed = "required" if name in flow.required else ""
        yield f"| `{name}` | {needed} | {member['description']} |"
    yield ""
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
        yield from self.sequence(self.flow.value["modules"], "  ", None)
        handler = self.flow.value.get("failure_module")
        if handler:
            yield f"  failure{self.label(handler)}"

    def sequence(
        self, listed: list[dict], indent: str, before: str | None, label: str = ""
    ) -> Iterator[str]:
        for module in listed:
            name = module["id"]
            kind = module["value"]["type"]
            if kind in ("forloopflow", "whileloopflow"):
                yield f'{indent}subgraph {name}["{self.text(module)}"]'
                yield from self.sequence(
                    module["value"]["modules"], indent + "  ", None
                )
                yield f"{indent}end"
            else:
                yield f"{indent}{name}{self.label(module)}"
            if before:
                yield f"{indent}{before} -->{label} {name}"
                label = ""
            if kind in ("branchone", "branchall"):
                branches = module["value"]["branches"]
                for branch, inner in zip(branches, parts(module), strict=False):
                    mark = f'|"{branch["summary"]}"|'
                    yield from self.sequence(inner, indent, name, mark)
                if kind == "branchone":
                    inner = module["value"]["default"]
                    yield from self.sequence(inner, indent, name, '|"otherwise"|')
            before = name

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
        return module["summary"].replace('"', "'")
