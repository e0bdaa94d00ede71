# skip_result_postprocessing
"""Create deployment (costs money).

POST /v1/deployments

Starts a container of your own on GPU or CPU machines and keeps the chosen number of
replicas running until it is deleted. Push the image to the registry of the service
first, and create the secrets and volumes it refers to.

Returns: the deployment; its id goes to deployments/get_deployment, where status becomes
Ready or Failed.

Example arguments:
    {"body": {"name": "speech-worker", "image":
    "registry.together.ai/acme-speech/speech-worker:v3", "gpu_type": "h100-80gb"}}

Rendered from schemas/deployments/create_deployment.json; edit that, not this.
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
        name: str
        image: str
        port: NotRequired[int]
        gpu_type: str
        gpu_count: NotRequired[int]
        min_replicas: NotRequired[int]
        max_replicas: NotRequired[int]
        environment_variables: NotRequired[list[EnvironmentVariables]]
        autoscaling: NotRequired[HTTPTraffic | QueueBacklog | CustomMetric]
        health_check_path: NotRequired[str]
        cpu: NotRequired[float]
        memory: NotRequired[float]
        storage: NotRequired[int]
        volumes: NotRequired[list[Volumes]]
        model_mounts: NotRequired[list[ModelMounts]]
        command: NotRequired[list[str]]
        args: NotRequired[list[str]]
        capacity_type: NotRequired[Literal["stable", "preemptible"]]
        termination_grace_period_seconds: NotRequired[int]
        description: NotRequired[str]


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/deployments", "retry": "creates", "find": "deployments/list_deployments",
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["name", "image", "gpu_type"], "properties": {
          "name": {"type": "string", "maxLength": 100},
          "image": {"type": "string"},
          "port": {"type": "integer", "minimum": 1, "maximum": 65535},
          "gpu_type": {"type": "string"},
          "gpu_count": {"type": "integer"},
          "min_replicas": {"type": "integer"},
          "max_replicas": {"type": "integer"},
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
                  "target": {"type": "number"}}}]},
          "health_check_path": {"type": "string"},
          "cpu": {"type": "number", "minimum": 0.1},
          "memory": {"type": "number", "maximum": 1000},
          "storage": {"type": "integer", "maximum": 400},
          "volumes": {"type": "array", "items": {"type": "object", "required": ["mount_path", "name"],
              "properties": {
                "mount_path": {"type": "string"}, "name": {"type": "string"}, "version": {"type": "integer"}}}},
          "model_mounts": {"type": "array", "items": {"type": "object", "required": ["model_id", "mount_path"],
              "properties": {
                "model_id": {"type": "string"}, "mount_path": {"type": "string"}, "revision_id": {"type": "string"}}}},
          "command": {"type": "array", "items": {"type": "string"}},
          "args": {"type": "array", "items": {"type": "string"}},
          "capacity_type": {"type": "string", "enum": ["stable", "preemptible"]},
          "termination_grace_period_seconds": {"type": "integer"},
          "description": {"type": "string"}},
        "x-advanced": True}}}}
