"""Conversations of agents, kept in the workspace and found again by their names.

They lie in its object storage or, where it has none, in a resource of type `state`. A
name tells which, so that a conversation is found where it was begun.
"""

from __future__ import annotations

import json
import re

from ..client import TogetherError
from ..client.jsonio import parse_json
from .create_once import state_folder
from .state import get_state, set_state
from .storage import check_storage, open_object, write_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Members

NAME = re.compile("(storage|state)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LARGEST = 32 << 20  # bytes


def new_name(job: str) -> str:
    """Return the name of a conversation that a job begins: always the same one."""
    try:
        check_storage()
    except TogetherError:
        return f"state-{job}"
    return f"storage-{job}"


def read(name: str, field: str = "conversation") -> Members | None:
    """Return what is kept under a name, or None. Raises TogetherError."""
    if not NAME.fullmatch(name):
        raise TogetherError.refused(field, "is no conversation of an earlier run")
    if name.startswith("state-"):
        found = get_state(_path(name))
    else:
        try:
            with open_object(_key(name)) as stored:
                content = stored.read(LARGEST)
        except TogetherError as error:
            if error.status == 404:
                return None
            raise
        found, _ = parse_json(content)
    return found if isinstance(found, dict) else None


def write(name: str, value: Members) -> None:
    """Keep a conversation under its name. Raises TogetherError."""
    if name.startswith("state-"):
        set_state(value, _path(name))
        return
    content = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    if len(content) > LARGEST:
        raise TogetherError(
            f"The conversation has grown beyond {LARGEST >> 20} MB.",
            type="too_large",
            advice="Begin a new one, with what of it is still needed in the prompt.",
        )
    write_object(content, _key(name), content_type="application/json")


def _key(name: str) -> str:
    # Flat under the prefix that every workspace's rules let jobs write to.
    return f"windmill_uploads/together_{name}.json"


def _path(name: str) -> str:
    folder = state_folder("agents")
    if folder is None:
        raise TogetherError(
            "No state path is known: this is not a Windmill job.",
            type="not_in_windmill",
        )
    return folder + name.replace("-", "_")
