# skip_result_postprocessing
"""List new objects.

Returns the objects that came into a folder of the workspace's storage since the last
run: run it on a schedule, as the first step of a flow.

Returns: a list of stored objects with s3, as every step takes a file; empty when
nothing is new.

Example arguments:
    {"folder": "inbox"}

Rendered from schemas/triggers/list_new_objects.json; edit that, not this.
"""

from ..client import run, togetherai
from ..file_steps.storage_steps import list_new_objects


def main(
    auth: togetherai,
    folder: str,
    ending: str | None = None,
    storage: str | None = None,
    existing: bool = False,
):
    return run(
        list_new_objects,
        auth,
        STEP,
        folder=folder,
        ending=ending,
        storage=storage,
        existing=existing,
    )


STEP = {
    "arguments": {
        "required": ["folder"],
        "properties": {
            "folder": {"type": "string"},
            "ending": {"type": "string"},
            "storage": {"type": "string"},
            "existing": {"type": "boolean", "default": False, "title": "Existing ones"},
        },
    },
}
