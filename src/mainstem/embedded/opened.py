"""What an embedded replay holds open: a log, a home, and what is in the home."""

from dataclasses import dataclass

from mainstem.embedded.home import Home
from mainstem.events.known_log import OpenedLog
from mainstem.store import Store
from mainstem.versions import Versions

__all__ = ["Opened"]


@dataclass(frozen=True, kw_only=True)
class Opened:
    """One log and one home, open.

    Attributes:
        log: JSON lines, that were read once, items first, and are read again.
        home: where checkpoints are kept.
        store, versions: the home's history and models; version 0 must be there.
        key: secret of the pseudonyms.
        until: how many lines are replayed, as if more were to come; None: all, and there the log ends.
    """

    log: OpenedLog
    home: Home
    store: Store
    versions: Versions
    key: bytes
    until: int | None = None
