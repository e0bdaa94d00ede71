"""One exchange over HTTP: connections that are kept, TLS, the answer as it came."""

import os
import ssl
import time

import urllib3
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from .errors import TogetherError

USER_AGENT = "together-windmill/1"
CONNECT_TIMEOUT = 5.0
MIB = 1 << 20
MOST_ANSWER_BYTES = 64 * MIB  # of an answer that is held in memory, decompressed
MOST_ERROR_BYTES = 64 * 1024  # of an error; the rest of it is not read


_pools = {}


def http_exchange(method, url, data, headers, timeout):
    """Send one request and return urllib3's response, its body unread.

    Nothing is tried again, no redirect is followed. Raises urllib3's HTTPError.
    """
    start = url.index("/", url.index("//") + 2)
    origin, target = url[:start], url[start:]
    pool, extra = connection_pool(origin)
    if extra is not None:  # a proxy for http wants the whole URL
        target, headers = url, {**headers, **extra}
    try:
        response = pool.urlopen(
            method,
            target,
            body=data,
            headers=headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            timeout=timeout,
        )
    except (OverflowError, ValueError) as error:
        raise ProtocolError(f"the answer makes no sense: {error}") from None
    if response.status < 200:
        # An interim answer: the final one would be read as that of the next request.
        abandon(response)
        raise ProtocolError(f"the answer is {response.status}, an interim one")
    return response


def connection_pool(origin):
    """Return the connections to a host, kept while the process lives, and headers
    for each request, or None where no proxy for plain http is between."""
    if origin not in _pools:
        settings = {"maxsize": 256, "block": True}
        if origin.startswith("https:"):
            settings["ssl_context"] = tls_context()
        found = None
        if names_proxy():
            from ..resilience.proxy import pool_by_proxy  # only where a proxy is named

            found = pool_by_proxy(origin, settings, tls_context)
        if found is None:
            found = urllib3.PoolManager(**settings).connection_from_url(origin), None
        _pools[origin] = found
    return _pools[origin]


def names_proxy():
    """Say whether the environment names a proxy for any host."""
    names = ("http_proxy", "https_proxy", "all_proxy")
    return any(os.environ[name] for name in os.environ if name.lower() in names)


def tls_context():
    """Return the TLS context that all pools share.

    The environment's bundle wins; then the system's directory of certificates, which
    is read one by one as needed and so costs nothing; then requests' own bundle.
    """
    if "context" not in _tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
        bundle = next((os.environ[n] for n in names if os.environ.get(n)), None)
        directory = ssl.get_default_verify_paths().capath
        if bundle:
            where = "capath" if os.path.isdir(bundle) else "cafile"
            try:
                context.load_verify_locations(**{where: bundle})
            except OSError as error:  # ssl's own errors are of this kind, too
                name = next(n for n in names if os.environ.get(n))
                raise TogetherError(
                    f"{name} names {bundle}, which holds no certificates that can be "
                    f"read: {error.strerror or error}.",
                    advice=f"Correct {name} in the worker's environment, or unset it.",
                ) from None
        elif directory and any(name.endswith(".0") for name in os.listdir(directory)):
            context.load_verify_locations(capath=directory)
        else:
            import certifi

            context.load_verify_locations(certifi.where())
        _tls["context"] = context
    return _tls["context"]


_tls = {}


class Reply:
    """An HTTP answer whose body has been read."""

    def __init__(self, response, data):
        self.status = response.status
        self.reason = response.reason or ""
        self.headers = response.headers
        self.data = data or b""

    def text(self):
        return self.data.decode("utf-8", "replace")


def read_whole(response, most):
    """Return the body of an answer, decompressed, read by the moment `most`.

    Of an error only the first MOST_ERROR_BYTES. Raises urllib3's HTTPError, a
    _TooLargeError for more than MOST_ANSWER_BYTES.
    """
    error = response.status >= 300
    limit = MOST_ERROR_BYTES if error else MOST_ANSWER_BYTES
    pieces, size = [], 0
    for piece in read_pieces(response, most):
        size += len(piece)
        pieces.append(piece)
        if size > limit:
            abandon(response)
            if error:
                break
            raise TooLargeError(f"the answer has more than {limit // MIB} MiB")
    response.release_conn()
    return pieces[0][:limit] if len(pieces) == 1 else b"".join(pieces)[:limit]


def read_pieces(response, most=None):
    """Yield the bytes of a body as they arrive, until the moment `most`. Raises
    urllib3's HTTPError."""
    try:
        while piece := response.read1(65536):
            yield piece
            if most is not None and time.monotonic() > most:
                abandon(response)
                raise ReadTimeoutError(None, "", "the answer took too long")
    except (OverflowError, ValueError) as error:  # lengths that none can have
        abandon(response)
        raise ProtocolError(f"the answer's length makes no sense: {error}") from None


def abandon(response):
    """Close the connection of an answer that is not read to its end, and give its place
    in the pool back."""
    response.close()
    response.release_conn()


class TooLargeError(ProtocolError):
    """An answer of more bytes than the helper reads; asking again brings no fewer."""
