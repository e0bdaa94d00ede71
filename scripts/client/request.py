"""One operation with its arguments: made, sent until answered, its answer read.

This needs no module above this one: what files and storage need is passed in by the
verbs (calls.py).
"""

from __future__ import annotations

import json
import math
import os
import threading
import time
from urllib.parse import quote, quote_plus

from ..operations import operation
from .endings import ERROR_MEMBERS, ending, is_error, tells_error
from .errors import TogetherError
from .form import checked_arguments
from .job import check_worker, log
from .jsonio import parse_json
from .resource import HOST, credentials, may_hold_key, without_key
from .transport import (
    CONNECT_TIMEOUT,
    MIB,
    USER_AGENT,
    Reply,
    faults,
    http_exchange,
    read_until,
    read_whole,
)
from .validate import FileValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Unpack

    from ..shapes import (
        Auth,
        Carried,
        Facts,
        Fault,
        Json,
        Members,
        Operation,
        Response,
        RetryClass,
        WithFiles,
    )

SEND_TIMEOUT = 60.0  # for the next piece of a large body
# Seconds of silence after which an answer is given up, by retry class: a model may
# think for minutes before the first byte of an answer that is not streamed.
READ_TIMEOUT = {"read": 60.0, "inference": 600.0, "creates": 120.0, "mutates": 120.0}
# Seconds after which an answer must be complete, however slowly it comes.
MOST_SECONDS = {"read": 300.0, "inference": 3600.0, "creates": 600.0, "mutates": 600.0}
DEADLINE = 900.0  # no new try starts after this many seconds


