"""The catalogue of a worker: topic `items`, read whole before anything is joined, and to its end before every batch."""

from mainstem.events import Item, decode
from mainstem.join import Catalogue
from mainstem.kafka import DirectReader

__all__ = ["ItemsReader"]


class ItemsReader:
    """Keeps a catalogue up to the end of `items`.

    A question closes only after `items` has been read to the end it had when the question's window passed: so the end is
    asked for after a batch of events has come, and before it is joined.

    Args:
        reader: of topic `items`.
    """

    def __init__(self, reader: DirectReader) -> None:
        self.catalogue = Catalogue()
        self._reader = reader
        self._next: dict[int, int] = {}

    def read_to_end(self) -> None:
        """Learn what was told since the last time."""
        for partition in self._next or dict.fromkeys(self._reader.partitions()):
            begin = self._next.get(partition)
            self._next[partition] = self._reader.first(partition) if begin is None else begin
            end = self._reader.end(partition)
            while self._next[partition] < end:
                for offset, value in self._reader.read(
                    partition, self._next[partition], end, most=10_000
                ):
                    event = decode(value or b"")
                    if isinstance(event, Item):  # the sink keeps what is refused
                        self.catalogue.add(event)
                    self._next[partition] = offset + 1

    def held_back(self) -> dict[str, int]:
        """Offsets that wait for a transaction to be committed or aborted, of each partition."""
        return {f"items/{partition}": self._reader.held_back(partition) for partition in self._next}
