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

Groups are made at random and of equal size, and no sample is in two. So no estimator is favoured by
how they are made; the price is that their sums differ little, and `reliability` tells whether the
measured changes can be told from chance at all.
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
from mainstem.learning.training.fine_tuning import fine_tune
from mainstem.models import ActiveVersion, initial_encoder, train_tokenizer
from mainstem.models.features import TRANSFORMS
from mainstem.objectives.layout import Layout
from mainstem.scoring.kept import representation_of
from mainstem.settings import Settings
from mainstem.standing import NOISE

if TYPE_CHECKING:
    from mainstem.importance import Rows
    from mainstem.models import CrossEncoder

__all__ = ["CASE", "DEFAULT", "Case", "Start", "run_start", "says_of"]

Start: TypeAlias = dict[str, NDArray[Any]]
"""What was measured from one start, see `run_start`."""
_Numbers = NDArray[np.float64]
DEFAULT: Final = "utility"
"""What the product draws by: recent importance mixed with uniform, times evidence weight."""
_WEIGHT: Final = "weight"
_OURS: Final = {DEFAULT: "worth", _WEIGHT: "sound"}
_LEARNT: Final = frozenset({"stream", "canary"})
_EVERYONE: Final = 1_000_000  # more samples than a case has
_LOOP: Final = Policy(
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


@dataclass(frozen=True, kw_only=True)
class Case:
    """A small case.

    Attributes:
        stream: the stream; its seed is 0.
        starts: seeds of the model, of the order and of dropout.
        groups: number of groups, which hold all samples together.
        halves: number of random halves.
        epochs: passes over the samples in each training.
        layers, width: size of the model.
        start_seconds: about how long one start takes on one core.
    """

    stream: CostStream
    starts: Sequence[int] = (0, 1, 2, 3, 4)
    groups: int = 40
    halves: int = 30
    epochs: int = 2
    layers: int = 1
    width: int = 32
    start_seconds: float = 90


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


def run_start(case: Case, material: Material, start: int, home: OpenEmpty) -> Start:
    """Measure everything from one start.

    Args:
        case: the case.
        material: the joined samples of its stream.
        start: seed of the model, of the order and of dropout.
        home: opens an empty history and place for versions.

    Returns:
        `groups` and `halves`, which of N samples each holds, shapes (G, N) and (H, N); `changes`,
        shape (G,), and `losses`, shape (H,), see `Effects`; `whole`, the loss with all samples; and
        `figure NAME`, the figures of each estimator, shape (N,).
    """
    random = np.random.default_rng(number_of("groups", case.groups, case.halves))
    learnt = [one for one in material.placed if one.part in _LEARNT]
    groups, halves = _sets(case, len(learnt), random)
    first = _small_model(case, material, start)
    trained = _Trained(material, case, start, first, learnt)
    whole = trained.loss(np.ones(len(learnt), np.bool_))
    figures = _figures(material, start, first, home)
    places = np.array([one.offset for one in learnt], np.int64)
    return {
        "groups": groups,
        "halves": halves,
        "whole": np.array(whole),
        "changes": np.array([trained.loss(~one) - whole for one in groups]),
        "losses": np.array([trained.loss(one) for one in halves]),
        **{f"figure {name}": values[places] for name, values in figures.items()},
    }


def _figures(
    material: Material, start: int, first: "CrossEncoder", home: OpenEmpty
) -> dict[str, _Numbers]:
    """The figures of all samples at the end of the product's loop, by their offset."""
    settings = material.settings.but({**_LOOP.all_settings, "run.seed": start})
    with TemporaryDirectory(prefix="mainstem-bench-") as folder, home(Path(folder)) as opened:
        store, versions = opened
        replay = Replay(material, _LOOP, settings, store, versions, first)
        replay.run()
        rows, end = replay.rows, len(material.placed)
        shadow = Shadow(tuple(ESTIMATORS), seed=start)
        found = shadow.values(rows, representation_of(store, rows, 0, end))
    found |= _drawn_by(rows, settings)
    by_offset: dict[str, _Numbers] = {}
    for name, values in found.items():
        by_offset[name] = np.full(end, np.nan)
        by_offset[name][rows["offset"]] = values
    return by_offset


def _drawn_by(rows: "Rows", settings: Settings) -> dict[str, _Numbers]:
    """What the product draws by, which never draws noise, and the weight in it."""
    drawn = np.flatnonzero(rows["standing"] != NOISE)
    utility = np.zeros(len(rows))
    utility[drawn] = sizes_of(rows, drawn, settings.learning.uniform_share)
    return {DEFAULT: utility, _WEIGHT: rows["weight"].astype(np.float64)}


def _sets(
    case: Case, samples: int, random: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Groups of equal size at random, and random halves; a few samples may be in no group."""
    groups = np.zeros((case.groups, samples), np.bool_)
    size = samples // case.groups
    order = random.permutation(samples)
    for at, group in enumerate(groups):
        group[order[at * size : (at + 1) * size]] = True
    halves = np.zeros((case.halves, samples), np.bool_)
    for half in halves:
        half[random.permutation(samples)[: samples // 2]] = True
    return groups, halves


def _small_model(case: Case, material: Material, start: int) -> "CrossEncoder":
    settings = material.settings
    layout = Layout.of(settings.objectives)
    return initial_encoder(
        train_tokenizer(set(material.texts), settings.model.vocabulary),
        settings.model.max_tokens,
        start,
        len(settings.objectives.class_names if layout.is_single_answer else layout.names),
        features=tuple(TRANSFORMS) if settings.model.behaviour else (),
        examined=layout.examined if settings.model.examination else (),
        layers=case.layers,
        width=case.width,
    )
