"""From a schema to its script, and to the catalogue of all scripts."""

import json
import keyword
import textwrap
from collections.abc import Iterable

from scripts.client.form import SWITCH
from scripts.operations import EXCHANGE as OF_EXCHANGE
from tools.operations import Operation, has_own_default
from tools.schemas.form import (
    is_choice,
    is_file,
    is_switch,
    members,
    row_fields,
    row_key,
    shared_member,
)
from tools.schemas.form_visibility import closed, has_rows, hints

WIDTH = 88
INNER = WIDTH - 4  # of what is indented once more in the end
WIDE = 120  # of a compact table
SHORT = 12  # lines of a table that need not be compact

# What the helper needs to know of an argument; titles only where they name a variant,
# or an argument of a step by whose name nobody would guess its title.
CHECKED = (
    "type",
    "enum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "pattern",
    "required",
    "x-in",
    "x-wire",
    "x-file",
    "x-id-of",
)
EXCHANGE = ("method", "path", "retry", *OF_EXCHANGE)
KINDS_OF_ROWS = ("string", "integer", "number")
TYPES = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "array": "list",
    "object": "dict",
    "null": "None",
}


def script(operation: Operation) -> str:
    """The text of scripts/<group>/<name>.py."""
    types = _Types()
    body = operation.arguments.get("body")
    if body is not None:
        types.add("Body", body)
    signature = ["auth: togetherai"]
    for name, member in operation.arguments.items():
        signature.append(_parameter(operation, name, member))
    name = "OPERATION" if operation.step is None else "STEP"
    # Through `run`, so that an error that a person can act on shows no stack of ours.
    passed = [operation.verb, "auth", name]
    passed += [f"{argument}={argument}" for argument in operation.arguments]
    parts = [
        "# skip_result_postprocessing\n",
        f'"""{_docstring(operation)}"""\n',
        f"\n{_imports(operation)}",
        types.text(),
        _pickers(operation),
        f"\n\ndef main({_fit(signature, 'def main(', '):')}):\n",
        f"    return run({_fit(passed, '    return run(', ')', 4)})\n\n\n",
        *_assigned(name, _table(operation)),
    ]
    return "".join(parts)


def _assigned(name: str, table: dict) -> list[str]:
    """The table, below main, which a reader looks for: as ruff format lays it out where
    that is short."""
    text = literal(table, len(name) + 3)
    if text.count("\n") < SHORT:
        return [f"{name} = {text}\n"]
    return ["# fmt: off\n", f"{name} = {compact(table, 0, len(name) + 3)}\n"]


def _table(operation: Operation) -> dict:
    """What the helper needs to know: the exchange, and the arguments to check by."""
    arguments = {
        "required": operation.required,
        "properties": {
            # The body itself is no choice, whether it is required or not.
            name: checked(member, name == "body" or name in operation.required)
            for name, member in operation.arguments.items()
        },
    }
    for name in operation.required:
        _without_least(arguments["properties"][name])
    if not operation.required:
        del arguments["required"]
    for name, member in operation.arguments.items():
        if "default" in member and has_own_default(operation, member):
            arguments["properties"][name]["default"] = member["default"]
    if operation.step is not None:
        for name, member in operation.arguments.items():
            if member.get("title", name).lower().replace(" ", "_") != name.lower():
                arguments["properties"][name]["title"] = member["title"]
        return {"arguments": arguments}
    exchange = operation.exchange
    table = {key: exchange[key] for key in EXCHANGE if key in exchange}
    return {**table, "arguments": arguments}


def _imports(operation: Operation) -> str:
    """One line for each of our modules that the script needs."""
    needed = {"client": {"run", "togetherai"}}
    if operation.step is not None:
        needed[operation.module] = {operation.verb}
        if pickers(operation.arguments):
            needed["catalog.model_picker"] = {"choices"}
    elif operation.realtime:
        needed["realtime_audio"] = {operation.verb}
    else:
        needed["client"].add(operation.verb)
    return "".join(
        f"from ..{module} import {', '.join(sorted(names))}\n"
        for module, names in sorted(needed.items())
    )


