"""The true label of each sample of a stream, kept beside its home."""

from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.disk import write_whole

__all__ = ["read_truths", "write_truths"]


def write_truths(path: Path, truths: Iterable[tuple[UUID, int]]) -> None:
    """Write the true labels of samples, whole or not at all.

    Args:
        path: file to write.
        truths: id and true label of each sample.
    """
    rows = sorted((one.bytes, label) for one, label in truths)
    write_whole(path, b"".join(key + bytes([label]) for key, label in rows))


def read_truths(path: Path, keys: Iterable[bytes]) -> NDArray[np.int64]:
    """The true labels of some samples.

    Args:
        path: file that `write_truths` wrote.
        keys: ids of N samples, 16 bytes each.

    Returns:
        True labels, shape (N,); -1 for samples whose truth is not known.
    """
    rows = np.frombuffer(path.read_bytes(), np.uint8).reshape(-1, 17)
    known = {row[:16].tobytes(): int(row[16]) for row in rows}
    return np.array([known.get(key, -1) for key in keys], np.int64)
