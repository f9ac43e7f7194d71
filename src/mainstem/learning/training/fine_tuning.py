"""Fine-tuning: AdamW with warm-up and linear decay, until the held-out loss no longer falls.

A version has the mean of the weights over the last steps.
"""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mainstem.errors import NonFiniteError
from mainstem.join import PlacedSample, examples_of
from mainstem.learning.training.averaging import MeanWeights
from mainstem.learning.training.batch_loss import BatchLoss, epoch_of, steps_of
from mainstem.learning.training.gradient import StepGradient
from mainstem.learning.training.processes import train_on_processes
from mainstem.learning.training.ranks import ALONE, Ranks
from mainstem.learning.training.steps import Seen, optimizer_of, train_step
from mainstem.models import ActiveVersion, CrossEncoder
from mainstem.models.adapting import check_asked, freeze
from mainstem.models.device import device_of
from mainstem.models.passes import PLAIN
from mainstem.models.reading import Read
from mainstem.process.stopwatch import SPENT
from mainstem.settings import Settings

__all__ = ["Training", "fine_tune", "loss_on"]


@dataclass(frozen=True)
class Training:
    """A fine-tuned copy.

    Attributes:
        encoder: the copy.
        epochs: number of the epoch whose weights it has.
        steps: number of training steps in all epochs that were run.
        held_out: logits of the held-out samples under these weights and all objectives, at the
            positions at which they were shown, shape (N, W); None without held-out samples.
    """

    encoder: CrossEncoder
    epochs: int
    steps: int
    held_out: NDArray[np.float64] | None = None


@SPENT.on("train")
def fine_tune(
    parent: CrossEncoder,
    samples: Sequence[PlacedSample],
    held_out: Sequence[PlacedSample],
    settings: Settings,
    seed: int,
    importance: Sequence[float] | None = None,
    ranks: Ranks | None = None,
) -> Training:
    """Train a copy of a model on samples; the model itself stays as it is.

    Args:
        parent: model to copy.
        samples: samples to train on.
        held_out: samples that choose the best epoch: its weights are kept. Without any, the
            weights of the last epoch are kept.
        settings: settings for training.
        seed: seed of all randomness (order, dropout).
        importance: importance of each of the samples to train on, NaN for one without; it counts
            where the setting `by_importance` is above 0. None where none is known.
        ranks: which of the processes that train together this one is. None begins them, if the
            setting `run.processes` asks for more than one, and trains alone otherwise.

    Raises:
        NonFiniteError: if the loss or gradient of a step, or a trained weight, is not finite.
        ModelError: if the model was made with another adapter than the settings ask for.
        ProcessError: if one of several processes ends without having done its part.
    """
    check_asked(parent, settings)
    network = copy.deepcopy(parent.network)
    freeze(network)
    child = CrossEncoder(network, parent.tokenizer)
    if ranks is None and settings.run.processes > 1 and samples:
        return _on_processes(child, samples, held_out, settings, seed, importance)
    ranks = ranks or ALONE
    device = device_of(settings)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(ranks.seed_of(seed))
        random = np.random.default_rng(seed)
        return _train(child, samples, held_out, settings, random, importance, ranks)


def _train(
    child: CrossEncoder,
    samples: Sequence[PlacedSample],
    held_out: Sequence[PlacedSample],
    settings: Settings,
    random: np.random.Generator,
    importance: Sequence[float] | None,
    ranks: Ranks,
) -> Training:
    network, learning = child.network.to(device_of(settings)), settings.learning
    objectives, size = settings.objectives, learning.train_batch
    mean = MeanWeights(network, learning.averaged)
    active = ActiveVersion(CrossEncoder(mean.network, child.tokenizer), settings)
    read, later = active.read(examples_of(samples)), active.read(examples_of(held_out))
    loss_of = BatchLoss(read, objectives, importance, learning.label_smoothing)
    share = learning.epoch_share
    all_steps = learning.epochs * steps_of(read, objectives, size, share)
    optimizer, schedule = optimizer_of(child, settings, all_steps, beside=read.has_features)
    gradient = StepGradient(network, settings, ranks=ranks)
    steps = 0
    best_loss, best, best_epoch, epoch = float("inf"), network.state_dict(), 0, 0
    answers: NDArray[np.float64] | None = None
    for epoch in range(1, learning.epochs + 1):
        network.train()
        seen = Seen(steps)
        for places in epoch_of(read, objectives, size, random, share):
            seen.add(*train_step(network, read, places, optimizer, loss_of, gradient))
            for _ in range(gradient.passes):
                read.passed(PLAIN, places)
            schedule.step()
            if ranks.leads:
                mean.add(network)
            steps += 1
        seen.check()
        mean.settle()
        loss, found = loss_on(active, later) if ranks.leads else (None, None)
        loss = ranks.told(loss)
        if loss is None or loss < best_loss:
            best_loss, best_epoch, answers = loss or float("inf"), epoch, found
            best = copy.deepcopy(mean.network.state_dict())
        elif epoch - best_epoch >= learning.patience:
            break
    network.load_state_dict(best)
    for name, weight in network.named_parameters():
        if not torch.isfinite(weight).all():
            msg = f"non-finite weights {name!r} after step {steps}"
            raise NonFiniteError(msg)
    return Training(child, best_epoch, steps, answers)


def _on_processes(
    child: CrossEncoder,
    samples: Sequence[PlacedSample],
    held_out: Sequence[PlacedSample],
    settings: Settings,
    seed: int,
    importance: Sequence[float] | None,
) -> Training:
    """Let several processes train a copy, which gets the weights that they hand back."""
    found = train_on_processes(child, samples, held_out, settings, seed, importance)
    child.network.load_state_dict(found.weights)
    child.network.to(device_of(settings))
    cost = found.cost
    factor = cost.forward_equivalents / max(cost.tokens, 1)
    SPENT.passed(samples=cost.samples, tokens=cost.tokens, factor=factor)
    return Training(child, found.epochs, found.steps, found.held_out)


def loss_on(
    active: ActiveVersion, held_out: Read
) -> tuple[float | None, NDArray[np.float64] | None]:
    """Mean loss on samples that are not trained on, at the positions at which they were shown.

    Args:
        active: the mean weights of the version that is being trained, ready to score.
        held_out: the samples, encoded by it.

    Returns:
        The mean loss, without the weights of the samples, and their logits, shape (N, W); None
        and None without samples.

    Raises:
        NonFiniteError: if a logit is NaN or infinite.
    """
    if not len(held_out):
        return None, None
    answers = active.answers(held_out, examined=True)
    logits = torch.from_numpy(answers)
    if bad := int((~torch.isfinite(logits).all(dim=1)).sum()):
        msg = f"non-finite logits for {bad} of {len(held_out)} samples"
        raise NonFiniteError(msg)
    losses = held_out.loss(logits, held_out.targets(range(len(held_out))).cpu())
    return math.fsum(losses.tolist()) / len(held_out), answers
