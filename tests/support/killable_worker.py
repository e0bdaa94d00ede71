"""Jobs in processes of their own, which can be killed while a server looks on."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress

from starlette.responses import Response

from tools.operations import ROOT
from tools.sandbox.file_uploads import FileUploads

# Each line on stdin is a job, done in a fork: importing is paid for once.
PROGRAM = """
import importlib, json, os, resource, sys
sys.path.insert(0, sys.argv[1])
from scripts.rows import row_steps
from scripts.batch_files import batch_steps
from scripts import checkpoint
from scripts.transfer import file_input
for line in sys.stdin:
    job = json.loads(line)
    child = os.fork()
    if child == 0:
        os.environ.update(job["environment"])
        for name, value in job["constants"].items():
            module, _, constant = name.rpartition(".")
            setattr(importlib.import_module(f"scripts.{module}"), constant, value)
        main = importlib.import_module(f"scripts.{job['script']}").main
        print("pid", os.getpid(), flush=True)
        sys.stdin.readline()
        try:
            result = main(**job["arguments"])
        except Exception as error:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            words = f"{type(error).__name__}: {error}"
            print("error", json.dumps([words, peak]), flush=True)
            os._exit(1)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print("result", json.dumps([result, peak]), flush=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print("status", status, flush=True)
"""


class JobError(Exception):
    """What a job raised."""


class Worker:
    """Runs scripts, one at a time, each in a process that can be killed."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid: int | None = None
        self.peak = 0  # memory of the last job in KiB

    def run(
        self,
        script: str,
        arguments: dict,
        environment: dict | None = None,
        constants: dict | None = None,
    ) -> object:
        """The result of a script ("chat.map_rows"), or None when it was killed. Raises
        JobError for one that raised.

        constants sets some of our modules': {"checkpoint.PART_ROWS": 7}.
        """
        job = {"script": script, "arguments": arguments}
        job |= {"environment": environment or {}, "constants": constants or {}}
        self._tell(json.dumps(job))
        self.pid = int(self.process.stdout.readline().split()[1])
        self._tell("go")
        result = failure = None
        for line in self.process.stdout:
            kind, _, value = line.partition(" ")
            if kind == "status":
                if failure is not None:
                    raise JobError(failure)
                assert result is not None or int(value) == signal.SIGKILL
                return result
            if kind == "error":
                failure, self.peak = json.loads(value)
                continue
            result, self.peak = json.loads(value)
        if result is None:
            raise OSError("the worker ended")
        return result  # of a job that outlived its worker

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def die(self) -> None:
        """Kill the worker, and not its job."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def _tell(self, line: str) -> None:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()


class Killer:
    """Kills the worker at the n-th request, before or after it is carried out."""

    def __init__(self, worker: Worker, at: int, before: bool) -> None:
        self.worker, self.at, self.before = worker, at, before
        self.count = 0

    def wrap(self, answer: Callable) -> Callable:
        """A server's method `answer` that counts, and kills when it is time."""

        async def wrapped(request: object, path: str) -> Response:
            number, self.count = self.count, self.count + 1
            if number == self.at and self.before:
                self.worker.kill()
                return Response()
            response = await answer(request, path)
            if number == self.at:
                self.worker.kill()
            return response

        return wrapped

    def wrap_call(self, function: Callable) -> Callable:
        """The same for a function that a server calls while it takes a request."""

        def wrapped(*arguments: object) -> object:
            number, self.count = self.count, self.count + 1
            if number == self.at:
                self.worker.kill()
            return function(*arguments)

        return wrapped


def killed_anywhere(
    worker: Worker,
    servers: list,
    script: str,
    arguments: dict,
    environment: dict,
    begin: Callable,
    uploads: FileUploads | None = None,
    constants: dict | None = None,
) -> Iterator[tuple[bool, dict]]:
    """Kill a script before and after each of its requests to the servers, and while it
    uploads files, and run it again: yields whether it was killed, and the result
    of the run that ended.

    `begin` empties the servers each time. The job that dies is another than the one
    that runs after it, and not one that the workspace still runs.
    """
    answers = [server.answer for server in servers]
    for at in range(100):
        for before in (True, False):
            begin()
            storage = uploads.storage if uploads else None
            killer = Killer(worker, at, before)
            dying = {}
            if environment.get("WM_JOB_ID"):
                dying["WM_JOB_ID"] = str(uuid.UUID(int=at + 1))
            try:
                for server, answer in zip(servers, answers, strict=True):
                    server.answer = killer.wrap(answer)
                if storage:
                    storage.fault = killer.wrap_call(storage.fault)
                result = worker.run(
                    script, arguments, {**environment, **dying}, constants
                )
            finally:
                for server in servers:
                    del server.answer  # the class's own shows again
                if storage:
                    del storage.fault
            killed = result is None
            if killed:
                result = worker.run(script, arguments, environment, constants)
            yield killed, result
        if killer.count <= at:
            return
    raise AssertionError("the script has no end of requests")
