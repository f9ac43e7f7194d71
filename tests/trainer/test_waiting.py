"""A scorer holds a batch until every partition of events has closed the hours that it needs."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from mainstem.store import samples_between
from mainstem.store.features import stored_features
from mainstem.versions import Versions
from tests.services.deployed import until
from tests.trainer.fakes import START, FakeGroup, KillingStore, close_hours, sample, sink
from tests.trainer.scorers import SETTINGS, Worker

HOUR = 3_600_000
# all questions are of the same hour; their windows end an hour before it
END = START // HOUR - 1
TWO = SETTINGS.but({"join.partitions": 2})
TOPIC = {0: [[sample(number)] for number in range(6)], 1: [[sample(number)] for number in (7, 8)]}


@pytest.fixture
def store(tmp_path: Path) -> KillingStore:
    """A history in which no hour is closed yet."""
    opened = KillingStore(f"chdb://{tmp_path / 'history'}")
    sink(opened, TWO, TOPIC)
    opened.execute("TRUNCATE TABLE hours")
    return opened


def test_a_batch_waits_for_the_slowest_partition(store: KillingStore, versions: Versions) -> None:
    """Nothing is scored or committed before both partitions have closed their hours."""
    with store:
        worker = Worker(store, versions, FakeGroup(TOPIC), settings=TWO, closed=False, most=4)
        close_hours(store, 0, END)
        close_hours(store, 1, END - 1)
        worker.run(5)
        waiting = worker.program.waiting
        assert (0, 4, 4) == (worker.program.scored, waiting.samples, worker.intake.stayed)
        assert "partition 1 of events" in waiting.reason
        assert {0: 0, 1: 0} == worker.intake._group.committed
        close_hours(store, 1, END)
        worker.run(9)
        assert ("", 0) == (waiting.reason, waiting.samples)
        assert {0: 6, 1: 2} == worker.intake._group.committed
        assert waiting.seconds > 0


def test_a_waiting_scorer_names_the_partition_and_ends_by_a_signal(
    versions: Versions, tmp_path: Path
) -> None:
    """While a batch waits, `/health` names the partition; SIGTERM ends the wait within seconds."""
    command = [sys.executable, "-m", "tests.trainer.waiting_scorer", tmp_path / "history"]
    with subprocess.Popen([*command, versions.url], stdout=subprocess.PIPE, text=True) as scorer:
        assert scorer.stdout is not None
        url = f"http://127.0.0.1:{int(scorer.stdout.readline())}/health"
        until(lambda: "partition 1 of events" in health(url), 60, str)
        begun = time.monotonic()
        scorer.send_signal(signal.SIGTERM)
        assert ("committed {0: 0, 1: 0}\n", 0) == (scorer.stdout.read(), scorer.wait(10))
        assert time.monotonic() - begun < 10


def health(url: str) -> str:
    """Return the status of a program that is not ready; empty once it is ready."""
    try:
        with urlopen(url, timeout=5):
            return ""
    except HTTPError as error:
        return str(json.load(error)["status"]) if error.code == 503 else ""


def test_the_clock_never_ends_the_waiting(
    store: KillingStore, versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A year later the batch still waits."""
    with store:
        worker = Worker(store, versions, FakeGroup(TOPIC), settings=TWO, closed=False)
        worker.run(3)
        monkeypatch.setattr(time, "monotonic", lambda: 1e9)
        worker.run(3)
        assert 0 == worker.program.scored


def test_a_batch_that_waits_is_given_to_the_next_owner(
    store: KillingStore, versions: Versions
) -> None:
    """A worker that loses its partitions while it waits drops the batch, and another scores it."""
    with store:
        group = FakeGroup(TOPIC)
        first = Worker(store, versions, group, settings=TWO, closed=False).run(4)
        first.intake.assign()
        first.run(2)
        assert "" == first.program.waiting.reason
        for partition in (0, 1):
            close_hours(store, partition, END)
        second = Worker(store, versions, group, settings=TWO, closed=False).run(9)
        assert (0, {0: 6, 1: 2}) == (first.program.scored, group.committed)
        assert second.program.scored > 0


def test_direction_and_gate_samples_have_features_too(
    store: KillingStore, versions: Versions
) -> None:
    """Every accepted sample has features in the history, whatever it is used for."""
    with store:
        for partition in (0, 1):
            close_hours(store, partition, END)
        Worker(store, versions, FakeGroup(TOPIC), settings=TWO, closed=False).run(9)
        read = samples_between(store, {0: (0, 9), 1: (0, 9)})
        kept = stored_features(store, [one.sample_id for one in read])
        assert 8 == len(kept) == len(read)
        assert all(kept[one.sample_id] == one.features for one in read)
