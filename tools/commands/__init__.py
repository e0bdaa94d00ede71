"""The commands of `./dev`, each in the module of its name: `./dev build` is build.py.

The module's first line is what help says of the command; EXAMPLES ends its own help.
`options` declares its arguments; `run` carries it out and returns the exit code. Help
loads all of these modules, so what only the work needs is imported within `run`.
"""
