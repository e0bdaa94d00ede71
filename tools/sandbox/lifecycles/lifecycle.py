"""One thing's life, the clock it lives by, and what all kinds of things have in common.

Time is the sandbox's own. It runs `speed` times as fast as the clock on the wall, a
test moves it with `advance`, and with `advance_per_poll` each look at a thing moves it
too: so a fine-tune of three days passes in no time.
"""

import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime


class RefusalError(Exception):
    """A request that the API would refuse: a status and an error body's content."""

    def __init__(self, status: int, message: str, body: dict | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class Clock:
    """Seconds since 1970, as the things of the sandbox see them."""

    def __init__(self, speed: float) -> None:
        self.offset = 0.0
        self.set_speed(speed)

    def set_speed(self, speed: float) -> None:
        """From now on let `speed` seconds pass in each second; 0 stops the clock."""
        self.offset = self.now() if hasattr(self, "speed") else time.time()
        self.speed = speed
        self.started = time.monotonic()

    def now(self) -> float:
        return self.offset + (time.monotonic() - self.started) * self.speed

    def advance(self, seconds: float) -> None:
        self.offset += seconds


@dataclass
class Lifecycle:
    """A thing: what it was created with, and when it enters which state."""

    id: str
    given: dict
    created: float
    course: list[tuple[float, str]]
    reason: str | None = None
    kept: dict = field(default_factory=dict)  # what its kind remembers of it

    def passed(self, now: float) -> list[tuple[float, str]]:
        """The states so far, each with the time at which it began."""
        return [(at, state) for at, state in self.course if at <= now]

    def state(self, now: float) -> str:
        return self.passed(now)[-1][1]

    def since(self, state: str) -> float | None:
        """When it enters a state, or None where it never does."""
        return next((at for at, name in self.course if name == state), None)

    def turn(self, now: float, *course: tuple[str, float]) -> None:
        """From now on pass through other states: (state, seconds in it), ..."""
        self.course = self.passed(now)
        for state, seconds in course:
            self.course.append((now, state))
            now += seconds

    def share(self, state: str, now: float) -> float:
        """How much of a state is over, 0 to 1."""
        start = self.since(state)
        if start is None or now < start:
            return 0.0
        ends = [at for at, _ in self.course if at > start]
        return 1.0 if not ends else min(1.0, (now - start) / (ends[0] - start))


class Kind:
    """What things of one kind do; each subclass is one kind.

    `operations` maps the pack's operations to the methods here that answer them.
    """

    name = ""
    prefix = ""
    id_argument = ""
    course: tuple[tuple[str, float], ...] = ()
    ended: tuple[str, ...] = ()
    failed = ""
    cancelled: tuple[tuple[str, float], ...] = ()
    operations: dict[str, str] = {}  # noqa: RUF012, each subclass sets its own

    def __init__(self, clock: Clock, sandbox: object) -> None:
        self.clock = clock
        self.sandbox = sandbox
        self.lives: dict[str, Lifecycle] = {}
        self.failing_next: list[tuple[str, str | None, float | None]] = []
        self.advance_per_poll = 0.0
        self.plan = dict(self.course)

    # --- what a subclass says ------------------------------------------------------

    def accept(self, arguments: dict) -> None:
        """Raise RefusalError where the schema alone cannot tell that the API would."""

    def show(self, life: Lifecycle) -> dict:
        raise NotImplementedError

    def created(self, life: Lifecycle) -> object:
        return self.show(life)

    def listed(self, shown: list[dict]) -> object:
        return {"data": shown}

    # --- the methods that answer operations ----------------------------------------

    def create(self, arguments: dict) -> object:
        self.accept(arguments)
        now = self.clock.now()
        life = Lifecycle(f"{self.prefix}{uuid.uuid4()}", arguments, now, [])
        life.turn(now, *((state, self.plan[state]) for state, _ in self.course))
        self.lives[life.id] = life
        if self.failing_next:
            reason, state, after = self.failing_next.pop(0)
            if after is None:
                after = (life.course[-1][0] + life.course[-2][0]) / 2 - now
            self.fail(life, reason, state, now + after)
        return self.created(life)

    def get(self, arguments: dict) -> object:
        life = self.find(arguments)
        if life is None:
            return None
        self.clock.advance(self.advance_per_poll)
        return self.show(life)

    def entries(self, arguments: dict) -> object:
        if not self.lives:
            return None
        shown = [self.show(life) for life in self.lives.values()]
        for name in ("status", "model_resources_id"):
            wanted = arguments.get(name)
            if wanted:
                wanted = wanted if isinstance(wanted, list) else [wanted]
                shown = [entry for entry in shown if entry.get(name) in wanted]
        # The newest first, as services list them.
        return self.listed(shown[::-1][: arguments.get("limit", 1000)])

    def cancel(self, arguments: dict) -> object:
        life = self.find(arguments)
        if life is None:
            return None
        now = self.clock.now()
        state = life.state(now)
        if state in self.ended:
            raise RefusalError(
                400, f"{self.name} {life.id} is {state}: too late to cancel"
            )
        life.turn(now, *self.cancelled)
        return self.show(life)

    def delete(self, arguments: dict) -> object:
        life = self.find(arguments)
        if life is None:
            return None
        del self.lives[life.id]
        return self.deleted(life)

    def deleted(self, life: Lifecycle) -> object:
        return {}

    # --- what they share -----------------------------------------------------------

    def find(self, arguments: dict) -> Lifecycle | None:
        """The thing asked for; None while there is nothing at all of this kind, and for
        what the sandbox only knows from examples."""
        if not self.lives:
            return None
        name = arguments.get(self.id_argument) or (arguments.get("body") or {}).get(
            self.id_argument
        )
        if name not in self.lives:
            if self.sandbox.knows(name):
                return None
            raise RefusalError(404, f"{self.name} {name} not found")
        return self.lives[name]

    def fail(
        self, life: Lifecycle, reason: str, state: str | None, at: float | None = None
    ) -> None:
        """Let a thing fail with a reason, now or at a time."""
        at = self.clock.now() if at is None else at
        life.reason = reason
        life.turn(at, (state or self.failed, 0.0))

    def broken(self, life: Lifecycle) -> bool:
        """Whether its failure has happened yet."""
        return life.reason is not None and self.clock.now() >= life.course[-1][0]


def stamp(seconds: float | None) -> str | None:
    """A time as the API writes it."""
    if seconds is None:
        return None
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
