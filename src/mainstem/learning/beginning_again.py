"""A round that one of its training's processes did not live to see the end of is begun again."""

import logging
from collections.abc import Callable
from typing import Final

from mainstem.errors import ProcessError
from mainstem.learning.rounds import Round

__all__ = ["begun_again"]

_LOG: Final = logging.getLogger("mainstem.learn")
_TIMES: Final = 3  # a process that always ends has a reason that stays


def begun_again(begin: Callable[[], Round], tell: Callable[[str], object] = _LOG.warning) -> Round:
    """Run a round, and run it again if a process of its training ends before it is done.

    A round draws and trains by its own seed, and writes what it made at its end, so it gives the
    same again.

    Args:
        begin: runs the round.
        tell: receives one line before the round is begun again.

    Raises:
        ProcessError: if it ended so three times; the last line is that of the error.
    """
    failed = 0
    while True:
        try:
            return begin()
        except ProcessError as error:
            failed += 1
            if failed == _TIMES:
                raise
            tell(f"{error}; the round is begun again")
