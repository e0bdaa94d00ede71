# skip_result_postprocessing
"""Preview rollout defaults.

POST /v2/projects/{project_id}/endpoints/{endpoint_id}/rollouts/preview-defaults

Shows which values Create rollout would fill in for what is left empty, with warnings,
and creates nothing. For display only: do not copy the answer into the request.

Returns: the completed plan in spec with replica counts and warnings; the request itself
goes to endpoints/create_rollout.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "body": {"sourceDeploymentId":
    "dep_V2kR8sNfH3yD", "targetDeploymentId": "dep_Jx5Tb1WqP9mG", "canary":
    {"stepInterval": "5m"}}}

API reference: https://docs.together.ai/reference/dmi/rollouts-preview-defaults
Rendered from schemas/endpoints/preview_rollout_defaults.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Steps(TypedDict):
        traffic: int
        replicas: NotRequired[int]

    class Canary(TypedDict):
        stepInterval: NotRequired[str]
        steps: NotRequired[list[Steps]]

    class RegressionCheck(TypedDict):
        direction: str
        maxRegressionPercent: NotRequired[float]

    class ThresholdCheck(TypedDict):
        operator: str
        value: NotRequired[float]

    class Metrics(TypedDict):
        name: str
        percentile: NotRequired[int]
        regressionCheck: NotRequired[RegressionCheck]
        stat: NotRequired[str]
        thresholdCheck: NotRequired[ThresholdCheck]
        window: NotRequired[str]

    class Body(TypedDict):
        sourceDeploymentId: str
        targetDeploymentId: str
        canary: NotRequired[Canary]
        rolling: NotRequired[dict]
        blueGreen: NotRequired[dict]
        metrics: NotRequired[list[Metrics]]
        finalTargetReplicas: NotRequired[int]
        finalSourceReplicas: NotRequired[int]


def main(
    auth: togetherai,
    endpoint_id: str,
    body: "Body",
    project_id: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        body=body,
        project_id=project_id,
    )


# fmt: off
OPERATION = {"method": "POST", "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/rollouts/preview-defaults",
  "retry": "read", "arguments": {"required": ["endpoint_id", "body"], "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "required": ["sourceDeploymentId", "targetDeploymentId"],
        "properties": {
          "sourceDeploymentId": {"type": "string"},
          "targetDeploymentId": {"type": "string"},
          "canary": {"type": "object", "properties": {
              "stepInterval": {"type": "string"},
              "steps": {"type": "array", "items": {"type": "object", "required": ["traffic"],
                  "properties": {"traffic": {"type": "integer"}, "replicas": {"type": "integer"}}}}}},
          "rolling": {"type": "object", "properties": {}},
          "blueGreen": {"type": "object", "properties": {}},
          "metrics": {"type": "array", "items": {"type": "object", "required": ["name"],
              "properties": {
                "name": {"type": "string"},
                "percentile": {"type": "integer"},
                "regressionCheck": {"type": "object", "required": ["direction"], "x-choice": True,
                  "properties": {
                    "direction": {"type": "string", "enum": ["REGRESSION_DIRECTION_HIGHER_IS_WORSE",
                        "REGRESSION_DIRECTION_LOWER_IS_WORSE"]},
                    "maxRegressionPercent": {"type": "number"}}},
                "stat": {"type": "string", "enum": ["METRIC_STAT_TYPE_AVG", "METRIC_STAT_TYPE_PERCENTILE"]},
                "thresholdCheck": {"type": "object", "required": ["operator"], "x-choice": True,
                  "properties": {
                    "operator": {"type": "string", "enum": ["THRESHOLD_OPERATOR_GT", "THRESHOLD_OPERATOR_GTE",
                        "THRESHOLD_OPERATOR_LT", "THRESHOLD_OPERATOR_LTE"]},
                    "value": {"type": "number"}}},
                "window": {"type": "string"}}}},
          "finalTargetReplicas": {"type": "integer"},
          "finalSourceReplicas": {"type": "integer"}},
        "x-advanced": True, "x-groups": {
          "strategy": {"Canary": "canary", "Rolling": "rolling", "Blue-green": "blueGreen"}}},
      "project_id": {"type": "string", "x-in": "path"}}}}
