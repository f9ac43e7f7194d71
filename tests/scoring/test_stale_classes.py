"""With more than two classes, too, an earlier version counts for as much as it has held true."""

from typing import Any
from uuid import UUID

import numpy as np
import pytest

from mainstem.evidence import what_is_left
from mainstem.importance import CANARY, STREAM, Rows
from mainstem.scoring import evidence
from mainstem.scoring.evidence import evidence_on
from mainstem.scoring.kept import Kept
from mainstem.scoring.known import known_of
from mainstem.settings import Settings
from mainstem.standing import judge
from mainstem.standing.sets import CONTRADICTORY
from mainstem.store.visits import CanaryLogits
from tests.importance.visiting import fact, visits

SAMPLES, CANARIES, AGAIN = 1500, 450, 900
CLASSES = 3
SETTINGS = Settings.of({"objectives.classes": "a,b,c", "standing.divisions": 1})


class Partition:
    """Rows of three classes that two versions scored; a tenth of the labels in the log is wrong.

    The first version scored all samples, and the second one the canaries and a part of the stream.

    Args:
        seed: seed of labels and logits.
        first: how much of what the second version says the first one has said; the rest is chance.
    """

    def __init__(self, seed: int, first: float, signal: float = 2.0) -> None:
        random, number = np.random.default_rng(seed), np.arange(SAMPLES)
        self.truth = random.integers(0, CLASSES, SAMPLES)
        is_wrong = random.random(SAMPLES) < 0.1
        self.given = np.where(is_wrong, (self.truth + 1) % CLASSES, self.truth)
        self.wrong = self.given != self.truth
        label = np.where(number < CANARIES, self.truth, self.given)
        now = random.normal(size=(SAMPLES, CLASSES)) + signal * np.eye(CLASSES)[self.truth]
        chance = random.normal(size=now.shape) * now.std()
        before = first * (now - now.mean()) + np.sqrt(1 - first**2) * chance
        self.rows, canaries = Rows(), {}
        for version, logits, count in ((1, before, SAMPLES), (2, now, AGAIN)):
            here = number[:count]
            others = np.where(np.eye(CLASSES)[label] > 0, -np.inf, logits).max(axis=1)
            self.rows.visit(
                visits(
                    version=version,
                    scale=1.0,
                    ids=[UUID(int=at + 1) for at in here.tolist()],
                    facts=[
                        fact(
                            offset=at,
                            label=int(label[at]),
                            part=CANARY if at < CANARIES else STREAM,
                        )
                        for at in here.tolist()
                    ],
                    norm=np.ones(count),
                    margin=np.float32(logits[number, label] - others)[:count],
                    loss=np.ones(count),
                    given=np.where(here < CANARIES, self.given[:count], -1),
                )
            )
            keys = np.array([UUID(int=at + 1).bytes for at in range(CANARIES)], "S16")
            canaries[version] = CanaryLogits(keys, logits[:CANARIES])
        last = np.where((number < AGAIN)[:, None], now, before)
        self.kept = Kept(logits=last, canaries=canaries)
        self.stale = number >= AGAIN

    def called(self, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
        """Whether each sample is called contradictory."""
        monkeypatch.setattr(evidence, "kept_of", lambda *_, **__: self.kept)
        nowhere: Any = None
        said = evidence_on(self.rows, Rows(), nowhere, 0, SAMPLES, SETTINGS)
        assert said.verdicts is not None
        judged = judge(self.rows, SETTINGS.standing, trusted=True, **said._asdict())
        return np.asarray(judged.reason == CONTRADICTORY)


@pytest.mark.parametrize("first", [0.0, 0.6, 1.0])
def test_what_each_class_was_given_counts_for_what_it_was_worth(first: float) -> None:
    """Scores of the first version spread by its correlation with the newest, class by class."""
    made = Partition(1, first)
    scores = known_of(made.rows, Rows(), made.kept, CLASSES).known.scores
    assert scores is not None
    fresh = ~made.stale & (np.arange(SAMPLES) >= CANARIES)
    for one in scores.T:
        assert first == pytest.approx(one[made.stale].std() / one[fresh].std(), abs=0.15)


def test_a_margin_counts_for_what_the_newest_version_says_of_its_own() -> None:
    """Of the margins of a version that knew nothing nothing is left, and of a twin's all is."""
    left = []
    for first in (0.0, 1.0):
        made = Partition(1, first)
        margin = known_of(made.rows, Rows(), made.kept, CLASSES).known.margin
        assert margin is not None
        fresh = ~made.stale & (np.arange(SAMPLES) >= CANARIES)
        left.append(margin[made.stale].std() / margin[fresh].std())
    assert pytest.approx([0.0, 1.0], abs=0.1) == left


@pytest.mark.parametrize("seed", [0, 1])
def test_an_untrained_version_calls_no_sound_sample(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong labels that the newest version saw are called, and none by what is only chance."""
    # mixed as they are, the same scores would call sound samples by the dozen: so they do where no
    # canary tells that the first version knew nothing
    made = Partition(seed, 0.0)
    called = made.called(monkeypatch)
    fresh = ~made.stale & (np.arange(SAMPLES) >= CANARIES)
    assert 20 < (called & fresh & made.wrong).sum()
    assert 0 == (called & made.stale).sum()
    first = made.kept.canaries[1]
    made.kept.canaries[1] = first._replace(keys=np.array([b"other"] * CANARIES, "S16"))
    mixed = made.called(monkeypatch)
    assert 30 < (mixed & made.stale & ~made.wrong).sum()


def test_what_groups_have_in_common_is_no_agreement() -> None:
    """Where canaries are ranked within their groups, only agreement within these counts."""
    random, group = np.random.default_rng(4), np.arange(900) % 3
    before, now = random.normal(size=(2, 900)) + 9.0 * group
    assert what_is_left(before, now) > 0.8
    assert what_is_left(before, now, group) < 0.1
    assert pytest.approx(1) == what_is_left(before, before * 2 - group, group)
    assert 1 == what_is_left(before[:40], -before[:40], np.arange(40))  # alone in their groups
