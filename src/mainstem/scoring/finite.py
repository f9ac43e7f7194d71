"""Responses that are NaN or infinite become no visit: one of them would make every mean that it enters NaN, for good."""

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
_ENOUGH: Final = (
    8  # samples without one finite response among them say that the version is at fault, not they
)


def finite_only(
    samples: Sequence[PlacedSample], found: Responses[NDArray[np.float32]], version: int
) -> tuple[list[PlacedSample], Responses[NDArray[np.float32]]]:
    """The samples whose response is finite, and those responses; how many others there are is told.

    Args:
        samples, found: that belong together.
        version: that they were scored by.

    Raises:
        NonFiniteError: if there is none among enough samples.
    """
    rows = np.column_stack([found.norm, found.loss, found.margin, found.dots, found.sketch])
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
    told = (
        "%d of %d responses at version %d are not finite and are left out, like that of sample %s"
    )
    _LOG.warning(told, bad, len(samples), version, like)
    kept = Responses(*(getattr(found, one.name)[places] for one in fields(found)))
    return [samples[place] for place in places], kept
