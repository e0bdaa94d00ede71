# skip_result_postprocessing
"""Create shadow experiment (beta).

POST /v2/projects/{project_id}/endpoints/{endpoint_id}/shadowExperiments

Sends copies of a part of the live requests to other deployments, whose answers no
client sees. Use it to try a new model under real load; the deployments must exist under
the same endpoint.

Returns: the experiment with its targets; its id goes to endpoints/get_shadow_experiment
and endpoints/create_shadow_experiment_target.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "body": {"name": "try-green", "source":
    {"endpoint": {"sampling": {"uniform": {"rate": 0.1}}}}}}

Rendered from schemas/endpoints/create_shadow_experiment.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Uniform(TypedDict):
        rate: float

    class RandomShare(TypedDict):
        uniform: Uniform

    class KeyBased(TypedDict):
        key: str
        rate: float

    class ShareByKey(TypedDict):
        keyBased: KeyBased

    class AdaptiveUniform(TypedDict):
        targetQps: float
        window: NotRequired[str]

    class RandomUpToARate(TypedDict):
        adaptiveUniform: AdaptiveUniform

    class AdaptiveKeyBased(TypedDict):
        key: str
        targetQps: float
        window: NotRequired[str]

    class ByKeyUpToARate(TypedDict):
        adaptiveKeyBased: AdaptiveKeyBased

    class Endpoint(TypedDict):
        sampling: RandomShare | ShareByKey | RandomUpToARate | ByKeyUpToARate

    class Source(TypedDict):
        endpoint: Endpoint

    class Targets(TypedDict):
        name: str
        targetDeploymentId: str
        description: NotRequired[str]

    class Body(TypedDict):
        name: str
        source: Source
        targets: NotRequired[list[Targets]]


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
OPERATION = {"method": "POST", "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/shadowExperiments",
  "retry": "creates", "find": "endpoints/list_shadow_experiments", "arguments": {"required": ["endpoint_id", "body"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "required": ["name", "source"], "properties": {
          "name": {"type": "string"},
          "source": {"type": "object", "required": ["endpoint"], "properties": {
              "endpoint": {"type": "object", "required": ["sampling"], "properties": {
                  "sampling": {"x-choice": True, "anyOf": [
                      {"type": "object", "required": ["uniform"], "title": "Random share",
                        "properties": {
                          "uniform": {"type": "object", "required": ["rate"], "properties": {
                              "rate": {"type": "number"}}}}},
                      {"type": "object", "required": ["keyBased"], "title": "Share by key",
                        "properties": {
                          "keyBased": {"type": "object", "required": ["key", "rate"], "properties": {
                              "key": {"type": "string"}, "rate": {"type": "number"}}}}},
                      {"type": "object", "required": ["adaptiveUniform"], "title": "Random up to a rate",
                        "properties": {
                          "adaptiveUniform": {"type": "object", "required": ["targetQps"],
                            "properties": {"targetQps": {"type": "number"}, "window": {"type": "string"}}}}},
                      {"type": "object", "required": ["adaptiveKeyBased"], "title": "By key up to a rate",
                        "properties": {
                          "adaptiveKeyBased": {"type": "object", "required": ["key", "targetQps"],
                            "properties": {
                              "key": {"type": "string"},
                              "targetQps": {"type": "number"},
                              "window": {"type": "string"}}}}}]}}}}},
          "targets": {"type": "array", "items": {"type": "object", "required": ["name", "targetDeploymentId"],
              "properties": {
                "name": {"type": "string"},
                "targetDeploymentId": {"type": "string"},
                "description": {"type": "string"}}}}}},
      "project_id": {"type": "string", "x-in": "path"}}}}
