"""The learner beside Kafka makes the first version, runs rounds, and announces promoted versions.

One learner works at a time: the owner of the only partition of topic `versions`. The manifest of
each version holds the generation that the learner had in its group. So a learner that was paused
while another one took over can do no harm.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final

from torch import Tensor

from mainstem.errors import OvertakenError
from mainstem.join.text import item_text
from mainstem.kafka import Intake
from mainstem.kafka.messages import Announcement
from mainstem.kafka.outages import patiently
from mainstem.kafka.schedule import ScheduleWriter
from mainstem.learning import Claim, Learner, Position, begun_again
from mainstem.learning.draws import StoredPool
from mainstem.learning.first import keep_row, make_first_version
from mainstem.learning.training.trial import with_compiling
from mainstem.models import ActiveVersion, CrossEncoder
from mainstem.scoring import NEVER, direction_of, scale_of
from mainstem.scoring.schedule import round_is_due
from mainstem.settings import Settings
from mainstem.store import Store, samples_since
from mainstem.store.positions import ends_of_positions
from mainstem.store.schedule_records import round_records
from mainstem.store.texts import items_told, queries_asked, samples_so_far
from mainstem.store.versions import ends_of_last_round, newest_number
from mainstem.tracking import Tracker
from mainstem.versions import Versions

from .announcements import Announcements

__all__ = ["LearningProgram"]

_LOG = logging.getLogger("mainstem.learn")
_FIRST_SAMPLES: Final = 1000  # samples that give the first version's vocabulary and scale
_QUIET: Final = 10.0  # seconds without a new sample after which fewer samples are enough
_LOOK_EVERY: Final = 2.0  # seconds between two checks whether a round is due
_QUERIES: Final = 200_000  # queries for the first vocabulary at most


class LearningProgram:
    """The learner of a deployment.

    Args:
        store: the history.
        versions: the versions on disk or S3.
        settings: settings of the model and of learning.
        announcements: topic `versions`, where promoted versions are announced.
        producer: producer of kafka-python that sends announcements.
        schedule: topic `schedule`, where rounds are published.
        intake: intake of topic `versions`. The member that owns its partition is the learner.
        frozen: whether to make and announce the first version only, and run no round.
        tracker: shows the figures of each round; None shows none.

    Attributes:
        promoted: number of rounds so far whose version was promoted.
        refused: number of rounds so far whose version was refused.
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
        tracker: Tracker | None = None,
    ) -> None:
        self.promoted = self.refused = 0
        self._store, self._versions, self._settings = store, versions, settings
        self._announcements, self._producer, self._schedule = announcements, producer, schedule
        self._intake, self._frozen = intake, frozen
        self._learner, self._tracker = Learner(store, versions, settings, tracker), tracker
        self._tried = False  # whether it was found out if the network can be compiled
        self._announced, self._looked = -1, 0.0
        # the last round that topic `schedule` is known to have; below 0 if that is unknown
        self._published = -1
        self._samples = (0, time.monotonic())  # number of samples, and since when

    @property
    def in_charge(self) -> bool:
        """Whether this learner is the one that works."""
        return bool(self._intake.owned)

    def step(self) -> None:
        """Make the first version, announce the newest version, or run a round, as needed.

        Nothing happens while another learner is in charge.
        """
        self._intake.next_batch()
        if not self.in_charge:
            self._announced = self._published = -1
            return
        if not self._versions.numbers():
            self._first()
            return
        current = self._current()
        if current != self._announced:
            # subtle: a learner may have died after it made a version and before it wrote the row of
            # the round; then the version has a higher number than the newest row
            self._publish_rounds(max(patiently(newest_number, self._store), current))
            self._announce(current)
        if not self._frozen and self._due():
            self._round(current)

    def _first(self) -> None:
        """Make version 0, once there are enough samples for its vocabulary and scale."""
        count = patiently(samples_so_far, self._store)
        before, since = self._samples
        if count != before:
            self._samples = count, time.monotonic()
        quiet = time.monotonic() - since > _QUIET and count == before
        if count >= _FIRST_SAMPLES or (count and quiet):
            _LOG.info("making the first version from %d samples", count)
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
        samples = samples_since(self._store, 0, _FIRST_SAMPLES)
        return scale_of(ActiveVersion(encoder, self._settings), samples)

    def _direction(self, encoder: CrossEncoder) -> Mapping[str, Tensor]:
        ends = dict.fromkeys(range(self._settings.join.partitions), NEVER)
        return direction_of(ActiveVersion(encoder, self._settings), self._store, ends)

    def _current(self) -> int:
        """Number of the newest version."""
        return self._versions.numbers()[-1]

    def _announce(self, version: int) -> None:
        manifest = self._versions.manifest(version)
        model = "" if version else self._settings.model.model or "made here"
        patiently(keep_row, manifest, self._store, model)
        announcement = Announcement(version=version, generation=manifest.generation)
        self._announcements.write(announcement, self._producer)
        self._announced = version
        _LOG.info("announced version %d", version)

    def _publish_rounds(self, newest: int) -> None:
        """Publish the rounds that topic `schedule` may lack, up to the newest one."""
        # subtle: a learner publishes a round before it begins the next one, so the learner that
        # takes over repeats only the newest
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
        # subtle: the generation of a group that was empty for long starts again from 1, but a later
        # learner must not have a lower generation than an earlier one
        generation = max(member, self._versions.manifest(parent).generation)
        claim = Claim(generation, lambda: self._holds(member))
        found = patiently(ends_of_positions, self._store)
        ends = dict.fromkeys(range(self._settings.join.partitions), 0)
        ends |= {one.partition: one.position for one in found}
        position = Position(ends, max(one.event_time for one in found), NEVER)
        number = max(patiently(newest_number, self._store), parent) + 1
        begun = time.monotonic()
        _LOG.info("round %d begins from version %d", number, parent)
        encoder = self._versions.load(parent)
        if self._settings.learning.compile and not self._tried:
            self._tried = True
            self._settings = with_compiling(self._settings, lambda: encoder)
            self._learner = Learner(self._store, self._versions, self._settings, self._tracker)
        active = ActiveVersion(encoder, self._settings)
        pool = StoredPool(self._store)
        try:
            begin = partial(self._learner.round, number, parent, active, pool, position, claim)
            done = begun_again(begin)
        except OvertakenError as error:
            _LOG.warning("%s", error)
            return
        promoted = done.active is not None
        self.promoted, self.refused = self.promoted + promoted, self.refused + (not promoted)
        took = time.monotonic() - begun
        _LOG.info("round %d took %.0f s: %s", number, took, done.decision.reason)
        self._publish_rounds(number)
        if promoted:
            self._announce(number)

    def _holds(self, member: int) -> bool:
        committed = patiently(self._intake.commit)
        return committed and self._intake.generation == member and self.in_charge
