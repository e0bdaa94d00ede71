"""Tables of rows: read, sent many at a time, counted and kept for a rerun."""
