"""Upload files of any size to the service, as its own Python library does.

upload_file   what files/upload_file does
store_file    the same, for steps that have a file in hand

A file is read twice: once to look at it (upload/dataset_check.py) and to know its
length and checksum, once to send it. Up to 5 GiB it goes to one signed address, above
in parts, each of which is tried again alone. What cannot be read from any place at will
goes through temporary files, a part at a time. Protocol and limits are those of
Together's Python library.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import urljoin

from ..client import TogetherError
from ..client.endings import tells_error
from ..client.jsonio import finite
from ..client.request import Request, parse_answer, send_operation
from ..operations import operation
from ..resilience.server_words import reason_in
from ..transfer.file_input import open_file
from ..transfer.file_source import FILE_LIMIT, unreadable
from ..transfer.multipart import form_data
from .dataset_check import Checker
from .multipart_upload import Part, Progress, put, send_parts, unexpected_answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Auth, Json, Members, Operation, Places
    from ..transfer.file_source import Source

OVER = 5 << 30  # bytes; a larger file goes in parts
PART = 250 << 20  # bytes of a part, while there are few enough of them
LEAST = 5 << 20  # bytes of a part
MOST = 250  # parts

REQUEST = operation("files/request_file_upload")
PREPROCESS = operation("files/preprocess_file")
FILE = operation("files/get_file")
INITIATE = operation("files/initiate_multipart_file_upload")
COMPLETE = operation("files/complete_multipart_file_upload")
ABORT = operation("files/abort_multipart_file_upload")
TYPES = ("jsonl", "parquet", "csv")


def upload_file(request: Request) -> Members:
    """Carry out files/upload_file; see store_file."""
    body = request.body
    return store_file(
        request.auth,
        body["file"],
        body["purpose"],
        body["file_name"],
        body.get("file_type"),
        check=request.arguments.get("check", True),
        field="body.file",
    )


def store_file(
    auth: Auth,
    file: Json,
    purpose: str,
    file_name: str | None = None,
    file_type: str | None = None,
    check: bool = True,
    field: str = "file",
    over: int = OVER,
    part: int = PART,
) -> Members:
    """Upload a file in any shape that transfer/file_input.py knows; return the stored
    file.

    The answer is the service's own, and `reused`: whether it had the content already,
    and `dataset`: what the check found, or None. `file_type` follows the name's ending
    where it is not given. Files of more than `over` bytes go in parts of about `part`.
    Raises TogetherError.
    """
    source = open_file(file, field, auth)
    name = file_name or source.named()
    kind = _file_type(name, file_type)
    checker = None
    if check:
        checker = Checker(purpose, kind, field)
    progress = Progress(name, source.length)
    checksum = _look(source, checker, progress)
    dataset = checker.finish() if checker else None
    about = {
        "purpose": purpose,
        "file_name": name,
        "file_type": kind,
        "checksum": checksum,
    }
    try:
        if source.size() > over:
            stored = _in_parts(auth, source, about, part, progress)
        else:
            stored = _at_once(auth, source, about, progress)
        reused = False
    except TogetherError as error:
        file_id = error.file_id
        if error.status != 409 or not file_id:
            raise
        stored, reused = send_operation(auth, FILE, file_id=file_id), True
        progress.say(f"the service has this content already, as {file_id}")
    _check_whole(stored, source.size())
    return {**stored, "reused": reused, "dataset": dataset}


def _check_whole(stored: Members, size: int) -> None:
    """Raise TogetherError where what the service has is not what was sent: an error in
    place of the file, or fewer bytes."""
    held = finite(stored.get("bytes"))
    if tells_error(stored):
        words = f"it ends in an error: {reason_in(stored) or 'no reason is given'}"
    elif held and held != size:  # 0 or nothing: it has not been counted yet
        words = f"the service has {held:g} bytes of the {size} that were sent"
    else:
        return
    error = unexpected_answer(words)
    error.file_id, error.partial = stored.get("id"), stored
    raise error


def _file_type(name: str, given: str | None) -> str:
    """Return jsonl, parquet or csv, by what is said and by the name's ending."""
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    told = ending if ending in TYPES else None
    if given and told and given != told:
        raise TogetherError.refused(
            "file_type", f"is {given}, but the name {name!r} ends in .{told}"
        )
    return given or told or "jsonl"


def _look(source: Source, checker: Checker | None, progress: Progress) -> str:
    """Read a file to its end; return its SHA-256. Its length is known then."""
    digest = hashlib.sha256()
    length = 0
    for block in source.blocks():
        digest.update(block)
        length += len(block)
        if length > FILE_LIMIT:
            raise TogetherError.refused(
                source.field, f"is too large: at most {FILE_LIMIT} bytes fit"
            )
        if checker:
            checker.feed(block)
        progress.read(length)
    if source.length not in (None, length):
        words = f"{source.length} bytes were announced, {length} came"
        raise unreadable(source.field, words)
    source.length = length
    return digest.hexdigest()


# --- at once -----------------------------------------------------------------------


