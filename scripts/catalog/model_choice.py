"""The model that a step takes when none is named."""

from __future__ import annotations

from ..client import TogetherError
from ..client.job import log
from .catalog import SERVERLESS, fitting, listing, usable
from .known_models import AS_OF, BUILT_IN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..shapes import Members

READ_SECONDS = 10.0  # for the list; whoever cannot wait names a model
# The class of a model that is taken unasked: able enough for most work, and not dear.
MOST_USD = {"input": 1.0, "output": 3.0, "image": 0.1, "character": 70.0}
LEAST_CONTEXT = 32_000  # tokens
TALKS = ("chat", "vision", "tools", "structured")


def choose_model(
    auth: Any, given: Members, task: str, earlier: str | None = None
) -> None:
    """Put a model for a task into a step's arguments that name none: the one that an
    earlier run with this input took, unless it is gone, else the recommended one."""
    if given.get("model"):
        return
    if earlier and not _is_gone(auth, earlier):
        log(f"model {earlier}, which an earlier run took")
        given["model"] = earlier
        return
    given["model"] = recommended(auth, task)


def _is_gone(auth: Any, name: str) -> bool:
    """Say whether the catalogue offers no model of that name serverlessly any more; a
    list that cannot be read, or is empty, says nothing of it."""
    if not usable(auth):
        return False
    reads = [listing(auth, product) for product in (SERVERLESS, None)]
    for read in reads:
        read.wait(READ_SECONDS / 2)
        model = read.find(name)
        if model and model["status"] != "hidden" and model["serverless"] is not False:
            return False
    return any(read.complete and read.models for read in reads)


def recommended(auth: Any, task: str) -> str:
    """Return the id of the model to take for a task: of those that the catalogue offers
    serverlessly, that are not deprecated and of the class above, the recommended ones
    before the others, and of these the newest. Raises TogetherError where there is none.
    """
    models: list[Members] = []
    problem: str | None = "no resource is chosen to read it with"
    if usable(auth):
        for product in (SERVERLESS, None):
            read = listing(auth, product)
            read.wait(READ_SECONDS / 2)
            problem = read.problem()
            models = [
                model
                for model in fitting(read.models, task)
                if model["status"] != "deprecated"
            ]
            if models:
                break
    best = [model for model in models if _in_class(model, task)] or models
    name: str | None = best[0]["id"] if best else None
    why = "recommended by the catalogue"
    if name is None and problem and BUILT_IN.get(task):
        name = BUILT_IN[task][0]
        why = f"from a list of {AS_OF}, as the catalogue cannot be read: {problem}"
    if name is None:
        raise TogetherError.refused(
            "model",
            f"is required: the catalogue offers no model for {task}",
            advice="Name a model, or an endpoint of your own.",
        )
    log(f"model {name}, {why}")
    return name


def _in_class(model: Members, task: str) -> bool:
    prices = model["prices"]
    if any(prices.get(unit, 0) > most for unit, most in MOST_USD.items()):
        return False
    if task not in TALKS:
        return True
    return "input" in prices and (model["context_length"] or 0) >= LEAST_CONTEXT
