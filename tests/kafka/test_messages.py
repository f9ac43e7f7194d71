"""Records are read as they were written, also by older and newer versions."""

import random
from uuid import UUID

import msgspec
import pytest

from mainstem.join import LedgerRow, PlacedSample, Rejection, Sample, new_counts
from mainstem.kafka.messages import (
    Announcement,
    PublishedStanding,
    decode_ledger,
    decode_rejection,
    decode_samples,
    encode,
    questions_of,
)
from tests.streams.fakes import plainly, shop_log


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    """Samples of many questions."""
    return plainly(shop_log(random.Random(0), 1, 200), 0).samples


def test_samples_come_back_as_they_were(samples: list[Sample]) -> None:
    """Every field of every sample survives, floats and unusual characters too."""
    odd = msgspec.structs.replace(
        samples[0], query='a "b"\n\u2028ü', weight=0.1 + 0.2, sampling_probability=1 / 3
    )
    assert [odd, *samples] == decode_samples(encode([odd, *samples]))


def test_a_ledger_row_comes_back_as_it_was() -> None:
    """A ledger row survives, with counts beyond 32 bits."""
    row = LedgerRow(
        topic="events",
        partition=3,
        block=9,
        first_offset=7,
        next_offset=2**40,
        counts=new_counts() | {"question": 2**40},
    )
    assert row == decode_ledger(encode(row))


def test_a_ledger_row_of_an_older_writer_can_be_read() -> None:
    """A ledger row without a first offset, as once written, begins at 0."""
    row = b'{"topic":"events","partition":0,"block":0,"next_offset":1,"counts":{}}'
    assert 0 == decode_ledger(row).first_offset


def test_a_rejection_comes_back_as_it_was() -> None:
    """A rejection survives with its reason, its place and its body."""
    rejection = Rejection(
        topic="items", partition=0, offset=5, reason="no", path="$.a", digest="d", body='{"a":1}'
    )
    assert rejection == decode_rejection(encode(rejection))


def test_samples_of_an_older_writer_can_be_read(samples: list[Sample]) -> None:
    """Samples without targets and position get their target from the label."""
    before = msgspec.json.decode(encode(samples[:1]))
    for name in ("targets", "position"):
        del before[0][name]
    [found] = decode_samples(msgspec.json.encode(before))
    assert msgspec.structs.replace(samples[0], targets=(), position=0) == found
    assert (float(found.label),) == PlacedSample.of(found, 0, 0, "stream").targets


def test_a_field_of_a_newer_writer_is_passed_over() -> None:
    """Unknown fields of a newer writer are ignored."""
    assert Announcement(version=2, generation=3) == msgspec.json.decode(
        b'{"version":2,"generation":3,"since":"tomorrow"}', type=Announcement
    )


def test_a_standing_is_what_its_row_says_and_no_more() -> None:
    """A published standing has some fields of its row, with the same values."""
    row = {
        "sample_id": UUID(int=7),
        "label_version": 1,
        "partition": 3,
        "judgement": 500,
        "version": 2,
        "standing": "noise",
        "reason": "spent",
        "p_value": None,
        "evidence": 0.25,
        "importance": 0.1 + 0.2,
        "margin": 1.5,
        "visits": 4,
        "alignment": -0.5,
        "importance_of_mean": None,
    }
    published = msgspec.json.decode(encode(PublishedStanding.of(row)))
    assert {"partition", "margin", "visits"} == row.keys() - published.keys()
    expected = {name: row[name] for name in published}
    assert expected | {"sample_id": str(row["sample_id"])} == published


def test_questions_stay_together_and_in_order(samples: list[Sample]) -> None:
    """Samples are grouped by question and stay in order."""
    pairs = list(questions_of(samples))
    assert samples == [sample for _, together in pairs for sample in together]
    assert all(
        {question_id} == {sample.question_id for sample in together}
        for question_id, together in pairs
    )
    assert any(len(together) == 1 for _, together in pairs)


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [1]), (100, [100]), (101, [100, 1]), (250, [100, 100, 50])]
)
def test_a_question_of_very_many_items_becomes_several_records(
    samples: list[Sample], count: int, sizes: list[int]
) -> None:
    """A record has at most a hundred samples, because a broker may refuse larger ones."""
    many = [
        msgspec.structs.replace(samples[0], sample_id=UUID(int=number)) for number in range(count)
    ]
    pairs = list(questions_of(many))
    assert sizes == [len(together) for _, together in pairs]
    assert many == [sample for _, together in pairs for sample in together]


def test_no_samples_make_no_record() -> None:
    """Without samples there is no record."""
    assert [] == list(questions_of([]))
