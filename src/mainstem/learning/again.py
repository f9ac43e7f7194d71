"""Rounds gone through again as a history recorded them: at the same places, with the versions that came of them.

Nothing is drawn and nothing is trained. What a round of before drew is known, so that samples count as drawn from there on.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from mainstem.errors import VersionError
from mainstem.learning.evaluation.evaluation import Evaluation
from mainstem.learning.gate import Decision
from mainstem.learning.learner import Position, Round, RoundPool
from mainstem.settings import Settings
from mainstem.versions import Versions, load_scorer

if TYPE_CHECKING:
    from mainstem.models import Scorer
    from mainstem.store.then import RoundThen

__all__ = ["RecordedRounds"]

_NOT_MEASURED: Final = Evaluation(0, None, None)


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
        rounds: Sequence["RoundThen"],
        drawn: Mapping[int, list[UUID]],
        versions: Versions,
        settings: Settings,
    ) -> None:
        self._rounds = {one.version: one for one in rounds}
        self._drawn, self._versions, self._settings = drawn, versions, settings
        self.places = frozenset(one.place for one in rounds)

    def round(self, version: int, parent: int, scorer: "Scorer", pool: RoundPool, position: Position) -> Round:
        """The round that made `version`, once more.

        Args:
            version: its number.
            parent: the current version.
            scorer, pool: not needed, for nothing is drawn or trained.
            position: how far the input has come.

        Raises:
            VersionError: if there was another round at this place, or its version is not there or not whole.
        """
        del scorer, pool
        was = self._rounds[version]
        if (was.parent, was.place) != (parent, sum(position.ends.values())):
            msg = (
                f"round {version} went on from version {was.parent} after {was.place:,} samples, and now version {parent} "
                f"stands after {sum(position.ends.values()):,}; restore the whole home from a copy"
            )
            raise VersionError(msg)
        decision = Decision(was.promoted, "", _NOT_MEASURED, _NOT_MEASURED, was.reason)
        if not was.promoted:
            return Round(version, parent, [], was.cold, decision, None, None)
        at_work, scale = load_scorer(self._versions, version, self._settings), self._versions.manifest(version).scale
        return Round(version, parent, self._drawn.get(version, []), was.cold, decision, at_work, scale)
