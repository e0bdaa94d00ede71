"""What a check of the live suite is, how they are run, and how they are told.

A check is a function of a stage that returns what it saw, a sentence or an object of
JSON values; raises ShortError where that is less than what shall hold, SkippedError
where the server lacks what the check is about. Anything else that it raises falls short
too.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from threading import Event

OK, SHORT, SKIPPED = "ok", "SHORT", "skipped"
WIDTH = 110  # characters of evidence in the table; JSON has all of it


class ShortError(Exception):
    """What was seen falls short of what shall hold; the message says in what."""


class SkippedError(Exception):
    """The server lacks what the check is about; the message says what."""


class StoppedError(Exception):
    """The suite is to end before this check has."""


def expect(holds: object, otherwise: str) -> None:
    """Raise ShortError with those words unless it holds."""
    if not holds:
        raise ShortError(otherwise)


@dataclass(frozen=True)
class Subject:
    """Checks that belong together; `at_once` of them may run at the same time."""

    name: str
    checks: tuple[Callable[[object], object], ...]
    at_once: int = 1


@dataclass(frozen=True)
class Outcome:
    """How a check went: `evidence` is for people, `details` is all of it."""

    subject: str
    name: str
    verdict: str
    seconds: float
    evidence: str
    details: dict = field(default_factory=dict)


def outcome(subject: str, check: Callable[[object], object], stage: object) -> Outcome:
    """Run one check. Raises StoppedError where the suite is to end."""
    began = time.monotonic()
    details: dict = {}
    try:
        seen = check(stage)
        verdict = OK
    except StoppedError:
        raise
    except SkippedError as skipped:
        verdict, seen = SKIPPED, str(skipped)
    except ShortError as short:
        verdict, seen = SHORT, str(short)
        details = getattr(short, "details", {})
    except Exception as error:  # one check that breaks is no reason to lose the others
        verdict, seen = SHORT, f"{type(error).__name__}: {error}"
    if isinstance(seen, dict):
        details = seen
        seen = seen.get("said") or ", ".join(f"{k} {v}" for k, v in seen.items())
    seconds = round(time.monotonic() - began, 1)
    name = check.__name__.replace("_", " ")
    return Outcome(subject, name, verdict, seconds, str(seen), details)


def outcomes(subjects: list[Subject], stage: object, stop: Event) -> Iterator[Outcome]:
    """Run the checks, subject after subject; yield each when it is done, in their
    order. Once `stop` is set no check begins."""
    for subject in subjects:
        with ThreadPoolExecutor(subject.at_once) as pool:

            def run(check: Callable, subject: Subject = subject) -> Outcome | None:
                if stop.is_set():
                    return None
                try:
                    return outcome(subject.name, check, stage)
                except StoppedError:
                    return None

            futures = [pool.submit(run, check) for check in subject.checks]
            try:
                for future in futures:
                    # A signal that comes just before a wait does not end it: in turns.
                    while not wait([future], timeout=0.5).done:
                        pass
                    if (done := future.result()) is not None:
                        yield done
            except BaseException:
                # The threads end at their next pause, and are waited for.
                stop.set()
                raise


def line(done: Outcome) -> str:
    """An outcome as a line of the table."""
    text = " ".join(done.evidence.split())
    if done.verdict == OK and len(text) > WIDTH:
        text = text[: WIDTH - 3] + "..."
    head = f"{done.verdict:7} {done.subject:11} {done.seconds:6.1f} s  {done.name}"
    return f"{head}: {text}"


def summary(found: list[Outcome]) -> str:
    """How many of which verdict, in words."""
    counts = Counter(done.verdict for done in found)
    return ", ".join(
        f"{counts[verdict]} {word}"
        for verdict, word in ((OK, "ok"), (SHORT, "fall short"), (SKIPPED, "skipped"))
        if counts[verdict] or verdict == OK
    )


def as_json(found: list[Outcome]) -> dict:
    """The outcomes for a program to read."""
    counts = Counter(done.verdict for done in found)
    return {
        "ok": counts[OK],
        "short": counts[SHORT],
        "skipped": counts[SKIPPED],
        "checks": [{**asdict(done), "verdict": done.verdict.lower()} for done in found],
    }
