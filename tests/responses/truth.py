"""What the probe must say, by autograd on one sample at a time, never padded, in float64."""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mainstem.versions.tokenizer import Batch, pad

Encoded = list[tuple[list[int], list[int]]]


def encoded_of(lengths: list[int], words: int, seed: int = 0) -> Encoded:
    """Token ids and segments of so many tokens each; ids repeat, as words in a text do."""
    generator = torch.Generator().manual_seed(seed)
    ids = [torch.randint(5, words, (length,), generator=generator).tolist() for length in lengths]
    return [(one, [0] * (len(one) // 2) + [1] * (len(one) - len(one) // 2)) for one in ids]


def labels_of(samples: int) -> Tensor:
    """Labels 1, 0, 1, 0, ..."""
    return (torch.arange(samples) + 1) % 2


def true_squares(network: nn.Module, encoded: Encoded, labels: Tensor) -> dict[str, Tensor]:
    """Squared norm of each sample's gradient, shape (B,), by the name of the parameter."""
    exact = copy.deepcopy(network).double().eval()
    names, parameters = zip(*exact.named_parameters(), strict=True)
    rows = []
    for one, label in zip(encoded, labels, strict=True):
        loss = F.cross_entropy(exact(pad([one], 0)), label.unsqueeze(0))
        rows.append(torch.stack([gradient.square().sum() for gradient in torch.autograd.grad(loss, parameters)]))
    return dict(zip(names, torch.stack(rows, dim=1), strict=True))


def true_norms(network: nn.Module, encoded: Encoded, labels: Tensor) -> list[float]:
    """Norm of each sample's gradient over every parameter."""
    return sum(true_squares(network, encoded, labels).values()).sqrt().tolist()


def batch_of(encoded: Encoded, width: int = 0) -> Batch:
    """The samples in one batch, padded to the longest, or to `width` tokens."""
    if width <= max(len(ids) for ids, _ in encoded):
        return pad(encoded, 0)
    wide = pad([*encoded, ([0] * width, [0] * width)], 0)
    return Batch(*(tensor[:-1] for tensor in (wide.ids, wide.segments, wide.mask, wide.positions)))
