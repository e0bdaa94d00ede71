"""What ./dev runs: the tools, from whatever folder the caller is in."""

import sys

try:
    import runpy
    from pathlib import Path

    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    runpy.run_module("tools", run_name="__main__", alter_sys=True)
except KeyboardInterrupt:  # while modules load, before a command has begun
    sys.exit(130)
