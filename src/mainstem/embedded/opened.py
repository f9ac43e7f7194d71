"""What an embedded replay holds open: a log, a home, and the home's history and versions."""

from dataclasses import dataclass

from mainstem.embedded.home import HomeFolder
from mainstem.events.known_log import OpenedLog
from mainstem.store import Store
from mainstem.tracking import Tracker
from mainstem.versions import Versions

__all__ = ["Opened"]


@dataclass(frozen=True, kw_only=True)
class Opened:
    """One log and one home, open.

    Attributes:
        log: the log, which a survey has read once and the replay reads again.
        home: the home, which keeps the checkpoints.
        store: history of the home.
        versions: versions of the home; version 0 must exist.
        key: secret of the pseudonyms.
        until: number of lines to replay as if more were to come; None replays all lines and ends
            the log there.
        tracker: shows the figures of each round; None shows none.
    """

    log: OpenedLog
    home: HomeFolder
    store: Store
    versions: Versions
    key: bytes
    until: int | None = None
    tracker: Tracker | None = None
