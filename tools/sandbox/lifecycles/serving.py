"""Dedicated endpoints of both versions, and models that are being uploaded."""

import uuid

from tools.sandbox.lifecycles.lifecycle import Kind, Lifecycle, RefusalError, stamp

_START = (("PENDING", 20), ("STARTING", 300), ("STARTED", 0))
_STOP = (("STOPPING", 60), ("STOPPED", 0))


class Endpoint(Kind):
    """A dedicated endpoint of /v1: its state is what was last asked for, in time."""

    name = "endpoint"
    id_argument = "endpoint_id"
    prefix = "endpoint-"
    course = _START
    failed = "ERROR"
    operations = {  # noqa: RUF012
        "create_endpoint": "create",
        "get_endpoint": "get",
        "list_endpoints": "entries",
        "update_endpoint": "update",
        "delete_endpoint": "delete",
    }

    def created(self, life: Lifecycle) -> dict:
        life.kept |= life.given["body"]
        if life.kept.pop("state", "STARTED") == "STOPPED":
            life.turn(life.created, ("STOPPED", 0))
        return self.show(life)

    def listed(self, shown: list[dict]) -> dict:
        return {"object": "entries", "data": shown}

    def deleted(self, life: Lifecycle) -> None:
        return None

    def update(self, arguments: dict) -> dict | None:
        life = self.find(arguments)
        if life is None:
            return None
        body = dict(arguments.get("body") or {})
        wanted, now = body.pop("state", None), self.clock.now()
        stopped = life.state(now) in ("STOPPING", "STOPPED", "ERROR")
        if wanted == "STARTED" and stopped:
            life.reason = None
            life.turn(now, *((state, self.plan[state]) for state, _ in _START))
        if wanted == "STOPPED" and not stopped:
            life.turn(now, *_STOP)
        life.kept |= body
        return self.show(life)

    def show(self, life: Lifecycle) -> dict:
        given = life.kept
        return {
            "object": "endpoint",
            "id": life.id,
            "name": f"sandbox/{given['model']}-{life.id[-8:]}",
            "display_name": given.get("display_name", given["model"]),
            "model": given["model"],
            "hardware": given["hardware"],
            "type": "dedicated",
            "owner": "sandbox",
            "state": life.state(self.clock.now()),
            "autoscaling": given["autoscaling"],
            "created_at": stamp(life.created),
        }


