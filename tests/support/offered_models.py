"""A catalogue that offers some models alone."""

import contextlib
import uuid
from collections.abc import Iterator

from tools.sandbox import Sandbox

LISTS = ("list_models", "list_supported_models")
PRICES = {"chat": {"input": 0.1, "output": 0.2}, "transcribe": {"minute": 0.01}}


@contextlib.contextmanager
def offering(sandbox: Sandbox, *names: str, kind: str = "chat") -> Iterator[dict]:
    """Let a sandbox's catalogue offer these models, the newest last, each at twice the
    price of the one before; yield a resource whose jobs read it anew."""
    entries = [
        {
            "id": name,
            "object": "model",
            "type": kind,
            "created": 1_700_000_000 + number,
            "context_length": 131_072,
            "pricing": {unit: usd * 2**number for unit, usd in PRICES[kind].items()},
        }
        for number, name in enumerate(names)
    ]
    before = {name: sandbox.answers.get(name) for name in LISTS}
    sandbox.answers["list_models"] = lambda _: entries
    sandbox.answers["list_supported_models"] = lambda _: {"data": []}
    try:
        # Lists are kept for a while for each key.
        yield {"api_key": f"tgp_{uuid.uuid4().hex}", "base_url": sandbox.url}
    finally:
        for name, answer in before.items():
            if answer:
                sandbox.answers[name] = answer
            else:
                sandbox.answers.pop(name)