def _at_once(auth: Auth, source: Source, about: Members, progress: Progress) -> Members:
    found = _announce(auth, about)
    location = found.get("location")
    file_id = _safe_id(found.get("file_id"))
    if not (isinstance(location, str) and location):
        raise unexpected_answer("it does not say where the bytes shall go")
    progress.expect(source.size())
    body = Part(source, 0, source.size(), progress, about["checksum"])
    put(auth, location, body, {}, "the signed address of the file")
    progress.say(f"{source.length} bytes are stored as {file_id}")
    return _call_or_look(auth, PREPROCESS, file_id, file_id=file_id)


def _announce(auth: Auth, about: Members) -> Members:
    """Tell the service of the file that comes; return where its bytes shall go."""
    request = Request(auth, REQUEST, {"body": about})
    data, request.headers["Content-Type"] = form_data(request)
    request.carry(data)
    found = parse_answer(request, request.send())
    if not isinstance(found, dict):
        raise unexpected_answer("it is no object")
    if isinstance(found.get("location"), str):  # RFC 9110, 10.2.2: it may be relative
        own = request.base + request.target
        try:
            found["location"] = urljoin(own, found["location"])
        except ValueError:
            raise unexpected_answer("where the bytes shall go is no address") from None
    return found


def _is_begun(file: Members) -> bool:
    """Say whether the service has begun to look at a file, or has done so."""
    status = file.get("processing_status")
    return bool(file.get("Processed")) or status not in (None, "", "PENDING")


def _call_or_look(
    auth: Auth, table: Operation, known: str, **arguments: Json
) -> Members:
    """Make a call that may be made twice; where its answer is lost, look at the file.

    The bytes are up there: a connection that breaks now must not lose them. Whoever
    catches the error sees in `ambiguous` whether it may have been carried out.
    """
    try:
        found = send_operation(auth, table, **arguments)
    except TogetherError as error:
        error.file_id = known
        if not error.ambiguous:
            raise
        try:
            found = _file_state(auth, FILE, known)
            if not _is_begun(found):
                found = send_operation(auth, table, **arguments)
        except TogetherError:
            raise error from None
    if not isinstance(found, dict):
        found = _file_state(auth, FILE, known)
    # A member that would mean something to Windmill has got a _ by now.
    file = found.get("file_", found.get("file"))
    file = file if isinstance(file, dict) else found
    return file if isinstance(file.get("id"), str) else {**file, "id": known}


def _file_state(auth: Auth, table: Operation, known: str) -> Members:
    """Return the answer to a question about a file; an empty object for no object."""
    found = send_operation(auth, table, file_id=known)
    if isinstance(found, dict):
        return found
    error = unexpected_answer("what it says of the file is no object")
    error.file_id = known
    raise error


def _safe_id(file_id: Json) -> str:
    text = str(file_id or "")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", text):
        raise unexpected_answer(f"{text[:60]!r} is no file id")
    return text


# --- in parts ----------------------------------------------------------------------


def part_size(length: int, part: int = PART) -> int:
    """Return the bytes of each part but the last, which may be smaller."""
    if length <= part:
        return length
    count = min(MOST, _ceil(length, part))
    return max(_ceil(length, count), LEAST)


def _ceil(number: int, by: int) -> int:
    return -(-number // by)


def _in_parts(
    auth: Auth, source: Source, about: Members, part: int, progress: Progress
) -> Members:
    length = source.size()
    size = part_size(length, part)
    count = _ceil(length, size)
    begun = send_operation(
        auth,
        INITIATE,
        body={**about, "file_size": source.length, "num_parts": count},
    )
    if not isinstance(begun, dict):
        raise unexpected_answer("it is no object")
    upload_id, file_id = begun.get("upload_id"), _safe_id(begun.get("file_id"))
    if not isinstance(upload_id, str) or not upload_id:
        raise unexpected_answer("it names no upload")
    handle = {"upload_id": upload_id, "file_id": file_id}
    try:
        places = _places(begun.get("parts"), count)
        tags = send_parts(auth, source, size, places, progress, about["checksum"])
        parts = [{"part_number": n, "etag": tags[n]} for n in sorted(tags)]
        return _call_or_look(auth, COMPLETE, file_id, body={**handle, "parts": parts})
    except BaseException as error:
        if not (isinstance(error, TogetherError) and error.ambiguous):
            try:
                send_operation(auth, ABORT, body=handle)
            except TogetherError as other:
                progress.say(f"the upload {upload_id} could not be given up: {other}")
        raise


def _places(parts: Json, count: int) -> Places:
    """Return {part number: (address, headers)}, from either spelling."""
    places: Places = {}
    for part in parts if isinstance(parts, list) else ():
        if not isinstance(part, dict):
            continue
        number = part.get("PartNumber", part.get("part_number"))
        address = part.get("URL", part.get("UploadURL", part.get("url")))
        headers = part.get("Headers", part.get("headers")) or {}
        if not (isinstance(number, int) and isinstance(headers, dict)):
            continue
        if isinstance(address, str) and address:
            places[number] = address, headers
    if set(places) != set(range(1, count + 1)):
        raise unexpected_answer(f"it names {len(places)} addresses for {count} parts")
    return places
