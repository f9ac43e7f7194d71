"""The recent past of a shopper: what the joiner remembers, and what it tells of a moment.

What it tells of a moment happened strictly before it in event time, except for the query. Each part
of the past is bounded, and depends only on the shopper's own events.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from struct import unpack
from typing import Final, TypeAlias

from mainstem.events import Cart, Click, Purchase, Search, View
from mainstem.join.state import UserState
from mainstem.settings.groups.join import Join

__all__ = ["NOTHING", "TOUCHES", "Own", "Past", "own_between"]

Own: TypeAlias = tuple[int, int, int]
"""Touches and purchases of an item by a shopper, and milliseconds since the last of them."""
NOTHING: Final[Own] = (0, 0, -1)
"""What there is of an item that the shopper has not touched."""
TOUCHES: Final = frozenset({View, Click, Cart, Purchase})
"""Kinds of events that touch an item."""
# A history keeps this many times `history_length` entries, because items may repeat in it.
_KEPT: Final = 4
_MOST_ITEMS: Final = 128  # items of a shopper whose touches are surely remembered
_MOST_TOUCHES: Final = 64  # touches of one item that are remembered
_SIZE: Final = 8  # bytes of a packed touch


class Past:
    """What is remembered of shoppers.

    Args:
        join: settings of the join.
    """

    def __init__(self, join: Join) -> None:
        self._length, self._window = join.history_length, join.history_window
        self._query_window = join.label_window
        self._kept = _KEPT * max(join.history_length, 1)
        self._longest = max(join.history_window, join.label_window)

    def search(self, event: Search, user: UserState) -> None:
        """Remember a search."""
        time, session = event.event_timestamp, event.session_id or ""
        insort(user.searches, (time, event.event_id, session, event.query))
        if len(user.searches) > 2 * self._kept:
            self._prune(user.searches, time, user)

    def touch(self, event: View | Click | Cart | Purchase, user: UserState) -> None:
        """Remember that a shopper touched an item."""
        time, item_id, history = event.event_timestamp, event.item_id, user.history
        last = history[-1] if history else (time,)
        if time - last[0] > self._window:
            # subtle: a sweep may have dropped this shopper in another partitioning
            user.touched, user.recent = {}, ()
        insort(history, (time, event.event_id, item_id))
        if last[0] > time:
            user.recent = tuple(self.history(user, last[0] + 1)[::-1])
        elif self._length:
            recent = user.recent
            if item_id in recent:
                recent = tuple([one for one in recent if one != item_id])
            user.recent = (*recent, item_id)[-self._length :]
        if len(history) > 2 * self._kept:
            self._prune(history, time, user)
        touch = (2 * time + (type(event) is Purchase)).to_bytes(_SIZE, "big")
        touched = user.touched
        if item_id in touched:
            touched[item_id] = _with(touched[item_id], touch)
        else:
            touched[item_id] = touch
            if len(touched) > 2 * _MOST_ITEMS:
                _forget_items(user)

    def touched_before(self, user: UserState, time: int) -> Sequence[str]:
        """The last different items that a shopper touched strictly before a time, in any order."""
        history = user.history
        if not history or time - history[-1][0] > self._window:
            return ()
        return user.recent if history[-1][0] < time else self.history(user, time)

    def history(self, user: UserState, time: int) -> list[str]:
        """Distinct items that a shopper touched strictly before a time, newest first."""
        length, touched = self._length, user.history
        end = len(touched)
        if end and touched[-1][0] >= time:
            end = bisect_left(touched, (time,))
        oldest = time - self._window
        found: dict[str, None] = {}
        for when, _, item_id in reversed(touched[max(end - _KEPT * length, 0) : end]):
            if when < oldest or len(found) == length:
                break
            found[item_id] = None
        return list(found)

    def query(self, user: UserState, session: str, time: int) -> str:
        """The newest search of a session, no older than the label window; empty if none."""
        oldest = time - self._query_window
        for when, _, searched_in, query in reversed(user.searches):
            if oldest <= when <= time and searched_in == session:
                return query
        return ""

    def is_over(self, user: UserState, watermark: int) -> bool:
        """Whether no question can read anything of this past any more."""
        return not user.questions and _last_seen(user) < watermark - self._longest

    def _prune(
        self,
        entries: list[tuple[int, str, str]] | list[tuple[int, str, str, str]],
        now: int,
        user: UserState,
    ) -> None:
        # questions are sorted by time, so the first open one is the oldest
        open_since = (question.time for question in user.questions if not question.closed)
        before = bisect_left(entries, (min(next(open_since, now), now),))
        del entries[: max(before - self._kept, 0)]


def own_between(touches: bytes, oldest: int, time: int) -> Own | None:
    """What a shopper did with an item from `oldest` on and before `time`; None if nothing.

    Args:
        touches: packed touches of the item, as a `UserState` holds them.
        oldest: event time in milliseconds.
        time: event time in milliseconds; what happened at this time does not count.
    """
    if int.from_bytes(touches[:_SIZE], "big") >= 2 * time:
        return None  # a short cut: often the only touch is the purchase that asks
    each = _unpacked(touches)
    first, end = bisect_left(each, 2 * oldest), bisect_left(each, 2 * time)
    if first == end:
        return None
    bought = sum(touch & 1 for touch in each[first:end])
    return end - first, bought, time - each[end - 1] // 2


def _with(touches: bytes, touch: bytes) -> bytes:
    """Add a touch, in order, and drop the oldest ones of too many."""
    added = touches + touch
    if touch < touches[-_SIZE:]:
        each = sorted(_unpacked(added))
        added = b"".join(one.to_bytes(_SIZE, "big") for one in each)
    return added[-_SIZE * _MOST_TOUCHES :]


def _unpacked(touches: bytes) -> tuple[int, ...]:
    """Twice the time of each touch, and one more for a purchase; ascending."""
    return unpack(f">{len(touches) // _SIZE}Q", touches)


def _forget_items(user: UserState) -> None:
    """Forget the items that were touched longest ago."""
    last = {item_id: touches[-_SIZE:] for item_id, touches in user.touched.items()}
    cut = sorted(last.values())[-_MOST_ITEMS]
    kept = [item_id for item_id, touch in last.items() if touch > cut]
    kept += sorted(item_id for item_id, touch in last.items() if touch == cut)
    user.touched = {item_id: user.touched[item_id] for item_id in kept[:_MOST_ITEMS]}


def _last_seen(user: UserState) -> int:
    return max((entries[-1][0] for entries in (user.history, user.searches) if entries), default=-1)
