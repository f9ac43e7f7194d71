"""Turns the outputs of joiners into messages for their topics."""

from collections.abc import Iterable, Iterator, Sequence

from mainstem.behaviour import Hour
from mainstem.join import LedgerRow, Output, Rejection, Sample
from mainstem.join.route import partition_of_question
from mainstem.kafka.hours import encode_hour
from mainstem.kafka.messages import encode, questions_of

from .outbox import Message

__all__ = ["messages_of"]


def messages_of(outputs: Sequence[Output], partitions: int) -> list[Message]:
    """Make the messages of outputs.

    Hours come first, because whoever reads a sample waits for the hours before it.

    Args:
        outputs: outputs in the order in which joiners made them.
        partitions: number of partitions of topic `samples`.
    """
    return [*_hours(outputs), *_samples(outputs, partitions), *_others(outputs)]


def _hours(outputs: Iterable[Output]) -> Iterator[Message]:
    for hour in outputs:
        if isinstance(hour, Hour):
            key = str(hour.partition).encode()
            for value in encode_hour(hour):
                # subtle: an hour stays in one partition, because readers rely on the order
                yield Message("counts", hour.partition, key, value)


def _samples(outputs: Iterable[Output], partitions: int) -> Iterator[Message]:
    samples = [output for output in outputs if isinstance(output, Sample)]
    for question_id, together in questions_of(samples):
        place = partition_of_question(question_id, partitions)
        yield Message("samples", place, question_id.bytes, encode(together))


def _others(outputs: Iterable[Output]) -> Iterator[Message]:
    for output in outputs:
        if isinstance(output, LedgerRow | Rejection):
            topic = "ledger" if isinstance(output, LedgerRow) else "rejected"
            yield Message(topic, 0, f"{output.topic}-{output.partition}".encode(), encode(output))
