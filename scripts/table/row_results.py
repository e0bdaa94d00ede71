"""Rows out: gathered in order, counted, shown as progress, kept for a rerun.

A job fails when none of its rows was answered, or too large a share of them failed; the
error's `partial` has its result.
"""

from __future__ import annotations

import json
import os
import time

from ..client import TogetherError
from ..client.job import in_job, log
from ..client.jsonio import RESULT_LIMIT, encoder
from .gzipped import Packed
from .row_counts import RowCounts, RowOutcome
from .row_summary import cost_line, summary_lines
from .table import error_column, summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Any, Self

    from ..checkpoint import Checkpoint
    from ..shapes import ErrorType, Json, Members
    from .table import Table

KEPT = "The answers are kept: a run with the same input asks for none of them again."
_encoded = encoder(ensure_ascii=False)
BAR_SECONDS, LOG_SECONDS = 2.0, 15.0


def _set_progress(percent: float) -> None:
    from ..workspace.progress import set_progress  # only for jobs of some seconds

    set_progress(percent)


class RowResults:
    """The answered rows of a step, as a context manager around the work.

    kind names the step, settings is what the answers depend on, None where nothing is
    to be kept for a rerun, table the rows or None. given are the step's arguments:
    `answer_column`, `output` ("result", "table" for the bare list, "storage", or "gzip"
    for a compressed file there) and `fail_when_failed_share`. `left()` gives the rows
    that an earlier run has not answered, `add()` takes the answered ones in the same
    order. Rows for storage are never held in memory; nor are those of a job that are
    too many for a result, which go to storage by themselves. progress moves the bar of
    the job; a step that pays for rows gives one that is loaded. Raises TogetherError
    when there is no storage.
    """

    def __init__(
        self,
        kind: str,
        settings: Members | None,
        table: Table | None,
        given: Members,
        done: str = "answered",
        progress: Callable[[float], None] = _set_progress,
    ) -> None:
        self.kind = kind
        self.done_word = done  # what became of a row, such as answered
        self.progress = progress
        self.table = table
        self.column = given["answer_column"]
        self.error_column = error_column(self.column)
        self.output = output = given["output"]
        self.most_failed = given.get("fail_when_failed_share")
        self.rows: list[Json] = []
        self.size = 0
        self.file: Any = None
        self.counts = RowCounts()
        self.unsent = False
        # The error after which no further row was asked.
        self.given_up: TogetherError | None = None
        # The one with which the step ends: rows may be left that are not even counted.
        self.fault: TogetherError | None = None
        self.bar = self.log = self.began = time.monotonic()
        self.checkpoint: Checkpoint | None = None
        self.pending = iter(table or ())
        # The table is a part of one: its rows stay kept, for a flow to join.
        self.part = table.part if table else None
        to_storage = output in ("storage", "gzip")
        self.in_job = to_storage or bool(self.part) or in_job()
        if self.in_job:
            if to_storage and not self.part:
                from ..workspace.storage import (
                    check_storage,  # only where objects are stored
                )

                check_storage(output=output)
                self.spill()
            self.checkpoint = self.kept_for_a_rerun(settings)
        if table:
            table.first = []  # seen, and not held any longer than the others

    def kept_for_a_rerun(self, settings: Members | None) -> Checkpoint | None:
        """Return where the answers are kept; None where the run cannot be repeated.
        Raises TogetherError where they must be, as those of a part."""
        if settings is not None and self.table and _state_is_kept():
            from ..checkpoint import Checkpoint  # only where rows are kept

            settings = {**settings, "columns": [self.column, self.error_column]}
            first = self.table.first
            return Checkpoint(self.kind, settings, first, self.pending, self.part)
        if self.part:
            raise TogetherError.refused(
                "rows",
                "is a part of a table, for the job of a flow that keeps its rows",
            )
        return None

    def __enter__(self) -> Self:
        if self.checkpoint:
            for lines, sums in self.checkpoint.earlier():
                for line in lines:
                    self.keep(json.loads(line), line)
                self.counts = RowCounts(sums)
            vars(self.counts).update(self.checkpoint.paid)
            if self.counts.rows:
                log(f"{self.counts.rows} rows were answered by an earlier run")
            self.pending = self.checkpoint.rows
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.checkpoint and error is not None:
            self.checkpoint.close(self.counts.paid)

    def early(self, row: Json) -> RowOutcome | None:
        """Return the answer that an earlier run had to a row behind one that it left, or
        None. It is on the bill of all runs already."""
        found = self.checkpoint.early_answer(row) if self.checkpoint else None
        return RowOutcome(row, found[0], cut=found[1]) if found else None

    def left(self) -> Iterator[Json]:
        """Yield the rows that are still to be answered."""
        return self.pending

    def keep(self, row: Json, line: bytes | None) -> None:
        """Hold a row: itself, or its line in a file."""
        if self.part:
            return
        if self.file:
            self.file.write((line or _line(row)) + b"\n")
            return
        self.rows.append(row)
        if line:
            self.size += len(line)
            if self.size > RESULT_LIMIT:
                self.spill()

    def spill(self) -> None:
        """From now on hold the rows in a file."""
        import tempfile  # few rows go to a file

        self.file = tempfile.TemporaryFile()  # noqa: SIM115, stored() closes it
        for row in self.rows:
            self.file.write(_line(row) + b"\n")
        self.rows = []

    def add(self, outcome: RowOutcome, **before: Json) -> None:
        """Take the outcome of the next row; before are columns that stand before its
        own. No column that the row came with is changed."""
        given, sent = outcome.row, outcome.sent
        row = {**before, **(given if isinstance(given, dict) else {})}
        row.setdefault(self.column, outcome.answer)
        row.setdefault(self.error_column, outcome.why)
        self.counts.add(outcome)
        line = _line(row) if self.in_job else None
        self.keep(row, line)
        if self.checkpoint:
            if not sent and not self.unsent:
                self.checkpoint.leave()
            if self.part or (sent and not self.unsent):
                self.checkpoint.add(given, line or _line(row), self.counts.members())
            if self.unsent and outcome.answer is not None:
                found = _line([outcome.answer, outcome.cut])
                self.checkpoint.add_early(given, found)
        self.unsent = self.unsent or not sent
        now = time.monotonic()
        if now - self.bar > BAR_SECONDS:
            self.bar = now
            self.show(now)

    def show(self, now: float) -> None:
        share = self.table.share(self.counts.rows) if self.table else None
        if self.in_job and share is not None:
            self.progress(99 * share)
        if now - self.log > LOG_SECONDS:
            self.log = now
            part = "" if share is None else f" ({share:.0%})"
            log(
                f"{self.counts.rows} rows{part}, {self.counts.failed} failed, "
                f"{self.counts.rows / (now - self.began):.1f} per second"
            )

    def result(self, bill: Members, *names: str, **facts: Json) -> Json:
        """Return the step's result; names are of further counts that belong to it, facts
        stand beside them. Raises TogetherError when no row was answered, when more
        failed than the step was told to bear, and `fault`."""
        if self.checkpoint and (self.unsent or self.fault):
            self.checkpoint.close(self.counts.paid)
        if self.fault:
            if not (self.counts.done or self.counts.paid):
                raise self.fault
            self.fault.may_be_paid = True  # whatever its own call cost
        counts = {n: getattr(self.counts, n) for n in ("done", "failed", *names)}
        stored = self.stored()
        if "note" in stored and "note" in facts:
            facts["note"] = f"{facts['note']} {stored['note']}"
        result = {**stored, **counts, **bill, **facts}
        if self.checkpoint and self.part:
            return self.share(result)
        shown = self.with_summary(result)
        if not self.unsent and not self.fault:
            self.finish()
        self.judge(result)
        if self.output == "table" and "rows" in result:
            log(f"{self.first_line()} {cost_line(result)}")
            return result["rows"]
        return shown

    def with_summary(self, result: Members) -> Members:
        """Return a result with what Windmill shows above it."""
        lines = summary_lines(self.first_line(), self.counts, result, self.part)
        return {**summary(lines), **result}

    def finish(self) -> None:
        """Forget what was kept for a rerun, as the result is handed over."""
        if self.checkpoint:
            self.checkpoint.finish()

    def share(self, result: Members) -> Members:
        """Return the result of a part, whose rows stay kept: "answers" says where.
        Raises TogetherError when the rest is left to another run."""
        assert self.checkpoint is not None  # a part is refused without
        self.checkpoint.flush()
        told = {"failures": self.counts.failures, "unsent": self.unsent}
        result = {"answers": self.checkpoint.path, **result, **told}
        if self.given_up or self.fault:
            self.judge(result)
        return self.with_summary(result)

    def judge(self, result: Members) -> None:
        """Raise a TogetherError when the job is not to count as done."""
        if self.fault:
            self.fault.partial = result
            raise self.fault
        counts, most = self.counts, self.most_failed
        share = counts.failed / max(1, counts.rows)
        if not counts.failures:
            return
        first = counts.failures[0]
        kind: ErrorType
        if self.given_up:
            kind, words = "rate_limit", self.first_line()
            advice = "Run the step again later: it goes on with the rows that are left."
        elif not counts.done:
            kind, words = "nothing_done", self.first_line()
            advice = "Correct what the reason names and run the step again."
        elif most is not None and share > most:
            kind = "too_many_failed"
            words = f"{counts.failed} of {counts.rows} rows failed, "
            words += f"a share of {share:.2g}; fail_when_failed_share allows {most:g}."
            advice = "The error's `partial` holds every row that was answered."
        else:
            return
        raise TogetherError(
            f"{words} Row {first['row']}: {first['error']}",
            type=kind,
            partial=result,
            failures=counts.failures,
            advice=advice,
        )

    def first_line(self) -> str:
        """Say in a sentence how many of the rows were answered."""
        counts = self.counts
        done, failed, all_of = counts.done, counts.failed, counts.rows
        if not done:
            return f"None of the {all_of} rows was {self.done_word}."
        if failed:
            return f"{done} of {all_of} rows were {self.done_word}, {failed} failed."
        return (
            f"All {done} rows were {self.done_word}."
            if done > 1
            else (f"The row was {self.done_word}.")
        )

    def stored(self) -> Members:
        """Return {"rows"}, or {"s3"} and the like, with a note of what nobody asked."""
        if self.part:
            return {}
        if not self.file:
            return {"rows": self.rows}
        from ..workspace.storage import store_lines  # only where objects are stored

        self.file.seek(0)
        with self.file:
            name, content = f"{self.kind}.jsonl", self.file
            if self.output == "gzip":
                name, content = f"{name}.gz", Packed(self.file)
            try:
                stored = store_lines(content, name, self.output, "rows")
            except TogetherError as error:
                self.save_unstored(error)
                raise
            if stored is None:
                self.file.seek(0)
                return {"rows": [json.loads(line) for line in self.file]}
        return stored

    def save_unstored(self, error: TogetherError) -> None:
        """Keep rows that were paid for and that cannot be stored: for a rerun or, where
        nothing is kept for one, in the error's `partial`, if a result can hold them."""
        if self.checkpoint:
            self.checkpoint.flush()
            if self.checkpoint.path is not None:
                error.args = (f"{error} {KEPT}",)
                error.advice = KEPT
                return
        if self.file.seek(0, os.SEEK_END) <= RESULT_LIMIT:
            self.file.seek(0)
            error.partial = {"rows": [json.loads(line) for line in self.file]}


def _state_is_kept() -> bool:
    """Say whether a run may be repeated: in a job, whose state a rerun finds."""
    from ..workspace.create_once import state_folder  # only where rows are kept

    return bool(state_folder("rows"))


def _line(row: Json) -> bytes:
    return _encoded(row).encode("utf-8", "replace")
