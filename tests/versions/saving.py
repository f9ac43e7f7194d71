"""Saving versions, and killing the saves."""

from collections.abc import Iterator

import torch

from mainstem.models import CrossEncoder
from mainstem.models.tokenizer import encode_pairs, pad
from mainstem.versions import Versions
from tests.models.failing import FailingFiles, failing_puts
from tests.small_models import PAIRS

FILES = ("weights.safetensors", "config.json", "tokenizer.json")


def save(versions: Versions, encoder: CrossEncoder, version: int) -> None:
    versions.save(
        encoder, version=version, parent=version - 1 or None, event_time=7, reason="better"
    )


def logits(encoder: CrossEncoder) -> torch.Tensor:
    batch = pad(encode_pairs(encoder.tokenizer, PAIRS, 64), encoder.padding_id)
    with torch.no_grad():
        return encoder.network.eval()(batch)


def direction_of(encoder: CrossEncoder) -> dict[str, torch.Tensor]:
    return {
        name: torch.full_like(one.detach(), 0.5) for name, one in encoder.network.named_parameters()
    }


def kills(url: str, encoder: CrossEncoder, version: int) -> Iterator[Versions]:
    """Kill a save at its first change, then at its second and so on, until a save goes through.

    Yields the place as each kill left it.
    """
    for at in range(100):
        versions = Versions(url)
        versions._files = FailingFiles(versions._files, at)
        try:
            with failing_puts():
                save(versions, encoder, version)
        except KeyboardInterrupt:
            yield Versions(url)
        else:
            return
