"""Steps that ask chat models: one question, or the same questions to several models.

The other steps that ask a model build on what is here: `ask` sends one request,
`parse_completion` reads an answer, `user_message` puts text and pictures together.
"""

from __future__ import annotations

import base64
import json
import re
import time

from .catalog.budget import Budget, Clock, bound_chat
from .catalog.fallback import Models
from .catalog.model_choice import choose_model
from .catalog.pricing import bill, cost, lost_usage, prefetch, usage_of
from .client import TogetherError, call, check_words, prepare, stream
from .client.content import read_content, words_of
from .client.endings import ending, is_error
from .client.job import log
from .client.validate import FileValue
from .operations import operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from .shapes import Auth, Completion, Json, Members, Step

    Outcome: TypeAlias = tuple[TogetherError | None, Json, float]
    """Why a question was not answered, or None; the answer; the seconds it took."""


CHAT = operation("chat/create_chat_completion")
AT_ONCE = 8  # questions of one comparison
CUT = ("cut", "filtered")  # endings before an answer is complete
QUOTES = "`'\"\u2018\u2019\u201c\u201d\u00ab\u00bb"
SHOWN = 200  # characters of an answer that a message quotes
# Pictures that are kept in the conversation handed back: Windmill's cloud loses
# results of more than 2 MB.
KEPT_PICTURES = 400_000  # characters of data URIs
KEPT_TEXT = 600_000  # characters of texts that are kept whole there
BEGINNING = 1_000  # characters of the others


