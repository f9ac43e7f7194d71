"""Snapshots: the state of a joiner as bytes, for a checkpoint or the next owner of a partition."""

from typing import Final, Self

import msgspec
from msgspec import Struct

from mainstem.join.state import FORM, JoinState

__all__ = ["Snapshot"]

_ENCODER: Final = msgspec.msgpack.Encoder(order="deterministic")
_DECODER: Final = msgspec.msgpack.Decoder(JoinState)


class Snapshot(Struct, frozen=True, kw_only=True):
    """The state of a joiner as a value.

    Attributes:
        partition: partition that the joiner folds.
        next_offset: offset of the first event that is not part of the state.
        state: the encoded `JoinState`; two owners of a partition write the same bytes.
        form: the `FORM` of the state; 0 in snapshots that were written before forms existed.
    """

    partition: int
    next_offset: int
    state: bytes
    form: int = 0

    @classmethod
    def of(cls, partition: int, state: JoinState) -> Self:
        """Encode a state; the same prefix of the log gives the same bytes."""
        encoded = _ENCODER.encode(state)
        return cls(partition=partition, next_offset=state.next_offset, state=encoded, form=FORM)

    def decoded(self) -> JoinState:
        """Decode the state; every call gives a copy of its own."""
        return _DECODER.decode(self.state)

    @property
    def lacks(self) -> str:
        """Why a joiner cannot go on from this snapshot; empty if it can."""
        if self.form == FORM:
            return ""
        return (
            f"form {self.form} there, {FORM} now: "
            "the samples of the two differ in their fields, and so do the counts"
        )
