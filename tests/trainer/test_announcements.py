"""Topic `versions` on a real broker: of two announcements the later learner's is valid."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mainstem.kafka import Broker
from mainstem.kafka.messages import Announcement
from mainstem.settings import Settings
from mainstem.streams.topics import make_topics
from mainstem.trainer.announcements import Announcements

Make = Callable[[], Announcements]
CLAIMS = [(3, 1), (2, 2), (4, 1)]  # (version, generation); the second is the later learner's


@pytest.fixture
def broker(events_url: str) -> Broker:
    """Broker with our topics."""
    found = Broker.parse(events_url)
    make_topics(found, Settings().join, auto_create=True)
    return found


@pytest.fixture
def producer(broker: Broker) -> Iterator[Any]:
    """Producer of the learner."""
    from kafka import KafkaProducer

    made = KafkaProducer(**broker.options)
    yield made
    made.close()


@pytest.fixture
def reader(broker: Broker) -> Iterator[Make]:
    """Maker of readers that each read the topic from its beginning."""
    made: list[Announcements] = []

    def make() -> Announcements:
        made.append(Announcements(broker))
        return made[-1]

    yield make
    for one in made:
        one.close()


def claim(version: int, generation: int) -> Announcement:
    return Announcement(version=version, generation=generation)


def test_nothing_is_announced_at_first(reader: Make) -> None:
    """An empty topic announces no version."""
    assert reader().read() is None


@pytest.mark.parametrize("order", list(itertools.permutations(CLAIMS)))
def test_the_later_generation_holds_in_whatever_order_claims_come(
    reader: Make, producer: Any, order: list[tuple[int, int]]
) -> None:
    """The later generation is valid for every reader, in whatever order announcements come."""
    along = reader()
    for version, generation in order:
        along.write(claim(version, generation), producer)
        along.read()
    assert claim(2, 2) == along.newest
    assert claim(2, 2) == reader().read()


def test_of_one_learner_the_newest_version_holds(reader: Make, producer: Any) -> None:
    """The newest version of one learner is valid, even if it announces an older one again."""
    announcements = reader()
    for version in (1, 2, 1):
        announcements.write(claim(version, 4), producer)
    assert claim(2, 4) == announcements.read()


def test_what_is_written_is_read_by_one_that_reads_already(reader: Make, producer: Any) -> None:
    """A reader continues at the end of its last read."""
    announcements = reader()
    for version in range(3):
        announcements.write(claim(version, 1), producer)
        assert claim(version, 1) == announcements.read()
    assert claim(2, 1) == announcements.read()
