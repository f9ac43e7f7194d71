"""Patience with brokers and servers that are away for a while: try again with back-off, at last give up.

A program that gives up exits non-zero, and its supervisor starts it again: nothing is kept in memory that is not also in
the log or in the history.
"""

import logging
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from mainstem.errors import StoreError

__all__ = ["PATIENCE", "patiently"]

PATIENCE: Final = 120.0
"""Seconds after which a program gives up."""
_LOG = logging.getLogger("mainstem")
_P = ParamSpec("_P")
_T = TypeVar("_T")


def patiently(action: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
    """What an action gives, tried again while the broker or the store refuses, for two minutes at most.

    Example:
        >>> patiently(max, 1, 2)
        2
    """
    import tenacity  # noqa: PLC0415 - only programs have it
    from kafka.errors import KafkaError  # noqa: PLC0415

    trying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type((KafkaError, StoreError, OSError)),
        stop=tenacity.stop_after_delay(PATIENCE),
        wait=tenacity.wait_exponential(multiplier=0.2, max=5),
        before_sleep=_say,
        reraise=True,
    )
    return trying(action, *arguments, **named)


def _say(state: object) -> None:
    outcome = getattr(state, "outcome", None)
    action = getattr(getattr(state, "fn", None), "__name__", "it")
    _LOG.warning("%s failed, trying again: %r", action, outcome.exception() if outcome else None)
