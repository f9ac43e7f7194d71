"""Freezes the part of a given model that is not trained, and puts LoRA's pairs beside it.

What lies outside of the body (the head, and the towers of behaviour and examination) is always
trained. The names of the trained weights are kept with the network, because a probe may let frozen
ones count for a while.

Source:
    Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, ICLR 2022,
    https://arxiv.org/abs/2106.09685.
"""

import warnings
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import msgspec
import torch
from torch import Tensor, nn

from mainstem.errors import ModelError
from mainstem.models.adapter import Adapter
from mainstem.models.encoder import CrossEncoder, PairReader, PretrainedReader
from mainstem.models.families import body_of, last_blocks
from mainstem.process.quiet import quietly
from mainstem.responses.advice import fits
from mainstem.settings import Settings

__all__ = ["LORA", "adapt", "check_asked", "counted", "freeze", "pairs_of", "parted"]

LORA: Final = ".lora_"
"""What the names of LoRA's weights have in them."""
_MODULES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"distilbert": ("q_lin", "v_lin"), "modernbert": ("Wqkv",), "mpnet": ("attn.q", "attn.v")}
)
"""Where LoRA's pairs stand in families for which peft has no usual places."""


def adapt(network: PairReader | PretrainedReader, adapter: Adapter, seed: int = 0) -> None:
    """Freeze what an adapter does not train, in place; make LoRA's pairs.

    A pair starts with B = 0, so that the model answers as before.

    Args:
        network: network of a given model, of which all is trained.
        adapter: what is trained; without modules LoRA's pairs stand where the family has them.
        seed: seed of the pairs.

    Raises:
        ModelError: if peft is missing; or the model has no such modules, or not so many blocks.
    """
    body, prefix = _body(network)
    if adapter.kind == "lora":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            adapter = msgspec.structs.replace(adapter, modules=_with_pairs(body, adapter))
    inside = tuple(f"{prefix}{name}." for name in _blocks(body, adapter.blocks))
    network.adapter = adapter
    network.trained = frozenset(
        name
        for name, _ in network.named_parameters()
        if not name.startswith(prefix) or LORA in name or name.startswith(inside)
    )
    freeze(network)


def freeze(network: PairReader | PretrainedReader) -> None:
    """Let the weights that the network's adapter trains have gradients, and no others."""
    if network.trained is not None:
        for name, one in network.named_parameters():
            one.requires_grad_(name in network.trained)


def counted(encoder: CrossEncoder, settings: Settings) -> nn.Module:
    """Let the weights have gradients that responses are taken over; return the network.

    These are the trained ones. Where `responses.response_layers` chooses layers of a model with an
    adapter, they are all weights of these layers, frozen ones too: at the start LoRA's B is 0, so
    that the gradient of A is 0 and a norm is that of B and of the head alone.

    Args:
        encoder: the encoder.
        settings: settings with the layers of responses.
    """
    network, patterns = encoder.network, settings.responses.layer_patterns
    freeze(network)
    if network.trained is not None and "*" not in patterns:
        for name, layer in network.named_modules():
            if any(fits(name, pattern) for pattern in patterns):
                for one in layer.parameters(recurse=False):
                    one.requires_grad_()
    return network


def check_asked(encoder: CrossEncoder, settings: Settings) -> None:
    """Refuse to train on from a version that was made with another adapter than settings ask for.

    Raises:
        ModelError: if they differ; the message shows both.
    """
    asked, has = Adapter.of(settings.model), encoder.adapter
    if (asked is None) if has is None else has.is_asked(asked):
        return
    msg = (
        f"the settings ask to train {asked or 'all weights'}, and the version was made to train "
        f"{has or 'all weights'}; set MAINSTEM_MODEL__ADAPTER and the settings beside it as they "
        "were, or start a new home"
    )
    raise ModelError(msg)


def parted(
    network: PairReader | PretrainedReader,
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The weights by name: those that are trained, and those of the base.

    Without an adapter all are trained, and there is no base.
    """
    every: dict[str, Tensor] = network.state_dict()
    if network.trained is None:
        return every, {}
    own = {name: one for name, one in every.items() if name in network.trained}
    return own, {name: one for name, one in every.items() if name not in network.trained}


def pairs_of(network: nn.Module) -> list[tuple[nn.Parameter, nn.Parameter]]:
    """LoRA's pairs in a network: A, shape (R, D), and B, shape (E, R), of each adapted layer."""
    by_name = dict(network.named_parameters())
    firsts = [name for name in by_name if f"{LORA}A." in name]
    return [(by_name[one], by_name[one.replace(f"{LORA}A.", f"{LORA}B.")]) for one in firsts]


def _body(network: PairReader | PretrainedReader) -> tuple[Any, str]:
    """The body of a network, and what the names of its weights begin with."""
    if isinstance(network, PairReader):
        return network.bert, "bert."
    return body_of(network.model), f"model.{network.model.base_model_prefix}."


def _blocks(body: nn.Module, count: int) -> Sequence[str]:
    if not count:
        return ()
    found = last_blocks(body, count)
    if not found:
        msg = (
            f"the model has not {count} blocks that could be trained; "
            "set MAINSTEM_MODEL__ADAPTER_BLOCKS lower, or MAINSTEM_MODEL__ADAPTER=head"
        )
        raise ModelError(msg)
    return found


def _with_pairs(body: Any, adapter: Adapter) -> tuple[str, ...]:
    """Put LoRA's pairs into a body; return the ends of the names of the layers that have them."""
    try:
        from peft import LoraConfig, inject_adapter_in_model  # seconds to import
    except ImportError as error:
        msg = "LoRA needs peft; install it with `pip install 'mainstem[lora]'`"
        raise ModelError(msg) from error
    modules = adapter.modules or _MODULES.get(body.config.model_type)
    wanted = LoraConfig(
        r=adapter.rank, lora_alpha=adapter.alpha, target_modules=list(modules) if modules else None
    )
    try:
        with warnings.catch_warnings(), quietly():
            warnings.simplefilter("ignore")  # peft tells which way GPT-2 keeps its weights
            inject_adapter_in_model(wanted, body)
    except ValueError as error:
        at = f" at {', '.join(modules)}" if modules else ""
        msg = (
            f"LoRA has no place{at} in a model of the family {body.config.model_type!r}; "
            "name the ends of the names of linear layers as MAINSTEM_MODEL__ADAPTER_MODULES, "
            "like 'query,value'"
        )
        raise ModelError(msg) from error
    return tuple(sorted(wanted.target_modules or ()))
