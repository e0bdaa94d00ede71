"""Answers that come piece by piece: events of a stream, pages of a list."""
