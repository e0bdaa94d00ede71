"""Which module of scripts/ may import which: an import only goes down.

LAYERS says where each stands; a table such as this is only worth something as long as
nobody can forget it, so a module without an entry and an entry without a module are
problems as well. What a job loads is looked at in the deployed modules (flatten.py):
their imports at the top make no circle.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tools.syntax import parsed, statements
from tools.tree.flatten import (
    RESOLVED,
    FlattenError,
    is_for_checkers,
    module_names,
    module_text,
    parts_of,
    sources,
)

LAYERS = (
    (
        "pure",
        "charts",
        "client/asked_for",
        "client/content",
        "client/endings",
        "client/errors",
        "client/form",
        "client/job",
        "client/jsonio",
        "client/references",
        "client/resource",
        "client/startup",
        "client/validate",
        "documents/list_numbers",
        "documents/office_archive",
        "documents/web_page",
        "documents/word_file",
        "documents/word_index",
        "documents/word_lists",
        "download/file_end",
        "download/filenames",
        "forms/form_fields",
        "forms/schema_editor",
        "forms/typed_models",
        "json_schema/checker",
        "json_schema/composed",
        "json_schema/linear_regex",
        "operation_calls/operation_table",
        "upload/service_limits",
        "metrics/prometheus",
        "replies/harmless_text",
        "resilience/fields",
        "speech/mp3_frames",
        "speech/subtitle_files",
        "agent_tools/tool_arguments",
        "transfer/filetypes",
        "workspace/markup",
    ),
    (
        "wire",
        "client/carrier",
        "client/transport",
        "connection_pools",
        "replies/live_text",
        "replies/sse",
        "resilience/explain",
        "resilience/faults",
        "resilience/lists",
        "resilience/proxy",
        "resilience/refusals",
        "resilience/retry",
        "resilience/server_words",
    ),
    (
        "exchange",
        "client/request",
        "replies/accumulators",
        "replies/follow",
        "replies/pages",
    ),
    (
        "bytes and workspace",
        "download/download",
        "transfer/file_input",
        "transfer/file_source",
        "transfer/media_output",
        "transfer/media_view",
        "transfer/multipart",
        "transfer/public_fetch",
        "transfer/remote_file",
        "upload/dataset_check",
        "upload/file_upload",
        "upload/multipart_upload",
        "workspace/api",
        "workspace/conversation",
        "workspace/create_once",
        "workspace/jobs",
        "workspace/progress",
        "workspace/runnables",
        "workspace/signed_address",
        "workspace/state",
        "workspace/storage",
        "workspace/watermark",
    ),
    ("verbs", "client/calls"),
    (
        "services",
        "across/cutting",
        "across/file_answers",
        "across/joining",
        "across/lease",
        "batch_files/answers",
        "batch_files/input_files",
        "batch_files/submission",
        "catalog/budget",
        "catalog/catalog",
        "catalog/fallback",
        "catalog/known_models",
        "catalog/model_choice",
        "catalog/model_picker",
        "catalog/pricing",
        "documents/workbook",
        "tuning/dataset_steps",
        "service_jobs/job_kinds",
        "mcp_client",
        "realtime_audio",
        "rows/admission",
        "rows/embedding_answers",
        "rows/sender",
        "table/ordered_threads",
        "table/vectors",
        "checkpoint",
        "table_files/encodings",
        "table/gzipped",
        "rows/pace",
        "table_files/part",
        "table/row_results",
        "table/row",
        "table_files/header",
        "table_files/json_rows",
        "table_files/table_file",
        "table_files/csv_rows",
        "table/table",
        "rows/worker_pool",
        "table_query",
    ),
    (
        "steps",
        "account_steps",
        "tool_calling/agent_loop_steps",
        "agent_tools/agent_steps",
        "ai_agents/ai_agent_steps",
        "speech/audio_steps",
        "batch_files/batch_steps",
        "chat_steps",
        "structured/classify_steps",
        "deployment_steps",
        "documents/document_steps",
        "evaluation_steps",
        "structured/extract_steps",
        "file_steps/file_steps",
        "tuning/fine_tune_steps",
        "service_jobs/flow_steps",
        "media/image_steps",
        "documents/index_steps",
        "metrics/metric_steps",
        "operation_calls/operation_steps",
        "parquet_steps",
        "ai_agents/proposal_steps",
        "trigger_steps/retired_model_steps",
        "rows/rerank_steps",
        "rows/row_steps",
        "file_steps/storage_steps",
        "tool_calling/model_arguments",
        "tool_calling/tool_schema",
        "tool_calling/tool_steps",
        "tool_calling/tools",
        "trigger_steps/trigger_steps",
        "media/video_steps",
        "service_jobs/wait_steps",
    ),
)
# The parts of client/ that load other modules, and late; all others of it load none.
LATE_IN_CLIENT = (
    "client/calls",
    "client/carrier",
    "client/form",
    "client/request",
    "client/transport",
)


MOST_LOADED = 8  # modules that a script loads before it begins

Layers = tuple[tuple[str, ...], ...]


def layer_problems(root: Path, layers: Layers = LAYERS) -> Iterator[tuple[Path, str]]:
    """Each file and what is wrong with what it imports, or with the table."""
    place = {name: n for n, (_, *names) in enumerate(layers) for name in names}
    files = {_name(root, path): path for path in sources(root)}
    modules = {name for name in files if not name.endswith("/__init__")}
    table = root / "tools" / "checks" / "layers.py"
    for name in sorted(modules - set(place)):
        yield files[name], "has no layer: give it one in tools/checks/layers.py"
    for name in sorted(set(place) - modules):
        yield table, f"{name} is stale: there is no scripts/{name}.py"
    for name in sorted(modules & set(place)):
        for line, there, late, reason, private in imports(root, files[name], name):
            if place.get(there, -1) > place[name]:
                layer = layers[place[name]][0]
                words = f"imports {there}, which stands above it ({layer})"
                yield files[name], f"line {line}: {words}"
            if private:
                words = f"{private} of {there} is its own: give it a public name"
                yield files[name], f"line {line}: {words}"
            if late and not reason:
                yield files[name], f"line {line}: an import that is late says why"
            # Not deployed: what they return stands where it is asked for.
            outside = there.split("/")[0] not in (name.split("/")[0], *RESOLVED)
            if name.startswith("client/") and outside:
                if not late:
                    words = f"{there} is loaded by every job: import it late"
                    yield files[name], f"line {line}: {words}"
                elif name not in LATE_IN_CLIENT:
                    words = "only those of LATE_IN_CLIENT load other modules"
                    yield files[name], f"line {line}: {words}"
    yield from _circles(root)
    yield from _heavy(root)


def imports(
    root: Path, path: Path, name: str
) -> Iterator[tuple[int, str, bool, bool, str]]:
    """(line, module, whether it is within a function, whether the line says why, the
    name if it is private) of each import of ours; what a package hands out itself
    counts as its part's. What only type checkers read is no import."""
    own = name.split("/")[:-1]
    for node, reason in _relative_imports(path.read_text(encoding="utf-8")):
        up = len(own) + 1 - node.level
        base = [*own[:up], *(node.module.split(".") if node.module else ())]
        for alias in node.names:
            there = _place(root, base, alias.name)
            if there is not None:
                private = alias.name if alias.name.startswith("_") else ""
                yield node.lineno, there, node.col_offset > 0, reason, private


