"""The command line of the pack: `./dev COMMAND`, or `python -m tools COMMAND`.

JSON goes to stdout, everything else to stderr. Exit codes: 0 done, 1 the work failed,
2 wrong usage, 3 (of audit) not everything could be asked.
"""

import argparse
import base64
import contextlib
import errno
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from scripts.table.encodings import BadTextError, texts
from tools.flows import Flow
from tools.operations import ROOT, Operation, find, scripts
from tools.target_folder import checked
from tools.version import NAME, VERSION


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        from tools.completions import attach

        attach(parser)
        argcomplete.autocomplete(parser)  # ends the process
    words = sys.argv[1:] if argv is None else argv
    arguments, rest = parser.parse_known_args(words or ["help"])
    if arguments.command is test:
        arguments.rest = rest
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        code = arguments.command(arguments)
        sys.stdout.flush()  # here, where a reader that is gone is no fault
        return code
    except BrokenPipeError:  # `./dev list | head`
        # Nothing more can be written, and Python would try at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        named = error.filename and error.strerror
        say(
            f"error: {error.filename}: {error.strerror}" if named else f"error: {error}"
        )
        return 2
    except (ValueError, KeyError) as error:
        say(f"error: {error}")
        return 2
    except Terminated:
        return 143
    except KeyboardInterrupt:
        return 130


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def check(_: argparse.Namespace) -> int:
    """Compare everything with its schema; write nothing."""
    from tools.checks import problems
    from tools.type_check import begin_type_check

    types = begin_type_check()
    found = problems()
    for problem in found:
        say(problem.show(ROOT))
    if any(problem.fixable for problem in found):
        say("`./dev fix` repairs what is marked [fix]")
    if not found:
        from tools.screenshots import notes

        for note in notes():
            say(note)
    others = {"ruff": _ruff(ROOT), "mypy": types.wait()}
    counts = {"the pack's own checks": len(found), **others}
    total = sum(counts.values())
    parts = ", ".join(f"{count} of {who}" for who, count in counts.items() if count)
    many = f"{total} problem{'' if total == 1 else 's'}"
    say(f"{len(list(scripts()))} scripts, {many}{f': {parts}' if parts else ''}")
    return 1 if total else 0


def _ruff(root: Path) -> int:
    """Say what ruff finds in the Python of a folder, a line each; how many."""
    words = [] if os.access(root, os.W_OK) else ["--no-cache"]
    ruff = [sys.executable, "-m", "ruff"]
    count = 0
    for command in (["check"], ["format", "--check"]):
        line_each = ["--quiet", "--output-format=concise", *words, "."]
        done = subprocess.run(
            [*ruff, *command, *line_each], cwd=root, capture_output=True, text=True
        )
        said = re.findall(r"^.+:\d+:\d+: .+", done.stdout, re.MULTILINE)
        for line in said:
            say(line + (" [fix]" if ": unformatted: " in line else ""))
        if done.returncode and not said:  # ruff itself failed
            say(done.stderr.strip())
        count += len(said) or int(done.returncode != 0)
    return count


def fix(_: argparse.Namespace) -> int:
    """Write what check would have wanted, unless a problem needs a person."""
    from tools.checks import problems

    format_all = [sys.executable, "-m", "ruff", "format", "--quiet", "."]
    subprocess.run(format_all, cwd=ROOT)  # what is no Python, check names with its line
    found = problems()
    stuck = [problem for problem in found if not problem.fixable]
    for problem in stuck:
        say(problem.show(ROOT))
    for problem in found:
        if problem.fixable:
            problem.fix()
            say(f"wrote {problem.path.relative_to(ROOT)}")
    return 1 if stuck else 0


def new(arguments: argparse.Namespace) -> int:
    """Write the skeleton of an operation, a step or a flow; check names its gaps."""
    from tools import scaffold

    if arguments.kind == "operation":
        id = f"{arguments.group}/{arguments.name}"
        files = scaffold.operation(ROOT, id, arguments.method, arguments.path)
    elif arguments.kind == "step":
        id = f"{arguments.group}/{arguments.name}"
        files = scaffold.step(ROOT, id, arguments.under, arguments.module)
    else:
        files = scaffold.flow(ROOT, arguments.name)
    for place, text in files.items():
        path = ROOT / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        say(f"wrote {place}")
    say("now replace each TODO (./dev check names them), then ./dev fix")
    return 0


def build(arguments: argparse.Namespace) -> int:
    """Assemble the tree that `wmill sync push` deploys."""
    from tools.sync_tree import build as write

    words = {"folder": arguments.folder, "python": arguments.python}
    count = write(Path(arguments.target), **words)
    say(
        f"{count} files in {arguments.target}; deploy them with: "
        f"cd {shlex.quote(arguments.target)} && wmill sync push --keep-deleted"
    )
    space, name, *inner = arguments.folder.split("/")
    if space == "f" and not inner:
        say(f"before the first time, create the folder: wmill folder push {name}")
    return 0


