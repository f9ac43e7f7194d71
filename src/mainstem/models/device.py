"""Where and in which type a model computes."""

import torch

from mainstem.settings import Settings

__all__ = ["device_of", "precision_of"]


def device_of(settings: Settings) -> torch.device:
    """The device that the settings ask for; "auto" means a GPU where there is one."""
    if settings.model.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(settings.model.device)


def precision_of(settings: Settings) -> torch.dtype:
    """The type in which a scoring pass computes.

    "auto" means bfloat16 on a GPU that has it, and float32 elsewhere.
    """
    asked = settings.responses.precision
    if asked == "auto":
        is_gpu = device_of(settings).type == "cuda"
        with_bfloat16 = is_gpu and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if with_bfloat16 else torch.float32
    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[asked]
