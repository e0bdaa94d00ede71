"""Whether what came is the file, or the sound, that was asked for.

judge_file    of a file that is fetched
judge_shown   of a picture or video that is fetched from an address in an answer
judge_media   of sound that a model made
"""

from __future__ import annotations

from ..client import TogetherError
from ..client.endings import ERROR_MEMBERS, tells_error
from ..client.job import log
from ..client.jsonio import parse_json
from ..download.download import UNTOLD, Download, is_open_ended
from ..download.file_end import FileEnd, is_soundless

# Here, not where it is used: an answer that is paid for needs no module any more, which
# a Windmill that is down could not hand out.
from ..resilience.explain import event_error
from .filetypes import PAGE_HEAD, file_like, is_page, suffix
from .media_view import as_result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..client.request import Request
    from ..client.transport import Reply

MOST_WORDS = 20_000  # bytes of an error


def judge_file(request: Request, source: Download) -> None:
    """Raise TogetherError, with the server's words, where a page, or an error in JSON,
    came in place of a file, and says that it is one."""
    if _is_page_or_error(source):
        words = source.peek()[:MOST_WORDS].decode("utf-8", "replace")
        raise request.failure(None, event_error(words, 200))


def judge_shown(source: Download, what: str) -> None:
    """Raise TogetherError where a page, or an error in JSON, is at an address in place
    of a picture or a video. `what` names the address."""
    if not _is_page_or_error(source):
        return
    page = _is_markup(source.peek())
    words = "a web page" if page else "an error"
    source.close()
    raise TogetherError(
        f"{what} leads to {words}, and to no picture or video.",
        type="unreachable",
        advice="Such addresses expire: ask the API for a new one.",
    )


def _is_page_or_error(source: Download) -> bool:
    """Say whether what comes is a page, or JSON that tells of an error, and says that
    it is that."""
    kind, head = source.content_type.lower(), source.peek()
    if kind == "text/html" and _is_markup(head):
        return True
    whole = source.ended and len(head) <= MOST_WORDS
    found = parse_json(head)[0] if whole and kind.endswith("json") else None
    if not isinstance(found, dict) or found.keys() - ERROR_MEMBERS - {"error"}:
        return False
    return tells_error(found)


def judge_media(request: Request, reply: Reply) -> None:
    """Raise TogetherError, with the server's words, for what came in place of sound.

    What says that it is sound may begin with any byte, as samples do; but words alone,
    whole JSON, or the beginning of a page, are no sound, whatever it says. JSON that
    tells of no error is kept in the error's `partial`: the sound may be in it.
    """
    data = reply.data
    head = data[:PAGE_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip()
    packed = file_like(data, ".gz", ".zip", ".zst")  # no sound, whatever it is called
    kind = reply.headers.get("content-type", "").split(";")[0].strip().lower()
    words = not head or _is_markup(head)
    found = parse_json(data)[0] if head[:1] in (b"{", b"[") else None
    words = words or isinstance(found, dict | list)
    # An error of a server between, under the type that was asked for.
    words = words or _is_text(data)
    if not kind.startswith("audio/"):
        words = words or kind.endswith(("/json", "+json", "/html", "/xml", "+xml"))
        words = words or kind == "text/event-stream"
    part = reply.status == 206  # which nobody asked for
    if part or packed or words:
        kept = found if isinstance(found, dict) and not tells_error(found) else None
        raise request.failure(None, reply, partial=kept)
    open_ended = is_open_ended(reply.headers)
    # Raw samples may begin as any other file does.
    if open_ended or data.startswith((b"RIFF", b"ID3")):
        _judge_end(reply, kind, open_ended)


def _judge_end(reply: Reply, kind: str, open_ended: bool) -> None:
    """Raise TogetherError for a file of sound without any, and, with what came, for one
    that does not come to its end, whatever length its server named."""
    if is_soundless(reply.data):
        raise TogetherError(
            f"The {len(reply.data)} bytes that came are a file of sound without any.",
            type="broken_answer",
            ambiguous=True,
            advice="Run the step again, with other words or another voice.",
        )
    end = FileEnd()
    end.take(reply.data)
    whole = end.is_whole()
    if whole is None:
        if open_ended:
            log(UNTOLD)
    elif not whole:
        name = f"speech{suffix(reply.data[:16], kind) or '.bin'}"
        raise TogetherError(
            f"The sound broke off after {len(reply.data)} bytes.",
            type="connection",
            partial=as_result(reply.data, name),
            ambiguous=True,
            advice="Run the step again; what came is in the error's `partial`.",
        )


def _is_markup(head: bytes) -> bool:
    return is_page(head) or head[:PAGE_HEAD].lstrip().lower().startswith(b"<?xml")


def _is_text(data: bytes) -> bool:
    """Say whether bytes are words, and not samples: UTF-8 without control characters."""
    try:
        text = data[:MOST_WORDS].decode()
    except UnicodeDecodeError:
        return False
    return len(data) <= MOST_WORDS and "".join(text.split()).isprintable()
