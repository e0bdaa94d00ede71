"""Answers of a given shape: data taken out of a text, classes."""
