"""Topic `trusted`: every program reads an added sample, and graded pairs become samples."""

from pathlib import Path

import msgspec

from mainstem.events import Labelled
from mainstem.events import encode as encode_event
from mainstem.join.route import partition_of_question
from mainstem.kafka import Broker, DirectReader
from mainstem.kafka.messages import decode_samples
from mainstem.kafka.messages import encode as encode_message
from mainstem.kafka.trusted import TrustedTopic
from mainstem.settings import Settings
from mainstem.trusted.files import Vouched, confirmed_of, graded_of, read_trusted
from tests.conftest import SMALL, Run
from tests.kafka.topic import make, produce

# the settings of the command below
SETTINGS = Settings.from_environment(SMALL, {"join.partitions": 2})
PAIRS = [
    Labelled(
        event_id=f"p{number}",
        event_timestamp=5,
        user_id="u",
        text="cup",
        pair=f"cup {number}",
        label="yes",
    )
    for number in range(8)
]
CONFIRMED = b'{"event_id":"e","item_id":"i","label":"no"}'


def test_what_is_added_is_read_by_every_program(
    events_url: str, tmp_path: Path, mainstem: Run
) -> None:
    """Every reader gets all trusted samples, and pairs enter `samples` at the newest time there."""
    broker = Broker.parse(events_url)
    make(broker, "trusted")
    samples = make(broker, "samples", partitions=2)
    before = msgspec.structs.replace(graded_of(PAIRS[0], SETTINGS.objectives), event_time=777)
    # only partition 0 has a newest time
    produce(broker, samples, [encode_message([before])])
    early = TrustedTopic(broker)
    assert [] == early.read()
    file = tmp_path / "trusted.jsonl"
    file.write_bytes(b"\n".join([CONFIRMED, *map(encode_event, PAIRS)]))
    added = mainstem(
        "trust", "add", file, "--to", events_url, env={"MAINSTEM_JOIN__PARTITIONS": "2"}
    )
    told = "9 trusted samples, 8 of them graded pairs" in added.stderr
    assert (0, True) == (added.returncode, told), added.stderr
    named: list[Labelled | Vouched] = [*read_trusted([CONFIRMED], SETTINGS.objectives), *PAIRS]
    late = TrustedTopic(broker)
    assert [confirmed_of(one, SETTINGS) for one in named] == early.read() == late.read()
    assert [] == early.read()
    for topic in (early, late):
        topic.close()
    expected = [graded_of(pair, SETTINGS.objectives) for pair in PAIRS]
    for partition, time in enumerate((777, 5)):
        here = [one for one in expected if partition_of_question(one.question_id, 2) == partition]
        with DirectReader(broker, samples) as reader:
            found = [
                record.value
                for record in reader.read(partition, 1 - partition, reader.end(partition))
            ]
        assert [msgspec.structs.replace(one, event_time=time) for one in here] == [
            sample for value in found for sample in decode_samples(value or b"")
        ]
        assert here
