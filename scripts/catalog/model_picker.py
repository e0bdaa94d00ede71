"""What a form offers where a model is to be chosen.

The models of the catalogue that fit the task and answer serverlessly, the account's own
endpoints, and last a word for any other model, which opens a field for its id. Windmill
forgets a choice that the list lacks as soon as another field changes: what is typed
into the list itself cannot be a choice.
"""

from __future__ import annotations

import threading
import time

from ..client import TogetherError, call
from ..client.form import OTHER
from ..client.job import log
from ..client.references import harmless
from ..operations import operation
from .catalog import SERVERLESS, TUNABLE, entries, fitting, listing, usable
from .known_models import AS_OF, BUILT_IN, JUDGES
from .pricing import money

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..shapes import Members, Operation

# The account's own endpoints, of both versions.
OWN = (
    operation("endpoints/list_project_endpoints"),
    operation("endpoints/list_endpoints"),
)
OWN_ARGUMENTS: tuple[Members, ...] = (
    {"limit": 100},
    {"type": "dedicated", "mine": True},
)
# Evaluations let few models judge, which the catalogue does not say.
JUDGE = "judge"
JUDGING = operation("evaluations/list_evaluation_models")
# What such an endpoint may be made for.
OWN_TASKS = ("chat", "vision", "tools", "structured", "embedding", "rerank", JUDGE)
ANY = "Another model: give its id below"
PICKER_SECONDS = 1.7  # a form that opens waits no longer


def choices(
    task: str, auth: Any, filter_text: str | None = "", other: bool = True
) -> list[dict[str, str]]:
    """Return what Windmill's dynamic select offers: [{"value": id, "label": text}].

    Models that fit the task and answer serverlessly, recommended and newest first,
    deprecated ones last, then the account's own endpoints; of these, those that hold
    every word of the filter. With `other`, last: any other model, by its id.
    `auth` may be the resource, None or an unresolved "$res:" string: a form that was
    just opened has no better. Never raises, and answers within two seconds, if need be
    with a short list that says so.
    """
    text = (filter_text or "").strip()
    ends = time.monotonic() + PICKER_SECONDS
    own = _own_endpoints(task, auth)
    try:
        if task == JUDGE:
            listed = _judges(auth, ends)
        else:
            listed = [(m["id"], _label(m)) for m in _offered(task, auth, ends)]
    except TogetherError as error:
        log(f"the catalogue cannot be read: {error}")
        built_in = JUDGES if task == JUDGE else BUILT_IN.get(task, [])
        note = f"list of {AS_OF}, may be out of date: the catalogue cannot be read"
        listed = [(name, f"{name} - {note}") for name in built_in]
    known = {name.lower() for name, _ in listed}
    for thread in own:
        thread.join(max(0.0, ends - time.monotonic()))
        for name, label in list(thread.found):
            if name.lower() not in known:
                known.add(name.lower())
                listed.append((name, label))
    words = text.lower().split()
    listed = [(n, t) for n, t in listed if all(word in t.lower() for word in words)]
    listed.sort(key=lambda choice: choice[0].lower() != text.lower())
    if other:
        # Of what the function returns, Windmill shows what holds the text as it stands.
        label = ANY if listed else f"{text}: not in the list, give its id below"
        listed.append((OTHER, label if text else ANY))
    return harmless([{"value": name, "label": label} for name, label in listed])[0]


def _offered(task: str, auth: Any, ends: float) -> list[Members]:
    """Return the models to offer. Raises TogetherError when no list can be read."""
    if not usable(auth):
        raise TogetherError(
            "choose the resource that holds the API key first", type="invalid_argument"
        )
    first = listing(auth, TUNABLE if task == "fine_tuning" else SERVERLESS)
    first.wait(PICKER_SECONDS * 0.65)
    found = fitting(first.models, task)
    if found:
        return found
    second = listing(auth, None)
    second.wait(ends - time.monotonic())
    found = fitting(second.models, task)
    problem = second.problem()
    if not found and problem is not None:
        raise TogetherError(problem, type="invalid_answer")
    return found


