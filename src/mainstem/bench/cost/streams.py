"""The streams on which policies are compared, with the samples that somebody confirmed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Protocol

from mainstem.bench.cost.log import Log
from mainstem.bench.truth import items_of
from mainstem.data import demo_log
from mainstem.events import read_lines
from mainstem.simulate import Shop, simulate

__all__ = ["QUICK", "STREAMS", "BenchStream", "CostStream"]

_WRONG: Final = ("turned_over", "wrong_yes", "wrong_no", "tracking_bug", "misclicks", "bots")


class BenchStream(Protocol):
    """A stream of samples whose true labels are known, wherever it comes from.

    It is a value, which another process can be given.
    """

    @property
    def name(self) -> str:
        """Its name in tables."""
        ...

    @property
    def confirmed(self) -> float:
        """Share of the questions whose true labels somebody confirmed."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings that differ from the usual ones, for all policies alike."""
        ...

    @property
    def cell_seconds(self) -> float:
        """About how long one cell takes on one core, in the mean over policies."""
        ...

    @property
    def is_noisy(self) -> bool:
        """Whether labels of the log are wrong."""
        ...

    def log(self, seed: int) -> Log:
        """Make the log and its truth.

        Args:
            seed: seed of all that is drawn.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class CostStream:
    """A simulated shop, or the shipped excerpt.

    Attributes:
        name: name of the stream in tables.
        shop: parameters of the simulated shop, apart from its seed; None takes the shipped excerpt.
        events: about how many lines the log of a shop has.
        planted: share of the labels of the excerpt that are turned over.
        confirmed: share of the questions whose true labels somebody confirmed.
        settings: settings that differ from the usual ones, for all policies alike.
        cell_seconds: about how long one cell takes on one core, in the mean over policies.
    """

    name: str
    shop: Mapping[str, Any] | None = None
    events: int = 12_000
    planted: float = 0.0
    confirmed: float = 0.1
    settings: Mapping[str, Any] = field(default_factory=dict)
    cell_seconds: float = 60.0

    @property
    def is_noisy(self) -> bool:
        """Whether labels are wrong: planted ones, or by a habit or an accident of the shop."""
        if self.shop is None:
            return self.planted > 0
        return not self.shop.get("plain") or any(self.shop.get(one) for one in _WRONG)

    def log(self, seed: int) -> Log:
        """The lines, and the true labels; none where the log itself is true."""
        if self.shop is None:
            return Log(list(read_lines(demo_log())), planted=self.planted)
        lines = BytesIO()
        with TemporaryDirectory(prefix="mainstem-bench-") as folder:
            path = Path(folder, "truth.jsonl")
            with path.open("wb") as file:
                simulate(Shop(seed=seed, **self.shop), lines, file, events=self.events)
            truth = {sample_id: item.label for sample_id, _, item in items_of(path)}
        return Log(lines.getvalue().splitlines(), truth, planted=self.planted)


STREAMS: Final = (
    CostStream(name="excerpt, a tenth turned over", planted=0.1, cell_seconds=130),
    CostStream(
        name="plain shop, a fifth turned over",
        shop={"plain": True, "turned_over": 0.2},
    ),
    CostStream(name="plain shop, none turned over", shop={"plain": True}),
)
QUICK: Final = (
    CostStream(
        name="small plain shop, a fifth turned over",
        shop={"plain": True, "turned_over": 0.2},
        events=2500,
        settings={"learning.round_every": 500, "learning.held_out": 150},
        cell_seconds=12,
    ),
)
"""The small stream of `--quick`."""
