"""Runs a real Apache Kafka broker on this machine: one KRaft node with its data in one folder."""

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
# subtle: a killed broker can register again only after its session has ended, hence the short one
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
    """A broker with its own folder; records survive `kill` and `start`.

    Args:
        folder: folder of the broker; it gets kafka-data/, kafka.log, kafka.properties and
            kafka.ports.
        port: port of the broker; None takes the port of the last start, or a free one.
        more: further lines for kafka.properties, which win over the standard ones. `{port}`,
            `{controller}` and `{data}` are filled in.
        users: users who log in by SCRAM, each in the form of Kafka's option `--add-scram`.

    Attributes:
        folder: absolute path of the folder.
        port: port of the broker.
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
        """Address of the broker, `127.0.0.1:PORT`."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Process id of the broker; 0 if it does not run."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the broker's process runs."""
        return self._process.alive

    def start(self) -> None:
        """Start the broker, and return once it answers; nothing happens if it runs.

        Raises:
            BrokerError: if the broker does not start. The message quotes the end of its log.
        """
        if self.alive:
            return
        if busy := [port for port in (self.port, self._controller) if not is_free(port)]:
            msg = (
                f"port {busy[0]} is in use by another process; "
                "end that process, or give Kafka another port"
            )
            raise BrokerError(msg)
        fetch_jars()
        self._format()
        self._process.start()
        wait_for(self._process, self._answers, _READY_SECONDS, BrokerError)

    def kill(self) -> None:
        """End the broker at once (SIGKILL)."""
        self._process.kill()

    def stop(self, seconds: float = 30.0) -> None:
        """Ask the broker to end (SIGTERM), and kill it if it still runs after some seconds."""
        self._process.stop(seconds)

    def pause(self) -> None:
        """Pause the broker (SIGSTOP)."""
        self._process.pause()

    def resume(self) -> None:
        """Let a paused broker go on (SIGCONT)."""
        self._process.resume()

    def _format(self) -> None:
        """Write the configuration, and format the storage unless that was done before."""
        data = self.folder / "kafka-data"
        given = (_PROPERTIES + self._more).format(
            port=self.port, controller=self._controller, data=data
        )
        self._properties.write_text(given)
        if (data / "meta.properties").exists():
            return
        tool = ["java", "-cp", f"{jars_folder()}/*", "kafka.tools.StorageTool"]
        scram = [f"--add-scram={user}" for user in self._users]
        # subtle: joined by `=`, because an id may begin with a dash
        cluster = f"--cluster-id={_cluster_id()}"
        with self._process.log.open("ab") as log:
            done = subprocess.run(  # noqa: S603 - our own command
                [*tool, "format", "--standalone", cluster, *scram, "-c", str(self._properties)],
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
    """Ports of broker and controller: the given port, those of the last start, or free ones.

    They are kept in a file, because the storage holds the address of the controller.
    """
    free = free_ports(2)
    before = [int(word) for word in kept.read_text().split()] if kept.exists() else free
    now = (port or before[0], before[1])
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("{} {}\n".format(*now))
    return now


def _cluster_id() -> str:
    """Make a random id in Kafka's form: 16 bytes in 22 characters of base64."""
    return base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
