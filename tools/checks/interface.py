"""What users build upon, a line each in FILE: what was promised there stays.

    argument chat/ask_model prompt: string, required
    error rate_limit
    result chat/ask_model text
    script chat/ask_model

`./dev fix` adds what is new, and takes a line away only where the change log gives it
up: in its newest section, while that is not released yet, under "Breaking", in one of
these sentences.

    `flows/make_film` is gone
    `budget_usd` and `model` of `chat/ask_model` are gone
    `model` of the result of `chat/ask_model` is gone
    `prompt` of `chat/ask_model` is required now
    `output` of `chat/map_rows` takes less

What has such a name again is promised anew, and a later version needs a sentence of
its own.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tools.checks.interface_lines import ANYTHING, Terms, offers_of
from tools.operations import ROOT, Operation

FILE = "tests/interface.txt"
CHANGES = "CHANGELOG.md"
HEAD = """\
# What users build upon: tools/checks/interface.py says how this is kept. Rendered by
# `./dev fix`, which takes away only what CHANGELOG.md gives up under "Breaking".
"""
WHOLES = ("script", "flow", "command", "resource")
GONE, REQUIRED, LESS = "is gone", "is required now", "takes less"
NAMED = r"`[^`]+`(?:(?:, and |, | and )`[^`]+`)*"
SENTENCE = re.compile(
    rf"({NAMED})( of (?:the result of )?`[^`]+`)? "
    "(?:is|are|takes|take) (gone|required now|less)"
)
Offers = dict[str, Terms]


class Break(NamedTuple):
    """A promise that is not kept: its name, and what has become of it."""

    name: str
    what: str

    @property
    def sentence(self) -> str:
        """With which the change log gives it up."""
        kind, *words = self.name.split()
        if kind in ("command", "option"):
            words[0] = f"./dev {words[0]}"
        of = " of the result of " if kind == "result" else " of "
        return f"{of.join(f'`{word}`' for word in reversed(words))} {self.what}"


# What is wrong with a file, and the text that it should have, if that is known.
Problems = Iterator[tuple[Path, str, str | None]]


def interface_problems(root: Path, scripts: Iterable[Operation]) -> Problems:
    """What FILE lacks, and what it promises and the pack does not offer any more. A
    copy of the pack without it, or without tests at all, promises nothing."""
    file, changes = root / FILE, root / CHANGES
    if not file.exists() and (root != ROOT or not file.parent.exists()):
        return
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    log = changes.read_text(encoding="utf-8") if changes.exists() else ""
    promises, offers = promises_in(text), offers_of(root, scripts)
    excuses = sentences(log)
    faults = [one for one in breaks(promises, offers) if one.sentence not in excuses]
    for fault in faults:
        words = f"{fault.name} {fault.what}; if that is meant, say under Breaking in "
        yield file, f"{words}{CHANGES}: {fault.sentence}", None
    wanted = interface_text(next_promises(promises, offers, faults))
    if text != wanted:
        before, after = {*text.splitlines()}, {*wanted.splitlines()}
        counts = f"{len(after - before)} to add, {len(before - after)} to take away"
        yield file, f"has not the lines of what the pack offers: {counts}", wanted


def promises_in(text: str) -> Offers:
    """What the lines of FILE say."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    parts = [line.partition(": ") for line in lines]
    return {name: Terms.read(terms) if terms else Terms() for name, _, terms in parts}


def interface_text(offers: Offers) -> str:
    """The text of FILE."""
    lines = [
        f"{name}: {terms}" if terms.kinds else name for name, terms in offers.items()
    ]
    return HEAD + "".join(f"{line}\n" for line in sorted(lines))


def breaks(promises: Offers, offers: Offers) -> Iterator[Break]:
    """What goes missing or takes less; of a whole that is gone, not its parts too."""
    for name, terms in promises.items():
        if name not in offers:
            if all(whole in offers for whole in wholes(name, promises)):
                yield Break(name, GONE)
            continue
        if offers[name].required and not terms.required:
            yield Break(name, REQUIRED)
        if any(offers[name].kinds.isdisjoint(wider(kind)) for kind in terms.kinds):
            yield Break(name, LESS)
    for name, terms in offers.items():
        of_old = all(whole in promises for whole in wholes(name, offers))
        if terms.required and name not in promises and of_old:
            yield Break(name, REQUIRED)


def wholes(name: str, among: Offers) -> list[str]:
    """What it is a part of: an argument of its script and of other arguments, a result
    of its script, an option of its command, a field of its resource."""
    kind, *words = name.split(" ", 2)
    if len(words) < 2:
        return []
    names = [f"{whole} {words[0]}" for whole in WHOLES]
    if kind == "argument":
        ends = [match.start() for match in re.finditer(r"\[\]|\.", words[1])]
        names += [f"argument {words[0]} {words[1][:end]}" for end in ends]
    return [whole for whole in names if whole in among]


def wider(kind: str) -> set[str]:
    """The kinds that take all that is of this one: a type, or a value as JSON."""
    kinds = {kind, ANYTHING}
    if kind.startswith('"'):
        kinds.add("string")
    elif kind in ("true", "false"):
        kinds.add("boolean")
    elif kind == "integer" or re.fullmatch(r"-?\d+", kind):
        kinds |= {"integer", "number"}
    elif re.match(r"-?\d", kind):
        kinds.add("number")
    return kinds


def next_promises(promises: Offers, offers: Offers, faults: list[Break]) -> Offers:
    """What FILE should say: all that is offered. But what breaks a promise that is not
    given up, and its parts, are as they were until somebody settles it."""
    open_names = {fault.name for fault in faults}
    names = promises | offers
    next_ones = {}
    for name in names:
        of_it = {name, *wholes(name, names)}
        terms = (offers if open_names.isdisjoint(of_it) else promises).get(name)
        if terms is not None:
            next_ones[name] = terms
    return next_ones


def sentences(log: str) -> set[str]:
    """What a change log gives up in its newest section, if that is not released yet:
    each in a sentence of its own, as `Break.sentence` has it."""
    newest = re.split(r"(?m)^## ", log)[1:2]
    heading, _, text = newest[0].partition("\n") if newest else ("", "", "")
    if not re.search(r"not released yet|^Unreleased", heading):
        return set()
    breaking = re.split(r"(?m)^### ", text.partition("### Breaking\n")[2])[0]
    each = set()
    for names, of, what in SENTENCE.findall(" ".join(breaking.split())):
        become = LESS if what == "less" else f"is {what}"
        each |= {f"{name}{of} {become}" for name in re.findall("`[^`]+`", names)}
    return each
