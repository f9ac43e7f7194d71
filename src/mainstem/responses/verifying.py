"""Find out from the graph whether a weight is used outside of the layers that hold it.

A tap hears what a layer does with its weight, and nothing else. So the graph of a forward pass is
walked back from the losses, and at the output of a layer the walk jumps to the layer's input. A
weight that the walk meets all the same is used somewhere else too, and that part of its gradient
would be missing. The walk reads no numbers, so neither rounding nor a small factor hides a use.
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
    """Remembers in which passes each parameter is known to be used by its layers only.

    A parameter is known for passes in which its layers ran, for passes in which they did not, or
    for both.

    Args:
        places: the covered layers that are heard.
    """

    def __init__(self, places: Collection[CoveredLayer]) -> None:
        self._owners: dict[str, list[str]] = {}
        for place in places:
            for name in place.parameters.values():
                self._owners.setdefault(name, []).append(place.name)
        # by whether the model is in train mode
        self._known: dict[bool, set[tuple[str, bool]]] = {True: set(), False: set()}

    def is_first(self, *, training: bool) -> bool:
        """Whether no pass of the model in this mode was looked at yet."""
        return not self._known[training]

    def is_new(self, unheard: Collection[str], *, training: bool) -> bool:
        """Whether a parameter's layer ran for the first time, or did not run for the first time.

        Args:
            unheard: names of the parameters whose layers did not run.
            training: whether the model is in train mode, in which it may run other layers.
        """
        now = ((name, name in unheard) for name in self._owners)
        return not self._known[training].issuperset(now)

    def learn(self, unheard: Collection[str], *, training: bool) -> None:
        """Remember a pass whose graph was looked at; the arguments are those of `is_new`."""
        self._known[training].update((name, name in unheard) for name in self._owners)

    def owners(self, names: Collection[str]) -> list[str]:
        """Names of the layers that hold these parameters."""
        return list(dict.fromkeys(owner for name in sorted(names) for owner in self._owners[name]))


def used_outside(
    losses: Tensor, crossings: Mapping[Node, Node | None], parameters: Mapping[str, Tensor]
) -> set[str]:
    """Names of the parameters that the losses depend on other than through their layers.

    Args:
        losses: losses of a pass whose graph holds the parameters.
        crossings: for the graph node of each layer's output, the node of its input, or None if
            the input is not part of the graph.
        parameters: parameters by name.

    Example:
        >>> weight, read = torch.ones(2, 2, requires_grad=True), torch.ones(1, 2)
        >>> once = read @ weight
        >>> twice, crossings = once @ weight, {node_of(once): None}
        >>> used_outside(once.sum(), crossings, {"weight": weight})
        set()
        >>> used_outside(twice, crossings, {"weight": weight})
        {'weight'}
    """
    names = {node_of(one): name for name, one in parameters.items() if one.requires_grad}
    found, seen = set[str](), set[Node]()
    ahead = [node_of(losses)]
    while ahead:
        node = ahead.pop()
        if node is None or node in seen:
            continue
        # subtle: the reference matters, because a node without one in Python becomes another
        # object the next time
        seen.add(node)
        if node in names:
            found.add(names[node])
        elif node in crossings:
            ahead.append(crossings[node])
        else:
            ahead.extend(then for then, _ in node.next_functions)
    return found


def node_of(x: Tensor) -> Node | None:
    """The graph node that made a tensor; None if the tensor is not part of a graph."""
    return get_gradient_edge(x).node if x.requires_grad else None


@contextmanager
def in_graph_of(parameters: Collection[Tensor], *, is_plain: bool) -> Iterator[None]:
    """Train frozen parameters inside, so that they are part of the graph; freeze them afterwards.

    Args:
        parameters: any parameters; an empty collection does nothing.
        is_plain: whether compiled code must run eagerly, so that each use has a node of its own.
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
