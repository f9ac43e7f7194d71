"""A stream worker that loses fetches, as Faust does at times, with or without the door.

python -m tests.services.lossy               runs `mainstem stream join` under these variables:
MAINSTEM_TEST_DROP                           probability of losing a fetched batch of a partition
MAINSTEM_TEST_DOOR=off                       deliveries pass as they are, without direct reads
python -m tests.services.lossy --figures     prints losses and duplicates with and without the door
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from mainstem.kafka import Record
from mainstem.streams.door import Door
from mainstem.streams.joining import Joiner
from tests.services.deployed import CLI, SETTINGS, Deployment, until

ROOT = Path(__file__).parents[2]
LOSSY = [sys.executable, "-m", "tests.services.lossy"]
PROGRAMS = {"join-1": LOSSY, "join-2": LOSSY, "sink": [*CLI, "stream", "sink"]}
LOST = "lost a fetch"


class NoDoor(Door):
    """A door that passes every delivery as it comes."""

    async def through(self, records: Sequence[Record]) -> AsyncIterator[list[Record]]:
        """Yield the delivered records."""
        self.next_offset = records[-1].offset + 1
        yield list(records)

    async def until(self, end: int) -> AsyncIterator[list[Record]]:  # noqa: ARG002
        """Yield nothing."""
        for nothing in ():
            yield nothing


class LooseJoiner(Joiner):
    """A joiner that accepts offsets in any order."""

    def step(self, offset: int, event: Any) -> Iterator[Any]:
        """Join an event, even if offsets before it are missing."""
        self._state.next_offset = offset
        yield from super().step(offset, event)


def lose(share: float, seed: int) -> None:
    """Make Faust lose a share of its fetched batches.

    The offsets of a lost batch count as fetched, and its records are never delivered.
    """
    from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

    chance, fetch = random.Random(seed), AIOKafkaConsumerThread._fetch_records

    async def lossy(self: Any, *arguments: Any, **named: Any) -> Any:
        found = await fetch(self, *arguments, **named)
        lost = {place for place in found if chance.random() < share}
        for place in sorted(lost):
            print(
                f"{LOST}: {len(found[place])} records of partition {place.partition}",
                file=sys.stderr,
                flush=True,
            )
        return {place: records for place, records in found.items() if place not in lost}

    AIOKafkaConsumerThread._fetch_records = lossy


def run_join() -> None:
    """Run `mainstem stream join` with losses."""
    from mainstem.cli import main
    from mainstem.streams import joining

    lose(float(os.environ["MAINSTEM_TEST_DROP"]), int(os.environ.get("MAINSTEM_TEST_SEED", "0")))
    if os.environ.get("MAINSTEM_TEST_DOOR") == "off":
        joining.Door, joining.Joiner = NoDoor, LooseJoiner
    sys.argv = ["mainstem", "stream", "join", *sys.argv[1:]]
    main()


@dataclass(frozen=True)
class Outcome:
    """The result of a deployment, compared with the embedded loop.

    Attributes:
        hash: hash of samples and ledger.
        in_balance: whether the audit finds no disagreement.
        fetches: number of batches that were lost on purpose.
        expected: number of samples of the embedded loop, label versions counted separately.
        lost: number of these samples that the history lacks.
        other: number of samples in the history that the embedded loop lacks or has otherwise.
        doubled: number of rows in the history beyond one for each sample and label version.
    """

    hash: str
    in_balance: bool
    fetches: int
    expected: int
    lost: int
    other: int
    doubled: int


def embedded(log: Path, home: Path, **settings: str) -> tuple[str, set[tuple[Any, ...]]]:
    """Return hash and samples of `mainstem replay --no-learn`."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("MAINSTEM_")
    }
    done = subprocess.run(
        [*CLI, "replay", str(log), "--home", str(home), "--no-learn", "--json"],
        env=environment | SETTINGS | settings,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])["hash"], samples_of(
        f"chdb://{home / 'history'}"
    )


