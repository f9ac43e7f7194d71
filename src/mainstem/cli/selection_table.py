"""The bench of selection as tables."""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, Final

from mainstem.disk import write_whole

__all__ = ["write_faithfulness", "write_table"]

_COLUMNS: Final = (
    *("stream", "policy", "budget", "epochs", "seed", "auc_true", "worst_slice"),
    *("auroc", "ap", "precision", "recall", "f1", "coverage"),
)
_COSTS: Final = ("score", "rescore", "train", "features", "tokens", "seconds")


def write_table(path: Path, found: Mapping[str, Any]) -> None:
    """Write one row for each cell; what was not measured is empty.

    Args:
        path: file for the table, in CSV.
        found: what `bench_selection` returned.
    """
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow((*_COLUMNS, *_COSTS))
    for one in found["cells"]:
        costs = (one["cost"][name] for name in _COSTS)
        rows.writerow((*(one[name] for name in _COLUMNS), *costs))
    write_whole(path, text.getvalue().encode())


def write_faithfulness(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write one row for each estimator; what is not defined is empty.

    Args:
        path: file for the table, in CSV.
        rows: rows of `Faithful`, at least one.
    """
    text = StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_whole(path, text.getvalue().encode())
