"""What a request must look like, derived from a schema without the helper's code."""

import base64
import importlib
import json
from email.parser import BytesParser
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from tools.operations import Operation
from tools.sandbox import Recorded


def main_of(operation: Operation):
    """The script's main."""
    module = importlib.import_module(f"scripts.{operation.group}.{operation.name}")
    return module.main


def expected(operation: Operation, arguments: dict, project: str) -> tuple:
    """(method, path, query, body) that the arguments must become on the wire."""
    path, query = operation.exchange["path"], {}
    arguments = {"project_id": project, **arguments}
    for name, schema in operation.arguments.items():
        place, value = schema.get("x-in"), arguments.get(name)
        if place == "path":
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        elif place == "query" and value is not None and value is not False:
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


def valid(schema: dict) -> st.SearchStrategy:
    """Any value that the schema allows, members that it does not know included."""
    if "anyOf" in schema:
        return st.one_of(*map(valid, schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema.get("type")
    if schema.get("format") == "binary":
        return st.binary(min_size=1).map(lambda data: base64.b64encode(data).decode())
    if isinstance(kind, list):
        return st.one_of(*(valid({**schema, "type": one}) for one in kind))
    if kind == "object":
        return _objects(schema)
    if kind == "array":
        bounds = schema.get("minItems", 0), min(schema.get("maxItems", 4), 4)
        return st.lists(
            valid(schema.get("items", {})), min_size=bounds[0], max_size=bounds[1]
        )
    least, most = schema.get("minimum"), schema.get("maximum")
    simple = {
        "string": st.text(
            min_size=schema.get("minLength", 0), max_size=schema.get("maxLength", 20)
        ),
        "integer": st.integers(least, most),
        "number": st.floats(least, most, allow_nan=False, allow_infinity=False),
        "boolean": st.booleans(),
        "null": st.none(),
    }
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True)
    return simple.get(kind, st.none() | st.booleans() | st.text(max_size=9))


def _objects(schema: dict) -> st.SearchStrategy:
    known = schema.get("properties", {})
    required = schema.get("required", [])
    fixed = st.fixed_dictionaries(
        {name: valid(known[name]) for name in known if name in required},
        optional={name: valid(known[name]) for name in known if name not in required},
    )
    values = schema.get("additionalProperties", {"type": "integer"})
    names = st.text("abc_", min_size=1, max_size=6).filter(
        lambda name: name not in known
    )
    others = st.dictionaries(names, valid(values), max_size=2)
    return st.tuples(others, fixed).map(lambda pair: {**pair[0], **pair[1]})
