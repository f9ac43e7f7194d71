"""Fine-tuning: AdamW with warm-up and linear decay, until the held-out loss no longer falls."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from mainstem.errors import NonFiniteError
from mainstem.join import PlacedSample
from mainstem.learning.evaluation.evaluation import evaluate
from mainstem.models import ActiveVersion, CrossEncoder
from mainstem.models.active import device_of
from mainstem.models.tokenizer import encode_pairs, pad
from mainstem.objectives.losses import cross_entropy, with_weights
from mainstem.settings import Settings

__all__ = ["Training", "fine_tune"]

_FROM_SCRATCH, _PRETRAINED = 5e-4, 2e-5  # default learning rates
_LOSS: Final = with_weights(cross_entropy)


@dataclass(frozen=True)
class Training:
    """A fine-tuned copy.

    Attributes:
        encoder: the copy.
        epochs: number of the epoch whose weights it has.
        steps: number of training steps in all epochs that were run.
    """

    encoder: CrossEncoder
    epochs: int
    steps: int


def fine_tune(
    parent: CrossEncoder,
    samples: Sequence[PlacedSample],
    held_out: Sequence[PlacedSample],
    settings: Settings,
    seed: int,
) -> Training:
    """Train a copy of a model on samples; the model itself stays as it is.

    Args:
        parent: model to copy.
        samples: samples to train on.
        held_out: samples that choose the best epoch: its weights are kept. Without any, the
            weights of the last epoch are kept.
        settings: settings for training.
        seed: seed of all randomness (order, dropout).

    Raises:
        NonFiniteError: if the loss or gradient of a step, or a trained weight, is not finite.
    """
    network = copy.deepcopy(parent.network)
    child = CrossEncoder(network, parent.tokenizer)
    device = device_of(settings)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        return _train(child, samples, held_out, settings, np.random.default_rng(seed))


def _train(
    child: CrossEncoder,
    samples: Sequence[PlacedSample],
    held_out: Sequence[PlacedSample],
    settings: Settings,
    random: np.random.Generator,
) -> Training:
    active, network, learning = ActiveVersion(child, settings), child.network, settings.learning
    pairs, device = [sample.pair for sample in samples], device_of(settings)
    encoded = encode_pairs(child.tokenizer, pairs, settings.model.max_tokens)
    labels = torch.tensor([sample.label for sample in samples], device=device)
    weights = torch.tensor([sample.weight for sample in samples], device=device)
    steps_an_epoch = -(-len(samples) // learning.train_batch)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1.0, weight_decay=learning.weight_decay)
    rate = _rate(child, settings, learning.epochs * steps_an_epoch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    best_loss, best, best_epoch, epoch = float("inf"), network.state_dict(), 0, 0
    for epoch in range(1, learning.epochs + 1):
        network.train()
        order = random.permutation(len(samples))
        for start in range(0, len(order), learning.train_batch):
            places = order[start : start + learning.train_batch]
            batch = pad([encoded[place] for place in places], child.padding_id).to(device)
            loss = _LOSS(network(batch), (labels[places], weights[places])).mean()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            norm = torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            in_epoch = start // learning.train_batch + 1
            _check_step(loss, norm, (epoch - 1) * steps_an_epoch + in_epoch)
            optimizer.step()
            schedule.step()
        held_out_loss = evaluate(active, held_out).log_loss
        if held_out_loss is None or held_out_loss < best_loss:
            best_loss, best_epoch = held_out_loss or float("inf"), epoch
            best = copy.deepcopy(network.state_dict())
        elif epoch - best_epoch >= learning.patience:
            break
    network.load_state_dict(best)
    for name, weight in network.named_parameters():
        if not torch.isfinite(weight).all():
            msg = f"non-finite weights {name!r} after step {epoch * steps_an_epoch}"
            raise NonFiniteError(msg)
    return Training(child, best_epoch, epoch * steps_an_epoch)


def _check_step(loss: Tensor, norm: Tensor, step: int) -> None:
    if not torch.isfinite(loss + norm):  # one test for both, because a GPU is waited for
        what = "gradient" if torch.isfinite(loss) else "loss"
        msg = f"non-finite {what} at step {step}"
        raise NonFiniteError(msg)


class _rate:  # noqa: N801 - used as a function: the learning rate after a number of steps
    def __init__(self, child: CrossEncoder, settings: Settings, steps: int) -> None:
        usual = _FROM_SCRATCH if child.from_scratch else _PRETRAINED
        self._top = settings.learning.learning_rate or usual
        self._warm = max(round(settings.learning.warm_up * steps), 1)
        self._steps = steps

    def __call__(self, step: int) -> float:
        if step < self._warm:
            return self._top * (step + 1) / self._warm
        return self._top * max(self._steps - step, 1) / max(self._steps - self._warm, 1)
