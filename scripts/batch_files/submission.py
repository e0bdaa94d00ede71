"""The batches of input files: each is made once, however often its step runs."""

from __future__ import annotations

from ..client import TogetherError, call
from ..client.asked_for import listed
from ..client.endings import plain_state
from ..client.job import log
from ..job_states import states
from ..operations import operation
from ..table.table import digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..shapes import Auth, Json, Members
    from ..table.table import Table
    from .input_files import InputFile


FILES = operation("files/list_files")
PREPROCESS = operation("files/preprocess_file")
DELETE = operation("files/delete_file")
CREATE = operation("batches/create_batch")
BATCH = operation("batches/get_batch")
BATCHES = operation("batches/list_batches")
USELESS = states("batch", "bad")
KNOWN = states("batch", "every")


def submit_files(
    auth: Auth,
    files: list[InputFile],
    step: str,
    endpoint: str,
    check: Callable[[], None] = lambda: None,
) -> Members:
    """Create the batch of each input file, once however often its step runs; return
    what the step tells of them. `check` comes before anything is created.

    Raises TogetherError; where some batches exist by then, `job_id` names them.
    """
    from ..workspace.create_once import fingerprint_of, once  # only to make batches

    made: list[Members] = []
    stored = StoredFiles(auth)

    for file in files:
        fingerprint = fingerprint_of(
            f"batches/{step}", {"content": file.hashed.hexdigest()}
        )
        name = file.name(fingerprint, alone=len(files) == 1)
        one = Submission(auth, file.place, name, endpoint, stored, check)
        try:
            batch, reattached = once(
                "batch", fingerprint, one.create, one.attach, one.look
            )
        except TogetherError as error:
            if made:
                error.kind, error.job_id = "batch", _with_commas(made, "batch_id")
                error.partial = {"batches": made}
                error.advice = (
                    f"{len(made)} of {len(files)} batches exist. Run the step again "
                    f"with the same rows: it makes the others. {error.advice or ''}"
                ).rstrip()
            raise
        file.place.unlink()  # a large table's files need not all lie there to the end
        made.append(
            {
                "batch_id": batch["id"],
                "input_file_id": batch["input_file_id"],
                "first_row": file.first,
                "rows": file.span,
                "fingerprint": fingerprint,
                "reattached": reattached,
                **({"blank": file.span - file.rows} if file.span > file.rows else {}),
            }
        )
    if len(made) == 1:
        return {name: made[0][name] for name in made[0] if name != "first_row"}
    fingerprints = [one["fingerprint"] for one in made]
    blank = sum(one.get("blank", 0) for one in made)
    return {
        "batch_id": _with_commas(made, "batch_id"),
        "input_file_id": _with_commas(made, "input_file_id"),
        "rows": sum(one["rows"] for one in made),
        "fingerprint": fingerprint_of(f"batches/{step}", {"parts": fingerprints}),
        "reattached": all(one["reattached"] for one in made),
        **({"blank": blank} if blank else {}),
        "batches": made,
    }


def _with_commas(made: list[Members], name: str) -> str:
    """Return the id that stands for several: their own, with commas between them. So
    nothing need be kept, nor looked up, to know what it means."""
    return ",".join(str(one[name]) for one in made)


class ModelChoice:
    """The model of a step whose arguments name none: `earlier` is the one that a run
    with the same input took, as a state says, or None. Raises TogetherError."""

    def __init__(self, step: str, given: Members, table: Table) -> None:
        self.earlier: str | None = None
        self.place: str | None = None
        from ..workspace.create_once import (  # only to make batches
            fingerprint_of,
            state_folder,
        )
        from ..workspace.state import get_state  # only to make batches

        folder = state_folder("intents")
        if given.get("model") or not folder:
            return
        asked = {n: given[n] for n in given if n not in ("rows", "answer_column")}
        asked["head"] = [digest(row) for row in table.first]
        self.place = f"{folder}model_{fingerprint_of(step, asked)}"
        found = get_state(self.place)
        if isinstance(found, dict) and isinstance(found.get("model"), str):
            self.earlier = found["model"]

    def keep(self, model: str) -> None:
        """Let a rerun find the model that is taken now, before a batch is made."""
        if not self.place or model == self.earlier:
            return
        from ..workspace.state import set_state  # only to make batches

        try:
            set_state({"model": model}, self.place)
        except TogetherError as error:
            if error.status not in (401, 403):
                raise
            log(f"a rerun may take another model: {error}")


