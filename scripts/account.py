"""Steps about the account behind an API key, and any operation by its path."""

import datetime
from decimal import Decimal, InvalidOperation

from . import charts
from .client import TogetherError, call, download, operation, prepare

IDENTITY = operation("GET", "/v3/whoami", "read")
USAGE = operation(
    "GET",
    "/v1/billing/usage",
    "read",
    query=("month", "granularity", "limit"),
    pages="cursor",
)
MOST_MONTHS = 24
# What is asked to find out what a key may do: lists that cost nothing to read.
AREAS = {
    "models": operation("GET", "/v1/models", "read"),
    "files": operation("GET", "/v1/files", "read"),
    "batches": operation("GET", "/v1/batches", "read"),
    "fine_tuning": operation("GET", "/v1/fine-tunes", "read"),
    "evaluations": operation("GET", "/v1/evaluation", "read"),
}


def check_connection(auth, step, **arguments):
    """Return whose key it is and which areas of the API it may read.

    {"ok", "key_type", "organization": {"id", "name"}, "project": {...}, "may": [...],
    "may_not": {area: reason}}. Where the key is refused or the service cannot be
    reached, {"ok": False, "why", "advice", "wm_failure": why}: by the last member
    Windmill counts the job as failed (since 1.699) and keeps its result. Raises
    TogetherError for a resource that holds no usable key or address.
    """
    prepare(step, arguments)
    try:
        identity = call(auth, IDENTITY)
    except TogetherError as error:
        if not hasattr(error, "tries"):
            raise  # nothing was sent: there is nothing to say of the connection
        why = str(error)
        return {"ok": False, "why": why, "advice": error.advice, "wm_failure": why}
    may, may_not = [], {}
    for area, table in AREAS.items():
        try:
            call(auth, table)
        except TogetherError as error:
            if getattr(error, "status", None) not in (401, 403, 404):
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
    }


def report_usage(auth, step, **arguments):
    """Return what the organization spent from one day to another, with a chart.

    {"total_usd", "days": [{"date", "cost_usd"}], "products": [{"product", "cost_usd",
    "share"}], "since", "until", "unreadable"}, dearest product first; unreadable counts
    the entries whose cost is no number. Money as the service gives it, in USD. Raises
    TogetherError.
    """
    given = prepare(step, arguments)
    today = datetime.datetime.now(datetime.UTC).date()
    until = _day("until", given.get("until")) or today
    since = _day("since", given.get("since")) or until.replace(day=1)
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


def spending(auth, since, until):
    """Return what was spent between two dates, both included, in USD as Decimals.

    (by day as text, by product, how many entries had no readable cost). Raises
    TogetherError.
    """
    months = _months(since, until)
    if len(months) > MOST_MONTHS:
        raise TogetherError.refused(
            "since", f"must be at most {MOST_MONTHS} months before until"
        )
    days, products, unreadable = {}, {}, 0
    for month in months:
        found = call(
            auth, USAGE, month=month, granularity="day", limit=1000, max_pages=100
        )
        for window in found.get("data") or ():
            date = str(window.get("date") or window.get("start_time") or "")[:10]
            if not since.isoformat() <= date <= until.isoformat():
                continue
            for entry in window.get("line_items") or ():
                try:
                    cost = Decimal(entry.get("cost"))
                except (InvalidOperation, TypeError, ValueError):
                    unreadable += 1
                    continue
                name = entry.get("product_name") or "unnamed"
                days[date] = days.get(date, 0) + cost
                products[name] = products.get(name, 0) + cost
    return days, products, unreadable


def call_operation(auth, step, **arguments):
    """Return the answer of any operation, for those that are newer than the pack.

    JSON as it comes, or a file where `answer` says so. Only a GET is sent again after a
    failure that may have carried it out. Raises TogetherError.
    """
    given = prepare(step, arguments)
    method = given["method"]
    query = given.get("query", {})
    retry = "read" if method == "GET" else "mutates"
    table = operation(method, given["path"], retry, query=tuple(query))
    words = dict(query)
    if "payload" in given and method == "GET":
        raise TogetherError.refused("payload", "goes with another method than GET")
    if "payload" in given:
        words["body"] = given["payload"]
    if given["answer"] == "file":
        return download(auth, {**table, "reply": "binary", "accept": "*/*"}, **words)
    return call(auth, table, **words)


def _day(field, text):
    try:
        return datetime.date.fromisoformat(text[:10]) if text else None
    except ValueError:
        raise TogetherError.refused(field, "must be a day such as 2026-11-24") from None


def _months(since, until):
    """Return the months from one day to another, as YYYY-MM."""
    first, last = since.year * 12 + since.month - 1, until.year * 12 + until.month - 1
    return [f"{n // 12:04}-{n % 12 + 1:02}" for n in range(first, last + 1)]
