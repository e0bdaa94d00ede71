"""Rows in, rows out: many requests at a time, within rate, money and time."""
