# skip_result_postprocessing
"""Download file.

GET /v1/files/{file_id}/content

Gets the contents of a stored file, such as the output or error file of a batch.

Returns: the file, usually JSONL text: file, in base64, and filename. With output
storage, or when it is large, s3, the key of the object, in place of file.

Example arguments:
    {"file_id": "file-1b9d4e70-52c8-4a16-8f3d-7e6a5b4c3d2e"}

Rendered from schemas/files/download_file.json; edit that, not this.
"""

from ..client import download, run, togetherai


def main(auth: togetherai, file_id: str, output: str = "result"):
    return run(download, auth, OPERATION, file_id=file_id, output=output)


# fmt: off
OPERATION = {"method": "GET", "path": "/v1/files/{file_id}/content", "retry": "read", "accept": "application/binary",
  "reply": "binary", "filename": "file", "arguments": {"required": ["file_id"], "properties": {
      "file_id": {"type": "string", "x-in": "path"},
      "output": {"type": "string", "enum": ["result", "storage"], "x-in": "result", "default": "result"}}}}
