"""Together's catalogue of models: what a form offers, and what a call cost.

Two lists feed it, read at most once in ten minutes per process and account:
/v2/supported-models says which models answer serverlessly, what they can do and their
prices in USD per million tokens; /v1/models, a bare array, knows models that the first
one lacks. Servers that only resemble the API answer {"data": [...]}; that is understood
too. Nothing here raises because the catalogue cannot be read, save `models`.
"""

import json
import re
import threading
import time

from .client import TogetherError, call, operation

TASKS = (
    "chat",
    "vision",
    "tools",
    "structured",
    "embedding",
    "rerank",
    "image",
    "speech",
    "transcription",
    "video",
    "fine_tuning",
)
SUPPORTED = operation(
    "GET", "/v2/supported-models", "read", query=("after", "limit", "product")
)
LISTED = operation("GET", "/v1/models", "read")
SERVERLESS, TUNABLE = "PRODUCT_SERVERLESS", "PRODUCT_FINE_TUNING"

PRICE_SECONDS = 5.0  # a step that has its answer waits no longer
MAX_AGE = 600.0  # seconds for which a list is not read again
MAX_AGE_FAILED = 30.0
PAGE, MAX_PAGES = 100, 50
BATCH_DISCOUNT = 0.5
ASSUMED_TOKENS = 1000  # of an answer whose length is not bounded


def models(auth, product=SERVERLESS, seconds=60.0):
    """Return every model of the catalogue, normalised.

    A model is {"id": what a request's `model` takes, "name", "publisher", "type",
    "tasks": what it is known to do, "maybe": what it may do, "context_length",
    "prices": see `cost`, "created": Unix seconds, "serverless": True, False or None
    where the catalogue does not say, "status": recommended, supported, deprecated,
    hidden or None, "aliases": other names}. Raises TogetherError when neither list can
    be read within the seconds.
    """
    ends = time.monotonic() + seconds
    best = listing(auth, product)
    best.wait(seconds / 2)
    if not best.models:
        best = listing(auth, None)
        best.wait(ends - time.monotonic())
    if best.models or best.complete:
        return list(best.models)
    raise best.error or TogetherError(f"the catalogue did not answer in {seconds:g} s")


def choices(task, auth, filter_text="", other=True):
    """Return what Windmill's dynamic select offers, see scripts/picking.py."""
    from .picking import choices

    return choices(task, auth, filter_text, other)


def cost(auth, model, usage, batch=False):
    """Return (USD, None) for a call that was made, or (None, why it is not known).

    `usage` counts tokens as `usage_of` gives them, or what a media model is paid for:
    images, megapixels, seconds, characters, videos, requests. The catalogue's prices:
    input, output and cached in USD per million tokens, character per million
    characters, the others for one. Batch halves it. Never 0 for what is not known, and
    never raises: the money is spent already.
    """
    usage = {n: v for n, v in (usage or {}).items() if v}
    if not usage:
        return None, "the answer does not say what was used"
    found = priced(auth, model)
    if isinstance(found, str):
        return None, found
    prices = found["prices"]
    usd = _token_cost(prices, usage)
    if usd is None:
        usd = _unit_cost(prices, usage)
    if usd is None:
        units = ", ".join(usage)
        return None, f"the catalogue names no price of {found['id']} for {units}"
    return round(usd * (BATCH_DISCOUNT if batch else 1), 10), None


def priced(auth, model):
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
        f"the catalogue does not list {model}: a dedicated endpoint is paid by the hour"
    )


def prefetch(auth):
    """Begin to read the prices in the background, while the paid call is under way."""
    if usable(auth):
        listing(auth, SERVERLESS)


def usage_of(answer):
    """Return {"prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens"} of
    an answer, or None when it reports no usage."""
    found = answer.get("usage") if isinstance(answer, dict) else None
    if not isinstance(found, dict):
        return None
    details = found.get("prompt_tokens_details")
    details = details if isinstance(details, dict) else {}
    prompt = found.get("prompt_tokens") or 0
    completion = found.get("completion_tokens") or 0
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": found.get("total_tokens") or prompt + completion,
        "cached_tokens": found.get("cached_tokens")
        or details.get("cached_tokens")
        or 0,
    }


def added(usages):
    """Return the sum of several usages, those that are None aside; None for none."""
    known = [usage for usage in usages if usage is not None]
    if not known:
        return None
    return {name: sum(usage.get(name, 0) for usage in known) for name in known[0]}


