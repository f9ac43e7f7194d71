"""The validator, which finds what is wrong with a log before a replay, and suggests windows."""

from mainstem.validate.delays import RUNGS, Candidate, Delays, Spread, Window
from mainstem.validate.finding import FAIL, PASS, WARN, Example, Finding, duration
from mainstem.validate.validator import Validation, validate

__all__ = [
    "FAIL",
    "PASS",
    "RUNGS",
    "WARN",
    "Candidate",
    "Delays",
    "Example",
    "Finding",
    "Spread",
    "Validation",
    "Window",
    "duration",
    "validate",
]
