"""Which part of a given model is trained: LoRA's pairs, its head, or its last blocks."""

from typing import Self

from msgspec import Struct

from mainstem.settings.groups.model import Model

__all__ = ["Adapter"]


class Adapter(Struct, frozen=True, kw_only=True):
    """What is trained of a given model, as a version keeps it; the rest is its base.

    Attributes:
        kind: `lora`, `head` or `blocks`.
        rank, alpha: rank of LoRA's pairs, and the number that they count by, divided by the rank.
        modules: ends of the names of the layers that have pairs.
        blocks: number of blocks from the end that are trained.

    Example:
        >>> str(Adapter.of(Model(adapter="blocks", adapter_blocks=3)))
        'the last 3 blocks'
        >>> Adapter.of(Model()) is None
        True
    """

    kind: str
    rank: int = 0
    alpha: int = 0
    modules: tuple[str, ...] = ()
    blocks: int = 0

    @classmethod
    def of(cls, model: Model) -> Self | None:
        """What settings ask for; None if all weights are to be trained.

        Modules are empty where the settings leave them to the family.
        """
        if model.adapter == "none":
            return None
        if model.adapter == "lora":
            rank, alpha = model.adapter_rank, model.adapter_alpha
            return cls(kind="lora", rank=rank, alpha=alpha, modules=model.adapted_modules)
        blocks = model.adapter_blocks if model.adapter == "blocks" else 0
        return cls(kind=model.adapter, blocks=blocks)

    def is_asked(self, asked: Self | None) -> bool:
        """Whether it is what settings ask for, where modules may be left to the family."""
        if asked is None:
            return False
        left = {**asked.facts(), "modules": asked.modules or self.modules}
        return left == self.facts()

    def facts(self) -> dict[str, object]:
        """The attributes by name."""
        return {name: getattr(self, name) for name in self.__struct_fields__}

    def __str__(self) -> str:
        """What is trained, in words."""
        if self.kind == "lora":
            at = ", ".join(self.modules) or "the family's layers"
            return f"LoRA of rank {self.rank} and alpha {self.alpha} at {at}"
        return "the head alone" if self.kind == "head" else f"the last {self.blocks} blocks"
