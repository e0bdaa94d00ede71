# skip_result_postprocessing
"""Update deployment.

PATCH /v1/deployments/{deployment_id}

Changes a running container deployment, for example its image, size or replica limits;
only what is filled in changes. Each change becomes a new revision that can be rolled
back; more or larger replicas cost more.

Returns: the deployment with its new settings; follow status with
deployments/get_deployment.

Example arguments:
    {"deployment_id": "speech-worker", "body": {}}

Rendered from schemas/deployments/update_deployment.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class EnvironmentVariables(TypedDict):
        name: str
        value: NotRequired[str]
        value_from_secret: NotRequired[str]

    class HTTPTraffic(TypedDict):
        metric: NotRequired[Literal["HTTPTotalRequests", "HTTPAvgRequestDuration"]]
        target: NotRequired[float]
        time_interval_minutes: NotRequired[int]

    class QueueBacklog(TypedDict):
        metric: NotRequired[Literal["QueueBacklogPerWorker"]]
        model: NotRequired[str]
        target: NotRequired[float]

    class CustomMetric(TypedDict):
        custom_metric_name: NotRequired[str]
        metric: NotRequired[Literal["CustomMetric"]]
        target: NotRequired[float]

    class Volumes(TypedDict):
        mount_path: str
        name: str
        version: NotRequired[int]

    class ModelMounts(TypedDict):
        model_id: str
        mount_path: str
        revision_id: NotRequired[str]

    class Body(TypedDict):
        image: NotRequired[str]
        min_replicas: NotRequired[int]
        max_replicas: NotRequired[int]
        gpu_type: NotRequired[str]
        gpu_count: NotRequired[int]
        environment_variables: NotRequired[list[EnvironmentVariables]]
        autoscaling: NotRequired[HTTPTraffic | QueueBacklog | CustomMetric | dict]
        cpu: NotRequired[float]
        memory: NotRequired[float]
        storage: NotRequired[int]
        volumes: NotRequired[list[Volumes]]
        model_mounts: NotRequired[list[ModelMounts]]
        port: NotRequired[int]
        health_check_path: NotRequired[str]
        command: NotRequired[list[str]]
        args: NotRequired[list[str]]
        capacity_type: NotRequired[Literal["stable", "preemptible"]]
        termination_grace_period_seconds: NotRequired[int]
        description: NotRequired[str]
        name: NotRequired[str]


def main(auth: togetherai, deployment_id: str, body: "Body" = None):
    return run(call, auth, OPERATION, deployment_id=deployment_id, body=body)


# fmt: off
OPERATION = {"method": "PATCH", "path": "/v1/deployments/{deployment_id}", "retry": "mutates",
  "find": "deployments/get_deployment", "arguments": {"required": ["deployment_id"], "properties": {
      "deployment_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "properties": {
          "image": {"type": "string"},
          "min_replicas": {"type": "integer"},
          "max_replicas": {"type": "integer"},
          "gpu_type": {"type": "string"},
          "gpu_count": {"type": "integer"},
          "environment_variables": {"type": "array", "items": {"type": "object", "required": ["name"],
              "properties": {
                "name": {"type": "string"}, "value": {"type": "string"}, "value_from_secret": {"type": "string"}},
              "x-groups": {"content": {"Plain value": "value", "Secret": "value_from_secret"}}}},
          "autoscaling": {"x-choice": True, "anyOf": [
              {"type": "object", "title": "HTTP traffic", "properties": {
                  "metric": {"type": "string", "enum": ["HTTPTotalRequests", "HTTPAvgRequestDuration"]},
                  "target": {"type": "number"},
                  "time_interval_minutes": {"type": "integer"}}},
              {"type": "object", "title": "Queue backlog", "properties": {
                  "metric": {"type": "string", "enum": ["QueueBacklogPerWorker"]},
                  "model": {"type": "string"},
                  "target": {"type": "number"}}},
              {"type": "object", "title": "Custom metric", "properties": {
                  "custom_metric_name": {"type": "string"},
                  "metric": {"type": "string", "enum": ["CustomMetric"]},
                  "target": {"type": "number"}}},
              {"type": "object", "title": "Off"}]},
          "cpu": {"type": "number", "minimum": 0.1},
          "memory": {"type": "number", "maximum": 1000},
          "storage": {"type": "integer", "maximum": 400},
          "volumes": {"type": "array", "items": {"type": "object", "required": ["mount_path", "name"],
              "properties": {
                "mount_path": {"type": "string"}, "name": {"type": "string"}, "version": {"type": "integer"}}}},
          "model_mounts": {"type": "array", "items": {"type": "object", "required": ["model_id", "mount_path"],
              "properties": {
                "model_id": {"type": "string"}, "mount_path": {"type": "string"}, "revision_id": {"type": "string"}}}},
          "port": {"type": "integer", "minimum": 1, "maximum": 65535},
          "health_check_path": {"type": "string"},
          "command": {"type": "array", "items": {"type": "string"}},
          "args": {"type": "array", "items": {"type": "string"}},
          "capacity_type": {"type": "string", "enum": ["stable", "preemptible"]},
          "termination_grace_period_seconds": {"type": "integer"},
          "description": {"type": "string"},
          "name": {"type": "string", "minLength": 1, "maxLength": 100}},
        "x-advanced": True}}}}
