# skip_result_postprocessing
"""Submit recordings as a batch.

Transcribes many recordings in one batch, within a day and at half price with
openai/whisper-large-v3. Together fetches each recording from its address, which has to
be open to it for a day. Run again with the same input it finds the batch it made
before. Wait for the batch, then use batches/collect_rows.

Returns: batch_id for batches/collect_rows and for waiting; input_file_id, rows (how
many), fingerprint, reattached (an earlier run had made it), blank (rows without an
address, which are left out).

Example arguments:
    {"rows": ["https://www.example.com/calls/1.mp3"]}

Rendered from schemas/batches/submit_recordings.json; edit that, not this.
"""

from ..batch_files.batch_steps import submit_recordings
from ..catalog.model_picker import choices
from ..client import run, togetherai

DynSelect_model = str


def model(filterText: str = "", auth=None):
    return choices("transcription", auth, filterText)


def main(
    auth: togetherai,
    rows: "str | list | dict",
    model: DynSelect_model | None = None,
    other_model: str | None = None,
    column: str = "url",
    language: str | None = None,
    prompt: str | None = None,
    again: str | None = None,
    answer_column: str | None = None,
):
    return run(
        submit_recordings,
        auth,
        STEP,
        rows=rows,
        model=model,
        other_model=other_model,
        column=column,
        language=language,
        prompt=prompt,
        again=again,
        answer_column=answer_column,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["rows"], "properties": {
      "rows": {"x-file": "content", "x-choice": True, "title": "Recordings"},
      "model": {"type": "string", "minLength": 1},
      "other_model": {"type": "string", "x-id-of": "model", "title": "Model (id)"},
      "column": {"type": "string", "minLength": 1, "default": "url"},
      "language": {"type": "string"},
      "prompt": {"type": "string", "title": "Hints"},
      "again": {"type": "string", "title": "Run again"},
      "answer_column": {"type": "string"}}}}
