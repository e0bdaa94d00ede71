"""The verbs, one for each shape of exchange; what few operations need is loaded
late."""

from __future__ import annotations

from .errors import TogetherError
from .form import checked_arguments, with_models
from .job import job_begins, log
from .references import harmless
from .request import (
    Request,
    last_answer,
    parse_answer,
    parse_whole,
    warnings_logged,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Auth, Carried, Json, Members, Operation, Step, Verb


def run(
    function: Verb, auth: Auth, table: Operation | Step, /, **arguments: Json
) -> Json:
    """Return what a verb or a step's function returns for the arguments of main.

    A TogetherError is raised without the helper's frames: Windmill would show them
    before the advice, and they do not help the user. An answer that a step cannot read
    becomes a TogetherError too, which keeps what may have been paid for. Any other
    exception is a bug of the pack, and keeps its frames. Neither results nor errors
    hold references that Windmill would resolve in the next step
    (scripts/client/references.py); the log and the result's own note say how many texts
    were changed.
    """
    job_begins()
    last_answer.clear()
    warnings_logged.clear()
    try:
        result, count = harmless(function(auth, table, **arguments))
    except TogetherError as error:
        if error.problems:
            from ..resilience.fields import with_titles  # only when something failed

            with_titles(error, table["arguments"]["properties"])
        raise error.with_traceback(None) from None
    except UNREAD as error:
        if not last_answer:
            raise
        from ..resilience.explain import unread  # few answers cannot be read

        raise unread(error, last_answer) from error
    if count:
        note = CHANGED.format(count)
        log(note)
        if isinstance(result, dict) and isinstance(result.get("note"), str):
            result["note"] += f" {note}"
    return result


UNREAD = (AttributeError, LookupError, TypeError, ValueError, ArithmeticError)
CHANGED = (
    "A space was put behind the $ in {} texts, which Windmill would have taken for "
    "variables or resources in the next step."
)


def call(auth: Auth, operation: Operation, /, **arguments: Json) -> Json:
    """Send an operation and return its JSON answer, or None where it has none.

    With the argument max_pages, a list's pages are fetched one after another and joined
    into the last page's answer, so that its cursor leads on. Raises TogetherError; when
    a later page fails, `partial` holds the pages before it.
    """
    request = request_for(auth, operation, arguments)
    answer = parse_answer(request, request.send())
    pages = request.arguments.get("max_pages", 1)
    if pages == 1:
        return answer
    from ..replies.pages import join_pages  # few lists are joined

    return join_pages(auth, operation, arguments, answer, pages)


def stream(auth: Auth, operation: Operation, /, **arguments: Json) -> Json:
    """Like call or download; with body.stream true, show the answer while it arrives.

    Each piece of text goes to Windmill's result stream; the return value has the shape
    that the same request gives without streaming. Raises TogetherError, with what had
    arrived in its `partial`.
    """
    request = request_for(auth, operation, arguments)
    if not request.body.get("stream"):
        if operation.get("reply") == "binary":
            from ..transfer.media_output import receive  # few answers are bytes

            return receive(request)
        return parse_whole(request, request.send())
    return _stream_events(request)


def _stream_events(request: Request) -> Json:
    """Send a request whose answer comes as events; show it, and return it whole."""
    from ..replies.follow import whole_stream  # few answers are streams

    request.headers["Accept-Encoding"] = "identity"
    if request.output is not None:
        from ..transfer.media_output import deliver  # few answers are bytes
    answer = whole_stream(request)
    if request.output is None:
        return answer
    import base64  # few answers are sound in a stream

    sound = base64.b64decode(answer["file"])
    return deliver(sound, answer["filename"], request.output, paid=True)


def upload(auth: Auth, operation: Operation, /, **arguments: Json) -> Json:
    """Send an operation as multipart/form-data and return its JSON answer, or its bytes
    as download does.

    A file member takes every shape that scripts/transfer/file_input.py knows; where the
    API fetches files itself, it gets the URL. Raises TogetherError.
    """
    request = request_for(auth, operation, arguments)
    if operation.get("content") == "signed_upload":
        from ..upload.file_upload import upload_file  # few operations upload

        return upload_file(request)
    from ..transfer.multipart import form_data  # few bodies hold files

    data, request.headers["Content-Type"] = form_data(request)
    request.carry(data)
    if operation.get("reply") == "binary":
        from ..transfer.media_output import receive  # few answers are bytes

        return receive(request)
    return parse_answer(request, request.send())


def download(auth: Auth, operation: Operation, /, **arguments: Json) -> Json:
    """Send an operation and return the bytes as its `output` asks for.

    That is {"file": base64, "filename"} for result, {"s3": key, "filename"} for
    storage; see scripts/transfer/media_output.py. Raises TogetherError.
    """
    from ..transfer.media_output import receive  # few answers are bytes

    return receive(request_for(auth, operation, arguments))


def request_for(auth: Auth, operation: Operation, arguments: Members) -> Request:
    """Return the request of a verb, once all that its answer needs is loaded: a paid
    answer must not depend on modules that cannot be fetched any more. Raises
    TogetherError, also where there is no storage for bytes that are to go there."""
    request = Request(auth, operation, arguments, _with_files)
    if request.output == "storage":
        from ..workspace.storage import check_storage  # few results go to storage

        check_storage()
    if "brings" in operation:
        from ..transfer.media_output import (
            deliver_items,  # now: not once it is paid for
        )

        request.deliver = deliver_items
    return request


def _with_files(text: str, files: Members, auth: Auth | None) -> Carried:
    from ..transfer.multipart import json_body  # few bodies hold files

    return json_body(text, files, auth)


def check_words(given: Members, *names: str) -> None:
    """Raise TogetherError where a text of these arguments is blank: a model would be
    asked, and paid, for nothing."""
    for name in names:
        text = given.get(name)
        if isinstance(text, str) and text.isspace():
            raise TogetherError.refused(name, "is blank: there is nothing to ask")


def prepare(step: Step, arguments: Members) -> Members:
    """Return a step's arguments as its schema wants them, defaults filled in.

    An argument that is not given, and has no default, is absent. Raises TogetherError,
    with every mistake in its `problems`.
    """
    members = step["arguments"]["properties"]
    values = checked_arguments(step, with_models(members, arguments))
    for name, member in members.items():
        if name not in values and "default" in member:
            values[name] = member["default"]
    return values
