"""Slices of the stream: which questions are trusted, and in which part."""

from collections import Counter
from uuid import UUID

import pytest

from mainstem.ids import uuid_of
from mainstem.settings import Join, Run, Settings, Trusted
from mainstem.trusted import PARTS, part_of

SETTINGS = Settings(trusted=Trusted(direction_share=0.05, canary_share=0.2, gate_share=0.1))
QUESTIONS = [uuid_of("question", number) for number in range(10_000)]


def test_slices_have_their_shares() -> None:
    """Each part holds its share of the questions, within four deviations."""
    found = Counter(part_of(SETTINGS, question) for question in QUESTIONS)
    shares = {"direction": 0.05, "canary": 0.2, "gate": 0.1, "stream": 0.65}
    assert set(PARTS) == set(found)
    for part, share in shares.items():
        assert pytest.approx(share, abs=4 * (share * (1 - share) / len(QUESTIONS)) ** 0.5) == found[
            part
        ] / len(QUESTIONS)


@pytest.mark.parametrize(
    ("shares", "part"),
    [
        ((0, 0, 0), "stream"),
        ((1, 0, 0), "direction"),
        ((0, 1, 0), "canary"),
        ((0, 0, 1), "gate"),
        ((0, 0.5, 0.5), None),
    ],
)
def test_shares_may_be_nothing_or_all(shares: tuple[float, float, float], part: str | None) -> None:
    """A share of 0 takes no question, and shares that add up to 1 leave none in the stream."""
    settings = Settings(
        trusted=Trusted(direction_share=shares[0], canary_share=shares[1], gate_share=shares[2])
    )
    found = {part_of(settings, question) for question in QUESTIONS[:200]}
    assert ({part} if part else {"canary", "gate"}) == found


def test_a_slice_depends_on_seed_and_question_only() -> None:
    """The part of a question depends on no other setting than the seed and the shares."""
    other = Settings(
        trusted=Trusted(direction_share=0.05, canary_share=0.2, gate_share=0.1),
        join=Join(partitions=7, history_length=1),
    )
    reseeded = Settings(
        trusted=Trusted(direction_share=0.05, canary_share=0.2, gate_share=0.1), run=Run(seed=1)
    )
    parts = [part_of(SETTINGS, question) for question in QUESTIONS[:500]]
    assert parts == [part_of(other, question) for question in QUESTIONS[:500]]
    assert parts != [part_of(reseeded, question) for question in QUESTIONS[:500]]


def test_slices_are_the_same_on_every_machine() -> None:
    """Known questions are in known parts, so that a log replayed elsewhere finds them there."""
    expected = {0: "stream", 1: "gate", 3: "canary", 4: "direction"}
    assert expected == {number: part_of(SETTINGS, UUID(int=number)) for number in expected}


def test_slices_do_not_follow_the_planted_errors() -> None:
    """Planted errors fall on all parts alike, because draws by the same seed are independent."""
    from mainstem.bench.planting import Plant

    canaries = [question for question in QUESTIONS if part_of(SETTINGS, question) == "canary"]
    planted = [
        Plant(share=0.3, seed=SETTINGS.run.seed).is_planted(question.hex, "stream")
        for question in canaries
    ]
    assert pytest.approx(0.3, abs=4 * (0.21 / len(canaries)) ** 0.5) == sum(planted) / len(canaries)
