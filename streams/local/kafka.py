"""A real Apache Kafka broker on this machine: one KRaft node, its data in one folder."""

import base64
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from mainstem.errors import BrokerError

from .jars import fetch_jars, jars_folder, missing
from .process import LocalProcess, end_of, free_ports, is_free, wait_for

__all__ = ["LocalKafka", "missing"]

_READY_SECONDS: Final = 90.0
# subtle: a killed broker is let in again only when its old session has ended, hence the short one
_PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
auto.create.topics.enable=false
log.retention.ms=-1
"""


class LocalKafka:
    """A broker of its own folder; what was written survives `kill` and `start`.

    Args:
        folder: gets kafka-data/, kafka.log, kafka.properties and kafka.ports.
        port: where it answers; None: that of the last time, or a free one.
        more: further properties, which replace those above; `{port}`, `{controller}` and `{data}` are filled in.
        users: users who log in by SCRAM, each as Kafka's `--add-scram` wants it.
    """

    def __init__(
        self, folder: Path, port: int | None = None, *, more: str = "", users: Sequence[str] = ()
    ) -> None:
        self.folder, self._more, self._users = folder.resolve(), more, users
        self.port, self._controller = _ports(self.folder / "kafka.ports", port)
        self._properties = self.folder / "kafka.properties"
        self._process = LocalProcess(
            ["java", "-Xmx512m", "-cp", f"{jars_folder()}/*", "kafka.Kafka", str(self._properties)],
            self.folder / "kafka.log",
        )

    @property
    def servers(self) -> str:
        """Its address, `127.0.0.1:PORT`."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process id; 0 where it does not run."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process.alive

    def start(self) -> None:
        """Start it, and return once it answers.

        Raises:
            BrokerError: if it cannot be started, quoting the end of its log.
        """
        if self.alive:
            return
        if busy := [port for port in (self.port, self._controller) if not is_free(port)]:
            msg = f"port {busy[0]} is in use by another process; end that one, or give Kafka another port"
            raise BrokerError(msg)
        fetch_jars()
        self._format()
        self._process.start()
        wait_for(self._process, self._answers, _READY_SECONDS, BrokerError)

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self._process.kill()

    def stop(self, seconds: float = 30.0) -> None:
        """Ask it to end, wait so long, then end it."""
        self._process.stop(seconds)

    def pause(self) -> None:
        """Let it hang (SIGSTOP)."""
        self._process.pause()

    def resume(self) -> None:
        """Let it go on (SIGCONT)."""
        self._process.resume()

    def _format(self) -> None:
        """Write the configuration; format the storage where that was not done yet."""
        data = self.folder / "kafka-data"
        given = (_PROPERTIES + self._more).format(
            port=self.port, controller=self._controller, data=data
        )
        self._properties.write_text(given)
        if (data / "meta.properties").exists():
            return
        tool = [
            "java",
            "-cp",
            f"{jars_folder()}/*",
            "kafka.tools.StorageTool",
            "format",
            "--standalone",
        ]
        scram = [f"--add-scram={user}" for user in self._users]
        with self._process.log.open("ab") as log:
            done = subprocess.run(  # noqa: S603 - our own command
                # = : an id may begin with a dash
                [*tool, f"--cluster-id={_cluster_id()}", *scram, "-c", str(self._properties)],
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode:
            msg = f"Kafka cannot format {str(data)!r}; the log says:\n{end_of(self._process.log)}"
            raise BrokerError(msg)

    def _answers(self) -> bool:
        if is_free(self.port):
            return False
        from kafka.admin import KafkaAdminClient  # a second to import
        from kafka.errors import KafkaError

        try:
            admin: Any = KafkaAdminClient(bootstrap_servers=self.servers)
            try:
                admin.list_topics()
            finally:
                admin.close()
        except KafkaError:
            return False
        return True


def _ports(kept: Path, port: int | None) -> tuple[int, int]:
    """Ports of broker and controller: as given, as kept, or free ones. Kept, for a voter's address is in its storage."""
    free = free_ports(2)
    before = [int(word) for word in kept.read_text().split()] if kept.exists() else free
    now = (port or before[0], before[1])
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("{} {}\n".format(*now))
    return now


def _cluster_id() -> str:
    """A random id as Kafka writes them: 16 bytes in 22 characters of base64."""
    return base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
