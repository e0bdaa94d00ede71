"""The flows of the pack, and running them on this machine."""
