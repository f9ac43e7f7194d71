"""Assigns events to partitions by user, so that one joiner reads all events of a shopper."""

from uuid import UUID

from mainstem.events import Event, Item, Refusal, Tick
from mainstem.ids import number_of

__all__ = ["partition_of_question", "partitions_of_event"]


def partitions_of_event(event: Event | Refusal, partitions: int) -> range:
    """Partitions of `events` that an event goes to: a tick goes to all, any other event to one.

    Raises:
        ValueError: if the event is an item event. Those go to topic `items`.

    Example:
        >>> partitions_of_event(Tick(event_timestamp=0), 4)
        range(0, 4)
    """
    match event:
        case Tick():
            return range(partitions)
        case Item():
            msg = "an item event has no user and so no partition of `events`; send it to `items`"
            raise ValueError(msg)
        case Refusal():
            place = number_of("events", event.digest) % partitions
        case _:
            place = number_of("events", event.user_id) % partitions
    return range(place, place + 1)


def partition_of_question(question_id: UUID, partitions: int) -> int:
    """Partition of `samples` that the samples of a question go to."""
    return (question_id.int >> 64) % partitions  # the id is a hash already
