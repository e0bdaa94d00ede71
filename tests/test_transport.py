"""Whose certificates are trusted, and how long a body may take."""

import ssl
import time
from types import SimpleNamespace

import pytest
import trustme

from scripts.client import TogetherError, transport
from scripts.client.transport import Pace, endless, names_proxy, tls_context, too_long
from tests.conftest import KEY
from tests.support.expected_request import main_of
from tests.test_client import OK, server
from tools.operations import find

NAMES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
GET = main_of(find("files/get_file"))


@pytest.fixture(autouse=True)
def _bare(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(transport, "_tls", {})


@pytest.fixture
def authority(tmp_path):
    """Of a server here: (its context, a file with what it is trusted by)."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2", "http/1.1"])
    authority.issue_cert("127.0.0.1").configure_cert(context)
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    return context, file


def get(tls):
    with server(OK, tls=tls) as (url, _):
        auth = {"api_key": KEY, "base_url": url.replace("http:", "https:")}
        return GET(auth, "file-1")


@pytest.mark.parametrize("name", NAMES)
def test_a_bundle_that_the_environment_names_is_trusted(name, authority, monkeypatch):
    context, file = authority
    monkeypatch.setenv(name, str(file))

    assert get(context) == {"ok": True}


def test_the_first_of_several_bundles_counts(authority, tmp_path, monkeypatch):
    context, file = authority
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(other))
    monkeypatch.setenv("SSL_CERT_FILE", str(other))

    assert get(context) == {"ok": True}
    assert tls_context() is tls_context()


def test_who_is_not_trusted_gets_no_request(authority):
    context, _ = authority
    with pytest.raises(TogetherError) as caught:
        get(context)

    assert "certificate" in str(caught.value).lower()


def test_a_directory_of_certificates_may_be_named(authority, tmp_path, monkeypatch):
    _, file = authority
    place = tmp_path / "certs"
    place.mkdir()
    (place / "ca.pem").write_bytes(file.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(place))
    given = {}
    load = ssl.SSLContext.load_verify_locations

    def seen(context, **where):
        given.update(where)
        return load(context, **where)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", seen)
    tls_context()

    assert given == {"capath": str(place)}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_bundle_that_cannot_be_read_is_named(name, content, tmp_path, monkeypatch):
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv(name, str(file))

    with pytest.raises(TogetherError) as caught:
        tls_context()

    words = f"{name} names {file}, which holds no certificates that can be read: "
    assert str(caught.value).startswith(words)
    assert str(caught.value).endswith(".")
    assert str(caught.value) != f"{words}None."
    advice = f"Correct {name} in the worker's environment, or unset it."
    assert caught.value.advice == advice


@pytest.mark.parametrize(
    ("names", "directory"), [(["1.0"], True), (["a.pem"], False), ([], False)]
)
def test_the_system_s_directory_is_used_where_it_is_one(
    names, directory, tmp_path, monkeypatch
):
    for name in names:
        (tmp_path / name).touch()
    paths = SimpleNamespace(capath=str(tmp_path))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    context = tls_context()

    # What is read as needed is not counted; requests' own bundle is read at once.
    assert (len(context.get_ca_certs()) == 0) is directory
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_without_a_system_s_directory_requests_bundle_is_used(monkeypatch):
    paths = SimpleNamespace(capath=None)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)

    assert len(tls_context().get_ca_certs()) > 50


class Answer:
    """What an answer's body is read from."""

    def __init__(self):
        self.reader = SimpleNamespace(most=None, until=None)
        self._original_response = self


def test_a_body_may_take_its_time_while_its_bytes_come(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(transport, "PACE_BYTES", 10)
    monkeypatch.setattr(transport, "PACE_SECONDS", 5.0)
    monkeypatch.setattr(transport, "TRANSFER_SECONDS", 12.0)
    first, second = Answer(), Answer()
    pace = Pace()

    pace.keep(first, 0)
    assert first.reader.until == first.reader.most == 105.0
    now[0] = 104.0
    pace.keep(first, 9)  # too few bytes for more time
    assert first.reader.until == 105.0
    pace.keep(first, 10)
    assert first.reader.until == 109.0
    pace.keep(second, 10)  # another connection has its own time
    assert second.reader.until == 109.0
    now[0] = 109.0
    pace.keep(second, 20)
    assert second.reader.until == 112.0  # and never more than for all of it
    assert not pace.is_lost()
    now[0] = 112.5
    with pytest.raises(TimeoutError, match="the answer took too long"):
        pace.keep(second, 21)
    assert pace.is_lost()


def test_only_a_body_of_no_known_length_can_be_endless(monkeypatch):
    monkeypatch.setattr(transport, "MOST_UNKNOWN_BYTES", 3 << 30)

    assert not too_long(None, 3 << 30)
    assert too_long(None, (3 << 30) + 1)
    assert not too_long(9, 4 << 30)
    error = endless("a.bin")
    assert str(error) == "a.bin: it has more than 3 GiB and does not say how many."
    assert error.type == "too_large"
    assert error.advice == "Give a source that says its length (Content-Length)."


@pytest.mark.parametrize("name", ["http_proxy", "HTTPS_PROXY", "All_Proxy"])
def test_a_proxy_is_named_in_any_case(name, monkeypatch):
    assert not names_proxy()
    monkeypatch.setenv(name, "")
    assert not names_proxy()
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert names_proxy()
