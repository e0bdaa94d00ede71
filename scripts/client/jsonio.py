"""JSON as the service writes it, in a form that Windmill can keep."""

from __future__ import annotations

import gc
import json
import re

from .job import log
from .references import SAFE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..shapes import Json

RESULT_LIMIT = 1_900_000  # bytes that a result in Windmill can hold
MOST_VALUE_BYTES = 128 << 20  # that the values of a JSON text take beside their texts
MOST_TEXT_BYTES = 192 << 20  # that JSON bytes take, with what is made of them
WIDE_FROM = 20 << 20  # bytes of JSON that take no more, whatever they are
MANY_VALUES = 1 << 20  # characters of JSON from which on the collector rests
LIST_BYTES, OBJECT_BYTES, ITEM_BYTES = 64, 200, 32  # an empty one; a number in one


def parse_json(data: bytes) -> tuple[Json, str | None]:
    """Return (value, problem) of JSON bytes, in a form that Windmill can keep.

    Postgres holds neither NUL nor half a surrogate pair, and JSON no NaN: a character
    becomes U+FFFD and a number its name as text, and the log says how many. A whole
    number beyond 2^53, such as a seed, becomes text, since JavaScript would round it.
    """
    odd_values: list[object] = []
    if len(data) > WIDE_FROM and _texts_bytes(data) > MOST_TEXT_BYTES:
        log("the JSON holds longer texts than there is memory for, and is not read")
        return None, "of longer texts than can be held"
    try:
        # JSON begins with ASCII: only in UTF-16 and UTF-32 there is a NUL so early.
        wide = b"\0" in data[:4]
        text = data.decode(json.detect_encoding(data) if wide else "utf-8")
    except UnicodeDecodeError as error:
        text = data.decode("utf-8", "replace")
        odd_values.append(error)
    text = text.removeprefix("\ufeff").strip(BLANKS)
    large = len(text) >= MANY_VALUES
    if large and values_bytes(text) > MOST_VALUE_BYTES:
        log("the JSON holds more values than there is memory for, and is not read")
        return None, "of more values than can be held"
    # What collects garbage would go through all values again and again as they grow.
    collects = large and gc.isenabled()
    try:
        if collects:
            gc.disable()
        try:
            value, end = _decode(text)
        except NoJsonNumberError:
            value, end = noting_decoder(odd_values).raw_decode(text)
        if end != len(text):
            return None, "not JSON"
    except (ValueError, RecursionError):
        return None, "not JSON"
    finally:
        if collects:
            gc.enable()
    if is_too_deep(value, text):
        return None, f"nested more than {MOST_NESTING} deep"
    if odd_values or is_suspect(text):
        value = storable(value, odd_values)
    return value, None


def _texts_bytes(data: bytes) -> int:
    """Return about how much memory JSON bytes will take with what they hold: one sign
    beyond Latin makes two bytes of each in its text, one beyond 65,535 makes four."""
    size = len(data)
    four = len(data.translate(None, BELOW_FOUR))
    wide = four or len(data.translate(None, BELOW_TWO))
    signs = size - len(data.translate(None, NO_PART))
    written = data.count(b"\\u")
    pairs = re.search(rb"\\u[dD][89abAB]", data) if written else None
    text = signs * (4 if four else 2 if wide else 1)
    wider = 4 if four or pairs else 2 if wide or written else 1
    return size + text + (signs - 5 * written) * wider


# What is left without these says whether a sign takes four bytes, or two.
BELOW_FOUR, BELOW_TWO = bytes(range(0xF0)), bytes(range(0xC4))
NO_PART = bytes([*range(0x80), *range(0xC0, 0x100)])


def values_bytes(text: str) -> int:
    """Return about how much memory the values of a JSON text will take: `[],` is three
    characters, and a list. Texts of some characters are not looked at."""
    if len(text) < 1 << 20:
        return 0
    lists, objects, items = text.count("["), text.count("{"), text.count(",")
    return lists * LIST_BYTES + objects * OBJECT_BYTES + items * ITEM_BYTES


MOST_NESTING = 100  # serde_json, which reads results in Windmill, stops at 128


def is_too_deep(value: Json, text: str) -> bool:
    """Say whether the value of a JSON text is nested deeper than MOST_NESTING."""
    if len(text) <= 2 * MOST_NESTING:  # each level has a bracket on either side
        return False
    return text.count("[") + text.count("{") > MOST_NESTING and is_deep(value)


def is_deep(value: Json, most: int = MOST_NESTING) -> bool:
    """Say whether a value of JSON is nested deeper than Windmill's server reads it."""
    level = [value]
    # By class: with isinstance, reading an answer of vectors takes a tenth longer.
    for _ in range(most):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if inner.__class__ in NESTS and inner
        ]
        if not level:
            return False
    return True


def _whole_number(digits: str) -> int | str:
    """Return a whole number; as text where JavaScript would round it."""
    if len(digits) < 16:
        return int(digits)
    # Longer ones than any that JavaScript keeps may be too long for Python, too.
    number = int(digits) if len(digits) < 20 else SAFE + 1
    return number if -SAFE <= number <= SAFE else digits


