"""Lists that come in pages, joined into one."""

from __future__ import annotations

import json

from ..client import TogetherError
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
    the pages before it in its `partial`.
    """
    for _ in range(most - 1):
        name = next((n for n, v in answer.items() if isinstance(v, list)), None)
        so_far = answer[name] if name else []
        if operation["pages"] == "cursor":
            after = answer.get("next_cursor")
        else:
            after = so_far[-1].get("id") if so_far else None
        if not after or len(so_far) >= MAX_ENTRIES:
            break
        after = after if isinstance(after, str) else json.dumps(after)
        request = Request(auth, operation, {**arguments, "after": after})
        try:
            reply = request.send()
            page = parse_answer(request, reply)
            if not isinstance(page, dict):
                raise request.failure(None, reply)
        except TogetherError as error:
            error.partial = answer
            raise
        entries = page.get(name) or []
        entries = entries if isinstance(entries, list) else [entries]
        if not entries and operation["pages"] == "last_id":
            break
        answer = {**page, name: so_far + entries}
        if not entries:
            break
    return answer
