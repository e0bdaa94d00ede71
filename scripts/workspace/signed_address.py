"""Addresses of objects in the workspace's storage, for a service that has no token.

Windmill signs them for twelve hours; only its Enterprise Edition serves the objects.
"""

from __future__ import annotations

import os
from urllib.parse import quote

from ..client import TogetherError
from ..client.job import log, windmill_address
from ..client.transport import abandon, faults, http_exchange
from .api import ask_windmill

tried: set[str] = set()  # the addresses of Windmill that handed out an object


def signed(key: str, storage: str | None = None) -> str:
    """Return an address at which whoever has it may fetch an object. Raises
    TogetherError: Windmill signs none, or does not hand out what it signed."""
    what = f"No address of {key!r} can be signed"
    entry = {"s3": key, **({"storage": storage} if storage else {})}
    body = {"s3_objects": [entry]}
    found = ask_windmill("POST", "apps/sign_s3_objects", what, body=body, kind=list)
    first = found[0] if found and isinstance(found[0], dict) else {}
    signature = first.get("presigned")
    base = os.environ.get("WM_BASE_URL", "").rstrip("/")
    if not isinstance(signature, str) or not signature or not base:
        raise _unsigned(f"{what}: Windmill gives none.")
    if not base.startswith(("http://", "https://")):
        raise _unsigned(f"{what}: WM_BASE_URL is no http(s) address.")
    workspace = quote(windmill_address()[1] or "", safe="")
    place = f"{quote(storage or '_default_', safe='')}/{quote(key)}"
    address = f"{base}/api/w/{workspace}/s3_proxy/{place}?{signature}"
    if base not in tried:
        _try(address, what)
        log(f"Together fetches from {base}, which it has to reach, within 12 hours")
        tried.add(base)
    return address


def _try(address: str, what: str) -> None:
    """Raise TogetherError where Windmill does not hand out what is at an address."""
    try:
        headers = {"Range": "bytes=0-0"}
        response = http_exchange("GET", address, None, headers, (10.0, 30.0))
    except faults() as error:
        words = f"{what}: WM_BASE_URL cannot be reached ({type(error).__name__})."
        raise _unsigned(words) from None
    abandon(response)
    if response.status >= 300:
        raise _unsigned(f"{what}: Windmill answers {response.status} there.")
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "text/html":
        raise _unsigned(f"{what}: a web page is there in its place.")


def _unsigned(message: str) -> TogetherError:
    return TogetherError(
        message,
        type="unsigned",
        ambiguous=False,
        advice="Signed addresses need Windmill's Enterprise Edition, at an address that "
        "Together can reach. Otherwise put the recordings at an address of that kind.",
    )
