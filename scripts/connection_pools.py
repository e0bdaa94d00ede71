"""Exchanges over urllib3: through a proxy, and to addresses that were checked.

PooledCarrier   the connections to a host, where the environment names a proxy
bounded         a manager of pools whose answers are bounded in time
"""

from __future__ import annotations

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from .client.transport import Answer, tls_context
from .resilience.proxy import proxy_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .shapes import Carried, Headers, Response, Timeout


class PooledCarrier:
    """As the Carrier of scripts/client/carrier.py; it raises urllib3's HTTPError."""

    def __init__(self, origin: str) -> None:
        settings: dict[str, Any] = {"maxsize": 256, "block": True}
        if origin.startswith("https:"):
            settings["ssl_context"] = tls_context()
        found = proxy_of(origin)
        self.extra: Headers | None = None  # for each request, where not in a tunnel
        if found is None:
            manager = urllib3.PoolManager(**settings)
        else:
            proxy, login = found
            if proxy.startswith("https:"):
                settings["ssl_context"] = settings["proxy_ssl_context"] = tls_context()
            manager = urllib3.ProxyManager(proxy, proxy_headers=login, **settings)
            self.extra = login if origin.startswith("http:") else None
        self.pool = bounded(manager).connection_from_url(origin)
        self.origin = origin

    def exchange(
        self,
        method: str,
        target: str,
        data: bytes | Carried | None,
        headers: Headers,
        timeout: Timeout,
    ) -> Response:
        connect, silence = timeout
        if self.extra is not None:  # a proxy for http wants the whole URL
            target, headers = self.origin + target, {**headers, **self.extra}
        return self.pool.urlopen(
            method,
            target,
            body=data,
            headers=headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            timeout=urllib3.Timeout(connect=connect, read=silence),
        )


def bounded(manager: urllib3.PoolManager) -> urllib3.PoolManager:
    """Return a manager of pools, its answers bounded in time as Answer says."""
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
    return manager


class _Connection(HTTPConnection):
    response_class = Answer


class _SecureConnection(HTTPSConnection):
    response_class = Answer


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