def samples_of(url: str) -> set[tuple[Any, ...]]:
    """Return (sample_id, label_version, content) of each sample of a history."""
    from mainstem.store import Store

    with Store(url) as store:
        return set(
            store.rows(
                "SELECT toString(sample_id), label_version, toString(digest) FROM samples FINAL"
            )
        )


def deploy(
    events: str,
    store: str,
    folder: Path,
    log: Path,
    expected: set[tuple[Any, ...]],
    *,
    drop: float,
    door: bool,
    speed: str,
) -> Outcome:
    """Run two lossy workers and a sink while a log is replayed and until nothing changes."""
    settings = {
        "PYTHONPATH": str(ROOT),
        "MAINSTEM_TEST_DROP": str(drop),
        "MAINSTEM_TEST_DOOR": "on" if door else "off",
    }
    deployment = Deployment(events, store, folder, settings, PROGRAMS)
    deployment.run("topics")
    with deployment.running():
        deployment.run("stream", "replay", log, "--speed", speed)
        if door:
            until(lambda: deployment.audit()["in_balance"], 180, deployment.told)
        else:
            _wait_until_quiet(store, seconds=12)
        in_balance = deployment.audit()["in_balance"]
    return _outcome(deployment, expected, in_balance=in_balance)


def _outcome(
    deployment: Deployment, expected: set[tuple[Any, ...]], *, in_balance: bool
) -> Outcome:
    from mainstem.answers.fingerprint import deployed_hash
    from mainstem.store import Store

    logs = "".join(path.read_text() for path in deployment.folder.glob("join-*.log"))
    found = samples_of(deployment.store)
    with Store(deployment.store) as store:
        [(rows, once)] = store.rows(
            "SELECT count(), uniqExact(sample_id, label_version) FROM samples FINAL"
        )
        return Outcome(
            hash=deployed_hash(store),
            in_balance=in_balance,
            fetches=logs.count(LOST),
            expected=len(expected),
            lost=len({sample[:2] for sample in expected} - {sample[:2] for sample in found}),
            other=len(found - expected),
            doubled=rows - once,
        )


def _wait_until_quiet(url: str, seconds: float) -> None:
    """Wait until the history is unchanged for longer than a worker waits before a direct read."""
    from mainstem.store import Store

    last, since = None, time.monotonic()
    while time.monotonic() - since < seconds:
        with Store(url) as store:
            now = store.rows(
                "SELECT (SELECT count() FROM samples), (SELECT max(next_offset) FROM ledger)"
            )
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.5)


def main() -> None:
    """Print the comparison with and without the door."""
    from mainstem.streams.local.clickhouse import LocalClickHouse
    from mainstem.streams.local.kafka import LocalKafka

    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--figures", action="store_true", required=True)
    arguments.add_argument("--drop", type=float, default=0.01)
    arguments.add_argument("--speed", default="5000x")
    given = arguments.parse_args()
    excerpt = resources.files("mainstem.data") / "online-retail.jsonl.gz"
    with tempfile.TemporaryDirectory() as name, resources.as_file(excerpt) as log:
        folder = Path(name)
        _, expected = embedded(log, folder / "home")
        kafka = LocalKafka(folder / "kafka")
        clickhouse = LocalClickHouse(
            folder / "clickhouse", binary=os.environ.get("MAINSTEM_TEST_CLICKHOUSE_BINARY")
        )
        kafka.start()
        clickhouse.start()
        try:
            for door in (True, False):
                word = "on" if door else "off"
                events, store = f"kafka://{kafka.servers}/{word}", clickhouse.url(word)
                options = {"drop": given.drop, "door": door, "speed": given.speed}
                found = deploy(events, store, folder / word, log, expected, **options)
                print(
                    f"door {word}: {found.fetches} fetches lost; "
                    f"of {found.expected:,} samples {found.lost:,} lost, "
                    f"{found.doubled:,} doubled, {found.other:,} with other content; "
                    f"audit {'in balance' if found.in_balance else 'out of balance'}",
                    flush=True,
                )
        finally:
            kafka.stop()
            clickhouse.stop()


if __name__ == "__main__":
    if "--figures" in sys.argv:
        main()
    else:
        run_join()
