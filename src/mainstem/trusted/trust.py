"""Which samples are trusted, for which part, and with which labels.

Trusted samples that a user brings come first: they are graded or confirmed, and their label
overrules that of the log. Without any, slices of the stream take their place, and the labels of
those are only assumed.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

from msgspec import Struct

from mainstem.ids import fraction_of
from mainstem.join import PARTS
from mainstem.settings import Settings

__all__ = ["PARTS", "Confirmed", "Trust", "part_of"]


class Confirmed(Struct, frozen=True, kw_only=True):
    """A sample whose label a user vouches for.

    Attributes:
        sample_id: id of the sample.
        part: `direction`, `canary` or `gate`.
        label: number of the class.
        origin: `graded` (a text pair that came with its grade) or `confirmed` (a sample of the
            stream).
    """

    sample_id: UUID
    part: str
    label: int
    origin: str


class Trust:
    """The trusted samples that are known.

    Args:
        settings: settings with the shares of the parts and the seed.
        confirmed: trusted samples that a user brought; of two for one sample the later counts.

    Example:
        >>> one = Confirmed(sample_id=UUID(int=1), part="gate", label=0, origin="confirmed")
        >>> trust, sample = Trust(Settings(), [one]), one.sample_id
        >>> trust.part_of(sample, UUID(int=9)), trust.label_of(sample), trust.origin_of(sample)
        ('gate', 0, 'confirmed')
    """

    def __init__(self, settings: Settings, confirmed: Iterable[Confirmed] = ()) -> None:
        self._settings = settings
        self._confirmed = {one.sample_id: one for one in confirmed}

    @property
    def is_own(self) -> bool:
        """Whether a user brought trusted samples; else slices of the stream take their place."""
        return bool(self._confirmed)

    @property
    def named(self) -> Mapping[UUID, Confirmed]:
        """The trusted samples that a user brought, by sample id."""
        return self._confirmed

    def take(self, confirmed: Confirmed) -> None:
        """Add a trusted sample."""
        self._confirmed[confirmed.sample_id] = confirmed

    def part_of(self, sample_id: UUID, question_id: UUID) -> str:
        """The part of a sample: `direction`, `canary`, `gate` or `stream`."""
        if not self.is_own:
            return part_of(self._settings, question_id)
        known = self._confirmed.get(sample_id)
        return known.part if known else "stream"

    def label_of(self, sample_id: UUID) -> int | None:
        """The trusted label of a sample; None if no user vouches for one."""
        known = self._confirmed.get(sample_id)
        return known.label if known else None

    def is_confirmed(self, sample_id: UUID) -> bool:
        """Whether a user vouches for the label of a sample of the stream, not of a graded pair."""
        return self.origin_of(sample_id) == "confirmed"

    def origin_of(self, sample_id: UUID) -> str:
        """The origin of a trusted sample: `graded`, `confirmed` or only `assumed`."""
        known = self._confirmed.get(sample_id)
        return known.origin if known else "assumed"


def part_of(settings: Settings, question_id: UUID, *, whole: bool = False) -> str:
    """The part of a question's samples, by a hash of (seed, question).

    All samples of a question belong to one part: `direction`, `canary`, `gate` or `stream`.

    Args:
        settings: settings with the seed and the shares.
        question_id: id of the question.
        whole: whether to divide everything among the three trusted parts, in proportion to their
            shares, so that nothing is `stream`.

    Example:
        >>> shares = {"direction_share": 0, "canary_share": 0.01, "gate_share": 0}
        >>> settings = Settings.of({f"trusted.{name}": share for name, share in shares.items()})
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
