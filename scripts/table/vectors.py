"""A vector, of an answer or in a row."""

from __future__ import annotations

import base64
import struct

from ..client.jsonio import finite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from ..shapes import Json

    Vector: TypeAlias = list[float]


def vector_of(value: Json) -> Vector | None:
    """Return a vector as a list of finite numbers, None for what is none. It may come
    as base64 of 32-bit floats, or as the only one of a list."""
    if isinstance(value, str):
        try:
            data = base64.b64decode(value, validate=True)
            value = list(struct.unpack(f"<{len(data) // 4}f", data))
        except (ValueError, struct.error):
            return None
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
        value = value[0]
    if not isinstance(value, list) or not value:
        return None
    good = all(
        one.__class__ in (float, int) and finite(one) is not None for one in value
    )
    return value if good else None
