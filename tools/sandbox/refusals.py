"""What the service refuses though its schema would allow it: models that it does not
serve, endpoints of version 1, updates of nothing.
"""

from typing import TYPE_CHECKING

from tools import models
from tools.operations import Operation, find
from tools.sandbox.lifecycles.lifecycle import RefusalError

if TYPE_CHECKING:
    from tools.sandbox.server import Sandbox

LONGEST_NAME = 200  # characters of a model's name that a message quotes
READY = ("DEPLOYMENT_STATE_READY", "STARTED")


def check(sandbox: "Sandbox", operation: Operation, arguments: dict) -> None:
    """Raise RefusalError where the service would refuse this."""
    body = arguments.get("body")
    body = body if isinstance(body, dict) else {}
    if operation.name == "create_endpoint":
        raise _closed("Endpoints of version 1 can no longer be created")
    if operation.name == "update_endpoint" and body.get("state") == "STARTED":
        living = sandbox.lifecycles["endpoint"] if sandbox.lifecycles else None
        life = living and living.lives.get(arguments["endpoint_id"])
        if not life or life.state(living.clock.now()) not in ("STARTED", "STARTING"):
            raise _closed("Endpoints of version 1 can no longer be started")
    exchange = operation.exchange
    updates = exchange["method"] == "PATCH" and exchange["path"].startswith("/v2/")
    if updates and not body.keys() - {"etag"}:
        raise _refusal(400, "no fields to update", "invalid_request_error")
    serves = exchange["retry"] == "inference" or operation.name == "create_video"
    if serves and isinstance(body.get("model"), str):
        _model(sandbox, body["model"])


def _model(sandbox: "Sandbox", name: str) -> None:
    """Raise RefusalError for a model that is not served."""
    short = name[:LONGEST_NAME]
    listed = models.known(sandbox.root)
    if name in listed["retired"]:
        raise _not_serverless(short)
    if name in {entry["id"] for entry in listed["models"]}:
        return
    if _endpoint(sandbox, name) or sandbox.knows(name):
        return
    if name in listed["own"].values() or name in _shown(sandbox):
        return
    if sandbox.lifecycles:
        tunes = sandbox.lifecycles["fine-tune"]
        made = [tunes.show(life) for life in tunes.lives.values()]
        if name in {one["model_output_name"] for one in made}:
            raise _not_serverless(short)
    words = f"Unable to access model {short}: there is none of that name"
    raise _refusal(404, words, "invalid_request_error", param="model")


def _endpoint(sandbox: "Sandbox", name: str) -> bool:
    """Whether an endpoint of that name was created here. Raises RefusalError where it
    answers nothing."""
    if not sandbox.lifecycles:
        return False
    for own in ("endpoint (v2)", "endpoint"):
        living = sandbox.lifecycles[own]
        for life in living.lives.values():
            shown = living.show(life)
            if shown["name"] != name:
                continue
            if own == "endpoint":
                ready = [shown] if shown["state"] in READY else []
                weighed = {shown["id"]}
            else:
                ready = [d for d in shown["deployments"] if d["state"] in READY]
                split = shown["trafficSplit"]
                weighed = {e.get("deploymentId") for e in split if e.get("weight")}
            if not ready:
                words = f"No deployment of {name} is ready"
                raise _refusal(
                    400, words, "invalid_request_error", "endpoint_not_ready"
                )
            if all(one["id"] not in weighed for one in ready):
                words = f"{name} sends requests to no deployment"
                code = "endpoint_not_configured"
                raise _refusal(400, words, "invalid_request_error", code)
            return True
    return False


def _shown(sandbox: "Sandbox") -> set[str]:
    """The names of the endpoints that the canned lists show."""
    found = set()
    for name in ("list_endpoints", "list_project_endpoints"):
        data = find(f"endpoints/{name}", sandbox.root).schema["x-reply"]["data"]
        found |= {str(entry.get("name")) for entry in data}
    return found


def _not_serverless(name: str) -> RefusalError:
    words = f"Unable to access non-serverless model {name}"
    return _refusal(400, words, "invalid_request_error", param="model")


def _closed(words: str) -> RefusalError:
    return _refusal(403, words, "forbidden", "endpoints_v1_create_access_disabled")


def _refusal(
    status: int,
    message: str,
    kind: str,
    code: str | None = None,
    param: str | None = None,
) -> RefusalError:
    error = {"message": message, "type": kind, "param": param, "code": code}
    return RefusalError(status, message, {"error": error})
