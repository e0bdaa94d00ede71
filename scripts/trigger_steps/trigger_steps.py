"""Trigger scripts: what is new at Together since the last run, for a schedule to ask.

Each returns a list, empty when nothing is new; the first run records the current state
(workspace/watermark.py).
"""

from __future__ import annotations

import datetime
import time

from ..catalog.catalog import entries, normalised
from ..client import TogetherError, call, prepare
from ..client.asked_for import listed
from ..client.endings import plain_state
from ..client.job import log
from ..client.jsonio import finite, moment_of
from ..client.references import harmless
from ..job_states import states
from ..operations import operation
from ..workspace.watermark import new_since
from .retired_model_steps import LATE, used_retired_models

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..shapes import Auth, Json, Members, Step


BATCHES = operation("batches/list_batches")
FINE_TUNES = operation("fine_tuning/list_fine_tunes")
EVALUATIONS = operation("evaluations/list_evaluations")
MODELS = operation("models/list_supported_models")
ENDPOINTS = operation("endpoints/list_endpoints")
PROJECT_ENDPOINTS = operation("endpoints/list_project_endpoints")
ANALYTICS = operation("endpoints/get_project_endpoint_analytics")
MANY = 100  # entries of a page
MOST_PERIODS = 31  # of spending, that ended since the last run
EVALUATIONS_SEEN = 200  # the newest, which is all that a list without pages can show


def batch_finished(auth: Auth, step: Step, **arguments: Json) -> list[Members]:
    """Return the batches that ended since the last run, oldest first.

    [{"batch_id", "state", "input_file_id", "output_file_id", "error_file_id", "error",
    "model"}]. Raises TogetherError.
    """
    given = prepare(step, arguments)
    ended = states("batch")
    wanted = given.get("states") or ended
    known = states("batch", "every")
    jobs = {
        job["id"]: {**job, "status": plain_state(job.get("status"), known)}
        for job in listed(call(auth, BATCHES), "id")
    }
    jobs = {name: job for name, job in jobs.items() if job["status"] in ended}
    jobs, _ = harmless(jobs)

    def news(before: Json) -> list[Members]:
        fresh = [job for name, job in jobs.items() if name not in before]
        fresh.sort(key=lambda job: str(job.get("completed_at") or ""))
        return [
            {
                "batch_id": job["id"],
                "state": job["status"],
                "model": job.get("model_id"),
                "input_file_id": job.get("input_file_id"),
                "output_file_id": job.get("output_file_id"),
                "error_file_id": job.get("error_file_id"),
                "error": job.get("error"),
            }
            for job in fresh
            if job["status"] in wanted
        ]

    return new_since(news, sorted(jobs), "batch_id", keeps=True)


def fine_tune_changed(auth: Auth, step: Step, **arguments: Json) -> list[Members]:
    """Return the fine-tuning jobs whose state changed, or that are new.

    [{"fine_tune_id", "state", "previous": state or None, "model", "model_output_name",
    "suffix"}]. Raises TogetherError.
    """
    given = prepare(step, arguments)
    ended = states("fine_tune")
    known = states("fine_tune", "every")
    jobs = {job["id"]: job for job in listed(call(auth, FINE_TUNES), "id")}

    def shown(job: Members) -> Members:
        return {
            "fine_tune_id": job["id"],
            "state": plain_state(job.get("status"), known),
            "model": job.get("model"),
            "model_output_name": job.get("model_output_name"),
            "suffix": job.get("suffix"),
        }

    found = {name: shown(job) for name, job in jobs.items()}
    return _state_changes(
        found, ended if given.get("only_ended") else None, "fine_tune_id"
    )


def evaluation_changed(auth: Auth, step: Step, **arguments: Json) -> list[Members]:
    """Return the evaluations whose state changed, or that are new.

    [{"evaluation_id", "type", "state", "previous": state or None, "results"}]. Raises
    TogetherError.
    """
    given = prepare(step, arguments)
    ended = states("evaluation")
    known = states("evaluation", "every")
    found = {}
    jobs = listed(call(auth, EVALUATIONS, limit=EVALUATIONS_SEEN), "workflow_id")
    for job in jobs:
        found[job["workflow_id"]] = {
            "evaluation_id": job["workflow_id"],
            "type": job.get("type"),
            "state": plain_state(job.get("status"), known),
            "results": job.get("results"),
        }
    return _state_changes(
        found, ended if given.get("only_ended") else None, "evaluation_id"
    )