def deploy(arguments: argparse.Namespace) -> int:
    """Build, show what would change in a workspace, ask, and push."""
    from tools.checks import problems
    from tools.deploy import DeployError, Wish
    from tools.deploy import deploy as write

    target, words = _target(arguments, "push")
    groups = arguments.groups and [g.strip() for g in arguments.groups.split(",")]
    own = arguments.schedules, arguments.prune, arguments.star
    wish = Wish(groups, arguments.steps, *own)
    if found := problems():
        for problem in found[:10]:
            say(problem.show(ROOT))
        say("error: nothing deployed, these sources have problems; see ./dev check")
        return 1
    place = Path(arguments.target) if arguments.target else None
    try:
        done = write(target, wish, place=place, python=arguments.python, **words)
    except DeployError as failure:
        say(f"error: {failure}")
        return 1
    print(json.dumps(done))
    return 0


def undeploy(arguments: argparse.Namespace) -> int:
    """Show what the pack brought into a workspace, ask, and remove it; no more."""
    from tools.deploy import DeployError
    from tools.undeploy import undeploy as remove

    target, words = _target(arguments, "remove")
    try:
        done = remove(target, **words)
    except DeployError as failure:
        say(f"error: {failure}")
        return 1
    print(json.dumps(done))
    return 0


def _target(arguments: argparse.Namespace, verb: str) -> tuple[object, dict]:
    """The workspace that a command is about, and how it talks."""
    from tools.deploy import TOKEN, Target, confirm

    token = arguments.token
    if not token and arguments.base_url:
        token = os.environ.get(TOKEN)
    target = Target(arguments.workspace, arguments.base_url, token)
    if not (arguments.yes or arguments.dry_run or sys.stdin.isatty()):
        raise ValueError(
            f"nobody is at a terminal to be asked: pass --yes to {verb} without a "
            "question, or --dry-run to see what it would do"
        )
    return target, {
        "say": say,
        "ask": (lambda _: True) if arguments.yes else confirm,
        "folder": checked(arguments.folder),
        "dry_run": arguments.dry_run,
    }


def migrate(arguments: argparse.Namespace) -> int:
    """Make flows of yours use the pack, not the hub's scripts; shows it first."""
    from tools.deploy import confirm
    from tools.migrate import changes

    found = list(changes(Path(arguments.path), checked(arguments.folder)))
    for change in found:
        print(change.diff(), end="")
        for name in change.unknown:
            say(f"{change.path}: {name} has no step here; it stays")
        for note in dict.fromkeys(change.notes):
            say(f"{change.path}: look at {note}")
    changed = [change for change in found if change.after != change.before]
    if not changed:
        say("nothing to change")
        return 0
    sys.stdout.flush()
    many = f"{len(changed)} file{'' if len(changed) == 1 else 's'}"
    if not arguments.yes:
        if not sys.stdin.isatty():
            say(f"{many} would change; --yes writes them")
            return 0
        if not confirm(f"Change {many}?"):
            return 1
    for change in changed:
        with change.path.open("w", encoding="utf-8", newline="") as file:
            file.write(change.after)
        say(f"wrote {change.path}")
    return 0


def release(arguments: argparse.Namespace) -> int:
    """Zip the built pack, with checksums, to be deployed by wmill alone."""
    from tools.release import release as write

    place = write(Path(arguments.target), arguments.python)
    say(f"wrote {place} and {place.name}.sha256")
    return 0


def site(arguments: argparse.Namespace) -> int:
    """Make the site of all pages, with search and graphs, in a folder."""
    from tools.site import SiteError
    from tools.site import build as write

    try:
        count = write(Path(arguments.target))
    except SiteError as error:
        say(f"error: {error}")
        return 1
    place = shlex.quote(arguments.target)
    say(f"{count} pages; look at them with: python3 -m http.server -d {place}")
    return 0


def audit(_: argparse.Namespace) -> int:
    """Ask PyPI and npm for known weaknesses of what the tools and tests are made of."""
    from tools.audit import audit as ask

    return ask(say)


def upstream(arguments: argparse.Namespace) -> int:
    """Compare the schemas, or the models, with what Together has today."""
    from tools.upstream import differences, model_differences

    if (arguments.spec is None) == (arguments.models is None):
        raise ValueError("give an OpenAPI document, or --models and a catalogue")
    if arguments.models:
        key = os.environ.get(arguments.key_env, "")
        lines = model_differences(arguments.models, key)
    else:
        lines = differences(Path(arguments.spec))
    print("\n".join(lines) or "no differences")
    return 1 if lines else 0


def run(arguments: argparse.Namespace) -> int:
    """Run a script or flow as Windmill would; the result goes to stdout."""
    from tools import kept_workspace
    from tools.naming import runnable_named
    from tools.real_service import graveness, key_from

    if arguments.help and arguments.operation:
        from tools.overview import described

        print("\n".join(described(runnable_named(arguments.operation))))
        return 0
    if arguments.help:
        arguments.show_help()
        return 0
    if not arguments.operation:
        raise ValueError("run wants the name of a step; `./dev list` shows them")
    if arguments.storage:
        _make_storage(arguments.storage)
    if arguments.workspace:
        kept_workspace.check(arguments.workspace)
    operation = runnable_named(arguments.operation)
    if isinstance(operation, Flow):
        return _run_flow(arguments, operation)
    if not operation.script_path.exists():
        raise ValueError(f"{operation.id} is not rendered yet: ./dev fix writes it")
    auth = {"api_key": "sandbox", "base_url": arguments.base_url or ""}
    if arguments.key_env:
        auth["api_key"] = key_from(arguments.key_env)
    real = bool(arguments.key_env or arguments.base_url) and not arguments.dry_run
    given = {} if arguments.args is None and arguments.file else None
    if given is None:
        given = _arguments(arguments.args, operation, real)
    with _windmill(arguments, operation) as (workspace, environment):
        given = _with_files(given, arguments.file, operation, workspace)
        if arguments.dry_run:
            return _dry_run(operation, given, workspace, arguments.base_url)
        why = graveness(operation, given) if real and not arguments.yes else None
        if why and not _agreed(why):
            say("nothing was sent")
            return 1
        if arguments.key_env or arguments.base_url:
            return _job(operation.id, {"auth": auth, **given}, environment)
        from tools.sandbox import Sandbox

        say("no --key-env: the embedded sandbox answers")
        with Sandbox() as sandbox:
            auth["base_url"] = sandbox.url
            return _job(operation.id, {"auth": auth, **given}, environment)


