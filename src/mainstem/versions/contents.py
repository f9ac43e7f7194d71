"""The files of a version: weights, configuration, tokenizer, and a network to put them into."""

import hashlib
from collections.abc import Mapping
from typing import Any

import torch
from safetensors.torch import save as save_weights
from torch import Tensor

from mainstem.errors import VersionError
from mainstem.models.adapting import adapt, parted
from mainstem.models.encoder import CrossEncoder, PairReader, PretrainedReader
from mainstem.process.quiet import quietly
from mainstem.versions.manifest import Manifest

__all__ = ["base_of", "contents_of", "digest_of", "network_of", "packed"]


def contents_of(encoder: CrossEncoder) -> dict[str, bytes]:
    """The files of a version, by name; its weights are those that are trained."""
    trained, _ = parted(encoder.network)
    return {
        "weights.safetensors": packed(trained),
        "config.json": encoder.network.config.to_json_string(use_diff=False).encode(),
        "tokenizer.json": encoder.tokenizer.to_str().encode(),
    }


def base_of(encoder: CrossEncoder) -> bytes | None:
    """The weights that an adapter leaves as they are, as a file; None if all are trained."""
    _, base = parted(encoder.network)
    return packed(base) if base else None


def packed(tensors: Mapping[str, Tensor]) -> bytes:
    """Tensors by name as a file."""
    ready = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return save_weights(ready)


def network_of(manifest: Manifest, config: dict[str, Any]) -> PairReader | PretrainedReader:
    """An empty network of the kind, configuration, features, towers and adapter of a version.

    Args:
        manifest: manifest of the version.
        config: configuration of its model.

    Raises:
        VersionError: if the kind or the family is unknown.
        ModelError: if it has LoRA's pairs, and peft is missing.
    """
    network = _whole(manifest, config)
    if manifest.adapter is not None:
        adapt(network, manifest.adapter)
    return network


def _whole(manifest: Manifest, config: dict[str, Any]) -> PairReader | PretrainedReader:
    # seconds to import
    from transformers import CONFIG_MAPPING, AutoModel, AutoModelForSequenceClassification

    family = config.get("model_type")
    if family not in CONFIG_MAPPING:
        msg = f"its model is of the family {family!r}, which transformers does not know"
        raise VersionError(msg)
    described = CONFIG_MAPPING[family].from_dict({**config, "dtype": "float32"})
    names = [one.name for one in manifest.features]
    with torch.random.fork_rng(devices=[]), quietly():
        if manifest.kind == "scratch":
            return PairReader(described, names, manifest.examined)
        if manifest.kind == "encoder":
            empty = AutoModel.from_config(described)
            empty.pooler = None
            return PairReader(described, names, manifest.examined, given=empty)
        if manifest.kind != "pretrained":
            msg = f"its kind is {manifest.kind!r}, not 'scratch', 'pretrained' or 'encoder'"
            raise VersionError(msg)
        model = AutoModelForSequenceClassification.from_config(described)
        return PretrainedReader(model, names, manifest.examined)


def digest_of(content: bytes) -> str:
    """BLAKE2b digest of a file."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()