@cache
def _relative_imports(text: str) -> tuple[tuple[ast.ImportFrom, bool], ...]:
    """The relative imports of a text, and whether the line of each says why."""
    lines = text.split("\n")
    body = [node for node in parsed(text).body if not is_for_checkers(node)]
    return tuple(
        (node, any("  # " in line for line in lines[node.lineno - 1 : node.end_lineno]))
        for outer in body
        for node in (outer, *statements(outer))
        if isinstance(node, ast.ImportFrom) and node.level
    )


def _place(root: Path, base: list[str], name: str) -> str | None:
    """The module that holds an imported name; None for a whole package."""
    scripts = root / "scripts"
    for words in ([*base, name], base):
        if words and scripts.joinpath(*words).with_suffix(".py").exists():
            return "/".join(words)
    init = scripts.joinpath(*base, "__init__.py")
    if base and init.exists():
        part = _handed_out(init.read_text(encoding="utf-8")).get(name)
        return f"{base[0]}/{part}" if part else None
    return None


@cache
def _handed_out(text: str) -> dict[str, str]:
    """The table by which a package finds the names that it hands out itself."""
    for node in parsed(text).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PLACES":
            return ast.literal_eval(node.value)
    return {}


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root / "scripts").with_suffix("").as_posix()


@cache
def _loaded_with(text: str) -> frozenset[str | None]:
    """The modules of ours that a built one imports while it is loaded."""
    nodes = [
        node
        for node in parsed(text).body
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    found = {node.module for node in nodes}
    return frozenset(
        found | {a.name for node in nodes for a in node.names if not node.module}
    )


def _heavy(root: Path) -> Iterator[tuple[Path, str]]:
    """Scripts that load too many modules before they begin: each is a request."""
    names, parts = {*module_names(root)}, parts_of(root)

    @cache
    def needs(name: str) -> frozenset[str]:
        try:
            return _loaded_with(module_text(root, name, parts)) & names
        except FlattenError:  # said by _circles
            return frozenset()

    for path in sorted((root / "scripts").glob("*/*.py")):
        if path.parent.name in names:
            continue
        text = path.read_text(encoding="utf-8")
        loaded: set[str] = set()
        waiting = names & {
            (node.module or "").split(".")[0]
            for node, _ in _relative_imports(text)
            if node.col_offset == 0
        }
        while waiting:
            loaded.add(name := waiting.pop())
            waiting |= needs(name) - loaded
        if len(loaded) > MOST_LOADED:
            words = f"loads {len(loaded)} modules: {', '.join(sorted(loaded))}"
            yield path, f"{words}; import late what it seldom needs"


def _circles(root: Path) -> Iterator[tuple[Path, str]]:
    """Deployed modules that import each other while they are loaded."""
    needs: dict[str, list[str]] = {}
    names = module_names(root)
    parts = parts_of(root)
    for name in names:
        try:
            needs[name] = sorted(
                _loaded_with(module_text(root, name, parts)) & {*names}
            )
        except FlattenError as error:
            path = root / "scripts" / f"{error.part}.py"
            yield path, f"line {error.line}: {error.what}"
    done: set[str] = set()

    def look(name: str, within: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
        if name in within:
            circle = " -> ".join([*within[within.index(name) :], name])
            yield sources(root, name)[0], f"the modules make a circle: {circle}"
        elif name not in done:
            for other in needs.get(name, ()):
                yield from look(other, (*within, name))
            done.add(name)

    for name in names:
        yield from look(name, ())
