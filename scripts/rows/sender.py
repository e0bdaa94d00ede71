"""Requests for rows: what they may cost, which failures are true of all of them.

Sender      asks for a row, or several, within the step's budget
lanes_for   the pool of threads by which a step over rows sends
answer_all  lets them do the tasks, and adds what they did in the order of the rows
chunks_of   items in lists, each for one request
"""

from __future__ import annotations

from functools import partial
from itertools import takewhile

from ..catalog.budget import Budget, check_budget
from ..catalog.fallback import Models, dearest, may_help
from ..catalog.pricing import (
    answer_room,
    cost_by,
    lost_usage,
    most_prompt,
    most_tokens,
    priced,
    usage_of,
)
from ..client import TogetherError
from ..table.table import broken_table
from .worker_pool import WorkerPool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from ..shapes import Auth, Counts, Members, Operation, Usage
    from ..table.row_counts import RowOutcome
    from ..table.row_results import RowResults

TOO_MUCH = (400, 413, 422)
HOPELESS = (401, 402, 404)  # what is true of every row: key, credit, model
MOST_BARREN = 10  # failures in a row after which no request is halved
ROOM = (4, 2, 1)  # times the longest answer so far that the next one may be
HOPELESS_AFTER = 20  # refusals without one answer


def lanes_for(auth: Auth, operation: Operation, given: Members) -> WorkerPool:
    return WorkerPool(
        auth,
        operation,
        given["concurrency"],
        given["timeout_seconds"],
        given["patience_seconds"],
        given.get("stop_after_seconds"),
    )


def answer_all(
    lanes: WorkerPool,
    work: Callable[[Any], list[RowOutcome]],
    tasks: Iterable[Any],
    results: RowResults,
    check: Callable[[RowOutcome], None] | None = None,
) -> None:
    """Let the lanes do the tasks, and add what becomes of each one's rows; `check` looks
    at it first, and may change it, in the order of the rows.

    Once no row can be answered, or the table cannot be read on, no more tasks are
    taken: what is under way ends and is added, and `results.fault` is the error. Raises
    TogetherError for a table of which nothing was sent.
    """
    wanted = takewhile(lambda task: results.fault is None, tasks)
    found = lanes.map(work, wanted)
    begun = False
    while True:
        try:
            outcomes = next(found, None)
        except TogetherError as error:  # of the table: work makes outcomes of its own
            if not begun:
                raise
            results.fault = results.fault or broken_table(error)
            return
        if outcomes is None:
            return
        begun = True
        for outcome in outcomes:
            if check:
                check(outcome)
            results.add(outcome)


def chunks_of(
    items: Iterable[Any], size: Callable[[Any], int], most: int, largest: int
) -> Iterator[list[Any]]:
    """Yield lists of at most so many items, and of about that size in all."""
    chunk: list[Any] = []
    total = 0
    for item in items:
        own = size(item)
        if chunk and (len(chunk) >= most or total + own > largest):
            yield chunk
            chunk, total = [], 0
        chunk.append(item)
        total += own
    if chunk:
        yield chunk


def prompt_tokens(messages: list[Members]) -> int:
    """Return the most tokens that the messages of a request may have."""
    return most_prompt(one["content"] for one in messages)


