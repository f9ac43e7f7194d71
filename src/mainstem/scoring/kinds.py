"""How cheaper norms become full ones: a correction that each version measures on its canaries.

Importance is a mean over visits, and visits may be of different kinds. So a cheaper norm counts as
the full norm that is expected with it: a power law, fitted on the canaries, that leaves their mean
as it is. Where the cheaper norm tells nothing, every sample counts as the mean.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mainstem.join import PlacedSample, examples_of
from mainstem.kinds import Kind, KindScale
from mainstem.models import ActiveVersion, CrossEncoder
from mainstem.objectives.examples import Examples
from mainstem.objectives.layout import Layout
from mainstem.process.stopwatch import SPENT
from mainstem.responses import Responses
from mainstem.scoring.scale import counted, mean_norm
from mainstem.settings import Settings

__all__ = ["fitted", "in_full", "kind_of", "kinds_of_words", "scales_of", "stand_in"]

_PAIRS: Final = 256  # pairs of texts that stand for samples before there are any
_WORDS: Final = 6  # word pieces of each
_FITTED: Final = 1e-3, 1e3  # norm over mean norm; beyond it a sample would bend the line alone
_READ: Final = 1e-6, 1e6
_POWERS: Final = 0.1, 2.0


@SPENT.on("scale")
def scales_of(
    active: ActiveVersion, samples: Sequence[PlacedSample], kinds: Sequence[Kind]
) -> tuple[float | None, dict[str, KindScale]]:
    """The scale of a version, and how its norms of cheaper kinds stand to full ones.

    Each kind is computed in a pass of its own, as a visit does it.

    Args:
        active: the version, ready to score.
        samples: samples that `scale_of` chooses from.
        kinds: kinds to measure; `full` is always measured.

    Returns:
        The scale, None without samples; and each cheaper kind by name.

    Raises:
        NonFiniteError: if most of the norms are not finite.
    """
    chosen = counted(samples)
    if not chosen:
        return None, {}
    full, found = _measured(active, examples_of(chosen, weighed=False), kinds)
    return mean_norm(full, chosen), found


@SPENT.on("scale")
def kinds_of_words(encoder: CrossEncoder, settings: Settings) -> dict[str, KindScale]:
    """How norms of cheaper kinds stand to full ones at a version that no sample was joined for.

    Words of the model's own vocabulary stand for a sample, with each answer in turn and no
    behaviour: to a model that has learnt nothing of the log, all of its samples are alike. The
    same model has the same fit wherever it is taken in.

    Args:
        encoder: the version.
        settings: settings with the kinds to measure.

    Returns:
        Each cheaper kind by name; empty if all visits are full.
    """
    kinds = settings.responses.kinds
    if kinds == (Kind.FULL,):
        return {}
    return _measured(ActiveVersion(encoder, settings), stand_in(encoder, settings), kinds)[1]


def stand_in(encoder: CrossEncoder, settings: Settings) -> Examples:
    """Pairs that stand for samples before there are any: 256 of them, always the same.

    Args:
        encoder: the model, whose vocabulary gives their words.
        settings: settings with the objectives, each of whose answers some pair has.
    """
    vocabulary = encoder.tokenizer.get_vocab_size()
    drawn = np.random.default_rng(0).integers(vocabulary, size=(2 * _PAIRS, _WORDS))
    texts = encoder.tokenizer.decode_batch(drawn.tolist())
    pairs = list(zip(texts[::2], texts[1::2], strict=True))
    layout = Layout.of(settings.objectives)
    answers = len(settings.objectives.class_names) if layout.is_single_answer else 2
    labels = [place % max(answers, 2) for place in range(_PAIRS)]
    return Examples.of(
        pairs,
        labels,
        targets=[[float(label)] * len(layout.parts) for label in labels],
        features=[[0.0] * len(encoder.features)] * _PAIRS,
    )


def _measured(
    active: ActiveVersion, examples: Examples, kinds: Sequence[Kind]
) -> tuple[Responses[NDArray[np.float32]], dict[str, KindScale]]:
    """Full responses, and how the norms of cheaper kinds stand to theirs."""
    read = active.read(examples)
    full = active.responses(read)
    cheaper = {
        str(kind): fitted(active.responses(read, kind=kind).norm, full.norm)
        for kind in kinds
        if kind is not Kind.FULL
    }
    return full, {name: one for name, one in cheaper.items() if one is not None}


def fitted(norm: NDArray[Any], full: NDArray[Any]) -> KindScale | None:
    """How norms of a cheaper kind stand to full norms of the same samples.

    Args:
        norm: norms of the cheaper kind, shape (N,).
        full: full norms, shape (N,). Samples whose norms are not both finite are left out.

    Returns:
        The fit; None if a mean norm is 0 or not finite, because then nothing can be said.

    Example:
        >>> full = np.array([1.0, 4.0, 16.0])
        >>> fit = fitted(np.sqrt(full), full)
        >>> round(fit.power, 6)
        2.0
        >>> in_full(np.sqrt(full), fit, scale=7.0).tolist()
        [1.0, 4.0, 16.0]
    """
    known = np.isfinite(norm) & np.isfinite(full)
    cheap, whole = np.asarray(norm, float)[known], np.asarray(full, float)[known]
    scale, level = _mean(cheap), _mean(whole)
    if not (scale > 0 and level > 0):
        return None
    x, y = (np.log(np.clip(one, *_FITTED)) for one in (cheap / scale, whole / level))
    spread = float(np.square(x - x.mean()).sum())
    slope = float(((x - x.mean()) * y).sum()) / spread if spread > 0 else 1.0
    power = float(np.clip(slope, *_POWERS))
    return KindScale(scale=scale, power=power, factor=1 / _mean(_read(cheap, scale) ** power))


def in_full(norm: NDArray[Any], its: KindScale, scale: float) -> NDArray[np.float32]:
    """The full norms that are expected with norms of a cheaper kind.

    They rise with the norm, and are finite for every norm that is a number.

    Args:
        norm: norms of the cheaper kind, shape (N,).
        its: how they stand to full norms at this version.
        scale: scale of the version.
    """
    expected = scale * its.factor * _read(np.asarray(norm, float), its.scale) ** its.power
    return expected.clip(max=float(np.finfo(np.float32).max)).astype(np.float32)


def kind_of(asked: str, kinds: Mapping[str, KindScale]) -> Kind:
    """The kind of visit that a version can make: the one asked for, or a full one.

    Args:
        asked: name of the kind that the settings ask for.
        kinds: the cheaper kinds that were measured at the version.
    """
    return Kind(asked) if asked in kinds else Kind.FULL


def _read(norm: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    return np.clip(norm / scale, *_READ)


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else 0.0
