"""What a pack offers its users just now, a name each and what holds for it.

A name is several words, such as `argument chat/ask_model prompt`. What holds for an
argument or a field is how it may be given (its types, or the values of its enum), and
whether it is required.
"""

import ast
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from tools.cli.command_line import COMMANDS, parser_of
from tools.flows import expressions
from tools.flows.pack_flows import LOOPS, Flow, flows, is_flow, parts, schedules, target
from tools.operations import Operation
from tools.pages.raised import known_types
from tools.pages.samples import recorded_members

ANYTHING = "anything"  # where a schema names no type
# What these give is the service's, or the flow's that they end.
PASS_ON = ("organization/call_operation", "waits/finish_flow")
Schema = dict


class Terms(NamedTuple):
    """How an argument or field may be given; no kinds for what is not given."""

    kinds: frozenset[str] = frozenset()
    required: bool = False

    @classmethod
    def read(cls, text: str) -> "Terms":
        kinds = text.removesuffix(", required")
        return cls(frozenset(kinds.split(" | ")), kinds != text)

    def __str__(self) -> str:
        return " | ".join(sorted(self.kinds)) + (", required" if self.required else "")


Offer = tuple[str, Terms]


def offers_of(root: Path, scripts: Iterable[Operation]) -> dict[str, Terms]:
    """All of it by its names. Raises ValueError for a flow that cannot be read."""
    all_scripts, all_flows = list(scripts), list(flows(root))
    members = recorded_members(root)
    offers: list[Offer] = [(f"script {one.id}", Terms()) for one in all_scripts]
    offers += [(f"flow {flow.id}", Terms()) for flow in all_flows]
    offers += [(f"schedule {one.name}", Terms()) for one in schedules(root)]
    for one in [*all_scripts, *all_flows]:
        for name, member in one.arguments.items():
            place = f"argument {one.id} {name}"
            offers += _arguments(place, [member], name in one.required)
        if isinstance(one, Flow):
            names = flow_members(one, members)
        else:
            names = set() if one.id in PASS_ON else set(members.get(one.id, ()))
        offers += [(f"result {one.id} {name}", Terms()) for name in sorted(names)]
    offers += [(f"error {one}", Terms()) for one in known_types(root)]
    return dict([*offers, *_error_facts(root), *_fields(root), *_commands()])


def _arguments(place: str, schemas: list[Schema], required: bool) -> Iterator[Offer]:
    """An argument and all within it; `schemas` are those of which one has to hold."""
    ways = [way for schema in schemas for way in schema.get("anyOf", [schema])]
    yield place, Terms(frozenset().union(*map(_kinds, ways)), required)
    if items := [way["items"] for way in ways if way.get("items")]:
        yield from _arguments(f"{place}[]", items, required=False)
    for name in dict.fromkeys(n for way in ways for n in way.get("properties", ())):
        having = [way for way in ways if name in way.get("properties", ())]
        needed = all(name in way.get("required", ()) for way in having)
        inner = [way["properties"][name] for way in having]
        yield from _arguments(f"{place}.{name}", inner, needed)


def _kinds(schema: Schema) -> frozenset[str]:
    """The values of its enum, as JSON, or else its types."""
    if "enum" in schema:
        return frozenset(json.dumps(value) for value in schema["enum"])
    types = schema.get("type", ANYTHING)
    return frozenset([types] if isinstance(types, str) else types)


def flow_members(flow: Flow, members: dict[str, list[str]]) -> set[str]:
    """The names at the top of what a flow returns: what its last node gives, or one
    that ends it in another place. `members` are those of the steps."""
    ends = [flow.value["modules"][-1], *_early_ends(flow.value["modules"])]
    return set().union(*(_names_given(end, flow, members) for end in ends))


def _early_ends(modules: list[dict]) -> Iterator[dict]:
    """The nodes behind which a flow ends, whatever they give."""
    for module in modules:
        if module.get("stop_after_if", {}).get("expr", "").strip() == "true":
            yield module
        if module["value"]["type"] not in LOOPS:
            for inner in parts(module):
                yield from _early_ends(inner)


def _names_given(module: dict, flow: Flow, members: dict[str, list[str]]) -> set[str]:
    value = module["value"]
    if value["type"] == "branchone":
        lasts = [inner[-1] for inner in parts(module) if inner]
        return set().union(*(_names_given(one, flow, members) for one in lasts))
    path = value.get("path", "")
    if path == "waits/finish_flow":
        details = value["input_transforms"].get("details", {})
        return {"message", *expressions.member_names(details.get("expr", "({})"))}
    if is_flow(path):
        inner_flow = target(path, flow.root)
        assert isinstance(inner_flow, Flow)
        return flow_members(inner_flow, members)
    return set(members.get(path, ()))


def _error_facts(root: Path) -> Iterator[Offer]:
    """The attributes that TogetherError declares."""
    file = root / "scripts" / "client" / "errors.py"
    tree = ast.parse(file.read_text(encoding="utf-8") if file.exists() else "")
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == "TogetherError":
            for line in node.body:
                if isinstance(line, ast.AnnAssign):
                    yield f"attribute {ast.unparse(line.target)}", Terms()


def _fields(root: Path) -> Iterator[Offer]:
    """The resource types and their fields."""
    for file in sorted((root / "resources").glob("*.resource-type.yaml")):
        schema = yaml.safe_load(file.read_text(encoding="utf-8"))["schema"]
        kind = file.name.partition(".")[0]
        yield f"resource {kind}", Terms()
        for name, member in schema["properties"].items():
            needed = name in schema.get("required", ())
            yield f"field {kind} {name}", Terms(_kinds(member), needed)


def _commands() -> Iterator[Offer]:
    """The commands of ./dev with which the pack is used, and their options: those of
    the tools that run."""
    parser = parser_of(COMMANDS["Use the pack"])
    for name, command in parser._subparsers._group_actions[0].choices.items():
        yield f"command {name}", Terms()
        for action in command._actions:
            for option in action.option_strings:
                if option.startswith("--"):
                    yield f"option {name} {option}", Terms()
