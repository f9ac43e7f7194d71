"""Targets: what a model should answer for a sample under each objective, from its outcomes.

A target is in [0, 1], or the number of a class where a text was labelled with a class. The label
of a sample is the target of the first objective. Joiners import this file, so it needs no torch.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

__all__ = ["OBJECTIVES", "TARGETS", "Target", "relabelled", "targets_of"]

Target: TypeAlias = Callable[[Sequence[str], bool], float]
"""(outcomes of an item in event time order, whether the question is its purchase) -> target."""


def _answer(outcomes: Sequence[str], bought: bool) -> float:  # noqa: FBT001 - of a `Target`
    """1 for yes, 0 for no: a return as the last outcome means no, any other outcome yes."""
    return float(outcomes[-1] != "return" if outcomes else bought)


TARGETS: Final[Mapping[str, Target]] = MappingProxyType({"answer": _answer})
"""The target function of each objective, by name."""
OBJECTIVES: Final = ("answer",)
"""Names of the objectives in use, in order."""


def targets_of(
    outcomes: Sequence[str], *, bought: bool, objectives: Sequence[str] = OBJECTIVES
) -> tuple[float, ...]:
    """The targets of a sample, one for each objective.

    Args:
        outcomes: kinds of the events that answered the question, in event time order.
        bought: whether the question itself is a purchase of the item.
        objectives: names of the objectives, keys of `TARGETS`, in order.

    Example:
        >>> targets_of(["click", "purchase"], bought=False), targets_of(["return"], bought=True)
        ((1.0,), (0.0,))
    """
    return tuple([TARGETS[name](outcomes, bought) for name in objectives])


def relabelled(targets: Sequence[float], label: int) -> tuple[float, ...]:
    """The targets of a sample after its label was overruled: the first changes, the others stay.

    Example:
        >>> relabelled((1.0, 0.5), 0), relabelled((), 1)
        ((0.0, 0.5), (1.0,))
    """
    return (float(label), *targets[1:])
