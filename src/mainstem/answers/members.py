"""Checks what somebody asks for who wants the samples of one set."""

from typing import Final

__all__ = ["check_members"]

_SETS: Final = ("core", "edge", "noise", "contradictory", "spent")
_MOST: Final = 2**32 - 1


def check_members(members_of: str, limit: int) -> None:
    """Refuse a set that does not exist and a limit that is no number of rows.

    Args:
        members_of: name of the set.
        limit: number of samples at most.

    Raises:
        ValueError: if there is no such set, or the limit is no number of rows.

    Example:
        >>> check_members("core", -1)
        Traceback (most recent call last):
            ...
        ValueError: limit is a number of rows, 0 or more; got -1
    """
    if members_of not in _SETS:
        msg = f"a set is one of {', '.join(_SETS)}; got {members_of!r}"
        raise ValueError(msg)
    if limit not in range(_MOST + 1):
        msg = f"limit is a number of rows, 0 or more; got {limit!r}"
        raise ValueError(msg)
