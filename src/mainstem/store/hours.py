"""Which hours of event time are closed."""

from mainstem.store.store import Store

__all__ = ["closed_hours"]


def closed_hours(store: Store) -> dict[int, int]:
    """The last closed hour of each partition of `events`; partitions without any are left out.

    Hours are closed in ascending order, so all earlier ones are closed, too.
    """
    return dict(store.rows("SELECT partition, max(hour) FROM hours GROUP BY partition"))
