"""Together's catalogue of models, what they cost, and budgets."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .model_picker import choices as choices

# What the scripts and steps use, and the part that it is in: loaded when it is asked
# for. A job has all of the parts as one module.
PLACES = {
    "choices": "model_picker",
}


def __getattr__(name: str) -> object:
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{PLACES[name]}", __name__), name)