def _run_flow(arguments: argparse.Namespace, flow: Flow) -> int:
    """Run a flow against the embedded sandbox, or another service with --yes."""
    from tools.flow_run import run_flow
    from tools.real_service import key_from
    from tools.sandbox import Sandbox
    from tools.sandbox.lifecycles import Lifecycles

    real = bool(arguments.key_env or arguments.base_url)
    if arguments.dry_run:
        raise ValueError(f"{flow.id} is a flow: --dry-run shows a script's requests")
    if real and arguments.fast:
        raise ValueError("--fast is for the embedded sandbox: no other lets time pass")
    example = flow.source.get("try")  # of a recipe
    if arguments.args is None and example and not real:
        say("no --args: what the recipe is tried with")
        arguments.args = json.dumps(example)
    if arguments.args is None and not arguments.file and flow.required:
        names = ", ".join(flow.required)
        raise ValueError(f"{flow.id} needs --args with {names}; see --help")
    given = {} if arguments.args is None else _arguments(arguments.args, flow, real)
    there = {*given, *(word.partition("=")[0] for word in arguments.file)}
    if missing := [name for name in flow.required if name not in there]:
        raise ValueError(f"{flow.id} needs {', '.join(missing)}; see --help")
    why = f"{flow.id} may cost money: {flow.source['costs'].rstrip('.')}."
    if real and not arguments.yes and not _agreed(why):
        say("nothing was sent")
        return 1
    auth = {"api_key": "sandbox", "base_url": arguments.base_url or ""}
    if arguments.key_env:
        auth["api_key"] = key_from(arguments.key_env)
    with contextlib.ExitStack() as stack:
        workspace, _ = stack.enter_context(_windmill(arguments, flow))
        if workspace is None:
            raise ValueError("within a Windmill job, start the flow in Windmill")
        given = _with_files(given, arguments.file, flow, workspace)
        advance = None
        if not real:
            say("no --key-env: the embedded sandbox answers")
            sandbox = stack.enter_context(Sandbox())
            auth["base_url"] = sandbox.url
            if arguments.fast:
                sandbox.lives = Lifecycles(sandbox, speed=0)
                advance = sandbox.lives.advance
        done = run_flow(flow, given, workspace, auth, say, advance)
    _show(done.result, flow.name)
    if done.outcome == "success":
        return 0
    error = done.result.get("error") if isinstance(done.result, dict) else None
    say(f"error: {(error or {}).get('message', 'the flow failed')}")
    return 1


@contextlib.contextmanager
def _windmill(
    arguments: argparse.Namespace, operation: Operation | Flow
) -> Iterator[tuple[object, dict[str, str]]]:
    """The workspace that a job finds, and how it finds it: a stand-in (a Workspace),
    unless there is a real one (None).

    With --storage the objects that the job stores are left in that folder; with
    --workspace all that the workspace holds, for the next run to find.
    """
    from scripts.client.job import in_job
    from tools import kept_workspace
    from tools.fake_workspace import Workspace
    from tools.target_folder import FOLDER

    if in_job() and not arguments.dry_run:
        yield None, {}
        return

    storage, kept = arguments.storage, arguments.workspace
    state = f"u/test/{FOLDER}/{operation.id}".replace("/", "_")
    own = {"WM_JOB_PATH": f"{FOLDER}/{operation.id}", "WM_STATE_PATH": state}
    with Workspace() as workspace:
        if kept:
            kept_workspace.load(workspace, kept)
        before = set(workspace.objects)
        try:
            environment = {**workspace.environment, **own, "WM_STATE_PATH_NEW": state}
            yield workspace, environment
        finally:
            if kept and not arguments.dry_run:
                kept_workspace.keep(workspace, kept)
        for place, stored in workspace.objects.items():
            if place in before or place[1].startswith(GIVEN) or arguments.dry_run:
                continue
            key, size = place[1], stored.file.stat().st_size
            if storage:
                found = storage / Path(key).name
                shutil.copyfile(stored.file, found)
                say(f"stored {key}, {size} bytes: {found}")
            elif kept:
                say(f"stored {key}, {size} bytes: in {kept}")
            else:
                say(
                    f"stored {key}, {size} bytes, for this run: --storage keeps files, "
                    "--workspace all"
                )


GIVEN = "given/"  # where a file of this machine lies in the stand-in's storage


