"""The work of `./dev run`: a script or flow on this machine, beside a stand-in for
Windmill; the embedded sandbox answers, or the service that was named."""

import argparse
import contextlib
import json
from typing import TYPE_CHECKING

from tools.cli.terminal import agreed, run_job, say, show_result
from tools.flows.pack_flows import Flow
from tools.local.given_arguments import given_arguments, least_example
from tools.local.job_workspace import job_workspace
from tools.local.local_files import store_in, with_files
from tools.local.real_service import to_begin_with
from tools.operations import Operation

if TYPE_CHECKING:
    from tools.local.fake_workspace import Workspace


def run_script(arguments: argparse.Namespace, operation: Operation) -> int:
    """Run a script against the embedded sandbox, or another service."""
    from tools.local.example_things import stage
    from tools.local.real_service import graveness

    if not operation.script_path.exists():
        raise ValueError(f"{operation.id} is not rendered yet: ./dev fix writes it")
    if arguments.fast:
        raise ValueError(f"--fast is for flows: {operation.id} is a step")
    auth = _auth(arguments)
    real = _is_real(arguments) and not arguments.dry_run
    given = {} if arguments.args is None and arguments.file else None
    if given is None:
        given = given_arguments(arguments.args, operation, real)
    with job_workspace(arguments, operation) as (workspace, environment):
        given = with_files(
            given, arguments.file, operation.arguments, store_in(workspace)
        )
        if arguments.dry_run:
            if workspace is not None:
                given = stage(given, operation, workspace, None, auth, say)
            return _dry_run(operation, given, workspace, arguments.base_url)
        why = graveness(operation, given) if real and not arguments.yes else None
        if why and not agreed(why):
            say("nothing was sent")
            return 1
        if real:
            return run_job(operation.id, {"auth": auth, **given}, environment)
        return _run_in_sandbox(operation, given, auth, workspace, environment)


def _run_in_sandbox(
    operation: Operation,
    given: dict,
    auth: dict,
    workspace: "Workspace | None",
    environment: dict[str, str],
) -> int:
    """Run a script against the embedded sandbox, with what its examples speak of."""
    from tools.local.example_things import stage
    from tools.sandbox import Sandbox

    say("no --key-env: the embedded sandbox answers")
    with Sandbox() as sandbox:
        # As Windmill's own step for AI agents needs the address.
        auth["base_url"] = f"{sandbox.url}/v1"
        if workspace is not None:
            given = stage(given, operation, workspace, sandbox, auth, say)
        return run_job(operation.id, {"auth": auth, **given}, environment)


def run_flow(arguments: argparse.Namespace, flow: Flow) -> int:
    """Run a flow against the embedded sandbox, or another service with --yes."""
    from tools.flows import flow_run
    from tools.local.example_things import stage
    from tools.sandbox import Sandbox
    from tools.sandbox.lifecycles import Lifecycles

    real = _is_real(arguments)
    given = _flow_arguments(arguments, flow)
    why = f"{flow.id} may cost money: {flow.source['costs'].rstrip('.')}."
    if real and not arguments.yes and not agreed(why):
        say("nothing was sent")
        return 1
    auth = _auth(arguments)
    with contextlib.ExitStack() as stack:
        workspace, _ = stack.enter_context(job_workspace(arguments, flow))
        if workspace is None:
            raise ValueError("within a Windmill job, start the flow in Windmill")
        given = with_files(given, arguments.file, flow.arguments, store_in(workspace))
        advance = None
        if not real:
            say("no --key-env: the embedded sandbox answers")
            sandbox = stack.enter_context(Sandbox())
            # Windmill's own step for AI agents asks below it.
            auth["base_url"] = f"{sandbox.url}/v1"
            if arguments.fast:
                sandbox.lifecycles = Lifecycles(sandbox, speed=0)
                advance = sandbox.lifecycles.advance
            given = stage(given, flow, workspace, sandbox, auth, say)
        done = flow_run.run_flow(flow, given, workspace, auth, say, advance)
    show_result(done.result, flow.name)
    if done.outcome == "success":
        return 0
    error = done.result.get("error") if isinstance(done.result, dict) else None
    say(f"error: {(error or {}).get('message', 'the flow failed')}")
    return 1


def _flow_arguments(arguments: argparse.Namespace, flow: Flow) -> dict:
    """What a flow is given, but for files: where nothing is said and the embedded
    sandbox answers, its least example. Raises ValueError for what is lacking or
    does not go together."""
    real = _is_real(arguments)
    if arguments.dry_run:
        raise ValueError(f"{flow.id} is a flow: --dry-run shows a script's requests")
    if real and arguments.fast:
        raise ValueError("--fast is for the embedded sandbox: no other lets time pass")
    text = arguments.args
    if text is None and not arguments.file:
        return _needed_of(flow) if real else least_example(flow)
    given = {} if text is None else given_arguments(text, flow, real)
    there = {*given, *(word.partition("=")[0] for word in arguments.file)}
    if missing := [name for name in flow.required if name not in there]:
        why = f"{flow.id} needs {', '.join(missing)}; see --help"
        raise ValueError("\n".join([why, *to_begin_with(flow, missing)]))
    return given


def _needed_of(flow: Flow) -> dict:
    """What a flow is given on a real service where nothing was. Raises ValueError."""
    if not flow.required:
        return {}
    why = f"{flow.id} needs --args: no example is sent to a real service."
    raise ValueError("\n".join([why, *to_begin_with(flow)]))


def _is_real(arguments: argparse.Namespace) -> bool:
    """Whether another service than the embedded sandbox is meant."""
    return bool(arguments.key_env or arguments.base_url)


def _auth(arguments: argparse.Namespace) -> dict:
    """The resource that the job gets; the sandbox's address is put in later."""
    auth = {"api_key": "sandbox", "base_url": arguments.base_url or ""}
    if arguments.key_env:
        from tools.local.real_service import key_from

        auth["api_key"] = key_from(arguments.key_env)
    return auth


def _dry_run(
    operation: Operation, given: dict, workspace: object, base_url: str | None
) -> int:
    """Show what a script would send."""
    from tools.local.dry_run import dry_run

    seen, job = dry_run(operation, given, workspace, base_url)
    print(json.dumps(seen, indent=2, ensure_ascii=False))
    if job.exit_code:
        say(f"error: {job.result['error']['message']}")
    elif not seen:
        say("nothing would be sent")
    return job.exit_code
