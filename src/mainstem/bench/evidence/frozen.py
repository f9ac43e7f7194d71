"""What a model that never learns here says of texts, kept once for all seeds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mainstem.bench.evidence.texts import Texts

__all__ = ["Embed", "Frozen", "embed", "frozen_of"]

Embed: TypeAlias = Callable[[str, Sequence[str]], NDArray[np.float16]]
"""Features of texts by the model with a name or in a folder, shape (N, D)."""
_BATCH: Final = 64
_TOKENS: Final = 96


@dataclass(frozen=True)
class Frozen:
    """Features of the texts of a set.

    Attributes:
        train: of the texts in the stream, shape (N, D).
        test: of the texts on which heads are measured, shape (M, D).
    """

    train: NDArray[np.float16]
    test: NDArray[np.float16]


def frozen_of(model: str, texts: Texts, folder: Path, with_model: Embed) -> Frozen:
    """The features of texts, computed the first time and read from a file afterwards.

    Args:
        model: name or folder of the model.
        texts: the texts.
        folder: folder for the file.
        with_model: computes features.
    """
    words = b"\0".join(one.encode() for one in (model, *texts.words, *texts.test))
    path = folder / f"frozen-{blake2b(words, digest_size=8).hexdigest()}.npz"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".half.npz")
        train, test = with_model(model, texts.words), with_model(model, texts.test)
        np.savez(half, train=train, test=test)
        half.replace(path)
    with np.load(path) as kept:
        return Frozen(kept["train"], kept["test"])


def embed(model: str, words: Sequence[str]) -> NDArray[np.float16]:
    """Mean of the last hidden states of each text, of length 1, shape (N, D)."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    cut = AutoTokenizer.from_pretrained(model)
    encoder: Any = AutoModel.from_pretrained(model).eval()
    found = np.zeros((len(words), encoder.config.hidden_size), np.float16)
    order = np.argsort([len(one) for one in words], kind="stable")
    with torch.inference_mode():
        for start in range(0, len(words), _BATCH):
            rows = order[start : start + _BATCH]
            asked = cut(
                [words[row] for row in rows],
                padding=True,
                truncation=True,
                max_length=_TOKENS,
                return_tensors="pt",
            )
            states = encoder(**asked).last_hidden_state  # (B, T, D)
            mask = asked["attention_mask"][..., None]
            mean = (states * mask).sum(1) / mask.sum(1)
            found[rows] = torch.nn.functional.normalize(mean, dim=1).numpy()
    return found
