"""A log gives the same samples and the same Kafka records in every form."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mainstem.events import decode
from mainstem.kafka import Broker
from mainstem.settings import Join
from mainstem.streams.replaying import Replay
from tests.conftest import Run, excerpt_lines
from tests.importers.packing import FORMS, pack

OTHERS = FORMS[1:]
Report = Callable[[Path, Path], dict]


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    """Return the lines of a short log."""
    return excerpt_lines(600)


@pytest.fixture(scope="module")
def replayed(mainstem: Run) -> Report:
    """Return a function that replays a log without learning and returns the report."""

    def run(log: Path, home: Path) -> dict:
        done = mainstem("replay", log, "--home", home, "--no-learn", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture(scope="module")
def plain(lines: list[bytes], replayed: Report, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Return the report of the plain log."""
    folder = tmp_path_factory.mktemp("plain")
    return replayed(pack(lines, "plain", folder), folder / "home")


@pytest.mark.parametrize("form", OTHERS)
def test_a_replay_does_not_depend_on_the_form_of_the_log(
    form: str, lines: list[bytes], plain: dict, replayed: Report, tmp_path: Path
) -> None:
    """Hash and ledger are those of the plain log."""
    found = replayed(pack(lines, form, tmp_path), tmp_path / "home")
    assert (plain["hash"], plain["ledger"]) == (found["hash"], found["ledger"])


def test_a_folder_that_grew_is_replayed_from_where_it_was(
    lines: list[bytes], plain: dict, replayed: Report, tmp_path: Path
) -> None:
    """Files added to a folder after a replay are read from where it ended."""
    log, home, later = pack(lines[:450], "folder", tmp_path), tmp_path / "home", tmp_path / "later"
    assert replayed(log, home)["samples"] < plain["samples"]
    later.mkdir()
    pack(lines[450:], "parquet of JSON", later).rename(log / "part-3")
    found = replayed(log, home)
    assert (plain["hash"], plain["ledger"]) == (found["hash"], found["ledger"])


@pytest.mark.parametrize("form", OTHERS)
def test_what_goes_into_kafka_does_not_depend_on_the_form_of_the_log(
    form: str, lines: list[bytes], tmp_path: Path
) -> None:
    """Topics, partitions, keys, events and line numbers are those of the plain log."""

    def records(log: Path) -> list[tuple]:
        broker = Broker.parse("kafka://nowhere")
        replay = Replay(broker, log, Join(), speed=None, tick=True, say=print)
        return [
            (one.topic, one.partition, one.key, decode(one.value), one.line)
            for one in replay._records(4)
        ]

    (tmp_path / "packed").mkdir()
    packed = pack(lines, form, tmp_path / "packed")
    assert records(pack(lines, "plain", tmp_path)) == records(packed)
