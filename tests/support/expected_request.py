"""What a request must look like, derived from a schema without the helper's code."""

import importlib
import json
from email.parser import BytesParser
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from tools.operations import Operation
from tools.sandbox import Recorded


def main_of(operation: Operation):
    """The script's main."""
    return _module(operation).main


def descriptor(operation: Operation) -> dict:
    """What the script hands to the client."""
    module = _module(operation)
    return module.OPERATION if operation.step is None else module.STEP


def _module(operation: Operation):
    return importlib.import_module(f"scripts.{operation.group}.{operation.name}")


def expected(operation: Operation, arguments: dict, project: str) -> tuple:
    """(method, path, query, body) that the arguments must become on the wire."""
    path, query = operation.exchange["path"], {}
    arguments = {"project_id": project, **arguments}
    for name, schema in operation.arguments.items():
        place, value = schema.get("x-in"), arguments.get(name)
        if place == "path":
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        elif place == "query" and value is not None:
            items = value if isinstance(value, list) else [value]
            texts = [i if isinstance(i, str) else json.dumps(i) for i in items]
            query[schema.get("x-wire", name)] = ",".join(texts)
    return (
        operation.exchange["method"],
        path,
        urlencode(query),
        arguments.get("body", {}) if "body" in operation.arguments else None,
    )


def parts(request: Recorded) -> list[tuple]:
    """A multipart body as (name, filename, content) in any order."""
    head = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + request.body)
    return sorted(
        (
            part.get_param("name", header="content-disposition"),
            bool(part.get_filename()),
            part.get_payload(decode=True),
        )
        for part in message.get_payload()
    )


def valid(schema: dict, required: bool = False) -> st.SearchStrategy:
    """Any value that the schema allows, empty ones and members that it does not know
    included; but what is required is not empty, unless the schema says that it may."""
    if schema.get("x-file") == "base64":  # an address there is fetched
        return st.sampled_from(["YQ==", "aGVsbG8="])
    if "x-file" in schema or schema.get("format") == "binary":
        return st.sampled_from(["https://example.com/a.png", "data:text/plain,a"])
    if "anyOf" in schema:
        return st.one_of(*(valid(v, required) for v in schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema.get("type")
    if isinstance(kind, list):
        return st.one_of(*(valid({**schema, "type": k}, required) for k in kind))
    if kind == "object":
        return _objects(schema)
    if kind == "array":
        least = schema.get("minItems", int(required))
        return st.lists(
            valid(schema.get("items", {})),
            min_size=least,
            max_size=min(schema.get("maxItems", least + 3), least + 3),
            unique=schema.get("uniqueItems", False),
        )
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True)
    if kind == "string":
        least = schema.get("minLength", int(required))
        texts = st.text(min_size=least, max_size=schema.get("maxLength", 20))
        common = ["", "Default", "Set", "true", "5", "other"]
        most = schema.get("maxLength", 20)
        usual = [text for text in common if least <= len(text) <= most]
        return st.one_of(texts, st.sampled_from(usual)) if usual else texts
    least, most = schema.get("minimum"), schema.get("maximum")
    simple = {
        "integer": st.integers(least, most),
        "number": st.floats(least, most, allow_nan=False, allow_infinity=False),
        "boolean": st.booleans(),
        "null": st.none(),
    }
    if kind in simple:
        return simple[kind]
    return st.one_of(st.booleans(), st.text(max_size=9), _free())


def _free() -> st.SearchStrategy:
    """An object of the user's own, which may look like a form's."""
    names = st.sampled_from(["label", "kind", "value", "more_options", "source", "a"])
    words = st.sampled_from(["", "Default", "Set", "Editor", "Text", "x", [], {}, 0])
    return st.dictionaries(names, words, max_size=3)


def _objects(schema: dict) -> st.SearchStrategy:
    known = schema.get("properties", {})
    required = schema.get("required", [])
    others = schema.get("additionalProperties")
    if not known and others is None:
        # Beside the labels of a choice, which is what a form makes of some.
        labels = {"Default", "Set"}
        if schema.get("format") == "json-schema":
            labels = {"Default", "Editor", "JSON"}
        return _free().filter(lambda found: str(found.get("label")) not in labels)
    fixed = st.fixed_dictionaries(
        {name: valid(known[name], True) for name in known if name in required},
        optional={name: valid(known[name]) for name in known if name not in required},
    )
    names = st.text("abc_", min_size=1, max_size=6).filter(
        lambda name: name not in known
    )
    unknown = st.dictionaries(names, valid(others or {"type": "integer"}), max_size=2)
    return st.tuples(unknown, fixed).map(lambda pair: {**pair[0], **pair[1]})
