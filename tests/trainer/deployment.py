"""A deployment without Kafka: learners come and go over a history, versions and announcements, and die at any step."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mainstem.events import Item
from mainstem.join import PlacedSample
from mainstem.kafka.messages import Announcement
from mainstem.learning.first import make_first_version
from mainstem.settings import Learning, Model, Settings, Trusted
from mainstem.store import Store
from mainstem.store.schedule_records import ScheduleRecord
from mainstem.store.writes import item_columns, position_columns
from mainstem.trainer.learning import LearningProgram
from mainstem.trusted import part_of
from mainstem.versions import Versions
from tests.trainer.fakes import LONG, Kill, KillingStore, sample, sink

SETTINGS = Settings(
    learning=Learning(round_every=20, draw=12, held_out=4, epochs=1, gate_minimum=2, gate_margin=1),
    model=Model(max_tokens=16, vocabulary=200, device="cpu"),
    trusted=Trusted(direction_share=0.1, canary_share=0.2, gate_share=0.2),
)


class KillingVersions(Versions):
    """Versions whose saving can be the last thing that a process does."""

    def __init__(self, url: str, kill: Kill) -> None:
        self.kill = kill
        super().__init__(url)

    def save(self, *given: Any, **more: Any) -> Any:
        """Save, and perhaps die before."""
        return self.kill.around(lambda: Versions.save(self, *given, **more))


class FakeMember:
    """A member of the learners' group, in charge or not: what a learner asks of its intake."""

    commits: Callable[["FakeMember"], bool]

    def __init__(self, generation: int, *, owns: bool = True) -> None:
        self.generation = generation
        self.owned = [("versions", 0)] if owns else []
        self.commits = lambda _: True

    def next_batch(self) -> list[Any]:
        """Nothing that the learner would look at."""
        return []

    def commit(self) -> bool:
        """Whether the group still knows this member."""
        return self.commits(self)


class FakeAnnouncements:
    """Keeps what is announced, each with whether its manifest was there."""

    def __init__(self, versions: Versions, kill: Kill) -> None:
        self.said: list[tuple[int, int]] = []
        self.founded: list[bool] = []
        self._versions, self._kill = versions, kill

    def write(self, announcement: Announcement, _producer: object) -> None:
        """Keep it."""

        def keep() -> None:
            self.said.append((announcement.version, announcement.generation))
            self.founded.append(announcement.version in self._versions.numbers())

        self._kill.around(keep)


class FakeSchedule:
    """Keeps what is published of the schedule; what was not delivered dies with its process."""

    def __init__(self, kill: Kill) -> None:
        self.records: list[ScheduleRecord] = []
        self._waiting: list[ScheduleRecord] = []
        self._kill = kill

    def write(self, records: Iterable[ScheduleRecord]) -> None:
        """Keep them for later."""
        self._waiting += records

    def delivered(self) -> None:
        """Now the broker has them."""

        def deliver() -> None:
            self.records += self._waiting
            self.lose()

        self._kill.around(deliver)

    def lose(self) -> None:
        """A process dies."""
        self._waiting = []


class Deployment:
    """A history, versions and announcements that learners come and go over."""

    def __init__(self, store: KillingStore, folder: Path) -> None:
        self.store = store
        self.versions = KillingVersions(f"file://{folder}", store.kill)
        self.announcements = FakeAnnouncements(self.versions, store.kill)
        self.schedule = FakeSchedule(store.kill)

    def learner(
        self,
        generation: int = 1,
        *,
        owns: bool = True,
        frozen: bool = False,
        settings: Settings = SETTINGS,
    ) -> tuple[LearningProgram, FakeMember]:
        """A new one, and its place in the group."""
        intake = FakeMember(generation, owns=owns)
        # what its predecessor had not delivered is lost
        self.schedule.lose()
        places = (self.announcements, None, self.schedule, intake)
        given = (self.store, self.versions, settings, *places)
        return LearningProgram(*given, frozen=frozen), intake  # type: ignore[arg-type]


def steps(program: LearningProgram, count: int = 4) -> LearningProgram:
    """Let it look some times."""
    for _ in range(count):
        program.step()
    return program


def fill(store: Store, first: int = 0, end: int = 40) -> None:
    """What the joiner and the sink wrote."""
    items = [
        Item(event_id=f"e{number}", item_id=f"i{number}", event_timestamp=number, title=title)
        for number, title in enumerate(LONG.split())
    ]
    Store.write(store, "items", item_columns(items))
    sink(
        store,
        SETTINGS,
        {0: [[] for _ in range(first)] + [[sample(number)] for number in range(first, end)]},
    )


def score(store: Store, first: int = 0, end: int = 40) -> None:
    """What the scoring workers wrote, at version 0."""
    rows: list[dict[str, Any]] = []
    placed = [PlacedSample.of(sample(number), 0, number, "") for number in range(first, end)]
    Store.write(store, "positions", position_columns(placed, range(first, end)))
    for number in range(first, end):
        one = sample(number)
        if (part := part_of(SETTINGS, one.question_id)) in {"stream", "canary"}:
            facts = {
                "sample_id": one.sample_id,
                "label_version": 0,
                "version": 0,
                "partition": 0,
                "offset": number,
            }
            facts |= {"event_time": one.event_time, "label": one.label, "part": part}
            rows.append(facts | {"norm": 1 + number % 3, "scale": 2.0, "loss": 0.5, "margin": 0.1})
    Store.write(store, "responses", {name: [row[name] for row in rows] for name in rows[0]})


def begun(deployment: Deployment, generation: int = 1) -> None:
    """Samples, their responses and version 0."""
    fill(deployment.store)
    score(deployment.store)
    make_first_version(
        deployment.versions,
        deployment.store,
        lambda: [LONG],
        SETTINGS,
        scale=lambda _: 2.0,
        generation=generation,
    )


def rows(store: Store, table: str, names: str) -> list[tuple[Any, ...]]:
    """Some columns of a table, in order."""
    return store.rows(f"SELECT {names} FROM {table} FINAL ORDER BY {names}")
