"""The validator: what is wrong with a log before it is replayed, and which windows would fit it."""

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
