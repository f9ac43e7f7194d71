"""Which partition an event belongs to: the one of its user, so that a shopper's events meet in one joiner."""

from uuid import UUID

from mainstem.events import Event, Item, Refusal, Tick
from mainstem.ids import number_of

__all__ = ["partition_of_question", "partitions_of_event"]


def partitions_of_event(event: Event | Refusal, partitions: int) -> range:
    """Partitions of `events` that this event goes to: one; for a tick, all.

    Example:
        >>> partitions_of_event(Tick(event_timestamp=0), 4)
        range(0, 4)
    """
    match event:
        case Tick():
            return range(partitions)
        case Item():
            msg = "item events go to topic `items`, which has no partition by user"
            raise ValueError(msg)
        case Refusal():
            place = number_of("events", event.digest) % partitions
        case _:
            place = number_of("events", event.user_id) % partitions
    return range(place, place + 1)


def partition_of_question(question_id: UUID, partitions: int) -> int:
    """Partition of `samples` that a question's samples go to."""
    return (question_id.int >> 64) % partitions  # the id is a hash already
