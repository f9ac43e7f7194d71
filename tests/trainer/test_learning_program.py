"""The learner beside Kafka makes one version at a time, is the only one in charge, and may die."""

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mainstem.learning.evaluation import evaluation
from mainstem.store.recorded import DRAWS, KEPT_ROUNDS
from mainstem.store.recorded_schedule import RecordedSchedule
from mainstem.store.schedule_records import key_of
from mainstem.trainer import learning
from tests.trainer.deployment import (
    SETTINGS,
    Deployment,
    FakeMember,
    begun,
    fill,
    rows,
    score,
    steps,
)
from tests.trainer.fakes import Killed, KillingStore

ROUND_TABLES = ("draws", "evaluations", "costs", "rounds", "versions")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every check due, and a count settled after one check without change."""
    monkeypatch.setattr(learning, "_LOOK_EVERY", -1.0)
    monkeypatch.setattr(learning, "_QUIET", -1.0)


@pytest.fixture
def deployment(store: KillingStore, tmp_path: Path) -> Deployment:
    """Empty deployment."""
    return Deployment(store, tmp_path / "versions")


def test_the_first_version_waits_for_samples(deployment: Deployment) -> None:
    """Without samples no first version is made or announced."""
    steps(deployment.learner()[0])
    assert ([], []) == (deployment.versions.numbers(), deployment.announcements.said)


def test_the_first_version_waits_until_samples_are_enough_or_come_no_more(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first version waits for enough samples, or until their number no longer grows."""
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
    """The first version is made and announced once, with scale, direction, generation and row."""
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
    """A learner that is not in charge makes no version, announces none and runs no round."""
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
    """A learner that takes charge again announces the current version again."""
    begun(deployment)
    program, intake = deployment.learner(frozen=True)
    steps(program)
    intake.owned = []
    program.step()
    intake.owned = [("versions", 0)]
    steps(program)
    assert [(0, 1), (0, 1)] == deployment.announcements.said


def test_a_round_is_run_when_enough_was_scored(deployment: Deployment) -> None:
    """A round uses all new samples, and its version is announced after its manifest exists."""
    begun(deployment)
    program = steps(deployment.learner(2)[0])
    assert (1, 0) == (program.promoted, program.refused)
    assert ([(0, 1), (1, 2)], [True, True]) == (
        deployment.announcements.said,
        deployment.announcements.founded,
    )
    made = deployment.versions.manifest(1)
    assert (1, 0, 2) == (made.version, made.parent, made.generation)
    assert "direction.safetensors" in made.files
    assert [(1, 0, [40], 1)] == rows(
        deployment.store, "rounds", "version, parent, offsets, promoted"
    )
    fill(deployment.store, 40, 50)
    score(deployment.store, 40, 50)
    assert 1 == steps(program).promoted
    fill(deployment.store, 50, 90)
    score(deployment.store, 50, 90)
    assert 2 == steps(program).promoted
    assert [(0, None), (1, 0), (2, 1)] == rows(deployment.store, "versions", "version, parent")


def test_a_frozen_learner_runs_no_round(deployment: Deployment) -> None:
    """A frozen learner announces the first version and runs no round."""
    begun(deployment)
    program = steps(deployment.learner(frozen=True)[0])
    assert (0, 0, [(0, 1)]) == (program.promoted, program.refused, deployment.announcements.said)
    assert [] == rows(deployment.store, "draws", "version")


