"""Refusals whose cause is known: what they are called, and what to do. They are final:
no waiting and no further try changes them, for this row and all others.

known_refusal  of an answer
known_words    of a text: a batch's line, a job that failed, an event of a stream
"""

from __future__ import annotations

from .server_words import server_words_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..client.transport import Reply
    from ..shapes import Members

GONE = (
    "Together no longer serves this model, or only on hardware of one's own: take "
    "another one, or deploy it with endpoints/deploy_model."
)
# (status, words of its type, code or text, code, what to do)
KNOWN = (
    (400, "unable to access non-serverless model", "model_not_available", GONE),
    (503, "model_not_available", "model_not_available", GONE),
    (
        400,
        "endpoint_not_ready",
        "endpoint_not_ready",
        "No deployment behind this endpoint runs: start one with "
        "endpoints/deploy_model, or take a serverless model.",
    ),
    (
        400,
        "endpoint_not_configured",
        "endpoint_not_configured",
        "The endpoint sends requests nowhere: give a deployment a weight in its traffic "
        "split with endpoints/update_project_endpoint, and wait until it is ready.",
    ),
    (
        402,
        "insufficient balance",
        "insufficient_balance",
        "Add credit or raise the spending limit of the Together account; another model "
        "does not help.",
    ),
    (
        403,
        "third_party_data_sharing_blocked",
        "third_party_data_sharing_blocked",
        "A partner of Together runs this model: take another one, or let an owner allow "
        "data sharing with third parties in the organization's settings.",
    ),
    (
        403,
        "endpoints_v1_create_access_disabled",
        "endpoints_v1_create_access_disabled",
        "Endpoints of version 1 can no longer be created or started: use "
        "endpoints/deploy_model, or endpoints/create_project_endpoint.",
    ),
    (
        400,
        "no fields to update",
        "no_fields_to_update",
        "Nothing in the request changes anything: fill in what is to change. To empty a "
        "traffic split, send it without the entry.",
    ),
)


def known_refusal(reply: Reply) -> tuple[str, str] | None:
    """Return (code, advice) of a refusal that is known, and so final, or None."""
    if all(row[0] != reply.status for row in KNOWN):
        return None
    known = known_words(told_by(server_words_of(reply)), reply.status)
    return known and known[1:]


def told_by(words: Members) -> str:
    """Return what `server_words_of` found as the text that is looked through."""
    return " ".join(str(words.get(n) or "") for n in ("type", "code", "detail"))


def known_words(
    told: str | None, status: float | None = None
) -> tuple[int, str, str] | None:
    """Return (status, code, advice) of the refusal that a text tells of, or None:
    of that status, or of any where what was told has none."""
    told = (told or "").lower()
    for of, said, code, advice in KNOWN:
        if status in (of, None) and said in told:
            return of, code, advice
    return None
