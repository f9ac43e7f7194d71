"""Topic `versions` announces which version is in use.

If two learners announce different versions, the announcement of the later learner holds.
"""

from typing import Any

from mainstem.kafka import Broker, DirectReader
from mainstem.kafka.messages import Announcement, decode_announcement, encode, read_message

__all__ = ["Announcements"]


class Announcements:
    """Reads and writes announcements.

    Args:
        broker: broker of the topic.

    Attributes:
        newest: announcement that holds; None before the first one.
    """

    def __init__(self, broker: Broker) -> None:
        self.newest: Announcement | None = None
        self._broker = broker
        self._reader = DirectReader(broker, broker.topic("versions"))
        self._next = self._reader.first(0)

    def read(self) -> Announcement | None:
        """Read to the end of the topic, and return the announcement that holds."""
        end = self._reader.end(0)
        while self._next < end:
            for offset, value in self._reader.read(0, self._next, end):
                self._next = offset + 1
                if not value:
                    continue
                place = f"versions/0 at {offset}"
                if (found := read_message(value, decode_announcement, place)) is not None:
                    self._consider(found)
        return self.newest

    def write(self, announcement: Announcement, producer: Any) -> None:
        """Announce a version, and return once the broker has the record.

        Args:
            announcement: the announcement.
            producer: producer of kafka-python.
        """
        topic, key = self._broker.topic("versions"), str(announcement.version).encode()
        producer.send(topic, encode(announcement), key=key, partition=0).get(timeout=60)

    def close(self) -> None:
        """Close the connection."""
        self._reader.close()

    def _consider(self, found: Announcement) -> None:
        newest = self.newest
        rank = (found.generation, found.version)
        if newest is None or rank >= (newest.generation, newest.version):
            self.newest = found
