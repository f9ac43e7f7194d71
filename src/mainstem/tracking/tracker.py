"""What shows the figures of rounds, and what happens if it cannot."""

import logging
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from mainstem.errors import SettingError

__all__ = ["Forgiving", "Tracker", "is_address", "lacking"]

_LOG: Final = logging.getLogger("mainstem.tracking")


class Tracker(Protocol):
    """Shows figures of rounds.

    A round is told once it is kept in the history. A round that is done again after a crash is told
    again, with the same figures but for seconds.
    """

    def told(self, version: int, figures: Mapping[str, float]) -> None:
        """Show the figures of one round by name, at the number of the version that it made."""

    def close(self) -> None:
        """Write what is not yet written; nothing is told afterwards."""


class Forgiving:
    """Shows figures as long as that works: a round does not fail because a tool does.

    Args:
        tracker: shows the figures.
        tell: receives one line if that fails; nothing is shown from then on.

    Example:
        >>> class Full:
        ...     def told(self, version, figures):
        ...         raise OSError("no space left")
        >>> tracker = Forgiving(Full(), print)
        >>> tracker.told(1, {})
        tracking failed (OSError: no space left); rounds go on without it
        >>> tracker.told(2, {})
    """

    def __init__(self, tracker: Tracker, tell: Callable[[str], object] = _LOG.warning) -> None:
        self._tracker: Tracker | None = tracker
        self._tell = tell

    def told(self, version: int, figures: Mapping[str, float]) -> None:
        """Show the figures of one round, if no earlier one failed."""
        self._try(lambda tracker: tracker.told(version, figures))

    def close(self) -> None:
        """Write what is not yet written."""
        self._try(lambda tracker: tracker.close())

    def _try(self, order: Callable[[Tracker], None]) -> None:
        if self._tracker is None:
            return
        try:
            order(self._tracker)
        except Exception as error:  # noqa: BLE001 - another's tool may fail in any way
            self._tracker = None
            reason = (str(error).splitlines() or [""])[0]
            kind = type(error).__name__
            self._tell(f"tracking failed ({kind}: {reason}); rounds go on without it")


def lacking(error: ImportError, to: str) -> SettingError:
    """The error for a tool that is not installed; it names the extra that brings it.

    Example:
        >>> print(lacking(ImportError("No module named 'wandb'"), "wandb"))
        tracking.to wandb needs a package (No module named 'wandb'); `pip install 'mainstem[wandb]'`
    """
    how = f"`pip install 'mainstem[{to}]'`"
    return SettingError(f"tracking.to {to} needs a package ({error}); {how}")


def is_address(where: str) -> bool:
    """Whether something names a server, to which figures leave the machine, and not a folder.

    Example:
        >>> is_address("https://tracking.shop.example"), is_address("/var/mainstem")
        (True, False)
    """
    return where.startswith(("http://", "https://"))
