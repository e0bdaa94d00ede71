"""Reach an address that somebody else names: an argument, a redirect, a signed URL.

    reach_of  what the resource's own base URL opens, beside the public network
    fetch     send a request to such an address, checked at every hop
    ask       send one to a server that the flow's author names

What an address may be:

- http or https; never back from https to http. A signed URL must be https (https=True).
- Every address that the host's name stands for must be public: not this machine, not a
  private network, not a cloud's metadata service. The connection goes to an address
  that was checked, so that a name which changes its meaning in between gains nothing.
- A resource whose base_url is itself on this machine opens this machine and private
  networks; one on a private network opens private networks; one that is plain http
  allows plain http. Link-local and metadata addresses stay closed to all.
- A server that the flow's author names, with a token for it, may be on this machine or a
  private network, and plain http is for these alone. What it redirects to is not asked.
- Where the environment names a proxy, the proxy connects and has the last word; what
  this machine can tell of the name is checked all the same.

The API key is never given to this module.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import socket
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from ..client import TogetherError
from ..client.transport import (
    CONNECT_TIMEOUT,
    USER_AGENT,
    carrier_for,
    names_proxy,
    tls_context,
)
from ..resilience.proxy import proxy_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from urllib3 import HTTPConnectionPool
    from urllib3.exceptions import HTTPError

    from ..shapes import Headers, Members, Response, Timeout

SEND_BLOCK = 1 << 20  # bytes that go up at once
MAX_REDIRECTS = 10
REDIRECTS = (301, 302, 303, 307, 308)
SILENCE = 60.0  # seconds without a byte after which an exchange is given up
PUBLIC: frozenset[str] = frozenset()

_PRIVATE = [
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "fc00::/7",
    )
]
# Where clouds hand out credentials, besides the link-local 169.254.0.0/16; and what
# translates to addresses of a private network.
_CLOSED = [
    ipaddress.ip_network(text)
    for text in (
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.0/24",
        "fd00:ec2::254/128",
        "fd20:ce::254/128",
        "64:ff9b:1::/48",
    )
]
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def reach_of(auth: Any) -> frozenset[str]:
    """Return what the resource's base URL opens: some of http, private, loopback."""
    base = (auth.get("base_url") or "").strip() if isinstance(auth, dict) else ""
    if not base:
        return PUBLIC
    parts = urlsplit(base)
    opened = {"http"} if parts.scheme == "http" else set()
    kinds = {_kind(address) for address in _addresses(parts.hostname or "", 0)}
    if "loopback" in kinds:
        opened |= {"loopback", "private"}
    if "private" in kinds:
        opened.add("private")
    return frozenset(opened)


def fetch(
    method: str,
    url: str,
    *,
    reach: frozenset[str] = PUBLIC,
    https: bool = False,
    headers: Headers | None = None,
    body: Any = None,
    timeout: Timeout | None = None,
    what: str = "the address",
) -> Response:
    """Send a request to a foreign address; return urllib3's response, body unread.

    Redirects are followed with the same method and body, so a body must be something
    that can be iterated anew, with its Content-Length in headers. `reach` is what
    reach_of() said of the resource; `what` names the address in messages, such as
    body.file. Raises TogetherError for an address that is refused, urllib3's HTTPError
    for an exchange that fails; any answered status is returned.
    """
    given = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    given |= _sendable(headers or {}, what)
    timeout = timeout or (CONNECT_TIMEOUT, SILENCE)
    for _ in range(MAX_REDIRECTS + 1):
        place = _Place(url, reach, https, what)
        response = place.exchange(method, given, body, timeout)
        location = response.headers.get("location")
        if response.status not in REDIRECTS or not location:
            return response
        response.close()
        target = led(url, location, what)
        plain = urlsplit(target).scheme != "https" and "http" not in reach
        if place.scheme == "https" and plain:
            raise _refusal(what, f"{place.shown} redirects from https to http")
        there = _Place(target, reach, https, what)
        if (there.scheme, there.netloc) != (place.scheme, place.netloc):
            secrets = ("authorization", "cookie")
            given = {k: v for k, v in given.items() if k.lower() not in secrets}
        url = target
    raise _refusal(what, f"{place.shown} redirects more than {MAX_REDIRECTS} times")


def post(
    url: str, body: bytes, headers: Headers, timeout: Timeout, what: str
) -> Response:
    """POST to a server that the flow's author names; return urllib3's response, body
    unread, a redirect too. Raises TogetherError for an address that is refused,
    urllib3's HTTPError for an exchange that fails."""
    place = _Place(url, frozenset({"private", "loopback"}), False, what)
    kinds = {_kind(address) for address in place.addresses} or {"public"}
    if place.scheme != "https" and "public" in kinds:
        raise _refusal(what, f"{place.shown} is not https", "Give its https address.")
    given = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
    return place.exchange("POST", given, body, timeout)


def led(url: str, location: str, what: str = "the address") -> str:
    """Return where a Location header leads to. Raises TogetherError.

    Servers write one in UTF-8 though headers are Latin-1, as which they are read.
    """
    try:
        location = location.encode("latin-1").decode()
    except UnicodeError:
        location = quote(location, safe=_ASCII, encoding="latin-1")
    try:
        return urljoin(url, location)
    except ValueError:
        raise _refusal(what, "it redirects to what is no URL") from None


