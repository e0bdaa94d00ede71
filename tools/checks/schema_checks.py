"""What must hold for one schema, of an operation or of a step: its words, its texts,
its arguments' places, its examples and its form."""

import base64
import json
import keyword
import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from pathlib import Path

import jsonschema

from scripts.client.form import SWITCH
from tools import models
from tools.flows.pack_flows import Flow
from tools.operations import Operation
from tools.schemas.form import argument, form
from tools.schemas.form_visibility import hints
from tools.schemas.schema_words import (
    MISSHAPEN,
    in_words,
    misfit,
    place,
    senseless,
    unfit,
)

SCREEN = 8  # fields that a form shows at first, a switch for the others among them
DEEPEST = 2  # members below are in no form's first sight, and may go without texts


def rules_of(root: Path) -> dict:
    """What a schema must look like, schemas/_operation.json."""
    return json.loads((root / "schemas/_operation.json").read_text(encoding="utf-8"))


def schema_problems(operation: Operation, rules: dict) -> list[str]:
    """Everything that is wrong with a schema, at once, in words."""
    try:
        schema = operation.schema
    except ValueError as error:
        return [f"is not JSON: {error}"]
    errors = jsonschema.Draft202012Validator(rules).iter_errors(schema)
    bad = [(place(e.absolute_path), what) for e in errors for what in in_words(e)]
    found = [f"{where}: {what}" if where else what for where, what in bad]
    # Of a schema that is not in order yet, as much as can be told: all in one wave.
    told = {(where, "TODO" in what) for where, what in bad if where}
    for part in PARTS:
        try:
            for what in part(operation):
                if (what.partition(": ")[0], "TODO" in what) not in told:
                    found.append(what)
        except MISSHAPEN as error:
            if not found:
                found.append(senseless(error))
    return list(dict.fromkeys(found)) or list(formless(operation))


def formless(asked: Operation | Flow) -> Iterator[str]:
    """Why no form can be made of the arguments of a script or flow, though each of
    their words is known: the names in them do not fit one another."""
    try:
        form(asked)
        return
    except MISSHAPEN:
        pass
    for name, member in asked.arguments.items():
        try:
            argument(asked, name, member)
        except MISSHAPEN as error:
            yield f"properties.{name}: {_no_form(member, error)}"
            return
    yield "no form can be made of its arguments: x-form names what is not there"


def _no_form(member: dict, error: Exception) -> str:
    if _kinds(member) == {"null"}:
        return "a type of nothing but null has no form"
    return f"no form can be made of it: {senseless(error)}"


def _todo(operation: Operation) -> Iterator[str]:
    for where, text in _written(operation.schema):
        if "TODO" in text:
            yield f"{where}: is still a TODO"


def _written(part: object, where: str = "") -> Iterator[tuple[str, str]]:
    """Every text within a part of a file, with its place."""
    if isinstance(part, str):
        yield where, part
    elif isinstance(part, list):
        for number, inner in enumerate(part):
            yield from _written(inner, f"{where}[{number}]")
    elif isinstance(part, dict):
        for name, inner in part.items():
            inside = f"{where}.{name}".lstrip(".")
            if "TODO" in name:
                yield inside, name
            yield from _written(inner, inside)


def _patterns(operation: Operation) -> Iterator[str]:
    """What is no JSON Schema though its words are all known: a bad pattern."""
    validator = jsonschema.Draft202012Validator
    meta = validator(validator.META_SCHEMA, format_checker=validator.FORMAT_CHECKER)
    for error in meta.iter_errors(operation.schema):
        for what in in_words(error):
            yield f"{place(error.absolute_path)}: {what}"


def _request(operation: Operation) -> Iterator[str]:
    """Every argument of an operation has its place in the request."""
    if operation.step is not None:
        return
    exchange, arguments = operation.exchange, operation.arguments
    named = set(re.findall(r"{(\w+)}", exchange["path"]))
    for name, member in arguments.items():
        where = f"properties.{name}"
        if name == "body":
            yield from _body(operation, member)
        elif "x-in" not in member:
            yield f"{where}: x-in says path, query or header"
        elif member["x-in"] == "path":
            if name not in named:
                yield f"{where}: x-in is path, and the path has no {{{name}}}"
            elif name not in operation.required and name != "project_id":
                yield f"required: {name} is part of the path, so it is required"
    for name in sorted(named):
        if arguments.get(name, {}).get("x-in") != "path":
            words = f'properties has no {name} with "x-in": "path"'
            yield f"x-operation.path: names {{{name}}}, and {words}"
    find = exchange.get("find")
    if find and not (operation.root / f"schemas/{find}.json").exists():
        yield f"x-operation.find: there is no operation {find}"
    if "reply" not in exchange and "x-reply" not in operation.schema:
        yield "x-reply is missing: an answer of the service, which the sandbox gives"


