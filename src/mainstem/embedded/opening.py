"""Checks when a home is opened with a log: it is the log of the home, and the versions exist."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mainstem.embedded.home import HomeFolder
from mainstem.errors import HomeError
from mainstem.events import read_lines
from mainstem.events.known_log import OpenedLog, next_file, same_log
from mainstem.settings import Settings

if TYPE_CHECKING:
    from mainstem.versions import Versions

__all__ = ["check_versions", "open_log"]


def open_log(
    path: Path,
    log: str,
    home: HomeFolder,
    settings: Settings,
    *,
    from_start: bool,
    append: bool,
    say: Callable[[str], None],
) -> OpenedLog:
    """Survey a log, and check that it is the log of the home or its next file.

    Args:
        path: file of the log.
        log: the log as the user named it; `-` is standard input.
        home: the home.
        settings: settings of the replay.
        from_start: whether the home begins again, so that any log will do.
        append: whether the log is the next file of a rotated log.
        say: called with a line for the user, if there is something to say.

    Raises:
        HomeError: if the home was made from another log.
        LogError: if the log cannot be read.
    """
    lines, name = partial(read_lines, path), "standard input" if log == "-" else log
    known = None if from_start else home.log()
    if append and known:
        return next_file(lines, name, known, home.end(), settings.join.grace)
    opened = same_log(lines, name, known)
    if known or from_start or not home.is_begun:
        return opened
    at = home.checkpoint()
    if append or (at and at.line > opened.end.lines):
        msg = (
            f"the home has read a longer log than {name!r}, before logs were remembered; "
            "give that one, or --from-start"
        )
        raise HomeError(msg)
    say(f"the home was made before logs were remembered; {name!r} is taken for its log from now on")
    return opened


def check_versions(home: HomeFolder, versions: "Versions") -> None:
    """Refuse a home whose checkpoint needs a version that is missing.

    Raises:
        HomeError: if the version of the checkpoint is missing.
    """
    at = home.checkpoint()
    if at and at.version not in versions.numbers():
        msg = (
            f"version {at.version} is not in {str(home.folder)!r}; "
            "restore the whole home from a copy, or --from-start"
        )
        raise HomeError(msg)
