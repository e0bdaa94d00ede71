"""How much one batch takes, as the documentation says: 50,000 requests and 100 MB."""

from __future__ import annotations

BATCH_LINES = 50_000
# A file is refused above the larger meaning of 100 MB, and filled up to the smaller.
BATCH_BYTES = 100 << 20
FILLED_BYTES = 100_000_000
