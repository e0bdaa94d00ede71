"""Our requests beside an OpenAPI document: Prism says of each whether it keeps to it.

Each example of each operation is sent to the sandbox, and what came there again to
Prism, which plays the service by the document and refuses what that does not allow. The
document is given by path or address and kept nowhere.
"""

import contextlib
import importlib
import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import requests
import yaml

from tools.local.fake_workspace import Workspace, environment_of
from tools.operations import Operation, operations
from tools.pages.node import PRISM, install
from tools.sandbox import Recorded, Sandbox

KEY = "tgp_prism_0123456789abcdef"
MOST_DOCUMENT = 20 << 20  # bytes
STARTS = 120  # seconds that Prism may take to begin
NO_ROUTE = ("NO_PATH_MATCHED_ERROR", "NO_METHOD_MATCHED_ERROR")
SKIPPED = ("host", "content-length", "connection", "accept-encoding", "accept")
# Where Together's document is wrong or older than the service: operation: (what each
# thing that Prism says of it holds, why).
KNOWN = {
    "clusters/create_cluster": (
        "cuda_version|nvidia_driver_version",
        "needed only in the older of two forms",
    ),
    "fine_tuning/create_fine_tune": (
        "lr_scheduler_args must match exactly one",
        "what cosine takes fits linear, too, so that nothing fits one alone",
    ),
}


@dataclass
class Judged:
    """What became of the requests."""

    fitting: int = 0
    unknown: set[str] = field(default_factory=set)  # operations not in the document
    known: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        listed = ", ".join(sorted(self.unknown)) or "none"
        return [
            *(f"refused: {line}" for line in self.refused),
            *(f"refused, as is known: {line}" for line in self.known),
            f"{self.fitting} requests keep to the document, {len(self.refused)} do "
            f"not, {len(self.known)} do not for a reason that is known",
            f"{len(self.unknown)} operations are not in it: {listed}",
        ]


def judge(document: str) -> Judged:
    """Send all examples. Raises ValueError for a document that cannot be had or read,
    and OSError where Node or Prism is missing."""
    install(PRISM)
    found = Judged()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "document.yaml"
        file.write_bytes(_read(document))
        prefix = _prefixes(file)
        with _prism(file) as address, requests.Session() as session:
            for name, sent in _sent():
                _judge(found, session, address, prefix, name, sent)
    return found


def _read(document: str) -> bytes:
    if document.startswith(("http://", "https://")):
        answer = requests.get(document, timeout=60, stream=True)
        answer.raise_for_status()
        content = answer.raw.read(MOST_DOCUMENT + 1, decode_content=True)
    else:
        content = Path(document).read_bytes()
    if len(content) > MOST_DOCUMENT:
        raise ValueError(f"{document} has more than {MOST_DOCUMENT >> 20} MiB")
    return content


def _prefixes(file: Path) -> list[str]:
    """The paths of the document's servers, which Prism leaves out of its own."""
    about = yaml.load(file.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    if not isinstance(about, dict) or "paths" not in about:
        raise ValueError("the document is no OpenAPI: it has no paths")
    servers = list(about.get("servers", ()))
    for path in about["paths"].values():
        servers += path.get("servers", ())
        for operation in path.values():
            if isinstance(operation, dict):
                servers += operation.get("servers", ())
    paths = {urlsplit(server["url"]).path.rstrip("/") for server in servers}
    return sorted(paths, key=lambda path: (-len(path), path))


@contextlib.contextmanager
def _prism(file: Path) -> Iterator[str]:
    """Prism over a document; gives its address."""
    program = PRISM / "node_modules/@stoplight/prism-cli/dist/index.js"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["mock", "--errors", "--host", "127.0.0.1", "--port", str(port), str(file)]
    log = file.with_suffix(".log")
    with log.open("w") as output:
        process = subprocess.Popen(
            [shutil.which("node") or "node", str(program), *words],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        try:
            end = time.monotonic() + STARTS
            while "is listening" not in log.read_text():
                if process.poll() is not None or time.monotonic() > end:
                    raise ValueError(f"Prism did not start: {log.read_text()[-500:]}")
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def _sent() -> Iterator[tuple[Operation, Recorded]]:
    """Each request of each example, as the sandbox got it."""
    with (
        Sandbox(pace=0, lifecycles=False, refuses=False) as sandbox,
        Workspace() as workspace,
        environment_of(workspace.environment),
    ):
        auth = {"api_key": KEY, "base_url": sandbox.url}
        for operation in operations():
            if operation.realtime:
                continue  # a WebSocket, which no document of this kind describes
            module = f"scripts.{operation.group}.{operation.name}"
            main = importlib.import_module(module).main
            for arguments in operation.schema["examples"]:
                sandbox.requests.clear()
                main(auth, **arguments)
                for request in sandbox.requests:
                    yield operation, request


def _judge(
    found: Judged,
    session: requests.Session,
    address: str,
    prefixes: list[str],
    operation: Operation,
    sent: Recorded,
) -> None:
    path = sent.path
    tries = [path.removeprefix(one) for one in prefixes if path.startswith(f"{one}/")]
    headers = {n: v for n, v in sent.headers.items() if n.lower() not in SKIPPED}
    for short in dict.fromkeys([*tries, path]):
        answer = session.request(
            sent.method,
            address + short + (f"?{sent.query}" if sent.query else ""),
            data=sent.body or None,
            headers=headers,
            timeout=60,
            allow_redirects=False,
        )
        if not _is_unrouted(answer):
            break
    else:
        found.unknown.add(operation.id)
        return
    why = _refusal(answer)
    if why is None:
        found.fitting += 1
        return
    line = f"{operation.id}: {sent.method} {sent.path}: {'; '.join(why)}"
    words, reason = KNOWN.get(operation.id, ("(?!)", ""))
    if all(re.search(words, one) for one in why):
        found.known.append(f"{line} ({reason})")
    else:
        found.refused.append(line)


def _is_unrouted(answer: requests.Response) -> bool:
    return answer.status_code in (404, 405) and any(w in answer.text for w in NO_ROUTE)


def _refusal(answer: requests.Response) -> list[str] | None:
    """What all Prism has against a request; None for nothing. What it says of its own
    answer, which it makes up of the document's examples, is no matter of ours."""
    kind = answer.headers.get("content-type", "")
    if "problem+json" not in kind:
        return None
    about = json.loads(answer.text)
    if "UNPROCESSABLE" not in about.get("type", "") and answer.status_code >= 500:
        return None
    faults = [
        f"{'.'.join(map(str, one.get('location', ())))} {one.get('message')}"
        for one in about.get("validation", ())
    ]
    return faults or [f"{about.get('title')}: {about.get('detail')}"]
