"""Budgets: stop before more is spent than is allowed.

check_budget   of one call, before it is sent
Budget         of many calls, shared by threads
"""

from __future__ import annotations

import threading

from ..client import TogetherError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Json

UNLIMITED = "without max_tokens nothing limits the length of answers"


def check_budget(
    budget_usd: float | None,
    usd: float | None,
    note: str | None,
    what: str,
    advice: str | None = None,
    unknown: str | None = None,
) -> None:
    """Raise TogetherError, before anything is sent, when what is asked for may cost
    more USD than budget_usd, or None: not known, for the reason in the note. A budget
    of None allows everything. `advice` is for a cost above the budget, `unknown` for a
    cost that is not known."""
    if budget_usd is None or (usd is not None and usd <= budget_usd):
        return
    if usd is None:
        raise _unknown(note, unknown)
    problem = f"is below {usd:.6g}, what {what} may cost"
    advice = advice or "Raise budget_usd, or ask for less."
    raise _refused("budget_reached", problem, advice, estimated_cost_usd=usd)


def _unknown(note: str | None, advice: str | None = None) -> TogetherError:
    """Return the error for a cost that is not known, for the reason in the note."""
    advice = advice or "Leave budget_usd empty, or use a model that has a price."
    if note == UNLIMITED:
        advice = "Set max_tokens, or leave budget_usd empty."
    return _refused("budget_unknown", f"cannot be kept: {note}", advice)


def _refused(
    kind: str,
    problem: str,
    advice: str,
    before: str = "Nothing was sent: ",
    **facts: Json,
) -> TogetherError:
    """Return the error for what a budget does not allow: it is not sent. `before` is
    what the message says first."""
    return TogetherError(
        f"{before}budget_usd {problem}.",
        type=kind,
        advice=advice,
        problems=[{"field": "budget_usd", "problem": problem}],
        ambiguous=False,
        **facts,
    )


class Budget:
    """Money that a step of many calls may spend; safe to share between threads.

    Before a call, `reserve` its estimated cost; after it, `settle` what it cost. A
    budget of None allows everything.
    """

    def __init__(self, limit_usd: float | None = None) -> None:
        self.limit = limit_usd
        self.spent = 0.0
        self.reserved = 0.0
        self.lock = threading.Lock()

    def reserve(self, usd: float | None) -> None:
        """Set the money for a call aside. Raises TogetherError, before anything is
        spent, when it might exceed the budget or its price is None: not known."""
        if self.limit is None:
            return
        if usd is None:
            raise _unknown("the model's price is not known")
        with self.lock:
            if self.spent + self.reserved + usd > self.limit:
                raise _refused(
                    "budget_reached",
                    f"is used up: {self.spent:.6g} of {self.limit:.6g} USD are spent "
                    f"and the next call may cost {usd:.6g}",
                    "Raise budget_usd, or do less in one run.",
                    before="",
                    spent_usd=round(self.spent, 10),
                    budget_usd=self.limit,
                )
            self.reserved += usd

    def settle(self, reserved: float, usd: float | None) -> None:
        """Note what a call cost for which money was set aside; None: as estimated."""
        if self.limit is None:
            return
        with self.lock:
            self.reserved -= reserved
            self.spent += reserved if usd is None else usd
