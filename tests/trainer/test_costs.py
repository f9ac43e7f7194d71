"""What scoring workers and learners write and show of their passes, beside a count by hand."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from mainstem.kafka.messages import Announcement
from mainstem.process.stopwatch import SPENT
from mainstem.store import Store, trusted_samples
from mainstem.store.costs import FEATURES, PLACED_KINDS, ROUND_KINDS
from mainstem.trainer import learning
from mainstem.trainer.costs import CostCounters
from mainstem.trusted import part_of
from mainstem.versions import Versions
from tests.trainer.deployment import SETTINGS, Deployment, begun, fill, steps
from tests.trainer.fakes import FakeGroup, Killed, KillingStore, sample
from tests.trainer.scorers import SETTINGS as OF_SCORERS
from tests.trainer.scorers import Records, Worker, costs, forget, mixed, prepared


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every check of a learner due at once."""
    monkeypatch.setattr(learning, "_LOOK_EVERY", -1.0)


def visits(store: Store) -> set[tuple[int, int, int]]:
    """Return version, partition and position of each visit in the history."""
    return set(store.rows("SELECT version, partition, offset FROM responses FINAL"))


def test_each_visit_has_a_row_with_the_tokens_that_the_tokenizer_gives(
    store: KillingStore, versions: Versions
) -> None:
    """Visits and costs belong together one by one; every text is cut to eight tokens."""
    worker = Worker(store, versions, FakeGroup(prepared(store, count=24)), most=7).run()
    worker.program.take_up(Announcement(version=1, generation=1), first=False)
    worker.run()
    found = [one for one in costs(store) if one[1] != FEATURES]
    assert visits(store) == {(version, partition, at) for version, _, partition, at, *_ in found}
    assert {(1, 8)} == {(samples, tokens) for *_, samples, tokens, _ in found}
    text = sample(3)
    ids = versions.load(0).tokenizer.encode(text.context_text, text.item_text).ids
    assert len(ids) > OF_SCORERS.model.max_tokens == 8
    # version 0 has no trusted gradient, and version 1 has one; both make sketches
    factors = {0: 0.84, 1: 1.0}
    assert {(one, round(8 * factor, 6)) for one, factor in factors.items()} == {
        (version, work) for version, *_, work in found
    }


def test_samples_of_an_earlier_version_are_another_kind(
    store: KillingStore, versions: Versions
) -> None:
    """The first version scores what is new, and the next one scores it again."""
    worker = Worker(store, versions, FakeGroup(prepared(store, count=24))).run()
    worker.program.take_up(Announcement(version=1, generation=1), first=False)
    worker.run()
    kinds = {(version, kind) for version, kind, *_ in costs(store)}
    assert {(0, "score"), (0, FEATURES), (1, "rescore")} == kinds
    assert {kind for _, kind in kinds} <= set(PLACED_KINDS)


def test_features_count_once_whichever_version_a_successor_uses(
    store: KillingStore, versions: Versions
) -> None:
    """A worker dies at any step, and the next one has taken up a newer version before it."""
    records, expected = {0: mixed(13)}, None
    for at in range(100):
        forget(store)
        group = FakeGroup(records)
        store.kill.left = at
        with suppress(Killed):
            Worker(store, versions, group, most=3).run(6)
        survived, store.kill.left = store.kill.left is not None, None
        Worker(store, versions, group, most=5, version=1).run(6)
        found = [one[2:] for one in costs(store) if one[1] == FEATURES]
        places = store.rows("SELECT partition, offset FROM features FINAL ORDER BY ALL")
        expected = expected or places
        assert expected == places == sorted(one[:2] for one in found), at
        assert {(1, 0, 0.0)} == {one[2:] for one in found}
        if survived:
            break
    assert at > 15


