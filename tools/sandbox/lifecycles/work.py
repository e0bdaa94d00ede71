"""Batches that are really worked off, evaluations, videos, jobs of a queue."""

import json
from collections import Counter

from tools.operations import find
from tools.sandbox import refusals
from tools.sandbox.lifecycles.lifecycle import Kind, Lifecycle, RefusalError, stamp

_ENDPOINTS = {
    "/v1/chat/completions": "create_chat_completion",
    "/v1/audio/transcriptions": "create_transcription",
    "/v1/audio/translations": "create_translation",
}
_WINDOWS = {"m": 60, "h": 3600, "d": 86400}


class Batch(Kind):
    """Reads the input file and answers each line as the single operation would."""

    name = "batch"
    id_argument = "batch_id"
    course = (("VALIDATING", 60), ("IN_PROGRESS", 1200), ("COMPLETED", 0))
    ended = ("COMPLETED", "FAILED", "EXPIRED", "CANCELLED")
    failed = "FAILED"
    cancelled = (("CANCELLED", 0),)
    operations = {  # noqa: RUF012
        "create_batch": "create",
        "get_batch": "get",
        "list_batches": "entries",
        "cancel_batch": "cancel",
    }

    def accept(self, arguments: dict) -> None:
        name = arguments["body"]["input_file_id"]
        if not self.sandbox.has_file(name):
            message = f"File {name} not found"
            raise RefusalError(404, message, {"error": message})

    def created(self, life: Lifecycle) -> dict:
        problem = self.problem(life)
        if problem:
            self.fail(life, problem, "FAILED", life.since("IN_PROGRESS"))
        window = life.given["body"].get("completion_window", "24h")
        seconds = int(window[:-1]) * _WINDOWS[window[-1]]
        life.kept["deadline"] = life.created + seconds
        if life.course[-1][0] > life.kept["deadline"]:
            life.turn(life.kept["deadline"], ("EXPIRED", 0))
        return {"job": self.show(life)}

    def listed(self, shown: list[dict]) -> list[dict]:
        return shown

    def show(self, life: Lifecycle) -> dict:
        now = self.clock.now()
        state, body = life.state(now), life.given["body"]
        if "model" not in life.kept:  # once: a large file takes its time
            lines = self.lines(life)
            first = next((line["body"].get("model") for line in lines), "")
            life.kept["model"] = first
        shown = {
            "id": life.id,
            "user_id": "sandbox",
            "input_file_id": body["input_file_id"],
            "file_size_bytes": len(self.content(life)),
            "status": state,
            "job_deadline": stamp(life.kept["deadline"]),
            "created_at": stamp(life.created),
            "endpoint": body["endpoint"],
            "progress": round(100 * self.done(life, now), 1),
            "model_id": life.kept["model"],
        }
        if state in self.ended:
            shown["completed_at"] = stamp(life.since(state))
            if state == "FAILED":
                shown["error"] = life.reason
            if state in ("COMPLETED", "EXPIRED"):
                shown |= self.files(life, now)
        return shown

    def done(self, life: Lifecycle, now: float) -> float:
        if life.state(now) == "COMPLETED":
            return 1.0
        start = life.since("IN_PROGRESS")
        if start is None or now <= start:
            return 0.0
        ended = [at for at, state in life.passed(now) if state in self.ended]
        working = min([now, *ended]) - start
        return min(1.0, working / max(self.plan["IN_PROGRESS"], 1e-9))

    def content(self, life: Lifecycle) -> bytes:
        found = self.sandbox.files.get(life.given["body"]["input_file_id"])
        # What was read when the batch was made counts, also when the file goes.
        if "content" not in life.kept:
            life.kept["content"] = found[1] if found else b""
        return life.kept["content"]

    def lines(self, life: Lifecycle) -> list[dict]:
        if self.problem(life):
            return []
        return [json.loads(line) for line in self.content(life).splitlines() if line]

    def problem(self, life: Lifecycle) -> str | None:
        """What makes the whole input file unfit."""
        seen: set[str] = set()
        for number, text in enumerate(self.content(life).splitlines(), 1):
            try:
                line = json.loads(text)
                name, body = line["custom_id"], line["body"]
            except (ValueError, KeyError, TypeError):
                return f"line {number} is not JSON with custom_id and body"
            if not isinstance(name, str) or not 1 <= len(name) <= 64:
                return f"line {number}: custom_id must have 1 to 64 characters"
            if not isinstance(body, dict):
                return f"line {number}: body must be an object"
            if name in seen:
                return f"line {number}: custom_id {name} is there twice"
            seen.add(name)
        return None

    def files(self, life: Lifecycle, now: float) -> dict:
        """The output and the error file, made once."""
        if "files" in life.kept:
            return life.kept["files"]
        lines = self.lines(life)
        answered, refused = [], []
        count = int(len(lines) * self.done(life, now))
        for line in lines[:count]:
            name, found = line["custom_id"], self.respond(life, line)
            if isinstance(found, str):
                error = {"message": found, "code": "400"}
                refused.append({"custom_id": name, "error": error})
            else:
                response = {"status_code": 200, "body": found}
                answered.append({"custom_id": name, "response": response})
        for line in lines[count:]:
            error = {"message": "the batch expired first", "code": "batch_expired"}
            refused.append({"custom_id": line["custom_id"], "error": error})
        # Answers come in any order: so that nobody relies on one.
        kept = life.kept["files"] = {}
        for member, rows in (("output", answered[::-1]), ("error", refused)):
            if rows:
                text = "".join(json.dumps(row) + "\n" for row in rows)
                kept[f"{member}_file_id"] = self.sandbox.store_file(
                    f"{life.id}-{member}.jsonl", text.encode(), "batch-generated"
                )["id"]
        return kept

    def respond(self, life: Lifecycle, line: dict) -> object:
        """The answer to one line, or the words with which it is refused."""
        operation = find(_ENDPOINTS[life.given["body"]["endpoint"]])
        arguments = {"body": line["body"]}
        problem = self.sandbox.problem(operation, arguments)
        if problem:
            return problem[0]
        try:
            if self.sandbox.refuses:
                refusals.check(self.sandbox, operation, arguments)
            return self.sandbox.reply(operation, arguments)
        except RefusalError as refusal:
            return str(refusal)


