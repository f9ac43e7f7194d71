"""Which layers of a model responses cover, and the check that they hold every trained parameter.

A layer left out would silently make every norm too small. So an unknown layer is an error that
names it and says which layers can be taken.
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

_TABLE: Final = "because it reads a table that the samples share"
_PROMPT: Final = "because it makes one prompt, which is repeated for each sample"
_WITHOUT_BATCH: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "DebertaEncoder": ("rel_embeddings", _TABLE),
        "DebertaV2Encoder": ("rel_embeddings LayerNorm", _TABLE),
        "DisentangledSelfAttention": ("*", _TABLE),
        "PromptEmbedding": ("*", _PROMPT),  # of peft
        "PromptEncoder": ("*", _PROMPT),
        "LongformerSelfAttention": ("*", "because it reads tokens first and samples second"),
    }
)
"""Layers of known kinds that do not read the batch first, by the class of the module around them.

The value is the patterns of the layers inside that module, and the reason.
"""


@dataclass(frozen=True)
class CoveredLayer:
    """A layer that responses are taken over.

    Attributes:
        name: dotted name of the layer in the model.
        formula: function that computes the layer's contributions; `per_sample` where autograd
            forms the gradients.
        parameters: for each trained parameter, its name in the layer and its name in the model.
            A weight that layers share has one name in the model.
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
        """Whether autograd forms the layer's gradients."""
        return self.formula is per_sample


