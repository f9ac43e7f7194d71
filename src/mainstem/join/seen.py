"""The ids of recent events, by which a joiner knows an event that it has met before."""

from bisect import insort

from mainstem.join.ledger import BLOCK
from mainstem.join.state import JoinState

__all__ = ["Seen"]


class Seen:
    """Remembers the id of each event until the watermark is `horizon` past its event time.

    Ids wait to be forgotten in a sorted list. Events come nearly in order, so a new id nearly
    always goes to the end; a heap would compare it with a dozen others on its way out.

    Args:
        state: the joiner's state, which holds the ids.
        horizon: the setting `dedupe_horizon`.
    """

    def __init__(self, state: JoinState, horizon: int) -> None:
        self._times, self._waiting, self._horizon = state.seen, state.forget, horizon
        self._waiting.sort()  # subtle: an older snapshot holds a heap
        self._gone = 0  # number of ids at the front that are forgotten but not cut off yet

    def add(self, event_id: str, time: int) -> None:
        """Remember an event id."""
        self._times[event_id] = time
        waiting, entry = self._waiting, (time, event_id)
        if not waiting or entry > waiting[-1]:
            waiting.append(entry)
        else:
            insort(waiting, entry, lo=self._gone)

    def forget(self, watermark: int) -> None:
        """Forget the ids that are older than the horizon."""
        waiting, gone, before = self._waiting, self._gone, watermark - self._horizon
        while gone < len(waiting) and waiting[gone][0] < before:
            del self._times[waiting[gone][1]]
            gone += 1
        self._gone = gone
        if gone > BLOCK:
            self.cut()

    def cut(self) -> None:
        """Cut the forgotten ids off the state, which must happen before it is encoded."""
        del self._waiting[: self._gone]
        self._gone = 0
