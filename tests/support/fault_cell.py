"""One cell of the fault matrix: a fault, an exchange, in a process of its own.

    run_cells   many of them, several at a time; gives what became of each
    Verdict     what became of one

The limits of time are those of the pack, made shorter; a cell that outlives PATIENCE
hangs.
"""

import contextlib
import datetime
import importlib
import io
import itertools
import json
import multiprocessing
import os
import pickle
import socket
import ssl
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

import trustme

from scripts.client import TogetherError
from tests.support.exchanges import KINDS, Kind, as_job
from tests.support.fault_server import FaultServer, reset
from tests.support.faults import FAULTS, NOTHING, SLOW, Fault, bomb

KEY = "tgp_test_fault_0123456789abcdefghij"
TOKEN = "wm_token_fault_0123456789abcdefghij"
ECHO = 12  # characters of a key that are too many in an output
PATIENCE = 60.0  # seconds; what the limits below allow is a third of it
MIB = 1 << 20
# Above what is there at the start: of each request that is under way, and once.
ANSWER, REST = 3 * 64 * MIB, 32 * MIB
MOST_SENT = 40  # requests in a cell: 4 rows, 4 tries each, or a second of refusals
ALLOWED = ("right", "said", "partly", "error")
ONE, ALL = "once", "always"

# The pack's own limits, in the small.
LIMITS = {
    "client.request.SEND_TIMEOUT": 1.0,
    "client.request.READ_TIMEOUT": dict.fromkeys(
        ("read", "inference", "creates", "mutates"), 1.0
    ),
    "client.request.MOST_SECONDS": dict.fromkeys(
        ("read", "inference", "creates", "mutates"), 2.5
    ),
    "client.request.DEADLINE": 4.0,
    "client.request.CONNECT_TIMEOUT": 1.0,
    "client.transport.HEAD_SECONDS": 2.5,
    "client.transport.PACE_SECONDS": 2.5,
    "client.transport.TRANSFER_SECONDS": 8.0,
    "client.transport.MOST_UNKNOWN_BYTES": 16 << 20,
    "download.download.ERROR_SECONDS": 2.5,
    "transfer.media_output.MOST_SECONDS": {"inference": 2.5},
    "resilience.retry.FIRST_WAIT": 0.02,
    "resilience.retry.MAX_WAIT": 1.0,
    "replies.follow.MOST_SECONDS": dict.fromkeys(
        ("read", "inference", "creates", "mutates"), 2.5
    ),
    "replies.follow.LAST_EVENTS": 0.5,
    "rows.worker_pool.CONNECT_TIMEOUT": 1.0,
    "transfer.public_fetch.SILENCE": 1.0,
    "transfer.public_fetch.CONNECT_TIMEOUT": 1.0,
    "upload.multipart_upload.TIMEOUT": (1.0, 1.0),
    "upload.multipart_upload.ANSWER_SECONDS": 2.5,
    "workspace.api.TIMEOUT": (1.0, 1.0),
    "workspace.api.MOST_SECONDS": 2.5,
    "workspace.storage.TRANSFER": (1.0, 1.0),
    "workspace.jobs.SILENCE": 0.6,
}


@dataclass
class Verdict:
    """What became of a cell: one of ALLOWED, or what is wrong, with the words."""

    kind: str
    fault: str
    mode: str
    outcome: str
    words: str = ""
    seconds: float = 0.0
    mebibytes: float = 0.0
    sent: int = 0

    @property
    def allowed(self) -> bool:
        return self.outcome in ALLOWED

    @property
    def name(self) -> str:
        return f"{self.kind} | {self.fault} | {self.mode}"


def cells(kinds: Iterable[str] = KINDS) -> list[tuple[str, str, str]]:
    """Every (kind, fault, mode) that makes sense."""
    return [
        (kind, name, mode)
        for kind in kinds
        for name, fault in FAULTS.items()
        if fits(KINDS[kind], fault)
        for mode in ((ALL,) if fault.harmless or fault.tls else (ALL, ONE))
    ]


def fits(kind: Kind, fault: Fault) -> bool:
    if kind.form == "bytes" and "bomb" in fault.name:
        return False  # what it holds is the file, which goes to storage
    return fault.form in ("any", kind.form)


