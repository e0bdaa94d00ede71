"""Lists that come in pages, joined into one."""

from __future__ import annotations

import json

from ..client import TogetherError
from ..client.job import log
from ..client.request import Request, parse_answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Auth, Json, Members, Operation

MAX_ENTRIES = 10_000  # Windmill shows no larger results


def join_pages(
    auth: Auth, operation: Operation, arguments: Members, answer: Json, most: int
) -> Json:
    """Fetch the pages that follow a first one; return the last page with all entries.

    At most `most` pages in all, so that its cursor leads on. Raises TogetherError, with
    the pages before it in its `partial`, also where a page is there again or holds no
    list: what comes behind it cannot be reached.
    """
    if not isinstance(answer, dict):
        return answer  # a bare list has no pages
    name = _list_of(answer)
    page, markers = answer, set()
    for _ in range(most - 1):
        so_far = answer.get(name) or [] if name else []
        after = _next_marker(operation, page, name)
        if not after:
            return answer
        if name is None or after in markers:
            problem = "names no list" if name is None else "leads to itself"
            raise _broken_list(problem, answer)
        if len(so_far) >= MAX_ENTRIES:
            log(f"the list goes on behind its first {len(so_far)} entries, unread")
            return answer
        markers.add(after)
        before = page
        page = _next_page(auth, operation, {**arguments, "after": after}, answer)
        entries = page.get(name) or []
        if not isinstance(entries, list):
            raise _broken_list("holds no list where the one before it has it", answer)
        if not entries and operation["pages"] == "last_id":
            return answer
        if entries and entries == before.get(name):
            if operation["pages"] == "last_id":
                log("the server knows no pages: it gave the same entries again")
                return answer
            raise _broken_list("is there again", answer)
        answer = {**page, name: so_far + entries}
        if not entries:
            return answer
    return answer


def _list_of(answer: Members) -> str | None:
    """Return the member of an answer that is its list: `data`, else the first one."""
    if "data" in answer and isinstance(answer["data"], list | None):
        return "data"
    return next((n for n, v in answer.items() if isinstance(v, list)), None)


def _next_marker(operation: Operation, page: Members, name: str | None) -> str | None:
    """Return what the page behind this one is asked for by; None behind the last."""
    if operation["pages"] == "cursor":
        after = page.get("next_cursor")
    else:
        last = [one for one in page.get(name or "") or () if isinstance(one, dict)]
        after = last[-1].get("id") if last else None
    if not after:
        return None
    return after if isinstance(after, str) else json.dumps(after)


def _next_page(
    auth: Auth, operation: Operation, arguments: Members, so_far: Members
) -> Members:
    request = Request(auth, operation, arguments)
    try:
        reply = request.send()
        page = parse_answer(request, reply)
        if not isinstance(page, dict):
            raise request.failure(None, reply)
    except TogetherError as error:
        error.partial = so_far
        raise
    return page


def _broken_list(problem: str, so_far: Members) -> TogetherError:
    return TogetherError(
        f"The list cannot be read on: a page {problem}.",
        type="invalid_answer",
        partial=so_far,
        advice="What came is in `partial`; ask for fewer pages (max_pages), and check "
        "auth.base_url: what answers there may not be the API.",
    )
