"""A scoring worker without servers that waits for hours: python -m tests.trainer.waiting_scorer.

The loop, the program, the monitor and the handlers of signals are those of `mainstem train score`.
Broker and consumer are fakes, because a test ends this process by a signal.
"""

import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

from mainstem.kafka import Monitor
from mainstem.kafka.messages import Announcement
from mainstem.settings.addresses import Addresses
from mainstem.trainer import running
from mainstem.versions import Versions
from tests.trainer.fakes import (
    START,
    FakeGroup,
    FakeIntake,
    FakeProducer,
    Kill,
    KillingStore,
    close_hours,
    sample,
    sink,
)
from tests.trainer.scorers import NEVER, SETTINGS

TOPIC = {0: [[sample(number)] for number in range(6)], 1: [[sample(7)]]}


class Held(FakeIntake):
    """A consumer that polls for half a second while its batch waits."""

    def __enter__(self) -> Self:
        self.assign(0, 1)
        return self

    def __exit__(self, *_: object) -> None:
        print("committed", self._group.committed, flush=True)

    def stay(self) -> None:
        """Poll, as a consumer does."""
        super().stay()
        time.sleep(0.5)

    def lag(self) -> dict[tuple[str, int], int]:
        """Return the records of each partition that are left."""
        return {("samples", at): len(records) for at, records in TOPIC.items()}


def main(folder: Path, versions: str) -> None:
    """Run the loop of a scoring worker, and print the port of its monitor."""
    settings = SETTINGS.but({"join.partitions": 2})
    store = KillingStore(f"chdb://{folder}")
    sink(store, settings, TOPIC)
    store.execute("TRUNCATE TABLE hours")
    close_hours(store, 0, START // 3_600_000)
    kill, program = Kill(), SimpleNamespace()

    def intake(*_: object, assigned: Any, revoked: Any, **__: object) -> Held:
        program.assigned, program.revoked = assigned, revoked
        return Held(FakeGroup(TOPIC), 5, program, kill)

    fakes = {
        "Announcements": lambda _: SimpleNamespace(
            read=lambda: Announcement(version=0, generation=1)
        ),
        "Intake": intake,
        "TrustedTopic": lambda _: SimpleNamespace(read=list),
        "open_store": lambda _: store,
        "open_versions": Versions,
        "_producer": lambda _: FakeProducer(kill, []),
    }
    for name, fake in fakes.items():
        setattr(running, name, fake)
    monitor = Monitor("127.0.0.1:0")
    print(monitor.port, flush=True)
    addresses = Addresses(events="kafka://nowhere:9092", store="-", versions=versions)
    running.run_scorer(addresses, settings, monitor, session_timeout=10, idle=NEVER)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
