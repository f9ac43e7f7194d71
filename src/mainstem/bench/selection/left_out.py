"""Leaves samples out of a small case, trains again, and measures what that did.

The case is a small simulated shop, a fifth of whose labels are turned over, and the model from
scratch with one narrow layer, because hundreds of trainings must fit into minutes. From each of
some starts:

- The product's loop runs over the stream with that model. Every round trains on all samples before
  it, and every version scores all of them in full, so no estimator lacks what it reads. At the end
  each estimator tells its figures, and so does the product what it draws by.
- The same model is trained on all samples, and once without each group. What is left out keeps its
  place in its batches and weighs nothing there, so order and number of steps stay the same, and the
  difference is that of the samples and not of chance. It is trained on halves in the same way.

Groups at random have sums that hardly differ, and on this case two starts agree on their changes by
a correlation of about .2 only. So groups are spread: for each estimator, and for what the product
draws by, one at random out of its highest tenth and one out of its lowest. Each has as many groups
as any other, and the ranking comes from a start that is not measured. Halves are at random.

Source:
    Koh, Ang, Teo, Liang, On the Accuracy of Influence Functions for Measuring Group Effects,
    NeurIPS 2019, https://arxiv.org/abs/1905.13289 (groups by what is predicted of their samples).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mainstem.bench.cost.cells import OpenEmpty
from mainstem.bench.cost.material import Material
from mainstem.bench.cost.policies import Policy
from mainstem.bench.cost.replay import Replay
from mainstem.bench.cost.streams import CostStream
from mainstem.estimators import ESTIMATORS, Shadow
from mainstem.ids import number_of
from mainstem.join import PlacedSample, examples_of
from mainstem.learning.draws.draw import sizes_of
from mainstem.learning.evaluation.metrics import log_loss
from mainstem.learning.first import first_encoder
from mainstem.learning.training.fine_tuning import fine_tune
from mainstem.models import ActiveVersion
from mainstem.scoring.kept import representation_of
from mainstem.settings import Settings
from mainstem.standing import NOISE

if TYPE_CHECKING:
    from mainstem.importance import Rows
    from mainstem.models import CrossEncoder

__all__ = [
    "CASE",
    "DEFAULT",
    "LOOP",
    "NAMES",
    "Case",
    "Sets",
    "Start",
    "run_start",
    "says_of",
    "sets_of",
]

Sets: TypeAlias = tuple[NDArray[np.bool_], NDArray[np.bool_]]
"""Which of N samples each group and each half holds, shapes (G, N) and (H, N)."""
Start: TypeAlias = dict[str, NDArray[Any]]
"""What was measured from one start, see `run_start`."""
_Numbers = NDArray[np.float64]
DEFAULT: Final = "utility"
"""What the product draws by: recent importance mixed with uniform, times evidence weight."""
_WEIGHT: Final = "weight"
_OURS: Final = {DEFAULT: "worth", _WEIGHT: "sound"}
NAMES: Final = (*ESTIMATORS, *_OURS)
"""Names of all whose figures are held against what was left out."""
_LEARNT: Final = frozenset({"stream", "canary"})
_EVERYONE: Final = 1_000_000  # more samples than a case has
LOOP: Final = Policy(
    family="everything",
    scored=True,
    settings={
        "importance.shadow": ",".join(ESTIMATORS),
        "learning.draw_old": 1.0,
        "responses.first_visit": "full",
        "responses.next_visit": "full",
        "responses.representations": True,
        "responses.rescore": "newest",
        "responses.rescore_budget": _EVERYONE,
    },
)
"""The product's loop, where every version scores all samples in full."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A small case.

    Attributes:
        stream: the stream; its seed is 0.
        starts: seeds of the model, of the order and of dropout.
        spread_by: start whose figures make the groups; it is not among `starts`.
        share: share of the samples that a group holds.
        halves: number of random halves.
        epochs: passes over the samples in each training.
        layers, width: size of the model.
        start_seconds: about how long one start takes on one core.
    """

    stream: CostStream
    starts: Sequence[int] = (0, 1, 2, 3, 4)
    spread_by: int = 1000
    share: float = 0.05
    halves: int = 20
    epochs: int = 2
    layers: int = 1
    width: int = 32
    start_seconds: float = 100


CASE: Final = Case(
    stream=CostStream(
        name="small plain shop, a fifth turned over",
        shop={"plain": True, "turned_over": 0.2},
        events=3000,
        settings={
            "learning.round_every": 400,
            "learning.held_out": 120,
            "model.device": "cpu",
        },
    )
)


@dataclass(frozen=True)
class _Trained:
    """A material, and the model that is trained on it from one start."""

    material: Material
    case: Case
    start: int
    first: "CrossEncoder"
    samples: Sequence[PlacedSample]

    def loss(self, kept: NDArray[np.bool_]) -> float:
        """The loss on true labels after training on what is kept, shape (N,)."""
        settings = self.material.settings.but({"learning.epochs": self.case.epochs})
        weighed = [
            one._replace(weight=one.weight * is_kept)
            for one, is_kept in zip(self.samples, kept.tolist(), strict=True)
        ]
        trained = fine_tune(self.first, weighed, [], settings, self.start)
        logits = ActiveVersion(trained.encoder, settings).logits(examples_of(self.material.test))
        found = log_loss(self.material.truth, logits)
        return np.nan if found is None else found


def says_of(name: str) -> str:
    """What a high figure says: of an estimator, or of what the product draws by.

    Example:
        >>> says_of("aum"), says_of("utility")
        ('sound', 'worth')
    """
    return _OURS[name] if name in _OURS else ESTIMATORS[name].says


def sets_of(case: Case, material: Material, home: OpenEmpty) -> Sets:
    """The groups and the random halves of a case, which are the same for all starts.

    Args:
        case: the case.
        material: the joined samples of its stream.
        home: opens an empty history and place for versions.
    """
    random = np.random.default_rng(number_of("groups", case.spread_by))
    learnt = _learnt(material)
    first = _small_model(case, material, case.spread_by)
    figures = _figures(material, case.spread_by, first, home)
    count, size = len(learnt), max(round(case.share * len(learnt)), 1)
    groups: list[NDArray[np.bool_]] = []
    for values in figures.values():
        known = np.flatnonzero(np.isfinite(values))
        if len(known) < 4 * size:  # it ranks too few of them to have a highest and a lowest tenth
            continue
        ranked = known[np.lexsort((random.random(len(known)), values[known]))]  # ties at random
        tails = ranked[: 2 * size], ranked[-2 * size :]
        groups += [_holding(random.permutation(tail)[:size], count) for tail in tails]
    halves = [_holding(random.permutation(count)[: count // 2], count) for _ in range(case.halves)]
    return np.array(groups), np.array(halves)


def run_start(case: Case, material: Material, sets: Sets, start: int, home: OpenEmpty) -> Start:
    """Measure everything from one start.

    Args:
        case: the case.
        material: the joined samples of its stream.
        sets: its groups and halves.
        start: seed of the model, of the order and of dropout.
        home: opens an empty history and place for versions.

    Returns:
        `groups` and `halves`, which of N samples each holds, shapes (G, N) and (H, N); `changes`,
        shape (G,), and `losses`, shape (H,), see `Effects`; `whole`, the loss with all samples; and
        `figure NAME`, the figures of each estimator, shape (N,).
    """
    groups, halves = sets
    first = _small_model(case, material, start)
    trained = _Trained(material, case, start, first, _learnt(material))
    whole = trained.loss(np.ones(groups.shape[1], np.bool_))
    figures = _figures(material, start, first, home)
    return {
        "groups": groups,
        "halves": halves,
        "whole": np.array(whole),
        "changes": np.array([trained.loss(~one) - whole for one in groups]),
        "losses": np.array([trained.loss(one) for one in halves]),
        **{f"figure {name}": values for name, values in figures.items()},
    }


def _learnt(material: Material) -> list[PlacedSample]:
    """The samples that are trained on."""
    return [one for one in material.placed if one.part in _LEARNT]


def _holding(places: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """A set of `count` samples that holds those in some places."""
    return np.isin(np.arange(count), places)


def _figures(
    material: Material, start: int, first: "CrossEncoder", home: OpenEmpty
) -> dict[str, _Numbers]:
    """The figures of the samples that are trained on, at the end of the product's loop."""
    settings = material.settings.but({**LOOP.all_settings, "run.seed": start})
    with TemporaryDirectory(prefix="mainstem-bench-") as folder, home(Path(folder)) as opened:
        store, versions = opened
        replay = Replay(material, LOOP, settings, store, versions, first)
        replay.run()
        rows, end = replay.rows, len(material.placed)
        shadow = Shadow(tuple(ESTIMATORS), seed=start)
        found = shadow.values(rows, representation_of(store, rows, 0, end))
    found |= _drawn_by(rows, settings)
    row_of = np.full(end, -1)
    row_of[rows["offset"]] = np.arange(len(rows))
    places = row_of[[one.offset for one in _learnt(material)]]
    return {name: np.where(places < 0, np.nan, values[places]) for name, values in found.items()}


def _drawn_by(rows: "Rows", settings: Settings) -> dict[str, _Numbers]:
    """What the product draws by, which never draws noise, and the weight in it."""
    drawn = np.flatnonzero(rows["standing"] != NOISE)
    utility = np.zeros(len(rows))
    utility[drawn] = sizes_of(rows, drawn, settings.learning.uniform_share)
    return {DEFAULT: utility, _WEIGHT: rows["weight"].astype(np.float64)}


def _small_model(case: Case, material: Material, start: int) -> "CrossEncoder":
    settings = material.settings.but({"run.seed": start})
    return first_encoder(material.texts, settings, layers=case.layers, width=case.width)
