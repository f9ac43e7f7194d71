"""The bench of the join feeds the log it describes and counts the samples that a joiner makes."""

from collections import Counter

import pytest

from mainstem.bench.join import STAGES, bench_join, lengthened, simulated
from mainstem.events import Item, Refusal, decode, encode
from mainstem.join import Joiner, Sample
from tests.join.shop import KEY, impression, purchase, search, shelf, short

ITEM = Item(event_id="i", event_timestamp=1, item_id="cup", title="cup")
EVENTS = (
    ITEM,
    search("s", 5, "tea", session_id="a"),
    impression("q", 10, "cup"),
    purchase("p", 20),
)
LOG = [encode(event) for event in EVENTS]


@pytest.mark.parametrize("events", [0, 1, 3, 8])
def test_a_log_is_lengthened_without_a_repeated_id_or_a_step_back(events: int) -> None:
    """Items come once, then as many events as asked for, in order of time, no id twice."""
    item, *told = [decode(raw) for raw in lengthened(LOG, events)]
    assert ITEM == item
    assert events == len(told)
    times = [event.event_timestamp for event in told]
    assert sorted(times) == times
    assert events == len({event.event_id for event in told})
    assert (events + 2) // 3 == len({event.user_id for event in told})


def test_each_copy_of_a_log_gives_the_samples_of_the_first() -> None:
    """Each copy of a log belongs to other shoppers, so it gives the samples it would give alone."""
    found = bench_join([*lengthened(LOG, 60)], short(), len, rounds=1)
    catalogue = shelf("cup")
    joiner, samples = Joiner(0, short(), catalogue, KEY), Counter[str]()
    for offset, raw in enumerate([*lengthened(LOG, 60)][1:]):
        samples.update(
            one.item_id for one in joiner.step(offset, decode(raw)) if isinstance(one, Sample)
        )
    assert 60 == found["events"]
    assert samples.total() == found["samples"] > 0


def test_a_log_that_cannot_be_read_is_lengthened_to_nothing() -> None:
    """Refused lines are left out, so a log of refused lines gives nothing."""
    assert [] == list(lengthened([b"bad"], 5))


def test_every_run_of_every_stage_is_told() -> None:
    """Each stage reports one run per round, and only the last two stages encode."""
    sent: list[int] = []
    found = bench_join(
        [*lengthened(LOG, 60)], short(), lambda outputs: sent.append(len(outputs)), rounds=3
    )
    assert dict.fromkeys(STAGES, 3) == {stage: len(runs) for stage, runs in found["runs"].items()}
    assert 2 * 3 == len(sent)


def test_a_simulated_log_asks_and_is_the_same_again() -> None:
    """The simulated shop shows pages of items, and the same seed gives the same bytes."""
    lines = simulated(1000, seed=1)
    kinds = Counter(type(decode(raw)).__name__ for raw in lines)
    assert kinds["Impression"] > 100
    assert kinds[Refusal.__name__] < 50
    assert simulated(1000, seed=1) == lines
