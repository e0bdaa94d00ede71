"""The build: the tree that is pushed to a workspace."""