def model_changed(auth: Auth, step: Step, **arguments: Json) -> list[Members]:
    """Return the models that came, went, or were deprecated.

    [{"model", "change": added, removed or deprecated, "name", "tasks", "prices"}].
    Raises TogetherError.
    """
    given = prepare(step, arguments)
    answer = call(auth, MODELS, limit=MANY, max_pages=100)
    models = filter(None, map(normalised, entries(answer)))
    found, _ = harmless({model["id"]: model for model in models})
    if not found:
        raise TogetherError(
            "The catalogue is empty: that is no news, but a fault.",
            type="invalid_answer",
        )
    now = {name: model["status"] == "deprecated" for name, model in found.items()}

    def news(before: Json) -> list[Members]:
        changes = [(name, "added") for name in now if name not in before]
        changes += [
            (name, "deprecated")
            for name, deprecated in now.items()
            if deprecated and before.get(name) is False
        ]
        changes += [(name, "removed") for name in before if name not in now]
        return [
            {
                "model": name,
                "change": change,
                "name": found.get(name, {}).get("name"),
                "tasks": sorted(found.get(name, {}).get("tasks") or ()),
                "prices": found.get(name, {}).get("prices"),
            }
            for name, change in changes
            if change in given.get("changes", ("added", "removed", "deprecated"))
        ]

    return new_since(news, now, "model")


def retired_model_used(auth: Auth, step: Step, **arguments: Json) -> list[Members]:
    """Return where the workspace names a model that is gone, each place once; see
    find_retired_models. Raises TogetherError, also where something could not be read
    that may be read the next time.
    """
    given = prepare(step, arguments)
    found = used_retired_models(auth, given)
    if any(one["why"] == LATE for one in found["unread"]):
        raise TogetherError(
            f"Not all of the workspace was looked through within {given['seconds']} s.",
            type="deadline",
            advice="Raise `seconds`, or name a path to look below.",
        )
    rows = {
        "|".join((r["kind"], r["path"], r["where"], r["id"])): r for r in found["rows"]
    }
    rows, _ = harmless({key: {"key": key, **row} for key, row in rows.items()})

    def news(before: Json) -> list[Members]:
        return [row for key, row in rows.items() if key not in before]

    return new_since(news, sorted(rows), "key", first=[], eager=True)


def spend_over_limit(auth: Auth, step: Step, **arguments: Json) -> list[Members]:
    """Return the periods in which more than the limit was spent, each once.

    [{"period": "2026-11" or "2026-11-24", "total_usd", "limit_usd", "products"}], the
    dearest product first. Those that have ended since the last run are looked at once
    more, the latest MOST_PERIODS of them: what was spent after that run counts too.
    Raises TogetherError.
    """
    given = prepare(step, arguments)
    today = datetime.datetime.now(datetime.UTC).date()
    daily, limit = given["period"] == "day", given["limit_usd"]
    name = _period(today, daily)
    spent = _spent(auth, name, today if daily else today.replace(day=1), today)
    over = spent["total_usd"] > limit
    watermark = {"period": name, "limit_usd": limit, "over": over}

    def news(before: Json) -> list[Members]:
        marked, was_over = before.get("period"), before.get("over")
        found = [
            _spent(auth, *period)
            for period in _ended_since(marked, today, daily)
            if not (was_over and period[0] == marked)
        ]
        found = [one for one in found if one["total_usd"] > limit]
        # A limit that was raised since is another one.
        known = was_over and marked == name and before.get("limit_usd") == limit
        found += [spent] if over and not known else []
        return [{**one, "limit_usd": limit} for one in found]

    # Before the first run nothing was over the limit: the second run says so.
    return new_since(news, watermark, "period", first={"period": name, "over": False})


