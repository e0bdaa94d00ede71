# skip_result_postprocessing
"""Update endpoint deployment.

PATCH /v2/projects/{project_id}/endpoints/{endpoint_id}/deployments/{deployment_id}

Resizes, renames, stops or restarts a deployment. To stop it, and end its cost, set
minimum and maximum replicas to 0; read it with Get endpoint deployment first and pass
its etag.

Returns: the deployment as changed, with a new etag; follow status.state with
endpoints/get_endpoint_deployment.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "deployment_id": "dep_V2kR8sNfH3yD", "body":
    {"autoscaling": {"minReplicas": 0, "maxReplicas": 0}}}

Rendered from schemas/endpoints/update_endpoint_deployment.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Policies(TypedDict):
        periodSeconds: int
        type: str
        value: int

    class ScaleDown(TypedDict):
        policies: NotRequired[list[Policies]]
        selectPolicy: NotRequired[str]

    class ScalingMetrics(TypedDict):
        name: str
        target: float
        type: str
        percentile: NotRequired[str]

    class Autoscaling(TypedDict):
        minReplicas: NotRequired[int]
        maxReplicas: NotRequired[int]
        scaleToZeroWindow: NotRequired[str]
        scaleDown: NotRequired[ScaleDown]
        scaleDownWindow: NotRequired[str]
        scaleUp: NotRequired[ScaleDown]
        scaleUpWindow: NotRequired[str]
        scalingMetrics: NotRequired[list[ScalingMetrics]]

    class Body(TypedDict):
        autoscaling: NotRequired[Autoscaling]
        inactiveTimeout: NotRequired[int]
        maxConcurrentRequestsPerReplica: NotRequired[str]
        name: NotRequired[str]
        etag: NotRequired[str]


def main(
    auth: togetherai,
    endpoint_id: str,
    deployment_id: str,
    body: "Body" = None,
    project_id: str | None = None,
    updateMask: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        deployment_id=deployment_id,
        body=body,
        project_id=project_id,
        updateMask=updateMask,
    )


# fmt: off
OPERATION = {"method": "PATCH",
  "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/deployments/{deployment_id}", "retry": "mutates",
  "find": "endpoints/get_endpoint_deployment", "arguments": {"required": ["endpoint_id", "deployment_id"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "deployment_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "properties": {
          "autoscaling": {"type": "object", "x-choice": True, "properties": {
              "minReplicas": {"type": "integer"},
              "maxReplicas": {"type": "integer"},
              "scaleToZeroWindow": {"type": "string"},
              "scaleDown": {"type": "object", "x-choice": True, "properties": {
                  "policies": {"type": "array", "items": {"type": "object", "required": ["periodSeconds", "type",
                        "value"],
                      "properties": {
                        "periodSeconds": {"type": "integer"},
                        "type": {"type": "string", "enum": ["SCALING_POLICY_TYPE_PODS",
                            "SCALING_POLICY_TYPE_PERCENT"]},
                        "value": {"type": "integer"}}}},
                  "selectPolicy": {"type": "string", "enum": ["SCALING_POLICY_SELECT_MAX",
                      "SCALING_POLICY_SELECT_MIN", "SCALING_POLICY_SELECT_DISABLED"]}}},
              "scaleDownWindow": {"type": "string"},
              "scaleUp": {"type": "object", "x-choice": True, "properties": {
                  "policies": {"type": "array", "items": {"type": "object", "required": ["periodSeconds", "type",
                        "value"],
                      "properties": {
                        "periodSeconds": {"type": "integer"},
                        "type": {"type": "string", "enum": ["SCALING_POLICY_TYPE_PODS",
                            "SCALING_POLICY_TYPE_PERCENT"]},
                        "value": {"type": "integer"}}}},
                  "selectPolicy": {"type": "string", "enum": ["SCALING_POLICY_SELECT_MAX",
                      "SCALING_POLICY_SELECT_MIN", "SCALING_POLICY_SELECT_DISABLED"]}}},
              "scaleUpWindow": {"type": "string"},
              "scalingMetrics": {"type": "array", "items": {"type": "object", "required": ["name", "target", "type"],
                  "properties": {
                    "name": {"type": "string"},
                    "target": {"type": "number"},
                    "type": {"type": "string", "enum": ["METRIC_TARGET_TYPE_VALUE", "METRIC_TARGET_TYPE_UTILIZATION",
                        "METRIC_TARGET_TYPE_AVERAGE_VALUE"]},
                    "percentile": {"type": "string"}}}}},
            "x-advanced": True},
          "inactiveTimeout": {"type": "integer"},
          "maxConcurrentRequestsPerReplica": {"type": "string"},
          "name": {"type": "string"},
          "etag": {"type": "string"}}},
      "project_id": {"type": "string", "x-in": "path"},
      "updateMask": {"type": "string", "x-in": "query"}}}}
