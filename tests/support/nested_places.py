"""Every place of a value made of dicts and lists."""

from collections.abc import Iterator


def places(part: object, path: tuple = ()) -> Iterator[tuple]:
    """Yield the path of each member and entry, in the order in which they stand."""
    if path:
        yield path
    items = part.items() if isinstance(part, dict) else ()
    items = enumerate(part) if isinstance(part, list) else items
    for name, inner in items:
        yield from places(inner, (*path, name))