def _spent(
    auth: Auth, period: str, since: datetime.date, until: datetime.date
) -> Members:
    """Return {"period", "total_usd", "products"} of the days from since to until."""
    from ..account_steps import spending  # the other triggers need none of it

    days, products, unread = spending(auth, since, until)
    if unread:
        log(f"{unread} costs are no numbers: more was spent than is counted")
    dearest = sorted(products.items(), key=lambda item: -item[1])
    return {
        "period": period,
        "total_usd": float(sum(days.values())),
        "products": [
            {"product": product, "cost_usd": float(cost)} for product, cost in dearest
        ],
    }


def _period(day: datetime.date, daily: bool) -> str:
    """Return the name of a day, or of the month that it is in."""
    return day.isoformat() if daily else day.isoformat()[: len("2026-11")]


def _ended_since(
    marked: Json, today: datetime.date, daily: bool
) -> list[tuple[str, datetime.date, datetime.date]]:
    """Return (name, first day, last day) of each period from the marked one to the one
    before today's, the latest MOST_PERIODS of them. None where what is marked is no
    such period."""
    periods: list[tuple[str, datetime.date, datetime.date]] = []
    if not isinstance(marked, str) or len(marked) != len(_period(today, daily)):
        return periods
    first = today if daily else today.replace(day=1)
    while len(periods) < MOST_PERIODS:
        last = first - datetime.timedelta(days=1)
        first = last if daily else last.replace(day=1)
        name = _period(last, daily)
        if name < marked:
            break
        periods.append((name, first, last))
    return periods[::-1]


def metric_over_limit(auth: Auth, step: Step, **arguments: Json) -> list[Members]:
    """Return the numbers that have gone beyond a limit; see read_metrics.

    [{"metric": name and labels in one text, "name", "labels", "value", "limit"}]; one
    that was back in between is told again. Raises TogetherError.
    """
    from ..metrics.metric_steps import (
        metrics_over,
    )  # the other triggers need none of it

    given = prepare(step, arguments)
    found = {}
    for row in metrics_over(auth, given):
        labels = ",".join(f"{n}={row['labels'][n]!r}" for n in sorted(row["labels"]))
        metric = f"{row['name']}{{{labels}}}"
        kept = {name: row[name] for name in ("name", "labels", "value")}
        found[metric] = {"metric": metric, **kept, "limit": given["limit"]}
    found, _ = harmless(found)
    beyond = f"{given['direction']} {given['limit']:g}"

    def news(before: Json) -> list[Members]:
        # What is beyond another limit than before is news.
        known = before.get("metrics") if before.get("beyond") == beyond else None
        return [told for metric, told in found.items() if metric not in (known or ())]

    watermark = {"beyond": beyond, "metrics": sorted(found)}
    return new_since(news, watermark, "metric")


def endpoint_idle(auth: Auth, step: Step, **arguments: Json) -> list[Members]:
    """Return the endpoints that have become idle; see list_idle_endpoints."""
    given = prepare(step, arguments)
    idle = {found["job_id"]: found for found in idle_endpoints(auth, given)}
    idle, _ = harmless(idle)

    def news(before: Json) -> list[Members]:
        return [found for name, found in idle.items() if name not in before]

    return new_since(news, sorted(idle), "job_id")


def list_idle_endpoints(auth: Auth, step: Step, **arguments: Json) -> list[Members]:
    """Return all endpoints that run without being used, whether told before or not.

    [{"kind": deployment or endpoint, "job_id": for waits/cancel_job, "name", "model",
    "idle_minutes", "up_hours"}]. Raises TogetherError.
    """
    return idle_endpoints(auth, prepare(step, arguments))


def idle_endpoints(auth: Auth, given: Members) -> list[Members]:
    """Return the idle endpoints; given as list_idle_endpoints takes it.

    A deployment of /v2 is idle when its analytics count no request in the last
    `minutes`, and it is older than that. The API says nothing of the use of a /v1
    endpoint: one is idle only when it is older than `v1_after_hours`.
    """
    idle = _idle_deployments(auth, given)
    if "v1_after_hours" in given:
        idle += _old_endpoints(auth, given["v1_after_hours"])
    return idle


