"""What passes between the helper's modules: for type checkers, and for whoever reads.

A stub, which no job loads: modules import it under `TYPE_CHECKING`, and the build
leaves that out.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NotRequired, Protocol, TypeAlias, TypedDict

from .client.resource import togetherai

Json: TypeAlias = Any
"""What JSON can say: it came from outside, so whoever reads it looks at what it is."""

Members: TypeAlias = dict[str, Any]
"""An object of JSON."""

Schema: TypeAlias = dict[str, Any]
"""A JSON Schema that is an object, with the words that tools/schemas/render.py adds."""

AnySchema: TypeAlias = Any
"""A JSON Schema: an object, or true or false."""

Headers: TypeAlias = dict[str, str]

Auth: TypeAlias = togetherai

Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

RetryClass: TypeAlias = Literal["read", "inference", "creates", "mutates"]

Fault: TypeAlias = Exception
"""What an exchange failed with: urllib3's HTTPError, or an OSError."""

class Arguments(TypedDict):
    """The part of a schema that is needed to check arguments."""

    properties: dict[str, Schema]
    required: NotRequired[list[str]]

class Step(TypedDict):
    """The descriptor of a step above the API; that of an operation has more."""

    arguments: Arguments

class Brings(TypedDict):
    """Where in an answer the items are that bring bytes, and what they are."""

    at: str
    kind: Literal["picture", "video", "audio", "file"]

class Exchange(TypedDict, total=False):
    """What of an operation's exchange the helper goes by, where it is not the usual;
    `tries` is the most requests of one call."""

    host: str
    accept: str
    content: Literal["multipart", "signed_upload"]
    reply: Literal["json", "sse", "binary", "redirect", "none", "text"]
    stream: Literal["chat", "completion", "speech"]
    filename: str
    find: str
    pages: Literal["cursor", "last_id"]
    brings: Brings
    tries: int

class Operation(Step, Exchange):
    """The descriptor of an operation, as schemas/_operation.json explains it."""

    method: Method
    path: str
    retry: RetryClass

class JobKind(TypedDict):
    """What can be waited for at Together: see KINDS of job_kinds.py."""

    names: tuple[str, ...]
    several: NotRequired[bool]
    look: NotRequired[Operation]
    looks: NotRequired[dict[str, Operation]]
    id: NotRequired[str]
    state: tuple[str, ...]
    prefix: NotRequired[str]
    going: tuple[str, ...]
    good: tuple[str, ...]
    bad: tuple[str, ...]
    late: NotRequired[tuple[str, ...]]
    reason: NotRequired[Callable[[Members], str | None]]
    progress: NotRequired[Callable[[Members], float | None]]
    first: int
    longest: int
    deadline: int
    stop: NotRequired[Operation]
    stop_body: NotRequired[Members]
    stopped: NotRequired[tuple[str, ...]]
    left: str

class Problem(TypedDict):
    """What is wrong with one argument; `line` where it is a file's."""

    field: str
    problem: str
    line: NotRequired[int]

ErrorType: TypeAlias = Literal[
    "already_running",
    "answer_misfit",
    "broken_answer",
    "broken_table",
    "budget_reached",
    "budget_unknown",
    "changed_download",
    "changed_object",
    "connection",
    "deadline",
    "flow_failed",
    "invalid_answer",
    "invalid_argument",
    "job_failed",
    "mcp",
    "no_library",
    "no_storage",
    "not_allowed",
    "not_finished",
    "not_found",
    "not_in_windmill",
    "not_sent",
    "nothing_done",
    "parts_differ",
    "proxy",
    "rate_limit",
    "storage",
    "too_large",
    "too_many_failed",
    "unreachable",
    "unsigned",
    "windmill",
    "wrong_length",
]
"""What kinds of failure there are, which docs/errors.md explains in this order."""

class Facts(TypedDict, total=False):
    """What a TogetherError is given: client/errors.py says what each fact is."""

    type: ErrorType
    code: str | int | None
    param: str | int | None
    detail: str | None
    advice: str | None
    final: bool | None
    ambiguous: bool | None
    problems: list[Problem] | None
    status: int | None
    method: str | None
    path: str | None
    tries: int | None
    request_id: str | None
    retry_after: float | None
    idempotency_key: str | None
    file_id: str | None
    partial: Json
    received: int | None
    part: int | None
    finish_reason: str | None
    failures: list[Members] | None
    job_id: str | None
    kind: str | None
    job: Json
    state: str | None
    polls: list[Json] | None
    error: Json
    details: Json
    started_at: str | None
    fingerprint: str | None
    budget_usd: float | None
    estimated_cost_usd: float | None
    spent_usd: float | None
    may_be_paid: bool | None

class Completion(TypedDict):
    """What a chat model answered, as parse_completion of chat_steps.py reads it."""

    text: str
    reasoning: str | None
    refusal: str | None
    tool_calls: list[Json]
    finish_reason: Json
    cut: bool
    broken: str | None
    logprobs: Json

Places: TypeAlias = dict[int, tuple[str, Headers]]
"""Where the parts of a file go: signed address and headers, by the part's number."""

Usage: TypeAlias = dict[str, float]
"""What calls used, by name: prompt_tokens, completion_tokens, total_tokens and
cached_tokens, or what a media model is paid for, such as images or seconds."""

Counts: TypeAlias = Mapping[str, float | None]
"""A usage of which not all may be known."""

class Response(Protocol):
    """An HTTP answer whose body is unread, as urllib3 has it."""

    status: int
    @property
    def reason(self) -> str | None: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def connection(self) -> Any: ...
    def read(self, amt: int | None = None, decode_content: bool | None = None) -> bytes:
        """Return as many bytes of the body, all for None, fewer only at its end."""
    def read1(
        self, amt: int | None = None, decode_content: bool | None = None
    ) -> bytes:
        """Return what of the body comes at once, at most as many bytes."""
    def drain_conn(self) -> None: ...
    def release_conn(self) -> None: ...
    def close(self) -> None: ...

Timeout: TypeAlias = tuple[float, float]
"""Seconds to connect, and for each piece that is sent; seconds of silence."""

class Carried(Protocol):
    """The body of a request that is made while it is sent."""

    @property
    def length(self) -> int: ...
    def __iter__(self) -> Any: ...

class Carries(Protocol):
    """What sends requests to one host: client/carrier.py, or connection_pools.py."""

    def exchange(
        self,
        method: str,
        target: str,
        data: bytes | Carried | None,
        headers: Headers,
        timeout: Timeout,
    ) -> Response: ...

class Readable(Protocol):
    """Bytes, read in order: b"" at the end. `length` is None where it is not known."""

    @property
    def length(self) -> int | None: ...
    def read(self, size: int = -1, /) -> bytes: ...

class NamedReadable(Readable, Protocol):
    """A readable that knows what its file is called and what kind it is of."""

    name: str
    content_type: str
    def peek(self) -> bytes: ...
    def close(self) -> None: ...

WithFiles: TypeAlias = Callable[[str, Members, Auth | None], Carried]
Verb: TypeAlias = Callable[..., Json]
Blocks: TypeAlias = Iterable[bytes | memoryview]
