"""Which module of scripts/ may import which: an import only goes down.

LAYERS says where each stands; a table such as this is only worth something as long as
nobody can forget it, so a module without an entry and an entry without a module are
problems as well. What a job loads is looked at in the deployed modules (flatten.py):
their imports at the top make no circle.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools.syntax import parsed, statements
from tools.tree.flatten import (
    RESOLVED,
    FlattenError,
    is_for_checkers,
    module_names,
    module_text,
    package_files,
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
        "operation_calls/descriptor",
        "upload/service_limits",
        "metrics/prometheus",
        "replies/harmless_text",
        "resilience/fields",
        "speech/mp3_frames",
        "speech/subtitle_files",
        "structured/category_answers",
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
        "transfer/file_parts",
        "transfer/file_source",
        "transfer/media_checks",
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
        "table/row_counts",
        "table/row_results",
        "table/row_summary",
        "table/row",
        "table_files/header",
        "table_files/json_rows",
        "table_files/table_file",
        "table_files/csv_rows",
        "table/table",
        "rows/worker_pool",
        "table_query/cells",
        "table_query/column_format",
        "table_query/conditions",
        "table_query/date_texts",
        "table_query/description",
        "table_query/measures",
        "table_query/number_texts",
        "table_query/query",
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
        "structured/questions",
        "file_steps/file_steps",
        "tuning/dataset_steps",
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
# The files of client/ that load other modules, and late; all others of it load none.
LATE_IN_CLIENT = (
    "client/calls",
    "client/carrier",
    "client/form",
    "client/request",
    "client/transport",
)

MOST_LOADED = 8  # modules that a script loads before main begins
MOST_IN_ALL = 15  # with those that it loads as it runs: tests/test_modules_fetched.py

Layers = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Import:
    """An import of a module of ours; `private` is the name if it is a private one."""

    line: int
    module: str
    late: bool
    private: str


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
    known = sorted(modules & set(place))
    imported = {name: list(imports(root, files[name], name)) for name in known}
    needs = _needs(root)
    with_it = {name: _all_loaded([name], needs) for name in needs}
    # Of two files of a package that lead to each other, one has to do so late.
    beside = {
        name: {one.module for one in found if not one.late and _is_beside(name, one)}
        for name, found in imported.items()
    }
    for name in known:
        path = files[name]
        for one in imported[name]:
            if place.get(one.module, -1) > place[name]:
                layer = layers[place[name]][0]
                words = f"imports {one.module}, which stands above it ({layer})"
                yield path, f"line {one.line}: {words}"
            for words in _wrong(name, one):
                yield path, f"line {one.line}: {words}"
            loaded = one.module.split("/")[0] in with_it.get(name.split("/")[0], ())
            if _is_beside(name, one):
                loaded = name not in _all_loaded([one.module], beside)
            if one.late and loaded:
                words = f"{one.module} is loaded with it: import it at the top"
                yield path, f"line {one.line}: {words}"
        for line in _without_reason(path.read_text(encoding="utf-8")):
            yield path, f"line {line}: an import that is late says why"
    yield from _circles(root, needs)
    yield from _heavy(root, needs)


def _wrong(name: str, one: Import) -> Iterator[str]:
    """What is wrong with an import, whatever stands in the layers."""
    if one.private:
        yield f"{one.private} of {one.module} is its own: give it a public name"
    # RESOLVED are not deployed: what they return stands where it is asked for.
    inside = _is_beside(name, one) or one.module in RESOLVED
    if name.startswith("client/") and not inside:
        if not one.late:
            yield f"{one.module} is loaded by every job: import it late"
        elif name not in LATE_IN_CLIENT:
            yield "only those of LATE_IN_CLIENT load other modules"


def _is_beside(name: str, one: Import) -> bool:
    """Whether an import is from another file of the same package, and so from the same
    deployed module."""
    return name.split("/")[0] == one.module.split("/")[0]


def _all_loaded(names: Iterable[str], needs: Mapping[str, Set[str]]) -> set[str]:
    """Modules, and all that is loaded with them: `needs` says what each imports."""
    loaded: set[str] = set()
    waiting = {*names}
    while waiting:
        loaded.add(name := waiting.pop())
        waiting |= needs.get(name, frozenset()) - loaded
    return loaded


def imports(root: Path, path: Path, name: str) -> Iterator[Import]:
    """The imports of ours; what a package hands out itself counts as that of its file.
    What only type checkers read is no import."""
    own = name.split("/")[:-1]
    for node in _imports(path.read_text(encoding="utf-8")):
        if isinstance(node, ast.Import) or not node.level:
            continue
        up = len(own) + 1 - node.level
        base = [*own[:up], *(node.module.split(".") if node.module else ())]
        for alias in node.names:
            there = _place(root, base, alias.name)
            if there is not None:
                private = alias.name if alias.name.startswith("_") else ""
                yield Import(node.lineno, there, node.col_offset > 0, private)


@cache
def _imports(text: str) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """The imports of a text, of ours and of libraries."""
    body = [node for node in parsed(text).body if not is_for_checkers(node)]
    return tuple(
        node
        for outer in body
        for node in (outer, *statements(outer))
        if isinstance(node, ast.Import | ast.ImportFrom)
    )


def _without_reason(text: str) -> Iterator[int]:
    """The lines of late imports that do not say why."""
    lines = text.split("\n")
    for node in _imports(text):
        said = lines[node.lineno - 1 : node.end_lineno]
        if node.col_offset and not any("  # " in line for line in said):
            yield node.lineno


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


def _needs(root: Path) -> dict[str, frozenset[str]]:
    """The modules of ours that each deployed one imports while it is loaded; none for
    what cannot be built, which the build says."""
    names, packaged = {*module_names(root)}, package_files(root)
    found = {}
    for name in names:
        with suppress(FlattenError):
            found[name] = _loaded_with(module_text(root, name, packaged)) & names
    return found


def _heavy(root: Path, needs: dict[str, frozenset[str]]) -> Iterator[tuple[Path, str]]:
    """Scripts that load too many modules before they begin: each is a request."""
    names = {*module_names(root)}
    for path in sorted((root / "scripts").glob("*/*.py")):
        if path.parent.name in names:
            continue
        text = path.read_text(encoding="utf-8")
        at_top = names & {
            (node.module or "").split(".")[0]
            for node in _imports(text)
            if isinstance(node, ast.ImportFrom) and node.level and not node.col_offset
        }
        loaded = _all_loaded(at_top, needs)
        if len(loaded) > MOST_LOADED:
            words = f"loads {len(loaded)} modules: {', '.join(sorted(loaded))}"
            yield path, f"{words}; import late what it seldom needs"


def _circles(
    root: Path, needs: dict[str, frozenset[str]]
) -> Iterator[tuple[Path, str]]:
    """What cannot be built, and deployed modules that import each other while they are
    loaded."""
    packaged = package_files(root)
    for name in sorted({*module_names(root)} - needs.keys()):
        try:
            module_text(root, name, packaged)
        except FlattenError as error:
            path = root / "scripts" / f"{error.file}.py"
            yield path, f"line {error.line}: {error.what}"
    done: set[str] = set()

    def look(name: str, within: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
        if name in within:
            circle = " -> ".join([*within[within.index(name) :], name])
            yield sources(root, name)[0], f"the modules make a circle: {circle}"
        elif name not in done:
            for other in sorted(needs.get(name, ())):
                yield from look(other, (*within, name))
            done.add(name)

    for name in sorted(needs):
        yield from look(name, ())
