"""Settings in groups, `mainstem.toml`, durations, and the URLs of broker, history and versions."""

from mainstem.settings.durations import parse_duration
from mainstem.settings.groups import (
    GROUPS,
    Importance,
    Join,
    Learning,
    Model,
    Objectives,
    Responses,
    Run,
    Standing,
    Tracking,
    Trusted,
)
from mainstem.settings.names import PREFIX, known, variable
from mainstem.settings.settings import Settings

__all__ = [
    "GROUPS",
    "PREFIX",
    "Importance",
    "Join",
    "Learning",
    "Model",
    "Objectives",
    "Responses",
    "Run",
    "Settings",
    "Standing",
    "Tracking",
    "Trusted",
    "known",
    "parse_duration",
    "variable",
]
