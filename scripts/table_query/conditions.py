"""Conditions as a person writes them, `amount > 100`, and which cells meet them."""

from __future__ import annotations

import re

from ..client import TogetherError
from .cells import (
    BLANK,
    KINDS,
    MOMENT,
    NUMBER,
    TEXT,
    folded,
    is_blank,
    json_folded,
    json_within,
    text_of,
)
from .number_texts import as_json, may_be_value, numbers_by_sign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..shapes import Json
    from .column_format import ColumnFormat
    from .number_texts import Exact

SIGNS = (">=", "<=", "!=", "=", ">", "<")
EQUAL = ("=", "!=")
# The same signs as people and other languages write them.
_SPELLINGS = {sign: sign for sign in SIGNS}
_SPELLINGS |= {"==": "=", "===": "=", "!==": "!=", "<>": "!=", "=>": ">=", "=<": "<="}
_SPELLINGS |= {"\u2260": "!=", "\u2265": ">=", "\u2264": "<="}


class Condition:
    """One condition: a column, a sign or words, and a value; `may_be_several` where the
    value holds what may part several, and is not in quotation marks as a whole."""

    def __init__(
        self, column: str, sign: str, value: str, may_be_several: bool
    ) -> None:
        self.column, self.sign, self.value = column, sign, value
        self.may_be_several = may_be_several
        self.compares = sign in SIGNS
        self.fold = json_folded if json_within(value) else folded
        self.folded = self.fold(value)
        self.word_test = None if self.compares else _word_test(sign, value)
        # What was known of the column when `wanted` was read, which is done anew when
        # more is known: (its decimal sign, its order of dates).
        self.state: object = None
        self.wanted: tuple[int, Json] = (TEXT, value)
        self.odd = 0  # cells of another kind, which are neither more nor less
        self.texts = 0  # numbers and dates that are compared as texts

    def meets(self, cell: Json, column_format: ColumnFormat) -> bool:
        """Say whether a cell meets the condition."""
        if self.word_test:
            return self.word_test(cell)
        state = column_format.sign, column_format.order
        if self.state != state:
            self.state, self.wanted = state, column_format.wanted(self.value)
        wanted_kind, wanted = self.wanted
        if wanted_kind == TEXT and self.sign in EQUAL:
            return _compares_as(self.sign, self.fold(cell), self.folded)
        kind, mine = column_format.read(cell)
        if kind == wanted_kind and kind in (NUMBER, MOMENT):
            return _compares_as(self.sign, mine, wanted)
        if kind == BLANK:
            return self.sign in EQUAL and _compares_as(self.sign, "", self.folded)
        if self.sign not in EQUAL and kind != wanted_kind:
            words = kind == TEXT and not may_be_value(text_of(cell).strip())
            if wanted_kind == NUMBER or (wanted_kind == MOMENT and words):
                self.odd += 1
                return False  # a text is neither more nor less than a number or date
            self.texts += 1
        return _compares_as(self.sign, self.fold(cell), self.folded)

    def notes(self, tells_apart: bool) -> Iterator[str]:
        """Yield sentences about how cells were compared; `tells_apart` says whether some
        rows matched and others did not."""
        if self.may_be_several and not tells_apart:
            yield (
                f"{self.value} is taken as one value of {self.column}: ask for each of "
                "several values by itself, or group by that column."
            )
        if self.sign in EQUAL and self.folded in ("null", "none"):
            yield (
                f"{self.value} is compared as a text: cells without anything are found "
                f"by {self.column} is blank."
            )
        if self.odd:
            kind = KINDS[self.wanted[0]]
            yield f"{self.odd} cells of {self.column} are no {kind} and do not match."
        if self.texts:
            yield f"{self.texts} cells of {self.column} are compared as texts."
        if not self.compares or self.wanted[0] != NUMBER:
            return
        plain = numbers_by_sign(self.value).get(".", self.wanted[1])
        if plain != self.wanted[1]:
            yield (
                f"{self.value} is read as {as_json(self.wanted[1])}, as {self.column} "
                "has its numbers."
            )


