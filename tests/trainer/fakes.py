"""A consumer group, a producer and a history that can die at any step, without a broker."""

from collections.abc import Callable
from typing import Any, NamedTuple

from mainstem.ids import uuid_of
from mainstem.join import Sample
from mainstem.kafka.intake import Assigned
from mainstem.kafka.messages import encode
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.writes import sample_columns, trusted_columns
from mainstem.trusted import part_of

START = 1_300_000_000_000
# Longer than the limit on tokens, so every text is cut to the same length.
LONG = "red woolly hottie white hanging heart t-light holder set of 6 cups"


class Killed(BaseException):
    """Stands for `kill -9`: no code catches it."""


class Kill:
    """Kills the program before a chosen step.

    A step is a write, flush, commit, save or announcement.

    Attributes:
        left: steps that still succeed before the kill; None means that no kill is planned.
    """

    def __init__(self) -> None:
        self.left: int | None = None

    def around(self, action: Callable[[], Any]) -> Any:
        """Take a step, or die before it when the time has come."""
        if self.left == 0:
            self.left = None
            raise Killed
        if self.left is not None:
            self.left -= 1
        return action()


class KillingStore(Store):
    """A history that may kill the program when it writes."""

    def __init__(self, url: str) -> None:
        self.kill = Kill()
        super().__init__(url)

    def write(self, table: str, columns: Any) -> None:
        """Write to the history, or die before."""
        self.kill.around(lambda: Store.write(self, table, columns))


class Record(NamedTuple):
    """The fields of a kafka-python record that the programs read."""

    partition: int
    offset: int
    value: bytes


class FakeGroup:
    """A topic and the committed offsets of its group."""

    def __init__(self, records: dict[int, list[list[Sample]]]) -> None:
        self.records = records
        self.committed = dict.fromkeys(records, 0)
        self.notes = dict.fromkeys(records, "")


class FakeIntake:
    """A member of a group that owns the partitions given by `assign`.

    Args:
        group: the topic and its committed offsets.
        most: largest number of records in a batch.
        program: program that learns of assigned and revoked partitions.
        kill: may kill the program before a commit.
    """

    def __init__(self, group: FakeGroup, most: int, program: Any, kill: Kill) -> None:
        self.refuse, self.stayed = False, 0
        self._group, self._most, self._program, self._kill = group, most, program, kill
        self._positions: dict[int, int] = {}
        self._changes: list[Callable[[], None]] = []

    def assign(self, *partitions: int) -> None:
        """Own exactly these partitions from the next batch on."""
        gone, come = (
            sorted({*one} - {*other})
            for one, other in ((self._positions, partitions), (partitions, self._positions))
        )
        if gone:
            self._changes.append(lambda: self._program.revoked([("samples", one) for one in gone]))
        if come:
            self._changes.append(lambda: self._program.assigned([("samples", one) for one in come]))
        self._positions = {one: self._group.committed[one] for one in partitions}

    def last_commit(self, place: Assigned) -> tuple[int, str]:
        """Return the committed offset of the group and the note of that commit."""
        return self._group.committed[place[1]], self._group.notes[place[1]]

    def next_batch(self) -> list[tuple[str, Record]]:
        """Return records of all owned partitions in turn, or none after a change of owners."""
        if self._changes:
            while self._changes:
                self._changes.pop(0)()
            return []
        batch: list[tuple[str, Record]] = []
        while len(batch) < self._most:
            waiting = [
                one
                for one, position in self._positions.items()
                if position < len(self._group.records[one])
            ]
            if not waiting:
                break
            for one in waiting:
                position = self._positions[one]
                batch.append(
                    ("samples", Record(one, position, encode(self._group.records[one][position])))
                )
                self._positions[one] += 1
        return batch

    def stay(self) -> None:
        """Take no records; report a change of owners."""
        self.stayed += 1
        while self._changes:
            self._changes.pop(0)()

    def commit(self, places: dict[Assigned, tuple[int, str]]) -> bool:
        """Commit, and return False if another member owns the partitions by now."""
        if self.refuse:
            self.refuse = False
            return False

        def keep() -> None:
            self._group.committed.update(
                {partition: offset for (_, partition), (offset, _) in places.items()}
            )
            self._group.notes.update(
                {partition: note for (_, partition), (_, note) in places.items()}
            )

        self._kill.around(keep)
        return True


class Future:
    """A record that the broker has taken."""

    def get(self, timeout: float) -> None:
        """Return at once, because the broker has the record."""


class FakeProducer:
    """Records what is sent; records that were not flushed are lost when the program dies."""

    def __init__(self, kill: Kill, sent: list[tuple[str, int, bytes, bytes]]) -> None:
        self.sent = sent
        self._waiting: list[tuple[str, int, bytes, bytes]] = []
        self._kill = kill

    def send(self, topic: str, value: bytes, *, key: bytes, partition: int) -> Future:
        """Keep a record until the next flush."""
        self._waiting.append((topic, partition, key, value))
        return Future()

    def flush(self) -> None:
        """Deliver the waiting records."""

        def flush() -> None:
            self.sent += self._waiting
            self._waiting = []

        self._kill.around(flush)


def sample(number: int, *, label_version: int = 0, label: int | None = None) -> Sample:
    """Return the only sample of a question; its label follows its number unless it is given."""
    return Sample(
        sample_id=uuid_of("sample", number),
        label_version=label_version,
        question_id=uuid_of("question", number),
        event_time=START + 1000 * number,
        user="somebody",
        source="impression",
        outcomes=("click",) * label_version,
        label=number % 2 if label is None else label,
        weight=1.0,
        sampling_probability=1.0,
        query="",
        history=(),
        item_id=f"item-{number}",
        category="",
        brand="",
        price_band="",
        context_text=f"{LONG.split()[number % 9]} {LONG}",
        item_text=f"{LONG.split()[number % 7]} {LONG}",
    )


def samples_of(settings: Settings, part: str, count: int) -> list[Sample]:
    """Return the first `count` samples of one part."""
    found: list[Sample] = []
    number = 0
    while len(found) < count:
        if part_of(settings, (one := sample(number)).question_id) == part:
            found.append(one)
        number += 1
    return found


def close_hours(store: Store, partition: int, end: int) -> None:
    """Close the hours of a partition of events that lie before an hour, as the sink does."""
    row = {"partition": partition, "hour": end - 1, "first": end - 1}
    Store.write(store, "hours", {name: [value] for name, value in row.items()})


def close_all_hours(store: Store, settings: Settings) -> None:
    """Close all hours of all samples, in every partition of events."""
    for partition in range(settings.join.partitions):
        close_hours(store, partition, START // 3_600_000 + 100_000)


def sink(store: Store, settings: Settings, records: dict[int, list[list[Sample]]]) -> None:
    """Write samples, their parts and closed hours to the history, as the sink does."""
    close_all_hours(store, settings)
    placed = [
        (one, partition, offset)
        for partition, topic in records.items()
        for offset, some in enumerate(topic)
        for one in some
    ]
    Store.write(store, "samples", sample_columns(placed))
    parts = {one.sample_id: part_of(settings, one.question_id) for one, _, _ in placed}
    Store.write(
        store,
        "trusted",
        trusted_columns(
            (one, part, "assumed", None) for one, part in parts.items() if part != "stream"
        ),
    )
