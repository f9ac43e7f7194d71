"""What the records of our own topics hold: JSON, written and read by msgspec."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, Self, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct

from mainstem.join import LedgerRow, Rejection, Sample
from mainstem.trusted import Confirmed

__all__ = [
    "Announcement",
    "PublishedStanding",
    "decode_announcement",
    "decode_confirmed",
    "decode_ledger",
    "decode_rejection",
    "decode_samples",
    "encode",
    "questions_of",
    "read_message",
]

_SAMPLES_A_RECORD: Final = (
    100  # a broker refuses records beyond a megabyte; a text rarely exceeds a kilobyte
)
_LOG = logging.getLogger("mainstem")
_T = TypeVar("_T")
_SAMPLES: Final = msgspec.json.Decoder(list[Sample])
_LEDGER: Final = msgspec.json.Decoder(LedgerRow)
_REJECTION: Final = msgspec.json.Decoder(Rejection)
_ENCODER: Final = msgspec.json.Encoder()


class Announcement(Struct, frozen=True, kw_only=True):
    """A version that was promoted: what topic `versions` says.

    Attributes:
        version: its number.
        generation: of the learner that made it; of two claims the higher generation holds.
    """

    version: int
    generation: int


class PublishedStanding(Struct, frozen=True, kw_only=True):
    """Where a sample stands now, and on what evidence: what topic `standings` says.

    Attributes:
        sample_id: of the sample.
        label_version: of the label that was judged.
        judgement: the position up to which the partition was judged: how many of its samples had been accepted.
        version: the newest version whose responses were judged.
        standing: `core`, `edge` or `noise`.
        reason: of the standing.
        p_value: that a sound sample is this doubtful; null while there are too few canaries.
        evidence: how doubtful the label is, 0 to 1; null before the first visit.
        importance: mean over visits of the sample's response norm, in units of the canaries' mean norm.
        importance_of_mean: length of the mean of its responses, in the same units; null without sketches.
        alignment: mean over visits of the response's cosine with the trusted gradient; null while there was none.
    """

    sample_id: UUID
    label_version: int
    judgement: int
    version: int
    standing: str
    reason: str
    p_value: float | None
    evidence: float | None
    importance: float
    importance_of_mean: float | None
    alignment: float | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """The standing in a row of table `standings`; what else the row holds stays there."""
        return msgspec.convert(row, cls)


_ANNOUNCEMENT: Final = msgspec.json.Decoder(Announcement)
_CONFIRMED: Final = msgspec.json.Decoder(Confirmed)


def encode(message: Struct | Sequence[Struct]) -> bytes:
    """A message, or the samples of one question, as a record's value."""
    return _ENCODER.encode(message)


def decode_samples(value: bytes) -> list[Sample]:
    """The samples in a record of `samples`."""
    return _SAMPLES.decode(value)


def read_message(value: bytes | None, decode: Callable[[bytes], _T], where: str) -> _T | None:
    """What a record of one of our own topics holds; None, and a warning, where somebody else wrote it.

    Example:
        >>> read_message(b"[]", decode_samples, "samples/0 at 7")
        []
    """
    try:
        return decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _LOG.warning("%s holds no message of ours, and is left out: %s", where, error)
        return None


def decode_announcement(value: bytes) -> Announcement:
    """The version in a record of `versions`."""
    return _ANNOUNCEMENT.decode(value)


def decode_confirmed(value: bytes) -> Confirmed:
    """The trusted sample in a record of `trusted`."""
    return _CONFIRMED.decode(value)


def decode_ledger(value: bytes) -> LedgerRow:
    """The row in a record of `ledger`."""
    return _LEDGER.decode(value)


def decode_rejection(value: bytes) -> Rejection:
    """The refused event in a record of `rejected`."""
    return _REJECTION.decode(value)


def questions_of(samples: Iterable[Sample]) -> Iterable[tuple[UUID, list[Sample]]]:
    """Samples in their order, put together by question: each pair becomes one record.

    A question of very many items becomes several records.
    """
    for question_id, of_one in groupby(samples, key=lambda sample: sample.question_id):
        together = list(of_one)
        for start in range(0, len(together), _SAMPLES_A_RECORD):
            yield question_id, together[start : start + _SAMPLES_A_RECORD]
