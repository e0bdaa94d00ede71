"""Tables of rows: read, gathered in order, counted and kept for a rerun."""
