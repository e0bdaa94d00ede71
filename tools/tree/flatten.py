"""From the packages that people read to the modules that a job fetches.

Each module that a job loads costs it a request, so a package of the source,
scripts/<package>/, is deployed as one module, <package>.py: the texts of its files, one
after the other in the order of their imports. Nothing is renamed, so what would mean
something else in one module than in several is refused: the same name for two things, a
file as an object, `as` among files, names of Python's own.
"""

import ast
import builtins
import json
import pprint
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scripts.job_states import states
from scripts.operations import SCHEMAS, descriptor_of
from scripts.step_defaults import step_defaults
from tools.kept import kept, save
from tools.syntax import imports_from, parsed, statements


@dataclass(frozen=True)
class SourceFile:
    """One source file: its place below scripts/, without .py, and its text."""

    place: tuple[str, ...]
    text: str

    @property
    def name(self) -> str:
        return "/".join(self.place)


class FlattenError(ValueError):
    """What keeps a package from becoming a module; `file` names where."""

    def __init__(self, file: str, line: int, what: str) -> None:
        super().__init__(f"scripts/{file}.py, line {line}: {what}")
        self.file, self.line, self.what = file, line, what


# Modules of the source alone, and what they are asked by: deployed files hold what it
# returns, an operation's descriptor, a job's states or a step's defaults, in place of
# the call.
RESOLVED = {
    "operations": "operation",
    "job_states": "states",
    "step_defaults": "step_defaults",
}


def module_names(root: Path) -> list[str]:
    """The modules that scripts share, as they are deployed: scripts/*.py and packages.

    A folder is a package where it has an __init__.py; groups of scripts have none.
    """
    scripts = root / "scripts"
    names = {path.stem for path in scripts.glob("*.py")} - {"__init__", *RESOLVED}
    return sorted(names | {path.parent.name for path in scripts.glob("*/__init__.py")})


def sources(root: Path, module: str | None = None) -> list[Path]:
    """The files that those modules are made of, or one of them."""
    scripts = root / "scripts"
    if module is None:
        return [path for name in module_names(root) for path in sources(root, name)]
    if (scripts / module / "__init__.py").exists():
        return sorted((scripts / module).glob("*.py"))
    return [scripts / f"{module}.py"]


def package_files(root: Path) -> frozenset[str]:
    """The files of all packages, as package/file, without .py."""
    return frozenset(
        f"{init.parent.name}/{path.stem}"
        for init in (root / "scripts").glob("*/__init__.py")
        for path in init.parent.glob("*.py")
    )


def module_texts(root: Path) -> dict[str, str]:
    """The texts that are deployed for module_names(), by their names.

    Raises FlattenError.
    """
    packaged = package_files(root)
    texts = {name: module_text(root, name, packaged) for name in module_names(root)}
    save()
    return texts


def module_text(root: Path, name: str, packaged: frozenset[str] | None = None) -> str:
    """The text that is deployed for one of them; `packaged` as of package_files().

    Raises FlattenError.
    """
    packaged = package_files(root) if packaged is None else packaged
    folder = root / "scripts" / name
    if not (folder / "__init__.py").exists():
        text = without_types(with_resolved(root, folder.with_suffix(".py")))
        text = script_text(text, (name,), packaged)
        return re.sub(r"\n{4,}", "\n\n\n", text)
    paths = sorted(folder.glob("*.py"))
    texts = ((path.stem, with_resolved(root, path)) for path in paths)
    return flattened(name, tuple(texts), packaged)


@kept
def script_text(text: str, place: tuple[str, ...], packaged: frozenset[str]) -> str:
    """The deployed text of a file that is of no package, at `place` below
    scripts/: what it imports from packages comes from their modules, and a long
    descriptor is JSON.

    Raises FlattenError.
    """
    try:
        text = with_json(text)
    except ValueError as error:
        line = text[: text.index(_BEGINS)].count("\n") + 2
        words = f"a descriptor that is no JSON: {error}"
        raise FlattenError("/".join(place), line, words) from None
    return _deployed(SourceFile(place, text), packaged, rise=0)


