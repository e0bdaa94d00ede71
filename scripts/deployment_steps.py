"""Serving a model on hardware of one's own, through the v2 API.

    plan_deployment  what would run where, and what an hour of it costs
    deploy_model     the endpoint, the deployment behind it, and its share of requests

Names make it happen once: an endpoint and a deployment of these names that exist are
taken up again as they are, and started if they are stopped; where another configuration
is named, that is refused. waits/cancel_job stops a deployment.
"""

from __future__ import annotations

from .client import TogetherError, call, prepare
from .client.asked_for import about, listed, made_id
from .client.endings import plain_state
from .client.job import log
from .client.jsonio import finite
from .job_states import states
from .operations import operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .shapes import Auth, Json, Members, Step


IDENTITY = operation("organization/get_identity")
SUPPORTED = operation("models/list_supported_models")
CONFIGS = operation("models/list_model_configs")
INSTANCES = operation("hardware/list_inference_instance_types")
ENDPOINTS = operation("endpoints/list_project_endpoints")
ENDPOINT = operation("endpoints/get_project_endpoint")
CREATE_ENDPOINT = operation("endpoints/create_project_endpoint")
ROUTE = operation("endpoints/update_project_endpoint")
CREATE = operation("endpoints/create_endpoint_deployment")
DEPLOYMENT = operation("endpoints/get_endpoint_deployment")
SCALE = operation("endpoints/update_endpoint_deployment")
MANY = 100  # entries of a page
DOWN = states("deployment", "stopped")
KNOWN = states("deployment", "every")
OWN = ("ml_", "projects/")  # how the names of a project's own models begin


