"""Any operation of the API by its path, where none has a script of its own."""

from __future__ import annotations

from ..client import TogetherError, call, download, prepare
from .descriptor import operation_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Auth, Json, RetryClass, Step


def call_operation(auth: Auth, step: Step, **arguments: Json) -> Json:
    """Return the answer of any operation, for those that are newer than the pack.

    JSON as it comes, or a file where `answer` says so. Only a GET is sent again after a
    failure that may have carried it out. Raises TogetherError.
    """
    given = prepare(step, arguments)
    method = given["method"]
    query = given.get("query", {})
    retry: RetryClass = "read" if method == "GET" else "mutates"
    descriptor = operation_at(method, given["path"], retry, query=tuple(query))
    words = dict(query)
    if "payload" in given and method == "GET":
        raise TogetherError.refused("payload", "goes with another method than GET")
    if "payload" in given:
        words["body"] = given["payload"]
    if given["answer"] == "file":
        return download(
            auth, {**descriptor, "reply": "binary", "accept": "*/*"}, **words
        )
    return call(auth, descriptor, **words)
