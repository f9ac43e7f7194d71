"""The last part of a home's log, which no round trains on."""

from pathlib import Path

from mainstem.embedded.files import read_file
from mainstem.embedded.home import END
from mainstem.embedded.recorded import no_home, record
from mainstem.events.known_log import Past
from mainstem.events.survey import Survey
from mainstem.settings import Settings

__all__ = ["later_from"]


def later_from(folder: Path, settings: Settings) -> int | None:
    """The event time in milliseconds from which no sample of a home is trained on.

    Args:
        folder: folder of the home, which another process may be using.
        settings: settings that the home was made with.

    Returns:
        The moment; None until a replay of the home has come to the end of its log.

    Raises:
        HomeError: if the folder is no home, or its files are damaged.
    """
    if not record(folder):
        raise no_home(folder)
    end = read_file(folder / END, Past)
    if end is None or settings.join.questions == "auto":
        return None
    survey = Survey.of(end.survey)
    return survey.later_from(settings.join.questions, settings.learning.later_share)
