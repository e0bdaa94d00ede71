"""One run of a flow at a time asks the same of the same table.

Two runs at once would pay for the same parts, and each would join what the other has
not kept yet. Windmill's own limit on concurrent runs is not in its free edition, so the
first step of such a flow takes a lease, a state resource that names its job and stands
for what is asked, and its last gives it back. One whose run has ended, cancelled or
dead, keeps nobody off.

The lease also says which model was chosen, where none is named: where something is
missing at the end, it stays with that alone, and a rerun asks the same model.

A flow may be at work for longer than records are kept. So whoever deletes old ones, a
lease or what the jobs of a flow answered, reckons from the time at which it began.
"""

from __future__ import annotations

import os
import time

from ..client import TogetherError
from ..client.job import log
from ..client.jsonio import moment_of
from ..workspace.create_once import fingerprint_of, state_folder, sweep
from ..workspace.jobs import is_running
from ..workspace.state import (
    create_state,
    delete_state,
    get_state,
    list_states,
    set_state,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Json, Members

SETTLED = 1.0  # seconds after which two runs that took over see which one has it
TRIES = 20  # at a lease that others take and give back, or that cannot be read
PAUSE = 0.5  # seconds between two of them


def take_lease(asked: Members, digest: str) -> str | None:
    """Take the lease for asking this of the table with that digest; return its path,
    None outside a flow.

    Raises TogetherError where another run, which it names, is at work on that, and
    where after TRIES nobody's lease can be read, nor one's own be kept.
    """
    folder, flow = state_folder("leases"), os.environ.get("WM_FLOW_JOB_ID")
    if not folder or not flow:
        return None
    # A form sends what a schedule leaves out.
    given = {name: value for name, value in asked.items() if value or value == 0}
    given = {name: value for name, value in given.items() if value is not False}
    path = f"{folder}{fingerprint_of('across', {'asked': given, 'table': digest})}"
    own = {"job": flow, "token": os.urandom(8).hex()}
    for _ in range(TRIES):
        if create_state(own, path):
            return path
        found = get_state(path)
        if isinstance(found, dict):
            _refuse(found, flow)
            # Asking took a while, in which another run may have taken over: whoever
            # writes over that one's lease would be a second run beside it.
            if get_state(path) == found:
                set_state({**own, **_with_model(found)}, path)
                time.sleep(SETTLED)
                found = get_state(path)
                if isinstance(found, dict):
                    if found.get("token") == own["token"]:
                        return path
                    _refuse(found, flow)
                continue
        time.sleep(PAUSE)  # that run has just ended, or what is kept there is no lease
    raise TogetherError(
        f"The lease {path} is there when it is to be taken, and not when it is read, "
        f"{TRIES} times one after the other.",
        type="invalid_answer",
        ambiguous=False,
        advice="Run it again. If it stays so, delete that resource in the workspace.",
    )


def leased_model(path: str) -> str | None:
    """Return the model that a lease says, or None. Raises TogetherError."""
    return _with_model(get_state(path)).get("model")


def lease_model(path: str, model: str) -> None:
    """Let one's own lease say which model was chosen. Raises TogetherError."""
    found = get_state(path)
    if isinstance(found, dict):
        set_state({**found, "model": model}, path)


def _with_model(found: Json) -> Members:
    """Return {"model"?} of what is kept as a lease."""
    model = found.get("model") if isinstance(found, dict) else None
    return {"model": model} if isinstance(model, str) and model else {}


def _refuse(found: Members, flow: str) -> None:
    """Raise TogetherError where the run that has the lease has not ended."""
    other = found.get("job")
    if not other or other == flow or not is_running(other):
        return
    raise TogetherError(
        f"The flow of job {other} asks the same of the same table and has not ended: "
        "a second run beside it would pay for the same rows again.",
        type="already_running",
        job=other,
        advice="Wait until it has ended or cancel it. A run after it does what it left.",
    )


def check_lease(path: Json) -> None:
    """Raise TogetherError for a path that `take_lease` cannot have returned."""
    folder = state_folder("leases")
    if not path or not folder:
        return
    if not path.startswith(folder) or "/" in path.removeprefix(folder):
        raise TogetherError.refused(
            "lease", "is none that the flow's first step returned"
        )


def give_back_lease(path: Json, whole: bool = False) -> None:
    """Give back the lease that `take_lease` returned: all of it, where what was asked is
    done as a `whole` and no rerun has to ask the same model.

    Trouble with Windmill goes to the log alone: the result is there by now, and a lease
    that stays keeps nobody off once its flow has ended.
    """
    folder = state_folder("leases")
    if not path or not folder:
        return
    try:
        found = get_state(path)
        own = os.environ.get("WM_FLOW_JOB_ID")
        if isinstance(found, dict) and found.get("job") == own:
            model = {} if whole else _with_model(found)
            if model:
                set_state(model, path)
            else:
                delete_state(path)
        sweep(folder, bounded=False, now=first_start())
    except TogetherError as error:
        log(f"the lease {path} stays until its flow has ended: {error}")


def first_start() -> float:
    """Return when the first of the flows began that have a lease and have not ended, in
    seconds since 1970; the present time where there is none. Raises TogetherError."""
    now, folder = time.time(), state_folder("leases")
    listed = list_states(folder) if folder else {}
    # By 0, where no time is told, nothing is old.
    taken = {path: moment_of(at) or 0.0 for path, at in listed.items()}
    for path in sorted(taken, key=taken.__getitem__):
        found = get_state(path)
        flow = found.get("job") if isinstance(found, dict) else None
        if flow and is_running(flow):
            return min(now, taken[path])
    return now