def _with_files(
    given: dict, named: list[str], operation: Operation | Flow, workspace: object
) -> dict:
    """The arguments with files of this machine in place of @path and --file."""
    from tools.local_files import with_files

    def store(path: Path) -> dict:
        with path.open("rb") as file:
            if workspace is None:
                content = base64.b64encode(file.read()).decode()
                return {"file": content, "filename": path.name}
            key = f"{GIVEN}{path.name}"
            number = 0
            while ("", key) in workspace.objects:
                number += 1
                key = f"{GIVEN}{number}/{path.name}"
            with workspace.file(key).open("wb") as copy:
                shutil.copyfileobj(file, copy)
            return {"s3": key}

    return with_files(given, named, operation.arguments, store)


def _make_storage(folder: Path) -> None:
    """Make a folder, and be sure that files can be written to it: before anything is
    paid for. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def _agreed(why: str) -> bool:
    """Ask a person at the terminal. Raises ValueError where nobody is there."""
    from tools.deploy import confirm

    if not sys.stdin.isatty():
        raise ValueError(f"{why} Nobody is at a terminal to be asked: pass --yes")
    return confirm(f"{why} Run it?")


def _arguments(text: str | None, operation: Operation | Flow, real: bool) -> dict:
    """Read --args: JSON, a file's path, or - for stdin; else the least example, which
    no real service gets."""
    if text is None and real:
        from tools.real_service import needed

        return needed(operation)
    if text is None:
        say("no --args: the schema's least example")
        return operation.schema["examples"][0]
    if not text.strip():
        raise ValueError("--args is empty: give JSON, the path of a file, or -")
    if text == "-":
        text = sys.stdin.read()
    elif not text.lstrip().startswith(("{", "[")):
        if not os.path.exists(text):  # which knows that a long text is no path
            raise ValueError(f"--args: {text[:80]}: No such file, and it is no JSON")
        # In the encodings of Windows' editors and shells, too.
        try:
            text = "".join(texts([Path(text).read_bytes()]))
        except BadTextError as error:
            raise ValueError(f"--args: {text} {error}") from None
    try:
        given = json.loads(text)
    except ValueError as error:
        raise ValueError(f"--args is no JSON: {error}") from None
    if not isinstance(given, dict):
        raise ValueError("--args is no JSON object of main's arguments")
    unknown = set(given) - set(operation.arguments)
    if unknown:
        raise ValueError(_no_argument(sorted(unknown), list(operation.arguments)))
    return given


def _no_argument(unknown: list[str], known: list[str]) -> str:
    from difflib import get_close_matches

    if not known:
        return f"no argument {', '.join(unknown)}; the step takes none"
    close = [near for one in unknown for near in get_close_matches(one, known, 1)]
    hint = f"; did you mean {' and '.join(close)}?" if close else ";"
    return f"no argument {', '.join(unknown)}{hint} there are: {', '.join(known)}"


def _job(name: str, arguments: dict, environment: dict | None = None) -> int:
    from tools.job_runner import run as work

    line = ""  # of the stream, that is not at its end

    def show(piece: str) -> None:
        nonlocal line
        line = (line + piece).rpartition("\n")[2]
        print(piece, end="", file=sys.stderr, flush=True)

    def tell(text: str) -> None:
        nonlocal line
        print(("\n" if line else "") + text, end="", file=sys.stderr, flush=True)
        line = ""

    job = work(name, arguments, show=show, tell=tell, environment=environment)
    if line:
        say("")
    result = job.result
    if sys.stdout.isatty() and job.stream and isinstance(result, dict):
        # It stands above already.
        result = {name: one for name, one in result.items() if name != "wm_stream"}
    _show(result, name.rpartition("/")[2])
    if job.exit_code:
        say(f"error: {job.result['error']['message']}")
    return job.exit_code


def _show(result: object, name: str) -> None:
    """Print a result: to a person as it reads best, else as JSON."""
    if not sys.stdout.isatty():
        from tools.plain_numbers import written

        print(written(result, indent=2))
        return
    from tools.shown import console, show

    show(result, Path(), name, console())


def _dry_run(
    operation: Operation, given: dict, workspace: object, base_url: str | None
) -> int:
    """Show what a script would send."""
    from tools.dry_run import dry_run

    seen, job = dry_run(operation, given, workspace, base_url)
    print(json.dumps(seen, indent=2, ensure_ascii=False))
    if job.exit_code:
        say(f"error: {job.result['error']['message']}")
    elif not seen:
        say("nothing would be sent")
    return job.exit_code


def sandbox(arguments: argparse.Namespace) -> int:
    """Serve the sandbox until interrupted."""
    from tools.sandbox import Chances, Sandbox

    try:
        chances = Chances(arguments.fail, arguments.seed)
    except ValueError as error:
        say(f"--fail: {error}")
        return 2
    with Sandbox(port=arguments.port, chances=chances, tell=say) as server:
        say(f"sandbox on {server.url} (any API key; Ctrl-C ends it)")
        server.thread.join()
    return 0


def screenshots(arguments: argparse.Namespace) -> int:
    """Picture the forms of steps in Windmill's own component, for docs/forms.

    Of the steps that are named, or else of those whose picture is missing or old. With
    --base-url: a result, a flow and an approval in a Windmill with the pack."""
    from tools.deploy import TOKEN, Target
    from tools.reference import FORMS
    from tools.screenshots import outdated
    from tools.screenshots import screenshots as write
    from tools.windmill_api import ApiError
    from tools.windmill_pictures import pictures

    if arguments.base_url:
        folder = Path(arguments.target or ROOT / "docs" / "pictures")
        target = Target(arguments.workspace, arguments.base_url, os.environ.get(TOKEN))
        made = pictures(target.base_url, target.workspace, target.token, folder)
    else:
        folder = Path(arguments.target or ROOT / FORMS)
        try:
            ids = [find(one).id for one in arguments.steps] or outdated(folder)
        except KeyError as error:
            say(f"error: there is no step {error.args[0]}; ./dev list names them")
            return 2
        made = write(folder, ids)
    try:
        for path in made:
            say(f"wrote {path}")
    except ApiError as error:
        say(f"error: {error}")
        return 1
    return 0


def demo(arguments: argparse.Namespace) -> int:
    """Run "Create chat completion" as a worker would, its text shown live."""
    body = find("chat/create_chat_completion").schema["examples"][0]["body"]
    body = {**body, "stream": True}
    question = body["messages"][-1]["content"]
    if arguments.local_model:
        from tools.local_model import LocalModel

        body["max_tokens"] = 48
        say("starting a small open model (it continues text rather than obeying) ...")
        with LocalModel() as model:
            auth = {"api_key": model.key, "base_url": model.url}
            return _demo(auth, body, question)
    from tools.sandbox import Sandbox

    with Sandbox(pace=0.08) as server:
        return _demo({"api_key": "demo", "base_url": server.url}, body, question)


def _demo(auth: dict, body: dict, question: str) -> int:
    say(f"chat/create_chat_completion at {auth['base_url']}\n> {question}")
    return _job("chat/create_chat_completion", {"auth": auth, "body": body})


def test(arguments: argparse.Namespace) -> int:
    """Run the tests; further words go to pytest (`./dev test -m slow`)."""
    words = arguments.rest
    if not any(word.startswith(("tests", "-n")) for word in words):
        # All of them: on every core and one more, as some wait for a time-out; those
        # of one file together, as they share servers.
        workers = (os.cpu_count() or 1) + 1
        spread = ["--dist", "loadfile", "--no-loadscope-reorder"]
        words = ["-n", str(workers), *spread, *words]
    return subprocess.run([sys.executable, "-m", "pytest", *words], cwd=ROOT).returncode


def mutate(arguments: argparse.Namespace) -> int:
    """Change the helper in one place at a time, and see whether a test notices."""
    from tools.mutate import run as try_all

    found = try_all(arguments.names)
    for one in found.missed:
        say(f"no test notices {one}")
    for one in found.stale:
        say(f"tests/known_mutants.yaml: no longer so: {one}")
    count = found.noticed + len(found.missed)
    say(f"{found.share:.1%} of {count} mutants are noticed; {found.known} are excused")
    return 0 if found.good else 1


def probe(arguments: argparse.Namespace) -> int:
    """Look for unknown faults: run one of the probes whole; alone, list them."""
    from tools.probe import listed
    from tools.probe import run as look

    if arguments.name is None:
        print("\n".join(listed()))
        return 0
    return look(
        arguments.name,
        arguments.seed,
        arguments.given,
        arguments.seconds,
        arguments.keep,
    )


def live(arguments: argparse.Namespace) -> int:
    """Try the pack on a real Windmill server, in a folder that it makes and removes."""
    from tools.deploy import DeployError, Target
    from tools.live import chosen, remove
    from tools.live import run as play
    from tools.windmill_api import ApiError

    token = os.environ.get(arguments.token_env, "")
    if not token:
        raise ValueError(f"the environment has no {arguments.token_env}")
    target = Target(arguments.workspace, arguments.base_url, token)
    try:
        if arguments.remove:
            return remove(target, arguments.remove, say)
        return play(
            target,
            say,
            chosen(arguments.only),
            sandbox_url=arguments.sandbox_url,
            listen=arguments.listen,
            file=arguments.json,
            keep=arguments.keep,
        )
    except (ApiError, DeployError) as error:
        say(f"error: {error}")
        return 1


def bench(arguments: argparse.Namespace) -> int:
    """Measure the scripts beside their alternatives, interleaved in one run."""
    from tools.bench import report

    return report(arguments.workload, arguments.json, arguments.rounds)


def simulate(arguments: argparse.Namespace) -> int:
    """Tell what a table of many rows takes, each way: time, money, jobs, limits."""
    from tools.simulate import Task, count_of, markdown, rate_of, shown
    from tools.simulate import simulate as estimated

    if arguments.table:
        print(markdown())
        return 0
    if arguments.rows is None:
        raise ValueError("give --rows, such as 1e9, or --table")
    names = ("workers", "latency", "usd_per_row", "batch_share", "batch_hours")
    names += ("endpoint_rate", "endpoint_usd_per_hour", "job_hours", "at_once")
    given = {name: getattr(arguments, name) for name in names}
    for name, value in given.items():
        lowest = 0 if name.startswith(("usd", "endpoint_usd", "at_once")) else 1e-9
        if value is not None and value < lowest:
            raise ValueError(f"--{name.replace('_', '-')} is too small: {value:g}")
    task = Task(
        count_of(arguments.rows),
        rate=rate_of(arguments.rate),
        storage=not arguments.no_storage,
        **given,
    )
    found = estimated(task, arguments.way)
    if arguments.json:
        print(json.dumps([one.told(task.rows) for one in found], indent=1))
    else:
        print("\n".join(shown(task, found)))
    return 0


def help_(arguments: argparse.Namespace) -> int:
    """Show what there is, or what a command takes."""
    if not arguments.of:
        arguments.parser.print_help()
        return 0
    asked = arguments.parser.parse_args([arguments.of, "--help"])
    return asked.command(asked)  # `run` has help of its own; all others have ended here


def list_(arguments: argparse.Namespace) -> int:
    """List the steps and flows, or those of a group."""
    from tools.overview import listing

    print("\n".join(listing(arguments.groups)).rstrip())
    return 0


def completion(arguments: argparse.Namespace) -> int:
    """Print what makes a shell complete the words after ./dev."""
    from tools.completions import shell_code

    print(shell_code(arguments.shell))
    return 0


def _port(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(
            f"{text} is no port: take a number from 1024 to 65535, or 0 for a free one"
        )
    return number


class _Help(argparse.Action):
    """The help of ./dev itself: the commands by what one wants, with examples."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        parser.print_help()
        parser.exit()


