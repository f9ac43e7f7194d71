"""Fine-tuning on the device against the CPU: the same losses in each pass and the same weights.

Training in 16 bits, and on two GPUs where there are two, is held against float32 on one device.

Dropout is off, because its draws differ between devices. The biases of attention's keys are left
out of the weights: no loss depends on them, so their gradient is rounding alone, which AdamW scales
up to the size of any other.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from uuid import UUID

import numpy as np
import torch
from torch import Tensor, nn

from mainstem.join import PlacedSample, examples_of
from mainstem.learning.training import fine_tuning as room
from mainstem.learning.training.fine_tuning import fine_tune
from mainstem.models import ActiveVersion, CrossEncoder
from mainstem.models.reading import Read
from mainstem.settings import Settings
from tests.gpu.active import NAMES, TOKENS, WORDS, copied, encoders
from tests.gpu.plan import Plan
from tests.gpu.responses import distance


def training(plan: Plan) -> None:
    """Train on the device and on the CPU on a rule that one word decides."""
    samples, held_out = samples_of(plan.sizes.samples), samples_of(100, start=10**6)
    later = examples_of(held_out)
    for name, encoder in still(plan).items():
        trained, curves = [], []
        for device in ("cpu", plan.device):
            with losses_noted() as losses:
                settings = settings_of(plan, device)
                trained.append(
                    fine_tune(copied(encoder), samples, held_out, settings, seed=1).encoder
                )
                curves.append(losses)
        for curve, device in zip(curves, ("the CPU", plan.device), strict=True):
            shown = " ".join(f"{one:.5f}" for one in curve)
            plan.tell(f"  {name}: held-out loss {shown} on {device}")
        settings = settings_of(plan, "cpu")
        true, found = (ActiveVersion(copied(one), settings).logits(later) for one in trained)
        here, there = (weights_of(one) for one in trained)
        errors = {
            "losses": max(
                abs(one / other - 1) for one, other in zip(curves[1], curves[0], strict=True)
            ),
            "logits": float(np.abs(found - true).max() / np.abs(true).max()),
            "weights": distance(there, here),
        }
        plan.check(f"fine-tuning of {name}", "float32", errors)


def precisions(plan: Plan) -> None:
    """Train in 16 bits on the device, and compare the losses with those of float32 there."""
    samples, held_out = samples_of(plan.sizes.samples), samples_of(100, start=10**6)
    lower = ("bfloat16", "float16") if plan.device == "cuda" else ("bfloat16",)
    for name, encoder in still(plan).items():
        curves = {}
        for precision in ("float32", *lower):
            settings = settings_of(plan, plan.device).but({"learning.train_precision": precision})
            with losses_noted() as losses:
                fine_tune(copied(encoder), samples, held_out, settings, seed=1)
            curves[precision] = losses
        for precision in lower:
            pairs = zip(curves[precision], curves["float32"], strict=True)
            errors = {"losses": max(abs(one / other - 1) for one, other in pairs)}
            plan.check(f"fine-tuning of {name}", precision, errors)
    if plan.device != "cuda":
        plan.tell("  float16 left out: it needs a GPU")


def processes(plan: Plan) -> None:
    """Train on two GPUs, and compare with one."""
    there = torch.cuda.device_count() if plan.device == "cuda" else 0
    if there < 2:
        plan.tell(f"  two processes left out: they need two GPUs, and there are {there}")
        return
    samples, held_out = samples_of(plan.sizes.samples), samples_of(100, start=10**6)
    for name, encoder in still(plan).items():
        found = []
        for count in (1, 2):
            settings = settings_of(plan, "cuda").but({"run.processes": count})
            child = fine_tune(copied(encoder), samples, held_out, settings, seed=1).encoder
            found.append(ActiveVersion(child, settings).logits(examples_of(held_out)))
        errors = {"logits": float(np.abs(found[1] - found[0]).max() / np.abs(found[0]).max())}
        plan.check(f"fine-tuning of {name} on two processes", "float32", errors)


def still(plan: Plan) -> dict[str, CrossEncoder]:
    """Return the encoders without dropout, whose draws differ between devices and processes."""
    found = encoders(plan.sizes.wide)
    for encoder in found.values():
        for part in encoder.network.modules():
            if isinstance(part, nn.Dropout):
                part.p = 0.0
    return found


def settings_of(plan: Plan, device: str) -> Settings:
    """Return the settings of a fine-tuning on a device."""
    return Settings.of(
        {
            "learning.epochs": plan.sizes.epochs,
            "learning.patience": 10,
            "learning.train_batch": 32,
            "model.max_tokens": TOKENS,
            "model.device": device,
            "responses.precision": "float32",
        }
    )


def samples_of(count: int, *, start: int = 0) -> list[PlacedSample]:
    """Make samples whose label is yes where the item is a hottie."""
    random, found = Random(start), []
    for number in range(start, start + count):
        context, item = (
            " ".join(random.choices(WORDS[:6], k=random.randint(1, 12))) for _ in range(2)
        )
        found.append(
            PlacedSample(
                sample_id=UUID(int=number),
                label_version=0,
                partition=0,
                offset=number,
                event_time=number,
                label=number % 2,
                targets=(float(number % 2),),
                weight=1.0,
                sampling_probability=1.0,
                position=number % 9,
                part="stream",
                item_id=f"item-{number}",
                history=(),
                context_text=context,
                item_text=f"{item} {('holder', 'hottie')[number % 2]}",
                features=tuple(random.gauss(0, 1) for _ in NAMES),
            )
        )
    return found


@contextmanager
def losses_noted() -> Iterator[list[float]]:
    """Collect the held-out losses that a training computes, in order."""
    losses: list[float] = []
    loss_on: Callable[[ActiveVersion, Read], tuple[float | None, object]] = room.loss_on

    def noting(active: ActiveVersion, held_out: Read) -> tuple[float | None, object]:
        loss, answers = loss_on(active, held_out)
        losses.append(loss or 0.0)
        return loss, answers

    room.loss_on = noting
    try:
        yield losses
    finally:
        room.loss_on = loss_on


def weights_of(encoder: CrossEncoder) -> dict[str, Tensor]:
    """Return the weights by name, on the CPU, without the biases of keys."""
    named = encoder.network.named_parameters()
    return {name: one.detach().cpu() for name, one in named if not name.endswith("key.bias")}