def plan_deployment(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return what deploy_model would use, without creating anything.

    {"model": resource name, "config", "gpu_type", "gpu_count", "quantization",
    "replicas", "usd_per_hour": of the least replicas, or None with "cost_note",
    "alternatives": other configurations, "running": whether it is up already, "state",
    "inactive_minutes"}; of a deployment that exists under the names given, what that
    has. Raises TogetherError when the model cannot be served.
    """
    given = prepare(step, arguments)
    project = _project(auth)
    offered = _configurations(auth, project, given["model"])
    there = None
    if given.get("endpoint_name"):
        endpoint = _found_endpoint(auth, project, given["endpoint_name"])
        there = _existing(auth, project, endpoint, given, offered)
    entry = there["entry"] if there else _configuration(offered, given)
    own = _last(entry["config"] or "")
    others = [one for one in offered if one["config"] and _last(one["config"]) != own]
    running = there is not None and there["state"] not in DOWN
    replicas = given["replicas"]
    if there and running:
        replicas = there["replicas"] or replicas  # it is taken as it runs
    price = _hourly(auth, entry)
    plan = {
        **entry,
        "usd_per_hour": None if price is None else round(price * replicas, 4),
        "alternatives": sorted(others, key=_gpus),
        "replicas": replicas,
        "running": running,
        "state": there["state"] if there else None,
        "inactive_minutes": there["inactive_minutes"] if there else None,
    }
    if price is None:
        plan["cost_note"] = "no price is listed for this hardware"
    return plan


def deploy_model(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Let a model be served under a name; return at once, while it still starts.

    {"endpoint_id", "deployment_id", "job_id": both, for waits, "model": what requests
    name, "state", "created", "reattached", "started": whether this call made it run,
    "config", "gpu_type", "gpu_count", "replicas", "inactive_minutes": what it has,
    "note"?: what was asked for and left as it is}. Raises TogetherError, with `job_id`,
    and with what is known as `partial`, where the deployment may run by then.
    """
    given = prepare(step, arguments)
    project = _project(auth)
    offered = _configurations(auth, project, given["model"])
    endpoint = _found_endpoint(auth, project, given["endpoint_name"])
    there = _existing(auth, project, endpoint, given, offered)
    entry = there["entry"] if there else _configuration(offered, given)
    # What is wrong was refused by now, with nothing made.
    endpoint = endpoint or _made_endpoint(auth, project, given["endpoint_name"])
    place = {"project_id": project, "endpoint_id": endpoint["id"]}
    if there is None:
        made = _create(auth, place, given, entry)
        shown = _result(endpoint, made, given, entry, created=True, started=True)
    elif there["state"] in DOWN:
        shown = _result(endpoint, there, given, entry, created=False, started=True)
        shown["state"] = _restart(auth, place, given, there, shown)
    else:
        shown = _result(endpoint, there, there, entry, created=False, started=False)
        shown |= _left_alone(given, there)
    try:
        _route(auth, place, endpoint, shown["deployment_id"])
    except TogetherError as error:
        raise _with_deployment(error, shown) from None
    return shown


def _create(auth: Auth, place: Members, given: Members, entry: Members) -> Members:
    body = {"name": given["deployment_name"], "autoscaling": _scale(given)}
    body |= {n: entry[n] for n in ("model", "config") if entry[n]}
    if given["inactive_minutes"]:
        body["inactiveTimeout"] = given["inactive_minutes"]
    try:
        made = call(auth, CREATE, body=body, **place)
        return {"id": made_id(made, CREATE), "state": _state(made)}
    except TogetherError as error:
        found = _made_unseen(auth, place, body["name"]) if error.ambiguous else None
        if found is None:
            raise
        return {"id": found["id"], "state": _state(found)}


def _made_unseen(auth: Auth, place: Members, name: str) -> Members | None:
    """Return the deployment of that name, which may have been made though the answer
    was lost; None where it is not there, or nothing can be seen."""
    try:
        endpoint = call(auth, ENDPOINT, **place)
        there = endpoint.get("deployments") if isinstance(endpoint, dict) else None
        return _entry_named(listed(there or [], "id"), name)
    except TogetherError:
        return None


def _restart(
    auth: Auth, place: Members, given: Members, there: Members, shown: Members
) -> Json:
    """Let a deployment that is stopped run again, as it was asked for; its state."""
    body = {"autoscaling": _scale(given)}
    if there["inactive_minutes"] != given["inactive_minutes"]:
        body["inactiveTimeout"] = given["inactive_minutes"]
    try:
        found = call(auth, SCALE, body=body, deployment_id=there["id"], **place)
    except TogetherError as error:
        raise _with_deployment(error, shown) from None
    return _state(found) or there["state"]


def _left_alone(given: Members, there: Members) -> Members:
    """Return {"note"} of a deployment that runs otherwise than it was asked for: others
    may be using it, so that nothing of it is changed."""
    has = [("replicas", "least replicas"), ("inactive_minutes", "idle minutes")]
    if "max_replicas" in given:
        has.append(("max_replicas", "most replicas"))
    other = [
        f"{words} {there[name]}, not {given[name]}"
        for name, words in has
        if there[name] not in (None, given[name])
    ]
    if not other:
        return {}
    note = (
        f"It runs already and was left as it is: {'; '.join(other)}. "
        "endpoints/update_endpoint_deployment changes that."
    )
    log(note)
    return {"note": note}


def _with_deployment(error: TogetherError, shown: Members) -> TogetherError:
    """Return an error that names the deployment, which is charged while it runs."""
    error.kind, error.job_id, error.partial = "deployment", shown["job_id"], shown
    error.advice = (
        f"The deployment {shown['job_id']} exists, and is charged while it runs: run "
        f"the step again, or stop it with waits/cancel_job. {error.advice or ''}"
    ).rstrip()
    return error


def _scale(given: Members) -> Members:
    most = max(given["replicas"], given.get("max_replicas", 0))
    return {"minReplicas": given["replicas"], "maxReplicas": most}


def _result(
    endpoint: Members,
    deployment: Members,
    scale: Members,
    entry: Members,
    created: bool,
    started: bool,
) -> Members:
    return {
        "endpoint_id": endpoint["id"],
        "deployment_id": deployment["id"],
        "job_id": f"{endpoint['id']}/{deployment['id']}",
        "model": endpoint["name"],
        "state": deployment["state"],
        "created": created,
        "reattached": not created,
        "started": started,
        "config": entry["config"],
        "gpu_type": entry["gpu_type"],
        "gpu_count": entry["gpu_count"],
        "replicas": scale["replicas"],
        "inactive_minutes": scale["inactive_minutes"],
    }


# --- a deployment that exists ------------------------------------------------------


def _existing(
    auth: Auth,
    project: str,
    endpoint: Members | None,
    given: Members,
    offered: list[Members],
) -> Members | None:
    """Return the deployment of the name given as it is, or None where there is none.

    {"id", "entry": its configuration, "state", "replicas", "max_replicas",
    "inactive_minutes"}; what is not told is None. Raises TogetherError where it serves
    another model, or by another configuration than the one named: what was approved,
    and what is charged, would be two things; and where its state is not told.
    """
    named = _entry_named(
        (endpoint or {}).get("deployments", ()), given["deployment_name"]
    )
    if endpoint is None or named is None:
        return None
    place = {"project_id": project, "endpoint_id": endpoint["id"]}
    answer = call(auth, DEPLOYMENT, deployment_id=named["id"], **place)
    deployment = {**named, **about(named["id"], answer)}
    entry, name = _entry_of(deployment, offered), str(named.get("name"))
    if _plain(str(entry["model"])) not in {_plain(str(e["model"])) for e in offered}:
        served = f"serves another model: {entry['model']}"
        raise _is_another("deployment_name", name, served)
    asked, config = given.get("config"), entry["config"]
    if asked and config and _last(asked) != _last(config):
        raise _is_another("config", name, f"has another configuration: {config}")
    scale = deployment.get("autoscaling")
    scale = scale if isinstance(scale, dict) else {}
    state = _state(deployment)
    if state is None:
        # What is taken to run is left running, by whoever did not start it.
        raise TogetherError(
            f"The service does not say whether the deployment {name} runs.",
            type="invalid_answer",
            partial=answer,
            ambiguous=False,
            advice="Run it again; endpoints/get_endpoint_deployment shows its state.",
        )
    return {
        "id": named["id"],
        "entry": entry,
        "state": state,
        "replicas": finite(scale.get("minReplicas")),
        "max_replicas": finite(scale.get("maxReplicas")),
        "inactive_minutes": finite(deployment.get("inactiveTimeout")),
    }


def _is_another(field: str, name: str, how: str) -> TogetherError:
    return TogetherError(
        f"The deployment {name} {how}.",
        type="invalid_argument",
        problems=[{"field": field, "problem": f"is not that of {name}"}],
        ambiguous=False,
        advice="Choose another name, or delete that deployment first. Without a "
        "configuration named, it is taken up as it is.",
    )


def _entry_of(shown: Members, offered: list[Members]) -> Members:
    """Return the configuration that a deployment has: one of those that are offered for
    the model, or as far as it tells itself."""
    model, config = _text(shown.get("model")), _text(shown.get("config"))
    config = config or _text(shown.get("configId"))
    for entry in offered:
        if config and entry["config"] and _last(entry["config"]) == _last(config):
            return {**entry, "model": model}
    # Such as 2x_nvidia_h100_80gb_sxm.
    size, _, kind = str(shown.get("hardware")).partition("x_")
    count = _count(size)
    if not (kind and count):
        return _entry(model, config)
    return _entry(model, config, kind, count)


def _last(resource: str) -> str:
    return _plain(resource).rsplit("/", 1)[-1]


def _state(deployment: Json) -> str | None:
    """Return a deployment's state without prefix, as a list of deployments or the
    deployment itself has it; None where nothing says it."""
    if not isinstance(deployment, dict):
        return None
    status = deployment.get("status")
    told = status.get("state") if isinstance(status, dict) else status
    state = told if isinstance(told, str) and told else deployment.get("state")
    if not isinstance(state, str):
        return None
    return plain_state(state, KNOWN, "DEPLOYMENT_STATE_")


def _project(auth: Auth) -> str:
    identity = call(auth, IDENTITY)
    found = identity.get("project") if isinstance(identity, dict) else None
    project = found.get("id") if isinstance(found, dict) else None
    if not isinstance(project, str) or not project:
        raise TogetherError(
            "This key belongs to no single project, where endpoints live.",
            type="invalid_argument",
            advice="Use the API key of a project.",
        )
    return project


def _found_endpoint(auth: Auth, project: str, name: str) -> Members | None:
    """Return the endpoint of that name with its deployments, or None."""
    answer = call(auth, ENDPOINTS, project_id=project, limit=MANY, max_pages=100)
    found = _entry_named(listed(answer, "id"), name)
    return None if found is None else _with_deployments(found)


def _made_endpoint(auth: Auth, project: str, name: str) -> Members:
    """Make an endpoint and return it, with the name by which requests reach it. Raises
    TogetherError where nothing tells that name: nothing costs by then."""
    made = call(auth, CREATE_ENDPOINT, project_id=project, body={"name": name})
    endpoint = {**made, "id": made_id(made, CREATE_ENDPOINT)}
    if not isinstance(made.get("name"), str) or not made["name"]:
        found = _found_endpoint(auth, project, name)
        if found is None:
            raise TogetherError(
                f"The service did not say the name of the endpoint {endpoint['id']}.",
                type="invalid_answer",
                partial=made,
                ambiguous=False,
                advice="Run the step again: it takes up the endpoint, which costs "
                "nothing without a deployment.",
            )
        return found
    return _with_deployments(endpoint)


def _with_deployments(endpoint: Members) -> Members:
    """Return an endpoint with its lists as lists of objects. Raises TogetherError for
    what is none, before anything that is charged stands behind it."""
    entries = listed(endpoint.get("deployments") or [], "id")
    split = listed(endpoint.get("trafficSplit") or [])
    return {**endpoint, "deployments": entries, "trafficSplit": split}


def _entry_named(entries: Iterable[Members], name: str) -> Members | None:
    """Return the entry whose full name ends in this one, or None."""
    for entry in entries:
        if str(entry.get("name")).rsplit("/", 1)[-1] == name:
            return entry
    return None


def _route(auth: Auth, place: Members, endpoint: Members, deployment: str) -> None:
    """Give a deployment a share of the requests, unless it has one."""
    split = endpoint["trafficSplit"]
    if any(e.get("deploymentId") == deployment and e.get("weight") for e in split):
        return
    kept = [entry for entry in split if entry.get("deploymentId") != deployment]
    body = {"trafficSplit": [*kept, {"deploymentId": deployment, "weight": 1}]}
    call(auth, ROUTE, body=body, **place)


def _plain(resource: str) -> str:
    return resource.partition("/revisions/")[0]


# --- which weights on which hardware -----------------------------------------------


def _configurations(auth: Auth, project: str, model: str) -> list[Members]:
    """Return the configurations by which a model can be served, of which there is one
    at least: {"model", "config", "gpu_type", "gpu_count", "quantization"} each."""
    if not model.startswith(OWN):
        return _profiles(auth, model)
    resource = model
    if model.startswith("ml_"):
        resource = f"projects/{project}/models/{model}"
    # Where none is listed the service may know one.
    return _configs(auth, project, resource) or [_entry(resource, None)]


def _configuration(offered: list[Members], given: Members) -> Members:
    """Return the configuration that is named, else the one with the fewest GPUs: it
    costs least."""
    model, config = given["model"], given.get("config")
    if not config:
        return min(offered, key=_gpus)
    fitting = [e for e in offered if str(e["config"]).rsplit("/", 1)[-1] == config]
    fitting += [e for e in offered if e["config"] == config]
    if not fitting and config.startswith("projects/") and model.startswith(OWN):
        fitting = [_entry(offered[0]["model"], config)]
    if not fitting:
        known = ", ".join(str(e["config"]) for e in offered if e["config"]) or "none"
        problem = f"is no configuration of {model}; there are: {known}"
        raise TogetherError.refused("config", problem)
    return fitting[0]


def _gpus(entry: Members) -> int:
    return entry["gpu_count"] or 10**6


def _profiles(auth: Auth, model: str) -> list[Members]:
    """Return the configurations that Together publishes for a public model."""
    answer = call(
        auth,
        SUPPORTED,
        search=model.rsplit("/", 1)[-1],
        product="PRODUCT_DEDICATED",
        limit=MANY,
        max_pages=20,
    )
    for entry in listed(answer):
        names = (entry.get("name"), entry.get("serverlessEndpoint"), entry.get("id"))
        if model.lower() not in [str(name).lower() for name in names]:
            continue
        profiles = listed(entry.get("deploymentProfiles") or [])
        found = [
            _entry(
                profile.get("model"),
                profile.get("config"),
                profile.get("gpuType"),
                _count(profile.get("gpuCount")),
                profile.get("quantization"),
            )
            for profile in profiles
            if _text(profile.get("model"))
        ]
        if found:
            return found
    problem = "is no model that can be served on hardware of one's own"
    raise TogetherError.refused("model", f"{problem} (got {model!r})")


def _configs(auth: Auth, project: str, resource: str) -> list[Members]:
    """Return the configurations for a model of a project: an upload, a fine-tune."""
    answer = call(
        auth,
        CONFIGS,
        project_id=project,
        referenceModel=_plain(resource),
        limit=MANY,
        max_pages=20,
    )
    found = []
    for entry in listed(answer):
        words = {
            str(s.get("key")): s.get("value")
            for s in listed(entry.get("selectors") or [])
        }
        name = f"projects/{entry.get('projectId')}/configs/{entry.get('id')}"
        kind = words.get("accelerator_type")
        count = _count(words.get("accelerator_count"))
        found.append(_entry(resource, name, kind, count))
    return found


def _count(number: Json) -> int | None:
    """Return how many GPUs a number, or a text that is one, says; None for none."""
    count = finite(number)
    return int(count) if count and count > 0 and count == int(count) else None


def _entry(
    model: Json,
    config: Json,
    gpu_type: Json = None,
    gpu_count: int | None = None,
    quantization: Json = None,
) -> Members:
    return {
        "model": _text(model),
        "config": _text(config),
        "gpu_type": _text(gpu_type),
        "gpu_count": gpu_count,
        "quantization": _text(quantization),
    }


def _text(value: Json) -> str | None:
    """Return what an answer says as a text, None where it is none or empty."""
    return value if isinstance(value, str) and value else None


def _hourly(auth: Auth, chosen: Members) -> float | None:
    """Return what an hour of one replica costs in USD, or None where it is not told."""
    kind, count = _words(chosen["gpu_type"] or ""), chosen["gpu_count"]
    if not kind or not count:
        return None
    prices: dict[int | None, set[float]] = {}
    for entry in listed(call(auth, INSTANCES)):
        words = f"{entry.get('gpuType')} {entry.get('id')} {entry.get('name')}"
        cents = finite(entry.get("priceCentsPerHour"))
        # What a deployment says of its hardware may be longer than a hirer's name.
        fits = kind in _words(words) or _fits(entry.get("gpuType"), kind)
        if fits and cents is not None and cents > 0:  # 0 is a price that is not told
            prices.setdefault(_count(entry.get("gpuCount")), set()).add(cents)
    # Several GPUs cost as many times what one costs.
    for size, times in ((count, 1), (1, count)):
        if len(prices.get(size, ())) == 1:
            return next(iter(prices[size])) * times / 100
    return None


def _fits(name: Json, kind: str) -> bool:
    """Say whether all words of a GPU's name are in another one."""
    words = _words(str(name or "")).split("-")
    return bool(words[0]) and {*words} <= {*kind.split("-")}


def _words(name: str) -> str:
    return name.lower().replace("_", "-")
