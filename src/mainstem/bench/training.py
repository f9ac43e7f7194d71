"""How many samples a second fine-tuning takes, beside a plain loop over the same batches' samples.

The plain loop is the usual one, and the one that mainstem had: random batches, padded row by row,
torch's own dropout, AdamW without fused kernels, and a look at the loss after each step.
"""

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from mainstem.errors import NonFiniteError
from mainstem.join import PlacedSample, examples_of
from mainstem.learning.training.averaging import MeanWeights
from mainstem.learning.training.batch_loss import BatchLoss, epoch_of, steps_of
from mainstem.learning.training.gradient import StepGradient
from mainstem.learning.training.steps import Seen, optimizer_of, train_step
from mainstem.models import ActiveVersion, CrossEncoder
from mainstem.models.device import device_of
from mainstem.models.dropout import QuickDropout
from mainstem.models.tokenizer import encode_pairs, pad
from mainstem.objectives import Examples
from mainstem.settings import Settings

__all__ = ["train_ratio"]


def train_ratio(
    encoder: CrossEncoder,
    samples: Sequence[PlacedSample],
    settings: Settings,
    *,
    times: int = 3,
    seed: int = 0,
) -> dict[str, Any]:
    """Train copies of a model for one epoch, by the plain loop and by fine-tuning in turn.

    Args:
        encoder: model; it stays as it is.
        samples: samples of the epoch.
        settings: settings for training.
        times: how often each of the two is measured; the fastest counts, because another program
            can only slow it down.
        seed: seed of the order and of dropout.

    Returns:
        `ratio`, samples a second of fine-tuning divided by those of the plain loop; `seconds`, of
        fine-tuning; `plain_seconds`; `samples`; and `samples_a_second` of fine-tuning.
    """
    examples = examples_of(samples)
    ways: dict[str, Callable[[CrossEncoder], None]] = {
        "plain": lambda child: _plain(child, examples, settings, seed),
        "ours": lambda child: _ours(child, examples, settings, seed),
    }
    seconds = dict.fromkeys(ways, float("inf"))
    for _ in range(times):
        for name, way in ways.items():
            child = CrossEncoder(copy.deepcopy(encoder.network), encoder.tokenizer)
            child.network.to(device_of(settings)).train()
            with torch.random.fork_rng():
                torch.manual_seed(seed)
                begun = time.perf_counter()
                way(child)
                seconds[name] = min(seconds[name], time.perf_counter() - begun)
    return {
        "ratio": seconds["plain"] / seconds["ours"],
        "seconds": seconds["ours"],
        "plain_seconds": seconds["plain"],
        "samples": len(samples),
        "samples_a_second": len(samples) / seconds["ours"],
    }


def _ours(child: CrossEncoder, examples: Examples, settings: Settings, seed: int) -> None:
    read = ActiveVersion(child, settings).read(examples)
    child.network.train()
    objectives, size, seen = settings.objectives, settings.learning.train_batch, Seen(0)
    loss_of = BatchLoss(read, objectives)
    steps = steps_of(read, objectives, size)
    optimizer, schedule = optimizer_of(child, settings, steps, beside=read.has_features)
    mean = MeanWeights(child.network, settings.learning.averaged)
    gradient = StepGradient(child.network, settings)
    for places in epoch_of(read, objectives, size, np.random.default_rng(seed)):
        seen.add(*train_step(child.network, read, places, optimizer, loss_of, gradient))
        schedule.step()
        mean.add(child.network)
    seen.check()


def _plain(child: CrossEncoder, examples: Examples, settings: Settings, seed: int) -> None:
    network, device, learning = child.network, device_of(settings), settings.learning
    _with_plain_dropout(network)
    encoded = encode_pairs(child.tokenizer, examples.pairs, settings.model.max_tokens)
    features = None if examples.features is None else torch.from_numpy(examples.features)
    positions = torch.from_numpy(examples.positions)
    loss_of = BatchLoss(ActiveVersion(child, settings).read(examples), settings.objectives)
    order = np.random.default_rng(seed).permutation(len(examples))
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-4, weight_decay=0.01)
    for start in range(0, len(order), learning.train_batch):
        places = order[start : start + learning.train_batch]
        batch = pad([encoded[place] for place in places], child.padding_id)
        known = None if features is None or not child.features else features[places]
        batch = replace(batch, features=known, shown_at=positions[places])
        logits = network(batch.to(device))
        loss = loss_of(logits, places)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        if not torch.isfinite(loss + norm):
            msg = f"non-finite loss or gradient after {start} samples"
            raise NonFiniteError(msg)
        optimizer.step()


def _with_plain_dropout(network: nn.Module) -> None:
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, QuickDropout):
                setattr(module, name, nn.Dropout(child.p))
