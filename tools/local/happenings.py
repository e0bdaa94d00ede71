"""Things at Together and in a workspace that change, so that triggers have something to
tell: by the sandbox and the stand-in for a workspace.
"""

import datetime
import importlib
import json
from collections.abc import Callable

from tools.local.fake_workspace import Workspace
from tools.models import retired
from tools.operations import Operation, find
from tools.sandbox import Sandbox
from tools.sandbox.lifecycles import Lifecycles

GONE = sorted(retired())[0]
CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


def _main(operation: Operation) -> Callable:
    module = importlib.import_module(f"scripts.{operation.group}.{operation.name}")
    return module.main


def batch(auth: dict, sandbox: Sandbox) -> str:
    """Create a batch of one row; its id."""
    line = json.dumps({"custom_id": "a", "body": CHAT}) + "\n"
    file = sandbox.store_file("in.jsonl", line.encode(), "batch-api")["id"]
    body = {"endpoint": "/v1/chat/completions", "input_file_id": file}
    return _main(find("create_batch"))(auth, body=body)["job"]["id"]


def fine_tune(auth: dict) -> str:
    """Create a fine-tune; its id."""
    body = {"training_file": "file-1", "model": "m", "suffix": "mine"}
    return _main(find("create_fine_tune"))(auth, body=body)["id"]


def evaluation(auth: dict) -> str:
    """Create an evaluation; its id."""
    example = find("create_evaluation").schema["examples"][0]
    return _main(find("create_evaluation"))(auth, **example)["workflow_id"]


def catalogue(sandbox: Sandbox, **models: str) -> None:
    """Let the sandbox list models: id and status."""
    entry = find("list_supported_models").schema["x-reply"]["data"][0]
    sandbox.answers["list_supported_models"] = lambda _: {
        "data": [
            {
                **entry,
                "serverlessEndpoint": name,
                "status": f"SUPPORTED_MODEL_STATUS_{status}",
            }
            for name, status in models.items()
        ],
        "next_cursor": None,
    }


def spent(sandbox: Sandbox, *costs: float) -> None:
    """Let the sandbox bill this: one entry a product, today."""

    def answer(arguments: dict) -> dict:
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        items = [
            {"product_name": f"p{number}", "cost": str(cost)}
            for number, cost in enumerate(costs)
        ]
        return {"data": [{"date": today, "line_items": items}], "next_cursor": None}

    sandbox.answers["list_billing_usage"] = answer


def deployed(sandbox: Sandbox, **requests: int | str) -> None:
    """Let the sandbox have deployments: name and requests in the last hour."""
    reply = find("get_project_endpoint").schema["x-reply"]
    one = reply["deployments"][0]
    sandbox.answers["list_project_endpoints"] = lambda _: {
        "data": [
            {
                **reply,
                "id": "ep_1",
                "deployments": [{**one, "id": name} for name in requests],
            }
        ],
        "next_cursor": None,
    }
    sandbox.answers["get_project_endpoint_analytics"] = lambda arguments: {
        "deploymentAnalytics": [
            {
                "deploymentId": name,
                "metrics": {"requestMetrics": {"totalRequests": str(count)}},
            }
            for name, count in requests.items()
            if name == arguments["deploymentId"]
        ]
    }


def measured(sandbox: Sandbox, **depths: float) -> None:
    """Let dedicated inference tell how many requests wait, by deployment."""
    organization = find("get_identity").schema["x-reply"]["organization"]["id"]
    lines = [
        f'queue_depth{{deployment="{name}"}} {depth}\n'
        for name, depth in depths.items()
    ]
    text = "".join(["# TYPE queue_depth gauge\n", *lines])
    sandbox.objects[f"/organizations/{organization}/metrics"] = (
        "text/plain; version=0.0.4",
        text.encode(),
    )


class World:
    """Things at Together that change: for each trigger, how they are made to."""

    def __init__(
        self, sandbox: Sandbox, lives: Lifecycles, auth: dict, workspace: Workspace
    ) -> None:
        self.sandbox, self.lives, self.auth = sandbox, lives, auth
        self.workspace = workspace
        self.count = 0

    def before(self, name: str) -> None:
        """How things are when the first run comes; something is there already."""
        if name == "model_changed":
            catalogue(self.sandbox, old="SUPPORTED")
        elif name == "spend_over_limit":
            spent(self.sandbox, 1)
        elif name == "endpoint_idle":
            deployed(self.sandbox, busy=5)
        elif name == "retired_model_used":
            pass  # whatever there is, is told by the first run
        elif name == "metric_over_limit":
            measured(self.sandbox, busy=5)
        else:
            self.change(name)

    def change(self, name: str) -> list[str]:
        """Let one thing happen; return what a trigger must tell of it."""
        self.count += 1
        if name == "batch_finished":
            made = batch(self.auth, self.sandbox)
            self.lives.advance(3600)
            return [made]
        if name == "list_new_objects":
            self.workspace.put(f"inbox/{self.count}.csv", b"text\nx\n")
            return [f"inbox/{self.count}.csv"]
        if name == "fine_tune_changed":
            return [fine_tune(self.auth)]
        if name == "evaluation_changed":
            return [evaluation(self.auth)]
        if name == "model_changed":
            names = [f"new{number}" for number in range(self.count)]
            catalogue(
                self.sandbox, old="SUPPORTED", **dict.fromkeys(names, "SUPPORTED")
            )
            return [names[-1]]
        if name == "endpoint_idle":
            names = [f"dep{number}" for number in range(self.count)]
            deployed(self.sandbox, busy=5, **dict.fromkeys(names, 0))
            return [f"ep_1/{names[-1]}"]
        if name == "retired_model_used":
            path = f"u/me/daily{self.count}"
            self.workspace.schedules[path] = {"args": {"model": GONE}}
            return [f"schedule|{path}|args.model|{GONE}"]
        if name == "metric_over_limit":
            names = [f"dep{number}" for number in range(self.count)]
            measured(self.sandbox, busy=5, **dict.fromkeys(names, 21))
            return [f"queue_depth{{deployment='{names[-1]}'}}"]
        spent(self.sandbox, 1000 * self.count)
        return ["period"]
