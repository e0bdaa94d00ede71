"""Together's catalogue of models: what they can do, and their prices.

Two lists feed it, read at most once in ten minutes per process and account:
/v2/supported-models says which models answer serverlessly, what they can do and their
prices in USD per million tokens; /v1/models, a bare array, knows models that the first
one lacks. Servers that only resemble the API answer {"data": [...]}; that is understood
too. A list that cannot be read raises nothing: it says why by `problem`.
"""

from __future__ import annotations

import re
import threading
import time

from ..client import TogetherError, call
from ..client.job import log
from ..client.jsonio import finite, moment_of
from ..operations import operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..shapes import Auth, Json, Members

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
SUPPORTED = operation("models/list_supported_models")
LISTED = operation("models/list_models")
SERVERLESS, TUNABLE = "PRODUCT_SERVERLESS", "PRODUCT_FINE_TUNING"

MAX_AGE = 600.0  # seconds for which a list is not read again
MAX_AGE_FAILED = 30.0
PAGE, MAX_PAGES = 100, 50


# --- reading the lists -------------------------------------------------------------


class Listing(threading.Thread):
    """Reads one list in the background; pages add up in `models` as they arrive.

    A thread, because only its waiting can be bounded to the second: a socket's timeout
    begins anew with every byte.
    """

    unheard = True  # see `hear` of client/request.py: no step reads these answers

    def __init__(self, auth: Auth, product: str | None) -> None:
        super().__init__(daemon=True)
        self.auth = auth
        self.product = product
        self.models: list[Members] = []
        self.error: TogetherError | None = None
        self.complete = False
        self.late = False
        self.known: dict[str, Members] = {}  # name, and name in lower case: model
        self.began = time.monotonic()

    def run(self) -> None:
        try:
            if self.product is None:
                self.models += _normalised(call(self.auth, LISTED))
            else:
                self.read_pages()
            self.complete = True
        except TogetherError as error:
            self.error = error

    def read_pages(self) -> None:
        after = None
        seen: set[str] = set()  # ids of models: a cursor may lead in a circle
        for _ in range(MAX_PAGES):
            page = call(
                self.auth, SUPPORTED, product=self.product, limit=PAGE, after=after
            )
            found = _normalised(page)
            found = [model for model in found if model["id"] not in seen]
            seen.update(model["id"] for model in found)
            self.models += found
            after = page.get("next_cursor") if isinstance(page, dict) else None
            if not after or not found:
                break

    def wait(self, seconds: float) -> None:
        """Wait until it is read; if it once was not read in time, do not wait again."""
        self.join(0.0 if self.late else max(0.0, seconds))
        self.late = self.is_alive()

    def find(self, name: object) -> Members | None:
        """Return the model of that name, or None."""
        complete = self.complete  # before the copy, which may lack the last page else
        models = list(self.models)
        if not self.known and models:
            # By its very name first: ids may differ in their letters' case alone.
            known: dict[str, Members] = {}
            for model in models:
                known.setdefault(model["id"], model)
            for model in models:
                for other in (model["id"], *model["aliases"], model["name"]):
                    known.setdefault(other.lower(), model)
            if complete:
                self.known = known
        else:
            known = self.known
        return known.get(str(name)) or known.get(str(name).lower())

    def problem(self) -> str | None:
        """Return why there is nothing in it, or None."""
        if self.error is not None:
            return str(self.error)
        return None if self.complete or self.models else "it takes too long"

    def stale(self) -> bool:
        age = time.monotonic() - self.began
        return age > (MAX_AGE if self.error is None else MAX_AGE_FAILED)


def listing(auth: Auth, product: str | None) -> Listing:
    """Return the list of a product, or /v1/models for None, read or being read."""
    key = auth.get("api_key"), auth.get("base_url"), product
    with _lock:
        found = _listings.get(key)
        if found is None or found.stale():
            found = _listings[key] = Listing(auth, product)
            found.start()
        return found


_listings: dict[Any, Listing] = {}
_lock = threading.Lock()


def usable(auth: Any) -> bool:
    """Say whether auth is a resource with a key, rather than a form's placeholder."""
    key = auth.get("api_key") if isinstance(auth, dict) else None
    return isinstance(key, str) and bool(key.strip()) and not key.startswith("$")


# --- which of them ----------------------------------------------------------------


