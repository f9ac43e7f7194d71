"""A log as pairs to rank: joined, counted and given features by the product's own code."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mainstem.behaviour import Hour
from mainstem.errors import LogError
from mainstem.events import Refusal, decode
from mainstem.events.survey import Survey, belongs_to_items
from mainstem.ids import fraction_of
from mainstem.join import Catalogue, Joiner, Output, PlacedSample, Sample, closing_time
from mainstem.process.stopwatch import SPENT
from mainstem.scoring.features import features_of
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.counts import write_hours

if TYPE_CHECKING:
    from uuid import UUID

__all__ = ["OpenStore", "Part", "RankerLog", "joined", "shoppers_of"]

_DRAWN: Final = 50  # items that a purchase is ranked against, where a log shows none
_KEY: Final = b"bench"

OpenStore: TypeAlias = Callable[[], AbstractContextManager[Store]]
"""Opens an empty history, which is removed when it is closed."""


@dataclass(frozen=True)
class Part:
    """Some samples of a log.

    Attributes:
        samples: N samples as the join made them, in the order of event time.
        placed: the same samples with their features, as models take them.
    """

    samples: Sequence[Sample]
    placed: Sequence[PlacedSample]

    @property
    def labels(self) -> NDArray[np.int64]:
        """Label of each sample, shape (N,)."""
        return np.array([one.label for one in self.samples], np.int64)

    @property
    def features(self) -> NDArray[np.float32]:
        """Features of each sample, shape (N, F)."""
        return np.array([one.features for one in self.placed], np.float32)

    @property
    def questions(self) -> NDArray[np.int64]:
        """Number of the question of each sample, shape (N,)."""
        numbers: dict[UUID, int] = {}
        found = [numbers.setdefault(one.question_id, len(numbers)) for one in self.samples]
        return np.array(found, np.int64)

    def between(self, begin: int, end: int) -> "Part":
        """The samples whose event time, in milliseconds, is in [begin, end)."""
        kept = [place for place, one in enumerate(self.samples) if begin <= one.event_time < end]
        return Part([self.samples[one] for one in kept], [self.placed[one] for one in kept])


@dataclass(frozen=True)
class RankerLog:
    """A log, split in time.

    Attributes:
        name: name of the log.
        train: samples before the last part.
        test: samples of the last part.
        lists: samples of questions of the last part with more items each: what was shown, or on a
            log without impressions the purchase and 50 drawn items.
        texts: texts for a vocabulary.
        settings: settings of the join.
    """

    name: str
    train: Part
    test: Part
    lists: Part
    texts: frozenset[str]
    settings: Settings


def joined(
    name: str,
    lines: Iterable[bytes],
    settings: Settings,
    opened: OpenStore,
    *,
    test_from: int | None = None,
    test_until: int | None = None,
    lists: int = 300,
) -> RankerLog:
    """Join a log, count its hours, and compute the features of its samples.

    Args:
        name: name of the log.
        lines: lines of the log.
        settings: settings of the join; `join.questions` may be `auto`.
        opened: opens an empty history for the counts.
        test_from: event time in milliseconds at which the last part begins; None takes the last
            `learning.later_share` of the questions.
        test_until: event time in milliseconds at which the last part ends; None takes all.
        lists: the most purchases of the last part that are ranked against 50 drawn items.

    Raises:
        LogError: if one of the parts would be empty.
    """
    lines = list(lines)
    found = Survey()
    for raw in lines:
        found.note(decode(raw), raw)
    settings = settings.but({"join.questions": found.questions, "join.partitions": 1})
    begin = test_from
    if begin is None:
        begin = found.later_from(found.questions, settings.learning.later_share)
    end = found.newest + 1 if test_until is None else test_until
    with opened() as store:
        samples = _newest(_outputs(lines, found, settings, store))
        whole = _with_features(store, samples, settings)
        train, test = whole.between(0, begin), whole.between(begin, end)
        shown = test
        if not found.has_shown:
            drawn = _drawn(lines, found, settings, test, lists)
            shown = _with_features(store, drawn, settings)
    if min(len(set(train.labels)), len(set(test.labels))) < 2:
        msg = (
            f"log {name!r} has {len(train.samples):,} samples before its last part and "
            f"{len(test.samples):,} in it; both need more than one label, so give a longer log"
        )
        raise LogError(msg)
    return RankerLog(name, train, test, shown, frozenset(found.texts), settings)


def shoppers_of(lines: Iterable[bytes], share: float) -> Iterator[bytes]:
    """Keep the events of a share of the shoppers, and everything that belongs to no shopper.

    A shopper is kept if the first 8 bytes of the blake2b hash of the user id, as a number, can be
    divided by 1 / `share`, rounded to a whole number.

    Args:
        lines: lines of a log.
        share: share of the shoppers, in [0, 1].

    Example:
        >>> line = b'{"type":"view","event_id":"e","user_id":"u","event_timestamp":1,"item_id":"i"}'
        >>> len(list(shoppers_of([line], 1.0))), len(list(shoppers_of([line], 0.0)))
        (1, 0)
    """
    parts = round(1 / share) if share else 0
    for raw in lines:
        event = decode(raw)
        user = getattr(event, "user_id", None)
        of_nobody = isinstance(event, Refusal) or user is None
        if of_nobody or (parts and _number(str(user)) % parts == 0):
            yield raw


def _number(user: str) -> int:
    return int.from_bytes(blake2b(user.encode("utf-8", "surrogatepass")).digest()[:8], "big")


def _outputs(
    lines: Iterable[bytes], found: Survey, settings: Settings, store: Store | None
) -> Iterator[Sample]:
    """The samples of a log; the hours that are closed on the way are written, if there is a store.

    Features of a sample read closed hours before its question only, so that they may be computed
    when the whole log is joined.
    """
    catalogue = Catalogue()
    for item in found.items:
        catalogue.add(item)
    joiner = Joiner(0, settings, catalogue, _KEY)
    for raw in lines:
        event = decode(raw)
        if not belongs_to_items(event, raw):
            yield from _kept(joiner.step(joiner.next_offset, event), store)
    yield from _kept(joiner.closed(closing_time(found.newest, settings.join))[1], store)


def _kept(outputs: Iterable[Output], store: Store | None) -> Iterator[Sample]:
    hours: list[Hour] = []
    for output in outputs:
        if isinstance(output, Sample):
            yield output
        elif isinstance(output, Hour):
            hours.append(output)
    if hours and store:
        write_hours(store, hours)


def _newest(samples: Iterable[Sample]) -> list[Sample]:
    """The newest label version of each sample, in the order of event time."""
    newest: dict[UUID, Sample] = {}
    for one in samples:
        known = newest.get(one.sample_id)
        if known is None or known.label_version <= one.label_version:
            newest[one.sample_id] = one
    return sorted(newest.values(), key=lambda one: (one.event_time, one.sample_id))


def _with_features(store: Store, samples: Sequence[Sample], settings: Settings) -> Part:
    with SPENT.on("features"):
        values = features_of(store, samples, settings).tolist()
    placed = [
        PlacedSample.of(one, 0, place, "stream")._replace(features=tuple(numbers))
        for place, (one, numbers) in enumerate(zip(samples, values, strict=True))
    ]
    return Part(samples, placed)


def _drawn(
    lines: Iterable[bytes], found: Survey, settings: Settings, test: Part, most: int
) -> list[Sample]:
    """Purchases of the last part with 50 drawn items each; a hash of the question chooses them."""
    asked = {one.question_id for one in test.samples}
    share = most / max(len(asked), 1)
    chosen = {one for one in asked if fraction_of("ranker", settings.run.seed, str(one)) < share}
    more = settings.but({"join.negatives": _DRAWN})
    return _newest(one for one in _outputs(lines, found, more, None) if one.question_id in chosen)
