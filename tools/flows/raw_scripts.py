"""Run the scripts that stand within a flow (Windmill's `rawscript`), each as a job of
its own: Python in a process that has `wmill`, SQL by PostgreSQL's psql."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.local.job_runner import WRAPPER


def run_raw(value: dict, arguments: dict, environment: dict[str, str]) -> tuple:
    """(success, Windmill's result) of a rawscript module with these arguments.

    Raises ValueError for a language that nothing here runs.
    """
    runs = {"python3": _python, "postgresql": _sql}
    if value["language"] not in runs:
        raise ValueError(f"nothing here runs {value['language']}")
    return runs[value["language"]](value["content"], arguments, environment)


def _python(text: str, arguments: dict, environment: dict[str, str]) -> tuple:
    with tempfile.TemporaryDirectory(prefix="raw-") as name:
        job = Path(name)
        (job / "raw").mkdir()
        (job / "raw" / "script.py").write_text(text, encoding="utf-8")
        wrapper = WRAPPER.format(module="raw.script", loader="")
        (job / "wrapper.py").write_text(wrapper)
        (job / "args.json").write_text(json.dumps(arguments))
        paths = [str(job), *filter(None, [os.environ.get("PYTHONPATH")])]
        done = subprocess.run(
            [sys.executable, "-m", "wrapper"],
            cwd=job,
            env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(paths)},
            capture_output=True,
            text=True,
        )
        result = job / "result.json"
        if not result.exists():
            words = {"name": "ExecutionErr", "message": done.stderr[-2000:]}
            return False, {"error": words}
        value = json.loads(result.read_text())
    return (False, {"error": value}) if done.returncode else (True, value)


PARAMETER = re.compile(r"^-- \$(\d+) (\w+)", re.M)


def _sql(text: str, arguments: dict, _: dict[str, str]) -> tuple:
    """As Windmill does: `-- $1 name` names a parameter, `database` says where."""
    names = [
        name for _, name in sorted(PARAMETER.findall(text), key=lambda p: int(p[0]))
    ]
    statement = text.strip().rstrip(";")
    quoted = ", ".join(_literal(arguments.get(name)) for name in names)
    prepare = (
        f"PREPARE asked AS WITH found AS (\n{statement}\n) "
        "SELECT coalesce(json_agg(found), '[]') FROM found;\n"
    )
    call = f"EXECUTE asked{f'({quoted})' if names else ''};\n"
    database = arguments["database"]
    done = subprocess.run(
        ["psql", "-XqtA", "-v", "ON_ERROR_STOP=1", "-f", "-"],
        input=prepare + call,
        env={
            **os.environ,
            "PGHOST": str(database["host"]),
            "PGPORT": str(database["port"]),
            "PGUSER": database["user"],
            "PGPASSWORD": database.get("password", ""),
            "PGDATABASE": database["dbname"],
        },
        capture_output=True,
        text=True,
    )
    if done.returncode:
        return False, {"error": {"name": "ExecutionErr", "message": done.stderr}}
    return True, json.loads(done.stdout)


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    text = value if isinstance(value, str) else json.dumps(value)
    return "'" + text.replace("'", "''") + "'"
