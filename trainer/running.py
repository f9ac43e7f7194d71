"""The loops of the scoring worker and of the learner, which run until a signal or an error."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from mainstem.bootstrap import (
    open_broker,
    open_producer,
    open_store,
    open_tracker,
    open_versions,
)
from mainstem.cli.programs import stopping
from mainstem.kafka import Broker, Intake, Monitor
from mainstem.kafka.messages import Announcement
from mainstem.kafka.outages import patiently
from mainstem.kafka.schedule import ScheduleWriter
from mainstem.kafka.trusted import TrustedTopic
from mainstem.settings import Settings
from mainstem.settings.addresses import Addresses

from .announcements import Announcements
from .costs import CostCounters
from .learning import LearningProgram
from .scoring import ScoringProgram

__all__ = ["run_learner", "run_scorer"]

_LOG = logging.getLogger("mainstem")
_BATCH: Final = 500  # questions of a batch at most
_LOOK_EVERY: Final = 1.0  # seconds between two looks at topics `versions` and `trusted`
_LONGEST_ROUND: Final = 86_400.0  # seconds of a round after which another learner takes over


def run_scorer(
    addresses: Addresses, settings: Settings, monitor: Monitor, session_timeout: float, idle: float
) -> None:
    """Run a scoring worker until a signal ends it.

    Args:
        addresses: where the broker, the history and the versions are.
        settings: settings of scoring and judging.
        monitor: shows lag and readiness to health checks and to Prometheus.
        session_timeout: seconds of silence after which other workers take over the partitions.
        idle: seconds without new samples after which partitions are judged once more.
    """
    from prometheus_client import Counter, Gauge

    scored, judged = (
        Counter("mainstem_scored", "Visits"),
        Counter("mainstem_judgements", "Judgements"),
    )
    version = Gauge("mainstem_version", "The version in use")
    held = Gauge("mainstem_waiting_samples", "Samples that wait for hours to be closed")
    waited = Counter("mainstem_waiting_seconds", "Seconds that samples have waited for hours")
    costs = CostCounters()
    broker, stop = open_broker(addresses.events), stopping()
    monitor.unready, monitor.doing = "", "waiting for the first version"
    announcements = patiently(Announcements, broker)
    announced = _first_announced(announcements, stop)
    if announced is None:
        return
    with open_store(addresses.store) as store:
        program = ScoringProgram(
            store, open_versions(addresses.versions), settings, broker, _producer(broker), idle
        )
        trusted = patiently(TrustedTopic, broker)
        program.trust(patiently(trusted.read))
        program.take_up(announced, first=True)
        program.intake = Intake(
            broker,
            "score",
            ["samples"],
            most=_BATCH,
            assigned=program.assigned,
            revoked=program.revoked,
            session_timeout=session_timeout,
        )
        looked = 0.0
        with program.intake:
            while not stop():
                scored_before, judged_before = program.scored, program.judgements
                waited_before = program.waiting.seconds
                program.step()
                held.set(program.waiting.samples)
                waited.inc(program.waiting.seconds - waited_before)
                scored.inc(program.scored - scored_before)
                judged.inc(program.judgements - judged_before)
                costs.show()
                if time.monotonic() - looked > _LOOK_EVERY:
                    looked = time.monotonic()
                    program.trust(patiently(trusted.read))
                    now = patiently(announcements.read)
                    if now is not None and now != announced:
                        program.take_up(announced := now, first=False)
                    version.set(program.version)
                    monitor.show_lag(patiently(program.intake.lag))
                    monitor.unready, monitor.doing = program.waiting.reason, "ok"


def run_learner(
    addresses: Addresses,
    settings: Settings,
    monitor: Monitor,
    session_timeout: float,
    *,
    frozen: bool,
) -> None:
    """Run a learner until a signal ends it.

    Args:
        addresses: where the broker, the history and the versions are.
        settings: settings of the model and of learning.
        monitor: shows readiness to health checks.
        session_timeout: seconds of silence after which another learner takes over.
        frozen: whether to make and announce the first version only, and run no round.
    """
    from prometheus_client import Counter

    rounds, costs = Counter("mainstem_rounds", "Rounds", ["promoted"]), CostCounters()
    broker, stop = open_broker(addresses.events), stopping()
    with (
        open_store(addresses.store) as store,
        Intake(
            broker,
            "learn",
            ["versions"],
            most=1,
            session_timeout=session_timeout,
            poll_timeout=_LONGEST_ROUND,
        ) as intake,
        open_tracker(settings, Path()) as tracker,
    ):
        producer = _producer(broker)
        program = LearningProgram(
            store,
            open_versions(addresses.versions),
            settings,
            patiently(Announcements, broker),
            producer,
            ScheduleWriter(broker, producer),
            intake,
            frozen=frozen,
            tracker=tracker,
        )
        while not stop():
            before = program.promoted, program.refused
            program.step()
            rounds.labels("yes").inc(program.promoted - before[0])
            rounds.labels("no").inc(program.refused - before[1])
            costs.show()
            monitor.unready = ""


def _first_announced(announcements: Announcements, stop: Callable[[], bool]) -> Announcement | None:
    """Wait for the first announcement; None if this process is asked to end before."""
    while not stop():
        if announced := patiently(announcements.read):
            return announced
        time.sleep(0.5)
    return None


def _producer(broker: Broker) -> Any:
    return patiently(open_producer, broker, linger_ms=20, batch_size=128 << 10)
