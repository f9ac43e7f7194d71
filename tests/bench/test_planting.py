"""Planted errors: which labels are flipped, and how the errors that were found are counted."""

from dataclasses import asdict
from uuid import UUID

import msgspec
import numpy as np
import pytest

from mainstem.bench.planting import Plant
from mainstem.ids import uuid_of
from mainstem.importance import CANARY, Rows
from mainstem.join import PlacedSample, Sample
from mainstem.standing import EDGE, NOISE, REASONS, Judgement
from tests.importance.visiting import visits

PLANT = Plant(share=0.1, seed=3)
IDS = [uuid_of("sample", number) for number in range(5000)]


def sample(sample_id: UUID, label: int) -> Sample:
    """A sample as the join makes it."""
    return Sample(
        sample_id=sample_id,
        label_version=0,
        question_id=sample_id,
        event_time=0,
        user="pseudonym",
        source="purchase",
        outcomes=("purchase",),
        label=label,
        weight=1.0,
        sampling_probability=1.0,
        query="",
        history=(),
        item_id="item",
        category="",
        brand="",
        price_band="",
        context_text="red",
        item_text="cups",
        targets=(float(label),),
    )


def stored(one: Sample, part: str) -> PlacedSample:
    """The same sample as the history returns it."""
    known = {
        name: value
        for name, value in msgspec.structs.asdict(one).items()
        if name in PlacedSample._fields
    }
    return PlacedSample(**known, partition=0, offset=0, part=part)


def judged(
    ids: list[UUID], contradictory: list[bool], evidence: list[float], part: int = 0
) -> tuple[Rows, Judgement]:
    """A partition of these samples, and a judgement that calls some of them contradictory."""
    columns, count = Rows(), len(ids)
    facts = {
        "label_version": 0,
        "partition": 0,
        "offset": 0,
        "event_time": 0,
        "label": 1,
        "part": part,
    }
    some = np.ones(count)
    columns.visit(
        visits(
            version=1, scale=1.0, ids=ids, facts=[facts] * count, norm=some, margin=some, loss=some
        )
    )
    reason = np.where(
        contradictory, REASONS.index("contradictory"), REASONS.index("undecided")
    ).astype(np.int8)
    standing = np.where(contradictory, NOISE, EDGE).astype(np.int8)
    return columns, Judgement(standing, reason, np.array(evidence), some, some, 1.0, 0, "given")


def test_a_share_of_the_stream_is_turned_over() -> None:
    """The planted share is the one asked for, within four deviations, and the seed decides it."""
    planted = [PLANT.is_planted(one.hex, "stream") for one in IDS]
    assert pytest.approx(0.1, abs=4 * (0.09 / len(IDS)) ** 0.5) == np.mean(planted)
    assert planted != [Plant(share=0.1, seed=4).is_planted(one.hex, "stream") for one in IDS]


@pytest.mark.parametrize(("share", "expected"), [(0.0, {False}), (1.0, {True})])
def test_nothing_or_all_may_be_planted(share: float, expected: set[bool]) -> None:
    """A share of 0 plants no error, and a share of 1 flips every label of the stream."""
    assert expected == {
        Plant(share=share, seed=3).is_planted(one.hex, "stream") for one in IDS[:500]
    }


@pytest.mark.parametrize("part", ["direction", "canary", "gate"])
def test_trusted_samples_are_spared(part: str) -> None:
    """No error is planted among trusted samples."""
    assert not any(Plant(share=1.0, seed=3).is_planted(one.hex, part) for one in IDS[:500])


def test_a_larger_share_keeps_what_a_smaller_one_planted() -> None:
    """Errors planted at 10 % are among those planted at 30 %, so that runs can be compared."""
    few, many = (
        {one for one in IDS if Plant(share, 3).is_planted(one.hex, "stream")}
        for share in (0.1, 0.3)
    )
    assert few < many


@pytest.mark.parametrize("label", [0, 1])
def test_only_the_label_is_turned(label: int) -> None:
    """Planting changes only the label and its target, and returns any other sample as it is."""
    for one in IDS[:100]:
        came = sample(one, label)
        became = PLANT.relabel(came, "stream")
        planted = PLANT.is_planted(one.hex, "stream")
        assert (1 - label if planted else label) == became.label
        assert float(became.label) == became.targets[0]
        assert came == msgspec.structs.replace(became, label=label, targets=(float(label),))
        assert came is PLANT.relabel(came, "canary")


@pytest.mark.parametrize("part", ["stream", "gate"])
def test_the_truth_is_what_the_label_was(part: str) -> None:
    """The original label of a planted sample can be restored, whatever its part."""
    assert [1] * 100 == [
        PLANT.truth(stored(PLANT.relabel(sample(one, 1), part), part)) for one in IDS[:100]
    ]


def test_its_name_tells_plants_apart() -> None:
    """Share and seed are in the name, so results of different plants cannot be confused."""
    names = {Plant(share, seed).name for share in (0.1, 0.2) for seed in (1, 2)}
    assert 4 == len(names)
    assert "plant 0.1 from seed 3" == PLANT.name
    assert {"share": 0.1, "seed": 3} == asdict(PLANT)


def test_found_and_false_calls_are_counted_over_all_partitions() -> None:
    """Planted, called, found and false are counts, and evidence is ranked over all partitions."""
    planted = [one for one in IDS if PLANT.is_planted(one.hex, "stream")][:3]
    sound = [one for one in IDS if not PLANT.is_planted(one.hex, "stream")][:4]
    parts = [
        judged([planted[0], sound[0], planted[1]], [True, True, False], [0.9, 0.8, 0.3]),
        judged(
            [sound[1], sound[2], sound[3], planted[2]],
            [False, False, False, True],
            [0.1, 0.2, 0.4, 0.95],
        ),
        # canaries do not belong to the stream
        judged(planted, [True] * 3, [1.0] * 3, part=CANARY),
    ]
    # evidence of the sound samples: .8 .1 .2 .4; .9, .3 and .95 lie above 4, 2 and 4 of them
    ranked = (4 + 2 + 4) / 12
    assert {
        "n": 3,
        "called": 3,
        "found": 2,
        "false": 1,
        "auroc": pytest.approx(ranked),
    } == PLANT.found(parts)


def test_nothing_planted_has_no_ranking() -> None:
    """Without planted samples, or without any samples, counts are 0 and there is no AUROC."""
    nothing = {"n": 0, "called": 0, "found": 0, "false": 0, "auroc": None}
    assert nothing == Plant(share=0.0, seed=3).found(
        [judged(IDS[:3], [False] * 3, [0.1, 0.2, 0.3])]
    )
    assert nothing == PLANT.found([])
