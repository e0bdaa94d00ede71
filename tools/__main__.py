"""Runs a command: `./dev COMMAND`, or `python -m tools COMMAND`.

JSON goes to stdout, everything else to stderr. Exit codes: 0 done, 1 the work failed,
2 wrong usage, 3 (of audit) not everything could be asked.
"""

import os
import signal
import sys

from tools.cli.command_line import NAMES, parser_of, unrecognized
from tools.cli.terminal import say


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = sys.argv[1:] if argv is None else argv
    # One command alone is loaded where its name is the first word.
    parser = parser_of(words[:1] if words and words[0] in NAMES else None)
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        from tools.cli.completions import attach

        attach(parser)
        argcomplete.autocomplete(parser)  # ends the process
    arguments, rest = parser.parse_known_args(words or ["help"])
    if "rest" in arguments:  # of `test`
        arguments.rest = rest
    elif "list_argument" in arguments and not any(w.startswith("-") for w in rest):
        # argparse takes a list of words before the options alone.
        getattr(arguments, arguments.list_argument).extend(rest)
    elif rest:
        parser.error(unrecognized(words[0], rest))
    try:
        code = arguments.run(arguments)
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
    except ValueError as error:
        say(f"error: {error}")
        return 2
    except Terminated:
        return 143
    except KeyboardInterrupt:
        return 130


class Terminated(KeyboardInterrupt):
    """The process was asked to end, as Ctrl-C does."""


def _terminate(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough
    raise Terminated


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(main())
