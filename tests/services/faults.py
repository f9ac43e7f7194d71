"""Kill and pause programs, broker and ClickHouse at random while a log is replayed.

python -m tests.services.faults --kills 100      prints each fault, then the losses and duplicates
"""

import argparse
import os
import random
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from tests.services.deployed import CLI, PROGRAMS, SESSION, Deployment, until

KINDS = ("kill", "kill", "kill", "pause", "broker", "clickhouse")


class Faults:
    """Applies faults to a running deployment.

    Args:
        deployment: deployment whose programs are killed and paused.
        kafka: local broker, which is killed and started again.
        clickhouse: local ClickHouse, which is killed and started again.
        chance: source of randomness that chooses the faults.
        say: function that is called with a line about each fault.
    """

    def __init__(
        self,
        deployment: Deployment,
        kafka: Any,
        clickhouse: Any,
        chance: random.Random,
        say: Callable[[str], None] = print,
    ) -> None:
        self._deployment, self._kafka, self._clickhouse = deployment, kafka, clickhouse
        self._chance, self._say = chance, say

    def one(self, kind: str | None = None, name: str | None = None) -> str:
        """Apply one fault and return its description."""
        kind = kind or self._chance.choice(KINDS)
        name = name or self._chance.choice(sorted(PROGRAMS))
        if kind in {"kill", "pause"}:
            until(lambda: self._deployment.pid(name) > 0, 60)
            process = self._deployment.pid(name)
            if kind == "kill":
                os.kill(process, signal.SIGKILL)
            else:
                os.kill(process, signal.SIGSTOP)
                time.sleep(SESSION + self._chance.uniform(1, 4))
                _try_to_resume(process)
            what = f"{kind} {name}"
        else:
            server = self._kafka if kind == "broker" else self._clickhouse
            server.kill()
            time.sleep(self._chance.uniform(0, 3))
            server.start()
            what = f"{kind} killed and started again"
        self._say(what)
        return what


def _try_to_resume(process: int) -> None:
    try:
        os.kill(process, signal.SIGCONT)
    except ProcessLookupError:
        return


@contextmanager
def replaying(deployment: Deployment, log: Path, speed: str) -> Iterator[subprocess.Popen[bytes]]:
    """Replay at some speed, and start the replay again whenever it fails, as a supervisor would."""
    command = [*CLI, "stream", "replay", str(log), "--speed", speed]
    over = threading.Event()
    done = threading.Event()

    def keep() -> None:
        while not over.is_set() and not done.is_set():
            with (deployment.folder / "replay.log").open("ab") as out:
                if (
                    subprocess.run(
                        command, env=deployment.environment, stdout=out, stderr=out, check=False
                    ).returncode
                    == 0
                ):
                    done.set()
            time.sleep(0.5)

    thread = threading.Thread(target=keep)
    thread.start()
    try:
        yield done  # type: ignore[misc]
    finally:
        over.set()
        thread.join()


class Stall:
    """Watches the ledger for the longest time in which it does not grow."""

    def __init__(self, deployment: Deployment) -> None:
        self.longest = 0.0
        self._deployment = deployment

    def watch(self, done: threading.Event) -> None:
        """Watch the ledger until the event is set."""
        from mainstem.errors import StoreError
        from mainstem.store import Store

        last, since = 0, time.monotonic()
        while not done.is_set():
            try:
                with Store(self._deployment.store) as store:
                    [(now,)] = store.rows("SELECT sum(next_offset) FROM ledger FINAL")
            except StoreError:
                now = last
            if now > last:  # the time after the last event is no stall
                self.longest = max(self.longest, time.monotonic() - since)
                last, since = now, time.monotonic()
            time.sleep(0.5)


def main() -> None:
    """Run the faults, and print each of them and the outcome."""
    from mainstem.streams.local.clickhouse import LocalClickHouse
    from mainstem.streams.local.kafka import LocalKafka

    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--kills", type=int, default=10)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--speed", default="")
    given = arguments.parse_args()
    chance = random.Random(given.seed)
    with (
        tempfile.TemporaryDirectory() as folder,
        resources.as_file(resources.files("mainstem.data") / "online-retail.jsonl.gz") as log,
    ):
        kafka = LocalKafka(Path(folder, "kafka"))
        clickhouse = LocalClickHouse(
            Path(folder, "clickhouse"), binary=os.environ.get("MAINSTEM_TEST_CLICKHOUSE_BINARY")
        )
        kafka.start()
        clickhouse.start()
        try:
            _chaos(
                given.kills,
                given.speed or "20000x",
                chance,
                Path(folder),
                Path(log),
                kafka,
                clickhouse,
            )
        finally:
            kafka.stop()
            clickhouse.stop()


def _chaos(
    kills: int,
    speed: str,
    chance: random.Random,
    folder: Path,
    log: Path,
    kafka: Any,
    clickhouse: Any,
) -> None:
    """Apply faults during and after a replay, then settle and compare."""
    programs = {**PROGRAMS, "learn": [*CLI, "train", "learn", "--frozen"]}
    deployment = Deployment(
        f"kafka://{kafka.servers}/chaos", clickhouse.url("chaos"), folder / "deployed", {}, programs
    )
    deployment.run("topics")
    begun, stall, settled = time.monotonic(), Stall(deployment), threading.Event()
    watcher = threading.Thread(target=stall.watch, args=(settled,))
    watcher.start()

    def say(text: str) -> None:
        print(f"{time.monotonic() - begun:7.1f} s  {text}", flush=True)

    faults = Faults(deployment, kafka, clickhouse, chance, say)
    try:
        with deployment.running(), replaying(deployment, log, speed) as replayed:
            for _ in range(kills):
                time.sleep(chance.uniform(1, 8))
                faults.one()
            replayed.wait()
            deployment.settle(600)
            say("settled")
    finally:
        settled.set()
        watcher.join()
    print(deployment.run("audit", check=False).stdout)
    verified = deployment.run("stream", "verify", log, check=False)
    print(verified.stdout)
    from mainstem.store import Store

    with Store(deployment.store) as store:
        [(rows, visits)] = store.rows(
            "SELECT count(), uniqExact(sample_id, label_version, version) FROM responses FINAL"
        )
    print(
        f"faults {kills}, response rows {rows} of {visits} visits, "
        f"longest stall {stall.longest:.1f} s"
    )


if __name__ == "__main__":
    main()