class Request:
    """One operation with its arguments: where it goes, what it says, how often.

    with_files is what makes a Body of JSON that holds files, see encode_body.
    """

    def __init__(
        self,
        auth: Auth,
        operation: Operation,
        arguments: Members,
        with_files: WithFiles | None = None,
    ) -> None:
        self.operation = operation
        self.method = operation["method"]
        self.tries = 0
        self.unclear = False  # a try that failed may have been carried out
        self.began = time.monotonic()
        self.auth = auth
        self.key, self.base = credentials(auth, operation.get("host", HOST))
        arguments = checked_arguments(operation, arguments)
        self.idempotency_key = None
        self.headers = {
            "Authorization": f"Bearer {self.key}",
            "Accept": operation.get("accept", "application/json"),
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": USER_AGENT,
        }
        properties = operation["arguments"]["properties"]
        if "{project_id}" in operation["path"] and "project_id" not in arguments:
            arguments["project_id"] = _project(self.key, self.base)
        self.target = self._target_of(arguments)
        if "idempotency_key" in properties:
            self.idempotency_key = self.headers.setdefault(
                "Idempotency-Key", os.urandom(16).hex()
            )
        self.arguments = arguments
        self.output = None  # where bytes go, in operations that bring some
        choice = properties.get("output")
        if choice and choice.get("x-in") == "result":
            self.output = arguments.get("output", choice["default"])
        # What puts the bytes of the answer there.
        self.deliver: Callable[[Request, Json], Json] | None = None
        self.body = arguments.get("body", {})
        self.data: bytes | Carried | None = None
        if "body" in properties and "content" not in operation:
            self.headers["Content-Type"] = "application/json"
            self.carry(encode_body(self.body, auth, with_files))

    def _target_of(self, arguments: Members) -> str:
        """Return the path and the query with the arguments that belong there; those
        that are headers become headers."""
        path, query = self.operation["path"], []
        properties = self.operation["arguments"]["properties"]
        for name, value in arguments.items():
            place = properties[name].get("x-in")
            wire = properties[name].get("x-wire", name)
            try:
                if place == "path":
                    path = path.replace("{" + name + "}", _path_segment(name, value))
                elif place == "query":
                    query += _query_pairs(wire, value)
                elif place == "header":
                    self.headers[wire] = _header_value(name, value)
            except UnicodeEncodeError:
                raise half_character(name) from None
        return path + ("?" + "&".join(query) if query else "")

    def carry(self, data: bytes | Carried) -> None:
        """Send bytes, or a Body of scripts/transfer/multipart.py, with the request."""
        self.data = data
        if not isinstance(data, bytes):
            self.headers["Content-Length"] = str(data.length)

    def send(self, streaming: bool = False) -> Json:
        """Send, with retries, and return the answer, which is a success.

        With streaming, the response with its body unread; else a Reply.
        """
        check_worker()
        retry = self.operation["retry"]
        # Each piece that is sent is held to the time of a connection, too.
        large = self.data and (not isinstance(self.data, bytes) or len(self.data) > MIB)
        connect = SEND_TIMEOUT if large else CONNECT_TIMEOUT
        timeout = connect, READ_TIMEOUT[retry]
        most = time.monotonic() + MOST_SECONDS[retry]
        while True:
            self.tries += 1
            fault: Fault | None = None
            data = None
            try:
                response = http_exchange(
                    self.method,
                    self.base + self.target,
                    self.data,
                    self.headers,
                    timeout,
                    most,
                )
                if not streaming or response.status >= 300:
                    data = read_whole(response, most)
            except faults() as error:
                fault = error
            else:
                reply = Reply(response, data)
                if response.status < 300:
                    if not streaming:
                        return reply
                    read_until(response, math.inf)  # whoever reads it sets the deadline
                    return response
                if self.redirects(reply):
                    return reply
            self.again(fault, None if fault else reply)

    def again(self, fault: Fault | None, reply: Reply | None) -> None:
        """Wait until another try makes sense. Raises TogetherError where none does."""
        from ..resilience.retry import pause  # only when an exchange failed

        wait = pause(self, self.operation["retry"], fault, reply)
        if wait is None or time.monotonic() - self.began + wait > DEADLINE:
            raise self.failure(fault, reply) from None
        from ..resilience.explain import told  # loaded with what said how long

        what = f"{self.method} {self.target.partition('?')[0]}"
        why = told(fault, reply)
        why = self.without_key(f"{why} ({what})")
        log(f"{why}: try {self.tries + 1} in {wait:.1f} s")
        time.sleep(wait)

    def without_key(self, value: Json, data: bytes | None = None) -> Json:
        """Take out the key, which a gateway that debugs may tell. `data` is the JSON
        that the value was read from: by it most values need no look."""
        if data is not None and not may_hold_key(self.key, data):
            return value
        return without_key(self.key, value)

    def redirects(self, reply: Reply) -> bool:
        wanted = self.operation.get("reply") in ("binary", "redirect")
        return wanted and 301 <= reply.status <= 308 and "location" in reply.headers

    def failure(
        self, fault: Fault | None, reply: Reply | None, **facts: Unpack[Facts]
    ) -> TogetherError:
        """Return the TogetherError for an exchange that failed."""
        from ..resilience.explain import failure  # only when an exchange failed

        return failure(self, fault, reply, **facts)


def _project(key: str, base: str) -> str:
    """Return the project that the key belongs to, asked once per process."""
    if (key, base) not in _projects:
        identity = send_operation({"api_key": key, "base_url": base}, IDENTITY)
        project = (identity.get("project") or {}).get("id")
        if not project:
            problem = "is required: this key belongs to no single project"
            raise TogetherError(
                f"project_id {problem}",
                type="invalid_argument",
                problems=[{"field": "project_id", "problem": problem}],
                advice="projects/list_projects shows the projects of the organization.",
            )
        _projects[key, base] = project
    return _projects[key, base]


_projects: dict[tuple[str, str], str] = {}
IDENTITY = operation("organization/get_identity")


def _path_segment(name: str, value: Json) -> str:
    """Percent-encode a path argument, refusing what would change the path."""
    text = str(value)
    if text.strip() in ("", ".", ".."):
        problem = "is required" if not text.strip() else f"must not be {text!r}"
        raise TogetherError.refused(name, problem)
    return quote(text, safe="")