class _Parser(argparse.ArgumentParser):
    """The first of the parsers, whose help is grouped."""

    def error(self, message: str) -> NoReturn:
        wrong = re.match(r"argument COMMAND: invalid choice: '(.*?)'", message)
        if wrong is None:
            super().error(message)
        from difflib import get_close_matches

        known = [name for names in COMMANDS.values() for name in names]
        close = get_close_matches(wrong[1], known, 1)
        hint = f"; did you mean {close[0]}?" if close else ";"
        self.exit(2, f"./dev: no command {wrong[1]}{hint} ./dev help lists all\n")

    def format_help(self) -> str:
        commands = self._subparsers._group_actions[0]
        about = {choice.dest: choice.help for choice in commands._choices_actions}
        lines = [__doc__.splitlines()[0], ""]
        for heading, names in COMMANDS.items():
            lines += [f"{heading}:", *(f"  {n:<12}{about[n]}" for n in names), ""]
        return "\n".join([*lines, FOOT])


COMMANDS = {
    "Use the pack": (
        "demo",
        "list",
        "run",
        "sandbox",
        "build",
        "deploy",
        "undeploy",
        "migrate",
        "completion",
        "help",
    ),
    "Work on the pack (CONTRIBUTING.md)": (
        "check",
        "fix",
        "new",
        "test",
        "upstream",
        "screenshots",
        "site",
        "release",
        "live",
        "bench",
        "simulate",
        "mutate",
        "probe",
        "audit",
    ),
}
FOOT = """\
Examples:
  ./dev list tables                  nothing is sent: what there is
  ./dev run chat/ask_model --help    what a step takes and gives, with examples
  ./dev run chat/ask_model --args '{"prompt": "Hi"}'
                                     the sandbox of this machine answers; no key needed
  ./dev run chat/ask_model --args '{"prompt": "Hi"}' --key-env TOGETHER_API_KEY
                                     Together answers, with the key of that variable

./dev COMMAND --help tells more of a command. JSON goes to stdout, all else to stderr.
Exit codes: 0 done, 1 the work failed, 2 wrong usage.
"""
EXAMPLES = {
    "list": "Examples:\n  ./dev list\n  ./dev list batches\n  ./dev list flows",
    "completion": (
        "Examples:\n"
        '  bash: eval "$(./dev completion bash)" in ~/.bashrc\n'
        '  zsh:  eval "$(./dev completion zsh)" in ~/.zshrc, after compinit\n'
        "  fish: ./dev completion fish > ~/.config/fish/conf.d/dev.fish"
    ),
    "run": (
        "Examples:\n"
        "  ./dev run chat/ask_model --help\n"
        '  ./dev run chat/ask_model --args \'{"prompt": "Hi"}\'\n'
        "  ./dev run chat/ask_model --args question.json --key-env TOGETHER_API_KEY\n"
        "  ./dev run audio/transcribe_recording --file recording=voice.wav\n"
        "  ./dev run flows/run_batch --fast --file rows=rows.csv --args ...\n"
        "  ./dev run triggers/batch_finished --workspace kept --key-env NAME\n"
        "  ./dev run f/togetherai/files/list_files --dry-run"
    ),
    "build": "Example:\n  ./dev build --target ~/pack --folder f/team_ai",
    "deploy": (
        "Example:\n"
        "  ./dev deploy --workspace mine --base-url https://app.windmill.dev --dry-run"
    ),
    "new": (
        "Examples:\n"
        "  ./dev new operation files get_file GET /v1/files/{file_id}\n"
        "  ./dev new step chat summarize_text\n"
        "  ./dev new flow summarize_folder"
    ),
    "migrate": (
        "Example, in a folder that `wmill sync pull` filled:\n"
        "  ~/pack/dev migrate f/shop"
    ),
    "test": "Examples:\n  ./dev test tests/test_tools.py -x\n  ./dev test -m slow",
    "sandbox": (
        "Example:\n"
        "  ./dev sandbox --port 8081\n"
        "  ./dev run models/list_models --base-url http://127.0.0.1:8081"
    ),
}


