"""Targets: what each objective would have a model say of a sample, out of the sample's outcomes.

A target is in [0, 1], or the number of a class where a text was labelled with one. The label of a sample is the target of
the first objective. Joiners read this page, so nothing here needs torch.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

__all__ = ["OBJECTIVES", "TARGETS", "Target", "relabelled", "targets_of"]

Target: TypeAlias = Callable[[Sequence[str], bool], float]
"""The outcomes of an item in their order, and whether the question itself is its purchase, to a target."""


def _answer(outcomes: Sequence[str], bought: bool) -> float:  # noqa: FBT001 - of a `Target`
    """Whether the answer is yes: a return takes it back, anything else gives it."""
    return float(outcomes[-1] != "return" if outcomes else bought)


TARGETS: Final[Mapping[str, Target]] = MappingProxyType({"answer": _answer})
"""What each objective makes of outcomes."""
OBJECTIVES: Final = ("answer",)
"""The objectives in use, in their order."""


def targets_of(
    outcomes: Sequence[str], *, bought: bool, objectives: Sequence[str] = OBJECTIVES
) -> tuple[float, ...]:
    """The targets of a sample, one for each objective.

    Args:
        outcomes: kinds of event that answered, in event time order.
        bought: whether the question itself is a purchase of the item.
        objectives: names of `TARGETS`, in order.

    Example:
        >>> targets_of(["click", "purchase"], bought=False), targets_of(["return"], bought=True)
        ((1.0,), (0.0,))
    """
    return tuple([TARGETS[name](outcomes, bought) for name in objectives])


def relabelled(targets: Sequence[float], label: int) -> tuple[float, ...]:
    """The targets of a sample whose label is another, by somebody's word: the first follows it, the others stay.

    Example:
        >>> relabelled((1.0, 0.5), 0), relabelled((), 1)
        ((0.0, 0.5), (1.0,))
    """
    return (float(label), *targets[1:])