class Deployment(Kind):
    """A deployment of an endpoint of /v2; no replicas means stopped."""

    name = "deployment"
    id_argument = "deployment_id"
    prefix = "dep_"
    course = (
        ("DEPLOYMENT_STATE_PROVISIONING", 120),
        ("DEPLOYMENT_STATE_SCALING", 180),
        ("DEPLOYMENT_STATE_READY", 0),
    )
    failed = "DEPLOYMENT_STATE_FAILED"
    operations = {  # noqa: RUF012
        "create_endpoint_deployment": "create",
        "get_endpoint_deployment": "get",
        "list_endpoint_deployments": "entries",
        "update_endpoint_deployment": "update",
        "delete_endpoint_deployment": "delete",
    }

    def accept(self, arguments: dict) -> None:
        endpoints = self.sandbox.lifecycles["endpoint (v2)"].lives
        name = arguments["endpoint_id"]
        if endpoints and name not in endpoints and not self.sandbox.knows(name):
            raise RefusalError(404, f"Endpoint {name} not found")

    def created(self, life: Lifecycle) -> dict:
        life.kept |= life.given["body"] | {"version": 1}
        if not self.most(life):
            life.turn(life.created, ("DEPLOYMENT_STATE_STOPPED", 0))
        return self.show(life)

    def entries(self, arguments: dict) -> dict | None:
        own = self.of(arguments["endpoint_id"])
        if not self.lives:
            return None
        return {"data": [self.show(life) for life in own], "next_cursor": None}

    def of(self, endpoint: str) -> list[Lifecycle]:
        lives = self.lives.values()
        return [life for life in lives if life.given["endpoint_id"] == endpoint]

    def update(self, arguments: dict) -> dict | None:
        life = self.find(arguments)
        if life is None:
            return None
        body, now = dict(arguments.get("body") or {}), self.clock.now()
        if body.pop("etag", self.etag(life)) != self.etag(life):
            raise RefusalError(409, "the deployment was changed since: stale etag")
        life.kept |= body | {"version": life.kept["version"] + 1}
        state = life.state(now).removeprefix("DEPLOYMENT_STATE_")
        stopped = state in ("STOPPING", "STOPPED", "FAILED")
        if self.most(life) and stopped:
            life.reason = None
            life.turn(now, *((name, self.plan[name]) for name, _ in self.course))
        elif not self.most(life) and not stopped:
            stop = ((f"DEPLOYMENT_STATE_{name}", seconds) for name, seconds in _STOP)
            life.turn(now, *stop)
        return self.show(life)

    def most(self, life: Lifecycle) -> int:
        """How many replicas may run at most; a number left out is 0."""
        numbers = life.kept["autoscaling"]
        return max(numbers.get("minReplicas", 0), numbers.get("maxReplicas", 0))

    def etag(self, life: Lifecycle) -> str:
        return f"W/{life.kept['version']}"

    def show(self, life: Lifecycle) -> dict:
        now, given = self.clock.now(), life.kept
        state = life.state(now)
        wanted = given["autoscaling"].get("minReplicas", 0)
        ready = wanted if state.endswith("READY") else 0
        status = {
            "message": (life.reason or "") if self.broken(life) else "",
            "state": state,
            "readyReplicas": ready,
            "scheduledReplicas": wanted,
        }
        return {
            "id": life.id,
            "autoscaling": given["autoscaling"],
            "createdAt": stamp(life.created),
            "endpointId": life.given["endpoint_id"],
            "etag": self.etag(life),
            "hardware": "1x_nvidia_h100_80gb_sxm",
            "model": given.get("model") or given.get("modelId", ""),
            "modelId": (given.get("model") or given.get("modelId", "")).split("/")[-1],
            "name": given["name"],
            "projectId": life.given["project_id"],
            "status": status,
            "trafficMode": "TRAFFIC_MODE_LIVE",
            "updatedAt": stamp(life.passed(now)[-1][0]),
            "desiredReplicas": wanted,
            "inactiveTimeout": given.get("inactiveTimeout", 0),
        }


class ProjectEndpoint(Kind):
    """An endpoint of /v2: a name that deployments stand behind."""

    name = "endpoint (v2)"
    id_argument = "endpoint_id"
    prefix = "ep_"
    course = (("CREATED", 0), ("CREATED", 0))
    operations = {  # noqa: RUF012
        "create_project_endpoint": "create",
        "get_project_endpoint": "get",
        "list_project_endpoints": "entries",
        "update_project_endpoint": "update",
        "delete_project_endpoint": "delete",
    }

    def listed(self, shown: list[dict]) -> dict:
        return {"data": shown, "next_cursor": None}

    def update(self, arguments: dict) -> dict | None:
        life = self.find(arguments)
        if life is None:
            return None
        life.kept |= arguments.get("body") or {}
        return self.show(life)

    def show(self, life: Lifecycle) -> dict:
        deployments = self.sandbox.lifecycles["deployment"]
        given = life.given["body"] | life.kept
        own = [deployments.show(one) for one in deployments.of(life.id)]
        kept = ("id", "autoscaling", "createdAt", "model", "modelId", "name")
        more = ("trafficMode", "desiredReplicas", "hardware")
        return {
            "id": life.id,
            "createdAt": stamp(life.created),
            "deployments": [
                {
                    **{key: entry[key] for key in (*kept, *more)},
                    "state": entry["status"]["state"],
                    "readyReplicas": entry["status"]["readyReplicas"],
                }
                for entry in own
            ],
            "endpointType": "ENDPOINT_TYPE_DEDICATED",
            "etag": "W/1",
            "name": f"sandbox/{given['name']}",
            "projectId": life.given["project_id"],
            "trafficSplit": given.get("trafficSplit", []),
            "updatedAt": stamp(life.created),
            "visibility": given.get("visibility", "VISIBILITY_PRIVATE"),
        }


