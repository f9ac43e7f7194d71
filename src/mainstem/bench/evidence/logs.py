"""The log of a stream, and its truth as far as the log alone decides it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from mainstem.bench.evidence.streams import Stream
from mainstem.bench.evidence.texts import given_labels, labelled, read_texts
from mainstem.bench.evidence.truths import write_truths
from mainstem.bench.planting import Plant
from mainstem.bench.truth import items_of
from mainstem.data import demo_log
from mainstem.ids import uuid_of
from mainstem.simulate import Shop, simulate

__all__ = ["log_of", "plant_of", "write_log"]

_ENCODE: Final = msgspec.json.Encoder().encode


def write_log(stream: Stream, seed: int, folder: Path, truth: Path, data: Path | None) -> Path:
    """Write the log of a stream and its truth.

    The truth of the excerpt is not written here, because the join decides which samples there are.

    Args:
        stream: the stream.
        seed: its seed.
        folder: folder for the log, which exists.
        truth: file for the true labels.
        data: folder of the sets; only labelled texts need it.

    Returns:
        Path of the log.
    """
    log = log_of(stream, folder)
    if stream.made_of == "shop":
        meant = folder / "meant.jsonl"
        with log.open("wb") as lines, meant.open("wb") as file:
            simulate(Shop(seed=seed, **stream.shop), lines, file, events=stream.events)
        write_truths(truth, ((sample_id, item.label) for sample_id, _, item in items_of(meant)))
        meant.unlink()
    elif stream.made_of == "texts" and data is not None:
        texts = read_texts(data)
        given = given_labels(texts, stream.wrong, seed)
        log.write_bytes(b"".join(_ENCODE(one) + b"\n" for one in labelled(texts, given, seed)))
        write_truths(truth, _by_id(texts.truth.tolist()))
    return log


def log_of(stream: Stream, folder: Path) -> Path:
    """Path of the log of a stream in a folder; the excerpt lies in the package."""
    return demo_log() if stream.made_of == "excerpt" else folder / "log.jsonl"


def plant_of(stream: Stream, seed: int) -> Plant | None:
    """What turns labels over on their way into the home; None if the log has its wrong labels."""
    if stream.made_of != "excerpt" or stream.wrong is None:
        return None
    return Plant(stream.wrong, seed)


def _by_id(truth: list[int]) -> Iterator[tuple[UUID, int]]:
    return ((uuid_of("sample", str(row), ""), label) for row, label in enumerate(truth))
