"""The defaults of steps' arguments, for steps that call others without a form.

Only the source has this module: what is deployed holds the defaults themselves where
they are asked for here (tools/tree/flatten.py).
"""

from __future__ import annotations

import json

from .operations import SCHEMAS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from .shapes import Members


def step_defaults(name: str, schemas: Path = SCHEMAS) -> Members:
    """Return {argument: default} of a step, such as "images/create_picture", by the
    schemas in a folder. Raises KeyError where no step has the name."""
    try:
        schema = json.loads((schemas / f"{name}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise KeyError(f"{name}: there is no such schema") from None
    if "x-step" not in schema:
        raise KeyError(f"{name} is no step")
    members = schema["properties"]
    return {n: one["default"] for n, one in members.items() if "default" in one}
