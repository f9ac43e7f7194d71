"""A pytest plugin that gives tests a real Kafka and a real ClickHouse.

Each worker starts its own, once, unless the environment names others:

MAINSTEM_TEST_KAFKA              a broker, host:port
MAINSTEM_TEST_CLICKHOUSE         a server, clickhouse://user:password@host:port
MAINSTEM_TEST_CLICKHOUSE_BINARY  the program to start; without it, `clickhouse` on PATH
MAINSTEM_TEST_ALLOW_MISSING      servers that may be missing if CI=true, like "clickhouse,kafka"

A test is skipped if its server is missing, and the run ends with a line that says so. If CI=true,
the test fails instead.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from mainstem.streams.local import clickhouse as local_clickhouse
from mainstem.streams.local import kafka as local_kafka

NOT_THERE = "not there: "


@dataclass(frozen=True)
class GivenKafka:
    """A broker that the tests neither start nor kill."""

    servers: str


@dataclass(frozen=True)
class GivenClickHouse:
    """A server that the tests neither start nor kill."""

    address: str

    def url(self, database: str = "mainstem") -> str:
        """Return the URL of a history on the server."""
        return f"{self.address.rstrip('/')}/{database}"


def pytest_configure(config: pytest.Config) -> None:
    """Ignore a deprecation that kafka-python causes when it reads its schemas."""
    config.addinivalue_line(
        "filterwarnings", "ignore:(read|open)_text is deprecated:DeprecationWarning"
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: Any) -> Iterator[None]:
    """List after pytest's own summary the test files that lacked a server."""
    yield
    for line in not_run(terminalreporter.stats.get("skipped", [])):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Broker of the run."""
    if given := os.environ.get("MAINSTEM_TEST_KAFKA"):
        yield GivenKafka(given)
        return
    need("kafka", local_kafka.missing())
    broker = local_kafka.LocalKafka(tmp_path_factory.mktemp("kafka"))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """ClickHouse server of the run."""
    if given := os.environ.get("MAINSTEM_TEST_CLICKHOUSE"):
        yield GivenClickHouse(given)
        return
    binary = os.environ.get("MAINSTEM_TEST_CLICKHOUSE_BINARY")
    need("clickhouse", local_clickhouse.missing(binary))
    server = local_clickhouse.LocalClickHouse(tmp_path_factory.mktemp("clickhouse"), binary=binary)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def events_url(kafka: Any) -> str:
    """URL of a broker, with topics that belong to one test."""
    return f"kafka://{kafka.servers}/{unique()}"


@pytest.fixture
def store_url(clickhouse: Any) -> Iterator[str]:
    """URL of ClickHouse, with a database that belongs to one test."""
    database = unique()
    yield clickhouse.url(database)
    import clickhouse_connect

    with clickhouse_connect.get_client(dsn=clickhouse.url("default")) as client:
        client.command(f"DROP DATABASE IF EXISTS {database} SYNC")


def need(name: str, lacking: list[str]) -> None:
    """Skip a test whose server cannot be started, or fail it where all tests must run."""
    if not lacking:
        return
    reason = f"{NOT_THERE}{'; '.join(lacking)}"
    allowed = os.environ.get("MAINSTEM_TEST_ALLOW_MISSING", "").split(",")
    if os.environ.get("CI") == "true" and name not in allowed:
        pytest.fail(f"{reason} (MAINSTEM_TEST_ALLOW_MISSING={name} lets these tests be skipped)")
    pytest.skip(reason)


def unique() -> str:
    """Return a name that no other test has."""
    return f"test_{uuid4().hex[:12]}"


def not_run(reports: list[Any]) -> list[str]:
    """Return a line for each test file in which a missing server caused a skip."""
    lines = {
        f"NOT RUN: {_file(report)} ({reason.partition(NOT_THERE)[2]})"
        for report in reports
        if isinstance(report.longrepr, tuple) and NOT_THERE in (reason := report.longrepr[2])
    }
    return sorted(lines)


def _file(report: Any) -> str:
    return report.nodeid.split("::")[0].removeprefix("tests/")
