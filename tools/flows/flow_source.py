"""What a flow's source says in short, spelled out as OpenFlow has it.

    retry: twice                                     by its name in flows/_defaults.yaml
    failure_module: {summary, value}                 its own beside the default one
    {type: javascript, use: rows, of: EXPR}          a function of that file, called
    {type: javascript, object: {name: EXPR, ...}}    ({name: EXPR, ...}); a name that
                                                     begins with ... spreads an object
    {type: javascript, with: {name: EXPR}, ...}      names for what stands beside it:
                                                     ((name) => ...)(EXPR)

So no expression of a source is longer than LONGEST. Beside `with`, names stand for what
comes from `results`, which Windmill does not know within a function.
"""

from collections.abc import Iterator

LONGEST = 160  # characters of an expression, which has no line breaks in a flow's page
DEFAULTS = "_defaults"  # the file of flows/ that holds what flows share


def expanded(value: dict, defaults: dict, inner: bool) -> dict:
    """A flow's value, spelled out. Raises ValueError for a name that nothing has."""
    value = _spelled(value, defaults)
    handler = value.get("failure_module")
    if handler is not None or not inner:
        given = {"failure_module": handler or {}}
        value.update(_joined({"failure_module": defaults["failure_module"]}, given))
    return value


def _joined(default: object, given: object) -> object:
    if not isinstance(default, dict) or not isinstance(given, dict):
        return given
    found = {name: given.get(name, value) for name, value in default.items()}
    for name in default.keys() & given.keys():
        found[name] = _joined(default[name], given[name])
    return found | {name: given[name] for name in given if name not in default}


def _spelled(part: object, defaults: dict) -> object:
    if isinstance(part, list):
        return [_spelled(inner, defaults) for inner in part]
    if not isinstance(part, dict):
        return part
    if part.get("type") == "javascript":
        return _transform(part, defaults["functions"])
    found = {name: _spelled(inner, defaults) for name, inner in part.items()}
    if isinstance(found.get("retry"), str):
        found["retry"] = _named(defaults["retry"], found["retry"], "retry")
    return found


def _transform(given: dict, functions: dict) -> dict:
    """An input of a module, as one expression."""
    if given.keys() == {"type", "expr"}:
        return given
    if "use" in given:
        function = _named(functions, given["use"], "function")
        return {"type": "javascript", "expr": f"({function})({given['of']})"}
    expr = given.get("expr")
    if "object" in given:
        members = (
            f"...({inner})" if name.startswith("...") else f"{name}: {inner}"
            for name, inner in given["object"].items()
        )
        expr = f"({{{', '.join(members)}}})"
    if "with" in given:
        names, values = ", ".join(given["with"]), ", ".join(given["with"].values())
        expr = f"(({names}) => {expr})({values})"
    return {"type": "javascript", "expr": expr}


def _named(found: dict, name: str, what: str) -> object:
    if name not in found:
        raise ValueError(f"there is no {what} {name} in flows/{DEFAULTS}.yaml")
    return found[name]


def all_written(part: object) -> Iterator[str]:
    """Every expression of a source, as it is written."""
    if isinstance(part, list):
        for inner in part:
            yield from all_written(inner)
    elif isinstance(part, dict):
        for name, inner in part.items():
            if name in ("object", "with", "functions") and isinstance(inner, dict):
                yield from inner.values()
            elif name in ("expr", "of") and isinstance(inner, str):
                yield inner
            else:
                yield from all_written(inner)
