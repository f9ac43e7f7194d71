"""Settings by their last names, so that a test of the join need not write `join.` before each."""

from typing import Any

from mainstem.settings import known


def named(**values: Any) -> dict[str, Any]:
    """Return settings by full name, as `Settings.of` and `Settings.but` take them.

    Example:
        >>> named(grace=10, draw=3)
        {'join.grace': 10, 'learning.draw': 3}
    """
    return {_whole(name): value for name, value in values.items()}


def _whole(last: str) -> str:
    [whole] = [name for name in known() if name.partition(".")[2] == last]
    return whole
