"""How many samples a second a training takes on more processes, and whether it learns the same.

The model is made here, reads words alone, and has no dropout, so that all processes together take
the very steps that one takes. On CPUs the threads of this process are shared out among the others;
on GPUs each process takes one.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mainstem.bench.families import learnable
from mainstem.join import PlacedSample, examples_of
from mainstem.learning.first import first_encoder
from mainstem.learning.training.processes import train_on_processes
from mainstem.models import ActiveVersion, CrossEncoder
from mainstem.settings import Settings

__all__ = ["bench_scaling"]

_STEPS: Final = 20
_BATCH: Final = 64
_SETTINGS: Final = {
    "model.behaviour": False,
    "model.examination": False,
    "learning.train_batch": _BATCH,
    "learning.epochs": 1,
    "learning.averaged": 0.0,
    "responses.precision": "float32",
}


def bench_scaling(
    counts: Sequence[int] = (),
    *,
    seed: int = 0,
    told: Callable[[str], None] = lambda line: None,  # noqa: ARG005 - tells nobody
) -> dict[str, Any]:
    """Train the same model for 20 steps on more and more processes.

    Args:
        counts: numbers of processes on the CPU, the first of them 1; empty for 1 and 2.
        seed: seed of the weights and of the order.
        told: function that is told what comes next.

    Returns:
        `rows`, each with `device`, `processes`, and `samples_s`, the samples a second of the
        training alone, with reading the texts and without beginning the processes; and `parity`,
        the largest difference of a logit from that of one process on the same device.
    """
    samples = learnable(_STEPS * _BATCH)
    texts = [text for one in samples for text in (one.context_text, one.item_text)]
    encoder = first_encoder(texts, Settings.of({**_SETTINGS, "run.seed": seed}))
    for part in encoder.network.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    of_device = {"cpu": list(counts) or [1, 2]}
    if gpus := torch.cuda.device_count():
        of_device["cuda"] = [count for count in (1, 2, 4, 8, 16) if count <= gpus]
    rows: list[dict[str, Any]] = []
    worst = 0.0
    for device, each in of_device.items():
        alone: NDArray[np.float64] | None = None
        for count in each:
            told(f"{count} of {device}")
            settings = Settings.of(
                {**_SETTINGS, "model.device": device, "run.processes": count, "run.seed": seed}
            )
            logits, seconds = _trained(encoder, samples, settings)
            alone = logits if alone is None else alone
            worst = max(worst, float(np.abs(logits - alone).max()))
            speed = round(len(samples) / seconds, 1)
            rows.append({"device": device, "processes": count, "samples_s": speed})
    return {"rows": rows, "parity": worst}


def _trained(
    encoder: CrossEncoder, samples: Sequence[PlacedSample], settings: Settings
) -> tuple[NDArray[np.float64], float]:
    """Logits after a training of processes of their own, and the seconds that it took there."""
    before = {name: one.clone() for name, one in encoder.network.state_dict().items()}
    found = train_on_processes(encoder, samples, [], settings, settings.run.seed)
    encoder.network.load_state_dict(found.weights)
    here = settings.but({"model.device": "cpu"})
    logits = ActiveVersion(encoder, here).logits(examples_of(samples[:256]))
    encoder.network.load_state_dict(before)
    return logits, found.cost.seconds
