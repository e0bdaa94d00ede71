"""A step that sorts a text into categories, and says how sure the model is."""

from __future__ import annotations

import math

from ..catalog.model_choice import choose_model
from ..chat_steps import ask, is_filtered, parse_completion, refuses
from ..client import TogetherError, prepare
from ..client.job import log
from ..client.jsonio import finite
from .category_answers import (
    MARKS,
    NONE,
    CategoryAnswer,
    codes_of,
    last_place,
    names_of,
)
from .questions import Questions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from ..shapes import Auth, Completion, Json, Members, Step
    from .category_answers import Mention

    Token: TypeAlias = tuple[str, float | None, dict[str, float]]
    """A token, its log probability, and those of others in its place."""


ANSWERS = 2  # the answer, and one more when it names no category
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ONE = "Answer with the {code} of the one category that fits best, and nothing else."
SEVERAL = (
    "Answer with the {code}s of all categories that fit, separated by commas, and "
    "nothing else"
)
IF_NONE = f"; if none fits, answer {NONE}"
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
    description; texts will do. Raises TogetherError when the answers name none, and as
    Questions says when the second question fails.
    """
    labels = arguments.get("labels")
    if isinstance(labels, list):
        arguments["labels"] = [
            {"name": one} if isinstance(one, str) else one for one in labels
        ]
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
    body = {"messages": messages, "temperature": 0, "max_tokens": given["max_tokens"]}
    questions = Questions(auth, given)

    def send(model: str) -> Json:
        return _ask_with_logprobs(auth, {**body, "model": model})

    for _ in range(ANSWERS):
        completion = parse_completion(questions.ask(send))
        mentions = CategoryAnswer(completion["text"], coded).mentions(multiple)
        if mentions is not None or completion["cut"] or completion["refusal"]:
            break
        log(f"the answer names no category: {completion['text'][:200]!r}")
        listed = ", ".join(f"{code} ({name})" for code, name in coded.items())
        again = f"{_request(coded, multiple)} The categories: {listed}."
        messages += [
            {"role": "assistant", "content": completion["text"]},
            {"role": "user", "content": again},
        ]
    bill = questions.bill()
    if mentions is None or (multiple and completion["cut"]):
        raise _no_category(completion, bill)
    sure = _sure(completion, mentions, coded, multiple)
    labels = [coded[code] for code in codes_of(mentions)]
    return {"label": labels[0] if labels else None, "labels": labels, **sure, **bill}


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
    """Return {code: name}. The codes are letters, of one token each, or numbers where
    those are too few or one is a name of a category, or C1, C2 where a number is."""
    taken = {name.strip(MARKS).upper() for name in names}
    if len(names) <= len(LETTERS) and taken.isdisjoint(LETTERS):
        return dict(zip(LETTERS, names, strict=False))
    codes = [str(number) for number in range(1, len(names) + 1)]
    while not taken.isdisjoint(codes):
        codes = [f"C{code}" for code in codes]
    return dict(zip(codes, names, strict=True))


def _instructions(
    labels: list[Members], coded: dict[str, str], multiple: bool, given: Members
) -> str:
    lines = [
        f"{code}: {label['name']}"
        + (f" - {label['description']}" if label.get("description") else "")
        for code, label in zip(coded, labels, strict=True)
    ]
    request = _request(coded, multiple)
    parts = ["Classify the user's text. The categories:", *lines, request]
    if given.get("instructions"):
        parts.append(given["instructions"])
    return "\n".join(parts)


def _request(coded: dict[str, str], multiple: bool) -> str:
    """Return what to answer with."""
    word = "letter" if "A" in coded else "number" if "1" in coded else "code"
    if not multiple:
        return ONE.format(code=word)
    has_none = NONE.casefold() in names_of(coded)  # a category that is called so
    return SEVERAL.format(code=word) + ("." if has_none else IF_NONE)


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


# --- how sure ----------------------------------------------------------------------


def _sure(
    completion: Completion,
    mentions: list[Mention],
    coded: dict[str, str],
    multiple: bool,
) -> Members:
    """Return confidence and scores: what the model gave each category in the place of
    its answer; where one is to be chosen, as shares of what all categories got."""
    tokens = _tokens(completion["logprobs"])
    # What follows the first mention of a category is hardly open any more.
    first: dict[str, Mention] = {}
    for mention in mentions:
        first.setdefault(mention[2], mention)
    places = [
        _code_shares(tokens, completion["text"], mention, coded)
        for mention in first.values()
    ]
    seen = [place for place in places if place]
    reason = None
    if not places or len(seen) < len(places):
        reason = "the model gives no log probabilities"
        if any(value is not None for _, value, _ in tokens):
            reason = "the log probabilities do not show the answer"
    elif not all(sum(shares.values()) > 0 for shares, _ in seen):
        reason = "the log probabilities say that nothing is possible"
    if reason:
        scores = dict.fromkeys(coded.values())
        return {"confidence": None, "confidence_note": reason, "scores": scores}
    told = any(alternatives for _, alternatives in seen)
    best: dict[str, float] = {}
    for code, (shares, _) in zip(first, seen, strict=True):
        whole = sum(shares.values()) if told and not multiple else 1.0
        for other, share in shares.items():
            if other == code or other not in first:
                best[other] = max(best.get(other, 0.0), share / whole)
    return {
        "confidence": round(min(best[code] for code in first), 4),
        "scores": {
            name: round(best[code], 4) if code in best else 0.0 if told else None
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
    tokens: list[Token], text: str, mention: Mention, coded: dict[str, str]
) -> tuple[dict[str, float], bool] | None:
    """Return ({code: probability}, whether the alternatives are known) of the place
    where an answer's text names a category; None where the tokens do not have it."""
    begin, end, code = mention
    place = _place_in("".join(token for token, _, _ in tokens), text, begin, end)
    if place is None:
        return None
    total, position, within = 0.0, 0, []
    for token, value, others in tokens:
        if position < place[1] and position + len(token) > place[0]:
            if value is None:
                return None
            total += value
            within.append(others)
        position += len(token)
    # In running text an "a" is a word, and only the capital is the code.
    amid = any(map(str.isalnum, text[:begin]))
    names = names_of(coded)
    shares: dict[str, float] = {}
    if len(within) == 1:
        for other, value in within[0].items():
            found = _category_of(other, coded, names, amid)
            if found is not None:
                shares[found] = shares.get(found, 0.0) + _probability(value)
    told = bool(shares)
    shares[code] = max(shares.get(code, 0.0), _probability(total))
    return shares, told


def _place_in(whole: str, text: str, begin: int, end: int) -> tuple[int, int] | None:
    """Return where a part of an answer's text is in what all tokens say, which has the
    model's thoughts before it, and signs of its template."""
    behind = whole[::-1].find(text[::-1])  # which is linear; rfind is not
    if behind < 0:
        return last_place(whole, text[begin:end])
    shift = len(whole) - behind - len(text)
    return begin + shift, end + shift


def _category_of(
    token: str, coded: dict[str, str], names: dict[str, str], amid: bool
) -> str | None:
    """Return the code that a token is or whose category it names, or None; `amid` says
    that it stands in running text."""
    bare = token.strip(MARKS)
    code = bare if amid else bare.upper()
    if code in coded:
        return code
    small = bare.casefold()
    return names.get(small, NONE if small == NONE.casefold() else None)


def _probability(logprob: float) -> float:
    return math.exp(min(logprob, 0.0))
