"""Many jobs at once, each a process, and many calls of one: all right, no growth."""

import json
import subprocess
import sys
import time

import pytest

from tests.conftest import KEY
from tests.support.exchanges import KINDS
from tests.support.fault_server import FaultServer
from tests.support.probing import report, whole
from tools.operations import ROOT

pytestmark = pytest.mark.slow

MIB = 1 << 20
ROOM = 4 * MIB  # that a process may grow by, whatever the number of its calls
# Calls one operation again and again; says how much memory and how many files it has
# after a fifth of the calls and after all.
PROGRAM = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from scripts.files.get_file import main
auth, count = json.loads(sys.argv[2]), int(sys.argv[3])
def state():
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE"), len(os.listdir("/proc/self/fd"))
found = []
for number in range(1, count + 1):
    assert main(auth, "file-1")["id"] == "file-1"
    if number in (max(count // 5, 1), count):
        found.append(state())
print(json.dumps(found))
"""


@pytest.fixture
def called():
    with FaultServer(KINDS["call"].answer) as server:
        auth = json.dumps({"api_key": KEY, "base_url": server.url})

        def start(count: int) -> subprocess.Popen:
            words = [sys.executable, "-c", PROGRAM, str(ROOT), auth, str(count)]
            return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)

        yield start, server


def ended(process: subprocess.Popen) -> list:
    said, _ = process.communicate(timeout=3600)
    assert process.returncode == 0
    return json.loads(said)


def test_many_short_jobs_at_once_are_all_right(called):
    start, server = called
    count = 200 if whole() else 12
    began = time.monotonic()
    jobs = [start(1) for _ in range(count)]
    for process in jobs:
        ended(process)
    seconds = time.monotonic() - began

    assert len(server.asked) == count
    report(
        "load-jobs", [f"{count} jobs at once, each a process: {seconds:.1f} s in all"]
    )


def test_many_calls_of_one_process_leave_memory_and_sockets_as_they_are(called):
    start, server = called
    count = 50_000 if whole() else 1_000
    began = time.monotonic()
    (before, files), (after, files_after) = ended(start(count))
    seconds = time.monotonic() - began

    assert len(server.asked) == count
    assert after - before < ROOM
    assert files_after == files
    grown = (after - before) / MIB
    report("load-calls", [
        f"{count} calls of one process in {seconds:.1f} s; from a fifth of them to all "
        f"it grew by {grown:.1f} MiB to {after / MIB:.1f} MiB, {files_after} files open"
    ])  # fmt: skip
