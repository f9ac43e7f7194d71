"""Cells: one policy on one stream with one seed, kept in a folder so that a bench can go on."""

import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from mainstem.bench.cost.found import of_called, of_doubt, worst_slice
from mainstem.bench.cost.material import Material
from mainstem.bench.cost.policies import Policy
from mainstem.bench.cost.quality import quality_of, scores_of
from mainstem.bench.cost.replay import Replay
from mainstem.disk import write_whole
from mainstem.join import examples_of
from mainstem.process.stopwatch import SPENT, Cost
from mainstem.store import Store
from mainstem.versions import Versions

__all__ = ["Cell", "OpenEmpty", "Ran", "run_cell"]

OpenEmpty: TypeAlias = Callable[[Path], AbstractContextManager[tuple[Store, Versions]]]
"""Opens an empty history and an empty place for versions in a folder."""
_PAID: Final = ("score", "rescore", "train")
"""Kinds of pass that are paid for; evaluation by the gate is apart, and the same for all.

Training holds the forward passes over held-out samples that choose the epoch.
"""


@dataclass(frozen=True)
class Cell:
    """A policy on a stream with a seed.

    Attributes:
        stream: name of the stream.
        policy: the policy.
        seed: seed of stream and model.
        trial: settings that are tried on top, as `name=value` with commas between; usually empty.
        digest: digest of all that the cell is made of, so that none of another making is taken for
            it; empty where that cannot happen.
    """

    stream: str
    policy: Policy
    seed: int
    trial: str = ""
    digest: str = ""

    @property
    def file(self) -> str:
        """Name of its file, without an ending."""
        words = f"{self.stream} {self.seed} {self.policy.name} {self.trial} {self.digest}"
        letters = "".join(one if one.isalnum() else " " for one in words.lower())
        return "-".join(letters.split())


@dataclass(frozen=True)
class Ran:
    """What came of a cell.

    Attributes:
        facts: what is told of it: `stream`, `policy`, `draw`, `epochs`, `seed`, `auc_true`, `cost`,
            `worst_slice`, `auroc`, `ap`, `precision`, `recall`, `f1`, `coverage`.
        truth: true label of each sample of the last part, shape (M,).
        scores: log-odds of each under the last version, shape (M,); with more than two classes the
            log-probability of each class, shape (M, C).
        questions: number of the question of each, shape (M,).
        slices: the rare ones of them, shape (S, M).
    """

    facts: Mapping[str, Any]
    truth: NDArray[np.int64]
    scores: NDArray[np.float64]
    questions: NDArray[np.int64]
    slices: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), np.bool_))

    def keep(self, folder: Path, cell: Cell) -> None:
        """Write the cell; its facts come last, and with them it counts."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, NDArray[Any]] = {
            "truth": self.truth,
            "scores": self.scores,
            "questions": self.questions,
            "slices": self.slices,
        }
        np.savez(folder / f"{cell.file}.npz", **arrays)  # type: ignore[arg-type]
        write_whole(folder / f"{cell.file}.json", msgspec.json.encode(self.facts))

    @classmethod
    def read(cls, folder: Path, cell: Cell) -> Self | None:
        """Read a cell; None if it has not run."""
        facts = folder / f"{cell.file}.json"
        if not facts.is_file():
            return None
        with np.load(folder / f"{cell.file}.npz") as kept:
            arrays = [kept[name] for name in ("truth", "scores", "questions", "slices")]
        return cls(msgspec.json.decode(facts.read_bytes()), *arrays)


def run_cell(cell: Cell, material: Material, trial: Mapping[str, Any], opened: OpenEmpty) -> Ran:
    """Replay a material under a policy, and measure its last version on the true labels.

    Args:
        cell: the cell.
        material: the samples of its stream and seed.
        trial: settings on top of those of the policy.
        opened: opens an empty history and an empty place for versions.
    """
    settings = material.settings.but({**cell.policy.all_settings, **trial})
    begun = time.perf_counter()
    with (
        tempfile.TemporaryDirectory(prefix="mainstem-bench-") as folder,
        opened(Path(folder)) as (store, versions),
        SPENT.counting() as spent,
    ):
        replay = Replay(material, cell.policy, settings, store, versions)
        replay.run()
        found = of_doubt(material, replay.doubt) | of_called(material, replay.called)
    seconds = time.perf_counter() - begun
    scores = scores_of(replay.active.logits(examples_of(material.test)))
    costs = {name: spent.get(name, Cost()) for name in _PAID}
    tokens = sum(one.tokens for one in costs.values())
    cost = {name: round(one.forward_equivalents, 1) for name, one in costs.items()}
    # features are no pass: their seconds count as so many of training, at the pace of this cell
    pace = costs["train"].forward_equivalents / max(costs["train"].seconds, 1e-9)
    cost["features"] = round(material.feature_seconds * pace, 1)
    facts = {
        "stream": cell.stream,
        "policy": cell.policy.name,
        "family": cell.policy.family,
        "draw": cell.policy.draw if cell.policy.again == 1 else cell.policy.again,
        "epochs": cell.policy.epochs,
        "seed": cell.seed,
        "trial": cell.trial,
        "rounds": replay.rounds,
        "auc_true": quality_of(material.truth, scores),
        "worst_slice": worst_slice(material.truth, scores, material.slices),
        **found,
        "coverage": replay.coverage.mean,
        "cost": cost | {"tokens": tokens, "seconds": round(seconds, 2)},
        "spent": {name: round(one.seconds, 2) for name, one in spent.items()},
    }
    return Ran(facts, material.truth, scores, material.questions, material.slices)
