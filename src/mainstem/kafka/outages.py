"""Waits for brokers and servers that are away: tries again with back-off, and gives up in the end.

A program that gives up exits with an error, and its supervisor starts it again. That loses nothing,
because everything in memory is also in the log or in the history. An error that waiting does not
mend, such as a missing right or a batch that cannot be decoded, is raised at once. A program that
is asked to end stops waiting.
"""

import logging
from collections.abc import Callable
from threading import Event
from typing import Final, ParamSpec, TypeVar

from mainstem.errors import BrokerError, StoppedError, StoreError
from mainstem.kafka.faults import one_line, passes, refusal

__all__ = ["ASKED", "LONGEST_OUTAGE", "patiently"]

LONGEST_OUTAGE: Final = 120.0
"""Seconds after which a program gives up."""
ASKED: Final = Event()
"""Set once this process is asked to end."""
_LOG = logging.getLogger("mainstem")
_P = ParamSpec("_P")
_T = TypeVar("_T")


def patiently(action: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
    """Call an action, and try again for two minutes while the broker or the store refuses.

    Args:
        action: the function to call.
        arguments: positional arguments of the action.
        named: keyword arguments of the action.

    Returns:
        The result of the action.

    Raises:
        BrokerError, StoreError: if it still refuses after two minutes, or if waiting cannot help.
        StoppedError: if this process is asked to end while it waits.

    Example:
        >>> patiently(max, 1, 2)
        2
    """
    import tenacity  # only programs have it
    from kafka.errors import KafkaError

    trying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(
            lambda error: isinstance(error, StoreError) or passes(error)
        ),
        stop=tenacity.stop_any(
            tenacity.stop_after_delay(LONGEST_OUTAGE), tenacity.stop_when_event_set(ASKED)
        ),
        wait=tenacity.wait_exponential(multiplier=0.2, max=5),
        sleep=tenacity.sleep_using_event(ASKED),
        before_sleep=_say,
        reraise=True,
    )
    try:
        return trying(action, *arguments, **named)
    except (KafkaError, OSError, StoreError) as error:
        if ASKED.is_set():
            msg = f"asked to end while waiting ({one_line(error)})"
            raise StoppedError(msg) from error
        if isinstance(error, KafkaError):
            raise BrokerError(refusal(error)) from error
        raise


def _say(state: object) -> None:
    outcome = getattr(state, "outcome", None)
    action = getattr(getattr(state, "fn", None), "__name__", "it")
    _LOG.warning("%s failed, trying again: %r", action, outcome.exception() if outcome else None)
