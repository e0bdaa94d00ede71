"""Windmill's own form component in headless Chromium, driven from Python.

tests/windmill/form/ holds the page and the driver; this starts them and speaks with
them. Nothing leaves this machine.
"""

import importlib
import inspect
import json
import queue
import shutil
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.flows.pack_flows import Flow, rendered, target
from tools.operations import Operation
from tools.pages.node import PLACE, page
from tools.schemas.form import form
from tools.target_folder import FOLDER

RESOURCE = "$res:u/demo/together"  # what a form of the page has for auth
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
Place = Sequence[str | int]
Step = tuple[Place, object]


class FormError(Exception):
    """The form crashed, or has no such field or choice; the message says which."""


class Browser:
    """One browser with one page, as a context manager; forms are swapped in.

    `auth` is what the resource of the page's workspace holds. With it, the jobs that a
    form starts for its live choices run; without it they fail. `asked` holds the
    arguments of each. Raises OSError when Node, its packages or Chromium are missing.
    """

    def __init__(self, auth: dict | None = None) -> None:
        self.auth = auth
        self.asked: queue.Queue[dict] = queue.Queue()
        self.replies: queue.Queue[dict] = queue.Queue()
        self.writing = threading.Lock()  # the thread that reads answers jobs

    def __enter__(self) -> "Browser":
        chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
        if chromium is None:
            raise OSError("Chromium is missing: Debian's package is `chromium`")
        self.process = subprocess.Popen(
            ["node", str(PLACE / "form" / "drive.mjs"), str(page()), chromium],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()

    def show(self, script: Operation | Flow | dict) -> dict:
        """Put up the form of a script or flow; a dict is {title, path, schema} itself.

        Returns {args, valid, errors, workspace, fields}: what Run would send, whether
        it is offered, what went wrong, what the form asked of the workspace, and every
        visible field as a person sees it. Raises FormError when the form crashes.
        """
        if not isinstance(script, dict):
            path = f"{FOLDER}/{script.id}"
            if isinstance(script, Flow):
                shown = rendered(script)
                about = {"title": shown["summary"], "kind": "flow"}
                script = {**about, "path": path, "schema": shown["schema"]}
            else:
                title = script.schema["title"]
                script = {"title": title, "path": path, "schema": form(script)}
        return self._call("show", script=script)

    def fill(self, *steps: Step) -> dict:
        """Put values into widgets; returns {args, valid, errors, workspace}.

        A step is (labels that lead to the field, value); a number among the labels is a
        row of a list. The value of a list is None (one more row), of a choice the words
        on its button, of a file {name, content: base64}, of a code editor its text;
        JSON text also fills a list or a stored object at once.
        """
        return self._call("fill", steps=[[list(path), value] for path, value in steps])

    def act(self, *steps: Step) -> dict:
        """The same with mouse and keyboard: slower, and only what can be seen, reached
        and pressed.

        In the editor of JSON Schemas, {name: [words on what to press]} adds properties.
        """
        return self._call("act", steps=[[list(path), value] for path, value in steps])

    def fields(self, path: Place = ()) -> list[dict]:
        """Every visible field at a path: label, required, kind, help, widget, error,
        fields, and of hint, lines, on, choices, chosen, rows, language what it has."""
        return self._call("fields", path=list(path))

    def options(self, path: Place) -> list[str]:
        """What a select offers."""
        return self._call("options", path=list(path))

    def picture(self, file: Path) -> None:
        """Write what is to be seen as a PNG."""
        self._call("picture", file=str(file))

    def _call(self, command: str, **given: object) -> object:
        self._write({"command": command, **given})
        reply = self.replies.get()
        if "error" in reply:
            raise FormError(reply["error"])
        return reply["value"]

    def _write(self, message: dict) -> None:
        with self.writing:
            self.process.stdin.write(json.dumps(message) + "\n")
            self.process.stdin.flush()

    def _read(self) -> None:
        for line in self.process.stdout:
            message = json.loads(line)
            if "job" in message:
                self._write({"answer": message["id"], "result": self._job(message)})
            else:
                self.replies.put(message)
        self.replies.put({"error": "the browser's driver ended"})

    def _job(self, message: dict) -> object:
        try:
            if self.auth is None:
                raise FormError("no jobs are run here")
            return self._run(**message["job"])
        except Exception as error:
            # As a worker reports a failed job; the form shows it.
            return {"error": {"name": type(error).__name__, "message": str(error)}}

    def _run(self, path: str, name: str, arguments: dict) -> object:
        """What the function of that name of a script or flow returns."""
        self.asked.put(arguments)
        function = functions(target(path.removeprefix(f"{FOLDER}/")))[name]
        if arguments.get("auth") == RESOURCE:
            arguments = {**arguments, "auth": dict(self.auth)}
        known = inspect.signature(function).parameters
        return function(**{n: v for n, v in arguments.items() if n in known})


def functions(script: Operation | Flow) -> dict[str, Callable]:
    """By argument, what a worker calls for the live choices of a form."""
    if isinstance(script, Operation):
        name = f"scripts.{script.group}.{script.name}"
        return vars(importlib.import_module(name))
    code = rendered(script)["schema"]["x-windmill-dyn-select-code"]
    space: dict = {}
    exec(code.replace(f"{FOLDER.replace('/', '.')}.", "scripts."), space)
    return space
