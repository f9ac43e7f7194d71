"""Tables like those of the page about other domains, made by a seed, with words of their classes.

The texts are made up. The files have the form of the real ones: their names, columns, separators,
ends of line and ids.
"""

from pathlib import Path
from random import Random

import pyarrow as pa
from pyarrow import parquet

_COUNT = 1100
_OF_CLASS = (
    "minister election border treaty embassy",
    "match goal striker season coach",
    "shares profit bank merger quarter",
    "software browser satellite chip network",
)
_MOODS = {-2.35: "poor broken useless", 0.05: "box cable page", 1.95: "great sharp lovely"}
_AROUND = [
    "the",
    "a",
    "on",
    "with",
    "after",
    "for",
    "said",
    "this",
    "near",
    "again",
    "today",
    "its",
    "when",
    "more",
    "some",
]


def write_tables(folder: Path, seed: int = 0) -> None:
    """Write a table of news and two of rated sentences where the page expects them."""
    draw = Random(seed)
    labels = [draw.randrange(4) for _ in range(_COUNT)]
    news = {
        "noisy_label": [draw.randrange(4) if draw.random() < 0.2 else label for label in labels],
        "clean_label": labels,
        "text": [_text(draw, _OF_CLASS[label]) for label in labels],
    }
    parquet.write_table(pa.table(news), folder / "noisy_train.parquet")
    rated = folder / "hutto_ICWSM_2014"
    rated.mkdir()
    for name in ("amazonReview", "nytEditorial"):
        ratings = [draw.choice(list(_MOODS)) for _ in range(_COUNT)]
        rows = [
            f"{n // 9 + 1}_{n % 9 + 1}\t{rating}\t{_text(draw, _MOODS[rating])}\r\n"
            for n, rating in enumerate(ratings)
        ]
        path = rated / f"{name}Snippets_GroundTruth.txt"
        path.write_bytes("".join(rows).encode())


def _text(draw: Random, words: str) -> str:
    chosen = [draw.choice(words.split()) for _ in range(3)] + draw.choices(_AROUND, k=9)
    draw.shuffle(chosen)
    return f"{' '.join(chosen)}, ''number \"{draw.randrange(10_000)}''."
