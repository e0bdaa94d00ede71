"""Other models, for when one is gone or does not answer.

Models        those that a step may ask, the one that is asked first
may_help      whether another model may do what one failed to do
bill_by_model  what the answers of several models cost
dearest       prices by which none of several models costs more
"""

from __future__ import annotations

import threading
from itertools import pairwise

from ..client import TogetherError
from ..client.job import log
from .pricing import bill, cost_fields, sum_costs, sum_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..shapes import Auth, Json, Members

# Refusals that are about the model, of those in scripts/resilience/refusals.py.
OF_THE_MODEL = (
    "model_not_available",
    "endpoint_not_ready",
    "endpoint_not_configured",
    "third_party_data_sharing_blocked",
)


def may_help(error: TogetherError) -> bool:
    """Say whether another model may answer where one failed so: it is not served, or
    fails, is overloaded, over its rate or silent after all tries. Never where the key,
    the credit or what was asked is refused, nor where half an answer was shown."""
    if error.partial is not None or error.problems is not None:
        return False
    if error.final:
        return error.code in OF_THE_MODEL
    status = error.status
    if status is None:
        return error.type == "connection"
    if status == 429:
        from ..resilience.retry import about_money  # which made the error

        return not about_money(error.type, error.code, error.detail)
    return status in (404, 408) or status >= 500


class Models:
    """The models that a step may ask, in the order of preference; threads share it.

    given are the step's arguments: `model`, and `fallback_models` where there are any.
    """

    def __init__(self, given: Members) -> None:
        self.asked: str = given["model"]
        names = [self.asked, *given.get("fallback_models", ())]
        self.names = list(dict.fromkeys(names))
        self.gone: set[str] = set()
        self.lock = threading.Lock()

    def left(self) -> list[str]:
        """Return the models to try, best first: those that are gone are not tried
        again, but for the last."""
        with self.lock:
            return [n for n in self.names if n not in self.gone] or self.names[-1:]

    def failed(self, model: str, following: str, error: TogetherError) -> None:
        """Note that a model failed with an error, and that another is asked now."""
        gone = bool(error.final) or error.status == 404
        with self.lock:
            told = model in self.gone
            if gone:
                self.gone.add(model)
        if not told:
            for_good = " from now on" if gone else ""
            log(f"{model}: {error}\nasking {following} instead{for_good}")

    def first(
        self,
        send: Callable[[str, bool], Any],
        helps: Callable[[TogetherError], bool] = may_help,
    ) -> tuple[Any, str]:
        """Return (send(model, whether it is the last), model) of the first model that
        answers. Raises the TogetherError of the last one, or one of which `helps` says
        that another model is no help."""
        left = self.left()
        for model, following in pairwise(left):
            try:
                return send(model, False), model
            except TogetherError as error:
                if not helps(error):
                    raise
                self.failed(model, following, error)
        return send(left[-1], True), left[-1]

    def told(self, *answered: str) -> Members:
        """Return {"fallback_from": the model that was to answer} where another did."""
        others = [model for model in answered if model != self.asked]
        return {"fallback_from": self.asked} if others else {}


def bill_by_model(auth: Auth, answers: list[tuple[str, Json]]) -> Members:
    """Return what `bill` does of (model, answer) pairs, whose models may differ."""
    by_model: dict[str, list[Json]] = {}
    for model, answer in answers:
        by_model.setdefault(model, []).append(answer)
    bills = [bill(auth, model, several) for model, several in by_model.items()]
    if len(bills) == 1:
        return bills[0]
    costs = sum_costs((one["cost_usd"], one.get("cost_note")) for one in bills)
    return {
        "usage": sum_usage([one["usage"] for one in bills]),
        **cost_fields(*costs),
    }


def dearest(found: list[Members | str]) -> Members | str:
    """Return what `priced` does, of what it returned for several models: of each unit
    the highest price, and the least room; or why one of them has none."""
    known = [one for one in found if not isinstance(one, str)]
    if len(known) < len(found):
        return next(one for one in found if isinstance(one, str))
    if len(known) == 1:
        return known[0]
    units = {unit for one in known for unit in one["prices"]}
    prices = {unit: max(_price(one["prices"], unit) for one in known) for unit in units}
    rooms = [one["context_length"] for one in known if one["context_length"]]
    name = " or ".join(one["id"] for one in known)
    return {"id": name, "prices": prices, "context_length": min(rooms, default=None)}


def _price(prices: dict[str, float], unit: str) -> float:
    """Return a price; where none is named of what is cached, it costs as much as what
    is not."""
    usual = prices.get("input", 0.0) if unit == "cached" else 0.0
    return prices.get(unit, usual)
