"""Run a script exactly as a Windmill worker does, and merge its result the same way.

The script and the helper are copied to a fresh job directory at the paths that they
have in Windmill, and a wrapper is run there as a process of its own: arguments by name
from args.json, the result to result.json, `WM_STREAM: ` lines on stdout. The modules
are there, or fetched one by one as Windmill's loader does. Not imitated: resolution of
`$res:` and `$var:`, limits.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.operations import ROOT
from tools.target_folder import FOLDER
from tools.tree.flatten import module_texts, package_files, script_text

STREAM = "WM_STREAM: "
GRACE = 5.0  # seconds that an interrupted job has
WRAPPER = """
import base64, datetime, json, os, sys, traceback
{loader}
path = {module!r}
package, name = path.rsplit(".", 1)
try:
    inner_script = __import__(package, fromlist=[name])
    inner_script = __import__(path, fromlist=["main"])
    with open("args.json") as file:
        given = json.load(file)
    main = inner_script.main
    names = main.__code__.co_varnames[: main.__code__.co_argcount]
    defaults = main.__defaults__ or ()
    defaults = dict(zip(names[len(names) - len(defaults) :], defaults))
    arguments = {{}}
    for name in names:
        value = given.get(name)
        annotation = main.__annotations__.get(name)
        if value is None and defaults.get(name) is not None:
            continue
        if value is not None and annotation is bytes:
            value = base64.b64decode(value)
        if value is not None and annotation is datetime.datetime:
            value = datetime.datetime.fromisoformat(value)
        arguments[name] = value
    result = inner_script.main(**arguments)
    if hasattr(result, "__iter__") and not isinstance(
        result, (str, bytes, dict, list, tuple, set)
    ):
        for chunk in result:
            print("WM_STREAM: " + chunk.replace(chr(10), "\\\\n"), flush=True)
        result = None
    if isinstance(result, bytes):
        result = base64.b64encode(result).decode()
    elif isinstance(result, dict):
        result = {{
            key: base64.b64encode(value).decode() if isinstance(value, bytes) else value
            for key, value in result.items()
        }}
    text = json.dumps(result, separators=(",", ":"), default=str)
    with open("result.json", "w") as file:
        file.write(text)
except BaseException as error:
    kind, value, trace = sys.exc_info()
    failure = {{
        "message": str(error),
        "name": type(error).__name__,
        "stack": "\\n".join(traceback.format_tb(trace)[1:]),
    }}
    extra = dict(vars(error))
    if extra:
        failure["extra"] = extra
    if os.environ.get("WM_FLOW_STEP_ID"):
        failure["step_id"] = os.environ["WM_FLOW_STEP_ID"]
    with open("result.json", "w") as file:
        json.dump(failure, file, default=str)
    sys.exit(1)
"""

# What a job imports from f. and u. beyond its own directory: a module is one request
# for its path; a folder, and what cannot be fetched, is a module with nothing in it.
LOADER = """
import os, sys, urllib.error, urllib.request
from importlib.machinery import ModuleSpec, SourceFileLoader


class Nothing:
    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.__path__ = module.__name__


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        parts = name.split(".")
        if parts[0] not in ("f", "u"):
            return None
        text = fetch("/".join(parts)) if len(parts) > 2 else None
        if text in (None, "WINDMILL_IS_FOLDER"):
            return ModuleSpec(name, Nothing())
        file = os.path.join("tmp", *parts) + ".py"
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "w", encoding="utf-8") as copy:
            copy.write(text)
        return ModuleSpec(name, SourceFileLoader(name, os.path.abspath(file)))


def fetch(path):
    where = os.environ["BASE_INTERNAL_URL"] + "/api/w/" + os.environ["WM_WORKSPACE"]
    headers = {"Authorization": "Bearer " + os.environ["WM_TOKEN"]}
    url = where + "/scripts/raw/p/" + path + ".py?cache_folders=true"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, None, headers)) as got:
            return got.read().decode()
    except urllib.error.HTTPError:
        return None


