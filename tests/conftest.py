"""A sandbox for every test that needs one, and an environment without proxies."""

import os

import pytest

from tests.wmill import install
from tools.sandbox import Sandbox
from tools.tree import build

KEY = "tgp_test_0123456789abcdef"

for name in list(os.environ):
    if name.lower().endswith("_proxy"):
        del os.environ[name]


@pytest.fixture(scope="session")
def _server():
    with Sandbox(pace=0) as server:
        yield server


@pytest.fixture
def sandbox(_server):
    """The sandbox, with nothing recorded, stored or injected."""
    _server.requests.clear()
    _server.faults.clear()
    _server.files.clear()
    return _server


@pytest.fixture
def auth(sandbox):
    return {"api_key": KEY, "base_url": sandbox.url}


@pytest.fixture(scope="session")
def node_packages():
    install()


@pytest.fixture
def built(tmp_path, node_packages):
    """The pack, built; for the official command line."""
    build(tmp_path / "build")
    return tmp_path / "build"
