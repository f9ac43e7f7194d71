"""What Kafka's clients raise, sorted: what passes with time, what never does, and what cannot be decoded; each in one line.

A batch that cannot be decoded is met again by whoever reads on, and a client of kafka-python that raised over one must
not be asked again: it would go round in a circle for ever. So that ends a program.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from mainstem.errors import BrokerError

__all__ = [
    "CODECS",
    "decoded_poll",
    "lacking_codecs",
    "passes",
    "refusal",
    "stuck",
    "together",
    "told_of",
    "undecodable",
]

CODECS: Final[Mapping[str, str]] = {
    "lz4": "lz4 cramjam",
    "snappy": "python-snappy cramjam",
    "zstd": "zstandard cramjam",
}
"""What compresses topics, and the packages that the two clients decode it with; `mainstem[kafka]` brings them."""
_ALLOW: Final[Mapping[str, str]] = {  # by the name of the error, which is the same in both clients
    "ClusterAuthorizationFailedError": "allow this user what it asks of the cluster",
    "GroupAuthorizationFailedError": "allow this user READ in that consumer group",
    "SaslAuthenticationFailedError": "are user and password in MAINSTEM_EVENTS still right?",
    "TopicAuthorizationFailedError": "allow this user READ or WRITE of that topic",
}
_LONGEST: Final = 300
_ANSWER_MS: Final = 1000


def lacking_codecs() -> dict[str, str]:
    """Codecs that one of the two clients cannot decode here, each with what to install.

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


def told_of(error: BaseException) -> str:
    r"""An error in one line.

    Example:
        >>> told_of(OSError("no\nroute")), told_of(TimeoutError())
        ('no route', 'TimeoutError')
    """
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def refusal(error: BaseException) -> str:
    """What a broker refuses, and what to do where that is known.

    Example:
        >>> refusal(TimeoutError("no answer"))
        'the broker refuses: no answer'
    """
    mend = _ALLOW.get(type(error).__name__)
    return f"the broker refuses: {told_of(error)}{f'; {mend}' if mend else ''}"


def together(faults: Iterable[tuple[str, str]]) -> list[str]:
    """Faults of many topics, each kind told once.

    Args:
        faults: what is wrong, with `{}` where the topic belongs, and the topic.

    Example:
        >>> together([("topic {} is gone", "a"), ("topic {} is gone", "b")])
        ["topic 'a', 'b' is gone"]
    """
    kinds: dict[str, list[str]] = {}
    for what, topic in faults:
        kinds.setdefault(what, []).append(repr(topic))
    return [what.replace("{}", ", ".join(topics)) for what, topics in kinds.items()]


def passes(error: BaseException) -> bool:
    """Whether what went wrong may go right when it is tried again: not a right that is lacking, nor a broken batch.

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
    """The error of a batch that cannot be decoded.

    Args:
        error: what the client raised.
        where: topic, and partition and offset where they are known.
    """
    lacking = lacking_codecs()
    codec = next((name for name in lacking if name in str(error).lower()), None)
    if (
        codec is None
        and lacking
        and type(error).__name__ in {"UnsupportedCodecError", "AssertionError"}
    ):
        codec = next(iter(lacking))
    if codec:
        msg = f"{where} is compressed by {codec}, which cannot be decoded here; {lacking[codec]}"
    else:
        msg = (
            f"{where} holds a batch that cannot be decoded ({type(error).__name__}: {told_of(error)}); look at the broker's "
            "disk with kafka-dump-log.sh, restore the topic, or begin a new deployment (another prefix)"
        )
    return BrokerError(msg)


def stuck(topic: str, partition: int, reached: int, end: int) -> BrokerError:
    """The error of a place of which the broker gives nothing, though it has more."""
    return BrokerError(
        f"topic {topic!r} partition {partition} goes up to offset {end}, but the broker gives nothing from {reached} on; "
        "look at its disk with kafka-dump-log.sh, restore the topic, or begin a new deployment (another prefix)"
    )


def decoded_poll(consumer: Any, milliseconds: int, most: int) -> Any:
    """What `consumer.poll` gives.

    Raises:
        BrokerError: if a batch cannot be decoded. The consumer is of no more use then.
    """
    from kafka.errors import CorruptRecordError, KafkaError, UnsupportedCodecError

    try:
        return consumer.poll(milliseconds, max_records=most)
    except (CorruptRecordError, UnsupportedCodecError) as error:
        raise undecodable(error, _places(consumer)) from error
    except KafkaError:
        raise
    except Exception as error:  # whatever a decompressor raises, each its own
        raise undecodable(error, _places(consumer)) from error


def _places(consumer: Any) -> str:
    """Where a consumer stands: topic, partition and offset of each place it reads, where they are few."""
    few = 3
    places = sorted(consumer.assignment())
    if len(places) > few:
        return f"one of the topics {', '.join(sorted({place.topic for place in places}))}"
    told = [
        f"topic {place.topic!r} partition {place.partition} at offset {consumer.position(place, timeout_ms=_ANSWER_MS)}"
        for place in places
    ]
    return " or ".join(told) or "a topic"
