"""What this machine can compute with, which decides settings that say `auto`."""

from dataclasses import dataclass

from mainstem.process.threads import available_threads

__all__ = ["Machine", "this_machine"]


@dataclass(frozen=True)
class Machine:
    """What a machine can compute with.

    Attributes:
        cores: number of cores that this process may use.
        has_gpu: whether torch sees a GPU.
        has_bfloat16: whether that GPU computes in bfloat16 by itself.
    """

    cores: int
    has_gpu: bool = False
    has_bfloat16: bool = False


def this_machine() -> Machine:
    """The machine that this process runs on."""
    import torch  # seconds to import

    has_gpu = torch.cuda.is_available()
    with_bfloat16 = has_gpu and torch.cuda.is_bf16_supported(including_emulation=False)
    return Machine(available_threads(), has_gpu, with_bfloat16)