def _to_workspace(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--workspace",
        help="a workspace's id; without --base-url, a profile of wmill (default: its "
        "active one)",
    )
    command.add_argument("--base-url", help="such as https://app.windmill.dev")
    command.add_argument("--token", help="default: WM_TOKEN of the environment")
    command.add_argument(
        "--folder", default="f/togetherai", help="default: f/togetherai"
    )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="./dev", usage="./dev COMMAND ...", add_help=False)
    version = f"{NAME} {VERSION}"
    parser.add_argument("--version", action="version", version=version)
    parser.add_argument("-h", "--help", action=_Help, nargs=0)
    commands = parser.add_subparsers(
        required=True,
        metavar="COMMAND",
        prog="./dev",
        parser_class=argparse.ArgumentParser,
    )

    def add(function: object, **words: object) -> argparse.ArgumentParser:
        name = function.__name__.rstrip("_")
        text = function.__doc__.splitlines()[0]
        command = commands.add_parser(
            name,
            help=text,
            description=text,
            epilog=EXAMPLES.get(name),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **words,
        )
        command.set_defaults(command=function)
        return command

    command = add(help_)
    command.set_defaults(parser=parser)
    command.add_argument("of", nargs="?", metavar="COMMAND", help="such as run")
    command = add(list_)
    command.add_argument(
        "groups", nargs="*", metavar="GROUP", help="such as batches, flows, operations"
    )
    command = add(completion)
    command.add_argument("shell", choices=("bash", "zsh", "fish"))

    add(check)
    add(fix)
    _new_words(add(new))
    _build_words(add(build))
    _deploy_words(add(deploy))
    command = add(undeploy)
    _to_workspace(command)
    command.add_argument("--yes", action="store_true", help="remove without asking")
    command.add_argument("--dry-run", action="store_true", help="show it only")
    command = add(migrate)
    command.add_argument("path", help="a flow.yaml, a script, or a folder of them")
    command.add_argument(
        "--folder", default="f/togetherai", help="where the pack is (f/togetherai)"
    )
    command.add_argument("--yes", action="store_true", help="write without asking")
    add(audit)
    _upstream_words(add(upstream))
    _run_words(add(run, add_help=False))
    _sandbox_words(add(sandbox))
    command = add(screenshots)
    command.add_argument("steps", nargs="*", help="default: those without a picture")
    command.add_argument("--target", help="default: docs/forms, or docs/pictures")
    command.add_argument("--base-url", help="of a Windmill; its token is WM_TOKEN")
    command.add_argument("--workspace", help="there, with the pack in f/togetherai")
    command = add(release)
    command.add_argument("--target", default="dist", help="default: dist")
    command.add_argument(
        "--python",
        default="3.11",
        help="the version that the workers have (default: 3.11)",
    )
    command = add(site)
    command.add_argument("--target", default="site", help="default: site")
    command = add(demo)
    command.add_argument(
        "--local-model", action="store_true", help="a real model on this machine"
    )
    add(test)
    _probe_words(add(probe))
    _live_words(add(live))
    command = add(mutate)
    command.add_argument(
        "names", nargs="*", metavar="NAME", help="such as 'scripts.resilience.retry.*'"
    )
    command = add(bench)
    command.add_argument("--workload", help="only this one, such as rows")
    command.add_argument("--json", action="store_true", help="rows instead of a table")
    command.add_argument("--rounds", type=int, help="how often each contender runs")
    _simulate_words(add(simulate))
    return parser