def _query_pairs(name: str, value: Json) -> list[str]:
    """Encode a query parameter: lists joined by commas, objects as name[member]."""
    if isinstance(value, dict):
        pairs = [
            _query_pairs(f"{name}[{k}]", v) for k, v in value.items() if v is not None
        ]
        return [pair for found in pairs for pair in found]
    items = value if isinstance(value, list) else [value]
    text = ",".join(i if isinstance(i, str) else json.dumps(i) for i in items)
    return [f"{quote(name, safe='[]')}={quote_plus(text)}"]


def half_character(field: str) -> TogetherError:
    """Return the refusal of a text with half of a surrogate pair, which JSON alone can
    spell."""
    field = field.encode("utf-8", "backslashreplace").decode()
    return TogetherError.refused(field, "holds half of a character: it is no text")


def _header_value(name: str, value: Json) -> str:
    text = str(value)
    if not (text.isascii() and text.isprintable()):
        raise TogetherError.refused(name, "must be printable ASCII")
    return text


def encode_body(
    body: Json, auth: Auth | None = None, with_files: WithFiles | None = None
) -> bytes | Carried:
    """Return a body as JSON bytes. Of one that holds files, return what `with_files`
    makes of its JSON text, the files by their placeholders in it, and auth.

    NaN and infinities are refused by name.
    """
    marks: dict[str, FileValue] = {}

    def mark(value: object) -> str:
        if with_files is None or not isinstance(value, FileValue):
            raise TypeError(f"{type(value).__name__} is no JSON")
        text = os.urandom(16).hex()
        marks[text] = value
        return text

    try:
        text = json.dumps(
            body,
            ensure_ascii=False,
            separators=(",", ":"),
            allow_nan=False,
            default=mark,
        )
        data = text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        marks.clear()
        text = json.dumps(body, separators=(",", ":"), default=mark)
        data = text.encode()
    except (ValueError, TypeError, RecursionError) as error:
        problem = f"is not JSON ({error}); numbers must be finite"
        raise TogetherError.refused("body", problem) from None
    return with_files(text, marks, auth) if with_files and marks else data


def read_body(request: Request, response: Response) -> bytes:
    most = time.monotonic() + MOST_SECONDS[request.operation["retry"]]
    try:
        return read_whole(response, most)
    except faults() as error:
        raise request.failure(error, None) from None


def parse_answer(request: Request, reply: Reply) -> Json:
    """Return what a successful reply means: JSON, a file, a place, or nothing."""
    kind = request.operation.get("reply")
    if kind == "redirect" and reply.status >= 300:
        answer = {"location": reply.headers["location"]}
        if "x-together-file-id" in reply.headers:
            answer["file_id"] = reply.headers["x-together-file-id"]
        return _deliver(request, request.without_key(answer))
    paid = request.operation["retry"] == "inference"
    if not reply.data and reply.status == 204 and not paid:
        return None
    answer, problem = parse_json(reply.data)
    if problem:
        if kind == "none":
            return None
        if kind == "text" and _is_prose(reply):
            return request.without_key(reply.text().strip())
        kept = _words_that_came(request, reply.data) if paid else None
        raise request.failure(None, reply, partial=kept) from None
    answer = request.without_key(answer, reply.data)
    check_answer(request, answer, reply)
    hear(request, answer)
    return _deliver(request, without_signals(answer))


def _words_that_came(request: Request, data: bytes) -> str | None:
    """Return the beginning of what a model's answer holds that is no JSON: it was paid
    for, and may be an answer that was cut."""
    # More than is kept, as the end of what is kept may be within the key.
    text = data[: 2 * MOST_KEPT_BYTES].decode("utf-8", "replace")
    clean = str(request.without_key(text)).encode()[:MOST_KEPT_BYTES]
    text = clean.decode("utf-8", "replace").strip()
    return None if "\0" in text or text.startswith("<") else text or None


MOST_KEPT_BYTES = 256 * 1024


