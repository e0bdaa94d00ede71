# skip_result_postprocessing
"""Create endpoint deployment (costs money).

POST /v2/projects/{project_id}/endpoints/{endpoint_id}/deployments

Puts a model on GPUs under an existing project endpoint. It starts in the background;
when Get endpoint deployment says READY, give it traffic with Update project endpoint.

Returns: the deployment; its id goes to endpoints/get_endpoint_deployment and into
trafficSplit of endpoints/update_project_endpoint, and status.state tells the progress.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "body": {"name": "blue", "autoscaling":
    {"minReplicas": 1, "maxReplicas": 1}, "model":
    "projects/proj_7f3a9c2e51d84b60/models/ml_CbJNwS2v9Qx8"}}

Rendered from schemas/endpoints/create_endpoint_deployment.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

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

    class CompliancePolicy(TypedDict):
        hipaa: NotRequired[bool]

    class Inline(TypedDict):
        compliancePolicy: NotRequired[CompliancePolicy]
        constraint: NotRequired[
            Literal["ENFORCEMENT_REQUIRED", "ENFORCEMENT_PREFERRED"]
        ]
        regions: NotRequired[list[str]]

    class RulesGivenHere(TypedDict):
        inline: Inline

    class SavedProfile(TypedDict):
        profile: str

    class Body(TypedDict):
        name: str
        model: NotRequired[str]
        config: NotRequired[str]
        autoscaling: Autoscaling
        inactiveTimeout: NotRequired[int]
        maxConcurrentRequestsPerReplica: NotRequired[str]
        placement: NotRequired[RulesGivenHere | SavedProfile]
        modelId: NotRequired[str]
        modelRevisionId: NotRequired[str]
        configId: NotRequired[str]


def main(
    auth: togetherai,
    endpoint_id: str,
    body: "Body",
    project_id: str | None = None,
    validateOnly: bool | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        body=body,
        project_id=project_id,
        validateOnly=validateOnly,
    )


# fmt: off
OPERATION = {"method": "POST", "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/deployments",
  "retry": "creates", "find": "endpoints/list_endpoint_deployments", "arguments": {"required": ["endpoint_id",
      "body"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "required": ["name", "autoscaling"], "properties": {
          "name": {"type": "string"},
          "model": {"type": "string"},
          "config": {"type": "string"},
          "autoscaling": {"type": "object", "properties": {
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
          "placement": {"x-choice": True, "anyOf": [
              {"type": "object", "required": ["inline"], "title": "Rules given here", "properties": {
                  "inline": {"type": "object", "properties": {
                      "compliancePolicy": {"type": "object", "x-choice": True, "properties": {
                          "hipaa": {"type": "boolean"}}},
                      "constraint": {"type": "string", "enum": ["ENFORCEMENT_REQUIRED", "ENFORCEMENT_PREFERRED"]},
                      "regions": {"type": "array", "items": {"type": "string"}}}}}},
              {"type": "object", "required": ["profile"], "title": "Saved profile", "properties": {
                  "profile": {"type": "string", "minLength": 1}}}]},
          "modelId": {"type": "string"},
          "modelRevisionId": {"type": "string"},
          "configId": {"type": "string"}},
        "x-advanced": True},
      "project_id": {"type": "string", "x-in": "path"},
      "validateOnly": {"type": "boolean", "x-in": "query"}}}}