def _sendable(headers: Members, what: str) -> Headers:
    """Return headers, which answers name, as they go to an address: texts, without
    those that have no value. Raises TogetherError for what is no header."""
    sent = {name: str(value) for name, value in headers.items() if value is not None}
    for name, value in sent.items():
        plain = isinstance(headers[name], str | int | float)
        if not (plain and NAME.fullmatch(name) and VALUE.fullmatch(value)):
            raise _refusal(what, f"its header {name[:60]!r} cannot be sent", AGAIN)
    return sent


AGAIN = "Run the step again; if it stays so, tell Together's support."
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.1
VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_ASCII = "".join(map(chr, range(0x21, 0x7F)))


class _Place:
    """A URL that has been checked, with the addresses that it may be reached at."""

    def __init__(
        self, url: str, opened: frozenset[str], https: bool, what: str
    ) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise _refusal(what, "it is no URL") from None
        self.scheme, self.host = parts.scheme, parts.hostname
        if self.scheme not in ("http", "https") or not self.host:
            raise _refusal(what, "it must be an http(s) URL with a host")
        if not self.host.isascii():
            try:
                self.host = self.host.encode("idna").decode()
            except UnicodeError:
                raise _refusal(what, f"{self.host!r} is no host name") from None
        literal = f"[{self.host}]" if ":" in self.host else self.host
        self.netloc = f"{literal}:{port}" if port else literal
        # Without the query, which may be a signature.
        self.shown = f"{self.scheme}://{self.netloc}"
        if https and self.scheme != "https" and "http" not in opened:
            raise _refusal(what, f"{self.shown} is not https")
        self.port = port or (443 if self.scheme == "https" else 80)
        self.target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        self.login = None
        if parts.username is not None:
            self.login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        self.proxied = False
        if names_proxy():
            self.proxied = proxy_of(self.shown) is not None
        self.addresses = _addresses(self.host, self.port)
        if not self.addresses and not self.proxied:
            raise _refusal(what, f"the host {self.host} is not known", "Check the URL.")
        for address in self.addresses:
            kind = _kind(address)
            if kind != "public" and kind not in opened:
                raise _refusal(what, f"{self.host} is {_KINDS[kind]}")

    def exchange(
        self, method: str, headers: Headers, body: Any, timeout: Timeout
    ) -> Response:
        import urllib3  # few jobs fetch what others name
        from urllib3.exceptions import (  # few jobs fetch what others name
            ConnectTimeoutError,
            NewConnectionError,
            ProtocolError,
        )

        headers = {**headers, "Host": self.netloc}
        if self.login:
            code = base64.b64encode(self.login.encode("utf-8", "replace")).decode()
            headers["Authorization"] = f"Basic {code}"
        options = {
            "body": body,
            "retries": False,
            "redirect": False,
            "assert_same_host": False,
            "preload_content": False,
            "timeout": urllib3.Timeout(connect=timeout[0], read=timeout[1]),
        }
        if self.proxied:
            carrier = carrier_for(self.shown)
            return carrier.exchange(method, self.target, body, headers, timeout)
        passing: tuple[type[HTTPError], ...] = (NewConnectionError, ConnectTimeoutError)
        places = self.addresses
        if method == "GET":
            # A kept connection may have been closed at the other end just now.
            passing, places = (*passing, ProtocolError), [*places, places[0]]
        fault: HTTPError | None = None
        for address in places:
            try:
                pool = self.pool(address)
                return pool.urlopen(method, self.target, headers=headers, **options)
            except passing as error:
                fault = error
        raise fault or AssertionError("the last address answers or raises")

    def pool(self, address: str) -> HTTPConnectionPool:
        import urllib3  # few jobs fetch what others name

        from ..connection_pools import bounded  # few jobs fetch what others name

        if "manager" not in _kept:
            _kept["manager"] = bounded(
                urllib3.PoolManager(
                    num_pools=16, maxsize=16, block=False, blocksize=SEND_BLOCK
                )
            )
        settings = {}
        if self.scheme == "https":
            # The name is what the certificate must be for, the address where to go.
            # Not assert_hostname: it turns the check off in the context all share.
            settings = {"ssl_context": tls_context(), "server_hostname": self.host}
        manager = _kept["manager"]
        return manager.connection_from_host(address, self.port, self.scheme, settings)


_kept: dict[str, Any] = {}

_KINDS = {
    "loopback": "this machine itself",
    "private": "on a private network",
    "closed": "an address that no file is fetched from",
}


def _addresses(host: str, port: int) -> list[str]:
    """Return the addresses that a host name stands for, in the resolver's order."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _kind(text: str) -> str:
    """Return what kind of address it is: public, loopback, private or closed."""
    address = ipaddress.ip_address(text)
    if address.version == 6:
        if address.scope_id:
            return "closed"
        inner: object = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.ip_address(int(address) & 0xFFFFFFFF)
        if inner:
            return _kind(str(inner))
    if address.is_loopback:
        return "loopback"
    if any(address in network for network in _CLOSED):
        return "closed"
    if any(address in network for network in _PRIVATE):
        return "private"
    return "public" if address.is_global and not address.is_multicast else "closed"


def _refusal(what: str, problem: str, advice: str | None = None) -> TogetherError:
    message = f"{what} was not used: {problem}"
    return TogetherError(
        message,
        type="unreachable",
        problems=[{"field": what, "problem": problem}],
        ambiguous=False,
        advice=advice or "Give a public https URL, or the file itself.",
    )
