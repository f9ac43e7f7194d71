"""Visits for the rows: out of what a model just said of samples, or out of what the history has."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mainstem.importance import CANARY, FACTS, STREAM, Visits
from mainstem.responses import Responses
from mainstem.store import StoredSample, StoredVisits

__all__ = ["SCORED", "visits_again", "visits_of"]

SCORED: Final = {"stream": STREAM, "canary": CANARY}  # direction and gate samples are neither scored nor drawn
_Floats = NDArray[np.float32]


def visits_of(
    samples: Sequence[StoredSample],
    found: Responses[_Floats],
    alignment: _Floats,
    sketch: _Floats,
    *,
    version: int,
    scale: float,
) -> Iterator[tuple[int, Visits]]:
    """What a version just said of samples: each partition with its visits.

    Args:
        samples: of the parts that are scored.
        found: the responses to them.
        alignment, sketch: of those responses, as the history keeps them.
        version, scale: the version, and what its norms are divided by.
    """
    for partition in {sample.partition for sample in samples}:
        places = [place for place, sample in enumerate(samples) if sample.partition == partition]
        mine = [samples[place] for place in places]
        yield (
            partition,
            Visits(
                version=version,
                scale=scale,
                keys=[sample.sample_id.bytes for sample in mine],
                facts=_facts_of(mine),
                norm=found.norm[places],
                margin=found.margin[places],
                loss=found.loss[places],
                alignment=alignment[places],
                sketch=sketch[places],
            ),
        )


def visits_again(found: StoredVisits, version: int) -> Visits:
    """Visits by a version as they were when it made them, out of the history."""
    return Visits(
        version=version,
        scale=found.scale,
        keys=found.keys,
        facts={**found.facts, "part": np.array([SCORED[one] for one in found.part], np.int64)},
        norm=found.norm,
        margin=found.margin,
        loss=found.loss,
        alignment=found.alignment,
        sketch=found.sketch,
    )


def _facts_of(samples: Sequence[StoredSample]) -> dict[str, NDArray[np.int64]]:
    known = {name: [getattr(sample, name) for sample in samples] for name in FACTS if name != "part"}
    known["part"] = [SCORED[sample.part] for sample in samples]
    return {name: np.array(values, np.int64) for name, values in known.items()}