def _body(operation: Operation, body: dict) -> Iterator[str]:
    exchange, where = operation.exchange, "properties.body"
    if exchange["method"] == "GET":
        yield f"{where}: a GET sends no body; x-in says query"
    open_ = "additionalProperties" in body
    if "object" in _kinds(body) and not body.get("properties") and not open_:
        yield f"{where}: has no members; write properties, or leave body out"
    if body.get("required") and "body" not in operation.required:
        yield "required: body has required members, so it is required"
    bytes_go = any(m.get("format") == "binary" for m in body["properties"].values())
    if bytes_go and "content" not in exchange:
        yield 'x-operation.content is missing: a file goes up as "multipart"'
    if "stream" in exchange and "stream" not in body["properties"]:
        yield "x-operation.stream: the body has no member stream"


def _step(step: Operation) -> Iterator[str]:
    """A step has its function, and arguments in an order that Python can take."""
    if step.step is None:
        return
    if len(step.modules) != 1:
        found = " and ".join(step.modules) or "no module of scripts/"
        yield f"one module has def {step.name}(auth, step, ...), not {found}"
    names = list(step.arguments)
    if sorted(names, key=lambda name: name not in step.required) != names:
        yield "properties: required arguments come first"
    for name, member in step.arguments.items():
        if name == "body" or "x-in" in member:
            yield f"properties.{name}: a step's arguments are no request"
        default = member.get("default")
        if default is not None and (name in step.required or not _readable(default)):
            yield f"properties.{name}: Windmill cannot read default {default!r}"


def _readable(default: object) -> bool:
    """Say whether Windmill's parser reads such a default from main's signature."""
    if isinstance(default, int | float):
        return default >= 0
    return isinstance(default, str)


def _brings(operation: Operation) -> Iterator[str]:
    """Whoever gets bytes chooses where they go."""
    if operation.step is not None:
        return
    exchange = operation.exchange
    bytes_come = exchange.get("reply") in ("binary", "speech") or "brings" in exchange
    choice = operation.arguments.get("output")
    own = choice is not None and choice.get("x-in") == "result"
    if bytes_come and not own:
        yield (
            f"{operation.id} brings bytes: it needs the argument output, with "
            '"x-in": "result" (as schemas/audio/create_speech.json has it)'
        )
    if own and "default" not in choice:
        yield "properties.output has no default: result, as a rule"
    if own and not set(choice.get("enum", ())) & {"result", "storage", "url"}:
        yield "properties.output.enum: there are result, storage and url"
    if own and not bytes_come:
        yield "output is for what brings bytes: reply or brings"


def _names(operation: Operation) -> Iterator[str]:
    """Arguments are main's, in Python; what is required exists."""
    for name in operation.schema["properties"]:
        if "x-models" in operation.schema["properties"][name] and not operation.step:
            words = "x-models is for steps; x-suggestions names models here"
            yield f"properties.{name}: {words}"
        if name == "auth":
            yield "properties.auth: comes by itself, and stands in no schema"
        elif not name.isidentifier() or keyword.iskeyword(name):
            near = re.sub(r"\W", "_", name)
            near = f"{near}_" if keyword.iskeyword(near) else near
            yield (
                f"properties.{name}: an argument is named as Python can have it, such "
                f'as {near}; "x-wire": "{name}" is its name on the wire'
            )
    for name in operation.required:
        if name not in operation.schema["properties"]:
            yield f"required: there is no argument {name}"


def _members(operation: Operation) -> Iterator[str]:
    for name, member in operation.schema["properties"].items():
        yield from member_problems(f"properties.{name}", member, 0)


