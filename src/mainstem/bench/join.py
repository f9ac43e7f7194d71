"""How many events a second one process decodes, validates and joins, and where the time goes.

Each stage is a run of its own that holds the ones before it, as a profiler would slow what is called most. Seconds are
processor time: nothing here waits, and a busy machine then shows in the spread alone.
"""

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BytesIO
from itertools import count, islice
from statistics import median
from typing import Any, Final, TypeAlias

import msgspec

from mainstem.events import Item, Refusal, decode
from mainstem.join.catalogue import Catalogue
from mainstem.join.joiner import Joiner, Output
from mainstem.join.sample import Sample
from mainstem.settings import Settings
from mainstem.simulate import Shop, simulate

__all__ = ["STAGES", "bench_join", "lengthened", "simulated"]

STAGES: Final = ("decode", "join", "encode")
_BATCH: Final = 2000  # events whose outputs are encoded together, as a stream worker does

Send: TypeAlias = Callable[[list[Output]], object]


def bench_join(
    lines: Sequence[bytes], settings: Settings, send: Send, rounds: int
) -> dict[str, Any]:
    """Events and samples a second through each stage, and the microseconds an event spends in it.

    Args:
        lines: a log; its item events are read before the rest, untimed.
        settings: of the join, settled (`questions` is not `auto`).
        send: encodes the outputs of a batch.
        rounds: runs of each stage, interleaved; medians count.

    Returns:
        How many events and samples there were; a second, after each stage, the median of events and of samples, and the
        events of every run; and the microseconds that each stage adds for an event. What closes after the log is left out.

    Example:
        >>> found = bench_join(simulated(3000, seed=0), Settings.of({"join.questions": "shown"}), len, rounds=1)
        >>> found["samples"] > found["events"] > 3000, list(found["microseconds"])
        (True, ['decode', 'join', 'encode'])
    """
    catalogue, events = _read(lines)
    taken: dict[str, list[float]] = {stage: [] for stage in STAGES}
    samples = 0
    for _ in range(rounds):
        for stage in STAGES:
            joiner = Joiner(0, settings, catalogue, b"bench")
            with _CalmCollector():
                begun = time.process_time()
                made = _run(stage, events, joiner, send)
                taken[stage].append(time.process_time() - begun)
            samples = max(samples, made)
    return {
        "events": len(events),
        "samples": samples,
        "events_a_second": {stage: round(len(events) / median(taken[stage])) for stage in STAGES},
        "samples_a_second": {stage: round(samples / median(taken[stage])) for stage in STAGES[1:]},
        "microseconds": _apart(
            {stage: median(taken[stage]) * 1e6 / len(events) for stage in STAGES}
        ),
        "runs": {
            stage: [round(len(events) / seconds) for seconds in taken[stage]] for stage in STAGES
        },
    }


def lengthened(lines: Iterable[bytes], events: int) -> Iterator[bytes]:
    """A log's item events, then its other events again and again, until there are so many.

    Each time they come later, from other shoppers and with other ids.

    Example:
        >>> view = b'{"type":"view","event_id":"e","user_id":"u","event_timestamp":5,"item_id":"i"}'
        >>> [(event.event_id, event.user_id, event.event_timestamp) for event in map(decode, lengthened([view], 2))]
        [('e-0', 'u-0', 5), ('e-1', 'u-1', 6)]
    """
    told: list[dict[str, Any]] = []
    for raw in lines:
        event = decode(raw)
        if isinstance(event, Item):
            yield raw
        elif not isinstance(event, Refusal):
            told.append(msgspec.to_builtins(event))
    times = [event["event_timestamp"] for event in told]
    span = max(times) - min(times) + 1 if times else 0
    copies = (
        (_again(event, number, span) for number in count() for event in told) if told else iter(())
    )
    yield from islice(copies, events)


def simulated(events: int, seed: int) -> list[bytes]:
    """The log of a simulated shop in which pages of ten items ask, with about so many events besides its items.

    Example:
        >>> len(simulated(3000, seed=0)) > 3000
        True
    """
    shop = Shop(seed=seed, users=2000, items=1000, days=1000)
    log = BytesIO()
    simulate(shop, log, events=events + shop.items)
    return log.getvalue().splitlines()


def _read(lines: Iterable[bytes]) -> tuple[Catalogue, list[bytes]]:
    catalogue, rest = Catalogue(), []
    for raw in lines:
        event = decode(raw)
        if isinstance(event, Item):
            catalogue.add(event)
        else:
            rest.append(raw)
    return catalogue, rest


def _run(stage: str, events: list[bytes], joiner: Joiner, send: Send) -> int:
    """Take the whole log through a stage and the ones before it; gives the samples made."""
    samples = 0
    for start in range(0, len(events), _BATCH):
        outputs: list[Output] = []
        for raw in events[start : start + _BATCH]:
            event = decode(raw)
            if stage != "decode":
                outputs += joiner.step(joiner.next_offset, event)
        if stage == "encode":
            send(outputs)
        samples += sum(isinstance(output, Sample) for output in outputs)
    return samples


def _again(event: dict[str, Any], number: int, span: int) -> bytes:
    later = event | {"event_timestamp": event["event_timestamp"] + number * span}
    for name in ("event_id", "user_id", "session_id", "impression_id"):
        if event.get(name) is not None:
            later[name] = f"{event[name]}-{number}"
    return msgspec.json.encode(later)


def _apart(whole: dict[str, float]) -> dict[str, float]:
    """What each stage adds to the ones before it."""
    before, apart = 0.0, {}
    for stage, microseconds in whole.items():
        apart[stage] = round(microseconds - before, 2)
        before = microseconds
    return apart


class _CalmCollector:
    """Sets Python's collector of circular garbage as a stream worker has it: a joiner's state is large and holds none."""

    def __enter__(self) -> None:
        self._before = gc.get_threshold()
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 1_000_000)

    def __exit__(self, *_: object) -> None:
        gc.set_threshold(*self._before)
        gc.unfreeze()
