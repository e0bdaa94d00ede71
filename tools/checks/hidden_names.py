"""Names within functions of the shared modules that hide others.

A parameter or a local of the same name as something of Python, or as what its file
imports or makes, is taken for that: a name means one thing. The arguments of a main
have the API's names, so scripts are not looked at.
"""

import builtins
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from symtable import SymbolTable, symtable

from tools.tree.flatten import RESOLVED, sources


def hidden_names(root: Path) -> Iterator[tuple[Path, str]]:
    """Each file with a function in which a name hides another, and what it hides."""
    for path in sources(root):
        for line, what in _hidden(path.read_text(encoding="utf-8")):
            yield path, f"line {line}: {what}"


@cache
def _hidden(text: str) -> tuple[tuple[int, str], ...]:
    """The lines of such functions, and what is wrong there."""
    whole = symtable(text, "", "exec")
    # What RESOLVED's functions return stands in the place of their names.
    at_top = set(_bound(whole)) - {*RESOLVED.values()}
    found = []
    for table in _inner(whole):
        for name in _bound(table) if table.get_type() == "function" else ():
            what = "Python's own" if hasattr(builtins, name) else None
            what = what or ("the file's" if name in at_top else None)
            if what:
                words = f"a {name} within a function hides {what}: call it otherwise"
                found.append((table.get_lineno(), words))
    return tuple(sorted(set(found)))


def _inner(table: SymbolTable) -> Iterator[SymbolTable]:
    """The tables of all functions and classes within one, at any depth."""
    for inner in table.get_children():
        yield inner
        yield from _inner(inner)


def _bound(table: SymbolTable) -> Iterator[str]:
    """The names that get a value in a table's own lines; those that a function imports
    late are meant to be the same as elsewhere."""
    top = table.get_type() == "module"
    for symbol in table.get_symbols():
        here = symbol.is_local() and (symbol.is_assigned() or symbol.is_parameter())
        if here or (top and (symbol.is_imported() or symbol.is_namespace())):
            yield symbol.get_name()
