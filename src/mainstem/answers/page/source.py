"""The history that a page is about: a home, or the server of a deployment."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mainstem.embedded.later import later_from
from mainstem.embedded.recorded import recorded
from mainstem.settings import Settings

__all__ = ["Source", "source_of"]


@dataclass(frozen=True)
class Source:
    """The history that a page is about.

    Attributes:
        name: name of the home's folder, or the server and its database.
        settings: settings that it was made with.
        later_from: event time in milliseconds from which no sample is trained on; None where no
            part of a log is kept aside, or no replay has come to its end.
        is_planted: whether labels were turned wrong on purpose. Versions were then measured by
            other labels than those in the history.
    """

    name: str
    settings: Settings
    later_from: int | None = None
    is_planted: bool = False


def source_of(folder: Path, store: str | None, settings: Settings) -> Source:
    """Describe a history.

    Args:
        folder: folder of the home.
        store: URL of a deployment's history, which is meant instead of the home.
        settings: settings that the history was made with.

    Raises:
        HomeError: if the folder is meant, and is no home.

    Example:
        >>> source_of(Path("unused"), "clickhouse://me:secret@host:8123/shop", Settings()).name
        'host:8123/shop'
    """
    if store is not None:
        parts = urlsplit(store)  # its name leaves out the password
        return Source(f"{parts.netloc.rpartition('@')[2]}{parts.path}", settings)
    later, planted = later_from(folder, settings), recorded(folder, "relabel")
    return Source(folder.resolve().name, settings, later, planted not in (None, "none"))
