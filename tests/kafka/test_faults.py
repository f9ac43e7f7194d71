"""Errors of the Kafka clients are sorted: some are retried, some final, and some undecodable."""

import subprocess
import sys
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from kafka import errors

from mainstem.errors import BrokerError, StoppedError, StoreError
from mainstem.kafka.faults import CODECS, decoded_poll, lacking_codecs, one_line
from mainstem.kafka.outages import ASKED, patiently


class FakeConsumer:
    """A consumer that raises an error at every poll."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def poll(self, _: int, max_records: int) -> Any:  # noqa: ARG002
        """Raise the error."""
        raise self._error

    def assignment(self) -> set[Any]:
        """Return no partitions."""
        return set()


class Failing:
    """A function that fails a number of times."""

    def __init__(self, error: Exception, times: int = 1_000_000) -> None:
        self.calls, self._error, self._times = 0, error, times

    def __call__(self) -> str:
        """Raise the error, or return `done`."""
        self.calls += 1
        if self.calls <= self._times:
            raise self._error
        return "done"


@pytest.fixture
def asked() -> Iterator[None]:
    """Ask this process to end."""
    ASKED.set()
    yield
    ASKED.clear()


@pytest.mark.parametrize(
    "error",
    [
        errors.CorruptRecordError("crc"),
        errors.UnsupportedCodecError("Libraries for zstd compression codec not found"),
        RuntimeError("LZ4F_decompress failed with code: ERROR_frameType_unknown"),
        EOFError("Compressed file ended before the end-of-stream marker was reached"),
        zlib.error("invalid stored block lengths"),
        OSError("Not a gzipped file"),
        ValueError("unpack"),
        UnicodeDecodeError("utf-8", b"x", 0, 1, "header"),
    ],
)
def test_what_cannot_be_decoded_is_our_error(error: Exception) -> None:
    """Any error of a decompressor becomes a `BrokerError`."""
    with pytest.raises(BrokerError, match="cannot be decoded"):
        decoded_poll(FakeConsumer(error), 1, 1)


def test_other_errors_of_the_broker_stay_what_they_are() -> None:
    """Other errors of the broker pass through, so that the caller can wait."""
    with pytest.raises(errors.KafkaTimeoutError):
        decoded_poll(FakeConsumer(errors.KafkaTimeoutError("gone")), 1, 1)


def test_all_codecs_come_with_the_programs() -> None:
    """`mainstem[kafka]` installs the codecs of both clients."""
    assert {} == lacking_codecs()


@pytest.mark.parametrize("codec", CODECS)
def test_a_missing_codec_is_named_with_what_to_install(codec: str) -> None:
    """The error for a missing codec has the command that installs it."""
    module = CODECS[codec].split()[0].removeprefix("python-")
    code = (
        f"import sys; sys.modules[{module!r}] = None\n"
        "from mainstem.kafka.faults import lacking_codecs, undecodable\n"
        "from kafka.errors import UnsupportedCodecError\n"
        f"print(lacking_codecs(), undecodable(UnsupportedCodecError('{codec}'), 'a topic'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    install = f"pip install {CODECS[codec]}"
    told = f"a topic is compressed by {codec}, which cannot be decoded here; {install}"
    assert f"{{{codec!r}: {install!r}}} {told}\n" == done.stdout


@pytest.mark.parametrize(
    "error",
    [
        errors.TopicAuthorizationFailedError("read"),
        errors.GroupAuthorizationFailedError("group"),
        errors.SaslAuthenticationFailedError("wrong"),
        errors.CorruptRecordError("crc"),
        errors.InvalidTopicError("a/b"),
    ],
)
def test_what_never_passes_is_not_tried_again(error: Exception) -> None:
    """A permanent error, such as a missing right, is not retried."""
    failing = Failing(error)
    with pytest.raises(BrokerError, match="the broker refuses"):
        patiently(failing)
    assert 1 == failing.calls


@pytest.mark.parametrize(
    "error", [errors.KafkaTimeoutError(), StoreError("away"), ConnectionRefusedError()]
)
def test_what_passes_is_tried_again(error: Exception) -> None:
    """A temporary error is retried until the call succeeds."""
    assert "done" == patiently(Failing(error, times=2))


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    "error", [errors.KafkaTimeoutError(), StoreError("away"), ConnectionRefusedError()]
)
def test_whoever_is_asked_to_end_waits_no_longer(error: Exception) -> None:
    """A process asked to end retries nothing, but a call that succeeds is done."""
    failing = Failing(error)
    with pytest.raises(StoppedError):
        patiently(failing)
    assert 1 == failing.calls
    assert "done" == patiently(Failing(error, times=0))


def test_an_error_is_told_in_one_line() -> None:
    """The text of an error is one line of bounded length."""
    assert "a b" == one_line(ValueError("a\n  b"))
    assert 301 == len(one_line(ValueError("x" * 5000)))