class Evaluation(Kind):
    name = "evaluation"
    id_argument = "evaluation_id"
    prefix = "eval-"
    course = (("pending", 30), ("queued", 60), ("running", 600), ("completed", 0))
    ended = ("completed", "error", "user_error")
    failed = "error"
    operations = {  # noqa: RUF012
        "create_evaluation": "create",
        "get_evaluation": "get",
        "get_evaluation_status": "status",
        "list_evaluations": "entries",
    }

    def accept(self, arguments: dict) -> None:
        name = arguments["body"]["parameters"]["input_data_file_path"]
        if not self.sandbox.has_file(name):
            raise RefusalError(404, f"File {name} not found")

    def created(self, life: Lifecycle) -> dict:
        return {"workflow_id": life.id, "status": life.state(self.clock.now())}

    def listed(self, shown: list[dict]) -> list[dict]:
        return shown

    def status(self, arguments: dict) -> dict | None:
        shown = self.get(arguments)
        return shown and {key: shown[key] for key in ("status", "results")}

    def show(self, life: Lifecycle) -> dict:
        now = self.clock.now()
        state, results = life.state(now), None
        if state == "completed":
            results = life.kept.setdefault("results", self.results(life))
        elif state in self.ended:
            results = {"error": life.reason}
        body = life.given["body"]
        return {
            "workflow_id": life.id,
            "type": body["type"],
            "owner_id": "sandbox",
            "status": state,
            "status_updates": [
                {"status": name, "message": f"Job {name}", "timestamp": stamp(at)}
                for at, name in life.passed(now)
            ],
            "parameters": body["parameters"],
            "created_at": stamp(life.created),
            "updated_at": stamp(life.passed(now)[-1][0]),
            "results": results,
        }

    def results(self, life: Lifecycle) -> dict:
        """Verdicts that follow from each row's place, and their sums."""
        kind, given = life.given["body"]["type"], life.given["body"]["parameters"]
        stored = self.sandbox.files.get(given["input_data_file_path"])
        lines = stored[1].splitlines() if stored else [b"{}"] * 10
        rows = [json.loads(line) for line in lines if line.strip()]
        sums: dict = {"generation_fail_count": 0, "judge_fail_count": 0}
        if kind == "classify":
            labels = given["labels"]
            marks = [labels[n % len(labels)] for n in range(len(rows))]
            passed = sum(mark in given["pass_labels"] for mark in marks)
            sums |= {
                "invalid_label_count": 0,
                "pass_percentage": 100 * passed / max(1, len(rows)),
                "label_counts": json.dumps(Counter(marks)),
            }
        elif kind == "score":
            low, high = given["min_score"], given["max_score"]
            marks = [low + (high - low) * (n % 5) / 4 for n in range(len(rows))]
            mean = sum(marks) / max(1, len(marks))
            spread = sum((m - mean) ** 2 for m in marks) / max(1, len(marks))
            passed = sum(mark >= given.get("pass_threshold", 0) for mark in marks)
            sums |= {
                "aggregated_scores": {
                    "mean_score": mean,
                    "std_score": spread**0.5,
                    "pass_percentage": 100 * passed / max(1, len(rows)),
                },
                "invalid_score_count": 0,
                "failed_samples": 0,
            }
        else:
            marks = [("A", "B", "Tie")[n % 3] for n in range(len(rows))]
            sums |= {
                "num_samples": len(rows),
                "A_wins": marks.count("A"),
                "B_wins": marks.count("B"),
                "Ties": marks.count("Tie"),
            }
        judged = [
            {**row, "verdict": mark} for row, mark in zip(rows, marks, strict=True)
        ]
        text = "".join(json.dumps(row) + "\n" for row in judged)
        file = self.sandbox.store_file(f"{life.id}.jsonl", text.encode(), "eval-output")
        return {**sums, "result_file_id": file["id"]}


