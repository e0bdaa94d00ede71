# skip_result_postprocessing
"""Call any operation.

Sends a request of your own to the API, for what is newer than these steps. It is sent
as it is, with the key, the retries and the errors of every other step.

Returns: what the API answers, as it is; with answer file the bytes and a name.

Example arguments:
    {"method": "GET", "path": "/v1/models"}

Rendered from schemas/organization/call_operation.json; edit that, not this.
"""

from ..client import run, togetherai
from ..operation_calls.operation_steps import call_operation


def main(
    auth: togetherai,
    method: str,
    path: str,
    query: "dict | None" = None,
    payload: "dict | None" = None,
    answer: str = "json",
):
    return run(
        call_operation,
        auth,
        STEP,
        method=method,
        path=path,
        query=query,
        payload=payload,
        answer=answer,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["method", "path"], "properties": {
      "method": {"type": "string", "enum": ["GET", "POST", "PUT", "PATCH", "DELETE"]},
      "path": {"type": "string", "pattern": "^/v[0-9]+/[A-Za-z0-9_.~%:@/-]+$",
        "description": "From the version on, such as /v1/models. Put ids in place; a query goes below."},
      "query": {"type": "object"},
      "payload": {"type": "object"},
      "answer": {"type": "string", "enum": ["json", "file"], "default": "json"}}}}
