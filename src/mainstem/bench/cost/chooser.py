"""Lets a policy's choice take the place of the learner's draw.

As long as no version was promoted, the current one is as it was made, and its figures say nothing.
A choice that reads figures then takes its share at random, as the product waits for a version that
has learnt.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mainstem.bench.cost.choice import Candidates, Chosen, ChosenPool, alike
from mainstem.bench.cost.material import Material
from mainstem.bench.cost.policies import REHEARSAL, Policy
from mainstem.estimators import Shadow
from mainstem.ids import number_of
from mainstem.importance import Rows
from mainstem.learning.learner import RoundPool
from mainstem.scoring.kept import representation_of
from mainstem.settings import Settings
from mainstem.store import Store

__all__ = ["Chooser", "wrong_of"]

_Figures = Mapping[str, NDArray[np.float64]]


class Chooser:
    """Chooses for each round, of what is new and of what is old.

    Args:
        material: the samples, whose offsets are their places.
        policy: the policy, with a choice.
        settings: settings of the policy.
        store: the history, which keeps representations.

    Attributes:
        called: offsets of the candidates of the last round, and which of their labels were called
            wrong; None where the choice calls none.
    """

    def __init__(
        self, material: Material, policy: Policy, settings: Settings, store: Store
    ) -> None:
        if policy.choice is None:
            msg = f"the policy {policy.name!r} lets the learner draw"
            raise ValueError(msg)
        self._choice, self._shares = policy.choice, (policy.draw, policy.draw * REHEARSAL)
        self._settings, self._store = settings, store
        self._shadow = Shadow(self._choice.reads, seed=settings.run.seed)
        self._wrong = wrong_of(material)
        trust, placed = material.trust, material.placed
        self._confirmed = np.array([trust.is_confirmed(one.sample_id) for one in placed], np.bool_)
        self.called: tuple[NDArray[np.int64], NDArray[np.bool_]] | None = None

    def pool(
        self, pool: RoundPool, rows: Rows | None, *, version: int, end: int, made: int
    ) -> ChosenPool:
        """The pool of a round, of which the learner draws what was chosen.

        Args:
            pool: all samples of the partition.
            rows: the same samples with their visits; None if they are not scored.
            version: number of the version that the round makes; it decides chance.
            end: position of the round.
            made: position of the round that made the current version; 0 for the first one.
        """
        held_out = self._settings.learning.held_out
        offset = pool["offset"]
        random = np.random.default_rng(number_of("choose", self._settings.run.seed, version))
        figures = self.figures(rows, end) if rows is not None else {}
        candidates = offset < end - held_out
        new = candidates & (offset >= made - held_out)
        ages = [np.flatnonzero(one) for one in (new, candidates & ~new)]
        found: list[tuple[NDArray[np.int64], Chosen]] = []
        says_nothing = bool(self._choice.reads) and made == 0
        for age, share in zip(ages, self._shares, strict=True):
            if says_nothing:
                places = random.permutation(len(age))[: round(share * len(age))]
                found.append((age, alike(np.sort(places))))
                continue
            there = self._candidates(pool, age, figures)
            found.append((age, self._choice.of(there, share, random)))
        self.called = _called(offset, found)
        chosen = np.concatenate([age[one.places] for age, one in found])
        return ChosenPool(pool, chosen, np.concatenate([one.weight for _, one in found]))

    def figures(self, rows: Rows, end: int) -> _Figures:
        """The figures of all rows by the name of the estimator, shape (N,) each.

        Args:
            rows: rows of the partition.
            end: position up to which (exclusive) samples count.
        """
        if not self._choice.reads:
            return {}
        reads = self._shadow.reads_representations
        representation = representation_of(self._store, rows, 0, end) if reads else None
        return self._shadow.values(rows, representation)

    def _candidates(self, pool: RoundPool, age: NDArray[np.int64], figures: _Figures) -> Candidates:
        offset = pool["offset"][age]
        return Candidates(
            figures={name: values[age] for name, values in figures.items()},
            standing=pool["standing"][age],
            weight=pool["weight"][age].astype(np.float64),
            wrong=self._wrong[offset],
            confirmed=self._confirmed[offset],
        )


def wrong_of(material: Material) -> NDArray[np.bool_]:
    """Which samples have a label that is known to be wrong, by their offset, shape (N,)."""
    meant = material.meant
    return np.array(
        [meant.get(one.sample_id, one.label) != one.label for one in material.placed], np.bool_
    )


def _called(
    offset: NDArray[np.int64], found: list[tuple[NDArray[np.int64], Chosen]]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]] | None:
    some = [(offset[age], one.called) for age, one in found if one.called is not None]
    if not some:
        return None
    return np.concatenate([at for at, _ in some]), np.concatenate([one for _, one in some])
