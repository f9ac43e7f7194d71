"""Score text pairs into a data frame: probabilities, and responses where labels are given."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame
from scipy.special import softmax

from mainstem.errors import VersionError
from mainstem.models import alignments_of
from mainstem.models.choices import for_an_answer
from mainstem.process.machine import this_machine
from mainstem.settings import Settings
from mainstem.versions import Calibration, Versions, load_active

__all__ = ["scores_of"]


def scores_of(
    pairs: Sequence[tuple[str, str]],
    labels: Sequence[str] | None,
    versions: Versions,
    version: int | None,
    settings: Settings,
) -> DataFrame:
    """Score text pairs with one version.

    Args:
        pairs: N pairs of a context and an item's text.
        labels: the class of each pair by name; None asks for probabilities alone.
        versions: where the versions are.
        version: number of the version; None takes the newest.
        settings: settings that the versions were made with.

    Returns:
        N rows with `context`, `item` and the probability of each class under its name; with labels
        also `loss`, `margin`, `norm` and `alignment`. The probabilities are calibrated if the
        version has a calibration; where negatives were drawn, they are those among all items.

    Raises:
        VersionError: if there is no such version.
        ValueError: if a pair is not two texts, there is not one label for each pair, or a label
            names no class.
    """
    _check_pairs(pairs)
    names = settings.objectives.label_names
    numbers = None if labels is None else _numbers_of(labels, len(pairs), names)
    number = _one_of(versions, version)
    active = load_active(versions, number, for_an_answer(settings, this_machine()))
    found = DataFrame(list(pairs), columns=["context", "item"])
    calibration = versions.manifest(number).calibration
    found[list(settings.objectives.ranked_names)] = _probabilities(
        active.logits(pairs), calibration
    )
    if numbers is None:
        return found
    responses = active.responses(pairs, numbers)
    return found.assign(
        loss=responses.loss,
        margin=responses.margin,
        norm=responses.norm,
        alignment=alignments_of(responses),
    )


def _probabilities(
    logits: NDArray[np.float64], calibration: Calibration | None
) -> NDArray[np.float64]:
    """Probability of each class, shape (N, C); calibrated where the version has a calibration."""
    if calibration is None:
        found: NDArray[np.float64] = softmax(logits, axis=1)
        return found
    yes = calibration.probabilities_of(logits[:, 1] - logits[:, 0])
    return np.column_stack([1 - yes, yes])


def _check_pairs(pairs: Sequence[tuple[str, str]]) -> None:
    for pair in pairs:
        if isinstance(pair, str) or len(pair) != 2 or not all(isinstance(one, str) for one in pair):
            msg = (
                f"each pair is a context and an item's text, like ('red cup', 'Cup'); got {pair!r}"
            )
            raise ValueError(msg)


def _one_of(versions: Versions, version: int | None) -> int:
    numbers = versions.numbers()
    if not numbers or version not in (None, *numbers):
        there = ", ".join(map(str, numbers)) or "none"
        asked = "version" if version is None else f"version {version!r}"
        msg = f"there is no {asked} in {versions.url}; there are: {there}"
        raise VersionError(msg)
    return numbers[-1] if version is None else version


def _numbers_of(labels: Sequence[str], pairs: int, names: Sequence[str]) -> list[int]:
    if len(labels) != pairs:
        msg = f"there must be as many labels as pairs; got {len(labels)} for {pairs}"
        raise ValueError(msg)
    if unknown := sorted(set(labels) - set(names)):
        msg = f"a label is one of {', '.join(names)}; got {unknown[0]!r}"
        raise ValueError(msg)
    return [names.index(label) for label in labels]