def bill(auth, model, answers, batch=False):
    """Return {"usage", "cost_usd", and "cost_note" where the cost is None} of the
    answers that one model gave, ready to be part of a step's result."""
    usages = [usage_of(answer) for answer in answers]
    usage = added(usages)
    usd, note = cost(auth, model, usage, batch)
    if usd is not None and None in usages:
        usd, note = None, "an answer does not say what was used"
    bill = {"usage": usage, "cost_usd": usd}
    return bill if note is None else {**bill, "cost_note": note}


def tokens(text):
    """Estimate the tokens of a text: a quarter of its bytes, so that English counts
    about four letters and Chinese about four signs for three tokens."""
    return -(-len(str(text).encode("utf-8", "replace")) // 4)


def most_tokens(text):
    """Return the most tokens that a text, or anything that is JSON, may have in a
    request: one for each byte, and a few that a model puts around it."""
    if not isinstance(text, str):
        text = json.dumps(text, ensure_ascii=False, default=str)
    return len(text.encode("utf-8", "replace")) + 8


def estimate(auth, model, prompt, max_tokens=None, batch=False):
    """Return (USD, None) that a call may cost, or (None, why it is not known).

    The prompt is text, or anything that is JSON; an answer without max_tokens is taken
    to have ASSUMED_TOKENS.
    """
    if not isinstance(prompt, str):
        prompt = json.dumps(prompt, ensure_ascii=False, default=str)
    completion = ASSUMED_TOKENS if max_tokens is None else max_tokens
    usage = {"prompt_tokens": tokens(prompt), "completion_tokens": completion}
    return cost(auth, model, usage, batch)


def afford(budget_usd, usd, note, what, advice=None):
    """Raise TogetherError, before anything is sent, when what is asked for may cost
    more USD than budget_usd, or None: not known, for the reason in the note. A budget
    of None allows everything."""
    if budget_usd is None or (usd is not None and usd <= budget_usd):
        return
    if usd is None:
        problem, kind = f"cannot be kept: {note}", "budget_unknown"
        advice = advice or "Leave budget_usd empty, or use a model that has a price."
    else:
        problem = f"is below {usd:.6g}, what {what} may cost"
        kind, advice = "budget_reached", advice or "Raise budget_usd, or ask for less."
    raise TogetherError.refused(
        "budget_usd", problem, type=kind, estimated_cost_usd=usd, advice=advice
    )


class Budget:
    """Money that a step of many calls may spend; safe to share between threads.

    Before a call, `reserve` its estimated cost; after it, `settle` what it cost. A
    budget of None allows everything.
    """

    def __init__(self, limit_usd=None):
        self.limit = limit_usd
        self.spent = 0.0
        self.reserved = 0.0
        self.lock = threading.Lock()

    def reserve(self, usd):
        """Set the money for a call aside. Raises TogetherError, before anything is
        spent, when it might exceed the budget or its price is None: not known."""
        if self.limit is None:
            return
        if usd is None:
            raise TogetherError(
                "budget_usd cannot be kept: the model's price is not known.",
                type="budget_unknown",
                advice="Leave budget_usd empty, or use a model that has a price.",
            )
        with self.lock:
            if self.spent + self.reserved + usd > self.limit:
                raise TogetherError(
                    f"budget_usd is used up: {self.spent:.6g} of {self.limit:.6g} USD "
                    f"are spent and the next call may cost {usd:.6g}.",
                    type="budget_reached",
                    spent_usd=round(self.spent, 10),
                    budget_usd=self.limit,
                    advice="Raise budget_usd, or do less in one run.",
                )
            self.reserved += usd

    def settle(self, reserved, usd):
        """Note what a call cost for which money was set aside; None: as estimated."""
        if self.limit is None:
            return
        with self.lock:
            self.reserved -= reserved
            self.spent += reserved if usd is None else usd


# --- reading the lists -------------------------------------------------------------


class Listing(threading.Thread):
    """Reads one list in the background; pages add up in `models` as they arrive.

    A thread, because only its waiting can be bounded to the second: a socket's timeout
    begins anew with every byte.
    """

    def __init__(self, auth, product):
        super().__init__(daemon=True)
        self.auth = auth
        self.product = product
        self.models = []
        self.error = None
        self.complete = False
        self.late = False
        self.known = {}  # lower-case name: model
        self.began = time.monotonic()

    def run(self):
        try:
            if self.product is None:
                self.models += _normalised(call(self.auth, LISTED), self.product)
            else:
                self.read_pages()
            self.complete = True
        except TogetherError as error:
            self.error = error

    def read_pages(self):
        after = None
        for _ in range(MAX_PAGES):
            page = call(
                self.auth, SUPPORTED, product=self.product, limit=PAGE, after=after
            )
            found = _normalised(page, self.product)
            self.models += found
            after = page.get("next_cursor") if isinstance(page, dict) else None
            if not after or not found:
                break

    def wait(self, seconds):
        """Wait until it is read; not again when that was in vain once."""
        self.join(0.0 if self.late else max(0.0, seconds))
        self.late = self.is_alive()

    def find(self, name):
        """Return the model of that name, or None."""
        models = list(self.models)
        if not self.known and models:
            known = {m["id"].lower(): m for m in models}
            for model in models:
                for other in (*model["aliases"], model["name"]):
                    known.setdefault(other.lower(), model)
            if self.complete:
                self.known = known
        else:
            known = self.known
        return known.get(str(name).lower())

    def problem(self):
        """Return why there is nothing in it, or None."""
        if self.error is not None:
            return str(self.error)
        return None if self.complete or self.models else "it takes too long"

    def stale(self):
        age = time.monotonic() - self.began
        return age > (MAX_AGE if self.error is None else MAX_AGE_FAILED)


def listing(auth, product):
    """Return the list of a product, or /v1/models for None, read or being read."""
    key = auth.get("api_key"), auth.get("base_url"), product
    with _lock:
        found = _listings.get(key)
        if found is None or found.stale():
            found = _listings[key] = Listing(auth, product)
            found.start()
        return found


_listings = {}
_lock = threading.Lock()


def usable(auth):
    """Say whether auth is a resource with a key, rather than a form's placeholder."""
    key = auth.get("api_key") if isinstance(auth, dict) else None
    return isinstance(key, str) and bool(key.strip()) and not key.startswith("$")


# --- one entry ---------------------------------------------------------------------


def entries(answer):
    """Return the entries of any shape of model list: a bare array, or an object that
    holds it. Raises TogetherError for anything else."""
    if isinstance(answer, dict):
        lists = [answer[n] for n in ("data", "models", "items") if n in answer]
        answer = next((found for found in lists if isinstance(found, list)), None)
    if not isinstance(answer, list):
        raise TogetherError(
            "what answered is no list of models",
            advice="Check auth.base_url: what answers there is not the API.",
        )
    return [entry for entry in answer if isinstance(entry, dict)]


def _normalised(answer, product):
    found = (normalised(entry) for entry in entries(answer))
    return [model for model in found if model is not None]


def normalised(entry):
    """Return one entry of either list as `models` describes it; None without an id."""
    names = [entry.get(n) for n in ("serverlessEndpoint", "name", "id")]
    names = [n for n in names if isinstance(n, str) and n]
    if not names:
        return None
    new = "products" in entry or "capabilities" in entry
    prices = _prices(entry.get("pricing"), names[0])
    shown = entry.get("display_name") or entry.get("displayName")
    kind = entry.get("type") or entry.get("displayType")
    if new:
        tasks, maybe = _capable(entry)
        serverless = SERVERLESS in _words(entry, "products")
        serverless = serverless or bool(entry.get("serverlessEndpoint"))
    else:
        tasks, maybe = _typed(kind)
        serverless = _paid(entry.get("pricing"), prices, kind)
    status = entry.get("status")
    status = status.rsplit("_", 1)[-1].lower() if isinstance(status, str) else None
    publisher = entry.get("publisher") or entry.get("organization")
    return {
        "id": names[0],
        "name": shown if isinstance(shown, str) and shown else names[0],
        "publisher": publisher if isinstance(publisher, str) else None,
        "type": kind if isinstance(kind, str) else None,
        "tasks": tasks,
        "maybe": maybe,
        "context_length": _whole(
            entry.get("contextLength") or entry.get("context_length")
        ),
        "prices": prices,
        "created": _moment(entry.get("createdAt") or entry.get("created")),
        "serverless": serverless,
        "status": status,
        "aliases": names[1:],
    }


_CAPABLE = {
    "CAPABILITY_CHAT": "chat",
    "CAPABILITY_EMBEDDING": "embedding",
    "CAPABILITY_RERANKING": "rerank",
    "CAPABILITY_IMAGE_GENERATION": "image",
    "CAPABILITY_VIDEO_GENERATION": "video",
    "FEATURE_TOOL_CALLING": "tools",
    "FEATURE_STRUCTURED_OUTPUT": "structured",
    TUNABLE: "fine_tuning",
}
_TYPED = {
    "chat": "chat",
    "image": "image",
    "embedding": "embedding",
    "rerank": "rerank",
    "video": "video",
    "audio": "speech",
    "transcribe": "transcription",
    "transcription": "transcription",
}


def _capable(entry):
    """Return what an entry of the new list says that the model does, and may do."""
    said = {
        w for n in ("capabilities", "features", "products") for w in _words(entry, n)
    }
    takes, gives = _words(entry, "inputModalities"), _words(entry, "outputModalities")
    tasks = {_CAPABLE[word] for word in said if word in _CAPABLE}
    maybe = set()
    if "chat" in tasks:
        if "MODALITY_IMAGE" in takes:
            tasks.add("vision")
        if entry.get("features") is None:
            maybe |= {"tools", "structured"}
    else:
        tasks -= {"tools", "structured"}
        # The list has no word for these two: what goes in and comes out tells.
        if "MODALITY_AUDIO" in takes and "MODALITY_TEXT" in gives:
            tasks.add("transcription")
    if "MODALITY_AUDIO" in gives:
        tasks.add("speech")
    return sorted(tasks), sorted(maybe)


def _typed(kind):
    """Return what a model of the old list's type does, and may do."""
    if not isinstance(kind, str):
        return [], list(TASKS)
    maybe = ["fine_tuning", "structured", "tools", "vision"] if kind == "chat" else []
    return [_TYPED[kind]] if kind in _TYPED else [], maybe


def _paid(pricing, prices, kind):
    """Say whether an entry of the old list answers serverlessly.

    It does not say so: but what is paid by the token and has no price runs on dedicated
    endpoints only. Media models are not paid by the token.
    """
    if prices:
        return True
    by_token = kind in ("chat", "language", "code", "embedding", "moderation", "rerank")
    return False if isinstance(pricing, dict) and by_token else None


_PRICES = {
    "input": ("input", 1),
    "output": ("output", 1),
    "cachedinput": ("cached", 1),
    "image": ("image", 1),
    "megapixel": ("megapixel", 1),
    "second": ("second", 1),
    "minute": ("second", 1 / 60),
    "millioncharacters": ("character", 1),
    "character": ("character", 1e6),
    "video": ("video", 1),
    "request": ("request", 1),
}


def _prices(pricing, name):
    """Return the prices of an entry that are known by their name.

    All zero means that there is none, unless the model's name says that it is free.
    """
    prices = {}
    for key, value in (pricing if isinstance(pricing, dict) else {}).items():
        word = re.sub(r"[^a-z]", "", str(key).lower()).removeprefix("per")
        value = _real(value)
        if word in _PRICES and value is not None:
            own, factor = _PRICES[word]
            prices[own] = value * factor
    if not any(prices.values()):
        free = re.search(r"(?i)\bfree\b", name) and prices
        return prices if free else {}
    return {n: v for n, v in prices.items() if v or n in ("input", "output")}


def _token_cost(prices, usage):
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
    cached = min(usage.get("cached_tokens", 0), prompt)
    usd = (prompt - cached) * prices.get("input", 0)
    usd += cached * prices.get("cached", prices.get("input", 0))
    return (usd + completion * prices.get("output", 0)) / 1e6


def _unit_cost(prices, usage):
    """Return the cost by the first measure that has a price: images and megapixels say
    the same thing twice."""
    for measure, unit in (
        ("images", "image"),
        ("megapixels", "megapixel"),
        ("videos", "video"),
        ("seconds", "second"),
        ("characters", "character"),
        ("requests", "request"),
    ):
        if measure in usage and unit in prices:
            return usage[measure] * prices[unit] / (1e6 if unit == "character" else 1)
    return None


def _words(entry, name):
    found = entry.get(name)
    return [w for w in found if isinstance(w, str)] if isinstance(found, list) else []


def _real(value):
    """Return a price as a float; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        value = float(value)
    except (ValueError, OverflowError):
        return None
    return value if 0 <= value < float("inf") else None


def _whole(value):
    found = _real(value)
    return int(found) if found else None


def _moment(value):
    """Return a date as Unix seconds: it comes as a number or as ISO 8601."""
    found = _real(value)
    if found is not None or not isinstance(value, str):
        return int(found) if found else None
    from datetime import datetime

    try:
        return int(datetime.fromisoformat(value).timestamp())
    except (ValueError, OverflowError):
        return None
