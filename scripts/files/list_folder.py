# skip_result_postprocessing
"""List a folder.

Lists the objects of a folder in the workspace's storage as rows, for a table step or a
loop. Costs nothing.

Returns: rows, each with file (s3://storage/key) and filename; count.

Example arguments:
    {"folder": "calls"}

Rendered from schemas/files/list_folder.json; edit that, not this.
"""

from ..client import run, togetherai
from ..file_steps.storage_steps import list_folder


def main(
    auth: togetherai,
    folder: str,
    endings: list[str] | None = None,
    storage: str | None = None,
    most: int = 1000,
):
    return run(
        list_folder,
        auth,
        STEP,
        folder=folder,
        endings=endings,
        storage=storage,
        most=most,
    )


STEP = {
    "arguments": {
        "required": ["folder"],
        "properties": {
            "folder": {"type": "string"},
            "endings": {"type": "array", "items": {"type": "string", "minLength": 1}},
            "storage": {"type": "string"},
            "most": {"type": "integer", "minimum": 1, "default": 1000},
        },
    },
}
