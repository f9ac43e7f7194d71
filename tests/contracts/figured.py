"""Samples whose figures are known, and a history that holds their responses."""

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np

from mainstem.ids import uuid_of
from mainstem.store import Store

DAY = 1_291_200_000_000
K = 32
# of each sample: its responses as (label_version, version, label), and the code of its targets if
# the label is not the only one,
# and which of them are visits to its newest answer
SAMPLES: dict[str, tuple[list[tuple[int, ...]], list[int]]] = {
    "scored again": ([(0, 0, 1), (0, 1, 1), (0, 3, 1)], [0, 1, 2]),
    "another answer": ([(0, 0, 0), (0, 1, 0), (1, 1, 1), (1, 2, 1)], [2, 3]),
    "the same answer": ([(0, 0, 1), (0, 1, 1), (1, 2, 1), (1, 3, 1)], [0, 1, 2, 3]),
    "the same answer by one version": ([(0, 0, 1), (0, 1, 1), (1, 1, 1), (1, 2, 1)], [0, 1, 3]),
    "the same answer by one version last": ([(0, 0, 1), (0, 1, 1), (1, 1, 1), (2, 1, 1)], [0, 1]),
    "a click and then a purchase": (
        [(0, 0, 0), (0, 1, 0), (1, 1, 1), (1, 2, 1), (2, 2, 1), (2, 3, 1)],
        [2, 3, 5],
    ),
    "an answer that comes back": ([(0, 0, 1), (1, 1, 0), (2, 1, 1), (3, 1, 1), (3, 2, 1)], [2, 4]),
    "another answer that somebody confirmed": (
        [(0, 0, 1), (0, 1, 1), (0, 2, 0), (0, 3, 0)],
        [2, 3],
    ),
    "another target beside the same label": (
        [(0, 0, 1, 1 << 31), (0, 1, 1, 1 << 31), (1, 1, 1, 1 << 31 | 7), (1, 2, 1, 1 << 31 | 7)],
        [2, 3],
    ),
    "the same targets again": (
        [(0, 0, 1, 1 << 31), (0, 1, 1, 1 << 31), (1, 2, 1, 1 << 31)],
        [0, 1, 2],
    ),
    "scored once": ([(0, 2, 0)], [0]),
}
FIGURES = ("visits", "importance", "margin", "alignment", "importance_of_mean")
# rows hold these in half and in single precision
EXACT = {"importance_of_mean": 2e-3, "alignment": 1e-6}


def responses() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield each sample's name and its rows of `responses`, with their sketches."""
    random = np.random.default_rng(11)
    for number, (name, (seen, _)) in enumerate(SAMPLES.items()):
        rows = []
        for label_version, version, label, *code in seen:
            row = {
                "sample_id": uuid_of("sample", name),
                "label_version": label_version,
                "version": version,
                "label": label,
                "answer_code": code[0] if code else label,
                "kind": ("full", "last", "forward")[version % 3],
            }
            row |= {
                "partition": 0,
                "offset": 10 * label_version + number,
                "event_time": DAY + number,
                "part": "stream",
            }
            row |= {
                "norm": float(np.float32(random.gamma(2))),
                "scale": float(np.float32(1 + version / 7)),
                "loss": 0.5,
            }
            row |= {
                "margin": float(np.float32(random.normal())),
                "alignment": None if version == 0 else 0.25 * version,
            }
            rows.append(
                row | {"sketch": random.normal(size=K).astype(np.float16).astype(float).tolist()}
            )
        yield name, rows


def expected(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Compute the figures from their definitions with numpy."""
    counted = [rows[place] for place in SAMPLES[name][1]]
    cosines = [row["alignment"] for row in counted if row["alignment"] is not None]
    mean = np.mean([np.array(row["sketch"]) / row["scale"] for row in counted], axis=0)
    return {
        "visits": len(counted),
        "importance": float(np.mean([row["norm"] / row["scale"] for row in counted])),
        "margin": float(np.mean([row["margin"] for row in counted])),
        "alignment": float(np.mean(cosines)) if cosines else None,
        "importance_of_mean": float(np.linalg.norm(mean)),
    }


def fill(store: Store, *, left_out: Collection[str] = ("sketch",)) -> None:
    """Write samples, responses and sketches, all twice, which must change no figure.

    `left_out` has the keys that are no columns of table `responses`.
    """
    texts = dict.fromkeys(("user", "query", "item_id", "category", "brand", "price_band"), "") | {
        "digest": "0" * 32
    }
    of_sample = ("sample_id", "label_version", "partition", "offset", "event_time", "label")
    for name, rows in responses():
        newest = {row["label_version"]: row for row in rows}
        samples = [
            {key: row[key] for key in of_sample}
            | {
                "question_id": uuid_of("question", name),
                "source": "view",
                "outcomes": [],
                "history": [],
            }
            | {
                "weight": 1.0,
                "sampling_probability": 1.0,
                "context_text": "cup",
                "item_text": name,
                **texts,
            }
            for row in newest.values()
        ]
        of_sketch = (
            "sample_id",
            "label_version",
            "version",
            "partition",
            "offset",
            "event_time",
            "scale",
            "sketch",
        )
        for _ in range(2):
            write(store, "samples", samples)
            write(store, "sketches", [{key: row[key] for key in of_sketch} for row in rows])
            write(
                store,
                "responses",
                [{key: row[key] for key in row if key not in left_out} for row in rows],
            )


def write(store: Store, table: str, rows: list[dict[str, Any]]) -> None:
    """Write rows, given one by one."""
    store.write(table, {name: [row[name] for row in rows] for name in rows[0]})
