"""Serving a model on hardware of one's own, through the v2 API.

    plan_deployment  what would run where, and what an hour of it costs
    deploy_model     the endpoint, the deployment behind it, and its share of requests

Names make it happen once: an endpoint and a deployment of these names that exist are
taken up again, and started if they are stopped. waits/cancel_job stops a deployment.
"""

from __future__ import annotations

from .client import TogetherError, call, prepare
from .client.asked_for import listed, made_id
from .client.endings import plain_state
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
SCALE = operation("endpoints/update_endpoint_deployment")
MANY = 100  # entries of a page
DOWN = states("deployment", "stopped")
KNOWN = states("deployment", "every")


def plan_deployment(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return what deploy_model would use, without creating anything.

    {"model": resource name, "config", "gpu_type", "gpu_count", "usd_per_hour": of the
    least replicas, or None with "cost_note", "alternatives": other configurations}.
    Raises TogetherError when the model cannot be served.
    """
    given = prepare(step, arguments)
    project = _project(auth)
    chosen, others = _chosen(auth, project, given["model"], given.get("config"))
    price = _hourly(auth, chosen)
    plan = {**chosen, "usd_per_hour": None, "alternatives": others}
    if price is None:
        plan["cost_note"] = "no price is listed for this hardware"
    else:
        plan["usd_per_hour"] = round(price * given.get("replicas", 1), 4)
    return plan


def deploy_model(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Let a model be served under a name; return at once, while it still starts.

    {"endpoint_id", "deployment_id", "job_id": both, for waits, "model": what requests
    name, "state", "created", "reattached", "config", "gpu_type", "gpu_count"}. Raises
    TogetherError.
    """
    given = prepare(step, arguments)
    project = _project(auth)
    chosen, _ = _chosen(auth, project, given["model"], given.get("config"))
    endpoint = _endpoint(auth, project, given["endpoint_name"])
    deployment = _named(endpoint["deployments"], given["deployment_name"])
    scale = {
        "minReplicas": given["replicas"],
        "maxReplicas": max(given["replicas"], given.get("max_replicas", 0)),
    }
    place = {"project_id": project, "endpoint_id": endpoint["id"]}
    if deployment is None:
        body = {"name": given["deployment_name"], "autoscaling": scale}
        body |= {n: chosen[n] for n in ("model", "config") if chosen[n]}
        if given["inactive_minutes"]:
            body["inactiveTimeout"] = given["inactive_minutes"]
        made = call(auth, CREATE, body=body, **place)
        made = {**made, "id": made_id(made, CREATE)}
        state = _state(made)
    else:
        made, state = deployment, _state(deployment)
        served = str(made.get("model"))
        if _plain(served) != _plain(chosen["model"]):
            raise TogetherError(
                f"The deployment {made.get('name')} serves another model: {served}.",
                problems=[{"field": "deployment_name", "problem": "is taken"}],
                advice="Choose another name, or delete that deployment first.",
            )
        if state in DOWN:
            body = {"autoscaling": scale}
            found = call(auth, SCALE, body=body, deployment_id=made["id"], **place)
            state = _state(found) or state
    _route(auth, place, endpoint, made["id"])
    return {
        "endpoint_id": endpoint["id"],
        "deployment_id": made["id"],
        "job_id": f"{endpoint['id']}/{made['id']}",
        "model": endpoint["name"],
        "state": state,
        "created": deployment is None,
        "reattached": deployment is not None,
        "config": chosen["config"],
        "gpu_type": chosen["gpu_type"],
        "gpu_count": chosen["gpu_count"],
    }


def _state(deployment: Members) -> Json:
    """Return a deployment's state without prefix, as a list of deployments or the
    deployment itself has it; None where nothing says it."""
    status = deployment.get("status")
    told = status.get("state") if isinstance(status, dict) else status
    return plain_state(told or deployment.get("state"), KNOWN, "DEPLOYMENT_STATE_")


def _project(auth: Auth) -> str:
    project = (call(auth, IDENTITY).get("project") or {}).get("id")
    if not project:
        raise TogetherError(
            "This key belongs to no single project, where endpoints live.",
            advice="Use the API key of a project.",
        )
    return project


def _endpoint(auth: Auth, project: str, name: str) -> Members:
    """Return the endpoint of that name, made if there is none."""
    answer = call(auth, ENDPOINTS, project_id=project, limit=MANY, max_pages=100)
    found = _named(listed(answer, "id"), name)
    if found is None:
        found = call(auth, CREATE_ENDPOINT, project_id=project, body={"name": name})
        found = {**found, "id": made_id(found, CREATE_ENDPOINT)}
    return {**found, "deployments": listed(found.get("deployments") or [], "id")}


def _named(entries: Iterable[Members], name: str) -> Members | None:
    """Return the entry whose full name ends in this one, or None."""
    for entry in entries:
        if str(entry.get("name")).rsplit("/", 1)[-1] == name:
            return entry
    return None


def _route(auth: Auth, place: Members, endpoint: Members, deployment: str) -> None:
    """Give a deployment a share of the requests, unless it has one."""
    split = endpoint.get("trafficSplit") or []
    if any(e.get("deploymentId") == deployment and e.get("weight") for e in split):
        return
    kept = [entry for entry in split if entry.get("deploymentId") != deployment]
    body = {"trafficSplit": [*kept, {"deploymentId": deployment, "weight": 1}]}
    call(auth, ROUTE, body=body, **place)


def _plain(resource: str) -> str:
    return resource.partition("/revisions/")[0]


# --- which weights on which hardware -----------------------------------------------


def _chosen(
    auth: Auth, project: str, model: str, config: str | None
) -> tuple[Members, list[Members]]:
    """Return the configuration to serve a model by, and the others that there are.

    Each is {"model", "config", "gpu_type", "gpu_count", "quantization"}. Without a
    config named, the one with the fewest GPUs is taken: it costs least.
    """
    if model.startswith(("ml_", "projects/")):
        resource = model
        if model.startswith("ml_"):
            resource = f"projects/{project}/models/{model}"
        found = _configs(auth, project, resource)
    else:
        resource = None
        found = _profiles(auth, model)
    if config:
        fitting = [e for e in found if str(e["config"]).rsplit("/", 1)[-1] == config]
        fitting += [e for e in found if e["config"] == config]
        if not fitting and config.startswith("projects/") and resource:
            fitting = [_entry(resource, config)]
        if not fitting:
            known = ", ".join(str(e["config"]) for e in found) or "none"
            problem = f"is no configuration of {model}; there are: {known}"
            raise TogetherError.refused("config", problem)
        found = [fitting[0], *(e for e in found if e is not fitting[0])]
    elif not found and resource:
        found = [_entry(resource, None)]  # the service may know one
    else:
        found.sort(key=lambda entry: entry["gpu_count"] or 10**6)
    return found[0], found[1:]


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
        profiles = entry.get("deploymentProfiles") or ()
        found = [
            _entry(
                profile.get("model"),
                profile.get("config"),
                profile.get("gpuType"),
                profile.get("gpuCount"),
                profile.get("quantization"),
            )
            for profile in profiles
            if profile.get("model")
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
        words = {s.get("key"): s.get("value") for s in entry.get("selectors") or ()}
        count = str(words.get("accelerator_count"))
        name = f"projects/{entry.get('projectId')}/configs/{entry.get('id')}"
        kind = words.get("accelerator_type")
        found.append(
            _entry(resource, name, kind, int(count) if count.isdigit() else None)
        )
    return found


def _entry(
    model: str | None,
    config: str | None,
    gpu_type: str | None = None,
    gpu_count: int | None = None,
    quantization: str | None = None,
) -> Members:
    return {
        "model": model,
        "config": config,
        "gpu_type": gpu_type,
        "gpu_count": gpu_count,
        "quantization": quantization,
    }


def _hourly(auth: Auth, chosen: Members) -> float | None:
    """Return what an hour of one replica costs in USD, or None where it is not told."""
    kind, count = str(chosen["gpu_type"] or "").lower(), chosen["gpu_count"]
    if not kind or not count:
        return None
    prices: dict[Json, set[float]] = {}
    for entry in listed(call(auth, INSTANCES)):
        words = f"{entry.get('gpuType')} {entry.get('id')} {entry.get('name')}".lower()
        cents = entry.get("priceCentsPerHour")
        if kind in words and isinstance(cents, int | float):
            prices.setdefault(entry.get("gpuCount"), set()).add(cents)
    # Several GPUs cost as many times what one costs.
    for size, times in ((count, 1), (1, count)):
        if len(prices.get(size, ())) == 1:
            return next(iter(prices[size])) * times / 100
    return None
