"""Where the workspace names models that the catalogue deprecates or lists no more.

find_retired_models   all that there are
used_retired_models   the same for a trigger, see trigger_steps.py
"""

from __future__ import annotations

import os
import re
import time
from bisect import bisect
from concurrent.futures import ThreadPoolExecutor

from ..catalog.catalog import LISTED, SUPPORTED, entries, fitting, normalised
from ..client import TogetherError, call, prepare
from ..client.job import in_job, log
from ..workspace.api import ask_windmill, list_windmill, not_in_job, quoted_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..shapes import Auth, Json, Members, Step

# What is looked through: how it is listed and read, the members that may name a model.
KINDS = {
    "script": ("scripts/list", "scripts/get/p/", ("content",)),
    "flow": ("flows/list", "flows/get/", ("value", "schema")),
    "schedule": ("schedules/list", "schedules/get/", ("args",)),
    "resource": ("resources/list", "resources/get_value/", None),
}
# Resources that hold what jobs remember, not what somebody set.
REMEMBERED = ("state", "cache")
MOST_ENTRIES = 50_000  # of one kind that are listed
AT_ONCE = 8
MOST_ROWS = 10_000
MOST_CHARACTERS = 2_000_000  # characters of one text that are looked through
HIDDEN = (401, 403, 404)  # may not be read, or went meanwhile
NAME = r"[\w.-]{1,100}/[\w.:-]{1,200}"
QUOTED = re.compile(rf"[\"']({NAME})[\"']")
# A name given for a model: model="a/b", "judge_model": "a/b", model: str = "a/b".
TYPE = r"(?::[\w |\[\].]{1,60})?"
GIVEN = re.compile(
    rf"model\w{{0,40}}[\"']?\s{{0,20}}{TYPE}[:=]\s{{0,20}}[\"']({NAME})[\"']",
    re.IGNORECASE,
)


