"""The features of samples, computed and written when a sample is first accepted."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.behaviour import FEATURES, LAST_POSITION, Asked, Sums, end_of, features, text_features
from mainstem.join import PlacedSample, Sample
from mainstem.process.stopwatch import SPENT
from mainstem.scoring.costs import feature_costs
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.costs import FEATURES as COMPUTED
from mainstem.store.costs import counted_before
from mainstem.store.features import counted, stored_features, write_features
from mainstem.store.hours import closed_hours

__all__ = ["features_of", "needed", "reached", "with_features"]

_BATCH: Final = 1024  # samples of one query at most
_LENGTH: Final = 100_000  # bytes of its item ids; a server takes parameters of 131,072 bytes
_LABELLED: Final = "labelled"  # source of the samples that no shopper's behaviour stands behind


@SPENT.on(COMPUTED)
def features_of(store: Store, samples: Sequence[Sample], settings: Settings) -> NDArray[np.float32]:
    """Compute the features of samples; those of labelled pairs come from the two texts alone.

    Args:
        store: the history. It must hold the counts of all hours before `needed`.
        samples: N samples.
        settings: settings with the lag of features.

    Returns:
        Values in the order of `FEATURES`, shape (N, F).
    """
    found = np.zeros((len(samples), len(FEATURES)), np.float32)
    labelled = [place for place, one in enumerate(samples) if one.source == _LABELLED]
    pairs = [(samples[place].context_text, samples[place].item_text) for place in labelled]
    found[labelled] = text_features(pairs)
    others = [place for place, one in enumerate(samples) if one.source != _LABELLED]
    found[others] = _of_behaviour(store, [samples[place] for place in others], _lag(settings))
    SPENT.passed(samples=len(samples), tokens=0, factor=0.0)
    return found


@SPENT.on(COMPUTED)
def with_features(
    store: Store,
    placed: Sequence[PlacedSample],
    samples: Sequence[Sample],
    settings: Settings,
    version: int,
) -> list[PlacedSample]:
    """Give samples their features: the written ones, or else new ones, which are written now.

    Args:
        store: the history. It must hold the counts of all hours before `needed`.
        placed: N samples at their places.
        samples: the same samples as the join made them.
        settings: settings with the lag of features.
        version: number of the version in use, for which the cost of new ones counts.

    Returns:
        The N samples. A labelled text without a pair has no features.
    """
    known = stored_features(store, [one.sample_id for one in placed])
    new = dict[UUID, tuple[PlacedSample, Sample]]()
    for at, one in zip(placed, samples, strict=True):
        has_features = one.source != _LABELLED or bool(one.item_text)
        if has_features and one.sample_id not in known:
            new.setdefault(one.sample_id, (at, one))  # the first of its label versions
    places, made = [at for at, _ in new.values()], [one for _, one in new.values()]
    with SPENT.counting() as spent:
        values = features_of(store, made, settings)
    # subtle: before the features, because features that are there are not computed again
    before = counted_before(store, places, version)
    uncounted = [at for at in places if (at.partition, at.offset) not in before]
    seconds = spent[COMPUTED].seconds * len(uncounted) / max(len(places), 1)
    store.write("costs", feature_costs(version, uncounted, seconds))
    write_features(store, places, values, [(one.source, one.category) for one in made])
    known |= {one: tuple(numbers) for one, numbers in zip(new, values.tolist(), strict=True)}
    return [one._replace(features=known.get(one.sample_id, ())) for one in placed]


def needed(samples: Iterable[Sample], settings: Settings) -> int:
    """The hour up to which (exclusive) counts must be complete for the features of samples.

    Args:
        samples: the samples.
        settings: settings with the lag of features.
    """
    lag = _lag(settings)
    ends = [end_of(one.event_time, lag) for one in samples if one.source != _LABELLED]
    return max(ends, default=0)


def reached(store: Store, partitions: Iterable[int]) -> int:
    """The hour up to which (exclusive) every one of some partitions of events has closed all hours.

    Args:
        store: the history.
        partitions: the partitions.

    Returns:
        The hour, counted since 1970 UTC; 0 if a partition has closed none.
    """
    closed = closed_hours(store)
    return min((closed.get(partition, -1) + 1 for partition in partitions), default=0)


def _of_behaviour(store: Store, samples: Sequence[Sample], lag: int) -> NDArray[np.float32]:
    found = [np.zeros((0, len(FEATURES)), np.float32)]
    for some in _batches(samples):
        asked = Asked.of(some, lag)
        found.append(features(some, Sums.of(asked, counted(store, asked, LAST_POSITION))))
    return np.concatenate(found)


def _batches(samples: Sequence[Sample]) -> Iterator[Sequence[Sample]]:
    first = length = 0
    for place, one in enumerate(samples):
        own = len(one.item_id.encode())
        more = own + sum(own + len(other.encode()) + 8 for other in one.history)
        if place - first == _BATCH or (place > first and length + more > _LENGTH):
            yield samples[first:place]
            first, length = place, 0
        length += more
    if samples:
        yield samples[first:]


def _lag(settings: Settings) -> int:
    return max(settings.behaviour.feature_lag, settings.join.grace)
