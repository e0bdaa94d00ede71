"""The one exception of the pack."""

from __future__ import annotations

from .references import harmless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self, Unpack

    from ..shapes import Facts, Json, Members, Problem


class TogetherError(Exception):
    """The one exception of the pack.

    Its attributes are plain JSON, which Windmill shows under the error and a flow's
    error handler finds in `error.extra`. Each is None where it does not apply, and is
    then not shown.

    What happened, and what to do:

        type         what kind of failure it is, one of docs/errors.md; of what a
                     server refused, the server's own word
        code, param  the server's classification, where it gives one
        detail       the words of the server, or of whatever else refused
        advice       what to do next
        final        True when a retry would be refused as well
        ambiguous    True when the request may have been carried out unseen
        problems     rejected input, as [{"field": ..., "problem": ...}]

    The request:

        status       HTTP status, or None when no answer came
        method, path  the operation
        tries        how many requests were sent; None when none was
        request_id   what to quote to Together's support
        retry_after  seconds to wait before a retry
        idempotency_key  the key that a rerun may use again without repeating the work
        file_id      the file that a refused or broken upload is about

    What there is all the same:

        partial      what was finished or had arrived: of a stream, a list's pages, a
                     step's own result, in the shape that it has when all goes well
        received     bytes of a download that had arrived
        part         the number of the part of a text or recording that failed
        finish_reason  why a model stopped, where its answer cannot be used
        failures     of many rows, the first errors: {"row", "type", "status", "message"}

    A job, of Together or of Windmill:

        job_id, kind  which job, and what kind it is
        job          the job as the service gives it; of create_once, its id
        state        its state
        polls        what the last look at it found
        error        the error of a job or flow that failed, as Windmill keeps it
        details      the reasons of a flow that was ended on purpose
        started_at, fingerprint  of an earlier run that sent the same request

    Money, in US dollars:

        budget_usd, estimated_cost_usd, spent_usd
        may_be_paid  of a call of a model: False where it surely cost nothing, True where
                     one of its tries may have; None where its status tells
    """

    type: str | None = None
    code: str | int | None = None
    param: str | int | None = None
    detail: str | None = None
    advice: str | None = None
    final: bool | None = None
    ambiguous: bool | None = None
    problems: list[Problem] | None = None
    status: int | None = None
    method: str | None = None
    path: str | None = None
    tries: int | None = None
    request_id: str | None = None
    retry_after: float | None = None
    idempotency_key: str | None = None
    file_id: str | None = None
    partial: Json = None
    received: int | None = None
    part: int | None = None
    finish_reason: str | None = None
    failures: list[Members] | None = None
    job_id: str | None = None
    kind: str | None = None
    job: Json = None
    state: str | None = None
    polls: list[Json] | None = None
    error: Json = None
    details: Json = None
    started_at: str | None = None
    fingerprint: str | None = None
    budget_usd: float | None = None
    estimated_cost_usd: float | None = None
    spent_usd: float | None = None
    may_be_paid: bool | None = None

    def __init__(self, message: str, **facts: Unpack[Facts]) -> None:
        super().__init__(harmless(message)[0])
        for name, value in facts.items():
            if value is not None:
                setattr(self, name, value)

    def __setattr__(self, name: str, value: Json) -> None:
        # A flow's error handler gets them, where Windmill would resolve references.
        super().__setattr__(name, harmless(value)[0])

    @classmethod
    def refused(cls, field: str, problem: str, **facts: Unpack[Facts]) -> Self:
        """Return the error for one wrong argument; nothing was sent."""
        facts.setdefault("advice", "Correct the field named and run the step again.")
        return cls.refused_all([{"field": field, "problem": problem}], **facts)

    @classmethod
    def refused_all(
        cls,
        problems: list[Problem],
        /,
        listed: str | None = None,
        **facts: Unpack[Facts],
    ) -> Self:
        """Return the error for all wrong arguments; nothing was sent. `listed` is the
        list of them as the message has it."""
        if listed is None:
            listed = "; ".join(f"{p['field']} {p['problem']}" for p in problems)
        facts.setdefault("advice", "Correct the fields named and run the step again.")
        facts.setdefault("type", "invalid_argument")
        facts["problems"], facts["ambiguous"] = problems, False
        return cls(f"Nothing was sent: {listed}", **facts)
