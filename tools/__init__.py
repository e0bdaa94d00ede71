"""The pack's own tools: `python -m tools --help`. Nothing here runs on a worker."""
