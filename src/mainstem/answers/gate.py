"""How many labels are wrong in core, edge and noise, as far as confirmed gate samples tell."""

from collections.abc import Sequence
from typing import Any

__all__ = ["shares_of"]


def shares_of(judged: Sequence[Sequence[Any]]) -> list[tuple[str, int, int, float | None]]:
    """Add up the partitions, and take the share of wrong labels in each set.

    Nothing learns from gate samples, so the shares are those of samples that evidence never saw.

    Args:
        judged: rows of `GATE_SETS`: a partition, then samples and wrong ones of each set.

    Returns:
        Rows (set, confirmed samples, wrong ones, share wrong), `all` last; none where no gate
        sample was measured. A share is from 0 to 1, and None in an empty set.

    Example:
        >>> shares_of([(0, 4, 0, 5, 1, 1, 1), (1, 0, 0, 5, 2, 0, 0)])
        [('core', 4, 0, 0.0), ('edge', 10, 3, 0.3), ('noise', 1, 1, 1.0), ('all', 15, 4, 0.2667)]
        >>> shares_of([(0,)])
        []
    """
    # a history from before has the partition alone
    counts = [[int(count) for count in row[1:]] for row in judged if len(row) > 1]
    of_each = [sum(column) for column in zip(*counts, strict=True)]
    if not sum(of_each):
        return []
    pairs = [*zip(of_each[::2], of_each[1::2], strict=True)]
    pairs.append((sum(of_each[::2]), sum(of_each[1::2])))
    return [
        (name, there, wrong, round(wrong / there, 4) if there else None)
        for name, (there, wrong) in zip(("core", "edge", "noise", "all"), pairs, strict=True)
    ]
