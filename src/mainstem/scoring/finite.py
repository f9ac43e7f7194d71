"""Leaves out responses that are NaN or infinite; one would make every mean that it enters NaN."""

import logging
from collections.abc import Sequence
from dataclasses import fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mainstem.errors import NonFiniteError
from mainstem.join import PlacedSample
from mainstem.responses import Responses

__all__ = ["finite_only"]

_LOG = logging.getLogger("mainstem.score")
# if so many samples have no finite response among them, the fault is the version's
_ENOUGH: Final = 8


def finite_only(
    samples: Sequence[PlacedSample], found: Responses[NDArray[np.float32]], version: int
) -> tuple[list[PlacedSample], Responses[NDArray[np.float32]]]:
    """The samples with finite responses, and those responses; a warning counts the others.

    Args:
        samples: samples that were scored.
        found: their responses, in the same order.
        version: number of the version that scored them, for messages.

    Raises:
        NonFiniteError: if there are 8 samples or more and no response is finite.
    """
    columns = [getattr(found, one.name) for one in fields(found)]
    rows = np.column_stack([one for one in columns if one is not None])
    places = np.flatnonzero(np.isfinite(rows).all(axis=1)).tolist()
    bad = len(samples) - len(places)
    if not bad:
        return list(samples), found
    if bad == len(samples) >= _ENOUGH:
        msg = (
            f"version {version} gives no finite response to any of {bad} samples; "
            "set MAINSTEM_RESPONSES__PRECISION=float32, or go back to an earlier version"
        )
        raise NonFiniteError(msg)
    like = next(one.sample_id for place, one in enumerate(samples) if place not in places)
    said = (
        "%d of %d responses at version %d are not finite and are left out, like that of sample %s"
    )
    _LOG.warning(said, bad, len(samples), version, like)
    kept = Responses(*(None if one is None else one[places] for one in columns))
    return [samples[place] for place in places], kept
