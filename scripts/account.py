"""Steps about the account behind an API key."""

from .client import TogetherError, call, operation, prepare

IDENTITY = operation("GET", "/v3/whoami", "read")
# What is asked to find out what a key may do: lists that cost nothing to read.
AREAS = {
    "models": operation("GET", "/v1/models", "read"),
    "files": operation("GET", "/v1/files", "read"),
    "batches": operation("GET", "/v1/batches", "read"),
    "fine_tuning": operation("GET", "/v1/fine-tunes", "read"),
    "evaluations": operation("GET", "/v1/evaluation", "read"),
}


def check_connection(auth, step, **arguments):
    """Return whose key it is and which areas of the API it may read.

    {"ok", "key_type", "organization": {"id", "name"}, "project": {...}, "may": [...],
    "may_not": {area: reason}}. Raises TogetherError when the key itself is refused or
    the service cannot be reached.
    """
    prepare(step, arguments)
    identity = call(auth, IDENTITY)
    may, may_not = [], {}
    for area, table in AREAS.items():
        try:
            call(auth, table)
        except TogetherError as error:
            if getattr(error, "status", None) not in (401, 403, 404):
                raise
            may_not[area] = str(error)
        else:
            may.append(area)
    return {
        "ok": not may_not,
        "key_type": identity.get("type"),
        "organization": identity.get("organization"),
        "project": identity.get("project"),
        "may": may,
        "may_not": may_not,
    }
