"""The streams of `bench selection`: those of the claims, those beyond them, and a small one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mainstem.bench.cost.streams import STREAMS, BenchStream, CostStream
from mainstem.bench.evidence.streams import STREAMS as EVIDENCE
from mainstem.bench.evidence.streams import TEXTS
from mainstem.bench.evidence.texts import has_texts
from mainstem.bench.selection.graded import GRADED, GradedStream, has_grades
from mainstem.bench.selection.human import HumanStream

__all__ = ["QUICK", "SCREENED", "Data", "beyond", "final", "not_run"]

_BY_NAME: Final = {one.name: one for one in STREAMS}
_ONE_SIDED: Final = next(one for one in EVIDENCE if one.name == "two thirds of the yes wrong")
SCREENED: Final = (
    _BY_NAME["plain shop, a fifth turned over"],
    _BY_NAME["excerpt, a tenth turned over"],
)
"""The two streams of a screen."""
_SHOPS: Final = (
    CostStream(name="shop with habits", shop={}, cell_seconds=50),
    CostStream(name="excerpt as it is", cell_seconds=130),
    CostStream(
        name=_ONE_SIDED.name,
        shop=dict(_ONE_SIDED.shop),
        events=_ONE_SIDED.events,
        cell_seconds=45,
    ),
)
QUICK: Final = (
    CostStream(
        name="small plain shop, a fifth turned over",
        shop={"plain": True, "turned_over": 0.2},
        events=1600,
        settings={"learning.round_every": 400, "learning.held_out": 120},
        cell_seconds=8,
    ),
)
"""The small stream of `--quick`."""


@dataclass(frozen=True)
class Data:
    """What a user brings for streams that are made of other people's data.

    Attributes:
        folder: folder of the sets; None for none.
        model: name or folder of the model whose features of the texts stay frozen; empty for none.
        features: file with these features; None where there are none.
    """

    folder: Path | None = None
    model: str = ""
    features: Path | None = None


def final(data: Data) -> list[BenchStream]:
    """The streams of the claims, as far as there is data for them."""
    found: list[BenchStream] = [*SCREENED]
    if data.folder and has_texts(data.folder) and data.features:
        human = HumanStream(data=data.folder, features=data.features, model=data.model)
        found.append(human)
    return found


def beyond(data: Data) -> list[BenchStream]:
    """The streams with one seed, as far as there is data for them."""
    found: list[BenchStream] = [*_SHOPS]
    if data.folder and has_grades(data.folder):
        found.append(GradedStream(data=data.folder))
    return found


def not_run(data: Data) -> dict[str, str]:
    """The streams without data, by name, and why they are not run."""
    why: dict[str, str] = {}
    if not has_texts(data.folder):
        why[HumanStream.name] = f"--data names no folder that holds {TEXTS}"
    elif not data.model:
        why[HumanStream.name] = "--model names no model whose features stay frozen"
    if not has_grades(data.folder):
        why[GradedStream.name] = f"--data names no folder that holds {GRADED}"
    return why
