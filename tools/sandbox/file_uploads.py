"""The sandbox's part of storing files by signed addresses: see
scripts/upload/file_upload.py.

A file is announced and gets an address, or several for its parts; once its bytes are
there and it is announced as complete, it is a file like any other. Content that is
there already is not taken again. While nothing was announced, the operations give their
canned answers.
"""

import hashlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response

from tools.operations import Operation
from tools.sandbox.signed_storage import SignedStorage

if TYPE_CHECKING:
    from tools.sandbox import Sandbox

HELD = 256 << 20  # bytes up to which the sandbox keeps what a file holds


@dataclass
class Coming:
    """A file whose bytes are on their way."""

    file_id: str
    checksum: str
    purpose: str
    size: int | None = None  # as announced
    upload: str = ""

    @property
    def name(self) -> str:
        """What its object in the storage is called."""
        return f"files/{self.file_id}"


class FileUploads:
    """Files that come by signed addresses, and the storage that takes them."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self.sandbox = sandbox
        self.keep = True
        self._storage: SignedStorage | None = None
        self.forget()

    def forget(self) -> None:
        """Nothing was announced."""
        self.coming: dict[str, Coming] = {}
        self.known: dict[tuple[str, str], str] = {}  # checksum, purpose: file id
        # Not emptied but replaced: a request of before, whose client is gone, may still
        # be on its way to the old one.
        self.close()

    @property
    def storage(self) -> SignedStorage:
        """The storage, started when it is first needed."""
        if self._storage is None:
            self._storage = SignedStorage(self.keep, **self.place()).__enter__()
        return self._storage

    def place(self) -> dict:
        """Where the storage is: beside a sandbox that other machines reach, at the next
        port."""
        if not self.sandbox.reached_at:
            return {}
        parts = urlsplit(self.sandbox.url)
        port = (parts.port or 80) + 1
        listening = self.sandbox.port + 1
        url = f"{parts.scheme}://{parts.hostname}:{port}"
        return {"host": self.sandbox.host, "port": listening, "reached_at": url}

    def close(self) -> None:
        if self._storage:
            self._storage.__exit__()
            self._storage = None

    def serve(self, operation: Operation, arguments: dict) -> Response | None:
        """The answer to one of the operations; None: the canned one."""
        served = {
            "request_file_upload": self.request,
            "initiate_multipart_file_upload": self.initiate,
            "preprocess_file": self.preprocess,
            "complete_multipart_file_upload": self.complete,
            "abort_multipart_file_upload": self.abort,
        }.get(operation.name)
        return served(arguments) if served else None

    def announce(self, given: dict) -> Coming | Response:
        """A new file that is empty so far; a refusal where its content is known."""
        known = self.known.get((given.get("checksum", ""), given["purpose"]))
        if known in self.sandbox.files:
            return JSONResponse({"file_id": known}, 409)
        record = self.sandbox.store_file(
            given["file_name"], b"", given["purpose"], given["file_type"]
        )
        record |= {"Processed": False, "processing_status": "PENDING"}
        coming = Coming(record["id"], given.get("checksum", ""), given["purpose"])
        self.coming[coming.file_id] = coming
        return coming

    def request(self, arguments: dict) -> Response:
        coming = self.announce(arguments["body"])
        if isinstance(coming, Response):
            return coming
        location = self.storage.sign(coming.name)
        headers = {"location": location, "x-together-file-id": coming.file_id}
        return Response(status_code=302, headers=headers)

    def initiate(self, arguments: dict) -> Response:
        given = arguments["body"]
        coming = self.announce(given)
        if isinstance(coming, Response):
            return coming
        coming.size, coming.upload = given["file_size"], f"upload-{uuid.uuid4()}"
        addresses = self.storage.sign_parts(
            coming.name, coming.upload, given["num_parts"]
        )
        parts = [
            {"PartNumber": number, "URL": address, "Headers": {"x-part": str(number)}}
            for number, address in enumerate(addresses, 1)
        ]
        answer = {"upload_id": coming.upload, "file_id": coming.file_id}
        return JSONResponse({**answer, "parts": parts})

    def preprocess(self, arguments: dict) -> Response | None:
        coming = self.coming.get(arguments["file_id"])
        if coming is None:
            return None
        if coming.name not in self.storage.sizes:
            return _error(400, "the bytes of this file have not come")
        return self.take(coming, "QUEUED")

    def complete(self, arguments: dict) -> Response | None:
        given = arguments["body"]
        coming = self.coming.get(given["file_id"])
        if coming is None:
            return None if not self.coming else _error(404, "there is no such upload")
        tags = {part["part_number"]: part["etag"] for part in given["parts"]}
        try:
            size = self.storage.join(coming.name, given["upload_id"], tags)
        except (KeyError, ValueError) as error:
            return _error(400, f"the upload is not complete: {error}")
        if size != coming.size:
            return _error(400, f"{coming.size} bytes were announced, {size} came")
        return self.take(coming, "PENDING")

    def abort(self, arguments: dict) -> Response | None:
        given = arguments["body"]
        coming = self.coming.pop(given["file_id"], None)
        if coming is None:
            return None
        self.storage.drop(coming.name, coming.upload)
        del self.sandbox.files[coming.file_id]
        return Response(status_code=204)

    def take(self, coming: Coming, status: str) -> Response:
        """Make it a file like any other, if it is what was announced."""
        size = self.storage.sizes[coming.name]
        held = self.storage.keep and size <= HELD
        content = self.storage.read(coming.name) if held else b""
        if held and coming.checksum not in ("", hashlib.sha256(content).hexdigest()):
            return _error(400, "the checksum is not that of the bytes that came")
        record, _ = self.sandbox.files[coming.file_id]
        self.known[coming.checksum, coming.purpose] = coming.file_id
        del self.coming[coming.file_id]
        done = {"bytes": size, "Processed": True, "processing_status": "COMPLETED"}
        self.sandbox.files[coming.file_id] = {**record, **done}, content
        answer = {**record, "bytes": size, "processing_status": status}
        if status == "PENDING":
            answer = {"file": answer}
        return JSONResponse(answer)


def _error(status: int, message: str) -> Response:
    error = {"message": message, "type": "invalid_request_error"}
    return JSONResponse({"error": {**error, "param": None, "code": None}}, status)
