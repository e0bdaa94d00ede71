"""The command line: its parser, its completion, and what a terminal shows."""