class NoJsonNumberError(ValueError):
    """A number that JSON has not, NaN or Infinity, or one beyond all floats."""


def _finite_float(digits: str) -> float:
    number = float(digits)
    if number - number != 0:
        raise NoJsonNumberError
    return number


def _refuse_constant(name: str) -> float:
    raise NoJsonNumberError


NESTS = (dict, list)
BLANKS = " \t\r\n"  # of JSON
# The numbers are looked at as they are read: to search the text for them takes longer
# than to read it.
_decode = json.JSONDecoder(
    parse_constant=_refuse_constant,
    parse_float=_finite_float,
    parse_int=_whole_number,
    strict=False,
).raw_decode


def encoder(
    ensure_ascii: bool = True, sort_keys: bool = False
) -> Callable[[Json], str]:
    """Return what `json.dumps` does with these settings, for many values: that makes
    its encoder anew for each, in which a small one spends a third of its time.

    A value must not hold itself.
    """
    plain = json.JSONEncoder(ensure_ascii=ensure_ascii, sort_keys=sort_keys)
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # a Python without C
        return plain.encode
    text = json.encoder.encode_basestring
    if ensure_ascii:
        text = json.encoder.encode_basestring_ascii
    separators = plain.key_separator, plain.item_separator
    known = sort_keys, plain.skipkeys, plain.allow_nan
    chunks = make(None, plain.default, text, None, *separators, *known)
    return lambda value: "".join(chunks(value, 0))


def noting_decoder(odd_values: list[object]) -> json.JSONDecoder:
    """Return a JSON decoder that notes each NaN and Infinity, and each number beyond
    all floats, and keeps its name."""

    def note(name: str) -> str:
        odd_values.append(name)
        return name

    def real(digits: str) -> float | str:
        number = float(digits)
        if number - number == 0:
            return number
        return note("Infinity" if number > 0 else "-Infinity")

    return json.JSONDecoder(
        parse_constant=note, parse_float=real, parse_int=_whole_number, strict=False
    )


def is_suspect(text: str) -> bool:
    """Say whether JSON text may hold what Windmill's database cannot: an escaped NUL
    or half of a pair."""
    # A sign alone is looked for much faster than two.
    return ("\\" in text and "\\u" in text) or "\x00" in text


def storable(value: Json, odd_values: list[object]) -> Json:
    """Return the value without what Windmill's database cannot hold."""
    odd_values = list(odd_values)
    value = mended(value, odd_values)
    if odd_values:
        log(
            f"{len(odd_values)} values that JSON or Windmill's database cannot "
            f"hold (NaN, Infinity, NUL, half a surrogate pair) were replaced"
        )
    return value


def mended(value: Json, odd_values: list[object]) -> Json:
    if isinstance(value, str):
        if value.isascii() and "\x00" not in value:
            return value
        if not re.search(
            "[\x00\ud800-\udfff]", value
        ):  # compiled when it is first needed
            return value
        # The halves of a surrogate pair that arrived apart become one character.
        had = value.count("\ufffd")
        units = value.encode("utf-16-le", "surrogatepass")
        value = units.decode("utf-16-le", "replace").replace("\x00", "\ufffd")
        odd_values.extend("\ufffd" * (value.count("\ufffd") - had))
        return value
    if isinstance(value, float) and value - value != 0:
        odd_values.append(value)
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list):
        return [mended(item, odd_values) for item in value]
    if isinstance(value, dict):
        return {mended(k, odd_values): mended(v, odd_values) for k, v in value.items()}
    return value


def finite(value: Json) -> int | float | None:
    """Return what a number, or a text that is one, says as a finite number; None for
    anything else. Answers hold numbers as text, null, NaN and numbers beyond any use.
    """
    if isinstance(value, str):
        text = value.strip()
        if len(text) > MOST_DIGITS or "_" in text:
            return None
        try:
            value = int(text) if text.isdecimal() else float(text)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if -LARGEST < value < LARGEST else None


MOST_DIGITS = 40  # of a number that comes as text
LARGEST = 1e300


def moment_of(value: Json) -> float | None:
    """Return the moment that an answer tells, in seconds since 1970: it comes as ISO
    8601, UTC where it says no zone, or as seconds or milliseconds since 1970. None for
    anything else, and for what is before 2001: servers write 1970 or the year 1 for a
    time that they do not know.
    """
    from datetime import UTC, datetime  # few steps ask for a moment

    number = finite(value) or 0
    if number >= FIRST_MILLISECONDS:
        number /= 1000
    try:
        if number >= FIRST_MOMENT:
            return datetime.fromtimestamp(number, UTC).timestamp()
        told = datetime.fromisoformat(value.strip() if isinstance(value, str) else "")
        moment = told.replace(tzinfo=told.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment >= FIRST_MOMENT else None


FIRST_MOMENT = 1e9  # seconds: September 2001; 20261103 is a day, written without lines
FIRST_MILLISECONDS = 1e12  # a number from it on is in milliseconds
