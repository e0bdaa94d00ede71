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
    result = dict(arguments)
    for name, member in members.items():
        picker = member.get("x-id-of")
        if picker is None:
            continue
        typed, choice = result.pop(name, None), result.get(picker)
        if isinstance(choice, list) and len(choice) == 1:
            choice = result[picker] = choice[0]
        if isinstance(choice, dict):
            ids = [choice[key] for key in ("id", "model", "value") if key in choice]
            choice = next(filter(None, ids), None if ids else choice)
            result[picker] = choice
        if choice in ("", [], {}):
            choice = result[picker] = None  # no model has such an id
        if isinstance(typed, str):
            typed = typed.strip()
        if typed and choice in (OTHER, None):
            result[picker] = typed
        elif choice == OTHER:
            problem = f"is empty, and {picker} is {OTHER!r}: write the model's id here"
            raise TogetherError.refused(name, problem)
        elif typed and typed != choice:
            problem = f"is {typed!r} and {picker} is {choice!r}: leave one empty"
            raise TogetherError.refused(name, problem)
    return result
