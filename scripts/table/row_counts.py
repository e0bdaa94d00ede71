"""What becomes of rows: of one, and how many were done, failed and what they used."""

from __future__ import annotations

from ..catalog.pricing import (
    LOST_UNTOLD,
    PARTLY_UNTOLD,
    cost,
    cost_fields,
    sum_costs,
    sum_usage,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..shapes import Auth, Json, Members, Usage

PAID = ("usage", "others", "unknown", "lost", "spent")  # see RowCounts
NAMED, LONGEST = 3, 300  # failures that are told in full; characters of one


class RowOutcome:
    """What became of a row.

    row is as it came; answer, or None and `why` there is none. usage is what its call
    used, {} when the answer does not say, None when there was no answer of its own; cut
    when the answer did not come to its end; sent is False when the row is left to
    another run; model, where it was another than the step's own. lost are (model,
    usage), as those two, of each call before it that failed and may have been paid for.
    """

    __slots__ = ("answer", "cut", "lost", "model", "row", "sent", "usage", "why")

    def __init__(
        self,
        row: Json,
        answer: Json = None,
        why: str | None = None,
        *,
        usage: Usage | None = None,
        cut: bool = False,
        sent: bool = True,
        model: str | None = None,
        lost: Sequence[tuple[str | None, Usage]] = (),
    ) -> None:
        self.row, self.answer, self.why = row, answer, why
        self.usage, self.cut, self.sent = usage, cut, sent
        self.model, self.lost = model, lost


class RowCounts:
    """The rows so far.

    done, failed    how many were answered, and were not
    cut             answers that did not come to their end
    failures        [{"row": its number, "error": why}] of the first that failed
    dimensions      numbers of each vector, or None
    model           the step's own, of which the rows so far were asked, or None
    usage           what all calls used that tell it, or None
    others          {model: {"rows", "usage"}} of models in place of the step's own
    unknown, lost   answers, and failed calls, of which it is not told
    spent           USD that count for the budget, or None without one
    """

    def __init__(self, members: Members | None = None) -> None:
        self.done = self.failed = self.cut = self.unknown = self.lost = 0
        self.failures: list[Members] = []
        self.dimensions: int | None = None
        self.model: str | None = None
        self.usage: Usage | None = None
        self.others: dict[str, Members] = {}
        self.spent: float | None = None
        vars(self).update(members or {})  # those that an earlier run had

    @property
    def rows(self) -> int:
        """How many are reported, answered or not."""
        return self.done + self.failed

    @property
    def paid(self) -> Members:
        """What counts for the bill and the budget: of all calls, also for rows that are
        left to another run."""
        paid = {name: value for name in PAID if (value := getattr(self, name))}
        return {**paid, "model": self.model} if paid else {}

    def members(self) -> Members:
        """Return all of them, for a rerun: nothing within changes any more."""
        return dict(vars(self))

    def add(self, outcome: RowOutcome) -> None:
        """Count a row."""
        why = outcome.why
        if why is None:
            self.done += 1
        else:
            self.failed += 1
            self.add_failure({"row": self.rows, "error": why[:LONGEST]})
        self.cut += outcome.cut
        self.add_call(outcome.model, outcome.usage, int(why is None))
        self.unknown += outcome.usage == {}
        for model, usage in outcome.lost:
            self.add_call(model, usage, 0)
            self.lost += not usage

    def turn_to(self, model: str) -> None:
        """Take a model for the step's own from now on: another one, which the rows so
        far were asked of, is one of the others."""
        before, self.model = self.model, model
        if before in (None, model):
            return
        rows = self.done - sum(one["rows"] for one in self.others.values())
        entry = {"rows": max(0, rows), "usage": self._own_usage() or None}
        others = {**self.others, before: entry}
        self.others = {name: one for name, one in others.items() if name != model}

    def add_failure(self, failure: Members) -> None:
        """Note why a row failed, of the first ones."""
        if len(self.failures) < NAMED:
            self.failures = [*self.failures, failure]

    def add_call(self, model: str | None, usage: Usage | None, rows: int) -> None:
        """Count a call that answered so many rows; the others are as in RowOutcome."""
        if model is not None:
            own = self.others.get(model) or {"rows": 0, "usage": None}
            used = sum_usage([own["usage"], usage or None])
            own = {"rows": own["rows"] + rows, "usage": used}
            self.others = {**self.others, model: own}
        if usage:
            self.usage = sum_usage([self.usage, usage])

    def bill(self, auth: Auth, model: str) -> Members:
        """Return {"usage", "cost_usd", "cost_note"?} of rows asked of one model, and of
        those that others answered in its place."""
        usd, note = self.cost(auth, model)
        if self.unknown:
            usd, note = None, PARTLY_UNTOLD
        elif self.lost:
            usd, note = None, LOST_UNTOLD
        elif self.usage is None:
            note = "no row was answered"
        return {"usage": self.usage, **cost_fields(usd, note)}

    def cost(self, auth: Auth, model: str) -> tuple[float | None, str | None]:
        """Return what `pricing.cost` does, each model's rows at its own price."""
        used = {name: one["usage"] for name, one in self.others.items() if one["usage"]}
        own = self._own_usage()
        if any(own.values()) or not used:
            used = {model: own, **used}
        return sum_costs(cost(auth, name, usage) for name, usage in used.items())

    def _own_usage(self) -> Usage:
        """Return what calls of the step's own model used, {} where none tells it."""
        own = dict(self.usage or {})
        for usage in (one["usage"] for one in self.others.values() if one["usage"]):
            own = {name: own[name] - usage[name] for name in own}
        return own