def run_cells(
    wanted: list[tuple[str, str, str]], at_once: int = 12
) -> Iterator[Verdict]:
    """Run cells, several at a time, in forks of a process that has all loaded."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with tempfile.TemporaryDirectory() as folder:
        _certificates(Path(folder))
        first = context.Process(
            target=_keep_goods, args=(Path(folder), {kind for kind, _, _ in wanted})
        )
        first.start()
        first.join()
        if first.exitcode:
            raise RuntimeError("an exchange fails without any fault: see above")
        left = list(reversed(wanted))
        running: dict[Connection, tuple] = {}
        while left or running:
            while left and len(running) < at_once:
                cell = left.pop()
                ours, theirs = context.Pipe(duplex=False)
                process = context.Process(target=_cell, args=(*cell, folder, theirs))
                process.start()
                theirs.close()
                running[ours] = process, cell, time.monotonic()
            for pipe in wait(list(running), 0.2):
                process, cell, began = running.pop(pipe)
                try:
                    yield Verdict(**pipe.recv())
                except EOFError:
                    process.join()
                    words = f"the process ended with {process.exitcode}"
                    yield Verdict(*cell, "crash", words)
                process.join()
            for pipe, (process, cell, began) in list(running.items()):
                if time.monotonic() - began > PATIENCE:
                    process.kill()
                    process.join()
                    del running[pipe]
                    yield Verdict(*cell, "hang", f"more than {PATIENCE:g} s")


# --- in the cell's process ---------------------------------------------------------


def _cell(kind: str, name: str, mode: str, folder: str, pipe: Connection) -> None:
    with contextlib.suppress(BrokenPipeError):
        pipe.send(asdict(_judged(KINDS[kind], FAULTS[name], mode, Path(folder))))
    os._exit(0)


def _judged(kind: Kind, fault: Fault, mode: str, folder: Path) -> Verdict:
    for name, value in LIMITS.items():
        module, _, constant = name.rpartition(".")
        setattr(_checked(importlib.import_module(f"scripts.{module}"), constant),
                constant, value)  # fmt: skip
    os.environ["REQUESTS_CA_BUNDLE"] = str(folder / "authority.pem")
    verdict = Verdict(kind.name, fault.name, mode, "right")
    if "bomb" in fault.name:
        bomb()  # the server's own memory, not the exchange's
    with FaultServer(kind.answer, _tls(fault.tls, folder)) as server:
        server.hit = kind.hit
        auth = {"api_key": KEY, "base_url": server.url}
        as_job(server.url, TOKEN)
        log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - in memory it would count
        before = _reset_peak()
        server.fault = fault.send
        server.early = fault.early
        if mode == ONE:
            _only_once(server)
        began = time.monotonic()
        result = error = None
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
            try:
                result = kind.run(auth)
            except TogetherError as raised:
                error = raised
            except BaseException:
                verdict.outcome = "crash"
                verdict.words = traceback.format_exc()[-900:]
        verdict.seconds = round(time.monotonic() - began, 2)
        verdict.mebibytes = round((_peak() - before) / MIB, 1)
        verdict.sent = sum(kind.hit(asked) for asked in server.asked)
        if verdict.outcome == "right":
            _judge(verdict, kind, fault, server, result, error, folder)
        content = kind.form == "bytes"  # a file holds what it holds
        content = content or kind.any_json  # a value that the user's own runs kept
        log.seek(0)
        _spoken(verdict, log.read(), None if content else result, error)
        if verdict.mebibytes * MIB > kind.at_once * ANSWER + REST and verdict.allowed:
            verdict.outcome, verdict.words = "memory", f"{verdict.mebibytes} MiB"
        if verdict.sent > MOST_SENT and verdict.allowed:
            verdict.outcome, verdict.words = "storm", f"{verdict.sent} requests"
        if verdict.allowed and not fault.tls:
            server.fault = None
            _after(verdict, kind, auth, folder)
    return verdict


def _checked(module: object, constant: str) -> object:
    assert hasattr(module, constant), f"{module.__name__} has no {constant}"
    return module


def _only_once(server: FaultServer) -> None:
    hit = server.hit

    def first(asked: object) -> bool:
        return bool(hit(asked) and sum(map(hit, server.asked)) == 1)

    server.hit = first


def _judge(
    verdict: Verdict,
    kind: Kind,
    fault: Fault,
    server: FaultServer,
    result: object,
    error: TogetherError | None,
    folder: Path,
) -> None:
    if error is None:
        good = _good(kind, folder)
        if result == good:
            return
        verdict.words = f"{_short(result)} for {_short(good)}"
        if _said(kind, fault, result, good):
            verdict.outcome = "said"
        elif kind.partly(result) and not fault.harmless:
            verdict.outcome = "partly"
        else:
            verdict.outcome = "wrong"
        return
    verdict.outcome, verdict.words = "error", str(error)[:300]
    # The bytes of a file come with 200 alone: 201 and 202 say that they are not there
    # yet, and 203 that somebody on the way has changed them.
    other = kind.form == "bytes" and fault.group == "status"
    if fault.harmless and not (other or (kind.plain and fault.group == "coding")):
        verdict.outcome = "refused"
        return
    try:
        json.dumps(vars(error), allow_nan=False)
    except ValueError as problem:
        verdict.outcome, verdict.words = "no JSON", str(problem)
        return
    if kind.creates:
        carried = sum(kind.hit(asked) and asked.whole for asked in server.asked)
        ambiguous = getattr(error, "ambiguous", None)
        if ambiguous and verdict.sent > 1 and not _refusals(fault):
            verdict.outcome = "sent twice"
        elif carried and not ambiguous and _unclear(fault):
            verdict.outcome = "not told as ambiguous"


def _said(kind: Kind, fault: Fault, result: object, good: object) -> bool:
    """Whether a result is just what the service said, and may be."""
    if kind.any_json and fault.name == "status: 404":
        return result is None  # nothing is kept there
    if kind.form == "bytes" and fault.name in SHORTER:
        return isinstance(result, dict) and good["bytes"].startswith(result["bytes"])
    if kind.form == "bytes":
        # Another file is as good a file; but for a sound, which must not be text.
        framed = fault.group in ("json", "coding", "bytes", "length", "chunks", "key")
        return kind.raw and framed and not _cut(fault)
    if kind.any_json and (fault.group == "json" or fault.name == "key: in 200"):
        return True
    if "409" in fault.name or fault.name == "key: in the file's id":
        return isinstance(good, dict) and result == {**good, "reused": True}
    if fault.says is NOTHING or not kind.raw or (fault.error and not kind.any_json):
        return False
    if callable(fault.says):
        return fault.says(good, result)
    said = fault.says
    if isinstance(said, dict) and isinstance(result, dict):
        # What would mean something to Windmill gets a _.
        said = {f"{n}_" if f"{n}_" in result else n: v for n, v in said.items()}
    return result == said


# Whoever is told a shorter length cannot see that there is more.
SHORTER = ("length: too small", "length: too small by one")


def _cut(fault: Fault) -> bool:
    """Whether the fault leaves something to see that the body is not whole."""
    return fault.name not in (
        "coding: gzip of nothing",
        "coding: gzip that nobody names",
        "coding: empty",
        "bytes: none",
        "bytes: an error as JSON",
        "bytes: a page",
        "length: zero before a body",
        "length: too small",
        "length: too small by one",
        "chunks: the end comes first",
        "chunks: not at all",
    ) and fault.group not in ("json", "key")


def _refusals(fault: Fault) -> bool:
    """Whether the server said that it had not done what it was asked."""
    return fault.group == "again" or fault.name in ("status: 429", "status: 503")


def _unclear(fault: Fault) -> bool:
    """Whether such an end leaves open what was done: nothing was answered."""
    return fault.group in ("connection", "head", "body", "chunks", "time") and not (
        "refus" in fault.name or "before the request" in fault.name
    )


def _spoken(
    verdict: Verdict, log: str, result: object, error: TogetherError | None
) -> None:
    """Look for the key, or a part of it, in all that leaves the exchange."""
    seen = [log, repr(result)]
    if error is not None:
        seen += [repr(error), repr(vars(error)), str(error)]
        seen += traceback.format_exception(error)
    for secret in (KEY, TOKEN):
        parts = {secret[i : i + ECHO] for i in range(len(secret) - ECHO)}
        for text in seen:
            if any(part in text for part in parts):
                verdict.outcome, verdict.words = "key", f"in {text[:300]!r}"


def _after(verdict: Verdict, kind: Kind, auth: dict, folder: Path) -> None:
    """The next exchange of the same process must be the right one."""
    sink = io.StringIO()
    time.sleep(0.05)  # a connection that was closed is seen to be so
    with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
        try:
            result = kind.run(auth)
        except BaseException as error:
            result = f"{type(error).__name__}: {error}"
    if result != _good(kind, folder):
        verdict.outcome = "the next is wrong"
        verdict.words = _short(result)


def _good(kind: Kind, folder: Path) -> object:
    """What an exchange gives where all goes well."""
    return pickle.loads((folder / f"{kind.name}.pickle").read_bytes())


def _keep_goods(folder: Path, kinds: Iterable[str]) -> None:
    for name in kinds:
        kind, log = KINDS[name], io.StringIO()
        with FaultServer(kind.answer) as server:
            as_job(server.url, TOKEN)
            with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
                good = kind.run({"api_key": KEY, "base_url": server.url})
        (folder / f"{name}.pickle").write_bytes(pickle.dumps(good))


def _short(value: object) -> str:
    return repr(value)[:150]


def _reset_peak() -> int:
    """Let the highest memory be counted from now; return what is used now, in bytes."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    return _peak()


