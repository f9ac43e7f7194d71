"""Measure how many events a second one process decodes, validates, joins and counts.

Each stage is a run of its own that contains the stages before it, because a profiler would slow
down the functions that are called most. Seconds are processor time: no stage waits, so a busy
machine affects only the spread.
"""

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BytesIO
from itertools import count, islice
from statistics import median
from typing import Any, Final, TypeAlias

import msgspec

from mainstem.behaviour import Hour
from mainstem.events import Item, Refusal, decode
from mainstem.join.catalogue import Catalogue
from mainstem.join.joiner import Joiner, Output
from mainstem.join.sample import Sample
from mainstem.settings import Settings
from mainstem.simulate import Shop, simulate

__all__ = ["STAGES", "bench_join", "lengthened", "simulated"]

STAGES: Final = ("decode", "join", "encode", "count")
# events whose outputs are encoded together, as in a stream worker
_BATCH: Final = 2000

Send: TypeAlias = Callable[[list[Output]], object]


def bench_join(
    lines: Sequence[bytes], settings: Settings, send: Send, rounds: int
) -> dict[str, Any]:
    """Measure the stages, one run of each in turn, `rounds` times.

    Args:
        lines: lines of a log; its item events are read first and are not timed.
        settings: settings of the join, whose `questions` may not be `auto`.
        send: encodes the outputs of a batch.
        rounds: runs of each stage; the result is their median.

    Returns:
        `events` and `samples`, how many there were; `events_a_second` and `samples_a_second` of the
        run that ends with each stage; `microseconds` that each stage adds for an event; and `runs`,
        the events a second of every run. Questions that close after the end of the log are not
        counted.

    Example:
        >>> shown = Settings.of({"join.questions": "shown"})
        >>> found = bench_join(simulated(3000, seed=0), shown, len, rounds=1)
        >>> found["samples"] > found["events"] > 3000, list(found["microseconds"])
        (True, ['decode', 'join', 'encode', 'count'])
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
        "microseconds": _added(
            {stage: median(taken[stage]) * 1e6 / len(events) for stage in STAGES}
        ),
        "runs": {
            stage: [round(len(events) / seconds) for seconds in taken[stage]] for stage in STAGES
        },
    }


def lengthened(lines: Iterable[bytes], events: int) -> Iterator[bytes]:
    """Repeat a log until it has a given number of events besides its item events.

    The item events come first and once. Each further copy of the other events is later in time and
    has other shoppers and other ids. Lines that cannot be decoded are left out.

    Args:
        lines: lines of the log.
        events: number of events besides the item events.

    Example:
        >>> view = {"type": "view", "event_id": "e", "user_id": "u", "event_timestamp": 5}
        >>> log = [msgspec.json.encode(view | {"item_id": "cup"})]
        >>> [(one.event_id, one.event_timestamp) for one in map(decode, lengthened(log, 2))]
        [('e-0', 5), ('e-1', 6)]
    """
    once: list[dict[str, Any]] = []
    for raw in lines:
        event = decode(raw)
        if isinstance(event, Item):
            yield raw
        elif not isinstance(event, Refusal):
            once.append(msgspec.to_builtins(event))
    if not once:
        return
    times = [event["event_timestamp"] for event in once]
    span = max(times) - min(times) + 1
    copies = (_again(event, number, span) for number in count() for event in once)
    yield from islice(copies, events)


def simulated(events: int, seed: int) -> list[bytes]:
    """Lines of the log of a simulated shop that shows pages of ten items.

    Args:
        events: about how many events the log has besides its item events.
        seed: seed of the shop.

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
    """Take the whole log through the stages up to this one, and count the samples made."""
    samples = 0
    for start in range(0, len(events), _BATCH):
        outputs: list[Output] = []
        for raw in events[start : start + _BATCH]:
            event = decode(raw)
            if stage != "decode":
                outputs += joiner.step(joiner.next_offset, event)
        if stage in {"encode", "count"}:
            send(outputs)
        if stage == "count":
            for output in outputs:
                if isinstance(output, Hour):
                    len(output.counts)  # adds them up
        samples += sum(isinstance(output, Sample) for output in outputs)
    return samples


def _again(event: dict[str, Any], number: int, span: int) -> bytes:
    later = event | {"event_timestamp": event["event_timestamp"] + number * span}
    for name in ("event_id", "user_id", "session_id", "impression_id"):
        if event.get(name) is not None:
            later[name] = f"{event[name]}-{number}"
    return msgspec.json.encode(later)


def _added(whole: dict[str, float]) -> dict[str, float]:
    """What each stage adds to the stages before it."""
    before, added = 0.0, {}
    for stage, microseconds in whole.items():
        added[stage] = round(microseconds - before, 2)
        before = microseconds
    return added


class _CalmCollector:
    """Configures the garbage collector as a stream worker does.

    The state of a joiner is large and has no cycles, so searching it for garbage is a waste.
    """

    def __enter__(self) -> None:
        self._before = gc.get_threshold()
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 1_000_000)

    def __exit__(self, *_: object) -> None:
        gc.set_threshold(*self._before)
        gc.unfreeze()
