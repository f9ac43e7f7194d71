"""Targets: what a model should answer for a sample under each objective, from its outcomes.

A target is in [0, 1], or the number of a class where a text was labelled with a class, or `UNKNOWN`
where the sample says nothing about the objective: nobody graded what a shopper was shown. An
unknown target costs nothing under any loss. The label of a sample is its first known target as a
whole number. Joiners import this file, so it needs no torch.
"""

import hashlib
import struct
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final, TypeAlias

__all__ = [
    "OBJECTIVES",
    "TARGETS",
    "UNKNOWN",
    "Target",
    "answered",
    "code_of",
    "label_of",
    "label_of_class",
    "relabelled",
    "targets_of",
    "targets_of_class",
    "targets_of_label",
]

Target: TypeAlias = Callable[[Sequence[str], str], float]
"""(outcomes of an item in event time order, source of the sample) -> target."""
UNKNOWN: Final = -1.0
"""The target of an objective that a sample says nothing about."""
_OF_PURCHASES: Final = frozenset({"purchase", "drawn"})
_OF_TEXTS: Final = frozenset({"answer", "relevance"})


def _answer(outcomes: Sequence[str], source: str) -> float:
    """1 for yes, 0 for no: a return as the last outcome means no, any other outcome yes."""
    return float(outcomes[-1] != "return" if outcomes else source == "purchase")


def _click(outcomes: Sequence[str], source: str) -> float:
    """1 if the item was clicked; unknown where it was in no list that could be clicked."""
    return float("click" in outcomes) if source == "impression" else UNKNOWN


def _cart(outcomes: Sequence[str], source: str) -> float:
    """1 if the item was put into the cart; unknown in a log of purchases alone."""
    return UNKNOWN if source in _OF_PURCHASES else float("cart" in outcomes)


def _purchase(outcomes: Sequence[str], source: str) -> float:
    """1 if the item was bought and not sent back since."""
    decisive = [kind for kind in outcomes if kind in {"purchase", "return"}]
    return float(decisive[-1] == "purchase" if decisive else source == "purchase")


def _relevance(outcomes: Sequence[str], source: str) -> float:  # noqa: ARG001 - of a `Target`
    """Unknown: only a labelled text has a grade."""
    return UNKNOWN


TARGETS: Final[Mapping[str, Target]] = MappingProxyType(
    {
        "answer": _answer,
        "click": _click,
        "cart": _cart,
        "purchase": _purchase,
        "relevance": _relevance,
    }
)
"""The target function of each objective, by name."""
OBJECTIVES: Final = ("answer",)
"""Names of the objectives by default."""


def targets_of(
    outcomes: Sequence[str], source: str, objectives: Sequence[str] = OBJECTIVES
) -> tuple[float, ...]:
    """The targets of a sample of a shopper's question, one for each objective.

    Args:
        outcomes: kinds of the events that answered the question, in event time order.
        source: kind of question, as in `Sample`. A `purchase` is answered yes from the start.
        objectives: names of the objectives, keys of `TARGETS`, in order.

    Example:
        >>> targets_of(["click", "purchase"], "impression"), targets_of(["return"], "purchase")
        ((1.0,), (0.0,))
        >>> several = ("purchase", "click", "relevance")
        >>> targets_of(["click", "purchase", "return"], "impression", several)
        (0.0, 1.0, -1.0)
    """
    return tuple([TARGETS[name](outcomes, source) for name in objectives])


@lru_cache(maxsize=10_000)
def answered(
    outcomes: tuple[str, ...], source: str, objectives: tuple[str, ...] = OBJECTIVES
) -> tuple[tuple[float, ...], int]:
    """The targets of a sample and its label; remembered, because few outcomes are unlike.

    Args:
        outcomes, source, objectives: as for `targets_of`.

    Example:
        >>> answered(("cart",), "view", ("purchase", "cart"))
        ((0.0, 1.0), 0)
    """
    targets = targets_of(outcomes, source, objectives)
    return targets, label_of(targets)


