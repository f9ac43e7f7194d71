"""The learner beside Kafka: makes the first version, runs rounds when enough has been scored, announces what it promotes.

One learner at a time: the owner of the only partition of `versions`. Its generation in the group stands in the manifests of
its versions, so that one that was paused and overtaken does no harm.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from torch import Tensor

from mainstem.errors import OvertakenError
from mainstem.join.text import item_text
from mainstem.kafka import Intake
from mainstem.kafka.messages import Announcement
from mainstem.kafka.outages import patiently
from mainstem.kafka.schedule import ScheduleWriter
from mainstem.learning import Claim, Learner, Position
from mainstem.learning.draws import StoredPool
from mainstem.learning.first import keep_row, make_first_version
from mainstem.models import ActiveVersion, CrossEncoder
from mainstem.scoring import NEVER, direction_of, scale_of
from mainstem.scoring.schedule import round_is_due
from mainstem.settings import Settings
from mainstem.store import Store, samples_since
from mainstem.store.positions import ends_of_positions
from mainstem.store.schedule_records import round_records
from mainstem.store.texts import items_told, queries_asked, samples_so_far
from mainstem.store.versions import ends_of_last_round, newest_number
from mainstem.versions import Versions

from .announcements import Announcements

__all__ = ["LearningProgram"]

_LOG = logging.getLogger("mainstem.learn")
_FIRST_SAMPLES: Final = 1000  # samples that give the first version's vocabulary and scale
_QUIET: Final = 10.0  # seconds without a new sample after which fewer will do
_LOOK_EVERY: Final = 2.0  # seconds between two looks whether a round is due
_QUERIES: Final = 200_000  # queries that the first vocabulary is made of, at most


class LearningProgram:
    """One learner.

    Args:
        store, versions: the history and the models.
        settings: of learning.
        announcements, producer: where versions are announced.
        schedule: where rounds are published.
        intake: topic `versions`; whoever owns its partition is the learner.
        frozen: announce, but run no round.

    Attributes:
        promoted, refused: rounds so far.
    """

    def __init__(
        self,
        store: Store,
        versions: Versions,
        settings: Settings,
        announcements: Announcements,
        producer: Any,
        schedule: ScheduleWriter,
        intake: Intake,
        *,
        frozen: bool,
    ) -> None:
        self.promoted = self.refused = 0
        self._store, self._versions, self._settings = store, versions, settings
        self._announcements, self._producer, self._intake, self._frozen = (
            announcements,
            producer,
            intake,
            frozen,
        )
        self._schedule = schedule
        self._learner = Learner(store, versions, settings)
        self._announced, self._looked = -1, 0.0
        self._published = -1  # the last round that topic `schedule` has; below 0 before it is known
        self._samples = (0, time.monotonic())  # how many there were, and since when

    @property
    def in_charge(self) -> bool:
        """Whether this learner is the one."""
        return bool(self._intake.owned)

    def step(self) -> None:
        """See to the first version, the announcement and, where it is due, a round."""
        self._intake.next_batch()
        if not self.in_charge:
            self._announced = self._published = -1
            return
        if not self._versions.numbers():
            self._first()
            return
        current = self._current()
        if current != self._announced:
            # subtle: a version whose learner died before it wrote the row has the highest number
            self._publish_rounds(max(patiently(newest_number, self._store), current))
            self._announce(current)
        if not self._frozen and self._due():
            self._round(current)

    def _first(self) -> None:
        """Make version 0, once there are samples to learn words and the scale from."""
        count = patiently(samples_so_far, self._store)
        before, since = self._samples
        if count != before:
            self._samples = count, time.monotonic()
        quiet = time.monotonic() - since > _QUIET and count == before
        if count >= _FIRST_SAMPLES or (count and quiet):
            _LOG.info("making the first version, from %d samples", count)
            patiently(
                make_first_version,
                self._versions,
                self._store,
                self._texts,
                self._settings,
                scale=self._scale,
                direction=self._direction,
                generation=self._intake.generation,
            )

    def _texts(self) -> Iterable[str]:
        texts = {item_text(item) for item in items_told(self._store)}
        return texts | set(queries_asked(self._store, _QUERIES))

    def _scale(self, encoder: CrossEncoder) -> float | None:
        return scale_of(
            ActiveVersion(encoder, self._settings), samples_since(self._store, 0, _FIRST_SAMPLES)
        )

    def _direction(self, encoder: CrossEncoder) -> Mapping[str, Tensor]:
        ends = dict.fromkeys(range(self._settings.join.partitions), NEVER)
        return direction_of(ActiveVersion(encoder, self._settings), self._store, ends)

    def _current(self) -> int:
        """The newest version that exists."""
        return self._versions.numbers()[-1]

    def _announce(self, version: int) -> None:
        manifest = self._versions.manifest(version)
        patiently(
            keep_row,
            manifest,
            self._store,
            "" if version else self._settings.model.model or "made here",
        )
        self._announcements.write(
            Announcement(version=version, generation=manifest.generation), self._producer
        )
        self._announced = version
        _LOG.info("announced version %d", version)

    def _publish_rounds(self, newest: int) -> None:
        """Publish the rounds that topic `schedule` may lack, up to the newest one."""
        # subtle: a learner publishes a round before it begins the next one, so whoever takes charge repeats one only
        first = newest if self._published < 0 else self._published + 1
        for number in range(max(first, 1), newest + 1):
            self._schedule.write(patiently(round_records, self._store, number))
        patiently(self._schedule.delivered)
        self._published = newest

    def _due(self) -> bool:
        """Whether enough samples have been scored since the last round."""
        if time.monotonic() - self._looked < _LOOK_EVERY:
            return False
        self._looked = time.monotonic()
        at_last = sum(patiently(ends_of_last_round, self._store))
        counted = sum(one.position for one in patiently(ends_of_positions, self._store))
        return round_is_due(counted, at_last, self._settings.learning.round_every)

    def _round(self, parent: int) -> None:
        member = self._intake.generation
        # subtle: a group that was empty for long begins to count anew; later learners must still have higher generations
        generation = max(member, self._versions.manifest(parent).generation)
        claim = Claim(generation, lambda: self._holds(member))
        found = patiently(ends_of_positions, self._store)
        ends = dict.fromkeys(range(self._settings.join.partitions), 0) | {
            one.partition: one.position for one in found
        }
        position = Position(ends, max(one.event_time for one in found), NEVER)
        number = max(patiently(newest_number, self._store), parent) + 1
        begun = time.monotonic()
        _LOG.info("round %d begins, from version %d", number, parent)
        active = ActiveVersion(self._versions.load(parent), self._settings)
        try:
            done = self._learner.round(
                number, parent, active, StoredPool(self._store), position, claim
            )
        except OvertakenError as error:
            _LOG.warning("%s", error)
            return
        promoted = done.active is not None
        self.promoted, self.refused = self.promoted + promoted, self.refused + (not promoted)
        _LOG.info(
            "round %d took %.0f s: %s", number, time.monotonic() - begun, done.decision.reason
        )
        self._publish_rounds(number)
        if promoted:
            self._announce(number)

    def _holds(self, member: int) -> bool:
        return (
            patiently(self._intake.commit) and self._intake.generation == member and self.in_charge
        )
