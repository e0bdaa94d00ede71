"""Budgets: stop before more money, or time, is spent than is allowed.

check_budget   of one call, before it is sent
Budget         of many calls, shared by threads
bound_chat     what one question may cost, its answer bounded by the budget
Clock          the same for the time of a step of many calls
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

from ..client import TogetherError
from .pricing import answer_room, cost_by, money, most_prompt, priced, spent_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Unpack

    from ..shapes import Auth, Facts, Members, Usage

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
    problem = f"is below {money(usd)}, what {what} may cost"
    advice = advice or "Raise budget_usd, or ask for less."
    raise _refused(
        problem, type="budget_reached", advice=advice, estimated_cost_usd=usd
    )


def _unknown(note: str | None, advice: str | None = None) -> TogetherError:
    """Return the error for a cost that is not known, for the reason in the note."""
    advice = advice or "Leave budget_usd empty, or use a model that has a price."
    if note == UNLIMITED:
        advice = "Set max_tokens, or leave budget_usd empty."
    problem = f"cannot be kept: {note}"
    return _refused(problem, type="budget_unknown", advice=advice)


def _refused(
    problem: str, before: str = "Nothing was sent: ", **facts: Unpack[Facts]
) -> TogetherError:
    """Return the error for what a budget does not allow: it is not sent. `before` is
    what the message says first."""
    facts["problems"] = [{"field": "budget_usd", "problem": problem}]
    facts["ambiguous"] = False
    return TogetherError(f"{before}budget_usd {problem}.", **facts)


class Spent:
    """What a call cost in USD; None: what was set aside for it."""

    def __init__(self) -> None:
        self.usd: float | None = None


class Budget:
    """Money that a step of many calls may spend; safe to share between threads.

    Each call is made `with budget.spending(...)`; code that waits for money to come
    back calls its two halves itself: `reserve` before the call, `settle` after it. A
    budget of None allows everything.
    """

    def __init__(self, limit_usd: float | None = None) -> None:
        self.limit = limit_usd
        self.spent = 0.0
        self.reserved = 0.0
        self.lock = threading.Lock()

    @contextmanager
    def spending(self, usd: float | None) -> Iterator[Spent]:
        """Set aside what a call may cost at most while it is made within `with`.

        The call leaves what it cost in what this gives; one that fails with a
        TogetherError cost what `spent_on` says, nothing where it was refused. Raises
        what `reserve` does, before anything is sent.
        """
        self.reserve(usd)
        spent = Spent()
        try:
            yield spent
        except TogetherError as error:
            spent.usd = spent_on(error)
            raise
        finally:
            self.settle(usd or 0.0, spent.usd)

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
                    f"is used up: {money(self.spent)} of {money(self.limit)} USD are spent "
                    f"and the next call may cost {money(usd)}",
                    before="",
                    type="budget_reached",
                    advice="Raise budget_usd, or do less in one run.",
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

    def left(self) -> float:
        """Return the USD that may still be set aside."""
        if self.limit is None:
            return float("inf")
        with self.lock:
            return self.limit - self.spent - self.reserved


def bound_chat(
    auth: Auth,
    body: Members,
    budget: Budget,
    share: float | None = None,
    pictures: bool = False,
) -> tuple[float | None, Members]:
    """Return (the USD that a chat completion may cost at most, the body to send), for
    `spending`; None where nothing limits the budget, or no price is known.

    A body without max_tokens gets one: what is left of the budget, or the share of it
    in USD, pays for that many tokens. How many tokens a picture has, no one says
    before: with pictures, the question has as many as the model's context.
    """
    if budget.limit is None:
        return None, body
    found = priced(auth, body["model"])
    if isinstance(found, str) or (pictures and not found["context_length"]):
        return None, body
    sent = {name: value for name, value in body.items() if name != "model"}
    prompt = found["context_length"] if pictures else most_prompt([sent])
    most = body.get("max_tokens")
    if most is None:
        left = budget.left()
        room = answer_room(found, prompt, left if share is None else min(left, share))
        most = max(1, room)
        body = {**body, "max_tokens": most}
    usage: Usage = {
        "prompt_tokens": prompt,
        "completion_tokens": most * (body.get("n") or 1),
    }
    usd, _ = cost_by(found, usage, most=True)
    return usd, body


class Clock:
    """The time that a step of many requests may take; None: any."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self.began = time.monotonic()

    def left(self) -> float:
        """Return the seconds that are left; less than 0 when it is over."""
        if self.seconds is None:
            return float("inf")
        return self.began + self.seconds - time.monotonic()

    def check(self) -> None:
        """Raise TogetherError, before anything more is begun, when the time is over."""
        if self.left() <= 0:
            raise TogetherError(
                f"not begun: the {self.seconds:g} s of the step (stop_after_seconds) are "
                "over",
                type="deadline",
                ambiguous=False,
                may_be_paid=False,
                advice="Give it more time, or less to do.",
            )
