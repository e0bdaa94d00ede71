# skip_result_postprocessing
"""Execute code (beta).

POST /v1/tci/execute

Runs Python code in a closed environment and gives what it prints or draws. A session
keeps variables and files for further calls, up to 60 minutes.

Returns: in data the outputs and the session_id for the next call; if the code fails, an
output of type error or a list in errors.

Example arguments:
    {"body": {"language": "python", "code": "print(6 * 7)"}}

Rendered from schemas/code_interpreter/execute_code.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class Files(TypedDict):
        content: str
        encoding: Literal["string", "base64"]
        name: str

    class Body(TypedDict):
        code: str
        language: object
        session_id: NotRequired[str]
        files: NotRequired[list[Files]]


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/tci/execute", "retry": "mutates",
  "find": "code_interpreter/list_code_sessions", "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["code", "language"], "properties": {
          "code": {"type": "string"},
          "language": {"enum": ["python"]},
          "session_id": {"type": "string"},
          "files": {"type": "array", "items": {"type": "object", "required": ["content", "encoding", "name"],
              "properties": {
                "content": {"type": "string", "minLength": 0},
                "encoding": {"type": "string", "enum": ["string", "base64"]},
                "name": {"type": "string"}}}}}}}}}
