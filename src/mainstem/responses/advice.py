"""Advice at the end of an error message: short lists of name patterns that can be used as given."""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase

__all__ = ["fits", "patterns_of", "what_to_do"]

# a part of a dotted name that is only a number: the index in a list of layers
_NUMBER = re.compile(r"(?<![^.])\d+(?![^.])")


def fits(name: str, pattern: str) -> bool:
    """Whether a layer's name matches a pattern.

    A pattern without wildcards also matches every layer inside the layer that it names.

    Args:
        name: dotted name of the layer in the model.
        pattern: glob pattern, as of `fnmatch`.

    Example:
        >>> fits("encoder.layer.1.key", "encoder.layer.1")
        True
        >>> fits("encoder.layer.10.key", "encoder.layer.1")
        False
    """
    return fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")


def patterns_of(names: Collection[str], others: Collection[str]) -> list[str]:
    """A short list of patterns that match all of some layers and none of some others.

    Args:
        names: names of the layers to match.
        others: names of the layers that no pattern may match.

    Example:
        >>> names = ["e", "layer.0.ff", "layer.1.ff", "head.a", "head.b"]
        >>> patterns_of(names, ["layer.0.rel", "layer.1.rel"])
        ['e', 'layer.*.ff', 'head']
    """
    if not others:
        return ["*"]
    tops = dict.fromkeys(_top(name, others) for name in names)
    wide = Counter(_NUMBER.sub("*", top) for top in tops)
    found: dict[str, None] = {}
    for top in tops:
        many = _NUMBER.sub("*", top)
        is_safe = wide[many] > 1 and not any(fits(other, many) for other in others)
        found[many if is_safe else top] = None
    return list(found)


def what_to_do(refused: Iterable[str], known: Collection[str], *, by_autograd: bool = True) -> str:
    r"""The end of an error message that refuses some layers: what the caller can do about it.

    Args:
        refused: names of the layers that have no formula here.
        known: names of the layers that have a formula.
        by_autograd: whether autograd can form the gradients of the refused layers.

    Example:
        >>> print(what_to_do(["r"], ["e"]).replace(", ", ",\n", 2))
        freeze it,
        choose layers=['e'],
        or let autograd form its gradients, sample by sample, with per_sample=['r']
    """
    refused = list(refused)
    choose = f"choose layers={patterns_of(known, refused)}" if known else "take another model"
    if not by_autograd:
        return f"freeze it, or {choose}"
    formed = patterns_of(refused, known)
    return (
        f"freeze it, {choose}, "
        f"or let autograd form its gradients, sample by sample, with per_sample={formed}"
    )


def _top(name: str, others: Iterable[str]) -> str:
    """The shortest beginning of a dotted name that matches none of the other names."""
    parts = name.split(".")
    for end in range(1, len(parts)):
        top = ".".join(parts[:end])
        if not any(fits(other, top) for other in others):
            return top
    return name
