"""What the catalogue says of a sample's text by now: outdated, gone, and how much that counts."""

from collections.abc import Sequence
from typing import Any

from mainstem.settings import Learning
from mainstem.settings.durations import DAY
from mainstem.store.item_texts import ItemOfSample

__all__ = ["bounds_of", "item_now"]


def item_now(rows: Sequence[ItemOfSample], learning: Learning) -> dict[str, Any] | None:
    """Say how far the item of a sample has changed since, as of the newest question.

    Args:
        rows: rows of `ITEM_OF_SAMPLE`: one, or none.
        learning: `outdated_beyond`, `outdated_half_life` and `gone_after` count.

    Returns:
        changed: share of the words of both texts that are not in both.
        since, days: when the item got the first other words, and how long ago that is; None and 0
            where the words are the same.
        text_now: the item's present title, category and brand; empty where the words are the same.
        outdated: whether so much has changed that the sample counts less.
        last_seen, unseen: when the item was last described or asked about, and the days since.
        gone: whether the sample rests for that.
        counts: how much it counts in a draw now, from 0, where it rests, to 1.

        None where the sample has no item of the catalogue.

    Example:
        >>> row = ItemOfSample("view", 1.0, None, "blue mug", None, 60.0, 3.0)
        >>> now = item_now([row], Learning())
        >>> now["outdated"], now["gone"], now["counts"]
        (True, False, 0.25)
    """
    if not rows or rows[0].source == "labelled" or not (rows[0].last_seen or rows[0].changed):
        return None
    [row] = rows
    outdated = row.changed > learning.outdated_beyond
    gone = 0 < learning.gone_after < row.unseen * DAY
    counts = 0.0 if gone else 1.0
    if outdated and learning.outdated_half_life and not gone:
        counts = 2.0 ** -(row.days * DAY / learning.outdated_half_life)
    told = {name: value for name, value in row._asdict().items() if name != "source"}
    return told | {"outdated": outdated, "gone": gone, "counts": counts}


def bounds_of(learning: Learning) -> dict[str, Any]:
    """The parameters of `SETS_TOLD` that settings give."""
    return {"beyond": learning.outdated_beyond, "gone_after": learning.gone_after}
