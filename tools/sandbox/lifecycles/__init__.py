"""The sandbox's things that live: created, going through their states, ended.

    sandbox.lifecycles.advance(3 * 86400)                 three days go by
    sandbox.lifecycles.advance_per_poll = 600             each look is ten minutes later
    sandbox.lifecycles.fail_next("batch", "no credit")    the next batch fails half done
    sandbox.lifecycles.fail("ft-...", "out of memory")    this one fails now
    sandbox.lifecycles["video"].plan["in_progress"] = 5   videos take five seconds

Over HTTP the same comes as a POST to /sandbox/lifecycles: {"advance": seconds,
"speed": n, "advance_per_poll": seconds, "fail_next": {"kind", "reason", "state"?,
"after"?}, "fail": {"id", "reason", "state"?}}, each member optional.

While nothing of a kind was created, its operations give their canned answers; so do
they for the ids that stand in the examples of the schemas.
"""

from starlette.responses import JSONResponse, Response

from tools.operations import Operation
from tools.sandbox.lifecycles import serving, training, work
from tools.sandbox.lifecycles.lifecycle import Clock, Kind, Lifecycle, RefusalError

__all__ = ["Kind", "Lifecycle", "Lifecycles", "RefusalError"]

KINDS = (
    work.Batch,
    work.Evaluation,
    work.Video,
    work.QueueJob,
    training.FineTune,
    training.ShapingJob,
    training.TrainingOperation,
    training.TrainingSession,
    training.ModelResources,
    serving.Endpoint,
    serving.ProjectEndpoint,
    serving.Deployment,
    serving.UploadJob,
    serving.RemoteUpload,
)


class Lifecycles:
    """All of them. `speed`: how many of their seconds pass in one; 0 stops time."""

    def __init__(self, sandbox: object, speed: float = 60.0) -> None:
        self.clock = Clock(speed)
        self.kinds = {kind.name: kind(self.clock, sandbox) for kind in KINDS}
        self.answers = {
            operation: getattr(kind, method)
            for kind in self.kinds.values()
            for operation, method in kind.operations.items()
        }

    def __getitem__(self, name: str) -> Kind:
        return self.kinds[name]

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @property
    def advance_per_poll(self) -> float:
        return next(iter(self.kinds.values())).advance_per_poll

    @advance_per_poll.setter
    def advance_per_poll(self, seconds: float) -> None:
        for kind in self.kinds.values():
            kind.advance_per_poll = seconds

    def find(self, name: str) -> tuple[Kind, Lifecycle]:
        """The kind and the life of an id. Raises KeyError."""
        for kind in self.kinds.values():
            if name in kind.lives:
                return kind, kind.lives[name]
        raise KeyError(name)

    def state(self, name: str) -> str:
        _, life = self.find(name)
        return life.state(self.clock.now())

    def fail(self, name: str, reason: str, state: str | None = None) -> None:
        """Let a thing fail now, into its kind's failed state or another."""
        kind, life = self.find(name)
        kind.fail(life, reason, state)

    def fail_next(
        self,
        kind: str,
        reason: str,
        state: str | None = None,
        after: float | None = None,
    ) -> None:
        """Let the next thing of a kind fail, `after` seconds after it is created, or
        else in the middle of its work."""
        self.kinds[kind].failing_next.append((reason, state, after))

    def control(self, orders: dict) -> dict:
        """Carry out what a POST to /sandbox/lifecycles asks for; return the time."""
        if "speed" in orders:
            self.clock.set_speed(orders["speed"])
        if "advance_per_poll" in orders:
            self.advance_per_poll = orders["advance_per_poll"]
        if "fail_next" in orders:
            self.fail_next(**orders["fail_next"])
        if "fail" in orders:
            given = orders["fail"]
            self.fail(given["id"], given["reason"], given.get("state"))
        self.advance(orders.get("advance", 0.0))
        return {"now": self.clock.now()}

    def serve(self, operation: Operation, arguments: dict) -> Response | None:
        """The answer of a living thing; None where a canned one is right."""
        answer = self.answers.get(operation.name)
        if answer is None:
            return None
        try:
            found = answer(arguments)
        except RefusalError as refusal:
            error = {
                "message": str(refusal),
                "type": "not_found"
                if refusal.status == 404
                else "invalid_request_error",
                "param": None,
                "code": None,
            }
            return JSONResponse(refusal.body or {"error": error}, refusal.status)
        if found is None:
            return None
        created = operation.exchange.get("reply") != "none"
        return JSONResponse(found) if created else Response(status_code=204)
