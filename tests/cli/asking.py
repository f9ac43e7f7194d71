"""Questions to a history, as commands ask them."""

from typing import Any

from mainstem.store import Store
from mainstem.store.named import Query


def asker(store: Store) -> Any:
    """Return a function that asks a history as `story_of` does."""

    def ask(*queries: Query[Any], **parameters: Any) -> list[list[Any]]:
        return [query.typed(store.ask(query.sql, **parameters)[1]) for query in queries]

    return ask
