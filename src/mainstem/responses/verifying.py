"""Whether a weight is used outside of the layers that hold it: looked at once, in the graph of a forward pass.

A tap hears what a layer does with its weight, and nothing else. So the graph is followed back from the losses; at what a
layer gave, it is followed on from what that layer read. A weight that is met all the same is used somewhere else too, and
that part of its gradient would be missing. Nothing here depends on numbers, so no rounding and no small factor hides a use.
"""

import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor
from torch.autograd.graph import Node, get_gradient_edge

from mainstem.responses.coverage import CoveredLayer

__all__ = ["Uses", "in_graph_of", "node_of", "used_outside"]


class Uses:
    """Which parameters are known to be used by their layers only: those whose layers ran, and those whose did not.

    Args:
        places: the layers that are heard.
    """

    def __init__(self, places: Collection[CoveredLayer]) -> None:
        self._owners: dict[str, list[str]] = {}
        for place in places:
            for name in place.parameters.values():
                self._owners.setdefault(name, []).append(place.name)
        self._known: dict[bool, set[tuple[str, bool]]] = {
            True: set(),
            False: set(),
        }  # by whether the model trains

    def is_first(self, *, training: bool) -> bool:
        """Whether nothing is known yet of the model in this mode."""
        return not self._known[training]

    def is_new(self, unheard: Collection[str], *, training: bool) -> bool:
        """Whether a parameter's layer ran for the first time, or for the first time did not.

        Args:
            unheard: parameters whose layers did not run.
            training: whether the model trains, in which case it may go another way.
        """
        return not self._known[training].issuperset(
            (name, name in unheard) for name in self._owners
        )

    def learn(self, unheard: Collection[str], *, training: bool) -> None:
        """Note that a pass was looked at; as in `is_new`."""
        self._known[training].update((name, name in unheard) for name in self._owners)

    def owners(self, names: Collection[str]) -> list[str]:
        """Names of the layers that hold some of the parameters."""
        return list(dict.fromkeys(owner for name in sorted(names) for owner in self._owners[name]))


def used_outside(
    losses: Tensor, crossings: Mapping[Node, Node | None], parameters: Mapping[str, Tensor]
) -> set[str]:
    """Names of the parameters that the losses depend on by another way than through their layers.

    Args:
        losses: of a pass in whose graph the parameters are.
        crossings: from the node of what a layer gave to that of what it read, if it has one.
        parameters: by name.

    Example:
        >>> weight, read = torch.ones(2, 2, requires_grad=True), torch.ones(1, 2)
        >>> once = read @ weight
        >>> [used_outside(one.sum(), {node_of(once): None}, {"weight": weight}) for one in (once, once @ weight)]
        [set(), {'weight'}]
    """
    names = {node_of(one): name for name, one in parameters.items() if one.requires_grad}
    found, seen = set[str](), set[Node]()
    ahead = [node_of(losses)]
    while ahead:
        node = ahead.pop()
        if node is None or node in seen:
            continue
        seen.add(
            node
        )  # subtle: holds it, for a node that nobody holds in Python is another object the next time
        if node in names:
            found.add(names[node])
        elif node in crossings:
            ahead.append(crossings[node])
        else:
            ahead.extend(then for then, _ in node.next_functions)
    return found


def node_of(x: Tensor) -> Node | None:
    """Where a tensor comes into the graph; None if it is no part of one."""
    return get_gradient_edge(x).node if x.requires_grad else None


@contextmanager
def in_graph_of(parameters: Collection[Tensor], *, is_plain: bool) -> Iterator[None]:
    """Train frozen parameters inside, so that they are part of the graph; they are as before afterwards.

    Args:
        parameters: any; none where nothing is to be done.
        is_plain: whether nothing is compiled inside, so that each use has a node of its own.
    """
    wanted = [one for one in parameters if not one.requires_grad]
    for one in wanted:
        one.requires_grad_()
    may_compile = is_plain and "torch._dynamo" in sys.modules  # subtle: it takes seconds to load
    try:
        with torch.compiler.set_stance("force_eager") if may_compile else nullcontext():
            yield
    finally:
        for one in wanted:
            one.requires_grad_(False)
