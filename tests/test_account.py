"""Steps about the account behind a key."""

import pytest

from scripts.client import TogetherError
from tests.wire import main_of
from tools.operations import find
from tools.sandbox import Fault

CHECK = main_of(find("organization/check_connection"))


def test_a_good_key_is_told_whose_it_is_and_what_it_may(sandbox, auth):
    found = CHECK(auth)

    whoami = find("organization/get_identity").schema["x-reply"]
    assert found["ok"]
    assert whoami["project"] == found["project"]
    assert whoami["organization"] == found["organization"]
    assert {"models", "files", "batches"} <= set(found["may"])


def test_an_area_that_is_refused_is_named(sandbox, auth):
    sandbox.faults.append(Fault("/v1/batches", 403))

    found = CHECK(auth)

    assert not found["ok"]
    assert "batches" not in found["may"]
    assert "403" in found["may_not"]["batches"]


def test_a_bad_key_is_an_error(sandbox, auth):
    sandbox.faults.append(Fault("/v3/whoami", 401))

    with pytest.raises(TogetherError, match="401"):
        CHECK(auth)