def _simulate_words(command: argparse.ArgumentParser) -> None:
    command.add_argument("--rows", help="how many, such as 1e9")
    command.add_argument(
        "--way", help="only map_rows, across, batch, batches or endpoint (default: all)"
    )
    command.add_argument(
        "--rate", default="6000/min", help="the account's; or none (default: 6000/min)"
    )
    numbers = (
        ("at-once", int, 0, "calls of a job (default: the form's)"),
        ("workers", int, 1, "that are free for it"),
        ("latency", float, 1.0, "seconds until an answer"),
        ("usd-per-row", float, 0.0, "what an answer costs"),
        ("batch-share", float, 0.5, "of that, in batches"),
        ("batch-hours", float, 24.0, "until a batch is done"),
        ("endpoint-rate", float, 50.0, "answers a second of an endpoint of yours"),
        ("endpoint-usd-per-hour", float, 0.0, "what that costs"),
        ("job-hours", float, None, "after which Windmill ends a job"),
    )
    for name, kind, usual, words in numbers:
        shown = "" if usual is None or "default" in words else f" (default: {usual:g})"
        command.add_argument(f"--{name}", type=kind, default=usual, help=words + shown)
    command.add_argument("--no-storage", action="store_true", help="the workspace's")
    command.add_argument("--json", action="store_true")
    command.add_argument(
        "--table", action="store_true", help="the one of docs/scale.md"
    )


def _new_words(command: argparse.ArgumentParser) -> None:
    kinds = command.add_subparsers(required=True, dest="kind", metavar="KIND")
    kind = kinds.add_parser("operation", help="a request of the API")
    kind.add_argument("group", help="schemas/<group>, an existing or a new one")
    kind.add_argument("name", help="<verb>_<noun>")
    kind.add_argument("method", help="GET, POST, PUT, PATCH or DELETE")
    kind.add_argument("path", help="such as /v1/files/{file_id}")
    kind = kinds.add_parser("step", help="a script above the API, with its test")
    kind.add_argument("group", help="schemas/<group>, an existing or a new one")
    kind.add_argument("name", help="<verb>_<noun>")
    kind.add_argument(
        "--under",
        default="Tools and models",
        metavar="HEADING",
        help='of schemas/_shelves.yaml (default: "Tools and models")',
    )
    kind.add_argument("--module", help="of scripts/ (default: <verb>_steps)")
    kind = kinds.add_parser("flow", help="a flow, with two tests")
    kind.add_argument("name", help="<verb>_<noun>")