class Video(Kind):
    name = "video"
    id_argument = "video_id"
    course = (("in_progress", 120), ("completed", 0))
    ended = ("completed", "failed", "cancelled")
    failed = "failed"
    operations = {"create_video": "create", "get_video": "get"}  # noqa: RUF012

    def show(self, life: Lifecycle) -> dict:
        body, state = life.given["body"], life.state(self.clock.now())
        shown = {
            "id": life.id,
            "object": "video",
            "model": body["model"],
            "status": state,
            "created_at": int(life.created),
            "size": f"{body.get('width', 1366)}x{body.get('height', 768)}",
            "seconds": str(body.get("seconds", "6")),
        }
        if state in self.ended:
            shown["completed_at"] = int(life.since(state))
        if state == "completed":
            path = f"/sandbox/objects/{life.id}.mp4"
            self.sandbox.objects.setdefault(path, ("video/mp4", clip()))
            url = self.sandbox.url + path
            shown["outputs"] = {"cost": 1, "video_url": url}
        elif state in self.ended:
            shown["error"] = {"code": "generation_failed", "message": life.reason}
        return shown


def clip() -> bytes:
    """The start of an MP4 file, 64 KiB in all: what a player needs to know the type."""
    brands = b"isom\x00\x00\x02\x00isomiso2mp41"
    head = (8 + len(brands)).to_bytes(4, "big") + b"ftyp" + brands
    rest = 65536 - len(head)
    return head + rest.to_bytes(4, "big") + b"mdat" + bytes(rest - 8)


class QueueJob(Kind):
    name = "queue job"
    id_argument = "request_id"
    course = (("pending", 30), ("running", 120), ("done", 0))
    ended = ("done", "failed", "canceled")
    failed = "failed"
    cancelled = (("canceled", 0),)
    operations = {  # noqa: RUF012
        "submit_queue_job": "create",
        "get_queue_job_status": "get",
        "cancel_queue_job": "cancel",
    }

    def created(self, life: Lifecycle) -> dict:
        return {"requestId": life.id}

    def cancel(self, arguments: dict) -> dict | None:
        life = self.find(arguments)
        if life is None:
            return None
        state = life.state(self.clock.now())
        if state != "pending":
            raise RefusalError(409, f"the job is {state}", {"status": state})
        life.turn(self.clock.now(), *self.cancelled)
        return {"status": "canceled"}

    def show(self, life: Lifecycle) -> dict:
        body, state = life.given["body"], life.state(self.clock.now())
        shown = {
            "request_id": life.id,
            "model": body["model"],
            "status": state,
            "priority": body.get("priority", 0),
            "inputs": body["payload"],
            "info": body.get("info", {}),
            "retries": 0,
            "created_at": stamp(life.created),
        }
        if state == "done":
            shown |= {"outputs": body["payload"], "done_at": stamp(life.since("done"))}
        if state == "failed":
            shown["info"] = {**shown["info"], "error": life.reason}
        return shown