def parse_whole(request: Request, reply: Reply) -> Json:
    """Like parse_answer, for a model that may stream: an answer that broke off, or has
    no choice, is an error, as it is in a stream, and so is what came in place of
    sound."""
    answer = parse_answer(request, reply)
    if request.operation.get("stream") == "speech":
        raise request.failure(None, reply, partial=answer)
    if isinstance(answer, dict) and not _is_whole(answer):
        raise _broken_answer(request, answer)
    count_choices(request, answer)
    return answer


def _broken_answer(request: Request, answer: Members) -> TogetherError:
    from ..resilience.explain import broken_answer  # few answers are broken

    return broken_answer(request, answer)


def _is_whole(answer: Members) -> bool:
    """Say whether an answer with choices has one, and none that broke off, if
    it has choices."""
    choices = answer.get("choices", [{"text": ""}])
    if not isinstance(choices, list):
        return False
    found = [one for one in choices if isinstance(one, dict) and one]
    return bool(found) and not any(
        is_error(one.get("error")) or ending(one.get("finish_reason")) == "broken"
        for one in found
    )


def choices_asked(request: Request) -> int:
    """Return how many answers to one question are asked for."""
    count = request.body.get("n") if isinstance(request.body, dict) else None
    return count if isinstance(count, int) and count > 1 else 1


def count_choices(request: Request, answer: Members) -> None:
    """Let the log say where fewer answers came than were asked for."""
    came, asked = len(answer.get("choices") or ()), choices_asked(request)
    if asked > 1 and came < asked:
        log(f"{came} of the {asked} answers asked for came")


def check_answer(request: Request, answer: Json, reply: Reply) -> None:
    """Raise TogetherError for JSON of status 200 that is an error, or not an answer of
    the operation: a model's must have what it was asked for."""
    operation = request.operation
    if _bears_error(answer, operation["retry"]):
        raise request.failure(None, error_reply(reply.text())) from None
    lacking = None
    if operation["retry"] in ("inference", "creates"):
        if operation.get("reply", "json") == "json" and not isinstance(answer, dict):
            lacking = reply
        elif operation["retry"] == "inference" and isinstance(answer, dict):
            lacking = reply if answer.keys() <= AROUND else None
        elif not answer:
            lacking = reply
    if lacking:
        kept = answer if isinstance(answer, dict) and answer else None
        raise request.failure(None, lacking, partial=kept) from None
    if operation["retry"] == "inference" and _says_nothing(answer):
        raise _broken_answer(request, answer)


def _is_prose(reply: Reply) -> bool:
    """Say whether an answer is plain text, no page and no JSON that was cut."""
    told = reply.headers.get("content-type", "").split(";")[0].strip().lower()
    return bool(reply.data.strip()) and (
        told == "text/plain" or reply.data.strip()[:1] not in b"<{["
    )


def hear(request: Request, answer: Json) -> None:
    """Keep an answer for the error of a step that cannot read it (see `run`): the last
    one that was paid for, else the last one, as several would fill the memory. Its
    warnings go to the log. A thread that is `unheard` reads for no step: its answers
    are not kept."""
    if getattr(threading.current_thread(), "unheard", False):
        return
    paid = request.operation["retry"] != "read"
    if paid or not last_answer or last_answer[0][0].operation["retry"] == "read":
        last_answer[:] = [(request, answer)]
    if paid and isinstance(answer, dict):
        for name in ("warnings", "warning"):
            if answer.get(name):
                _tell_warning(request, answer[name])


def _tell_warning(request: Request, warning: Json) -> None:
    """Write the warnings beside an answer to the log: each text once in a job, and only
    so many texts."""
    from ..resilience.server_words import reason_in  # few answers warn

    text = " ".join((reason_in(warning) or json.dumps(warning)).split())
    text = str(request.without_key(text))[:WARNING_CHARACTERS]
    if text in warnings_logged or len(warnings_logged) >= MOST_WARNINGS:
        return
    warnings_logged.add(text)
    log(f"the service warns: {text}")
    if len(warnings_logged) == MOST_WARNINGS:
        log("what else it warns of is not told")