def lists(operations: Iterable[Operation]) -> str:
    """Which operation lists what is under a path: the text of scripts/lists.py."""
    found = list(operations)
    listing = {o.exchange["path"]: o.id for o in found if o.exchange["method"] == "GET"}
    above = {
        path[:end]
        for path in (o.exchange["path"] for o in found)
        for end in range(len(path))
        if path.startswith("/{", end)
    }
    table = {path: listing[path] for path in sorted(above & listing.keys())}
    return (
        '"""Which operation lists what is under a path, for the advice after a 404.\n\n'
        "Rendered from schemas/; edit those, not this.\n"
        '"""\n\n'
        f"LISTS = {literal(table, 8)}\n"
    )


def pickers(arguments: dict) -> dict[str, dict]:
    """The arguments for which the form offers models."""
    return {name: m for name, m in arguments.items() if "x-models" in m}


def picker_type(name: str, schema: dict) -> str:
    """The annotation by which Windmill knows a dynamic select."""
    kind = "Multiselect" if schema.get("type") == "array" else "Select"
    return f"Dyn{kind}_{name}"


def _pickers(operation: Operation) -> str:
    """What Windmill's form calls for the choices of each picker: a function of the
    argument's own name."""
    found = pickers(operation.arguments)
    lines = []
    for name, schema in found.items():
        kind = "list" if schema.get("type") == "array" else "str"
        lines.append(f"{picker_type(name, schema)} = {kind}\n")
    functions = [f"\n\n{picker(name, schema)}\n" for name, schema in found.items()]
    return "\n" + "".join(lines + functions) if lines else ""


def picker(name: str, schema: dict) -> str:
    """The function that returns the choices. Of several models, those that the list
    lacks have an argument of the step's own."""
    task, several = schema["x-models"], schema["type"] == "array"
    more = ", other=False" if several else ""
    return (
        f'def {name}(filterText: str = "", auth=None):\n'
        f'    return choices("{task}", auth, filterText{more})'
    )


def checked(
    schema: dict, required: bool = False, asked: bool = True, variant: bool = False
) -> dict:
    """The part of a schema that the helper checks arguments by, and what it has to take
    away of what the form adds.

    `required` is whether the value is; `asked` whether the form has fields for it at
    all; `variant` whether it is one of a union's, behind a button of its own.
    """
    kept = {key: schema[key] for key in CHECKED if schema.get(key) not in (None, [])}
    if "pattern" in schema:
        kept["description"] = schema["description"]  # which is told when it refuses
    if variant and "title" in schema:
        kept["title"] = schema["title"]
    if schema.get("format") == "binary":
        kept |= {"format": "binary", "x-file": schema.get("x-file", "bytes")}
    if schema.get("format") == "json-schema":
        kept["format"] = "json-schema"
    shown = hints(schema).get("show")
    if asked and not variant and not shown and is_choice(schema, required):
        kept["x-choice"] = True
    if "properties" in schema:
        kept |= _checked_members(schema, asked, variant)
    if isinstance(schema.get("items"), dict):
        kept |= _checked_items(schema["items"], asked)
    if isinstance(schema.get("additionalProperties"), dict):
        others = checked(schema["additionalProperties"], asked=False)
        kept["additionalProperties"] = others
    if "anyOf" in schema:
        one_asked = asked and (shown or closed(schema) is None)
        kept["anyOf"] = [
            {**checked(v, required, v.get("title") == shown), **_titled(v)}
            if shown
            else checked(v, required, one_asked, variant=True)
            for v in schema["anyOf"]
        ]
    return kept


def _titled(variant: dict) -> dict:
    return {"title": variant["title"]} if "title" in variant else {}


