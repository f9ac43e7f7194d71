"""Measure how fast the history writes, beside the bare client, and answers when it is large."""

import gc
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from types import SimpleNamespace
from typing import Any, Final, TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.join import PlacedSample
from mainstem.store.filling import empty_responses, fill_responses, some_filled
from mainstem.store.store import Store
from mainstem.store.writes import response_columns

__all__ = ["bench_history", "bench_writes"]

Floats: TypeAlias = NDArray[np.float32]
_BATCH: Final = 10_000
_EVENT_TIME: Final = 1_291_200_000_000


def bench_writes(store: Store, rows: int, rounds: int) -> dict[str, Any]:
    """Rows of `responses` a second, written through the store and by the bare client.

    The store starts from domain values; the client is given the same columns ready made.

    Args:
        store: store whose table `responses` is emptied and filled.
        rows: rows that each run writes.
        rounds: runs of each; the result is their median.

    Returns:
        `mainstem` and `bare`, rows a second, and `ratio`, the first divided by the second.
    """
    random = np.random.default_rng(0)
    batches: list[tuple[list[PlacedSample], Any, Floats]] = []
    none = np.zeros((_BATCH, 0), np.float32)
    for start in range(0, rows, _BATCH):
        norm, loss, margin, alignment = random.random((4, _BATCH), dtype=np.float32)
        # subtle: the class of responses would load torch and its compilers, which no history needs
        found = SimpleNamespace(norm=norm, loss=loss, margin=margin, dots=none, sketch=none)
        batches.append(([_sample(start + place) for place in range(_BATCH)], found, alignment))
    names = list(response_columns(*batches[0], version=0, scale=1.0))
    ready = [list(response_columns(*batch, version=0, scale=1.0).values()) for batch in batches]

    def ours() -> None:
        for batch in batches:
            store.write("responses", response_columns(*batch, version=0, scale=1.0))

    def bare() -> None:
        for columns in ready:
            store.client.insert("responses", columns, column_names=names, column_oriented=True)

    gc.freeze()  # a program has no heap like the rows made above
    taken: dict[str, list[float]] = {"mainstem": [], "bare": []}
    try:
        for _ in range(rounds):
            for name, run in (("mainstem", ours), ("bare", bare)):
                empty_responses(store)
                taken[name].append(_seconds(run))
    finally:
        gc.unfreeze()
    speeds = {name: round(rows / median(seconds)) for name, seconds in taken.items()}
    return {**speeds, "ratio": round(speeds["mainstem"] / speeds["bare"], 3)}


def bench_history(store: Store, rows: int, asked: list[str], times: int = 20) -> dict[str, Any]:
    """Milliseconds that the questions of `mainstem history` about one sample take together.

    Args:
        store: store whose table `responses` is emptied and filled.
        rows: responses in the history when it is asked.
        asked: names of the questions.
        times: samples that are asked about, one after the other.

    Returns:
        `rows`, the responses in the history; `history_ms`, the median over the samples; and
        `slowest_ms`, the largest.
    """
    empty_responses(store)
    count = fill_responses(store, rows, _EVENT_TIME)

    def ask_all(sample: object) -> list[Any]:
        return [store.ask(question, sample=str(sample)) for question in asked]

    took = [_seconds(partial(ask_all, sample)) for sample in some_filled(store, rows, times)]
    return {
        "rows": count,
        "history_ms": round(median(took) * 1000, 1),
        "slowest_ms": round(max(took) * 1000, 1),
    }


def _sample(number: int) -> PlacedSample:
    return PlacedSample(
        sample_id=UUID(int=number << 64 | number),
        label_version=0,
        partition=0,
        offset=number,
        event_time=_EVENT_TIME + number,
        label=1,
        targets=(1.0,),
        weight=1.0,
        sampling_probability=1.0,
        position=0,
        part="stream",
        item_id="item",
        history=(),
        context_text="",
        item_text="",
    )


def _seconds(run: Callable[[], object]) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun
