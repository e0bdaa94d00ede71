"""Send one operation to the Together API and bring its answer back to Windmill.

Every script of the pack runs one of four verbs, one for each shape of exchange:

    call      JSON in, JSON out
    stream    the same, or server-sent events shown live, when body.stream is true
    upload    multipart/form-data in, JSON out
    download  JSON or nothing in, bytes out

Each takes the resource, the script's OPERATION table and the arguments of main, turns
what Windmill's form sent into what the user filled in, checks it, sends it with the
retries that are safe for the operation, and returns plain JSON. Whatever goes wrong is
a TogetherError.

OPERATION is rendered from the operation's schema: method, path, retry (read, inference,
creates or mutates), and, where they differ from the usual, host, reply, stream,
filename and find; its `arguments` are the part of the schema that is needed to check
them.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .calls import call as call
    from .calls import check_words as check_words
    from .calls import download as download
    from .calls import prepare as prepare
    from .calls import run as run
    from .calls import stream as stream
    from .calls import upload as upload
    from .errors import TogetherError as TogetherError
    from .resource import togetherai as togetherai

# What the scripts and steps use, and the part that it is in: loaded when it is asked
# for. A job has all of the parts as one module.
PLACES = {
    "TogetherError": "errors",
    "call": "calls",
    "check_words": "calls",
    "download": "calls",
    "prepare": "calls",
    "run": "calls",
    "stream": "calls",
    "togetherai": "resource",
    "upload": "calls",
}


def __getattr__(name: str) -> object:
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{PLACES[name]}", __name__), name)
