"""Folders of models, and ways to damage them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from mainstem.errors import ModelError
from mainstem.models import CrossEncoder, load_pretrained

Spoil = Callable[[Path], None]


def load(folder: Path, **more: Any) -> CrossEncoder:
    """Load the model of a folder."""
    return load_pretrained(str(folder), **{"max_tokens": 64, "seed": 0, **more})


def refusal(folder: Path, **more: Any) -> str:
    """Return the one line with which a model is refused."""
    with pytest.raises(ModelError) as caught:
        load(folder, **more)
    told = str(caught.value)
    assert 1 == len(told.splitlines())
    assert str(folder) in told
    return told


def configured(folder: Path, **more: Any) -> Path:
    """Change values in the folder's config."""
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **more}))
    return folder


def weighted(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> Path:
    """Change the folder's weights."""
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


def tokenized(folder: Path, **more: str) -> Path:
    """Change the description of the folder's tokenizer."""
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **more}))
    return folder
