"""The groups of settings, one file each, in the order of the way of the data."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mainstem.settings.fields import Group
from mainstem.settings.groups.behaviour import Behaviour
from mainstem.settings.groups.importance import Importance
from mainstem.settings.groups.join import Join
from mainstem.settings.groups.learning import Learning
from mainstem.settings.groups.model import Model
from mainstem.settings.groups.objectives import Objectives
from mainstem.settings.groups.responses import Responses
from mainstem.settings.groups.run import Run
from mainstem.settings.groups.standing import Standing
from mainstem.settings.groups.tracking import Tracking
from mainstem.settings.groups.trusted import Trusted

__all__ = [
    "GROUPS",
    "Behaviour",
    "Importance",
    "Join",
    "Learning",
    "Model",
    "Objectives",
    "Responses",
    "Run",
    "Standing",
    "Tracking",
    "Trusted",
]

GROUPS: Final[Mapping[str, type[Group]]] = MappingProxyType(
    {
        one.__name__.lower(): one
        for one in (
            Run,
            Join,
            Behaviour,
            Objectives,
            Trusted,
            Model,
            Responses,
            Importance,
            Standing,
            Learning,
            Tracking,
        )
    }
)
"""Each group by its name, in the order in which commands and files list them."""
