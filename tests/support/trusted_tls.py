"""TLS of servers on this machine, by an authority that the helper trusts."""

import ssl
from pathlib import Path

import pytest
import trustme

from scripts.client import transport
from scripts.transfer import public_fetch


def trusted_tls(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *names: str
) -> ssl.SSLContext:
    """The context of a server with these names or addresses."""
    authority = trustme.CA()
    bundle = folder / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    # What was made before the authority was trusted.
    monkeypatch.setattr(transport, "_tls", {})
    monkeypatch.setattr(transport, "_carriers", {})
    monkeypatch.setattr(public_fetch, "_kept", {})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context
