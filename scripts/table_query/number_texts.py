"""Numbers as people write them: 1,234.50 or 1.234,50, with currency or percent signs."""

from __future__ import annotations

import re
from decimal import Context, Decimal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from ..shapes import Json

    Exact: TypeAlias = int | Decimal

VALUE_SIGNS = 100  # characters of a number or date
MOST_POWER = 308  # the largest power of ten of a double, which most programs hold

# Currency signs: those of Unicode's block of them and those outside it; then currency
# codes and abbreviations.
_MONEY = "$\u00a2-\u00a5\u058f\u060b\u0e3f\u17db\u20a0-\u20cf\ufdfc\uff04\uffe1\uffe5"
_CODES = (
    "AED|ARS|AUD|BGN|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EGP|EUR|GBP|HKD|HUF|IDR|ILS|INR|"
    "JPY|KES|KRW|MXN|MYR|NGN|NOK|NZD|PEN|PHP|PKR|PLN|RMB|RON|RUB|SAR|SEK|SGD|THB|TRY|"
    r"TWD|UAH|USD|VND|ZAR|S?Fr\.|[Kk]r\.?|z\u0142|K\u010d|Ft|Rs\.?|Rp|RM|lei"
)
_UNIT = rf"(?:[%\u2030]|[A-Z]{{0,3}}[{_MONEY}]|{_CODES})"
_BLANKS = " \u00a0\u2009\u202f"
_PLUS_MINUS = "+\\-\u2212"
_WITH_UNIT = re.compile(
    rf"([{_PLUS_MINUS}]?)(?:({_UNIT})[{_BLANKS}]?)?([{_PLUS_MINUS}]?)"
    rf"([\d.,](?:[\d.,'\u2019{_BLANKS}]*[\d.])?(?:[eE][+-]?\d{{1,3}})?)"
    rf"(?:[{_BLANKS}]?({_UNIT}))?",
    re.ASCII,
)
_BEGINS_AS_VALUE = re.compile(
    rf"[{_PLUS_MINUS}]?(?:{_UNIT}[{_BLANKS}]?)?[{_PLUS_MINUS}]?[.,]?\d", re.ASCII
)
# 1,234 or 1.234: whether it is a whole number or has decimals does not show.
AMBIGUOUS = re.compile(r"[1-9]\d{0,2}([.,])\d{3}", re.ASCII)
# A number as JSON has it, which most are.
PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)


def _number_pattern(sign: str, other: str, more: str = "") -> re.Pattern[str]:
    """Return the pattern of a number without its unit: `sign` stands before decimals,
    `other` groups digits, and `more` are further ways to group them."""
    power = r"(?:[eE][+-]?\d{1,3})?"
    whole = rf"(?:0|[1-9]\d*)(?:\{sign}\d+|\.)?{power}|\{sign}\d+{power}"
    group = rf"[1-9]\d{{0,2}}([{other}'\u2019{_BLANKS}])\d{{3}}(?:\1\d{{3}})*"
    return re.compile(rf"{whole}|(?:{group}{more})(?:\{sign}\d+)?", re.ASCII)


# Patterns by the decimal sign; "" where a column has both, and only a point is sure. In
# India, digits are grouped by two as well: 12,34,567.
_PATTERNS = {
    ".": _number_pattern(".", ",", r"|[1-9]\d?(?:,\d\d)+,\d{3}"),
    ",": _number_pattern(",", "."),
    "": re.compile(
        r"(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII
    ),
}
# For str.translate: numbers to a form that Decimal reads, by their decimal sign.
_GROUP_SIGNS = dict.fromkeys(map(ord, f"'\u2019{_BLANKS}"))
_TO_PLAIN_DIGITS = {
    ".": {**_GROUP_SIGNS, ord(","): None},
    ",": {**_GROUP_SIGNS, ord("."): None, ord(","): "."},
    "": {},
}


def may_be_value(text: str) -> bool:
    """Say whether a text may be a number or date, which most texts cannot."""
    return 0 < len(text) <= VALUE_SIGNS and _BEGINS_AS_VALUE.match(text) is not None


def unit_and_digits(text: str) -> tuple[str, str, str] | None:
    """Return (unit, "-" or "", digits and signs among them) of a number as a person
    writes it, None for what is none."""
    found = _WITH_UNIT.fullmatch(text)
    if found is None or (found[1] and found[3]):
        return None
    unit = " ".join(filter(None, (found[2], found[5])))
    return unit, "" if (found[1] or found[3]) in ("", "+") else "-", found[4]


def numbers_by_sign(text: str) -> dict[str, Exact]:
    """Return {decimal sign: the number that a text is with it}, without those signs with
    which it is none."""
    found = unit_and_digits(text)
    if found is None:
        return {}
    _, minus, body = found
    values = {sign: number_from(minus, body, sign) for sign in ".,"}
    return {sign: value for sign, value in values.items() if value is not None}


def number_from(minus: str, body: str, sign: str) -> Exact | None:
    """Return the number that digits are with `sign` before decimals, or None."""
    if _PATTERNS[sign].fullmatch(body) is None:
        return None
    plain = body.translate(_TO_PLAIN_DIGITS[sign])
    if plain.isdigit():
        return int(minus + plain)
    value = Decimal(minus + plain)
    return value if abs(value.adjusted()) <= MOST_POWER else None


def exact_number(cell: Json) -> Exact | None:
    """Return a number of JSON as it is written, None for what is none."""
    if cell.__class__ is int:
        return cell
    if cell.__class__ is not float or cell - cell != 0:
        return None
    return Decimal(repr(cell))


def as_json(value: Exact) -> Json:
    """Return an exact number as JSON has it, as text where that would round it."""
    if isinstance(value, int):
        return value
    if value == value.to_integral_value():
        return int(value)
    near = float(value)
    return near if Decimal(repr(near)) == value else f"{value:f}"


def rounded(value: Exact) -> Json:
    """Return a sum or mean to 6 decimals, or to 6 digits where it is below 1."""
    if isinstance(value, int) or value.adjusted() > 20:
        return as_json(value)
    digits = max(6, 5 - value.adjusted())
    return as_json(value.quantize(Decimal(1).scaleb(-digits), context=_FINE_DIGITS))


_FINE_DIGITS = Context(prec=400)  # enough for the smallest number that is rounded
