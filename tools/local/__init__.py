"""A script on this machine: a worker's ways, and stand-ins for what it asks."""
