"""Arguments for a method of the official SDK, drawn from the types that it states.

`pairs` gives them as (what the SDK takes, what it puts on the wire): the names of a
member differ there, as trafficSplit does from traffic_split.
"""

import collections.abc
import types
import typing

import typing_extensions
from hypothesis import strategies as st
from together._utils._transform import PropertyInfo

from tests.support.expected_request import valid

LISTS = (list, collections.abc.Iterable, collections.abc.Sequence, typing.Sequence)
PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}


def pairs(kind: object, schema: dict) -> st.SearchStrategy:
    """Values of a type of the SDK; the bounds are those of our schema, where it has one
    for the place, since the SDK states none."""
    schema = _of_kind(schema, kind)
    origin = typing.get_origin(kind)
    if origin in (typing.Annotated, typing.Required, typing.NotRequired):
        return pairs(typing.get_args(kind)[0], schema)
    if origin is typing.Literal:
        return _same(st.sampled_from(typing.get_args(kind)))
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(pairs(k, schema) for k in _sent(typing.get_args(kind))))
    if typing_extensions.is_typeddict(kind):
        return _objects(kind, schema)
    if origin in LISTS or "SequenceNotStr" in str(origin):
        least = schema.get("minItems", 0)
        items = pairs(typing.get_args(kind)[0], schema.get("items", {}))
        most = min(schema.get("maxItems", least + 2), least + 2)
        return st.lists(items, min_size=least, max_size=most).map(_transposed)
    if origin in (dict, collections.abc.Mapping):
        values = pairs(typing.get_args(kind)[1], schema.get("additionalProperties", {}))
        return st.dictionaries(st.text("abc_", min_size=1), values, max_size=2).map(
            lambda found: tuple({n: v[i] for n, v in found.items()} for i in (0, 1))
        )
    if kind in PLAIN:
        bounds = {n: v for n, v in schema.items() if n not in ("enum", "type", "anyOf")}
        return _same(valid({**bounds, "type": PLAIN[kind]}))
    if kind is type(None):
        return _same(st.none())
    if kind is object:
        return _same(valid(schema))
    raise TypeError(f"no values are known for {kind!r}")


def _same(values: st.SearchStrategy) -> st.SearchStrategy:
    return values.map(lambda value: (value, value))


def _transposed(found: list[tuple]) -> tuple[list, list]:
    return [one for one, _ in found], [other for _, other in found]


def _sent(kinds: tuple) -> list:
    """The types of a union that are values of JSON."""
    return [k for k in kinds if getattr(k, "__name__", "") not in ("Omit", "datetime")]


def _objects(kind: type, schema: dict) -> st.SearchStrategy:
    hints = typing_extensions.get_type_hints(kind, include_extras=True)
    known = schema.get("properties", {})
    names = {name: _alias(name, hint) for name, hint in hints.items()}
    members = {n: pairs(h, known.get(names[n], {})) for n, h in hints.items()}
    wanted = {*kind.__required_keys__} | {
        name for name in names if names[name] in schema.get("required", [])
    }
    drawn = st.fixed_dictionaries(
        {name: members[name] for name in members if name in wanted},
        optional={name: members[name] for name in members if name not in wanted},
    )
    return drawn.map(
        lambda found: (
            {name: one for name, (one, _) in found.items()},
            {names[name]: other for name, (_, other) in found.items()},
        )
    )


def _alias(name: str, hint: object) -> str:
    """A member's name on the wire."""
    while typing.get_origin(hint) in (typing.Required, typing.NotRequired):
        hint = typing.get_args(hint)[0]
    for said in getattr(hint, "__metadata__", ()):
        if isinstance(said, PropertyInfo) and said.alias:
            return said.alias
    return name


def _of_kind(schema: dict, kind: object) -> dict:
    """The variant of a schema that fits a type best."""
    variants = schema.get("anyOf")
    if not variants:
        return schema
    if typing_extensions.is_typeddict(kind):
        names = {
            _alias(n, h)
            for n, h in typing_extensions.get_type_hints(
                kind, include_extras=True
            ).items()
        }
        return max(variants, key=lambda v: len(names & v.get("properties", {}).keys()))
    wanted = PLAIN.get(kind) or ("array" if typing.get_origin(kind) in LISTS else None)
    fitting = [v for v in variants if wanted and wanted in str(v.get("type"))]
    return fitting[0] if fitting else schema
