"""The command line: verbs; data on stdout, talk on stderr. Heavy imports stay inside the commands."""

from mainstem.cli.main import app, main

__all__ = ["app", "main"]
