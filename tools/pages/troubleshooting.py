"""docs/troubleshooting.md: what to do by what a message says, as the code has it."""

from collections.abc import Iterator
from pathlib import Path

from scripts.resilience.explain import ADVICE
from scripts.resilience.refusals import KNOWN
from tools.operations import ROOT
from tools.pages.reference import linked, places

PAGE = "docs/troubleshooting.md"
NAMES = {
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    408: "Request Timeout",
    409: "Conflict",
    413: "Payload Too Large",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
HEAD = """\
# Troubleshooting, by message

<!-- Rendered from scripts/resilience/ by `./dev fix`; edit those, not this. -->

The message of a request that was refused or broke ends with what to do; other failures
say it in their message or in `error.extra.advice`. Beside that stand `type`, `status`,
`detail` (the server's words) and `problems`; [errors.md](errors.md) lists the types.

## It begins with *Nothing was sent*

An argument is missing or wrong; the message names each, as the form does:
`Question (template)`. Nothing was paid.

## It begins with a number

| number | what to do |
|---|---|"""
WORDS = """
## It has one of these words

| words of the service | `code` | what to do |
|---|---|---|"""
MORE = """
## There was no answer

| the message says | what to do |
|---|---|
| cannot be resolved, refused | Check `base_url`, the worker's network, DNS and [proxy](network.md). |
| not trusted | A certificate: [an own authority](network.md#an-own-certificate-authority). |
| It is not known whether this was carried out | `ambiguous` is true: look with the step that the message names before you run it again. |
| the connection broke | Read and model requests are tried four times by themselves; run it again. `partial` holds what had come. |

## In Windmill

| what you see | what to do |
|---|---|
| the list of models is short or says that it is old | The form had no key yet, or no network: choose `auth` first. |
| `ImportError` of a name in `f.togetherai` | The folder holds two versions: deploy the whole pack once more. |
| a run waits and nothing happens | No worker has the tag `python3`. |
| *Large result*, or a table that does not show | Choose `output: storage` or `output: table`. |
| `$res:...` not found | The user who runs it may not read that resource. |
| a schedule does nothing | It comes switched off, and triggers return nothing at first: [schedules](scheduling.md). |
"""  # noqa: E501


def page() -> str:
    """The text of the page, in which the name of a step leads to its page."""
    text = "\n".join(_lines()).rstrip("\n") + "\n"
    return linked(text, places(ROOT, "reference/"))


def _lines() -> Iterator[str]:
    yield HEAD
    for status, advice in sorted({**ADVICE, 404: NOT_FOUND}.items()):
        yield f"| {status} {NAMES[status]} | {advice} |"
    yield WORDS
    for status, words, code, advice in KNOWN:
        yield f"| {status}, *{words}* | `{code}` | {advice} |"
    yield MORE


NOT_FOUND = (
    "Check the id: the message names the step that lists what there is. Of "
    "`organization/check_connection`, check `base_url`."
)


def files(root: Path = ROOT) -> dict[str, str]:
    """The page, where the pack has documentation."""
    return {PAGE: page()} if (root / "docs" / "use.md").exists() else {}