# Conditions in words. Places are those in the text as it was given: in small letters a
# text may be longer than it was.
_BLANKNESS = re.compile(r" is( not)? blank\Z", re.IGNORECASE | re.ASCII)
_CONTAINS = re.compile(" contains ", re.IGNORECASE | re.ASCII)
# A comparison, with whatever stands behind its first sign and may be meant for one.
# The signs of mathematics may stand in a column's name: they count where no other does.
_OPERATOR = re.compile("(?:[=<>]|!=)[=<>!]*")
_SYMBOL = re.compile("[\u2260\u2264\u2265]")
_BEGINS_AS_OPERATOR = re.compile("[=<>!\u2260\u2264\u2265]")
# What may join several conditions, and what then stands in the next one.
_JOINER = re.compile(r"\s(?:and|or)\s|&&|\|\||[,;]\s", re.IGNORECASE)
_COMPARISON = re.compile(
    "[=<>\u2260\u2264\u2265]| contains | is(?: not)? blank\\Z", re.IGNORECASE
)
# What ends a value in quotation marks, by what begins it.
_QUOTES = {sign: sign for sign in "\"'`\u201d\u2019"}
_QUOTES |= {"\u201c": "\u201d", "\u201e": "\u201c\u201d", "\u00ab": "\u00bb"}
_QUOTES |= {"\u2018": "\u2019", "\u201a": "\u2018\u2019", "\u00bb": "\u00ab"}


def read_condition(text: str, field: str) -> Condition:
    """Return a condition that is written as text. Raises TogetherError that names the
    field."""
    text = text.strip()
    if found := _BLANKNESS.search(text):
        word = "is not blank" if found[1] else "is blank"
        return Condition(text[: found.start()].strip(), word, "", False)
    if found := _CONTAINS.search(text):
        column = text[: found.start()].strip()
        value, may_be_several = _read_value(text[found.end() :], field)
        if not value:
            raise TogetherError.refused(field, "must have a text behind contains")
        return Condition(column, "contains", value, may_be_several)
    found = _OPERATOR.search(text, 1) or _SYMBOL.search(text, 1)
    if found is None:
        listed = f"{' '.join(SIGNS)}, contains, is blank, is not blank"
        problem = f"is no condition: write a column, one of {listed}, and a value"
        raise TogetherError.refused(field, problem)
    column, operator, rest = (
        text[: found.start()],
        found[0],
        text[found.end() :].strip(),
    )
    sign = _SPELLINGS.get(operator)
    unclear = operator in ("=>", "=<") and not may_be_value(rest)  # as in a =<b>
    unclear = unclear or _BEGINS_AS_OPERATOR.match(rest) is not None
    if sign is None or unclear or not (rest or sign in EQUAL):
        after = f"{operator} {rest[:1]}".strip()
        problem = (
            f"must have one of {' '.join(SIGNS)} and a value behind it, in quotation "
            f"marks where that begins with such a sign: it has {after}"
        )
        raise TogetherError.refused(field, problem)
    value, may_be_several = _read_value(rest, field)
    return Condition(column.strip(), sign, value, may_be_several)


def _read_value(text: str, field: str) -> tuple[str, bool]:
    """Return (a value without the quotation marks around it, whether it holds a word or
    marks that may part several). Raises TogetherError where another condition follows."""
    text = text.strip()
    ends = _QUOTES.get(text[:1], "")
    in_quotes = len(text) > 1 and text[-1] in ends
    value = text[1:-1] if in_quotes else text
    if in_quotes and not any(sign in value for sign in (text[0], text[-1])):
        return value, False
    joiner = None if json_within(text) else _JOINER.search(text)
    if joiner:
        # Behind an end of quotation marks an "or" joins values, if no conditions.
        ends_quotes = ends and text[: joiner.start()].rstrip()[-1:] in ends
        several = ends_quotes and joiner[0].strip() not in (",", ";")
        if several or _COMPARISON.search(text, joiner.end()):
            problem = (
                f"holds more than one condition, joined by {joiner[0].strip()!r}: give "
                "each in an entry of its own, as all of them must hold, and ask twice "
                "where one of two is enough; a value with such words belongs in "
                "quotation marks"
            )
            raise TogetherError.refused(field, problem)
    return value, in_quotes or joiner is not None


def _word_test(word: str, value: str) -> Callable[[Json], bool]:
    """Return the function that says whether a cell meets a condition in words."""
    if word == "is blank":
        return is_blank
    if word == "is not blank":
        return lambda cell: not is_blank(cell)
    part = value.casefold()
    return lambda cell: part in text_of(cell).casefold()


def _compares_as(sign: str, mine: Exact | str, wanted: Exact | str) -> bool:
    """Say whether `mine` and `wanted`, of one kind, are related as the sign says."""
    if sign == "!=":
        return mine != wanted
    if sign == "=":
        return mine == wanted
    less, same = mine < wanted, mine == wanted  # type: ignore[operator]
    if sign in ("<", "<="):
        return less or (same and sign == "<=")
    return not less and (not same or sign == ">=")
