"""Documents: their text, where in it a passage stands, and the formats people write."""
