"""How events reach the log: in the order in which they arrive, some twice, some late, some broken."""

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
"""What can befall an event on its way."""
LOSING: Final = ("late", "malformed")
"""Accidents of a question by which its answers may be lost."""
_GRACE: Final = 10 * MINUTE
_LATEST: Final = 12 * HOUR
_SECOND_COPY: Final = HOUR  # at most so long after the first: well within what a reader remembers
_TRUTH: Final = msgspec.json.Encoder()


class Arrivals:
    """Events on their way to the log. Memory goes with what is on its way, not with what has arrived.

    Attributes:
        kinds: how many lines of each kind were written; `malformed` is a kind of its own.
        accidents: how many lines each accident made or changed.
        sent: lines written or on their way.
    """

    def __init__(self, shop: Shop, log: IO[bytes], truth: IO[bytes] | None) -> None:
        self._log, self._truth = log, truth
        self._random = shop.draws("arrivals").random
        shares = (shop.malformed, shop.duplicated, shop.late, shop.disordered)
        self._up_to = list(accumulate(shares))
        self._any = self._up_to[-1]
        self._coming: list[
            tuple[int, int, bytes, str, str, tuple[str, ...]]
        ] = []  # arrival, number, line, kind, id, why
        self._lines = 0
        self.sent = 0
        self.kinds: Counter[str] = Counter()
        self.accidents: Counter[str] = Counter()

    def send(self, event: Event, accident: str = "", *, spared: tuple[str, ...] = ()) -> str:
        """Send an event off; gives what befell it on its way, or "".

        Args:
            event: happened at its event time.
            accident: what made it, before it was sent.
            spared: what must not befall it.
        """
        if isinstance(event, Tick):
            msg = "a tick has no event id to tell of; got one"
            raise TypeError(msg)
        time, line = event.event_timestamp, encode(event)
        made = (accident,) if accident else ()
        draw = self._random() if self._any else 1.0
        if draw >= self._any:
            self._put(time, line, event, made)
            return ""
        befell = next(name for name, end in zip(ON_THE_WAY, self._up_to, strict=True) if draw < end)
        if befell in spared:
            befell = ""
        if befell == "malformed":
            self._put(time, self._broken(line, time), event, (*made, befell))
        elif befell == "late":
            self._put(
                time + _GRACE + int(self._random() * (_LATEST - _GRACE)),
                line,
                event,
                (*made, befell),
            )
        elif befell == "disordered":
            self._put(time + 1 + int(self._random() * (_GRACE - 1)), line, event, (*made, befell))
        else:
            self._put(time, line, event, made)
            if befell == "duplicated":
                self._put(
                    time + 1 + int(self._random() * _SECOND_COPY), line, event, (*made, befell)
                )
        return befell

    def arrive(self, until: int) -> None:
        """Write what arrives before a time (milliseconds)."""
        coming = self._coming
        while coming and coming[0][0] < until:
            _, _, line, kind, event_id, accidents = heapq.heappop(coming)
            self._log.write(line)
            self._lines += 1
            self.kinds[kind] += 1
            for accident in accidents:
                self.accidents[accident] += 1
                if self._truth:
                    told = TruthOfEvent(event=event_id, accident=accident, line=self._lines)
                    self._truth.write(_TRUTH.encode(told) + b"\n")

    def _put(self, arrival: int, line: bytes, event: Event, accidents: tuple[str, ...]) -> None:
        self.sent += 1
        kind = "malformed" if "malformed" in accidents else type(event).__name__.lower()
        event_id = event.event_id  # type: ignore[union-attr]  # no tick comes here
        heapq.heappush(self._coming, (arrival, self.sent, line + b"\n", kind, event_id, accidents))

    def _broken(self, line: bytes, time: int) -> bytes:
        """A line that no reader takes: cut off, of a wrong type, or without its id."""
        way = int(self._random() * 3)
        if way == 0:
            return line[: len(line) * 2 // 3]
        if way == 1:
            return line.replace(b'"event_timestamp":%d' % time, b'"event_timestamp":"%d"' % time, 1)
        return line.replace(b'"event_id":', b'"id":', 1)
