"""Which samples are trusted, for what, and what their labels are.

Somebody's own trusted samples come first: graded, or confirmed, with a label that overrules the log's. Without any,
slices of the stream stand in for them, whose labels are only assumed.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

from msgspec import Struct

from mainstem.ids import fraction_of
from mainstem.join import PARTS
from mainstem.settings import Settings

__all__ = ["PARTS", "Confirmed", "Trust", "part_of"]


class Confirmed(Struct, frozen=True, kw_only=True):
    """A sample whose label somebody vouches for.

    Attributes:
        sample_id: of the sample.
        part: `direction`, `canary` or `gate`.
        label: the number of its class.
        origin: `graded` (a text pair that came with its grade) or `confirmed` (a sample of the stream).
    """

    sample_id: UUID
    part: str
    label: int
    origin: str


class Trust:
    """What is known of trusted samples.

    Args:
        settings: shares of the parts, seed.
        confirmed: somebody's own; of two for one sample the later holds.

    Example:
        >>> trust = Trust(Settings(), [Confirmed(sample_id=UUID(int=1), part="gate", label=0, origin="confirmed")])
        >>> trust.part_of(UUID(int=1), UUID(int=9)), trust.label_of(UUID(int=1)), trust.origin_of(UUID(int=1))
        ('gate', 0, 'confirmed')
    """

    def __init__(self, settings: Settings, confirmed: Iterable[Confirmed] = ()) -> None:
        self._settings = settings
        self._confirmed = {one.sample_id: one for one in confirmed}

    @property
    def is_own(self) -> bool:
        """Whether there are trusted samples of somebody's own; else slices of the stream stand in for them."""
        return bool(self._confirmed)

    @property
    def named(self) -> Mapping[UUID, Confirmed]:
        """The trusted samples that somebody brought, by sample id."""
        return self._confirmed

    def take(self, confirmed: Confirmed) -> None:
        """One more."""
        self._confirmed[confirmed.sample_id] = confirmed

    def part_of(self, sample_id: UUID, question_id: UUID) -> str:
        """`direction`, `canary`, `gate` or `stream`."""
        if not self.is_own:
            return part_of(self._settings, question_id)
        known = self._confirmed.get(sample_id)
        return known.part if known else "stream"

    def label_of(self, sample_id: UUID) -> int | None:
        """The label that is vouched for; None where none is."""
        known = self._confirmed.get(sample_id)
        return known.label if known else None

    def origin_of(self, sample_id: UUID) -> str:
        """Why a sample is trusted: `graded`, `confirmed`, or only `assumed`."""
        known = self._confirmed.get(sample_id)
        return known.origin if known else "assumed"


def part_of(settings: Settings, question_id: UUID, *, whole: bool = False) -> str:
    """`direction`, `canary`, `gate` or `stream`, by a hash of (seed, question): all samples of a question go together.

    Args:
        settings: seed and shares.
        question_id: of the sample's question.
        whole: divide everything among the three trusted parts, in proportion to their shares.

    Example:
        >>> settings = Settings.of({"trusted.direction_share": 0, "trusted.canary_share": 0.01, "trusted.gate_share": 0})
        >>> part_of(settings.but({"trusted.canary_share": 1}), UUID(int=1))
        'canary'
        >>> part_of(settings, UUID(int=1), whole=True)
        'canary'
    """
    shares = (
        ("direction", settings.trusted.direction_share),
        ("canary", settings.trusted.canary_share),
        ("gate", settings.trusted.gate_share),
    )
    fraction = fraction_of("part", settings.run.seed, question_id.hex)
    if whole:
        fraction *= sum(share for _, share in shares)
    for part, share in shares:
        if fraction < share:
            return part
        fraction -= share
    return "canary" if whole else "stream"
