"""The operations of the API that our steps call, by the names of their schemas.

Only the source has this module: what is deployed holds the descriptors where
they are asked for here (tools/tree/flatten.py).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from .operation_calls.descriptor import operation_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, Unpack

    from .shapes import Exchange, Members, Operation

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"
# What of an operation's exchange the helper goes by.
EXCHANGE = (
    "host",
    "accept",
    "content",
    "reply",
    "filename",
    "stream",
    "pages",
    "brings",
    "find",
)


def operation(
    name: str, without: tuple[Literal["brings"], ...] = (), **changes: Unpack[Exchange]
) -> Operation:
    """Return the descriptor by which to call an operation, as "batches/get_batch".

    Its arguments are the path's placeholders, the query's parameters and the body, if
    it has one; they are sent as they are. `without` names what of its exchange is left
    out, `changes` says more of it. Raises
    KeyError where no schema has the name.
    """
    return descriptor_of(SCHEMAS, name, without, **changes)


def descriptor_of(
    schemas: Path,
    name: str,
    without: tuple[Literal["brings"], ...] = (),
    **changes: Unpack[Exchange],
) -> Operation:
    """The same by the schemas in a folder."""
    schema = _read(schemas / f"{name}.json")
    said, members = schema["x-operation"], schema["properties"]
    exchange = {n: said[n] for n in EXCHANGE if n in said and n not in without}
    query = [n for n, member in members.items() if member.get("x-in") == "query"]
    descriptor = operation_at(
        said["method"],
        said["path"],
        said["retry"],
        query=[n for n in query if n != "after" or "pages" not in exchange],
        body=_files(members["body"]) if "body" in members else False,
        **exchange,
        **changes,
    )
    for argument in query:
        if "x-wire" in members[argument]:
            place = descriptor["arguments"]["properties"][argument]
            place["x-wire"] = members[argument]["x-wire"]
    return descriptor


@cache
def _read(path: Path) -> Members:
    if not path.exists():
        raise KeyError(f"{path.parent.name}/{path.stem}: there is no such schema")
    return json.loads(path.read_text(encoding="utf-8"))


def _files(body: Members) -> Members:
    """Return what has to be known of a body: which members are files that go up."""
    files = {
        name: {"format": "binary", "x-file": member.get("x-file", "bytes")}
        for name, member in body["properties"].items()
        if member.get("format") == "binary"
    }
    return {"type": "object", "properties": files} if files else {}
