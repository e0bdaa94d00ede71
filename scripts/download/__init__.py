"""Bytes that are brought over HTTP, and the names that come with them."""
