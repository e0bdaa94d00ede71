"""What holds for every step above the API, by being there."""

import pytest

from scripts.client import TogetherError
from tests.wire import main_of
from tools.operations import steps

# With the least arguments these ask nobody, or the job's own Windmill, and need no key.
KEYLESS = {
    "chat/cite_answer",
    "embeddings/split_documents",
    "files/read_rows",
    "triggers/list_new_objects",
    "waits/ask_approval",
    "waits/finish_flow",
    "waits/finish_wait",
    "waits/report_failure",
    "waits/start_flow",
    "waits/start_guard",
    "waits/watch_flow",
}
BY_ID = pytest.mark.parametrize("step", list(steps()), ids=lambda step: step.id)


@BY_ID
def test_each_missing_required_argument_is_named(step, sandbox, auth):
    least = step.schema["examples"][0]
    for name in step.required:
        for nothing in (None, "", []):
            with pytest.raises(TogetherError) as caught:
                main_of(step)(auth, **{**least, name: nothing})
            assert name in [problem["field"] for problem in caught.value.problems]
    assert not sandbox.requests


@pytest.mark.parametrize(
    "step", [s for s in steps() if s.id not in KEYLESS], ids=lambda step: step.id
)
def test_a_missing_resource_is_named(step, sandbox):
    with pytest.raises(TogetherError, match="auth"):
        main_of(step)(None, **step.schema["examples"][0])
