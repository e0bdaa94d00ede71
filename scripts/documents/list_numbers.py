"""Numbers of lists, as Word and browsers write them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LETTERED = 26 * 30  # further numbers are digits: aa, bb and so on get long
ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc")),
    *((50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)


def repeated(count: int) -> str:
    """Return a number in letters as Word writes it: z is followed by aa, bb."""
    times, letter = divmod(count - 1, 26)
    return chr(ord("a") + letter) * (times + 1)


def counted(count: int, form: str, letters: Callable[[int], str] = repeated) -> str:
    """Return a number in a form of Word's, such as lowerLetter; digits for those that
    are not known here."""
    if form in ("none", "bullet"):
        return ""
    if form == "decimalZero":
        return f"{count:02}"
    if form in ("lowerLetter", "upperLetter") and 0 < count <= LETTERED:
        text = letters(count)
        return text.upper() if form == "upperLetter" else text
    if form in ("lowerRoman", "upperRoman") and 0 < count < 4000:
        text = ""
        for value, sign in ROMAN:
            times, count = divmod(count, value)
            text += sign * times
        return text.upper() if form == "upperRoman" else text
    return str(count)
