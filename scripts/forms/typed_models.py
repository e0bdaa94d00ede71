"""Models that are typed in beside a list, or given as more than their id."""

from __future__ import annotations

from ..client.errors import TogetherError
from ..client.form import OTHER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Members, Schema


def with_typed_models(members: dict[str, Schema], arguments: Members) -> Members:
    """Return the arguments with every model as its plain id. A form may say that the id
    stands in a field of its own; a model that calls a step as a tool may send an object
    or a list that holds it. Raises TogetherError where an id is missing, or contradicts
    the choice."""
    found = dict(arguments)
    for name, member in members.items():
        picker = member.get("x-id-of")
        if picker is None:
            continue
        typed, chosen = found.pop(name, None), found.get(picker)
        if chosen.__class__ is list and len(chosen) == 1:
            chosen = found[picker] = chosen[0]
        if chosen.__class__ is dict:
            ids = [chosen[key] for key in ("id", "model", "value") if key in chosen]
            chosen = next(filter(None, ids), None if ids else chosen)
            found[picker] = chosen
        if chosen in ("", [], {}):
            chosen = found[picker] = None  # no model has such an id
        if isinstance(typed, str):
            typed = typed.strip()
        if typed and chosen in (OTHER, None):
            found[picker] = typed
        elif chosen == OTHER:
            problem = f"is empty, and {picker} is {OTHER!r}: write the model's id here"
            raise TogetherError.refused(name, problem)
        elif typed and typed != chosen:
            problem = f"is {typed!r} and {picker} is {chosen!r}: leave one empty"
            raise TogetherError.refused(name, problem)
    return found