def _judges(auth: Any, ends: float) -> list[tuple[str, str]]:
    """Return (id, label) of the models that may judge, those that the catalogue knows
    with what it says of them. Raises TogetherError when their list cannot be read."""
    if not usable(auth):
        raise TogetherError(
            "choose the resource that holds the API key first", type="invalid_argument"
        )
    catalogue = listing(auth, SERVERLESS)
    reading = _Judges(auth)
    reading.start()
    reading.join(PICKER_SECONDS * 0.65)
    if not reading.names:
        raise reading.error or TogetherError(
            "the list of judges takes too long", type="deadline"
        )
    catalogue.wait(ends - time.monotonic())
    known = [(name, catalogue.find(name)) for name in reading.names]
    return [(name, _label({**m, "id": name}) if m else name) for name, m in known]


class _Judges(threading.Thread):
    """Reads the list of models that may judge in the background."""

    def __init__(self, auth: Any) -> None:
        super().__init__(daemon=True)
        self.auth = auth
        self.names: list[str] = []
        self.error: TogetherError | None = None

    def run(self) -> None:
        try:
            answer = call(self.auth, JUDGING, model_source="serverless")
        except TogetherError as error:
            self.error = error
            return
        found = answer.get("model_list") if isinstance(answer, dict) else None
        found = found if isinstance(found, list) else []
        names = [one for one in found if isinstance(one, str) and one]
        self.names = list(dict.fromkeys(names))
        if not names:
            self.error = TogetherError(
                "the list of judges is empty", type="invalid_answer"
            )


class _OwnEndpoints(threading.Thread):
    """Reads one list of the account's own endpoints in the background."""

    def __init__(self, auth: Any, table: Operation, arguments: Members) -> None:
        super().__init__(daemon=True)
        self.auth, self.table, self.arguments = auth, table, arguments
        self.found: list[tuple[str, str]] = []

    def run(self) -> None:
        try:
            answer = call(self.auth, self.table, **self.arguments)
            self.found = [_own(entry) for entry in entries(answer) if _named(entry)]
        except TogetherError as error:
            # Other servers have none, and not every key may see them.
            log(f"no own endpoints: {error}")


def _own_endpoints(task: str, auth: Any) -> list[_OwnEndpoints]:
    """Return the threads that read the account's own endpoints."""
    if task not in OWN_TASKS or not usable(auth):
        return []
    pairs = zip(OWN, OWN_ARGUMENTS, strict=True)
    threads = [_OwnEndpoints(auth, *pair) for pair in pairs]
    for thread in threads:
        thread.start()
    return threads


def _named(entry: Members) -> bool:
    return isinstance(entry.get("name"), str) and entry["name"] != ""


def _own(entry: Members) -> tuple[str, str]:
    """Return (name, label) of an endpoint of either version."""
    states = [entry.get("state")]
    deployments = entry.get("deployments")
    if isinstance(deployments, list):
        states += [d.get("state") for d in deployments if isinstance(d, dict)]
    words = [s.rsplit("_", 1)[-1].lower() for s in states if isinstance(s, str)]
    ready = next((w for w in words if w in ("ready", "started")), None)
    state = ready or next(iter(words), "not deployed")
    return entry["name"], f"{entry['name']} - your own endpoint, {state}"


# --- what the form shows -----------------------------------------------------------


def _label(model: Members) -> str:
    parts = [model["id"]]
    if model["name"].lower() not in (model["id"].lower(), _last(model["id"]).lower()):
        parts[0] += f" ({model['name']})"
    length = model["context_length"]
    if length:
        parts.append(f"{_short(length)} context")
    price = _price_label(model["prices"])
    if price:
        parts.append(price)
    if model["status"] in ("recommended", "deprecated"):
        parts.append(model["status"])
    return " - ".join(parts)


def _last(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _short(length: int) -> str:
    """128k for 131072, 200k for 200000, 1M for a million of either kind."""
    base = 1024 if length % 1024 == 0 else 1000
    if length >= base * base:
        return f"{length / base / base:.3g}M"
    return f"{length // base}k" if length >= base else str(length)


def _price_label(prices: dict[str, float]) -> str | None:
    if "input" in prices:
        if not any(prices.values()):
            return "free"
        text = f"{_dollars(prices['input'])} in"
        if prices.get("output"):
            text += f", {_dollars(prices['output'])} out"
        return f"{text} per 1M tokens"
    for unit in ("image", "megapixel", "video", "second", "request"):
        if unit in prices:
            return f"{_dollars(prices[unit])} per {unit}"
    if "character" in prices:
        return f"{_dollars(prices['character'])} per 1M characters"
    return None


def _dollars(value: float) -> str:
    return f"${money(value)}"
