"""Conditions as a person writes them, `amount > 100`, and which cells meet them."""

from __future__ import annotations

import re

from ..client import TogetherError
from .cells import BLANK, KINDS, MOMENT, NUMBER, TEXT, folded, is_blank, text_of
from .number_texts import as_json, may_be_value, numbers_by_sign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..shapes import Json
    from .column_format import ColumnFormat
    from .number_texts import Exact

SIGNS = (">=", "<=", "!=", "<>", "=", ">", "<")
EQUAL = ("=", "!=", "<>")


class Condition:
    """One condition: a column, a sign or words, and a value."""

    def __init__(self, column: str, sign: str, value: str) -> None:
        self.column, self.sign, self.value = column, sign, value
        self.compares = sign in SIGNS
        self.folded = value.casefold()
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
            return _compares_as(self.sign, folded(cell), self.folded)
        kind, mine = column_format.read(cell)
        if kind == wanted_kind and kind in (NUMBER, MOMENT):
            return _compares_as(self.sign, mine, wanted)
        if kind == BLANK:
            return self.sign in EQUAL and _compares_as(self.sign, "", self.folded)
        if self.sign not in EQUAL and kind != wanted_kind:
            words = kind == TEXT and not may_be_value(str(cell).strip())
            if wanted_kind == NUMBER or (wanted_kind == MOMENT and words):
                self.odd += 1
                return False  # a text is neither more nor less than a number or date
            self.texts += 1
        return _compares_as(self.sign, folded(cell), self.folded)

    def notes(self) -> Iterator[str]:
        """Yield sentences about how cells were compared."""
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


def read_condition(text: str, field: str) -> Condition:
    """Return a condition that is written as text. Raises TogetherError that names the
    field."""
    text = text.strip()
    if found := _BLANKNESS.search(text):
        word = "is not blank" if found[1] else "is blank"
        return Condition(text[: found.start()].strip(), word, "")
    if found := _CONTAINS.search(text):
        column, value = text[: found.start()].strip(), text[found.end() :].strip()
        return Condition(column, "contains", value)
    places = [(p, -len(s), s) for s in SIGNS if (p := text.find(s)) > 0]
    if not places:
        listed = f"{' '.join(SIGNS)}, contains, is blank, is not blank"
        problem = f"is no condition: write a column, one of {listed}, and a value"
        raise TogetherError.refused(field, problem)
    place, _, sign = min(places)
    column, value = text[:place].strip(), text[place + len(sign) :].strip()
    if value[:1] in "'\"" and value[-1:] == value[:1] and len(value) > 1:
        value = value[1:-1]
    return Condition(column, sign, value)


def _word_test(word: str, value: str) -> Callable[[Json], bool]:
    """Return the function that says whether a cell meets a condition in words."""
    if word == "is blank":
        return is_blank
    if word == "is not blank":
        return lambda cell: not is_blank(cell)
    part = value.strip("'\"").casefold()
    return lambda cell: part in text_of(cell).casefold()


def _compares_as(sign: str, mine: Exact | str, wanted: Exact | str) -> bool:
    """Say whether `mine` and `wanted`, of one kind, are related as the sign says."""
    if sign in ("!=", "<>"):
        return mine != wanted
    if sign == "=":
        return mine == wanted
    less, same = mine < wanted, mine == wanted  # type: ignore[operator]
    if sign in ("<", "<="):
        return less or (same and sign == "<=")
    return not less and (not same or sign == ">=")
