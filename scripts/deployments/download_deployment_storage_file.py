# skip_result_postprocessing
"""Download deployment storage file.

GET /v1/deployments/storage/{filename}

Asks for a signed link to a file in the storage of the container deployments. The file
must have been stored there before.

Returns: the signed link to the file, which the service sends as a redirect; fetch it
without the API key. With output storage also s3, the key of the object; with output
result file, in base64.

Example arguments:
    {"filename": "config.json"}

Rendered from schemas/deployments/download_deployment_storage_file.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, filename: str, output: str = "url"):
    return run(call, auth, OPERATION, filename=filename, output=output)


# fmt: off
OPERATION = {"method": "GET", "path": "/v1/deployments/storage/{filename}", "retry": "read", "reply": "redirect",
  "brings": {"at": "", "kind": "file"}, "arguments": {"required": ["filename"], "properties": {
      "filename": {"type": "string", "x-in": "path"},
      "output": {"type": "string", "enum": ["url", "storage", "result"], "x-in": "result", "default": "url"}}}}