def _checked_members(schema: dict, asked: bool, told: bool) -> dict:
    """The members of an object; `told` is whether they tell it from other variants."""
    found: dict = {"properties": {}}
    groups = hints(schema).get("groups", {})
    alone = {name for own in groups.values() for name in own["of"].values()}
    for name, member in schema["properties"].items():
        needed = name in schema.get("required", ()) or name in alone
        own_asked = asked and "hidden" not in hints(member)
        found["properties"][name] = checked(member, needed, own_asked)
        if name in schema.get("required", ()) and not told:
            _without_least(found["properties"][name])
    if not asked:
        return found
    if SWITCH in members(schema)["properties"]:
        found["x-advanced"] = True
    if groups:
        found["x-groups"] = {group: own["of"] for group, own in groups.items()}
    for name, member in schema["properties"].items():
        if isinstance(hints(member).get("hidden"), dict):
            (other,) = hints(member)["hidden"].items()
            found.setdefault("x-hidden", {})[name] = list(other)
    return found


def _without_least(kept: dict) -> None:
    """What is required is not empty anyway."""
    for key in ("minLength", "minItems"):
        if kept.get(key) == 1:
            del kept[key]


def _checked_items(items: dict, asked: bool) -> dict:
    """What is to be known of the rows of a list."""
    if asked and is_file(items):
        return {"items": checked(items, True), "x-row": "source"}
    if asked and "rows" in hints(items):
        return {"items": checked(items, True), "x-row": "text"}
    if asked and "anyOf" in items and "show" not in hints(items):
        return {"items": _checked_rows(items)}
    asked = asked and bool(items.get("properties") or "show" in hints(items))
    return {"items": checked(items, True, asked)}


def _checked_rows(items: dict) -> dict:
    """Rows of several kinds: what one form shows for all of them."""
    variants = items["anyOf"]
    if row_key(variants) is None:
        return checked(items, True, asked=False)
    found = checked(items, True, asked=False)
    switch = SWITCH in row_fields(variants)
    for variant, kept in zip(variants, found["anyOf"], strict=True):
        for name in variant["properties"]:
            own, needed = shared_member(variants, name)
            if "beside" in hints(own):
                kept["properties"][name] = _checked_beside(variant["properties"][name])
                if "beside" in hints(variant["properties"][name]):
                    kept["x-beside"] = name
            else:
                member = checked(variant["properties"][name], needed)
                kept["properties"][name] = member
        if switch:
            kept["x-advanced"] = True
    return found


def _checked_beside(schema: dict) -> dict:
    """A text with lists beside it: no buttons, but rows of parts."""
    kept = checked(schema, True, asked=False)
    for number, variant in enumerate(schema.get("anyOf", ())):
        if variant.get("type") == "array":
            kept["anyOf"][number] |= _checked_items(variant["items"], True)
    return kept


def literal(value: object, column: int = 0, indent: int = 0) -> str:
    """A JSON value as Python, laid out as ruff format would."""
    flat = _flat(value)
    if (
        indent + column + len(flat) <= WIDTH
        or not isinstance(value, dict | list)
        or not value
    ):
        return flat
    pad = " " * (indent + 4)
    if isinstance(value, list):
        rows = [pad + literal(item, 1, indent + 4) for item in value]
        return "[\n" + ",\n".join(rows) + ",\n" + " " * indent + "]"
    rows = []
    for key, item in value.items():
        head = f"{json.dumps(key)}: "
        rows.append(pad + head + literal(item, len(head) + 1, indent + 4))
    return "{\n" + ",\n".join(rows) + ",\n" + " " * indent + "}"


def compact(value: object, indent: int, column: int) -> str:
    """A JSON value as Python in few lines: the members of an object, or the objects of
    a list, one a line, and everything else as many as there is room for."""
    flat = _flat(value)
    parts = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(parts, list):
        return flat
    if column + len(flat) <= WIDE - 4 or not parts:
        return flat
    inner = indent + 2
    break_line = ",\n" + " " * inner
    is_list = isinstance(value, list)
    opened, ended = "[]" if is_list else "{}"
    names = [""] * len(parts) if is_list else [f"{json.dumps(n)}: " for n in value]
    if all(isinstance(part, dict) for part in parts):
        rows = [
            name + compact(part, inner, inner + len(name))
            for name, part in zip(names, parts, strict=True)
        ]
        line = ", ".join(rows)
        if "\n" not in line and inner + len(line) <= WIDE - 4:
            rows = [line]
        return opened + break_line[1:] + break_line.join(rows) + ended
    text, column = opened, column + 1
    is_full = False
    for name, part in zip(names, parts, strict=True):
        short = name + _flat(part)
        fits = column + 2 + len(short) <= WIDE - 4
        hangs = isinstance(part, dict | list) and column + len(name) + 20 < WIDE
        if text != opened:
            goes_on = not is_full and (fits or hangs)
            text += ", " if goes_on else break_line
            column = column + 2 if goes_on else inner
        fits = column + len(short) <= WIDE - 4
        text += short if fits else name + compact(part, inner, column + len(name))
        column = (
            len(text) - text.rfind("\n") - 1 if "\n" in text else column + len(short)
        )
        is_full = not fits
    return text + ended


