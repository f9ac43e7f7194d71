"""The messages in the records of our own topics, as JSON that msgspec writes and reads."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
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

# a broker refuses records larger than a megabyte, and a sample rarely exceeds a few kilobytes
_SAMPLES_A_RECORD: Final = 100
_LOG = logging.getLogger("mainstem")
_T = TypeVar("_T")
_SAMPLES: Final = msgspec.json.Decoder(list[Sample])
_LEDGER: Final = msgspec.json.Decoder(LedgerRow)
_REJECTION: Final = msgspec.json.Decoder(Rejection)
_ENCODER: Final = msgspec.json.Encoder()


class Announcement(Struct, frozen=True, kw_only=True):
    """A message of topic `versions`: the version that is in use from now on.

    Attributes:
        version: number of the version.
        generation: generation of the learner that made the version. If two announcements disagree,
            the one with the higher generation holds.
    """

    version: int
    generation: int


class PublishedStanding(Struct, frozen=True, kw_only=True):
    """A message of topic `standings`: the standing of a sample, and the figures behind it.

    Attributes:
        sample_id: id of the sample.
        label_version: version of the label that was judged.
        judgement: position of the judgement: number of samples that the partition had accepted.
        version: newest version whose responses were judged.
        standing: `core`, `edge` or `noise`.
        reason: reason of the standing.
        p_value: probability that a sound sample is at least this doubtful; null while there are too
            few canaries.
        evidence: how doubtful the label is, as a rank in (0, 1]; null before the first visit.
        importance: mean over visits of the sample's response norm, in units of the canaries' mean
            norm.
        importance_of_mean: norm of the mean of the sample's responses, in the same units; null
            without sketches.
        alignment: mean over visits of the cosine between response and trusted gradient; null if no
            visit had a trusted gradient.
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
        """Make the message from a row of table `standings`; other columns are ignored."""
        return msgspec.convert(row, cls)


_ANNOUNCEMENT: Final = msgspec.json.Decoder(Announcement)
_CONFIRMED: Final = msgspec.json.Decoder(Confirmed)


def encode(message: Struct | Sequence[Struct]) -> bytes:
    """Encode a message, or a list of samples of one question, as the value of a record."""
    return _ENCODER.encode(message)


def decode_samples(value: bytes) -> list[Sample]:
    """Decode the samples in a record of topic `samples`."""
    return _SAMPLES.decode(value)


def read_message(value: bytes | None, decode: Callable[[bytes], _T], where: str) -> _T | None:
    """Decode a record of one of our own topics, or warn if no program of ours wrote it.

    Args:
        value: value of the record.
        decode: decoder of the topic's messages.
        where: place of the record, which the warning names.

    Returns:
        The message; None if the record cannot be decoded.

    Example:
        >>> read_message(b"[]", decode_samples, "samples/0 at 7")
        []
    """
    try:
        return decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _LOG.warning("skipping %s, which holds no message of mainstem: %s", where, error)
        return None


def decode_announcement(value: bytes) -> Announcement:
    """Decode the announcement in a record of topic `versions`."""
    return _ANNOUNCEMENT.decode(value)


def decode_confirmed(value: bytes) -> Confirmed:
    """Decode the trusted sample in a record of topic `trusted`."""
    return _CONFIRMED.decode(value)


def decode_ledger(value: bytes) -> LedgerRow:
    """Decode the row in a record of topic `ledger`."""
    return _LEDGER.decode(value)


def decode_rejection(value: bytes) -> Rejection:
    """Decode the rejection in a record of topic `rejected`."""
    return _REJECTION.decode(value)


def questions_of(samples: Iterable[Sample]) -> Iterable[tuple[UUID, list[Sample]]]:
    """Group consecutive samples by question, so that each group becomes one record.

    A question with very many items gives several groups.

    Args:
        samples: samples in their order.

    Returns:
        Pairs of a question's id and some of its samples.
    """
    for question_id, of_one in groupby(samples, key=attrgetter("question_id")):
        together = list(of_one)
        for start in range(0, len(together), _SAMPLES_A_RECORD):
            yield question_id, together[start : start + _SAMPLES_A_RECORD]