def member_problems(
    where: str, member: dict, depth: int = 0, variant: bool = False
) -> Iterator[str]:
    """Every member says what it is of, and to the second level of the body has its
    texts; a default fits what it is the default of."""
    if depth <= DEEPEST:
        for key in ("title", "description"):
            if not member.get(key):
                yield f"{where} has no {key}"
    if not {"type", "anyOf", "enum", "x-file"} & member.keys():
        yield f"{where} has no type"
    if _kinds(member) == {"null"} and not variant:
        yield f"{where}.type: nothing but null is no value"
    if member.get("type") == "array" and "items" not in member:
        yield f"{where} has no items: what each entry is"
    inner = member.get("properties", {})
    for name in member.get("required", ()):
        if name not in inner:
            close = get_close_matches(name, list(inner), 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            yield f"{where}.required: there is no member {name}{hint}"
    told = hints(member)
    values = {*map(str, member.get("enum", ())), *member.get("x-suggestions", ())}
    for value in told.get("labels", {}).keys() - values:
        yield f"{where}.x-form.labels: {value} is in neither enum nor x-suggestions"
    for group in told.get("groups", {}).values():
        for name in group["of"].values():
            if name not in inner:
                yield f"{where}.x-form.groups: there is no member {name}"
    if "default" in member:
        yield from misfit(member["default"], member, f"{where}.default")
    for name, one in inner.items():
        if "x-models" in one:
            words = "x-models is for a step's own arguments; say x-suggestions"
            yield f"{where}.properties.{name}: {words}"
        yield from member_problems(f"{where}.properties.{name}", one, depth + 1)
    for name in ("items", "additionalProperties"):
        if isinstance(member.get(name), dict):
            yield from member_problems(f"{where}.{name}", member[name], DEEPEST + 1)
    for number, one in enumerate(member.get("anyOf", ())):
        yield from member_problems(f"{where}.anyOf[{number}]", one, DEEPEST + 1, True)


def _described(part: object) -> object:
    """A schema, or part of one, that requires no more than it describes: an example is
    not to blame for the rest."""
    if isinstance(part, list):
        return [_described(one) for one in part]
    if not isinstance(part, dict):
        return part
    found = {name: _described(one) for name, one in part.items()}
    if isinstance(part.get("properties"), dict) and isinstance(
        part.get("required"), list
    ):
        found["required"] = [n for n in part["required"] if n in part["properties"]]
    return found


def _examples(operation: Operation) -> Iterator[str]:
    schema, examples = operation.schema, operation.schema["examples"]
    required = [name for name in operation.required if name in schema["properties"]]
    for number, example in enumerate(examples):
        where = f"examples[{number}]"
        yield from unfit(example, _described(operation.arguments), required, where)
        if operation.step is None:
            yield from _files(example, operation.arguments, where)
    if any(example in examples[:number] for number, example in enumerate(examples)):
        yield "examples: one is there twice"
    if len(examples) == 1 and _leaves_out(schema):
        yield "examples: give two, the least and the most"


def _files(value: object, members: dict, where: str) -> Iterator[str]:
    """A file in an example is one that needs no disk."""
    for name, one in value.items() if isinstance(value, dict) else ():
        member = members.get(name, {})
        if isinstance(one, str) and ("x-file" in member or "format" in member):
            bytes_go = "x-file" in member or member["format"] == "binary"
            if bytes_go and "TODO" not in one and not _is_file(one):
                words = "a file is base64 here, a data URI, or an address"
                yield f"{where}.{name}: {words}"
        yield from _files(one, member.get("properties", {}), f"{where}.{name}")


def _is_file(text: str) -> bool:
    if text.startswith(("http://", "https://", "data:", "s3://")):
        return True
    try:
        return bool(base64.b64decode(text, validate=True))
    except ValueError:
        return False


def _models(operation: Operation) -> Iterator[str]:
    """What asks a model has examples that name one that is served."""
    if operation.step is not None or operation.exchange["retry"] != "inference":
        return
    known = models.known(operation.root)
    served = {entry["id"] for entry in known["models"]}
    served |= {id for word in ("own", "before") for id in known.get(word, {}).values()}
    for number, example in enumerate(operation.schema["examples"]):
        name = example.get("body", {}).get("model")
        if name is not None and "TODO" not in str(name) and name not in served:
            where = f"examples[{number}].body.model"
            yield f"{where}: say <model:word>, with a word of {models.NAMED_HERE}"


def _leaves_out(schema: dict) -> bool:
    """Whether any argument, or member of the body, need not be given."""
    members = schema.get("properties", {})
    body = members.get("body")
    optional = members.keys() - set(schema.get("required", ()))
    return bool(optional) or (body is not None and _leaves_out(body))


def _screens(operation: Operation) -> Iterator[str]:
    """An object of a body shows few fields at first, and all that are required."""
    try:
        fields = form(operation)["properties"]
    except (KeyError, RuntimeError, StopIteration) as error:
        yield f"x-form names what is not there: {error}"
        return
    for where, inner, required in _objects("body", fields.get("body", {})):
        shown = [n for n, m in inner.items() if "showExpr" not in m and n != "label"]
        if len(shown) > SCREEN:
            yield (
                f"{where}: the form shows {len(shown)} fields at first, more than "
                f"{SCREEN}; mark some as x-form.advanced"
            )
        for name in required:
            if f"fields.{SWITCH}" in inner.get(name, {}).get("showExpr", ""):
                yield f"{where}.{name} is required, so not advanced"


def _objects(where: str, field: dict) -> Iterator[tuple[str, dict, list[str]]]:
    """The fields of each object of a form, and which of them are required."""
    inner = field.get("properties")
    if inner:
        listed = field.get("required")
        own = [n for n, m in inner.items() if m.get("required") == []]
        yield where, inner, [*(listed if isinstance(listed, list) else []), *own]
        for name, member in inner.items():
            yield from _objects(f"{where}.{name}", member)
    if isinstance(field.get("items"), dict):
        yield from _objects(f"{where}[]", field["items"])
    for variant in field.get("oneOf", ()):
        yield from _objects(f"{where}|{variant['title']}", variant)


def _kinds(member: dict) -> set[str]:
    kinds = member.get("type", [])
    return set(kinds) if isinstance(kinds, list) else {kinds}


PARTS: tuple[Callable[[Operation], Iterator[str]], ...] = (
    _todo,
    _patterns,
    _names,
    _request,
    _step,
    _brings,
    _members,
    _examples,
    _models,
    _screens,
)
