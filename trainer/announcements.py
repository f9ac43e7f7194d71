"""Topic `versions`: which version is in use. Of two claims the one of the later learner holds."""

from typing import Any

from mainstem.kafka import Broker, DirectReader
from mainstem.kafka.messages import Announcement, decode_announcement, encode, read_message

__all__ = ["Announcements"]


class Announcements:
    """Reads and writes the announcements.

    Args:
        broker: where.

    Attributes:
        newest: the announcement that holds; None before the first.
    """

    def __init__(self, broker: Broker) -> None:
        self.newest: Announcement | None = None
        self._broker = broker
        self._reader = DirectReader(broker, broker.topic("versions"))
        self._next = self._reader.first(0)

    def read(self) -> Announcement | None:
        """Read to the end of the topic; gives the announcement that holds."""
        end = self._reader.end(0)
        while self._next < end:
            for offset, value in self._reader.read(0, self._next, end):
                self._next = offset + 1
                heard = (
                    read_message(value, decode_announcement, f"versions/0 at {offset}")
                    if value
                    else None
                )
                if heard is not None:
                    self._hear(heard)
        return self.newest

    def write(self, announcement: Announcement, producer: Any) -> None:
        """Announce a version; returns once the broker has it."""
        topic, key = self._broker.topic("versions"), str(announcement.version).encode()
        producer.send(topic, encode(announcement), key=key, partition=0).get(timeout=60)

    def close(self) -> None:
        """Let go of the connection."""
        self._reader.close()

    def _hear(self, heard: Announcement) -> None:
        newest = self.newest
        if newest is None or (heard.generation, heard.version) >= (
            newest.generation,
            newest.version,
        ):
            self.newest = heard
