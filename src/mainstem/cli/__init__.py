"""The command line. Data go to stdout, everything else to stderr.

Imports that are slow stay inside the commands, so that `mainstem --help` starts at once.
"""

from mainstem.cli.main import app, main

__all__ = ["app", "main"]
