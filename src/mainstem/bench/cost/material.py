"""What all policies of a stream and a seed share: joined samples with features, and their truth."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from mainstem.bench.cost.log import MakeEncoder
from mainstem.bench.cost.rare import slices_of
from mainstem.bench.cost.streams import BenchStream
from mainstem.bench.planting import Plant
from mainstem.bench.ranker_log import OpenStore, Part, joined
from mainstem.ids import fraction_of
from mainstem.join import PlacedSample, Sample
from mainstem.process.stopwatch import SPENT, Cost
from mainstem.settings import Settings
from mainstem.trusted import Confirmed, Trust, part_of

__all__ = ["Material", "material_of"]


@dataclass(frozen=True)
class Material:
    """A stream, joined once.

    Attributes:
        settings: settings of join, model and training, before a policy changes them.
        texts: texts for a vocabulary.
        samples: N samples before the last part, as the log labels them, in order.
        placed: the same at their places, with parts, confirmed labels and features.
        trust: the confirmed samples.
        test: samples of the last part, with features.
        truth: true label of each of those, shape (M,).
        questions: number of the question of each of those, shape (M,).
        slices: of those, the ones with the rarest queries and the ones of the rarest categories, as
            far as there are any, shape (S, M).
        meant: true label of each sample before the last part, where it is known.
        feature_seconds: how long the features of all samples took; 0 where the model reads none.
        encoder: makes the model that learns; None takes the product's own.
    """

    settings: Settings
    texts: frozenset[str]
    samples: Sequence[Sample]
    placed: Sequence[PlacedSample]
    trust: Trust
    test: Sequence[PlacedSample]
    truth: NDArray[np.int64]
    questions: NDArray[np.int64]
    feature_seconds: float
    slices: NDArray[np.bool_]
    meant: Mapping[UUID, int]
    encoder: MakeEncoder | None = None


def material_of(stream: BenchStream, seed: int, settings: Settings, opened: OpenStore) -> Material:
    """Make the log of a stream, join it, compute features, and confirm some labels.

    Args:
        stream: the stream.
        seed: seed of the log, of the planted errors, of the confirmed questions, and of models.
        settings: usual settings.
        opened: opens an empty history for the counts.
    """
    settings = settings.but({**stream.settings, "run.seed": seed})
    made = stream.log(seed)
    truth = made.truth
    with SPENT.counting() as spent:
        log = joined(stream.name, made.lines, settings, opened)
    seconds = spent.get("features", Cost()).seconds
    plant = Plant(made.planted, seed)
    train = [plant.relabel(one, "stream") for one in log.train.samples]
    meant = truth or {one.sample_id: one.label for one in log.train.samples}
    trust = Trust(settings, _confirmed(train, meant, stream.confirmed, settings))
    test = _known(log.test, truth)
    return Material(
        settings=log.settings,
        texts=log.texts,
        samples=train,
        placed=list(_placed(train, log.train.placed, trust)),
        trust=trust,
        test=test.placed,
        truth=np.array([truth.get(one.sample_id, one.label) for one in test.samples], np.int64),
        questions=test.questions,
        feature_seconds=seconds if settings.model.behaviour else 0.0,
        slices=slices_of(train, test.samples),
        meant=meant,
        encoder=made.encoder,
    )


def _confirmed(
    samples: Sequence[Sample], truth: Mapping[UUID, int], share: float, settings: Settings
) -> Iterable[Confirmed]:
    for one in samples:
        asked = fraction_of("trust", settings.run.seed, one.question_id.hex) < share
        if asked and one.sample_id in truth:
            yield Confirmed(
                sample_id=one.sample_id,
                part=part_of(settings, one.question_id, whole=True),
                label=truth[one.sample_id],
                origin="confirmed",
            )


def _placed(
    samples: Sequence[Sample], joined_at: Sequence[PlacedSample], trust: Trust
) -> Iterable[PlacedSample]:
    for place, (one, at) in enumerate(zip(samples, joined_at, strict=True)):
        part = trust.part_of(one.sample_id, one.question_id)
        label, known = trust.label_of(one.sample_id), trust.is_confirmed(one.sample_id)
        placed = PlacedSample.of(one, 0, place, part, label, confirmed=known)
        yield placed._replace(features=at.features)


def _known(part: Part, truth: Mapping[UUID, int]) -> Part:
    """The samples of a part whose true label is known."""
    kept = [place for place, one in enumerate(part.samples) if not truth or one.sample_id in truth]
    return Part([part.samples[one] for one in kept], [part.placed[one] for one in kept])