def _flat(value: object) -> str:
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{_flat(k)}: {_flat(v)}" for k, v in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_flat, value)) + "]"
    return json.dumps(value) if isinstance(value, str) else repr(value)


def _fit(parts: list[str], before: str, after: str, indent: int = 0) -> str:
    """Arguments on one line where they fit, else one a line."""
    line = ", ".join(parts)
    if len(before) + len(line) + len(after) <= WIDTH:
        return line
    pad = " " * (indent + 4)
    return "\n" + "".join(f"{pad}{part},\n" for part in parts) + " " * indent


def _parameter(operation: Operation, name: str, schema: dict) -> str:
    """One of main's parameters; see CONTRIBUTING on what Windmill makes of each."""
    required = name in operation.required
    if name == "body":
        return 'body: "Body"' if required else 'body: "Body" = None'
    kind = schema.get("type")
    items = schema.get("items", {})
    rows = has_rows(schema)
    if "x-models" in schema:
        annotation = picker_type(name, schema)
    elif "anyOf" in schema or "x-file" in schema or kind is None:
        # Quoted, as the body is: the parser leaves alone what it does not know.
        kinds = "str | list | dict"
        return f'{name}: "{kinds}"' if required else f'{name}: "{kinds} | None" = None'
    elif kind == "boolean" and not is_switch(operation, schema):
        # Quoted, or Windmill would make a switch of the select again.
        return f'{name}: "bool"' if required else f'{name}: "bool | None" = None'
    elif kind == "object":
        return f'{name}: "dict"' if required else f'{name}: "dict | None" = None'
    elif kind == "array" and (rows or items.get("type") in KINDS_OF_ROWS):
        # The one annotation with which Windmill leaves the fields of rows alone.
        annotation = f"list[{'dict' if rows else TYPES[items['type']]}]"
    elif kind == "array":
        return f'{name}: "list"' if required else f'{name}: "list | None" = None'
    else:
        annotation = TYPES.get(kind, "str")
    if required:
        return f"{name}: {annotation}"
    if schema.get("x-in") in (None, "result", "upload") and "default" in schema:
        return f"{name}: {annotation} = {_flat(schema['default'])}"
    return f"{name}: {annotation} | None = None"


def _docstring(operation: Operation) -> str:
    schema = operation.schema
    exchange = {} if operation.step is not None else operation.exchange
    paragraphs = [f"{schema['title']}.", schema["description"]]
    if exchange:
        paragraphs.insert(1, f"{exchange['method']} {exchange['path']}")
    if schema.get("x-returns"):
        returns = schema["x-returns"]
        paragraphs.append(f"Returns: {returns[0].lower() + returns[1:]}")
    wrapped = [textwrap.fill(p, WIDTH, break_on_hyphens=False) for p in paragraphs]
    least = schema["examples"][0]
    if least:
        example = json.dumps(least, ensure_ascii=True).replace("\\", "\\\\")
        text = textwrap.fill(
            example, WIDTH - 4, break_on_hyphens=False, break_long_words=False
        )
        wrapped.append("Example arguments:\n" + textwrap.indent(text, "    "))
    source = f"schemas/{operation.id}.json"
    last = f"Rendered from {source}; edit that, not this."
    if "docs" in exchange:
        last = f"API reference: {exchange['docs']}\n{last}"
    return "\n\n".join([*wrapped, last]).replace('"""', "'''") + "\n"


