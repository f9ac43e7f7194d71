"""What each family of models holds to: responses against autograd, and a round that learns.

The models are tiny, with random weights. A mode is how much of a model is trained; it is a row of a
table, and its settings.
"""

import copy
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import torch
from torch import nn

from mainstem.bench.tiny_families import TINY, save_tiny
from mainstem.errors import MainstemError
from mainstem.join import PlacedSample, examples_of
from mainstem.learning.first import first_encoder
from mainstem.learning.training.fine_tuning import fine_tune, loss_on
from mainstem.models import ActiveVersion, CrossEncoder
from mainstem.settings import Settings

__all__ = ["MODES", "bench_families", "learnable", "parity_of", "tiny_settings"]

_OF_NEW: Final = {"learning.learning_rate": 0.0003}
"""New parts of a given model learn ten times as fast, and so as fast as those of other modes."""
MODES: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "full": {},
        "lora": _OF_NEW | {"model.adapter": "lora", "model.adapter_rank": 4},
        "head": _OF_NEW | {"model.adapter": "head"},
        "blocks": {"model.adapter": "blocks", "model.adapter_blocks": 1},
    }
)
"""The settings of each mode, by its name."""
_SAMPLES: Final = 48
_WORDS: Final = ("red", "white", "cups", "heart", "set", "woolly")
_SMALL: Final = {
    "model.device": "cpu",
    "model.behaviour": False,
    "model.examination": False,
    "learning.train_batch": 8,
    "learning.epochs": 3,
    "learning.learning_rate": 0.003,
}


def bench_families(
    families: Sequence[str] = (),
    *,
    seed: int = 0,
    told: Callable[[str], None] = lambda line: None,  # noqa: ARG005 - tells nobody
) -> list[dict[str, Any]]:
    """Take in, score and train a tiny model of each family in each mode.

    Args:
        families: `model_type` of the families; empty for all that are listed.
        seed: seed of the weights and of the training.
        told: function that is told which family comes next.

    Returns:
        A row for each family and mode: `family`; `mode`; `parity`, the largest relative error of a
        response norm, None if the model was refused; `trains`, whether the loss of a round fell;
        `seconds` of processor time; and `reason`, why it was refused, or None.
    """
    rows, chosen_families = [], families or tuple(TINY)
    # imports take seconds, which no family pays
    _measured_alone(chosen_families[0], MODES["lora"], seed)
    for family in chosen_families:
        for mode, chosen in MODES.items():
            told(f"{family}, {mode}")
            begun = time.process_time()
            found = _measured_alone(family, chosen, seed)
            seconds = round(time.process_time() - begun, 2)
            rows.append({"family": family, "mode": mode, **found, "seconds": seconds})
    return rows


def _measured_alone(
    family: str, chosen: Mapping[str, Any], seed: int
) -> dict[str, float | bool | str | None]:
    with tempfile.TemporaryDirectory(prefix="mainstem-bench-") as folder:
        return _measured(family, Path(folder, "model"), chosen, seed)


def _measured(
    family: str, folder: Path, chosen: Mapping[str, Any], seed: int
) -> dict[str, float | bool | str | None]:
    samples = learnable(_SAMPLES)
    texts = [text for one in samples for text in (one.context_text, one.item_text)]
    settings = tiny_settings(save_tiny(folder, family, seed=seed, texts=texts)).but(chosen)
    try:
        encoder = first_encoder(texts, settings)
        parity = parity_of(encoder, samples[:8], settings)
        child = fine_tune(encoder, samples, [], settings, seed).encoder
    except MainstemError as error:
        return {"parity": None, "trains": False, "reason": str(error)}
    before, after = (_loss(one, samples, settings) for one in (encoder, child))
    return {"parity": parity, "trains": after < before, "reason": None}


def tiny_settings(folder: Path) -> Settings:
    """Settings for rounds of a tiny model in a folder, which reads words alone."""
    return Settings().but({**_SMALL, "model.model": str(folder)})


def parity_of(encoder: CrossEncoder, samples: Sequence[PlacedSample], settings: Settings) -> float:
    """The largest relative error of a response norm in one batch of unlike lengths.

    The truth is autograd on one sample at a time, without padding, in float64.

    Args:
        encoder: model that reads words alone; it stays as it is.
        samples: samples of the batch.
        settings: settings of the model and of responses.

    Raises:
        ModelError: if the responses cannot read the model.
    """
    active = ActiveVersion(encoder, settings)
    read = active.read(examples_of(samples))
    found = active.responses(read).norm.tolist()
    exact = copy.deepcopy(encoder.network).double().eval()
    wanted = active.parameter_names
    trained = [one for name, one in exact.named_parameters() if name in wanted]
    worst = 0.0
    for place, norm in enumerate(found):
        loss = read.loss(exact(read.batch([place])), read.targets([place])) * read.weights([place])
        true = _length(loss.sum(), trained)
        worst = max(worst, abs(norm - true) / true)
    return worst


def _length(loss: torch.Tensor, trained: Sequence[nn.Parameter]) -> float:
    parts = torch.autograd.grad(loss, trained, allow_unused=True)
    return float(sum(part.square().sum() for part in parts if part is not None) ** 0.5)


def _loss(encoder: CrossEncoder, samples: Sequence[PlacedSample], settings: Settings) -> float:
    active = ActiveVersion(encoder, settings)
    loss, _ = loss_on(active, active.read(examples_of(samples)))
    return float("nan") if loss is None else loss


def learnable(count: int) -> list[PlacedSample]:
    """Samples whose label is yes where the item is a hottie, whatever else the texts say."""
    return [
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
            position=0,
            part="stream",
            item_id=f"item-{number}",
            history=(),
            context_text=" ".join(_WORDS[: number % 5 + 1]),
            item_text=f"{_WORDS[number % 6]} {('holder', 'hottie')[number % 2]}",
        )
        for number in range(count)
    ]
