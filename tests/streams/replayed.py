"""Logs to replay into a broker, and the records that the broker must hold afterwards."""

import random
from pathlib import Path
from typing import Any

from mainstem.behaviour import HOUR
from mainstem.events import Item, Refusal, Tick, decode, encode
from mainstem.ids import number_of
from mainstem.join import closing_time
from mainstem.kafka import Broker
from mainstem.streams.replaying import Replay
from tests.join.shop import click, short, view

PARTITIONS = 3
SETTINGS = short(partitions=PARTITIONS)
BAD = b'{"type":"view","event_id":"b","user_id":"ann","event_timestamp":5,"item_id":7}'
USERS = ("ann", "ben", "cy", "dörte", "😀", "user 6", "7")


def write_log(path: Path, size: int = 300, seed: int = 0, step: int = 1000) -> Path:
    """Write shoppers' events some milliseconds apart, items, malformed lines and a tick."""
    chance = random.Random(seed)
    lines = [encode(Item(event_id="i", event_timestamp=0, item_id="cup", title=f"cup {seed}"))]
    for number in range(size):
        time, user = step * number, chance.choice(USERS)
        event = chance.choice([view, click])(f"e{number}", time, "cup")
        lines.append(
            encode(
                type(event)(
                    event_id=f"e{number}", event_timestamp=time, user_id=user, item_id="cup"
                )
            )
        )
        if number % 50 == 7:
            lines += [
                encode(
                    Item(
                        event_id=f"i{number}",
                        event_timestamp=time,
                        item_id=f"pot {number}",
                        title="pot",
                    )
                ),
                BAD,
            ]
            lines += [b"bad %d" % number, b'{"type":"item","event_id":"x%d"}' % number]
        if number == size // 2:
            lines.append(encode(Tick(event_timestamp=time)))
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def replay(broker: Broker, log: Path, **more: Any) -> Replay:
    """Make a replay at full speed with a final tick."""
    options = {"speed": None, "tick": True, "say": lambda text: None, **more}  # noqa: ARG005
    return Replay(broker, log, SETTINGS.join, **options)


class Cluster:
    """The part of a cluster that the partitioner of kafka-python uses."""

    def topics(self) -> set[str]:
        """Return all topics."""
        return {"events"}

    def partitions_for_topic(self, _: str) -> set[int]:
        """Return all partitions."""
        return set(range(PARTITIONS))

    available_partitions_for_topic = partitions_for_topic


def expected_of(log: Path, *, tick: bool = True) -> tuple[list[bytes], dict[int, list[bytes]]]:
    """Return the expected records of `items` and of each partition of `events`.

    The partitions come from the partitioner of kafka-python, not from our own.
    """
    from kafka.partitioner.default import DefaultPartitioner

    default, items = DefaultPartitioner(), list[bytes]()
    events: dict[int, list[bytes]] = {partition: [] for partition in range(PARTITIONS)}
    newest = -1
    for line in log.read_bytes().splitlines():
        event = decode(line)
        if b'"type":"item"' in line:
            items.append(line)
            continue
        time = getattr(event, "event_timestamp", -1)
        grace = SETTINGS.join.grace
        if newest >= 0 and (newest - grace) // HOUR < (time - grace) // HOUR:
            ended = (time - grace) // HOUR * HOUR
            hour = encode(Tick(event_timestamp=ended + grace))
            events = {place: [*lines, hour] for place, lines in events.items()}
        newest = max(newest, time)
        if isinstance(event, Tick):
            places = list(range(PARTITIONS))
        elif isinstance(event, Refusal):
            places = [number_of("events", event.digest) % PARTITIONS]
        else:
            places = [
                default.partition("events", None, event.user_id.encode(), None, None, Cluster())
            ]
        for place in places:
            events[place].append(line)
    if tick:
        end = encode(Tick(event_timestamp=closing_time(newest, SETTINGS.join)))
        events = {partition: [*lines, end] for partition, lines in events.items()}
    return items, events
