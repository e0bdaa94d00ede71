"""Fine-tunes, reinforcement learning, and the shaping of models."""

import json
import math

from tools.models import model
from tools.sandbox.lifecycles.lifecycle import Kind, Lifecycle, RefusalError, stamp

_STEP_ROWS = 16  # rows to a step of the sandbox's training


class FineTune(Kind):
    name = "fine-tune"
    id_argument = "fine_tune_id"
    prefix = "ft-"
    course = (
        ("pending", 60),
        ("queued", 300),
        ("running", 7200),
        ("compressing", 300),
        ("uploading", 300),
        ("completed", 0),
    )
    ended = ("cancelled", "error", "user_error", "completed")
    failed = "error"
    cancelled = (("cancel_requested", 30), ("cancelled", 0))
    operations = {  # noqa: RUF012
        "create_fine_tune": "create",
        "get_fine_tune": "get",
        "list_fine_tunes": "entries",
        "cancel_fine_tune": "cancel",
        "delete_fine_tune": "delete",
        "list_fine_tune_events": "events",
        "list_fine_tune_metrics": "metrics",
        "list_fine_tune_checkpoints": "checkpoints",
    }

    def accept(self, arguments: dict) -> None:
        for name in ("training_file", "validation_file"):
            file = arguments["body"].get(name)
            if file and not self.sandbox.has_file(file):
                raise RefusalError(404, f"File {file} not found")
        if arguments["body"].get("n_epochs", 1) < 1:
            raise RefusalError(400, "n_epochs must be 1 or more")

    def created(self, life: Lifecycle) -> dict:
        shown = self.show(life)
        return {key: value for key, value in shown.items() if key != "events"}

    def deleted(self, life: Lifecycle) -> dict:
        return {"message": f"Fine-tune {life.id} deleted"}

    def show(self, life: Lifecycle) -> dict:
        now, body = self.clock.now(), life.given["body"]
        state, rows = life.state(now), self.rows(life)
        base = body.get("model") or "base"
        name = f"{base.split('/')[-1]}-{body.get('suffix') or 'tuned'}-{life.id[-8:]}"
        training = body.get("training_type") or {}
        shown = {
            "id": life.id,
            "status": state,
            "user_id": "sandbox",
            "training_file": body["training_file"],
            "validation_file": body.get("validation_file", ""),
            "packing": body.get("packing", True),
            "max_seq_length": body.get("max_seq_length", 8192),
            "model": base,
            "model_output_name": f"sandbox/{name}",
            "suffix": body.get("suffix", ""),
            "trainingfile_numlines": rows,
            "trainingfile_size": len(self.content(life)),
            "created_at": stamp(life.created),
            "updated_at": stamp(life.passed(now)[-1][0]),
            "n_epochs": self.epochs(life),
            "n_checkpoints": body.get("n_checkpoints", 1),
            "n_evals": body.get("n_evals", 0),
            "batch_size": body.get("batch_size", "max"),
            "learning_rate": body.get("learning_rate", 1e-5),
            "warmup_ratio": body.get("warmup_ratio", 0),
            "max_grad_norm": body.get("max_grad_norm", 1),
            "weight_decay": body.get("weight_decay", 0),
            "training_method": body.get("training_method")
            or {"method": "sft", "train_on_inputs": "auto"},
            "training_type": {"lora_r": 32, "lora_alpha": 64, **training}
            if training.get("type", "Lora") == "Lora"
            else training,
            "token_count": self.tokens(life),
            "total_price": math.ceil(self.tokens(life) * 0.5e-6 * 1e9),
            "epochs_completed": self.step(life) * self.epochs(life) // self.steps(life),
            "queue_depth": 1 if state == "queued" else 0,
            "events": self.history(life),
            "progress": {
                "estimate_available": state == "running",
                "seconds_remaining": max(0, int(life.course[-1][0] - now)),
            },
        }
        if life.since("running") and now >= life.since("running"):
            shown["started_at"] = stamp(life.since("running"))
        if state == "completed":
            # A finished fine-tune is a model of the project, and an adapter beside it.
            shown["model_object_id"] = f"ml_{life.id[-12:]}"
            if training.get("type", "Lora") == "Lora":
                shown["adapter_object_id"] = f"ml_{life.id[-12:]}a"
        return shown

    def content(self, life: Lifecycle) -> bytes:
        stored = self.sandbox.files.get(life.given["body"]["training_file"])
        return life.kept.setdefault("content", stored[1] if stored else b"")

    def rows(self, life: Lifecycle) -> int:
        return sum(bool(line.strip()) for line in self.content(life).splitlines())

    def epochs(self, life: Lifecycle) -> int:
        return life.given["body"].get("n_epochs", 1)

    def tokens(self, life: Lifecycle) -> int:
        """About one token in four characters, in each epoch."""
        return len(self.content(life)) // 4 * self.epochs(life)

    def steps(self, life: Lifecycle) -> int:
        return max(4, math.ceil(self.rows(life) / _STEP_ROWS)) * self.epochs(life)

    def step(self, life: Lifecycle) -> int:
        """How many steps of the training are done."""
        return int(self.steps(life) * life.share("running", self.clock.now()))

    def history(self, life: Lifecycle) -> list[dict]:
        """The events so far, each of the state that it belongs to."""
        now, steps = self.clock.now(), self.steps(life)
        found = []

        def event(at: float, kind: str, message: str, **more: object) -> None:
            if at <= now:
                level = "error" if kind == "job_error" else "info"
                head = {"object": "fine-tune-event", "created_at": stamp(at)}
                tail = {"training_offset": 0, "hash": "", "total_steps": steps}
                said = {"level": level, "message": message, "type": kind}
                found.append({**head, **said, "step": 0, **tail, **more})

        texts = {
            "pending": ("job_pending", "Fine-tune job created"),
            "running": ("training_start", "Training started"),
            "compressing": ("model_compressing", "Compressing the model"),
            "uploading": ("model_uploading", "Uploading the model"),
            "completed": ("job_complete", "Job finished"),
            "cancel_requested": ("cancel_requested", "Cancellation asked for"),
            "cancelled": ("job_stopped", "Job cancelled"),
        }
        for number, (at, state) in enumerate(life.course):
            if state in ("error", "user_error"):
                event(at, "job_error", life.reason or "unknown error")
            elif state in texts:
                event(at, *texts[state])
            if state == "running":
                for saved in self.checkpoint_steps(life):
                    when = at + (life.course[number + 1][0] - at) * saved / steps
                    text = f"Checkpoint saved at step {saved}"
                    event(when, "checkpoint_save", text, step=saved)
        return sorted(found, key=lambda entry: entry["created_at"])

    def checkpoint_steps(self, life: Lifecycle) -> list[int]:
        count = life.given["body"].get("n_checkpoints", 1)
        return [self.steps(life) * (n + 1) // count for n in range(count)]

    def events(self, arguments: dict) -> dict | None:
        life = self.find(arguments)
        return life and {"data": self.history(life)}

    def checkpoints(self, arguments: dict) -> dict | None:
        life = self.find(arguments)
        if life is None:
            return None
        saved = [e for e in self.history(life) if e["type"] == "checkpoint_save"]
        name = self.show(life)["model_output_name"]
        return {
            "data": [
                {
                    "step": entry["step"],
                    "created_at": entry["created_at"],
                    "path": f"s3://sandbox/{life.id}/step_{entry['step']}",
                    "checkpoint_type": f"Intermediate (step {entry['step']})",
                    "checkpoint": "adapter",
                    "object_id": None,
                    "object_name": name,
                    "object_revision_id": None,
                }
                for entry in saved
            ]
        }

    def metrics(self, arguments: dict) -> dict | None:
        """Losses that fall as losses do, the validation's where there is one."""
        life = self.find(arguments)
        if life is None:
            return None
        steps, rows = self.steps(life), []
        every = max(1, steps // max(1, life.given["body"].get("n_evals") or 1))
        first = arguments.get("global_step_from", 1)
        last = min(self.step(life), arguments.get("global_step_to", steps))
        for step in range(first, last + 1):
            loss = 0.6 + 1.4 * math.exp(-4 * step / steps)
            rate = life.given["body"].get("learning_rate", 1e-5)
            row = {
                "train/global_step": step,
                "train/loss": round(loss, 4),
                "train/learning_rate": rate * (1 - step / steps),
            }
            if life.given["body"].get("validation_file") and step % every == 0:
                row["eval/loss"] = round(loss * 1.08, 4)
            rows.append(row)
        most = arguments.get("resolution") or len(rows) or 1
        return {"metrics": rows[:: max(1, math.ceil(len(rows) / most))]}


class ShapingJob(Kind):
    name = "shaping job"
    id_argument = "job_id"
    prefix = "shp-quant-"
    course = (("pending", 30), ("queued", 60), ("running", 1800), ("completed", 0))
    ended = ("cancelled", "error", "user_error", "completed")
    failed = "error"
    cancelled = (("cancel_requested", 30), ("cancelled", 0))
    operations = {  # noqa: RUF012
        "create_fp4_preparation": "create",
        "get_shaping_job": "get",
        "list_shaping_jobs": "entries",
        "cancel_shaping_job": "cancel",
        "list_shaping_job_events": "events",
    }

    def listed(self, shown: list[dict]) -> dict:
        return {"data": shown, "object": "list"}

    def history(self, life: Lifecycle) -> list[dict]:
        return [
            {
                "created_at": stamp(at),
                "level": "Error" if state == self.failed else "Info",
                "message": life.reason if state == self.failed else state,
                "object": "shaping",
                "type": f"SHAPING_{state.upper()}",
                "hash": "",
            }
            for at, state in life.passed(self.clock.now())
        ]

    def events(self, arguments: dict) -> dict | None:
        life = self.find(arguments)
        return life and {"data": self.history(life), "object": "list"}

    def show(self, life: Lifecycle) -> dict:
        now, inputs = self.clock.now(), life.given["body"]["inputs"]
        shown = {
            "id": life.id,
            "created_at": stamp(life.created),
            "updated_at": stamp(life.passed(now)[-1][0]),
            "events": self.history(life),
            "job_type": "quantization",
            "params": {"inputs": inputs},
            "status": life.state(now),
            "user_id": "sandbox",
        }
        if shown["status"] == "completed":
            shown["results"] = {"model_object_id": f"{inputs['model_object_id']}-fp4"}
        return shown


class TrainingOperation(Kind):
    """One operation of a training session; a repeated key brings back the first."""

    name = "training operation"
    id_argument = "operation_id"
    course = (
        ("TRAINING_OPERATION_STATUS_PENDING", 1),
        ("TRAINING_OPERATION_STATUS_RUNNING", 4),
        ("TRAINING_OPERATION_STATUS_COMPLETED", 0),
    )
    ended = (
        "TRAINING_OPERATION_STATUS_COMPLETED",
        "TRAINING_OPERATION_STATUS_FAILED",
    )
    failed = "TRAINING_OPERATION_STATUS_FAILED"
    operations = {  # noqa: RUF012
        f"{verb}_{name}": method
        for name in (
            "forward_backward",
            "custom_forward_backward",
            "sample",
            "optim_step",
            "weights_sync",
            "training_checkpoint",
            "inference_checkpoint",
        )
        for verb, method in (("create", "once"), ("get", "get"))
    }

    def once(self, arguments: dict) -> object:
        key = arguments.get("idempotency_key")
        if not key:
            raise RefusalError(400, "Idempotency-Key is required")
        for life in self.lives.values():
            if life.given["idempotency_key"] == key:
                if life.given != arguments:
                    raise RefusalError(409, "the key was used with another body")
                return self.show(life)
        return self.create(arguments)

    def show(self, life: Lifecycle) -> dict:
        state = life.state(self.clock.now())
        shown = {"id": life.id, "status": state}
        if state == self.failed:
            code = "TRAINING_OPERATION_ERROR_CODE_INTERNAL_ERROR"
            shown["error"] = {"code": code, "message": life.reason}
        elif state in self.ended:
            body = json.dumps(life.given.get("body") or {})
            shown["output"] = {"metrics": {"bytes": float(len(body))}}
            if "samples" in (life.given.get("body") or {}):
                shown["output"]["loss"] = 0.5
        return shown


class TrainingSession(Kind):
    name = "training session"
    id_argument = "session_id"
    course = (
        ("TRAINING_SESSION_STATUS_CREATING", 60),
        ("TRAINING_SESSION_STATUS_RUNNING", 0),
    )
    ended = (
        "TRAINING_SESSION_STATUS_STOPPED",
        "TRAINING_SESSION_STATUS_ERROR",
        "TRAINING_SESSION_STATUS_EXPIRED",
    )
    failed = "TRAINING_SESSION_STATUS_ERROR"
    cancelled = (
        ("TRAINING_SESSION_STATUS_STOPPING", 30),
        ("TRAINING_SESSION_STATUS_STOPPED", 0),
    )
    operations = {  # noqa: RUF012
        "create_training_session": "create",
        "get_training_session": "get",
        "list_training_sessions": "entries",
        "stop_training_session": "cancel",
    }

    def listed(self, shown: list[dict]) -> dict:
        return {"data": shown, "meta": {"limit": len(shown), "has_more": False}}

    def show(self, life: Lifecycle) -> dict:
        now, body = self.clock.now(), life.given["body"]
        shown = {
            "id": life.id,
            "status": life.state(now),
            "base_model": model("chat"),
            "model_resources_id": body["model_resources_id"],
            "display_name": body.get("display_name", ""),
            "step": "0",
            "inference_checkpoints": [],
            "training_checkpoints": [],
            "lora_config": body.get("lora_config", {}),
            "metadata": body.get("metadata", {}),
            "created_by": "sandbox",
            "created_at": stamp(life.created),
            "updated_at": stamp(life.passed(now)[-1][0]),
            "error": None,
        }
        if self.broken(life):
            shown["error"] = {
                "code": "TRAINING_SESSION_ERROR_CODE_RESOURCE_UNAVAILABLE",
                "message": life.reason,
                "occurred_at": stamp(life.course[-1][0]),
            }
        return shown


class ModelResources(Kind):
    name = "model resources"
    id_argument = "model_resources_id"
    course = (
        ("MODEL_RESOURCES_STATUS_PENDING", 60),
        ("MODEL_RESOURCES_STATUS_CREATING", 300),
        ("MODEL_RESOURCES_STATUS_READY", 0),
    )
    ended = ("MODEL_RESOURCES_STATUS_STOPPED", "MODEL_RESOURCES_STATUS_ERROR")
    failed = "MODEL_RESOURCES_STATUS_ERROR"
    cancelled = (
        ("MODEL_RESOURCES_STATUS_STOPPING", 30),
        ("MODEL_RESOURCES_STATUS_STOPPED", 0),
    )
    operations = {  # noqa: RUF012
        "create_model_resources": "create",
        "get_model_resources": "get",
        "list_model_resources": "entries",
        "stop_model_resources": "cancel",
    }

    listed = TrainingSession.listed

    def show(self, life: Lifecycle) -> dict:
        now, body = self.clock.now(), life.given["body"]
        shown = {
            "id": life.id,
            "base_model": body["base_model"],
            "compute_config": body.get("compute_config", {}),
            "created_at": stamp(life.created),
            "created_by": "sandbox",
            "inactive_timeout": body.get("inactive_timeout", 60),
            "lora_enabled": body.get("lora_enabled", True),
            "optimizer_config": body.get("optimizer_config", {}),
            "status": life.state(now),
            "updated_at": stamp(life.passed(now)[-1][0]),
        }
        if self.broken(life):
            shown["error"] = {
                "code": "MODEL_RESOURCES_ERROR_CODE_CAPACITY_WAIT_TIMEOUT",
                "message": life.reason,
                "occurred_at": stamp(life.course[-1][0]),
            }
        return shown
