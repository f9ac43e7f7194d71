"""Which layers of a model responses are taken over, and that each trained parameter is one of theirs.

A layer left out would make every norm too small, silently: so an unknown one is an error that names it, and says which
layers can be taken.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from mainstem.errors import ModelError
from mainstem.responses.advice import fits, what_to_do
from mainstem.responses.formulas import (
    Formula,
    formula_of,
    is_patched,
    is_simple,
    linear,
    per_sample,
)

__all__ = ["CoveredLayer", "by_autograd", "covered"]

_TABLE: Final = "for it reads a table that the samples share"
_PROMPT: Final = "for it makes one prompt, which is repeated for each sample"
_WITHOUT_BATCH: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "DebertaEncoder": ("rel_embeddings", _TABLE),
        "DebertaV2Encoder": ("rel_embeddings LayerNorm", _TABLE),
        "DisentangledSelfAttention": ("*", _TABLE),
        "PromptEmbedding": ("*", _PROMPT),  # peft's
        "PromptEncoder": ("*", _PROMPT),
        "LongformerSelfAttention": ("*", "for it reads tokens first and samples second"),
    }
)
"""What has no batch first where known layers are run, by the class of the module around: which of its layers, and why."""


@dataclass(frozen=True)
class CoveredLayer:
    """A layer that responses are taken over.

    Attributes:
        name: of the layer in the model.
        formula: what it contributes; `per_sample` where autograd forms the gradients.
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

    @property
    def is_formed(self) -> bool:
        """Whether autograd forms its gradients."""
        return self.formula is per_sample


def covered(
    model: nn.Module, layers: Sequence[str] = ("*",), formed: Sequence[str] = ()
) -> dict[nn.Module, CoveredLayer]:
    """The layers with trained parameters whose names match.

    Args:
        model: any module; what has `requires_grad` is trained.
        layers: patterns of names; one without wildcards also takes what is inside (`classifier`, `encoder.layer.11`).
        formed: patterns of layers whose gradients may be formed sample by sample.

    Raises:
        ModelError: if a layer without a formula has a trained parameter, a pattern fits nothing, or nothing is trained.

    Example:
        >>> model = nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 2).requires_grad_(False), nn.Linear(2, 2))
        >>> [place.parameters for place in covered(model).values()]
        [{'weight': '0.weight'}, {'weight': '2.weight', 'bias': '2.bias'}]
    """
    trained = dict(_layers_with_parameters(model))
    _check_patterns(list(trained), [*layers, *formed])
    reasons = _without_batch(model)
    formulas = {
        name: per_sample
        if any(fits(name, pattern) for pattern in formed)
        else None
        if name in reasons
        else formula_of(layer)
        for name, layer in trained.items()
    }
    known = {
        id(one)
        for name, layer in trained.items()
        if formulas[name]
        for one in layer.parameters(recurse=False)
    }
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    found, refused = {}, {}
    for name, layer in trained.items():
        own = dict(layer.named_parameters(recurse=False, remove_duplicate=False))
        mine = {own_name: names[id(one)] for own_name, one in own.items() if one.requires_grad}
        formula, unknown = (
            formulas[name],
            [full for own_name, full in mine.items() if id(own[own_name]) not in known],
        )
        if not any(fits(name, pattern) for pattern in layers):
            continue
        _check_numbers({full: own[own_name] for own_name, full in mine.items()})
        if formula is per_sample and getattr(layer, "scale_grad_by_freq", False):
            refused[name] = unknown or list(mine.values())
        elif formula is not None:
            found[layer] = CoveredLayer(name, formula, mine)
        elif unknown:  # else it only holds what another uses, as the head of a masked language model its decoder's bias
            refused[name] = unknown
    if refused:
        raise ModelError(
            _refusal(model, refused, [name for name in trained if formulas[name]], reasons)
        )
    if not found:
        msg = "the model has no trained parameter in these layers, so there is no gradient response; unfreeze some"
        raise ModelError(msg)
    return found


