"""Rows out of files: text in any encoding, JSON, CSV, a part of a larger table."""