def _idle_deployments(auth: Auth, given: Members) -> list[Members]:
    now = datetime.datetime.now(datetime.UTC)
    idle = []
    ready = states("deployment", "good")
    answer = call(auth, PROJECT_ENDPOINTS, limit=MANY, max_pages=100)
    for endpoint in listed(answer, "id"):
        for deployment in listed(endpoint.get("deployments") or [], "id"):
            state = plain_state(deployment.get("state"), ready, "DEPLOYMENT_STATE_")
            if state not in ready:
                continue
            hours = _hours_since(deployment.get("createdAt"))
            if hours is None:
                log(f"how old {deployment['id']} is cannot be read: it is left out")
            if hours is None or hours * 60 < given["minutes"]:
                continue
            requests = _requests(auth, endpoint["id"], deployment["id"], given, now)
            if requests is None:
                log(f"whether {deployment['id']} is used is not told: it is left out")
            if requests != 0:
                continue
            idle.append(
                {
                    "kind": "deployment",
                    "job_id": f"{endpoint['id']}/{deployment['id']}",
                    "name": deployment.get("name") or endpoint.get("name"),
                    "model": deployment.get("model"),
                    "idle_minutes": given["minutes"],
                    "up_hours": hours,
                }
            )
    return idle


def _old_endpoints(auth: Auth, after_hours: float) -> list[Members]:
    """Return the endpoints of /v1 that have been up for so many hours."""
    old = []
    started = states("endpoint", "good")
    answer = call(auth, ENDPOINTS, type="dedicated", mine=True)
    for endpoint in listed(answer, "id"):
        state = plain_state(endpoint.get("state"), started)
        if state not in started or endpoint.get("type") != "dedicated":
            continue
        hours = _hours_since(endpoint.get("created_at"))
        if hours is None:
            log(f"how old {endpoint['id']} is cannot be read: it is left out")
        if hours is None or hours < after_hours:
            continue
        old.append(
            {
                "kind": "endpoint",
                "job_id": endpoint["id"],
                "name": endpoint.get("name"),
                "model": endpoint.get("model"),
                "idle_minutes": None,
                "up_hours": hours,
            }
        )
    return old


def _requests(
    auth: Auth, endpoint: str, deployment: str, given: Members, now: datetime.datetime
) -> float | None:
    """Return how many requests a deployment had, in all parts in which they are told;
    None where one of them is not."""
    since = now - datetime.timedelta(minutes=given["minutes"])
    found = call(
        auth,
        ANALYTICS,
        endpoint_id=endpoint,
        deploymentId=deployment,
        startTime=since.isoformat(timespec="seconds").replace("+00:00", "Z"),
        endTime=now.isoformat(timespec="seconds").replace("+00:00", "Z"),
    )
    parts = _member(found, "deploymentAnalytics")
    metrics = [
        _member(_member(part, "metrics"), "requestMetrics")
        for part in (parts if isinstance(parts, list) else ())
        if _member(part, "deploymentId") == deployment
    ]
    counts = [finite(_member(one, "totalRequests")) for one in metrics]
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None


def _member(value: Json, name: str) -> Json:
    """Return a member of an object, None where it has none or is no object."""
    return value.get(name) if isinstance(value, dict) else None


def _hours_since(told: Json) -> float | None:
    """Return the hours since a time as the API writes it, or None where it cannot be
    read: what is stopped by its age must not be stopped by a guess."""
    moment = moment_of(told)
    return None if moment is None else round((time.time() - moment) / 3600, 2)


def _state_changes(
    found: Members, wanted: Sequence[str] | None, key: str
) -> list[Members]:
    """Return those of the things by id whose state is another than marked. Of one whose
    state is not told, the one before stays known: it would be news when it is back."""
    found, _ = harmless(found)
    listed_ones = len(found)
    found = {name: entry for name, entry in found.items() if _is_text(entry["state"])}
    if silent := listed_ones - len(found):
        log(f"the state of {silent} of {listed_ones} is not told: they are left out")
    now = {name: entry["state"] for name, entry in found.items()}

    def news(before: Json) -> list[Members]:
        return [
            {**entry, "previous": before.get(name)}
            for name, entry in found.items()
            if before.get(name) != entry["state"]
            and (wanted is None or entry["state"] in wanted)
        ]

    return new_since(news, now, key, keeps=True)


def _is_text(value: Json) -> bool:
    return isinstance(value, str) and bool(value.strip())
