"""The models that the pack names: schemas/_models.yaml, the one place with their ids.

Schemas, flows and schedules say `<model:word>`; `filled_in` puts the id there. The list
that a form falls back to is rendered from it, and the sandbox's catalogue made.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path

from scripts.catalog.catalog import TASKS, entries, normalised
from scripts.client import TogetherError
from tools.yaml_text import load

ROOT = Path(__file__).resolve().parent.parent
PLACE = re.compile(r"<model:(\w+)>")
NAMED_HERE = "schemas/_models.yaml"
# What follows an id: a longer one that begins with it is another model.
ENDS = r"(?![\w-]|\.\w)"


@cache
def _listed(path: Path) -> dict:
    return load(path.read_text(encoding="utf-8"))


def known(root: Path = ROOT) -> dict:
    """What schemas/_models.yaml says; a pack that has none is made of ours."""
    path = root / NAMED_HERE
    return _listed(path if path.exists() else ROOT / NAMED_HERE)


def model(word: str, root: Path = ROOT) -> str:
    """The id that a word stands for. Raises ValueError for a word that is none."""
    listed = known(root)
    for entry in listed["models"]:
        if word in entry.get("words", ()):
            return entry["id"]
    for place in ("own", "before"):
        if word in listed.get(place, ()):
            return listed[place][word]
    raise ValueError(f"<model:{word}>: {NAMED_HERE} has no such word")


def filled_in(text: str, root: Path = ROOT) -> str:
    """A text with the id in the place of each <model:word>. Raises ValueError."""
    return PLACE.sub(lambda found: model(found[1], root), text)


def retired(root: Path = ROOT) -> dict[str, str | None]:
    """The ids that are gone, and what took the place of each."""
    return known(root)["retired"]


def retired_in(text: str, root: Path = ROOT) -> list[str]:
    """The retired ids that a text names, whole or without their publisher."""
    names = {bare: name for name in retired(root) for bare in (name, *_bare(name))}
    small = text.lower()
    if not any(name.lower() in small for name in names):
        return []  # as nearly always, and quickly found
    pattern = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    found = re.findall(rf"(?i)(?<![\w./-])(?:{pattern}){ENDS}", text)
    whole = {bare.lower(): name for bare, name in names.items()}
    return sorted({whole[bare.lower()] for bare in found})


def _bare(name: str) -> list[str]:
    """The part of an id behind its publisher, where it is no word of every day."""
    part = name.rpartition("/")[2]
    return [part] if re.search(r"\d", part) else []


def current_in(text: str, root: Path = ROOT) -> list[str]:
    """The ids of models that are there, as a text names them."""
    names = "|".join(re.escape(entry["id"]) for entry in known(root)["models"])
    return sorted(set(re.findall(rf"(?:{names}){ENDS}", text)))


def built_in(root: Path = ROOT) -> str:
    """The text of scripts/catalog/known_models.py."""
    listed = known(root)
    lines = []
    for task in TASKS:
        names = [m["id"] for m in listed["models"] if task in m["tasks"]]
        inner = "".join(f"        {json.dumps(name)},\n" for name in names)
        value = f"[\n{inner}    ]" if names else "[]"
        short = f"[{', '.join(map(json.dumps, names))}]"
        fits = len(f"    {json.dumps(task)}: {short},") <= 88 and len(names) < 2
        lines.append(f"    {json.dumps(task)}: {short if fits else value},\n")
    judges = [f"    {json.dumps(m['id'])},\n" for m in listed["models"] if "judge" in m]
    shares = [
        f"    {json.dumps(m['id'])}: {m['batch']},\n"
        for m in listed["models"]
        if "batch" in m
    ]
    return (
        '"""What models there were on a day, best first, for a form and for steps when '
        "the\ncatalogue cannot be read.\n\n"
        f'Rendered from {NAMED_HERE}; edit that, not this.\n"""\n\n'
        f'AS_OF = "{listed["as_of"].isoformat()}"\n'
        f"BUILT_IN = {{\n{''.join(lines)}}}\n"
        f"# Those that evaluations let judge.\nJUDGES = [\n{''.join(judges)}]\n"
        "# The share of its price that a request in a batch costs; of others, all.\n"
        f"BATCH_SHARE = {{\n{''.join(shares)}}}\n"
    )


# --- the sandbox's catalogue ---------------------------------------------------------

_TYPES = {
    "image": "image",
    "speech": "audio",
    "transcription": "transcribe",
    "video": "video",
}
_WORDS = {
    "chat": ("capabilities", "CAPABILITY_CHAT"),
    "embedding": ("capabilities", "CAPABILITY_EMBEDDING"),
    "image": ("capabilities", "CAPABILITY_IMAGE_GENERATION"),
    "video": ("capabilities", "CAPABILITY_VIDEO_GENERATION"),
    "tools": ("features", "FEATURE_TOOL_CALLING"),
    "structured": ("features", "FEATURE_STRUCTURED_OUTPUT"),
    "vision": ("inputModalities", "MODALITY_IMAGE"),
    "transcription": ("inputModalities", "MODALITY_AUDIO"),
    "speech": ("outputModalities", "MODALITY_AUDIO"),
    "fine_tuning": ("products", "PRODUCT_FINE_TUNING"),
}


