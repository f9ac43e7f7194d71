"""Trusted samples in a file: what a line may hold, and what a home makes of it."""

import json
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from mainstem.errors import TrustError
from mainstem.events import Labelled, encode
from mainstem.ids import uuid_of
from mainstem.join import PlacedSample
from mainstem.settings import Objectives, Settings, Standing, Trusted
from mainstem.trusted import PARTS
from mainstem.trusted.files import (
    Vouched,
    add_trusted,
    confirmed_of,
    graded_of,
    load_trust,
    read_trusted,
)
from mainstem.trusted.status import status_of

SETTINGS = Settings(objectives=Objectives(classes="bad,good"))
SHARES = Settings(trusted=Trusted(direction_share=0.01, canary_share=0.02, gate_share=0.01))


def pair(number: int, label: str = "yes") -> Labelled:
    """A graded text pair."""
    return Labelled(
        event_id=f"p{number}",
        event_timestamp=5,
        user_id="u",
        text="cup",
        pair=f"red cup {number}",
        label=label,
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            {"event_id": "e", "item_id": "i", "label": "good"},
            (uuid_of("sample", "e", "i"), uuid_of("question", "e"), "good"),
        ),
        # a labelled text
        (
            {"event_id": "e", "label": 0},
            (uuid_of("sample", "e", ""), uuid_of("question", "e"), "bad"),
        ),
        (
            {"event_id": "e", "item_id": "", "label": 0},
            (uuid_of("sample", "e", ""), uuid_of("question", "e"), "bad"),
        ),
        ({"sample_id": str(UUID(int=7)), "label": 1, "who": "Ann"}, (UUID(int=7), None, "good")),
    ],
)
def test_a_sample_is_named_by_its_id_or_by_its_event_and_item(
    line: dict[str, object], expected: tuple[object, ...]
) -> None:
    """Either name gives the sample that the join makes and the name of its class."""
    [one] = read_trusted([json.dumps(line).encode(), b""], SETTINGS.objectives)
    assert isinstance(one, Vouched)
    assert expected == (one.sample_id, one.question_id, one.label)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"no json", "is no trusted sample"),
        (b"[1]", "Expected `object`"),
        (b'{"item_id":"i","label":1}', "neither `sample_id`, nor `event_id`"),
        (b'{"sample_id":"7","label":1}', "Invalid UUID"),
        (b'{"event_id":"e","item_id":"i"}', "missing required field `label`"),
        (
            b'{"event_id":"e","item_id":"i","label":"fine"}',
            "'fine' is no class; the setting `classes` names bad, good",
        ),
        (b'{"event_id":"e","item_id":"i","label":2}', "label 2 is no class"),
        (b'{"type":"labelled","event_id":"e","label":"good"}', "missing required field"),
        (encode(pair(1)), "'yes' is no class"),
    ],
)
def test_a_line_that_cannot_be_believed_is_an_error_that_says_where(line: bytes, told: str) -> None:
    """The first bad line is an error with its number, what was got and what to do."""
    with pytest.raises(TrustError, match="line 2") as error:
        list(read_trusted([b'{"event_id":"e","item_id":"i","label":1}', line], SETTINGS.objectives))
    assert told in str(error.value)
    assert "mend or remove it" in str(error.value)


def test_adding_the_same_again_changes_nothing(tmp_path: Path) -> None:
    """Adding a sample twice changes nothing, and the later of two labels for one sample counts."""
    file, one = tmp_path / "trusted.jsonl", Vouched(sample_id=UUID(int=1), label="no")
    assert 2 == add_trusted(file, [one, pair(1)])
    before = load_trust(file, Settings())[2]
    assert 0 == add_trusted(file, [one, pair(1)])
    assert before == load_trust(file, Settings())[2]
    assert 1 == add_trusted(file, [Vouched(sample_id=UUID(int=1), label="yes")])
    trust, _, digest = load_trust(file, Settings())
    assert 1 == trust.label_of(UUID(int=1))
    assert before != digest


def test_a_labelled_text_is_found_by_its_event_id(tmp_path: Path) -> None:
    """The log tells whether a labelled text is about an item, and its other lines are skipped."""
    named = read_trusted(
        [b'{"event_id":"with","label":"no"}', b'{"event_id":"without","label":"yes"}'], Objectives()
    )
    add_trusted(tmp_path / "t", named)
    event = (
        '{"type":"labelled","event_id":"%s","event_timestamp":5,'
        '"user_id":"u","text":"cup","label":"yes"%s}'
    )
    log = [event % ("without", ""), event % ("with", ',"item_id":"i"'), "{half"]
    trust, *_ = load_trust(tmp_path / "t", Settings(), [line.encode() for line in log])
    assert {uuid_of("sample", "with", "i"): 0, uuid_of("sample", "without", ""): 1} == {
        sample_id: one.label for sample_id, one in trust.named.items()
    }


