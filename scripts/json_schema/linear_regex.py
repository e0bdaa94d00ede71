"""Matches the patterns of a JSON Schema in time linear in the length of the text.

Python's re backtracks, and may try 2^n ways: `^(a+)+$` takes it hours on forty letters.
A user's pattern that may do so is matched here by an automaton that follows all ways at
once (Thompson's construction), and says yes or no. `$` is the very end, as JSON Schema
has it of ECMAScript; Python's would let a line's end stand behind it.

    searcher      the function that looks for a pattern in a text
    UnfitError    why a pattern cannot be matched so
"""

from __future__ import annotations

import re
from re import _compiler, _parser  # type: ignore[attr-defined]
from re import _constants as c  # type: ignore[attr-defined]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, TypeAlias

    Item: TypeAlias = tuple[Any, Any]
    """A kind of re's parser, such as LITERAL, and what that kind has."""
    Test: TypeAlias = Callable[[str], object]


__all__ = ["UnfitError", "searcher"]

MOST_STATES = 4_000
MOST_STEPS = 3_000_000  # states times characters
FLAGS = re.IGNORECASE | re.MULTILINE | re.DOTALL | re.ASCII
ONCE = 1  # repeated at most so often: no loop
CATEGORIES = {
    c.CATEGORY_DIGIT: r"\d",
    c.CATEGORY_NOT_DIGIT: r"\D",
    c.CATEGORY_SPACE: r"\s",
    c.CATEGORY_NOT_SPACE: r"\S",
    c.CATEGORY_WORD: r"\w",
    c.CATEGORY_NOT_WORD: r"\W",
}


class UnfitError(ValueError):
    """A pattern that cannot be matched; str() says why, to be read behind its name."""


def searcher(pattern: str) -> Test:
    """Return a function that says whether a text holds the pattern: re's own where that
    is as fast. Raises UnfitError for a pattern that is none, or is not known here."""
    try:
        parsed = _parser.parse(pattern)
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise UnfitError(f"is no regular expression: {error}") from None
    if not _is_quick(parsed):
        return _Machine(parsed).search
    ends = [at for at, item in enumerate(parsed) if item == (c.AT, c.AT_END)]
    if ends and not parsed.state.flags & re.MULTILINE:
        for at in ends:
            parsed[at] = (c.AT, c.AT_END_STRING)
        compiled = _compiler.compile(parsed)
    return compiled.search


def _is_quick(parsed: Any) -> bool:
    """Say whether re needs no more than one way through the text."""
    items = list(parsed)
    begins = (
        items[:1]
        and items[0][0] is c.AT
        and items[0][1]
        in (
            c.AT_BEGINNING,
            c.AT_BEGINNING_STRING,
        )
    )
    if begins and parsed.state.flags & re.MULTILINE:
        begins = False
    repeats = 0
    for kind, value in items:
        if kind in (c.MAX_REPEAT, c.MIN_REPEAT):
            least, most, inner = value
            if len(inner) != 1 or inner[0][0] not in _SINGLE:
                return False
            repeats += least != most and most > ONCE
        elif kind not in _SINGLE and kind is not c.AT:
            return False
    return repeats == 0 or (repeats == 1 and bool(begins))


_SINGLE = (c.LITERAL, c.NOT_LITERAL, c.ANY, c.IN)


