"""The responses of samples at a version, on their way to the history and to the rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mainstem.importance import Visits, rounded
from mainstem.join import Facts, PlacedSample
from mainstem.kinds import Kind, KindScale
from mainstem.models import alignments_of
from mainstem.responses import Responses
from mainstem.scoring.kinds import in_full
from mainstem.store import Store
from mainstem.store.writes import (
    kind_columns,
    representation_columns,
    response_columns,
    sketch_columns,
)

__all__ = ["Answered"]

_Floats: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class Answered:
    """The responses of B samples at one version.

    Attributes:
        version: number of the version.
        scale: mean response norm of the canaries under the version; norms are divided by it.
        samples: samples that are scored.
        found: their responses; of a cheaper kind the norms are the full ones expected with them.
        alignment, sketch: cosines with the trusted gradient, and sketches, as the history keeps
            them.
        kind: how much of the responses was computed.
        measured: norms over the layers of the kind, shape (B,).
    """

    version: int
    scale: float
    samples: Sequence[PlacedSample]
    found: Responses[_Floats]
    alignment: _Floats
    sketch: _Floats
    kind: Kind
    measured: _Floats

    @classmethod
    def by(
        cls,
        version: int,
        scale: float,
        samples: Sequence[PlacedSample],
        found: Responses[_Floats],
        cheaper: tuple[Kind, KindScale] | None = None,
    ) -> Self:
        """Round the responses that a version gave as the history will return them.

        Args:
            version: number of the version.
            scale: mean response norm of the canaries under the version.
            samples: samples that are scored.
            found: their responses.
            cheaper: the kind of the responses, and how its norms stand to full ones; None for
                full responses.
        """
        alignment, sketch = alignments_of(found), rounded(found.sketch)
        scale, kind, measured = float(np.float32(scale)), Kind.FULL, found.norm
        if cheaper is not None:
            kind, its = cheaper
            found = replace(found, norm=in_full(measured, its, scale))
        return cls(version, scale, samples, found, alignment, sketch, kind, measured)

    def keep(self, store: Store, lifetime: int = 0) -> None:
        """Write the responses to the history.

        Args:
            store: the history.
            lifetime: milliseconds after which it forgets the representations, where there are any.
        """
        samples, version, scale = self.samples, self.version, self.scale
        if (read := self.found.representation) is not None:
            kept = representation_columns(samples, read, version=version, lifetime=lifetime)
            store.write("representations", kept)
        # subtle: sketches come first, so that every response in the history has its sketch there
        sketches = sketch_columns(samples, self.sketch, version=version, scale=scale)
        store.write("sketches", sketches)
        responses = response_columns(
            samples, self.found, self.alignment, version=version, scale=scale
        )
        store.write("responses", {**responses, **kind_columns(self.kind, self.measured)})

    def visits(self) -> Iterator[tuple[int, Visits]]:
        """Each partition with its visits, for its rows."""
        for partition in {sample.partition for sample in self.samples}:
            yield partition, self._visits_of(partition)

    def _visits_of(self, partition: int) -> Visits:
        of_partition = [sample.partition == partition for sample in self.samples]
        places = np.flatnonzero(of_partition).tolist()
        mine = [self.samples[place] for place in places]
        columns = zip(*[sample.facts for sample in mine], strict=True)
        logits, given = self.found.logits, [sample.given for sample in mine]
        return Visits(
            version=self.version,
            scale=self.scale,
            keys=[sample.sample_id.bytes for sample in mine],
            facts=Facts(*[np.array(column, np.int64) for column in columns]),
            norm=self.found.norm[places],
            margin=self.found.margin[places],
            loss=self.found.loss[places],
            alignment=self.alignment[places],
            sketch=self.sketch[places],
            logits=None if logits is None else logits[places],
            given=np.array(given, np.int64),
        )