def fitting(found: list[Members], task: str) -> list[Members]:
    """Return the models for a task, best first: those known to do it and to answer
    serverlessly, else those of which that is not known. Rerank models run on dedicated
    endpoints alone."""
    found = [m for m in list(found) if m["status"] != "hidden"]
    fits = [m for m in found if task in m["tasks"]]
    fits = fits or [m for m in found if task in m["maybe"]]
    if task not in ("fine_tuning", "rerank"):
        sure = [m for m in fits if m["serverless"]]
        fits = sure or [m for m in fits if m["serverless"] is None]
    return sorted(fits, key=_rank)


def _rank(model: Members) -> tuple[bool, bool, int, str]:
    status = model["status"]
    return (
        status == "deprecated",
        status != "recommended",
        -(model["created"] or 0),
        model["id"].lower(),
    )


# --- one entry ---------------------------------------------------------------------


def entries(answer: Json) -> list[Members]:
    """Return the entries of any shape of model list: a bare array, or an object that
    holds it. Raises TogetherError for anything else."""
    if isinstance(answer, dict):
        lists = [answer[n] for n in ("data", "models", "items") if n in answer]
        answer = next((found for found in lists if isinstance(found, list)), None)
    if not isinstance(answer, list):
        raise TogetherError(
            "what answered is no list of models",
            type="invalid_answer",
            advice="Check auth.base_url: what answers there is not the API.",
        )
    found = [entry for entry in answer if isinstance(entry, dict)]
    if left := len(answer) - len(found):
        log(f"{left} of {len(answer)} models of a list are none, and left out")
    return found


def _normalised(answer: Json) -> list[Members]:
    found = (normalised(entry) for entry in entries(answer))
    return [model for model in found if model is not None]


def normalised(entry: Members) -> Members | None:
    """Return one entry of either list as a model; None without an id.

    A model is {"id": what a request's `model` takes, "name", "publisher", "type",
    "tasks": what it is known to do, "maybe": what it may do, "context_length",
    "prices": USD by unit (catalog/pricing.py), "created": Unix seconds, "serverless":
    True, False or None where the catalogue does not say, "status": recommended,
    supported, deprecated, hidden or None, "aliases": other names}.
    """
    given = [entry.get(n) for n in ("serverlessEndpoint", "name", "id")]
    names = [n for n in given if isinstance(n, str) and n]
    if not names:
        return None
    new = "products" in entry or "capabilities" in entry
    prices = _prices(entry.get("pricing"), names[0])
    shown = entry.get("display_name") or entry.get("displayName")
    kind = entry.get("type") or entry.get("displayType")
    if new:
        serverless: bool | None
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
        "created": _whole(moment_of(entry.get("createdAt") or entry.get("created"))),
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


def _capable(entry: Members) -> tuple[list[str], list[str]]:
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


def _typed(kind: Json) -> tuple[list[str], list[str]]:
    """Return what a model of the old list's type does, and may do."""
    if not isinstance(kind, str):
        return [], list(TASKS)
    maybe = ["fine_tuning", "structured", "tools", "vision"] if kind == "chat" else []
    return [_TYPED[kind]] if kind in _TYPED else [], maybe


def _paid(pricing: Json, prices: dict[str, float], kind: Json) -> bool | None:
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
    "defaultsteps": ("steps", 1),  # of a picture, for which its price holds
}


def _prices(pricing: Json, name: str) -> dict[str, float]:
    """Return the prices of an entry that are known by their name.

    All zero means that there is none, unless the model's name says that it is free.
    """
    prices: dict[str, float] = {}
    for key, value in (pricing if isinstance(pricing, dict) else {}).items():
        word = re.sub(r"[^a-z]", "", str(key).lower()).removeprefix("per")
        value = _real(value)
        if word in _PRICES and value is not None:
            own, factor = _PRICES[word]
            prices[own] = max(value * factor, prices.get(own, 0.0))
    if not any(value for unit, value in prices.items() if unit != "steps"):
        free = re.search(r"(?i)\bfree\b", name) and prices
        return prices if free else {}
    return {n: v for n, v in prices.items() if v or n in ("input", "output")}


def _words(entry: Members, name: str) -> list[str]:
    found = entry.get(name)
    return [w for w in found if isinstance(w, str)] if isinstance(found, list) else []


def _real(value: Json) -> float | None:
    """Return a price as a float; None for what is none."""
    found = finite(value)
    return None if found is None or found < 0 else float(found)


def _whole(value: Json) -> int | None:
    found = _real(value)
    return int(found) if found else None