@kept
def flattened(
    package: str, texts: tuple[tuple[str, str], ...], packaged: frozenset[str]
) -> str:
    """One module of a package, given as (file's name without .py, text).

    The package's own __init__ gives the docstring. Raises FlattenError.
    """
    files = {
        stem: SourceFile((package, stem), without_types(text)) for stem, text in texts
    }
    blocks = [_docstring(files.pop("__init__"))]
    names = _Names(files)
    for file in _ordered(files):
        names.check(file)
        text = _deployed(file, packaged, rise=1)
        blocks.append(f"# --- scripts/{file.name}.py ---\n\n{text.strip()}")
    return re.sub(r"\n{4,}", "\n\n\n", "\n\n\n".join(blocks)) + "\n"


def with_resolved(root: Path, path: Path) -> str:
    """The text of a file with what RESOLVED's functions return in place of their calls.

    Raises FlattenError.
    """
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(root / "scripts").with_suffix("").as_posix()
    return _with_resolved(root, name, text)


@cache
def _with_resolved(root: Path, name: str, text: str) -> str:
    modules = "|".join(RESOLVED)
    line = rf"^from \.+(?:{modules}) import (\w+)\n"
    names = set(re.findall(line, text, re.MULTILINE)) & set(RESOLVED.values())
    if not names:
        return text
    lines = text.split("\n")
    calls = [node for node in ast.walk(parsed(text)) if _called(node) in names]
    for call in sorted(calls, key=lambda call: call.lineno, reverse=True):
        first, last = lines[call.lineno - 1], lines[call.end_lineno - 1]
        # ast counts bytes.
        before = first.encode()[: call.col_offset].decode()
        after = last.encode()[call.end_col_offset :].decode()
        said = pprint.pformat(_asked(root, name, call), width=88, sort_dicts=False)
        lines[call.lineno - 1 : call.end_lineno] = f"{before}{said}{after}".split("\n")
    return re.sub(line, "", "\n".join(lines), flags=re.MULTILINE)


