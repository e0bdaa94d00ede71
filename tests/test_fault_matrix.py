"""Faults of servers and networks x kinds of exchange: each ends as it may end.

`right` is the right answer, `said` what the service really said, `partly` a result that
tells which part failed, `error` a TogetherError. Nothing else is allowed: no other
answer, no other exception, no end that never comes, no more memory than the bounds say,
no create that is sent again when it may have been carried out, no key in any output,
and no next exchange that gets what belonged to this one.
"""

import random
from collections import Counter, defaultdict

import pytest

from tests.support.exchanges import KINDS
from tests.support.fault_cell import ALLOWED, Verdict, cells, run_cells
from tests.support.faults import FAULTS
from tests.support.probing import report, seed, whole


def test_each_kind_of_exchange_meets_hundreds_of_faults():
    faults = Counter(kind for kind, _, mode in cells() if mode == "always")

    assert len(FAULTS) >= 200
    assert faults.keys() == KINDS.keys()
    assert min(faults.values()) >= 200


# Cells that once ended otherwise, besides those that the sample of CI holds anyway.
MET = [
    ("speech", "redirect: 302 to another host", "always"),
    ("speech", "coding: gzip that nobody names", "always"),
    ("chat", "json: a million lists", "always"),
    ("address", "time: body without end", "always"),
    ("download", "time: chunked body without end", "always"),
    ("storage, read", "time: chunked body without end", "always"),
    ("storage, read", "status: 205", "always"),
    ("storage, read", "status: 206 of a part", "always"),
    ("stream", "events: text without end", "always"),
    ("windmill, job's result", "json: a member twice", "always"),
    ("windmill, job's result", "key: escaped", "always"),
    ("windmill, job begun", "time: error without end", "always"),
    ("rows", "time: chunked body without end", "always"),
    ("parts, sent", "time: body without end", "always"),
]


@pytest.mark.slow
def test_every_cell_ends_as_it_may():
    wanted = cells()
    random.Random(seed()).shuffle(wanted)
    if not whole():
        sample = {fault: cell for cell in wanted if (fault := cell[1])}
        wanted = list(dict.fromkeys([*MET, *sample.values()]))
    found = list(run_cells(wanted, at_once=24 if whole() else 12))

    report("faults", table(found))
    assert len(found) == len(wanted)
    wrong = [f"{v.name}: {v.outcome}: {v.words}" for v in found if not v.allowed]
    assert not wrong, "\n".join(wrong)


def table(found: list[Verdict]) -> list[str]:
    """How often each kind of exchange ended how, by group of faults."""
    groups: dict = defaultdict(Counter)
    for verdict in found:
        groups[verdict.kind][verdict.outcome] += 1
        groups[f"faults of {FAULTS[verdict.fault].group}"][verdict.outcome] += 1
    columns = [*ALLOWED, *sorted({v.outcome for v in found} - {*ALLOWED})]
    width = max(map(len, groups))
    lines = [f"{'':{width}} " + " ".join(f"{c:>7}" for c in columns)]
    for name, counts in sorted(groups.items()):
        cells = " ".join(f"{counts[c]:>{max(7, len(c))}}" for c in columns)
        lines.append(f"{name:{width}} {cells}")
    slowest = max(found, key=lambda v: v.seconds)
    largest = max(found, key=lambda v: v.mebibytes)
    most = max(found, key=lambda v: v.sent)
    return [
        *lines,
        f"{len(found)} cells, {sum(v.allowed for v in found)} as they may end",
        f"slowest: {slowest.seconds} s, {slowest.name}",
        f"largest: {largest.mebibytes} MiB, {largest.name}",
        f"most requests: {most.sent}, {most.name}",
        *(f"{v.name}: {v.outcome}: {v.words}" for v in found if not v.allowed),
    ]
