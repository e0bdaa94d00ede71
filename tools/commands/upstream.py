"""Compare the schemas, or the models, with what Together has today."""

import argparse
import os
from pathlib import Path


def options(command: argparse.ArgumentParser) -> None:
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


def run(arguments: argparse.Namespace) -> int:
    from tools.schemas.upstream import differences, model_differences

    if (arguments.spec is None) == (arguments.models is None):
        raise ValueError("give an OpenAPI document, or --models and a catalogue")
    if arguments.models:
        key = os.environ.get(arguments.key_env, "")
        lines = model_differences(arguments.models, key)
    else:
        lines = differences(Path(arguments.spec))
    print("\n".join(lines) or "no differences")
    return 1 if lines else 0
