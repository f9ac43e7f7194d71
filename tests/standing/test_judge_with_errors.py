"""The judge: whole partitions with planted errors."""

import numpy as np

from mainstem.importance import Rows
from mainstem.standing import CORE, EDGE, NOISE, REASONS, evidence_of, judge
from tests.standing.rows import SETTINGS, canaries, rows_of, settle_canaries


def noisy(
    random: np.random.Generator, *, samples: int, share: float, shift: float = 3.0
) -> tuple[Rows, np.ndarray]:
    """Make a partition of samples, a share of them wrong, and 400 sound canaries.

    The margins of wrong samples are lower by `shift`.
    """
    wrong = np.concatenate([random.random(samples) < share, np.zeros(400, np.bool_)])
    rows = rows_of(*[{} for _ in range(samples)], *canaries(np.zeros(400)))
    rows["recent_margin"][:] = random.normal(size=len(wrong)) - shift * wrong
    settle_canaries(rows)
    rows["label"][:] = random.integers(0, 2, len(wrong))
    return rows, wrong


def test_evidence_among_samples_of_one_label_does_not_change_with_the_scale_of_margins() -> None:
    """Among samples of one label only the order of margins counts."""
    rows, _ = noisy(np.random.default_rng(0), samples=50, share=0.2)
    rows["label"][:] = 1
    before = evidence_of(rows)
    rows["recent_margin"][:] = np.sinh(rows["recent_margin"]) + 7
    assert before.tolist() == evidence_of(rows).tolist()


def test_judging_changes_nothing_and_repeats_itself() -> None:
    """The judge leaves its rows as they were, and judges the same again."""
    rows, _ = noisy(np.random.default_rng(0), samples=200, share=0.2)
    before = {name: rows[name].copy() for name in rows}
    one, other = (judge(rows, SETTINGS.standing, trusted=True) for _ in range(2))
    for name, array in before.items():
        assert np.array_equal(array, rows[name], equal_nan=True), name
    assert (one.standing.tolist(), one.reason.tolist()) == (
        other.standing.tolist(),
        other.reason.tolist(),
    )


def test_every_sample_has_one_standing_that_fits_its_reason() -> None:
    """Counts add up to all samples, and each reason occurs with its own standing only."""
    rows, _ = noisy(np.random.default_rng(3), samples=400, share=0.2)
    rows["importance"][:] = np.random.default_rng(4).exponential(size=len(rows))
    judged = judge(rows, SETTINGS.but({"standing.spent_level": 0.1}).standing, trusted=True)
    assert len(rows) == sum(judged.counts().values())
    expected = {
        EDGE: {"undecided", "doubtful"},
        CORE: {"important"},
        NOISE: {"contradictory", "spent"},
    }
    assert expected == {
        one: {REASONS[reason] for reason in judged.reason[judged.standing == one]}
        for one in expected
    }


def test_false_calls_stay_near_their_rate() -> None:
    """With a fifth of the labels wrong, false calls stay near q and many errors are found."""
    shares, powers = [], []
    for seed in range(20):
        rows, wrong = noisy(np.random.default_rng(seed), samples=600, share=0.2)
        called = judge(rows, SETTINGS.standing, trusted=True).reason == REASONS.index(
            "contradictory"
        )
        shares.append((called & ~wrong).sum() / max(called.sum(), 1))
        powers.append((called & wrong).sum() / wrong.sum())
    assert np.mean(shares) <= SETTINGS.standing.false_discovery_rate + 0.1
    assert np.mean(powers) > 0.2


def test_sound_samples_are_hardly_ever_called() -> None:
    """Where no label is wrong, a partition has any call about as seldom as q says."""
    calls = [
        judge(
            noisy(np.random.default_rng(seed), samples=300, share=0)[0],
            SETTINGS.standing,
            trusted=True,
        ).counts()["contradictory"]
        for seed in range(60)
    ]
    assert np.mean([call > 0 for call in calls]) <= SETTINGS.standing.false_discovery_rate + 0.1
