# skip_result_postprocessing
"""List code sessions (beta).

GET /v1/tci/sessions

Shows the code sessions that are still alive. Use it to continue one, or to see whether
a call was carried out.

Returns: in data.sessions the id, execute_count and expires_at of each; the id goes to
code_interpreter/execute_code as the session ID.

Rendered from schemas/code_interpreter/list_code_sessions.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai):
    return run(call, auth, OPERATION)


OPERATION = {
    "method": "GET",
    "path": "/v1/tci/sessions",
    "retry": "read",
    "arguments": {"properties": {}},
}
