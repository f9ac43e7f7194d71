"""A whole deployment as processes: the compose file's commands, supervised as in `mainstem up`."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mainstem.kafka import Broker, DirectReader
from mainstem.streams.local.supervisor import Supervisor

CLI = [sys.executable, "-m", "mainstem.cli"]
PROGRAMS = {
    "join-1": [*CLI, "stream", "join"],
    "join-2": [*CLI, "stream", "join"],
    "sink": [*CLI, "stream", "sink"],
    "score-1": [*CLI, "train", "score", "--idle", "2"],
    "score-2": [*CLI, "train", "score", "--idle", "2"],
    "learn": [*CLI, "train", "learn"],
}
SETTINGS = {
    "MAINSTEM_JOIN__QUESTIONS": "purchases",
    "MAINSTEM_JOIN__PARTITIONS": "4",
    "MAINSTEM_PSEUDONYM_KEY": "of the tests",
    "MAINSTEM_STANDING__JUDGE_EVERY": "300",
    "MAINSTEM_TRUSTED__CANARY_SHARE": "0.1",
    "MAINSTEM_STANDING__CANARY_MINIMUM": "40",
    "MAINSTEM_STANDING__CORE_VISITS": "1",
    "MAINSTEM_RUN__SNAPSHOT_EVERY": "400",
    "OMP_WAIT_POLICY": "PASSIVE",
}
# Seconds of silence after which another member takes over; Kafka's own minimum is higher.
SESSION = 6.0


class Deployment:
    """The programs of one deployment, with their own topics, database and folders.

    Args:
        events: URL of the topics.
        store: URL of the history.
        folder: folder for versions, snapshots and logs.
        settings: environment variables that are set on top of `SETTINGS`.
        programs: commands by name; `--http` and `--session-timeout` are added to each.
    """

    def __init__(
        self,
        events: str,
        store: str,
        folder: Path,
        settings: Mapping[str, str],
        programs: Mapping[str, Sequence[str]] = PROGRAMS,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.events, self.store, self.folder = events, store, folder
        places = {
            "MAINSTEM_EVENTS": events,
            "MAINSTEM_STORE": store,
            "MAINSTEM_VERSIONS": f"file://{folder}/versions",
            "MAINSTEM_SNAPSHOTS": f"file://{folder}/snapshots",
        }
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith("MAINSTEM_")
        }
        self.environment = {**kept, **SETTINGS, **settings, **places}
        more = ["--http", "127.0.0.1:0", "--session-timeout", str(SESSION)]
        commands = {name: [*command, *more] for name, command in programs.items()}
        self.supervisor = Supervisor(commands, folder, self.environment)
        self._lock = threading.Lock()

    def run(self, *arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one command of mainstem to its end."""
        command = [*CLI, *map(str, arguments)]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False, timeout=900
        )
        if check and done.returncode:
            msg = f"{' '.join(map(str, arguments))}: {done.stderr}\n{done.stdout}"
            raise RuntimeError(msg)
        return done

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the programs, and start each again whenever it ends."""
        over = threading.Event()

        def supervise() -> None:
            while not over.is_set():
                with self._lock:
                    self.supervisor.step()
                time.sleep(0.2)

        thread = threading.Thread(target=supervise)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self.supervisor.stop(seconds=15)

    def pid(self, name: str) -> int:
        """Return the process id of a program, or 0 while it waits to be started again."""
        with self._lock:
            return int(self.supervisor.state()[name]["pid"])

    def audit(self) -> dict[str, Any]:
        """Return the findings of the audit."""
        done = self.run("audit", "--json", check=False)
        return (
            json.loads(done.stdout) if done.stdout else {"in_balance": False, "error": done.stderr}
        )

    def settled(self) -> bool:
        """Return whether all samples are joined, stored, scored and judged to the end."""
        if not self.audit()["in_balance"] or not self.counted():
            return False
        from mainstem.store import Store

        with Store(self.store) as store:
            judged = dict(
                store.rows("SELECT partition, max(judgement) FROM judgements GROUP BY partition")
            )
            ends = dict(
                store.rows("SELECT partition, max(position) + 1 FROM positions GROUP BY partition")
            )
            left = store.rows(
                """SELECT count() FROM samples_now AS s
                   LEFT JOIN (SELECT * FROM trusted FINAL) AS t USING sample_id
                   LEFT ANTI JOIN responses AS r
                       ON s.sample_id = r.sample_id AND s.label_version = r.label_version
                   WHERE t.part NOT IN ('direction', 'gate')"""
            )
            counts = (
                "SELECT (SELECT uniqExact(sample_id, label_version) FROM samples), "
                "(SELECT sum(n) FROM ends)"
            )
            [(samples, counted)] = store.rows(
                "WITH ends AS "
                "(SELECT max(position) + 1 AS n FROM positions GROUP BY partition) " + counts
            )
        return left == [(0,)] and samples == counted and judged == ends

    def counted(self) -> bool:
        """Return whether the sink has written all of topic `counts`."""
        broker = Broker.parse(self.events)
        with DirectReader(broker, broker.topic("counts"), broker.group("sink")) as reader:
            return all(
                (reader.committed(one) or 0) == reader.end(one) for one in reader.partitions()
            )

    def settle(self, seconds: float) -> None:
        """Wait until the deployment is settled.

        Raises:
            TimeoutError: the deployment is not settled in time; the message has audit and logs.
        """
        until(self.settled, seconds, self.told)

    def told(self) -> str:
        """Return the audit and the ends of the logs, to explain a failure."""
        logs = [
            f"== {path.name}\n{path.read_text()[-2000:]}"
            for path in sorted(self.folder.glob("*.log"))
        ]
        return "\n".join([json.dumps(self.audit(), indent=1), *logs])


def until(so: Callable[[], bool], seconds: float, told: Callable[[], str] = str) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not so():
        if time.monotonic() > deadline:
            msg = f"not so after {seconds:.0f} s\n{told()}"
            raise TimeoutError(msg)
        time.sleep(1)