sys.meta_path.append(Finder)
"""


@dataclass
class Job:
    """What a finished job left: Windmill's result, or its error under `error`."""

    exit_code: int
    result: object
    stream: str
    log: str

    @property
    def failed(self) -> bool:
        return self.exit_code != 0


def run(
    script: str,
    arguments: dict,
    *,
    root: Path = ROOT,
    show: Callable[[str], None] | None = None,
    tell: Callable[[str], None] | None = None,
    environment: dict[str, str] | None = None,
    python: str = sys.executable,
    folder: str | None = None,
    fetch: bool = False,
) -> Job:
    """Run scripts/<script>.py with the arguments, `auth` among them; or, of a build
    (`root`), the script in that folder of a workspace. With `fetch` the modules come
    from the workspace that WM_TOKEN and its like in `environment` name.

    `show` gets each piece of the result stream as it arrives, `tell` each line of the
    log. A job that is not waited for any longer is interrupted, then killed. A result
    with a stream is merged as Windmill merges it: an object gets `wm_stream`, null
    becomes the text.
    """
    with tempfile.TemporaryDirectory(prefix="job-") as name:
        job = Path(name)
        prepare(job, script, arguments, root, folder, fetch)
        process = subprocess.Popen(
            [python, "-u", "-m", "wrapper"],
            cwd=job,
            env={**os.environ, "PYTHONPATH": str(job), **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            process_group=0,  # Ctrl-C is passed on once, by _interrupt
        )
        stream, log = [], []
        try:
            for line in process.stdout:
                if not line.startswith(STREAM):
                    log.append(line)
                    if tell:
                        tell(line)
                    continue
                piece = line.removeprefix(STREAM).removesuffix("\n")
                stream.append(piece.replace("\\n", "\n"))
                if show:
                    show(stream[-1])
            code = process.wait()
        except BaseException:
            _interrupt(process)
            raise
        result = job / "result.json"
        value = json.loads(result.read_text()) if result.exists() else None
    return _ended(code, value, stream, "".join(log))


def _ended(code: int, value: object, stream: list[str], log: str) -> Job:
    """A job as Windmill sees it: with a result that may be a failure all the same, and
    the stream in it."""
    text = "".join(stream)
    if value is None and code:
        value = {"message": log[-2000:], "name": "ExecutionErr"}
    if not code and isinstance(value, dict) and "wm_failure" in value:
        # Windmill counts such a job as failed and keeps its result.
        message = str(value.pop("wm_failure"))
        failed = {**value, "error": {"name": "ManualFailure", "message": message}}
        return Job(1, failed, text, log)
    if stream and not code:
        if isinstance(value, dict):
            value["wm_stream"] = text
        elif value is None:
            value = text
    return Job(code, {"error": value} if code else value, text, log)


def _interrupt(process: subprocess.Popen) -> None:
    """Let a job clear up behind itself, as long as that takes no longer than GRACE."""
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def prepare(
    job: Path,
    script: str,
    arguments: dict,
    root: Path = ROOT,
    folder: str | None = None,
    fetch: bool = False,
) -> None:
    """Lay out a job directory: the script, the modules or their loader, the wrapper,
    the arguments."""
    source = root / (folder or "scripts")
    if folder is None:
        texts = {} if fetch else module_texts(root)
        text = (source / f"{script}.py").read_text(encoding="utf-8")
        texts[script] = script_text(text, tuple(script.split("/")), package_files(root))
    else:
        modules = [] if fetch else [path.stem for path in source.glob("*.py")]
        paths = {part: source / f"{part}.py" for part in (*modules, script)}
        texts = {part: path.read_text("utf-8") for part, path in paths.items()}
    folder = folder or FOLDER
    for part, text in texts.items():
        place = job / folder / f"{part}.py"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    module = f"{folder}/{script}".replace("/", ".")
    wrapper = WRAPPER.format(module=module, loader="import loader" if fetch else "")
    (job / "wrapper.py").write_text(wrapper)
    if fetch:
        (job / "loader.py").write_text(LOADER)
    (job / "args.json").write_text(json.dumps(arguments))
