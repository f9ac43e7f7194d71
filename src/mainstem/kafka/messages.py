"""What the records of our own topics hold: JSON, written and read by msgspec."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from mainstem.join import LedgerRow, Rejection, Sample

__all__ = ["Announcement", "decode_ledger", "decode_rejection", "decode_samples", "encode", "questions_of"]

_SAMPLES_A_RECORD: Final = 100  # a broker refuses records beyond a megabyte; a text rarely exceeds a kilobyte
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


def encode(message: Struct | Sequence[Struct]) -> bytes:
    """A message, or the samples of one question, as a record's value."""
    return _ENCODER.encode(message)


def decode_samples(value: bytes) -> list[Sample]:
    """The samples in a record of `samples`."""
    return _SAMPLES.decode(value)


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
