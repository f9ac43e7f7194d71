"""The catalogue of a worker, which is read from topic `items` to its end before every batch."""

from mainstem.events import Item, decode
from mainstem.join import Catalogue
from mainstem.kafka import DirectReader

__all__ = ["ItemsReader"]


class ItemsReader:
    """Keeps a catalogue up to the end of topic `items`.

    A question may close only after `items` has been read to the end that it had when the question's
    window passed. So a worker calls `read_to_end` after a batch of events has arrived and before
    it joins the batch.

    Args:
        reader: reader of topic `items`.

    Attributes:
        catalogue: the catalogue, which joiners share.
    """

    def __init__(self, reader: DirectReader) -> None:
        self.catalogue = Catalogue()
        self._reader = reader
        self._next: dict[int, int] = {}

    def read_to_end(self) -> None:
        """Add all item events that have arrived since the last call."""
        for partition in self._next or dict.fromkeys(self._reader.partitions()):
            begin = self._next.get(partition)
            self._next[partition] = self._reader.first(partition) if begin is None else begin
            end = self._reader.end(partition)
            while self._next[partition] < end:
                at = self._next[partition]
                for offset, value in self._reader.read(partition, at, end, most=10_000):
                    event = decode(value or b"")
                    if isinstance(event, Item):  # the sink records the events that are refused
                        self.catalogue.add(event)
                    self._next[partition] = offset + 1

    def held_back(self) -> dict[str, int]:
        """Number of offsets that wait for an open transaction, by partition."""
        return {f"items/{partition}": self._reader.held_back(partition) for partition in self._next}