class Sender:
    """Sends for the rows, until the budget is used up or nothing can be answered.

    What a request may cost and which failures are true of every row is known here; when
    a request may go is the gate's to say.
    """

    def __init__(
        self,
        auth: Auth,
        given: Members,
        lanes: WorkerPool,
        outcome: RowResults,
        writes: bool = True,
        models: Models | None = None,
    ) -> None:
        self.auth = auth
        self.given = given
        self.lanes = lanes
        self.gate = lanes.gate
        self.outcome = outcome
        self.writes = writes  # answers have tokens of their own
        self.models = models or Models({"model": given["model"]})
        self.refused = 0  # requests, as long as none was answered
        self.answered = outcome.counts.done > 0
        self.barren = 0  # failures of the service since it last answered
        self.longest = 0.0  # tokens of an answer so far
        self.bound = given.get("max_tokens", 0) if writes else 0
        self.money: Budget | None = None
        if "budget_usd" in given:
            self.money = Budget(given["budget_usd"])
            # Once: a list that cannot be read again later ends nothing.
            self.prices_of = {name: priced(auth, name) for name in self.models.names}
            self.prices = dearest([*self.prices_of.values()])
            usage: Usage = {"prompt_tokens": 1, "completion_tokens": int(writes)}
            may_cost = cost_by(self.prices, usage)
            if may_cost[0] is None:
                check_budget(self.money.limit, *may_cost, "a row")
            told = self.cost(outcome.counts.usage) or 0.0
            self.money.spent = max(told, outcome.counts.spent or 0.0)

    def ask(
        self, body: Members, lost: list[tuple[str | None, Usage]]
    ) -> tuple[Members, str | None]:
        """Return (answer, model) of the first model that answers a body; None is the
        step's own. Money is set aside for each that is asked. `lost` gets the calls that
        failed and may have been paid for, as RowOutcome has them. Raises TogetherError.
        """
        most = prompt_tokens(body["messages"])

        def send(model: str, last: bool) -> Members:
            reserved, _ = self.reserve([most])
            try:
                return self.send({**body, "model": model}, reserved, last)
            except TogetherError as error:
                usage = lost_usage(error)
                if usage is not None:
                    lost.append((self.other(model), usage))
                raise

        answer, model = self.models.first(send, self.another)
        return answer, self.other(model)

    def other(self, model: str) -> str | None:
        """Return a model that is another than the step's own, or None."""
        return None if model == self.models.asked else model

    def another(self, error: TogetherError) -> bool:
        """Say whether the next model is asked for the row, now that one failed."""
        return self.was_sent(error) and not self.gate.stopped and may_help(error)

    def send(self, body: Members, reserved: float | None, last: bool = True) -> Members:
        """Return the answer, with what `reserve` gave; `last` where no other model
        could be asked. Raises TogetherError."""
        usd = None
        try:
            answer = self.lanes.send(self.bounded(body, reserved))
            self.answered, self.barren = True, 0
            if self.money:
                usd = self.usd_of(answer, body)
            return answer
        except TogetherError as error:
            usd = self.lost_usd(error, body)
            self.barren += error.status == 500
            passed_on = not last and self.another(error)
            if not passed_on and not self.divisible(error, body.get("input", ())):
                self.judge(error, error.status)
            raise
        finally:
            if self.money and reserved is not None:
                self.gate.release(partial(self.settle, reserved, usd))

    def settle(self, reserved: float, usd: float | None) -> None:
        """Note what a request cost, for a rerun too: not every answer says it."""
        assert self.money is not None  # or nothing was set aside
        self.money.settle(reserved, usd)
        self.outcome.counts.spent = self.money.spent

    def bounded(self, body: Members, reserved: float | None) -> Members:
        """Return a body whose answer costs no more than what was set aside for it."""
        if reserved is None or not self.writes or "max_tokens" in body:
            return body
        room = self.room(prompt_tokens(body["messages"]), reserved)
        return {**body, "max_tokens": max(1, room)}

    def usd_of(self, answer: Members, body: Members) -> float | None:
        """Return the USD that an answer to a body cost: where neither it nor max_tokens
        says how long it is, what it can have cost at most; None: what was set aside."""
        usage, prices = usage_of(answer), self.prices_of[body["model"]]
        usd = cost_by(prices, usage)[0]
        if not self.writes:
            return usd
        if usage and usd is not None:
            self.longest = max(self.longest, usage["completion_tokens"])
        elif "max_tokens" not in self.given:
            asked, most = prompt_tokens(body["messages"]), most_tokens(answer)
            self.longest = max(self.longest, most)
            usage = {"prompt_tokens": asked, "completion_tokens": most}
            return cost_by(prices, usage, most=True)[0]
        return usd

    def lost_usd(self, error: TogetherError, body: Members) -> float | None:
        """Return the USD that a call for a body cost that failed; None: what was set
        aside."""
        usage = lost_usage(error)
        if usage is None or not self.money:
            return 0.0
        return cost_by(self.prices_of[body["model"]], usage)[0]

    def divisible(self, error: TogetherError, texts: Sequence[str]) -> bool:
        """Say whether fewer of the texts may be taken where so many were refused."""
        status = error.status
        # One text may be more than the service bears; when it is down, all are.
        broken = status == 500 and self.barren < MOST_BARREN
        return len(texts) > 1 and (status in TOO_MUCH or broken)

    def was_sent(self, error: TogetherError) -> bool:
        """Say whether the row of a call that failed is done with, and not left to
        another run."""
        return error.type != "not_sent"

    def stopped_member(self) -> Members:
        """Return {"stopped": why} where rows were left to another run."""
        return {"stopped": self.gate.stopped} if self.outcome.unsent else {}

    def not_sent(self, error: TogetherError | None = None) -> TogetherError:
        """Return the error for a row that is left to another run; `error` is that of its
        call, where there was one."""
        return TogetherError(
            f"not sent: {self.gate.stopped}",
            type="not_sent",
            may_be_paid=bool(error and error.may_be_paid),
        )

    def judge(self, error: TogetherError, status: int | None) -> None:
        """Stop when a failure is true of every row, and when there is no time left."""
        if not self.was_sent(error):
            self.gate.stop(str(error))
            raise self.not_sent(error) from None
        if status == 429 and self.lanes.exhausted:
            self.gate.stop(str(error))
            self.outcome.given_up = self.outcome.given_up or error
            raise self.not_sent(error) from None
        from ..resilience.retry import (
            about_money,
            passing,
        )  # only when something failed

        words = error.type, error.code, error.detail
        spent = status == 429 and about_money(*words)
        passes = status is None or status < 400 or (passing(status) and not spent)
        if passes and not error.final:
            return
        self.refused += 1
        hopeless = status in HOPELESS or spent or bool(error.final)
        of_all = not self.answered and (hopeless or self.refused >= HOPELESS_AFTER)
        if of_all:
            self.outcome.fault = self.outcome.fault or error
        if hopeless or of_all:
            self.gate.stop(str(error))
            raise self.not_sent(error) from None

    def reserve(self, prompts: list[int]) -> tuple[float | None, int]:
        """Set money aside for a request whose texts have at most so many tokens each.

        Returns (USD, how many of the texts may go): all, save when the rest of the
        budget is enough for some alone. Waits while others may leave money over. Raises
        TogetherError of type "not_sent" for what another run may send.
        """
        if not self.money and not self.gate.stopped:
            return None, len(prompts)
        reserved = self.gate.reserve(partial(self.take, prompts))
        if reserved is None:
            raise self.not_sent()
        return reserved

    def take(self, prompts: list[int]) -> tuple[float, int] | None:
        """Do so without waiting; None: not now, or never when the gate is stopped."""
        assert self.money is not None  # what nothing bounds is not set aside
        if self.writes and not self.longest and self.gate.reserved and not self.bound:
            return None  # the first answer shows how long they are: wait for it
        for count in range(len(prompts), 0, -1):
            for longest in self.lengths(sum(prompts[:count])):
                usage: Usage = {"prompt_tokens": sum(prompts[:count])}
                if self.writes:
                    usage["completion_tokens"] = longest
                usd = cost_by(self.prices, usage, most=True)[0]
                try:
                    self.money.reserve(usd)
                except TogetherError as error:
                    if self.gate.reserved:
                        return None
                    why = str(error)
                else:
                    return usd or 0.0, count
            self.gate.stopped = self.gate.stopped or why
        return None

    def lengths(self, prompt: int) -> Iterator[float]:
        """Yield how many tokens an answer may have, the most that one would let it
        have first: what max_tokens says; else some times as many as the longest had
        so far, or as many as the rest of the budget pays for."""
        if not self.writes or self.bound:
            yield self.bound
        elif not self.longest:
            assert self.money is not None  # as in `take`
            yield max(1, self.room(prompt, self.money.left()))
        else:
            yield from (self.longest * times for times in ROOM)

    def room(self, prompt: int, usd: float) -> int:
        """Return how many tokens an answer may have so that all costs no more USD."""
        assert isinstance(self.prices, dict)  # else check_budget has refused
        return answer_room(self.prices, prompt, usd)

    def cost(self, usage: Counts | None) -> float | None:
        """Return the USD by the prices of the beginning, or None."""
        return cost_by(self.prices, usage)[0]
