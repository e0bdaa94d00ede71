"""The profiles that Windmill's command line keeps of its user: where, and with which
token."""

import json
import os
import sys
from pathlib import Path


def profile(name: str | None) -> tuple[str, str, str, str]:
    """A profile of Windmill's command line: its name, the server's address, the
    workspace's id and the token; the active one for None. Raises ValueError."""
    place = _config() / "windmill"
    if name is None:
        try:
            name = (place / "activeWorkspace").read_text(encoding="utf-8").strip()
        except OSError:
            raise ValueError("wmill has no active workspace") from None
    try:
        lines = (place / "remotes.ndjson").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and found.get("name") == name:
            return name, found["remote"], found["workspaceId"], found["token"]
    raise ValueError(f"wmill knows no workspace {name!r}")


def _config() -> Path:
    """The folder of settings that the command line uses on this system."""
    if own := os.environ.get("WMILL_CONFIG_DIR"):
        return Path(own)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Preferences"
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home())
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
