"""Run "Create chat completion" as a worker would, its text shown live."""

import argparse

from tools.cli.terminal import run_job, say


def options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--local-model", action="store_true", help="a real model on this machine"
    )


def run(arguments: argparse.Namespace) -> int:
    from tools.operations import find

    body = find("chat/create_chat_completion").schema["examples"][0]["body"]
    body = {**body, "stream": True}
    question = body["messages"][-1]["content"]
    if arguments.local_model:
        from tools.local.local_model import LocalModel

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
    return run_job("chat/create_chat_completion", {"auth": auth, "body": body})
