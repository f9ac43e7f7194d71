"""Which layers of a model responses are taken over, and that each trained parameter is one of theirs.

A layer left out would make every norm too small, silently: so an unknown one is an error that names it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from torch import nn

from mainstem.errors import ModelError
from mainstem.responses.layers import Formula, formula_of, linear, per_sample

__all__ = ["Place", "covered"]


@dataclass(frozen=True)
class Place:
    """A layer that responses are taken over.

    Attributes:
        name: of the layer in the model.
        formula: what it contributes.
        parameters: name of each trained parameter in the model, by its name in the layer. A weight that layers share has
            one name.
    """

    name: str
    formula: Formula
    parameters: dict[str, str]

    @property
    def is_affine(self) -> bool:
        """Whether it is a linear layer with both its weight and its bias trained."""
        return self.formula is linear and len(self.parameters) == 2


def covered(model: nn.Module, layers: Sequence[str] = ("*",), by_autograd: Sequence[str] = ()) -> dict[nn.Module, Place]:
    """The layers with trained parameters whose names match.

    Args:
        model: any module; what has `requires_grad` is trained.
        layers: patterns of names; one without wildcards also takes what is inside (`classifier`, `encoder.layer.11`).
        by_autograd: patterns of layers without a formula whose gradients may be formed sample by sample.

    Raises:
        ModelError: if a layer without a formula has a trained parameter, a pattern fits nothing, or nothing is trained.

    Example:
        >>> model = nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 2).requires_grad_(False), nn.Linear(2, 2))
        >>> [place.parameters for place in covered(model).values()]
        [{'weight': '0.weight'}, {'weight': '2.weight', 'bias': '2.bias'}]
    """
    _check_patterns(model, [*layers, *by_autograd])
    elsewhere = _of_known_layers(model)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    found = {}
    for name, layer in _layers_with_parameters(model):
        if not any(_fits(name, pattern) for pattern in layers):
            continue
        own = dict(layer.named_parameters(recurse=False, remove_duplicate=False))
        trained = {own_name: names[id(one)] for own_name, one in own.items() if one.requires_grad}
        formula = per_sample if any(_fits(name, pattern) for pattern in by_autograd) else _formula_of(name, layer)
        if formula is None and all(id(one) in elsewhere for one in own.values() if one.requires_grad):
            continue  # it only holds what another layer uses, as the head of a masked language model its decoder's bias
        if formula is None:
            full_name, kind = next(iter(trained.values())), type(layer).__name__
            where = f"per_sample=[{name!r}]" if name else "another model"
            msg = (
                f"{full_name} belongs to a {kind}, which has no formula here; freeze it, leave it out by `layers`, or have "
                f"its gradients formed by autograd with {where}"
            )
            raise ModelError(msg)
        found[layer] = Place(name, formula, trained)
    if not found:
        msg = "the model has no trained parameter in these layers, so there is no gradient response; unfreeze some"
        raise ModelError(msg)
    return found


def _layers_with_parameters(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for name, layer in model.named_modules():
        if any(parameter.requires_grad for parameter in layer.parameters(recurse=False)):
            yield name, layer


def _of_known_layers(model: nn.Module) -> set[int]:
    known = [layer for name, layer in _layers_with_parameters(model) if _formula_of(name, layer) is not None]
    return {id(parameter) for layer in known for parameter in layer.parameters(recurse=False)}


def _formula_of(name: str, layer: nn.Module) -> Formula | None:
    """Also None for T5's table of distances: its rows are looked up for pairs of positions, whatever the sample."""
    return None if name.endswith("relative_attention_bias") else formula_of(layer)


def _fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")


def _check_patterns(model: nn.Module, patterns: Sequence[str]) -> None:
    names = [name for name, _ in _layers_with_parameters(model)]
    for pattern in patterns:
        if names and not any(_fits(name, pattern) for name in names):
            msg = f"no layer with trained parameters fits {pattern!r}; the model's are {', '.join(names)}"
            raise ModelError(msg)
