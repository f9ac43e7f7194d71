"""Sorts the errors of Kafka's clients, and puts each one into one line.

Some errors pass with time, others never do. A batch that cannot be decoded ends a program, because
the program would meet it again whenever it reads on. A client of kafka-python that raised an error
over such a batch must not be used again: it would loop for ever.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from mainstem.errors import BrokerError

__all__ = [
    "CODECS",
    "decoded_poll",
    "lacking_codecs",
    "one_line",
    "passes",
    "refusal",
    "stuck",
    "together",
    "undecodable",
]

CODECS: Final[Mapping[str, str]] = {
    "lz4": "lz4 cramjam",
    "snappy": "python-snappy cramjam",
    "zstd": "zstandard cramjam",
}
"""Codecs of topics, and the packages that both clients need to decode them.

`mainstem[kafka]` installs the packages.
"""
# advice by the name of the error, which is the same in both clients
_ALLOW: Final[Mapping[str, str]] = {
    "ClusterAuthorizationFailedError": "allow this user what it asks of the cluster",
    "GroupAuthorizationFailedError": "allow this user READ in that consumer group",
    "SaslAuthenticationFailedError": "are user and password in MAINSTEM_EVENTS still right?",
    "TopicAuthorizationFailedError": "allow this user READ or WRITE of that topic",
}
_DAMAGED: Final = (
    "look at the broker's disk with kafka-dump-log.sh, restore the topic, or begin a new "
    "deployment (another prefix)"
)
_LONGEST: Final = 300  # characters of an error that are shown
_ANSWER_MS: Final = 1000


def lacking_codecs() -> dict[str, str]:
    """Codecs that one of the two clients cannot decode here, each with the command that helps.

    Example:
        >>> lacking_codecs()
        {}
    """
    import aiokafka.codec as stream  # only programs have them
    import kafka.codec as direct

    return {
        name: f"pip install {packages}"
        for name, packages in CODECS.items()
        if not (getattr(direct, f"has_{name}")() and getattr(stream, f"has_{name}")())
    }


def one_line(error: BaseException) -> str:
    r"""Put an error into one line; a long text is cut.

    Example:
        >>> one_line(OSError("no\nroute")), one_line(TimeoutError())
        ('no route', 'TimeoutError')
    """
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def refusal(error: BaseException) -> str:
    """Say in one line what a broker refuses, and what to do about it if that is known.

    Example:
        >>> refusal(TimeoutError("no answer"))
        'the broker refuses: no answer'
    """
    mend = _ALLOW.get(type(error).__name__)
    return f"the broker refuses: {one_line(error)}{f'; {mend}' if mend else ''}"


def together(faults: Iterable[tuple[str, str]]) -> list[str]:
    """Merge equal faults of several topics into one text that lists the topics.

    Args:
        faults: pairs of a text, with `{}` in the place of the topic, and a topic.

    Example:
        >>> together([("topic {} is gone", "a"), ("topic {} is gone", "b")])
        ["topic 'a', 'b' is gone"]
    """
    kinds: dict[str, list[str]] = {}
    for what, topic in faults:
        kinds.setdefault(what, []).append(repr(topic))
    return [what.replace("{}", ", ".join(topics)) for what, topics in kinds.items()]


def passes(error: BaseException) -> bool:
    """Whether an error may pass by itself, so that trying again makes sense.

    It makes none after an error about rights, about the configuration or about a broken batch.

    Example:
        >>> passes(ConnectionRefusedError()), passes(ValueError())
        (True, False)
    """
    import kafka.errors as known

    never = (
        known.AuthorizationError,
        known.CorruptRecordError,
        known.IllegalArgumentError,
        known.IllegalStateError,
        known.InvalidTopicError,
        known.KafkaConfigurationError,
        known.MessageSizeTooLargeError,
        known.SaslAuthenticationFailedError,
        known.UnsupportedCodecError,
        known.UnsupportedSaslMechanismError,
    )
    return isinstance(error, known.KafkaError | OSError) and not isinstance(error, never)


def undecodable(error: BaseException, where: str) -> BrokerError:
    """Make the error for a batch that cannot be decoded.

    Args:
        error: error that the client raised.
        where: place of the batch: its topic, and its partition and offset if they are known.
    """
    lacking = lacking_codecs()
    kind = type(error).__name__
    codec = next((name for name in lacking if name in str(error).lower()), None)
    # the clients do not always name the codec that they lack
    if codec is None and lacking and kind in {"UnsupportedCodecError", "AssertionError"}:
        codec = next(iter(lacking))
    if codec:
        msg = f"{where} is compressed by {codec}, which cannot be decoded here; {lacking[codec]}"
    else:
        msg = (
            f"{where} holds a batch that cannot be decoded ({kind}: {one_line(error)}); {_DAMAGED}"
        )
    return BrokerError(msg)


def stuck(topic: str, partition: int, reached: int, end: int) -> BrokerError:
    """Make the error for a partition whose records the broker does not give, although it has them.

    Args:
        topic: full name of the topic.
        partition: the partition.
        reached: offset of the first record that does not come.
        end: offset after the last record.
    """
    return BrokerError(
        f"topic {topic!r} partition {partition} goes up to offset {end}, but the broker gives no "
        f"records from {reached} on; {_DAMAGED}"
    )


def decoded_poll(consumer: Any, milliseconds: int, most: int) -> Any:
    """Poll a consumer of kafka-python.

    Args:
        consumer: the consumer.
        milliseconds: how long to wait for records.
        most: number of records to return at most.

    Returns:
        The result of `consumer.poll`: lists of records by partition.

    Raises:
        BrokerError: if a batch cannot be decoded. The consumer must not be used again then.
    """
    from kafka.errors import CorruptRecordError, KafkaError, UnsupportedCodecError

    try:
        return consumer.poll(milliseconds, max_records=most)
    except (CorruptRecordError, UnsupportedCodecError) as error:
        raise undecodable(error, _places(consumer)) from error
    except KafkaError:
        raise
    except Exception as error:  # each decompressor raises errors of its own
        raise undecodable(error, _places(consumer)) from error


def _places(consumer: Any) -> str:
    """The places that a consumer reads, in words: offsets if they are few, topics if many."""
    few = 3
    places = sorted(consumer.assignment())
    if len(places) > few:
        return f"one of the topics {', '.join(sorted({place.topic for place in places}))}"
    offsets = [consumer.position(place, timeout_ms=_ANSWER_MS) for place in places]
    texts = [
        f"topic {place.topic!r} partition {place.partition} at offset {offset}"
        for place, offset in zip(places, offsets, strict=True)
    ]
    return " or ".join(texts) or "a topic"
