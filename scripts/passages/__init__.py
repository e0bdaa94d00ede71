"""Passages of documents: taken apart, indexed, found, cited."""
