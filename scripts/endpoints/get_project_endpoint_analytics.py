# skip_result_postprocessing
"""Get project endpoint analytics.

GET /v2/projects/{project_id}/endpoints/{endpoint_id}/analytics

Sums up requests, tokens, latency, throughput, errors and utilization of an endpoint
over a stretch of time. Use it to judge load and size.

Returns: the figures of the endpoint and of each deployment in deploymentAnalytics; time
series only if asked for.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B"}

Rendered from schemas/endpoints/get_project_endpoint_analytics.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    endpoint_id: str,
    project_id: str | None = None,
    deploymentId: str | None = None,
    endTime: str | None = None,
    granularity: str | None = None,
    includeTimeSeries: bool | None = None,
    startTime: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        project_id=project_id,
        deploymentId=deploymentId,
        endTime=endTime,
        granularity=granularity,
        includeTimeSeries=includeTimeSeries,
        startTime=startTime,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/analytics", "retry": "read",
  "arguments": {"required": ["endpoint_id"], "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "project_id": {"type": "string", "x-in": "path"},
      "deploymentId": {"type": "string", "x-in": "query"},
      "endTime": {"type": "string", "x-in": "query"},
      "granularity": {"type": "string", "x-in": "query"},
      "includeTimeSeries": {"type": "boolean", "x-in": "query"},
      "startTime": {"type": "string", "x-in": "query"}}}}