def by_autograd(
    places: Mapping[nn.Module, CoveredLayer], parameters: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], frozenset[str]]:
    """The parameters whose gradients autograd forms, and the names of those that it always forms sample by sample.

    The others are of layers that read one tensor with the batch first, as a rule; such a layer is passed once for all.

    Args:
        places: the layers.
        parameters: of the model, by name.
    """
    uses = Counter(name for place in places.values() for name in place.parameters.values())
    taken: dict[str, Tensor] = {}
    always: set[str] = set()
    for layer, place in places.items():
        if place.is_formed:
            taken.update({name: parameters[name] for name in place.parameters.values()})
            # subtle: who asks for a layer that has a formula has found that its weight is used in another way too
            alone = is_simple(layer) and formula_of(layer) is None
            always.update(name for name in place.parameters.values() if not alone or uses[name] > 1)
    return taken, frozenset(always)


def _layers_with_parameters(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for name, layer in model.named_modules():
        if any(parameter.requires_grad for parameter in layer.parameters(recurse=False)):
            yield name, layer


def _without_batch(model: nn.Module) -> dict[str, str]:
    """Why the formulas do not hold for layers that they would fit, by the layer's name."""
    found = {}
    for name, layer in model.named_modules():
        which, reason = _WITHOUT_BATCH.get(type(layer).__name__, ("", ""))
        if getattr(layer, "relative_attention", True):
            inside = [
                own
                for own, _ in layer.named_modules()
                if own and any(fits(own, one) for one in which.split())
            ]
            found.update({f"{name}.{own}".lstrip("."): reason for own in inside})
        if name.endswith("relative_attention_bias"):  # T5's
            found[name] = "for its rows are looked up for pairs of positions, whatever the sample"
    return found


def _refusal(
    model: nn.Module,
    refused: Mapping[str, list[str]],
    known: Sequence[str],
    reasons: Mapping[str, str],
) -> str:
    name, [full_name, *_] = next(iter(refused.items()))
    owner = name.partition("parametrizations")[0].rstrip(
        "."
    )  # a parametrization is a module of its own
    layer = model.get_submodule(owner)
    why, by_autograd = (
        reasons.get(name) or _reason(layer),
        not getattr(layer, "scale_grad_by_freq", False),
    )
    has_none = f"belongs to a {type(layer).__name__}, which has no formula here{why and f', {why}'}"
    more = f" ({len(refused)} such layers)" if len(refused) > 1 else ""
    return f"{full_name} {has_none}{more}; {what_to_do(refused, known, by_autograd=by_autograd)}"


def _reason(layer: nn.Module) -> str:
    """What keeps a layer from being what its kind is; nothing where its kind is not known."""
    if getattr(layer, "scale_grad_by_freq", False):
        return "for it divides by how often an id is in the whole batch (scale_grad_by_freq)"
    if is_patched(layer):
        return "for its `forward` was replaced; undo that"
    others = dict(layer.named_parameters())
    if "weight" not in others and isinstance(getattr(layer, "weight", None), Tensor):
        return (
            f"for its weight is computed from {', '.join(name for name in others if name != 'bias')} (spectral or weight "
            "norm, pruning, a parametrization); remove that"
        )
    if type(layer).__name__ == "NonDynamicallyQuantizableLinear":
        return "for attention multiplies with its weight without running it"
    if "RMSNorm" in type(layer).__name__ and not type(layer).__module__.startswith("torch.nn."):
        return "for it is no RMSNorm of one tensor, tried on numbers"
    return ""


def _check_numbers(parameters: Mapping[str, Tensor]) -> None:
    for name, one in parameters.items():
        if is_lazy(one):
            msg = f"{name} has no shape yet, as its layer is lazy; run the model once before the probe is made"
        elif one.is_meta:
            msg = f"{name} is on the device `meta`, and has no numbers; load the model's weights first"
        elif one.is_complex():
            msg = f"{name} is complex, and gradient responses are of real numbers; freeze it, or leave it out by `layers`"
        else:
            continue
        raise ModelError(msg)


def _check_patterns(names: Sequence[str], patterns: Sequence[str]) -> None:
    for pattern in patterns:
        if names and not any(fits(name, pattern) for name in names):
            msg = f"no layer with trained parameters fits {pattern!r}; the model's are {', '.join(names)}"
            raise ModelError(msg)
