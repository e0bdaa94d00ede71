"""A flow run by hand: its steps one after the other on this machine, a line for each;
waits really take their time, or none (fast); approvals are asked at the terminal."""

import re
import sys
import time
from collections.abc import Callable

import requests

from tools.flows.flow_engine import Call, Engine, Run
from tools.flows.pack_flows import Flow, rendered_value
from tools.local.fake_workspace import Workspace
from tools.target_folder import FOLDER

SECONDS = 1.0  # a wait that is shorter is not told
# Of the Markdown that an approval page has.
BOLD = re.compile(r"(?<!\\)\*\*(.+?)(?<!\\)\*\*")
ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def run_flow(
    flow: Flow,
    arguments: dict,
    workspace: Workspace,
    auth: dict,
    say: Callable[[str], None],
    advance: Callable[[float], None] | None = None,
) -> Run:
    """Run a flow to its end and return the run.

    `advance` lets time pass for the service's things, in place of waiting; None: wait.
    """

    def wait(seconds: float) -> None:
        if seconds >= SECONDS:
            how = "skipping" if advance else "waiting"
            say(f"  {how} {seconds:g} s")
        (advance or time.sleep)(seconds)

    def tell(call: Call) -> None:
        if call.success:
            say(f"  {call.path}: done in {call.seconds:.1f} s")
            return
        error = call.result.get("error", {}) if isinstance(call.result, dict) else {}
        say(f"  {call.path}: failed: {error.get('message', call.result)}")

    engine = Engine(workspace, auth, advance=wait, in_worker=advance is None, tell=tell)
    engine.decide = lambda links: _decide(links, say)
    if not flow.recipe:
        return engine.run(flow.name, **arguments)
    path = f"{FOLDER}/{flow.id}"
    engine.add(path, rendered_value(flow))
    run = engine.start_at(path, **arguments)
    engine.work()
    return run


def _decide(links: dict, say: Callable[[str], None]) -> None:
    """Show what an approval's page shows, and ask whoever is at the terminal; nobody
    there: no answer, which ends the wait."""
    for line in shown(links):
        say(f"  {line}")
    if not sys.stdin.isatty():
        say("  an approval is asked for and nobody is at a terminal: no answer")
        return
    print("  Approve? [y/N] ", end="", file=sys.stderr, flush=True)
    yes = sys.stdin.readline().strip().lower() in ("y", "yes")
    requests.post(links["resume" if yes else "cancel"], json={}, timeout=30)


def shown(links: dict) -> list[str]:
    """What there is to decide on, as plain text: the question, then the facts."""
    told = links.get("description") or {}
    text = told.get("markdown", "") if isinstance(told, dict) else str(told)
    text = BOLD.sub(r"\1", text)
    return [ESCAPED.sub(r"\1", line) for line in text.splitlines() if line.strip()]
