"""Requests beside an OpenAPI document, as `./dev probe prism` tells it: what Prism says
is sorted right. Prism itself, which needs Node, runs in the probe alone."""

import json

import pytest
import requests

from tests.support.byte_server import ByteServer, Thing
from tools.operations import find
from tools.probes import prism
from tools.sandbox import Recorded

PROBLEM = {"content-type": "application/problem+json"}
NO_ROUTE = {"type": "https://stoplight.io/prism/errors#NO_PATH_MATCHED_ERROR"}
DOCUMENT = """
openapi: 3.1.0
servers: [{url: https://api.example/v1}]
paths:
  /a: {get: {servers: [{url: https://api.example/v2/}]}}
  /b: {servers: [{url: /v1/more}]}
"""


def faults(*messages):
    about = {"type": "https://stoplight.io/prism/errors#UNPROCESSABLE_ENTITY"}
    listed = [{"location": ["body"], "message": message} for message in messages]
    return Thing(json.dumps({**about, "validation": listed}).encode(), PROBLEM, 422)


def judged(things, script="files/get_file", path="/v1/files/a"):
    found = prism.Judged()
    sent = Recorded("GET", path, "", {"authorization": "Bearer x"}, b"")
    with ByteServer() as server, requests.Session() as session:
        server.things |= things
        prism._judge(found, session, server.url, ["/v1"], find(script), sent)
    return found


def no_route():
    return Thing(json.dumps(NO_ROUTE).encode(), PROBLEM, 404)


def test_a_request_that_keeps_to_the_document_is_counted():
    answer = Thing(b"{}", {"content-type": "application/json"})

    found = judged({"/files/a": answer})

    assert (found.fitting, found.refused, found.unknown) == (1, [], set())


def test_a_path_with_its_version_is_tried_too():
    answer = Thing(b"{}", {"content-type": "application/json"})

    found = judged({"/files/a": no_route(), "/v1/files/a": answer})

    assert (found.fitting, found.refused, found.unknown) == (1, [], set())


def test_what_the_document_does_not_have_is_named():
    found = judged({"/files/a": no_route(), "/v1/files/a": no_route()})

    assert found.unknown == {"files/get_file"}
    assert "1 operations are not in it: files/get_file" in found.lines()[-1]


def test_a_refusal_is_told_with_what_it_says():
    found = judged({"/files/a": faults("must have b", "must be c")})

    assert found.refused == [
        "files/get_file: GET /v1/files/a: body must have b; body must be c"
    ]


def test_a_refusal_is_known_only_when_all_that_it_says_is():
    script = "clusters/create_cluster"
    known = "must have required property 'cuda_version'"

    assert judged({"/files/a": faults(known)}, script).known
    found = judged({"/files/a": faults(known, "must be c")}, script)
    assert found.refused
    assert not found.known


def test_the_paths_of_all_servers_are_known(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text(DOCUMENT)

    assert prism._prefixes(file) == ["/v1/more", "/v1", "/v2"]


def test_what_is_no_document_is_refused(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("[]")
    with pytest.raises(ValueError, match="no OpenAPI"):
        prism._prefixes(file)


def test_a_document_is_read_from_an_address_within_bounds(monkeypatch):
    monkeypatch.setattr(prism, "MOST_DOCUMENT", 5)
    with ByteServer() as server:
        server.things["/a"] = Thing(b"12345")
        server.things["/b"] = Thing(b"123456")

        assert prism._read(f"{server.url}/a") == b"12345"
        with pytest.raises(ValueError, match="has more than"):
            prism._read(f"{server.url}/b")


def test_every_request_that_is_known_to_be_refused_is_of_an_operation():
    assert all(find(name) for name in prism.KNOWN)
