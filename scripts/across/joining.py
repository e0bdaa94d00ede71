"""One table of what the jobs of a flow answered, part by part, in the order of rows."""

from __future__ import annotations

import json

from ..catalog.pricing import cost_fields, job_unpaid, sum_costs, sum_usage
from ..checkpoint import KeptPart, forget
from ..client import TogetherError
from ..client.job import log
from ..table.row_counts import LONGEST, RowOutcome
from ..table.row_results import RowResults
from ..table.table import Flaw, Table
from ..table_files.part import checked
from .cutting import MOST_BYTES, has_storage
from .file_answers import FileAnswers, each
from .lease import check_lease, first_start, give_back_lease

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Auth, Json, Members


UNTOLD = "what a part of it cost is not told"
# What becomes of a row, by the step that does it.
VERBS = {"map_rows": "answered", "embed_rows": "embedded", "map_files": "done"}


class Joined(RowResults):
    """The rows of all parts; of a part that is missing, with the reason in each."""

    def __init__(self, given: Members, kind: str) -> None:
        super().__init__(kind, None, None, given, VERBS[kind])
        self.missing = 0
        self.of = 0
        self.journals: list[str] = []
        self.models: dict[str, int] = {}
        self.stopped: str | None = None
        self.costs: list[tuple[float | None, str | None]] = []
        self.lost: list[str] = []
        self.ends: _Files | _Journals | None = None
        self.whole = False  # nothing is left for a rerun

    def finish(self) -> None:
        self.whole = True
        if self.ends:
            self.ends.finish()

    def first_line(self) -> str:
        told = super().first_line()
        if not self.missing:
            return told
        are = "is" if self.missing == 1 else "are"
        words = f"{self.missing} of {self.of} parts {are} missing"
        return f"Partly done, {words}: run the flow again. {told}"

    def stored(self) -> Members:
        """Return where the rows are. Raises TogetherError for too many for a result
        where there is no storage: they stay kept, for a rerun."""
        size = self.file.tell() if self.file else 0
        if size > MOST_BYTES and not has_storage():
            raise TogetherError(
                f"The table has {size} bytes: without object storage in the workspace "
                f"at most {MOST_BYTES} come back as a result. The answers stay kept for "
                "a week.",
                type="too_large",
                advice="Set up object storage, and run the flow again with the same "
                "input: it asks nothing again. Or take fewer rows.",
            )
        return super().stored()

    def take(self, got: Members, kept: KeptPart, before: int) -> None:
        """Add the rows that a part's job kept, and what it counted."""
        for line in kept.lines():
            self.keep(None if self.file else json.loads(line), line)
        counts = self.counts
        counts.done += got.get("done") or 0
        counts.failed += got.get("failed") or 0
        counts.cut += got.get("cut") or 0
        counts.dimensions = counts.dimensions or got.get("dimensions")
        for one in got.get("failures") or ():
            counts.add_failure({"row": before + one["row"], "error": one["error"]})
        counts.usage = sum_usage([counts.usage, got.get("usage")])
        self.costs.append((got.get("cost_usd"), got.get("cost_note") or UNTOLD))
        for name, rows in (got.get("models") or {}).items():
            self.count_model(name, rows)
        self.stopped = self.stopped or got.get("stopped")
        self.unsent = self.unsent or got.get("unsent") is True
        self.journals.append(got["answers"])

    def count_model(self, name: str, rows: int) -> None:
        """Note that a model answered so many rows."""
        self.models[name] = self.models.get(name, 0) + rows

    def miss(self, auth: Auth, table: Members, why: str, before: int) -> None:
        """Add the rows of a part that no job answered."""
        part = table["part"]
        self.missing += 1
        last = before + part["rows"]
        self.lost.append(f"rows {before + 1} to {last}: {why[:LONGEST]}")
        self.costs.append((None, "what a missing part cost is not told"))
        for row in Table(auth, table):
            unread = row.why if isinstance(row, Flaw) else None
            self.add(RowOutcome(row, why=unread or f"its part is missing: {why}"))


class JoinedFiles(Joined):
    """The rows of all files; those that failed or are missing with the reason."""

    def __init__(self, given: Members) -> None:
        super().__init__(given, "map_files")
        self.usages: list[Json] = []

    def first_line(self) -> str:
        told = RowResults.first_line(self).replace(" rows ", " files ")
        if not self.counts.failed or not self.counts.done:
            return told
        return f"Partly done: run the flow again, it does only what failed. {told}"

    def files(self, auth: Auth, table: Members, got: Members, place: str) -> None:
        """Add the rows of a part: what was kept of each file, or why nothing was."""
        kept = FileAnswers(place) if place else None
        errors = got.get("errors")
        errors = errors if isinstance(errors, dict) else {}
        otherwise = _failure(got) or "nothing is kept of it"
        found = each(
            lambda row: (row, kept.get(row) if kept else None), Table(auth, table)
        )
        lost = 0
        untold = bool(got.get("unknown"))
        for number, (row, record) in enumerate(found, 1):
            if record is None or "answer" not in record:
                why = errors.get(str(number)) or otherwise
                self.add(RowOutcome(row, why=str(why)[:LONGEST]))
                lost += str(number) not in errors
                untold = untold or record is not None  # of a run before
                continue
            self.add(RowOutcome(row, record["answer"], cut=record.get("cut") is True))
            if isinstance(record.get("model"), str):
                self.count_model(record["model"], 1)
            note = record.get("cost_note") or UNTOLD
            self.costs.append((record.get("cost_usd"), note))
            self.usages = [sum_usage([*self.usages, record.get("usage")])]
        if untold or (lost and not job_unpaid(got.get("error"))):
            self.costs.append((None, "what a file that failed cost is not told"))


