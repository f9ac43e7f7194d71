"""Settings in groups, durations, and where things are (URLs)."""

from mainstem.settings.durations import parse_duration
from mainstem.settings.groups import Join, Learning, Model, Objectives, Responses, Run, Standing, Trusted
from mainstem.settings.settings import PREFIX, Settings, known, variable

__all__ = [
    "PREFIX",
    "Join",
    "Learning",
    "Model",
    "Objectives",
    "Responses",
    "Run",
    "Settings",
    "Standing",
    "Trusted",
    "known",
    "parse_duration",
    "variable",
]
