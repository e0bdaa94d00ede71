"""The bar in the job's page."""

from __future__ import annotations

import os

from ..client import TogetherError
from ..client.job import in_job, log
from .api import ask_windmill

NIL = "00000000-0000-0000-0000-000000000000"  # a dedicated worker's WM_JOB_ID


def set_progress(percent: float) -> None:
    """Show how far the job is, 0 to 99; the same whole number is sent once.

    Never fails: a bar that cannot be moved is no reason to lose the work.
    """
    job = os.environ.get("WM_JOB_ID")
    if not in_job() or not job or job == NIL:
        return
    percent = min(99, max(0, int(percent)))
    if _shown.get(job, (None, None))[1] == percent:
        return
    try:
        what = "The progress cannot be shown"
        if job not in _shown:
            where = f"jobs_u/get/{job}"
            parent = ask_windmill("GET", where, what, kind=dict).get("parent_job")
        else:
            parent = _shown[job][0]
        _shown[job] = parent, percent
        told = {"percent": percent, "flow_job_id": parent or None}
        ask_windmill("POST", f"job_metrics/set_progress/{job}", what, body=told)
    except TogetherError as error:
        log(error)


_shown: dict[str, tuple[str | None, int]] = {}  # job: its flow, the percent shown last
