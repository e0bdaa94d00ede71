"""Compare the schemas with an OpenAPI document that a maintainer downloaded, and the
models of schemas/_models.yaml with a catalogue."""

import json
import re
from pathlib import Path

import requests
import yaml

from tools import models
from tools.cli.terminal import why_no_answer
from tools.operations import ROOT, Operation, operations

METHODS = ("get", "post", "put", "patch", "delete")


def differences(document: Path, root: Path = ROOT) -> list[str]:
    """What is new, gone or changed, a line each; members one level deep.

    Raises ValueError when the document is no OpenAPI document.
    """
    try:
        spec = yaml.safe_load(document.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{document} is neither YAML nor JSON: {error}") from None
    if not isinstance(spec, dict) or "paths" not in spec:
        raise ValueError(f"{document} is no OpenAPI document: it has no paths")
    try:
        theirs = dict(_upstream(spec))
    except (AttributeError, KeyError, IndexError, TypeError, RecursionError) as error:
        what = f"{type(error).__name__}: {error}"
        raise ValueError(
            f"{document} is no OpenAPI document: it has the wrong form ({what})"
        ) from None
    ours = {_key(o.exchange["method"], o.exchange["path"]): o for o in operations(root)}
    lines = [f"new      {' '.join(key)}" for key in sorted(theirs.keys() - ours.keys())]
    lines += [
        f"gone     {ours[key].id} ({' '.join(key)})"
        for key in sorted(ours.keys() - theirs.keys())
    ]
    for key in sorted(ours.keys() & theirs.keys()):
        lines += [
            f"changed  {ours[key].id}: {what}"
            for what in _changes(ours[key], theirs[key])
        ]
    return lines


def model_differences(source: str, key: str = "", root: Path = ROOT) -> list[str]:
    """Where the models that the pack names and a catalogue disagree, a line each.

    The catalogue is a file with the answer of /v1/models or /v2/supported-models, or
    the address of either, all pages of which are read. Raises ValueError when it is
    neither.
    """
    if not source.startswith(("https://", "http://")):
        return list(models.differences(_json(Path(source).read_bytes(), source), root))
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    found, after, seen = [], None, set()
    while after not in seen:
        seen.add(after)
        query = {} if after is None else {"after": after}
        try:
            # Without redirects: the key goes to the address that was given, only.
            answer = requests.get(
                source, query, headers=headers, timeout=60, allow_redirects=False
            )
        except requests.RequestException as error:
            why = why_no_answer(str(error))
            raise ValueError(f"{source} gave no answer: {why}") from None
        if answer.status_code != 200:
            raise ValueError(f"{source} answers {answer.status_code}")
        page = _json(answer.content, source)
        found += models.listing(page)
        after = page.get("next_cursor") if isinstance(page, dict) else None
        if not after:
            break
    return list(models.differences(found, root))


def _json(text: bytes, source: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{source} is no JSON: {error}") from None


def _upstream(spec: dict) -> list[tuple]:
    """((method, path), {"members", "required", "parameters"}) of each operation."""
    for path, item in spec["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            found = item[method]
            base = _version(found, item, spec)
            parameters = [
                _resolve(p, spec)
                for p in (*item.get("parameters", ()), *found.get("parameters", ()))
            ]
            content = _resolve(found.get("requestBody", {}), spec).get("content", {})
            schema = next((c.get("schema", {}) for c in content.values()), {})
            members, required = _members(schema, spec)
            queries = {p["name"] for p in parameters if p.get("in") == "query"}
            about = {"members": members, "required": required, "parameters": queries}
            yield _key(method.upper(), base + path), about


def _version(operation: dict, item: dict, spec: dict) -> str:
    """The version that a server adds to the path, such as /v1."""
    servers = (
        operation.get("servers") or item.get("servers") or spec.get("servers") or []
    )
    found = re.search(r"/v\d+$", servers[0]["url"].rstrip("/")) if servers else None
    return found[0] if found else ""


def _key(method: str, path: str) -> tuple[str, str]:
    return method, re.sub(r"{[^}]*}", "{}", path)


def _resolve(node: dict, spec: dict) -> dict:
    seen = set()
    while "$ref" in node:
        if node["$ref"] in seen:
            raise RecursionError(f"{node['$ref']} refers to itself")
        seen.add(node["$ref"])
        target = spec
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def _members(schema: dict, spec: dict) -> tuple[set, set]:
    schema = _resolve(schema, spec)
    members = set(schema.get("properties", {}))
    required = set(schema.get("required", []))
    for part in schema.get("allOf", []):
        more, needed = _members(part, spec)
        members, required = members | more, required | needed
    choices = [_members(p, spec) for k in ("anyOf", "oneOf") for p in schema.get(k, [])]
    for more, _ in choices:
        members |= more
    if choices:
        required |= set.intersection(*(needed for _, needed in choices))
    return members, required


def _changes(operation: Operation, theirs: dict) -> list[str]:
    body = operation.arguments.get("body", {})
    ours = set(body.get("properties", {}))
    lines = [f"body.{n} is new" for n in sorted(theirs["members"] - ours)]
    lines += [f"body.{n} is gone" for n in sorted(ours - theirs["members"])]
    needed = set(body.get("required", []))
    shared = ours & theirs["members"]
    lines += [
        f"body.{n} is required now"
        for n in sorted((theirs["required"] - needed) & shared)
    ]
    lines += [
        f"body.{n} is optional now"
        for n in sorted((needed - theirs["required"]) & shared)
    ]
    queries = {
        member.get("x-wire", name)
        for name, member in operation.arguments.items()
        if member.get("x-in") == "query"
    }
    lines += [f"query {n} is new" for n in sorted(theirs["parameters"] - queries)]
    lines += [f"query {n} is gone" for n in sorted(queries - theirs["parameters"])]
    return lines
