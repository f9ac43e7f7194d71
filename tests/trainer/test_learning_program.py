"""The learner beside Kafka: one version at a time, by the one in charge, whatever dies in between."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mainstem.events import Item
from mainstem.kafka.messages import Announcement
from mainstem.learning import evaluation
from mainstem.learning.first import make_first_version
from mainstem.settings import Settings
from mainstem.standing import part_of
from mainstem.store import Store
from mainstem.store.writes import item_columns
from mainstem.trainer import learning
from mainstem.trainer.learning import LearningProgram
from mainstem.versions import Versions
from tests.trainer.fakes import LONG, Kill, Killed, KillingStore, sample, sink

SETTINGS = Settings(
    round_every=20,
    draw=12,
    held_out=4,
    epochs=1,
    gate_minimum=2,
    gate_margin=1,
    max_tokens=16,
    vocabulary=200,
    direction_share=0.1,
    canary_share=0.2,
    gate_share=0.2,
    device="cpu",
)
ROUND_TABLES = ("draws", "evaluations", "rounds", "versions")


class KillingVersions(Versions):
    """Versions whose saving can be the last thing that a process does."""

    def __init__(self, url: str, kill: Kill) -> None:
        self.kill = kill
        super().__init__(url)

    def save(self, *given: Any, **more: Any) -> Any:
        """Save, and perhaps die before."""
        return self.kill.around(lambda: Versions.save(self, *given, **more))


class FakeIntake:
    """Who is in charge."""

    def __init__(self, generation: int, *, owns: bool = True) -> None:
        self.generation = generation
        self.owned = [("versions", 0)] if owns else []
        self.commits: Callable[[FakeIntake], bool] = lambda _: True

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


class Deployment:
    """A history, versions and announcements that learners come and go over."""

    def __init__(self, store: KillingStore, folder: Path) -> None:
        self.store = store
        self.versions = KillingVersions(f"file://{folder}", store.kill)
        self.announcements = FakeAnnouncements(self.versions, store.kill)

    def learner(self, generation: int = 1, *, owns: bool = True, frozen: bool = False) -> tuple[LearningProgram, FakeIntake]:
        """A new one, and its place in the group."""
        intake = FakeIntake(generation, owns=owns)
        given = (self.store, self.versions, SETTINGS, self.announcements, None, intake)
        return LearningProgram(*given, frozen=frozen), intake  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look is due, and a count that stayed the same for one look has stayed long enough."""
    monkeypatch.setattr(learning, "_LOOK_EVERY", -1.0)
    monkeypatch.setattr(learning, "_QUIET", -1.0)


@pytest.fixture
def deployment(store: KillingStore, tmp_path: Path) -> Deployment:
    """One without anything yet."""
    return Deployment(store, tmp_path / "versions")


def steps(program: LearningProgram, count: int = 4) -> LearningProgram:
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
    sink(store, SETTINGS, {0: [[] for _ in range(first)] + [[sample(number)] for number in range(first, end)]})


def score(store: Store, first: int = 0, end: int = 40) -> None:
    """What the scoring workers wrote, at version 0."""
    rows: list[dict[str, Any]] = []
    for number in range(first, end):
        one = sample(number)
        if (part := part_of(SETTINGS, one.question_id)) in {"stream", "canary"}:
            facts = {"sample_id": one.sample_id, "label_version": 0, "version": 0, "partition": 0, "offset": number}
            facts |= {"event_time": one.event_time, "label": one.label, "part": part}
            rows.append(facts | {"norm": 1 + number % 3, "scale": 2.0, "loss": 0.5, "margin": 0.1})
    Store.write(store, "responses", {name: [row[name] for row in rows] for name in rows[0]})


def begun(deployment: Deployment, generation: int = 1) -> None:
    """Samples, their responses and version 0."""
    fill(deployment.store)
    score(deployment.store)
    make_first_version(
        deployment.versions, deployment.store, lambda: [LONG], SETTINGS, scale=lambda _: 2.0, generation=generation
    )


def rows(store: Store, table: str, names: str) -> list[tuple[Any, ...]]:
    """Some columns of a table, in order."""
    return store.rows(f"SELECT {names} FROM {table} FINAL ORDER BY {names}")


