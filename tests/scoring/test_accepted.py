"""Each label version is accepted once and an outdated one never, against a full record."""

import random
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import pytest

from mainstem.importance import STREAM, Rows, Visits
from mainstem.join import Facts
from mainstem.scoring import Accepted, first_times
from mainstem.store import Store

HORIZON = 15


class One(NamedTuple):
    """The fields of a sample that acceptance reads."""

    sample_id: UUID
    label_version: int
    event_time: int


def delivered(count: int, seed: int) -> list[One]:
    """Make samples and revisions in order of time, many delivered again, some much later."""
    draws, sent = random.Random(seed), list[One]()
    for number in range(count):
        if sent and draws.random() < 0.4:
            before = draws.choice(sent)
            sent.append(
                before
                if draws.random() < 0.7
                else before._replace(label_version=before.label_version + 1)
            )
        else:
            sent.append(One(UUID(int=number << 64 | number), 0, number))
    return sent


def respond(rows: Rows, one: One, position: int) -> None:
    """Add a visit of a sample."""
    facts = Facts(
        one.label_version,
        partition=0,
        offset=position,
        event_time=one.event_time,
        label=0,
        part=STREAM,
        answer_code=0,
    )
    whole = Facts(*[np.array([value]) for value in facts])
    rows.visit(Visits(0, 1.0, [one.sample_id.bytes], whole, [1.0], [0.0], [1.0]))


def keep(store: Store, one: One, position: int, *, response: bool) -> None:
    """Write an accepted sample to the history, with or without a response."""
    facts: dict[str, Any] = {**one._asdict(), "partition": 0, "offset": position}
    places = facts | {"position": position}
    store.write("positions", {name: [value] for name, value in places.items()})
    if response:
        visit = facts | {
            "version": 0,
            "label": 0,
            "part": "stream",
            "norm": 1,
            "scale": 1,
            "loss": 1,
            "margin": 0,
        }
        store.write("responses", {name: [value] for name, value in visit.items()})


@pytest.mark.parametrize("seed", range(3))
def test_each_sample_is_accepted_once_whatever_is_delivered(seed: int, tmp_path: Any) -> None:
    """Acceptance does not depend on rows that leave or lack, on batches or on owners."""
    draws, newest = random.Random(seed + 100), dict[UUID, int]()
    with Store(f"chdb://{tmp_path / 'history'}") as store:
        rows, position, now, left = Rows(), 0, 0, 0
        accepted = Accepted(store, 0, rows)
        waiting = delivered(120, seed)
        while waiting:
            size = draws.randrange(1, 12)
            batch, waiting = waiting[:size], waiting[size:]
            expected = []
            for one in batch:
                expected.append(one.label_version > newest.get(one.sample_id, -1))
                newest[one.sample_id] = max(one.label_version, newest.get(one.sample_id, -1))
            assert expected == first_times(
                {0: accepted}, [(0, one) for one in batch], {0: position}, {0: left}
            )
            for one in [one for one, first in zip(batch, expected, strict=True) if first]:
                # the others belong to the direction or the gate
                response = one.sample_id.int % 3 > 0
                if response:
                    respond(rows, one, position)
                keep(store, one, position, response=response)
                accepted.settle(one)
                position, now = position + 1, max(now, one.event_time)
            # a judgement
            if draws.random() < 0.3:
                left = max(now - HORIZON, 0)
                rows.leave(left)
                accepted.leave(left)
            # another owner
            if draws.random() < 0.2:
                accepted = Accepted(store, 0, rows)
                accepted.rebuild(position, left)
        assert left > 0
        assert [(position,)] == store.rows(
            "SELECT uniqExact(sample_id, label_version) FROM positions"
        )


def test_what_has_a_row_or_has_left_is_not_remembered_twice(tmp_path: Any) -> None:
    """Memory holds only samples without a row that are young enough to get one."""
    with Store(f"chdb://{tmp_path / 'history'}") as store:
        rows = Rows()
        accepted = Accepted(store, 0, rows)
        samples = [One(UUID(int=number), 0, number) for number in range(10)]
        assert all(accepted.take(one, {}) for one in samples)
        for one in samples[:5]:
            respond(rows, one, one.event_time)
            accepted.settle(one)
        accepted.leave(8)
        assert {samples[8].sample_id, samples[9].sample_id} == set(accepted._others)
