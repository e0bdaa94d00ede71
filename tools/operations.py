"""The operations of the pack, as their schemas describe them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Operation:
    """One schema file: schemas/<group>/<name>.json."""

    root: Path
    group: str
    name: str

    @property
    def id(self) -> str:
        return f"{self.group}/{self.name}"

    @property
    def schema_path(self) -> Path:
        return self.root / "schemas" / self.group / f"{self.name}.json"

    @property
    def script_path(self) -> Path:
        return self.root / "scripts" / self.group / f"{self.name}.py"

    @cached_property
    def schema(self) -> dict:
        return json.loads(self.schema_path.read_text(encoding="utf-8"))

    @property
    def exchange(self) -> dict:
        return self.schema["x-operation"]

    @property
    def arguments(self) -> dict:
        """The schemas of main's arguments other than auth, in the order of main."""
        return self.schema.get("properties", {})

    @property
    def required(self) -> list[str]:
        return self.schema.get("required", [])

    @property
    def realtime(self) -> bool:
        """Whether the exchange goes over a WebSocket."""
        return self.exchange.get("reply") in ("transcript", "speech")

    @property
    def verb(self) -> str:
        """The helper's function that carries out this shape of exchange."""
        if self.realtime:
            return {"transcript": "transcribe", "speech": "speak"}[
                self.exchange["reply"]
            ]
        if "stream" in self.exchange:
            return "stream"
        if self.exchange.get("content") == "multipart":
            return "upload"
        return "download" if self.exchange.get("reply") == "binary" else "call"


def operations(root: Path = ROOT) -> Iterator[Operation]:
    """Every operation, sorted by group and name."""
    for path in sorted((root / "schemas").glob("*/*.json")):
        yield Operation(root, path.parent.name, path.stem)


@cache
def find(operation_id: str, root: Path = ROOT) -> Operation:
    """The operation of that group/name, or of that name alone. Raises KeyError."""
    for operation in operations(root):
        if operation_id in (operation.id, operation.name):
            return operation
    raise KeyError(operation_id)