def test_the_first_version_waits_for_samples(deployment: Deployment) -> None:
    """Without samples there is none, and none is announced."""
    steps(deployment.learner()[0])
    assert ([], []) == (deployment.versions.numbers(), deployment.announcements.said)


def test_the_first_version_waits_until_samples_are_enough_or_come_no_more(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While few samples grow in number it is not made; enough of them make it at once."""
    program, _ = deployment.learner()
    for end in (5, 10, 15):
        fill(deployment.store, end - 5, end)
        program.step()
        assert [] == deployment.versions.numbers()
    monkeypatch.setattr(learning, "_FIRST_SAMPLES", 20)
    fill(deployment.store, 15, 20)
    program.step()
    assert [0] == deployment.versions.numbers()


def test_the_first_version_is_made_and_announced_once(deployment: Deployment) -> None:
    """It has a scale, a direction, the learner's generation and a row; more steps make nothing more."""
    fill(deployment.store)
    program = steps(deployment.learner(3)[0], 3)
    made = deployment.versions.manifest(0)
    steps(program)
    assert made == deployment.versions.manifest(0)
    assert (3, True) == (made.generation, (made.scale or 0) > 0)
    assert "direction.safetensors" in made.files
    assert ([(0, 3)], [True]) == (deployment.announcements.said, deployment.announcements.founded)
    assert [(0, 1, made.files["weights.safetensors"])] == deployment.store.rows(
        "SELECT version, promoted, digest FROM versions"
    )
    tokens = deployment.versions.load(0).tokenizer.get_vocab()
    assert {"woolly", "hottie"} <= set(tokens)


def test_one_that_is_not_in_charge_does_nothing(deployment: Deployment) -> None:
    """It makes no first version, announces none and runs no round, until the partition is its own."""
    fill(deployment.store)
    program, intake = deployment.learner(owns=False)
    steps(program)
    assert ([], []) == (deployment.versions.numbers(), deployment.announcements.said)
    score(deployment.store)
    intake.owned = [("versions", 0)]
    steps(program)
    assert [0, 1] == deployment.versions.numbers()
    intake.owned = []
    fill(deployment.store, 40, 80)
    score(deployment.store, 40, 80)
    steps(program)
    assert [0, 1] == deployment.versions.numbers()


def test_one_that_is_in_charge_again_announces_again(deployment: Deployment) -> None:
    """Whoever takes over says which version holds, lest the one before died before it said so."""
    begun(deployment)
    program, intake = deployment.learner(frozen=True)
    steps(program)
    intake.owned = []
    program.step()
    intake.owned = [("versions", 0)]
    steps(program)
    assert [(0, 1), (0, 1)] == deployment.announcements.said


def test_a_round_is_run_when_enough_was_scored(deployment: Deployment) -> None:
    """One round for all that is new, its version announced when its manifest is there, and no other before more comes."""
    begun(deployment)
    program = steps(deployment.learner(2)[0])
    assert (1, 0) == (program.promoted, program.refused)
    assert ([(0, 1), (1, 2)], [True, True]) == (deployment.announcements.said, deployment.announcements.founded)
    made = deployment.versions.manifest(1)
    assert (1, 0, 2) == (made.version, made.parent, made.generation)
    assert "direction.safetensors" in made.files
    last = max(number for number in range(40) if part_of(SETTINGS, sample(number).question_id) in {"stream", "canary"})
    assert [(1, 0, [last + 1], 1)] == rows(deployment.store, "rounds", "version, parent, offsets, promoted")
    fill(deployment.store, 40, 50)
    score(deployment.store, 40, 50)
    assert 1 == steps(program).promoted
    fill(deployment.store, 50, 90)
    score(deployment.store, 50, 90)
    assert 2 == steps(program).promoted
    assert [(0, None), (1, 0), (2, 1)] == rows(deployment.store, "versions", "version, parent")


def test_a_frozen_learner_runs_no_round(deployment: Deployment) -> None:
    """It announces the first version, and that is all."""
    begun(deployment)
    program = steps(deployment.learner(frozen=True)[0])
    assert (0, 0, [(0, 1)]) == (program.promoted, program.refused, deployment.announcements.said)
    assert [] == rows(deployment.store, "draws", "version")


def test_a_version_that_is_refused_is_not_announced(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its round and its number are used up, the parent stays, and the next round waits for more samples."""
    begun(deployment)
    whole = evaluation.Evaluation(9, 0.9, 0.1)
    worse = evaluation.Evaluation(9, 0.1, 0.9)
    monkeypatch.setattr("mainstem.learning.learner.decide", lambda *_: learning_decision(whole, worse))
    program = steps(deployment.learner()[0])
    assert (0, 1, [(0, 1)]) == (program.promoted, program.refused, deployment.announcements.said)
    assert [0] == deployment.versions.numbers()
    assert [(0, 1), (1, 0)] == rows(deployment.store, "versions", "version, promoted")
    monkeypatch.undo()
    monkeypatch.setattr(learning, "_LOOK_EVERY", -1.0)
    fill(deployment.store, 40, 80)
    score(deployment.store, 40, 80)
    steps(program)
    assert [0, 2] == deployment.versions.numbers()
    assert 0 == deployment.versions.manifest(2).parent


def learning_decision(before: evaluation.Evaluation, after: evaluation.Evaluation) -> Any:
    from mainstem.learning import Decision

    return Decision(False, "gate", before, after, "worse")


def refused(_: FakeIntake) -> bool:
    return False


def moved_on(intake: FakeIntake) -> bool:
    intake.generation += 1
    return True


def taken_away(intake: FakeIntake) -> bool:
    intake.owned = []
    return True


@pytest.mark.parametrize("commits", [refused, moved_on, taken_away])
def test_a_learner_that_was_overtaken_does_no_harm(deployment: Deployment, commits: Callable[[FakeIntake], bool]) -> None:
    """It promotes nothing and leaves no manifest, row or announcement; the next one runs the round of that number."""
    begun(deployment)
    program, intake = deployment.learner(1)
    intake.commits = commits
    program.step()
    assert (0, 0, [0]) == (program.promoted, program.refused, deployment.versions.numbers())
    assert [] == [row for table in ("rounds", "evaluations") for row in rows(deployment.store, table, "version")]
    assert [(0,)] == rows(deployment.store, "versions", "version")
    assert [(0, 1)] == deployment.announcements.said
    assert 1 == steps(deployment.learner(5)[0]).promoted
    assert ([0, 1], 5) == (deployment.versions.numbers(), deployment.versions.manifest(1).generation)
    assert [(1,)] == rows(deployment.store, "rounds", "version")


def test_a_learner_killed_at_any_step_is_followed_by_one_that_ends_it(store: KillingStore, tmp_path: Path) -> None:
    """Wherever a round is cut off, the next learner ends with the version of an undisturbed one, its rows and its word."""
    undisturbed, deaths = after_death(store, tmp_path / "whole", None), 0
    assert [0, 1] == undisturbed["numbers"]
    for at in range(100):
        found = after_death(store, tmp_path / str(at), at)
        if not found.pop("died"):
            break
        deaths += 1
        assert undisturbed == {**found, "died": False}, at
    assert len(["announce 0", "draws", "evaluations", "rounds", "save", "versions", "announce 1"]) == deaths


def after_death(store: KillingStore, folder: Path, at: int | None) -> dict[str, Any]:
    """What is there after a learner that dies at a step and one that follows it."""
    for table in ROUND_TABLES:
        store.execute(f"TRUNCATE TABLE {table}")
    deployment = Deployment(store, folder)
    begun(deployment)
    store.kill.left = at
    died = True
    with suppress(Killed):
        steps(deployment.learner(1)[0])
        died = False
    store.kill.left = None
    steps(deployment.learner(2)[0])
    assert all(deployment.announcements.founded)
    return {
        "died": died,
        "numbers": deployment.versions.numbers(),
        "weights": deployment.versions.manifest(1).files,
        "announced": deployment.announcements.said[-1][0],
        "versions": rows(store, "versions", "version, parent, event_time, promoted, reason, digest"),
        "rounds": rows(store, "rounds", "version, parent, offsets, drawn, promoted"),
        "evaluations": rows(store, "evaluations", "version, round, slice, samples, auc"),
        "draws": rows(store, "draws", "sample_id, version, probability"),
    }


def test_a_generation_never_falls(deployment: Deployment) -> None:
    """Where the group counts anew, a new version has at least its parent's generation, so that its claim holds."""
    begun(deployment, generation=7)
    steps(deployment.learner(2)[0])
    assert 7 == deployment.versions.manifest(1).generation
    assert [(0, 7), (1, 7)] == deployment.announcements.said