class _Machine:
    """States, each with where it leads to: by a character, or at once."""

    def __init__(self, parsed: Any) -> None:
        self.states: list[tuple[Any, list[int]]] = []
        self.flags: int = parsed.state.flags
        self.checks: list[tuple[bool, _Machine]] = []
        items = list(parsed)
        rest = self.take_conditions(items)
        self.end = self.add_state(None)
        self.start = self.add_chain(rest, self.end)

    def take_conditions(self, items: list[Item]) -> list[Item]:
        """Take the conditions that a pattern begins with, such as (?=.*[0-9])."""
        place = 0
        while place < len(items) and items[place][0] is c.AT:
            place += 1
        first = place
        while place < len(items) and items[place][0] in (c.ASSERT, c.ASSERT_NOT):
            kind, (direction, inner) = items[place]
            anchored = first and items[0][1] in (
                c.AT_BEGINNING,
                c.AT_BEGINNING_STRING,
            )
            if direction < 0 or not anchored or self.flags & re.MULTILINE:
                break
            other = _Machine.__new__(_Machine)
            other.states, other.flags, other.checks = [], self.flags, []
            other.end = other.add_state(None)
            other.start = other.add_chain([*items[:first], *inner], other.end)
            self.checks.append((kind is c.ASSERT, other))
            place += 1
        return [*items[:first], *items[place:]]

    def add_state(self, test: Any, *nexts: int) -> int:
        """Add a state. test is None for one that leads on at once, a function of a
        character, or the kind of a place."""
        if len(self.states) >= MOST_STATES:
            raise UnfitError("is too large to be matched")
        self.states.append((test, list(nexts)))
        return len(self.states) - 1

    def add_chain(self, items: Iterable[Item], then: int) -> int:
        """Add states for items one behind the other; return the first."""
        for item in reversed(list(items)):
            then = self.add_item(*item, then)
        return then

    def add_item(self, kind: Any, value: Any, then: int) -> int:
        if kind in _SINGLE:
            return self.add_state(_character_test(kind, value, self.flags), then)
        if kind is c.AT:
            return self.add_state(value, then)
        if kind is c.SUBPATTERN:
            _, add, remove, inner = value
            if (add | remove) & FLAGS:
                raise UnfitError("changes its flags midway, which is not known here")
            return self.add_chain(inner, then)
        if kind is c.BRANCH:
            return self.add_state(
                None, *(self.add_chain(part, then) for part in value[1])
            )
        if kind in (c.MAX_REPEAT, c.MIN_REPEAT):
            least, most, inner = value
            if least > MOST_STATES or (most is not c.MAXREPEAT and most > MOST_STATES):
                raise UnfitError("is too large to be matched")
            return self.add_repeat(least, most, inner, then)
        raise UnfitError("looks around or back, which may take for ever")

    def add_repeat(
        self, least: int, most: Any, inner: Sequence[Item], then: int
    ) -> int:
        if most is c.MAXREPEAT:
            again = self.add_state(None, then)
            self.states[again][1].append(self.add_chain(inner, again))
            then = again
        else:
            for _ in range(most - least):
                then = self.add_state(None, self.add_chain(inner, then), then)
        for _ in range(least):
            then = self.add_chain(inner, then)
        return then

    def search(self, text: str) -> bool:
        """Say whether the text holds the pattern. Raises UnfitError for a long one."""
        size = sum(len(m.states) for _, m in self.checks) + len(self.states)
        if size * len(text) > MOST_STEPS:
            most = MOST_STEPS // size
            raise UnfitError(f"can be matched against at most {most} characters")
        for wanted, machine in self.checks:
            if machine.search(text) is not wanted:
                return False
        open_states = set()
        for place in range(len(text) + 1):
            open_states.add(self.start)
            found = self.closure(open_states, text, place)
            if self.end in found:
                return True
            if place == len(text):
                return False
            sign = text[place]
            open_states = set()
            for number in found:
                test, nexts = self.states[number]
                if callable(test) and test(sign):
                    open_states.update(nexts)
        return False

    def closure(self, numbers: Iterable[int], text: str, place: int) -> set[int]:
        """Return the states that are reached at a place without a character."""
        states = set(numbers)
        stack = list(numbers)
        while stack:
            test, nexts = self.states[stack.pop()]
            if callable(test):
                continue
            if test is None or _is_at(test, text, place, self.flags):
                new = [number for number in nexts if number not in states]
                states.update(new)
                stack += new
        return states


def _character_test(kind: Any, value: Any, flags: int) -> Test:
    """Return the function that says whether a character fits."""
    if kind is c.ANY:
        return (lambda sign: True) if flags & re.DOTALL else (lambda sign: sign != "\n")
    fits: Test
    if kind is c.IN:
        negated = value[0][0] is c.NEGATE
        tests = [_set_test(part, inner, flags) for part, inner in value[negated:]]
        fits = lambda sign: any(test(sign) for test in tests)  # noqa: E731
    else:
        negated = kind is c.NOT_LITERAL
        fits = _set_test(c.LITERAL, value, flags)
    if flags & re.IGNORECASE:
        plain = fits
        fits = lambda s: plain(s) or plain(s.lower()) or plain(s.upper())  # noqa: E731
    return (lambda sign: not fits(sign)) if negated else fits


def _set_test(kind: Any, value: Any, flags: int) -> Test:
    if kind is c.LITERAL:
        letter = chr(value)
        return lambda sign: sign == letter
    if kind is c.RANGE:
        first, last = map(chr, value)
        return lambda sign: first <= sign <= last
    if kind is c.CATEGORY and value in CATEGORIES:
        return re.compile(CATEGORIES[value], flags & re.ASCII).match
    raise UnfitError("has a set of characters that is not known here")


def _is_at(kind: Any, text: str, place: int, flags: int) -> bool:
    """Say whether a place in a text is of a kind, such as the end."""
    if kind in (c.AT_BEGINNING, c.AT_BEGINNING_STRING):
        many = kind is c.AT_BEGINNING and flags & re.MULTILINE
        return place == 0 or bool(many and text[place - 1] == "\n")
    if kind in (c.AT_END, c.AT_END_STRING):
        if place == len(text):
            return True
        many = kind is c.AT_END and flags & re.MULTILINE
        return bool(many and text[place] == "\n")
    if kind in (c.AT_BOUNDARY, c.AT_NON_BOUNDARY):
        word = re.compile(r"\w", flags & re.ASCII).match
        before = place > 0 and word(text[place - 1]) is not None
        after = place < len(text) and word(text[place]) is not None
        return (before != after) is (kind is c.AT_BOUNDARY)
    raise UnfitError("asks for a place that is not known here")
