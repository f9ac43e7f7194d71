"""Groups of settings, along the way of the data; a file is one group."""

from mainstem.settings.groups.join import Join
from mainstem.settings.groups.learning import Learning
from mainstem.settings.groups.model import Model
from mainstem.settings.groups.objectives import Objectives
from mainstem.settings.groups.responses import Responses
from mainstem.settings.groups.run import Run
from mainstem.settings.groups.standing import Standing
from mainstem.settings.groups.trusted import Trusted

__all__ = ["Join", "Learning", "Model", "Objectives", "Responses", "Run", "Standing", "Trusted"]
