# skip_result_postprocessing
"""Check connection.

Tells whether the API key works, whose it is, which project it belongs to and what it
may read; also which version of the pack this is. Costs nothing.

Returns: ok, key_type, organization, project, the areas of the API that the key may
read, and why not the others; pack: its version, and what of other versions is in the
folder.

Rendered from schemas/organization/check_connection.json; edit that, not this.
"""

from ..account_steps import check_connection
from ..client import run, togetherai


def main(auth: togetherai):
    return run(check_connection, auth, STEP)


STEP = {"arguments": {"properties": {}}}
