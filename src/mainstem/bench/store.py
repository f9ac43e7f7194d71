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

from mainstem.behaviour import HOUR
from mainstem.join import PlacedSample, Sample
from mainstem.scoring.features import features_of
from mainstem.settings import Settings
from mainstem.store.filling import (
    empty_counts,
    empty_responses,
    fill_counts,
    fill_responses,
    some_filled,
)
from mainstem.store.store import Store
from mainstem.store.writes import response_columns

__all__ = ["bench_features", "bench_history", "bench_writes"]

Floats: TypeAlias = NDArray[np.float32]
_BATCH: Final = 10_000
_EVENT_TIME: Final = 1_291_200_000_000
_ITEMS: Final = 4000


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
        logits = random.random((_BATCH, 2), dtype=np.float32)
        # subtle: the class of responses would load torch and its compilers, which no history needs
        numbers = {"norm": norm, "loss": loss, "margin": margin, "logits": logits}
        found = SimpleNamespace(**numbers, dots=none, sketch=none)
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


def bench_features(store: Store, rows: int, batch: int = 256, times: int = 10) -> dict[str, Any]:
    """Milliseconds of processor time that the features of a batch of samples take.

    Args:
        store: store whose table `counts` is emptied and filled.
        rows: counts in the history.
        batch: samples of a batch, each with a history of five items.
        times: batches, one after the other.

    Returns:
        `counts`, the rows of table `counts`; and `features_ms`, the median over the batches.
    """
    empty_counts(store)
    count = fill_counts(store, rows, _ITEMS, _EVENT_TIME // HOUR)
    random, settings = np.random.default_rng(0), Settings()
    taken = []
    for _ in range(times):
        samples = [_asked(random) for _ in range(batch)]
        begun = time.process_time()
        features_of(store, samples, settings)
        taken.append(time.process_time() - begun)
    return {"counts": count, "features_ms": round(median(taken) * 1000, 1)}


def _asked(random: np.random.Generator) -> Sample:
    """A sample of some item whose history holds items that are counted in pairs with it."""
    item = int(random.integers(_ITEMS))
    near = [f"item-{(item + int(step)) % _ITEMS}" for step in random.integers(1, 51, 5)]
    return Sample(
        sample_id=UUID(int=item),
        label_version=0,
        question_id=UUID(int=item),
        event_time=_EVENT_TIME + HOUR,
        user="",
        source="impression",
        outcomes=(),
        label=0,
        weight=1.0,
        sampling_probability=1.0,
        query="",
        history=tuple(near),
        item_id=f"item-{item}",
        category="",
        brand="",
        price_band="",
        context_text="",
        item_text="",
    )


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
