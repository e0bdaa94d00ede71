"""What calls cost, by the catalogue's prices.

    cost, cost_by, bill    of calls that were made
    cost_fields         as the members of a result
    spent_on, lost_usage, refused_unpaid    of a call that failed
    job_unpaid          of a job that failed
    most_cost, most_tokens, most_prompt, answer_room, tokens    of calls about to be made
    prefetch            the prices, while the paid call is under way

A cost that is not known is None with a reason, never 0.
"""

from __future__ import annotations

import json
import time

from ..client.jsonio import finite
from .catalog import SERVERLESS, listing, usable
from .known_models import BATCH_SHARE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..client import TogetherError
    from ..shapes import Auth, Counts, Json, Members, Usage

MOST_TOKENS = 1e12  # of one answer; more is a mistake
PRICE_SECONDS = 5.0  # a step that has its answer waits no longer
MOST_ANSWER = 16_384  # tokens of an answer that nothing but a budget bounds
LEAST_ROOM = 1024  # tokens for an answer, where the prompt may fill the whole context
# Tokens that a model puts before a chat of its own accord: gpt-oss about 70.
TEMPLATE = 100
UNTOLD = "the answer does not say what was used"
PARTLY_UNTOLD = "an answer does not say what was used"
LOST_UNTOLD = "what a call that failed cost is not told"


def cost(
    auth: Auth, model: str, usage: Counts | None, batch: bool = False
) -> tuple[float | None, str | None]:
    """Return (USD, None) for a call that was made, or (None, why it is not known).

    `usage` counts tokens as `usage_of` gives them, or what a media model is paid for:
    images, megapixels, seconds, characters, videos, requests; beside megapixels, steps
    where another number of them was asked for than the model's own. The catalogue's
    prices: input, output and cached in USD per million tokens, character per million
    characters, the others for one. A batch costs what BATCH_SHARE says, of the models
    that have a discount. Never 0 for what is not known, and never raises: the money is
    spent already.
    """
    if not any((usage or {}).values()):
        return None, UNTOLD
    return cost_by(priced(auth, model), usage, batch)


def most_cost(
    auth: Auth, model: str, usage: Counts | None, batch: bool = False
) -> tuple[float | None, str | None]:
    """Return what `cost` does, of what a call may cost at most: by the dearest of the
    prices that it may be paid by. What is counted as None has a number that is not
    known: where there is a price for it, neither is the cost."""
    return cost_by(priced(auth, model), usage, batch, most=True)


def cost_by(
    found: Members | str,
    usage: Counts | None,
    batch: bool = False,
    most: bool = False,
) -> tuple[float | None, str | None]:
    """Return what `cost` does, by what `priced` returned: the prices of one moment."""
    known = {name: count for name, count in (usage or {}).items() if count}
    if not known:
        return None, UNTOLD
    if isinstance(found, str):
        return None, found
    prices = found["prices"]
    usd = _token_cost(prices, known, most)
    if usd is None:
        paid, note = _unit_costs(prices, usage or {})
        if (most or not paid) and note:
            return None, f"{found['id']} is paid by {note}"
        usd = (max(paid) if most else paid[0]) if paid else None
    if usd is None:
        units = ", ".join(name for name in known if name != "steps")
        return None, f"the catalogue names no price of {found['id']} for {units}"
    return round(usd * (BATCH_SHARE.get(found["id"], 1) if batch else 1), 10), None


def priced(auth: Auth, model: str) -> Members | str:
    """Return the catalogue's entry of a model that has prices, or why there is none."""
    if not usable(auth):
        return "there is no resource to read the catalogue with"
    ends = time.monotonic() + PRICE_SECONDS
    found = problem = None
    for product, share in ((SERVERLESS, 0.6), (None, 1)):
        read = listing(auth, product)
        read.wait(share * (ends - time.monotonic()))
        found = read.find(model) or found
        if found and found["prices"]:
            return found
        problem = problem or read.problem()
    if found:
        return f"the catalogue names no price for {model}"
    if problem:
        return f"the catalogue cannot be read: {problem}"
    return (
        f"the catalogue does not list {model}; if it is a dedicated endpoint, it is "
        "paid by the hour"
    )


def prefetch(auth: Auth) -> None:
    """Begin to read the prices in the background, while the paid call is under way."""
    if usable(auth):
        listing(auth, SERVERLESS)


