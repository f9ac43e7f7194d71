"""Settings by their last names, for tests that pass them on: a test of the join need not say `join.` before each."""

from typing import Any

from mainstem.settings import known


def named(**values: Any) -> dict[str, Any]:
    """What `Settings.of` and `Settings.but` take, out of names without their groups.

    Example:
        >>> named(grace=10, draw=3)
        {'join.grace': 10, 'learning.draw': 3}
    """
    return {_whole(name): value for name, value in values.items()}


def _whole(last: str) -> str:
    [whole] = [name for name in known() if name.partition(".")[2] == last]
    return whole
