"""What the fold counts of an event: who asked what, which items were shown, and outcomes."""

from typing import Any, Final

from mainstem.behaviour import HOUR, query_key
from mainstem.behaviour.counting import OUTCOMES, OpenHour, ask
from mainstem.events import Cart, Click, Impression, Purchase, Return, Search, View
from mainstem.join.past import Past
from mainstem.join.state import Question, UserState
from mainstem.settings.groups.join import Join

__all__ = ["Counted", "places_of"]

_NUMBERS: Final = {
    kind: OUTCOMES.index(kind.__name__.lower()) for kind in (Click, Cart, Purchase, Return)
}


class Counted:
    """Notes in the open hour what its events count for.

    An event whose hour is closed already adds to `uncounted` instead.

    Args:
        hour: the open hour.
        past: what is remembered of shoppers.
        join: settings of the join.
    """

    def __init__(self, hour: OpenHour, past: Past, join: Join) -> None:
        self._hour, self._past = hour, past
        self._pairing = frozenset(
            {Purchase} if join.questions == "purchases" else {Click, Cart, Purchase}
        )

    def question(
        self, event: Impression | View | Purchase, question: Question, user: UserState
    ) -> None:
        """Count a question, which gets the digest of its query.

        Args:
            event: the event that asks.
            question: the question.
            user: past of the shopper.
        """
        query = question.query
        if not query and user.searches:
            query = self._past.query(user, question.session, question.time)
        if query:
            question.query_key = query_key(query)
        if isinstance(event, Purchase):
            self.outcome(event, user, question.query_key)
        else:
            self._show(event, question.query_key, question.items, question.positions)

    def outcome(
        self,
        event: Click | Cart | Purchase | Return,
        user: UserState,
        query: str = "",
        position: int = 0,
    ) -> None:
        """Count an outcome.

        Args:
            event: the outcome.
            user: past of the shopper.
            query: digest of the query of its question; empty if there is none.
            position: position of the item in its question; 0 if there is none.
        """
        hour, time, kind = self._hour, event.event_timestamp, type(event)
        if time < hour.hour * HOUR:
            hour.uncounted += 1
            return
        before = self._past.touched_before(user, time) if kind in self._pairing else ()
        hour.outcomes.append((_NUMBERS[kind], query, event.item_id, position, before))

    def context(self, event: Any, user: UserState) -> None:
        """Count an event that neither asks nor answers, as far as there is anything to count.

        Args:
            event: the event. Impressions, views, clicks and carts are context where purchases are
                the questions. A view that names an impression counts for nothing.
            user: past of the shopper.
        """
        hour, kind = self._hour, type(event)
        if kind is Search:
            if event.event_timestamp < hour.hour * HOUR:
                hour.uncounted += 1
            elif key := query_key(event.query):
                ask(hour, event.user_id, key)
        elif kind in _NUMBERS:
            self.outcome(event, user)
        elif kind is Impression:
            places = places_of(event)
            key = query_key(event.query or "")
            self._show(event, key, list(places), list(places.values()))
        elif kind is View and not event.impression_id:
            self._show(event, "", [event.item_id], None)

    def _show(
        self, event: Impression | View, query: str, items: list[str], positions: list[int] | None
    ) -> None:
        hour = self._hour
        if event.event_timestamp < hour.hour * HOUR:
            hour.uncounted += 1
            return
        hour.shown.append((query, items, positions or [0]))
        if query and type(event) is Impression:
            ask(hour, event.user_id, query)


def places_of(shown: Impression) -> dict[str, int]:
    """The items of an impression, each once, with their positions.

    An item without a position of its own has the position that it takes in the list.
    """
    found: dict[str, int] = {}
    for place, item in enumerate(shown.items, start=1):
        found.setdefault(item.item_id, item.position or place)
    return found
