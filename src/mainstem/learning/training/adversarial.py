"""Adversarial training: a step also learns from its samples, moved to where their loss is higher.

What moves is the output of the model's word embedding, of each sample by itself; the embedding's
weights are never touched. With g the gradient of the loss at the embedded words s of a sample, and
all lengths taken over all its tokens:

    fgm   r = e |s| g / |g|, one more pass
    pgd   K moves of length 2.5 e |s| / K along g, taken anew after each, pulled back to e |s|

Here e is the setting `adversarial_epsilon` and K `adversarial_steps`; pgd with K = 1 is fgm. The
gradient of the step is the sum of that of the samples as they are, which also gives the first g,
and that of the samples moved. Miyato et al. scale embeddings to length 1 so that a model cannot
outgrow e; those of a given model may not be scaled, so e is a share of |s|. Madry et al. begin at
a random point, here the first move begins at the words themselves.

Source:
    Miyato, Dai and Goodfellow, Adversarial Training Methods for Semi-Supervised Text
    Classification, ICLR 2017, https://arxiv.org/abs/1605.07725; Madry et al., Towards Deep Learning
    Models Resistant to Adversarial Attacks, ICLR 2018, https://arxiv.org/abs/1706.06083.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor, nn

from mainstem.errors import ModelError
from mainstem.settings import Learning

__all__ = ["Adversary", "Words", "word_embedding"]

_REACH: Final = 2.5  # moves are so long that together they reach 2.5 times as far as they may


class Words:
    """The embedded words of one batch, and by how much they are moved.

    Attributes:
        moved: by how much, shape (B, T, D); it gets the gradient at the embedded words. None until
            a pass has read the words, which then are not moved.
        embedded: the words as the layer embedded them, in the same shape; None until then.
    """

    def __init__(self) -> None:
        self.moved: Tensor | None = None
        self.embedded: Tensor | None = None

    def read(self, _: nn.Module, __: Any, embedded: Tensor) -> Tensor:
        """Move what the layer embedded; a hook of the layer."""
        if self.moved is None:
            self.moved = torch.zeros_like(embedded, requires_grad=True)
        self.embedded = embedded.detach()
        return embedded + self.moved


class Adversary:
    """Moves the words of samples to where their loss is higher.

    Args:
        network: the network that is trained.
        learning: settings for training, whose `adversarial` is not `none`.

    Raises:
        ModelError: if the network has no word embedding.
    """

    def __init__(self, network: nn.Module, learning: Learning) -> None:
        self._layer = word_embedding(network)
        self._share = learning.adversarial_epsilon
        self._moves = learning.adversarial_steps if learning.adversarial == "pgd" else 1

    @property
    def passes(self) -> int:
        """How many passes it adds to the one over the samples as they are."""
        return self._moves

    @contextmanager
    def watching(self) -> Iterator[Words]:
        """Let the passes inside read their words through the `Words` that this gives.

        All passes inside are over the same batch.
        """
        words = Words()
        handle = self._layer.register_forward_hook(words.read)
        try:
            yield words
        finally:
            handle.remove()

    def move(self, words: Words, loss: Callable[[], Tensor]) -> None:
        """Move the words, inside `watching`, after a backward pass of the unmoved words.

        Args:
            words: the words of the batch, whose `moved` has its gradient.
            loss: a forward pass over the batch, which gives its loss.
        """
        if words.moved is None or words.embedded is None:
            return
        gradient = words.moved.grad
        most = self._share * _length(words.embedded)  # (B, 1, 1)
        for number in range(self._moves):
            if number:
                (gradient,) = torch.autograd.grad(loss(), [words.moved])
            if gradient is not None:
                step = _REACH / self._moves * most * _direction(gradient)
                words.moved = _within(words.moved.detach() + step, most).requires_grad_()


def word_embedding(network: nn.Module) -> nn.Module:
    """The layer of a network that embeds the words, of any family.

    Raises:
        ModelError: if no part of it names one.
    """
    for part in network.modules():
        if callable(find := getattr(part, "get_input_embeddings", None)):
            found: nn.Module = find()
            return found
    msg = (
        f"adversarial training moves embedded words, and {type(network).__name__} has no "
        "`get_input_embeddings`; set MAINSTEM_LEARNING__ADVERSARIAL=none"
    )
    raise ModelError(msg)


def _length(values: Tensor) -> Tensor:
    """Length of each sample's values over all its tokens, shape (B, 1, 1)."""
    found: Tensor = values.flatten(1).norm(dim=1)
    return found.view(-1, 1, 1)


def _direction(gradient: Tensor) -> Tensor:
    """The gradient at length 1; 0 for a sample whose loss does not depend on its words."""
    length = _length(gradient)
    return torch.where((length > 0) & length.isfinite(), gradient / length, 0.0)


def _within(moved: Tensor, most: Tensor) -> Tensor:
    """What is moved, pulled back to the longest way allowed."""
    length = _length(moved)
    return torch.where(length > most, moved * (most / length), moved)
