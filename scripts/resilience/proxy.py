"""Connections through the proxy that the environment names.

    proxy_of        which proxy is for a host

The code of `requests` reads the environment, so that both always agree. Raises
TogetherError, which never holds the proxy's password, for a proxy that cannot be used.
"""

from __future__ import annotations

from ..client import TogetherError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Headers


def proxy_of(origin: str) -> tuple[str, Headers] | None:
    """Return (its URL, headers for it) of the proxy before a host, or None."""
    import urllib3  # it takes as long as a request, and few jobs have a proxy
    from requests.utils import (  # few jobs have a proxy
        get_auth_from_url,
        get_environ_proxies,
        prepend_scheme_if_needed,
        select_proxy,
    )
    from urllib3.exceptions import LocationParseError  # loaded with urllib3
    from urllib3.util import parse_url  # loaded with urllib3

    proxy = select_proxy(origin, get_environ_proxies(origin))
    if not proxy:
        return None
    try:
        proxy = prepend_scheme_if_needed(proxy, "http")
        usable = parse_url(proxy).scheme in ("http", "https")
    except LocationParseError:
        usable = False
    if not usable:
        advice = (
            "Name it as http://host:port in the worker's HTTP_PROXY and HTTPS_PROXY, "
            "or except the host in NO_PROXY."
        )
        raise TogetherError(
            "Nothing was sent: the proxy that the worker's environment names for "
            f"{origin} cannot be used. {advice}",
            type="proxy",
            ambiguous=False,
            advice=advice,
        )
    user, password = get_auth_from_url(proxy)
    if not user:
        return proxy, {}
    return proxy, urllib3.make_headers(proxy_basic_auth=f"{user}:{password}")
