"""Numbers of lists, as Word and browsers write them."""

from __future__ import annotations

LETTERED = 26 * 10  # further numbers are digits: aa, bb and so on get long
ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc")),
    *((50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)


def counted(count: int, form: str) -> str:
    """Return a number in a form of Word's, such as lowerLetter; digits for those that
    are not known here."""
    if form in ("none", "bullet"):
        return ""
    if form == "decimalZero":
        return f"{count:02}"
    if form in ("lowerLetter", "upperLetter") and 0 < count <= LETTERED:
        times, letter = divmod(count - 1, 26)
        text = chr(ord("a") + letter) * (times + 1)
        return text.upper() if form == "upperLetter" else text
    if form in ("lowerRoman", "upperRoman") and 0 < count < 4000:
        text = ""
        for value, sign in ROMAN:
            times, count = divmod(count, value)
            text += sign * times
        return text.upper() if form == "upperRoman" else text
    return str(count)
