"""Small numbers as people read them: 0.00001935 in place of 1.935e-05."""

import json
import re
from decimal import Decimal

# A number as JSON writes it behind a member's name or in a list, never within a text:
# a quotation mark there has a backslash before it, and begins no number.
_TEXT_OR_NUMBER = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.]*e-\d+')


def written(value: object, indent: int | None = None) -> str:
    """Return a value as JSON whose small numbers have no exponent, unless that would
    take more than 20 digits."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return _TEXT_OR_NUMBER.sub(_spelled_out, text)


def _spelled_out(found: re.Match) -> str:
    text = found[0]
    if text.startswith('"'):
        return text
    plain = f"{Decimal(text):f}"
    return plain if len(plain) <= 22 else text