def kind_of(entry: dict) -> str:
    """The type that /v1/models gives an entry of the list."""
    return next((_TYPES[task] for task in entry["tasks"] if task in _TYPES), "chat")


def listed(root: Path = ROOT) -> list[dict]:
    """What the sandbox answers to GET /v1/models: retired ids are in it, too."""
    found = []
    for entry in known(root)["models"]:
        pricing = {"hourly": 0, "input": 0, "output": 0, "base": 0, "finetune": 0}
        shown = {
            "id": entry["id"],
            "object": "model",
            "created": _seconds(entry),
            "type": kind_of(entry),
            "display_name": entry["name"],
            "organization": entry["publisher"],
            "pricing": pricing | entry["price"],
        }
        if "context" in entry:
            shown["context_length"] = entry["context"]
        found.append(shown)
    gone = {"object": "model", "created": 1700000000, "type": "chat"}
    return found + [{"id": name, **gone} for name in retired(root)]


def supported(root: Path = ROOT) -> list[dict]:
    """What the sandbox answers to GET /v2/supported-models, retired ones deprecated."""
    status = "SUPPORTED_MODEL_STATUS_"
    found = []
    for number, entry in enumerate(known(root)["models"]):
        shown = {
            "id": f"ml_{number:012d}",
            "name": entry["id"],
            "displayName": entry["name"],
            "displayType": kind_of(entry),
            "publisher": entry["publisher"],
            "status": status + _standing(entry),
            "capabilities": [],
            "features": [],
            "inputModalities": ["MODALITY_TEXT"],
            "outputModalities": ["MODALITY_TEXT"],
            "products": ["PRODUCT_SERVERLESS"],
            "contextLength": str(entry.get("context", 0)),
            "pricing": entry["price"],
            "serverlessEndpoint": entry["id"],
            "createdAt": f"{entry['created'].isoformat()}T00:00:00Z",
        }
        for task in entry["tasks"]:
            place, word = _WORDS[task]
            shown[place] = [*shown[place], word]
        found.append(shown)
    tasks = {entry["id"]: entry["tasks"] for entry in known(root)["models"]}
    for number, (name, other) in enumerate(retired(root).items()):
        shown = {
            "id": f"ml_retired{number:05d}",
            "name": name,
            "displayName": name.rsplit("/", 1)[-1],
            "status": f"{status}DEPRECATED",
            "capabilities": [],
            "products": [],
        }
        # What nothing took the place of are embedding models.
        for task in tasks.get(other, ["embedding"]):
            place, word = _WORDS[task]
            shown[place] = [*shown.get(place, ()), word]
        found.append(shown)
    return found


def supported_page(arguments: dict, root: Path = ROOT) -> dict:
    """The page of GET /v2/supported-models that the query's words ask for."""
    from tools.operations import find  # which reads its schemas through this module

    product, words = arguments.get("product"), arguments.get("search", "").lower()
    canned = find("models/list_supported_models", root).schema["x-reply"]["data"]
    more = {entry["name"]: entry for entry in canned}
    found = []
    for entry in supported(root):
        about = more.get(entry["name"], {})
        entry = {**about, **entry, "products": [*entry["products"]]}
        for word in about.get("products", ()):
            if word not in entry["products"]:
                entry["products"].append(word)
        entry["id"] = about.get("id", entry["id"])
        fits = product is None or product in entry["products"]
        if fits and words in f"{entry['id']} {entry['name']}".lower():
            found.append(entry)
    after, limit = arguments.get("after"), arguments.get("limit") or len(found)
    start = next((n + 1 for n, e in enumerate(found) if e["id"] == after), 0)
    page = found[start : start + max(1, limit)]
    whole = start + len(page) >= len(found)
    return {"data": page, "next_cursor": None if whole else page[-1]["id"]}


def _standing(entry: dict) -> str:
    return "RECOMMENDED" if entry.get("recommended") else "SUPPORTED"


def _seconds(entry: dict) -> int:
    return int(datetime.combine(entry["created"], time(), UTC).timestamp())


# --- against the catalogue of the day ------------------------------------------------


def listing(answer: object) -> list[dict]:
    """The entries of a catalogue's answer. Raises ValueError for anything else."""
    try:
        return entries(answer)
    except TogetherError as error:
        raise ValueError(str(error)) from None


def differences(answer: object, root: Path = ROOT) -> Iterator[str]:
    """Where _models.yaml and a catalogue disagree, a line each.

    Raises ValueError when the answer is no list of models.
    """
    found = [m for m in map(normalised, listing(answer)) if m is not None]
    theirs = {name: m for m in found for name in (m["id"], *m["aliases"])}
    for entry in known(root)["models"]:
        there = theirs.get(entry["id"])
        if there is None:
            yield f"gone        {entry['id']}: the catalogue has it no more"
        elif there["status"] in ("deprecated", "hidden"):
            yield f"{there['status']:<11} {entry['id']}"
        elif there["serverless"] is False:
            yield f"dedicated   {entry['id']}: it is not served by the token any more"
    for name in retired(root):
        there = theirs.get(name)
        served = there and there["serverless"]
        if served and there["status"] in ("supported", "recommended"):
            yield f"back        {name}: retired here, served there"
