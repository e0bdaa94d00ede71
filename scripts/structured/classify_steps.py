"""A step that sorts a text into categories, and says how sure the model is."""

from __future__ import annotations

import math
import re

from ..catalog.fallback import Models, bill_by_model
from ..catalog.model_choice import choose_model
from ..catalog.pricing import prefetch
from ..chat_steps import ask, is_filtered, parse_completion, refuses
from ..client import TogetherError, prepare
from ..client.job import log
from ..client.jsonio import finite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from ..shapes import Auth, Completion, Json, Members, Step

    Token: TypeAlias = tuple[str, float | None, dict[str, float]]
    """A token, its log probability, and those of others in its place."""


ANSWERS = 2  # the answer, and one more when it names no category
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
NONE = "NONE"
MARKS = "*_`\"'()[]{}.!:- \n"  # that models put around an answer
# What models call what they name.
CALLED = "(final |correct |best )?(answer|category|label|class|letter|number|option)"
DENYING = ("no", "not", "none", "never", "non")
# The codes that a sentence says are its answer: "the answer is B", "category: A or B". An
# "I" or an "A" that goes on is a word: "my answer: I cannot tell".
TOLD = re.compile(
    r"(?i:answer|category|letter|number)\W+(?:is\W+)?"
    r"((?![AI]\s+(?!or\b|and\b)\w)\w+\b(?:\W{1,3}(?:or|and)\W{1,3}\w+\b)?)"
)
DENIED = re.compile(r"\b(not|isn.t|no|non|never|neither|nor)\b[\s-]*(an?|the)?[\s\W]*$")
ONE = "Answer with the {code} of the one category that fits best, and nothing else."
SEVERAL = (
    "Answer with the {code}s of all categories that fit, separated by commas, and "
    f"nothing else; if none fits, answer {NONE}."
)
# Newer models want a switch and a count, older ones a count alone, of which some
# take 1 at most.
LOGPROBS = (
    {"logprobs": True, "top_logprobs": 20},
    {"logprobs": True, "top_logprobs": 5},
    {"logprobs": 5},
    {"logprobs": 1},
)
LOGPROB_WORDS = "logprob|expected an? (boolean|integer)|invalid type"


