"""A whole deployment as processes: the commands that the compose file runs, under the supervisor that `mainstem up` uses."""

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
SESSION = 6.0  # seconds of silence after which others take over; Kafka's own least is higher


class Deployment:
    """The programs of one deployment, with topics, database and folders of their own.

    Args:
        events, store: URLs.
        folder: of versions, snapshots and logs.
        settings: on top of `SETTINGS`.
        programs: commands by name; `--http` and `--session-timeout` are added.
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
        """One of mainstem's commands, to its end."""
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
        """The programs run, and are started again whenever they end."""
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
        """Process id of a program; 0 where it waits to be started again."""
        with self._lock:
            return int(self.supervisor.state()[name]["pid"])

    def audit(self) -> dict[str, Any]:
        """What the audit finds."""
        done = self.run("audit", "--json", check=False)
        return (
            json.loads(done.stdout) if done.stdout else {"in_balance": False, "error": done.stderr}
        )

    def settled(self) -> bool:
        """Whether everything is joined, written, scored and judged to the end."""
        if not self.audit()["in_balance"]:
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
                """SELECT count() FROM samples_now AS s LEFT JOIN (SELECT * FROM trusted FINAL) AS t USING sample_id
                   LEFT ANTI JOIN responses AS r ON s.sample_id = r.sample_id AND s.label_version = r.label_version
                   WHERE t.part NOT IN ('direction', 'gate')"""
            )
            counts = "SELECT (SELECT uniqExact(sample_id, label_version) FROM samples), (SELECT sum(n) FROM ends)"
            [(samples, counted)] = store.rows(
                f"WITH ends AS (SELECT max(position) + 1 AS n FROM positions GROUP BY partition) {counts}"
            )
        return left == [(0,)] and samples == counted and judged == ends

    def settle(self, seconds: float) -> None:
        """Wait until everything is settled.

        Raises:
            TimeoutError: if it is not after so many seconds; with what the audit and the logs say.
        """
        until(self.settled, seconds, self.told)

    def told(self) -> str:
        """The audit and the ends of the logs, for whoever looks for what went wrong."""
        logs = [
            f"== {path.name}\n{path.read_text()[-2000:]}"
            for path in sorted(self.folder.glob("*.log"))
        ]
        return "\n".join([json.dumps(self.audit(), indent=1), *logs])


def until(so: Callable[[], bool], seconds: float, told: Callable[[], str] = str) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not so():
        if time.monotonic() > deadline:
            msg = f"not so after {seconds:.0f} s\n{told()}"
            raise TimeoutError(msg)
        time.sleep(1)