class _Files:
    """What is forgotten as the table of files is handed over."""

    def __init__(
        self, auth: Auth, tables: list[Members], place: str, slices: Json
    ) -> None:
        self.auth, self.tables, self.place, self.slices = auth, tables, place, slices

    def finish(self) -> None:
        try:
            rows = (row for table in self.tables for row in Table(self.auth, table))
            now = first_start()
            FileAnswers(self.place).forget(rows, now)
            if self.slices:
                forget([self.slices], now)
        except TogetherError as error:
            log(f"what was kept of the files stays for a week: {error}")


class _Journals:
    """What is forgotten as the table is handed over."""

    def __init__(self, paths: list[str]) -> None:
        self.paths = paths

    def finish(self) -> None:
        try:
            forget(self.paths, first_start())
        except TogetherError as error:
            log(f"what the parts' jobs kept stays for a week: {error}")


def join(auth: Auth, given: Members) -> Json:
    """Return the table of all parts; see files/join_table."""
    lease = given.get("lease")
    check_lease(lease)
    outcome: Joined | None = None
    try:
        tables, answered = _tables(given), _list(given, "answered")
        if given["kind"] == "map_files":
            outcome = files = JoinedFiles(given)
            return _join_files(auth, given, files, tables, answered)
        outcome = Joined(given, given["kind"])
        return _join_rows(auth, given, outcome, tables, answered)
    finally:
        give_back_lease(lease, whole=bool(outcome and outcome.whole))


def _join_rows(
    auth: Auth,
    given: Members,
    outcome: Joined,
    tables: list[Members],
    answered: list[Json],
) -> Json:
    """Return the table of all rows."""
    outcome.of = len(tables)
    before = 0
    for number, table in enumerate(tables):
        rows = table["part"]["rows"]
        got = answered[number] if number < len(answered) else {}
        kept = _kept(got, rows)
        if isinstance(kept, str):
            outcome.miss(auth, table, kept, before)
        else:
            outcome.take(got, kept, before)
        before += rows
    if not outcome.missing:
        slices = [given["slices"]] if given.get("slices") else []
        outcome.ends = _Journals([*outcome.journals, *slices])
    else:
        outcome.unsent = True
    facts: Members = {"parts": outcome.of}
    if outcome.lost:
        facts["lost"] = outcome.lost
    if len(outcome.models) > 1:
        facts["models"] = outcome.models
    if outcome.stopped:
        facts["stopped"] = outcome.stopped
    bill = {"usage": outcome.counts.usage, **cost_fields(*sum_costs(outcome.costs))}
    count = "dimensions" if given["kind"] == "embed_rows" else "cut"
    return outcome.result(bill, count, **facts)


def _join_files(
    auth: Auth,
    given: Members,
    outcome: JoinedFiles,
    tables: list[Members],
    answered: list[Json],
) -> Json:
    """Return the table of all files."""
    outcome.of = len(tables)
    gots = [one if isinstance(one, dict) else {} for one in answered]
    places = (one.get("answers") for one in gots)
    place = next((one for one in places if isinstance(one, str)), "")
    for number, table in enumerate(tables):
        got = gots[number] if number < len(gots) else {}
        outcome.files(auth, table, got, place)
    if outcome.counts.failed:
        outcome.unsent = True  # so that what is kept stays for a rerun
    outcome.ends = _Files(auth, tables, place, given.get("slices"))
    costs = cost_fields(*sum_costs(outcome.costs))
    bill = {"usage": sum_usage(outcome.usages), **costs}
    facts: Members = {"parts": outcome.of}
    if len(outcome.models) > 1:
        facts["models"] = outcome.models
    return outcome.result(bill, "cut", **facts)


def _failure(got: Members) -> str | None:
    """Return why the job of a part failed, or None."""
    error = got.get("error")
    return error.get("message") if isinstance(error, dict) else None


def _kept(got: Json, rows: int) -> KeptPart | str:
    """Return the answers of a part, or why they cannot be joined."""
    if not isinstance(got, dict) or not isinstance(got.get("answers"), str):
        words = _failure(got) if isinstance(got, dict) else None
        return str(words or "its job returned nothing")
    kept = KeptPart(got["answers"])
    if kept.rows != rows:
        return f"{kept.rows} of its {rows} answers are kept"
    return kept


def _tables(given: Members) -> list[Members]:
    """Return the table of each part. Raises TogetherError."""
    found = _list(given, "parts")
    if not found:
        raise TogetherError.refused("parts", "holds no part")
    tables: list[Members] = []
    for one in found:
        table = one.get("rows") if isinstance(one, dict) else None
        table = table if isinstance(table, dict) else {}
        checked(table.get("part"), "parts")
        tables.append(table)
    return tables


def _list(given: Members, name: str) -> list[Json]:
    """Return a list that came as JSON. Raises TogetherError."""
    try:
        found = json.loads(given[name])
    except (ValueError, RecursionError) as error:
        raise TogetherError.refused(name, f"is no JSON: {error}") from None
    if not isinstance(found, list):
        raise TogetherError.refused(name, "is no list")
    return found