def ask_model(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Ask once and show the answer while it arrives.

    Returns {"text", "reasoning", "usage", "cost_usd", "model", "finish_reason",
    "messages": the conversation with the answer, to be the history of the next
    question}; "cost_note" says why a cost is None, "note" that the answer was cut.
    Raises TogetherError, also when the model gave no text, with the rest in its
    `partial`.
    """
    history = messages_of(arguments.pop("history", None), "history")
    given = prepare(step, arguments)
    choose_model(auth, given, "vision" if given.get("pictures") else "chat")
    if "system" in given:
        history = [m for m in history if m["role"] != "system"]
        if given["system"]:
            history.insert(0, {"role": "system", "content": given["system"]})
    if not given.get("pictures"):
        check_words(given, "prompt")
    question = user_message(given["prompt"], given.get("pictures"))
    messages = [*history, question]
    body = {"messages": messages, "stream": True}
    for name in ("temperature", "max_tokens", "reasoning_effort"):
        if name in given:
            body[name] = given[name]
    prefetch(auth)
    models = Models(given)
    answer, model = models.first(
        lambda model, _: stream(auth, CHAT, body={"model": model, **body})
    )
    found = _whole(answer)
    noted = {}
    if why := why_cut(found["finish_reason"]):
        noted["note"] = f"The answer was cut: {why}."
        log(noted["note"])
    reply = {"role": "assistant", "content": found["text"]}
    result = {
        "text": found["text"],
        "reasoning": found["reasoning"],
        **bill(auth, model, [answer]),
        "model": answer.get("model") or model,
        **models.told(model),
        "finish_reason": found["finish_reason"],
        **noted,
        "messages": _handed_back([*messages, reply]),
    }
    if not found["text"].strip():
        raise TogetherError(
            f"The model gave no text (finish_reason {found['finish_reason']}).",
            type="nothing_done",
            partial=result,
            advice="Allow a longer answer: a model that thinks first may use it all up."
            if found["cut"] and not is_filtered(found["finish_reason"])
            else "Ask in other words, or another model.",
        )
    return result


def compare_models(auth: Auth, step: Step, **arguments: Json) -> list[Json]:
    """Ask several models the same questions and put the answers side by side.

    Returns a table as Windmill shows it: first the names of the columns, then a row
    {"prompt", and each model's answer under its name} for each prompt, then rows that
    tell each model's seconds, tokens and cost_usd. What fails says so in its cell.
    Raises TogetherError when nothing was answered.
    """
    from concurrent.futures import ThreadPoolExecutor  # only where models are compared

    given = prepare(step, arguments)
    models = list(dict.fromkeys([*given["models"], *given.get("other_models", [])]))
    if "prompt" in models:
        raise TogetherError.refused("models", "cannot be prompt: a column is called so")
    names = ("temperature", "max_tokens")
    settings: Members = {name: given[name] for name in names if name in given}
    before: list[Members] = []
    if given.get("system"):
        before = [{"role": "system", "content": given["system"]}]
    budget = Budget(given.get("budget_usd"))
    clock = Clock(given.get("stop_after_seconds"))
    prefetch(auth)

    def one(prompt: str, model: str) -> Outcome:
        messages = [*before, {"role": "user", "content": prompt}]
        body = {"model": model, "messages": messages, **settings}
        began = time.monotonic()
        try:
            clock.check()
            answer = ask(auth, body, budget, share)
        except TogetherError as error:
            log(f"{model}: {error}")
            return error, None, 0.0
        return None, answer, time.monotonic() - began

    # Not by the gate of rows/admission.py: it holds all back when one is refused, and
    # here a model that is overloaded is no reason to let the others wait.
    asked = [(prompt, model) for prompt in given["prompts"] for model in models]
    share = None if budget.limit is None else budget.limit / len(asked)
    with ThreadPoolExecutor(min(AT_ONCE, len(asked))) as pool:
        found = list(pool.map(lambda pair: one(*pair), asked))
    failed = [error for error, _, _ in found if error]
    if len(failed) == len(found):
        raise failed[0]
    cells = iter(found)  # a prompt that is there twice has answers of its own each time
    rows = [
        {"prompt": prompt, **{model: _cell(*next(cells)[:2]) for model in models}}
        for prompt in given["prompts"]
    ]
    sums = {model: _sums(auth, model, asked, found) for model in models}
    told = ["seconds", "tokens", "cost_usd"]
    if any("cost_note" in one for one in sums.values()):
        told.append("cost_note")
    for name in told:
        row = {model: one.get(name) for model, one in sums.items()}
        rows.append({"prompt": name, **row})
    return [["prompt", *models], *rows]


def _cell(error: TogetherError | None, answer: Json) -> str:
    if error:
        return f"error: {error}"
    found = parse_completion(answer)
    if not found["text"].strip():
        return f"error: the model gave no text (finish_reason {found['finish_reason']})"
    why = why_cut(found["finish_reason"])
    return f"{found['text']}\n(The answer was cut: {why}.)" if why else found["text"]


def _sums(
    auth: Auth, model: str, asked: list[tuple[str, str]], found: list[Outcome]
) -> Members:
    """Return what one model's answers took in all, with those that failed and may have
    been paid for."""
    own = [f for (_, name), f in zip(asked, found, strict=True) if name == model]
    took = [seconds for error, _, seconds in own if not error]
    paid = [
        error.partial if error else answer
        for error, answer, _ in own
        if not error or lost_usage(error) is not None
    ]
    costs = bill(auth, model, paid)
    if not took and costs["usage"] is None:
        costs["cost_note"] = "no question was answered"
    return {
        **costs,
        "seconds": round(sum(took), 2) if took else None,
        "tokens": costs["usage"] and costs["usage"]["total_tokens"],
    }


# --- what the other steps of this kind share ---------------------------------------


def ask(
    auth: Auth,
    body: Members,
    budget: Budget | None = None,
    share: float | None = None,
    pictures: bool = False,
) -> Json:
    """Send one chat completion, within the budget, and return its answer. A body
    without max_tokens gets as many as the budget pays for, or a share of it in USD;
    `pictures` says that its messages hold some."""
    budget = budget or Budget()
    most, body = bound_chat(auth, body, budget, share, pictures)
    with budget.spending(most) as spent:
        answer = call(auth, CHAT, body=body)
        if budget.limit is not None:  # else no price is waited for
            spent.usd, _ = cost(auth, body["model"], usage_of(answer))
    _whole(answer)
    return answer


def _whole(answer: Json) -> Completion:
    """Return what parse_completion finds. Raises TogetherError for an answer that broke
    off, or is none."""
    found = parse_completion(answer)
    if found["broken"]:
        raise TogetherError(
            found["broken"],
            type="broken_answer",
            partial=answer,
            advice="Run the step again, or choose another model.",
        )
    return found


def parse_completion(answer: Json) -> Completion:
    """Return what the first choice of an answer says, whatever its shape.

    {"text", "reasoning": None where there is none, "refusal": the text is one, or None,
    "tool_calls", "finish_reason", "cut": whether the answer ended before it was
    complete, "broken": why the model failed midway, or None, "logprobs"}. Parts of
    content are joined, an object is its JSON, and thinking is taken out of the text.
    """
    choice, message = first_choice(answer)
    text, thought = read_content(message.get("content"))
    apart = [message.get("reasoning"), message.get("reasoning_content"), thought]
    apart.append(message.get("reasoning_details"))
    reasoning = next((words for one in apart if (words := words_of(one))), None)
    if reasoning is None or THINK.match(text):  # some say it in both places
        text, inner = _thinking_apart(text)
        reasoning = inner if reasoning is None else reasoning
    refusal = words_of(message.get("refusal")) or None
    calls = message.get("tool_calls")
    if not calls and isinstance(message.get("function_call"), dict):
        calls = {"type": "function", "function": message["function_call"]}
    reason = choice.get("finish_reason")
    return {
        "text": text or refusal or "",
        "reasoning": reasoning or None,
        "refusal": None if text else refusal,
        "tool_calls": calls if isinstance(calls, list) else [calls] if calls else [],
        "finish_reason": reason,
        "cut": _is_cut(reason),
        "broken": _broken(choice.get("error"), reason, text) if choice else NO_CHOICE,
        "logprobs": choice.get("logprobs"),
    }


NO_CHOICE = "the answer holds no choice, and so nothing that a model said"


def first_choice(answer: Json) -> tuple[Members, Members]:
    """Return (the first choice of an answer, its message), {} where there is none."""
    choices = answer.get("choices") if isinstance(answer, dict) else None
    choices = choices if isinstance(choices, list) else []
    choice = choices[0] if choices else None
    if len(choices) > 1:  # they may come in any order
        choice = next((one for one in choices if _is_first(one)), choice)
    choice = choice if isinstance(choice, dict) else {}
    message = choice.get("message") or choice.get("delta")
    if not message and choice.get("text"):
        message = {"content": choice["text"]}  # as of a completion
    return choice, message if isinstance(message, dict) else {}


def _is_first(choice: Json) -> bool:
    return isinstance(choice, dict) and choice.get("index") == 0


def _is_cut(reason: Json) -> bool:
    return ending(reason) in CUT


def is_filtered(reason: Json) -> bool:
    """Say whether a filter of the service ended an answer, by its finish_reason."""
    return ending(reason) == "filtered"


def why_cut(reason: Json) -> str | None:
    """Return why an answer is not whole that ended with this finish_reason, or None."""
    if is_filtered(reason):
        return "a filter of the service ended it"
    return "max_tokens or the model's context is used up" if _is_cut(reason) else None


def answered(answer: Json) -> tuple[str | None, str | None, bool]:
    """Return (text or None, why there is none or None, whether the text was cut) of the
    answer to a row."""
    choice, message = first_choice(answer)
    text, reason = message.get("content"), choice.get("finish_reason")
    plain = isinstance(text, str) and "think>" not in text and not text.isspace()
    # Thinking may begin with another tag, or in brackets.
    plain = plain and str(text).lstrip()[:1] not in ("", "<", "[")
    how = ending(reason)
    if plain and not is_error(choice.get("error")) and how != "broken":
        return text, None, how in CUT  # as nearly all are, of many rows
    found = parse_completion(answer)
    why = found["broken"]
    if not why and not found["text"].strip():
        why = f"the model gave no text (finish_reason {found['finish_reason']})"
    return None if why else found["text"], why, not why and found["cut"]


def _broken(error: Json, reason: Json, text: str) -> str | None:
    """Return why a model failed midway, with the beginning of what it had said."""
    if not is_error(error) and ending(reason) != "broken":
        return None
    from .resilience.server_words import reason_in  # only when something failed

    usual = "no reason is given" if reason == "error" else f"finish_reason {reason}"
    why = reason_in(error) or usual
    after = f" after {text[:SHOWN]!r}" if text else ""
    return f"the model's answer broke off{after}: {why}"


def _thinking_apart(text: str) -> tuple[str, str | None]:
    """Return (answer, thinking) of a text in which a model thinks inside <think>.

    The opening tag may be part of the model's template and so be lacking; the closing
    one is when the answer was cut. A tag in quotation marks or code is a word of the
    answer, and so is any in an answer that is JSON. Thinking between parts of the
    answer is known by its tag at the beginning of a line.
    """
    if "<|channel|>" in text and CHANNEL.match(text.lstrip()):
        return _channels_apart(text)
    tag = THINK.match(text)
    if not tag and ("</think>" not in text or _is_json(text)):
        return text, None
    thoughts, said, place = [], [], 0
    while True:
        start = tag.end() if tag else place
        end = _end_of_thinking(text, start, tag)
        if end is None:
            if tag:
                thoughts.append(text[start:])
                place = len(text)
            break
        thoughts.append(text[start : end.start()])
        place = end.end()
        while text[place : place + 1].isspace():
            place += 1
        tag = THINK.match(text, place)
        if not tag:
            tag = _thinks_again(text, place)
            if not tag:
                break
            said.append(text[place : tag.start()])
    said.append(text[place:])
    return "".join(said), "\n".join(filter(None, map(str.strip, thoughts)))


def _channels_apart(text: str) -> tuple[str, str | None]:
    """Return (answer, thinking) of a text in channels, as gpt-oss writes them and some
    servers leave them: what is not in the one named final is thinking.

    https://cookbook.openai.com/articles/openai-harmony
    """
    said: list[str] = []
    thoughts: list[str] = []
    heads = [*CHANNEL.finditer(text)]
    ends = [head.start() for head in heads[1:]] + [len(text)]
    for head, end in zip(heads, ends, strict=True):
        piece = text[head.end() : end].strip()
        for mark in CHANNEL_ENDS:
            piece = piece.removesuffix(mark)
        (said if head[1] == "final" else thoughts).append(piece)
    return "".join(said), "\n".join(filter(None, map(str.strip, thoughts)))


CHANNEL = re.compile(
    r"(?:<\|start\|> ?assistant)?<\|channel\|>(\w+)[^<>]{0,200}"
    r"(?:<\|constrain\|>[^<>]{0,50})?<\|message\|>"
)
CHANNEL_ENDS = ("<|end|>", "<|return|>", "<|call|>")
THINK = re.compile(
    r"\s*(?:(<)|\[)((?:seed:)?think(?:ing)?)(?:\s[^<>]{0,99})?(?(1)>|\])", re.I
)
TAG = re.compile(r"</?think(?:\s[^<>]{0,99})?>", re.I)
AGAIN = re.compile(r"\n[ \t]*<think>")


def _thinks_again(text: str, place: int) -> re.Match[str] | None:
    """Return the tag with which a model begins to think amid its answer, or None."""
    fences, last = 0, text.rfind("</think>")
    for found in AGAIN.finditer(text, place, max(last, place)):
        fences += text.count("```", place, found.start())
        place = found.end()
        if fences % 2 == 0:
            return THINK.match(text, found.start())
    return None


def _end_of_thinking(
    text: str, start: int, tag: re.Match[str] | None
) -> re.Match[str] | None:
    """Return the tag that ends the thinking, or None."""
    if tag and (not tag[1] or tag[2].lower() != "think"):
        closing = rf"</{tag[2]}>" if tag[1] else rf"\[/{tag[2]}\]"
        return re.compile(closing, re.I).search(text, start)
    depth, last, fences, seen = 1, None, 0, start
    for found in TAG.finditer(text, start):
        fences += text.count("```", seen, found.start())
        seen = found.end()
        around = text[max(0, found.start() - 1) : found.start()], text[seen : seen + 1]
        if all(sign and sign in QUOTES for sign in around):
            continue
        if not tag and fences % 2:
            continue  # in a block of code
        if found[0][1] != "/":
            depth += tag is not None
            continue
        depth, last = depth - 1, found
        if depth == 0:
            return last
    return last


def _is_json(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return False
    return True


def user_message(text: str | None, pictures: list[Json] | None) -> Members:
    """Return a user's message of a text, or None, and the pictures that `prepare` gives
    of an argument with x-file."""
    if not pictures:
        return {"role": "user", "content": text}
    parts: list[Members] = [{"type": "text", "text": text}] if text else []
    check_pictures(pictures)
    from .transfer.file_input import relabelled  # only where a file is given

    for picture in map(relabelled, pictures):
        parts.append({"type": "image_url", "image_url": {"url": picture}})
    return {"role": "user", "content": parts}


def check_pictures(pictures: list[Json]) -> None:
    """Raise TogetherError where one of the argument `pictures` can be none."""
    from .transfer.file_input import check_picture  # only where a file is given

    for number, one in enumerate(pictures):
        given = one.value if isinstance(one, FileValue) else one
        check_picture(given, f"pictures[{number}]")


def messages_of(value: Json, field: str) -> list[Members]:
    """Return a conversation as the API takes it; rows left empty in a form are none.

    Raises TogetherError that names the row.
    """
    if value in (None, "", [], {}):
        return []
    if not isinstance(value, list):
        raise TogetherError.refused(field, "must be a list of messages")
    messages = []
    for number, message in enumerate(value):
        place = f"{field}[{number}]"
        if not isinstance(message, dict):
            raise TogetherError.refused(
                place, "must be an object with role and content"
            )
        content = message.get("content")
        if not content and not message.get("tool_calls"):
            continue
        if not isinstance(message.get("role"), str) or not message["role"]:
            raise TogetherError.refused(
                f"{place}.role", "is required: system, user or assistant"
            )
        if content is not None and not isinstance(content, str | list):
            raise TogetherError.refused(
                f"{place}.content", "must be text or a list of parts"
            )
        if isinstance(content, list):
            parts = [_read(part, f"{place}.content") for part in content]
            message = {**message, "content": parts}
        messages.append(message)
    return messages


def _read(part: Json, field: str) -> Json:
    """Return a part whose picture, given as a file, goes out as the API takes it."""
    image = part.get("image_url") if isinstance(part, dict) else None
    if isinstance(image, dict) and isinstance(image.get("url"), dict):
        file = FileValue(image["url"], field, "uri")
        return {**part, "image_url": {**image, "url": file}}
    return part


def refuses(error: TogetherError, words: str) -> bool:
    """Say whether a request was refused for what is found by a pattern of words, in
    small letters, in what the server says of it."""
    said = f"{error.detail or ''} {error.param or ''}".lower()
    return error.status in (400, 422) and re.search(words, said) is not None


def _handed_back(messages: list[Members]) -> list[Members]:
    """Return a conversation as JSON, without pictures and texts that make the result
    too large.

    A picture is the file as it was given: as `history`, it is read anew.
    """
    room, texts = KEPT_PICTURES, KEPT_TEXT
    kept = []
    for message in messages:
        content = message.get("content")  # one that calls tools may have none
        if isinstance(content, str):
            text, texts = _cut_to(content, texts)
            message = {**message, "content": text}
        if isinstance(content, list):
            parts = []
            for part in content:
                part = _written(part)
                if isinstance(part, dict) and isinstance(part.get("text"), str):
                    text, texts = _cut_to(part["text"], texts)
                    part = {**part, "text": text}
                size = len(json.dumps(part)) if _is_data(part) else 0
                if size > room:
                    log("messages leaves a picture out: give its URL, or store it")
                    part = {"type": "text", "text": "(A picture was here.)"}
                else:
                    room -= size
                parts.append(part)
            message = {**message, "content": parts}
        kept.append(message)
    return kept


def _cut_to(text: str, room: int) -> tuple[str, int]:
    """Return a text, or its beginning where it needs more characters than there is room
    for, and the room that is left."""
    if len(text) <= room:
        return text, room - len(text)
    log(f"messages holds the beginning of a text of {len(text)} characters alone")
    return f"{text[:BEGINNING]} (The rest was left out.)", max(0, room - BEGINNING)


def _written(part: Json) -> Json:
    """Return a part with its picture as it was given."""
    image = part.get("image_url") if isinstance(part, dict) else None
    if isinstance(image, dict) and isinstance(image.get("url"), FileValue):
        value = image["url"].value
        if isinstance(value, bytes):
            value = base64.b64encode(value).decode()
        if isinstance(value, str):
            value = {"s3" if value.startswith("s3://") else "file": value}
        return {**part, "image_url": {**image, "url": value}}
    return part


def _is_data(part: Json) -> bool:
    image = part.get("image_url") if isinstance(part, dict) else None
    url = image.get("url") if isinstance(image, dict) else image
    if isinstance(url, dict):
        return "file" in url
    return isinstance(url, str) and url.startswith("data:")
