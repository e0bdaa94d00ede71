"""One target of fuzz_targets.py under atheris, as tools/probes/fuzz.py starts it:

    python -m tests.support.fuzz_run NAME FINDINGS PROGRAM [libFuzzer's words]

PROGRAM does the same with the words behind it alone: libFuzzer calls itself to go
through many inputs.

A fault does not end the run: the first input of each kind, told by the place in the
code, goes into the folder FINDINGS with its traceback.
"""

import hashlib
import io
import sys
import traceback
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["scripts", "zipfile", "csv"]):
    from tests.support import fuzz_targets


def main(name, folder, program, words):
    seen = set()
    sys.stdout = sys.stderr = io.StringIO()  # the log of a job

    def one(data):
        sys.stdout.seek(0)
        sys.stdout.truncate()
        try:
            fuzz_targets.checked(name, data)
        except Exception as error:
            kind = place(error)
            if kind not in seen:
                seen.add(kind)
                keep(folder, kind, data)

    atheris.Setup([program, *words], one)
    atheris.Fuzz()


def place(error):
    """What tells one fault from another: its class, and where in the code it is."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "/scripts/" in f.filename] or frames
    return f"{type(error).__name__} {Path(own[-1].filename).name}:{own[-1].lineno}" + (
        f" {error}"[:80] if isinstance(error, AssertionError) else ""
    )


def keep(folder, kind, data):
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / hashlib.sha256(data).hexdigest()[:16]
    file.write_bytes(data)
    file.with_suffix(".txt").write_text(traceback.format_exc())
    print(f"FOUND {kind}: {file}", file=sys.__stderr__, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4:])