class StoredFiles:
    """The files at the service, listed once for all submissions of a step."""

    def __init__(self, auth: Auth) -> None:
        self.auth = auth
        self.listed: list[Members] | None = None

    def named(self, name: str) -> list[Members]:
        if self.listed is None:
            names = ("id", "filename", "bytes", "processing_status")
            found = listed(call(self.auth, FILES), "id")
            self.listed = [{k: one.get(k) for k in names} for one in found]
        return [one for one in self.listed if one["filename"] == name]


class Submission:
    """One input file and its batch at the service, found by the file's name."""

    def __init__(
        self,
        auth: Auth,
        place: Path,
        name: str,
        endpoint: str,
        stored: StoredFiles,
        check: Callable[[], None],
    ) -> None:
        self.check = check
        self.auth = auth
        self.stored = stored
        self.place = place
        self.name = name
        self.endpoint = endpoint
        self.files: list[str] | None = None  # the whole ones of that name
        self.begun: list[str] = []  # those that were announced, and are not whole

    def look(self) -> Members | None:
        """Return the batch of an earlier run, or None: of any file of this name, also
        one of another length, as models and signed addresses are."""
        files = [*self.uploaded(), *self.begun]
        if not files:
            return None
        for batch in listed(call(self.auth, BATCHES), "id"):
            if batch.get("input_file_id") in files and is_useful(batch):
                return reference(batch)
        return None

    def attach(self, made: Members) -> Members | None:
        batch = call(self.auth, BATCH, batch_id=made["id"])
        return reference(batch) if is_useful(batch) else None

    def create(self) -> Members:
        self.check()
        files = self.uploaded()
        file_id = files[0] if files else self.resumed() or self.upload()
        self.files = [file_id, *files]  # by which a batch is found whose answer is lost
        body = {"input_file_id": file_id, "endpoint": self.endpoint}
        return reference(job_of(call(self.auth, CREATE, body=body)))

    def uploaded(self) -> list[str]:
        """Return the ids of the files of this name that are complete."""
        if self.files is None:
            named = self.stored.named(self.name)
            whole = [file for file in named if self.is_whole(file)]
            self.files = [file["id"] for file in whole]
            self.begun = [file["id"] for file in named if file not in whole]
        return self.files

    def is_whole(self, file: Members) -> bool:
        size = self.place.stat().st_size
        status = file.get("processing_status")
        return file.get("bytes") == size and status not in ("FAILED", "INVALID_FORMAT")

    def resumed(self) -> str | None:
        """Return the id of a file whose bytes an earlier run sent just before it ended,
        and remove what it had only announced; None where the bytes are to be sent."""
        kept = None
        for file_id in self.begun:
            try:
                file = call(self.auth, PREPROCESS, file_id=file_id)
                if kept is None and self.is_whole(file.get("file", file)):
                    kept = file_id
                    continue
            except TogetherError as error:
                if error.status not in (400, 404, 409, 422):
                    raise
            try:
                call(self.auth, DELETE, file_id=file_id)
            except TogetherError as error:
                log(f"the file {file_id} of an earlier run stays: {error}")
        return kept

    def upload(self) -> str:
        from ..upload.file_upload import store_file  # only where a file goes up

        stored = store_file(
            self.auth, self.place, "batch-api", self.name, "jsonl", check=False
        )
        return stored["id"]


def job_of(answer: Json) -> Members:
    """Return the batch of the answer to its creation, which may be bare. Raises
    TogetherError, `ambiguous`, where none is in it, with the service's words."""
    job = answer.get("job", answer) if isinstance(answer, dict) else None
    if isinstance(job, dict) and isinstance(job.get("id"), str):
        return job
    from ..resilience.server_words import reason_in  # only when something failed

    told = isinstance(answer, dict) and answer.get("warning")
    words = reason_in(told) or reason_in(answer) or "it gives no reason"
    raise TogetherError(
        f"The service did not say which batch it made: {words}.",
        type="invalid_answer",
        partial=answer,
        ambiguous=True,
        advice="Look with batches/list_batches before running the step again.",
    )


def is_useful(batch: Members) -> bool:
    return state_of_batch(batch) not in USELESS


def state_of_batch(batch: Members) -> str:
    """Return a batch's state as the API spells it, a word of ours where it has none."""
    return str(plain_state(batch.get("status"), KNOWN) or "in no state")


def reference(batch: Members) -> Members:
    return {"id": batch["id"], "input_file_id": batch.get("input_file_id")}
