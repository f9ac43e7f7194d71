"""Rounds gone through again as a history recorded them: after the same samples, with the versions that came of them.

Nothing is drawn and nothing is trained. What a round of before drew is known, so that samples count as drawn from there on.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from mainstem.errors import VersionError
from mainstem.learning.rounds import Made, Position, Round
from mainstem.settings import Settings
from mainstem.versions import Versions, load_active

if TYPE_CHECKING:
    from mainstem.learning.learner import RoundPool
    from mainstem.models import ActiveVersion
    from mainstem.store.rounds import RecordedRound

__all__ = ["RecordedRounds"]


class RecordedRounds:
    """Takes the place of a learner.

    Args:
        rounds: as they were, the first one first.
        drawn: sample ids that promoted versions were trained on, by version.
        versions: the models that came of the rounds; only read.
        settings: of the history.
    """

    def __init__(
        self,
        rounds: Sequence["RecordedRound"],
        drawn: Mapping[int, list[UUID]],
        versions: Versions,
        settings: Settings,
    ) -> None:
        self._rounds = {one.version: one for one in rounds}
        self._drawn, self._versions, self._settings = drawn, versions, settings
        self.rounds_at = frozenset(one.samples for one in rounds)

    def round(
        self,
        version: int,
        parent: int,
        active: "ActiveVersion",
        pool: "RoundPool",
        position: Position,
    ) -> Round:
        """The round that made `version`, once more.

        Args:
            version: its number.
            parent: the current version.
            active, pool: not needed, for nothing is drawn or trained.
            position: how far the input has come.

        Raises:
            VersionError: if there was another round here, or its version is not there or not whole.
        """
        del active, pool
        was = self._rounds[version]
        if (was.parent, was.samples) != (parent, sum(position.ends.values())):
            msg = (
                f"round {version} went on from version {was.parent} after {was.samples:,} samples, and now version {parent} "
                f"stands after {sum(position.ends.values()):,}; restore the whole home from a copy"
            )
            raise VersionError(msg)
        promoted = bool(was.promoted)
        return Round(
            version=version,
            parent=parent,
            position=position,
            drawn=self._drawn.get(version, []),
            drawn_core=was.drawn_core,
            drawn_edge=was.drawn_edge,
            cold=bool(was.cold),
            made=Made.recorded(
                was.reason,
                self._versions.manifest(version).scale if promoted else None,
                promoted=promoted,
            ),
            active=load_active(self._versions, version, self._settings) if promoted else None,
        )