def test_a_successor_with_other_batches_counts_each_visit_once(
    store: KillingStore, versions: Versions
) -> None:
    """A worker dies before a step, and the next one takes other batches: the sums are the same."""
    records: Records = {0: mixed(13)}
    Worker(store, versions, FakeGroup(records), most=3).run(6)
    expected, deaths = costs(store), 0
    for at in range(0, 100, 3):
        forget(store)
        group = FakeGroup(records)
        store.kill.left = at
        with suppress(Killed):
            Worker(store, versions, group, most=3).run(6)
        if store.kill.left is not None:
            break
        deaths += 1
        Worker(store, versions, group, most=5).run(6)
        assert expected == costs(store), at
    store.kill.left = None
    assert deaths > 3


def test_a_round_costs_what_its_passes_read(store: KillingStore, tmp_path: Path) -> None:
    """Training, evaluation, scale and direction of a round have the samples counted by hand."""
    deployment = Deployment(store, tmp_path / "versions")
    begun(deployment)
    steps(deployment.learner()[0])
    part = {number: part_of(SETTINGS, sample(number).question_id) for number in range(40)}
    later = [number for number in range(36, 40) if part[number] in {"stream", "canary"}]
    [(drawn,)] = store.rows("SELECT drawn FROM rounds FINAL")
    held_out, gate, canaries, direction = (
        len(later),
        *(sum(one == name for one in part.values()) for name in ("gate", "canary", "direction")),
    )
    assert min(held_out, gate, canaries, direction, drawn) > 0
    assert canaries < 30  # so that the scale is the mean of the held-out samples too
    tokens = SETTINGS.model.max_tokens  # every text is cut to so many
    work = {
        "train": (drawn + held_out, drawn + 0.32 * held_out),
        # the parent on both, and the child on the gate; training has ranked the held-out samples
        "evaluate": (2 * gate + held_out, 0.32 * (2 * gate + held_out)),
        # of full norms and, for first visits, of what a forward pass measures
        "scale": (2 * (canaries + held_out), (0.73 + 0.32) * (canaries + held_out)),
        "direction": (direction, 1.0 * direction),
    }
    assert {
        (1, kind, samples, tokens * samples, round(tokens * plain, 6))
        for kind, (samples, plain) in work.items()
    } == {row[:2] + row[4:] for row in costs(store) if row[0]}
    # version 0 measured full norms and those of forward passes on 256 pairs of its own words
    [(samples, its, plain)] = [row[4:] for row in costs(store) if row[:2] == (0, "scale")]
    assert (512, round((0.73 + 0.32) / 2 * its, 6)) == (samples, round(plain, 6))
    assert set(work) == set(ROUND_KINDS)
    [(seconds,)] = store.rows("SELECT min(seconds) FROM costs_now")
    assert seconds > 0


def test_the_first_version_costs_its_scale_and_direction(
    store: KillingStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any round, version 0 has cost the passes that measured it."""
    monkeypatch.setattr(learning, "_QUIET", -1.0)
    fill(store)
    steps(Deployment(store, tmp_path / "versions").learner(frozen=True)[0])
    ends = {0: 40}
    told = {row[1]: (row[0], row[4]) for row in costs(store)}
    assert (0, len(trusted_samples(store, "direction", ends))) == told["direction"]
    assert {"direction", "scale"} == set(told)


def test_counters_show_what_was_spent_since_they_were_last_shown() -> None:
    """Prometheus gets samples, tokens, forward-equivalents and seconds, by kind, each once."""
    names = ("samples", "tokens", "forward_equivalents", "seconds")

    def shown(kind: str) -> list[Any]:
        labels = {"kind": kind}
        return [REGISTRY.get_sample_value(f"mainstem_cost_{name}_total", labels) for name in names]

    counters = CostCounters()
    counters.show()
    assert [None] * 4 == shown("tested")
    for tokens in (10, 5):
        with SPENT.on("tested"):
            SPENT.passed(samples=2, tokens=tokens, factor=0.5)
        counters.show()
        counters.show()
    with SPENT.on("a stage without passes"):
        counters.show()
    samples, tokens, work, seconds = shown("tested")
    assert (4.0, 15.0, 7.5) == (samples, tokens, work)
    assert seconds == pytest.approx(SPENT.costs["tested"].seconds)
    assert [None] * 4 == shown("a stage without passes")
