"""A replay knows the log in its topics, refuses another log, and accepts its next file."""

import gzip
from pathlib import Path

import pytest

from mainstem.errors import BrokerError
from mainstem.events import encode
from mainstem.kafka import Broker
from tests.join.shop import view
from tests.kafka.topic import delete_before, produce, read_all
from tests.streams.replayed import expected_of, replay, write_log


def test_a_topic_with_other_records_is_refused(broker: Broker, tmp_path: Path) -> None:
    """A replay refuses topics that hold another log's or another producer's records."""
    replay(broker, write_log(tmp_path / "log.jsonl", 20)).run()
    other = write_log(tmp_path / "other.jsonl", 20, seed=1)
    before = read_all(broker, "items"), read_all(broker, "events")
    with pytest.raises(
        BrokerError, match=r"holds records that are not from 'other.jsonl'; .* another prefix"
    ):
        replay(broker, other).run()
    assert before == (read_all(broker, "items"), read_all(broker, "events"))


def test_a_topic_into_which_somebody_writes_is_refused(broker: Broker, tmp_path: Path) -> None:
    """A last record without our headers is refused, and its partition is named."""
    produce(broker, broker.topic("events"), [b"theirs"], 1)
    with pytest.raises(BrokerError, match=r"events' partition 1 holds records"):
        replay(broker, write_log(tmp_path / "log.jsonl", 20)).run()
    assert {0: []} == read_all(broker, "items")


def test_a_topic_of_which_all_was_deleted_is_refused(broker: Broker, tmp_path: Path) -> None:
    """A topic whose records were all deleted is refused, so that nothing is sent twice."""
    log = write_log(tmp_path / "log.jsonl", 20)
    replay(broker, log).run()
    delete_before(broker, broker.topic("events"), len(read_all(broker, "events")[0]))
    with pytest.raises(BrokerError, match=r"events' partition 0"):
        replay(broker, log).run()


def test_another_log_that_begins_alike_is_refused(broker: Broker, tmp_path: Path) -> None:
    """A log that begins like the sent one is refused, and the sent one is known when compressed."""
    log, other = write_log(tmp_path / "log.jsonl", 20), tmp_path / "other.jsonl"
    replay(broker, log, tick=False).run()
    lines = log.read_bytes().splitlines(keepends=True)
    for wrong in (lines[:3] + lines[4:], lines[:10], [lines[0], *lines[:0:-1]]):
        other.write_bytes(b"".join(wrong))
        with pytest.raises(BrokerError, match=r"holds records that are not from 'other.jsonl'"):
            replay(broker, other).run()
        with pytest.raises(BrokerError, match=r"other.jsonl' is not the next file"):
            replay(broker, other, append=True).run()
    other.write_bytes(gzip.compress(log.read_bytes()))
    assert 0 == replay(broker, other, tick=False).run()


def test_a_log_that_grew_behind_its_final_tick_is_refused(broker: Broker, tmp_path: Path) -> None:
    """A log that grew after its final tick is refused, because every window is closed."""
    log = write_log(tmp_path / "log.jsonl", 20)
    replay(broker, log).run()
    with log.open("ab") as file:
        file.write(encode(view("e99", 99_000, "cup")) + b"\n")
    with pytest.raises(BrokerError, match=r"a final tick has closed every window.*--no-tick"):
        replay(broker, log).run()


def test_the_next_file_of_a_rotated_log_follows(broker: Broker, tmp_path: Path) -> None:
    """With `--append` the next file follows, may resume and grow, and an older one is refused."""
    whole = write_log(tmp_path / "log.jsonl", 200)
    lines = whole.read_bytes().splitlines(keepends=True)
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"".join(lines[:100]))
    two.write_bytes(b"".join(lines[100:150]))
    replay(broker, one, tick=False).run()
    with pytest.raises(BrokerError, match="--append"):
        replay(broker, two, tick=False).run()
    replay(broker, two, tick=False, append=True).run()
    with pytest.raises(BrokerError, match="is not the next file"):
        replay(broker, one, append=True).run()
    two.write_bytes(b"".join(lines[100:]))
    replay(broker, two, append=True).run()
    items, events = expected_of(whole)
    assert ({0: items}, events) == (read_all(broker, "items"), read_all(broker, "events"))
    assert 0 == replay(broker, whole).run()
