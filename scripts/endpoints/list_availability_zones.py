# skip_result_postprocessing
"""List availability zones (ends with 2026).

GET /v1/clusters/availability-zones

Lists the zones in which a version 1 dedicated endpoint can be placed. Create endpoint,
which took one, is closed: version 2 places deployments by profiles, which
endpoints/list_placement_profiles shows.

Returns: the names in avzones; a zone says where an endpoint of version 1 may run.

API reference: https://docs.together.ai/reference/availability-zones
Rendered from schemas/endpoints/list_availability_zones.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai):
    return run(call, auth, OPERATION)


OPERATION = {
    "method": "GET",
    "path": "/v1/clusters/availability-zones",
    "retry": "read",
    "arguments": {"properties": {}},
}