def targets_of_class(
    number: int,
    classes: int = 2,
    grade: float | None = None,
    objectives: Sequence[str] = OBJECTIVES,
) -> tuple[float, ...]:
    """The targets of a labelled text, one for each objective.

    Its answer is its class. Its relevance is its grade; without one, the place of its class among
    the classes, the first one 0 and the last one 1. It says nothing about clicks and purchases.

    Args:
        number: number of the class.
        classes: number of classes.
        grade: relevance in [0, 1] that somebody gave, or None.
        objectives: names of the objectives, in order.

    Example:
        >>> targets_of_class(2, 5, objectives=("answer", "relevance", "click"))
        (2.0, 0.5, -1.0)
    """
    relevance = number / (classes - 1) if grade is None else grade
    known = {"answer": float(number), "relevance": relevance}
    return tuple([known.get(name, UNKNOWN) for name in objectives])


def label_of(targets: Sequence[float]) -> int:
    """The label of a sample: its first known target as a whole number; 0 where none is known.

    A grade of at least one half is a yes.

    Example:
        >>> label_of((1.0, 0.0)), label_of((-1.0, 0.5)), label_of((6.0,)), label_of((-1.0,))
        (1, 1, 6, 0)
    """
    for target in targets:
        if target >= 0:
            return int(target + 0.5)
    return 0


def label_of_class(
    number: int,
    classes: int = 2,
    grade: float | None = None,
    objectives: Sequence[str] = OBJECTIVES,
) -> int:
    """The label that somebody gives a sample who names a class.

    It is the class where the answer is an objective; elsewhere a class in the upper half is a yes.

    Args:
        number, classes, grade, objectives: as for `targets_of_class`.

    Example:
        >>> label_of_class(3, 5), label_of_class(3, 5, objectives=("click",))
        (3, 1)
    """
    targets = targets_of_class(number, classes, grade, objectives)
    if all(target < 0 for target in targets):
        targets = targets_of_class(number, classes, grade, ("relevance",))
    return label_of(targets)


def targets_of_label(label: int, objectives: Sequence[str] = OBJECTIVES) -> tuple[float, ...]:
    """The targets of a text of which only the label is known.

    The label is the target of the objective that gives labels to texts, `answer` or `relevance`,
    or else of the first one; the other targets are unknown.

    Example:
        >>> targets_of_label(5, ("click", "answer")), targets_of_label(1, ("click", "purchase"))
        ((-1.0, 5.0), (1.0, -1.0))
    """
    place = next((at for at, name in enumerate(objectives) if name in _OF_TEXTS), 0)
    return tuple([float(label) if at == place else UNKNOWN for at in range(len(objectives))])


def relabelled(targets: Sequence[float], label: int) -> tuple[float, ...]:
    """The targets of a sample whose label somebody gave.

    The first known target follows the label if it disagrees; the others stay. A grade that agrees
    with the label stays too.

    Example:
        >>> relabelled((1.0, 0.5), 0), relabelled((-1.0, 0.7), 1), relabelled((), 1)
        ((0.0, 0.5), (-1.0, 0.7), (1.0,))
    """
    for place, target in enumerate(targets):
        if target >= 0:
            if int(target + 0.5) == label:
                return tuple(targets)
            return (*targets[:place], float(label), *targets[place + 1 :])
    return (float(label), *targets[1:])


def code_of(targets: tuple[float, ...]) -> int:
    """A number for an answer: a sample whose number changes starts its importance again.

    The label alone does not tell when a second objective's target changes. A sample of one
    objective whose target is its label has the label as its number. Every other sample has 31 bits
    of a digest of its targets, as the history keeps them, so two answers are mistaken for one with
    a probability of 5e-10.

    Returns:
        A number in [0, 2**32).

    Example:
        >>> code_of((1.0,)), code_of((1.0, 0.0)) == code_of((1.0, 1.0))
        (1, False)
    """
    if len(targets) == 1 and targets[0] in _WHOLE:
        return int(targets[0])
    return _digest(targets)


_WHOLE: Final = frozenset(map(float, range(128)))


@lru_cache(maxsize=10_000)
def _digest(targets: tuple[float, ...]) -> int:
    # subtle: single precision, because a sample comes from the join or from the history
    numbers = struct.pack(f"<{len(targets)}f", *targets)
    digest = hashlib.blake2b(numbers, digest_size=4).digest()
    return 1 << 31 | int.from_bytes(digest, "little")
