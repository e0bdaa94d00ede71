"""A workspace: what is deployed to it, found in it and taken out of it."""
