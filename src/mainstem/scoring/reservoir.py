"""The trusted samples that every round goes through: all of them, or a reservoir of them.

A round evaluates gate samples, takes its scale over canaries, and scores canaries again. So that
this costs the same however long the log is, a reservoir over time stands for each part.

Canaries that are not in it are scored and judged like the stream: once when they are new, and
again while they are among the newest samples. What chooses is a hash and the time, and never what
a version said; so the canaries that a version scored still stand for sound samples that it scored.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import numpy as np

from mainstem.importance.reservoir import keys_of, reservoir
from mainstem.join import PlacedSample
from mainstem.scoring.schedule import NEVER
from mainstem.settings import Settings
from mainstem.store import Store, trusted_samples
from mainstem.store.reads import samples_among
from mainstem.store.reservoir import Candidate, candidates

__all__ = ["canaries_to_score", "trusted_reservoir"]

_AT_ONCE: Final = 10_000  # ids in one statement; a server takes an address of a megabyte at most


def trusted_reservoir(
    store: Store, settings: Settings, part: str, ends: Mapping[int, int]
) -> list[PlacedSample]:
    """The reservoir of one part, each sample at its newest label so far.

    Samples that somebody confirmed go first: a person vouches for their labels, and they come out
    of the stream, while graded pairs do not. Gate samples of one question stay together, because
    rankings are measured by question; of the last question that finds room, some may be left out.

    Args:
        store: the history.
        settings: settings with the sizes of the reservoirs and the seed.
        part: `direction`, `canary` or `gate`.
        ends: by partition, the position up to which (exclusive) samples and labels count. Of
            partitions that are not in it, all samples count, and none is returned.

    Returns:
        Samples, ordered by partition and position.
    """
    most = settings.trusted.canary_maximum
    if part == "gate":
        # the gate would not judge by fewer
        most = max(settings.trusted.gate_maximum, settings.learning.gate_minimum)
    return _reservoir(store, settings, part, ends, most)


def canaries_to_score(
    store: Store, settings: Settings, ends: Mapping[int, int]
) -> list[PlacedSample]:
    """The canaries that a new version should score again.

    The judge compares samples with the canaries of their partition and label, and with those of
    all labels where there are fewer than `standing.canary_minimum`. So that many of each label and
    partition, as far as there are, are in the reservoir before the rest of it is filled up.

    Args:
        store, settings, ends: as in `trusted_reservoir`.

    Returns:
        Samples, ordered by partition and position.
    """
    most, least = settings.trusted.canary_maximum, settings.standing.canary_minimum
    return _reservoir(store, settings, "canary", ends, most, least)


def _reservoir(
    store: Store,
    settings: Settings,
    part: str,
    ends: Mapping[int, int],
    most: int,
    least: int = 0,
) -> list[PlacedSample]:
    # subtle: a worker that owns some of the partitions has its share of the one reservoir
    upto = dict.fromkeys(range(settings.join.partitions), NEVER) | dict(ends)
    known = candidates(store, part, upto)
    ids = [one.sample_id for one in known]
    chosen = reservoir(
        keys_of(
            [one.question_id for one in known] if part == "gate" else ids,
            [one.event_time for one in known],
            settings.run.seed,
        ),
        ids,
        most,
        first=np.array([bool(one.confirmed) for one in known], np.bool_),
        strata=np.array([_stratum(one) for one in known], np.int64),
        least=least,
    )
    if len(chosen) == len(known):
        return trusted_samples(store, part, ends)
    mine: dict[int, list[UUID]] = {partition: [] for partition in ends}
    for place in chosen.tolist():
        if (one := known[place]).partition in mine:
            mine[one.partition].append(one.sample_id)
    return [
        sample
        for partition, some in sorted(mine.items())
        for sample in _read(store, partition, ends[partition], some)
    ]


def _read(store: Store, partition: int, end: int, ids: Sequence[UUID]) -> list[PlacedSample]:
    found: list[PlacedSample] = []
    for start in range(0, len(ids), _AT_ONCE):
        found += samples_among(store, partition, end, ids[start : start + _AT_ONCE])
    return sorted(found, key=lambda sample: sample.offset)


def _stratum(one: Candidate) -> int:
    return one.partition << 8 | one.label
