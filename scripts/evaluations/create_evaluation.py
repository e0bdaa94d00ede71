# skip_result_postprocessing
"""Create evaluation.

POST /v1/evaluation

Has a judge model rate the answers to a whole file of questions, as labels, as points or
as a contest of two models. Upload the file first with purpose eval. The work runs in
the background.

Returns: the workflow_id goes to evaluations/get_evaluation, with status pending.

Example arguments:
    {"body": {"type": "classify", "parameters": {"judge": {"model":
    "openai/gpt-oss-120b", "system_template": "Label the answer to the customer as
    helpful or unhelpful.", "model_source": "serverless"}, "labels": ["helpful",
    "unhelpful"], "pass_labels": ["helpful"], "input_data_file_path":
    "file-6f8a2c1d-3b47-4f0e-9a55-0c1d2e3f4a5b"}}}

API reference: https://docs.together.ai/reference/create-evaluation
Rendered from schemas/evaluations/create_evaluation.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class Judge(TypedDict):
        model_source: Literal["serverless", "dedicated", "external"]
        model: str
        external_base_url: NotRequired[str]
        external_api_token: NotRequired[str]
        system_template: str
        num_workers: NotRequired[int]
        max_tokens: NotRequired[int]
        temperature: NotRequired[float]

    class Model(TypedDict):
        model_source: Literal["serverless", "dedicated", "external"]
        model: str
        external_base_url: NotRequired[str]
        external_api_token: NotRequired[str]
        system_template: str
        input_template: str
        max_tokens: int
        temperature: float
        num_workers: NotRequired[int]

    class Classify(TypedDict):
        input_data_file_path: str
        judge: Judge
        labels: list[str]
        pass_labels: list[str]
        model_to_evaluate: NotRequired[str | Model]

    class Score(TypedDict):
        input_data_file_path: str
        judge: Judge
        min_score: float
        max_score: float
        pass_threshold: float
        model_to_evaluate: NotRequired[str | Model]

    class Compare(TypedDict):
        input_data_file_path: str
        judge: Judge
        model_a: NotRequired[str | Model]
        model_b: NotRequired[str | Model]
        disable_position_bias_correction: NotRequired[bool]

    class Body(TypedDict):
        type: Literal["classify", "score", "compare"]
        parameters: Classify | Score | Compare


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/evaluation", "retry": "creates", "find": "evaluations/list_evaluations",
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["type", "parameters"], "properties": {
          "type": {"type": "string", "enum": ["classify", "score", "compare"]},
          "parameters": {"x-choice": True, "anyOf": [
              {"type": "object", "required": ["judge", "labels", "pass_labels", "input_data_file_path"],
                "title": "Classify", "properties": {
                  "input_data_file_path": {"type": "string", "minLength": 1},
                  "judge": {"type": "object", "required": ["model", "system_template", "model_source"],
                    "properties": {
                      "model_source": {"type": "string", "enum": ["serverless", "dedicated", "external"]},
                      "model": {"type": "string"},
                      "external_base_url": {"type": "string"},
                      "external_api_token": {"type": "string"},
                      "system_template": {"type": "string"},
                      "num_workers": {"type": "integer", "minimum": 1},
                      "max_tokens": {"type": "integer"},
                      "temperature": {"type": "number"}},
                    "x-advanced": True},
                  "labels": {"type": "array", "minItems": 2, "items": {"type": "string"}},
                  "pass_labels": {"type": "array", "minItems": 1, "items": {"type": "string"}},
                  "model_to_evaluate": {"x-choice": True, "anyOf": [
                      {"type": "string", "title": "Column of the file"},
                      {"type": "object", "required": ["model", "max_tokens", "temperature", "system_template",
                          "input_template", "model_source"],
                        "title": "Model", "properties": {
                          "model_source": {"type": "string", "enum": ["serverless", "dedicated", "external"]},
                          "model": {"type": "string", "minLength": 1},
                          "external_base_url": {"type": "string"},
                          "external_api_token": {"type": "string"},
                          "system_template": {"type": "string", "minLength": 1},
                          "input_template": {"type": "string", "minLength": 1},
                          "max_tokens": {"type": "integer", "minimum": 1},
                          "temperature": {"type": "number", "minimum": 0, "maximum": 2},
                          "num_workers": {"type": "integer", "minimum": 1}},
                        "x-advanced": True}]}}},
              {"type": "object", "required": ["judge", "min_score", "max_score", "pass_threshold",
                  "input_data_file_path"],
                "title": "Score", "properties": {
                  "input_data_file_path": {"type": "string", "minLength": 1},
                  "judge": {"type": "object", "required": ["model", "system_template", "model_source"],
                    "properties": {
                      "model_source": {"type": "string", "enum": ["serverless", "dedicated", "external"]},
                      "model": {"type": "string"},
                      "external_base_url": {"type": "string"},
                      "external_api_token": {"type": "string"},
                      "system_template": {"type": "string"},
                      "num_workers": {"type": "integer", "minimum": 1},
                      "max_tokens": {"type": "integer"},
                      "temperature": {"type": "number"}},
                    "x-advanced": True},
                  "min_score": {"type": "number"},
                  "max_score": {"type": "number"},
                  "pass_threshold": {"type": "number"},
                  "model_to_evaluate": {"x-choice": True, "anyOf": [
                      {"type": "string", "title": "Column of the file"},
                      {"type": "object", "required": ["model", "max_tokens", "temperature", "system_template",
                          "input_template", "model_source"],
                        "title": "Model", "properties": {
                          "model_source": {"type": "string", "enum": ["serverless", "dedicated", "external"]},
                          "model": {"type": "string", "minLength": 1},
                          "external_base_url": {"type": "string"},
                          "external_api_token": {"type": "string"},
                          "system_template": {"type": "string", "minLength": 1},
                          "input_template": {"type": "string", "minLength": 1},
                          "max_tokens": {"type": "integer", "minimum": 1},
                          "temperature": {"type": "number", "minimum": 0, "maximum": 2},
                          "num_workers": {"type": "integer", "minimum": 1}},
                        "x-advanced": True}]}}},
              {"type": "object", "required": ["judge", "input_data_file_path"], "title": "Compare",
                "properties": {
                  "input_data_file_path": {"type": "string", "minLength": 1},
                  "judge": {"type": "object", "required": ["model", "system_template", "model_source"],
                    "properties": {
                      "model_source": {"type": "string", "enum": ["serverless", "dedicated", "external"]},
                      "model": {"type": "string"},
                      "external_base_url": {"type": "string"},
                      "external_api_token": {"type": "string"},
                      "system_template": {"type": "string"},
                      "num_workers": {"type": "integer", "minimum": 1},
                      "max_tokens": {"type": "integer"},
                      "temperature": {"type": "number"}},
                    "x-advanced": True},
                  "model_a": {"x-choice": True, "anyOf": [
                      {"type": "string", "title": "Column of the file"},
                      {"type": "object", "required": ["model", "max_tokens", "temperature", "system_template",
                          "input_template", "model_source"],
                        "title": "Model", "properties": {
                          "model_source": {"type": "string", "enum": ["serverless", "dedicated", "external"]},
                          "model": {"type": "string", "minLength": 1},
                          "external_base_url": {"type": "string"},
                          "external_api_token": {"type": "string"},
                          "system_template": {"type": "string", "minLength": 1},
                          "input_template": {"type": "string", "minLength": 1},
                          "max_tokens": {"type": "integer", "minimum": 1},
                          "temperature": {"type": "number", "minimum": 0, "maximum": 2},
                          "num_workers": {"type": "integer", "minimum": 1}},
                        "x-advanced": True}]},
                  "model_b": {"x-choice": True, "anyOf": [
                      {"type": "string", "title": "Column of the file"},
                      {"type": "object", "required": ["model", "max_tokens", "temperature", "system_template",
                          "input_template", "model_source"],
                        "title": "Model", "properties": {
                          "model_source": {"type": "string", "enum": ["serverless", "dedicated", "external"]},
                          "model": {"type": "string", "minLength": 1},
                          "external_base_url": {"type": "string"},
                          "external_api_token": {"type": "string"},
                          "system_template": {"type": "string", "minLength": 1},
                          "input_template": {"type": "string", "minLength": 1},
                          "max_tokens": {"type": "integer", "minimum": 1},
                          "temperature": {"type": "number", "minimum": 0, "maximum": 2},
                          "num_workers": {"type": "integer", "minimum": 1}},
                        "x-advanced": True}]},
                  "disable_position_bias_correction": {"type": "boolean"}}}]}},
        "x-hidden": {"type": ["parameters", {"Classify": "classify", "Score": "score", "Compare": "compare"}]}}}}}
