# skip_result_postprocessing
"""Update shadow experiment (beta).

PATCH
/v2/projects/{project_id}/endpoints/{endpoint_id}/shadowExperiments/{experiment_id}

Changes the note or the sampling of a shadow experiment; the update mask must name what
changes. Read it with Get shadow experiment first: a change of the source needs its
etag.

Returns: the experiment as changed, with a new etag for the next change.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "experiment_id": "exp_B9eXk2UgL6tW",
    "updateMask": "description", "body": {"description": "Runs until the end of
    November"}}

Rendered from schemas/endpoints/update_shadow_experiment.json; edit that, not this.
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

    class Body(TypedDict):
        source: NotRequired[Source]
        description: NotRequired[str]
        etag: NotRequired[str]


def main(
    auth: togetherai,
    endpoint_id: str,
    experiment_id: str,
    updateMask: str,
    body: "Body" = None,
    project_id: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        experiment_id=experiment_id,
        updateMask=updateMask,
        body=body,
        project_id=project_id,
    )


# fmt: off
OPERATION = {"method": "PATCH",
  "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/shadowExperiments/{experiment_id}", "retry": "mutates",
  "find": "endpoints/get_shadow_experiment", "arguments": {"required": ["endpoint_id", "experiment_id", "updateMask"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "experiment_id": {"type": "string", "x-in": "path"},
      "updateMask": {"type": "string", "x-in": "query"},
      "body": {"type": "object", "properties": {
          "source": {"type": "object", "required": ["endpoint"], "x-choice": True, "properties": {
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
          "description": {"type": "string"},
          "etag": {"type": "string"}}},
      "project_id": {"type": "string", "x-in": "path"}}}}
