"""What is remembered from run to run, as state resources of the workspace.

get_state, set_state     what a scheduled script remembers from run to run
create_state, delete_state, list_states   records of what was begun
"""

from __future__ import annotations

import os

from ..client.references import harmless
from .api import (
    ask_windmill,
    list_windmill,
    not_in_job,
    parse_reply,
    quoted_path,
    refusal,
    send_windmill,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..client.transport import Reply
    from ..shapes import Json


def get_state(path: str | None = None) -> Json:
    """Return what set_state kept, or None: of this script under this schedule or flow.

    `path` names another state resource. Raises TogetherError.
    """
    # Its value as it is: `get_value_interpolated` would resolve what it holds.
    where = f"resources/get_value/{quoted_path(path or _state_path())}"
    what = "The state cannot be read"
    reply = _look(where, what)
    if reply.status == 404:
        return None
    return parse_reply("GET", where, what, reply)


def set_state(value: Json, path: str | None = None) -> None:
    """Keep a JSON value for the next run, without what Windmill would resolve when
    the package `wmill` reads it. Raises TogetherError."""
    place = path or _state_path()
    what = "The state cannot be written"
    there = _look(f"resources/get/{quoted_path(place)}", what)
    if there.status == 404 and create_state(value, place):
        return
    value, _ = harmless(value)
    where = f"resources/update_value/{quoted_path(place)}"
    ask_windmill("POST", where, what, body={"value": value})


def _look(where: str, what: str) -> Reply:
    """Read a resource; a reply of 404 says that there is none.

    Windmill looks for the resource, and then for the reason why it is not visible. One
    that another run creates in between is reported as hidden; a second look finds it.
    """
    reply = send_windmill("GET", where, what)
    if reply.status == 401 and "Resource exists" in reply.text():
        reply = send_windmill("GET", where, what)
    return reply


def create_state(value: Json, path: str) -> bool:
    """Keep a value where nothing is kept yet; return False where something is."""
    what = "The state cannot be written"
    value, _ = harmless(value)
    state = {"path": path, "value": value, "resource_type": "state"}
    reply = send_windmill("POST", "resources/create", what, body=state)
    if reply.status >= 300 and "already exists" not in reply.text():
        raise refusal("POST", "resources/create", what, reply)
    return reply.status < 300


def delete_state(path: str) -> None:
    """Forget what is kept at a path, if anything is. Raises TogetherError."""
    where = f"resources/delete/{quoted_path(path)}"
    what = f"The state {path} cannot be deleted"
    reply = send_windmill("DELETE", where, what)
    if reply.status != 404:  # an earlier run may have deleted it, and been killed then
        parse_reply("DELETE", where, what, reply)


def list_states(start: str) -> dict[str, str]:
    """Return {path: ISO 8601 time of its last change} of the states under a path."""
    query = {"resource_type": "state", "path_start": start}
    found = list_windmill("resources/list", "The states cannot be listed", query)
    return {
        path: str(state.get("edited_at") or "")
        for path, state in found.items()
        if path.startswith(start)
    }


def _state_path() -> str:
    path = os.environ.get("WM_STATE_PATH_NEW") or os.environ.get("WM_STATE_PATH")
    if not path:
        raise not_in_job("No state path is known")
    return path