def _build_words(command: argparse.ArgumentParser) -> None:
    command.add_argument("--target", default="build", help="default: build")
    command.add_argument(
        "--folder", default="f/togetherai", help="default: f/togetherai"
    )
    command.add_argument(
        "--python",
        default="3.11",
        help="the version that the workers have (default: 3.11)",
    )


def _deploy_words(command: argparse.ArgumentParser) -> None:
    _to_workspace(command)
    command.add_argument(
        "--python",
        default="3.11",
        help="the version that the workers have (default: 3.11)",
    )
    command.add_argument("--target", help="keep the build there")
    command.add_argument("--yes", action="store_true", help="push without asking")
    command.add_argument("--dry-run", action="store_true", help="show the changes only")
    command.add_argument(
        "--groups", help="only these, such as chat,batches, and what they need"
    )
    command.add_argument(
        "--steps", action="store_true", help="steps and flows, no raw operations"
    )
    command.add_argument(
        "--schedules",
        action="store_true",
        help="create the schedules that are missing, off (default: at the first "
        "deployment only)",
    )
    command.add_argument(
        "--prune",
        action="store_true",
        help="remove scripts and flows of the pack that this version no longer has",
    )
    command.add_argument(
        "--star",
        action="store_true",
        help="make the tools for agents your favourites, which MCP clients list",
    )


def _upstream_words(command: argparse.ArgumentParser) -> None:
    command.add_argument("spec", nargs="?", help="an OpenAPI document, YAML or JSON")
    command.add_argument(
        "--models",
        metavar="FILE|URL",
        help="a catalogue: an answer of /v1/models or /v2/supported-models",
    )
    command.add_argument(
        "--key-env",
        default="TOGETHER_API_KEY",
        help="environment variable with the API key, sent to such an address",
    )


def _run_words(command: argparse.ArgumentParser) -> None:
    command.set_defaults(show_help=command.print_help)
    command.add_argument(
        "-h",
        "--help",
        action="store_true",
        help="this; after a step's name, what the step takes and gives",
    )
    command.add_argument(
        "operation",
        nargs="?",
        metavar="STEP",
        help="such as chat/ask_model; its name, its path or its file will do, too",
    )
    command.add_argument(
        "--args",
        help="JSON, a file, or - for stdin (default: an example, for the embedded "
        "sandbox only)",
    )
    command.add_argument(
        "--key-env", help="environment variable that holds the API key"
    )
    command.add_argument("--base-url", help="another server than Together's")
    command.add_argument(
        "--file",
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="a file of this machine as an argument; in --args, @PATH is one",
    )
    command.add_argument(
        "--dry-run", action="store_true", help="show the requests, and send nothing"
    )
    command.add_argument(
        "--storage", type=Path, metavar="DIR", help="copy what the job stores there"
    )
    command.add_argument(
        "--workspace",
        type=Path,
        metavar="DIR",
        help="keep storage and what triggers remember there, for further runs with it",
    )
    command.add_argument(
        "--fast",
        action="store_true",
        help="of a flow, in the embedded sandbox: skip what it waits",
    )
    command.add_argument(
        "--yes",
        action="store_true",
        help="do not ask before what costs money or cannot be undone",
    )


def _sandbox_words(command: argparse.ArgumentParser) -> None:
    command.add_argument("--port", type=_port, default=8080, help="default: 8080")
    command.add_argument(
        "--fail",
        action="append",
        default=[],
        metavar="FAULT:SHARE",
        help="let a share of the requests fail, such as 429:0.3: a status, reset (cut "
        "off without an answer) or slow (5 s late); may be given several times",
    )
    command.add_argument("--seed", type=int, help="of what fails by chance")


def _probe_words(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", nargs="?", help="which one (default: list them)")
    command.add_argument(
        "given",
        nargs="*",
        help="of fuzz: these targets only, such as tables; of prism: the document",
    )
    command.add_argument("--seed", type=int, help="of what is drawn by chance")
    command.add_argument(
        "--seconds", type=int, help="of fuzz: for each target (default: 600)"
    )
    command.add_argument(
        "--keep",
        action="store_true",
        help="of fuzz: fuzz nothing, but put inputs of the last runs that reach new "
        "code into tests/fuzz_corpus",
    )


def _live_words(command: argparse.ArgumentParser) -> None:
    command.add_argument("--base-url", required=True, help="of the Windmill server")
    command.add_argument("--workspace", required=True, help="the id of a workspace")
    command.add_argument(
        "--token-env",
        default="WM_TOKEN",
        metavar="NAME",
        help="environment variable that holds a token (default: WM_TOKEN)",
    )
    command.add_argument(
        "--sandbox-url",
        metavar="URL",
        help="the address, http://host:port, under which the workers reach this "
        "machine; the next port is used too (default: they are on it)",
    )
    command.add_argument(
        "--listen",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="where the sandbox listens (default: 127.0.0.1)",
    )
    command.add_argument("--only", metavar="NAME,...", help="these subjects only")
    command.add_argument("--json", type=Path, metavar="FILE", help="the result, again")
    command.add_argument("--keep", action="store_true", help="do not clear away")
    command.add_argument(
        "--remove", metavar="FOLDER", help="only remove what such a run has left"
    )


class Terminated(KeyboardInterrupt):
    """The process was asked to end, as Ctrl-C does."""


def _terminate(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough
    raise Terminated


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(main())
