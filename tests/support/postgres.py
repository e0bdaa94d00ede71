"""A PostgreSQL of its own for tests, of the programs that this machine has."""

import contextlib
import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path


def programs() -> Path | None:
    """Where initdb, pg_ctl and psql are; None: nowhere. Debian has them out of PATH."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    places += sorted(versions, key=lambda p: int(re.sub(r"\D", "", p.parent.name) or 0))
    complete = [
        p for p in places if all((p / n).exists() for n in ("initdb", "pg_ctl"))
    ]
    return complete[-1] if complete and shutil.which("psql") else None


@contextlib.contextmanager
def postgres(place: Path) -> Iterator[dict]:
    """Run a server on a free port; gives a resource of Windmill's type postgresql."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    user = {}
    if os.getuid() == 0:  # which the server refuses
        name = "postgres" if _exists("postgres") else "nobody"
        user = {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        data = Path(folder) / "data"
        if user:
            shutil.chown(folder, user["user"])
        words = ["-A", "trust", "-U", "test", "-E", "UTF8", "--no-sync"]
        quiet = {**user, "cwd": folder, "stdout": subprocess.DEVNULL, "check": True}
        subprocess.run([place / "initdb", "-D", data, *words], **quiet)
        options = (
            f"-c listen_addresses=127.0.0.1 -c unix_socket_directories='' -p {port}"
        )
        control = [place / "pg_ctl", "-D", data, "-w", "-t", "300"]
        control += ["-l", Path(folder) / "log"]
        subprocess.run([*control, "-o", options, "start"], **quiet)
        try:
            at = {"host": "127.0.0.1", "port": port}
            yield {**at, "user": "test", "password": "", "dbname": "postgres"}
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **quiet)


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
