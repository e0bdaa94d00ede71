"""The examples of steps and flows, and what those need that do not end well on this
machine with the embedded sandbox."""

from importlib.util import find_spec

from tools.flows.pack_flows import Flow
from tools.operations import Operation

PARQUET = "the library for Parquet: .venv/bin/pip install -r requirements-parquet.lock"
ENDPOINT = "an endpoint of yours of that name, and a budget that fits how it is paid"
OVER = "a job whose deadline is not over; this one shows how a wait is given up"
# By id and number: 0 is the least, -1 the most.
NEEDS: dict[tuple[str, int], str] = {
    ("agent/find_passages", -1): "an index that embeddings/index_documents has made",
    ("batches/collect_rows", -1): "the batch of a run over these rows",
    ("chat/begin_agent", -1): "a conversation of an earlier run",
    ("embeddings/embed_rows", -1): ENDPOINT,
    ("endpoints/create_endpoint", 0): "an account that may: Together closed version 1",
    ("endpoints/create_endpoint", -1): "an account that may: Together closed version 1",
    ("files/join_table", -1): "the parts of a run of the flow that split the table",
    ("files/map_files", -1): "the parts of a run of the flow that split the files",
    ("flows/ask_documents", -1): ENDPOINT,
    ("flows/embed_rows_across_workers", -1): ENDPOINT,
    ("flows/run_agent", -1): "a conversation of an earlier run",
    ("inner/wait_for_job", -1): OVER,
    ("rerank/search_documents", -1): ENDPOINT,
    ("waits/poll_job", -1): OVER,
}


def needs(found: Operation | Flow, number: int) -> str | None:
    """What the first (0) or last (-1) example needs that this machine does not have;
    None: nothing."""
    parquet = found.id in ("files/read_parquet", "files/write_parquet")
    if parquet and find_spec("arro3") is None:
        return PARQUET
    return NEEDS.get((found.id, number))


def example_of(found: Operation | Flow) -> list[dict]:
    """The examples of a step or flow; of a recipe, what it is tried with."""
    if isinstance(found, Operation):
        return found.schema["examples"]
    if found.recipe:
        return [found.source["try"]] if "try" in found.source else []
    return found.source["arguments"].get("examples", [])