class UploadJob(Kind):
    """A model that Together fetches, /v1."""

    name = "model upload"
    id_argument = "job_id"
    prefix = "job-"
    course = (("Queued", 30), ("Running", 600), ("Complete", 0))
    ended = ("Complete", "Failed")
    failed = "Failed"
    operations = {  # noqa: RUF012
        "upload_model": "create",
        "get_model_upload_job": "get",
        "list_model_upload_jobs": "entries",
    }

    def created(self, life: Lifecycle) -> dict:
        body = life.given["body"]
        return {
            "data": {
                "job_id": life.id,
                "model_name": f"sandbox/{body['model_name']}",
                "model_id": f"model-{uuid.uuid4()}",
                "model_source": body["model_source"],
            },
            "message": "Processing model weights. Job created.",
        }

    def show(self, life: Lifecycle) -> dict:
        now, body = self.clock.now(), life.given["body"]
        updates = [
            {
                "status": state,
                "message": life.reason if state == self.failed else f"Job {state}",
                "timestamp": stamp(at),
            }
            for at, state in life.passed(now)
        ]
        return {
            "type": "model_upload",
            "job_id": life.id,
            "status": life.state(now),
            "status_updates": updates,
            "args": {
                "description": body.get("description", ""),
                "modelName": body["model_name"],
                "modelSource": body["model_source"],
            },
            "created_at": stamp(life.created),
            "updated_at": updates[-1]["timestamp"],
        }


class RemoteUpload(Kind):
    """A model that Together fetches, /v2."""

    name = "remote upload"
    id_argument = "upload_id"
    course = (
        ("REMOTE_UPLOAD_STATUS_PENDING", 30),
        ("REMOTE_UPLOAD_STATUS_RUNNING", 600),
        ("REMOTE_UPLOAD_STATUS_SUCCEEDED", 0),
    )
    ended = ("REMOTE_UPLOAD_STATUS_SUCCEEDED", "REMOTE_UPLOAD_STATUS_FAILED")
    failed = "REMOTE_UPLOAD_STATUS_FAILED"
    operations = {  # noqa: RUF012
        "create_model_remote_upload": "create",
        "get_model_remote_upload": "get",
        "list_model_remote_uploads": "entries",
        "list_model_remote_upload_events": "events",
    }

    def listed(self, shown: list[dict]) -> dict:
        return {"data": shown, "next_cursor": None}

    def show(self, life: Lifecycle) -> dict:
        now, body = self.clock.now(), life.given["body"]
        return {
            "id": life.id,
            "createdAt": stamp(life.created),
            "modelId": body["modelId"],
            "projectId": life.given["project_id"],
            "remoteUrl": body["remoteUrl"],
            "status": life.state(now),
            "maxRestarts": 3,
            "restartCount": 0,
            "statusMessage": (life.reason or "") if self.broken(life) else "",
            "updatedAt": stamp(life.passed(now)[-1][0]),
        }

    def events(self, arguments: dict) -> dict | None:
        life = self.find(arguments)
        if life is None:
            return None
        entries = [
            {
                "id": f"{life.id}-{number}",
                "createdAt": stamp(at),
                "level": "LEVEL_ERROR" if state == self.failed else "LEVEL_INFO",
                "message": life.reason if state == self.failed else state,
                "type": "status",
            }
            for number, (at, state) in enumerate(life.passed(self.clock.now()))
        ]
        return {"data": entries, "object": "entries", "next_cursor": None}