def usage_of(answer: Json) -> Usage | None:
    """Return {"prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens"} of
    an answer, or None when it reports no usage, or none that can be."""
    found = answer.get("usage") if isinstance(answer, dict) else None
    if not isinstance(found, dict):
        return None
    prompt = _count(found.get("prompt_tokens"))
    completion = _count(found.get("completion_tokens"))
    total = _count(found.get("total_tokens"))
    if prompt is None or completion is None or total is None:
        return None
    whole = max(total, prompt + completion)
    if not whole:
        return None
    asked = found.get("prompt_tokens") is not None
    wrote = found.get("completion_tokens") is not None
    # A prompt and what a model writes have prices of their own: of the three counts two
    # tell the third, and one tells neither of the others.
    told = asked + wrote + (total > 0)
    if "choices" in answer and (told < 2 or not (prompt or completion)):
        return None
    if completion and not asked:
        prompt = whole - completion
    elif prompt or completion:
        # Some count what a model thought in the total alone; it is paid as answer.
        completion = whole - prompt
    total = total or whole
    cached = _count(found.get("cached_tokens"))
    details = found.get("prompt_tokens_details")
    if not cached and isinstance(details, dict):
        cached = _count(details.get("cached_tokens"))
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": total,
        "cached_tokens": cached or 0,
    }


def _count(value: Json) -> int | None:
    """Return a number of tokens, 0 where none is given, None for what is no number of
    anything."""
    if value.__class__ is int and 0 <= value <= MOST_TOKENS:
        return value  # as nearly all are
    if value is None:
        return 0
    number = finite(value)
    if number is None or not 0 <= number <= MOST_TOKENS or number != int(number):
        return None
    return int(number)


def sum_usage(usages: Iterable[Usage | None]) -> Usage | None:
    """Return the sum of several usages, those that are None aside; None for none."""
    known = [usage for usage in usages if usage is not None]
    if not known:
        return None
    return {name: sum(usage.get(name, 0) for usage in known) for name in known[0]}


def sum_costs(
    costs: Iterable[tuple[float | None, str | None]],
) -> tuple[float | None, str | None]:
    """Return (USD of all, None), or (None, why the first that is unknown is)."""
    known = 0.0
    for usd, note in costs:
        if usd is None:
            return None, note
        known += usd
    return round(known, 10), None


def add_usage(total: Usage | None, usage: Usage) -> Usage:
    """Return the sum of two usages that count the same, the first changed in place; a
    copy of the second where there is no first."""
    if total is None:
        return dict(usage)
    for name, count in usage.items():
        total[name] += count
    return total


def bill(
    auth: Auth, model: str, answers: Iterable[Json], batch: bool = False
) -> Members:
    """Return {"usage", "cost_usd", and "cost_note" where the cost is None} of the
    answers that one model gave, ready to be part of a step's result."""
    usages = [usage_of(answer) for answer in answers]
    usage = sum_usage(usages)
    usd, note = cost(auth, model, usage, batch)
    if usd is not None and None in usages:
        usd, note = None, PARTLY_UNTOLD
    return {"usage": usage, **cost_fields(usd, note)}


def cost_fields(usd: float | None, note: str | None, name: str = "cost_usd") -> Members:
    """Return {name, and "cost_note" where there is one} of a cost, or an estimate."""
    return {name: usd} if note is None else {name: usd, "cost_note": note}


def spent_on(error: TogetherError) -> float | None:
    """Return the USD that a call took which failed with a TogetherError: 0.0 where it
    was refused or never reached the service, None where it may have been paid for: it
    hung, broke, or its answer cannot be used."""
    facts = error.status, error.problems, error.may_be_paid
    return 0.0 if refused_unpaid(*facts) else None


def lost_usage(error: TogetherError) -> Usage | None:
    """Return what a call used that failed: {} where that is not known, None where it
    surely cost nothing."""
    return None if spent_on(error) == 0.0 else usage_of(error.partial) or {}


def refused_unpaid(status: Json, problems: Json, may_be_paid: Json = None) -> bool:
    """Say whether a call that failed so was refused, and surely cost nothing: by the
    service, with this status, or here, for problems of its arguments; None: has none.
    `may_be_paid` is the fact of that name, which knows of earlier tries too.
    """
    from ..resilience.retry import UNCLEAR  # only where one failed

    if may_be_paid is not None:
        return not may_be_paid
    refused = isinstance(status, int) and status >= 400 and status not in UNCLEAR
    return refused or problems is not None


