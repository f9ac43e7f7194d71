"""A real ClickHouse server on this machine, out of the binary that the user has."""

import http.client
import os
import shutil
from pathlib import Path
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape

from mainstem.errors import StoreError

from .process import LocalProcess, free_ports, is_free, wait_for

__all__ = ["BINARY", "LocalClickHouse", "missing"]

BINARY: Final = "MAINSTEM_CLICKHOUSE_BINARY"
"""Environment variable that names the binary; without it, `clickhouse` is looked for on PATH."""
_READY_SECONDS: Final = 60.0
_CONFIG: Final = """\
<clickhouse>
  <logger><level>warning</level><console>true</console></logger>
  <listen_host>127.0.0.1</listen_host><http_port>{port}</http_port>
  <path>{data}/</path><tmp_path>{data}/tmp/</tmp_path><user_files_path>{data}/user_files/</user_files_path>
  <mark_cache_size>268435456</mark_cache_size><max_server_memory_usage>4000000000</max_server_memory_usage>
  <shutdown_wait_unfinished>1</shutdown_wait_unfinished>
  <users_config>{users}</users_config><default_profile>default</default_profile>
  <access_control_path>{data}/access/</access_control_path>
</clickhouse>
"""
_USERS: Final = """\
<clickhouse>
  <profiles><default/><readonly><readonly>1</readonly></readonly></profiles>
  <quotas><default/></quotas>
  <users>
    <mainstem>
      <password>{password}</password><networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile><quota>default</quota><access_management>1</access_management>
    </mainstem>
    <reader>
      <password>{reader}</password><networks><ip>127.0.0.1</ip></networks>
      <profile>readonly</profile><quota>default</quota>
    </reader>
  </users>
</clickhouse>
"""


class LocalClickHouse:
    """A server of its own folder, with the users `mainstem` and `reader`, who can only read.

    Args:
        folder: gets clickhouse-data/, clickhouse.log, clickhouse.xml and clickhouse-users.xml.
        port: where it answers (HTTP); None: a free one.
        password: of `mainstem`.
        reader: password of `reader`.
        binary: the program; None: what `MAINSTEM_CLICKHOUSE_BINARY` names, or `clickhouse`.
    """

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        password: str = "mainstem",  # noqa: S107 - reachable from this machine only
        reader: str = "reader",
        binary: str | None = None,
    ) -> None:
        self.folder = folder.resolve()
        self.port = port or free_ports(1)[0]
        self._passwords = (password, reader)
        self._config = self.folder / "clickhouse.xml"
        self._process = LocalProcess(
            [_binary(binary), "server", f"--config-file={self._config}"],
            self.folder / "clickhouse.log",
            {
                **os.environ,
                "CLICKHOUSE_WATCHDOG_ENABLE": "0",
            },  # one process, which a signal reaches
        )

    def url(self, database: str = "mainstem") -> str:
        """Where a history is on it."""
        return f"clickhouse://mainstem:{quote(self._passwords[0], safe='')}@127.0.0.1:{self.port}/{database}"

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
            StoreError: if it cannot be started, quoting the end of its log.
        """
        if self.alive:
            return
        if not is_free(self.port):
            msg = f"port {self.port} is in use by another process; end that one, or give ClickHouse another port"
            raise StoreError(msg)
        self._configure()
        try:
            self._process.start()
        except OSError as error:
            msg = f"cannot start {self._process.command[0]!r}: {error.strerror}; {'; '.join(missing()) or 'is it a program?'}"
            raise StoreError(msg) from error
        wait_for(self._process, self._answers, _READY_SECONDS, StoreError)

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

    def _configure(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        users = self.folder / "clickhouse-users.xml"
        password, reader = map(escape, self._passwords)
        users.touch(mode=0o600)
        users.write_text(_USERS.format(password=password, reader=reader))
        data = escape(str(self.folder / "clickhouse-data"))
        self._config.write_text(_CONFIG.format(port=self.port, data=data, users=escape(str(users))))

    def _answers(self) -> bool:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
            try:
                connection.request("GET", "/ping")
                return connection.getresponse().status == http.HTTPStatus.OK
            finally:
                connection.close()
        except (OSError, http.client.HTTPException):
            return False


def missing(binary: str | None = None) -> list[str]:
    """What a server needs and is not there, with how to get it."""
    wanted = _binary(binary)
    if shutil.which(wanted):
        return []
    return [
        f"{wanted} (ClickHouse): curl https://clickhouse.com/ | sh, then name it in {BINARY} or put it on PATH"
    ]


def _binary(given: str | None) -> str:
    return given or os.environ.get(BINARY) or "clickhouse"
