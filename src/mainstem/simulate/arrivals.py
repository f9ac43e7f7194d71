"""How events reach the log: in the order of their arrival, some twice, some late, some broken."""

import heapq
from collections import Counter
from itertools import accumulate
from typing import IO, Final

import msgspec

from mainstem.events.decode import encode
from mainstem.events.vocabulary import Event, Tick
from mainstem.simulate.shop import HOUR, MINUTE, Shop
from mainstem.simulate.truth import TruthOfEvent

__all__ = ["LOSING", "ON_THE_WAY", "Arrivals"]

ON_THE_WAY: Final = ("malformed", "duplicated", "late", "disordered")
"""Accidents that can happen to an event on its way to the log."""
LOSING: Final = ("late", "malformed")
"""Accidents of a question through which its answers may be lost."""
_GRACE: Final = 10 * MINUTE
_LATEST: Final = 12 * HOUR
_SECOND_COPY: Final = HOUR  # longest delay of a copy, well within the horizon of deduplication
_TRUTH: Final = msgspec.json.Encoder()


class Arrivals:
    """Events on their way to the log.

    Memory grows with the number of events on their way, not with those that have arrived.

    Args:
        shop: the scenario, with the rates of the accidents.
        log: receives the lines of the log.
        truth: receives a line for each event that an accident made or changed; None to write none.

    Attributes:
        sent: number of lines written or on their way.
        kinds: number of lines written, by kind; `malformed` is a kind of its own.
        accidents: number of lines that each accident made or changed.
    """

    def __init__(self, shop: Shop, log: IO[bytes], truth: IO[bytes] | None) -> None:
        self._log, self._truth = log, truth
        self._random = shop.draws("arrivals").random
        shares = (shop.malformed, shop.duplicated, shop.late, shop.disordered)
        self._up_to = list(accumulate(shares))
        self._any = self._up_to[-1]
        # (arrival, number, line, kind, event id, accidents)
        self._coming: list[tuple[int, int, bytes, str, str, tuple[str, ...]]] = []
        self._lines = 0
        self.sent = 0
        self.kinds: Counter[str] = Counter()
        self.accidents: Counter[str] = Counter()

    def send(self, event: Event, accident: str = "", *, spared: tuple[str, ...] = ()) -> str:
        """Send an event, to which an accident may happen on its way.

        Args:
            event: the event, which is sent at its event time.
            accident: accident that made the event before it was sent; empty if none did.
            spared: accidents that must not happen to it.

        Returns:
            The accident that happened on its way, or "".

        Raises:
            TypeError: if the event is a tick, which has no event id for the truth.
        """
        if isinstance(event, Tick):
            msg = f"a tick has no event id, so it cannot be sent; got {event!r}"
            raise TypeError(msg)
        time, line = event.event_timestamp, encode(event)
        made = (accident,) if accident else ()
        draw = self._random() if self._any else 1.0
        if draw >= self._any:
            self._put(time, line, event, made)
            return ""
        drawn = next(name for name, end in zip(ON_THE_WAY, self._up_to, strict=True) if draw < end)
        if drawn in spared:
            drawn = ""
        if drawn == "malformed":
            self._put(time, self._broken(line, time), event, (*made, drawn))
        elif drawn == "late":
            arrival = time + _GRACE + int(self._random() * (_LATEST - _GRACE))
            self._put(arrival, line, event, (*made, drawn))
        elif drawn == "disordered":
            arrival = time + 1 + int(self._random() * (_GRACE - 1))
            self._put(arrival, line, event, (*made, drawn))
        else:
            self._put(time, line, event, made)
            if drawn == "duplicated":
                arrival = time + 1 + int(self._random() * _SECOND_COPY)
                self._put(arrival, line, event, (*made, drawn))
        return drawn

    def arrive(self, until: int) -> None:
        """Write the events that arrive before a time, in milliseconds since 1970."""
        coming = self._coming
        while coming and coming[0][0] < until:
            _, _, line, kind, event_id, accidents = heapq.heappop(coming)
            self._log.write(line)
            self._lines += 1
            self.kinds[kind] += 1
            for accident in accidents:
                self.accidents[accident] += 1
                if self._truth:
                    truth = TruthOfEvent(event=event_id, accident=accident, line=self._lines)
                    self._truth.write(_TRUTH.encode(truth) + b"\n")

    def _put(self, arrival: int, line: bytes, event: Event, accidents: tuple[str, ...]) -> None:
        self.sent += 1
        kind = "malformed" if "malformed" in accidents else type(event).__name__.lower()
        event_id = event.event_id  # type: ignore[union-attr]  # `send` refuses ticks
        heapq.heappush(self._coming, (arrival, self.sent, line + b"\n", kind, event_id, accidents))

    def _broken(self, line: bytes, time: int) -> bytes:
        """A line that every reader refuses: cut off, with a wrong type, or without its event id."""
        way = int(self._random() * 3)
        if way == 0:
            return line[: len(line) * 2 // 3]
        if way == 1:
            return line.replace(b'"event_timestamp":%d' % time, b'"event_timestamp":"%d"' % time, 1)
        return line.replace(b'"event_id":', b'"id":', 1)
