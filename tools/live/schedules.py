"""What schedules start: triggers that remember, and the schedule itself."""

import requests

from tools.live.checks import Subject, expect
from tools.live.stage import Stage
from tools.operations import scripts

FIRES = 2  # times that a schedule is to fire
BATCH = {"input_file_id": "file-of-the-live-suite", "endpoint": "/v1/chat/completions"}


def triggers_report_nothing_twice(stage: Stage) -> dict:
    """Each trigger of the pack, three times: a first look, one with news where the
    suite can make some, and one more."""
    told = {}
    for script in scripts():
        if script.group != "triggers":
            continue
        example = script.schema["examples"][0]
        job = stage.run(script.id, example)
        kind = (job.error.get("extra") or {}).get("type") if not job.success else None
        if kind == "no_storage" and not stage.storage:
            told[script.name] = "needs object storage"
            continue
        first = job.succeeded()
        again = stage.run(script.id, example).succeeded()
        once_more = stage.run(script.id, example).succeeded()
        expect(isinstance(first, list), f"{script.id} gives {str(first)[:200]}")
        expect(not (again and once_more), f"{script.id} tells {str(once_more)[:300]}")
        told[script.name] = [len(first), len(again), len(once_more)]
    names = ", ".join(f"{name} {found}" for name, found in told.items())
    return {"said": names, "told": told}


def a_batch_that_ended_is_told_once(stage: Stage) -> str:
    trigger = "triggers/batch_finished"
    stage.run(trigger).succeeded()
    headers = {"Authorization": "Bearer of-the-live-suite"}
    content = b'{"custom_id": "1", "body": {"model": "m", "messages": []}}\n'
    stored = stage.sandbox.store_file("a.jsonl", content, "batch-api")
    body = {**BATCH, "input_file_id": stored["id"]}
    port = stage.sandbox.port
    answer = requests.post(
        f"http://127.0.0.1:{port}/v1/batches", json=body, headers=headers, timeout=10
    )
    made = answer.json()["job"]["id"]
    life = stage.sandbox.lifecycles["batch"].lives[made]
    life.turn(stage.sandbox.lifecycles.clock.now(), ("COMPLETED", 0.0))
    news = [entry["batch_id"] for entry in stage.run(trigger).succeeded()]
    more = stage.run(trigger).succeeded()
    expect(made in news, f"the batch {made} is not among {news}")
    expect(not more, f"told again: {more}")
    return "once, and then nothing more"


def a_schedule_fires(stage: Stage) -> str:
    path = f"{stage.folder}/each_second"
    schedule = {
        "path": path,
        "schedule": "* * * * * *",
        "timezone": "UTC",
        "script_path": stage.script("triggers/model_changed"),
        "is_flow": False,
        "args": {"auth": stage.auth},
        "enabled": True,
    }
    stage.api.post("schedules/create", schedule)

    def fired() -> list[dict]:
        query = {"schedule_path": path, "per_page": 10}
        found = stage.api.get("jobs/completed/list", **query)
        return found if len(found) >= FIRES else []

    try:
        found = stage.until(f"{FIRES} jobs of a schedule", fired, 60)
    finally:
        stage.api.delete(f"schedules/delete/{path}")
    failed = [job["id"] for job in found if not job.get("success")]
    expect(not failed, f"jobs of the schedule failed: {', '.join(failed)}")
    return f"{len(found)} jobs, each a success"


SUBJECT = Subject(
    "schedules",
    (triggers_report_nothing_twice, a_batch_that_ended_is_told_once, a_schedule_fires),
)