def _variant_name(variant: dict, member: str) -> str:
    """A class name for a variant: its title, so that a reader can tell them apart."""
    words = "".join(c if c.isalnum() else " " for c in variant.get("title", ""))
    if variant.get("type") != "object" or not words.strip():
        return member
    return "_".join(words.split())


def _member(name: str, kind: str) -> str:
    line = f"    {name}: {kind}"
    if len(line) <= INNER:
        return line
    # As ruff format breaks it: inside the outermost brackets, then at each bar.
    head, _, inner = kind.partition("[")
    inner = inner[:-1]
    if len(inner) + 8 > INNER:
        inner = inner.replace(" | ", "\n        | ")
    return f"    {name}: {head}[\n        {inner}\n    ]"


class _Types:
    """The TypedDicts that spell a body out for whoever reads or type-checks a call.

    Type checkers take TYPE_CHECKING for true; a job spares making the classes.
    """

    def __init__(self) -> None:
        self.classes: dict[str, str] = {}
        self.used: set[str] = set()

    def text(self) -> str:
        if not self.classes:
            return ""
        lines = [f"from typing import {', '.join(sorted(self.used))}"]
        block = "\n\n".join([*lines, *self.classes.values()])
        head = "\nTYPE_CHECKING = False\nif TYPE_CHECKING:\n"
        return f"{head}{textwrap.indent(block, '    ')}\n"

    def add(self, name: str, schema: dict) -> str:
        """Add the class of an object schema, those it needs before it."""
        required = schema.get("required", [])
        members = []
        for member, found in schema.get("properties", {}).items():
            kind = self.annotation(found, name, member)
            if member not in required:
                self.used.add("NotRequired")
                kind = f"NotRequired[{kind}]"
            members.append((member, kind))
        self.used.add("TypedDict")
        plain = all(m.isidentifier() and not keyword.iskeyword(m) for m, _ in members)
        if not members:
            lines = [f"class {name}(TypedDict):", '    """Any members."""']
        elif plain:
            lines = [f"class {name}(TypedDict):"]
            lines += [_member(member, kind) for member, kind in members]
        else:
            lines = [f"{name} = TypedDict(", f'    "{name}",', "    {"]
            lines += [f"        {json.dumps(m)}: {kind}," for m, kind in members]
            lines += ["    },", ")"]
        text = "\n".join(lines)
        for used, existing in self.classes.items():
            if existing.replace(used, name, 1) == text:
                return used
        plain_name, number = name, 1
        while name in self.classes:
            number += 1
            name = f"{plain_name}{number}"
        text = text.replace(plain_name, name, 1)
        self.classes[name] = text
        return name

    def annotation(self, schema: dict, parent: str, member: str) -> str:
        if "anyOf" in schema:
            kinds = [
                self.annotation(v, parent, _variant_name(v, member))
                for v in schema["anyOf"]
            ]
            return " | ".join(dict.fromkeys(kinds))
        if schema.get("format") == "binary":
            return "str | dict | list"
        if "x-file" in schema:
            return "str | dict"
        kinds = schema.get("type")
        if isinstance(kinds, list):
            parts = [
                self.annotation({**schema, "type": k}, parent, member) for k in kinds
            ]
            return " | ".join(dict.fromkeys(parts))
        if schema.get("enum") and kinds == "string":
            values = [v for v in schema["enum"] if v is not None]
            text = f"Literal[{', '.join(json.dumps(v) for v in values)}]"
            if len(text) > 60:
                return "str"
            self.used.add("Literal")
            return text
        if kinds == "array":
            return f"list[{self.annotation(schema.get('items', {}), parent, member)}]"
        if kinds == "object" and schema.get("properties"):
            own = "".join(p[:1].upper() + p[1:] for p in member.split("_"))
            taken = not own.isidentifier() or own in ("Body", "Literal", "TypedDict")
            return self.add(f"{own}Part" if taken else own, schema)
        if kinds == "object" and isinstance(schema.get("additionalProperties"), dict):
            values = self.annotation(schema["additionalProperties"], parent, member)
            return f"dict[str, {values}]"
        return TYPES.get(kinds, "object")
