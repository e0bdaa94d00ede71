"""The scripts and flows of the workspace."""

from __future__ import annotations

from .api import list_windmill, parse_reply, quoted_path, send_windmill

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Json


def list_runnables(kind: str, start: str) -> list[str]:
    """Return the paths of the scripts, modules too, or of the flows below a path."""
    query = {"path_start": start, "without_description": "true"}
    if kind == "script":
        query["include_without_main"] = "true"
    what = f"The {kind}s of {start} cannot be listed"
    found = list_windmill(f"{kind}s/list", what, query)
    return sorted(path for path in found if path.startswith(start))


def read_runnable(kind: str, path: str) -> Json:
    """Return a Python script's text, or a flow as Windmill describes it; None where
    there is none."""
    script = kind == "script"
    where = (
        f"scripts/raw/p/{quoted_path(path)}.py"
        if script
        else f"flows/get/{quoted_path(path)}"
    )
    what = f"The {kind} {path} cannot be read"
    reply = send_windmill("GET", where, what)
    if reply.status == 404:
        return None
    if script and reply.status < 300:
        return reply.text()
    return parse_reply("GET", where, what, reply, dict)
