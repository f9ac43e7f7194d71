"""A deployment without Kafka, in which learners start, stop and die at any step."""

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
    """Versions that may kill the program when it saves one."""

    def __init__(self, url: str, kill: Kill) -> None:
        self.kill = kill
        super().__init__(url)

    def save(self, *given: Any, **more: Any) -> Any:
        """Save a version, or die before."""
        return self.kill.around(lambda: Versions.save(self, *given, **more))


class FakeMember:
    """A member of the learners' group, in charge or not, as a learner sees it."""

    commits: Callable[["FakeMember"], bool]

    def __init__(self, generation: int, *, owns: bool = True) -> None:
        self.generation = generation
        self.owned = [("versions", 0)] if owns else []
        self.commits = lambda _: True

    def next_batch(self) -> list[Any]:
        """Return no records, because a learner reads none."""
        return []

    def commit(self) -> bool:
        """Return whether the group still has this member."""
        return self.commits(self)


class FakeAnnouncements:
    """Records the announcements, and for each whether its manifest existed at that time."""

    def __init__(self, versions: Versions, kill: Kill) -> None:
        self.said: list[tuple[int, int]] = []
        self.founded: list[bool] = []
        self._versions, self._kill = versions, kill

    def write(self, announcement: Announcement, _producer: object) -> None:
        """Record an announcement."""

        def keep() -> None:
            self.said.append((announcement.version, announcement.generation))
            self.founded.append(announcement.version in self._versions.numbers())

        self._kill.around(keep)


class FakeSchedule:
    """Records the published schedule; undelivered records are lost when the program dies."""

    def __init__(self, kill: Kill) -> None:
        self.records: list[ScheduleRecord] = []
        self._waiting: list[ScheduleRecord] = []
        self._kill = kill

    def write(self, records: Iterable[ScheduleRecord]) -> None:
        """Keep records until they are delivered."""
        self._waiting += records

    def delivered(self) -> None:
        """Deliver the waiting records."""

        def deliver() -> None:
            self.records += self._waiting
            self.lose()

        self._kill.around(deliver)

    def lose(self) -> None:
        """Lose the waiting records, as when the program dies."""
        self._waiting = []


class Deployment:
    """A history, versions and announcements that several learners use one after another."""

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
        """Return a new learner and its member of the group."""
        intake = FakeMember(generation, owns=owns)
        # The predecessor's undelivered records are lost.
        self.schedule.lose()
        places = (self.announcements, None, self.schedule, intake)
        given = (self.store, self.versions, settings, *places)
        return LearningProgram(*given, frozen=frozen), intake  # type: ignore[arg-type]


def steps(program: LearningProgram, count: int = 4) -> LearningProgram:
    """Let the program take some steps."""
    for _ in range(count):
        program.step()
    return program


def fill(store: Store, first: int = 0, end: int = 40) -> None:
    """Write what the joiner and the sink write."""
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
    """Write what the scoring workers write at version 0."""
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
    """Write samples, their responses and version 0."""
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
    """Return some columns of a table, sorted."""
    return store.rows(f"SELECT {names} FROM {table} FINAL ORDER BY {names}")