def covered(
    model: nn.Module, layers: Sequence[str] = ("*",), formed: Sequence[str] = ()
) -> dict[nn.Module, CoveredLayer]:
    """The layers with trained parameters whose names match.

    Args:
        model: any module; a parameter with `requires_grad` counts as trained.
        layers: patterns of the names of layers to take. A pattern without wildcards also matches
            the layers inside (`classifier`, `encoder.layer.11`).
        formed: patterns of the layers whose gradients autograd may form, sample by sample.

    Raises:
        ModelError: if a layer without a formula has a trained parameter, a pattern matches no
            layer, or no parameter is trained.

    Example:
        >>> frozen = nn.Linear(4, 2).requires_grad_(False)
        >>> model = nn.Sequential(nn.Embedding(9, 4), frozen, nn.Linear(2, 2))
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
        formula = formulas[name]
        unknown = [full for own_name, full in mine.items() if id(own[own_name]) not in known]
        if not any(fits(name, pattern) for pattern in layers):
            continue
        _check_numbers({full: own[own_name] for own_name, full in mine.items()})
        if formula is per_sample and getattr(layer, "scale_grad_by_freq", False):
            refused[name] = unknown or list(mine.values())
        elif formula is not None:
            found[layer] = CoveredLayer(name, formula, mine)
        # else the layer only holds a parameter that another layer uses, as the head of a masked
        # language model holds the bias of its decoder
        elif unknown:
            refused[name] = unknown
    if refused:
        can = [name for name in trained if formulas[name]]
        raise ModelError(_refusal(model, refused, can, reasons))
    if not found:
        msg = (
            "the model has no trained parameter in these layers, so there is no gradient response; "
            "unfreeze some"
        )
        raise ModelError(msg)
    return found


def by_autograd(
    places: Mapping[nn.Module, CoveredLayer], parameters: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], frozenset[str]]:
    """Find the parameters whose gradients autograd forms.

    Most layers of this kind read one tensor with the batch first, and one pass through the layer
    serves all samples. Other parameters always need one backward pass for each sample.

    Args:
        places: the covered layers.
        parameters: parameters of the model, by name.

    Returns:
        All parameters whose gradients autograd forms, by name; and the names of those that need
        one backward pass for each sample.
    """
    uses = Counter(name for place in places.values() for name in place.parameters.values())
    taken: dict[str, Tensor] = {}
    always: set[str] = set()
    for layer, place in places.items():
        if place.is_formed:
            taken.update({name: parameters[name] for name in place.parameters.values()})
            # subtle: a user who names a layer that has a formula does so because its weight is
            # also used outside of the layer
            alone = is_simple(layer) and formula_of(layer) is None
            always.update(name for name in place.parameters.values() if not alone or uses[name] > 1)
    return taken, frozenset(always)


def _layers_with_parameters(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for name, layer in model.named_modules():
        if any(parameter.requires_grad for parameter in layer.parameters(recurse=False)):
            yield name, layer


def _without_batch(model: nn.Module) -> dict[str, str]:
    """For each layer that looks as if it had a formula and has none, its name and the reason."""
    found = {}
    for name, layer in model.named_modules():
        which, reason = _WITHOUT_BATCH.get(type(layer).__name__, ("", ""))
        if getattr(layer, "relative_attention", True):
            patterns = which.split()
            inside = [own for own, _ in layer.named_modules() if own]
            taken = [own for own in inside if any(fits(own, one) for one in patterns)]
            found.update({f"{name}.{own}".lstrip("."): reason for own in taken})
        around = model.get_submodule(name.rpartition(".")[0])
        has_rows = getattr(around, "reads_samples", False)  # set by `models.relative`
        if name.endswith("relative_attention_bias") and not has_rows:  # of T5
            found[name] = (
                "because its rows are looked up for pairs of positions, whatever the sample"
            )
    return found


def _refusal(
    model: nn.Module,
    refused: Mapping[str, list[str]],
    known: Sequence[str],
    reasons: Mapping[str, str],
) -> str:
    name, [full_name, *_] = next(iter(refused.items()))
    # a parametrization is a module of its own
    owner = name.partition("parametrizations")[0].rstrip(".")
    layer = model.get_submodule(owner)
    why = reasons.get(name) or _reason(layer)
    by_autograd = not getattr(layer, "scale_grad_by_freq", False)
    has_none = f"belongs to a {type(layer).__name__}, which has no formula here{why and f', {why}'}"
    more = f" ({len(refused)} such layers)" if len(refused) > 1 else ""
    return f"{full_name} {has_none}{more}; {what_to_do(refused, known, by_autograd=by_autograd)}"


def _reason(layer: nn.Module) -> str:
    """Why a layer of a known kind has no formula; empty where its kind is not known."""
    if getattr(layer, "scale_grad_by_freq", False):
        return "because it divides by how often an id is in the whole batch (scale_grad_by_freq)"
    if is_patched(layer):
        return "because its `forward` was replaced; undo that"
    others = dict(layer.named_parameters())
    if "weight" not in others and isinstance(getattr(layer, "weight", None), Tensor):
        return (
            f"because its weight is computed from "
            f"{', '.join(name for name in others if name != 'bias')} "
            "(spectral or weight norm, pruning, a parametrization); remove that"
        )
    if type(layer).__name__ == "NonDynamicallyQuantizableLinear":
        return "because attention multiplies with its weight without running it"
    if "RMSNorm" in type(layer).__name__ and not type(layer).__module__.startswith("torch.nn."):
        return "because a trial on numbers shows that it is no RMSNorm of one tensor"
    return ""


def _check_numbers(parameters: Mapping[str, Tensor]) -> None:
    for name, one in parameters.items():
        if is_lazy(one):
            msg = (
                f"{name} has no shape yet, as its layer is lazy; "
                "run the model once before you make the probe"
            )
        elif one.is_meta:
            msg = f"{name} is on the device `meta` and has no numbers; load the model's weights"
        elif one.is_complex():
            msg = (
                f"{name} is complex, and gradient responses are of real numbers; "
                "freeze it, or leave it out by `layers`"
            )
        else:
            continue
        raise ModelError(msg)


def _check_patterns(names: Sequence[str], patterns: Sequence[str]) -> None:
    for pattern in patterns:
        if names and not any(fits(name, pattern) for name in names):
            msg = (
                f"no layer with trained parameters fits {pattern!r}; "
                f"the model's are {', '.join(names)}"
            )
            raise ModelError(msg)