def classify_text(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return the category of a text, or with `multiple` all that fit.

    {"label": the first, or None, "labels": all, "confidence": 0 to 1, or None with
    "confidence_note", "scores": {category: 0 to 1, or None where the model does not
    tell}, "usage", "cost_usd", "model"}. Categories are objects with name and
    description; texts will do. Raises TogetherError when the answers name none.
    """
    labels = arguments.get("labels")
    if isinstance(labels, list):
        named = [{"name": one} if isinstance(one, str) else one for one in labels]
        arguments["labels"] = named
    given = prepare(step, arguments)
    choose_model(auth, given, "chat")
    labels = _labels(given["labels"])
    names = [label["name"] for label in labels]
    if not given["text"].strip():
        raise TogetherError.refused("text", "is blank: there is nothing to classify")
    if len(names) < 2 and not given.get("multiple"):
        raise TogetherError.refused(
            "labels", "holds one category alone: give those to choose from"
        )
    coded = _coded(names)
    multiple = given.get("multiple", False)
    messages = [
        {"role": "system", "content": _instructions(labels, coded, multiple, given)},
        {"role": "user", "content": given["text"]},
    ]
    body = {"messages": messages, "temperature": 0}
    body["max_tokens"] = given["max_tokens"]
    prefetch(auth)
    models = Models(given)
    answers = []
    for _ in range(ANSWERS):
        answer, model = models.first(
            lambda model, _: _ask_with_logprobs(auth, {**body, "model": model})
        )
        answers.append((model, answer))
        completion = parse_completion(answer)
        chosen = recognised(completion["text"], coded, multiple)
        if chosen is not None or completion["cut"] or completion["refusal"]:
            break
        log(f"the answer names no category: {completion['text'][:200]!r}")
        listed = ", ".join(f"{code} ({name})" for code, name in coded.items())
        request = f"Answer with one of: {listed}. Write nothing else."
        messages += [
            {"role": "assistant", "content": completion["text"]},
            {"role": "user", "content": request},
        ]
    facts = {
        **bill_by_model(auth, answers),
        "model": answer.get("model") or model,
        **models.told(*(name for name, _ in answers)),
    }
    if chosen is None or (multiple and completion["cut"]):
        raise _no_category(completion, facts)
    sure = _sure(completion["logprobs"], chosen, coded, multiple)
    labels = [coded[code] for code in chosen]
    return {"label": labels[0] if labels else None, "labels": labels, **sure, **facts}


def _no_category(found: Completion, facts: Members) -> TogetherError:
    shown = f"its last answer was {found['text'][:200]!r}"
    message = f"The model named no category; {shown}."
    advice = "Describe the categories, or choose another model."
    if found["refusal"]:
        message = f"The model refused; {shown}."
        advice = "Ask in other words, or choose another model."
    if found["cut"]:
        message = f"The answer was cut before it named all that fits; {shown}."
        advice = "Raise max_tokens, or choose a model that reasons less."
        if is_filtered(found["finish_reason"]):
            advice = "A filter of the service ended it: choose another model."
    return TogetherError(
        f"{message} {advice}",
        type="answer_misfit",
        partial=found["text"],
        finish_reason=found["finish_reason"],
        advice=advice,
        **facts,
    )


def _labels(labels: list[Members]) -> list[Members]:
    """Return the categories. Raises TogetherError where two have one name."""
    seen: dict[str, int] = {}
    for number, label in enumerate(labels):
        key = label["name"].strip().casefold()
        if key in seen:
            raise TogetherError.refused(
                f"labels[{number}].name",
                f"is {label['name'].strip()!r}, as labels[{seen[key]}].name is: "
                "two categories need two names",
            )
        seen[key] = number
    return [{**label, "name": label["name"].strip()} for label in labels]


def _coded(names: list[str]) -> dict[str, str]:
    """Return {code: name}: letters, or numbers where those are too few or are names."""
    taken = {name.upper() for name in names}
    if len(names) <= len(LETTERS) and not taken & set(LETTERS):
        return dict(zip(LETTERS, names, strict=False))
    return {str(number): name for number, name in enumerate(names, 1)}


def _instructions(
    labels: list[Members], coded: dict[str, str], multiple: bool, given: Members
) -> str:
    lines = [
        f"{code}: {label['name']}"
        + (f" - {label['description']}" if label.get("description") else "")
        for code, label in zip(coded, labels, strict=True)
    ]
    word = "letter" if "A" in coded else "number"
    request = (SEVERAL if multiple else ONE).format(code=word)
    parts = ["Classify the user's text. The categories:", *lines, request]
    if given.get("instructions"):
        parts.append(given["instructions"])
    return "\n".join(parts)


def _ask_with_logprobs(auth: Auth, body: Members) -> Json:
    """Ask with the first form of logprobs that the model takes; the others are refused
    before anything is paid."""
    for form in LOGPROBS:
        try:
            return ask(auth, {**body, **form})
        except TogetherError as error:
            if not refuses(error, LOGPROB_WORDS):
                raise
    return ask(auth, body)


def recognised(text: str, coded: dict[str, str], multiple: bool) -> list[str] | None:
    """Return the codes that an answer names, best first; None when it is no answer.

    Models add quotes, marks and whole sentences, or write the name of the category.
    """
    names = {name.strip(MARKS).casefold() or name: code for code, name in coded.items()}
    bare = text.strip(MARKS)
    if multiple and (bare.casefold() in (NONE.casefold(), "none of them", "")):
        return [] if bare else None
    whole = _one(bare, coded, names)
    chosen = [whole]
    if multiple and not whole:
        chosen = []
        for part in filter(str.strip, re.split(r"[,;\n]", bare)):
            if code := _one(part, coded, names):  # a name may hold an "and"
                chosen.append(code)
                continue
            parts = re.split(r"(?<=\s)and(?=\s)", part)
            chosen += [_one(own, coded, names) for own in parts if own.strip()]
    known = [code for code in chosen if code]
    if chosen and len(known) == len(chosen):
        return list(dict.fromkeys(known))
    # A sentence: whatever categories it names, by name; a longer name hides a shorter.
    rest, named = bare.casefold(), []
    for name in sorted(names, key=len, reverse=True):
        match = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", rest)
        if match:
            before = rest[max(0, match.start() - 20) : match.start()]
            # "No way" and "not sure" name no category, and "no, ..." one called no.
            denies = name in DENYING and re.match(r"\s+\w", rest[match.end() :])
            if not denies and not DENIED.search(before):
                named.append((match.start(), names[name]))
            rest = rest[: match.start()] + "\0" * len(name) + rest[match.end() :]
    found = [code for _, code in sorted(named)]
    if not found:
        found = [
            code
            for told in TOLD.finditer(bare)
            for code in re.findall(r"\w+", told[1])
            if code in coded
        ]
    if multiple:
        return found or None
    return found if len(found) == 1 else None


def _one(part: str, coded: dict[str, str], names: dict[str, str]) -> str | None:
    """Return the code that a short answer is: "A", "a)", "A: Spam", "spam"."""
    part = part.strip(MARKS)
    if part.casefold() in names:
        return names[part.casefold()]
    if part.upper() in coded:
        return part.upper()
    # "<answer>A</answer>", "\\boxed{A}", "Answer: A", "Option A", "A (95 %)".
    bare = re.sub(r"</?\w{1,20}>|\\boxed|\\text", " ", part).strip(MARKS)
    bare = re.sub(rf"(?i)^(the )?({CALLED})\W*(is\b)?\W*", "", bare)
    bare = re.sub(r"\s*\([^()]{0,40}\)$", "", bare).strip(MARKS)
    if bare.casefold() in names:
        return names[bare.casefold()]
    if bare.upper() in coded and (bare.isupper() or bare.isdecimal()):
        return bare
    match = re.match(r"(\w+)\W+(.+)", part)
    if match and match[1].upper() in coded:
        code = match[1].upper()
        if match[2].strip(MARKS).casefold() == coded[code].casefold():
            return code
        if re.match(r"\w+[:.)]", part):
            return code
    return None


# --- how sure ----------------------------------------------------------------------


def _sure(
    logprobs: Json, chosen: list[str], coded: dict[str, str], multiple: bool
) -> Members:
    """Return confidence and scores: what the model gave each category in the place of
    its answer; where one is to be chosen, as shares of what all categories got."""
    tokens = _tokens(logprobs)
    places = [_code_shares(tokens, code, coded) for code in chosen or [NONE]]
    seen = [place for place in places if place]
    if len(seen) < len(places):
        reason = "the model gives no log probabilities"
        if any(value is not None for _, value, _ in tokens):
            reason = "the log probabilities do not show the answer"
        return {
            "confidence": None,
            "confidence_note": reason,
            "scores": dict.fromkeys(coded.values()),
        }
    if not all(sum(shares.values()) > 0 for shares, _ in seen):
        return {
            "confidence": None,
            "confidence_note": "the log probabilities say that nothing is possible",
            "scores": dict.fromkeys(coded.values()),
        }
    told = any(alternatives for _, alternatives in seen)
    scores: dict[str, float] = {}
    for code, (shares, _) in zip(chosen or [NONE], seen, strict=True):
        whole = sum(shares.values()) if told and not multiple else 1.0
        for other, share in shares.items():
            if other == code or other not in chosen:
                scores[other] = max(scores.get(other, 0.0), share / whole)
    return {
        "confidence": round(min(scores[code] for code in chosen or [NONE]), 4),
        "scores": {
            name: round(scores[code], 4) if code in scores else 0.0 if told else None
            for code, name in coded.items()
        },
    }


def _tokens(logprobs: Json) -> list[Token]:
    """Return [(token, logprob or None, {other token: logprob})] of either form in use;
    [] for any other. What is no number is None, or left out of the others."""
    if not isinstance(logprobs, dict):
        return []
    rows = logprobs.get("content")
    if isinstance(rows, list) and rows:
        return [
            (str(row.get("token") or ""), finite(row.get("logprob")), _others(row))
            for row in rows
            if isinstance(row, dict)
        ]
    texts, values = logprobs.get("tokens"), logprobs.get("token_logprobs")
    others = logprobs.get("top_logprobs") or []
    if not isinstance(texts, list) or not isinstance(values, list):
        return []
    if len(texts) != len(values):
        return []
    others = others if isinstance(others, list) and len(others) == len(texts) else []
    others = others or [{}] * len(texts)
    return [
        (str(text), finite(value), _numbers(other))
        for text, value, other in zip(texts, values, others, strict=True)
    ]


def _others(row: Members) -> dict[str, float]:
    found = row.get("top_logprobs")
    found = found if isinstance(found, list) else []
    found = [one for one in found if isinstance(one, dict)]
    return _numbers({str(one.get("token")): one.get("logprob") for one in found})


def _numbers(others: Json) -> dict[str, float]:
    others = others if isinstance(others, dict) else {}
    known = {name: finite(value) for name, value in others.items()}
    return {name: value for name, value in known.items() if value is not None}


def _code_shares(
    tokens: list[Token], code: str, coded: dict[str, str]
) -> tuple[dict[str, float], bool] | None:
    """Return ({code: probability}, whether the alternatives are known) of the last
    place where the answer names a code, or its category; None: nowhere."""
    text = "".join(token for token, _, _ in tokens)
    for needle in (code, coded.get(code, code)):
        pattern = rf"(?<!\w){re.escape(needle)}(?!\w)"
        places = [m.span() for m in re.finditer(pattern, text, re.IGNORECASE)]
        if places:
            break
    else:
        return None
    begin, end = places[-1]
    total, position, within = 0.0, 0, []
    for token, value, others in tokens:
        if position < end and position + len(token) > begin:
            if value is None:
                return None
            total += value
            within.append(others)
        position += len(token)
    shares: dict[str, float] = {}
    if len(within) == 1:
        known = {NONE.casefold(): NONE}
        known |= {name.casefold(): code for code, name in coded.items()}
        known |= {code.casefold(): code for code in coded}
        for other, value in within[0].items():
            found = known.get(other.strip(MARKS).casefold())
            if found is not None:
                shares[found] = shares.get(found, 0.0) + _probability(value)
    shares[code] = max(shares.get(code, 0.0), _probability(total))
    return shares, len(within) == 1 and bool(within[0])


def _probability(logprob: float) -> float:
    return math.exp(min(logprob, 0.0))