def job_unpaid(error: Json) -> bool:
    """Say whether the error of a job tells that nothing was paid for."""
    error = error if isinstance(error, dict) else {}
    extra = error.get("extra")
    facts = {**error, **(extra if isinstance(extra, dict) else {})}
    problems = facts.get("problems") or None
    return refused_unpaid(facts.get("status"), problems, facts.get("may_be_paid"))


def tokens(text: object) -> int:
    """Estimate the tokens of a text: a quarter of its bytes, so that English counts
    about four letters and Chinese about four signs for three tokens."""
    return -(-len(str(text).encode("utf-8", "replace")) // 4)


def most_tokens(text: Json) -> int:
    """Return the most tokens that a text, or anything that is JSON, may have in a
    request: one for each byte, and a few that a model puts around it."""
    if not isinstance(text, str):
        text = json.dumps(text, ensure_ascii=False, default=str)
    return len(text.encode("utf-8", "replace")) + 8


def most_prompt(contents: Iterable[Json]) -> int:
    """Return the most tokens that a chat's question may have, by what its messages
    say."""
    return TEMPLATE + sum(map(most_tokens, contents))


def answer_room(found: Members, prompt: int, usd: float) -> int:
    """Return how many tokens an answer to a prompt of so many may have at most, so that
    both cost no more USD; 0 for none. `found` is what `priced` returned."""
    prices = found["prices"]
    left = usd * 1e6 - prompt * _dearest_input(prices)
    room: int = MOST_ANSWER
    if prices.get("output"):
        room = min(room, int(left / prices["output"] - 1e-6))
    if found["context_length"]:
        room = min(room, max(found["context_length"] - prompt, LEAST_ROOM))
    return max(room, 0) if left >= 0 else 0


def _token_cost(
    prices: dict[str, float], usage: Usage, most: bool = False
) -> float | None:
    prompt, completion = (
        usage.get("prompt_tokens", 0),
        usage.get("completion_tokens", 0),
    )
    if not prompt and not completion:
        prompt = usage.get("total_tokens", 0)
    needed = {"input": prompt, "output": completion}
    if not (prompt or completion):
        return None
    if any(count and name not in prices for name, count in needed.items()):
        return None
    if most:
        usd = prompt * _dearest_input(prices)
        return (usd + completion * prices.get("output", 0)) / 1e6
    cached = min(usage.get("cached_tokens", 0), prompt)
    usd = (prompt - cached) * prices.get("input", 0)
    usd += cached * prices.get("cached", prices.get("input", 0))
    return (usd + completion * prices.get("output", 0)) / 1e6


def _dearest_input(prices: dict[str, float]) -> float:
    """Return the most that a million tokens of a prompt cost."""
    return max(prices.get("input", 0), prices.get("cached", 0))


def _unit_costs(
    prices: dict[str, float], usage: Counts
) -> tuple[list[float], str | None]:
    """Return the costs by each measure that has a price, images before megapixels,
    which say the same thing twice; and what it is paid by that is not known, or None.
    """
    found, note = [], None
    for measure, unit, words in _UNITS:
        if measure not in usage or unit not in prices:
            continue
        count = usage[measure]
        if count is None:
            note = note or f"{words}, and how many there will be is not known"
            continue
        usd = count * prices[unit] / (1e6 if unit == "character" else 1)
        steps = usage.get("steps")
        if unit == "megapixel" and steps:
            usual = prices.get("steps")
            if not usual:
                note = "size and steps, and the catalogue does not say for how many"
                continue
            # Fewer steps than the price is for do not make a picture cheaper.
            usd *= max(1.0, steps / usual)
        if count:
            found.append(usd)
    return found, note


_UNITS = (
    ("images", "image", "the picture"),
    ("megapixels", "megapixel", "the megapixel"),
    ("videos", "video", "the video"),
    ("seconds", "second", "the second"),
    ("characters", "character", "the character"),
    ("requests", "request", "the request"),
)


def money(usd: float) -> str:
    """Return USD as people write them: without an exponent, two decimals at least."""
    whole, _, cents = f"{usd:.10f}".partition(".")
    return f"{whole}.{cents.rstrip('0').ljust(2, '0')}"


def cost_members(auth: Auth, model: str, used: Counts) -> Members:
    return cost_fields(*cost(auth, model, used))
