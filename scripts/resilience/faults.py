"""Faults of a connection as urllib3's exceptions, which retry.py and explain.py judge,
whichever library carried the exchange."""

from __future__ import annotations

import socket
import ssl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from urllib3.exceptions import HTTPError

_NO_POOL: Any = None  # urllib3 wants one, and nobody reads it


def connect_fault(error: Exception, host: str) -> HTTPError:
    """Return the fault of a connection that could not be made."""
    from urllib3.exceptions import (  # once something failed
        ConnectTimeoutError,
        NameResolutionError,
        NewConnectionError,
        SSLError,
    )

    if isinstance(error, ssl.SSLError):
        return SSLError(error)
    if isinstance(error, TimeoutError):
        return ConnectTimeoutError(_NO_POOL, f"no connection to {host} in time")
    if isinstance(error, socket.gaierror | UnicodeError):
        reason: Any = error
        return NameResolutionError(host.rpartition(":")[0] or host, _NO_POOL, reason)
    return NewConnectionError(_NO_POOL, f"Failed to establish a connection: {error}")


def wire_fault(error: Exception) -> HTTPError:
    """Return the fault of an exchange that began."""
    from urllib3.exceptions import (  # once something failed
        ProtocolError,
        ReadTimeoutError,
        SSLError,
    )

    if isinstance(error, TimeoutError):
        return ReadTimeoutError(_NO_POOL, "", "Read timed out.")
    if isinstance(error, ssl.SSLError):
        return SSLError(error)
    return ProtocolError(f"Connection broken: {error!r}", error)
