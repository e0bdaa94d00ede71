"""Pictures of a Windmill that holds the pack, for the docs: a result, a flow and an
approval, as its own pages show them. The jobs ask a sandbox of this machine, so it and
Windmill's workers have to run on one; what is made in the workspace is removed again.
"""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tools.pages.browser import CHROMIUM
from tools.pages.node import PLACE, install
from tools.sandbox import Sandbox
from tools.target_folder import FOLDER
from tools.workspace.windmill_api import WindmillApi

KEY = f"{FOLDER}/for_pictures"  # a resource with the sandbox's address
PATIENCE = 120.0  # seconds for a job
PRODUCTS = (("Chat", 0.31, 3), ("Batches", 0.22, 4), ("Pictures", 0.12, 2))
FLOW = {"model": "Qwen/Qwen3.5-9B", "dataset": {"rows": []}}
FLOW["dataset"]["rows"] = [
    {"question": f"Where is order {n}?", "answer": f"Order {n} is on its way. " * 9}
    for n in range(60)
]
# What of a page is the picture: from one element to the other.
RESULT = {"begin": "text='Result'", "before": "text='Logs'", "width": 820}
GRAPH = {"begin": ".svelte-flow", "end": ".svelte-flow", "height": 700}
APPROVAL = {"begin": "text='Pretty'", "end": "text='Approve'", "width": 560}


def pictures(base_url: str, workspace: str, token: str, folder: Path) -> Iterator[Path]:
    """Write result.png, flow.png and approval.png; yield each when written.

    Raises ApiError where Windmill refuses, TimeoutError where a job does not end, and
    OSError when Node, its packages or Chromium are missing or a page is an unknown one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with Sandbox() as sandbox:
        sandbox.answers["list_billing_usage"] = lambda _: _usage()
        desk = _Desk(WindmillApi(base_url, workspace, token), [])
        try:
            pages = _pages(desk, sandbox)
            for name, page in pages:
                path = folder.resolve() / f"{name}.png"
                _picture(base_url, workspace, token, {**page, "file": str(path)})
                yield path
        finally:
            desk.clear()


def _pages(desk: "_Desk", sandbox: Sandbox) -> list[tuple[str, dict]]:
    """Run what is pictured; where it is to be seen."""
    value = {"api_key": "sandbox", "base_url": sandbox.url}
    body = {"path": KEY, "value": value, "resource_type": "togetherai"}
    desk.api.post("resources/create", body, update_if_exists="true")
    month = {"since": "2026-11-01", "until": "2026-11-28"}
    report = desk.start("p", "organization/report_usage", month)
    flow = desk.start("f", "flows/fine_tune_model", FLOW)
    desk.until(lambda: desk.ended(report))
    asked = desk.until(lambda: desk.asked(flow))
    link = desk.api.get(f"jobs_u/completed/get_result/{asked}")["approvalPage"]
    return [
        ("result", {"path": f"/run/{report}", "view": [1100, 1300], **RESULT}),
        ("flow", {"path": f"/run/{flow}", "view": [1400, 2200], **GRAPH}),
        ("approval", {"path": urlsplit(link).path, "view": [860, 1500], **APPROVAL}),
    ]


@dataclass(frozen=True)
class _Desk:
    """A workspace, and the jobs that were started in it."""

    api: WindmillApi
    jobs: list[str]

    def start(self, kind: str, id: str, arguments: dict) -> str:
        body = {"auth": f"$res:{KEY}", **arguments}
        job = str(self.api.post(f"jobs/run/{kind}/{FOLDER}/{id}", body)).strip('"')
        self.jobs.append(job)
        return job

    def ended(self, job: str) -> bool:
        return self.api.get(f"jobs_u/completed/get_result_maybe/{job}")["completed"]

    def asked(self, flow: str) -> str | None:
        """The job of a flow's step that asks a person, once the flow waits for one."""
        status = self.api.get(f"jobs_u/get/{flow}")["flow_status"]
        before = None
        for module in status["modules"]:
            if module["type"] == "WaitingForEvents":
                return before
            before = module.get("job")
        return None

    def until(self, look: object) -> object:
        end = time.monotonic() + PATIENCE
        while not (found := look()):
            if time.monotonic() > end:
                raise TimeoutError(f"a job is not done after {PATIENCE:g} s")
            time.sleep(0.5)
        return found

    def clear(self) -> None:
        for job in self.jobs:
            self.api.post(f"jobs_u/queue/cancel/{job}", {"reason": "pictured"})
        self.api.delete(f"resources/delete/{KEY}")


def _usage() -> dict:
    """A month of bills."""
    days = [
        {
            "date": f"2026-11-{day:02}",
            "line_items": [
                {"product_name": name, "cost": f"{cost * (1 + day * step % 7):.2f}"}
                for name, cost, step in PRODUCTS
            ],
        }
        for day in range(1, 29)
    ]
    return {"data": days, "next_cursor": None}


def _picture(base_url: str, workspace: str, token: str, page: dict) -> None:
    install()
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        raise OSError("Chromium is missing: Debian's package is `chromium`")
    page = {**page, "path": f"{page['path']}?workspace={workspace}"}
    given = {"base": base_url.rstrip("/"), "token": token, **page}
    done = subprocess.run(
        ["node", str(PLACE / "look_at_windmill.mjs"), chromium],
        input=json.dumps(given),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = done.stderr.replace(token, "***")[-1500:]
        raise OSError(f"the page {page['path']} is not as expected: {said}")
