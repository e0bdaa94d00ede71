"""Steps about the account behind an API key."""

from __future__ import annotations

import datetime
import json
import os
import re
import time
from decimal import Decimal

from . import charts
from .client import TogetherError, call, prepare
from .client.asked_for import listed
from .client.job import in_job
from .client.jsonio import finite, moment_of
from .operations import operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .shapes import Auth, Json, Members, Step


PACK = "1.0.0"  # the pack's version; ./dev fix writes here what pyproject.toml says
OWN = "organization/check_connection"
# How what the build writes says of which version it is.
MARK = re.compile(r"^(?:# )?together-ai-for-windmill (\S{1,40}) ([\w/]+)$", re.M | re.A)
PATIENCE = 20.0  # seconds for reading what the folder holds
IDENTITY = operation("organization/get_identity")
USAGE = operation("organization/list_billing_usage")
MOST_MONTHS = 24
# What is asked to find out what a key may do: lists that cost nothing to read.
AREAS = {
    "models": operation("models/list_models"),
    "files": operation("files/list_files"),
    "batches": operation("batches/list_batches"),
    "fine_tuning": operation("fine_tuning/list_fine_tunes"),
    "evaluations": operation("evaluations/list_evaluations"),
}


def check_connection(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return whose key it is and which areas of the API it may read.

    {"ok", "key_type", "organization": {"id", "name"}, "project": {...}, "may": [...],
    "may_not": {area: reason}, "pack": {"version", "older": [{"path", "version"}],
    "note"?}}: `older` are the scripts and flows of other versions that lie beside this
    one, None where that cannot be told. Where the key is refused or the service cannot
    be reached, {"ok": False, "why", "advice", "pack", "wm_failure": why}: by the last
    member Windmill counts the job as failed (since 1.699) and keeps its result. Raises
    TogetherError for a resource that holds no usable key or address, and where what
    answers is not the API.
    """
    prepare(step, arguments)
    try:
        identity = call(auth, IDENTITY)
    except TogetherError as error:
        if error.tries is None:
            raise  # nothing was sent: there is nothing to say of the connection
        why = str(error)
        told = {
            "why": why,
            "advice": error.advice,
            "pack": {"version": PACK, **_others()},
        }
        return {"ok": False, **told, "wm_failure": why}
    if not isinstance(identity, dict):
        raise TogetherError(
            "What answers does not say whose key this is.",
            type="invalid_answer",
            partial=identity,
            advice="Check auth.base_url: what answers there may not be the API.",
        )
    may, may_not = [], {}
    for area, table in AREAS.items():
        try:
            call(auth, table)
        except TogetherError as error:
            if error.status not in (401, 403, 404):
                raise
            may_not[area] = str(error)
        else:
            may.append(area)
    return {
        "ok": not may_not,
        "key_type": identity.get("type"),
        "organization": identity.get("organization"),
        "project": identity.get("project"),
        "may": may,
        "may_not": may_not,
        "pack": {"version": PACK, **_others()},
    }


def _others() -> Members:
    """Return what of the pack in this job's folder is of another version.

    Windmill, which is asked for it, may refuse or be slow: that is no fault of the key.
    """
    place = os.environ.get("WM_JOB_PATH") or ""
    folder = place.removesuffix(f"/{OWN}")
    if not in_job() or folder == place:
        note = "What else the folder holds is told where the step is deployed."
        return {"older": None, "note": note}
    from .workspace.runnables import list_runnables, read_runnable  # only within a job

    started = time.monotonic()
    older: list[Members] = []
    try:
        for kind in ("script", "flow"):
            for path in list_runnables(kind, f"{folder}/"):
                if time.monotonic() - started > PATIENCE:
                    note = "Windmill is slow: not all of the folder was read."
                    return {"older": older, "note": note}
                content = read_runnable(kind, path)
                version = _version(kind, path.removeprefix(f"{folder}/"), content)
                if version not in (None, PACK):
                    older.append({"path": path, "version": version})
    except TogetherError as error:
        return {"older": None, "note": str(error)}
    if older:
        note = "./dev deploy --prune removes what this version no longer has."
        return {"older": older, "note": note}
    return {"older": []}


def _version(kind: str, name: str, content: Json) -> str | None:
    """Return the version of the pack that a script or flow says it is of, or None: it
    is not of the pack, or a copy under another name."""
    if kind == "flow":
        schema = (content or {}).get("schema")
        content = schema.get("x-pack") if isinstance(schema, dict) else None
    if not isinstance(content, str):
        return None
    for version, own in MARK.findall(content):
        if own == name:
            return version
    line = rf"^Rendered\s+from\s+schemas/{re.escape(name)}\.json;"
    return "before 1.0.0" if re.search(line, content, re.M) else None


def report_usage(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return what the organization spent from one day to another, with a chart.

    {"total_usd", "days": [{"date", "cost_usd"}], "products": [{"product", "cost_usd",
    "share"}], "since", "until", "unreadable"}, dearest product first; unreadable counts
    the entries whose cost is no number, or whose day is not told. Money as the service
    gives it, in USD. Raises TogetherError.
    """
    given = prepare(step, arguments)
    today = datetime.datetime.now(datetime.UTC).date()
    last = _day("until", given.get("until"))
    until = last or today
    since = _day("since", given.get("since")) or usual_since(last, today)
    if since > until:
        raise TogetherError.refused("since", f"must not be after until ({until})")
    days, products, unreadable = spending(auth, since, until)
    total = sum(days.values(), Decimal(0))
    spent = [(date, float(days[date])) for date in sorted(days)]
    title = f"{total:.2f} USD from {since} to {until}"
    return {
        "wm_renderer": "svg",
        "svg": charts.bars(title, spent, "USD"),
        "since": since.isoformat(),
        "until": until.isoformat(),
        "total_usd": float(total),
        "days": [{"date": date, "cost_usd": cost} for date, cost in spent],
        "products": [
            {
                "product": name,
                "cost_usd": float(cost),
                "share": round(float(cost / total), 4) if total else None,
            }
            for name, cost in sorted(products.items(), key=lambda item: -item[1])
        ],
        "unreadable": unreadable,
    }


def usual_since(until: datetime.date | None, today: datetime.date) -> datetime.date:
    """Return the first of the month of the last day, where none is named, of yesterday:
    so a daily report shows the last day of each month, too, when it is over."""
    return (until or today - datetime.timedelta(days=1)).replace(day=1)


def spending(
    auth: Auth, since: datetime.date, until: datetime.date
) -> tuple[dict[str, Decimal], dict[str, Decimal], int]:
    """Return what was spent between two dates, both included, in USD as Decimals.

    (by day as text, by product, how many entries had no readable cost or day). Raises
    TogetherError.
    """
    months = _months(since, until)
    if len(months) > MOST_MONTHS:
        raise TogetherError.refused(
            "since", f"must be at most {MOST_MONTHS} months before until"
        )
    days: dict[str, Decimal] = {}
    products: dict[str, Decimal] = {}
    unreadable = 0
    for window in _windows(auth, months):
        day = _day_of(window.get("date")) or _day_of(window.get("start_time"))
        if day and not since <= day <= until:
            continue
        if "line_items" not in window:
            unreadable += 1
        for entry in _entries(window.get("line_items") or []):
            cost = finite(entry.get("cost"))
            if day is None or cost is None:
                unreadable += 1
                continue
            name = str(entry.get("product_name") or "unnamed")
            date, usd = day.isoformat(), Decimal(str(cost))
            days[date] = days.get(date, Decimal(0)) + usd
            products[name] = products.get(name, Decimal(0)) + usd
    return days, products, unreadable


def _windows(auth: Auth, months: list[str]) -> Iterator[Members]:
    """Yield the windows of time of these months, each once: a server may not mind which
    month it is asked for."""
    known: set[str] = set()
    for month in months:
        found = call(
            auth, USAGE, month=month, granularity="day", limit=1000, max_pages=100
        )
        times = set()
        for window in _entries(found):
            when = [window.get(n) for n in ("date", "start_time", "end_time")]
            if any(when):
                times.add(json.dumps(when))
            if json.dumps(when) not in known:
                yield window
        known |= times


def _entries(answer: Json) -> list[Members]:
    """Return the entries of a list, {} in place of one that is no object: what it says
    is not to be counted as nothing."""
    objects = listed(answer)
    entries = answer.get("data") if isinstance(answer, dict) else answer
    left_out = len(entries or ()) - len(objects)
    return [*objects, *({} for _ in range(left_out))]


def _day_of(value: Json) -> datetime.date | None:
    """Return the day, in UTC, of a moment."""
    moment = moment_of(value)
    if moment is None:
        return None
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).date()


def _day(field: str, text: str | None) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text[:10]) if text else None
    except ValueError:
        raise TogetherError.refused(field, "must be a day such as 2026-11-24") from None


def _months(since: datetime.date, until: datetime.date) -> list[str]:
    """Return the months from one day to another, as YYYY-MM."""
    first, last = since.year * 12 + since.month - 1, until.year * 12 + until.month - 1
    return [f"{n // 12:04}-{n % 12 + 1:02}" for n in range(first, last + 1)]
