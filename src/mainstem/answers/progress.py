"""The progress of a replay in lines of text, for a caller that prints or logs them."""

from collections.abc import Callable

from mainstem.learning import Round
from mainstem.loop import Loop

__all__ = ["Progress"]


class Progress:
    """A watcher of a loop that says a line after each block and each round.

    Args:
        say: receives each line; None drops them.

    Attributes:
        say: receives a line.

    Raises:
        TypeError: if `say` cannot be called.
    """

    def __init__(self, say: Callable[[str], None] | None) -> None:
        given: object = say
        if not (given is None or callable(given)):
            msg = f"say takes a function, such as print; got {given!r}"
            raise TypeError(msg)
        self.say = say or _silent

    def block_done(self, loop: Loop, line: int) -> None:
        """Say how many lines are done, and how many samples there are."""
        self.say(f"{line:,} lines, {loop.samples:,} samples")

    def round_done(self, done: Round) -> None:
        """Say whether the round's version was promoted, and why."""
        promoted = "promoted" if done.decision.promoted else "not promoted"
        self.say(f"version {done.version} is {promoted}: {done.decision.reason}")


def _silent(_: str) -> None:
    """Say nothing."""
