"""Repeats recorded rounds: after the same samples, with the versions that came of them.

Nothing is drawn or trained. The history knows which samples each round drew, and from that round
on they count as drawn again.
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
    """Takes the place of a learner, and repeats recorded rounds.

    Args:
        rounds: the recorded rounds, in order.
        drawn: for each version, ids of the samples that it was trained on, if it was promoted.
        versions: the versions that came of the rounds; they are only read.
        settings: settings of the recorded run.

    Attributes:
        rounds_at: number of samples of all partitions at each round.
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
        """Repeat the round that made a version.

        Args:
            version: number of the version.
            parent: number of the current version.
            active, pool: unused, because nothing is drawn or trained.
            position: how far the input has come.

        Raises:
            VersionError: if the recorded round does not belong here, or its version is missing or
                damaged.
        """
        del active, pool
        was = self._rounds[version]
        now = sum(position.ends.values())
        if (was.parent, was.samples) != (parent, now):
            msg = (
                f"round {version} started from version {was.parent} after {was.samples:,} samples, "
                f"and here version {parent} stands after {now:,}; "
                "restore the whole home from a copy"
            )
            raise VersionError(msg)
        promoted = bool(was.promoted)
        manifest = self._versions.manifest(version) if promoted else None
        scale, kinds = (manifest.scale, manifest.kinds) if manifest else (None, {})
        return Round(
            version=version,
            parent=parent,
            position=position,
            drawn=self._drawn.get(version, []),
            drawn_core=was.drawn_core,
            drawn_edge=was.drawn_edge,
            cold=bool(was.cold),
            made=Made.recorded(was.reason, scale, kinds, promoted=promoted),
            active=load_active(self._versions, version, self._settings) if promoted else None,
        )
