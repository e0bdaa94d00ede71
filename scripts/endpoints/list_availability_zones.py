# skip_result_postprocessing
"""List availability zones (ends with 2026).

GET /v1/clusters/availability-zones

Lists the zones in which a version 1 dedicated endpoint can be placed. Needed only when
Create endpoint is to run in a certain zone.

Returns: the names in avzones; one of them goes to availability_zone of
endpoints/create_endpoint.

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
