"""A stream worker that is asked to stop finishes what it has begun."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from mainstem.events import encode
from mainstem.kafka import Broker
from mainstem.streams.topics import make_topics
from tests.join.shop import short, view
from tests.kafka.topic import produce
from tests.services.processes import until

SLOW = """
    import sys, time
    from mainstem.kafka import Monitor
    from mainstem.settings.addresses import Addresses
    from mainstem.streams.running import run_join
    from mainstem.streams.snapshots import Snapshots
    from tests.join.shop import short
    save, told = Snapshots.save, open(sys.argv[3], "w", buffering=1)

    def slowly(snapshots, snapshot):
        print("begins", snapshot.next_offset, file=told)
        time.sleep(1)
        save(snapshots, snapshot)
        print("saved", snapshot.next_offset, file=told)

    Snapshots.save = slowly
    addresses = Addresses(events=sys.argv[1], snapshots=sys.argv[2])
    run_join(addresses, short(partitions=1, snapshot_every=5), b"key", Monitor("127.0.0.1:0"), 10.0)
"""


def test_snapshots_on_their_way_are_saved(events_url: str, tmp_path: Path) -> None:
    """A worker that is asked to stop while it writes the first of three snapshots saves all."""
    broker = Broker.parse(events_url)
    make_topics(broker, short(partitions=1).join)
    produce(
        broker,
        broker.topic("events"),
        [encode(view(f"e{number}", number, "cup")) for number in range(15)],
        0,
    )
    told = tmp_path / "told"
    told.touch()
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(SLOW),
            events_url,
            f"file://{tmp_path / 'snapshots'}",
            told,
        ],
        env={**os.environ, "PYTHONPATH": "."},
        stdout=subprocess.DEVNULL,
    )
    try:
        until(lambda: "begins 5" in told.read_text())
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    finally:
        process.kill()
        process.wait()
    assert [
        "begins 5",
        "saved 5",
        "begins 10",
        "saved 10",
        "begins 15",
        "saved 15",
    ] == told.read_text().splitlines()
