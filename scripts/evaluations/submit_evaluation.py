# skip_result_postprocessing
"""Submit evaluation.

Lets a judge model label, score or compare answers: uploads the rows and begins the
evaluation, once, however often it is run with the same input.

Returns: evaluation_id for waiting and for report_evaluation; input_file_id, rows (how
many), fingerprint, reattached (an earlier run had begun it).

Example arguments:
    {"type": "classify", "judge_model": "openai/gpt-oss-120b", "judge_prompt": "Is the
    answer helpful to the customer?", "rows": [{"answer": "Press reset."}], "labels":
    ["helpful", "unhelpful"], "pass_labels": ["helpful"], "column_a": "answer"}

Rendered from schemas/evaluations/submit_evaluation.json; edit that, not this.
"""

from ..catalog.model_picker import choices
from ..client import run, togetherai
from ..evaluation_steps import submit_evaluation

DynSelect_judge_model = str
DynSelect_model_a = str
DynSelect_model_b = str


def judge_model(filterText: str = "", auth=None):
    return choices("judge", auth, filterText)


def model_a(filterText: str = "", auth=None):
    return choices("chat", auth, filterText)


def model_b(filterText: str = "", auth=None):
    return choices("chat", auth, filterText)


def main(
    auth: togetherai,
    type: str,
    judge_model: DynSelect_judge_model,
    judge_prompt: str,
    other_judge_model: str | None = None,
    rows: "str | list | dict | None" = None,
    file_id: str | None = None,
    labels: list[str] | None = None,
    pass_labels: list[str] | None = None,
    min_score: float | None = None,
    max_score: float | None = None,
    pass_threshold: float | None = None,
    model_a: DynSelect_model_a | None = None,
    other_model_a: str | None = None,
    source_a: str | None = None,
    column_a: str | None = None,
    model_b: DynSelect_model_b | None = None,
    other_model_b: str | None = None,
    source_b: str | None = None,
    column_b: str | None = None,
    template: str = "{{prompt}}",
    system: str | None = None,
    max_tokens: int = 512,
    temperature: float = 0,
    judge_source: str = "serverless",
    again: str | None = None,
):
    return run(
        submit_evaluation,
        auth,
        STEP,
        type=type,
        judge_model=judge_model,
        judge_prompt=judge_prompt,
        other_judge_model=other_judge_model,
        rows=rows,
        file_id=file_id,
        labels=labels,
        pass_labels=pass_labels,
        min_score=min_score,
        max_score=max_score,
        pass_threshold=pass_threshold,
        model_a=model_a,
        other_model_a=other_model_a,
        source_a=source_a,
        column_a=column_a,
        model_b=model_b,
        other_model_b=other_model_b,
        source_b=source_b,
        column_b=column_b,
        template=template,
        system=system,
        max_tokens=max_tokens,
        temperature=temperature,
        judge_source=judge_source,
        again=again,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["type", "judge_model", "judge_prompt"], "properties": {
      "type": {"type": "string", "enum": ["classify", "score", "compare"]},
      "judge_model": {"type": "string", "title": "Judge"},
      "judge_prompt": {"type": "string", "title": "Criteria"},
      "other_judge_model": {"type": "string", "x-id-of": "judge_model", "title": "Judge (id)"},
      "rows": {"x-file": "content", "x-choice": True},
      "file_id": {"type": "string"},
      "labels": {"type": "array", "items": {"type": "string"}},
      "pass_labels": {"type": "array", "items": {"type": "string"}, "title": "Passing labels"},
      "min_score": {"type": "number", "title": "Lowest score"},
      "max_score": {"type": "number", "title": "Highest score"},
      "pass_threshold": {"type": "number", "title": "Passing score"},
      "model_a": {"type": "string"},
      "other_model_a": {"type": "string", "x-id-of": "model_a", "title": "Model A (id)"},
      "source_a": {"type": "string", "enum": ["serverless", "dedicated"], "title": "Source of A"},
      "column_a": {"type": "string"},
      "model_b": {"type": "string"},
      "other_model_b": {"type": "string", "x-id-of": "model_b", "title": "Model B (id)"},
      "source_b": {"type": "string", "enum": ["serverless", "dedicated"], "title": "Source of B"},
      "column_b": {"type": "string"},
      "template": {"type": "string", "default": "{{prompt}}", "title": "Question"},
      "system": {"type": "string", "title": "Instructions"},
      "max_tokens": {"type": "integer", "minimum": 1, "default": 512, "title": "Longest answer"},
      "temperature": {"type": "number", "minimum": 0, "default": 0},
      "judge_source": {"type": "string", "enum": ["serverless", "dedicated"], "default": "serverless",
        "title": "Source of the judge"},
      "again": {"type": "string", "title": "Run again"}}}}