def test_without_a_file_slices_stand_in(tmp_path: Path) -> None:
    """A home that was given no file of trusted samples trusts none of its own."""
    trust, graded, digest = load_trust(tmp_path / "none.jsonl", Settings())
    assert (False, [], "") == (trust.is_own, graded, digest)


def test_trusted_samples_are_divided_among_the_three_parts_only(tmp_path: Path) -> None:
    """Confirmed samples fall into the three parts by the shares, and a question stays together."""
    named = [
        Vouched(sample_id=UUID(int=n), question_id=UUID(int=n // 2), label="yes")
        for n in range(4000)
    ]
    add_trusted(tmp_path / "t", named)
    trust, *_ = load_trust(tmp_path / "t", SHARES)
    parts = [trust.part_of(one.sample_id, UUID(int=0)) for one in named]
    assert pytest.approx(2000, abs=200) == parts.count("canary")
    assert pytest.approx(1000, abs=150) == parts.count("gate")
    assert {*PARTS} - {"stream"} == set(parts)
    assert parts[::2] == parts[1::2]
    assert "stream" == trust.part_of(UUID(int=9999), UUID(int=1))


def test_a_graded_pair_is_a_sample_with_its_texts(tmp_path: Path) -> None:
    """A graded pair is trusted by its grade, and brings the texts that the model reads."""
    add_trusted(tmp_path / "t", [pair(1, "no")])
    trust, [sample], _ = load_trust(tmp_path / "t", Settings())
    assert ("cup", "red cup 1", 0) == (sample.context_text, sample.item_text, sample.label)
    assert ("graded", 0) == (trust.origin_of(sample.sample_id), trust.label_of(sample.sample_id))


@pytest.mark.parametrize(
    ("yes", "no", "origin", "told"),
    [
        (9, 9, "confirmed", ["of this label", "of this label"]),
        (9, 5, "confirmed", ["of all labels", "of this label"]),
        (3, 5, "confirmed", ["no verdicts: 1 canaries", "no verdicts: 1 canaries"]),
        (9, 9, "assumed", ["labels are only assumed"] * 2),
    ],
)
def test_status_says_what_follows_from_what_there_is(
    yes: int, no: int, origin: str, told: list[str]
) -> None:
    """A label is judged by its own canaries, by all of them, or not at all, label no first."""
    seen = [("canary", 1, 0, origin, yes), ("canary", 0, 0, origin, no)]
    rows = [
        row
        for row in status_of(seen, Settings(standing=Standing(canary_minimum=9)))
        if row[0] == "canary"
    ]
    assert [no, yes] == [row[4] for row in rows]
    assert [True, True] == [part in row[-1] for part, row in zip(told, rows, strict=True)]


def test_status_tells_where_learnt_evidence_gives_the_verdicts() -> None:
    """A partition whose newest judgement it decided says so, the other one counts canaries."""
    seen = [("canary", 1, partition, "confirmed", 9) for partition in (0, 1)]
    settings = Settings.of({"standing.canary_minimum": 9, "join.partitions": 2})
    told = [row[2::4] for row in status_of(seen, settings, {1}) if row[:2] == ("canary", "yes")]
    assert ["this label" in told[0][1], "has learnt" in told[1][1]] == [True, True]


def test_a_grade_is_trusted_as_a_yes_or_a_no() -> None:
    """Where relevance is learnt, a named class is a yes or a no, and a grade that agrees stays."""
    objectives = Objectives(names="relevance,click", classes="bad,fair,good")
    settings = Settings(objectives=objectives)
    graded = msgspec.structs.replace(pair(1, "bad"), grade=0.7)
    vouched = Vouched(sample_id=UUID(int=7), label="fair")
    assert [1, 1] == [confirmed_of(one, settings).label for one in (graded, vouched)]
    sample = graded_of(graded, objectives)
    kept, overruled = (PlacedSample.of(sample, 0, 0, "canary", label) for label in (1, 0))
    assert ((0.7, -1.0), (0.0, -1.0)) == (kept.targets, overruled.targets)


def test_a_class_is_trusted_where_clicks_are_learnt() -> None:
    """A pair that says nothing about clicks stands for one when somebody vouches for it."""
    objectives = Objectives(names="click")
    sample = graded_of(pair(1), objectives)
    label = confirmed_of(pair(1), Settings(objectives=objectives)).label
    assert ((-1.0,), (1.0,)) == (
        sample.targets,
        PlacedSample.of(sample, 0, 0, "gate", label).targets,
    )
