"""Squared gradient norm of one layer for each sample, from what the layer read and what came back to it.

Notation: a is the layer's input, b the gradient of the summed losses at its output; B samples, T tokens, D in, P out.
A sample's weight gradient is sum_t b_t a_t^T. Its norm is found without forming it where that is cheaper: the Gram route
sums (a_t . a_s)(b_t . b_s) over pairs of tokens, at T^2 (D + P) products against T D P for forming it.

Source: Goodfellow, Efficient Per-Example Gradient Computations, 2015, https://arxiv.org/abs/1510.01799 (T = 1);
Li, Tramer, Liang, Hashimoto, Large Language Models Can Be Strong Differentially Private Learners, ICLR 2022, section 4,
https://arxiv.org/abs/2110.05679 (the Gram route).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["embedding_squared_norm", "gram", "layer_norm_squared_norm", "linear_squared_norm"]


def gram(a: Tensor) -> Tensor:
    """Inner products between a sample's tokens: (B, T, D) -> (B, T, T)."""
    return torch.bmm(a, a.transpose(1, 2))


def linear_squared_norm(layer: nn.Linear, a: Tensor, b: Tensor, gram_of_a: Tensor | None = None) -> Tensor:
    """Squared norm of each sample's gradient at a linear layer, bias included.

    Args:
        layer: tells D, P and whether there is a bias.
        a: its input, shape (B, D) or (B, T, D), float32.
        b: gradient at its output, shape (B, P) or (B, T, P), float32.
        gram_of_a: `gram(a)`, if it is there already (queries, keys and values read the same input).

    Returns:
        Shape (B,), >= 0.

    Example:
        >>> layer = nn.Linear(2, 1)
        >>> linear_squared_norm(layer, torch.tensor([[3.0, 4.0]]), torch.tensor([[2.0]]))  # 2^2 (3^2 + 4^2) + 2^2
        tensor([104.])
    """
    if a.dim() == 2:
        squared = a.square().sum(1) * b.square().sum(1)  # (B,): one token, so the gradient has rank one
        return squared + b.square().sum(1) if layer.bias is not None else squared
    if is_gram_cheaper(layer, a.shape[1]):
        products = (gram(a) if gram_of_a is None else gram_of_a) * gram(b)  # (B, T, T)
        squared = products.sum((1, 2)).clamp_min(0)  # subtle: where tokens cancel, rounding may leave less than nothing
    else:
        squared = torch.bmm(b.transpose(1, 2), a).square().sum((1, 2))  # (B, P, D) -> (B,)
    return squared + b.sum(1).square().sum(1) if layer.bias is not None else squared


def is_gram_cheaper(layer: nn.Linear, tokens: int) -> bool:
    """Whether T^2 (D + P) products are fewer than T D P."""
    d, p = layer.in_features, layer.out_features
    return tokens * (d + p) <= d * p


def layer_norm_squared_norm(layer: nn.LayerNorm, a: Tensor, b: Tensor) -> Tensor:
    """Squared norm of each sample's gradient at a layer norm, scale and shift.

    Args:
        layer: tells the shape and epsilon.
        a: its input, shape (B, ..., D), float32.
        b: gradient at its output, shape (B, ..., D), float32.

    Returns:
        Shape (B,), >= 0.

    Example:
        >>> layer = nn.LayerNorm(2)
        >>> a, b = torch.tensor([[-1.0, 1.0]]), torch.tensor([[0.0, 3.0]])
        >>> layer_norm_squared_norm(layer, a, b).round()  # (1 x 3)^2 for the scale, 3^2 for the shift
        tensor([18.])
    """
    normal = F.layer_norm(a, layer.normalized_shape, eps=layer.eps)
    scale = _sum_tokens(normal * b).square().sum(1)
    return scale + _sum_tokens(b).square().sum(1) if layer.bias is not None else scale


def embedding_squared_norm(layer: nn.Embedding, ids: Tensor, b: Tensor) -> Tensor:
    """Squared norm of each sample's gradient at an embedding: tokens of one id share a row, so their gradients add up.

    Args:
        layer: tells `padding_idx`, whose row has no gradient.
        ids: its input, shape (B, T), int64.
        b: gradient at its output, shape (B, T, D), float32.

    Returns:
        Shape (B,), >= 0.

    Example:
        >>> layer = nn.Embedding(9, 1)
        >>> ids, b = torch.tensor([[5, 5, 7]]), torch.tensor([[[1.0], [2.0], [1.0]]])
        >>> embedding_squared_norm(layer, ids, b)  # (1 + 2)^2 + 1^2
        tensor([10.])
    """
    if layer.padding_idx is not None:
        b = b * (ids != layer.padding_idx).unsqueeze(2)
    same_row = ids.unsqueeze(1) == ids.unsqueeze(2)  # (B, T, T)
    return (gram(b) * same_row).sum((1, 2)).clamp_min(0)


def _sum_tokens(x: Tensor) -> Tensor:
    return x.flatten(1, -2).sum(1) if x.dim() > 2 else x  # (B, ..., D) -> (B, D)
