"""What a refusal advises: few patterns of names that, when they are followed, work."""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase

__all__ = ["fits", "patterns_of", "what_to_do"]

_NUMBER = re.compile(
    r"(?<![^.])\d+(?![^.])"
)  # a whole part of a name: the place in a list of layers


def fits(name: str, pattern: str) -> bool:
    """Whether a layer's name fits a pattern; one without wildcards also takes what is inside.

    Example:
        >>> fits("encoder.layer.1.key", "encoder.layer.1"), fits("encoder.layer.10.key", "encoder.layer.1")
        (True, False)
    """
    return fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")


def patterns_of(names: Collection[str], others: Collection[str]) -> list[str]:
    """Few patterns that fit all of some layers' names and none of the others'.

    Example:
        >>> patterns_of(["e", "layer.0.ff", "layer.1.ff", "head.a", "head.b"], ["layer.0.rel", "layer.1.rel"])
        ['e', 'layer.*.ff', 'head']
    """
    if not others:
        return ["*"]
    tops = dict.fromkeys(_top(name, others) for name in names)
    wide = Counter(_NUMBER.sub("*", top) for top in tops)
    found: dict[str, None] = {}
    for top in tops:
        many = _NUMBER.sub("*", top)
        found[
            many if wide[many] > 1 and not any(fits(other, many) for other in others) else top
        ] = None
    return list(found)


def what_to_do(refused: Iterable[str], known: Collection[str], *, by_autograd: bool = True) -> str:
    """The end of a message: layers to choose, and layers whose gradients autograd may form.

    Args:
        refused: names of the layers that have no formula here.
        known: of those that have one.
        by_autograd: whether autograd can form the gradients of those that have none.

    Example:
        >>> what_to_do(["r"], ["e", "l"])
        "freeze it, choose layers=['e', 'l'], or let autograd form its gradients, sample by sample, with per_sample=['r']"
    """
    refused = list(refused)
    choose = f"choose layers={patterns_of(known, refused)}" if known else "take another model"
    if not by_autograd:
        return f"freeze it, or {choose}"
    formed = patterns_of(refused, known)
    return f"freeze it, {choose}, or let autograd form its gradients, sample by sample, with per_sample={formed}"


def _top(name: str, others: Iterable[str]) -> str:
    """The shortest beginning of a name that is none of the others'."""
    parts = name.split(".")
    for end in range(1, len(parts)):
        top = ".".join(parts[:end])
        if not any(fits(other, top) for other in others):
            return top
    return name