# How a long descriptor of a script begins, and what stands there where it is deployed.
_BEGINS = "# fmt: off\n"
_DESCRIPTOR = re.compile(rf"^{_BEGINS}([A-Z]+) = (?={{)", re.MULTILINE)
_AS_JSON = "from json import loads  # a job reads JSON sooner than it compiles Python\n"
_LITERALS = re.compile(
    r"""\b(?:True|False|None)\b|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
)


def with_json(text: str) -> str:
    """A script whose long descriptor, which ends it, is read as JSON: a job compiles
    each script anew, and that is most of a long one. Every line keeps its number."""
    found = _DESCRIPTOR.search(text)
    if found is None:
        return text
    descriptor = text[found.end() :].rstrip("\n")
    written = _LITERALS.sub(
        lambda one: json.dumps(ast.literal_eval(one[0])), descriptor
    )
    if '"""' in written or json.loads(written) != ast.literal_eval(descriptor):
        raise ValueError("it would say something else")
    return f'{text[: found.start()]}{_AS_JSON}{found[1]} = loads(r"""{written}""")\n'


def _called(node: ast.AST) -> str | None:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id
    return None


def _asked(root: Path, name: str, call: ast.Call) -> object:
    """What such a call returns, all of whose arguments are constants."""
    function = _called(call)
    try:
        words = [ast.literal_eval(argument) for argument in call.args]
        more = {k.arg: ast.literal_eval(k.value) for k in call.keywords}
        if function == "states":
            return states(*words, **more)
        (asked,) = words
        schemas = root / "schemas"
        if not (schemas / f"{asked}.json").exists():
            schemas = SCHEMAS  # a copy of the pack that has some of its scripts
        if function == "step_defaults":
            return step_defaults(asked, schemas)
        return descriptor_of(schemas, asked, **more)
    except (KeyError, TypeError, ValueError) as error:
        words = f"{function}(...) cannot be resolved: {error}"
        raise FlattenError(name, call.lineno, words) from None


@kept
def without_types(text: str) -> str:
    """A module without what only type checkers read: annotations, and what stands under
    `if TYPE_CHECKING:`. A job compiles each module anew, and they are a tenth of that.

    Every statement keeps its line.
    """
    cuts: list[tuple[_Place, _Place]] = []
    for node in parsed(text).body:
        if is_for_checkers(node):
            cuts.append((_start(node), _end(node)))
        else:
            cuts += _annotations(node)
    lines = text.split("\n")
    for (first, left), (last, right) in sorted(cuts, reverse=True):
        # Places are counted in bytes.
        before = lines[first].encode()[:left].decode().removesuffix(" -> ")
        after = lines[last].encode()[right:].decode()
        blank = [""] * (last - first)
        lines[first : last + 1] = [f"{before}{after}", *blank]
    return "\n".join(lines)


_Place = tuple[int, int]


def _start(node: ast.stmt | ast.expr) -> _Place:
    return node.lineno - 1, node.col_offset


def _end(node: ast.stmt | ast.expr | ast.arg) -> _Place:
    return node.end_lineno - 1, node.end_col_offset


def _annotations(tree: ast.stmt) -> Iterator[tuple[_Place, _Place]]:
    """From where to where each annotation goes that is no declaration alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation:
            name = node.lineno - 1, node.col_offset + len(node.arg.encode())
            yield name, _end(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
            yield _start(node.returns), _end(node.returns)
        elif isinstance(node, ast.AnnAssign) and node.value:
            yield _end(node.target), _end(node.annotation)


def is_for_checkers(node: ast.stmt) -> bool:
    """Whether a statement at a module's top is the mark or block of type checkers, or
    keeps annotations from being run."""
    if isinstance(node, ast.ImportFrom):
        return node.module == "__future__"
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING" and not node.orelse
    return _is_mark(node)


def _is_mark(node: ast.stmt) -> bool:
    """Whether a statement is TYPE_CHECKING = False."""
    return (
        isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and ast.unparse(node) == "TYPE_CHECKING = False"
    )


# --- what is refused ---------------------------------------------------------------


def _docstring(init: SourceFile) -> str:
    """The docstring of a package, whose __init__ loads none of its files."""
    tree = parsed(init.text)
    if ast.get_docstring(tree) is None:
        raise FlattenError(init.name, 1, "a package begins with a docstring")
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level:
            words = "loads a file at once: each would load all of them"
            raise FlattenError(init.name, node.lineno, words)
    lines = init.text.split("\n")[: tree.body[0].end_lineno]
    return "\n".join(lines)


class _Names:
    """What each file of a package binds at its top."""

    def __init__(self, files: dict[str, SourceFile]) -> None:
        self.files = files
        self.own = {stem: dict(_bound(file)) for stem, file in files.items()}
        self.taken: dict[str, tuple[str, object]] = {}

    def check(self, file: SourceFile) -> None:
        """Refuse what would be another thing in one module. Raises FlattenError."""
        for name, (line, what) in self.own[file.place[-1]].items():
            if name.startswith("__"):
                continue
            if name in self.files:
                words = f"{name} is a file too, and would be hidden by it"
                raise FlattenError(file.name, line, words)
            if hasattr(builtins, name):
                words = f"{name} is Python's own, and would be this in all files"
                raise FlattenError(file.name, line, words)
            other, same = self.taken.setdefault(name, (file.name, what))
            if other != file.name and (same is None or same != what):
                raise FlattenError(file.name, line, f"{name} is in {other} too")
        for node, target in _own_imports(file):
            for alias in node.names:
                wrong = self.wrong(alias, target)
                if wrong:
                    words = f"{alias.name} {wrong}"
                    raise FlattenError(file.name, node.lineno, words)

    def wrong(self, alias: ast.alias, target: str | None) -> str | None:
        """What is wrong with an import from another file, if anything."""
        if target is None and alias.name in self.files:
            return "is a file, which is no object in one module: import its names"
        if target is None:
            return "comes through the package: import it from its file"
        if alias.name not in self.own.get(target, ()):
            return f"is nothing that {target}.py makes"
        return "must keep its name" if alias.asname else None


def _bound(file: SourceFile) -> Iterator[tuple[str, tuple[int, object]]]:
    """The names that a file binds at its top: line, and where two files may do the
    same, what it is (an import, or the mark of what only type checkers read)."""
    nodes: list[ast.stmt] = list(parsed(file.text).body)
    while nodes:
        node = nodes.pop(0)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, (node.lineno, None)
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name, what in _imported(node):
                yield name, (node.lineno, what)
            continue
        targets = getattr(node, "targets", [getattr(node, "target", None)])
        mark = _is_mark(node) or None
        for name in _targets(targets):
            yield name, (node.lineno, mark)
        for block in ("body", "orelse", "finalbody"):
            nodes = [*getattr(node, block, []), *nodes]


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, object]]:
    """The names that an import binds, but for those from files of the same package."""
    if isinstance(node, ast.ImportFrom):
        if node.level != 1:
            for alias in node.names:
                what = (node.level, node.module, alias.name)
                yield alias.asname or alias.name, what
        return
    for alias in node.names:
        first = alias.name.split(".")[0]
        yield alias.asname or first, alias.name if alias.asname else first


def _targets(targets: Iterable[ast.expr | None]) -> Iterator[str]:
    for target in targets:
        if isinstance(target, ast.Name):
            yield target.id
        elif isinstance(target, ast.Tuple | ast.List):
            yield from _targets(target.elts)


@cache
def _own_imports(file: SourceFile) -> tuple[tuple[ast.ImportFrom, str | None], ...]:
    """Each import from the same package, and its file; None for the package itself."""
    found = []
    for node in imports_from(file.text):
        if node.level:
            target = _target(file, node)
            if target[:1] == file.place[:1]:
                found.append((node, target[1] if len(target) > 1 else None))
    return tuple(found)


def _target(file: SourceFile, node: ast.ImportFrom) -> tuple[str, ...]:
    """The place below scripts/ that a relative import names; () for scripts/ itself."""
    up = len(file.place) - node.level
    if up < 0:
        raise FlattenError(file.name, node.lineno, "leads out of scripts/")
    return (*file.place[:up], *(node.module.split(".") if node.module else ()))


FIRST = "startup"  # the file that a package begins with, where it has one


def _ordered(files: dict[str, SourceFile]) -> Iterator[SourceFile]:
    """The files, each behind those that it needs while it is loaded."""
    done: list[str] = []

    def add(stem: str, within: tuple[str, ...]) -> Iterator[SourceFile]:
        if stem in within:
            circle = " -> ".join([*within[within.index(stem) :], stem])
            raise FlattenError(
                files[stem].name, 1, f"the files make a circle: {circle}"
            )
        if stem in done:
            return
        for node, target in _own_imports(files[stem]):
            if node.col_offset == 0 and target in files:
                yield from add(target, (*within, stem))
        done.append(stem)
        yield files[stem]

    for stem in sorted(files, key=lambda stem: (stem != FIRST, stem)):
        yield from add(stem, ())


# --- what is written ---------------------------------------------------------------


def _deployed(file: SourceFile, packaged: frozenset[str], rise: int) -> str:
    """The text of a file with its imports as they are among deployed modules; it comes
    to stand `rise` folders higher."""
    lines = file.text.split("\n")
    alone = _alone(parsed(file.text))
    for node in sorted(
        imports_from(file.text), key=lambda node: node.lineno, reverse=True
    ):
        if not node.level:
            continue
        said = _statements(file, node, packaged, rise)
        if said == [ast.unparse(node)]:
            continue
        if not said and id(node) in alone:
            said = ["pass"]
        note = re.search(r"  #[^'\"]*$", lines[node.lineno - 1])
        mark = note[0] if note and said else ""
        indent = " " * node.col_offset
        new = [f"{indent}{statement}{mark}" for statement in said]
        lines[node.lineno - 1 : node.end_lineno] = new
    return "\n".join(lines)


def _alone(tree: ast.Module) -> set[int]:
    """The first import of each block that holds nothing else."""
    found = set()
    for node in statements(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if block and all(isinstance(inner, ast.ImportFrom) for inner in block):
                found.add(id(block[0]))
    return found


def _statements(
    file: SourceFile, node: ast.ImportFrom, packaged: frozenset[str], rise: int
) -> list[str]:
    """A relative import as it is among deployed modules: none within the package."""
    target = _target(file, node)
    if rise and target[:1] == file.place[:1]:
        return []
    dots = "." * (node.level - rise)
    names = ", ".join(map(_alias, node.names))
    if "/".join(target) in packaged:
        return [f"from {dots}{target[0]} import {names}"]
    found = []
    for alias in node.names:
        if f"{'/'.join(target)}/{alias.name}" in packaged:  # as an object: its module
            name = f"{target[0]} as {alias.asname or alias.name}"
            found.append(f"from {dots} import {name}")
    if found and len(found) == len(node.names):
        return found
    if found:
        words = "import files and names of a package apart"
        raise FlattenError(file.name, node.lineno, words)
    return [f"from {dots}{node.module or ''} import {names}"]


def _alias(alias: ast.alias) -> str:
    return f"{alias.name} as {alias.asname}" if alias.asname else alias.name