def _peak() -> int:
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith("VmHWM"))
    return int(line.split()[1]) << 10


# --- TLS ---------------------------------------------------------------------------


def _certificates(folder: Path) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    authority.cert_pem.write_to_path(folder / "authority.pem")
    for name, issued in {
        "good": authority.issue_cert("127.0.0.1"),
        "expired": authority.issue_cert("127.0.0.1", not_after=now - day),
        "not yet valid": authority.issue_cert(
            "127.0.0.1", not_before=now + day, not_after=now + 9 * day
        ),
        "of another authority": stranger.issue_cert("127.0.0.1"),
        "for another host": authority.issue_cert("example.com"),
    }.items():
        issued.private_key_and_cert_chain_pem.write_to_path(folder / f"{name}.pem")


def _tls(name: str | None, folder: Path) -> object:
    """What wraps a connection of the server so that TLS goes as named."""
    if name is None or name == "plain http":
        return None if name is None else lambda connection: connection
    file = folder / f"{name}.pem"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file if file.exists() else folder / "good.pem")
    if name == "of version 1.1":
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
    if name == "asks for a certificate":
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / "authority.pem")

    def wrap(connection: object) -> object:
        raw = {
            "rubbish": bytes(range(256)) * 9,
            "an alert": b"\x15\x03\x03\x00\x02\x02\x28",
            "cut in the handshake": b"\x16\x03\x03\x00\x7a\x02\x00\x00",
        }
        if name == "reset":
            connection.recv(1)
            reset(connection)
            return None
        if name == "closed":
            connection.close()
            return None
        if name in raw:
            connection.recv(65536)
            connection.sendall(raw[name])
            connection.close()
            return None
        if name in ("silent", "drips"):
            connection.recv(65536)
            for byte in itertools.cycle(b"\x16\x03\x03\x3f\xff\x02"):
                if name == "drips":
                    connection.sendall(bytes([byte]))
                time.sleep(SLOW)
        wrapped = context.wrap_socket(connection, server_side=True)
        return _Wrapped(wrapped, name) if name in _Wrapped.WAYS else wrapped

    return wrap


class _Wrapped:
    """A TLS connection whose answers go out in a way of their own."""

    WAYS = ("a byte at a time", "ends without a farewell", "cut within an answer")

    def __init__(self, connection: ssl.SSLSocket, way: str) -> None:
        self.connection, self.way = connection, way

    def __getattr__(self, name: str) -> object:
        return getattr(self.connection, name)

    def fileno(self) -> int:
        return self.connection.fileno()

    def sendall(self, data: bytes) -> None:
        if self.way == "a byte at a time" and len(data) < 4000:
            for byte in data:
                self.connection.sendall(bytes([byte]))
        elif self.way == "cut within an answer":
            self.connection.sendall(data[: len(data) // 2])
            reset(self.connection)
        else:
            self.connection.sendall(data)
            if self.way == "ends without a farewell":
                self.connection.shutdown(socket.SHUT_RDWR)