def find_retired_models(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Look through scripts, flows, schedules and resources for models that are gone.

    {"rows": [{"kind", "path", "where", "id", "why": deprecated, not listed or asked
    for, "replacement": of the same task, or None}], "looked_at": {kind: how many},
    "unread": [{"kind", "path": None for all of a kind, "why"}], "note"}. The pack's own
    scripts and flows are left out. Raises TogetherError.
    """
    given = prepare(step, arguments)
    return used_retired_models(auth, given)


def used_retired_models(auth: Auth, given: Members) -> Members:
    """Return what find_retired_models does."""
    ends = time.monotonic() + given["seconds"]
    models = _Models(auth, given.get("models") or ())
    if not in_job():
        raise not_in_job("The workspace cannot be looked through")
    wanted = given.get("kinds") or list(KINDS)
    rows: list[Members] = []
    unread: list[Members] = []
    looked_at = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for kind in (name for name in KINDS if name in wanted):
            paths = _paths(kind, given.get("path_start") or "", unread)
            found = pool.map(
                lambda path, kind=kind: _look(kind, path, models, ends), paths
            )
            looked_at[kind] = 0
            for path, own in zip(paths, found, strict=True):
                if isinstance(own, str):
                    unread.append({"kind": kind, "path": path, "why": own})
                    continue
                looked_at[kind] += 1
                rows += own
    if len(rows) > MOST_ROWS:
        why = f"of {len(rows)} places, {MOST_ROWS} are shown"
        unread.append({"kind": "all", "path": None, "why": why})
    said = ", ".join(f"{count} {kind}s" for kind, count in looked_at.items())
    log(f"{said} looked at; {len(rows)} places name a model that is gone")
    if unread:
        log(f"{len(unread)} could not be read, see `unread`")
    return {
        "rows": rows[:MOST_ROWS],
        "looked_at": looked_at,
        "unread": unread,
        "note": "Windmill lists only what the user whom the job runs as may see.",
    }


class _Models:
    """What the catalogue says of models, and how their names are found in a text."""

    def __init__(self, auth: Auth, further: Json) -> None:
        pages = call(auth, SUPPORTED, limit=100, max_pages=50)
        now = [m for m in map(normalised, entries(pages)) if m]
        plain = [m for m in map(normalised, entries(call(auth, LISTED))) if m]
        if not now:
            raise TogetherError(
                "The catalogue is empty, so that nothing can be told from it.",
                type="invalid_answer",
                advice="Try again later, or check auth.base_url.",
            )
        served = [m for m in now if m["status"] not in ("deprecated", "hidden")]
        good = {name for m in served for name in _names(m)}
        self.listed = {name for m in [*now, *plain] for name in _names(m)}
        self.publishers = {n.partition("/")[0] for n in self.listed if "/" in n}
        self.gone = {
            name: m
            for m in now
            if m["status"] == "deprecated"
            for name in _names(m)
            if "/" in name and name not in good
        }
        # Of a notice, say, that the catalogue does not show yet.
        self.asked: dict[str, Members] = {name: {} for name in further}
        self.served = [m for m in served if self.asked.keys().isdisjoint(_names(m))]
        for m in served:
            self.asked |= {name: m for name in _names(m) if name in self.asked}
        names = sorted({*self.gone, *self.asked}, key=len, reverse=True)
        one_of = "|".join(map(re.escape, names))
        # A longer name that begins or ends with it is another model.
        whole = rf"(?<![\w./-])(?:{one_of})(?![\w/-]|\.\w)"
        self.pattern = re.compile(whole) if names else None

    def named(self, text: str, for_model: bool) -> Iterator[tuple[int, str]]:
        """Yield (place, id) of each model that is gone and that a text names; for_model
        where the whole text is given for one."""
        text = text[:MOST_CHARACTERS]
        for found in self.pattern.finditer(text) if self.pattern else ():
            yield found.start(), found[0]
        if for_model:
            whole = re.fullmatch(NAME, text)
            given = (
                [(0, text)]
                if whole
                else [(m.start(1), m[1]) for m in QUOTED.finditer(text)]
            )
        else:
            given = [(m.start(1), m[1]) for m in GIVEN.finditer(text)]
        for place, name in given:
            known = name in self.listed or name in self.asked
            if not known and name.partition("/")[0] in self.publishers:
                yield place, name

    def row(self, kind: str, path: str, where: str, name: str) -> Members:
        why = "asked for"
        if name in self.gone:
            why = "deprecated"
        elif name not in self.asked:
            why = "not listed"
        row = {"kind": kind, "path": path, "where": where, "id": name, "why": why}
        return {**row, "replacement": self.replacement(name)}

    def replacement(self, name: str) -> str | None:
        """Return the model to take in place of one: the best of those that do most of
        what it did; where that is not known, its publisher's newest; None where there
        is none."""
        gone = self.gone.get(name) or self.asked.get(name, {})
        tasks = {*(gone.get("tasks") or gone.get("maybe") or ())} - {"fine_tuning"}
        if tasks:
            fits = [m for task in sorted(tasks) for m in fitting(self.served, task)]
            # The first of equals, so that a task's best stays before the others.
            fits.sort(key=lambda m: -len(tasks & {*m["tasks"], *m["maybe"]}))
        else:
            own = name.partition("/")[0]
            fits = [m for m in self.served if m["id"].partition("/")[0] == own]
            fits.sort(key=lambda m: -(m["created"] or 0))
        return str(fits[0]["id"]) if fits else None


def _names(model: Members) -> list[str]:
    """Return all by which a model of the catalogue may be called."""
    return [model["id"], *model["aliases"]]


def _paths(kind: str, start: str, unread: list[Members]) -> list[str]:
    """Return the paths of all of a kind below a path that the job may see, without what
    the pack itself brought."""
    listing, _, _ = KINDS[kind]
    own = _own_folder() if kind in ("script", "flow") else None
    query = {"path_start": start} if start else {}
    if kind == "script":
        query["include_without_main"] = "true"
    what = f"The {kind}s cannot be listed"
    try:
        listed = list_windmill(listing, what, query, MOST_ENTRIES)
    except TogetherError as error:
        if error.status not in HIDDEN:
            raise
        unread.append({"kind": kind, "path": None, "why": str(error)})
        return []
    if len(listed) >= MOST_ENTRIES:
        why = f"there may be more than {MOST_ENTRIES}"
        unread.append({"kind": kind, "path": None, "why": why})
    return sorted(
        path
        for path, one in listed.items()
        if path.startswith(start)
        and not (own and path.startswith(own))
        and not (kind == "resource" and one.get("resource_type") in REMEMBERED)
    )


def _own_folder() -> str | None:
    """Return the folder that this pack stands in, with a slash; None where the job's
    path does not tell it."""
    parts = (os.environ.get("WM_JOB_PATH") or "").split("/")
    return "/".join(parts[:2]) + "/" if len(parts) > 3 else None


def _look(kind: str, path: str, models: _Models, ends: float) -> list[Members] | str:
    """Return the rows of one thing, or why it could not be read."""
    if time.monotonic() > ends:
        return LATE
    _, reading, members = KINDS[kind]
    what = f"The {kind} {path} cannot be read"
    try:
        read = ask_windmill("GET", f"{reading}{quoted_path(path)}", what)
    except TogetherError as error:
        if error.status not in HIDDEN:
            raise
        return str(error)
    if members is None:
        parts = {"value": read}
    else:
        read = read if isinstance(read, dict) else {}
        parts = {name: read.get(name) for name in members}
    rows = {}
    for where, text, for_model in _texts(parts):
        found = [*models.named(text, for_model)]
        lines = _lines_at(text, [place for place, _ in found]) if found else []
        for line, (_, name) in zip(lines, found, strict=True):
            spot = f"{where} line {line}" if line else where
            rows[spot, name] = models.row(kind, path, spot, name)
    return list(rows.values())


LATE = "the step's time was over"


def _lines_at(text: str, places: list[int]) -> list[int]:
    """Return the line of each place in a text, 0 for all of a text of one line."""
    ends = [end.start() for end in re.finditer("\n", text)]
    return [bisect(ends, place) + 1 if ends else 0 for place in places]


def _texts(value: Json) -> Iterator[tuple[str, str, bool]]:
    """Yield (where, text, whether a model is given there) of each text in JSON."""
    left: list[tuple[str, Json, bool, bool]] = [("", value, False, False)]
    while left:
        where, one, here, above = left.pop()
        if isinstance(one, str):
            yield where, one, here or above
        elif isinstance(one, dict):
            for key, inner in reversed(one.items()):
                # An input of a flow's step holds its value one level down.
                named = "model" in key.lower()
                left.append((f"{where}.{key}" if where else key, inner, named, here))
        elif isinstance(one, list):
            for number in range(len(one) - 1, -1, -1):
                left.append((f"{where}[{number}]", one[number], here, above))