def test_a_version_that_is_refused_is_not_announced(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused version uses up its number, and the next round waits for more samples."""
    begun(deployment)
    whole = evaluation.Evaluation(9, 0.9, 0.1)
    worse = evaluation.Evaluation(9, 0.1, 0.9)
    monkeypatch.setattr(
        "mainstem.learning.learner.decide", lambda *_: learning_decision(whole, worse)
    )
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


def refused(_: FakeMember) -> bool:
    return False


def moved_on(intake: FakeMember) -> bool:
    intake.generation += 1
    return True


def taken_away(intake: FakeMember) -> bool:
    intake.owned = []
    return True


@pytest.mark.parametrize("commits", [refused, moved_on, taken_away])
def test_a_learner_that_was_overtaken_does_no_harm(
    deployment: Deployment, commits: Callable[[FakeMember], bool]
) -> None:
    """An overtaken learner leaves no manifest, row or announcement, and its round is run again."""
    begun(deployment)
    program, intake = deployment.learner(1)
    intake.commits = commits
    program.step()
    assert (0, 0, [0]) == (program.promoted, program.refused, deployment.versions.numbers())
    assert [] == [
        row
        for table in ("rounds", "evaluations")
        for row in rows(deployment.store, table, "version")
    ]
    assert [(0,)] == rows(deployment.store, "versions", "version")
    assert [(0, 1)] == deployment.announcements.said
    assert 1 == steps(deployment.learner(5)[0]).promoted
    assert ([0, 1], 5) == (
        deployment.versions.numbers(),
        deployment.versions.manifest(1).generation,
    )
    assert [(1,)] == rows(deployment.store, "rounds", "version")


def test_a_learner_killed_at_any_step_is_followed_by_one_that_ends_it(
    store: KillingStore, tmp_path: Path
) -> None:
    """After a death at any step of a round the next learner ends with the undisturbed result."""
    undisturbed, deaths = after_death(store, tmp_path / "whole", None), 0
    assert [0, 1] == undisturbed["numbers"]
    for at in range(100):
        found = after_death(store, tmp_path / str(at), at)
        if not found.pop("died"):
            break
        deaths += 1
        assert undisturbed == {**found, "died": False}, at
    round_steps = [*ROUND_TABLES[:-1], "save", "versions", "schedule"]
    assert len(["schedule", "announce 0", *round_steps, "announce 1"]) == deaths


def after_death(store: KillingStore, folder: Path, at: int | None) -> dict[str, Any]:
    """Return the results of a learner that dies at a step and of the next one."""
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
    kept = {key_of(one): one for one in deployment.schedule.records}
    published = RecordedSchedule.of_records(kept.values(), "the topic")
    assert KEPT_ROUNDS.of(store) == published.rounds
    assert sorted(DRAWS.of(store)) == sorted(published.draws)
    return {
        "died": died,
        "numbers": deployment.versions.numbers(),
        "weights": deployment.versions.manifest(1).files,
        "announced": deployment.announcements.said[-1][0],
        "versions": rows(
            store, "versions", "version, parent, event_time, promoted, reason, digest"
        ),
        "rounds": rows(store, "rounds", "version, parent, offsets, drawn, promoted"),
        "evaluations": rows(store, "evaluations", "version, round, slice, samples, auc"),
        "draws": rows(store, "draws", "sample_id, version, probability"),
        "costs": rows(store, "costs", "version, kind, samples, tokens, forward_equivalents"),
    }


def test_a_generation_never_falls(deployment: Deployment) -> None:
    """A new version has at least its parent's generation when the group counts anew."""
    begun(deployment, generation=7)
    steps(deployment.learner(2)[0])
    assert 7 == deployment.versions.manifest(1).generation
    assert [(0, 7), (1, 7)] == deployment.announcements.said


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"learning.learning_rate": 1e30},
            r"non-finite (loss|gradient) at step \d+|non-finite logits for \d+ of \d+ samples",
        ),
        (
            {"learning.held_out": 1000},
            r"nothing could be drawn; learning\.held_out keeps out the newest 1,000",
        ),
    ],
)
def test_a_round_that_cannot_train_is_no_version(
    deployment: Deployment, given: dict[str, Any], told: str
) -> None:
    """A round of numbers that are not finite, or of no samples, is refused with that reason."""
    begun(deployment)
    program = steps(deployment.learner(settings=SETTINGS.but(given))[0], 2)
    assert ([0], 0, 1) == (deployment.versions.numbers(), program.promoted, program.refused)
    assert [(0, 1)] == deployment.announcements.said
    for table in ("rounds", "versions"):
        [(version, promoted, reason)] = [
            row for row in rows(deployment.store, table, "version, promoted, reason") if row[0]
        ]
        assert (1, 0) == (version, promoted)
        assert re.fullmatch(told, reason)