WARNING_CHARACTERS = 500
MOST_WARNINGS = 10  # of a job
warnings_logged: set[str] = set()


last_answer: list[tuple[Request, Json]] = []


def without_signals(answer: Json) -> Json:
    """Return an answer without top-level members by which a result tells Windmill how
    to treat it: these get a _ at the end of their names."""
    if not isinstance(answer, dict):
        return answer
    alone = (*ALONE, *TABLES) if len(answer) == 1 else ()
    if isinstance(answer.get("file"), dict) and "content" not in answer["file"]:
        alone = ()  # an entry about a file, such as /v1/files gives: nothing to show
    words = ("wm_", "windmill_")
    signals = dict.fromkeys(
        name
        for name in answer
        if name.startswith(words) or name == "render_all" or name in alone
    )
    if not signals:
        return answer
    names = ", ".join([*signals][:10])
    more = f" and {len(signals) - 10} more" if len(signals) > 10 else ""
    log(
        f"{names}{more} in the answer would mean something to Windmill "
        "and got a _ at the end"
    )
    return {f"{name}_" if name in signals else name: answer[name] for name in answer}


# Members that Windmill shows in a way of its own where a result has no other.
ALONE = ("html", "map", "pdf", "file", "png", "svg", "jpeg", "gif", "md", "markdown")
TABLES = ("table-col", "table-row", "table-row-object")


def send_operation(auth: Auth, operation: Operation, **arguments: Json) -> Json:
    """Send an operation and return its JSON answer: one page, and no file in it, which
    is what the helper itself asks for. Raises TogetherError."""
    request = Request(auth, operation, arguments)
    return parse_answer(request, request.send())


# What stands around what a model's answer says, and is none without it.
AROUND = frozenset(
    (
        *("id", "object", "created", "model", "usage", "prompt", "status", "code"),
        *("requestId", "request_id"),
    )
)


def _says_nothing(answer: Json) -> bool:
    """Say whether a model's answer has nothing of what was asked for: no vector, no
    picture, no choice. A text may be empty: of a recording in which nobody speaks."""
    return isinstance(answer, dict) and all(
        value is None or value == [] or value == {}
        for name, value in answer.items()
        if name not in AROUND
    )


def _bears_error(answer: Json, retry: RetryClass) -> bool:
    """Say whether an answer of status 200 is an error all the same.

    The answer of a model has no member `error` that is not null; a thing that was
    created or read may have one, about itself, beside its other members.
    """
    if isinstance(answer, list):
        alone = len(answer) == 1 or retry == "inference"
        return alone and any(
            isinstance(one, dict) and one.keys() == {"error"} for one in answer
        )
    if not isinstance(answer, dict):
        return False
    if answer.get("object") == "error":
        return True
    if answer.get("success") is False and not answer.get("id"):
        return True
    if retry == "inference":
        return is_error(answer.get("error")) or (
            tells_error(answer) and not any(map(answer.get, ANSWERS))
        )
    bare = answer.keys() <= ERROR_MEMBERS and not answer.get("data")
    # What is read may have a state and words alone.
    bare = bare and not (retry == "read" and answer.keys() <= READ_ALONE)
    if retry != "mutates" and bare and tells_error(answer):
        return True
    said = is_error(answer.get("error"))
    return said and answer.keys() <= {"error", *ALONE_WITH_ERROR}


READ_ALONE = frozenset(("message", "status", "object", "data"))
# Of the answer of a model.
ANSWERS = frozenset(("choices", "data", "results", "text", "segments", "output"))
# What stands beside an error and makes no thing of it: a thing has an id.
ALONE_WITH_ERROR = ("message", "detail", "type", "code", "param", "request_id")


def error_reply(data: str) -> Reply:
    """Return an error that came in an answer of status 200 as a Reply."""
    from ..resilience.explain import event_error  # only when an exchange failed

    return event_error(data)


def _deliver(request: Request, answer: Json) -> Json:
    """Return an answer after the bytes that it brings, if any, were put where they
    shall go."""
    return request.deliver(request, answer) if request.deliver else answer
