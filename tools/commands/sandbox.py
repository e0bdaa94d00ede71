"""Serve the sandbox until interrupted."""

import argparse

from tools.cli.terminal import say

EXAMPLES = (
    "Example:\n"
    "  ./dev sandbox --port 8081\n"
    "  ./dev run models/list_models --base-url http://127.0.0.1:8081"
)


def options(command: argparse.ArgumentParser) -> None:
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


def run(arguments: argparse.Namespace) -> int:
    from tools.sandbox import Chances, Sandbox

    try:
        chances = Chances(arguments.fail, arguments.seed)
    except ValueError as error:
        raise ValueError(f"--fail: {error}") from None
    with Sandbox(port=arguments.port, chances=chances, tell=say) as server:
        say(f"sandbox on {server.url} (any API key; Ctrl-C ends it)")
        server.thread.join()
    return 0


def _port(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(
            f"{text} is no port: take a number from 1024 to 65535, or 0 for a free one"
        )
    return number
