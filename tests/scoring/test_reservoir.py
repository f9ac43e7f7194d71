"""Which canaries a version scores again, and what that means for p-values."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from mainstem.ids import uuid_of
from mainstem.importance import CANARY, STREAM, Rows
from mainstem.importance.reservoir import keys_of, reservoir
from mainstem.scoring.rescoring import due_again
from mainstem.scoring.reservoir import canaries_to_score
from mainstem.settings import Settings
from mainstem.standing import judge
from mainstem.store import Store
from mainstem.store.writes import sample_columns, trusted_columns
from tests.importance.visiting import fact, visits
from tests.trainer.fakes import START, sample

SETTINGS = Settings.of(
    {
        "trusted.canary_maximum": 12,
        "standing.canary_minimum": 3,
        "responses.rescore_budget": 10,
        "responses.rescore": "newest",
    }
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A hundred samples of one partition, the first of every two a canary."""
    with Store(f"chdb://{tmp_path / 'history'}") as opened:
        opened.write("samples", sample_columns([(sample(one), 0, one) for one in range(100)]))
        canaries = ((uuid_of("sample", one), "canary", "assumed", None) for one in range(0, 100, 2))
        opened.write("trusted", trusted_columns(canaries))
        yield opened


def rows_of(count: int) -> Rows:
    """Rows of the first samples, each scored once, by version 0."""
    rows = Rows()
    rows.visit(
        visits(
            version=0,
            scale=1.0,
            ids=[uuid_of("sample", number) for number in range(count)],
            facts=[
                {
                    "label_version": 0,
                    "partition": 0,
                    "offset": number,
                    "event_time": START + 1000 * number,
                    "label": number % 2,
                    "part": STREAM if number % 2 else CANARY,
                }
                for number in range(count)
            ],
            norm=np.ones(count),
            margin=np.zeros(count),
            loss=np.ones(count),
        )
    )
    return rows


def test_the_newest_samples_and_a_reservoir_of_canaries_are_due(store: Store) -> None:
    """Canaries outside of the reservoir are due while they are among the newest samples."""
    rows = {0: rows_of(100)}
    due = due_again(store, SETTINGS, rows, {0: Rows()}, 1, {0: 100})
    chosen = {one.sample_id for one in canaries_to_score(store, SETTINGS, {0: 100})}
    assert 12 == len(chosen)
    expected = chosen | {uuid_of("sample", one) for one in range(90, 100)}
    assert expected == {one.sample_id for one in due}
    assert sorted(one.offset for one in due) == [one.offset for one in due]


def test_what_is_due_does_not_grow_with_the_log(store: Store) -> None:
    """Twice the samples are no more to score again; without a limit they are."""
    lengths = {}
    for most in (12, 1000):
        settings = SETTINGS.but({"trusted.canary_maximum": most})
        lengths[most] = [
            len(due_again(store, settings, {0: rows_of(end)}, {0: Rows()}, 1, {0: end}))
            for end in (50, 100)
        ]
    assert max(lengths[12]) <= 22
    assert [30, 55] == lengths[1000]


def scored_twice(minimum: int) -> Rows:
    """Sound samples of 90 days; version 1 scored the newest and a reservoir of canaries again.

    A tenth of the samples says yes, and margins of those are far lower.
    """
    random = np.random.default_rng(0)
    count = 20_000
    time = np.sort(random.integers(0, 90 * 86_400_000, count)).tolist()
    label = (random.random(count) < 0.1).astype(np.int64)
    is_canary = random.random(count) < 0.3
    ids = [UUID(int=one << 64 | number) for number, one in enumerate(time)]
    facts = [
        fact(
            offset=number,
            event_time=time[number],
            label=int(label[number]),
            part=CANARY if is_canary[number] else STREAM,
        )
        for number in range(count)
    ]
    places = np.flatnonzero(is_canary)
    those = [ids[place] for place in places]
    keys = keys_of(those, [time[place] for place in places], 0)
    chosen = places[reservoir(keys, those, 400, strata=label[places], least=minimum)]
    newest = np.arange(count - 1000, count)
    rows = Rows()
    for version, some in enumerate((np.arange(count), np.union1d(chosen, newest))):
        rows.visit(
            visits(
                version=version,
                scale=1.0,
                ids=[ids[one] for one in some],
                facts=[facts[one] for one in some],
                norm=np.ones(len(some)),
                margin=random.normal(size=len(some)) - 4 * label[some],
                loss=np.ones(len(some)),
            )
        )
    return rows


def test_p_values_of_sound_samples_stay_uniform_with_a_reservoir() -> None:
    """Ranks among the canaries that a version scored are uniform, also for a rare label."""
    settings = SETTINGS.but({"standing.canary_minimum": 100, "standing.evidence": "margin"})
    rows = scored_twice(minimum=100)
    judged = judge(rows, settings.standing, trusted=True)
    stream, last, label = rows["part"] == STREAM, rows["last_version"], rows["label"]
    for version, one in product((0, 1), (0, 1)):
        found = judged.p_value[stream & (last == version) & (label == one)]
        assert len(found) > 50
        # three standard errors of a share among 100 canaries, or among the samples
        for level in (0.1, 0.25, 0.5, 0.75):
            assert abs((found <= level).mean() - level) < 0.15
    assert judged.counts()["contradictory"] < 0.002 * len(rows)


def test_a_rare_label_would_be_doubted_if_it_had_no_canaries_of_its_own() -> None:
    """With a reservoir that is not filled by label, nearly all of the rare label look doubtful."""
    settings = SETTINGS.but({"standing.canary_minimum": 100, "standing.evidence": "margin"})
    rows = scored_twice(minimum=0)
    judged = judge(rows, settings.standing, trusted=True)
    rare = (rows["part"] == STREAM) & (rows["last_version"] == 1) & (rows["label"] == 1)
    assert (judged.p_value[rare] <= 0.1).mean() > 0.8
