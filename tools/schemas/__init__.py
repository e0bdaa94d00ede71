"""Schemas, and what they are made into: forms and scripts."""
