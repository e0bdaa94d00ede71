"""Print what makes a shell complete the words after ./dev."""

import argparse

EXAMPLES = (
    "Examples:\n"
    '  bash: eval "$(./dev completion bash)" in ~/.bashrc\n'
    '  zsh:  eval "$(./dev completion zsh)" in ~/.zshrc, after compinit\n'
    "  fish: ./dev completion fish > ~/.config/fish/conf.d/dev.fish"
)


def options(command: argparse.ArgumentParser) -> None:
    command.add_argument("shell", choices=("bash", "zsh", "fish"))


def run(arguments: argparse.Namespace) -> int:
    from tools.cli.completions import shell_code

    print(shell_code(arguments.shell))
    return 0
